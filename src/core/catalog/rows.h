// What the rows of all families share. For the files of rows only.
//
// Facts: the published OpenAPI documents and recorded answers; every column but the key may be
// NULL.
#pragma once

#include "core/catalog/entities.h"

namespace pipedrive {

using enum Kind;
using enum Presence;
inline constexpr Presence kOpt = Optional;

inline constexpr std::string_view kIdsReason =
    "The API answers with the rows of these ids and leaves out unknown ones without an error.";
inline constexpr std::string_view kEqualReason =
    "The parameter selects the rows whose field has this value.";
inline constexpr std::string_view kWindowReason =
    "updated_since is inclusive, updated_until exclusive, both in whole seconds: bounds are "
    "widened to them. The API may also "
    "return rows that were never changed (update_time is null).";
inline constexpr std::string_view kSinceReason =
    "updated_since is inclusive, in whole seconds: the bound is widened to them; an upper bound is "
    "checked here. The API may also return rows that were never changed (update_time is null).";
inline constexpr std::string_view kNewestReason =
    "The list is read newest first (sort_by=add_time, descending) until a row is older than the "
    "bound, as long as its rows come in that order; rows without add_time cannot satisfy it.";
inline constexpr std::string_view kNewestV1Reason =
    "The list is read newest first (sort=add_time DESC) until a row is older than the bound, as "
    "long as its rows come in that order; rows without add_time cannot satisfy it.";
inline constexpr Exactness kExact = Exactness::Exact, kSuperset = Exactness::Superset;

constexpr Filter ids_filter() {
    return {.column = "id",
            .kind = FilterKind::Ids,
            .parameter = "ids",
            .best = kExact,
            .selects = 1,
            .reason = kIdsReason};
}
constexpr Filter equal_filter(std::string_view column, double selects,
                              std::string_view reason = kEqualReason) {
    return {.column = column,
            .kind = FilterKind::Equal,
            .parameter = column,
            .best = kExact,
            .selects = selects,
            .reason = reason};
}
constexpr Filter since_filter() {
    return {.column = "update_time",
            .kind = FilterKind::Window,
            .parameter = "updated_since",
            .best = kSuperset,
            .selects = 0.1,
            .reason = kSinceReason};
}
constexpr Filter window_filter() {
    return {.column = "update_time",
            .kind = FilterKind::Window,
            .parameter = "updated_since, updated_until",
            .best = kSuperset,
            .selects = 0.1,
            .reason = kWindowReason};
}
constexpr Filter archived_filter() {
    return {.column = "is_archived",
            .kind = FilterKind::Endpoint,
            .parameter = "(choice of list)",
            .best = kExact,
            .selects = 0.1,
            .reason = "The column is by definition which of the two lists a row came from."};
}
// Where a list is sorted by one word, v1's.
constexpr Filter newest_v1_filter() {
    return {.column = "add_time",
            .kind = FilterKind::Newest,
            .parameter = "sort",
            .best = kSuperset,
            .selects = 0.1,
            .reason = kNewestV1Reason};
}
constexpr Filter newest_filter() {
    return {.column = "add_time",
            .kind = FilterKind::Newest,
            .parameter = "sort_by, sort_direction",
            .best = kSuperset,
            .selects = 0.1,
            .reason = kNewestReason};
}

// One a file of rows; entities.cpp names them in the order in which IMPORT makes their tables.
extern const std::span<const Entity> kDealFamily, kContactFamily, kActivityFamily, kPipelineFamily,
    kUserFamily, kProductFamily, kLeadFamily, kNoteFamily, kListFamily;

} // namespace pipedrive
