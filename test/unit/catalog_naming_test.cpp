// Column names: the properties that must hold for any set of fields an account may have.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "core/base/text.h"
#include "core/catalog/naming.h"

namespace pipedrive {
namespace {

// The scanner rule of PostgreSQL for an identifier that needs no quotes.
bool needs_no_quotes(const std::string& s) {
    const auto start = [](unsigned char c) {
        return (c >= 'a' && c <= 'z') || c == '_' || c >= 0x80;
    };
    return !s.empty() && start(static_cast<unsigned char>(s[0])) && !is_reserved_word(s) &&
           std::all_of(s.begin(), s.end(), [&](char c) {
               return start(static_cast<unsigned char>(c)) || (c >= '0' && c <= '9') || c == '$';
           });
}

struct Generator {
    std::mt19937 random{4711};
    const Entity& entity;
    explicit Generator(const Entity& e) : entity(e) {}

    std::size_t pick(std::size_t n) {
        return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
    }
    template <typename T, std::size_t N>
    T one(const T (&pool)[N]) {
        return pool[pick(N)];
    }

    std::string random_text() {
        std::string out;
        for (std::size_t n = pick(30); n > 0; --n) {
            const char32_t ranges[][2] = {{0x20, 0x7E},      {0xA0, 0x24F},    {0x370, 0x52F},
                                          {0x5D0, 0x66D},    {0x900, 0xDFF},   {0xE01, 0xE4E},
                                          {0x1E00, 0x1FFF},  {0x2000, 0x214F}, {0x3040, 0x30FF},
                                          {0x4E00, 0x4FFF},  {0xAC00, 0xACFF}, {0xFF00, 0xFFEF},
                                          {0x1F300, 0x1F6FF}};
            const auto& range = ranges[pick(std::size(ranges))];
            utf8_append(out, range[0] + static_cast<char32_t>(pick(range[1] - range[0] + 1)));
        }
        return out;
    }

    // Names that people and adversaries give.
    std::string name(const std::vector<FieldDefinition>& sofar) {
        static const char* pool[] = {"Budget",
                                     "budget",
                                     "BUDGET",
                                     "Budget ",
                                     "Größe",
                                     "GRÖSSE",
                                     "größe",
                                     "Umsatz (€)",
                                     "2025 Umsatz",
                                     "1",
                                     "select",
                                     "Order",
                                     "order currency",
                                     "User",
                                     "Time",
                                     "Бюджет",
                                     "бюджет",
                                     "预算",
                                     "予算額",
                                     "👍",
                                     "👍🏽 thumbs",
                                     "",
                                     " ",
                                     "___",
                                     "!!!",
                                     "xmin",
                                     "ctid",
                                     "tableoid",
                                     "Title",
                                     "title_",
                                     "Value",
                                     "value_id",
                                     "Label IDs",
                                     "Budget until",
                                     "budget_currency",
                                     "budget_id",
                                     "Order ID",
                                     "address",
                                     "Custom Fields",
                                     "a\tb\nc",
                                     "x\"y'z",
                                     "field_aaaaaaaa",
                                     "İstanbul",
                                     "KELVIN \xE2\x84\xAA",
                                     "ǅ",
                                     "e\xCC\x81t\xC3\xA9",
                                     "\xFF\xFE bad",
                                     "ends in order",
                                     "Int",
                                     "_order_",
                                     "budget_aaaaaa",
                                     "budget_aaaaaaaaaaaa",
                                     "Ⓐ circled",
                                     "ªº",
                                     "x²"};
        switch (pick(8)) {
            case 0:
                return random_text();
            case 1: { // long, cut in the middle of characters
                std::string out;
                const std::string unit = one({"я", "a", "語", "👍", "é ", "order "});
                for (std::size_t n = 1 + pick(120); n > 0; --n)
                    out += unit;
                return out;
            }
            case 2:
                return std::string(entity.columns[pick(entity.columns.size())].name);
            case 3: // what another field will be called, or may be called after a clash
                if (sofar.empty()) return "first";
                {
                    const FieldDefinition& f = sofar[pick(sofar.size())];
                    const std::string suffixes[] = {"",    "_currency", "_until",
                                                    "_id", "_address",  "_timezone"};
                    const std::size_t digits[] = {0, 6, 12, 26, 40};
                    const std::size_t n = one(digits);
                    return f.name + (n == 0 ? "" : "_" + f.code.substr(0, n)) +
                           suffixes[pick(std::size(suffixes))];
                }
            case 4:
                return one({"select", "end", "user", "when", "xmlparse", "json_table"}) +
                       std::string(pick(3), ' ');
            default:
                return one(pool);
        }
    }
    std::string one(std::initializer_list<const char*> pool) {
        return *(pool.begin() + pick(pool.size()));
    }

