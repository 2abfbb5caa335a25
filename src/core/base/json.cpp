#include "core/base/json.h"

#include "core/base/text.h"

namespace pipedrive {

static bool stands_for_itself(char c) {
    return static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\' && c != kHalf;
}

void write_json_string(std::string_view s, std::string* out) {
    static constexpr char kHex[] = "0123456789abcdef";
    *out += '"';
    for (std::size_t i = 0; i < s.size(); ++i) {
        const std::size_t run = i;
        while (i < s.size() && stands_for_itself(s[i]))
            ++i;
        out->append(s, run, i - run);
        if (i == s.size()) break;
        const char c = s[i];
        const unsigned char u = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            *out += '\\';
            *out += c;
        } else if (u < 0x20) {
            *out += "\\u00";
            *out += kHex[u >> 4];
            *out += kHex[u & 15];
        } else if (c == kHalf) {
            *out += "\\u";
        }
    }
    *out += '"';
}

std::string ascii_json(std::string_view json) {
    static constexpr char kHex[] = "0123456789abcdef";
    std::string out;
    auto unit = [&](char32_t u) {
        out += "\\u";
        for (int shift = 12; shift >= 0; shift -= 4)
            out += kHex[(u >> shift) & 15];
    };
    for (std::size_t i = 0; i < json.size();) {
        const char32_t c = utf8_next(json, &i);
        if (c < 0x80) {
            out += static_cast<char>(c);
        } else if (c < 0x10000) {
            unit(c);
        } else {
            unit(0xD800 + ((c - 0x10000) >> 10));
            unit(0xDC00 + ((c - 0x10000) & 0x3FF));
        }
    }
    return out;
}

} // namespace pipedrive
