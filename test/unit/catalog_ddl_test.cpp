// What IMPORT FOREIGN SCHEMA writes: which columns, and SQL that says exactly what was meant.
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "core/catalog/binding.h"
#include "core/catalog/ddl.h"
#include "core/catalog/entities.h"
#include "unit/cells.h"

namespace pipedrive {
namespace {

using test::hash_code;

// PostgreSQL's reading of a string constant, '…' or E'…'.
std::string read_constant(std::string_view sql) {
    const bool escapes = sql.starts_with("E");
    if (escapes) sql.remove_prefix(1);
    EXPECT_TRUE(sql.size() >= 2 && sql.front() == '\'' && sql.back() == '\'') << sql;
    std::string out;
    for (std::size_t i = 1; i + 1 < sql.size(); ++i) {
        if (sql[i] == '\'' || (escapes && sql[i] == '\\')) {
            ++i;
            EXPECT_TRUE(i + 1 < sql.size() && sql[i] == sql[i - 1]) << sql; // doubled, nothing else
        }
        // Without E a backslash would depend on standard_conforming_strings.
        EXPECT_TRUE(escapes || sql[i] != '\\') << sql;
        out += sql[i];
    }
    return out;
}

TEST(Ddl, QuotingIsReadBackAsMeant) {
    std::mt19937 random(8);
    const char* pieces[] = {"'", "\\", "\"", "a", "é", "\n", ";", "--", "$$", " "};
    for (int i = 0; i < 2000; ++i) {
        std::string text;
        for (unsigned n = random() % 8; n > 0; --n)
            text += pieces[random() % 10];
        ASSERT_EQ(read_constant(quote_sql_text(text)), text);
        const std::string name = quote_sql_name(text);
        std::string back;
        for (std::size_t at = 1; at + 1 < name.size(); ++at) {
            if (name[at] == '"') ++at;
            ASSERT_TRUE(name[at] != '"' || name[at - 1] == '"') << name;
            back += name[at];
        }
        ASSERT_EQ(back, text);
    }
}

FieldCatalogue catalogue() {
    FieldCatalogue c;
    c.fields.push_back({hash_code(1), "Bud\"get's", "monetary", true, false, {}});
    c.fields.push_back({hash_code(2), "Color", "enum", true, false, {{"1", "Red"}}});
    c.fields.push_back({"mrr", "MRR", "monetary", false, false, {}});
    return c;
}

const ImportedColumn* find(const std::vector<ImportedColumn>& columns, std::string_view name) {
    for (const ImportedColumn& c : columns)
        if (c.name == name) return &c;
    return nullptr;
}

TEST(Ddl, ColumnsFollowTheOptions) {
    const Entity& deals = require_entity("deals");
    const FieldCatalogue fields = catalogue();
    const auto all = imported_columns(deals, &fields, {.labels = LabelMode::Both});
    EXPECT_EQ(all[0].name, "id");
    ASSERT_NE(find(all, "bud_get_s"), nullptr);
    EXPECT_EQ(find(all, "bud_get_s")->sql_type, "numeric");
    EXPECT_EQ(find(all, "bud_get_s_currency")->subfield, "currency");
    EXPECT_EQ(find(all, "color")->sql_type, "text");
    EXPECT_EQ(find(all, "color_id")->sql_type, "bigint");
    EXPECT_NE(find(all, "notes_count"), nullptr);
    EXPECT_NE(find(all, "mrr"), nullptr); // this account has it
    EXPECT_EQ(find(all, "arr"), nullptr);
    EXPECT_EQ(find(all, "title")->field, ""); // nothing to say: the name is the field
    const auto few =
        imported_columns(deals, &fields, {.custom_fields = false, .optional_fields = false});
    EXPECT_EQ(find(few, "color"), nullptr);
    EXPECT_EQ(find(few, "notes_count"), nullptr);
    EXPECT_NE(find(few, "custom_fields"), nullptr);
}

// Every column that IMPORT declares binds to exactly what it was made of.
TEST(Ddl, ImportedColumnsBind) {
    const FieldCatalogue fields = catalogue();
    for (const Entity* each : entities())
        for (LabelMode mode : {LabelMode::Label, LabelMode::Id, LabelMode::Both}) {
            const Entity& entity = *each;
            const FieldCatalogue* known = has_custom_fields(entity) ? &fields : nullptr;
            for (const ImportedColumn& c : imported_columns(entity, known, {.labels = mode})) {
                const BoundColumn b = bind_column(entity, {1, c.name, c.field, c.subfield, c.type});
                EXPECT_TRUE(b.resolved) << c.name;
                EXPECT_EQ(kind_row(b.kind).sql_type, c.sql_type) << c.name;
                EXPECT_EQ(b.source == Source::Custom, !c.type.empty()) << c.name;
            }
        }
}

TEST(Ddl, Statement) {
    const Entity& stages = require_entity("stages");
    const std::vector<ImportedColumn> columns = {
        {"id", "bigint", "", "", "", "x"}, {"we\"ird", "text", "f'1", "currency", "monetary", "x"}};
    EXPECT_EQ(create_table_sql(stages, "my \"server", columns),
              "CREATE FOREIGN TABLE \"stages\" (\n  \"id\" bigint,\n  \"we\"\"ird\" text OPTIONS "
              "(field 'f''1', subfield 'currency', type 'monetary')\n) SERVER \"my \"\"server\" "
              "OPTIONS (entity 'stages')");
}

// An account may have more fields than a table has columns: IMPORT makes a table all the same.
TEST(Ddl, FieldsBeyondTheRoomOfATableAreLeftOutWhole) {
    FieldCatalogue many;
    for (int i = 0; i < 1700; ++i)
        many.fields.push_back({hash_code(i),
                               "Field " + std::to_string(i),
                               i % 2 == 0 ? "monetary" : "varchar",
                               true,
                               false,
                               {}});
    std::size_t left_out = 0;
    const auto columns = imported_columns(require_entity("deals"), &many, {}, &left_out);
    EXPECT_LE(columns.size(), kMaxImportedColumns);
    EXPECT_GE(columns.size() + 1, kMaxImportedColumns) << "no more than needed";
    std::map<std::string, int> parts;
    for (const ImportedColumn& column : columns)
        if (column.field.size() == 40) ++parts[column.field];
    EXPECT_EQ(parts.size() + left_out, 1700u);
    for (int i = 0; i < 1700; ++i)
        if (const auto it = parts.find(hash_code(i)); it != parts.end()) {
            EXPECT_EQ(it->second, i % 2 == 0 ? 2 : 1) << i;
        }
    left_out = 0;
    EXPECT_TRUE(
        imported_custom_columns(require_entity("deals"), many, LabelMode::Label, {}, 0, &left_out)
            .empty());
    EXPECT_EQ(left_out, 1700u);
}

} // namespace
} // namespace pipedrive
