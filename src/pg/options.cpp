// The validator: hands every option to the core's rows, and adds what only PostgreSQL knows (who
// may do what).
#include "pg/pg_prelude.h"

extern "C" {
#include "access/genam.h"
#include "utils/acl.h"
}

#include "core/base/url.h"
#include "core/catalog/options.h"
#include "pg/guard.h"

namespace pipedrive::pg {
namespace {

struct ContextRow {
    Oid catalog;
    OptionContext context;
};
constexpr ContextRow kContexts[] = {
    {ForeignServerRelationId, OptionContext::Server},
    {UserMappingRelationId, OptionContext::UserMapping},
    {ForeignTableRelationId, OptionContext::Table},
    {AttributeRelationId, OptionContext::Column},
};

const ContextRow* context_of(Oid catalog) {
    for (const ContextRow& row : kContexts)
        if (row.catalog == catalog) return &row;
    return nullptr; // the wrapper itself
}

// Whether a server of ours whose owner the current user is, or may act as, has this option with
// this value: what a superuser set there stands when others of its options change. (A validator is
// told neither which server it checks nor what stood before.)
bool stands_already(const char* name, const char* value) {
    bool found = false;
    Relation servers = table_open(ForeignServerRelationId, AccessShareLock);
    SysScanDesc scan = systable_beginscan(servers, InvalidOid, false, nullptr, 0, nullptr);
    HeapTuple tuple;
    while (!found && HeapTupleIsValid(tuple = systable_getnext(scan))) {
        auto* form = reinterpret_cast<Form_pg_foreign_server>(GETSTRUCT(tuple));
        ForeignDataWrapper* wrapper = GetForeignDataWrapper(form->srvfdw);
        if (strcmp(wrapper->fdwname, "pipedrive_fdw") != 0 ||
            !has_privs_of_role(GetUserId(), form->srvowner))
            continue;
        ListCell* lc;
        foreach (lc, GetForeignServer(form->oid)->options) {
            DefElem* def = lfirst_node(DefElem, lc);
            if (strcmp(def->defname, name) == 0 && strcmp(defGetString(def), value) == 0)
                found = true;
        }
    }
    systable_endscan(scan);
    table_close(servers, AccessShareLock);
    return found;
}

void check_superuser_options(const char* name, const char* value) {
    if (strcmp(name, "ca_file") == 0 && !superuser() && !stands_already(name, value))
        ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                        errmsg("permission denied to set option \"ca_file\""),
                        errhint("Only a superuser may name a file of the database server.")));
    if (strcmp(name, "api_base_url") != 0 || superuser()) return;
    const bool pipedrive =
        entry({}, [&] { return parse_base_url(value).host == HostClass::Pipedrive; });
    if (!pipedrive && !stands_already(name, value))
        ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                        errmsg("permission denied to set option \"api_base_url\" to a host outside "
                               "pipedrive.com"),
                        errdetail("API tokens would be sent there."),
                        errhint("Only a superuser may set it.")));
}

} // namespace

extern "C" {
PG_FUNCTION_INFO_V1(pipedrive_fdw_validator);

Datum pipedrive_fdw_validator(PG_FUNCTION_ARGS) {
    List* options = untransformRelOptions(PG_GETARG_DATUM(0));
    const ContextRow* row = context_of(PG_GETARG_OID(1));
    bool has_address = false;
    ListCell* lc;
    foreach (lc, options) {
        DefElem* def = lfirst_node(DefElem, lc);
        const char* name = def->defname;
        const char* value = defGetString(def);
        if (row == nullptr)
            ereport(ERROR, (errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
                            errmsg("invalid option \"%s\"", name),
                            errhint("The foreign-data wrapper itself has no options; see the view "
                                    "pipedrive.options.")));
        ReportContext who;
        if (row->context == OptionContext::UserMapping) who.secret = value;
        entry(who, [&] { check_option(row->context, name, value); });
        if (row->context != OptionContext::Server) continue;
        check_superuser_options(name, value);
        has_address =
            has_address || strcmp(name, "company_domain") == 0 || strcmp(name, "api_base_url") == 0;
    }
    if (row != nullptr && row->context == OptionContext::Server && !has_address)
        ereport(ERROR,
                (errcode(ERRCODE_FDW_DYNAMIC_PARAMETER_VALUE_NEEDED),
                 errmsg("option \"company_domain\" is required"),
                 errhint("For https://acme.pipedrive.com it is OPTIONS (company_domain 'acme').")));
    PG_RETURN_VOID();
}
}

} // namespace pipedrive::pg
