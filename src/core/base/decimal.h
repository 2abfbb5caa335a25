// Numbers as the text they arrived in: digits are kept, never passed through a double.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace pipedrive {

// True for a JSON number or the same digits with surrounding blanks removed ("-12", "0.10", "1e3").
// Not "1.", ".5", "NaN", "0x1", "".
bool is_decimal(std::string_view s) noexcept;

// The integer a decimal text denotes when it is whole and fits int64: "42", "42.0", "4.2e1", "-0".
// Otherwise nullopt.
std::optional<std::int64_t> decimal_to_int64(std::string_view s) noexcept;

} // namespace pipedrive
