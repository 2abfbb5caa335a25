#include "pg/pg_prelude.h"

#include "pg/statistics.h"

extern "C" {
#include "catalog/pg_statistic.h"
}

#include "pg/plan.h"

namespace pipedrive::pg {
namespace {

get_relation_stats_hook_type next_hook = nullptr;

// Number of distinct values as pg_statistic has it: negative numbers are a share of the rows. 0:
// nothing is known.
double distinct_values(const TableInfo* table, AttrNumber attnum) {
    for (int i = 0; i < table->n_columns; ++i) {
        if (table->columns[i].attnum != attnum) continue;
        if (table->is_key[i]) return -1.0;
        if (table->filters[i].filter == nullptr) return 0;
        const double selects = find_filter(*table->entity, table->filters[i].filter)->selects;
        return selects < 1 ? 1 / selects : -1 / selects;
    }
    return 0;
}

HeapTuple statistics_tuple(const TableInfo* table, AttrNumber attnum, double distinct) {
    Datum values[Natts_pg_statistic] = {};
    bool nulls[Natts_pg_statistic] = {};
    for (int i = Anum_pg_statistic_stanumbers1; i <= Natts_pg_statistic; ++i)
        nulls[i - 1] = true;
    values[Anum_pg_statistic_starelid - 1] = ObjectIdGetDatum(table->relation);
    values[Anum_pg_statistic_staattnum - 1] = Int16GetDatum(attnum);
    values[Anum_pg_statistic_stawidth - 1] = Int32GetDatum(0);
    values[Anum_pg_statistic_stadistinct - 1] = Float4GetDatum(static_cast<float4>(distinct));
    Relation relation = table_open(StatisticRelationId, AccessShareLock);
    HeapTuple tuple = heap_form_tuple(RelationGetDescr(relation), values, nulls);
    table_close(relation, AccessShareLock);
    return tuple;
}

// Ours, and sized already; nullptr otherwise. Not from vardata: some callers set nothing in it.
const TableInfo* table_of(const PlannerInfo* root, const RangeTblEntry* rte) {
    if (rte->rtekind != RTE_RELATION || rte->relkind != RELKIND_FOREIGN_TABLE) return nullptr;
    for (int i = 1; i < root->simple_rel_array_size; ++i) {
        const RelOptInfo* rel = root->simple_rel_array[i];
        if (root->simple_rte_array[i] != rte || rel == nullptr || rel->fdwroutine == nullptr ||
            rel->fdwroutine->GetForeignRelSize != get_rel_size || rel->fdw_private == nullptr)
            continue;
        return static_cast<RelState*>(rel->fdw_private)->table;
    }
    return nullptr;
}

bool statistics(PlannerInfo* root, RangeTblEntry* rte, AttrNumber attnum,
                VariableStatData* vardata) {
    const TableInfo* table = table_of(root, rte);
    const double distinct = table != nullptr ? distinct_values(table, attnum) : 0;
    if (distinct == 0) return next_hook != nullptr && next_hook(root, rte, attnum, vardata);
    vardata->statsTuple = statistics_tuple(table, attnum, distinct);
    vardata->freefunc = heap_freetuple;
    return true;
}

} // namespace

void offer_statistics() {
    next_hook = get_relation_stats_hook;
    get_relation_stats_hook = statistics;
}

} // namespace pipedrive::pg
