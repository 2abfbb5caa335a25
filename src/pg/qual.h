// From PostgreSQL's expression trees to the core's predicates, and from run-time Datums to the
// core's values.
#pragma once

#include "pg/pg_prelude.h"

#include "core/plan/predicate.h"

namespace pipedrive::pg {

// One column of the foreign table as far as push-down is concerned.
struct QualColumn {
    AttrNumber attnum;
    // Name of the catalogue column whose filter applies; nullptr: not pushable.
    const char* filter;
    // What its filter takes: a text column bound to an id must not be pushed as words.
    Value::Type type;
};

// A clause that can be pushed: plain data. `value` is the expression to evaluate at run time,
// nullptr for IsTrue and IsFalse.
struct PushedQual {
    const char* column;
    Op op;
    Expr* value;
};

// True when the clause restricts one of the columns in a way the core understands. Leaf.
bool recognise_qual(PlannerInfo* root, RelOptInfo* rel, Expr* clause, const QualColumn* columns,
                    int n, PushedQual* out);

// A run-time value as plain data. Arrays are palloc'd.
struct PodValue {
    Value::Type type;
    int count;
    int64* ints;
    // UTF-8.
    char** words;
    int64 time;
    bool flag;
    const char* symbol;
};

// Converts what `expr` evaluated to. Leaf.
void pod_value(Expr* expr, Datum datum, bool isnull, PodValue* out);

// Throws bad_alloc; inside entry() only.
Value to_value(const PodValue& pod);

} // namespace pipedrive::pg
