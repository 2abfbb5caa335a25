#include "pg/pg_prelude.h"

extern "C" {
#include "utils/fmgrprotos.h"
}

#include "pg/qual.h"

namespace pipedrive::pg {
namespace {

// Operators by name; only PostgreSQL's own. The commuted form is for "value op column".
struct OperatorRow {
    const char* name;
    Op op;
    Op commuted;
};
constexpr OperatorRow kOperators[] = {
    {"=", Op::Eq, Op::Eq}, {"<", Op::Lt, Op::Gt},  {"<=", Op::Le, Op::Ge},
    {">", Op::Gt, Op::Lt}, {">=", Op::Ge, Op::Le},
};

// Which types compare with which, and what the value becomes. The column's type must be `column`,
// the value's `value`.
struct TypePair {
    Oid column, value;
    Value::Type type;
    // < and > as well as =.
    bool ordered;
};
constexpr TypePair kPairs[] = {
    {INT8OID, INT8OID, Value::Type::Ints, false},
    {INT8OID, INT4OID, Value::Type::Ints, false},
    {INT8OID, INT2OID, Value::Type::Ints, false},
    {INT4OID, INT8OID, Value::Type::Ints, false},
    {INT4OID, INT4OID, Value::Type::Ints, false},
    {INT4OID, INT2OID, Value::Type::Ints, false},
    {TEXTOID, TEXTOID, Value::Type::Words, false},
    {UUIDOID, UUIDOID, Value::Type::Uuids, false},
    {TIMESTAMPTZOID, TIMESTAMPTZOID, Value::Type::Time, true},
    {TIMESTAMPTZOID, TIMESTAMPOID, Value::Type::Time, true},
    {TIMESTAMPTZOID, DATEOID, Value::Type::Time, true},
    {BOOLOID, BOOLOID, Value::Type::Flag, false},
};

const TypePair* type_pair(Oid column, Oid value) {
    for (const TypePair& pair : kPairs)
        if (pair.column == column && pair.value == value) return &pair;
    return nullptr;
}

const OperatorRow* operator_row(Oid opno) {
    HeapTuple tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(opno));
    if (!HeapTupleIsValid(tuple)) return nullptr;
    auto* form = reinterpret_cast<Form_pg_operator>(GETSTRUCT(tuple));
    const OperatorRow* found = nullptr;
    if (form->oprnamespace == PG_CATALOG_NAMESPACE)
        for (const OperatorRow& row : kOperators)
            if (strcmp(NameStr(form->oprname), row.name) == 0) found = &row;
    ReleaseSysCache(tuple);
    return found;
}

struct Context {
    PlannerInfo* root;
    RelOptInfo* rel;
    const QualColumn* columns;
    int n;
};

// The column that the expression is, if it has a filter; else nullptr.
const QualColumn* column_of(const Context& cx, Expr* expr) {
    if (IsA(expr, RelabelType))
        expr = reinterpret_cast<RelabelType*>(expr)->arg; // varchar shown as text
    if (!IsA(expr, Var)) return nullptr;
    Var* var = reinterpret_cast<Var*>(expr);
    if (static_cast<Index>(var->varno) != cx.rel->relid || var->varlevelsup != 0) return nullptr;
    for (int i = 0; i < cx.n; ++i)
        if (cx.columns[i].attnum == var->varattno && cx.columns[i].filter != nullptr)
            return &cx.columns[i];
    return nullptr;
}

// A value that is fixed while one scan runs: no column of this table, nothing volatile, no
// correlated subquery.
bool is_fixed(const Context& cx, Expr* expr) {
    return !bms_is_member(static_cast<int>(cx.rel->relid),
                          pull_varnos(cx.root, reinterpret_cast<Node*>(expr))) &&
           !contain_volatile_functions(reinterpret_cast<Node*>(expr)) &&
           !contain_subplans(reinterpret_cast<Node*>(expr));
}

// Words may be compared by the API only when SQL's equality means the same bytes.
bool same_bytes(Oid collation) {
    return !OidIsValid(collation) || get_collation_isdeterministic(collation);
}

bool from_operator(const Context& cx, OpExpr* op, PushedQual* out) {
    const OperatorRow* row = list_length(op->args) == 2 ? operator_row(op->opno) : nullptr;
    if (row == nullptr || !same_bytes(op->inputcollid)) return false;
    Expr* left = static_cast<Expr*>(linitial(op->args));
    Expr* right = static_cast<Expr*>(lsecond(op->args));
    Op meaning = row->op;
    const QualColumn* column = column_of(cx, left);
    if (column == nullptr) {
        column = column_of(cx, right);
        Expr* swap = left;
        left = right;
        right = swap;
        meaning = row->commuted;
    }
    if (column == nullptr || !is_fixed(cx, right)) return false;
    const TypePair* pair = type_pair(exprType(reinterpret_cast<Node*>(left)),
                                     exprType(reinterpret_cast<Node*>(right)));
    if (pair == nullptr || pair->type != column->type || (meaning != Op::Eq && !pair->ordered))
        return false;
    *out = {column->filter, meaning, right};
    return true;
}

bool from_array(const Context& cx, ScalarArrayOpExpr* op, PushedQual* out) {
    const OperatorRow* row = op->useOr ? operator_row(op->opno) : nullptr;
    if (row == nullptr || row->op != Op::Eq || !same_bytes(op->inputcollid)) return false;
    Expr* left = static_cast<Expr*>(linitial(op->args));
    Expr* right = static_cast<Expr*>(lsecond(op->args));
    const QualColumn* column = column_of(cx, left);
    if (column == nullptr || !is_fixed(cx, right)) return false;
    const Oid element = get_element_type(exprType(reinterpret_cast<Node*>(right)));
    const TypePair* pair =
        OidIsValid(element) ? type_pair(exprType(reinterpret_cast<Node*>(left)), element) : nullptr;
    if (pair == nullptr || pair->type != column->type || pair->type == Value::Type::Time ||
        pair->type == Value::Type::Flag)
        return false;
    *out = {column->filter, Op::AnyOf, right};
    return true;
}

// "done", "NOT done", "done IS TRUE", "done IS FALSE". IS NOT TRUE would also select NULLs and
// stays here.
bool from_boolean(const Context& cx, Expr* clause, PushedQual* out) {
    Op op = Op::IsTrue;
    if (IsA(clause, BoolExpr) && reinterpret_cast<BoolExpr*>(clause)->boolop == NOT_EXPR) {
        op = Op::IsFalse;
        clause = static_cast<Expr*>(linitial(reinterpret_cast<BoolExpr*>(clause)->args));
    } else if (IsA(clause, BooleanTest)) {
        auto* test = reinterpret_cast<BooleanTest*>(clause);
        if (test->booltesttype != IS_TRUE && test->booltesttype != IS_FALSE) return false;
        op = test->booltesttype == IS_TRUE ? Op::IsTrue : Op::IsFalse;
        clause = test->arg;
    }
    const QualColumn* column =
        IsA(clause, Var) && exprType(reinterpret_cast<Node*>(clause)) == BOOLOID
            ? column_of(cx, clause)
            : nullptr;
    if (column == nullptr || column->type != Value::Type::Flag) return false;
    *out = {column->filter, op, nullptr};
    return true;
}

int64 int_of(Oid type, Datum datum) {
    if (type == INT8OID) return DatumGetInt64(datum);
    return type == INT4OID ? DatumGetInt32(datum) : DatumGetInt16(datum);
}

// PostgreSQL compares timestamptz with date and timestamp in the session's time zone, and
// out-of-range ones as infinities.
int64 time_of(Oid type, Datum datum) {
    int overflow = 0;
    TimestampTz t = type == DATEOID
                        ? date2timestamptz_opt_overflow(DatumGetDateADT(datum), &overflow)
                    : type == TIMESTAMPOID
                        ? timestamp2timestamptz_opt_overflow(DatumGetTimestamp(datum), &overflow)
                        : DatumGetTimestampTz(datum);
    if (overflow != 0) return overflow > 0 ? kAfterAll : kBeforeAll;
    if (TIMESTAMP_IS_NOBEGIN(t)) return kBeforeAll;
    return TIMESTAMP_IS_NOEND(t) ? kAfterAll : t;
}

char* utf8_of(Datum datum) {
    char* word = TextDatumGetCString(datum);
    return pg_server_to_any(word, static_cast<int>(strlen(word)), PG_UTF8);
}

void add_scalar(Oid type, Datum datum, PodValue* out) {
    switch (type) {
        case INT8OID:
        case INT4OID:
        case INT2OID:
            out->type = Value::Type::Ints;
            out->ints[out->count++] = int_of(type, datum);
            break;
        case TEXTOID:
            out->type = Value::Type::Words;
            out->words[out->count++] = utf8_of(datum);
            break;
        case UUIDOID:
            out->type = Value::Type::Uuids;
            out->words[out->count++] = DatumGetCString(DirectFunctionCall1(uuid_out, datum));
            break;
        case BOOLOID:
            out->type = Value::Type::Flag;
            out->flag = DatumGetBool(datum);
            break;
        default:
            out->type = Value::Type::Time;
            out->time = time_of(type, datum);
    }
}

void add_array(Oid element, Datum datum, PodValue* out) {
    int16 length;
    bool by_value;
    char align;
    get_typlenbyvalalign(element, &length, &by_value, &align);
    Datum* items;
    bool* nulls;
    int n;
    deconstruct_array(DatumGetArrayTypeP(datum), element, length, by_value, align, &items, &nulls,
                      &n);
    out->type = element == TEXTOID   ? Value::Type::Words
                : element == UUIDOID ? Value::Type::Uuids
                                     : Value::Type::Ints;
    out->ints = static_cast<int64*>(palloc(sizeof(int64) * (n + 1)));
    out->words = static_cast<char**>(palloc(sizeof(char*) * (n + 1)));
    for (int i = 0; i < n; ++i)
        if (!nulls[i]) add_scalar(element, items[i], out); // a NULL element makes no row true
}

} // namespace

