// The part of a query plan that PostgreSQL keeps for us: one versioned text, written when the query
// is planned, read when it runs.
//
// It holds names and numbers, never pointers and never values: plans are cached, copied and run
// again.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/catalog/binding.h"
#include "core/plan/predicate.h"

namespace pipedrive {

struct ScanPlan {
    std::string entity;
    // Wanted ones.
    std::vector<DeclaredColumn> columns;
    std::vector<Predicate> predicates;
};

std::string write_plan(const ScanPlan& plan);

// Throws Error{Internal} for anything write_plan of this version would not have written.
ScanPlan read_plan(std::string_view text);

} // namespace pipedrive
