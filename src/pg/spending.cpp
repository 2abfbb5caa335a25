#include "pg/pg_prelude.h"

#include "pg/spending.h"

extern "C" {
#include "access/xact.h"
#include "fmgr.h"
#include "tcop/pquery.h"
#include "utils/portal.h"
}

#include "pg/guard.h"
#include "pg/settings.h"

namespace pipedrive::pg {
namespace {

struct Statement;
// Started and not ended.
Statement* statements = nullptr;
// Running.
Statement* outermost = nullptr;
// The statement that was running when the library was loaded.
TimestampTz loaded_in = 0;
ExecutorRun_hook_type next_run = nullptr;
// What failed statements spent is in it.
std::int64_t session_tokens = 0;

// A statement in execution, as long as its EState; a utility command has none.
struct Statement {
    explicit Statement(const EState* e) : estate(e), budget(new_budget()), next(statements) {
        statements = this;
    }
    ~Statement() {
        if (outermost == this) outermost = nullptr;
        Statement** link = &statements;
        while (*link != this)
            link = &(*link)->next;
        *link = next;
    }
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;

    static std::shared_ptr<Budget> new_budget() {
        auto budget = std::make_shared<Budget>();
        budget->max_tokens = max_tokens_per_query;
        budget->max_requests = max_requests_per_query;
        budget->all_tokens = &session_tokens;
        return budget;
    }

    const EState* estate;
    std::shared_ptr<Budget> budget;
    Statement* next;
};

Statement* statement_of(EState* estate) {
    for (Statement* s = statements; s != nullptr; s = s->next)
        if (s->estate == estate) return s;
    Held<Statement>* held = hold<Statement>(estate->es_query_cxt);
    return entry({}, [&] { return held->object = new Statement(estate); });
}

void run(PIPEDRIVE_RUN_PARAMETERS) {
    const ExecutorRun_hook_type go_on = next_run != nullptr ? next_run : standard_ExecutorRun;
    // Known as outermost only while the statement that loaded the library goes on.
    if (loaded_in != 0 && loaded_in != GetCurrentStatementStartTimestamp()) {
        outermost = nullptr;
        loaded_in = 0;
    }
    if (outermost != nullptr) {
        go_on(PIPEDRIVE_RUN_ARGUMENTS);
        return;
    }
    outermost = statement_of(query->estate);
    PG_TRY();
    { go_on(PIPEDRIVE_RUN_ARGUMENTS); }
    PG_FINALLY();
    { outermost = nullptr; }
    PG_END_TRY();
}

} // namespace

std::shared_ptr<Budget> statement_budget() {
    return outermost != nullptr ? outermost->budget : Statement::new_budget();
}

MemoryContext begin_spending() {
    MemoryContext context =
        AllocSetContextCreate(CurrentMemoryContext, "pipedrive_fdw command", ALLOCSET_SMALL_SIZES);
    if (outermost != nullptr) return context;
    Held<Statement>* held = hold<Statement>(context);
    outermost = entry({}, [&] { return held->object = new Statement(nullptr); });
    return context;
}

void watch_statements() {
    next_run = ExecutorRun_hook;
    ExecutorRun_hook = run;
    QueryDesc* running = ActivePortal != nullptr ? ActivePortal->queryDesc : nullptr;
    if (running == nullptr || running->estate == nullptr) return;
    outermost = statement_of(running->estate);
    loaded_in = GetCurrentStatementStartTimestamp();
}

} // namespace pipedrive::pg

extern "C" {
PG_FUNCTION_INFO_V1(pipedrive_fdw_tokens_spent);

// () -> bigint: API tokens that this session has spent, never less than before but for what the API
// turns out not to charge.
Datum pipedrive_fdw_tokens_spent(PG_FUNCTION_ARGS) {
    PG_RETURN_INT64(pipedrive::pg::session_tokens);
}
}
