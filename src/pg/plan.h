// What the planner hands to the executor in fdw_private, by position.
#pragma once

#include "pg/pg_prelude.h"

namespace pipedrive::pg {

enum PlanItem {
    PlanItemText,    // String: plan_text.h
    PlanItemQuals,   // IntList: for each qual of the node the index of its predicate, -1: local
    PlanItemFetched, // Integer: rows expected to come over the wire
    PlanItemLimit,   // Integer: rows that a LIMIT above asks for, 0: not known
    PlanItemListed,  // Integer: the same when neither ids nor an outer side narrow them
    PlanItemKnown,   // Integer: 1 when the size of the table is known, not guessed
    PlanItemCount
};

void get_rel_size(PlannerInfo* root, RelOptInfo* rel, Oid relation);
void get_paths(PlannerInfo* root, RelOptInfo* rel, Oid relation);
ForeignScan* get_plan(PlannerInfo* root, RelOptInfo* rel, Oid relation, ForeignPath* path,
                      List* tlist, List* clauses, Plan* outer);

} // namespace pipedrive::pg
