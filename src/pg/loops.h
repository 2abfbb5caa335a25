// How often a node of a plan is expected to run: the rows of the outer sides of the nested loops
// and correlated subplans that it is under. PostgreSQL tells a node only what one run of it brings.
#pragma once

#include "pg/pg_prelude.h"

namespace pipedrive::pg {

double expected_loops(const PlannedStmt* statement, const Plan* node);

} // namespace pipedrive::pg
