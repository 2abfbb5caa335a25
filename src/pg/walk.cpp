// A walk over a foreign table in parts: sync() reads some pages, commits, and goes on later, after
// a crash too, where it stopped.
//
// One call reads one part. It runs the statement itself and hands the part to the one scan of the
// source in that very plan, so that no other scan, whoever begins it and whenever, can take it.
#include "pg/pg_prelude.h"

extern "C" {
#include "access/xact.h"
#include "commands/createas.h"
#include "utils/fmgrprotos.h"
#include "utils/snapmgr.h"
}

#include "core/wire/tape.h"
#include "pg/datum.h"
#include "pg/guard.h"
#include "pg/scan.h"
#include "pg/table.h"

namespace pipedrive::pg {
namespace {

// Before the statement's own.
constexpr int kFixedArguments = 6;

struct Statement {
    const char* text;
    int n;
    Oid* types;
    ParamListInfo values;
};

struct Search {
    Oid relation;
    ForeignScanState* found;
    int times;
};

bool find_scan(PlanState* state, void* arg) {
    if (state == nullptr) return false;
    auto* search = static_cast<Search*>(arg);
    if (IsA(state, ForeignScanState)) {
        auto* scan = castNode(ForeignScanState, state);
        Relation relation = scan->ss.ss_currentRelation;
        if (relation != nullptr && RelationGetRelid(relation) == search->relation) {
            search->found = scan;
            ++search->times;
        }
    }
    return planstate_tree_walker(state, plan_walker(find_scan), arg);
}

[[noreturn]] void refuse_statement(const char* detail) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("a walk needs one statement that scans its source once"),
                    errdetail_internal("%s", detail)));
}

Statement statement_of(FunctionCallInfo fcinfo) {
    Statement out;
    out.text = text_to_cstring(PG_GETARG_TEXT_PP(5));
    out.n = PG_NARGS() - kFixedArguments;
    out.types = static_cast<Oid*>(palloc(sizeof(Oid) * (out.n + 1)));
    out.values = makeParamList(out.n);
    for (int i = 0; i < out.n; ++i) {
        const int at = kFixedArguments + i;
        out.types[i] = get_fn_expr_argtype(fcinfo->flinfo, at);
        ParamExternData* value = &out.values->params[i];
        value->isnull = PG_ARGISNULL(at);
        value->value = value->isnull ? Datum(0) : PG_GETARG_DATUM(at);
        value->pflags = PARAM_FLAG_CONST;
        value->ptype = out.types[i];
    }
    return out;
}

PlannedStmt* plan_of(const Statement& statement) {
    List* parsed = pg_parse_query(statement.text);
    if (list_length(parsed) != 1) refuse_statement("There must be exactly one.");
    List* rewritten = analyze_and_rewrite(linitial_node(RawStmt, parsed), statement.text,
                                          statement.types, statement.n);
    if (list_length(rewritten) != 1) refuse_statement("A rule makes several of it.");
    Query* query = linitial_node(Query, rewritten);
    if (query->commandType == CMD_UTILITY) refuse_statement("It is a utility command.");
    return pg_plan_query(query, statement.text, 0, statement.values);
}

// Takes a SELECT's rows into a temporary table that is made with the first of them: most runs find
// nothing, and a table costs hundreds of rows in the catalogue.
struct StageReceiver {
    DestReceiver base;
    // As of CREATE TABLE AS.
    DestReceiver* table;
    int operation;
    TupleDesc desc;
    bool begun;
};

extern "C" {

static void stage_startup(DestReceiver* self, int operation, TupleDesc desc) {
    auto* stage = reinterpret_cast<StageReceiver*>(self);
    stage->operation = operation;
    stage->desc = desc;
}

static bool stage_row(TupleTableSlot* slot, DestReceiver* self) {
    auto* stage = reinterpret_cast<StageReceiver*>(self);
    if (!stage->begun) stage->table->rStartup(stage->table, stage->operation, stage->desc);
    stage->begun = true;
    return stage->table->receiveSlot(slot, stage->table);
}

static void stage_shutdown(DestReceiver* self) {
    auto* stage = reinterpret_cast<StageReceiver*>(self);
    if (stage->begun) stage->table->rShutdown(stage->table);
}

static void stage_destroy(DestReceiver* self) {
    auto* stage = reinterpret_cast<StageReceiver*>(self);
    stage->table->rDestroy(stage->table);
    pfree(stage);
}

} // extern "C"

DestReceiver* stage_receiver(char* name) {
    IntoClause* into = makeNode(IntoClause);
    into->rel = makeRangeVar(pstrdup("pg_temp"), name, -1);
    into->rel->relpersistence = RELPERSISTENCE_TEMP;
    into->onCommit = ONCOMMIT_DROP;
    auto* stage = static_cast<StageReceiver*>(palloc0(sizeof(StageReceiver)));
    stage->base = {stage_row, stage_startup, stage_shutdown, stage_destroy, DestIntoRel};
    stage->table = CreateIntoRelDestReceiver(into);
    return &stage->base;
}