bool recognise_qual(PlannerInfo* root, RelOptInfo* rel, Expr* clause, const QualColumn* columns,
                    int n, PushedQual* out) {
    const Context cx{root, rel, columns, n};
    if (IsA(clause, OpExpr)) return from_operator(cx, reinterpret_cast<OpExpr*>(clause), out);
    if (IsA(clause, ScalarArrayOpExpr))
        return from_array(cx, reinterpret_cast<ScalarArrayOpExpr*>(clause), out);
    return from_boolean(cx, clause, out);
}

void pod_value(Expr* expr, Datum datum, bool isnull, PodValue* out) {
    memset(out, 0, sizeof(*out));
    out->type = Value::Type::Null;
    if (isnull) return;
    const Oid type = exprType(reinterpret_cast<Node*>(expr));
    const Oid element = get_element_type(type);
    if (OidIsValid(element)) return add_array(element, datum, out);
    out->ints = static_cast<int64*>(palloc(sizeof(int64)));
    out->words = static_cast<char**>(palloc(sizeof(char*)));
    add_scalar(type, datum, out);
}

Value to_value(const PodValue& pod) {
    Value v;
    v.type = pod.type;
    v.time = pod.time;
    v.flag = pod.flag;
    if (pod.symbol != nullptr) v.symbol = pod.symbol;
    for (int i = 0; i < pod.count; ++i) {
        if (pod.type == Value::Type::Ints) v.ints.push_back(pod.ints[i]);
        if (pod.type == Value::Type::Words || pod.type == Value::Type::Uuids)
            v.words.emplace_back(pod.words[i]);
    }
    return v;
}

} // namespace pipedrive::pg
