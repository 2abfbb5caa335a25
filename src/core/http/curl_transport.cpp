// HTTP through libcurl's multi-socket interface: starts transfers, feeds ready sockets and due
// timers, hands out answers.
//
// libcurl's callbacks are noexcept: they record and return an abort code. Must not know an option
// of a transfer, an entity or what a status means; must not block (name lookups run in libcurl's
// resolver).
#include "core/http/curl_transport.h"

#include <curl/curl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <map>
#include <new>
#include <utility>

#include "core/base/error.h"
#include "core/base/time.h"
#include "core/http/curl_transfer.h"

namespace pipedrive {
namespace {

using detail::Reactor;
using detail::Transfer;
using detail::Watched;

constexpr std::size_t kSpareHandles = 8;
constexpr long kIdleConnections = 8;
constexpr std::int64_t kResolvingPollMs = 100;
// Whoever waits looks again within this time.
constexpr std::int64_t kLookMs = 1000;

[[noreturn]] void refuse(const char* why) {
    throw Error(ErrorKind::Internal, "request", why);
}

// libcurl's resolver thread inherits the mask of the thread that starts it. With every signal
// blocked meanwhile, handlers of the host process keep running on its own thread only.
class BlockedSignals {
  public:
    BlockedSignals() noexcept {
        sigset_t all;
        sigfillset(&all);
        for (const int fatal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP})
            sigdelset(&all, fatal);
        pthread_sigmask(SIG_BLOCK, &all, &before_);
    }
    ~BlockedSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    BlockedSignals(const BlockedSignals&) = delete;
    BlockedSignals& operator=(const BlockedSignals&) = delete;

  private:
    sigset_t before_;
};

extern "C" {

static int pipedrive_on_socket(CURL*, curl_socket_t fd, int what, void* context, void*) noexcept {
    Reactor& r = *static_cast<Reactor*>(context);
    const auto known = std::find_if(r.sockets.begin(), r.sockets.end(),
                                    [&](const Watched& w) { return w.fd == fd; });
    if (what == CURL_POLL_REMOVE || what == CURL_POLL_NONE) {
        if (known != r.sockets.end()) r.sockets.erase(known);
        return 0;
    }
    if (known != r.sockets.end()) {
        known->what = what;
        return 0;
    }
    try {
        r.sockets.push_back({fd, what});
    } catch (...) {
        r.out_of_memory = true;
        return -1;
    }
    return 0;
}

static int pipedrive_on_timer(CURLM*, long timeout_ms, void* context) noexcept {
    static_cast<Reactor*>(context)->timer_due =
        timeout_ms < 0 ? -1 : monotonic_clock().now_ms() + timeout_ms;
    return 0;
}

} // extern "C"

class CurlTransport final : public Transport {
  public:
    CurlTransport() : multi_(open_multi()) {
        curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &pipedrive_on_socket);
        curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, &reactor_);
        curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &pipedrive_on_timer);
        curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, &reactor_);
        curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, kIdleConnections);
        curl_multi_setopt(multi_, CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_NOTHING));
    }

    ~CurlTransport() override {
        for (auto& [id, transfer] : transfers_)
            release(*transfer);
        for (CURL* easy : spare_)
            curl_easy_cleanup(easy);
        curl_multi_cleanup(multi_);
    }

    TransferId start(const HttpRequest& request) override;
    void cancel(TransferId id) noexcept override;
    bool sent(TransferId id) const noexcept override;
    std::optional<HttpResponse> take(TransferId id) override;
    HttpResponse give_up(TransferId id, std::string words) override;
    void pump() override;
    void interests(std::vector<SocketInterest>* sockets, std::int64_t* timeout_ms) override;
    int open_sockets() const noexcept override {
        return static_cast<int>(
            std::count_if(reactor_.opened.begin(), reactor_.opened.end(), detail::still_open));
    }

  private:
    static CURLM* open_multi() {
        // Once a process, never undone: another library may share libcurl.
        static bool initialised = false;
        if (!initialised && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
            throw std::bad_alloc();
        initialised = true;
        CURLM* const multi = curl_multi_init();
        if (multi == nullptr) throw std::bad_alloc();
        return multi;
    }

    CURL* acquire();
    void release(Transfer& t) noexcept;
    void begin(const HttpRequest& request, Transfer& t);
    void act(curl_socket_t fd, int events);
    void run_timers();
    void collect() noexcept;
    void notice_absence() noexcept;

    CURLM* multi_;
    Reactor reactor_;
    std::map<TransferId, std::unique_ptr<Transfer>> transfers_;
    std::vector<CURL*> spare_;
    TransferId last_id_ = 0;
    std::int64_t looked_at_ = monotonic_clock().now_ms();
    // Since then: somebody asked what to wait for.
    bool waiting_ = false;
};

