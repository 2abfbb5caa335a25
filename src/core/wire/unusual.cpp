// Two characters that Unicode sets aside for such use carry what RapidJSON would refuse: U+FDD0 and
// four hexadecimal digits stand for half a surrogate pair, or for U+FDD0 or U+FDD1 themselves; a
// string that begins with U+FDD1 is a number.
#include "core/wire/unusual.h"

#include <algorithm>

#include "core/wire/tape.h"

namespace pipedrive {
namespace {

constexpr std::string_view kMark = "\xEF\xB7\x90", kNumber = "\xEF\xB7\x91";

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// The length of the number at the beginning of s by JSON's grammar; 0: there is none.
std::size_t number_length(std::string_view s) {
    std::size_t i = 0;
    const auto digits = [&] {
        const std::size_t from = i;
        while (i < s.size() && is_digit(s[i]))
            ++i;
        return i > from;
    };
    if (i < s.size() && s[i] == '-') ++i;
    if (i < s.size() && s[i] == '0')
        ++i;
    else if (!digits())
        return 0;
    if (i < s.size() && s[i] == '.') {
        ++i;
        if (!digits()) return 0;
    }
    if (i < s.size() && (s[i] == 'e' || s[i] == 'E')) {
        ++i;
        if (i < s.size() && (s[i] == '+' || s[i] == '-')) ++i;
        if (!digits()) return 0;
    }
    return i;
}

// The unit of "\\uXXXX" at the beginning of s, in lower case; empty: it is none.
std::string unit_at(std::string_view s) {
    if (s.size() < 6 || s[0] != '\\' || s[1] != 'u') return {};
    std::string hex(s.substr(2, 4));
    for (char& c : hex) {
        if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
        if (!is_digit(c) && !(c >= 'a' && c <= 'f')) return {};
    }
    return hex;
}
bool is_high(std::string_view unit) {
    return unit >= "d800" && unit <= "dbff";
}
bool is_low(std::string_view unit) {
    return unit >= "dc00" && unit <= "dfff";
}

// One escape or character of a string at the beginning of s, respelled; its length in s.
std::size_t respell_one(std::string_view s, std::string* out) {
    std::size_t length = 1;
    const std::string unit = unit_at(s);
    if (is_high(unit) && is_low(unit_at(s.substr(6)))) {
        length = 12;
    } else if (is_high(unit) || is_low(unit) || unit == "fdd0" || unit == "fdd1") {
        *out += kMark;
        *out += unit;
        return 6;
    } else if (s[0] == '\\') {
        length = 2;
    } else if (s.starts_with(kMark) || s.starts_with(kNumber)) {
        *out += kMark;
        *out += s.starts_with(kMark) ? "fdd0" : "fdd1";
        return kMark.size();
    }
    *out += s.substr(0, length);
    return std::min(length, s.size());
}

} // namespace

std::string respell_unusual(std::string_view json) {
    std::string out;
    bool in_string = false;
    for (std::size_t at = 0; at < json.size();) {
        const std::string_view rest = json.substr(at);
        if (in_string) {
            in_string = rest[0] != '"';
            at += respell_one(rest, &out);
        } else if (const std::size_t n = number_length(rest); n > 0) {
            out += '"';
            out += kNumber;
            out += rest.substr(0, n);
            out += '"';
            at += n;
        } else {
            in_string = rest[0] == '"';
            out += rest[0];
            ++at;
        }
    }
    return out;
}

bool is_respelled_number(std::string_view text) noexcept {
    return text.starts_with(kNumber);
}
std::string_view respelled_number(std::string_view text) noexcept {
    return text.substr(kNumber.size());
}

std::string respelled_text(std::string_view text) {
    std::string out;
    while (true) {
        const std::size_t mark = text.find(kMark);
        out += text.substr(0, mark);
        if (mark == text.npos) return out;
        const std::string_view unit = text.substr(mark + kMark.size(), 4);
        if (unit == "fdd0" || unit == "fdd1")
            out += unit == "fdd0" ? kMark : kNumber;
        else
            (out += kHalf) += unit;
        text.remove_prefix(mark + kMark.size() + unit.size());
    }
}

} // namespace pipedrive
