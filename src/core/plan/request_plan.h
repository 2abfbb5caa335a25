// From predicates, values and wanted columns to the requests of a scan: which lists are read, with
// which parameters.
//
// Exactness is the promise of this room: the rows that the requests return are all rows the
// predicates select (exact) or more (superset), never fewer. Everything is rechecked by the
// executor; the class only explains. No request is made here.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/catalog/binding.h"
#include "core/catalog/entities.h"
#include "core/plan/key_list.h"
#include "core/plan/predicate.h"

namespace pipedrive {

struct Parameter {
    std::string name;
    std::string value;
};

// One list walked from its first page to its last. With ids: one walk for each batch of them, or
// one record after the other.
struct Stream {
    const Endpoint* endpoint = nullptr;
    std::vector<Parameter> parameters; // without ids and what tells a page from the others
    // Newest first: the list ends with the page that holds a row whose value of `stop_column` is
    // before `stop_before`.
    std::string stop_column = {};
    Micros stop_before = 0;
};

struct RequestPlan {
    bool nothing = false; // no row can satisfy the predicates
    std::string nothing_because;
    bool by_ids = false;
    bool ids_unknown = false; // EXPLAIN only: the ids are a symbol
    std::string ids_symbol;
    bool one_unknown_id = false;    // it stands for one id
    KeyList ids;                    // sorted, distinct; integers are positive
    std::vector<Stream> streams;    // read one after the other
    std::vector<Exactness> outcome; // one for each predicate
    int page_size = 500;
};

// The type of value that a filter of this kind takes; plan_requests pushes no other.
Value::Type value_type(FilterKind kind) noexcept;

// What the scan wants to see, in the terms of the API.
struct Projection {
    std::vector<std::string> include_fields; // sorted, distinct
    std::vector<std::string> custom_keys;    // sorted, distinct
    bool all_custom = false;                 // the custom_fields column itself is wanted
    bool option_labels = false;
    bool label_objects = false;
};
Projection projection_of(std::span<const BoundColumn> wanted);

// Combines the predicates. values[p.value] belongs to predicate p. Never throws but bad_alloc.
RequestPlan plan_requests(const Entity& entity, std::span<const Predicate> predicates,
                          std::span<const Value> values, const Projection& projection,
                          int page_size);

} // namespace pipedrive
