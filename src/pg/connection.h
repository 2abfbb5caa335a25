// From a server OID and a user to an Account, and the one transport of this backend.
#pragma once

#include "pg/pg_prelude.h"

#include "core/catalog/entities.h"
#include "core/scan/account.h"
#include "pg/guard.h"
#include "pg/report.h"

namespace pipedrive::pg {

// Options of server, user mapping and table, as C strings in the current context.
struct OptionList {
    int count;
    const char** names;
    const char** values;
};

// What a scan or an import needs before the core is entered. palloc'd.
struct Connection {
    Oid server;
    // Of the user or of PUBLIC.
    Oid user_mapping;
    // The name of that user, "" for PUBLIC.
    const char* mapped_user;
    OptionList options;
    ReportContext who;
};

// Raises ERROR with a hint when the user has no mapping. `table_options` may be NIL.
Connection* connection_for(Oid server, Oid user, List* table_options);

// Raises ERROR unless the current user may use the server. Leaf.
void check_server_usage(Oid server, const char* name);

// Throws; inside entry() only.
Account account_of(const Connection& connection);

// Lives until the backend ends; created on first use. Throws; inside entry() only.
Transport& backend_transport();

// The field definitions this session has read for an entity of a server as a certain user. Throws
// bad_alloc; inside entry() only.
CatalogueSlot& catalogue_slot(Oid server, Oid user_mapping, const Entity& entity);

// From now on a changed server or user mapping empties the slots. Once a backend.
void watch_servers();

// Waits on sockets, time, the latch and postmaster death; handles interrupts; accounts for
// libcurl's file descriptors. Leaf.
void wait_for(const WaitFor* wait);
// Steps something in the core, waits for what it says, and steps it again until it says true: the
// one loop of this kind. `step` takes a WaitFor* and runs inside entry(); `wait` lives where an
// error cannot lose it.
template <typename Step>
void drive(const ReportContext& who, WaitFor* wait, Step&& step) {
    while (!entry(who, [&] {
        wait->sockets.clear();
        wait->timeout_ms = -1;
        return step(wait);
    }))
        wait_for(wait);
}

// Books the transport's open sockets with PostgreSQL's fd budget; call after anything that may have
// opened or closed one. Leaf.
void account_for_sockets();

} // namespace pipedrive::pg
