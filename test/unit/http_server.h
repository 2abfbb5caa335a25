// A small HTTP server on loopback for tests of the real transport: it answers exactly what a test
// scripts, byte by byte.
//
//     Server server(always(http("{}")));                       // the same answer to every request
//     Server server([](Peer& peer) { peer.request(); peer.send("HTTP/1.1 200"); peer.reset(); });
//
// CurlTest is the fixture: a fresh transport, and waits like those of the glue.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/base/time.h"
#include "core/http/curl_transport.h"
#include "core/http/fetch.h"

namespace pipedrive::test {

inline int listen_on_loopback(int* port) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(fd, 64), 0);
    getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    *port = ntohs(address.sin_port);
    return fd;
}

// One accepted connection, as the script sees it.
class Peer {
  public:
    Peer(int fd, const std::atomic<bool>& stopping) : fd_(fd), stopping_(stopping) {}
    ~Peer() { close(fd_); }
    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;

    // Reads one request with its body; "" when the other side closed or the test is over.
    std::string request() {
        std::string text;
        for (;;) {
            const std::size_t end = text.find("\r\n\r\n");
            if (end != text.npos && text.size() >= end + 4 + content_length(text)) return text;
            char buffer[65536];
            if (!wait()) return {};
            const ssize_t n = recv(fd_, buffer, sizeof buffer, 0);
            if (n <= 0) return {};
            text.append(buffer, static_cast<std::size_t>(n));
        }
    }
    bool send(std::string_view bytes) {
        while (!bytes.empty() && !stopping_) {
            const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
            if (n < 0 && errno != EAGAIN) return false;
            if (n < 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
            if (n > 0) bytes.remove_prefix(static_cast<std::size_t>(n));
        }
        return bytes.empty();
    }
    void reset() {
        const linger now{1, 0};
        setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    }
    void no_delay() {
        const int on = 1;
        setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    void pause(int ms) {
        for (int i = 0; i < ms && !stopping_; ++i)
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    // Until readable.
    bool wait() {
        while (!stopping_) {
            pollfd p{fd_, POLLIN, 0};
            if (poll(&p, 1, 10) > 0) return true;
        }
        return false;
    }
    bool stopping() const { return stopping_; }

  private:
    static std::size_t content_length(const std::string& text) {
        const std::size_t at = text.find("Content-Length: ");
        return at == text.npos ? 0 : std::stoul(text.substr(at + 16));
    }
    int fd_;
    const std::atomic<bool>& stopping_;
};

// Accepts connections, each of which runs the script on a thread of its own.
class Server {
  public:
    using Script = std::function<void(Peer&)>;

    explicit Server(Script script)
        : script_(std::move(script)), fd_(listen_on_loopback(&port_)), thread_([this] { run(); }) {}
    ~Server() {
        stopping_ = true;
        thread_.join();
        for (std::thread& t : peers_)
            t.join();
        close(fd_);
    }
    std::string url(const std::string& path = "/") const {
        return "http://127.0.0.1:" + std::to_string(port_) + path;
    }
    int connections() const { return connections_; }

  private:
    void run() {
        while (!stopping_) {
            pollfd p{fd_, POLLIN, 0};
            if (poll(&p, 1, 10) <= 0) continue;
            const int fd = accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
            if (fd < 0) continue;
            ++connections_;
            peers_.emplace_back([this, fd] {
                Peer peer(fd, stopping_);
                script_(peer);
            });
        }
    }
    Script script_;
    int port_ = 0;
    int fd_;
    std::atomic<bool> stopping_{false};
    std::atomic<int> connections_{0};
    std::vector<std::thread> peers_;
    std::thread thread_;
};

inline std::string http(const std::string& body, const std::string& headers = "",
                        const std::string& status = "200 OK") {
    return "HTTP/1.1 " + status + "\r\nContent-Type: application/json\r\n" + headers +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

// Answers every request of every connection with the same bytes.
inline Server::Script always(std::string bytes) {
    return [bytes = std::move(bytes)](Peer& peer) {
        while (!peer.request().empty())
            peer.send(bytes);
    };
}

inline std::string gzip(const std::string& text) {
    z_stream z{};
    EXPECT_EQ(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    std::string out(deflateBound(&z, text.size()) + 64, '\0');
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    z.avail_in = static_cast<uInt>(text.size());
    z.next_out = reinterpret_cast<Bytef*>(out.data());
    z.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(deflate(&z, Z_FINISH), Z_STREAM_END);
    out.resize(z.total_out);
    deflateEnd(&z);
    return out;
}

struct CurlTest : ::testing::Test {
    std::unique_ptr<Transport> transport = make_curl_transport();

    static HttpRequest get(std::string url) {
        HttpRequest r;
        r.url = std::move(url);
        r.request_timeout_ms = 5000;
        return r;
    }
    // Waits as the glue would: only for what interests() says.
    void wait_once() {
        std::vector<SocketInterest> sockets;
        std::int64_t timeout = -1;
        transport->interests(&sockets, &timeout);
        ASSERT_TRUE(timeout >= 0 || !sockets.empty()) << "waits for nothing";
        std::vector<pollfd> fds;
        for (const SocketInterest& s : sockets) {
            for (const pollfd& known : fds)
                ASSERT_NE(known.fd, s.fd);
            fds.push_back(
                {s.fd, static_cast<short>((s.read ? POLLIN : 0) | (s.write ? POLLOUT : 0)), 0});
        }
        poll(fds.data(), fds.size(), timeout < 0 ? 10000 : static_cast<int>(timeout));
        transport->pump();
    }
    HttpResponse finish(TransferId id) {
        const std::int64_t give_up = monotonic_clock().now_ms() + 10000;
        while (monotonic_clock().now_ms() < give_up) {
            if (std::optional<HttpResponse> r = transport->take(id)) return std::move(*r);
            wait_once();
        }
        ADD_FAILURE() << "the transfer did not end";
        return {};
    }
    HttpResponse fetch(const HttpRequest& request) { return finish(transport->start(request)); }
    // Carries a fetch to its answer, waiting as the glue does. Throws what it ends with.
    static HttpResponse carry(Fetch& fetch) {
        for (int i = 0; i < 100000; ++i) {
            WaitFor wait;
            if (fetch.step(&wait) == Progress::Ready) return fetch.take();
            std::vector<pollfd> fds;
            for (const SocketInterest& s : wait.sockets)
                fds.push_back(
                    {s.fd, static_cast<short>((s.read ? POLLIN : 0) | (s.write ? POLLOUT : 0)), 0});
            poll(fds.data(), fds.size(), static_cast<int>(wait.timeout_ms));
        }
        throw std::runtime_error("the fetch did not end");
    }
    // The error of one try, without retries.
    Error failure(HttpRequest request, Traffic* traffic = nullptr) {
        Traffic own;
        Fetch fetch(*transport, monotonic_clock(), RetryLimits{0, 0},
                    traffic == nullptr ? own : *traffic);
        fetch.start(std::move(request), "deals", 10);
        try {
            carry(fetch);
        } catch (const Error& error) {
            return error;
        }
        ADD_FAILURE() << "no error";
        return Error(ErrorKind::Internal, "");
    }
    void pump_for(int ms) {
        const std::int64_t end = monotonic_clock().now_ms() + ms;
        while (monotonic_clock().now_ms() < end) {
            transport->pump();
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
    }
};

} // namespace pipedrive::test
