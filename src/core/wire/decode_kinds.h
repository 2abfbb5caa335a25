// What the decoders of kinds share (decode.cpp, decode_options.cpp); for those files only.
#pragma once

#include <string_view>

#include "core/wire/decode.h"

namespace pipedrive::decoding {

struct Job {
    const BoundColumn& column;
    Arena* arena;
    LabelSource* labels;
};

// Throws Error{BadValue}: what was expected, and what was found.
[[noreturn]] void unfit(std::string_view expected, JsonValue v);

Cell integer_cell(CellType type, std::int64_t i);
// Copied to the arena, where it is not in it already. Throws Error{BadValue} for a text that
// PostgreSQL cannot hold.
Cell text_cell(CellType type, std::string_view s, Arena* arena);
bool empty_string(JsonValue v);
// An option or reference as {id, label}, {value, name}, or bare: the part that identifies it.
JsonValue identity(JsonValue v);

// Options, and whatever else is one of several or several at once.
Cell decode_option(const Job& job, JsonValue v);
Cell decode_option_id_value(const Job& job, JsonValue v);
Cell decode_option_set(const Job& job, JsonValue v);
Cell decode_option_set_ids(const Job& job, JsonValue v);
Cell decode_int_array(const Job& job, JsonValue v);
Cell decode_uuid_array(const Job& job, JsonValue v);
Cell decode_label_names(const Job& job, JsonValue v);

} // namespace pipedrive::decoding