CURL* CurlTransport::acquire() {
    spare_.reserve(kSpareHandles);
    if (!spare_.empty()) {
        CURL* const easy = spare_.back();
        spare_.pop_back();
        return easy;
    }
    CURL* const easy = curl_easy_init();
    if (easy == nullptr) throw std::bad_alloc();
    return easy;
}

// Takes the handle away from a transfer, whatever state it is in. An easy handle that is not in the
// multi is no error.
void CurlTransport::release(Transfer& t) noexcept {
    if (t.easy != nullptr) {
        const BlockedSignals blocked;
        curl_multi_remove_handle(multi_, t.easy);
        curl_easy_reset(t.easy); // before its headers and buffers go
        if (spare_.size() < kSpareHandles && spare_.size() < spare_.capacity()) {
            spare_.push_back(t.easy);
        } else {
            curl_easy_cleanup(t.easy);
        }
        t.easy = nullptr;
    }
    curl_slist_free_all(t.headers);
    t.headers = nullptr;
}

void CurlTransport::begin(const HttpRequest& request, Transfer& t) {
    t.easy = acquire();
    detail::set_up(t, request, reactor_);
    // The callbacks must find room: happy eyeballs and the resolver make a few sockets a transfer.
    reactor_.sockets.reserve(16 +
                             4 * (transfers_.size() + static_cast<std::size_t>(kIdleConnections)));
    if (curl_multi_add_handle(multi_, t.easy) != CURLM_OK) refuse("libcurl refused the transfer");
    run_timers();
}

// libcurl's limit for connecting must not run out while a cursor idles.
void CurlTransport::notice_absence() noexcept {
    const std::int64_t now = monotonic_clock().now_ms();
    const std::int64_t away = now - looked_at_ - (std::exchange(waiting_, false) ? kLookMs : 0);
    looked_at_ = now;
    if (away <= 0) return;
    for (auto& [id, t] : transfers_)
        if (!t->done) detail::move_connect_limit(*t, away);
}

TransferId CurlTransport::start(const HttpRequest& request) {
    notice_absence();
    const TransferId id = ++last_id_;
    Transfer& t = *transfers_.emplace(id, std::make_unique<Transfer>()).first->second;
    try {
        begin(request, t);
    } catch (...) {
        cancel(id);
        throw;
    }
    collect();
    return id;
}

void CurlTransport::cancel(TransferId id) noexcept {
    const auto found = transfers_.find(id);
    if (found == transfers_.end()) return;
    release(*found->second);
    transfers_.erase(found);
}

bool CurlTransport::sent(TransferId id) const noexcept {
    const auto found = transfers_.find(id);
    if (found == transfers_.end()) return false;
    const Transfer& t = *found->second;
    return t.done ? t.response.sent : detail::request_went_out(t);
}

std::optional<HttpResponse> CurlTransport::take(TransferId id) {
    const auto found = transfers_.find(id);
    if (found == transfers_.end() || !found->second->done) return std::nullopt;
    const std::unique_ptr<Transfer> t = std::move(found->second);
    transfers_.erase(found);
    if (t->out_of_memory) throw std::bad_alloc();
    return std::move(t->response);
}

HttpResponse CurlTransport::give_up(TransferId id, std::string words) {
    HttpResponse out;
    out.failure = TransportFailure::Timeout;
    out.failure_text = words;
    const auto found = transfers_.find(id);
    if (found == transfers_.end()) return out;
    Transfer& t = *found->second;
    if (!t.done) {
        t.words[words.copy(t.words, sizeof t.words - 1)] = '\0';
        detail::fill_response(t, CURLE_OPERATION_TIMEDOUT);
    }
    out = std::move(t.response);
    cancel(id);
    return out;
}

