// Planner callbacks: which clauses are pushed, what a scan will cost, the plan text. No request is
// made here.
#include "pg/pg_prelude.h"

#include "pg/plan.h"

#include "core/catalog/options.h"
#include "core/plan/plan_text.h"
#include "core/plan/request_plan.h"
#include "pg/guard.h"
#include "pg/settings.h"
#include "pg/table.h"

namespace pipedrive::pg {
namespace {

// A request takes about as long as reading this many sequential pages; a decoded row is a little
// dearer than a local one.
constexpr Cost kRequestCost = 100.0;
constexpr Cost kRowCost = 0.02;

struct RelState {
    TableInfo* table;
    double fetched; // rows expected over the wire without parameters
};

bool recognise(PlannerInfo* root, RelOptInfo* rel, const TableInfo* table, Expr* clause,
               PushedQual* out) {
    return enable_pushdown &&
           recognise_qual(root, rel, clause, table->filters, table->n_columns, out);
}

bool is_id_lookup(const RelState* state, const PushedQual& qual) {
    const Filter* filter = find_filter(*state->table->entity, qual.column);
    return filter != nullptr && filter->kind == FilterKind::Ids;
}

// Rows an id lookup can find at most: ids are unique.
double ids_in(PlannerInfo* root, const PushedQual& qual) {
    return qual.op == Op::AnyOf ? array_length_estimate(root, reinterpret_cast<Node*>(qual.value))
                                : 1.0;
}

// Requests a scan that fetches `rows` rows makes, for costing.
double request_count(const RelState* state, double rows, bool by_ids) {
    const double lists = static_cast<double>(state->table->entity->endpoints.size());
    const double page = by_ids                        ? kIdsPerRequest
                        : state->table->page_size > 0 ? state->table->page_size
                                                      : kDefaultPageSize;
    return Max(1.0, ceil(rows / page)) + lists - 1;
}

void add_path_for(PlannerInfo* root, RelOptInfo* rel, const RelState* state, double rows,
                  double fetched, bool by_ids, Relids outer) {
    const double requests = request_count(state, fetched, by_ids);
    const Cost startup = kRequestCost;
    const Cost total = requests * kRequestCost + fetched * kRowCost + rows * cpu_tuple_cost;
    add_path(rel, reinterpret_cast<Path*>(foreign_path(root, rel, rows, startup, total, outer)));
}

// Join clauses and equivalences that compare the id with another relation: each gives a path that
// looks rows up by id.
bool is_id_column(PlannerInfo*, RelOptInfo* rel, EquivalenceClass*, EquivalenceMember* member,
                  void* arg) {
    auto* state = static_cast<RelState*>(arg);
    Expr* expr = member->em_expr;
    if (!IsA(expr, Var) || static_cast<Index>(reinterpret_cast<Var*>(expr)->varno) != rel->relid)
        return false;
    for (int i = 0; i < state->table->n_columns; ++i) {
        const QualColumn& column = state->table->filters[i];
        if (column.attnum != reinterpret_cast<Var*>(expr)->varattno || column.filter == nullptr)
            continue;
        const Filter* filter = find_filter(*state->table->entity, column.filter);
        return filter != nullptr && filter->kind == FilterKind::Ids;
    }
    return false;
}

void add_lookup_path(PlannerInfo* root, RelOptInfo* rel, const RelState* state,
                     RestrictInfo* clause) {
    PushedQual qual;
    if (!join_clause_is_movable_to(clause, rel) ||
        !recognise(root, rel, state->table, clause->clause, &qual) || !is_id_lookup(state, qual))
        return;
    Relids outer = bms_del_member(bms_union(clause->clause_relids, rel->lateral_relids),
                                  static_cast<int>(rel->relid));
    if (bms_is_empty(outer)) return;
    ParamPathInfo* info = get_baserel_parampathinfo(root, rel, outer);
    info->ppi_rows = Min(info->ppi_rows, ids_in(root, qual));
    add_path_for(root, rel, state, info->ppi_rows, Max(1.0, info->ppi_rows), true, outer);
}

// Attributes anything above or in the scan needs. All clauses are rechecked, so all their columns
// are.
// Not the target list of the plan: it may be the whole row only because that is cheap for a local
// table.
Bitmapset* wanted_attributes(RelOptInfo* rel, List* clauses) {
    Bitmapset* wanted = nullptr;
    pull_varattnos(reinterpret_cast<Node*>(rel->reltarget->exprs), rel->relid, &wanted);
    pull_varattnos(reinterpret_cast<Node*>(clauses), rel->relid, &wanted);
    return wanted;
}

struct PodPlan {
    const TableInfo* table;
    const bool* wanted; // by column
    int n_quals;
    const PushedQual* quals;
    const int* values; // index of each qual's expression
};

std::string plan_text(const PodPlan& pod) {
    ScanPlan plan;
    plan.entity = pod.table->entity->name;
    plan.page_size = pod.table->page_size;
    for (int i = 0; i < pod.table->n_columns; ++i) {
        if (!pod.wanted[i]) continue;
        DeclaredColumn column = declared(pod.table->columns[i]);
        bind_column(*pod.table->entity,
                    column); // a column that nothing can back fails here, by its name
        plan.columns.push_back(std::move(column));
    }
    for (int i = 0; i < pod.n_quals; ++i)
        plan.predicates.push_back({pod.quals[i].column, pod.quals[i].op, pod.values[i]});
    return write_plan(plan);
}

// A number of rows as a plan can carry it; what is not known (negative) is 0.
Node* rows_integer(double rows) {
    return reinterpret_cast<Node*>(
        makeInteger(static_cast<int>(Max(0.0, Min(rows, 2000000000.0)))));
}

bool* wanted_columns(const TableInfo* table, Bitmapset* attributes) {
    bool* wanted = static_cast<bool*>(palloc0(sizeof(bool) * (table->n_columns + 1)));
    const bool whole_row = bms_is_member(0 - FirstLowInvalidHeapAttributeNumber, attributes);
    for (int i = 0; i < table->n_columns; ++i)
        wanted[i] = whole_row ||
                    bms_is_member(table->columns[i].attnum - FirstLowInvalidHeapAttributeNumber,
                                  attributes);
    return wanted;
}

} // namespace

void get_rel_size(PlannerInfo* root, RelOptInfo* rel, Oid relation) {
    auto* state = static_cast<RelState*>(palloc0(sizeof(RelState)));
    rel->fdw_private = state;
    state->table = table_info(relation);
    // Without ANALYZE nothing is known of the account; the catalogue has a guess for each entity.
    if (rel->tuples <= 0) rel->tuples = static_cast<double>(state->table->entity->guessed_rows);
    set_baserel_size_estimates(root, rel);
    List* pushed = NIL;
    double ids = rel->tuples;
    ListCell* lc;
    foreach (lc, rel->baserestrictinfo) {
        PushedQual qual;
        if (!recognise(root, rel, state->table, lfirst_node(RestrictInfo, lc)->clause, &qual))
            continue;
        pushed = lappend(pushed, lfirst(lc));
        if (is_id_lookup(state, qual)) ids = Min(ids, ids_in(root, qual));
    }
    const Selectivity selectivity = clauselist_selectivity(root, pushed, 0, JOIN_INNER, nullptr);
    rel->rows = Min(rel->rows, ids);
    state->fetched = Min(ids, Max(rel->rows, clamp_row_est(rel->tuples * selectivity)));
}

void get_paths(PlannerInfo* root, RelOptInfo* rel, Oid) {
    auto* state = static_cast<RelState*>(rel->fdw_private);
    bool by_ids = false;
    ListCell* lc;
    foreach (lc, rel->baserestrictinfo) {
        PushedQual qual;
        if (recognise(root, rel, state->table, lfirst_node(RestrictInfo, lc)->clause, &qual))
            by_ids = by_ids || is_id_lookup(state, qual);
    }
    add_path_for(root, rel, state, rel->rows, state->fetched, by_ids, rel->lateral_relids);
    foreach (lc, rel->joininfo)
        add_lookup_path(root, rel, state, lfirst_node(RestrictInfo, lc));
    if (!rel->has_eclass_joins) return;
    List* clauses = generate_implied_equalities_for_column(root, rel, is_id_column, state,
                                                           rel->lateral_referencers);
    foreach (lc, clauses)
        add_lookup_path(root, rel, state, lfirst_node(RestrictInfo, lc));
}

ForeignScan* get_plan(PlannerInfo* root, RelOptInfo* rel, Oid, ForeignPath* path, List* tlist,
                      List* clauses, Plan* outer) {
    auto* state = static_cast<RelState*>(rel->fdw_private);
    clauses = extract_actual_clauses(clauses, false);
    PodPlan pod;
    pod.table = state->table;
    pod.n_quals = 0;
    auto* quals = static_cast<PushedQual*>(palloc(sizeof(PushedQual) * (list_length(clauses) + 1)));
    auto* values = static_cast<int*>(palloc(sizeof(int) * (list_length(clauses) + 1)));
    List* expressions = NIL;
    List* which = NIL;
    ListCell* lc;
    foreach (lc, clauses) {
        PushedQual* qual = &quals[pod.n_quals];
        if (!recognise(root, rel, state->table, static_cast<Expr*>(lfirst(lc)), qual)) {
            which = lappend_int(which, -1);
            continue;
        }
        which = lappend_int(which, pod.n_quals);
        values[pod.n_quals++] = qual->value == nullptr ? -1 : list_length(expressions);
        if (qual->value != nullptr) expressions = lappend(expressions, qual->value);
    }
    pod.quals = quals;
    pod.values = values;
    pod.wanted = wanted_columns(state->table, wanted_attributes(rel, clauses));
    char* text = entry_text({}, [&] { return plan_text(pod); });
    const double fetched =
        path->path.param_info != nullptr ? Max(1.0, path->path.rows) : state->fetched;
    List* fdw_private = list_make4(makeString(text), which, rows_integer(fetched),
                                   rows_integer(root->limit_tuples));
    return make_foreignscan(tlist, clauses, rel->relid, expressions, fdw_private, NIL, NIL, outer);
}

} // namespace pipedrive::pg
