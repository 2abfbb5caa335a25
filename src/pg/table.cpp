#include "pg/pg_prelude.h"

#include "pg/table.h"

#include "core/plan/request_plan.h"
#include "core/catalog/options.h"
#include "pg/guard.h"

namespace pipedrive::pg {
namespace {

const char* to_utf8(const char* text) {
    return pg_server_to_any(text, static_cast<int>(strlen(text)), PG_UTF8);
}

void read_column_options(PodColumn* column, Oid relation) {
    const struct {
        const char* option;
        const char** into;
    } wanted[] = {
        {"field", &column->field}, {"subfield", &column->subfield}, {"type", &column->type}};
    column->field = column->subfield = column->type = "";
    ListCell* lc;
    foreach (lc, GetForeignColumnOptions(relation, column->attnum)) {
        DefElem* def = lfirst_node(DefElem, lc);
        for (const auto& w : wanted)
            if (strcmp(def->defname, w.option) == 0) *w.into = to_utf8(defGetString(def));
        if (strcmp(def->defname, "removed") == 0) column->removed = defGetBoolean(def);
    }
}

bool is_ours(Oid relation) {
    ForeignServer* server = GetForeignServer(GetForeignTable(relation)->serverid);
    return strcmp(GetForeignDataWrapper(server->fdwid)->fdwname, "pipedrive_fdw") == 0;
}

// Which filter of the entity a column may use; its SQL type is checked where the clause is looked
// at.
QualColumn filter_of(const Entity& entity, const PodColumn& column) {
    const Filter* filter = entry({}, [&]() -> const Filter* {
        const Column* standard = standard_column(entity, declared(column));
        if (standard == nullptr || !standard->subfield.empty()) return nullptr;
        return find_filter(entity, standard->name);
    });
    if (filter == nullptr) return {column.attnum, nullptr, Value::Type::Null};
    // The name is a literal of the catalogue, so it has its end mark and stays.
    return {column.attnum, filter->column.data(), value_type(filter->kind)};
}

} // namespace

DeclaredColumn declared(const PodColumn& c) {
    DeclaredColumn out;
    out.attnum = c.attnum;
    out.name = c.name;
    out.field = c.field;
    out.subfield = c.subfield;
    out.type = c.type;
    out.removed = c.removed;
    return out;
}

int page_size_of(Oid relation) {
    ForeignTable* table = GetForeignTable(relation);
    List* options = list_concat_copy(GetForeignServer(table->serverid)->options, table->options);
    int size = static_cast<int>(kDefaultPageSize);
    ListCell* lc;
    foreach (lc, options)
        if (strcmp(lfirst_node(DefElem, lc)->defname, "page_size") == 0)
            size = pg_strtoint32(defGetString(lfirst_node(DefElem, lc)));
    return size;
}

TableInfo* table_info(Oid relation_oid) {
    auto* info = static_cast<TableInfo*>(palloc0(sizeof(TableInfo)));
    Relation relation = try_relation_open(relation_oid, AccessShareLock);
    if (relation == nullptr)
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
                        errmsg("table with OID %u does not exist", relation_oid)));
    if (relation->rd_rel->relkind != RELKIND_FOREIGN_TABLE || !is_ours(relation_oid))
        ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
                        errmsg("\"%s\" is not a foreign table of pipedrive_fdw",
                               RelationGetRelationName(relation))));
    ForeignTable* table = GetForeignTable(relation_oid);
    const char* entity = RelationGetRelationName(relation);
    ListCell* lc;
    foreach (lc, table->options) {
        DefElem* def = lfirst_node(DefElem, lc);
        if (strcmp(def->defname, "entity") == 0) entity = defGetString(def);
    }
    info->relation = relation_oid;
    info->page_size = page_size_of(relation_oid);
    info->server = table->serverid;
    info->entity = entry({}, [&] { return &require_entity(entity); });
    TupleDesc desc = RelationGetDescr(relation);
    info->columns = static_cast<PodColumn*>(palloc0(sizeof(PodColumn) * (desc->natts + 1)));
    info->is_key = static_cast<bool*>(palloc0(sizeof(bool) * (desc->natts + 1)));
    info->filters = static_cast<QualColumn*>(palloc0(sizeof(QualColumn) * (desc->natts + 1)));
    for (int i = 0; i < desc->natts; ++i) {
        Form_pg_attribute attribute = TupleDescAttr(desc, i);
        if (attribute->attisdropped) continue;
        PodColumn* column = &info->columns[info->n_columns];
        column->attnum = attribute->attnum;
        column->name = to_utf8(pstrdup(NameStr(attribute->attname)));
        column->sql_type = attribute->atttypid;
        read_column_options(column, relation_oid);
        info->filters[info->n_columns] = filter_of(*info->entity, *column);
        info->is_key[info->n_columns++] = entry({}, [&] {
            const Column* standard = standard_column(*info->entity, declared(*column));
            return standard != nullptr && standard->field == info->entity->key;
        });
    }
    table_close(relation, NoLock);
    return info;
}

} // namespace pipedrive::pg
