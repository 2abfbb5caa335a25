// One API call with the current user's credentials, for the functions that manage webhook
// subscriptions.
#include "pg/pg_prelude.h"

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_user_mapping.h"
#include "utils/fmgrprotos.h"
#include "utils/syscache.h"
}

#include "core/http/fetch.h"
#include "core/wire/tape.h"
#include "pg/connection.h"
#include "pg/datum.h"
#include "pg/guard.h"

namespace pipedrive::pg {
namespace {

struct Call {
    Account account;
    Traffic traffic;
    std::optional<Fetch> fetch;
    WaitFor wait;
    HttpResponse answer;
};

// Documented prices by the end of the path; the other calls read and write webhooks.
int call_tokens(std::string_view path) noexcept {
    path = path.substr(0, path.find('?'));
    if (path.ends_with("/changelog")) return 20;
    if (path.ends_with("/users/me")) return 2;
    return 10;
}

void run(const Connection* connection, Call* call) {
    drive(connection->who, &call->wait, [&](WaitFor* wait) {
        try {
            if (call->fetch->step(wait) == Progress::Wait) return false;
            call->answer = call->fetch->take();
        } catch (Error& error) {
            // No query sent this, and a request that is refused has changed nothing.
            if (error.kind == ErrorKind::BadRequest && error.hint.empty())
                error.hint = "Correct what the answer names; nothing was changed in Pipedrive.";
            throw;
        }
        return true;
    });
    account_for_sockets();
}

TransactionId row_version(SysCacheIdentifier cache, Oid object) {
    HeapTuple tuple = SearchSysCache1(cache, ObjectIdGetDatum(object));
    if (!HeapTupleIsValid(tuple)) return InvalidTransactionId;
    const TransactionId version = HeapTupleHeaderGetRawXmin(tuple->t_data);
    ReleaseSysCache(tuple);
    return version;
}

} // namespace

extern "C" {
PG_FUNCTION_INFO_V1(pipedrive_fdw_request);
PG_FUNCTION_INFO_V1(pipedrive_fdw_account_stamp);

// (server name, method text, path text, body jsonb): the answer's body as jsonb. Only the body may
// be NULL.
Datum pipedrive_fdw_request(PG_FUNCTION_ARGS) {
    refuse_nulls(fcinfo, {"server", "method", "path"});
    ForeignServer* server = GetForeignServerByName(NameStr(*PG_GETARG_NAME(0)), false);
    check_server_usage(server->serverid, server->servername);
    const Connection* connection = connection_for(server->serverid, GetUserId(), NIL);
    const char* method = text_to_cstring(PG_GETARG_TEXT_PP(1));
    const char* path = text_to_cstring(PG_GETARG_TEXT_PP(2));
    const char* body = "";
    if (!PG_ARGISNULL(3)) {
        char* json = DatumGetCString(DirectFunctionCall1(jsonb_out, PG_GETARG_DATUM(3)));
        body = pg_server_to_any(json, static_cast<int>(strlen(json)), PG_UTF8);
    }
    auto* held = hold<Call>(CurrentMemoryContext);
    entry(connection->who, [&] {
        held->object = new Call;
        Call& call = *held->object;
        call.account = account_of(*connection);
        call.fetch.emplace(backend_transport(), monotonic_clock(), call.account.retries,
                           call.traffic, call.account.gate());
        HttpRequest request = account_request(call.account, path, method);
        request.body = body;
        if (!request.body.empty()) request.headers.push_back("Content-Type: application/json");
        call.fetch->start(std::move(request), path, call_tokens(path));
    });
    run(connection, held->object);
    const char* text = entry_text(connection->who, [&] { return held->object->answer.body; });
    if (*text == '\0') PG_RETURN_NULL(); // 204, or a server that says nothing
    PG_RETURN_DATUM(
        DirectFunctionCall1(jsonb_in, CStringGetDatum(server_text(text, strlen(text)))));
}

// (server name): "mapping:version of the server:version of the mapping" of the current user. A
// version is the transaction that wrote the row: nothing of a secret is in it.
Datum pipedrive_fdw_account_stamp(PG_FUNCTION_ARGS) {
    refuse_nulls(fcinfo, {"server"});
    ForeignServer* server = GetForeignServerByName(NameStr(*PG_GETARG_NAME(0)), false);
    check_server_usage(server->serverid, server->servername);
    const Connection* connection = connection_for(server->serverid, GetUserId(), NIL);
    const TransactionId altered = row_version(FOREIGNSERVEROID, server->serverid);
    const TransactionId mapped = row_version(USERMAPPINGOID, connection->user_mapping);
    PG_RETURN_TEXT_P(
        cstring_to_text(psprintf("%u:%u:%u", connection->user_mapping, altered, mapped)));
}
}

} // namespace pipedrive::pg
