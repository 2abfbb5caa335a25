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
    // 401: the token is wrong or was revoked.
    Unauthorized,
    // 402: the company account is not open.
    PaymentRequired,
    // 403 with a JSON body: permission, scope or plan.
    Forbidden,
    // 403 with an HTML body: the edge blocks this client for a while.
    Blocked,
    // 404, 405, 410 on a list path.
    NotFound,
    // 400, 415, 422 and other refusals of what we sent.
    BadRequest,
    // Burst 429 outlasted the allowed retries.
    RateLimited,
    // 429 of the daily token budget.
    DailyBudget,
    // The next request would pass what the statement may spend.
    Budget,
    // 5xx outlasted the allowed retries.
    Unavailable,
    // No usable answer: reset, truncated, TLS.
    Transport,
    // The host could not be resolved or reached.
    Connect,
    // Our own connect or request timeout.
    Timeout,
    // An answer that is not what the API documents.
    Malformed,
    // An answer above max_response_size.
    TooLarge,
    // An answer with more levels than are read.
    TooDeep,
    // One value of one row does not fit its column.
    BadValue,
    UnknownEntity,
    UnknownOption,
    UnknownField,
    // A field that a column is bound to no longer exists in Pipedrive.
    FieldGone,
    BadOption,
    Internal,
};

// Thrown by every core function that can fail. Strings are UTF-8 and never hold a token or a full
// URL.
struct Error : std::exception {
    ErrorKind kind;
    // Entity, option or field that the error is about.
    std::string subject;
    // Evidence: API excerpt, byte offset, attempts; may be empty.
    std::string detail;
    // Only where the core knows more than the row of this kind; may be empty.
    std::string hint;
    // BadValue: SQL column name, else empty.
    std::string column;
    // BadValue: id of the row, else empty.
    std::string row_id;
    // 1-based page of the scan, 0 when not reading pages.
    int page = 0;

    Error(ErrorKind k, std::string about, std::string evidence = {}, std::string advice = {})
        : kind(k),
          subject(std::move(about)),
          detail(std::move(evidence)),
          hint(std::move(advice)) {}

    const char* what() const noexcept override { return detail.c_str(); }
};

} // namespace pipedrive
