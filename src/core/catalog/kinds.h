// Column kinds: what a column holds, independent of entity and of JSON shape.
//
// One row a kind (kinds.cpp); its decoder is the row of the same kind in wire/decode.cpp, its Datum
// conversion in src/pg/datum.cpp.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace pipedrive {

enum class Kind : std::uint8_t {
    Int,          // bigint
    Number,       // numeric, digits kept
    Bool,         // boolean
    Text,         // text
    Timestamp,    // timestamptz
    Date,         // date
    TimeOfDay,    // time
    Duration,     // interval
    Uuid,         // uuid
    Json,         // jsonb
    IntArray,     // bigint[]: label_ids
    UuidArray,    // uuid[]
    Primary,      // text: value of the primary element of an array of {value, primary, label}
    Address,      // text: the one-line form of an address object
    Option,       // text: label of an enum
    OptionId,     // bigint: id of an enum's option
    OptionSet,    // text[]: labels of a set, in the API's order; an empty set is NULL
    OptionSetIds, // bigint[]: ids of a set; an empty set is NULL
    LabelNames,   // text[]: names of the coloured labels
    Count_
};

struct KindRow {
    Kind kind;
    std::string_view name;     // in plan texts and the reference
    std::string_view sql_type; // what IMPORT declares
    bool needs_labels;         // its values are labels that the row may carry as bare ids
};

std::span<const KindRow> kind_rows() noexcept;
const KindRow& kind_row(Kind kind) noexcept;
const KindRow* find_kind(std::string_view name) noexcept; // nullptr when unknown

} // namespace pipedrive
