// Stand-ins for time and the network, shared by all unit tests.
//
//     FakeClock clock;
//     ScriptedTransport api(clock);
//     api.on("GET", "/api/v2/deals", reply(R"({"success":true,"data":[]})"));   // every time,
//     newest rule first api.queue(reply("", 503));                                             //
//     once, before any rule, whatever is asked api.queue("GET", "/api/v2/deals",
//     reply(...).after_ms(40));               // once, in order, for this path only api.on("GET",
//     "/api/v2/persons", [](const HttpRequest& r) { return reply(page(query_value(r.url,
//     "cursor"))); });
//     ...
//     drive(fetch, clock);                     // steps until Ready; the fake clock jumps over
//     every wait EXPECT_EQ(api.requests().size(), 2u);    // everything that was sent, in order
//
// An answer is given at once unless the reply says after_ms(n) (fake time) or after_pumps(n). A
// reply that hang()s never comes; unsent(), it does not even connect. A request that nothing
// matches makes start() throw Error{Internal}.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/base/time.h"
#include "core/http/fetch.h"
#include "core/http/transport.h"

namespace pipedrive::test {

// Time that moves only when told to.
class FakeClock final : public Clock {
  public:
    std::int64_t now_ms() noexcept override { return now_; }
    void advance(std::int64_t ms) noexcept { now_ += ms; }

  private:
    std::int64_t now_ = 1000000;
};

// One canned answer and when it comes.
struct Reply {
    HttpResponse response;
    std::int64_t delay_ms = 0;
    int delay_pumps = 0;
    bool hangs = false;

    Reply after_ms(std::int64_t ms) && { return delay_ms = ms, std::move(*this); }
    Reply after_pumps(int n) && { return delay_pumps = n, std::move(*this); }
    Reply unsent() && { return response.sent = false, std::move(*this); }
    Reply hang() && { return hangs = true, std::move(*this); }
    Reply type(std::string content_type) && {
        return response.content_type = std::move(content_type), std::move(*this);
    }
    Reply retry_after(double s) && { return response.retry_after = s, std::move(*this); }
    Reply reset(double s) && { return response.ratelimit_reset = s, std::move(*this); }
    Reply limit(std::int64_t n) && { return response.ratelimit_limit = n, std::move(*this); }
    Reply remaining(std::int64_t n) && {
        return response.ratelimit_remaining = n, std::move(*this);
    }
    Reply daily(std::int64_t left, std::int64_t of) && {
        response.daily_remaining = left;
        response.daily_limit = of;
        return std::move(*this);
    }
};

inline Reply reply(std::string body, int status = 200) {
    Reply out;
    out.response.status = status;
    out.response.content_type = "application/json";
    out.response.bytes_received = body.size();
    out.response.body = std::move(body);
    return out;
}

// A transfer that breaks: reply_failure(TransportFailure::Broken, "Connection reset by peer").
inline Reply reply_failure(TransportFailure failure, std::string text = "scripted failure") {
    Reply out;
    out.response.failure = failure;
    out.response.sent = failure != TransportFailure::Resolve &&
                        failure != TransportFailure::Connect && failure != TransportFailure::Tls;
    out.response.failure_text = std::move(text);
    return out;
}

// "https://host/api/v2/deals?x=1" -> "/api/v2/deals?x=1"
inline std::string path_of(std::string_view url) {
    const std::size_t scheme = url.find("://");
    const std::size_t slash = url.find('/', scheme == url.npos ? 0 : scheme + 3);
    return slash == url.npos ? "/" : std::string(url.substr(slash));
}

// The decoded value of a query parameter, or nullopt when the URL does not have it.
inline std::optional<std::string> query_value(std::string_view url, std::string_view name) {
    const auto hex = [](char c) { return c <= '9' ? c - '0' : (c | 32) - 'a' + 10; };
    std::size_t at = url.find('?');
    while (at != url.npos && ++at <= url.size()) {
        const std::size_t end = std::min(url.find('&', at), url.size());
        const std::string_view pair = url.substr(at, end - at);
        at = end == url.size() ? url.npos : end;
        const std::size_t equals = std::min(pair.find('='), pair.size());
        if (pair.substr(0, equals) != name) continue;
        std::string value;
        for (std::size_t i = equals + 1; i < pair.size(); ++i) {
            if (pair[i] == '%' && i + 2 < pair.size()) {
                value.push_back(static_cast<char>(hex(pair[i + 1]) * 16 + hex(pair[i + 2])));
                i += 2;
            } else {
                value.push_back(pair[i] == '+' ? ' ' : pair[i]);
            }
        }
        return value;
    }
    return std::nullopt;
}

class ScriptedTransport final : public Transport {
  public:
    using Handler = std::function<Reply(const HttpRequest&)>;

    explicit ScriptedTransport(FakeClock& clock) : clock_(clock) {}

    // A standing rule; of several that match, the one added last answers. method "" matches any.
    void on(std::string method, std::string path_prefix, Handler handler) {
        rules_.push_back({std::move(method), std::move(path_prefix), std::move(handler), false});
    }
    void on(std::string method, std::string path_prefix, Reply answer) {
        on(std::move(method), std::move(path_prefix),
           [answer](const HttpRequest&) { return answer; });
    }

    // One answer for one request; queued answers go first, in the order in which they were queued.
    void queue(std::string method, std::string path_prefix, Reply answer) {
        queue_.push_back({std::move(method), std::move(path_prefix),
                          [answer](const HttpRequest&) { return answer; }, true});
    }
    void queue(Reply answer) { queue("", "", std::move(answer)); }

