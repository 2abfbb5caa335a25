// Answers of the field definition endpoints (dealFields and the like).
#pragma once

#include <string>
#include <string_view>

#include "core/catalog/fields.h"
#include "core/wire/tape.h"

namespace pipedrive {

// What errors about an entity's definitions call them.
std::string definitions_subject(std::string_view entity);

// Appends one page of definitions, given as text or as the document that it is; returns the cursor
// of the next page, empty at the end. Unknown keys are ignored, a definition without field_code is
// left out. Throws Error{Malformed}.
std::string decode_definitions(std::string_view body, std::string_view entity,
                               FieldCatalogue* catalogue);
std::string decode_definitions(JsonValue root, std::string_view entity, FieldCatalogue* catalogue);

// A catalogue as JSON text of our own, for the extension's table, and back: [{"code", "name",
// "type", "custom", "optional", "options": [{"id", "label"}]}]. read_catalogue throws
// Error{Malformed}.
std::string write_catalogue(const FieldCatalogue& catalogue);
FieldCatalogue read_catalogue(std::string_view json);

} // namespace pipedrive
