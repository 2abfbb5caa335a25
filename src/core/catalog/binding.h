// Which API field an SQL column reads: from the column's name and options, the catalogue and, where
// needed, the account's field definitions.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/catalog/entities.h"
#include "core/catalog/fields.h"

namespace pipedrive {

// What a column of a foreign table says of itself.
struct DeclaredColumn {
    int attnum = 0;
    std::string name;
    std::string field;    // option; empty: the name
    std::string subfield; // option; empty: the main part
    std::string type; // option: field_type; empty: standard column, or ask the field definitions
    bool removed = false; // option: the field is known to be gone
};

struct BoundColumn {
    int attnum = 0;
    std::string name;
    std::string field;
    std::string subfield;
    std::string type; // field_type of a custom field, else empty
    Kind kind = Kind::Json;
    Source source = Source::Field;
    bool optional = false;      // needs include_fields
    bool resolved = true;       // false: kind, type and source come from the definitions
    std::string_view member;    // standard columns: likewise
    const Part* part = nullptr; // custom fields: where the value lies inside an object

    std::string_view rest_shape; // of the field type, see FieldType
    std::string_view rest_keys;

    bool operator==(const BoundColumn&) const = default;
};

// The standard column that a declaration names, nullptr when it is none (or says it is a custom
// field by giving a type).
const Column* standard_column(const Entity& entity, const DeclaredColumn& declared) noexcept;

// Binds without asking anybody. Throws Error{UnknownField} (with the closest name) when no field
// can back the column, Error{BadOption} for a type that does not exist or a subfield the type does
// not have.
BoundColumn bind_column(const Entity& entity, const DeclaredColumn& declared);

// Completes an unresolved binding. Throws Error{UnknownField} with the closest of standard and
// custom columns.
void resolve_column(const Entity& entity, const FieldCatalogue& catalogue, BoundColumn* column);

// Throws Error{FieldGone} when a custom column's field is no longer among the definitions, or has
// another type than the column was made for.
void check_against(const Entity& entity, const FieldCatalogue& catalogue,
                   const BoundColumn& column);

} // namespace pipedrive