    const std::vector<HttpRequest>& requests() const noexcept { return requests_; }
    // Method left out: "/api/v2/deals?limit=500"
    std::vector<std::string> paths() const {
        std::vector<std::string> out;
        for (const HttpRequest& r : requests_)
            out.push_back(path_of(r.url));
        return out;
    }
    // Answers nobody asked for yet.
    std::size_t queued() const noexcept { return queue_.size(); }
    // Started, neither taken nor cancelled.
    std::size_t running() const noexcept { return transfers_.size(); }
    // The highest number at one time.
    std::size_t most_running() const noexcept { return most_running_; }
    int cancelled() const noexcept { return cancelled_; }
    int pumps() const noexcept { return pumps_; }

    TransferId start(const HttpRequest& request) override {
        Reply answer = answer_for(request);
        requests_.push_back(request);
        Running r{std::move(answer), 0, pumps_, false};
        r.due_ms = clock_.now_ms() + r.reply.delay_ms;
        transfers_.emplace(++last_id_, std::move(r));
        most_running_ = std::max(most_running_, transfers_.size());
        return last_id_;
    }

    void cancel(TransferId id) noexcept override {
        cancelled_ += static_cast<int>(transfers_.erase(id));
    }

    bool sent(TransferId id) const noexcept override {
        const auto found = transfers_.find(id);
        return found != transfers_.end() && found->second.reply.response.sent;
    }

    std::optional<HttpResponse> take(TransferId id) override {
        const auto found = transfers_.find(id);
        if (found == transfers_.end() || !arrived(found->second)) return std::nullopt;
        HttpResponse out = std::move(found->second.reply.response);
        transfers_.erase(found);
        return out;
    }

    HttpResponse give_up(TransferId id, std::string words) override {
        HttpResponse out;
        out.failure = TransportFailure::Timeout;
        out.failure_text = std::move(words);
        out.sent = sent(id);
        transfers_.erase(id);
        return out;
    }

    void pump() override { ++pumps_; }

    // A transfer that waits for time lowers the time-out; one that waits for pumps shows a socket
    // that is always ready (its number means nothing) and a time-out of 0; one that has arrived
    // lowers it to 0 once.
    void interests(std::vector<SocketInterest>* sockets, std::int64_t* timeout_ms) override {
        const auto lower = [&](std::int64_t ms) {
            if (*timeout_ms < 0 || ms < *timeout_ms) *timeout_ms = std::max<std::int64_t>(ms, 0);
        };
        for (auto& [id, r] : transfers_) {
            if (arrived(r)) {
                if (!std::exchange(r.announced, true)) lower(0);
                continue;
            }
            sockets->push_back({static_cast<int>(100000 + id), true, false});
            if (!r.reply.hangs) lower(r.due_ms - clock_.now_ms());
        }
    }

    int open_sockets() const noexcept override { return static_cast<int>(transfers_.size()); }

  private:
    struct Rule {
        std::string method;
        std::string prefix;
        Handler handler;
        bool once;
    };
    struct Running {
        Reply reply;
        std::int64_t due_ms;
        int started_at_pump;
        bool announced;
    };

    static bool matches(const Rule& rule, const HttpRequest& request) {
        return (rule.method.empty() || rule.method == request.method) &&
               path_of(request.url).starts_with(rule.prefix);
    }

    bool arrived(const Running& r) const noexcept {
        return !r.reply.hangs && clock_.now_ms() >= r.due_ms &&
               pumps_ - r.started_at_pump >= r.reply.delay_pumps;
    }

    Reply answer_for(const HttpRequest& request) {
        for (auto rule = queue_.begin(); rule != queue_.end(); ++rule) {
            if (!matches(*rule, request)) continue;
            const Handler handler = std::move(rule->handler);
            queue_.erase(rule);
            return handler(request);
        }
        for (auto rule = rules_.rbegin(); rule != rules_.rend(); ++rule)
            if (matches(*rule, request)) return rule->handler(request);
        throw Error(ErrorKind::Internal, "ScriptedTransport",
                    "nothing answers " + request.method + " " + path_of(request.url));
    }

    FakeClock& clock_;
    std::deque<Rule> queue_;
    std::vector<Rule> rules_;
    std::map<TransferId, Running> transfers_;
    std::vector<HttpRequest> requests_;
    TransferId last_id_ = 0;
    std::size_t most_running_ = 0;
    int cancelled_ = 0;
    int pumps_ = 0;
};

// Steps anything with `Progress step(WaitFor*)` until it is Ready, jumping over every wait. Fails
// the test by throwing when it waits for nothing at all or takes more than max_steps. Returns the
// fake milliseconds that went by.
template <class Steppable>
std::int64_t drive(Steppable& thing, FakeClock& clock, int max_steps = 100000) {
    const std::int64_t began = clock.now_ms();
    for (int i = 0; i < max_steps; ++i) {
        WaitFor wait;
        if (thing.step(&wait) == Progress::Ready) return clock.now_ms() - began;
        if (wait.timeout_ms < 0 && wait.sockets.empty())
            throw std::runtime_error("drive: waits for nothing");
        clock.advance(std::max<std::int64_t>(wait.timeout_ms, 0));
    }
    throw std::runtime_error("drive: too many steps");
}

} // namespace pipedrive::test
