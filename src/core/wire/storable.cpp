#include "core/wire/storable.h"

#include <algorithm>

#include "core/base/row_key.h"
#include "core/base/text.h"
#include "core/wire/tape.h"

namespace pipedrive {
namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// Every number of the JSON text, which is valid.
bool numbers_fit(std::string_view json) noexcept {
    for (std::size_t at = 0; at < json.size();) {
        if (json[at] == '"') {
            while (++at < json.size() && json[at] != '"')
                at += json[at] == '\\';
            ++at;
        } else if (is_digit(json[at])) {
            const std::size_t end = std::min(json.find_first_of(",]}", at), json.size());
            if (!fits_numeric(json.substr(at, end - at))) return false;
            at = end;
        } else {
            ++at;
        }
    }
    return true;
}

} // namespace

bool escapes_unstorable(std::string_view json) noexcept {
    for (std::size_t at = json.find('\\'); at < json.size(); at = json.find('\\', at + 2)) {
        const std::string_view escape = json.substr(at, 6);
        if (escape == "\\u0000" || escape.starts_with("\\ud")) return true;
    }
    return false;
}

std::string storable_text(std::string_view s) {
    std::string out;
    for (std::size_t i = 0; i < s.size(); ++i) {
        if (s[i] != '\0' && s[i] != kHalf) {
            out += s[i];
            continue;
        }
        utf8_append(out, 0xFFFD);
        if (s[i] == kHalf) i += 4;
    }
    return out;
}

// Documented: 131072 digits before the decimal point, 16383 after it.
bool fits_numeric(std::string_view number) noexcept {
    constexpr std::int64_t kBefore = 131072, kAfter = 16383, kHuge = 10000000;
    std::int64_t before = 0, after = 0, exponent = 0;
    std::size_t i = number.starts_with('-') || number.starts_with('+') ? 1 : 0;
    for (; i < number.size() && is_digit(number[i]); ++i)
        ++before;
    if (i < number.size() && number[i] == '.')
        for (++i; i < number.size() && is_digit(number[i]); ++i)
            ++after;
    if (i < number.size()) { // e
        const bool negative = ++i < number.size() && number[i] == '-';
        for (; i < number.size(); ++i)
            if (is_digit(number[i])) exponent = std::min(exponent * 10 + (number[i] - '0'), kHuge);
        if (negative) exponent = -exponent;
    }
    return before + exponent <= kBefore && after - exponent <= kAfter && before <= kBefore &&
           after <= kAfter;
}

std::string_view unstorable(Kind kind, const Cell& cell) noexcept {
    if (cell.type == CellType::Decimal && !fits_numeric(cell.view()))
        return "The number is beyond numeric.";
    if (kind == Kind::Uuid && cell.type == CellType::Text && !parse_uuid(cell.view()))
        return "The text is no UUID.";
    if (cell.type != CellType::Json) return {};
    if (escapes_unstorable(cell.view()))
        return "The value contains \\u0000 or half a surrogate pair, which jsonb cannot store.";
    return numbers_fit(cell.view()) ? std::string_view{}
                                    : "The value contains a number beyond numeric.";
}

} // namespace pipedrive
