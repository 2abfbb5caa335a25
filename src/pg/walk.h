// A walk over a foreign table in parts: sync() reads some pages, commits, and goes on later, after
// a crash too, where it stopped.
//
// A part is armed for one table and taken by the next scan of it; the end of a transaction or
// subtransaction disarms it, so that no other query ever sees part of a table.
#pragma once

#include "pg/pg_prelude.h"

#include "core/scan/scan.h"

namespace pipedrive::pg {

// The part that the scan of this table that begins now shall read; all of it when none is armed.
// Throws bad_alloc; inside entry() only.
WalkPart take_walk(Oid relation);

// Told by the scan when it has read everything it was to read. Throws bad_alloc; inside entry()
// only.
void finish_walk(Oid relation, const pipedrive::Scan& scan);

} // namespace pipedrive::pg
