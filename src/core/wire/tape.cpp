#include "core/wire/tape.h"

#include "core/base/json.h"

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

// Iterative over the tokens: nesting is already limited, and the order on the tape is the order of
// the text.
void JsonValue::write(std::string* out) const {
    if (at_ == nullptr) {
        *out += "null";
        return;
    }
    JsonWriter json(out);
    const Token* const end = next(at_);
    for (const Token* t = at_; t != end; ++t) {
        const std::string_view text(t->text, t->text == nullptr ? 0 : t->size);
        switch (t->kind) {
            case Tok::Null:
                json.raw("null");
                break;
            case Tok::False:
                json.raw("false");
                break;
            case Tok::True:
                json.raw("true");
                break;
            case Tok::Number:
                json.raw(text);
                break;
            case Tok::String:
                json.string(text);
                break;
            case Tok::Key:
                json.key(text);
                break;
            case Tok::Object:
                json.open('{');
                break;
            case Tok::Array:
                json.open('[');
                break;
            case Tok::ObjectEnd:
                json.close('}');
                break;
            case Tok::ArrayEnd:
                json.close(']');
                break;
        }
    }
}

} // namespace pipedrive
