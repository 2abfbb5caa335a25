// The extension's table of field definitions (pipedrive.fields): what IMPORT and refresh_schema()
// read, kept for labels and for telling what changed since. Written and read with the rights of its
// owner, after the caller's rights on the server were checked.
#pragma once

#include "pg/pg_prelude.h"

#include "pg/connection.h"

namespace pipedrive::pg {

// Brings the session's slot up to date with the table when the table is newer. Leaf; two index
// look-ups at most.
void refresh_slot(const Connection* connection, const Entity* entity);

// Stores what the session's slot holds. Leaf.
void store_slot(const Connection* connection, const Entity* entity);

// Reads the definitions from the API into the session's slot, waiting as needed. Leaf; raises the
// scan's errors.
void read_into_slot(const Connection* connection, const Entity* entity);

} // namespace pipedrive::pg
