// What the running statement may spend: one budget for a query and everything that its functions
// run. A cursor keeps its budget from fetch to fetch; each statement of a DO block or procedure has
// its own, so that sync() is not one statement.
#pragma once

#include "pg/pg_prelude.h"

#include <memory>

#include "core/http/budget.h"

namespace pipedrive::pg {

// Of the outermost statement that is running; a new one when none is. Calls nothing of PostgreSQL.
// Throws bad_alloc; inside entry() only.
std::shared_ptr<Budget> statement_budget();

// For a utility command that sends requests of its own: one budget until the context that comes
// back is deleted, by the caller or by an error.
MemoryContext begin_spending();

// Called once, when the library is loaded.
void watch_statements();

} // namespace pipedrive::pg