    std::vector<FieldDefinition> fields() {
        std::vector<FieldDefinition> out;
        std::set<std::string> codes;
        const bool similar = pick(2) == 0; // codes with a long common beginning
        for (std::size_t n = 1 + pick(40); n > 0; --n) {
            FieldDefinition f;
            do {
                f.code = similar ? std::string(one({"aaaaaa", "aaaaaaaaaaaaaaaaaaaaaaaaaaa"})) : "";
                while (f.code.size() < 40)
                    f.code += "0123456789abcdef"[pick(similar ? 3 : 16)];
            } while (!codes.insert(f.code).second);
            f.name = name(out);
            f.type = field_types()[pick(field_types().size())].name;
            f.custom = pick(10) != 0;
            out.push_back(f);
        }
        return out;
    }
};

using Names = std::map<std::pair<std::string, std::string>, std::string>;

Names names_of(const Entity& entity, const std::vector<FieldDefinition>& fields, LabelMode mode) {
    Names out;
    for (const NamedColumn& c : name_custom_columns(entity, fields, mode)) {
        const bool fresh =
            out.emplace(std::pair(c.field->code, std::string(c.part->subfield)), c.name).second;
        EXPECT_TRUE(fresh) << "a part came twice: " << c.name;
    }
    return out;
}

std::string list(const std::vector<FieldDefinition>& fields) {
    std::string out;
    for (const FieldDefinition& f : fields)
        out += f.code + " " + f.type + " \"" + f.name + "\"\n";
    return out;
}

void check_names(const Entity& entity, const std::vector<FieldDefinition>& fields,
                 const Names& names) {
    std::set<std::string> used = {"tableoid", "cmin", "cmax", "xmin", "xmax", "ctid"};
    for (const Column& c : entity.columns)
        used.insert(std::string(c.name));
    for (const auto& [key, name] : names) {
        ASSERT_TRUE(used.insert(name).second) << "twice: " << name << "\n" << list(fields);
        ASSERT_LE(name.size(), 63u) << name;
        ASSERT_TRUE(utf8_valid(name)) << name;
        ASSERT_TRUE(needs_no_quotes(name)) << name << "\n" << list(fields);
    }
}

void check_entity(const char* name, int sets) {
    Generator generate(require_entity(name));
    for (int i = 0; i < sets; ++i) {
        std::vector<FieldDefinition> fields = generate.fields();
        const LabelMode mode = static_cast<LabelMode>(i % 3);
        const Names names = names_of(generate.entity, fields, mode);
        std::size_t parts = 0;
        for (const FieldDefinition& f : fields)
            if (f.custom) parts += imported_parts(field_type(f.type), mode).size();
        ASSERT_EQ(names.size(), parts) << "a part has no column";
        check_names(generate.entity, fields, names);
        if (testing::Test::HasFatalFailure()) return;
        ASSERT_EQ(names, names_of(generate.entity, fields, mode)) << "not stable";
        std::shuffle(fields.begin(), fields.end(), generate.random);
        ASSERT_EQ(names, names_of(generate.entity, fields, mode)) << "depends on the order\n"
                                                                  << list(fields);
    }
}

TEST(NamingProperty, AnySetOfFieldsOfDeals) {
    check_entity("deals", 3000);
}
TEST(NamingProperty, AnySetOfFieldsOfPersons) {
    check_entity("persons", 1000);
}
TEST(NamingProperty, AnySetOfFieldsOfOrganizations) {
    check_entity("organizations", 1000);
}

// A refresh names the new fields only, beside the columns that are there.
TEST(NamingProperty, NamesAlreadyInTheTableAreLeftAlone) {
    Generator generate(require_entity("deals"));
    for (int i = 0; i < 500; ++i) {
        const std::vector<FieldDefinition> fields = generate.fields();
        const std::span all(fields);
        const std::size_t half = generate.pick(fields.size() + 1);
        std::vector<std::string> taken;
        for (const NamedColumn& c :
             name_custom_columns(generate.entity, all.first(half), LabelMode::Both))
            taken.push_back(c.name);
        std::set<std::string> used(taken.begin(), taken.end());
        for (const NamedColumn& c :
             name_custom_columns(generate.entity, all.subspan(half), LabelMode::Both, taken)) {
            ASSERT_TRUE(used.insert(c.name).second) << c.name << "\n" << list(fields);
            ASSERT_TRUE(needs_no_quotes(c.name) && c.name.size() <= 63) << c.name;
        }
    }
}

// Names are readable: what nobody disputes carries no code.
TEST(Naming, PlainNames) {
    const std::pair<const char*, const char*> rows[] = {
        {"Budget", "budget"},
        {"Umsatz (€) / Jahr", "umsatz_jahr"},
        {"Größe", "größe"},
        {"ГОДОВОЙ Бюджет", "годовой_бюджет"},
        {"ΕΛΛΆΔΑ", "ελλάδα"},
        {"预算", "预算"},
        {"  many   blanks  ", "many_blanks"},
        {"2025 plan", "_2025_plan"},
        {"Order", "order_"},
        {"USER", "user_"},
        {"name", "name"},
        {"C++ & C#", "c_c"},
        {"👍", ""},
        {"", ""},
        {"---", ""},
    };
    for (const auto& [given, expected] : rows)
        EXPECT_EQ(identifier_from(given), expected) << given;
}

TEST(Naming, CutsAtACharacter) {
    std::string cyrillic;
    for (int i = 0; i < 100; ++i)
        cyrillic += "я";
    EXPECT_EQ(identifier_from(cyrillic).size(), 62u);
    EXPECT_EQ(identifier_from(std::string(80, 'a') + "b").size(), 63u);
    for (std::size_t max = 1; max <= 63; ++max) {
        EXPECT_LE(identifier_from("order by select 語語語語語語語語", max).size(), max);
        EXPECT_LE(identifier_from("2x", max).size(), max);
    }
}

TEST(Naming, TwinsBothGetTheirCode) {
    std::vector<FieldDefinition> fields(3);
    fields[0] = {.code = std::string(40, 'b'),
                 .name = "Budget",
                 .type = "monetary",
                 .custom = true,
                 .options = {}};
    fields[1] = {.code = std::string(40, 'c'),
                 .name = "BUDGET",
                 .type = "varchar",
                 .custom = true,
                 .options = {}};
    fields[2] = {.code = std::string(40, 'd'),
                 .name = "Notes",
                 .type = "varchar",
                 .custom = true,
                 .options = {}};
    const auto columns = name_custom_columns(require_entity("deals"), fields, LabelMode::Label);
    ASSERT_EQ(columns.size(), 4u);
    EXPECT_EQ(columns[0].name, "budget_bbbbbb");
    EXPECT_EQ(columns[1].name, "budget_bbbbbb_currency");
    EXPECT_EQ(columns[2].name, "budget_cccccc");
    EXPECT_EQ(columns[3].name, "notes");
}

// Words that fail unquoted as column or in an expression, from the PostgreSQL manual's appendix C.
TEST(Naming, ReservedWords) {
    for (const char* word :
         {"all",      "user",       "order",       "select",     "table",   "end",
          "column",   "default",    "group",       "limit",      "offset",  "window",
          "when",     "where",      "primary",     "references", "lateral", "current_user",
          "binary",   "left",       "natural",     "between",    "values",  "time",
          "interval", "json_table", "system_user", "xmltable"})
        EXPECT_TRUE(is_reserved_word(word)) << word;
    for (const char* word :
         {"name", "value", "status", "type", "budget", "", "id", "orders", "date", "zone"})
        EXPECT_FALSE(is_reserved_word(word)) << word;
}

} // namespace
} // namespace pipedrive
