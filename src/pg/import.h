// IMPORT FOREIGN SCHEMA.
#pragma once

#include "pg/pg_prelude.h"

namespace pipedrive::pg {

List* import_schema(ImportForeignSchemaStmt* stmt, Oid server);

} // namespace pipedrive::pg
