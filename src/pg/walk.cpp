#include "pg/pg_prelude.h"

extern "C" {
#include "access/xact.h"
}

#include "pg/walk.h"

#include "pg/guard.h"

namespace pipedrive::pg {
namespace {

enum class State : uint8 { None, Armed, Running, Finished };

struct Walk {
    Oid relation = InvalidOid;
    State state = State::None;
    WalkPart part;
    std::optional<std::string> next;
    int64 tokens = 0, rows = 0, pages = 0;
};
Walk* walk = nullptr; // heap, one a backend

void disarm() noexcept {
    if (walk != nullptr) walk->state = State::None;
}

void at_transaction_end(XactEvent, void*) {
    disarm();
}
void at_subtransaction_end(SubXactEvent event, SubTransactionId, SubTransactionId, void*) {
    if (event == SUBXACT_EVENT_ABORT_SUB) disarm();
}

void watch_transactions() {
    static bool watching = false;
    if (watching) return;
    watching = true;
    RegisterXactCallback(at_transaction_end, nullptr);
    RegisterSubXactCallback(at_subtransaction_end, nullptr);
}

} // namespace

WalkPart take_walk(Oid relation) {
    if (walk == nullptr || walk->state != State::Armed || walk->relation != relation) return {};
    walk->state = State::Running;
    return walk->part;
}

void finish_walk(Oid relation, const pipedrive::Scan& scan) {
    if (walk == nullptr || walk->state != State::Running || walk->relation != relation) return;
    walk->next = scan.next_position();
    walk->tokens = scan.traffic().tokens;
    walk->rows = scan.rows_fetched();
    walk->pages = scan.page_number();
    walk->state = State::Finished;
}

extern "C" {
PG_FUNCTION_INFO_V1(pipedrive_fdw_walk_begin);
PG_FUNCTION_INFO_V1(pipedrive_fdw_walk_end);

// (source regclass, from_position text, pages integer)
Datum pipedrive_fdw_walk_begin(PG_FUNCTION_ARGS) {
    const Oid relation = PG_GETARG_OID(0);
    const char* position = PG_ARGISNULL(1) ? "" : text_to_cstring(PG_GETARG_TEXT_PP(1));
    const int pages = PG_ARGISNULL(2) ? 0 : PG_GETARG_INT32(2);
    watch_transactions();
    entry({}, [&] {
        if (walk == nullptr) walk = new Walk;
        *walk = Walk();
        walk->relation = relation;
        walk->part.position = position;
        walk->part.max_pages = pages;
        walk->state = State::Armed;
    });
    PG_RETURN_VOID();
}

// (source regclass): next_position text (NULL: everything was read), tokens, rows, pages. ERROR
// when the scan did not come to its end.
Datum pipedrive_fdw_walk_end(PG_FUNCTION_ARGS) {
    TupleDesc desc;
    if (get_call_result_type(fcinfo, nullptr, &desc) != TYPEFUNC_COMPOSITE)
        elog(ERROR, "return type must be a row type");
    if (walk == nullptr || walk->state != State::Finished || walk->relation != PG_GETARG_OID(0))
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("the walk over the table was not finished")));
    walk->state = State::None;
    Datum values[4] = {Datum(0), Int64GetDatum(walk->tokens), Int64GetDatum(walk->rows),
                       Int64GetDatum(walk->pages)};
    bool nulls[4] = {!walk->next.has_value(), false, false, false};
    if (!nulls[0]) values[0] = CStringGetTextDatum(walk->next->c_str());
    PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
}

} // namespace pipedrive::pg
