#include "pg/pg_prelude.h"

#include "pg/known_rows.h"

extern "C" {
#include "utils/hsearch.h"
}

namespace pipedrive::pg {
namespace {

struct Entry {
    // The key.
    Oid relation;
    double rows;
};
HTAB* table = nullptr;

} // namespace

void note_rows(Oid relation, double rows) {
    if (table == nullptr) {
        HASHCTL control = {};
        control.keysize = sizeof(Oid);
        control.entrysize = sizeof(Entry);
        table = hash_create("sizes of Pipedrive tables", 16, &control, HASH_ELEM | HASH_BLOBS);
    }
    static_cast<Entry*>(hash_search(table, &relation, HASH_ENTER, nullptr))->rows = rows;
}

double known_rows(Oid relation) {
    auto* entry = table == nullptr
                      ? nullptr
                      : static_cast<Entry*>(hash_search(table, &relation, HASH_FIND, nullptr));
    return entry == nullptr ? -1 : entry->rows;
}

} // namespace pipedrive::pg
