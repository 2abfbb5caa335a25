// One request carried to its end: sent, waited for, retried, judged. Knows no entity.
//
// Deadlines are kept here, on our own clock, and count only the time that somebody waited: from a
// step() that said Wait to the next one, at most as long as it said. A reader who leaves a page
// under way for an hour finds the answer that has arrived, or waits for the rest of it.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "core/base/time.h"
#include "core/http/gate.h"
#include "core/http/retry.h"
#include "core/http/transport.h"

namespace pipedrive {

// Counters that EXPLAIN ANALYZE and api_usage read. Requests counts every try that was sent.
struct Traffic {
    std::int64_t requests = 0;
    std::int64_t retries = 0;
    // Answers with status 429.
    std::int64_t rate_limited = 0;
    // Spent backing off.
    std::int64_t wait_ms = 0;
    // Cost of every try, booked when it is sent, as the API charges what it receives, whether or
    // not the answer is still wanted or arrives. Taken back on 401, 429 and 5xx, and where nothing
    // of the request went out.
    std::int64_t tokens = 0;
    // On the wire.
    std::int64_t bytes = 0;

    void add(const Traffic& other) noexcept {
        requests += other.requests;
        retries += other.retries;
        rate_limited += other.rate_limited;
        wait_ms += other.wait_ms;
        tokens += other.tokens;
        bytes += other.bytes;
    }
};

// What step() of anything in the core says.
enum class Progress : std::uint8_t { Ready, Wait };

// Why and how long to wait. timeout_ms -1: no limit but the sockets.
struct WaitFor {
    std::vector<SocketInterest> sockets;
    std::int64_t timeout_ms = -1;
};

class Fetch {
  public:
    Fetch(Transport& transport, Clock& clock, RetryLimits limits, Traffic& traffic, Gate gate = {});
    // Cancels what is under way; never throws.
    ~Fetch();
    Fetch(const Fetch&) = delete;
    Fetch& operator=(const Fetch&) = delete;

    // Begins. `subject` is the entity for errors, `tokens` the documented cost. An earlier request
    // must have been taken or dropped. Its headers are completed by the authorizer with each send.
    // Throws Error{Budget} before anything is sent, as step() does before it sends again.
    void start(HttpRequest request, std::string subject, int tokens);

    // Moves on without blocking. Ready: take() has the body. Wait: *wait says for what (appended,
    // timeouts lowered, to a second at most: who waits looks once a second). Sockets of the
    // transport are merged by file descriptor, so that several fetches can fill one WaitFor. A POST
    // that may have been carried out (5xx, time-out, broken transfer) is never sent again; only 429
    // and failed connects are. Throws Error when the verdict is Fail or when tries or max_wait are
    // used up (kind of the last verdict; detail: evidence, plus "Waited n s over m attempts." when
    // there was more than one).
    Progress step(WaitFor* wait);

    // After Ready, once.
    HttpResponse take();
    // Cancels, which gives no token back; the object can start again.
    void drop() noexcept;
    bool idle() const noexcept;

  private:
    enum class State : std::uint8_t { Idle, Queued, InFlight, BackingOff, Done };
    void send();
    bool admitted();
    // Of the try under way, as far as it has come.
    std::int64_t limit() const noexcept;
    void watch(WaitFor* wait);
    // Judges the answer of one try.
    Progress conclude(HttpResponse response, WaitFor* wait);

    Transport& transport_;
    Clock& clock_;
    RetryLimits limits_;
    Traffic& traffic_;
    Gate gate_;
    State state_ = State::Idle;
    HttpRequest request_;
    std::string subject_;
    int tokens_ = 0;
    int attempt_ = 0;
    std::int64_t waited_ms_ = 0;
    std::int64_t resume_at_ = 0;
    TransferId transfer_ = 0;
    // When step() was called last.
    std::int64_t looked_at_ = 0;
    // What it told to wait at most.
    std::int64_t promised_ms_ = 0;
    // Waited for this try.
    std::int64_t spent_ms_ = 0;
    std::optional<HttpResponse> response_;
    std::minstd_rand random_;
};

} // namespace pipedrive
