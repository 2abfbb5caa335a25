// One record outside a list, as it came: an event's of either version, a v1 record, a single REST
// record. Says which columns the record carries, as reduced records leave fields out.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/base/arena.h"
#include "core/catalog/binding.h"
#include "core/catalog/entities.h"
#include "core/wire/cell.h"
#include "core/wire/decode.h"

namespace pipedrive {

// Flat and Webhook records are turned into the list's by the rows of the entity's webhook first.
enum class RecordShape : std::uint8_t {
    Rest,    // as the entity's lists have it
    Flat,    // version 1: custom fields are keys of the record, unset ones are missing
    Webhook, // an event of version 2: typed objects inside custom_fields
};
std::optional<RecordShape> parse_record_shape(
    std::string_view name) noexcept; // "rest", "flat", "webhook"

struct DecodedRecord {
    Arena arena;
    std::vector<Cell> cells;   // one a column
    std::vector<char> carried; // whether the record says all of the column that a list would
    LabelSource labels;        // set catalogue before; what was noticed after
};

// What becomes of a value that does not fit its column.
enum class Unfit : std::uint8_t {
    Throw,
    LeaveOut, // it costs that column, which is not carried then
};

// Throws Error{Malformed} unless `json` is an object, Error{BadValue} with the column's name.
void decode_record(std::string_view json, RecordShape shape, const Entity& entity,
                   std::span<const BoundColumn> columns, DecodedRecord* out,
                   Unfit unfit = Unfit::Throw);

// {"column": value, …} of the carried columns: numbers, booleans, null, arrays and JSON as such,
// everything else as text that PostgreSQL's input functions read.
std::string record_json(std::span<const BoundColumn> columns, const DecodedRecord& record);

} // namespace pipedrive
