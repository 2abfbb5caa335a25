// The real transport with peers that behave: answers, connections, methods, cancellation.
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "core/base/error.h"
#include "unit/http_server.h"

namespace pipedrive {
namespace {

using namespace test;

TEST_F(CurlTest, PlainAnswer) {
    std::string seen;
    std::mutex lock;
    Server server([&](Peer& peer) {
        const std::string request = peer.request();
        {
            const std::lock_guard<std::mutex> hold(lock);
            seen = request;
        }
        peer.send(http("{\"a\":1}"));
    });
    HttpRequest request = get(server.url("/api/v2/deals?limit=500"));
    request.headers = {"x-api-token: SECRET"};
    const HttpResponse r = fetch(request);
    EXPECT_EQ(r.failure, TransportFailure::None) << r.failure_text;
    EXPECT_EQ(r.status, 200);
    EXPECT_EQ(r.body, "{\"a\":1}");
    EXPECT_EQ(r.content_type, "application/json");
    EXPECT_EQ(r.bytes_received, 7u);
    EXPECT_EQ(r.failure_text, "");
    const std::lock_guard<std::mutex> hold(lock);
    EXPECT_TRUE(seen.starts_with("GET /api/v2/deals?limit=500 HTTP/1.1\r\n")) << seen;
    EXPECT_NE(seen.find("\r\nx-api-token: SECRET\r\n"), seen.npos);
    EXPECT_NE(seen.find("\r\nUser-Agent: pipedrive_fdw/"), seen.npos);
    EXPECT_NE(seen.find("gzip"), seen.npos);
    EXPECT_NE(std::string(curl_version_text()).find("libcurl/"), std::string::npos);
}

TEST_F(CurlTest, AnswersAreTakenOnce) {
    Server server(always(http("{}")));
    const TransferId id = transport->start(get(server.url()));
    finish(id);
    EXPECT_EQ(transport->take(id), std::nullopt);
    EXPECT_EQ(transport->take(12345), std::nullopt);
    transport->cancel(id);
    transport->cancel(0);
}

TEST_F(CurlTest, ConnectionsAreKeptAlive) {
    Server server(always(http("{}")));
    for (int i = 0; i < 10; ++i)
        EXPECT_EQ(fetch(get(server.url())).body, "{}");
    EXPECT_EQ(server.connections(), 1);
    EXPECT_EQ(transport->open_sockets(), 1);
}

TEST_F(CurlTest, AConnectionThatDiedIdleIsReplaced) {
    Server server([](Peer& peer) {
        peer.request();
        peer.send(http("{}"));
    });
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(fetch(get(server.url())).failure, TransportFailure::None);
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    EXPECT_EQ(server.connections(), 3);
    EXPECT_LE(transport->open_sockets(), 1);
}

TEST_F(CurlTest, MethodsAndBodies) {
    Server server([](Peer& peer) {
        for (std::string r = peer.request(); !r.empty(); r = peer.request())
            peer.send(http(r.substr(0, r.find(' ')) + "|" + r.substr(r.find("\r\n\r\n") + 4) +
                           (r.find("Expect:") == r.npos ? "" : "|expect")));
    });
    const std::string big(2000000, 'b');
    const std::pair<std::string, std::string> rows[] = {
        {"GET", ""},          {"POST", "{\"x\":1}"}, {"POST", ""}, {"PATCH", "{}"},
        {"PUT", "{\"y\":2}"}, {"DELETE", ""},        {"POST", big}};
    for (const auto& [method, body] : rows) {
        HttpRequest request = get(server.url());
        request.method = method;
        request.body = body;
        request.headers = {"Content-Type: application/json"};
        EXPECT_EQ(fetch(request).body, method + "|" + body);
    }
    EXPECT_EQ(server.connections(), 1);
}

TEST_F(CurlTest, GzipIsDecodedAndCountedAsSent) {
    const std::string text(300000, 'z');
    const std::string packed = gzip(text);
    Server server(always(http(packed, "Content-Encoding: gzip\r\n")));
    const HttpResponse r = fetch(get(server.url()));
    EXPECT_EQ(r.failure, TransportFailure::None) << r.failure_text;
    EXPECT_EQ(r.body, text);
    EXPECT_EQ(r.bytes_received, packed.size());
}

TEST_F(CurlTest, ChunkedAnswer) {
    Server server(
        always("HTTP/1.1 200 OK\r\nTransfer-Encoding: "
               "chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n"));
    EXPECT_EQ(fetch(get(server.url())).body, "abc0123456789");
}

TEST_F(CurlTest, AnswerEndsWithTheConnection) {
    Server server([](Peer& peer) {
        peer.request();
        peer.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end");
    });
    EXPECT_EQ(fetch(get(server.url())).body, "until the end");
}

TEST_F(CurlTest, RateHeaders) {
    Server server(always(
        http("{}",
             "x-ratelimit-limit: 20\r\nX-RateLimit-Remaining:0\r\nX-RATELIMIT-RESET: "
             "1.5\r\nRetry-After:  3939 \r\n"
             "x-daily-ratelimit-token-limit: 30000\r\nx-daily-ratelimit-token-remaining: -5\r\n"
             "DATE: Sat, 01 Jan 2000 00:00:02 GMT\r\n",
             "429 Too Many Requests")));
    const HttpResponse r = fetch(get(server.url()));
    EXPECT_EQ(r.status, 429);
    EXPECT_EQ(r.ratelimit_limit, 20);
    EXPECT_EQ(r.ratelimit_remaining, 0);
    EXPECT_EQ(r.ratelimit_reset, 1.5);
    EXPECT_EQ(r.date, 2 * kSecond);
    EXPECT_EQ(r.retry_after, 3939);
    EXPECT_EQ(r.daily_limit, 30000);
    EXPECT_EQ(r.daily_remaining, -5);
}

TEST_F(CurlTest, OnlyTheLastAnswerCounts) {
    Server server(always("HTTP/1.1 100 Continue\r\nx-ratelimit-reset: 9\r\n\r\n" +
                         http("{}", "", "201 Created")));
    const HttpResponse r = fetch(get(server.url()));
    EXPECT_EQ(r.status, 201);
    EXPECT_EQ(r.ratelimit_reset, std::nullopt);
}

TEST_F(CurlTest, RedirectsAreNotFollowed) {
    Server server(always(http("moved", "Location: http://127.0.0.1:1/elsewhere\r\n", "302 Found")));
    const HttpResponse r = fetch(get(server.url()));
    EXPECT_EQ(r.failure, TransportFailure::None);
    EXPECT_EQ(r.status, 302);
    EXPECT_EQ(server.connections(), 1);
}

TEST_F(CurlTest, CancelLeavesNothingOpen) {
    Server server([](Peer& peer) {
        peer.request();
        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nsome");
        peer.wait();
    });
    for (const int ms : {0, 1, 5, 30}) {
        std::vector<TransferId> ids;
        for (int i = 0; i < 6; ++i)
            ids.push_back(transport->start(get(server.url())));
        pump_for(ms);
        for (const TransferId id : ids)
            transport->cancel(id);
        EXPECT_EQ(transport->open_sockets(), 0);
        std::vector<SocketInterest> sockets;
        std::int64_t timeout = -1;
        transport->interests(&sockets, &timeout);
        EXPECT_TRUE(sockets.empty());
    }
    for (const TransferId id :
         {transport->start(get(server.url())), transport->start(get(server.url()))})
        (void)id;
    pump_for(10); // the destructor ends what still runs
}

TEST_F(CurlTest, ARequestIsSentWhenItHasGoneOut) {
    Server server([](Peer& peer) {
        for (std::string r = peer.request(); !r.empty(); r = peer.request()) {
            peer.pause(100);
            peer.send(http("{}"));
        }
    });
    for (int i = 0; i < 2; ++i) { // on a new connection, and on one that is kept
        const TransferId id = transport->start(get(server.url()));
        pump_for(50);
        EXPECT_TRUE(transport->sent(id));
        EXPECT_TRUE(finish(id).sent);
        EXPECT_FALSE(transport->sent(id));
    }
}

TEST_F(CurlTest, ManyTransfersAtOnceKeepFewIdleConnections) {
    Server server([](Peer& peer) {
        for (std::string r = peer.request(); !r.empty(); r = peer.request()) {
            peer.pause(20);
            peer.send(http(r.substr(4, r.find(' ', 4) - 4)));
        }
    });
    std::vector<TransferId> ids;
    for (int i = 0; i < 24; ++i)
        ids.push_back(transport->start(get(server.url("/" + std::to_string(i)))));
    transport->cancel(ids[3]);
    for (int i = 0; i < 24; ++i) {
        if (i == 3) continue;
        EXPECT_EQ(finish(ids[static_cast<std::size_t>(i)]).body, "/" + std::to_string(i));
    }
    EXPECT_LE(transport->open_sockets(), 8);
}

TEST_F(CurlTest, EveryChunkingGivesTheSameAnswer) {
    std::mt19937 random(17);
    std::string body;
    for (int i = 0; i < 3000; ++i)
        body += "{\"id\":" + std::to_string(random()) + "},";
    const std::string plain = http(body, "x-ratelimit-remaining: 19\r\n");
    const std::string packed =
        http(gzip(body), "Content-Encoding: gzip\r\nx-ratelimit-remaining: 19\r\n");
    std::atomic<unsigned> seed{0};
    Server server([&](Peer& peer) {
        peer.no_delay();
        for (std::string r = peer.request(); !r.empty(); r = peer.request()) {
            std::mt19937 dice(++seed);
            const std::string& bytes = r.find("/packed") == r.npos ? plain : packed;
            for (std::size_t at = 0; at < bytes.size();) {
                const std::size_t n = at < 200 ? 1 + dice() % 7 : 1 + dice() % 20000;
                peer.send(std::string_view(bytes).substr(at, n));
                at += n;
                if (dice() % 8 == 0) peer.pause(1);
            }
        }
    });
    for (int i = 0; i < 40; ++i) {
        const HttpResponse r = fetch(get(server.url(i % 2 == 0 ? "/plain" : "/packed")));
        ASSERT_EQ(r.failure, TransportFailure::None) << r.failure_text;
        ASSERT_EQ(r.body, body);
        ASSERT_EQ(r.ratelimit_remaining, 19);
    }
    EXPECT_EQ(server.connections(), 1);
}

TEST_F(CurlTest, AnEndedTransferIsAnnouncedOnce) {
    Server server(always(http("{}")));
    const TransferId id = transport->start(get(server.url()));
    pump_for(200);
    std::vector<SocketInterest> sockets;
    std::int64_t timeout = -1;
    transport->interests(&sockets, &timeout);
    EXPECT_EQ(timeout, 0);
    timeout = -1;
    transport->interests(&sockets, &timeout);
    EXPECT_NE(timeout, 0);
    EXPECT_TRUE(transport->take(id).has_value());
}

} // namespace
} // namespace pipedrive
