// Every option a user can write, one row each. From these rows: the validator, its hints, the view
// pipedrive.options and the reference page.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace pipedrive {

enum class OptionContext : std::uint8_t { Server, UserMapping, Table, Column, Import };

struct OptionRow {
    std::string_view name;
    OptionContext context;
    void (*check)(const struct OptionRow& row, std::string_view value); // throws Error{BadOption}
    std::int64_t min, max;         // of numbers, in the base unit
    std::string_view default_text; // as shown to people; empty: none
    std::string_view meaning;
};

std::span<const OptionRow> option_rows() noexcept;
std::string_view context_name(OptionContext context) noexcept; // "server", "user mapping", …

// Checks one option. Throws Error{UnknownOption} (hint: where it belongs, or the closest name) or
// Error{BadOption} (detail: what is allowed).
void check_option(OptionContext context, std::string_view name, std::string_view value);

// "10" and "10s" are seconds, "500ms", "2min" as they say. Milliseconds, or nullopt.
std::optional<std::int64_t> parse_duration_ms(std::string_view text) noexcept;
// "1000" bytes, "64MB", "512 kB" (powers of 1024). Bytes, or nullopt.
std::optional<std::int64_t> parse_bytes(std::string_view text) noexcept;
// PostgreSQL's spellings of a boolean: true/false, on/off, yes/no, 1/0, any case.
std::optional<bool> parse_bool(std::string_view text) noexcept;

inline constexpr std::int64_t kDefaultPageSize = 500;
inline constexpr std::int64_t kDefaultConnectTimeoutMs = 10000;
inline constexpr std::int64_t kDefaultRequestTimeoutMs = 60000;
inline constexpr std::int64_t kDefaultMaxRetries = 5;
inline constexpr std::int64_t kDefaultMaxWaitMs = 120000;
inline constexpr std::int64_t kDefaultMaxResponseSize = 64 << 20;

} // namespace pipedrive
