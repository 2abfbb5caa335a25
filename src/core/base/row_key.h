// What tells a row from the others of its table: an integer, a UUID, a text, or nothing.
//
// Plain data of 24 bytes; a text belongs to somebody else (the page, a list of keys), who outlives
// the key. Two keys are equal when they are the same value, however it was spelled.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace pipedrive {

enum class KeyKind : std::uint8_t { None, Integer, Uuid, Text };

// The name in listings: "none", "integer", "uuid", "text".
std::string_view key_kind_name(KeyKind kind) noexcept;

struct Uuid {
    std::uint64_t high, low;
    auto operator<=>(const Uuid&) const = default;
};

struct UuidHash {
    std::size_t operator()(const Uuid& u) const noexcept {
        return std::hash<std::uint64_t>{}(u.high * 0x9E3779B97F4A7C15u ^ u.low);
    }
};

// As PostgreSQL's uuid reads it: 32 hexadecimal digits, a hyphen allowed after every fourth, all of
// it in braces or not. nullopt: anything else.
std::optional<Uuid> parse_uuid(std::string_view text) noexcept;

class RowKey {
  public:
    constexpr RowKey() noexcept = default; // of a table without keys
    static constexpr RowKey of(std::int64_t integer) noexcept { return RowKey(integer); }
    static constexpr RowKey of(const Uuid& uuid) noexcept { return RowKey(uuid); }
    static constexpr RowKey of(std::string_view text) noexcept { return RowKey(text); }

    KeyKind kind() const noexcept { return kind_; }
    // Of the kind that it is; not to be called otherwise.
    std::int64_t integer() const noexcept { return integer_; }
    const Uuid& uuid() const noexcept { return uuid_; }
    std::string_view text() const noexcept { return {text_, size_}; }

    // As SQL shows it; empty without a key. Throws std::bad_alloc.
    std::string spelled() const;
    // The same, cut to size bytes with the NUL that ends it. Never throws.
    void spell(char* out, std::size_t size) const noexcept;

    bool operator==(const RowKey& other) const noexcept;

  private:
    explicit constexpr RowKey(std::int64_t i) noexcept : kind_(KeyKind::Integer), integer_(i) {}
    explicit constexpr RowKey(const Uuid& u) noexcept : kind_(KeyKind::Uuid), uuid_(u) {}
    explicit constexpr RowKey(std::string_view s) noexcept
        : kind_(KeyKind::Text), size_(static_cast<std::uint32_t>(s.size())), text_(s.data()) {}

    KeyKind kind_ = KeyKind::None;
    std::uint32_t size_ = 0; // of text_
    union {
        std::int64_t integer_ = 0;
        Uuid uuid_;
        const char* text_;
    };
};

// The key that a text names; nullopt when it names none of that kind. A text key refers to `text`.
std::optional<RowKey> parse_key(KeyKind kind, std::string_view text) noexcept;

} // namespace pipedrive
