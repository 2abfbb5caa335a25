// One value on its way to a Datum: plain data, text pointing into the page's arena.
#pragma once

#include <cstdint>
#include <string_view>

namespace pipedrive {

enum class CellType : std::uint8_t {
    Null,
    Int,       // integer
    Bool,      // integer 0 or 1
    Text,      // UTF-8 without NUL
    Decimal,   // digits as the API sent them
    Timestamp, // integer: Micros
    Date,      // integer: Days
    TimeOfDay, // integer: microseconds since midnight
    Duration,  // integer: microseconds
    Json,      // JSON text
    IntArray,  // items
    TextArray, // items
};

struct Cell {
    CellType type = CellType::Null;
    std::uint32_t size = 0; // of text, or number of items
    union {
        std::int64_t integer = 0;
        const char* text;
        const Cell* items; // Int, Text or Null cells
    };

    std::string_view view() const noexcept { return {text, size}; }
};

} // namespace pipedrive
