// The real transport with peers that hang, drip, lie, break off or are not there.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/base/error.h"
#include "unit/http_server.h"

namespace pipedrive {
namespace {

using namespace test;

struct CurlHostileTest : CurlTest {};

TEST_F(CurlHostileTest, BrokenGzipIsAFailure) {
    Server server(always(http("this is not gzip at all", "Content-Encoding: gzip\r\n")));
    const HttpResponse r = fetch(get(server.url()));
    EXPECT_EQ(r.failure, TransportFailure::Broken);
    EXPECT_EQ(r.body, "");
}

TEST_F(CurlHostileTest, HangEndsAtTheTimeout) {
    Server server([](Peer& peer) {
        peer.request();
        peer.pause(5000);
    });
    HttpRequest request = get(server.url("/secret-path"));
    request.request_timeout_ms = 150;
    const std::int64_t began = monotonic_clock().now_ms();
    Traffic traffic;
    const Error e = failure(request, &traffic);
    const std::int64_t took = monotonic_clock().now_ms() - began;
    EXPECT_EQ(e.kind, ErrorKind::Timeout);
    EXPECT_GE(took, 140);
    EXPECT_LT(took, 4500) << "the peer holds it up for 5 s";
    EXPECT_TRUE(e.detail.starts_with("Timed out after ")) << e.detail;
    EXPECT_NE(e.detail.find("(name lookup "), std::string::npos) << e.detail;
    EXPECT_EQ(e.detail.find("secret-path"), std::string::npos);
    EXPECT_EQ(traffic.tokens, 10); // sent, and perhaps carried out
    EXPECT_EQ(transport->open_sockets(), 0);
}

TEST_F(CurlHostileTest, DripEndsAtTheTimeout) {
    Server server([](Peer& peer) {
        peer.request();
        peer.no_delay();
        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
        while (!peer.stopping() && peer.send("x"))
            peer.pause(5);
    });
    HttpRequest request = get(server.url());
    request.request_timeout_ms = 200;
    const std::int64_t began = monotonic_clock().now_ms();
    EXPECT_EQ(failure(request).kind, ErrorKind::Timeout);
    EXPECT_LT(monotonic_clock().now_ms() - began, 1000);
    EXPECT_EQ(transport->open_sockets(), 0);
}

TEST_F(CurlHostileTest, ConnectTimeout) {
    int port = 0;
    const int fd = listen_on_loopback(&port);
    ASSERT_EQ(listen(fd, 0), 0); // a queue of one that nobody empties
    std::vector<int> fillers;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int i = 0; i < 8; ++i) {
        fillers.push_back(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        (void)connect(fillers.back(), reinterpret_cast<sockaddr*>(&address), sizeof address);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    HttpRequest request = get("http://127.0.0.1:" + std::to_string(port));
    request.connect_timeout_ms = 150;
    const std::int64_t began = monotonic_clock().now_ms();
    Traffic traffic;
    const Error e = failure(request, &traffic);
    EXPECT_EQ(e.kind, ErrorKind::Timeout) << e.detail;
    EXPECT_EQ(traffic.tokens, 0);
    EXPECT_LT(monotonic_clock().now_ms() - began, 1500);
    EXPECT_EQ(transport->open_sockets(), 0);
    for (const int filler : fillers)
        close(filler);
    close(fd);
}

TEST_F(CurlHostileTest, Reset) {
    Server server([](Peer& peer) {
        peer.request();
        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
        peer.reset();
    });
    const HttpResponse r = fetch(get(server.url()));
    EXPECT_EQ(r.failure, TransportFailure::Broken);
    EXPECT_EQ(r.body, "");
    EXPECT_EQ(transport->open_sockets(), 0);
}

TEST_F(CurlHostileTest, Truncated) {
    const char* const answers[] = {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
                                   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
                                   ""};
    for (const std::string bytes : answers) {
        Server server([&](Peer& peer) {
            peer.request();
            peer.send(bytes);
        });
        const HttpResponse r = fetch(get(server.url()));
        EXPECT_EQ(r.failure, TransportFailure::Broken) << bytes;
        EXPECT_NE(r.failure_text.find(" ms)"), std::string::npos) << r.failure_text;
        EXPECT_EQ(r.body, "");
    }
}

TEST_F(CurlHostileTest, NotHttpAtAll) {
    Server server([](Peer& peer) {
        peer.request();
        peer.send("220 smtp.example.org ESMTP\r\n\r\n");
    });
    EXPECT_EQ(fetch(get(server.url())).failure, TransportFailure::Broken);
}

TEST_F(CurlHostileTest, OversizedAnswers) {
    const std::string bomb = gzip(std::string(20000000, '0'));
    const std::string big(100001, 'x');
    const std::string answers[] = {
        http(big),
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n186a1\r\n" + big + "\r\n0\r\n\r\n",
        http(bomb, "Content-Encoding: gzip\r\n"),
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"};
    ASSERT_LT(bomb.size(), 100000u);
    for (const std::string& bytes : answers) {
        Server server(always(bytes));
        HttpRequest request = get(server.url());
        request.max_response_size = 100000;
        const HttpResponse r = fetch(request);
        EXPECT_EQ(r.failure, TransportFailure::TooLarge) << r.failure_text;
        EXPECT_TRUE(r.failure_text.starts_with("The answer is larger than 100000 bytes ("))
            << r.failure_text;
        EXPECT_EQ(r.body.capacity(), std::string().capacity());
        EXPECT_EQ(transport->open_sockets(), 0);
    }
    Server exact(always(http(big.substr(1))));
    HttpRequest request = get(exact.url());
    request.max_response_size = 100000;
    EXPECT_EQ(fetch(request).body.size(), 100000u);
}

TEST_F(CurlHostileTest, RefusedPort) {
    int port = 0;
    close(listen_on_loopback(&port));
    const HttpResponse r = fetch(get("http://127.0.0.1:" + std::to_string(port)));
    EXPECT_EQ(r.failure, TransportFailure::Connect);
    EXPECT_FALSE(r.sent);
    EXPECT_NE(r.failure_text.find("total"), std::string::npos) << r.failure_text;
    EXPECT_EQ(transport->open_sockets(), 0);
}

TEST_F(CurlHostileTest, UnknownHost) {
    HttpRequest request = get("https://no-such-host.invalid");
    request.request_timeout_ms = 3000;
    const Error e = failure(request);
    EXPECT_TRUE(e.kind == ErrorKind::Connect || e.kind == ErrorKind::Timeout) << e.detail;
}

TEST_F(CurlHostileTest, CancelDuringANameLookupDoesNotBlock) {
    for (int i = 0; i < 3; ++i) {
        const TransferId id =
            transport->start(get("https://no-such-host-" + std::to_string(i) + ".invalid"));
        const std::int64_t began = monotonic_clock().now_ms();
        transport->cancel(id);
        EXPECT_LT(monotonic_clock().now_ms() - began, 100);
    }
    EXPECT_EQ(transport->open_sockets(), 0);
}

TEST_F(CurlHostileTest, TlsToAPlainServer) {
    Server server([](Peer& peer) {
        peer.wait();
        peer.send("HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    const HttpResponse r = fetch(get("https" + server.url().substr(4)));
    EXPECT_EQ(r.failure, TransportFailure::Tls);
    EXPECT_FALSE(r.sent); // the greeting of TLS is no request
}

TEST_F(CurlHostileTest, OddRateHeadersAreNoNumbers) {
    Server server(
        always(http("{}",
                    "Retry-After: Wed, 21 Oct 2026 07:28:00 GMT\r\nx-ratelimit-reset: "
                    "\r\nx-ratelimit-limit: 1e9\r\n"
                    "x-ratelimit-remaining: "
                    "99999999999999999999999999\r\nx-daily-ratelimit-token-limit: --1\r\n")));
    const HttpResponse r = fetch(get(server.url()));
    EXPECT_EQ(r.status, 200);
    EXPECT_FALSE(r.retry_after || r.ratelimit_reset || r.ratelimit_limit || r.ratelimit_remaining ||
                 r.daily_limit || r.daily_remaining);
}

TEST_F(CurlHostileTest, ManyHeaders) {
    std::string headers;
    for (int i = 0; i < 1000; ++i)
        headers += "x-filler-" + std::to_string(i) + ": " + std::string(100, 'f') + "\r\n";
    Server server(always(http("{}", headers + "x-ratelimit-reset: 2\r\n")));
    const HttpResponse r = fetch(get(server.url()));
    EXPECT_EQ(r.ratelimit_reset, 2);
    std::string endless;
    for (int i = 0; i < 20000; ++i)
        endless += "x-filler-" + std::to_string(i) + ": " + std::string(100, 'f') + "\r\n";
    Server hostile(always(http("{}", endless)));
    EXPECT_EQ(fetch(get(hostile.url())).failure, TransportFailure::Broken);
}

TEST_F(CurlHostileTest, RequestsThatMustNotStart) {
    const std::string urls[] = {"",
                                "x",
                                "file:///etc/passwd",
                                "ftp://127.0.0.1/x",
                                "http://example.org/x",
                                "https://user:pw@127.0.0.1/"};
    for (const std::string& url : urls)
        EXPECT_THROW(transport->start(get(url)), Error) << url;
    HttpRequest request = get("http://127.0.0.1:1/");
    request.headers = {"x-api-token: a\r\nHost: evil"};
    EXPECT_THROW(transport->start(request), Error);
    std::vector<SocketInterest> sockets;
    std::int64_t timeout = -1;
    transport->interests(&sockets, &timeout);
    EXPECT_TRUE(sockets.empty());
}

} // namespace
} // namespace pipedrive
