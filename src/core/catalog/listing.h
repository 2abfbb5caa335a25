// The rows of the catalogue as JSON, for the views of the same name and the reference.
#pragma once

#include <string>
#include <string_view>

namespace pipedrive {

// An array of objects; empty for an unknown name. "options": context, name, default_value, meaning.
// "columns": entity, column_name, field, subfield, type, presence, comment, and where there is a
// filter parameter, pushed, reason. "entities": entity, comment, paths, tokens_per_request,
// custom_fields, mirrored, definitions. "webhooks": object, and of those that are a table entity
// and path. All values are texts.
std::string listing(std::string_view what);

} // namespace pipedrive
