// Every difference between PostgreSQL majors, with what changed upstream. The only file with
// PG_VERSION_NUM in it.
#pragma once

#if PG_VERSION_NUM < 140000 || PG_VERSION_NUM >= 190000
#error "pipedrive_fdw supports PostgreSQL 14 to 18"
#endif

extern "C" {
#if PG_VERSION_NUM >= 180000
#include "commands/explain_format.h" // 18 moved ExplainProperty* here
#include "commands/explain_state.h"
#endif
#include "executor/execdesc.h"
#include "storage/ipc.h"
#include "tcop/tcopprot.h"
#include "utils/acl.h"
#if PG_VERSION_NUM >= 180000
#include "storage/waiteventset.h" // 18 took wait event sets out of latch.h
#endif
}

namespace pipedrive::pg {

// 16: the user a scan is checked as moved from the range table entry to the plan node.
inline Oid scan_user(ForeignScanState* node) {
    ForeignScan* plan = castNode(ForeignScan, node->ss.ps.plan);
#if PG_VERSION_NUM >= 160000
    Oid user = plan->checkAsUser;
#else
    Index rti = plan->scan.scanrelid;
    Oid user = exec_rt_fetch(rti, node->ss.ps.state)->checkAsUser;
#endif
    return OidIsValid(user) ? user : GetUserId();
}

// 17 added fdw_restrictinfo, 18 disabled_nodes.
inline ForeignPath* foreign_path(PlannerInfo* root, RelOptInfo* rel, double rows, Cost startup,
                                 Cost total, Relids outer) {
#if PG_VERSION_NUM >= 180000
    return create_foreignscan_path(root, rel, nullptr, rows, 0, startup, total, NIL, outer, nullptr,
                                   NIL, NIL);
#elif PG_VERSION_NUM >= 170000
    return create_foreignscan_path(root, rel, nullptr, rows, startup, total, NIL, outer, nullptr,
                                   NIL, NIL);
#else
    return create_foreignscan_path(root, rel, nullptr, rows, startup, total, NIL, outer, nullptr,
                                   NIL);
#endif
}

// 17 added root, and a fraction as result.
inline double array_length_estimate(PlannerInfo* root, Node* array) {
#if PG_VERSION_NUM >= 170000
    return Max(1.0, estimate_array_length(root, array));
#else
    (void)root;
    return Max(1, estimate_array_length(array));
#endif
}

// Before 16 expression_tree_walker takes a function without prototype.
#if PG_VERSION_NUM >= 160000
inline tree_walker_callback walker(bool (*f)(Node*, void*)) {
    return f;
}
#else
inline bool (*walker(bool (*f)(Node*, void*)))() {
    return reinterpret_cast<bool (*)()>(reinterpret_cast<void*>(f));
}
#endif

// 16: one function checks the rights on all kinds of objects.
inline AclResult server_aclcheck(Oid server, Oid user) {
#if PG_VERSION_NUM >= 160000
    return object_aclcheck(ForeignServerRelationId, server, user, ACL_USAGE);
#else
    return pg_foreign_server_aclcheck(server, user, ACL_USAGE);
#endif
}

// 17: a wait event set belongs to a resource owner instead of a memory context.
inline WaitEventSet* make_wait_event_set(int events) {
#if PG_VERSION_NUM >= 170000
    return CreateWaitEventSet(nullptr, events);
#else
    return CreateWaitEventSet(TopMemoryContext, events);
#endif
}

// 17: extensions may name their wait events.
inline uint32 fetch_wait_event() {
#if PG_VERSION_NUM >= 170000
    static uint32 event = 0;
    if (event == 0) event = WaitEventExtensionNew("PipedriveFetch");
    return event;
#else
    return PG_WAIT_EXTENSION;
#endif
}

// 15 split the analysis by how parameter types are given.
inline List* analyze_and_rewrite(RawStmt* statement, const char* text, const Oid* types, int n) {
#if PG_VERSION_NUM >= 150000
    return pg_analyze_and_rewrite_fixedparams(statement, text, types, n, nullptr);
#else
    return pg_analyze_and_rewrite(statement, text, const_cast<Oid*>(types), n, nullptr);
#endif
}

// 18 runs every plan once only.
inline void run_to_end(QueryDesc* query) {
#if PG_VERSION_NUM >= 180000
    ExecutorRun(query, ForwardScanDirection, 0);
#else
    ExecutorRun(query, ForwardScanDirection, 0, true);
#endif
}

// Before 16 planstate_tree_walker takes a function without prototype.
#if PG_VERSION_NUM >= 160000
inline planstate_tree_walker_callback plan_walker(bool (*f)(PlanState*, void*)) {
    return f;
}
#else
inline bool (*plan_walker(bool (*f)(PlanState*, void*)))() {
    return reinterpret_cast<bool (*)()>(reinterpret_cast<void*>(f));
}
#endif

// 15 renamed EmitWarningsOnPlaceholders.
inline void reserve_setting_prefix(const char* prefix) {
#if PG_VERSION_NUM >= 150000
    MarkGUCPrefixReserved(prefix);
#else
    EmitWarningsOnPlaceholders(prefix);
#endif
}

} // namespace pipedrive::pg
