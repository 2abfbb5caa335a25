#include "pg/pg_prelude.h"

#include "pg/connection.h"

#include <map>
#include <memory>
#include <tuple>
#include <vector>

extern "C" {
#include "utils/inval.h"
}

#include "core/catalog/entities.h"
#include "core/http/curl_transport.h"
#include "pg/guard.h"
#include "pg/spending.h"

namespace pipedrive::pg {
namespace {

// Heap, never freed: libcurl's connections live as long as the backend.
Transport* transport = nullptr;

using SlotKey = std::tuple<Oid, Oid, const Entity*>;
std::map<SlotKey, std::unique_ptr<CatalogueSlot>>* slots = nullptr;

OptionList option_list(List* server, List* mapping, List* table) {
    List* all = list_concat_copy(server, mapping);
    all = list_concat(all, table);
    OptionList out;
    out.count = 0;
    out.names = static_cast<const char**>(palloc(sizeof(char*) * (list_length(all) + 1)));
    out.values = static_cast<const char**>(palloc(sizeof(char*) * (list_length(all) + 1)));
    ListCell* lc;
    foreach (lc, all) {
        DefElem* def = lfirst_node(DefElem, lc);
        out.names[out.count] = def->defname;
        out.values[out.count++] = defGetString(def);
    }
    return out;
}

Oid find_mapping(Oid user, Oid server) {
    Oid oid = GetSysCacheOid2(USERMAPPINGUSERSERVER, Anum_pg_user_mapping_oid,
                              ObjectIdGetDatum(user), ObjectIdGetDatum(server));
    if (!OidIsValid(oid))
        oid = GetSysCacheOid2(USERMAPPINGUSERSERVER, Anum_pg_user_mapping_oid,
                              ObjectIdGetDatum(InvalidOid), ObjectIdGetDatum(server));
    return oid;
}

bool is_public_mapping(Oid mapping) {
    HeapTuple tuple = SearchSysCache1(USERMAPPINGOID, ObjectIdGetDatum(mapping));
    if (!HeapTupleIsValid(tuple)) return false;
    const Oid user = reinterpret_cast<Form_pg_user_mapping>(GETSTRUCT(tuple))->umuser;
    ReleaseSysCache(tuple);
    return !OidIsValid(user);
}

} // namespace

Connection* connection_for(Oid server_oid, Oid user, List* table_options) {
    ForeignServer* server = GetForeignServer(server_oid);
    char* user_name = GetUserNameFromId(user, false);
    if (!OidIsValid(find_mapping(user, server_oid)))
        ereport(ERROR,
                (errcode(ERRCODE_UNDEFINED_OBJECT),
                 errmsg("user mapping not found for user \"%s\", server \"%s\"", user_name,
                        server->servername),
                 errhint("CREATE USER MAPPING FOR %s SERVER %s OPTIONS (api_token '...').",
                         quote_identifier(user_name), quote_identifier(server->servername))));
    UserMapping* mapping = GetUserMapping(user, server_oid);
    auto* connection = static_cast<Connection*>(palloc0(sizeof(Connection)));
    connection->server = server_oid;
    connection->user_mapping = mapping->umid;
    connection->mapped_user = is_public_mapping(mapping->umid) ? "" : user_name;
    connection->options = option_list(server->options, mapping->options, table_options);
    connection->who.server = server->servername;
    connection->who.user = is_public_mapping(mapping->umid) ? "public" : user_name;
    for (int i = 0; i < connection->options.count; ++i)
        if (strcmp(connection->options.names[i], "api_token") == 0)
            connection->who.secret = connection->options.values[i];
    return connection;
}

void check_server_usage(Oid server, const char* name) {
    const AclResult result = server_aclcheck(server, GetUserId());
    if (result != ACLCHECK_OK) aclcheck_error(result, OBJECT_FOREIGN_SERVER, name);
}

Account account_of(const Connection& connection) {
    std::vector<OptionValue> options;
    for (int i = 0; i < connection.options.count; ++i)
        options.push_back({connection.options.names[i], connection.options.values[i]});
    Account account = account_from_options(options);
    account.budget = statement_budget();
    return account;
}

Transport& backend_transport() {
    if (transport == nullptr) transport = make_curl_transport().release();
    return *transport;
}

CatalogueSlot& catalogue_slot(Oid server, Oid user_mapping, const Entity& entity) {
    if (slots == nullptr) slots = new std::map<SlotKey, std::unique_ptr<CatalogueSlot>>;
    std::unique_ptr<CatalogueSlot>& slot =
        (*slots)[{server, user_mapping, &definitions_owner(entity)}];
    if (!slot) slot = std::make_unique<CatalogueSlot>();
    return *slot;
}

// A server may point to another account from now on, a user mapping to another user. Slots stay
// where they are: running scans refer to them.
static void forget_catalogues(Datum, int, uint32) noexcept {
    if (slots == nullptr) return;
    for (auto& [key, slot] : *slots)
        *slot = CatalogueSlot();
}

void watch_servers() {
    CacheRegisterSyscacheCallback(FOREIGNSERVEROID, forget_catalogues, Datum(0));
    CacheRegisterSyscacheCallback(USERMAPPINGOID, forget_catalogues, Datum(0));
}

void account_for_sockets() {
    static int booked = 0;
    const int open = transport == nullptr ? 0 : transport->open_sockets();
    for (; booked < open; ++booked)
        // Over the budget: libcurl has opened it already, so it must be counted all the same.
        if (!AcquireExternalFD()) ReserveExternalFD();
    for (; booked > open; --booked)
        ReleaseExternalFD();
}

void wait_for(const WaitFor* wait) {
    static WaitEventSet* set = nullptr; // kept so that an error while it is filled loses nothing
    account_for_sockets();
    if (set != nullptr) FreeWaitEventSet(set);
    set = nullptr;
    set = make_wait_event_set(static_cast<int>(wait->sockets.size()) + 2);
    AddWaitEventToSet(set, WL_LATCH_SET, PGINVALID_SOCKET, MyLatch, nullptr);
    AddWaitEventToSet(set, WL_EXIT_ON_PM_DEATH, PGINVALID_SOCKET, nullptr, nullptr);
    for (const SocketInterest& socket : wait->sockets) {
        const uint32 events =
            (socket.read ? WL_SOCKET_READABLE : 0) | (socket.write ? WL_SOCKET_WRITEABLE : 0);
        if (events != 0) AddWaitEventToSet(set, events, socket.fd, nullptr, nullptr);
    }
    // A wake-up a second costs nothing and makes a lost event harmless.
    long timeout = wait->timeout_ms < 0 || wait->timeout_ms > 1000
                       ? 1000
                       : static_cast<long>(wait->timeout_ms);
    WaitEvent event;
    WaitEventSetWait(set, timeout, &event, 1, fetch_wait_event());
    FreeWaitEventSet(set);
    set = nullptr;
    ResetLatch(MyLatch);
    CHECK_FOR_INTERRUPTS();
}

} // namespace pipedrive::pg
