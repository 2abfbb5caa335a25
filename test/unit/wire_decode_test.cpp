// Every field type in every shape of pipedrive-api.md section 4.3, what "no value" looks like in
// each, and what must be refused.
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/wire/decode.h"
#include "core/wire/reader.h"
#include "unit/cells.h"

namespace pipedrive {
namespace {

using namespace test;

const std::string kCode = hash_code(7);

FieldCatalogue catalogue() {
    FieldCatalogue c;
    c.fields.push_back({kCode, "F", "enum", true, false, {{"13", "Red"}, {"14", "Gr\"ün"}}});
    return c;
}

std::string with_code(std::string json) {
    for (std::size_t at = json.find('@'); at != json.npos; at = json.find('@', at + 1))
        json.replace(at, 1, kCode);
    return json;
}

// Decodes a value of REST or webhook (flat: a record whose "@" is the field code).
std::string decode(const BoundColumn& column, const std::string& json, bool flat = false,
                   LabelSource* labels = nullptr) {
    const FieldCatalogue known = catalogue();
    LabelSource own;
    own.catalogue = &known;
    LabelSource* source = labels != nullptr ? labels : &own;
    const JsonDocument document(with_code(json), "test");
    Arena arena;
    try {
        return show(flat ? decode_flat_cell(column, document.root(), &arena, source)
                         : decode_cell(column, document.root(), &arena, source));
    } catch (const Error& e) {
        EXPECT_EQ(e.kind, ErrorKind::BadValue);
        EXPECT_FALSE(e.detail.empty());
        return "bad value";
    }
}

struct ShapeCase {
    const char* type;
    const char* subfield;
    const char* rest;
    const char* flat;
    const char* webhook;
    const char* expected;
};

constexpr const char* kAddressRest =
    R"({"value":"Tina 9","country":"Estonia","postal_code":null,"formatted_address":"Tina 9, Tallinn"})";

const ShapeCase kShapes[] = {
    {"varchar", "", R"("x é")", R"({"@":"x é"})", R"({"type":"varchar","value":"x é"})", "'x é'"},
    {"varchar", "", R"("")", R"({"@":""})", R"({"type":"varchar","value":""})", "''"},
    {"varchar_auto", "", R"("x")", R"({"@":"x"})", R"({"type":"varchar_auto","value":"x"})", "'x'"},
    {"text", "", R"("a\nb")", R"({"@":"a\nb"})", R"({"type":"text","value":"a\nb"})", "'a\nb'"},
    {"phone", "", R"("+372 1")", R"({"@":"+372 1"})", R"({"type":"phone","value":"+372 1"})",
     "'+372 1'"},
    {"double", "", "12.50", R"({"@":12.50})", R"({"type":"double","value":12.50})", "12.50d"},
    {"double", "", "-1e-7", R"({"@":"-1e-7"})", R"({"type":"double","value":"-1e-7"})", "-1e-7d"},
    {"monetary", "", R"({"value":2300,"currency":"EUR"})", R"({"@":2300,"@_currency":"EUR"})",
     R"({"type":"monetary","value":2300,"currency":"EUR"})", "2300d"},
    {"monetary", "currency", R"({"value":2300,"currency":"EUR"})",
     R"({"@":2300,"@_currency":"EUR"})", R"({"type":"monetary","value":2300,"currency":"EUR"})",
     "'EUR'"},
    {"monetary", "currency", R"({"value":500,"currency":null})", R"({"@":500})",
     R"({"type":"monetary","value":500,"currency":null})", "null"},
    {"monetary", "", R"({"value":null,"currency":"EUR"})", R"({"@":null,"@_currency":"EUR"})",
     R"({"type":"monetary","value":null,"currency":"EUR"})", "null"},
    {"enum", "", "13", R"({"@":"13"})", R"({"type":"enum","id":13})", "'Red'"},
    {"enum", "id", "13", R"({"@":"13"})", R"({"type":"enum","id":13})", "13"},
    {"set", "", "[14,13]", R"({"@":"14,13"})", R"({"type":"set","values":[{"id":14},{"id":13}]})",
     "{'Gr\"ün','Red'}"},
    {"set", "id", "[14,13]", R"({"@":"14,13"})", R"({"type":"set","values":[{"id":14},{"id":13}]})",
     "{14,13}"},
    {"set", "id", "[14]", R"({"@":"14"})", R"({"type":"set","values":[{"id":14}]})", "{14}"},
    {"set", "", "[]", R"({"@":""})", R"({"type":"set","values":[]})", "null"},
    {"set", "id", "[]", R"({"@":""})", R"({"type":"set","values":[]})", "null"},
    {"user", "", "25455458", R"({"@":25455458})", R"({"type":"user","id":25455458})", "25455458"},
    {"org", "", "5000000000", R"({"@":{"value":5000000000,"name":"x"}})",
     R"({"type":"org","id":5000000000})", "5000000000"},
    {"people", "", "7", R"({"@":{"id":7,"name":"x"}})", R"({"type":"people","id":7})", "7"},
    {"date", "", R"("2026-02-28")", R"({"@":"2026-02-28"})",
     R"({"type":"date","value":"2026-02-28"})", "2026-02-28"},
    {"daterange", "", R"({"value":"2026-01-02","until":"2026-03-04"})",
     R"({"@":"2026-01-02","@_until":"2026-03-04"})",
     R"({"type":"daterange","from":"2026-01-02","until":"2026-03-04"})", "2026-01-02"},
    {"daterange", "until", R"({"value":"2026-01-02","until":"2026-03-04"})",
     R"({"@":"2026-01-02","@_until":"2026-03-04"})",
     R"({"type":"daterange","from":"2026-01-02","until":"2026-03-04"})", "2026-03-04"},
    {"time", "", R"({"value":"10:15:00","timezone_id":10,"timezone_name":"Europe/Tallinn"})",
     R"({"@":"10:15:00","@_timezone_id":10})",
     R"({"type":"time","value":"10:15:00","timezone_id":10})", "10:15:00"},
    {"timerange", "", R"({"value":"10:15:00","until":"11:00:00","timezone_id":10})",
     R"({"@":"10:15:00","@_until":"11:00:00","@_timezone_id":10})",
     R"({"type":"timerange","from":"10:15:00","until":"11:00:00","timezone_id":10})", "10:15:00"},
    {"timerange", "until", R"({"value":"10:15:00","until":"11:00:00","timezone_id":10})",
     R"({"@":"10:15:00","@_until":"11:00:00","@_timezone_id":10})",
     R"({"type":"timerange","from":"10:15:00","until":"11:00:00","timezone_id":10})", "11:00:00"},
    {"timerange", "timezone", R"({"value":"10:15:00","until":"11:00:00","timezone_id":10})",
     R"({"@":"10:15:00","@_until":"11:00:00","@_timezone_id":10})",
     R"({"type":"timerange","from":"10:15:00","until":"11:00:00","timezone_id":10})", "'10'"},
    {"address", "", kAddressRest, R"({"@":"Tina 9","@_formatted_address":"Tina 9, Tallinn"})",
     R"({"type":"address","value":"Tina 9","formatted_address":"Tina 9, Tallinn"})",
     "'Tina 9, Tallinn'"},
    {"address", "", R"({"value":"Tina 9","formatted_address":null})", R"({"@":"Tina 9"})",
     R"({"type":"address","value":"Tina 9","formatted_address":""})", "'Tina 9'"},
};

TEST(Decode, EveryTypeInEveryShape) {
    for (const ShapeCase& c : kShapes) {
        const BoundColumn column = custom(kCode, c.type, c.subfield);
        EXPECT_EQ(decode(column, c.rest), c.expected) << c.type << " rest " << c.rest;
        EXPECT_EQ(decode(column, c.flat, true), c.expected) << c.type << " flat " << c.flat;
        EXPECT_EQ(decode(column, c.webhook), c.expected) << c.type << " webhook " << c.webhook;
    }
}

TEST(Decode, AddressPartsAreTheSameJson) {
    const BoundColumn parts = custom(kCode, "address", "address");
    EXPECT_EQ(decode(parts, kAddressRest), std::string("json ") + kAddressRest);
    EXPECT_EQ(decode(parts, R"({"type":"address","value":"Tina 9","country":"Estonia"})"),
              R"(json {"value":"Tina 9","country":"Estonia"})");
    const std::string flat =
        decode(parts, R"({"@":"Tina 9","@_country":"Estonia","@_postal_code":""})", true);
    EXPECT_NE(flat.find(R"("value":"Tina 9")"), flat.npos) << flat;
    EXPECT_NE(flat.find(R"("country":"Estonia")"), flat.npos) << flat;
}

// null, a missing key and a missing part read as NULL for every part of every type, in every shape.
TEST(Decode, NoValueIsNullForEveryType) {
    for (const FieldType& type : field_types())
        for (const Part& part : type.parts) {
            const BoundColumn column =
                custom(kCode, std::string(type.name), std::string(part.subfield));
            EXPECT_EQ(decode(column, "null"), "null") << type.name;
            EXPECT_EQ(decode(column, "{}", true), "null") << type.name;
            EXPECT_EQ(decode(column, R"({"@":null})", true), "null") << type.name;
            LabelSource labels;
            Arena arena;
            EXPECT_EQ(decode_cell(column, JsonValue(), &arena, &labels).type, CellType::Null);
            EXPECT_EQ(labels.odd + labels.unresolved, 0) << type.name;
        }
}

TEST(Decode, EmptyStringsAreNoValueExceptInText) {
    for (const char* type :
         {"int", "double", "boolean", "date", "enum", "set", "user", "lead", "time"})
        EXPECT_EQ(decode(custom(kCode, type), R"("")"), "null") << type;
    EXPECT_EQ(decode(standard("deals", "title"), R"("")"), "''");
    EXPECT_EQ(decode(standard("activities", "due_time"), R"("")"), "null");
    EXPECT_EQ(decode(standard("activities", "duration"), R"("")"), "null");
    EXPECT_EQ(decode(standard("activities", "marked_as_done_time"), R"("")"), "null");
    EXPECT_EQ(decode(standard("users", "last_login"), R"("0000-00-00 00:00:00")"), "null");
    EXPECT_EQ(decode(custom(kCode, "date"), R"("0000-00-00")"), "null");
    for (const char* zero : {R"("0000-00-00T00:00:00Z")", R"("-0001-11-30T00:00:00Z")"}) {
        EXPECT_EQ(decode(standard("deals", "won_time"), zero), "null") << zero;
        EXPECT_EQ(decode(standard("deals", "expected_close_date"), zero), "null") << zero;
        EXPECT_EQ(decode(custom(kCode, "daterange", "until"),
                         std::string(R"({"value":"2026-01-01","until":)") + zero + "}"),
                  "null")
            << zero;
    }
}

TEST(Decode, WrongTypesAreRefused) {
    const std::pair<const char*, const char*> rows[] = {{"varchar", "[1]"},
                                                        {"varchar", R"({"value":[1]})"},
                                                        {"varchar", R"("a\u0000b")"},
                                                        {"int", "1.5"},
                                                        {"int", R"("x")"},
                                                        {"int", "[1]"},
                                                        {"int", "9223372036854775808"},
                                                        {"int", R"("12abc")"},
                                                        {"double", R"("1,5")"},
                                                        {"double", "true"},
                                                        {"double", "[1]"},
                                                        {"double", R"("NaN")"},
                                                        {"double", R"("0x10")"},
                                                        {"boolean", "2"},
                                                        {"boolean", R"("maybe")"},
                                                        {"boolean", "[]"},
                                                        {"date", "5"},
                                                        {"date", R"("2026-02-30")"},
                                                        {"date", R"("yesterday")"},
                                                        {"date", "true"},
                                                        {"date", "[\"2026-01-01\"]"},
                                                        {"monetary", R"({"value":"x"})"},
                                                        {"enum", "[1]"},
                                                        {"enum", "true"},
                                                        {"set", "true"},
                                                        {"set", "[[1]]"},
                                                        {"set", "[true]"},
                                                        {"user", R"("x")"},
                                                        {"lead", "5"},
                                                        {"time", "5"},
                                                        {"time", R"("25:00:00")"},
                                                        {"time", R"("10:61")"},
                                                        {"daterange", R"({"value":"x"})"},
                                                        {"address", R"({"value":[1]})"},
                                                        {"address", "[1]"}};
    for (const auto& [type, json] : rows)
        EXPECT_EQ(decode(custom(kCode, type), json), "bad value") << type << " " << json;
    const std::pair<const char*, const char*> ids[] = {
        {"enum", R"("x")"}, {"enum", "1.5"}, {"set", R"("13,x")"}, {"set", "[13,\"y\"]"}};
    for (const auto& [type, json] : ids)
        EXPECT_EQ(decode(custom(kCode, type, "id"), json), "bad value") << type << " " << json;
}

TEST(Decode, StandardKinds) {
    const struct {
        const char *entity, *column, *json, *expected;
    } rows[] = {
        {"deals", "id", "5000000000", "5000000000"},
        {"deals", "owner_id", R"({"id":5,"name":"A","value":5})", "5"},
        {"deals", "person_id", R"({"value":6,"name":"A"})", "6"},
        {"deals", "visible_to", R"("3")", "3"},
        {"deals", "value", "7000.0", "7000.0d"},
        {"deals", "value", R"("12.10")", "12.10d"},
        {"deals", "update_time", R"("2026-04-01T19:00:38Z")", "2026-04-01 19:00:38+00"},
        {"deals", "update_time", R"("2026-04-01T19:00:38.123Z")", "2026-04-01 19:00:38.123+00"},
        {"deals", "update_time", R"("2026-04-01 19:00:38")", "2026-04-01 19:00:38+00"},
        {"deals", "update_time", R"("2026-04-01T19:00:38+02:00")", "2026-04-01 17:00:38+00"},
        {"deals", "update_time", "1775070038", "bad value"},
        {"deals", "update_time", R"("2026-04-01T25:00:38Z")", "bad value"},
        {"deals", "is_deleted", "false", "false"},
        {"users", "active_flag", "1", "true"},
        {"users", "lang", R"("1")", "1"},
        {"deals", "channel_id", "17", "'17'"},
        {"deals", "label_ids", "[]", "{}"},
        {"deals", "label_ids", "[3,1]", "{3,1}"},
        {"deals", "label_ids", "[1,null]", "{1,null}"},
        {"persons", "email", R"([{"value":"a","primary":false},{"value":"b","primary":true}])",
         "'b'"},
        {"persons", "email", R"([{"value":"a","label":"work"},{"value":"b"}])", "'a'"},
        {"persons", "email", R"([{"value":null,"primary":true},{"value":"b"}])", "'b'"},
        {"persons", "email", R"(["x","y"])", "'x'"},
        {"persons", "email", "[]", "null"},
        {"persons", "phone", R"([{"value":"","primary":true}])", "null"},
        {"persons", "email", "{}", "bad value"},
        {"persons", "emails", R"([{"value":"a"}])", R"(json [{"value":"a"}])"},
        {"activities", "lead_id", R"("adf21080-0e10-11eb-879b-05d71fb426ec")",
         "'adf21080-0e10-11eb-879b-05d71fb426ec'"},
        {"organizations", "address", R"({"value":"A","country":null})", "'A'"},
        {"organizations", "address", R"("A 1")", "'A 1'"},
        {"activities", "location_address", R"({"value":"A"})", R"(json {"value":"A"})"},
    };
    for (const auto& row : rows)
        EXPECT_EQ(decode(standard(row.entity, row.column), row.json), row.expected)
            << row.column << " " << row.json;
}

TEST(Decode, TimesAndDurations) {
    const std::pair<const char*, const char*> times[] = {
        {R"("08:05")", "08:05:00"},
        {R"("08:05:09")", "08:05:09"},
        {R"("00:00")", "00:00:00"},
        {R"("24:00:00")", "24:00:00"},
        {R"("8:05")", "bad value"},
        {R"("24:01")", "bad value"},
        {R"({"timezone_id":1,"value":"08:05:00"})", "08:05:00"},
        {R"({"timezone_id":1,"value":null})", "null"}};
    for (const auto& [json, expected] : times)
        EXPECT_EQ(decode(standard("activities", "due_time"), json), expected) << json;
    const std::pair<const char*, const char*> durations[] = {{R"("01:30")", "5400s"},
                                                             {R"("00:00:00")", "0s"},
                                                             {R"("100:00")", "360000s"},
                                                             {R"("9999999:59:59")", "35999999999s"},
                                                             {R"("01:60")", "bad value"},
                                                             {R"(":30")", "bad value"},
                                                             {R"("-1:30")", "bad value"},
                                                             {R"("1h")", "bad value"},
                                                             {R"("01:")", "bad value"},
                                                             {R"("01:30:")", "bad value"},
                                                             {"90", "bad value"},
                                                             {R"({"value":"00:45:00"})", "2700s"},
                                                             {R"("12345678:00")", "bad value"}};
    for (const auto& [json, expected] : durations)
        EXPECT_EQ(decode(standard("activities", "duration"), json), expected) << json;
}

// A null beside a value is no value that hides it.
TEST(Decode, ANullGivesWayToTheNextKey) {
    for (const char* zone : {R"({"value":"10:00","timezone_id":301,"timezone_name":null})",
                             R"({"value":"10:00","timezone_id":301})"})
        EXPECT_EQ(decode(custom(kCode, "time", "timezone"), zone), "'301'");
    EXPECT_EQ(decode(custom(kCode, "time", "timezone"),
                     R"({"value":null,"timezone_id":301,"timezone_name":"Europe/Paris"})"),
              "'Europe/Paris'");
    EXPECT_EQ(decode(custom(kCode, "daterange"), R"({"value":null,"from":"2026-04-01"})"),
              "2026-04-01");
    EXPECT_EQ(decode(custom(kCode, "user"), R"({"id":null,"value":7})"), "7");
    EXPECT_EQ(decode(standard("deals", "person_id"), R"({"id":null,"value":7})"), "7");
    EXPECT_EQ(decode(standard("deals", "person_id"), R"({"id":null})"), "null");
}

TEST(Decode, TypesThatNobodyKnowsAreShownAsSent) {
    const BoundColumn formula = custom(kCode, "formula");
    for (const char* json : {R"({"result":5,"type":"x"})", "[1,null]", "5.50", "true", R"("x")"})
        EXPECT_EQ(decode(formula, json), std::string("json ") + json);
    EXPECT_EQ(decode(formula, "null"), "null");
}

TEST(Decode, LabelsComeFromTheRowElseTheCatalogueElseTheId) {
    const BoundColumn label = custom(kCode, "enum"), labels = custom(kCode, "set");
    EXPECT_EQ(decode(label, R"({"id":13,"label":"Rouge"})"), "'Rouge'");
    EXPECT_EQ(decode(label, R"({"id":13,"label":null})"), "'Red'");
    EXPECT_EQ(decode(label, R"("Red")"), "'Red'") << "a field that is sent as its label";
    EXPECT_EQ(decode(label, R"("red")"), "'[red]'");
    EXPECT_EQ(decode(label, "99"), "'[99]'");
    EXPECT_EQ(decode(labels, R"([{"id":99,"label":"New"},13,{"id":14},77])"),
              "{'New','Red','Gr\"ün','[77]'}");
    LabelSource nothing; // the definitions were not read yet
    EXPECT_EQ(decode(label, "13", false, &nothing), "'[13]'");
    EXPECT_EQ(nothing.unresolved, 1);
    EXPECT_EQ(decode(labels, "[13,14]", false, &nothing), "{'[13]','[14]'}");
    EXPECT_EQ(nothing.unresolved, 3);
    EXPECT_EQ(nothing.unknown.size(), 2u);
    LabelSource fine;
    EXPECT_EQ(decode(label, R"({"id":13,"label":"Rouge"})", false, &fine), "'Rouge'");
    EXPECT_EQ(fine.unresolved + fine.stale, 0);
}

// A value whose JSON kind is not the type's is noticed, so that the definitions are asked.
TEST(Decode, OddShapesAreNoticed) {
    const auto odd = [](const char* type, const char* json) {
        LabelSource labels;
        decode(custom(kCode, type), json, false, &labels);
        return labels.odd > 0;
    };
    EXPECT_FALSE(odd("double", "1"));
    EXPECT_TRUE(odd("double", R"("1")"));
    EXPECT_TRUE(odd("varchar", "1"));
    EXPECT_TRUE(odd("monetary", "1"));
    EXPECT_TRUE(odd("set", "13"));
    EXPECT_FALSE(odd("set", "[13]"));
    EXPECT_TRUE(odd("user", R"({"id":1})"));
}

} // namespace
} // namespace pipedrive
