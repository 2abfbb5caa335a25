#include "pg/pg_prelude.h"

#include <algorithm>

#include "pg/field_store.h"

#include <optional>

extern "C" {
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "executor/spi.h"
#include "utils/acl.h"
#include "utils/fmgrprotos.h"
}

#include "core/catalog/ddl.h"
#include "core/scan/definitions_reader.h"
#include "core/wire/definitions.h"
#include "core/wire/record.h"
#include "pg/datum.h"
#include "pg/guard.h"
#include "pg/table.h"

namespace pipedrive::pg {
namespace {

constexpr const char* kSelect =
    "SELECT fields, (pg_catalog.date_part('epoch', read_at) OPERATOR(pg_catalog.*) "
    "1000000)::pg_catalog.int8"
    " FROM pipedrive_internal.fields"
    " WHERE server OPERATOR(pg_catalog.=) $1 AND mapped_user OPERATOR(pg_catalog.=) $2 AND entity "
    "OPERATOR(pg_catalog.=) $3"
    " AND read_at OPERATOR(pg_catalog.>) pg_catalog.to_timestamp($4)";
constexpr const char* kUpsert =
    "INSERT INTO pipedrive_internal.fields (server, mapped_user, entity, fields, read_at)"
    " VALUES ($1, $2, $3, $4, pg_catalog.clock_timestamp())"
    " ON CONFLICT (server, mapped_user, entity) DO UPDATE SET fields = excluded.fields, read_at = "
    "excluded.read_at";

// Runs SQL as the table's owner. Names and operators above are qualified, so the caller's
// search_path has no say. Plain data: no destructor; leave() is not reached on error, where the
// transaction's end restores the user.
class OwnerScope {
  public:
    bool enter() {
        const Oid table =
            get_relname_relid("fields", get_namespace_oid("pipedrive_internal", true));
        if (!OidIsValid(table)) return false;
        HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
        if (!HeapTupleIsValid(tuple)) return false;
        const Oid owner = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple))->relowner;
        ReleaseSysCache(tuple);
        GetUserIdAndSecContext(&user_, &context_);
        SetUserIdAndSecContext(owner,
                               context_ | SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS);
        SPI_connect();
        return true;
    }
    void leave() {
        SPI_finish();
        SetUserIdAndSecContext(user_, context_);
    }

  private:
    Oid user_;
    int context_;
};

struct Key {
    Datum values[3];
};

Key key_of(const Connection* connection, const Entity* entity) {
    Key key;
    NameData* server = static_cast<NameData*>(palloc0(sizeof(NameData)));
    NameData* user = static_cast<NameData*>(palloc0(sizeof(NameData)));
    namestrcpy(server, connection->who.server);
    namestrcpy(user, connection->mapped_user);
    key.values[0] = NameGetDatum(server);
    key.values[1] = NameGetDatum(user);
    const std::string_view owner = definitions_owner(*entity).name;
    key.values[2] =
        PointerGetDatum(cstring_to_text_with_len(owner.data(), static_cast<int>(owner.size())));
    return key;
}

struct Stored {
    // UTF-8 JSON, nullptr: none.
    char* fields;
    // Unix microseconds.
    int64 read_at;
};

// Only when kept after `newer_than`.
Stored select_stored(const Connection* connection, const Entity* entity, int64 newer_than) {
    Stored out = {nullptr, 0};
    const Key key = key_of(connection, entity);
    MemoryContext caller = CurrentMemoryContext;
    OwnerScope scope;
    if (!scope.enter()) return out;
    Oid types[4] = {NAMEOID, NAMEOID, TEXTOID, FLOAT8OID};
    Datum values[4] = {key.values[0], key.values[1], key.values[2],
                       Float8GetDatum(static_cast<double>(newer_than) / 1000000.0)};
    if (SPI_execute_with_args(kSelect, 4, types, values, nullptr, true, 1) == SPI_OK_SELECT &&
        SPI_processed == 1) {
        char* fields = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
        bool isnull;
        out.read_at =
            DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &isnull));
        MemoryContext spi = MemoryContextSwitchTo(caller);
        out.fields = pstrdup(pg_server_to_any(fields, static_cast<int>(strlen(fields)), PG_UTF8));
        MemoryContextSwitchTo(spi);
    }
    scope.leave();
    return out;
}

