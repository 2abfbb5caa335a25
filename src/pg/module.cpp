// What PostgreSQL loads: the magic block, the settings, the handler with its callbacks, and the
// functions that show the catalogue.
#include "pg/pg_prelude.h"

extern "C" {
#include "utils/fmgrprotos.h"
}

#include "core/catalog/listing.h"
#include "core/http/curl_transport.h"
#include "pg/connection.h"
#include "pg/datum.h"
#include "pg/guard.h"
#include "pg/import.h"
#include "pg/plan.h"
#include "pg/scan.h"
#include "pg/settings.h"
#include "pg/spending.h"
#include "pg/statistics.h"

#ifndef PIPEDRIVE_FDW_VERSION
#error "the Makefile defines PIPEDRIVE_FDW_VERSION from the control file"
#endif

namespace pipedrive::pg {

bool enable_pushdown = true;
int max_tokens_per_query = 0;
int max_requests_per_query = 0;

void define_settings() {
    DefineCustomBoolVariable(
        "pipedrive_fdw.enable_pushdown", "Sends WHERE clauses to Pipedrive as request parameters.",
        "Off: whole lists are read and every clause is checked here. The rows are the same.",
        &enable_pushdown, true, PGC_USERSET, 0, nullptr, nullptr, nullptr);
    DefineCustomIntVariable(
        "pipedrive_fdw.max_tokens_per_query", "API tokens that one query may spend.",
        "Counted over all of its scans and of the queries that its functions run. A query that "
        "would pass it stops before the request that would. 0: no limit.",
        &max_tokens_per_query, 0, 0, INT_MAX, PGC_USERSET, 0, nullptr, nullptr, nullptr);
    DefineCustomIntVariable(
        "pipedrive_fdw.max_requests_per_query", "Requests that one query may send.",
        "Counted like pipedrive_fdw.max_tokens_per_query, retries included. 0: no limit.",
        &max_requests_per_query, 0, 0, INT_MAX, PGC_USERSET, 0, nullptr, nullptr, nullptr);
    reserve_setting_prefix("pipedrive_fdw");
}

extern "C" {

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(pipedrive_fdw_handler);
PG_FUNCTION_INFO_V1(pipedrive_fdw_version);
PG_FUNCTION_INFO_V1(pipedrive_fdw_catalogue);

void _PG_init(void) {
    define_settings();
    watch_servers();
    watch_statements();
    offer_statistics();
}

Datum pipedrive_fdw_handler(PG_FUNCTION_ARGS) {
    FdwRoutine* routine = makeNode(FdwRoutine);
    routine->GetForeignRelSize = get_rel_size;
    routine->GetForeignPaths = get_paths;
    routine->GetForeignPlan = get_plan;
    routine->BeginForeignScan = begin_scan;
    routine->IterateForeignScan = iterate_scan;
    routine->ReScanForeignScan = rescan;
    routine->EndForeignScan = end_scan;
    routine->ExplainForeignScan = explain_scan;
    routine->ImportForeignSchema = import_schema;
    PG_RETURN_POINTER(routine);
}

// "pipedrive_fdw 0.1.0, PostgreSQL 15.18, libcurl/7.88.1 …"
Datum pipedrive_fdw_version(PG_FUNCTION_ARGS) {
    PG_RETURN_TEXT_P(
        cstring_to_text(psprintf("pipedrive_fdw %s, PostgreSQL %s, %s", PIPEDRIVE_FDW_VERSION,
                                 PG_VERSION, curl_version_text())));
}

// The rows of the code as jsonb, for the views of the same name.
Datum pipedrive_fdw_catalogue(PG_FUNCTION_ARGS) {
    const char* what = text_to_cstring(PG_GETARG_TEXT_PP(0));
    const char* json = entry_text({}, [&] { return listing(what); });
    if (*json != '\0')
        PG_RETURN_DATUM(
            DirectFunctionCall1(jsonb_in, CStringGetDatum(server_text(json, strlen(json)))));
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("there is no catalogue \"%s\"", what)));
}
}

} // namespace pipedrive::pg
