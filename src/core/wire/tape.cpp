#include "core/wire/tape.h"

#include "core/base/text.h"

namespace pipedrive {

std::string_view JsonValue::text() const noexcept {
    if (!is(Tok::Number) && !is(Tok::String)) return {};
    return {at_->text, at_->size};
}

const char* JsonValue::type_name() const noexcept {
    if (at_ == nullptr) return "null";
    constexpr const char* names[] = {"null", "boolean", "boolean", "number", "string",
                                     "key",  "object",  "end",     "array",  "end"};
    return names[static_cast<std::size_t>(at_->kind)];
}

JsonValue JsonValue::member(std::string_view key) const noexcept {
    JsonValue found;
    each_member([&](std::string_view k, JsonValue v) {
        if (k == key) found = v;
    });
    return found;
}

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

// Iterative over the tokens: nesting is already limited, and the order on the tape is the order of
// the text.
void JsonValue::write(std::string* out) const {
    if (at_ == nullptr) {
        *out += "null";
        return;
    }
    const Token* const end = next(at_);
    bool comma = false;
    for (const Token* t = at_; t != end; ++t) {
        const bool closes = t->kind == Tok::ObjectEnd || t->kind == Tok::ArrayEnd;
        if (comma && !closes) *out += ',';
        comma = true;
        switch (t->kind) {
            case Tok::Null:
                *out += "null";
                break;
            case Tok::False:
                *out += "false";
                break;
            case Tok::True:
                *out += "true";
                break;
            case Tok::Number:
                out->append(t->text, t->size);
                break;
            case Tok::String:
                write_json_string({t->text, t->size}, out);
                break;
            case Tok::Key:
                write_json_string({t->text, t->size}, out);
                *out += ':';
                comma = false;
                break;
            case Tok::Object:
                *out += '{';
                comma = false;
                break;
            case Tok::Array:
                *out += '[';
                comma = false;
                break;
            case Tok::ObjectEnd:
                *out += '}';
                break;
            case Tok::ArrayEnd:
                *out += ']';
                break;
        }
    }
}

} // namespace pipedrive
