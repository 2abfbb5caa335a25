// The one exception type of the core.
//
// This room names what went wrong in terms of the job (kind, subject, evidence). It does not know
// SQLSTATEs, message wording or PostgreSQL: src/pg/report.cpp has one row for each kind.
#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <utility>

namespace pipedrive {

enum class ErrorKind : std::uint8_t {
    Unauthorized,    // 401: the token is wrong or was revoked
    PaymentRequired, // 402: the company account is not open
    Forbidden,       // 403 with a JSON body: permission, scope or plan
    Blocked,         // 403 with an HTML body: the edge blocks this client for a while
    NotFound,        // 404, 405, 410 on a list path
    BadRequest,      // 400, 415, 422 and other refusals of what we sent
    RateLimited,     // burst 429 outlasted the allowed retries
    DailyBudget,     // 429 of the daily token budget
    Budget,          // the next request would pass what the statement may spend
    Unavailable,     // 5xx outlasted the allowed retries
    Transport,       // no usable answer: reset, truncated, TLS
    Connect,         // the host could not be resolved or reached
    Timeout,         // our own connect or request timeout
    Malformed,       // an answer that is not what the API documents
    TooLarge,        // an answer above max_response_size
    TooDeep,         // an answer with more levels than are read
    BadValue,        // one value of one row does not fit its column
    UnknownEntity,
    UnknownOption,
    UnknownField,
    FieldGone, // a field that a column is bound to no longer exists in Pipedrive
    BadOption,
    Internal,
};

// Thrown by every core function that can fail. Strings are UTF-8 and never hold a token or a full
// URL.
struct Error : std::exception {
    ErrorKind kind;
    std::string subject; // entity, option or field that the error is about
    std::string detail;  // evidence: API excerpt, byte offset, attempts; may be empty
    std::string hint;    // only where the core knows more than the row of this kind; may be empty
    std::string column;  // BadValue: SQL column name, else empty
    std::string row_id;  // BadValue: id of the row, else empty
    int page = 0;        // 1-based page of the scan, 0 when not reading pages

    Error(ErrorKind k, std::string about, std::string evidence = {}, std::string advice = {})
        : kind(k),
          subject(std::move(about)),
          detail(std::move(evidence)),
          hint(std::move(advice)) {}

    const char* what() const noexcept override { return detail.c_str(); }
};

} // namespace pipedrive
