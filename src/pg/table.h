// A foreign table as its catalog entries describe it, as plain data for planner and executor.
#pragma once

#include "pg/pg_prelude.h"

#include "core/catalog/binding.h"
#include "core/catalog/entities.h"
#include "pg/qual.h"

namespace pipedrive::pg {

struct PodColumn {
    AttrNumber attnum;
    // UTF-8, like the options.
    const char* name;
    const char* field;
    const char* subfield;
    const char* type;
    bool removed;
    Oid sql_type;
};

struct TableInfo {
    Oid relation;
    Oid server;
    const Entity* entity;
    int page_size;
    int n_columns;
    PodColumn* columns;
    // One for each column.
    QualColumn* filters;
    // One for each column, too.
    bool* is_key;
};

// Reads options of the table and its columns. Raises ERROR for an entity that does not exist.
// palloc'd.
TableInfo* table_info(Oid relation);

// Rows that a page is asked for: option of the table, of its server, or the default.
int page_size_of(Oid relation);

// Throws bad_alloc; inside entry() only.
DeclaredColumn declared(const PodColumn& column);

} // namespace pipedrive::pg
