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
    // What a walk wants of it; all of the table otherwise.
    WalkPart part;
    // The end of the table, or of the part.
    bool came_to_its_end = false;
};

struct ExecState {
    // Of everything below; a child of the query's.
    MemoryContext context;
    // nullptr while EXPLAIN has not needed one.
    Connection* connection;
    Held<CoreScan>* held;
    const Entity* entity;
    int page_size;
    // Rows that a LIMIT above asks for, 0: not known.
    int limit_hint;
    // ExprState, for the values of the predicates.
    List* expressions;
    List* expression_nodes;
    bool started;
    // Columns that are wanted.
    int n_columns;
    // Index into the tuple of each wanted column.
    int* attributes;
    // Prepared with the first row, when every kind is known.
    Converter* converters;
    bool converters_ready;
    // Rows expected when the list is read.
    std::int64_t listed;
    // That is known, and no guess.
    bool known;
    // The executor may ask for the same rows again.
    bool rewinds;
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
