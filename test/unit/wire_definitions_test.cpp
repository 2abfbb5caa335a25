// Answers of dealFields and the like, and the catalogue's own JSON.
#include <gtest/gtest.h>

#include <random>

#include "core/base/error.h"
#include "core/wire/definitions.h"

namespace pipedrive {
namespace {

TEST(Definitions, FieldsOptionsAndCursor) {
    FieldCatalogue c;
    const std::string cursor = decode_definitions(
        R"({"success":true,"data":[
            {"field_code":"abc","field_name":"Größe \"x\"","field_type":"enum","is_custom_field":true,
             "is_optional_response_field":false,"ui_visibility":{"field_code":"no"},
             "options":[{"id":13,"label":"Red","color":null},{"id":"14","label":"Blue"}],
             "subfields":[{"field_code":"abc_x","field_name":"no"}]},
            {"field_code":"status","field_name":"Status","field_type":"status",
             "is_custom_field":false,"is_optional_response_field":true,
             "options":[{"id":"open","label":"Open"},{"id":true,"label":"Yes"},{"id":false,"label":"No"}]},
            {"field_name":"without code"},{"field_code":null},{"field_code":""},
            {"field_code":"last","options":null}],
           "additional_data":{"next_cursor":"eyJ"}})",
        "deals", &c);
    EXPECT_EQ(cursor, "eyJ");
    ASSERT_EQ(c.fields.size(), 3u);
    EXPECT_EQ(c.fields[0].name, "Größe \"x\"");
    EXPECT_TRUE(c.fields[0].custom);
    EXPECT_FALSE(c.fields[0].optional);
    EXPECT_FALSE(c.fields[1].custom);
    EXPECT_TRUE(c.fields[1].optional);
    EXPECT_EQ(*c.label("abc", "13"), "Red");
    EXPECT_EQ(*c.label("abc", "14"), "Blue");
    EXPECT_EQ(*c.label("status", "true"), "Yes");
    EXPECT_EQ(c.label("abc", "15"), nullptr);
    EXPECT_EQ(c.label("nothing", "13"), nullptr);
    EXPECT_EQ(c.find("last")->type, "unknown");
}

TEST(Definitions, PagesAddUp) {
    FieldCatalogue c;
    decode_definitions(R"({"data":[{"field_code":"a"}],"additional_data":{"next_cursor":"x"}})",
                       "deals", &c);
    EXPECT_EQ(
        decode_definitions(
            R"({"data":[{"field_code":"b"}],"additional_data":{"next_cursor":null}})", "deals", &c),
        "");
    EXPECT_EQ(decode_definitions(R"({"success":true,"data":[]})", "deals", &c), "");
    EXPECT_EQ(
        decode_definitions(R"({"success":true,"data":[],"additional_data":null})", "deals", &c),
        "");
    EXPECT_EQ(c.fields.size(), 2u);
}

TEST(Definitions, Refuses) {
    for (const char* body :
         {"", "{}", "[]", "null", "5", R"({"data":null})", R"({"data":{}})", R"({"data":"x"})",
          R"({"success":false,"data":[]})", R"({"success":null,"data":[]})",
          R"({"data":[],"additional_data":{"next_cursor":5}})",
          R"({"data":[],"additional_data":{"next_cursor":{}}})",
          R"({"data":[],"additional_data":{"pagination":{"more_items_in_collection":true}}})",
          R"({"data":[{"field_code":"a"})"}) {
        FieldCatalogue c;
        try {
            decode_definitions(body, "deals", &c);
            ADD_FAILURE() << body;
        } catch (const Error& e) {
            EXPECT_EQ(e.kind, ErrorKind::Malformed) << body;
            EXPECT_NE(e.subject.find("deals"), std::string::npos);
        }
    }
}

// What no text can hold would fail the table of everybody.
TEST(Definitions, NamesThatCannotBeStored) {
    FieldCatalogue c;
    decode_definitions(R"({"data":[{"field_code":"x","field_name":"a\u0000b",
        "options":[{"id":1,"label":"\ud83d"},{"id":2,"label":null},{"id":3}]}]})",
                       "deals", &c);
    EXPECT_EQ(c.fields[0].name, "a\uFFFDb");
    EXPECT_EQ(*c.label("x", "1"), "\uFFFD");
}