// One call into libcurl for a ready socket or (CURL_SOCKET_TIMEOUT) for due timers.
void CurlTransport::act(curl_socket_t fd, int events) {
    const BlockedSignals blocked;
    int running = 0;
    const CURLMcode code = curl_multi_socket_action(multi_, fd, events, &running);
    if (std::exchange(reactor_.out_of_memory, false) || code == CURLM_OUT_OF_MEMORY)
        throw std::bad_alloc();
    if (code != CURLM_OK && code != CURLM_BAD_SOCKET) refuse(curl_multi_strerror(code));
}

void CurlTransport::run_timers() {
    // A timer of 0 ms may follow another; the rest comes with the next pump.
    constexpr int kRounds = 16;
    for (int i = 0; i < kRounds; ++i) {
        if (reactor_.timer_due < 0 || monotonic_clock().now_ms() < reactor_.timer_due) return;
        reactor_.timer_due = -1;
        act(CURL_SOCKET_TIMEOUT, 0);
    }
}

void CurlTransport::collect() noexcept {
    int queued = 0;
    while (const CURLMsg* const message = curl_multi_info_read(multi_, &queued)) {
        if (message->msg != CURLMSG_DONE) continue;
        const CURLcode code = message->data.result;
        char* context = nullptr;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &context);
        Transfer& t = *reinterpret_cast<Transfer*>(context);
        t.done = true;
        if (code == CURLE_OUT_OF_MEMORY) t.out_of_memory = true;
        try {
            detail::fill_response(t, code);
        } catch (...) {
            t.out_of_memory = true;
        }
        release(t);
    }
}

void CurlTransport::pump() {
    notice_absence();
    // Acting on one socket may add or remove others, so the table is copied and looked at again
    // before each.
    std::vector<pollfd> ready;
    ready.reserve(reactor_.sockets.size());
    for (const Watched& w : reactor_.sockets) {
        const int events = ((w.what & CURL_POLL_IN) != 0 ? POLLIN : 0) |
                           ((w.what & CURL_POLL_OUT) != 0 ? POLLOUT : 0);
        ready.push_back({w.fd, static_cast<short>(events), 0});
    }
    if (!ready.empty() && poll(ready.data(), ready.size(), 0) > 0) {
        for (const pollfd& p : ready) {
            const bool watched = std::any_of(reactor_.sockets.begin(), reactor_.sockets.end(),
                                             [&](const Watched& w) { return w.fd == p.fd; });
            if (p.revents == 0 || !watched) continue;
            const int events =
                ((p.revents & (POLLIN | POLLHUP)) != 0 ? CURL_CSELECT_IN : 0) |
                ((p.revents & POLLOUT) != 0 ? CURL_CSELECT_OUT : 0) |
                ((p.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0 ? CURL_CSELECT_ERR : 0);
            act(p.fd, events);
        }
    }
    run_timers();
    collect();
}

void CurlTransport::interests(std::vector<SocketInterest>* sockets, std::int64_t* timeout_ms) {
    const auto lower = [&](std::int64_t ms) {
        ms = std::max<std::int64_t>(ms, 0);
        if (*timeout_ms < 0 || ms < *timeout_ms) *timeout_ms = ms;
    };
    looked_at_ = monotonic_clock().now_ms();
    waiting_ = true;
    for (const Watched& w : reactor_.sockets)
        sockets->push_back({w.fd, (w.what & CURL_POLL_IN) != 0, (w.what & CURL_POLL_OUT) != 0});
    if (reactor_.timer_due >= 0) lower(reactor_.timer_due - monotonic_clock().now_ms());
    for (auto& [id, t] : transfers_) {
        if (t->done) {
            if (!std::exchange(t->announced, true)) lower(0);
            continue;
        }
        curl_off_t looked_up = 0;
        curl_easy_getinfo(t->easy, CURLINFO_NAMELOOKUP_TIME_T, &looked_up);
        if (looked_up == 0) lower(kResolvingPollMs);
    }
}

} // namespace

std::unique_ptr<Transport> make_curl_transport() {
    return std::make_unique<CurlTransport>();
}

const char* curl_version_text() noexcept {
    return curl_version();
}

} // namespace pipedrive
