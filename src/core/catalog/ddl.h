// What IMPORT FOREIGN SCHEMA makes of an entity: column names, types, options and comments, and the
// statement that creates the table.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/catalog/entities.h"
#include "core/catalog/fields.h"

namespace pipedrive {

struct ImportOptions {
    bool custom_fields = true;
    bool optional_fields = true;
    LabelMode labels = LabelMode::Label;
};

struct ImportedColumn {
    std::string name;
    std::string sql_type;
    std::string field; // column options; empty: not written
    std::string subfield;
    std::string type;
    std::string comment;
};

// PostgreSQL's tables have 1600 columns at most, dropped ones included; a mirror has some of its
// own.
constexpr std::size_t kMaxImportedColumns = 1500;

// Standard columns first, custom fields after them in the order of the definitions. `catalogue` may
// be nullptr for entities without definitions; with one, Presence::Listed columns appear when it
// lists their field. Fields for which there is no room are left out (whole) and counted in
// *left_out.
std::vector<ImportedColumn> imported_columns(const Entity& entity, const FieldCatalogue* catalogue,
                                             const ImportOptions& options,
                                             std::size_t* left_out = nullptr);

// Columns for custom fields alone, whose names avoid `taken` as well: what refresh_schema() adds.
// At most `room` of them.
std::vector<ImportedColumn> imported_custom_columns(const Entity& entity,
                                                    const FieldCatalogue& fields, LabelMode labels,
                                                    std::span<const std::string> taken,
                                                    std::size_t room = kMaxImportedColumns,
                                                    std::size_t* left_out = nullptr);

// CREATE FOREIGN TABLE with every name quoted. `server` is the server's name as SQL knows it.
std::string create_table_sql(const Entity& entity, std::string_view server,
                             const std::vector<ImportedColumn>& columns);

std::string quote_sql_name(std::string_view name);
std::string quote_sql_text(std::string_view text);

} // namespace pipedrive
