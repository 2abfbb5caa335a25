// From a JSON value to a cell: one function a kind, lenient to the shapes that the API's versions
// and webhooks use for the same thing.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/arena.h"
#include "core/catalog/binding.h"
#include "core/catalog/fields.h"
#include "core/wire/cell.h"
#include "core/wire/tape.h"

namespace pipedrive {

// An option that a row names and whose label nobody knows.
struct UnknownOption {
    std::string field; // code
    std::string id;
    auto operator<=>(const UnknownOption&) const = default;
};

// What an address object has besides its value, as v1 names it in keys of its own after
// "address_".
inline constexpr std::string_view kAddressParts[] = {
    "country", "admin_area_level_1", "admin_area_level_2", "locality",    "sublocality",
    "route",   "street_number",      "subpremise",         "postal_code", "formatted_address"};

// Where labels are looked up when a row carries bare option ids, and what decoding noticed on the
// way.
struct LabelSource {
    const FieldCatalogue* catalogue = nullptr;        // nullptr: not read yet
    const std::set<UnknownOption>* missing = nullptr; // known to be in no catalogue
    int unresolved = 0;              // bare ids that newer definitions might explain
    int stale = 0;                   // labels in the row that differ from the catalogue's
    int odd = 0;                     // values of a shape that the field's type does not have
    std::set<UnknownOption> unknown; // options shown as their id, at most kMaxUnknown
    static constexpr std::size_t kMaxUnknown = 32;
};

// The value of `column` in JSON value `v` (the field's value, absent for a missing key). Text is
// copied to the arena. Labels that cannot be resolved read as their id in brackets. Throws
// Error{BadValue} whose detail says what was expected and what was found; column and row are filled
// in by the caller.
Cell decode_cell(const BoundColumn& column, JsonValue v, Arena* arena, LabelSource* labels);

// The same for v1's flat records (leads): the parts of a custom field are keys of the record
// itself, the code with a suffix.
Cell decode_flat_cell(const BoundColumn& column, JsonValue record, Arena* arena,
                      LabelSource* labels);

} // namespace pipedrive
