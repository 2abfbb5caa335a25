// The retry table: which answer means what. Rows, then the little code that reads them.
// Knows no entity, no clock and no JSON library; an error text is found by a small scan.
#include "core/http/retry.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>

#include "core/base/text.h"

namespace pipedrive {
namespace {

enum Body : unsigned { kEmpty = 1, kJson = 2, kHtml = 4, kText = 8, kDaily = 16, kAny = 31 };
enum class Pause : std::uint8_t { None, Backoff, Reset };

struct Row {
    int first;
    int last;
    // One or more of Body.
    unsigned body;
    Action action;
    ErrorKind kind;
    Pause pause;
};

// The first row that fits decides. Empty: no body, white space or "null". Html: a page of whoever
// stands before the API, or its JSON: never Pipedrive's own word on token, permission or budget.
// Daily: Pipedrive says that the daily budget is used up.
constexpr Row kRows[] = {
    {200, 200, kEmpty, Action::Retry, ErrorKind::Malformed, Pause::Backoff},
    {200, 200, kHtml | kText, Action::Fail, ErrorKind::Malformed, Pause::None},
    {200, 299, kAny, Action::Accept, ErrorKind::Internal, Pause::None},
    {300, 399, kAny, Action::Fail, ErrorKind::Malformed, Pause::None},
    {401, 402, kHtml, Action::Fail, ErrorKind::Blocked, Pause::None},
    {401, 401, kAny, Action::Fail, ErrorKind::Unauthorized, Pause::None},
    {402, 402, kAny, Action::Fail, ErrorKind::PaymentRequired, Pause::None},
    {403, 403, kJson, Action::Fail, ErrorKind::Forbidden, Pause::None},
    {403, 403, kAny, Action::Fail, ErrorKind::Blocked, Pause::None},
    {404, 405, kAny, Action::Fail, ErrorKind::NotFound, Pause::None},
    {408, 408, kAny, Action::Retry, ErrorKind::Unavailable, Pause::Backoff},
    {410, 410, kAny, Action::Fail, ErrorKind::NotFound, Pause::None},
    {429, 429, kDaily, Action::Fail, ErrorKind::DailyBudget, Pause::None},
    {429, 429, kAny, Action::Retry, ErrorKind::RateLimited, Pause::Reset},
    {400, 499, kAny, Action::Fail, ErrorKind::BadRequest, Pause::None},
    {501, 501, kAny, Action::Fail, ErrorKind::Unavailable, Pause::None},
    {500, 599, kAny, Action::Retry, ErrorKind::Unavailable, Pause::Backoff},
    {0, 9999, kAny, Action::Fail, ErrorKind::Malformed, Pause::None},
};

struct FailureRow {
    TransportFailure failure;
    Action action;
    ErrorKind kind;
};

constexpr FailureRow kFailures[] = {
    {TransportFailure::Resolve, Action::Retry, ErrorKind::Connect},
    {TransportFailure::Connect, Action::Retry, ErrorKind::Connect},
    {TransportFailure::Tls, Action::Fail, ErrorKind::Transport},
    {TransportFailure::Timeout, Action::Retry, ErrorKind::Timeout},
    {TransportFailure::Broken, Action::Retry, ErrorKind::Transport},
    {TransportFailure::TooLarge, Action::Fail, ErrorKind::TooLarge},
};

constexpr std::int64_t kFirstBackoffMs = 500;
constexpr std::int64_t kLongestPauseMs = 30000;
constexpr double kLongestRetryAfterSeconds = 86400.0;
constexpr double kDefaultResetSeconds = 2.0;
constexpr double kDailyRetryAfterSeconds = 10.0;
constexpr double kResetJitterMs = 250.0;

constexpr std::string_view kBlanks = " \t\r\n";

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool contains_folded(std::string_view text, std::string_view lower_case_word) noexcept {
    const auto same = [](char a, char b) { return lower(a) == b; };
    return std::search(text.begin(), text.end(), lower_case_word.begin(), lower_case_word.end(),
                       same) != text.end();
}

std::string_view trim(std::string_view s) noexcept {
    const std::size_t first = s.find_first_not_of(kBlanks);
    if (first == s.npos) return {};
    return s.substr(first, s.find_last_not_of(kBlanks) - first + 1);
}

// The start of an error body, where its words are; never search megabytes.
std::string_view opening(const HttpResponse& r) noexcept {
    return std::string_view(r.body).substr(0, 4096);
}

// A page of HTML, or the JSON that Cloudflare sends in place of one (RFC 9457).
bool from_gateway(const HttpResponse& r, std::size_t start) noexcept {
    return r.body[start] == '<' || contains_folded(r.content_type, "html") ||
           contains_folded(r.content_type, "problem+json") ||
           (r.status >= 400 && contains_folded(opening(r), "\"cloudflare_error\""));
}

// The text decides. Without one of the known texts what remains of the day does; without that
// Retry-After, and only beside JSON of Pipedrive's shape, as a gateway sends it too.
bool says_daily(const HttpResponse& r, bool json) noexcept {
    if (contains_folded(opening(r), "daily request budget")) return true;
    if (contains_folded(opening(r), "request over limit")) return false;
    if (r.daily_remaining) return *r.daily_remaining <= 0;
    return json && contains_folded(opening(r), "\"success\"") && r.retry_after &&
           *r.retry_after > kDailyRetryAfterSeconds;
}

Body body_of(const HttpResponse& r) noexcept {
    const std::size_t start = r.body.find_first_not_of(kBlanks);
    const bool empty =
        start == r.body.npos || (r.body.size() - start < 64 && trim(r.body) == "null");
    if (!empty && from_gateway(r, start)) return kHtml;
    const bool json = !empty && looks_like_json(r.body);
    if (r.status == 429 && says_daily(r, json)) return kDaily;
    return empty ? kEmpty : json ? kJson : kText;
}

// Four hex digits at s[at]; nullopt when they are not.
std::optional<char32_t> hex4(std::string_view s, std::size_t at) noexcept {
    if (s.size() < at + 4) return std::nullopt;
    char32_t value = 0;
    for (std::size_t i = at; i < at + 4; ++i) {
        const char c = lower(s[i]);
        const bool letter = c >= 'a' && c <= 'f';
        if (!letter && (c < '0' || c > '9')) return std::nullopt;
        value = value * 16 + static_cast<char32_t>(letter ? c - 'a' + 10 : c - '0');
    }
    return value;
}

// The inside of a JSON string that begins at s[at], as far as it is needed; unknown escapes stay as
// they are.
std::string unescape(std::string_view s, std::size_t at) {
    constexpr std::size_t kEnough = 1024;
    std::string out;
    while (at < s.size() && s[at] != '"' && out.size() < kEnough) {
        if (s[at] != '\\' || at + 1 >= s.size()) {
            out.push_back(s[at++]);
            continue;
        }
        const char escaped = s[at + 1];
        at += 2;
        if (escaped == 'u') {
            const std::optional<char32_t> unit = hex4(s, at);
            utf8_append(out, unit.value_or(0xFFFD)); // half a surrogate pair becomes U+FFFD too
            at += unit ? 4 : 0;
        } else {
            out.push_back(escaped == 'n' || escaped == 't' || escaped == 'r' ? ' ' : escaped);
        }
    }
    return out;
}

// The text of "key": "..." in a JSON body, "" when there is none. `quoted_key` has its quotes.
std::string string_member(std::string_view body, std::string_view quoted_key) {
    for (std::size_t at = body.find(quoted_key); at != body.npos;
         at = body.find(quoted_key, at + 1)) {
        std::size_t i = body.find_first_not_of(kBlanks, at + quoted_key.size());
        if (i == body.npos || body[i] != ':') continue;
        i = body.find_first_not_of(kBlanks, i + 1);
        if (i == body.npos || body[i] != '"') continue;
        return unescape(body, i + 1);
    }
    return {};
}

// The same of an object under a key. Of the first such key only.
std::string object_member(std::string_view body, std::string_view key, std::string_view member) {
    std::size_t i = body.find(key);
    if (i == body.npos) return {};
    i = body.find_first_not_of(" :\t\r\n", i + key.size());
    if (i == body.npos || body[i] != '{') return {};
    return string_member(body.substr(i, body.find('}', i) - i), member);
}

// The title of a page of HTML, else the page as it is.
std::string page_text(const HttpResponse& r) {
    constexpr std::string_view kOpen = "<title>";
    const std::string_view start = opening(r);
    const auto same = [](char a, char b) { return lower(a) == b; };
    const auto at = std::search(start.begin(), start.end(), kOpen.begin(), kOpen.end(), same);
    if (at == start.end()) return excerpt(r.body);
    const std::string_view rest =
        start.substr(static_cast<std::size_t>(at - start.begin()) + kOpen.size());
    const std::string title = excerpt(trim(rest.substr(0, rest.find('<'))));
    return title.empty() ? excerpt(r.body) : title;
}

std::string error_text(const HttpResponse& r, Body body) {
    constexpr std::size_t kLooked = 65536;
    if (body == kHtml && !looks_like_json(r.body)) return page_text(r);
    if (body == kJson || body == kDaily) {
        const std::string_view start = std::string_view(r.body).substr(0, kLooked);
        const std::string error = string_member(start, "\"error\"");
        std::string info = string_member(start, "\"error_info\"");
        if (info.empty()) info = object_member(start, "\"error_info\"", "\"message\"");
        if (!error.empty() && !info.empty()) return excerpt(error + " (" + info + ")");
        if (!error.empty() || !info.empty()) return excerpt(error + info);
    }
    return excerpt(r.body);
}

std::string evidence_of(const HttpResponse& r, Body body) {
    std::string out = "The API answered " + std::to_string(r.status);
    if (r.status >= 300 && r.status < 400) return out + ", a redirect, which is not followed.";
    const std::string text = error_text(r, body);
    if (body == kHtml && !looks_like_json(r.body)) out += " with HTML";
    if (text.empty()) return out + " with an empty body.";
    return out + ": " + text;
}

std::int64_t backoff_ms(int attempt, double jitter) noexcept {
    std::int64_t wait = kFirstBackoffMs;
    for (int i = 1; i < attempt && wait < kLongestPauseMs; ++i)
        wait *= 2;
    wait = std::min(wait, kLongestPauseMs);
    return static_cast<std::int64_t>(static_cast<double>(wait) * (0.5 + jitter / 2));
}

double or_default(double seconds) noexcept {
    return seconds >= 0 ? seconds : kDefaultResetSeconds; // negative or not a number
}

// The reset of the burst window is a matter of seconds, whatever a header claims. Retry-After is
// kept in full: what is longer than max_wait is not waited for at all.
std::int64_t reset_ms(const HttpResponse& r, double jitter) noexcept {
    const double longest = static_cast<double>(kLongestPauseMs) / 1000.0;
    double seconds = r.ratelimit_reset || !r.retry_after
                         ? std::min(or_default(r.ratelimit_reset.value_or(-1)), longest)
                         : 0.0;
    if (r.retry_after)
        seconds =
            std::max(seconds, std::min(or_default(*r.retry_after), kLongestRetryAfterSeconds));
    return static_cast<std::int64_t>(std::ceil(seconds * 1000.0 + jitter * kResetJitterMs));
}

// What the answer asks for, 0 when it asks for nothing.
std::int64_t retry_after_ms(const HttpResponse& r) noexcept {
    const double seconds = r.retry_after.value_or(0);
    if (!(seconds > 0)) return 0; // nor a number
    return static_cast<std::int64_t>(
        std::ceil(std::min(seconds, kLongestRetryAfterSeconds) * 1000.0));
}

Verdict judge_failure(const HttpResponse& r, int attempt, double jitter) {
    const auto row = std::find_if(std::begin(kFailures), std::end(kFailures),
                                  [&](const FailureRow& f) { return f.failure == r.failure; });
    Verdict out;
    out.action = row == std::end(kFailures) ? Action::Fail : row->action;
    out.kind = row == std::end(kFailures) ? ErrorKind::Internal : row->kind;
    if (out.action == Action::Retry) out.wait_ms = backoff_ms(attempt, jitter);
    out.evidence = r.failure_text;
    return out;
}

} // namespace

Verdict judge(const HttpResponse& response, int attempt, double jitter) {
    jitter = jitter >= 0 && jitter < 1 ? jitter : 0;
    if (response.failure != TransportFailure::None) return judge_failure(response, attempt, jitter);
    const Body body = body_of(response);
    const auto fits = [&](const Row& r) {
        return response.status >= r.first && response.status <= r.last && (r.body & body) != 0;
    };
    const auto found = std::find_if(std::begin(kRows), std::end(kRows), fits);
    const Row& row = found == std::end(kRows) ? *std::prev(std::end(kRows)) : *found;

    Verdict out;
    out.action = row.action;
    out.kind = row.kind;
    out.rate_limited = response.status == 429;
    if (row.pause == Pause::Backoff)
        out.wait_ms = std::max(backoff_ms(attempt, jitter), retry_after_ms(response));
    if (row.pause == Pause::Reset) out.wait_ms = reset_ms(response, jitter);
    if (row.action != Action::Accept) out.evidence = evidence_of(response, body);
    if (out.kind == ErrorKind::RateLimited && (response.ratelimit_reset || response.retry_after))
        out.evidence += " (resets in " + std::to_string(reset_ms(response, 0) / 1000) + " s)";
    return out;
}

} // namespace pipedrive
