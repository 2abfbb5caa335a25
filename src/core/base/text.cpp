// UTF-8, edit distance, percent encoding and excerpts. Reads no locale.
#include "core/base/text.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <numeric>
#include <vector>

namespace pipedrive {
namespace {

constexpr char32_t kReplacement = 0xFFFD;

std::uint8_t byte_at(std::string_view s, std::size_t i) noexcept {
    return static_cast<std::uint8_t>(s[i]);
}
bool is_continuation(std::uint8_t b) noexcept {
    return (b & 0xC0) == 0x80;
}

char fold(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// Lead byte -> length of its sequence, 0 when no sequence can start so.
std::size_t sequence_length(std::uint8_t lead) noexcept {
    if (lead < 0x80) return 1;
    if (lead >= 0xC2 && lead < 0xE0) return 2;
    if (lead >= 0xE0 && lead < 0xF0) return 3;
    if (lead >= 0xF0 && lead < 0xF5) return 4;
    return 0;
}

// Decodes one sequence; false (and one byte consumed) when it is not well formed.
bool decode(std::string_view s, std::size_t* i, char32_t* cp) noexcept {
    const std::uint8_t lead = byte_at(s, *i);
    const std::size_t length = sequence_length(lead);
    const std::size_t at = (*i)++;
    if (length == 1) {
        *cp = lead;
        return true;
    }
    if (length == 0 || s.size() - at < length) return false;
    char32_t value = lead & (0x7Fu >> length);
    for (std::size_t k = 1; k < length; ++k) {
        const std::uint8_t b = byte_at(s, at + k);
        if (!is_continuation(b)) return false;
        value = (value << 6) | (b & 0x3Fu);
    }
    const bool overlong = (length == 3 && value < 0x800) || (length == 4 && value < 0x10000);
    if (overlong || (value >= 0xD800 && value <= 0xDFFF) || value > 0x10FFFF) return false;
    *i = at + length;
    *cp = value;
    return true;
}

// What must not appear in a single line of a log: C0, DEL, C1, line and paragraph separators, and
// blanks.
bool blank_in_excerpt(char32_t cp) noexcept {
    return cp <= 0x20 || (cp >= 0x7F && cp <= 0xA0) || cp == 0x2028 || cp == 0x2029;
}

std::size_t distance(std::string_view a, std::string_view b, std::vector<std::size_t>& row) {
    row.resize(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t change = diagonal + (fold(a[i - 1]) == fold(b[j - 1]) ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, change});
        }
    }
    return row[b.size()];
}

} // namespace

std::string_view utf8_prefix(std::string_view s, std::size_t max_bytes) noexcept {
    if (s.size() <= max_bytes) return s;
    std::size_t start = max_bytes;
    while (start > 0 && max_bytes - start < 3 && is_continuation(byte_at(s, start)))
        --start;
    const bool cuts = start < max_bytes && start + sequence_length(byte_at(s, start)) > max_bytes;
    return s.substr(0, cuts ? start : max_bytes);
}

char32_t utf8_next(std::string_view s, std::size_t* i) noexcept {
    if (*i >= s.size()) return kReplacement;
    char32_t cp = kReplacement;
    return decode(s, i, &cp) ? cp : kReplacement;
}

void utf8_append(std::string& out, char32_t cp) {
    if (cp > 0x10FFFF || (cp >= 0xD800 && cp <= 0xDFFF)) cp = kReplacement;
    const auto tail = [&](unsigned shift) {
        out.push_back(static_cast<char>(0x80 | ((cp >> shift) & 0x3F)));
    };
    if (cp < 0x80) {
        out.push_back(static_cast<char>(cp));
    } else if (cp < 0x800) {
        out.push_back(static_cast<char>(0xC0 | (cp >> 6)));
        tail(0);
    } else if (cp < 0x10000) {
        out.push_back(static_cast<char>(0xE0 | (cp >> 12)));
        tail(6);
        tail(0);
    } else {
        out.push_back(static_cast<char>(0xF0 | (cp >> 18)));
        tail(12);
        tail(6);
        tail(0);
    }
}

bool utf8_valid(std::string_view s) noexcept {
    char32_t cp = 0;
    for (std::size_t i = 0; i < s.size();)
        if (!decode(s, &i, &cp)) return false;
    return true;
}

namespace {
bool starts_with_folded(std::string_view s, std::string_view prefix) noexcept {
    if (s.size() <= prefix.size()) return false;
    for (std::size_t i = 0; i < prefix.size(); ++i)
        if (fold(s[i]) != fold(prefix[i])) return false;
    return true;
}
} // namespace

std::string_view closest_name(std::string_view name, std::span<const std::string_view> candidates) {
    constexpr std::size_t kLongestName = 256; // nobody mistypes more, and the work is quadratic
    if (name.empty() || name.size() > kLongestName) return {};
    std::string_view best;
    std::size_t best_distance = 1 + name.size() / 3 + 1;
    std::vector<std::size_t> row;
    for (const std::string_view candidate : candidates) {
        const std::size_t gap = candidate.size() > name.size() ? candidate.size() - name.size()
                                                               : name.size() - candidate.size();
        // "owner" for "owner_id": a word left unfinished is as good as one wrong letter.
        const bool unfinished = name.size() >= 3 && starts_with_folded(candidate, name);
        if (gap >= best_distance && !unfinished) continue;
        const std::size_t d = unfinished ? 1 : distance(name, candidate, row);
        if (d >= best_distance) continue;
        best = candidate;
        best_distance = d;
    }
    return best;
}

std::string percent_encode(std::string_view s) {
    constexpr std::string_view kKept = "-._~,:";
    constexpr std::string_view kHex = "0123456789ABCDEF";
    std::string out;
    out.reserve(s.size());
    for (const char c : s) {
        const auto b = static_cast<std::uint8_t>(c);
        const char low = fold(c);
        if ((low >= 'a' && low <= 'z') || (c >= '0' && c <= '9') || kKept.find(c) != kKept.npos) {
            out.push_back(c);
            continue;
        }
        out.push_back('%');
        out.push_back(kHex[b >> 4]);
        out.push_back(kHex[b & 15]);
    }
    return out;
}

std::string percent_decode(std::string_view s) {
    std::string out;
    for (std::size_t i = 0; i < s.size(); ++i) {
        unsigned value = 0;
        const char* digits = s.data() + i + 1;
        if (s[i] == '%' && i + 2 < s.size() &&
            std::from_chars(digits, digits + 2, value, 16).ptr == digits + 2) {
            out += static_cast<char>(value);
            i += 2;
        } else {
            out += s[i];
        }
    }
    return out;
}

std::string excerpt(std::string_view s, std::size_t max_bytes) {
    std::string out;
    std::string one;
    bool pending_blank = false;
    for (std::size_t i = 0; i < s.size();) {
        char32_t cp = 0;
        if (!decode(s, &i, &cp)) cp = '?';
        if (blank_in_excerpt(cp)) {
            pending_blank = !out.empty();
            continue;
        }
        one.clear();
        if (pending_blank) one.push_back(' ');
        pending_blank = false;
        utf8_append(one, cp);
        if (out.size() + one.size() > max_bytes) return out + "…";
        out += one;
    }
    return out;
}

bool looks_like_json(std::string_view s) noexcept {
    const std::size_t at = s.find_first_not_of(" \t\r\n");
    return at != s.npos && (s[at] == '{' || s[at] == '[');
}

} // namespace pipedrive
