// One API call with the current user's credentials, for the functions that manage webhook
// subscriptions.
#include "pg/pg_prelude.h"

extern "C" {
#include "utils/fmgrprotos.h"
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

constexpr int kCallTokens = 10; // documented price of reading and writing webhooks

void run(const Connection* connection, Call* call) {
    while (true) {
        const bool ready = entry(connection->who, [&] {
            call->wait.sockets.clear();
            call->wait.timeout_ms = -1;
            if (call->fetch->step(&call->wait) == Progress::Wait) return false;
            call->answer = call->fetch->take();
            return true;
        });
        if (ready) break;
        wait_for(&call->wait);
    }
    account_for_sockets();
}

} // namespace

extern "C" {
PG_FUNCTION_INFO_V1(pipedrive_fdw_request);

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
                           call.traffic);
        HttpRequest request = account_request(call.account, path, method);
        request.body = body;
        if (!request.body.empty()) request.headers.push_back("Content-Type: application/json");
        call.fetch->start(std::move(request), path, kCallTokens);
    });
    run(connection, held->object);
    const char* text = entry_text(connection->who, [&] { return held->object->answer.body; });
    if (*text == '\0') PG_RETURN_NULL(); // 204, or a server that says nothing
    PG_RETURN_DATUM(
        DirectFunctionCall1(jsonb_in, CStringGetDatum(server_text(text, strlen(text)))));
}
}

} // namespace pipedrive::pg
