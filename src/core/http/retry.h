// What an HTTP answer means, one row a meaning, and how long to wait before the next try.
//
// Facts: sections 6 and 7 of the API page. Who speaks comes first: a page of HTML, or Cloudflare's
// JSON in place of one, is never Pipedrive's own word, so it tells nothing of token or budget.
// Burst 429 (text "request over limit", and every 429 that does not speak of the day): wait
// x-ratelimit-reset (relative seconds, 2 s when missing) or the longer Retry-After. Daily 429
// (Pipedrive's text "daily request budget exceeded"; without either text, daily remaining 0, or
// JSON with Retry-After above 10 s): fail at once, as more tries can get the whole company blocked.
// 5xx, broken transfers, and 200 with an empty or null body: exponential back-off with jitter, or
// the longer Retry-After.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/error.h"
#include "core/http/transport.h"

namespace pipedrive {

struct RetryLimits {
    // Tries after the first.
    int max_retries = 5;
    // All waits of one request together.
    std::int64_t max_wait_ms = 120000;
};

enum class Action : std::uint8_t { Accept, Retry, Fail };

struct Verdict {
    Action action = Action::Accept;
    // Retry: what it becomes when the tries are used up.
    ErrorKind kind = ErrorKind::Internal;
    // Retry only.
    std::int64_t wait_ms = 0;
    // Counted as a 429.
    bool rate_limited = false;
    // For Error::detail: "The API answered 503: …excerpt…" or libcurl's words.
    std::string evidence;
};

// Judges one answer. `attempt` is 1 for the first try, `jitter` in [0,1). Total: every answer has a
// verdict. Waits: 429 reset header (at most 30 s) or Retry-After (at most a day) + up to 250 ms
// jitter; back-off 0.5 s * 2^(attempt-1), at most 30 s, times (0.5 + jitter/2). TooLarge and Tls
// failures are never retried; Timeout is retried like other transport failures.
Verdict judge(const HttpResponse& response, int attempt, double jitter);

} // namespace pipedrive
