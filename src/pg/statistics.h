// What the planner may assume of foreign columns, for which PostgreSQL has no statistics: how many
// distinct values a column has, from the row of its filter. Without it everything selects half a
// percent, and a join by id multiplies its rows.
#pragma once

#include "pg/pg_prelude.h"

#include "pg/table.h"

namespace pipedrive::pg {

// What get_rel_size keeps in RelOptInfo::fdw_private.
struct RelState {
    TableInfo* table;
    // Rows expected over the wire for what no outer value narrows, ids neither.
    double listed;
    // The same with outer values.
    double walked;
    // Rows expected over the wire without parameters.
    double fetched;
    // The size of the table is known, not guessed.
    bool known;
    // 1, 0: archived rows only, none of them; -1: all.
    int archived;
};

// Called once, when the library is loaded.
void offer_statistics();

} // namespace pipedrive::pg
