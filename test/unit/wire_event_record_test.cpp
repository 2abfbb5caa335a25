// Records of events as the lists would have them: every rule with every kind of value, and the rows
// of the entities on the records that Pipedrive sends.
#include "core/wire/event_record.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/catalog/entities.h"
#include "core/wire/record.h"

namespace pipedrive {
namespace {

using enum EventRule;
using enum EventVersion;

std::string listed(const std::vector<EventField>& rows, const std::string& json,
                   EventVersion version = Two) {
    const JsonDocument document(json, "test");
    Arena arena;
    TapeWriter tape(&arena);
    std::string out;
    as_listed(document.root(), version, rows, &tape).write(&out);
    return out;
}

// {"k":value} by one rule: what stands under "f", or "-" when nothing does.
std::string said(EventRule rule, const std::string& value) {
    const JsonDocument document("{\"k\":" + value + "}", "test");
    const std::vector<EventField> rows = {{.key = "k", .rule = rule, .field = "f"}};
    Arena arena;
    TapeWriter tape(&arena);
    const JsonValue f = as_listed(document.root(), Two, rows, &tape).member("f");
    std::string out;
    if (f.absent()) return "-";
    f.write(&out);
    return out;
}

TEST(EventRecord, RenamedValuesStayWhatTheyAre) {
    for (const std::string value :
         {"7", "-0.50", "\"x\"", "\"\"", "null", "true", "[]", "{}", R"([{"a":[null,1]},"y"])",
          R"({"id":3,"deep":{"er":[[[]]]}})", R"("a\u0000b")", R"("half \ud83d")"})
        EXPECT_EQ(said(Rename, value), value);
}

TEST(EventRecord, TheKeyOfTheListIsBelievedFirst) {
    for (const EventRule rule : {Rename, Not, OneOf, Ids})
        for (const std::string own : {"1", "null", "\"\"", "[]"})
            EXPECT_EQ(listed({{.key = "k", .rule = rule, .field = "f"}},
                             "{\"k\":\"1\",\"f\":" + own + "}"),
                      "{\"k\":\"1\",\"f\":" + own + "}");
}

TEST(EventRecord, TheOppositeOfAFlag) {
    for (const std::string yes : {"true", "1", "\"true\"", "\"1\"", "\"t\""})
        EXPECT_EQ(said(Not, yes), "false") << yes;
    for (const std::string no : {"false", "0", "\"false\"", "\"0\"", "\"f\""})
        EXPECT_EQ(said(Not, no), "true") << no;
    for (const std::string odd : {"null", "\"\"", "2", "-1", "1.0", "\"yes\"", "\"TRUE\"", "\" 1\"",
                                  "[]", "[true]", "{}", R"({"value":true})"})
        EXPECT_EQ(said(Not, odd), "-") << odd;
}

TEST(EventRecord, OneLabelOfSeveralSaysOnlyThatThereIsNone) {
    EXPECT_EQ(said(OneOf, "null"), "[]");
    EXPECT_EQ(said(OneOf, "\"\""), "[]");
    for (const std::string one : {"5", "0", "\"5\"", "\" \"", "false", "[]", "[5]", "{}"})
        EXPECT_EQ(said(OneOf, one), "-") << one;
}

TEST(EventRecord, IdsAsTextOrArray) {
    const std::pair<std::string, std::string> cases[] = {
        {"null", "[]"},
        {"\"\"", "[]"},
        {"[]", "[]"},
        {"5", "[5]"},
        {"5.0", "[5]"},
        {"\"5\"", "[5]"},
        {"\"1,2\"", "[1,2]"},
        {"\" 1 , 2 \"", "[1,2]"},
        {"\"+1,-2,007,3.00\"", "[1,-2,7,3]"},
        {"[1,\"2\",3.0]", "[1,2,3]"},
        {"\"9223372036854775807\"", "[9223372036854775807]"},
        {"\"-9223372036854775808\"", "[-9223372036854775808]"},
        {"\"" + std::string(39, '0') + "7\"", "[7]"},
    };
    for (const auto& [value, expected] : cases)
        EXPECT_EQ(said(Ids, value), expected) << value;
    for (const std::string odd :
         {"\" \"",   "\",\"",   "\"1,\"",      "\"1,,2\"",      "\"x\"",
          "\"1,x\"", "\"1.5\"", "1.5",         "\"1.\"",        "\".0\"",
          "\"1e3\"", "\"+\"",   "\"--1\"",     "\"1\\t\"",      "\"9223372036854775808\"",
          "true",    "{}",      R"({"id":5})", "[null]",        "[1,\"x\"]",
          "[\"\"]",  "[[1]]",   "[true]",      R"([{"id":5}])", "[1.5]"})
        EXPECT_EQ(said(Ids, odd), "-") << odd;
    EXPECT_EQ(said(Ids, "\"" + std::string(40, '0') + "7\""), "-"); // 41 digits
}

constexpr EventField kPlace = {.key = "place", .rule = Address, .field = "place"};

TEST(EventRecord, TheKeysOfAnAddressBecomeOneObject) {
    EXPECT_EQ(
        listed({kPlace},
               R"({"place":"Main 1","place_country":"","place_route":null,)"
               R"("place_locality":"Berlin","place_formatted_address":"Main 1, Berlin"})"),
        R"({"place_country":"","place_route":null,"place_locality":"Berlin",)"
        R"("place_formatted_address":"Main 1, Berlin","place":{"value":"Main 1","country":"",)"
        R"("admin_area_level_1":null,"admin_area_level_2":null,"locality":"Berlin",)"
        R"("sublocality":null,"route":null,"street_number":null,"subpremise":null,)"
        R"("postal_code":null,"formatted_address":"Main 1, Berlin"}})");
    const std::string own =
        listed({kPlace}, R"({"place":"x","place_value":["odd"],"place_formatted_address":null})");
    EXPECT_NE(own.find(R"("place":{"value":["odd"],"country":null)"), own.npos) << own;
}

TEST(EventRecord, WhatIsNoFlatAddressStaysAsItIs) {
    for (const std::string json :
         {R"({"place":"Main 1"})", R"({"place":null,"place_formatted_address":"x"})",
          R"({"place":"","place_formatted_address":"x"})", R"({"place_formatted_address":"x"})"})
        EXPECT_EQ(listed({kPlace}, json), json);
}

TEST(EventRecord, DroppedKeysSayNothing) {
    const std::vector<EventField> rows = {{.key = "k", .rule = Drop},
                                          {.key = "n", .rule = DropNull}};
    EXPECT_EQ(listed(rows, R"({"a":1,"k":[1,{"b":2}],"n":null,"z":null})"), R"({"a":1,"z":null})");
    EXPECT_EQ(listed(rows, R"({"n":null,"k":null})"), "{}");
    for (const std::string json : {R"({"n":""})", R"({"n":0})", R"({"n":[]})", R"({"n":{}})"})
        EXPECT_EQ(listed(rows, json), json);
}

TEST(EventRecord, RowsOfOneVersionLeaveTheOtherAlone) {
    const std::vector<EventField> rows = {{.key = "a", .rule = Drop, .version = One},
                                          {.key = "b", .rule = Drop, .version = Two},
                                          {.key = "c", .rule = Drop}};
    EXPECT_EQ(listed(rows, R"({"a":1,"b":2,"c":3})", One), R"({"b":2})");
    EXPECT_EQ(listed(rows, R"({"a":1,"b":2,"c":3})", Two), R"({"a":1})");
}

TEST(EventRecord, OfTwoKeysTheLastOneThatCanBeReadCounts) {
    const std::vector<EventField> rows = {{.key = "a", .rule = Not, .field = "f"},
                                          {.key = "b", .rule = Not, .field = "f"}};
    EXPECT_EQ(listed(rows, R"({"b":true,"a":false})"),
              R"({"b":true,"a":false,"f":true,"f":false})");
    EXPECT_EQ(listed(rows, R"({"b":"odd","a":false})"), R"({"b":"odd","a":false,"f":true})");
    EXPECT_EQ(listed(rows, R"({"b":"odd","a":null})"), R"({"b":"odd","a":null})");
}

// As everywhere: the last one.
TEST(EventRecord, KeysThatComeTwice) {
    EXPECT_EQ(listed({{.key = "k", .rule = Rename, .field = "f"}}, R"({"k":1,"k":2})"),
              R"({"k":1,"k":2,"f":2})");
    EXPECT_EQ(listed({{.key = "k", .rule = Drop}}, R"({"k":1,"a":0,"k":2})"), R"({"a":0})");
    EXPECT_EQ(listed({{.key = "k", .rule = DropNull}}, R"({"k":null,"k":2})"),
              R"({"k":null,"k":2})");
    EXPECT_EQ(listed({{.key = "k", .rule = DropNull}}, R"({"k":2,"k":null})"), "{}");
}

TEST(EventRecord, WithoutAnythingToSayItIsTheSameRecord) {
    const JsonDocument document(R"({"":{"k":1},"a":[]})", "test");
    const std::vector<EventField> rows = {{.key = "k", .rule = Drop}};
    Arena arena;
    TapeWriter tape(&arena);
    EXPECT_EQ(as_listed(document.root(), Two, rows, &tape).token(), document.root().token());
    EXPECT_EQ(tape.size(), 0u);
    EXPECT_EQ(listed(rows, R"({"":{"k":1},"k":2})"), R"({"":{"k":1}})");
}

// Columns with their names, so that a record says the same whatever the test asks for.
std::string decoded(const char* name, RecordShape shape, const std::string& json,
                    Unfit unfit = Unfit::Throw) {
    const Entity& entity = require_entity(name);
    std::vector<BoundColumn> columns;
    for (const Column& c : entity.columns)
        columns.push_back(bind_column(entity, {1, std::string(c.name), "", "", ""}));
    DecodedRecord record;
    decode_record(json, shape, entity, columns, &record, unfit);
    return record_json(columns, record);
}

constexpr RecordShape kBoth[] = {RecordShape::Flat, RecordShape::Webhook};

TEST(EventRecord, Deals) {
    for (const RecordShape shape : kBoth) {
        EXPECT_EQ(decoded("deals", shape, R"({"id":1,"user_id":7,"label":"4,5","deleted":false})"),
                  R"({"id":1,"owner_id":7,"label_ids":[4,5],"is_deleted":false})");
        EXPECT_EQ(decoded("deals", shape, R"({"id":1,"label":null})"),
                  R"({"id":1,"label_ids":[],"labels":[]})");
        EXPECT_EQ(decoded("deals", shape, R"({"id":1,"label":"x","user_id":{"id":7,"value":8}})"),
                  R"({"id":1,"owner_id":7})");
    }
    // a list has its own names only
    EXPECT_EQ(decoded("deals", RecordShape::Rest, R"({"id":1,"user_id":7,"label":"4,5"})"),
              R"({"id":1})");
}

TEST(EventRecord, Persons) {
    for (const RecordShape shape : kBoth) {
        EXPECT_EQ(
            decoded("persons", shape,
                    R"({"id":2,"email":[{"value":"a@b","primary":true}],"phone":[{"value":""}],)"
                    R"("label":null,"active_flag":true})"),
            R"({"id":2,"email":"a@b","phone":null,)"
            R"("emails":[{"value":"a@b","primary":true}],"phones":[],)"
            R"("label_ids":[],"labels":[],"is_deleted":false})");
        EXPECT_EQ(decoded("persons", shape, R"({"id":2,"label":5,"active_flag":"maybe"})"),
                  R"({"id":2})");
        EXPECT_EQ(decoded("persons", shape, R"({"id":2,"email":"a@b","phone":"7"})"),
                  R"({"id":2,"email":"a@b","phone":"7"})");
    }
}

TEST(EventRecord, PostalAddressesOfVersion1) {
    EXPECT_EQ(decoded("persons", RecordShape::Flat,
                      R"({"id":2,"postal_address":"Main 1","postal_address_country":"Germany",)"
                      R"("postal_address_formatted_address":"Main 1, Berlin"})"),
              R"({"id":2,"postal_address":"Main 1, Berlin","postal_address_parts":)"
              R"({"value":"Main 1","country":"Germany","admin_area_level_1":null,)"
              R"("admin_area_level_2":null,"locality":null,"sublocality":null,"route":null,)"
              R"("street_number":null,"subpremise":null,"postal_code":null,)"
              R"("formatted_address":"Main 1, Berlin"}})");
    EXPECT_EQ(decoded("persons", RecordShape::Flat,
                      R"({"postal_address":null,"postal_address_formatted_address":null})"),
              R"({"postal_address":null,"postal_address_parts":null})");
}

TEST(EventRecord, OrganizationsHaveFlatAddressesInVersion1) {
    const std::string flat =
        R"({"id":3,"label":"","active_flag":0,"address":"Main 1","address_locality":"Berlin",)"
        R"("address_formatted_address":"Main 1, Berlin"})";
    EXPECT_EQ(decoded("organizations", RecordShape::Flat, flat),
              R"({"id":3,"address":"Main 1, Berlin","address_parts":{"value":"Main 1",)"
              R"("country":null,"admin_area_level_1":null,"admin_area_level_2":null,)"
              R"("locality":"Berlin","sublocality":null,"route":null,"street_number":null,)"
              R"("subpremise":null,"postal_code":null,"formatted_address":"Main 1, Berlin"},)"
              R"("label_ids":[],"labels":[],"is_deleted":true})");
    EXPECT_EQ(decoded("organizations", RecordShape::Webhook, R"({"id":3,"address":null})"),
              R"({"id":3,"address":null,"address_parts":null})");
    // half an address
    EXPECT_EQ(decoded("organizations", RecordShape::Flat, R"({"id":3,"address":"Main 1"})"),
              R"({"id":3})");
}

TEST(EventRecord, Activities) {
    const std::string json =
        R"({"id":4,"user_id":7,"created_by_user_id":8,"busy_flag":true,"active_flag":false,)"
        R"("participants":[{"person_id":2,"primary_flag":true}],"attendees":null})";
    EXPECT_EQ(decoded("activities", RecordShape::Flat, json),
              R"({"id":4,"owner_id":7,"creator_user_id":8,"busy":true,"is_deleted":true})");
    EXPECT_EQ(decoded("activities", RecordShape::Webhook, json),
              R"({"id":4,"owner_id":7,"creator_user_id":8,"busy":true,)"
              R"("participants":[{"person_id":2,"primary_flag":true}],"attendees":null,)"
              R"("is_deleted":true})");
    EXPECT_EQ(decoded("activities", RecordShape::Flat,
                      R"({"location":"Main 1","location_formatted_address":"Main 1, Berlin"})")
                  .substr(0, 57),
              R"({"location":"Main 1, Berlin","location_address":{"value":)");
}

TEST(EventRecord, PipelinesStagesProductsUsers) {
    for (const RecordShape shape : kBoth) {
        EXPECT_EQ(decoded("pipelines", shape, R"({"id":5,"active":true,"deal_probability":1})"),
                  R"({"id":5,"is_deal_probability_enabled":true,"is_deleted":false})");
        EXPECT_EQ(decoded("pipelines", shape, R"({"active":true,"active_flag":false})"),
                  R"({"is_deleted":true})");
        EXPECT_EQ(decoded("stages", shape,
                          R"({"id":6,"active_flag":1,"rotten_flag":"0","rotten_days":null})"),
                  R"({"id":6,"is_deal_rot_enabled":false,"days_to_rotten":null,)"
                  R"("is_deleted":false})");
        EXPECT_EQ(decoded("products", shape,
                          R"({"id":8,"active_flag":true,"selectable":false,"description":null,)"
                          R"("unit":"kg"})"),
                  R"({"id":8,"unit":"kg","is_linkable":false,"is_deleted":false})");
        EXPECT_EQ(decoded("users", shape, R"({"id":"9","access":null,"is_you":true,"name":"x"})"),
                  R"({"id":9,"name":"x"})");
    }
    EXPECT_EQ(decoded("products", RecordShape::Flat, R"({"id":8,"prices":[{"price":1}]})"),
              R"({"id":8})");
    EXPECT_EQ(decoded("products", RecordShape::Webhook, R"({"id":8,"prices":[{"price":1}]})"),
              R"({"id":8,"prices":[{"price":1}]})");
}

// A record's own value may not fit; what a rule could not read never stops the others.
TEST(EventRecord, AValueThatDoesNotFit) {
    EXPECT_THROW(decoded("deals", RecordShape::Flat, R"({"id":1,"user_id":"x"})"), Error);
    EXPECT_EQ(decoded("deals", RecordShape::Flat, R"({"id":1,"user_id":"x","deleted":[]})",
                      Unfit::LeaveOut),
              R"({"id":1})");
    EXPECT_THROW(decoded("deals", RecordShape::Flat, R"([{"id":1}])", Unfit::LeaveOut), Error);
}

// What a table shows that is no entity's of an event is not changed by rows of another.
TEST(EventRecord, AnEntityWithoutEventsHasNoRules) {
    EXPECT_EQ(decoded("deleted_deals", RecordShape::Flat, R"({"id":1,"user_id":7})"),
              R"({"id":1})");
}

} // namespace
} // namespace pipedrive
