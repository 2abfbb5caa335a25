// From a JSON value to a cell: one function a kind, lenient to the shapes that the API's versions
// and webhooks use for the same thing.
#pragma once

#include <string>

#include "core/base/arena.h"
#include "core/catalog/binding.h"
#include "core/catalog/fields.h"
#include "core/wire/cell.h"
#include "core/wire/tape.h"

namespace pipedrive {

// Where labels are looked up when a row carries bare option ids. `unresolved` counts ids that were
// not found.
struct LabelSource {
    const FieldCatalogue* catalogue = nullptr; // nullptr: not read yet
    int unresolved = 0;
};

// The value of `column` in JSON value `v` (the field's value, absent for a missing key). Text is
// copied to the arena. Labels that cannot be resolved read as their id in brackets. Throws
// Error{BadValue} whose detail says what was expected and what was found; column and row are filled
// in by the caller.
Cell decode_cell(const BoundColumn& column, JsonValue v, Arena* arena, LabelSource* labels);

} // namespace pipedrive
