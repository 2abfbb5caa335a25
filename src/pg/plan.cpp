// Planner callbacks: which clauses are pushed, what a scan will cost, the plan text. No request is
// made here.
#include "pg/pg_prelude.h"

#include "pg/plan.h"

#include "core/catalog/options.h"
#include "core/plan/plan_text.h"
#include "core/plan/requests.h"
#include "pg/guard.h"
#include "pg/known_rows.h"
#include "pg/settings.h"
#include "pg/statistics.h"
#include "pg/table.h"

namespace pipedrive::pg {
namespace {

// A request takes about as long as reading this many sequential pages, and so does what its tokens
// are worth: a list is chosen over lookups where it costs up to twice as many tokens, as it needs a
// tenth of the requests. A decoded row is a little dearer than a local one.
constexpr Cost kRequestCost = 50.0;
constexpr Cost kTokenCost = 40.0;
constexpr Cost kRowCost = 0.02;

bool recognise(PlannerInfo* root, RelOptInfo* rel, const TableInfo* table, Expr* clause,
               PushedQual* out) {
    return enable_pushdown &&
           recognise_qual(root, rel, clause, table->filters, table->n_columns, out);
}

bool is_id_lookup(const RelState* state, const PushedQual& qual) {
    const Filter* filter = find_filter(*state->table->entity, qual.column);
    return filter != nullptr && is_lookup(filter->kind);
}

// Rows an id lookup can find at most: ids are unique.
double ids_in(PlannerInfo* root, const PushedQual& qual) {
    return qual.op == Op::AnyOf ? array_length_estimate(root, reinterpret_cast<Node*>(qual.value))
                                : 1.0;
}

std::int64_t whole(double rows) {
    return static_cast<std::int64_t>(Min(rows, 1e15));
}

struct ScanCost {
    double rows, fetched;
    Relids outer;
    Estimate price;
};

void add_path_for(PlannerInfo* root, RelOptInfo* rel, const ScanCost& p) {
    const Cost requests = static_cast<double>(p.price.requests) * kRequestCost +
                          static_cast<double>(p.price.tokens) * kTokenCost;
    const Cost startup = requests / static_cast<double>(Max(p.price.requests, 1));
    const Cost total = requests + p.fetched * kRowCost + p.rows * cpu_tuple_cost;
    add_path(rel,
             reinterpret_cast<Path*>(foreign_path(root, rel, p.rows, startup, total, p.outer)));
}

Estimate price_of_lookup(const RelState* state, double ids) {
    const Entity* entity = state->table->entity;
    return entry({}, [&] {
        const Stream first = {&entity->endpoints.front(), {}};
        return price_of_ids(first, static_cast<std::size_t>(whole(ids)));
    });
}

Estimate price_of_list(const RelState* state) {
    const RelState& s = *state;
    return entry({}, [&] {
        return list_estimate(*s.table->entity,
                             s.archived < 0 ? std::nullopt : std::optional(s.archived > 0),
                             whole(s.walked), s.table->page_size);
    });
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
        return filter != nullptr && is_lookup(filter->kind);
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
    const double ids = ids_in(root, qual);
    info->ppi_rows = Min(info->ppi_rows, ids);
    add_path_for(root, rel,
                 {info->ppi_rows, Max(1.0, info->ppi_rows), outer, price_of_lookup(state, ids)});
}

// Attributes anything above or in the scan needs. All clauses are rechecked, so all their columns
// are. Not the target list of the plan: it may be the whole row only because that is cheap for a
// local table.
Bitmapset* wanted_attributes(RelOptInfo* rel, List* clauses) {
    Bitmapset* wanted = nullptr;
    pull_varattnos(reinterpret_cast<Node*>(rel->reltarget->exprs), rel->relid, &wanted);
    pull_varattnos(reinterpret_cast<Node*>(clauses), rel->relid, &wanted);
    return wanted;
}

struct PodPlan {
    const TableInfo* table;
    // By column.
    const bool* wanted;
    int n_quals;
    const PushedQual* quals;
    // Index of each qual's expression.
    const int* values;
};

std::string plan_text(const PodPlan& pod) {
    ScanPlan plan;
    plan.entity = pod.table->entity->name;
    for (int i = 0; i < pod.table->n_columns; ++i) {
        if (!pod.wanted[i]) continue;
        DeclaredColumn column = declared(pod.table->columns[i]);
        // A column that nothing can back fails here, by its name.
        bind_column(*pod.table->entity, column);
        plan.columns.push_back(std::move(column));
    }
    for (int i = 0; i < pod.n_quals; ++i)
        plan.predicates.push_back({pod.quals[i].column, pod.quals[i].op, pod.values[i]});
    return write_plan(plan);
}

// A number of rows as a plan can carry it; what is not known (negative) is 0.
int plan_number(double rows) {
    return static_cast<int>(Max(0.0, Min(rows, 2000000000.0)));
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

namespace {

// Whether an expression takes a value from an outer query: another one with each run.
bool has_outer_value(Node* node, void* arg) {
    if (node == nullptr) return false;
    if (IsA(node, Param)) return reinterpret_cast<Param*>(node)->paramkind == PARAM_EXEC;
    return expression_tree_walker(node, walker(has_outer_value), arg);
}

// What a pushed clause selects, where the planner's own guess has nothing to go by: bounds of
// times, taken together, and which of the lists. 0: the planner knows better.
double selectivity_of(RelState* state, const PushedQual& qual, bool* bounded) {
    const Filter* filter = find_filter(*state->table->entity, qual.column);
    if (filter == nullptr) return 0;
    switch (filter->kind) {
        case FilterKind::Window:
        case FilterKind::Newest:
            if (*bounded) return 1;
            *bounded = true;
            return filter->selects;
        case FilterKind::Endpoint:
            if (qual.op != Op::IsTrue && qual.op != Op::IsFalse) return 0;
            state->archived = qual.op == Op::IsTrue ? 1 : 0;
            return qual.op == Op::IsTrue ? filter->selects : 1 - filter->selects;
        default:
            return 0;
    }
}

} // namespace

void get_rel_size(PlannerInfo* root, RelOptInfo* rel, Oid relation) {
    auto* state = static_cast<RelState*>(palloc0(sizeof(RelState)));
    rel->fdw_private = state;
    state->table = table_info(relation);
    state->archived = -1;
    // Where no scan has told, nothing is known of the account; the catalogue has a guess.
    state->known = known_rows(relation) >= 0;
    if (state->known)
        rel->tuples = Max(1.0, known_rows(relation));
    else if (rel->tuples <= 0)
        rel->tuples = static_cast<double>(state->table->entity->guessed_rows);
    set_baserel_size_estimates(root, rel);
    List *pushed = NIL, *steady = NIL, *local = NIL;
    double ids = rel->tuples, share = 1, steady_share = 1;
    bool bounded = false;
    ListCell* lc;
    foreach (lc, rel->baserestrictinfo) {
        PushedQual qual;
        if (!recognise(root, rel, state->table, lfirst_node(RestrictInfo, lc)->clause, &qual)) {
            local = lappend(local, lfirst(lc));
            continue;
        }
        const double own = selectivity_of(state, qual, &bounded);
        const bool varies = has_outer_value(reinterpret_cast<Node*>(qual.value), nullptr);
        if (is_id_lookup(state, qual))
            ids = Min(ids, ids_in(root, qual));
        else if (own > 0)
            share *= own, steady_share *= varies ? 1 : own;
        else
            pushed = lappend(pushed, lfirst(lc));
        if (own <= 0 && !varies && !is_id_lookup(state, qual)) steady = lappend(steady, lfirst(lc));
    }
    share *= clauselist_selectivity(root, pushed, 0, JOIN_INNER, nullptr);
    const double filtered = share * clauselist_selectivity(root, local, 0, JOIN_INNER, nullptr);
    steady_share *= clauselist_selectivity(root, steady, 0, JOIN_INNER, nullptr);
    state->listed = clamp_row_est(rel->tuples * steady_share);
    state->walked = clamp_row_est(rel->tuples * share);
    state->fetched = Min(ids, state->walked);
    rel->rows = clamp_row_est(Min(rel->tuples * filtered, ids));
}

void get_paths(PlannerInfo* root, RelOptInfo* rel, Oid) {
    auto* state = static_cast<RelState*>(rel->fdw_private);
    double ids = 0;
    ListCell* lc;
    foreach (lc, rel->baserestrictinfo) {
        PushedQual qual;
        if (recognise(root, rel, state->table, lfirst_node(RestrictInfo, lc)->clause, &qual) &&
            is_id_lookup(state, qual))
            ids = Max(ids, ids_in(root, qual));
    }
    Estimate price = price_of_list(state);
    if (ids > 0) {
        const Estimate lookups = price_of_lookup(state, ids);
        if (lookups.tokens < price.tokens) price = lookups;
    }
    add_path_for(root, rel, {rel->rows, state->fetched, rel->lateral_relids, price});
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
    List* fdw_private = list_make4(makeString(text), which, makeInteger(plan_number(fetched)),
                                   makeInteger(plan_number(root->limit_tuples)));
    fdw_private = lappend(fdw_private, makeInteger(plan_number(state->listed)));
    fdw_private = lappend(fdw_private, makeInteger(state->known ? 1 : 0));
    return make_foreignscan(tlist, clauses, rel->relid, expressions, fdw_private, NIL, NIL, outer);
}

} // namespace pipedrive::pg
