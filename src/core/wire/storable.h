// What JSON can say and a table of PostgreSQL cannot hold: known here, so that one such value costs
// its row and names it, where the input function of a type would fail the whole statement.
#pragma once

#include <string>
#include <string_view>

#include "core/catalog/kinds.h"
#include "core/wire/cell.h"

namespace pipedrive {

// Whether JSON as we write it has a string that no text and no jsonb can hold: with a NUL, or half
// a surrogate pair.
bool escapes_unstorable(std::string_view json) noexcept;

// s with U+FFFD for what no text can hold.
std::string storable_text(std::string_view s);

// Whether numeric has room for the digits and the exponent of a number.
bool fits_numeric(std::string_view number) noexcept;

// Why the SQL type of that kind cannot hold the cell; empty when it can.
std::string_view unstorable(Kind kind, const Cell& cell) noexcept;

} // namespace pipedrive
