// Executor state of one foreign scan.
#pragma once

#include "pg/pg_prelude.h"

#include <optional>

#include "core/plan/plan_text.h"
#include "core/scan/repeated_scan.h"
#include "pg/connection.h"
#include "pg/datum.h"
#include "pg/guard.h"
#include "pg/qual.h"

namespace pipedrive::pg {

// The core's side; lives on the C++ heap, destroyed by a memory context.
struct CoreScan {
    ScanPlan plan;
    Account account;
    std::optional<RepeatedScan> scan;
    WaitFor wait;
    std::vector<Value> values;
    WalkPart part;                // what a walk wants of it; all of the table otherwise
    bool came_to_its_end = false; // of the table, or of the part
};

struct ExecState {
    MemoryContext context;  // of everything below; a child of the query's
    Connection* connection; // nullptr while EXPLAIN has not needed one
    Held<CoreScan>* held;
    const Entity* entity;
    int page_size;
    int limit_hint;    // rows that a LIMIT above asks for, 0: not known
    List* expressions; // ExprState, for the values of the predicates
    List* expression_nodes;
    bool started;
    int n_columns;         // wanted
    int* attributes;       // index into the tuple of each wanted column
    Converter* converters; // prepared with the first row, when every kind is known
    bool converters_ready;
    std::int64_t listed; // rows expected when the list is read
    bool known;          // and this is no guess
    bool rewinds;        // the executor may ask for the same rows again
};

void begin_scan(ForeignScanState* node, int eflags);
TupleTableSlot* iterate_scan(ForeignScanState* node);
void rescan(ForeignScanState* node);
void end_scan(ForeignScanState* node);
void explain_scan(ForeignScanState* node, ExplainState* es);

// Evaluates the predicates' expressions. With `explain_only`, expressions that need a running plan
// stay unknown and keep their text.
PodValue* evaluate_values(ForeignScanState* node, bool explain_only, List* deparse_context);

} // namespace pipedrive::pg
