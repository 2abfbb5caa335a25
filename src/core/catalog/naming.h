// Column names for custom fields: readable, valid without quotes, unique, and the same whatever the
// order of the definitions.
//
// Knows the standard columns of the entity (they are never displaced) and nothing of the rows. The
// names are *sticky* because the field code is kept in the column's option: a later rename in
// Pipedrive changes no name.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/catalog/entities.h"
#include "core/catalog/fields.h"

namespace pipedrive {

inline constexpr std::size_t kMaxNameBytes = 63; // NAMEDATALEN - 1

struct NamedColumn {
    std::string name;
    const FieldDefinition* field; // points into the span given
    const Part* part;
};

// Lower case by Unicode, every run of characters that are not letters, digits or marks becomes one
// '_', none at the ends; a leading digit gets '_' before it; a word PostgreSQL reserves gets '_'
// after it. "" when nothing readable is left. At most max_bytes bytes.
std::string identifier_from(std::string_view name, std::size_t max_bytes = kMaxNameBytes);

// True for words that PostgreSQL 14 to 18 do not accept as a column name everywhere without quotes.
bool is_reserved_word(std::string_view lower_case_word) noexcept;

// One column for every imported part of every custom field, in the order given. `taken` are names
// already used in the table besides the entity's own columns (refresh of an existing table). All
// members of a group that would share a name get a suffix from their field code (6 digits, more
// where needed), so the result does not depend on the order.
std::vector<NamedColumn> name_custom_columns(const Entity& entity,
                                             std::span<const FieldDefinition> fields,
                                             LabelMode mode,
                                             std::span<const std::string> taken = {});

} // namespace pipedrive