struct Reading {
    Account account;
    Traffic traffic;
    std::optional<DefinitionsReader> reader;
    WaitFor wait;
};

} // namespace

// Then the API is asked again when they are needed.
constexpr int64 kTrusted = kDefinitionsTrustedMs * 1000;

void refresh_slot(const Connection* connection, const Entity* entity) {
    const int64 newer_than = entry(connection->who, [&]() -> int64 {
        CatalogueSlot& slot = catalogue_slot(connection->server, connection->user_mapping, *entity);
        const int64 oldest = unix_micros() - kTrusted;
        if (slot.read_at < oldest)
            slot = CatalogueSlot{.noticed = std::move(slot.noticed),
                                 .explained = std::move(slot.explained)};
        return Max(slot.read_at, oldest) + 1000; // the table's clock goes through a double
    });
    const Stored stored = select_stored(connection, entity, newer_than);
    if (stored.fields == nullptr) return;
    entry(connection->who, [&] {
        CatalogueSlot& slot = catalogue_slot(connection->server, connection->user_mapping, *entity);
        slot.catalogue = std::make_shared<const FieldCatalogue>(read_catalogue(stored.fields));
        slot.read_at = stored.read_at;
        slot.missing.clear();
    });
}

void store_fields(const Connection* connection, const Entity* entity, const HeldCatalogue* fields) {
    const Key key = key_of(connection, entity);
    char* json =
        entry_text(connection->who, [&] { return ascii_json(write_catalogue(**fields->object)); });
    OwnerScope scope;
    if (!scope.enter()) return;
    Oid types[4] = {NAMEOID, NAMEOID, TEXTOID, TEXTOID};
    Datum values[4] = {key.values[0], key.values[1], key.values[2], CStringGetTextDatum(json)};
    SPI_execute_with_args(kUpsert, 4, types, values, nullptr, false, 0);
    scope.leave();
}

HeldCatalogue* read_fields(const Connection* connection, const Entity* entity) {
    HeldCatalogue* fields = hold<std::shared_ptr<const FieldCatalogue>>(CurrentMemoryContext);
    MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "pipedrive_fdw definitions",
                                                  ALLOCSET_SMALL_SIZES);
    auto* held = hold<Reading>(context);
    entry(connection->who, [&] {
        held->object = new Reading;
        held->object->account = account_of(*connection);
        held->object->reader.emplace(held->object->account, *entity, backend_transport(),
                                     monotonic_clock(), held->object->traffic);
    });
    Reading* reading = held->object;
    drive(connection->who, &reading->wait, [&](WaitFor* wait) {
        if (reading->reader->step(wait) == Progress::Wait) return false;
        CatalogueSlot& slot = catalogue_slot(connection->server, connection->user_mapping, *entity);
        slot.catalogue = reading->reader->take();
        fields->object = new std::shared_ptr<const FieldCatalogue>(slot.catalogue);
        slot.missing.clear();
        slot.read_at = unix_micros();
        return true;
    });
    MemoryContextDelete(context);
    account_for_sockets();
    return fields;
}

