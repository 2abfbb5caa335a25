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
#include "core/plan/predicate.h"

namespace pipedrive {

struct Parameter {
    std::string name;
    std::string value;
};

// One list walked from its first page to its last. With ids: one walk for each batch of at most
// kIdsPerRequest.
struct Stream {
    const Endpoint* endpoint = nullptr;
    std::vector<Parameter> parameters; // without ids, limit and cursor
};

struct RequestPlan {
    bool nothing = false; // no row can satisfy the predicates
    std::string nothing_because;
    bool by_ids = false;
    bool ids_unknown = false; // EXPLAIN only: the ids are a symbol
    std::string ids_symbol;
    bool one_unknown_id = false;    // it stands for one id
    std::vector<std::int64_t> ids;  // sorted, distinct, positive
    std::vector<Stream> streams;    // read one after the other
    std::vector<Exactness> outcome; // one for each predicate
    int page_size = 500;
    // Newest first: a list ends with the page that holds a row whose value of `stop_column` is
    // before `stop_before`.
    std::string stop_column;
    Micros stop_before = 0;
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

// "path?a=b&limit=500[&cursor=…]", percent-encoded. `ids` may be empty.
std::string request_target(const RequestPlan& plan, const Stream& stream,
                           std::span<const std::int64_t> ids, std::string_view cursor);

// How many of `left` ids of the stream the next request asks for: 1 means path/{id}, which is
// chosen while it costs less than half of a batch; more mean a batch.
std::size_t ids_in_next_request(const Stream& stream, std::size_t left) noexcept;

// "path/7?a=b": one record.
std::string single_target(const Stream& stream, std::int64_t id);

// What EXPLAIN shows: one "GET …" line for each stream (the first batch of ids, and how many more),
// or why nothing is sent.
std::vector<std::string> describe_requests(const RequestPlan& plan);

struct Estimate {
    std::int64_t requests = 0;
    std::int64_t tokens = 0;
};
// Requests and tokens for about `rows` rows read from all streams together; every stream costs at
// least one request. Ids are expected in the first stream; unknown ones are `rows` many.
Estimate estimate(const RequestPlan& plan, std::int64_t rows);

// The same for the whole of a table, or of its archived or other lists only.
Estimate list_estimate(const Entity& entity, std::optional<bool> archived, std::int64_t rows,
                       int page_size);

// The same for so many ids of one stream, all of which it holds.
Estimate price_of_ids(const Stream& stream, std::size_t ids) noexcept;

} // namespace pipedrive
