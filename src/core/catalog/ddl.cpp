#include "core/catalog/ddl.h"

#include "core/catalog/naming.h"

namespace pipedrive {
namespace {

std::string doubled(std::string_view s, char quote) {
    std::string out;
    for (char c : s) {
        if (c == quote) out += c;
        out += c;
    }
    return out;
}

bool imports(const Column& column, const FieldCatalogue* catalogue, const ImportOptions& options) {
    switch (column.presence) {
        case Presence::Always:
            return true;
        case Presence::Optional:
            return options.optional_fields;
        case Presence::Listed:
            return catalogue != nullptr && catalogue->find(column.field) != nullptr;
    }
    return false;
}

ImportedColumn standard_column(const Column& column) {
    ImportedColumn out;
    out.name = column.name;
    out.sql_type = kind_row(column.kind).sql_type;
    if (column.field != column.name || !column.subfield.empty()) out.field = column.field;
    out.subfield = column.subfield;
    out.comment = column.comment;
    return out;
}

ImportedColumn custom_column(const NamedColumn& named) {
    ImportedColumn out;
    out.name = named.name;
    out.sql_type = kind_row(named.part->kind).sql_type;
    out.field = named.field->code;
    out.subfield = named.part->subfield;
    out.type = named.field->type;
    out.comment = "Custom field \"" + named.field->name + "\" (" + named.field->type + ")";
    if (!out.subfield.empty()) out.comment += ", " + out.subfield;
    return out;
}

} // namespace

std::vector<ImportedColumn> imported_columns(const Entity& entity, const FieldCatalogue* catalogue,
                                             const ImportOptions& options, std::size_t* left_out) {
    std::vector<ImportedColumn> columns;
    for (const Column& column : entity.columns)
        if (imports(column, catalogue, options)) columns.push_back(standard_column(column));
    if (catalogue == nullptr || !options.custom_fields) return columns;
    const std::size_t room = kMaxImportedColumns - columns.size();
    for (ImportedColumn& column :
         imported_custom_columns(entity, *catalogue, options.labels, {}, room, left_out))
        columns.push_back(std::move(column));
    return columns;
}

std::vector<ImportedColumn> imported_custom_columns(const Entity& entity,
                                                    const FieldCatalogue& fields, LabelMode labels,
                                                    std::span<const std::string> taken,
                                                    std::size_t room, std::size_t* left_out) {
    const std::vector<NamedColumn> all = name_custom_columns(entity, fields.fields, labels, taken);
    std::vector<ImportedColumn> columns;
    for (std::size_t i = 0; i < all.size();) {
        std::size_t next = i; // the columns of one field stay together
        while (next < all.size() && all[next].field == all[i].field)
            ++next;
        const bool fits = columns.size() + (next - i) <= room;
        if (!fits && left_out != nullptr) ++*left_out;
        for (; i < next; ++i)
            if (fits) columns.push_back(custom_column(all[i]));
    }
    return columns;
}

std::string quote_sql_name(std::string_view name) {
    return "\"" + doubled(name, '"') + "\"";
}

std::string quote_sql_text(std::string_view text) {
    // E'' is independent of standard_conforming_strings.
    const std::string body = doubled(doubled(text, '\''), '\\');
    return (text.find('\\') == std::string_view::npos ? "'" : "E'") + body + "'";
}

std::string create_table_sql(const Entity& entity, std::string_view server,
                             const std::vector<ImportedColumn>& columns) {
    std::string sql = "CREATE FOREIGN TABLE " + quote_sql_name(entity.name) + " (";
    bool first = true;
    for (const ImportedColumn& column : columns) {
        sql += (first ? "\n  " : ",\n  ") + quote_sql_name(column.name) + " " + column.sql_type;
        first = false;
        std::string options;
        auto add = [&](std::string_view name, const std::string& value) {
            if (!value.empty())
                options +=
                    (options.empty() ? "" : ", ") + std::string(name) + " " + quote_sql_text(value);
        };
        add("field", column.field);
        add("subfield", column.subfield);
        add("type", column.type);
        if (!options.empty()) sql += " OPTIONS (" + options + ")";
    }
    return sql + "\n) SERVER " + quote_sql_name(server) + " OPTIONS (entity " +
           quote_sql_text(entity.name) + ")";
}

} // namespace pipedrive
