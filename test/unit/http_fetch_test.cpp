#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "core/http/fetch.h"
#include "unit/fakes.h"

namespace pipedrive {
namespace {

using namespace test;

constexpr const char* kBody = R"({"success":true,"data":[]})";

struct FetchTest : ::testing::Test {
    FakeClock clock;
    ScriptedTransport api{clock};
    Traffic traffic;
    RetryLimits limits;

    static HttpRequest get(std::string path = "/api/v2/deals") {
        HttpRequest r;
        r.url = "https://acme.pipedrive.com" + path;
        r.headers = {"x-api-token: SECRETTOKEN"};
        return r;
    }

    // Runs one request to its end and returns the error it ends with.
    Error failure(HttpRequest request) {
        Fetch fetch(api, clock, limits, traffic);
        fetch.start(std::move(request), "deals", 10);
        try {
            drive(fetch, clock);
        } catch (const Error& e) {
            EXPECT_TRUE(fetch.idle());
            return e;
        }
        ADD_FAILURE() << "no error";
        return Error(ErrorKind::Internal, "");
    }
};

TEST_F(FetchTest, PlainAnswer) {
    api.on("GET", "/api/v2/deals", reply(kBody));
    Fetch fetch(api, clock, limits, traffic);
    EXPECT_TRUE(fetch.idle());
    fetch.start(get(), "deals", 10);
    EXPECT_FALSE(fetch.idle());
    EXPECT_EQ(drive(fetch, clock), 0);
    EXPECT_EQ(fetch.step(nullptr), Progress::Ready); // still, until taken
    EXPECT_EQ(fetch.take().body, kBody);
    EXPECT_TRUE(fetch.idle());
    EXPECT_EQ(traffic.requests, 1);
    EXPECT_EQ(traffic.tokens, 10);
    EXPECT_EQ(traffic.retries, 0);
    EXPECT_EQ(traffic.bytes, static_cast<std::int64_t>(std::string(kBody).size()));
    EXPECT_THROW(fetch.take(), Error);
    EXPECT_THROW(fetch.step(nullptr), Error);
}

TEST_F(FetchTest, WaitsWithoutBlocking) {
    api.on("GET", "/", reply(kBody).after_ms(70));
    Fetch fetch(api, clock, limits, traffic);
    fetch.start(get(), "deals", 10);
    WaitFor wait;
    EXPECT_EQ(fetch.step(&wait), Progress::Wait);
    EXPECT_EQ(wait.timeout_ms, 70);
    EXPECT_EQ(wait.sockets.size(), 1u);
    EXPECT_EQ(fetch.step(nullptr), Progress::Wait);
    EXPECT_THROW(fetch.start(get(), "deals", 10), Error);
    EXPECT_EQ(drive(fetch, clock), 70);
}

TEST_F(FetchTest, SeveralFetchesShareOneWait) {
    api.on("GET", "/", reply(kBody).after_ms(70));
    Fetch a(api, clock, limits, traffic);
    Fetch b(api, clock, limits, traffic);
    a.start(get(), "deals", 10);
    b.start(get(), "deals", 10);
    WaitFor wait;
    wait.timeout_ms = 50;
    EXPECT_EQ(a.step(&wait), Progress::Wait);
    EXPECT_EQ(b.step(&wait), Progress::Wait);
    EXPECT_EQ(wait.timeout_ms, 50);
    // each told once, though the transport told both fetches of both
    EXPECT_EQ(wait.sockets.size(), 2u);
    clock.advance(70);
    WaitFor late;
    EXPECT_EQ(a.step(&late), Progress::Ready);
    EXPECT_EQ(b.step(&late), Progress::Ready);
}

TEST_F(FetchTest, AnswerForAnotherFetchWakesItOnce) {
    api.queue(reply(kBody).after_pumps(1));
    api.queue(reply(kBody).after_ms(500));
    Fetch first(api, clock, limits, traffic);
    Fetch second(api, clock, limits, traffic);
    first.start(get(), "deals", 10);
    second.start(get(), "deals", 10);
    WaitFor wait;
    EXPECT_EQ(second.step(&wait), Progress::Wait); // its pump finished the first one's transfer
    EXPECT_EQ(wait.timeout_ms, 0);
    WaitFor again;
    EXPECT_EQ(second.step(&again), Progress::Wait); // told once, no busy loop
    EXPECT_EQ(again.timeout_ms, 500);
    EXPECT_EQ(first.step(nullptr), Progress::Ready);
}

TEST_F(FetchTest, BurstLimitIsWaitedFor) {
    api.queue(reply("{}", 429).reset(2));
    api.on("GET", "/", reply(kBody));
    Fetch fetch(api, clock, limits, traffic);
    fetch.start(get(), "deals", 10);
    const std::int64_t took = drive(fetch, clock);
    EXPECT_GE(took, 2000);
    EXPECT_LE(took, 2250);
    EXPECT_EQ(traffic.requests, 2);
    EXPECT_EQ(traffic.retries, 1);
    EXPECT_EQ(traffic.rate_limited, 1);
    EXPECT_EQ(traffic.tokens, 10);
    EXPECT_EQ(traffic.wait_ms, took);
}

TEST_F(FetchTest, AGatewaysRateLimitIsWaitedForWithinMaxWaitOrTold) {
    const auto page = [] {
        return reply("<html><title>Access denied</title></html>", 429).type("text/html");
    };
    api.queue(page().retry_after(12));
    api.queue(reply(kBody));
    Fetch fetch(api, clock, limits, traffic);
    fetch.start(get(), "deals", 10);
    const std::int64_t took = drive(fetch, clock);
    EXPECT_GE(took, 12000);
    EXPECT_LE(took, 12250);
    EXPECT_EQ(traffic.tokens, 10);
    api.queue(page().retry_after(600));
    const Error e = failure(get());
    EXPECT_EQ(e.kind, ErrorKind::RateLimited);
    EXPECT_EQ(e.detail, "The API answered 429 with HTML: Access denied (resets in 600 s)");
    EXPECT_EQ(traffic.requests, 3);
}

TEST_F(FetchTest, ServerErrorsBackOffThenSucceed) {
    for (int i = 0; i < 5; ++i)
        api.queue(i % 2 == 0 ? reply("", 503) : reply_failure(TransportFailure::Broken));
    api.on("GET", "/", reply(kBody));
    Fetch fetch(api, clock, limits, traffic);
    fetch.start(get(), "deals", 10);
    const std::int64_t took = drive(fetch, clock);
    EXPECT_GE(took, 15500 / 2);
    EXPECT_LE(took, 15500);
    EXPECT_EQ(traffic.requests, 6);
    EXPECT_EQ(traffic.tokens, 30); // two broke off: what they cost is not known to be nothing
}

TEST_F(FetchTest, TriesAreLimited) {
    api.on("GET", "/", reply("", 503));
    const Error e = failure(get());
    EXPECT_EQ(e.kind, ErrorKind::Unavailable);
    EXPECT_EQ(e.subject, "deals");
    EXPECT_TRUE(e.detail.starts_with("The API answered 503 with an empty body. Waited "))
        << e.detail;
    EXPECT_TRUE(e.detail.ends_with(" s over 6 attempts.")) << e.detail;
    EXPECT_EQ(traffic.requests, 6);
    EXPECT_EQ(traffic.tokens, 0);
}

TEST_F(FetchTest, NoRetriesMeansOneTry) {
    limits.max_retries = 0;
    api.on("GET", "/", reply("", 503));
    EXPECT_EQ(failure(get()).detail, "The API answered 503 with an empty body.");
    EXPECT_EQ(traffic.requests, 1);
}

TEST_F(FetchTest, WaitsAreLimited) {
    limits.max_retries = 1000;
    limits.max_wait_ms = 10000;
    api.on("GET", "/", reply("{}", 429).reset(3));
    EXPECT_EQ(failure(get()).kind, ErrorKind::RateLimited);
    EXPECT_EQ(traffic.requests, 4);
    EXPECT_LE(traffic.wait_ms, 10000);
}

TEST_F(FetchTest, FailuresThatAreNotRepeated) {
    api.queue(reply(R"({"error":"unauthorized access"})", 401));
    EXPECT_EQ(failure(get()).kind, ErrorKind::Unauthorized);
    api.queue(reply("<html>", 403).type("text/html"));
    EXPECT_EQ(failure(get()).kind, ErrorKind::Blocked);
    api.queue(reply(R"({"error":"daily request budget exceeded"})", 429));
    EXPECT_EQ(failure(get()).kind, ErrorKind::DailyBudget);
    api.queue(reply_failure(TransportFailure::TooLarge));
    EXPECT_EQ(failure(get()).kind, ErrorKind::TooLarge);
    EXPECT_EQ(traffic.requests, 4);
    EXPECT_EQ(traffic.tokens, 20); // the 403 and the answer that was too large
}

TEST_F(FetchTest, HangingRequestsEndAsTimeouts) {
    limits.max_retries = 1;
    api.on("GET", "/", Reply().hang());
    const std::int64_t began = clock.now_ms();
    EXPECT_EQ(failure(get()).kind, ErrorKind::Timeout);
    EXPECT_GE(clock.now_ms() - began, 120000);
}

TEST_F(FetchTest, TokensAreBookedWhenTheRequestIsSent) {
    api.on("GET", "/", reply(kBody).after_ms(1000));
    Fetch fetch(api, clock, limits, traffic);
    fetch.start(get(), "deals", 10);
    EXPECT_EQ(traffic.tokens, 10);
    fetch.drop(); // the API has it, and charges it
    EXPECT_EQ(traffic.tokens, 10);
    api.queue(reply(kBody).unsent().after_ms(1000));
    fetch.start(get(), "deals", 10);
    EXPECT_EQ(traffic.tokens, 20);
    fetch.drop(); // still connecting
    EXPECT_EQ(traffic.tokens, 10);
    EXPECT_EQ(traffic.requests, 2);
}

TEST_F(FetchTest, WhatEachEndCosts) {
    limits.max_retries = 0;
    struct Row {
        Reply reply;
        std::int64_t tokens;
    };
    const Row rows[] = {
        {reply("{}", 400), 10},
        {reply("{}", 404), 10},
        {reply("", 200), 10},
        {reply("{}", 401), 0},
        {reply("{}", 429), 0},
        {reply("", 500), 0},
        {reply("", 524), 0},
        {reply_failure(TransportFailure::Timeout), 10},
        {reply_failure(TransportFailure::Broken), 10},
        {reply_failure(TransportFailure::TooLarge), 10},
        {reply_failure(TransportFailure::Timeout).unsent(), 0},
        {reply_failure(TransportFailure::Resolve), 0},
        {reply_failure(TransportFailure::Connect), 0},
        {reply_failure(TransportFailure::Tls), 0},
    };
    for (const Row& row : rows) {
        api.queue(row.reply);
        const std::int64_t before = traffic.tokens;
        failure(get());
        EXPECT_EQ(traffic.tokens - before, row.tokens)
            << row.reply.response.status << " " << static_cast<int>(row.reply.response.failure);
    }
}

TEST_F(FetchTest, APostIsNeverSentTwiceWhenItMayHaveBeenDone) {
    HttpRequest post = get();
    post.method = "POST";
    post.body = "{}";
    for (const Reply& r : {reply("", 503), reply("", 200), reply_failure(TransportFailure::Broken),
                           reply_failure(TransportFailure::Timeout)}) {
        api.queue(r);
        failure(post);
        EXPECT_EQ(api.queued(), 0u);
    }
    EXPECT_EQ(traffic.requests, 4);
    api.queue(reply("{}", 429));
    api.queue(reply_failure(TransportFailure::Connect));
    api.queue(reply(kBody, 201));
    Fetch fetch(api, clock, limits, traffic);
    fetch.start(post, "deals", 5);
    drive(fetch, clock);
    EXPECT_EQ(traffic.requests, 7);
}

struct Renewed final : Authorizer {
    int asked = 0;
    std::vector<std::string> headers() override {
        return {"authorization: Bearer " + std::to_string(++asked)};
    }
};

TEST_F(FetchTest, EverySendAsksForItsHeaders) {
    Renewed authorizer;
    api.queue(reply("busy", 503));
    api.on("GET", "/", reply(kBody));
    Fetch fetch(api, clock, limits, traffic, {.authorizer = &authorizer});
    HttpRequest request = get();
    request.headers = {"Accept: application/json"};
    fetch.start(request, "deals", 10);
    drive(fetch, clock);
    ASSERT_EQ(api.requests().size(), 2u);
    for (int i = 0; i < 2; ++i)
        EXPECT_EQ(api.requests()[static_cast<std::size_t>(i)].headers,
                  (std::vector<std::string>{"Accept: application/json",
                                            "authorization: Bearer " + std::to_string(i + 1)}));
}

struct EverySecond final : Limiter {
    FakeClock& clock;
    std::int64_t next = 0;
    explicit EverySecond(FakeClock& c) : clock(c) {}
    std::int64_t admit(int) noexcept override {
        if (clock.now_ms() < next) return next - clock.now_ms();
        next = clock.now_ms() + 1000;
        return 0;
    }
};

TEST_F(FetchTest, ALimiterPutsOffEverySendAndCostsNothing) {
    EverySecond limiter(clock);
    api.on("GET", "/", reply(kBody));
    Fetch one(api, clock, limits, traffic, {.limiter = &limiter});
    Fetch two(api, clock, limits, traffic, {.limiter = &limiter});
    const std::int64_t began = clock.now_ms();
    one.start(get(), "deals", 10);
    two.start(get(), "deals", 10);
    EXPECT_EQ(api.requests().size(), 1u);
    EXPECT_EQ(traffic.tokens, 10);
    WaitFor wait;
    EXPECT_EQ(two.step(&wait), Progress::Wait);
    EXPECT_EQ(wait.timeout_ms, 1000);
    drive(one, clock);
    drive(two, clock);
    EXPECT_GE(clock.now_ms() - began, 1000);
    EXPECT_EQ(traffic.requests, 2);
    EXPECT_EQ(traffic.retries, 0);
    Fetch dropped(api, clock, limits, traffic, {.limiter = &limiter});
    dropped.start(get(), "deals", 10);
    dropped.drop();
    EXPECT_EQ(traffic.tokens, 20);
    EXPECT_TRUE(dropped.idle());
}

TEST_F(FetchTest, DropAndDestructionCancel) {
    api.on("GET", "/", reply(kBody).after_ms(1000));
    {
        Fetch fetch(api, clock, limits, traffic);
        fetch.start(get(), "deals", 10);
        fetch.drop();
        EXPECT_TRUE(fetch.idle());
        EXPECT_EQ(api.running(), 0u);
        fetch.start(get(), "deals", 10);
        EXPECT_EQ(api.running(), 1u);
    }
    EXPECT_EQ(api.running(), 0u);
    EXPECT_EQ(api.cancelled(), 2);
}

TEST_F(FetchTest, DropWhileBackingOff) {
    api.queue(reply("", 503));
    api.on("GET", "/", reply(kBody));
    Fetch fetch(api, clock, limits, traffic);
    fetch.start(get(), "deals", 10);
    WaitFor wait;
    EXPECT_EQ(fetch.step(&wait), Progress::Wait);
    EXPECT_TRUE(wait.sockets.empty());
    EXPECT_GT(wait.timeout_ms, 0);
    fetch.drop();
    EXPECT_EQ(api.cancelled(), 0);
    fetch.start(get("/api/v2/persons"), "persons", 10);
    drive(fetch, clock);
    EXPECT_EQ(api.paths().back(), "/api/v2/persons");
}

TEST_F(FetchTest, AStartThatThrowsLeavesItIdle) {
    Fetch fetch(api, clock, limits, traffic);
    EXPECT_THROW(fetch.start(get("/unknown"), "deals", 10), Error);
    EXPECT_TRUE(fetch.idle());
    EXPECT_EQ(traffic.requests, 0);
}

TEST(Fakes, QueryValues) {
    EXPECT_EQ(path_of("https://host/api/x?y=1"), "/api/x?y=1");
    EXPECT_EQ(query_value("/x?a=1&b=%20c+d&e", "b"), " c d");
    EXPECT_EQ(query_value("/x?a=1&e", "e"), "");
    EXPECT_EQ(query_value("/x?a=1", "b"), std::nullopt);
    EXPECT_EQ(query_value("/x", "b"), std::nullopt);
}

TEST_F(FetchTest, ABudgetStopsBeforeTheRequestThatWouldPassIt) {
    api.on("GET", "/api/v2/deals", reply(kBody));
    Budget budget;
    budget.max_tokens = 25;
    Fetch one(api, clock, limits, traffic, {.budget = &budget}),
        two(api, clock, limits, traffic, {.budget = &budget});
    one.start(get(), "deals", 10);
    two.start(get(), "deals", 10); // what is under way counts
    Fetch three(api, clock, limits, traffic, {.budget = &budget});
    try {
        three.start(get(), "deals", 10);
        ADD_FAILURE() << "no error";
    } catch (const Error& e) {
        EXPECT_EQ(e.kind, ErrorKind::Budget);
        EXPECT_EQ(e.subject, "deals");
        EXPECT_EQ(e.column, "tokens");
        EXPECT_NE(e.detail.find("spent 20 tokens in 2 requests"), e.detail.npos) << e.detail;
    }
    EXPECT_EQ(api.requests().size(), 2u);
    EXPECT_TRUE(three.idle());
    three.start(get(), "deals", 5);
    EXPECT_EQ(budget.tokens, 25);
}

TEST_F(FetchTest, ABudgetTakesBackWhatIsNotChargedAndStopsARetry) {
    api.on("GET", "/api/v2/deals", reply("busy", 503));
    Budget budget;
    budget.max_requests = 2;
    Fetch fetch(api, clock, limits, traffic, {.budget = &budget});
    fetch.start(get(), "deals", 10);
    try {
        drive(fetch, clock);
        ADD_FAILURE() << "no error";
    } catch (const Error& e) {
        EXPECT_EQ(e.kind, ErrorKind::Budget);
        EXPECT_EQ(e.column, "requests");
    }
    EXPECT_EQ(api.requests().size(), 2u);
    EXPECT_EQ(budget.tokens, 0);
    EXPECT_TRUE(fetch.idle());
}

} // namespace
} // namespace pipedrive
