// EXPLAIN: the requests a scan makes, what each clause became, and the bill; with ANALYZE what it
// really was.
#include "pg/pg_prelude.h"

#include "core/plan/requests.h"
#include "pg/loops.h"
#include "pg/plan.h"
#include "pg/qual.h"
#include "pg/scan.h"

namespace pipedrive::pg {
namespace {

struct Bill {
    int64 requests, tokens;
};

// The columns as the scan has bound them, or will: some need the field definitions, which plain
// EXPLAIN does not read.
std::vector<BoundColumn> columns_of(const ExecState* state, bool* read_definitions) {
    const CoreScan* core = state->held->object;
    if (core->scan) return core->scan->spec().columns;
    std::vector<BoundColumn> columns;
    for (const DeclaredColumn& column : core->plan.columns) {
        columns.push_back(bind_column(*state->entity, column));
        *read_definitions = *read_definitions || !columns.back().resolved;
    }
    return columns;
}

// The bill of so many rounds: what they are looked up for, or what it costs to have read the list
// beside them when they turned out to be dearer.
Bill all_rounds(const ExecState& state, const RequestPlan& plan, const Estimate& one,
                double loops) {
    if (loops <= 1 || one.tokens == 0) return {one.requests, one.tokens};
    const auto rounds = static_cast<std::int64_t>(Min(loops, 1e9));
    std::optional<bool> archived;
    if (plan.streams.size() == 1 && state.entity->endpoints.size() > 1)
        archived = plan.streams.front().endpoint->archived;
    const Estimate list =
        list_estimate(*state.entity, archived, Max(state.listed, 1), state.page_size);
    if (rounds * one.tokens <= 2 * list.tokens) return {rounds * one.requests, rounds * one.tokens};
    return {list.requests + one.requests * list.tokens / one.tokens, 2 * list.tokens};
}

// Plans the requests as the scan would; the lines to show, separated by newlines.
char* describe(ForeignScanState* node, const PodValue* pods, Bill* bill, Exactness* outcome,
               double fetched, double loops) {
    auto* state = static_cast<ExecState*>(node->fdw_state);
    const int n = list_length(state->expressions);
    const int page_size = state->page_size;
    return entry_text({}, [&] {
        const ScanPlan& plan = state->held->object->plan;
        std::vector<Value> values;
        for (int i = 0; i < n; ++i)
            values.push_back(to_value(pods[i]));
        bool read_definitions = false;
        const std::vector<BoundColumn> columns = columns_of(state, &read_definitions);
        const RequestPlan requests = plan_requests(*state->entity, plan.predicates, values,
                                                   projection_of(columns), page_size);
        for (std::size_t i = 0; i < requests.outcome.size(); ++i)
            outcome[i] = requests.outcome[i];
        const Estimate estimated = estimate(requests, static_cast<std::int64_t>(fetched));
        *bill = all_rounds(*state, requests, estimated, loops);
        std::string lines;
        if (read_definitions) {
            lines = "GET " + std::string(state->entity->definitions_path) + "?limit=500";
            bill->requests += 1;
            bill->tokens += state->entity->definitions_tokens;
        }
        for (const std::string& line : describe_requests(requests))
            lines += (lines.empty() ? "" : "\n") + line;
        return lines;
    });
}

List* split_lines(char* text) {
    List* lines = NIL;
    for (char* line = strtok(text, "\n"); line != nullptr; line = strtok(nullptr, "\n"))
        lines = lappend(lines, pstrdup(message_text(line)));
    return lines;
}

// A list where the format has lists; in text a line each, as the requests themselves hold commas.
void show_requests(List* requests, ExplainState* es) {
    if (es->format != EXPLAIN_FORMAT_TEXT)
        return ExplainPropertyList("Pipedrive Request", requests, es);
    ListCell* lc;
    foreach (lc, requests)
        ExplainPropertyText("Pipedrive Request", static_cast<char*>(lfirst(lc)), es);
}

// Clauses by what became of them, as one property each.
void show_quals(ForeignScanState* node, ExplainState* es, const Exactness* outcome, List* context) {
    ForeignScan* plan = castNode(ForeignScan, node->ss.ps.plan);
    List* which = static_cast<List*>(list_nth(plan->fdw_private, PlanItemQuals));
    const struct {
        Exactness kind;
        const char* label;
    } classes[] = {{Exactness::Exact, "Pushed Exactly"},
                   {Exactness::Superset, "Pushed as Superset"},
                   {Exactness::Local, "Checked Locally"}};
    for (const auto& c : classes) {
        List* texts = NIL;
        ListCell *lc, *lc2;
        forboth(lc, plan->scan.plan.qual, lc2, which) {
            const int predicate = lfirst_int(lc2);
            const Exactness kind = predicate < 0 ? Exactness::Local : outcome[predicate];
            if (kind == c.kind)
                texts = lappend(texts, deparse_expression(static_cast<Node*>(lfirst(lc)), context,
                                                          false, false));
        }
        if (texts != NIL) ExplainPropertyList(c.label, texts, es);
    }
}

void show_traffic(ExecState* state, ExplainState* es) {
    Traffic traffic;
    int64 rows = 0;
    if (state->held->object->scan) {
        traffic = state->held->object->scan->traffic();
        rows = state->held->object->scan->rows_fetched();
    }
    ExplainPropertyInteger("Requests", nullptr, traffic.requests, es);
    ExplainPropertyInteger("Tokens", nullptr, traffic.tokens, es);
    ExplainPropertyInteger("Rows Fetched", nullptr, rows, es);
    ExplainPropertyInteger("Bytes Received", nullptr, traffic.bytes, es);
    ExplainPropertyInteger("Retries", nullptr, traffic.retries, es);
}

} // namespace

void explain_scan(ForeignScanState* node, ExplainState* es) {
    auto* state = static_cast<ExecState*>(node->fdw_state);
    ForeignScan* plan = castNode(ForeignScan, node->ss.ps.plan);
    List* context = set_deparse_context_plan(es->deparse_cxt, reinterpret_cast<Plan*>(plan), NIL);
    const PodValue* pods = evaluate_values(node, true, context);
    auto* outcome = static_cast<Exactness*>(
        palloc0(sizeof(Exactness) * (list_length(plan->scan.plan.qual) + 1)));
    Bill bill = {};
    const double fetched = intVal(list_nth(plan->fdw_private, PlanItemFetched));
    const double loops = expected_loops(es->pstmt, reinterpret_cast<Plan*>(plan));
    List* requests = split_lines(describe(node, pods, &bill, outcome, fetched, loops));
    show_requests(requests, es);
    show_quals(node, es, outcome, context);
    ExplainPropertyInteger("Estimated Requests", nullptr, bill.requests, es);
    ExplainPropertyInteger("Estimated Tokens", nullptr, bill.tokens, es);
    if (es->analyze) show_traffic(state, es);
}

} // namespace pipedrive::pg
