#include "core/catalog/options.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "core/base/decimal.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/base/url.h"
#include "core/catalog/entities.h"
#include "core/catalog/fields.h"

namespace pipedrive {
namespace {

struct Unit {
    std::string_view name;
    std::int64_t factor;
};
constexpr Unit kDurations[] = {{"", 1000}, {"ms", 1}, {"s", 1000}, {"min", 60000}, {"h", 3600000}};
constexpr Unit kSizes[] = {{"", 1}, {"B", 1}, {"kB", 1 << 10}, {"MB", 1 << 20}, {"GB", 1 << 30}};

std::optional<std::int64_t> with_unit(std::string_view text, std::span<const Unit> units) noexcept {
    std::size_t n = 0;
    while (n < text.size() && text[n] >= '0' && text[n] <= '9')
        ++n;
    if (n == 0 || n > 12) return std::nullopt;
    std::int64_t number = 0;
    for (char digit : text.substr(0, n))
        number = number * 10 + (digit - '0');
    std::string_view unit = text.substr(n);
    while (!unit.empty() && unit.front() == ' ')
        unit.remove_prefix(1);
    for (const Unit& u : units)
        if (u.name == unit)
            return number > INT64_MAX / u.factor ? std::nullopt : std::optional(number * u.factor);
    return std::nullopt;
}

[[noreturn]] void refuse(const OptionRow& row, std::string allowed) {
    throw Error(ErrorKind::BadOption, std::string(row.name), std::move(allowed));
}

void in_range(const OptionRow& row, std::optional<std::int64_t> value, std::string_view what,
              std::int64_t unit, std::string_view unit_name) {
    if (value && *value >= row.min && *value <= row.max) return;
    refuse(row, "The value must be " + std::string(what) + " between " +
                    std::to_string(row.min / unit) + std::string(unit_name) + " and " +
                    std::to_string(row.max / unit) + std::string(unit_name) + ".");
}

// Digits only: PostgreSQL reads the option again with its own integer parser.
void check_integer(const OptionRow& row, std::string_view value) {
    const bool digits =
        !value.empty() && value.size() <= 9 && value.find_first_not_of("0123456789") == value.npos;
    in_range(row, digits ? parse_bytes(value) : std::nullopt, "an integer", 1, "");
}
void check_duration(const OptionRow& row, std::string_view value) {
    in_range(row, parse_duration_ms(value), "a time (in seconds, or with a unit: ms, s, min, h)", 1,
             "ms");
}
void check_size(const OptionRow& row, std::string_view value) {
    in_range(row, parse_bytes(value), "a size (in bytes, or with a unit: kB, MB, GB)", 1024, "kB");
}
void check_bool(const OptionRow& row, std::string_view value) {
    if (!parse_bool(value)) refuse(row, "The value must be a Boolean.");
}
void check_text(const OptionRow& row, std::string_view value) {
    if (value.empty()) refuse(row, "The value must not be empty.");
}
void check_any(const OptionRow&, std::string_view) {}
void check_domain(const OptionRow&, std::string_view value) {
    company_base_url(value);
}
void check_url(const OptionRow&, std::string_view value) {
    parse_base_url(value);
}
void check_token(const OptionRow& row, std::string_view value) {
    if (!valid_token(value))
        refuse(row, "An API token consists of 1 to 512 printable ASCII characters without blanks.");
}
void check_entity(const OptionRow&, std::string_view value) {
    require_entity(value);
}
void check_labels(const OptionRow& row, std::string_view value) {
    if (!parse_label_mode(value)) refuse(row, "The value must be \"label\", \"id\" or \"both\".");
}
using enum OptionContext;
constexpr std::int64_t kHour = 3600000;
constexpr OptionRow kRows[] = {
    {"company_domain", Server, check_domain, 0, 0, "",
     "The company's name in its Pipedrive address: acme for https://acme.pipedrive.com. This or "
     "api_base_url is required."},
    {"api_base_url", Server, check_url, 0, 0, "",
     "Base address of the API instead of company_domain. Hosts outside pipedrive.com may be set "
     "only by a superuser; plain http only to loopback addresses."},
    {"page_size", Server, check_integer, 1, 500, "500",
     "Rows asked for in one request. The price of a request does not depend on it."},
    {"connect_timeout", Server, check_duration, 1, kHour, "10s",
     "Longest time to establish a connection."},
    {"request_timeout", Server, check_duration, 1, kHour, "60s",
     "Longest time for one request, from sending it to the last byte of the answer. "
     "The time in which nobody waits for it does not count."},
    {"max_retries", Server, check_integer, 0, 100, "5",
     "Tries after the first when the API answers 429 or 5xx or the connection breaks."},
    {"max_wait", Server, check_duration, 0, 24 * kHour, "120s",
     "Longest time spent waiting between the tries of one request."},
    {"max_response_size", Server, check_size, 1 << 10, std::int64_t{1} << 30, "64MB",
     "Largest answer accepted, after decompression."},
    {"ca_file", Server, check_text, 0, 0, "the system's",
     "File of certificate authorities (PEM) on the database server. Superuser only."},
    {"api_token", UserMapping, check_token, 0, 0, "",
     "Personal API token of the Pipedrive user whose view of the account is read. Required."},
    {"entity", Table, check_entity, 0, 0, "the table's name",
     "The Pipedrive entity that the table shows."},
    {"page_size", Table, check_integer, 1, 500, "the server's", "Rows asked for in one request."},
    {"field", Column, check_text, 0, 0, "the column's name",
     "Code of the API field that the column shows; 40 hexadecimal digits for custom fields."},
    {"subfield", Column, check_any, 0, 0, "the main value",
     "Part of the field: currency, until, timezone, address, id, primary or labels."},
    {"type", Column, check_text, 0, 0, "from the field definitions",
     "Pipedrive's type of a custom field. IMPORT FOREIGN SCHEMA writes it; without it the first "
     "use in a session reads the field definitions."},
    {"removed", Column, check_bool, 0, 0, "false",
     "Whether Pipedrive no longer has the field: the column reads NULL and is never asked for. "
     "pipedrive.refresh_schema() writes it."},
    {"custom_fields", Import, check_bool, 0, 0, "true", "Whether custom fields become columns."},
    {"labels", Import, check_labels, 0, 0, "label",
     "Whether columns of single and multiple options hold labels, ids, or both in two columns."},
    {"optional_fields", Import, check_bool, 0, 0, "true",
     "Whether fields that the API sends only on request become columns."},
};

[[noreturn]] void unknown_option(OptionContext context, std::string_view name) {
    std::vector<std::string_view> names;
    for (const OptionRow& row : kRows) {
        if (row.name == name)
            throw Error(ErrorKind::UnknownOption, std::string(name), {},
                        "\"" + std::string(name) + "\" is an option of a " +
                            std::string(context_name(row.context)) + ".");
        if (row.context == context) names.push_back(row.name);
    }
    const std::string_view near = closest_name(name, names);
    std::string hint;
    if (!near.empty()) {
        hint = "Perhaps you meant the option \"" + std::string(near) + "\".";
    } else {
        for (std::string_view n : names)
            hint += (hint.empty() ? "Valid options here are: " : ", ") + std::string(n);
        hint += ".";
    }
    throw Error(ErrorKind::UnknownOption, std::string(name), {}, hint);
}

} // namespace

std::span<const OptionRow> option_rows() noexcept {
    return kRows;
}

std::string_view context_name(OptionContext context) noexcept {
    constexpr std::string_view names[] = {"server", "user mapping", "foreign table",
                                          "column of a foreign table", "IMPORT FOREIGN SCHEMA"};
    return names[static_cast<std::size_t>(context)];
}

void check_option(OptionContext context, std::string_view name, std::string_view value) {
    for (const OptionRow& row : kRows) {
        if (row.context != context || row.name != name) continue;
        row.check(row, value);
        return;
    }
    unknown_option(context, name);
}

std::optional<std::int64_t> parse_duration_ms(std::string_view text) noexcept {
    return with_unit(text, kDurations);
}

std::optional<std::int64_t> parse_bytes(std::string_view text) noexcept {
    return with_unit(text, kSizes);
}

std::optional<bool> parse_bool(std::string_view text) noexcept {
    std::string lower(text.substr(0, std::min<std::size_t>(text.size(), 8)));
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    for (std::string_view yes : {"true", "on", "yes", "1", "t", "y"})
        if (lower == yes) return true;
    for (std::string_view no : {"false", "off", "no", "0", "f", "n"})
        if (lower == no) return false;
    return std::nullopt;
}

} // namespace pipedrive
