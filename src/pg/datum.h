// Cells to Datums: which SQL types a column of each kind may have, and the conversion.
#pragma once

#include "pg/pg_prelude.h"

#include "core/catalog/kinds.h"
#include "core/wire/cell.h"

namespace pipedrive::pg {

// How one column of the table takes its cells. palloc'd; filled by prepare_converter.
struct Converter {
    Oid type;
    int32 typmod;
    // Of a domain, else the type.
    Oid base_type;
    // Through the base type's input function.
    bool by_text;
    // Whose constraints hold for NULL too.
    bool domain;
    void* domain_extra;
    MemoryContext context;
    FmgrInfo input;
    Oid io_param;
    const char* name;
};

// Raises ERROR with a hint when a column of this type cannot hold values of the kind. Leaf.
void prepare_converter(Converter* converter, Kind kind, const char* name, Oid type, int32 typmod);

// Whether the database's encoding has every character of a cell. Leaf.
bool cell_fits_encoding(const Cell* cell);

// The Datum of a cell, in the current memory context; false for NULL. Raises the type's own errors
// (22003, 22P02, …) and a domain's. Leaf.
bool cell_to_datum(Converter* converter, const Cell* cell, Datum* out);

// UTF-8 to the server's encoding, NUL-terminated, palloc'd.
char* server_text(const char* utf8, Size size);

} // namespace pipedrive::pg
