// The entities of a Pipedrive account as rows: where they are read, which columns they have, which
// WHERE clauses become parameters.
//
// Adding an entity, a column or a push-down is adding a row in the file of its family (deals.cpp,
// contacts.cpp, ...). Nothing here knows a particular account: its custom fields arrive as
// FieldDefinitions (fields.h).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/row_key.h"
#include "core/catalog/kinds.h"
#include "core/catalog/webhook.h"

namespace pipedrive {

// How a list goes on after a page: by a cursor that the answer gives, by the number of the first
// row, or not at all.
enum class Paging : std::uint8_t { Cursor, Offset, None };

// How a list is asked for in an order: sort_by=key&sort_direction=desc, sort=key DESC, or not.
enum class Sorting : std::uint8_t { None, ByDirection, ByWord };

// How a record is written down: with custom_fields as an object, or v1's, where they are keys of
// the record itself and unset ones are missing.
enum class Shape : std::uint8_t { Nested, Flat };

struct FixedParameter {
    std::string_view name, value;
};

// The most ids that one request may name.
inline constexpr int kIdsPerRequest = 100;

// A record by its key.
struct Single {
    std::string_view path = {}; // before /{key}; empty: that of the list
    int tokens = 0;             // 0: it cannot be read so
    bool bare = false;          // takes none of the list's parameters
};

// A list of the API. Every row of a table comes from exactly one of the entity's endpoints.
struct Endpoint {
    std::string_view path;
    int tokens = 0; // documented cost of one request
    Paging paging = Paging::None;
    int max_limit = 0; // 0 without paging
    Shape shape = Shape::Nested;
    Sorting sorting = Sorting::None;
    // The order that is asked for where nothing else is, ascending: a key that no row changes. A
    // list by offsets needs one.
    std::string_view order = {};
    // What it takes: ids= (so many), custom_fields= (at most 15 keys), include_option_labels,
    // include_labels.
    int batch = 0;
    bool custom_projection = false;
    bool option_labels = false;
    bool label_objects = false;
    // The value of the entity's is_archived column for every row read here.
    bool archived = false;
    std::span<const FixedParameter> fixed = {}; // sent with every request
    // Parameters of the entity's filters that this list does not take. Instead of updated_since it
    // is read by update_time, newest first, until a row is older.
    std::span<const std::string_view> without = {};
    Single single = {};
};

// When IMPORT makes the column, and what it takes to read it.
enum class Presence : std::uint8_t {
    Always,   // in every answer
    Optional, // only when named in include_fields
    Listed,   // only in accounts whose field definitions list it
};

// Where a column's value comes from.
enum class Source : std::uint8_t {
    Field,    // a top-level key of the row
    Custom,   // a key inside custom_fields
    Endpoint, // not in the row: true for rows of an archived endpoint
    Labels,   // label objects that include_labels adds
    Gone,     // a field that Pipedrive no longer has: NULL, never asked for
};

struct Column {
    std::string_view name;  // SQL name
    std::string_view field; // API key
    Kind kind;
    Presence presence;
    std::string_view comment;
    Source source = Source::Field;
    // Option "subfield" that tells it from its siblings of the same field.
    std::string_view subfield = {};
    // Where the field is an object: the member that is meant. A siblings' value is in no other.
    std::string_view member = {};
};

enum class FilterKind : std::uint8_t {
    Ids,       // = / IN on an integer key: one by one or in batches, whichever is cheaper
    Uuids,     // = / IN on a key that is a UUID, likewise
    Equal,     // = one positive integer
    EqualUuid, // = one UUID
    OneOf,     // = / IN over a closed list of words, comma separated
    Flag,      // boolean; words: how false and true are sent
    Window,    // bounds on update_time: updated_since, updated_until
    Endpoint,  // boolean that chooses endpoints; sends no parameter
    Newest,    // lower bound on add_time: newest first, and stop after an older row
};

enum class Exactness : std::uint8_t { Local, Superset, Exact };

struct Filter {
    std::string_view column;
    FilterKind kind;
    std::string_view parameter;
    Exactness best; // the most that may be claimed
    // Rows that one value, or the usual bound, is expected to select: below 1 a share of the table,
    // from 1 on a number of rows. Of Endpoint: archived ones.
    double selects;
    std::string_view reason; // why it is exact or a superset
    // OneOf: what the API accepts and a row of this table can hold; and words that no row of this
    // table holds, so they match nothing. Flag: "false" and "true" where they are spelled
    // otherwise.
    std::span<const std::string_view> words = {}, absent_words = {};
};

// How a record says that it is deleted, where it is still told when it is asked for by its key:
// lists leave it out.
struct DeletedFlag {
    std::string_view field = "is_deleted"; // empty: none does
    bool value = true;
};

struct Entity {
    std::string_view name;
    std::string_view comment;
    // The table is the disjoint union of them, read in this order.
    std::span<const Endpoint> endpoints;
    std::span<const Column> columns;
    std::span<const Filter> filters = {}; // of the key first: with it most others are not sent
    std::string_view key = "id";          // the field that tells rows apart
    KeyKind key_kind = KeyKind::Integer;
    DeletedFlag deleted = {};
    // Of its custom fields, and what a page of them costs; empty: it has none.
    std::string_view definitions_path = {};
    int definitions_tokens = 0;
    Webhook webhook = {};
    std::int64_t guessed_rows = 1000;   // for the planner until something better is known
    bool imported = true;               // by IMPORT without LIMIT TO
    bool mirrored = true;               // by create_mirrors()
    std::string_view deleted_list = {}; // entity that lists its deleted rows; empty: none does
    std::string_view changelog = {}; // Pipedrive's own log of the record {id}; empty: it has none
    // Columns whose values over time a view beside a mirror shows.
    std::span<const std::string_view> histories = {};
};

// All of them, one family after the other: for (const Entity* entity : entities()).
class EntityList {
  public:
    class Iterator {
      public:
        Iterator(std::size_t family, std::size_t row) noexcept : family_(family), row_(row) {}
        const Entity* operator*() const noexcept;
        Iterator& operator++() noexcept;
        bool operator==(const Iterator&) const = default;

      private:
        std::size_t family_, row_;
    };
    Iterator begin() const noexcept;
    Iterator end() const noexcept;
};
inline EntityList entities() noexcept {
    return {};
}
const Entity* find_entity(std::string_view name) noexcept; // nullptr when unknown
const Entity& require_entity(
    std::string_view name); // throws Error{UnknownEntity} with the closest name
const Column* find_column(const Entity& entity, std::string_view field,
                          std::string_view subfield) noexcept;
const Column* find_column_named(const Entity& entity, std::string_view name) noexcept;
// The entity whose events name that object, nullptr when it is no table.
const Entity* find_webhook_entity(std::string_view object) noexcept;
const Filter* find_filter(const Entity& entity, std::string_view column) noexcept;
// Whether filters of that kind look rows up by their key.
bool is_lookup(FilterKind kind) noexcept;
bool has_custom_fields(const Entity& entity) noexcept;
// The entity whose field definitions these are too: the first one with the same list of them. They
// are read once for all, and kept under its name.
const Entity& definitions_owner(const Entity& entity) noexcept;

inline constexpr std::size_t kCustomKeysPerRequest = 15;

} // namespace pipedrive
