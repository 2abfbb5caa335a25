// What the planner hands to the executor in fdw_private, by position.
#pragma once

#include "pg/pg_prelude.h"

namespace pipedrive::pg {

enum PlanItem {
    // String: plan_text.h.
    PlanItemText,
    // IntList: for each qual of the node the index of its predicate, -1: local.
    PlanItemQuals,
    // Integer: rows expected to come over the wire.
    PlanItemFetched,
    // Integer: rows that a LIMIT above asks for, 0: not known.
    PlanItemLimit,
    // Integer: the same when neither ids nor an outer side narrow them.
    PlanItemListed,
    // Integer: 1 when the size of the table is known, not guessed.
    PlanItemKnown,
    PlanItemCount
};

void get_rel_size(PlannerInfo* root, RelOptInfo* rel, Oid relation);
void get_paths(PlannerInfo* root, RelOptInfo* rel, Oid relation);
ForeignScan* get_plan(PlannerInfo* root, RelOptInfo* rel, Oid relation, ForeignPath* path,
                      List* tlist, List* clauses, Plan* outer);

} // namespace pipedrive::pg
