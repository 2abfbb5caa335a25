// Deadlines of a fetch: they count the time that was waited, not the time in which nobody looked.
#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "core/http/fetch.h"
#include "unit/http_server.h"
#include "unit/scan_fixture.h"

namespace pipedrive {
namespace {

using namespace test;

constexpr const char* kBody = R"({"success":true,"data":[]})";
constexpr std::int64_t kHour = 3600 * 1000;

struct DeadlineTest : ::testing::Test {
    FakeClock clock;
    ScriptedTransport api{clock};
    Traffic traffic;
    RetryLimits limits{0, 120000};
    Fetch fetch{api, clock, limits, traffic};

    void begin(std::string method = "GET") {
        HttpRequest r;
        r.method = std::move(method);
        r.url = "https://acme.pipedrive.com/api/v2/deals";
        r.connect_timeout_ms = 10000;
        r.request_timeout_ms = 60000;
        fetch.start(std::move(r), "deals", 10);
    }
    // What it ends with and when, from now.
    std::pair<ErrorKind, std::int64_t> end() {
        const std::int64_t began = clock.now_ms();
        try {
            drive(fetch, clock);
            return {ErrorKind::Internal, clock.now_ms() - began};
        } catch (const Error& e) {
            words = e.detail;
            return {e.kind, clock.now_ms() - began};
        }
    }
    std::string words;
};

TEST_F(DeadlineTest, AnAnswerThatHasArrivedIsKept) {
    api.queue(reply(kBody).after_ms(500));
    begin();
    clock.advance(kHour); // the cursor idles
    EXPECT_EQ(fetch.step(nullptr), Progress::Ready);
    EXPECT_EQ(traffic.requests, 1);
    EXPECT_EQ(traffic.tokens, 10);
}

TEST_F(DeadlineTest, AnAnswerThatComesWithTheDeadlineIsKept) {
    api.queue(reply(kBody).after_ms(60000));
    begin();
    EXPECT_EQ(end(), std::make_pair(ErrorKind::Internal, std::int64_t{60000}));
    fetch.drop();
    api.queue(reply(kBody).after_ms(60001));
    begin();
    EXPECT_EQ(end(), std::make_pair(ErrorKind::Timeout, std::int64_t{60000}));
}

TEST_F(DeadlineTest, TheTimeInWhichNobodyLookedIsAdded) {
    api.queue(reply(kBody).after_ms(kHour + 59000));
    begin();
    clock.advance(kHour);
    EXPECT_EQ(end(), std::make_pair(ErrorKind::Internal, std::int64_t{59000}));
    fetch.drop();
    api.queue(Reply().hang());
    begin();
    clock.advance(kHour);
    EXPECT_EQ(end(), std::make_pair(ErrorKind::Timeout, std::int64_t{60000}));
    EXPECT_TRUE(words.starts_with("Timed out after 60000 ms without a complete answer")) << words;
}

TEST_F(DeadlineTest, OnlyWhatWasPromisedCountsOfALongWait) {
    api.queue(Reply().hang());
    begin();
    for (int i = 0; i < 59; ++i) {
        WaitFor wait;
        ASSERT_EQ(fetch.step(&wait), Progress::Wait) << i;
        EXPECT_EQ(wait.timeout_ms, 1000); // who waits looks once a second
        clock.advance(kHour);
    }
    EXPECT_EQ(end(), std::make_pair(ErrorKind::Timeout, std::int64_t{1000}));
}

TEST_F(DeadlineTest, LooksWithoutAWaitCountWhatWentBy) {
    api.queue(Reply().hang());
    begin();
    for (int i = 0; i < 6000; ++i) {
        ASSERT_EQ(fetch.step(nullptr), Progress::Wait) << i;
        clock.advance(10);
    }
    EXPECT_THROW(fetch.step(nullptr), Error);
}

TEST_F(DeadlineTest, ConnectingHasItsOwnLimitAndCostsNothing) {
    api.queue(Reply().hang().unsent());
    begin();
    clock.advance(kHour);
    EXPECT_EQ(end(), std::make_pair(ErrorKind::Timeout, std::int64_t{10000}));
    EXPECT_TRUE(words.starts_with("Timed out after 10000 ms without a connection")) << words;
    EXPECT_EQ(traffic.tokens, 0);
}

TEST_F(DeadlineTest, APostThatNeverConnectedIsSentAgain) {
    limits.max_retries = 1;
    Fetch post(api, clock, limits, traffic);
    api.queue(Reply().hang().unsent());
    api.queue(reply(kBody));
    HttpRequest r;
    r.method = "POST";
    r.url = "https://acme.pipedrive.com/api/v2/deals";
    post.start(std::move(r), "deals", 10);
    drive(post, clock);
    EXPECT_EQ(traffic.requests, 2);
    EXPECT_EQ(traffic.tokens, 10);
}

TEST_F(DeadlineTest, EveryTryHasItsOwn) {
    limits.max_retries = 2;
    Fetch again(api, clock, limits, traffic);
    api.queue(reply("", 503).after_ms(50000));
    api.queue(reply("", 503).after_ms(50000));
    api.queue(reply(kBody).after_ms(59000));
    HttpRequest r;
    r.url = "https://acme.pipedrive.com/api/v2/deals";
    again.start(std::move(r), "deals", 10);
    EXPECT_GE(drive(again, clock), 159000);
    EXPECT_EQ(traffic.requests, 3);
}

// A loop that takes a minute a row: every page is asked for once and paid once.
TEST_F(ScanTest, ASlowReaderIsNoTimeout) {
    list("/api/v2/deals", rows(1, 95));
    list_ms = 40000;
    account.retries.max_retries = 0;
    account.request_timeout_ms = 60000;
    Scan s = scan(spec({}, {{"is_archived", Op::IsFalse, -1}}));
    s.start({});
    std::int64_t seen = 0;
    while (next(s) == Scan::Step::Row) {
        ++seen;
        clock.advance(61000);
    }
    EXPECT_EQ(seen, 95);
    EXPECT_EQ(api.requests().size(), 10u);
    EXPECT_EQ(s.traffic().tokens, 100);
}

struct IdleTest : CurlTest {};

// More than the sockets hold: the rest of the answer comes when somebody looks again.
TEST_F(IdleTest, AReaderThatIdlesLongerThanTheTimeoutGetsTheAnswer) {
    const std::string body = "{\"x\":\"" + std::string(8 << 20, 'x') + "\"}";
    std::atomic<int> asked{0};
    Server server([&](Peer& peer) {
        while (!peer.request().empty()) {
            ++asked;
            peer.pause(20);
            peer.send(http(body));
        }
    });
    HttpRequest request = get(server.url());
    request.request_timeout_ms = 300;
    request.connect_timeout_ms = 300;
    for (int i = 0; i < 2; ++i) { // on a new connection, and on one that is kept
        Traffic traffic;
        Fetch one(*transport, monotonic_clock(), RetryLimits{0, 0}, traffic);
        one.start(request, "deals", 10);
        std::this_thread::sleep_for(std::chrono::milliseconds(500));
        transport->pump(); // the reader of another page
        std::this_thread::sleep_for(std::chrono::milliseconds(500));
        EXPECT_EQ(carry(one).body.size(), body.size());
        EXPECT_EQ(traffic.requests, 1);
    }
    EXPECT_EQ(asked, 2);
    EXPECT_EQ(server.connections(), 1);
}

// The connection is made by the kernel while nobody looks: the first packet was lost, and the
// second comes a second later, behind the limit.
TEST_F(IdleTest, ConnectingMayTakeAsLongAsNobodyLooks) {
    int port = 0;
    const int fd = listen_on_loopback(&port);
    ASSERT_EQ(listen(fd, 0), 0); // a queue of one that nobody empties
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int filler = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT_EQ(connect(filler, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    HttpRequest request = get("http://127.0.0.1:" + std::to_string(port) + "/");
    request.connect_timeout_ms = 400;
    Traffic traffic;
    Fetch one(*transport, monotonic_clock(), RetryLimits{0, 0}, traffic);
    one.start(request, "deals", 10);
    WaitFor wait;
    EXPECT_EQ(one.step(&wait), Progress::Wait);
    EXPECT_FALSE(transport->open_sockets() == 0);
    close(accept(fd, nullptr, nullptr)); // room for us
    close(filler);
    std::this_thread::sleep_for(std::chrono::milliseconds(2500));
    transport->pump();
    const int peer = accept(fd, nullptr, nullptr);
    const std::string answer = http("{}");
    ASSERT_GT(send(peer, answer.data(), answer.size(), MSG_NOSIGNAL), 0);
    EXPECT_EQ(carry(one).body, "{}");
    EXPECT_EQ(traffic.requests, 1);
    close(peer);
    close(fd);
}

// libcurl has a limit of its own for connecting, as it shares it out among addresses.
TEST_F(IdleTest, AHandshakeMayTakeAsLongAsNobodyLooks) {
    Server server([](Peer& peer) {
        peer.wait();
        peer.pause(5000); // says nothing
    });
    HttpRequest request = get("https" + server.url().substr(4));
    request.connect_timeout_ms = 400;
    const TransferId id = transport->start(request);
    pump_for(100);
    std::this_thread::sleep_for(std::chrono::milliseconds(600));
    pump_for(50);
    EXPECT_FALSE(transport->take(id).has_value());
    EXPECT_FALSE(transport->sent(id));
}

} // namespace
} // namespace pipedrive
