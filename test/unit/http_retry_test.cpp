#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "core/http/retry.h"

namespace pipedrive {
namespace {

HttpResponse answer(int status, std::string body = R"({"success":true})",
                    std::string type = "application/json") {
    HttpResponse r;
    r.status = status;
    r.body = std::move(body);
    r.content_type = std::move(type);
    return r;
}

constexpr const char* kHtml =
    "<!DOCTYPE html><html><title>Attention Required! | Cloudflare</title></html>";

constexpr const char* kCloudflareJson =
    R"({"title":"Error 1015: You are being rate limited","cloudflare_error":true,"error":"daily"})";

TEST(Retry, IsTotal) {
    const HttpResponse bodies[] = {answer(0),
                                   answer(0, ""),
                                   answer(0, " \n"),
                                   answer(0, "null"),
                                   answer(0, kHtml, "text/html"),
                                   answer(0, "oops", "text/plain"),
                                   answer(0, "daily request budget exceeded", "")};
    for (int status = -1; status <= 1100; ++status) {
        for (HttpResponse r : bodies) {
            r.status = status;
            const Verdict v = judge(r, 1, 0.5);
            EXPECT_EQ(v.action == Action::Accept, v.kind == ErrorKind::Internal) << status;
            EXPECT_EQ(v.action == Action::Accept, v.evidence.empty()) << status;
            EXPECT_EQ(v.action == Action::Retry, v.wait_ms > 0) << status;
            EXPECT_EQ(v.rate_limited, status == 429);
            if (v.action == Action::Accept) {
                EXPECT_TRUE(status >= 200 && status < 300) << status;
            } else {
                EXPECT_NE(v.evidence.find(std::to_string(status)), std::string::npos);
            }
        }
    }
}

TEST(Retry, EachRowOfTheErrorPage) {
    struct Row {
        HttpResponse response;
        Action action;
        ErrorKind kind;
    };
    const std::string error = R"({"success":false,"error":"x"})";
    const Row rows[] = {
        {answer(200), Action::Accept, ErrorKind::Internal},
        {answer(201), Action::Accept, ErrorKind::Internal},
        {answer(201, ""), Action::Accept, ErrorKind::Internal},
        {answer(204, ""), Action::Accept, ErrorKind::Internal},
        {answer(206), Action::Accept, ErrorKind::Internal},
        {answer(200, "null"), Action::Retry, ErrorKind::Malformed},
        {answer(200, ""), Action::Retry, ErrorKind::Malformed},
        {answer(200, "  \r\n"), Action::Retry, ErrorKind::Malformed},
        {answer(200, kHtml, "text/html; charset=utf-8"), Action::Fail, ErrorKind::Malformed},
        {answer(200, "{}", "TEXT/HTML"), Action::Fail, ErrorKind::Malformed},
        {answer(200, "ok", "text/plain"), Action::Fail, ErrorKind::Malformed},
        {answer(301, kHtml, "text/html"), Action::Fail, ErrorKind::Malformed},
        {answer(302), Action::Fail, ErrorKind::Malformed},
        {answer(400, error), Action::Fail, ErrorKind::BadRequest},
        {answer(401, error), Action::Fail, ErrorKind::Unauthorized},
        {answer(401, ""), Action::Fail, ErrorKind::Unauthorized},
        {answer(402, error), Action::Fail, ErrorKind::PaymentRequired},
        {answer(401, kHtml, "text/html"), Action::Fail, ErrorKind::Blocked},
        {answer(402, kHtml, "text/html"), Action::Fail, ErrorKind::Blocked},
        {answer(403, error), Action::Fail, ErrorKind::Forbidden},
        {answer(403, kCloudflareJson), Action::Fail, ErrorKind::Blocked},
        {answer(403, kCloudflareJson, "application/problem+json"), Action::Fail,
         ErrorKind::Blocked},
        {answer(403, kHtml, "text/html"), Action::Fail, ErrorKind::Blocked},
        {answer(403, "error code: 1020", "text/plain"), Action::Fail, ErrorKind::Blocked},
        {answer(403, ""), Action::Fail, ErrorKind::Blocked},
        {answer(404, error), Action::Fail, ErrorKind::NotFound},
        {answer(405, error), Action::Fail, ErrorKind::NotFound},
        {answer(410, error), Action::Fail, ErrorKind::NotFound},
        {answer(408, error), Action::Retry, ErrorKind::Unavailable},
        {answer(409, error), Action::Fail, ErrorKind::BadRequest},
        {answer(415, error), Action::Fail, ErrorKind::BadRequest},
        {answer(422, error), Action::Fail, ErrorKind::BadRequest},
        {answer(429, error), Action::Retry, ErrorKind::RateLimited},
        {answer(500, error), Action::Retry, ErrorKind::Unavailable},
        {answer(501, error), Action::Fail, ErrorKind::Unavailable},
        {answer(502, kHtml, "text/html"), Action::Retry, ErrorKind::Unavailable},
        {answer(503, ""), Action::Retry, ErrorKind::Unavailable},
        {answer(504), Action::Retry, ErrorKind::Unavailable},
        {answer(524), Action::Retry, ErrorKind::Unavailable},
        {answer(100), Action::Fail, ErrorKind::Malformed},
        {answer(0), Action::Fail, ErrorKind::Malformed},
        {answer(999), Action::Fail, ErrorKind::Malformed},
    };
    for (const Row& row : rows) {
        const Verdict v = judge(row.response, 1, 0);
        EXPECT_EQ(v.action, row.action) << row.response.status << " " << row.response.body;
        EXPECT_EQ(v.kind, row.kind) << row.response.status << " " << row.response.body;
    }
}

TEST(Retry, AServerThatIsDownSaysForHowLong) {
    HttpResponse down = answer(503, "");
    EXPECT_EQ(judge(down, 1, 0).wait_ms, 250);
    for (const auto& [seconds, ms] : std::vector<std::pair<double, std::int64_t>>{
             {0.1, 250}, {100, 100000}, {-5, 250}, {NAN, 250}, {1e308, 86400000}}) {
        down.retry_after = seconds;
        EXPECT_EQ(judge(down, 1, 0).wait_ms, ms) << seconds;
    }
}

TEST(Retry, DailyBudgetFailsAtOnce) {
    HttpResponse by_text =
        answer(429, R"({"success":false,"error":"Daily request budget exceeded","errorCode":429})");
    HttpResponse by_header = answer(429, "{}");
    by_header.daily_remaining = 0;
    HttpResponse by_retry_after = answer(429, R"({"success":false,"errorCode":429})");
    by_retry_after.retry_after = 3939;
    for (const HttpResponse& r : {by_text, by_header, by_retry_after}) {
        const Verdict v = judge(r, 1, 0.3);
        EXPECT_EQ(v.action, Action::Fail);
        EXPECT_EQ(v.kind, ErrorKind::DailyBudget);
        EXPECT_TRUE(v.rate_limited);
    }
}

// Whoever stands before the API may send any header and any words: they are not Pipedrive's.
TEST(Retry, OnlyPipedriveSpeaksOfTheDay) {
    const std::string said = "<html><h1>Daily request budget exceeded</h1></html>";
    HttpResponse rows[] = {
        answer(429, kHtml, "text/html; charset=UTF-8"),
        answer(429, kHtml, ""),
        answer(429, said, "text/html"),
        answer(429, kCloudflareJson),
        answer(429, kCloudflareJson, "application/problem+json"),
        answer(429, "error code: 1015", "text/plain"),
        answer(429, ""),
        answer(429, R"({"success":false,"error":"Request over limit","errorCode":429})"),
        answer(429, R"({"message":"Too Many Requests"})"),
        answer(429),
    };
    HttpResponse& left = rows[std::size(rows) - 1];
    left = answer(429, R"({"success":false,"error":"Too many requests"})");
    left.daily_remaining = 5000; // of the day
    for (HttpResponse& r : rows) {
        r.retry_after = 12;
        const Verdict v = judge(r, 1, 0);
        EXPECT_EQ(v.action, Action::Retry) << r.body;
        EXPECT_EQ(v.kind, ErrorKind::RateLimited) << r.body;
        EXPECT_EQ(v.wait_ms, 12000) << r.body;
        EXPECT_TRUE(v.evidence.ends_with(" (resets in 12 s)")) << v.evidence;
    }
    HttpResponse burst = rows[7];
    burst.daily_remaining = 0; // the text is more certain than the header
    EXPECT_EQ(judge(burst, 1, 0).kind, ErrorKind::RateLimited);
}

TEST(Retry, RetryAfterIsKeptInFull) {
    HttpResponse r = answer(429, kHtml, "text/html");
    const std::pair<double, std::int64_t> rows[] = {
        {0, 0}, {1, 1000}, {45.5, 45500}, {3939, 3939000}, {1e300, 86400000}, {-3, 2000}};
    for (const auto& [seconds, wait] : rows) {
        r.retry_after = seconds;
        EXPECT_EQ(judge(r, 1, 0).wait_ms, wait) << seconds;
    }
    r.retry_after = 3;
    r.ratelimit_reset = 9;
    EXPECT_EQ(judge(r, 1, 0).wait_ms, 9000);
}

TEST(Retry, BurstWaitsForTheReset) {
    HttpResponse r = answer(429, "{}");
    r.daily_remaining = 100;
    EXPECT_EQ(judge(r, 1, 0).wait_ms, 2000);
    EXPECT_LE(judge(r, 9, 0.999).wait_ms, 2250);
    EXPECT_GT(judge(r, 1, 0.999).wait_ms, 2240);
    r.ratelimit_reset = 1;
    EXPECT_EQ(judge(r, 1, 0).wait_ms, 1000);
    r.ratelimit_reset = 0;
    EXPECT_EQ(judge(r, 1, 0).wait_ms, 0);
    r.retry_after = 7;
    EXPECT_EQ(judge(r, 1, 0).wait_ms, 7000);
    r.retry_after.reset();
    for (const double odd : {1e300, 1.8e9, std::numeric_limits<double>::infinity()}) {
        r.ratelimit_reset = odd;
        EXPECT_EQ(judge(r, 1, 0).wait_ms, 30000);
    }
    for (const double odd : {-5.0, std::nan("")}) {
        r.ratelimit_reset = odd;
        const std::int64_t wait = judge(r, 1, 0).wait_ms;
        EXPECT_TRUE(wait >= 0 && wait <= 2000) << odd;
    }
}

TEST(Retry, BackoffDoublesUpToThirtySeconds) {
    const HttpResponse r = answer(503);
    const std::int64_t full[] = {500, 1000, 2000, 4000, 8000, 16000, 30000, 30000};
    for (int attempt = 1; attempt <= 8; ++attempt) {
        EXPECT_EQ(judge(r, attempt, 0).wait_ms, full[attempt - 1] / 2);
        EXPECT_LE(judge(r, attempt, 0.9999).wait_ms, full[attempt - 1]);
    }
    EXPECT_EQ(judge(r, 1000000000, 0).wait_ms, 15000);
    EXPECT_EQ(judge(r, 0, 0).wait_ms, 250);
    for (const double odd : {-1.0, 1.0, 7.0, std::nan("")})
        EXPECT_EQ(judge(r, 1, odd).wait_ms, 250);
}

TEST(Retry, BrokenTransfers) {
    struct Row {
        TransportFailure failure;
        Action action;
        ErrorKind kind;
    };
    const Row rows[] = {
        {TransportFailure::Resolve, Action::Retry, ErrorKind::Connect},
        {TransportFailure::Connect, Action::Retry, ErrorKind::Connect},
        {TransportFailure::Tls, Action::Fail, ErrorKind::Transport},
        {TransportFailure::Timeout, Action::Retry, ErrorKind::Timeout},
        {TransportFailure::Broken, Action::Retry, ErrorKind::Transport},
        {TransportFailure::TooLarge, Action::Fail, ErrorKind::TooLarge},
    };
    for (const Row& row : rows) {
        HttpResponse r = answer(200);
        r.failure = row.failure;
        r.failure_text = "words";
        const Verdict v = judge(r, 1, 0);
        EXPECT_EQ(v.action, row.action);
        EXPECT_EQ(v.kind, row.kind);
        EXPECT_EQ(v.evidence, "words");
        EXPECT_EQ(v.wait_ms, row.action == Action::Retry ? 250 : 0);
    }
}

TEST(Retry, Evidence) {
    const auto evidence = [](int status, std::string body) {
        return judge(answer(status, std::move(body)), 1, 0).evidence;
    };
    EXPECT_EQ(evidence(400, R"({"success":false,"error":"bad \"limit\"\n\u00e9","data":null})"),
              "The API answered 400: bad \"limit\" \u00e9");
    EXPECT_EQ(
        evidence(
            403,
            R"({"success":false, "error" : "Scope and URL mismatch","errorCode":403,"error_info":"Please check."})"),
        "The API answered 403: Scope and URL mismatch (Please check.)");
    EXPECT_EQ(
        evidence(400,
                 R"({"error":"Failed","error_info" : {"field":"x","message":"No such user"}})"),
        "The API answered 400: Failed (No such user)");
    EXPECT_EQ(evidence(400, R"({"error":"Failed","error_info":{},"message":"other"})"),
              "The API answered 400: Failed");
    EXPECT_EQ(evidence(400, R"({"error":"Failed","error_info":{"message")"),
              "The API answered 400: Failed");
    EXPECT_EQ(evidence(400, R"({"error":{"code":1}})"),
              "The API answered 400: {\"error\":{\"code\":1}}");
    EXPECT_EQ(evidence(400, R"({"error":"cut off \)"), "The API answered 400: cut off \\");
    EXPECT_EQ(evidence(400, R"({"error":"\ud83d\u12"})"), "The API answered 400: \uFFFD\uFFFD12");
    EXPECT_EQ(evidence(503, ""), "The API answered 503 with an empty body.");
    EXPECT_EQ(judge(answer(429, kHtml, "text/html"), 1, 0).evidence,
              "The API answered 429 with HTML: Attention Required! | Cloudflare");
    EXPECT_EQ(evidence(502, "<p>Bad gateway</p>"),
              "The API answered 502 with HTML: <p>Bad gateway</p>");
    EXPECT_EQ(evidence(302, "secret place"),
              "The API answered 302, a redirect, which is not followed.");
    EXPECT_LE(evidence(400, std::string(100000, 'x')).size(), 560u);
    EXPECT_LE(evidence(400, "{\"error\":\"" + std::string(100000, 'x')).size(), 560u);
}

} // namespace
} // namespace pipedrive
