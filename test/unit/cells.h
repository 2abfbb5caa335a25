// Cells as text that a test can compare and a person can read: 7, true, 'text', 12.50d,
// 2026-04-01 19:00:38+00, json {"a":1}, {1,null,2}, {'a','b'}, 90s (durations in seconds).
#pragma once

#include <cstdint>
#include <string>

#include "core/base/time.h"
#include "core/catalog/binding.h"
#include "core/wire/cell.h"

namespace pipedrive::test {

inline std::string show(const Cell& cell) {
    switch (cell.type) {
        case CellType::Null:
            return "null";
        case CellType::Int:
            return std::to_string(cell.integer);
        case CellType::Bool:
            return cell.integer != 0 ? "true" : "false";
        case CellType::Text:
            return "'" + std::string(cell.view()) + "'";
        case CellType::Decimal:
            return std::string(cell.view()) + "d";
        case CellType::Timestamp:
            return format_timestamp(cell.integer);
        case CellType::Date:
            return format_date(static_cast<Days>(cell.integer));
        case CellType::TimeOfDay:
            return format_time_of_day(cell.integer);
        case CellType::Duration:
            return std::to_string(cell.integer / kSecond) + "s";
        case CellType::Json:
            return "json " + std::string(cell.view());
        case CellType::IntArray:
        case CellType::TextArray:
            break;
    }
    std::string out = "{";
    for (std::uint32_t i = 0; i < cell.size; ++i)
        out += (i == 0 ? "" : ",") + show(cell.items[i]);
    return out + "}";
}

// A 40-digit field code that ends in n.
inline std::string hash_code(unsigned n) {
    std::string digits = std::to_string(n);
    return std::string(40 - digits.size(), 'a') + digits;
}

inline BoundColumn standard(std::string_view entity, const std::string& name) {
    return bind_column(require_entity(entity), {1, name, "", "", ""});
}

inline BoundColumn custom(const std::string& code, const std::string& type,
                          const std::string& subfield = "") {
    return bind_column(require_entity("deals"), {1, "custom", code, subfield, type});
}

} // namespace pipedrive::test
