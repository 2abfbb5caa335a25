// Executor callbacks: step the core, wait where it says, turn cells into Datums.
#include "pg/pg_prelude.h"

extern "C" {
#include "catalog/pg_tablespace.h"
#include "commands/tablespace.h"
#include "common/int.h"
}

#include "pg/scan.h"

#include "pg/field_store.h"
#include "pg/known_rows.h"
#include "pg/plan.h"
#include "pg/qual.h"
#include "pg/settings.h"
#include "pg/table.h"

namespace pipedrive::pg {
namespace {

ExecState* state_of(ForeignScanState* node) {
    return static_cast<ExecState*>(node->fdw_state);
}

// What a conversion error or a cancelled wait says of where it was.
struct ErrorPlace {
    const char* entity;
    // nullptr: not converting.
    const char* column;
    const RowKey* row;
    int page;
};

void describe_place(void* arg) {
    auto* place = static_cast<ErrorPlace*>(arg);
    if (place->column == nullptr) return;
    char key[100];
    place->row->spell(key, sizeof(key));
    errcontext("converting column \"%s\", row id %s, page %d of \"%s\"", place->column,
               message_text(key), place->page, place->entity);
}

// True when the expression has a parameter without a value yet: an outer row's or init plan's, or
// any in EXPLAIN (GENERIC_PLAN).
bool lacks_parameter(Node* node, void* have_external) {
    if (node == nullptr) return false;
    if (IsA(node, Param))
        return have_external == nullptr ||
               reinterpret_cast<Param*>(node)->paramkind != PARAM_EXTERN;
    return expression_tree_walker(node, walker(lacks_parameter), have_external);
}

void connect(ForeignScanState* node) {
    ExecState* state = state_of(node);
    MemoryContext old = MemoryContextSwitchTo(state->context);
    ForeignTable* table = GetForeignTable(RelationGetRelid(node->ss.ss_currentRelation));
    state->connection = connection_for(table->serverid, scan_user(node), table->options);
    MemoryContextSwitchTo(old);
}

// Labels that this session knows may be older than what another session has kept.
bool wants_labels(const CoreScan* core) {
    for (const DeclaredColumn& column : core->plan.columns) {
        if (column.type.empty() || column.removed) continue;
        const Part* part = find_part(field_type(column.type), column.subfield);
        if (part != nullptr && kind_row(part->kind).needs_labels) return true;
    }
    return false;
}

// Each once a session: an option whose label nobody knows any more.
void raise_notices(ForeignScanState* node) {
    ExecState* state = state_of(node);
    char* lines = entry_text(state->connection->who, [&] {
        std::string out;
        for (const UnknownOption& option : state->held->object->scan->take_notices())
            for (const BoundColumn& column : state->held->object->scan->spec().columns)
                if (column.field == option.field && kind_row(column.kind).needs_labels)
                    out += option.id + " of column \"" + column.name + "\"\n";
        return out;
    });
    for (char* line = strtok(lines, "\n"); line != nullptr; line = strtok(nullptr, "\n"))
        ereport(NOTICE,
                (errmsg("option %s of \"%s\" does not exist in Pipedrive any more",
                        message_text(line), state->entity->name.data()),
                 errdetail("Values that still refer to it are shown as its id in brackets.")));
}

// Where kept rows go that memory has no room for; the server removes what a crash leaves there.
char* temporary_file() {
    static unsigned count = 0;
    PrepareTempTablespaces();
    Oid space = GetNextTempTableSpace();
    if (!OidIsValid(space)) space = MyDatabaseTableSpace;
    if (!OidIsValid(space)) space = DEFAULTTABLESPACE_OID;
    char directory[MAXPGPATH];
    TempTablespacePath(directory, space);
    (void)MakePGDirectory(directory); // most often it is there
    return psprintf("%s/%s%d.pipedrive.%u", directory, PG_TEMP_FILE_PREFIX, MyProcPid, ++count);
}

// A number of rows in LIMIT or OFFSET; nullopt: none, NULL, or not sure to have a value already.
std::optional<int64> row_count(Node* node, EState* estate) {
    if (node == nullptr || lacks_parameter(node, estate->es_param_list_info) ||
        contain_subplans(node) || contain_volatile_functions(node))
        return std::nullopt;
    ExprContext* econtext = CreateExprContext(estate);
    ExprState* expr =
        ExecInitExprWithParams(reinterpret_cast<Expr*>(node), estate->es_param_list_info);
    bool isnull;
    const Datum value = ExecEvalExprSwitchContext(expr, econtext, &isnull);
    FreeExprContext(econtext, true);
    return isnull ? std::nullopt : std::optional<int64>(DatumGetInt64(value));
}

// What the planner did not know: the LIMIT of a prepared statement, once its parameters have
// values. The Limit node has evaluated it already, so nothing here fails that did not before.
int64 limit_hint(ForeignScanState* node) {
    EState* estate = node->ss.ps.state;
    const Plan* top = estate->es_plannedstmt->planTree;
    const int64 planned = state_of(node)->limit_hint;
    if (planned > 0 || !IsA(top, Limit)) return planned;
    const Limit* limit = reinterpret_cast<const Limit*>(top);
    const std::optional<int64> rows = row_count(limit->limitCount, estate);
    int64 sum = 0;
    if (!rows ||
        pg_add_s64_overflow(*rows, row_count(limit->limitOffset, estate).value_or(0), &sum))
        return 0;
    return sum;
}

// Makes the core scan. The values are evaluated before, as that calls PostgreSQL.
void start_core(ForeignScanState* node) {
    ExecState* state = state_of(node);
    PodValue* pods = evaluate_values(node, false, NIL);
    const int n = list_length(state->expressions);
    const int64 limit = limit_hint(node);
    if (state->connection == nullptr) connect(node);
    if (!state->held->object->scan && wants_labels(state->held->object))
        refresh_slot(state->connection, state->entity);
    const bool rounds = lacks_parameter(reinterpret_cast<Node*>(state->expression_nodes),
                                        node->ss.ps.state->es_param_list_info);
    const char* file = state->held->object->scan ? nullptr : temporary_file();
    entry(state->connection->who, [&] {
        CoreScan* core = state->held->object;
        core->values.clear();
        for (int i = 0; i < n; ++i)
            core->values.push_back(to_value(pods[i]));
        if (!core->scan) {
            core->account = account_of(*state->connection);
            ScanSpec spec;
            spec.entity = state->entity;
            for (const DeclaredColumn& column : core->plan.columns)
                spec.columns.push_back(bind_column(*state->entity, column));
            spec.predicates = core->plan.predicates;
            spec.page_size = state->page_size;
            spec.limit_hint = limit;
            Repetition repetition;
            repetition.expected = state->rewinds;
            repetition.rounds = rounds;
            repetition.memory = static_cast<std::size_t>(work_mem) * 1024;
            repetition.file = file;
            repetition.list_rows = state->listed;
            repetition.known = state->known;
            core->scan.emplace(core->account, std::move(spec), backend_transport(),
                               monotonic_clock(),
                               catalogue_slot(state->connection->server,
                                              state->connection->user_mapping, *state->entity),
                               std::move(repetition));
        }
        core->came_to_its_end = false;
        core->scan->start(core->values, core->part);
    });
    state->started = true;
}

void prepare_converters(ForeignScanState* node) {
    ExecState* state = state_of(node);
    MemoryContext old = MemoryContextSwitchTo(state->context);
    const std::vector<BoundColumn>& columns = state->held->object->scan->spec().columns;
    TupleDesc desc = RelationGetDescr(node->ss.ss_currentRelation);
    for (int i = 0; i < state->n_columns; ++i) {
        Form_pg_attribute attribute = TupleDescAttr(desc, state->attributes[i]);
        const BoundColumn& column = columns[static_cast<std::size_t>(i)];
        if (column.source == Source::Gone) continue; // NULL, whatever its type
        prepare_converter(&state->converters[i], column.kind, NameStr(attribute->attname),
                          attribute->atttypid, attribute->atttypmod);
    }
    state->converters_ready = true;
    MemoryContextSwitchTo(old);
}

// In a part of a walk: whether the row was set aside as the database's encoding lacks a character.
bool set_aside(ExecState* state) {
    RepeatedScan* scan = &*state->held->object->scan;
    if (GetDatabaseEncoding() == PG_UTF8 || !scan->sets_aside()) return false;
    const Cell* cells = scan->row().data();
    for (int i = 0; i < state->n_columns; ++i) {
        if (cell_fits_encoding(&cells[i])) continue;
        entry({}, [&] {
            scan->set_aside(scan->spec().columns[static_cast<std::size_t>(i)].name,
                            "The database's encoding lacks a character of the value.");
            return 0;
        });
        return true;
    }
    return false;
}

void fill_slot(ForeignScanState* node, TupleTableSlot* slot) {
    ExecState* state = state_of(node);
    const RepeatedScan* scan = &*state->held->object->scan;
    const Cell* cells = scan->row().data();
    memset(slot->tts_isnull, true, sizeof(bool) * slot->tts_tupleDescriptor->natts);
    ErrorPlace place = {state->entity->name.data(), nullptr, &scan->row_key(), scan->page_number()};
    ErrorContextCallback callback;
    callback.callback = describe_place;
    callback.arg = &place;
    callback.previous = error_context_stack;
    error_context_stack = &callback;
    for (int i = 0; i < state->n_columns; ++i) {
        if (cells[i].type == CellType::Null && !state->converters[i].domain) continue;
        const int at = state->attributes[i];
        place.column = state->converters[i].name;
        slot->tts_isnull[at] =
            !cell_to_datum(&state->converters[i], &cells[i], &slot->tts_values[at]);
    }
    error_context_stack = callback.previous;
    ExecStoreVirtualTuple(slot);
}

} // namespace

void begin_scan(ForeignScanState* node, int eflags) {
    ForeignScan* plan = castNode(ForeignScan, node->ss.ps.plan);
    auto* state = static_cast<ExecState*>(palloc0(sizeof(ExecState)));
    node->fdw_state = state;
    state->context = AllocSetContextCreate(node->ss.ps.state->es_query_cxt, "pipedrive_fdw scan",
                                           ALLOCSET_DEFAULT_SIZES);
    MemoryContext old = MemoryContextSwitchTo(state->context);
    state->held = hold<CoreScan>(state->context);
    const char* text = strVal(list_nth(plan->fdw_private, PlanItemText));
    state->n_columns = entry({}, [&] {
        state->held->object = new CoreScan;
        state->held->object->plan = read_plan(text);
        state->entity = &require_entity(state->held->object->plan.entity);
        return static_cast<int>(state->held->object->plan.columns.size());
    });
    state->attributes = static_cast<int*>(palloc(sizeof(int) * (state->n_columns + 1)));
    state->converters =
        static_cast<Converter*>(palloc0(sizeof(Converter) * (state->n_columns + 1)));
    for (int i = 0; i < state->n_columns; ++i)
        state->attributes[i] =
            state->held->object->plan.columns[static_cast<std::size_t>(i)].attnum - 1;
    state->listed = intVal(list_nth(plan->fdw_private, PlanItemListed));
    state->known = intVal(list_nth(plan->fdw_private, PlanItemKnown)) != 0;
    state->rewinds = (eflags & EXEC_FLAG_REWIND) != 0;
    state->page_size = page_size_of(RelationGetRelid(node->ss.ss_currentRelation));
    state->limit_hint = intVal(list_nth(plan->fdw_private, PlanItemLimit));
    state->expression_nodes = plan->fdw_exprs;
    state->expressions = ExecInitExprList(plan->fdw_exprs, &node->ss.ps);
    MemoryContextSwitchTo(old);
    // A missing user mapping is told at once, but never by plain EXPLAIN.
    if (!(eflags & EXEC_FLAG_EXPLAIN_ONLY)) connect(node);
}

static TupleTableSlot* end_of_rows(ForeignScanState* node, TupleTableSlot* slot) {
    account_for_sockets();
    const std::int64_t rows = state_of(node)->held->object->scan->whole_table();
    if (rows >= 0)
        note_rows(RelationGetRelid(node->ss.ss_currentRelation), static_cast<double>(rows));
    return ExecClearTuple(slot);
}

TupleTableSlot* iterate_scan(ForeignScanState* node) {
    ExecState* state = state_of(node);
    TupleTableSlot* slot = node->ss.ss_ScanTupleSlot;
    if (!state->started) start_core(node);
    CoreScan* core = state->held->object;
    Scan::Step step;
    do {
        drive(state->connection->who, &core->wait, [&](WaitFor* wait) {
            step = core->scan->step(wait);
            core->came_to_its_end = step == Scan::Step::Done;
            return step != Scan::Step::Wait;
        });
        if (step == Scan::Step::Done) return end_of_rows(node, slot);
    } while (set_aside(state));
    if (core->scan->has_notices()) raise_notices(node);
    if (!state->converters_ready) prepare_converters(node);
    ExecClearTuple(slot);
    fill_slot(node, slot);
    return slot;
}

void rescan(ForeignScanState* node) {
    state_of(node)->started = false;
}

void end_scan(ForeignScanState* node) {
    ExecState* state = state_of(node);
    if (state == nullptr) return;
    MemoryContextDelete(state->context); // destroys the core scan and whatever is under way
    node->fdw_state = nullptr;
    account_for_sockets();
}

PodValue* evaluate_values(ForeignScanState* node, bool explain_only, List* deparse_context) {
    ExecState* state = state_of(node);
    ExprContext* econtext = node->ss.ps.ps_ExprContext;
    auto* pods =
        static_cast<PodValue*>(palloc0(sizeof(PodValue) * (list_length(state->expressions) + 1)));
    int i = 0;
    ListCell *lc, *lc2;
    forboth(lc, state->expressions, lc2, state->expression_nodes) {
        Expr* expr = static_cast<Expr*>(lfirst(lc2));
        PodValue* pod = &pods[i++];
        if (explain_only &&
            lacks_parameter(reinterpret_cast<Node*>(expr), node->ss.ps.state->es_param_list_info)) {
            pod->type = Value::Type::Unknown;
            pod->symbol =
                deparse_expression(reinterpret_cast<Node*>(expr), deparse_context, false, false);
            continue;
        }
        bool isnull;
        const Datum datum = ExecEvalExpr(static_cast<ExprState*>(lfirst(lc)), econtext, &isnull);
        pod_value(expr, datum, isnull, pod);
    }
    return pods;
}

} // namespace pipedrive::pg
