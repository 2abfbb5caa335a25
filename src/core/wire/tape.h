// A parsed JSON value as a flat run of tokens. Only values that somebody wants are put on a tape;
// everything else of a page is skipped.
//
// Numbers keep their digits. Strings live in the arena of the page; they are UTF-8, but for kHalf.
// Objects with a key twice: the last one wins, as in jsonb.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"

namespace pipedrive {

enum class Tok : std::uint8_t {
    Null,
    False,
    True,
    Number,
    String,
    Key,
    Object,
    ObjectEnd,
    Array,
    ArrayEnd
};

struct Token {
    Tok kind;
    std::uint32_t size; // of text; for Object and Array: number of tokens up to and including the
                        // matching end
    const char* text;
};

class JsonValue {
  public:
    JsonValue() = default; // absent; reads as null
    explicit JsonValue(const Token* at) : at_(at) {}

    const Token* token() const noexcept { return at_; }
    bool absent() const noexcept { return at_ == nullptr; }
    bool is_null() const noexcept { return at_ == nullptr || at_->kind == Tok::Null; }
    bool is(Tok kind) const noexcept { return at_ != nullptr && at_->kind == kind; }
    bool scalar() const noexcept { return at_ != nullptr && at_->kind <= Tok::String; }
    // Text of a Number or String, else empty.
    std::string_view text() const noexcept;
    const char* type_name()
        const noexcept; // "null", "boolean", "number", "string", "object", "array"

    // Member of an object; absent when this is no object or has no such key.
    JsonValue member(std::string_view key) const noexcept;

    // Calls f(JsonValue) for each element of an array, f(key, JsonValue) for each member of an
    // object (in order, duplicates included).
    template <typename F>
    void each_element(F&& f) const {
        if (!is(Tok::Array)) return;
        for (const Token* t = at_ + 1; t->kind != Tok::ArrayEnd; t = next(t))
            f(JsonValue(t));
    }
    template <typename F>
    void each_member(F&& f) const {
        if (!is(Tok::Object)) return;
        for (const Token* t = at_ + 1; t->kind != Tok::ObjectEnd; t = next(t + 1))
            f(std::string_view(t->text, t->size), JsonValue(t + 1));
    }

    // The value's run of the tape; empty when absent.
    std::span<const Token> tokens() const noexcept {
        return at_ == nullptr ? std::span<const Token>() : std::span(at_, next(at_));
    }

    // JSON text of the value, without blanks, every string escaped anew; half a surrogate pair
    // comes out as the escape that it was.
    void write(std::string* out) const;

  private:
    static const Token* next(const Token* t) noexcept {
        return t->kind == Tok::Object || t->kind == Tok::Array ? t + t->size : t + 1;
    }
    const Token* at_ = nullptr;
};

} // namespace pipedrive
