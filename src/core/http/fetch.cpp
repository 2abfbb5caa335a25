// One request from start to verdict: a small state machine over a transport and a clock.
// Never waits, never reads a body; which answer means what is the retry table's business.
#include "core/http/fetch.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "core/base/error.h"

namespace pipedrive {
namespace {

void lower_timeout(WaitFor* wait, std::int64_t ms) noexcept {
    ms = std::max<std::int64_t>(ms, 0);
    if (wait->timeout_ms < 0 || ms < wait->timeout_ms) wait->timeout_ms = ms;
}

// Several fetches share one transport, which tells each of them about all of its sockets; a file
// descriptor may be waited for only once.
void merge_interests(Transport& transport, WaitFor* wait) {
    std::vector<SocketInterest> found;
    std::int64_t timeout_ms = -1;
    transport.interests(&found, &timeout_ms);
    for (const SocketInterest& one : found) {
        const auto same =
            std::find_if(wait->sockets.begin(), wait->sockets.end(),
                         [&](const SocketInterest& known) { return known.fd == one.fd; });
        if (same == wait->sockets.end()) {
            wait->sockets.push_back(one);
        } else {
            same->read = same->read || one.read;
            same->write = same->write || one.write;
        }
    }
    if (timeout_ms >= 0) lower_timeout(wait, timeout_ms);
}

// A POST that may have been carried out must not be sent again: it would create a second row.
bool may_repeat(const HttpRequest& request, const HttpResponse& response) noexcept {
    return request.method != "POST" || response.status == 429 || !response.sent;
}

// A transfer that broke off or timed out may have been answered, and charged.
bool costs_tokens(const HttpResponse& response) noexcept {
    if (response.failure != TransportFailure::None) return response.sent;
    return response.status != 401 && response.status != 429 && response.status < 500;
}

// "2 s", "2.5 s"
std::string seconds(std::int64_t ms) {
    std::string out = std::to_string(ms / 1000);
    if (const std::int64_t tenths = ms % 1000 / 100; tenths != 0)
        out += "." + std::to_string(tenths);
    return out + " s";
}

} // namespace

Fetch::Fetch(Transport& transport, Clock& clock, RetryLimits limits, Traffic& traffic, Gate gate)
    : transport_(transport),
      clock_(clock),
      limits_(limits),
      traffic_(traffic),
      gate_(gate),
      random_(
          static_cast<std::uint_fast32_t>(static_cast<std::uint64_t>(clock.now_ms()) * 2654435761u ^
                                          reinterpret_cast<std::uintptr_t>(this))) {}

Fetch::~Fetch() {
    drop();
}

void Fetch::start(HttpRequest request, std::string subject, int tokens) {
    if (state_ != State::Idle)
        throw Error(ErrorKind::Internal, std::move(subject), "a fetch was started twice");
    request_ = std::move(request);
    subject_ = std::move(subject);
    tokens_ = tokens;
    attempt_ = 1;
    waited_ms_ = 0;
    response_.reset();
    send();
}

// Whether the limiter lets the request go now; else it is asked again when it said.
bool Fetch::admitted() {
    const std::int64_t wait_ms = gate_.limiter == nullptr ? 0 : gate_.limiter->admit(tokens_);
    if (wait_ms <= 0) return true;
    state_ = State::Queued;
    resume_at_ = clock_.now_ms() + wait_ms;
    return false;
}

// One try, now or when the limiter allows it. Throws like Transport::start, or where the budget
// does not allow it; then nothing is booked.
void Fetch::send() {
    if (gate_.budget != nullptr) gate_.budget->check(tokens_, subject_);
    if (!admitted()) return;
    HttpRequest request = request_;
    if (gate_.authorizer != nullptr)
        for (std::string& header : gate_.authorizer->headers())
            request.headers.push_back(std::move(header));
    transfer_ = transport_.start(request);
    state_ = State::InFlight;
    ++traffic_.requests;
    traffic_.tokens += tokens_;
    if (gate_.budget != nullptr) gate_.budget->book(tokens_);
    spent_ms_ = promised_ms_ = 0;
}

std::int64_t Fetch::limit() const noexcept {
    return transport_.sent(transfer_)
               ? request_.request_timeout_ms
               : std::min(request_.connect_timeout_ms, request_.request_timeout_ms);
}

// Says what to wait for, and remembers for how long.
void Fetch::watch(WaitFor* wait) {
    constexpr std::int64_t kLookMs = 1000;
    looked_at_ = clock_.now_ms();
    promised_ms_ = std::clamp<std::int64_t>(limit() - spent_ms_, 1, kLookMs);
    if (wait == nullptr) return;
    merge_interests(transport_, wait);
    lower_timeout(wait, promised_ms_);
}

Progress Fetch::step(WaitFor* wait) {
    if (state_ == State::Idle)
        throw Error(ErrorKind::Internal, subject_, "a fetch was stepped before it was started");
    if (state_ == State::Done) return Progress::Ready;

    if (state_ == State::BackingOff || state_ == State::Queued) {
        const std::int64_t left = resume_at_ - clock_.now_ms();
        if (left <= 0) {
            if (state_ == State::BackingOff) {
                ++attempt_;
                ++traffic_.retries;
            }
            state_ = State::Idle; // should start() throw
            send();
        }
        if (state_ != State::InFlight) {
            if (wait != nullptr) lower_timeout(wait, resume_at_ - clock_.now_ms());
            return Progress::Wait;
        }
    }

    spent_ms_ += std::min(clock_.now_ms() - looked_at_, std::exchange(promised_ms_, 0));
    std::optional<HttpResponse> response = transport_.take(transfer_);
    if (!response) {
        transport_.pump();
        response = transport_.take(transfer_);
    }
    if (!response && spent_ms_ >= limit())
        response = transport_.give_up(
            transfer_, "Timed out after " + std::to_string(spent_ms_) + " ms without " +
                           (transport_.sent(transfer_) ? "a complete answer" : "a connection"));
    if (!response) {
        watch(wait);
        return Progress::Wait;
    }
    return conclude(std::move(*response), wait);
}

Progress Fetch::conclude(HttpResponse response, WaitFor* wait) {
    state_ = State::Idle; // should anything below throw
    transfer_ = 0;
    const double jitter = std::uniform_real_distribution<double>(0.0, 1.0)(random_);
    Verdict verdict = judge(response, attempt_, jitter);
    traffic_.bytes += static_cast<std::int64_t>(response.bytes_received);
    if (verdict.rate_limited) ++traffic_.rate_limited;
    if (!costs_tokens(response)) {
        traffic_.tokens -= tokens_;
        if (gate_.budget != nullptr) gate_.budget->take_back(tokens_);
    }

    if (verdict.action == Action::Accept) {
        response_ = std::move(response);
        state_ = State::Done;
        return Progress::Ready;
    }
    const bool again = verdict.action == Action::Retry && may_repeat(request_, response) &&
                       attempt_ <= limits_.max_retries &&
                       waited_ms_ + verdict.wait_ms <= limits_.max_wait_ms;
    if (!again) {
        std::string detail = std::move(verdict.evidence);
        if (attempt_ > 1 && !detail.empty() && detail.back() != '.') detail += '.';
        if (attempt_ > 1)
            detail += " Waited " + seconds(waited_ms_) + " over " + std::to_string(attempt_) +
                      " attempts.";
        throw Error(verdict.kind, subject_, std::move(detail));
    }
    waited_ms_ += verdict.wait_ms;
    traffic_.wait_ms += verdict.wait_ms;
    resume_at_ = clock_.now_ms() + verdict.wait_ms;
    state_ = State::BackingOff;
    if (wait != nullptr) lower_timeout(wait, verdict.wait_ms);
    return Progress::Wait;
}

HttpResponse Fetch::take() {
    if (state_ != State::Done || !response_)
        throw Error(ErrorKind::Internal, subject_, "no answer to take");
    HttpResponse out = std::move(*response_);
    response_.reset();
    state_ = State::Idle;
    return out;
}

void Fetch::drop() noexcept {
    if (state_ == State::InFlight) {
        if (!transport_.sent(transfer_)) traffic_.tokens -= tokens_;
        transport_.cancel(transfer_);
    }
    response_.reset();
    transfer_ = 0;
    state_ = State::Idle;
}

bool Fetch::idle() const noexcept {
    return state_ == State::Idle;
}

} // namespace pipedrive