TEST(Definitions, ACodeThatComesTwiceIsOneField) {
    FieldCatalogue c;
    decode_definitions(
        R"({"data":[{"field_code":"a","field_name":"old","options":[{"id":1,"label":"x"}]},
                                   {"field_code":"b"},{"field_code":"a","field_name":"new"}],
                          "additional_data":{"next_cursor":"x"}})",
        "deals", &c);
    decode_definitions(R"({"data":[{"field_code":"c"},{"field_code":"b","field_name":"B"}]})",
                       "deals", &c);
    ASSERT_EQ(c.fields.size(), 3u);
    EXPECT_EQ(c.find("a")->name, "new");
    EXPECT_TRUE(c.find("a")->options.empty());
    EXPECT_EQ(c.find("b")->name, "B");
    EXPECT_EQ(read_catalogue(R"([{"code":"a","name":"1"},{"code":"a","name":"2"}])").fields.size(),
              1u);
}

TEST(Definitions, OptionsWithoutALabelAreNoOptions) {
    FieldCatalogue c;
    decode_definitions(R"({"data":[{"field_code":"x","options":[{"id":1,"label":null},{"id":2},
        null,7,{"id":3,"label":""},{"id":4,"label":"Red"}]},null,"y",[]]})",
                       "deals", &c);
    ASSERT_EQ(c.fields.size(), 1u);
    EXPECT_EQ(c.label("x", "1"), nullptr);
    EXPECT_EQ(c.label("x", "2"), nullptr);
    EXPECT_EQ(*c.label("x", "3"), "");
    EXPECT_EQ(*c.label("x", "4"), "Red");
}

TEST(Definitions, AHashIsACustomFieldUnlessToldOtherwise) {
    FieldCatalogue c;
    const std::string hash(40, 'a'), other(40, 'b');
    decode_definitions(R"({"data":[{"field_code":")" + hash + R"("},{"field_code":")" + other +
                           R"(","is_custom_field":false},{"field_code":"title"}]})",
                       "deals", &c);
    EXPECT_TRUE(c.find(hash)->custom);
    EXPECT_FALSE(c.find(other)->custom);
    EXPECT_FALSE(c.find("title")->custom);
}

// The labels of a deal are listed under another code than their ids.
TEST(Definitions, LabelsOfLabelIds) {
    FieldCatalogue c;
    decode_definitions(R"({"data":[{"field_code":"label","options":[{"id":3,"label":"Hot"}]}]})",
                       "deals", &c);
    ASSERT_NE(c.label("label_ids", "3"), nullptr);
    EXPECT_EQ(*c.label("label_ids", "3"), "Hot");
}

TEST(Definitions, OwnJsonRoundTrips) {
    std::mt19937 random(3);
    const auto pick = [&](int n) { return std::uniform_int_distribution<int>(0, n - 1)(random); };
    const auto text = [&] {
        const char* pieces[] = {"a", "\"", "\\", "é", "👍", "\n", "\t", "", "'", "{", "null"};
        std::string out;
        for (int n = pick(6); n > 0; --n)
            out += pieces[pick(11)];
        return out;
    };
    for (int i = 0; i < 1000; ++i) {
        FieldCatalogue c;
        for (int n = pick(5); n > 0; --n) {
            FieldDefinition f{
                std::to_string(n) + text(), text(), "t" + text(), pick(2) == 0, pick(2) == 0, {}};
            for (int o = pick(4); o > 0; --o)
                f.options.push_back({text(), text()});
            c.fields.push_back(f);
        }
        const FieldCatalogue back = read_catalogue(write_catalogue(c));
        ASSERT_EQ(back.fields.size(), c.fields.size());
        for (std::size_t f = 0; f < c.fields.size(); ++f) {
            const FieldDefinition &a = c.fields[f], &b = back.fields[f];
            ASSERT_TRUE(a.code == b.code && a.name == b.name && a.type == b.type &&
                        a.custom == b.custom && a.optional == b.optional &&
                        a.options.size() == b.options.size());
            for (std::size_t o = 0; o < a.options.size(); ++o)
                ASSERT_TRUE(a.options[o].id == b.options[o].id &&
                            a.options[o].label == b.options[o].label);
        }
    }
    EXPECT_THROW(read_catalogue("[{"), Error);
}

} // namespace
} // namespace pipedrive
