// Decimal texts: the JSON number grammar, and whole values without a detour through floating point.
#include "core/base/decimal.h"

#include <cstddef>

namespace pipedrive {
namespace {

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}
bool is_blank(char c) noexcept {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

std::string_view trim(std::string_view s) noexcept {
    while (!s.empty() && is_blank(s.front()))
        s.remove_prefix(1);
    while (!s.empty() && is_blank(s.back()))
        s.remove_suffix(1);
    return s;
}

struct Parts {
    bool negative = false;
    // At least one digit.
    std::string_view whole;
    // May be empty.
    std::string_view fraction;
    // Saturated far outside anything that matters.
    std::int64_t exponent = 0;
};

std::string_view take_digits(std::string_view* s) noexcept {
    std::size_t n = 0;
    while (n < s->size() && is_digit((*s)[n]))
        ++n;
    const std::string_view digits = s->substr(0, n);
    s->remove_prefix(n);
    return digits;
}

// [eE][+-]?digits, with *s at the character after the e.
bool take_exponent(std::string_view* s, std::int64_t* exponent) noexcept {
    constexpr std::int64_t kLimit = std::int64_t{1} << 50;
    bool negative = false;
    if (!s->empty() && (s->front() == '+' || s->front() == '-')) {
        negative = s->front() == '-';
        s->remove_prefix(1);
    }
    const std::string_view digits = take_digits(s);
    if (digits.empty()) return false;
    std::int64_t value = 0;
    for (const char c : digits)
        if (value < kLimit) value = value * 10 + (c - '0');
    *exponent = negative ? -value : value;
    return true;
}

bool split(std::string_view s, Parts* parts) noexcept {
    s = trim(s);
    if (!s.empty() && s.front() == '-') {
        parts->negative = true;
        s.remove_prefix(1);
    }
    parts->whole = take_digits(&s);
    if (parts->whole.empty()) return false;
    if (parts->whole.size() > 1 && parts->whole.front() == '0') return false;
    if (!s.empty() && s.front() == '.') {
        s.remove_prefix(1);
        parts->fraction = take_digits(&s);
        if (parts->fraction.empty()) return false;
    }
    if (!s.empty() && (s.front() == 'e' || s.front() == 'E')) {
        s.remove_prefix(1);
        if (!take_exponent(&s, &parts->exponent)) return false;
    }
    return s.empty();
}

} // namespace

bool is_decimal(std::string_view s) noexcept {
    Parts parts;
    return split(s, &parts);
}

std::optional<std::int64_t> decimal_to_int64(std::string_view s) noexcept {
    Parts parts;
    if (!split(s, &parts)) return std::nullopt;

    // The digits of whole and fraction as one sequence, whose last digit has the weight 10^power.
    const std::size_t whole = parts.whole.size();
    const std::size_t count = whole + parts.fraction.size();
    const auto digit = [&](std::size_t i) {
        return i < whole ? parts.whole[i] : parts.fraction[i - whole];
    };
    std::size_t first = 0;
    std::size_t last = count;
    while (first < last && digit(first) == '0')
        ++first;
    while (last > first && digit(last - 1) == '0')
        --last;
    if (first == last) return 0;

    const std::int64_t power = parts.exponent - static_cast<std::int64_t>(parts.fraction.size()) +
                               static_cast<std::int64_t>(count - last);
    constexpr std::size_t kMaxDigits = 19; // of an int64; 10^19 - 1 fits uint64
    if (power < 0 || power > static_cast<std::int64_t>(kMaxDigits)) return std::nullopt;
    if (last - first + static_cast<std::size_t>(power) > kMaxDigits) return std::nullopt;

    std::uint64_t value = 0;
    for (std::size_t i = first; i < last; ++i)
        value = value * 10 + static_cast<std::uint64_t>(digit(i) - '0');
    for (std::int64_t i = 0; i < power; ++i)
        value *= 10;
    const std::uint64_t limit = static_cast<std::uint64_t>(INT64_MAX) + (parts.negative ? 1 : 0);
    if (value > limit) return std::nullopt;
    return static_cast<std::int64_t>(parts.negative ? ~value + 1 : value);
}

} // namespace pipedrive