// [{"id": "2", "column": "title", "reason": "..."}]
std::string bad_rows_json(const RepeatedScan& scan) {
    std::string out;
    JsonWriter json(&out);
    json.open('[');
    for (const BadRow& row : scan.bad_rows()) {
        json.open('{');
        json.member("id", row.key);
        json.member("column", row.column);
        json.member("reason", row.reason);
        json.close('}');
    }
    json.close(']');
    return out;
}

constexpr int kResults = 8;

void result_of(const CoreScan& core, uint64 written, Datum* values, bool* nulls) {
    const RepeatedScan& scan = *core.scan;
    values[1] = Int64GetDatum(scan.traffic().tokens);
    values[2] = Int64GetDatum(scan.rows_fetched());
    values[3] = Int64GetDatum(scan.page_number());
    values[4] = Int64GetDatum(static_cast<int64>(written));
    nulls[0] = !entry({}, [&] { return scan.next_position().has_value(); });
    if (!nulls[0])
        values[0] =
            CStringGetTextDatum(entry_text({}, [&] { return scan.next_position().value(); }));
    const char* json = entry_text({}, [&] { return bad_rows_json(scan); });
    values[5] = DirectFunctionCall1(jsonb_in, CStringGetDatum(server_text(json, strlen(json))));
    nulls[6] = !scan.answered_at().has_value();
    if (!nulls[6]) values[6] = TimestampTzGetDatum(*scan.answered_at());
    nulls[7] = !scan.highest_id().has_value();
    if (!nulls[7]) values[7] = Int64GetDatum(*scan.highest_id());
}

} // namespace

extern "C" {
PG_FUNCTION_INFO_V1(pipedrive_fdw_walk);

// (source regclass, from_position text, pages integer, above_id bigint, stage name, statement text,
// VARIADIC "any"): runs the statement, with $1 … as the further arguments, on so many pages (0:
// all) of the source from that position (NULL: the start); with above_id newest rows first, down to
// that id; with stage, the rows of a SELECT go into a temporary table of that name, made if there
// are any. next_position text (NULL: everything was read), tokens, rows, pages_read, and written:
// rows that the statement inserted, updated or deleted; set_aside jsonb: rows with a value that
// does not fit, left out; answered_at timestamptz: the server's clock at the first answer (NULL: it
// did not say), highest_id bigint: of the rows seen in the first list.
Datum pipedrive_fdw_walk(PG_FUNCTION_ARGS) {
    if (PG_ARGISNULL(0) || PG_ARGISNULL(5))
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
                        errmsg("source and statement of a walk must not be NULL")));
    TupleDesc desc;
    if (get_call_result_type(fcinfo, nullptr, &desc) != TYPEFUNC_COMPOSITE)
        elog(ERROR, "return type must be a row type");
    const char* position = PG_ARGISNULL(1) ? "" : text_to_cstring(PG_GETARG_TEXT_PP(1));
    const int pages = PG_ARGISNULL(2) ? 0 : PG_GETARG_INT32(2);
    const bool newest_first = !PG_ARGISNULL(3);
    const int64 above_id = newest_first ? PG_GETARG_INT64(3) : 0;
    const Statement statement = statement_of(fcinfo);
    DestReceiver* receiver =
        PG_ARGISNULL(4) ? None_Receiver : stage_receiver(pstrdup(NameStr(*PG_GETARG_NAME(4))));
    // Before the statement is planned: a view could run its owner's code.
    table_info(PG_GETARG_OID(0));

    PushActiveSnapshot(GetTransactionSnapshot());
    PlannedStmt* plan = plan_of(statement);
    UpdateActiveSnapshotCommandId();
    QueryDesc* query = CreateQueryDesc(plan, statement.text, GetActiveSnapshot(), InvalidSnapshot,
                                       receiver, statement.values, nullptr, 0);
    ExecutorStart(query, 0);
    Search search = {PG_GETARG_OID(0), nullptr, 0};
    find_scan(query->planstate, &search);
    if (search.times != 1 || search.found->fdwroutine->IterateForeignScan != iterate_scan)
        refuse_statement("Its plan has none, several, or one of another wrapper.");
    CoreScan* scan = static_cast<ExecState*>(search.found->fdw_state)->held->object;
    entry({}, [&] {
        scan->part = {position, pages, true, true};
        if (newest_first) scan->part.above_id = above_id;
    });
    run_to_end(query);
    if (!scan->scan || !scan->came_to_its_end)
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("the walk over the table was not finished")));

    Datum values[kResults];
    bool nulls[kResults] = {};
    result_of(*scan, query->estate->es_processed, values, nulls);
    ExecutorFinish(query);
    ExecutorEnd(query);
    FreeQueryDesc(query);
    if (receiver != None_Receiver) receiver->rDestroy(receiver);
    PopActiveSnapshot();
    CommandCounterIncrement();
    PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
}

} // namespace pipedrive::pg
