// IMPORT FOREIGN SCHEMA: field definitions in, CREATE FOREIGN TABLE out. PostgreSQL accepts nothing
// else from here, so the comments are kept in the backend until the extension's event trigger
// fetches them.
#include "pg/pg_prelude.h"

extern "C" {
#include "utils/fmgrprotos.h"
}

#include "pg/import.h"

#include "core/catalog/ddl.h"
#include "core/catalog/options.h"
#include "core/wire/tape.h"
#include "pg/connection.h"
#include "pg/datum.h"
#include "pg/field_store.h"
#include "pg/guard.h"
#include "pg/spending.h"

namespace pipedrive::pg {
namespace {

// JSON array body of the last import, heap.
std::string* comments = nullptr;

struct PodImport {
    bool custom_fields = true, optional_fields = true;
    LabelMode labels = LabelMode::Label;
};

PodImport import_options(List* options) {
    PodImport out;
    ListCell* lc;
    foreach (lc, options) {
        DefElem* def = lfirst_node(DefElem, lc);
        const char* value = defGetString(def);
        entry({}, [&] { check_option(OptionContext::Import, def->defname, value); });
        if (strcmp(def->defname, "custom_fields") == 0) out.custom_fields = *parse_bool(value);
        if (strcmp(def->defname, "optional_fields") == 0) out.optional_fields = *parse_bool(value);
        if (strcmp(def->defname, "labels") == 0) out.labels = *parse_label_mode(value);
    }
    return out;
}

bool listed(List* tables, std::string_view name) {
    ListCell* lc;
    foreach (lc, tables)
        if (name == lfirst_node(RangeVar, lc)->relname) return true;
    return false;
}

bool is_wanted(const ImportForeignSchemaStmt* stmt, const Entity& entity) {
    if (stmt->list_type == FDW_IMPORT_SCHEMA_ALL) return entity.imported;
    const bool named = listed(stmt->table_list, entity.name);
    return stmt->list_type == FDW_IMPORT_SCHEMA_LIMIT_TO ? named : entity.imported && !named;
}

void remember_comment(std::string_view table, std::string_view column, std::string_view comment) {
    if (!comments->empty()) *comments += ',';
    JsonWriter json(comments);
    json.open('{');
    json.member("table_name", table);
    json.key("column_name");
    if (column.empty())
        json.raw("null");
    else
        json.string(column);
    json.member("comment", comment);
    json.close('}');
}

// One CREATE FOREIGN TABLE, in UTF-8.
char* table_sql(const Connection* connection, const Entity& entity, const HeldCatalogue* fields,
                const PodImport& options, const char* server) {
    std::size_t left_out = 0;
    char* sql = entry_text(connection->who, [&] {
        ImportOptions import;
        import.custom_fields = options.custom_fields;
        import.optional_fields = options.optional_fields;
        import.labels = options.labels;
        const std::vector<ImportedColumn> columns = imported_columns(
            entity, fields == nullptr ? nullptr : fields->object->get(), import, &left_out);
        remember_comment(entity.name, {}, entity.comment);
        for (const ImportedColumn& column : columns)
            remember_comment(entity.name, column.name, column.comment);
        return create_table_sql(entity, server, columns);
    });
    if (left_out > 0)
        ereport(WARNING, (errmsg("table \"%s\" has no room for %zu custom fields",
                                 entity.name.data(), left_out),
                          errdetail("PostgreSQL's tables have 1600 columns at most."),
                          errhint("Their values are in the column \"custom_fields\".")));
    return sql;
}

struct Definitions {
    const Entity* owner;
    HeldCatalogue* fields;
};

// Reads and keeps the definitions of an entity, once for all tables of the statement that have
// them.
HeldCatalogue* definitions_once(const Connection* connection, const Entity& owner, List** known) {
    ListCell* lc;
    foreach (lc, *known)
        if (static_cast<Definitions*>(lfirst(lc))->owner == &owner)
            return static_cast<Definitions*>(lfirst(lc))->fields;
    auto* one = static_cast<Definitions*>(palloc(sizeof(Definitions)));
    one->owner = &owner;
    one->fields = read_fields(connection, &owner);
    store_fields(connection, &owner, one->fields);
    *known = lappend(*known, one);
    return one->fields;
}

void check_names(const ImportForeignSchemaStmt* stmt) {
    if (strcmp(stmt->remote_schema, "pipedrive") != 0)
        ereport(ERROR, (errcode(ERRCODE_FDW_SCHEMA_NOT_FOUND),
                        errmsg("remote schema \"%s\" does not exist", stmt->remote_schema),
                        errhint("The schema to import from is \"pipedrive\".")));
    if (stmt->list_type == FDW_IMPORT_SCHEMA_ALL) return;
    ListCell* lc;
    foreach (lc, stmt->table_list) {
        const char* name = lfirst_node(RangeVar, lc)->relname;
        entry({}, [&] { require_entity(name); });
    }
}

} // namespace

List* import_schema(ImportForeignSchemaStmt* stmt, Oid server) {
    check_names(stmt);
    const PodImport options = import_options(stmt->options);
    Connection* connection = connection_for(server, GetUserId(), NIL);
    entry(connection->who, [&] {
        if (comments == nullptr) comments = new std::string;
        comments->clear();
    });
    const char* name =
        pg_server_to_any(stmt->server_name, static_cast<int>(strlen(stmt->server_name)), PG_UTF8);
    List* statements = NIL;
    List* definitions = NIL;
    MemoryContext spending = begin_spending();
    for (const Entity* each : entities()) {
        const Entity& entity = *each;
        if (!is_wanted(stmt, entity)) continue;
        HeldCatalogue* fields = nullptr;
        if (has_custom_fields(entity))
            fields = definitions_once(connection, definitions_owner(entity), &definitions);
        ErrorContextCallback callback;
        callback.callback = [](void* arg) {
            errcontext(
                "importing \"%s\"; custom fields whose names the database's encoding cannot hold "
                "are left out by OPTIONS (custom_fields 'false')",
                static_cast<const char*>(arg));
        };
        callback.arg = const_cast<char*>(entity.name.data());
        callback.previous = error_context_stack;
        if (GetDatabaseEncoding() != PG_UTF8) error_context_stack = &callback;
        const char* sql = table_sql(connection, entity, fields, options, name);
        statements = lappend(statements, server_text(sql, strlen(sql)));
        error_context_stack = callback.previous;
    }
    MemoryContextDelete(spending);
    return statements;
}

extern "C" {
PG_FUNCTION_INFO_V1(pipedrive_fdw_imported_comments);

// jsonb array of {table_name, column_name, comment} of this session's last IMPORT, once.
Datum pipedrive_fdw_imported_comments(PG_FUNCTION_ARGS) {
    const char* json = entry_text({}, [&] {
        const std::string text = "[" + (comments == nullptr ? std::string() : *comments) + "]";
        if (comments != nullptr) comments->clear();
        return text;
    });
    PG_RETURN_DATUM(DirectFunctionCall1(jsonb_in, CStringGetDatum(message_text(json))));
}
}

} // namespace pipedrive::pg
