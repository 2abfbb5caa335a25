#include "core/base/row_key.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "core/base/decimal.h"

namespace pipedrive {
namespace {

int hex_digit(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

constexpr std::size_t kUuidSize = 36;

// 8-4-4-4-12 digits, without a NUL.
void write_uuid(const Uuid& uuid, char* out) noexcept {
    constexpr char kDigits[] = "0123456789abcdef";
    for (int i = 0; i < 32; ++i) {
        if (i == 8 || i == 12 || i == 16 || i == 20) *out++ = '-';
        const std::uint64_t half = i < 16 ? uuid.high : uuid.low;
        *out++ = kDigits[half >> (60 - 4 * (i % 16)) & 15];
    }
}

} // namespace

std::string_view key_kind_name(KeyKind kind) noexcept {
    constexpr std::string_view kNames[] = {"none", "integer", "uuid", "text"};
    return kNames[static_cast<std::size_t>(kind)];
}

std::optional<Uuid> parse_uuid(std::string_view text) noexcept {
    if (text.starts_with('{') != text.ends_with('}')) return std::nullopt;
    if (text.size() >= 2 && text.front() == '{') text = text.substr(1, text.size() - 2);
    Uuid uuid{};
    int digits = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '-' && digits % 4 == 0 && digits > 0 && digits < 32 && text[i - 1] != '-')
            continue;
        const int digit = hex_digit(text[i]);
        if (digit < 0 || digits == 32) return std::nullopt;
        std::uint64_t& half = digits < 16 ? uuid.high : uuid.low;
        half = half << 4 | static_cast<std::uint64_t>(digit);
        ++digits;
    }
    if (digits != 32) return std::nullopt;
    return uuid;
}

void RowKey::spell(char* out, std::size_t size) const noexcept {
    if (size == 0) return;
    char buffer[kUuidSize];
    std::string_view all;
    switch (kind_) {
        case KeyKind::None:
            break;
        case KeyKind::Integer:
            all = {buffer, static_cast<std::size_t>(
                               std::to_chars(buffer, std::end(buffer), integer_).ptr - buffer)};
            break;
        case KeyKind::Uuid:
            write_uuid(uuid_, buffer);
            all = {buffer, kUuidSize};
            break;
        case KeyKind::Text:
            all = text();
            break;
    }
    const std::size_t n = std::min(all.size(), size - 1);
    if (n > 0) std::memcpy(out, all.data(), n);
    out[n] = '\0';
}

std::string RowKey::spelled() const {
    if (kind_ == KeyKind::Text) return std::string(text());
    char buffer[kUuidSize + 1];
    spell(buffer, sizeof(buffer));
    return buffer;
}

bool RowKey::operator==(const RowKey& other) const noexcept {
    if (kind_ != other.kind_) return false;
    switch (kind_) {
        case KeyKind::None:
            return false; // nothing says that they are the same
        case KeyKind::Integer:
            return integer_ == other.integer_;
        case KeyKind::Uuid:
            return uuid_ == other.uuid_;
        case KeyKind::Text:
            return text() == other.text();
    }
    return false;
}

std::optional<RowKey> parse_key(KeyKind kind, std::string_view text) noexcept {
    switch (kind) {
        case KeyKind::None:
            return RowKey();
        case KeyKind::Integer:
            if (const auto integer = decimal_to_int64(text)) return RowKey::of(*integer);
            break;
        case KeyKind::Uuid:
            if (const auto uuid = parse_uuid(text)) return RowKey::of(*uuid);
            break;
        case KeyKind::Text:
            if (!text.empty()) return RowKey::of(text);
            break;
    }
    return std::nullopt;
}

} // namespace pipedrive