namespace {

Connection* connection_of_argument(const char* server_name) {
    ForeignServer* server = GetForeignServerByName(server_name, false);
    check_server_usage(server->serverid, server->servername);
    return connection_for(server->serverid, GetUserId(), NIL);
}

const Entity* entity_of_argument(text* name) {
    const char* entity = text_to_cstring(name);
    return entry({}, [&] { return &require_entity(entity); });
}

// Webhooks come by the hundred: the stored definitions are looked at every few seconds only.
bool is_due(const Connection* connection, const Entity* entity) {
    return entry(connection->who, [&] {
        constexpr std::int64_t kPause = 5000;
        CatalogueSlot& slot = catalogue_slot(connection->server, connection->user_mapping, *entity);
        const std::int64_t now = monotonic_clock().now_ms();
        const bool due = slot.catalogue == nullptr || now - slot.checked_at_ms >= kPause;
        if (due) slot.checked_at_ms = now;
        return due;
    });
}

Datum jsonb_of(const char* utf8) {
    return DirectFunctionCall1(jsonb_in, CStringGetDatum(server_text(utf8, strlen(utf8))));
}

char* utf8_json(Datum jsonb) {
    char* json = DatumGetCString(DirectFunctionCall1(jsonb_out, jsonb));
    return pg_server_to_any(json, static_cast<int>(strlen(json)), PG_UTF8);
}

// Renames that nobody applied stay visible: fields keep the names under which they were stored
// first.
void keep_old_names(const Connection* connection, const Entity* entity, HeldCatalogue* fields) {
    const Stored stored = select_stored(connection, entity, 0);
    if (stored.fields == nullptr) return;
    entry(connection->who, [&] {
        const FieldCatalogue old = read_catalogue(stored.fields);
        auto renamed = std::make_shared<FieldCatalogue>(**fields->object);
        for (FieldDefinition& field : renamed->fields)
            if (const FieldDefinition* before = old.find(field.code)) field.name = before->name;
        *fields->object = renamed;
    });
}

// Column names for fields that are not in the table yet, as {name, sql_type, field, subfield, type,
// comment}.
std::string named_columns_json(const Entity& entity, const FieldCatalogue& fields, LabelMode mode,
                               std::span<const std::string> taken) {
    std::string out;
    JsonWriter json(&out);
    json.open('[');
    for (const ImportedColumn& column : imported_custom_columns(
             entity, fields, mode, taken,
             kMaxImportedColumns - std::min(taken.size(), kMaxImportedColumns))) {
        json.open('{');
        json.member("name", column.name);
        json.member("sql_type", column.sql_type);
        json.member("field", column.field);
        json.member("subfield", column.subfield);
        json.member("type", column.type);
        json.member("comment", column.comment);
        json.close('}');
    }
    json.close(']');
    return out;
}

struct PodTexts {
    int count;
    char** items;
};

PodTexts texts_of(ArrayType* array) {
    PodTexts out;
    Datum* items;
    bool* nulls;
    deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &items, &nulls, &out.count);
    out.items = static_cast<char**>(palloc0(sizeof(char*) * (out.count + 1)));
    for (int i = 0; i < out.count; ++i) {
        char* item = nulls[i] ? pstrdup("") : TextDatumGetCString(items[i]);
        out.items[i] = pg_server_to_any(item, static_cast<int>(strlen(item)), PG_UTF8);
    }
    return out;
}

Datum decode_arguments(FunctionCallInfo fcinfo, Unfit unfit) {
    const TableInfo* table = table_info(PG_GETARG_OID(0));
    const char* json = utf8_json(PG_GETARG_DATUM(1));
    const char* shape = text_to_cstring(PG_GETARG_TEXT_PP(2));
    const Connection* connection = connection_for(table->server, GetUserId(), NIL);
    if (has_custom_fields(*table->entity) && is_due(connection, table->entity))
        refresh_slot(connection, table->entity);
    PG_RETURN_DATUM(jsonb_of(entry_text(connection->who, [&] {
        const auto parsed = parse_record_shape(shape);
        if (!parsed)
            throw Error(ErrorKind::BadOption, "shape",
                        "The shape must be \"rest\", \"flat\" or \"webhook\".");
        const CatalogueSlot& slot =
            catalogue_slot(connection->server, connection->user_mapping, *table->entity);
        std::vector<BoundColumn> columns;
        for (int i = 0; i < table->n_columns; ++i) {
            columns.push_back(bind_column(*table->entity, declared(table->columns[i])));
            if (!columns.back().resolved && slot.catalogue != nullptr)
                resolve_column(*table->entity, *slot.catalogue, &columns.back());
        }
        DecodedRecord record;
        record.labels.catalogue = slot.catalogue.get();
        decode_record(json, *parsed, *table->entity, columns, &record, unfit);
        return record_json(columns, record);
    })));
}

} // namespace

