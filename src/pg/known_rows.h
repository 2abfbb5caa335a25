// Sizes of foreign tables as this session has seen them: rows of the last scan that read a whole
// table. Plain numbers for the planner.
#pragma once

#include "pg/pg_prelude.h"

namespace pipedrive::pg {

void note_rows(Oid relation, double rows);
// -1: no scan has read all of it.
double known_rows(Oid relation);

} // namespace pipedrive::pg
