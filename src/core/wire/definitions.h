// Answers of the field definition endpoints (dealFields and the like).
#pragma once

#include <string>
#include <string_view>

#include "core/catalog/fields.h"

namespace pipedrive {

// Appends one page of definitions; returns the cursor of the next page, empty at the end. Unknown
// keys are ignored, a definition without field_code is left out. Throws Error{Malformed}.
std::string decode_definitions(std::string_view body, std::string_view entity,
                               FieldCatalogue* catalogue);

// A catalogue as JSON text of our own, for the extension's table, and back: [{"code", "name",
// "type", "custom", "optional", "options": [{"id", "label"}]}]. read_catalogue throws
// Error{Malformed}.
std::string write_catalogue(const FieldCatalogue& catalogue);
FieldCatalogue read_catalogue(std::string_view json);

} // namespace pipedrive
