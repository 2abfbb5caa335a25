// What the core needs of HTTP: start a request, learn what to wait for, take the answer.
//
// Nothing here blocks. The caller waits (glue: WaitEventSet; tests: a fake clock) and calls pump().
// Nothing here has a deadline either: a transfer that nobody looks at for an hour is not late.
// The interface knows no entity, no token cost and no retry; those are http/retry.h and
// http/fetch.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/time.h"

namespace pipedrive {

struct HttpRequest {
    std::string method = "GET";
    // Scheme, host, path and query; never a secret.
    std::string url;
    // "Name: value"; the place for secrets.
    std::vector<std::string> headers;
    // Sent when not empty.
    std::string body;
    // Until the request can go out.
    std::int64_t connect_timeout_ms = 10000;
    // Whole transfer; kept by whoever waits, see Fetch.
    std::int64_t request_timeout_ms = 60000;
    // After decompression, bytes.
    std::size_t max_response_size = 64u << 20;
    // Empty: the system's.
    std::string ca_file;
};

// Why there is no usable answer. None: `status` and `body` are complete.
enum class TransportFailure : std::uint8_t {
    None,
    Resolve,
    Connect,
    Tls,
    Timeout,
    Broken,
    TooLarge
};

struct HttpResponse {
    TransportFailure failure = TransportFailure::None;
    // libcurl's words plus the phase timings; no URL.
    std::string failure_text;
    // False: nothing of the request went out, so it was neither done nor charged.
    bool sent = true;
    int status = 0;
    std::string content_type;
    std::string body;
    // On the wire (compressed), headers not counted.
    std::size_t bytes_received = 0;

    // Headers of section 6.3 of the API facts; absent or not a number: nullopt. Seconds where they
    // are times.
    std::optional<double> retry_after, ratelimit_reset;
    std::optional<std::int64_t> ratelimit_limit, ratelimit_remaining, daily_limit, daily_remaining;
    // The server's own clock.
    std::optional<Micros> date;
};

// Never 0, never used twice.
using TransferId = std::uint64_t;

struct SocketInterest {
    int fd;
    bool read;
    bool write;
};

class Transport {
  public:
    virtual ~Transport() = default;

    // Queues the request and begins it. May throw Error{Connect|Internal} or bad_alloc; then
    // nothing was started.
    virtual TransferId start(const HttpRequest& request) = 0;

    // Ends a transfer whose answer is not wanted (connection closed if it was busy). Unknown ids
    // are ignored.
    virtual void cancel(TransferId id) noexcept = 0;

    // Whether anything of the request has gone out. False for unknown ids.
    virtual bool sent(TransferId id) const noexcept = 0;

    // The answer, once, when the transfer has ended; nullopt while it runs. Redirects are not
    // followed: a 3xx is an answer.
    virtual std::optional<HttpResponse> take(TransferId id) = 0;

    // Ends a transfer that took too long. Its answer, now: a Timeout with these words, the phase
    // timings and what is known of it.
    virtual HttpResponse give_up(TransferId id, std::string words) = 0;

    // Makes progress without blocking: polls every socket it has interest in with a zero timeout
    // and runs due timers.
    virtual void pump() = 0;

    // What to wait for before the next pump(): appends sockets, and lowers *timeout_ms (-1: none)
    // to the next timer, at most 100 ms while a name is being resolved. A transfer that ended since
    // the last call lowers it to 0, once: whoever owns it may not have looked yet.
    virtual void interests(std::vector<SocketInterest>* sockets, std::int64_t* timeout_ms) = 0;

    // Sockets open now, idle ones included: the glue accounts for them with PostgreSQL's fd budget.
    virtual int open_sockets() const noexcept = 0;
};

} // namespace pipedrive
