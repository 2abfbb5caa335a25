// The requests of a plan: what each of them asks for, what EXPLAIN shows of them, what they cost.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/plan/request_plan.h"

namespace pipedrive {

// Where a page begins: after a cursor, or at the row of that number.
struct PageStart {
    std::string_view cursor = {};
    std::int64_t offset = 0;
};

// Whether some list ends before its last page.
bool stops_early(const RequestPlan& plan) noexcept;

// Adds the order to the parameters: newest first by that key, in place of the list's own.
void order_newest_first(Stream* stream, std::string_view key);

// "path?a=b&limit=500[&cursor=…]", percent-encoded. `ids` may be empty.
std::string request_target(const RequestPlan& plan, const Stream& stream, const KeyList& ids,
                           const PageStart& start = {});

// How many of `left` ids the next request asks for: 1 means path/{id}, which is chosen while it
// costs less than half of a batch, or where the list takes no ids; more mean a batch. 0: it takes
// neither, and all of the list has to be read.
std::size_t ids_in_next_request(const Endpoint& endpoint, std::size_t left) noexcept;

// "path/7?a=b": one record.
std::string single_target(const Stream& stream, std::string_view key);

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