extern "C" {
PG_FUNCTION_INFO_V1(pipedrive_fdw_read_fields);
PG_FUNCTION_INFO_V1(pipedrive_fdw_stored_fields);
PG_FUNCTION_INFO_V1(pipedrive_fdw_keep_fields);
PG_FUNCTION_INFO_V1(pipedrive_fdw_name_columns);
PG_FUNCTION_INFO_V1(pipedrive_fdw_decode_record);
PG_FUNCTION_INFO_V1(pipedrive_fdw_decode_event);

// (server name, entity text): the definitions as Pipedrive has them now. One request a page, 10
// tokens each.
Datum pipedrive_fdw_read_fields(PG_FUNCTION_ARGS) {
    const Connection* connection = connection_of_argument(NameStr(*PG_GETARG_NAME(0)));
    const Entity* entity = entity_of_argument(PG_GETARG_TEXT_PP(1));
    if (!has_custom_fields(*entity)) PG_RETURN_DATUM(jsonb_of("[]"));
    const HeldCatalogue* fields = read_fields(connection, entity);
    PG_RETURN_DATUM(
        jsonb_of(entry_text(connection->who, [&] { return write_catalogue(**fields->object); })));
}

// (server name, entity text): the definitions as IMPORT or refresh_schema() kept them; NULL when
// they did not.
Datum pipedrive_fdw_stored_fields(PG_FUNCTION_ARGS) {
    const Connection* connection = connection_of_argument(NameStr(*PG_GETARG_NAME(0)));
    const Entity* entity = entity_of_argument(PG_GETARG_TEXT_PP(1));
    const Stored stored = select_stored(connection, entity, 0);
    if (stored.fields == nullptr) PG_RETURN_NULL();
    PG_RETURN_DATUM(jsonb_of(stored.fields));
}

// (server name, entity text, keep_names boolean): keeps what this session read last.
Datum pipedrive_fdw_keep_fields(PG_FUNCTION_ARGS) {
    const Connection* connection = connection_of_argument(NameStr(*PG_GETARG_NAME(0)));
    const Entity* entity = entity_of_argument(PG_GETARG_TEXT_PP(1));
    if (!has_custom_fields(*entity)) PG_RETURN_VOID();
    HeldCatalogue* fields = hold<std::shared_ptr<const FieldCatalogue>>(CurrentMemoryContext);
    entry(connection->who, [&] {
        fields->object = new std::shared_ptr<const FieldCatalogue>(
            catalogue_slot(connection->server, connection->user_mapping, *entity).catalogue);
    });
    // Emptied in between: read once more.
    if (*fields->object == nullptr) fields = read_fields(connection, entity);
    if (PG_GETARG_BOOL(2)) keep_old_names(connection, entity, fields);
    store_fields(connection, entity, fields);
    PG_RETURN_VOID();
}

// (entity text, fields jsonb, labels text, taken text[])
Datum pipedrive_fdw_name_columns(PG_FUNCTION_ARGS) {
    const Entity* entity = entity_of_argument(PG_GETARG_TEXT_PP(0));
    const char* fields = utf8_json(PG_GETARG_DATUM(1));
    const char* labels = text_to_cstring(PG_GETARG_TEXT_PP(2));
    const PodTexts taken = texts_of(PG_GETARG_ARRAYTYPE_P(3));
    entry({}, [&] { check_option(OptionContext::Import, "labels", labels); });
    PG_RETURN_DATUM(jsonb_of(entry_text({}, [&] {
        const std::vector<std::string> names(taken.items, taken.items + taken.count);
        return named_columns_json(*entity, read_catalogue(fields), *parse_label_mode(labels),
                                  names);
    })));
}

// (source regclass, record jsonb, shape text): {"column": value} of the columns that the record
// carries.
Datum pipedrive_fdw_decode_record(PG_FUNCTION_ARGS) {
    return decode_arguments(fcinfo, Unfit::Throw);
}

// The same, where a value that does not fit costs its column only.
Datum pipedrive_fdw_decode_event(PG_FUNCTION_ARGS) {
    return decode_arguments(fcinfo, Unfit::LeaveOut);
}
}

} // namespace pipedrive::pg
