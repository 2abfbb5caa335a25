#include "pg/pg_prelude.h"

#include "pg/report.h"

#include <cstring>

namespace pipedrive::pg {
namespace {

// {subject}, {server}, {user}, {column} are replaced. An empty hint takes what the core says.
struct ReportRow {
    ErrorKind kind;
    int sqlstate;
    const char* primary;
    const char* hint;
};

constexpr ReportRow kRows[] = {
    {ErrorKind::Unauthorized, ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
     "could not authenticate to Pipedrive server \"{server}\"",
     "Check option \"api_token\" of the user mapping for \"{user}\"."},
    {ErrorKind::PaymentRequired, ERRCODE_INSUFFICIENT_PRIVILEGE,
     "permission denied by Pipedrive for \"{subject}\"",
     "The company account is not open or not paid."},
    {ErrorKind::Forbidden, ERRCODE_INSUFFICIENT_PRIVILEGE,
     "permission denied by Pipedrive for \"{subject}\"",
     "The token's user may lack the permission, the scope or the plan for it."},
    {ErrorKind::Blocked, ERRCODE_INSUFFICIENT_PRIVILEGE,
     "access to Pipedrive server \"{server}\" is blocked",
     "Pipedrive blocks clients for a while after too many requests. Do not retry before some "
     "minutes have passed."},
    {ErrorKind::NotFound, ERRCODE_FDW_TABLE_NOT_FOUND,
     "\"{subject}\" does not exist on Pipedrive server \"{server}\"",
     "Check option \"company_domain\" or \"api_base_url\" of the server; the plan of the account "
     "may also lack the feature."},
    {ErrorKind::BadRequest, ERRCODE_FDW_UNABLE_TO_CREATE_EXECUTION,
     "Pipedrive rejected the request for \"{subject}\"",
     "If a condition of the query caused it, SET pipedrive_fdw.enable_pushdown = off avoids it; "
     "please report the query."},
    {ErrorKind::RateLimited, ERRCODE_CONFIGURATION_LIMIT_EXCEEDED,
     "rate limit of Pipedrive server \"{server}\" exhausted",
     "Narrow the query, or raise option \"max_wait\" or \"max_retries\" of the server."},
    {ErrorKind::DailyBudget, ERRCODE_CONFIGURATION_LIMIT_EXCEEDED,
     "daily token budget of Pipedrive server \"{server}\" exhausted",
     "The budget is shared by all users and applications of the company and is filled up once a "
     "day."},
    {ErrorKind::Budget, ERRCODE_CONFIGURATION_LIMIT_EXCEEDED,
     "query on \"{subject}\" reached its limit of API {column}",
     "Setting \"pipedrive_fdw.max_{column}_per_query\" is the limit. EXPLAIN shows what a query is "
     "expected to cost."},
    {ErrorKind::Unavailable, ERRCODE_CONNECTION_FAILURE,
     "could not fetch \"{subject}\" from Pipedrive server \"{server}\"", ""},
    {ErrorKind::Transport, ERRCODE_CONNECTION_FAILURE,
     "could not fetch \"{subject}\" from Pipedrive server \"{server}\"", ""},
    {ErrorKind::Connect, ERRCODE_FDW_UNABLE_TO_ESTABLISH_CONNECTION,
     "could not connect to Pipedrive server \"{server}\"",
     "Check option \"company_domain\" or \"api_base_url\" of the server."},
    {ErrorKind::Timeout, ERRCODE_CONNECTION_FAILURE,
     "request for \"{subject}\" to Pipedrive server \"{server}\" timed out",
     "Options \"connect_timeout\" and \"request_timeout\" of the server set the limits."},
    {ErrorKind::Malformed, ERRCODE_FDW_UNABLE_TO_CREATE_REPLY,
     "invalid reply from Pipedrive for \"{subject}\"", ""},
    {ErrorKind::TooLarge, ERRCODE_PROGRAM_LIMIT_EXCEEDED,
     "reply from Pipedrive for \"{subject}\" is too large",
     "Option \"max_response_size\" of the server sets the limit; a smaller \"page_size\" makes "
     "smaller replies."},
    {ErrorKind::TooDeep, ERRCODE_PROGRAM_LIMIT_EXCEEDED,
     "reply from Pipedrive for \"{subject}\" is nested too deeply", ""},
    {ErrorKind::BadValue, ERRCODE_FDW_INVALID_DATA_TYPE,
     "invalid value from Pipedrive for column \"{column}\" of \"{subject}\"", ""},
    {ErrorKind::UnknownEntity, ERRCODE_FDW_TABLE_NOT_FOUND,
     "Pipedrive entity \"{subject}\" does not exist", ""},
    {ErrorKind::UnknownField, ERRCODE_FDW_COLUMN_NAME_NOT_FOUND,
     "column \"{column}\" is backed by no Pipedrive field", ""},
    {ErrorKind::UnknownOption, ERRCODE_FDW_INVALID_OPTION_NAME, "invalid option \"{subject}\"", ""},
    {ErrorKind::FieldGone, ERRCODE_FDW_COLUMN_NAME_NOT_FOUND,
     "column \"{column}\" no longer matches its Pipedrive field",
     "See pipedrive.field_changes() for what changed; pipedrive.refresh_schema() applies it."},
    {ErrorKind::BadOption, ERRCODE_INVALID_PARAMETER_VALUE,
     "invalid value for option \"{subject}\"", ""},
    {ErrorKind::Internal, ERRCODE_INTERNAL_ERROR, "unexpected state of pipedrive_fdw: {subject}",
     ""},
};

const ReportRow& row_of(ErrorKind kind) {
    for (const ReportRow& row : kRows)
        if (row.kind == kind) return row;
    return kRows[lengthof(kRows) - 1];
}

template <std::size_t N>
void copy_text(char (&to)[N], const char* from, std::size_t size) noexcept {
    if (size >= N) {
        size = N - 1;
        while (size > 0 && (static_cast<unsigned char>(from[size]) & 0xC0) == 0x80)
            --size; // not inside a UTF-8 sequence
    }
    memcpy(to, from, size);
    to[size] = '\0';
}

// Puts "***" in place of n characters; its length tells nothing of theirs. The place after it.
char* star(char* at, std::size_t n) noexcept {
    constexpr std::size_t kStars = 3;
    memset(at, '*', kStars);
    memmove(at + kStars, at + n, strlen(at + n) + 1);
    return at + kStars;
}

// The beginning of a secret that stands right before `end`, where an excerpt was cut. Where the
// text goes on.
char* mask_cut(char* text, char* end, const char* secret, std::size_t n) noexcept {
    constexpr std::size_t kTelling = 4; // fewer characters tell nothing
    for (std::size_t k = n - 1; k >= kTelling; --k)
        if (static_cast<std::size_t>(end - text) >= k && memcmp(end - k, secret, k) == 0)
            return star(end - k, k);
    return end;
}

void mask(char* text, const char* secret) noexcept {
    const std::size_t n = secret == nullptr ? 0 : strlen(secret);
    if (n < 4) return;
    for (char* at = strstr(text, secret); at != nullptr; at = strstr(at, secret))
        at = star(at, n);
    for (char* cut = strstr(text, "…"); cut != nullptr; cut = strstr(cut + 1, "…"))
        cut = mask_cut(text, cut, secret, n);
    mask_cut(text, text + strlen(text), secret, n);
}

char* fill(const char* pattern, const PodError& e, const ReportContext& who) {
    const struct {
        const char* mark;
        const char* value;
    } marks[] = {{"{subject}", e.subject},
                 {"{server}", who.server},
                 {"{user}", who.user},
                 {"{column}", e.column}};
    StringInfoData out;
    initStringInfo(&out);
    while (*pattern != '\0') {
        bool replaced = false;
        for (const auto& m : marks) {
            if (strncmp(pattern, m.mark, strlen(m.mark)) != 0) continue;
            appendStringInfoString(&out, m.value == nullptr ? "?" : m.value);
            pattern += strlen(m.mark);
            replaced = true;
        }
        if (!replaced) appendStringInfoChar(&out, *pattern++);
    }
    return out.data;
}

} // namespace

const char* message_text(const char* utf8) {
    if (GetDatabaseEncoding() == PG_UTF8 || GetDatabaseEncoding() == PG_SQL_ASCII) return utf8;
    char* ascii = pstrdup(utf8);
    char* to = ascii;
    for (const char* from = utf8; *from != '\0'; ++from) {
        const unsigned char c = static_cast<unsigned char>(*from);
        if (c < 0x80)
            *to++ = *from;
        else if ((c & 0xC0) != 0x80)
            *to++ = '?';
    }
    *to = '\0';
    return ascii;
}

void PodError::take(const Error& error) noexcept {
    kind = error.kind;
    page = error.page;
    copy_text(subject, error.subject.data(), error.subject.size());
    copy_text(detail, error.detail.data(), error.detail.size());
    copy_text(hint, error.hint.data(), error.hint.size());
    copy_text(column, error.column.data(), error.column.size());
    copy_text(row_id, error.row_id.data(), error.row_id.size());
}

void PodError::take_unexpected(const char* what) noexcept {
    copy_text(subject, what, strlen(what));
}

void raise(PodError& e, const ReportContext& who) {
    if (e.out_of_memory) ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
    for (char* text : {e.subject, e.detail, e.hint, e.column, e.row_id})
        mask(text, who.secret);
    const ReportRow& row = row_of(e.kind);
    const char* primary = message_text(fill(row.primary, e, who));
    const char* hint = message_text(e.hint[0] != '\0' ? e.hint : fill(row.hint, e, who));
    const char* detail = message_text(e.detail);
    ereport(
        ERROR,
        (errcode(row.sqlstate), errmsg("%s", primary),
         detail[0] != '\0' ? errdetail("%s", detail) : 0, hint[0] != '\0' ? errhint("%s", hint) : 0,
         e.column[0] != '\0' ? err_generic_string(PG_DIAG_COLUMN_NAME, e.column) : 0,
         e.row_id[0] != '\0' ? errcontext("converting column \"%s\", row id %s, page %d of \"%s\"",
                                          e.column, e.row_id, e.page, e.subject)
         : e.page > 0        ? errcontext("reading page %d of \"%s\"", e.page, e.subject)
                             : 0));
}

void refuse_nulls(FunctionCallInfo fcinfo, std::initializer_list<const char*> names) {
    int i = 0;
    for (const char* name : names)
        if (PG_ARGISNULL(i++))
            ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
                            errmsg("argument \"%s\" must not be NULL", name)));
}

} // namespace pipedrive::pg
