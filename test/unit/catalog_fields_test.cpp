// Field types: every type the documentation names, and what becomes of each in each label mode.
#include <gtest/gtest.h>

#include <set>

#include "core/catalog/fields.h"

namespace pipedrive {
namespace {

// "suffix:sql type" of the columns IMPORT makes.
std::string columns_of(const char* type, LabelMode mode) {
    std::string out;
    for (const ImportedPart& p : imported_parts(field_type(type), mode))
        out += (out.empty() ? "" : " ") + std::string(p.suffix) + ":" +
               std::string(kind_row(p.part->kind).sql_type);
    return out;
}

// design.md section 5
TEST(FieldTypes, ColumnsOfEachType) {
    const std::pair<const char*, const char*> rows[] = {
        {"varchar", ":text"},
        {"varchar_auto", ":text"},
        {"text", ":text"},
        {"phone", ":text"},
        {"int", ":bigint"},
        {"double", ":numeric"},
        {"monetary", ":numeric _currency:text"},
        {"date", ":date"},
        {"daterange", ":date _until:date"},
        {"time", ":time _timezone:text"},
        {"timerange", ":time _until:time _timezone:text"},
        {"user", ":bigint"},
        {"org", ":bigint"},
        {"people", ":bigint"},
        {"deal", ":bigint"},
        {"lead", ":uuid"},
        {"address", ":text _address:jsonb"},
        {"json", ":jsonb"},
        {"something new", ":jsonb"},
    };
    for (const auto& [type, expected] : rows)
        for (LabelMode mode : {LabelMode::Label, LabelMode::Id, LabelMode::Both})
            EXPECT_EQ(columns_of(type, mode), expected) << type;
    EXPECT_EQ(columns_of("enum", LabelMode::Label), ":text");
    EXPECT_EQ(columns_of("enum", LabelMode::Id), ":bigint");
    EXPECT_EQ(columns_of("enum", LabelMode::Both), ":text _id:bigint");
    EXPECT_EQ(columns_of("set", LabelMode::Label), ":text[]");
    EXPECT_EQ(columns_of("set", LabelMode::Id), ":bigint[]");
    EXPECT_EQ(columns_of("set", LabelMode::Both), ":text[] _id:bigint[]");
}

TEST(FieldTypes, PartsAreFoundAgainByTheirOption) {
    for (const FieldType& type : field_types()) {
        std::set<std::string_view> subfields, suffixes;
        for (const Part& part : type.parts) {
            EXPECT_TRUE(subfields.insert(part.subfield).second) << type.name;
            EXPECT_TRUE(suffixes.insert(part.suffix).second) << type.name;
            EXPECT_EQ(find_part(type, part.subfield), &part);
        }
        EXPECT_TRUE(subfields.count("")) << type.name;
        EXPECT_EQ(find_part(type, "nonsense"), nullptr);
    }
}

TEST(FieldCatalogue, Lookup) {
    FieldCatalogue c;
    c.fields.push_back({"a", "A", "enum", true, false, {{"1", "One"}, {"2", ""}}});
    EXPECT_EQ(c.find("a")->name, "A");
    EXPECT_EQ(c.find("b"), nullptr);
    EXPECT_EQ(*c.label("a", "1"), "One");
    EXPECT_EQ(*c.label("a", "2"), "");
    EXPECT_EQ(c.label("a", "3"), nullptr);
    EXPECT_EQ(c.label("b", "1"), nullptr);
}

TEST(FieldCatalogue, SmallParsers) {
    EXPECT_TRUE(is_field_hash("0123456789abcdef0123456789ABCDEF01234567"));
    EXPECT_FALSE(is_field_hash("0123456789abcdef0123456789abcdef0123456"));
    EXPECT_FALSE(is_field_hash("0123456789abcdef0123456789abcdef0123456g"));
    EXPECT_FALSE(is_field_hash("0123456789abcdef0123456789abcdef012345678"));
    EXPECT_FALSE(is_field_hash(""));
    EXPECT_EQ(parse_label_mode("label"), LabelMode::Label);
    EXPECT_EQ(parse_label_mode("id"), LabelMode::Id);
    EXPECT_EQ(parse_label_mode("both"), LabelMode::Both);
    EXPECT_EQ(parse_label_mode("Label"), std::nullopt);
    EXPECT_EQ(parse_label_mode(""), std::nullopt);
}

TEST(Kinds, OneRowEach) {
    ASSERT_EQ(kind_rows().size(), static_cast<std::size_t>(Kind::Count_));
    std::set<std::string_view> names;
    for (const KindRow& row : kind_rows()) {
        EXPECT_EQ(&kind_row(row.kind), &row);
        EXPECT_EQ(find_kind(row.name), &row);
        EXPECT_TRUE(names.insert(row.name).second) << row.name;
    }
    EXPECT_EQ(find_kind("nonsense"), nullptr);
}

} // namespace
} // namespace pipedrive
