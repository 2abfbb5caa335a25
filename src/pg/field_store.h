// The extension's table of field definitions (pipedrive_internal.fields): what IMPORT and
// refresh_schema() read, kept for labels and for telling what changed since. Written and read with
// the rights of its owner, after the caller's rights on the server were checked.
#pragma once

#include "pg/pg_prelude.h"

#include <memory>

#include "pg/connection.h"
#include "pg/guard.h"

namespace pipedrive::pg {

// Brings the session's slot up to date with the table when the table is newer. Leaf; two index
// look-ups at most.
void refresh_slot(const Connection* connection, const Entity* entity);

// Definitions as read from the API; the holder lives in a memory context, as a changed server may
// empty the slot at any time.
using HeldCatalogue = Held<std::shared_ptr<const FieldCatalogue>>;

// Reads the definitions from the API, waiting as needed, and leaves them in the session's slot too.
// Leaf; raises the scan's errors.
HeldCatalogue* read_fields(const Connection* connection, const Entity* entity);

// Stores definitions in the table. Leaf.
void store_fields(const Connection* connection, const Entity* entity, const HeldCatalogue* fields);

} // namespace pipedrive::pg
