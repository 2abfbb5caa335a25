// Custom fields: the only columns that are not known at build time.
//
// A FieldDefinition is one row of the API's *Fields answers; a FieldType row says which SQL columns
// a field of that type becomes and where each part's value lies in the JSON. Names are given in
// naming.h.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/catalog/kinds.h"

namespace pipedrive {

struct FieldOption {
    std::string id; // as text: integers for custom fields, words for some built-in ones
    std::string label;
};

struct FieldDefinition {
    std::string code; // 40 hex characters for custom fields, the key itself for built-in ones
    std::string name;
    std::string type; // field_type of the API, "unknown" when it names none
    bool custom = false;
    bool optional = false; // is_optional_response_field
    std::vector<FieldOption> options;
};

// All definitions of one entity as the account had them at one moment. Immutable once built.
struct FieldCatalogue {
    std::vector<FieldDefinition> fields;

    const FieldDefinition* find(std::string_view code) const noexcept;
    // The label of an option, nullptr when the field or option is unknown.
    const std::string* label(std::string_view code, std::string_view option_id) const noexcept;
};

// How enum and set fields appear (IMPORT option "labels").
enum class LabelMode : std::uint8_t { Label, Id, Both };
std::optional<LabelMode> parse_label_mode(std::string_view text) noexcept;

// One SQL column of a field. `members` are the keys tried in order when the value is an object:
// REST v2 and webhook name some parts differently. Empty: the value is taken whole.
struct Part {
    std::string_view suffix;   // appended to the column name
    std::string_view subfield; // column option
    Kind kind;
    std::string_view members[3] = {};
    std::string_view flat_suffix = {}; // of the key in v1's flat records; "" the field code itself
};

struct FieldType {
    std::string_view name;
    std::span<const Part> parts; // of LabelMode::Both; the other modes leave some out
    std::string_view rest_shape; // JSON kinds REST v2 sends, one letter each: s n b o a; "" any
    std::string_view rest_keys =
        {}; // of an object: \"+key\" it has, \"-key\" it has not, each once
};

// The row of a field_type. The API adds types: one that we do not know is read as jsonb, as the API
// sends it. Never fails.
const FieldType& field_type(std::string_view name) noexcept;
std::span<const FieldType> field_types() noexcept;

// The part of that type with this subfield, nullptr when the type has none.
const Part* find_part(const FieldType& type, std::string_view subfield) noexcept;

// The parts IMPORT makes columns of, each with the suffix it gets in that mode.
struct ImportedPart {
    const Part* part;
    std::string_view suffix;
};
std::vector<ImportedPart> imported_parts(const FieldType& type, LabelMode mode);

// 40 hexadecimal digits.
bool is_field_hash(std::string_view code) noexcept;

} // namespace pipedrive
