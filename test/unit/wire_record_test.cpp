// What a record outside a list carries: all that a list would say of a column, or nothing.
#include "core/wire/record.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/catalog/entities.h"

namespace pipedrive {
namespace {

BoundColumn column(const char* entity, std::string name, std::string field = {},
                   std::string subfield = {}, std::string type = {}) {
    DeclaredColumn declared;
    declared.name = std::move(name);
    declared.field = std::move(field);
    declared.subfield = std::move(subfield);
    declared.type = std::move(type);
    return bind_column(*find_entity(entity), declared);
}

std::string decoded(const char* entity, const std::vector<BoundColumn>& columns,
                    const std::string& json, RecordShape shape, Unfit unfit = Unfit::Throw) {
    DecodedRecord record;
    decode_record(json, shape, *find_entity(entity), columns, &record, unfit);
    return record_json(columns, record);
}

const std::string kCode(40, 'a');

TEST(Record, TimeZonesOfEventsAreNotCarried) {
    const std::vector<BoundColumn> columns = {
        column("deals", "id"), column("deals", "at", kCode, "", "time"),
        column("deals", "at_timezone", kCode, "timezone", "time")};
    EXPECT_EQ(
        decoded("deals", columns,
                R"({"id":1,")" + kCode + R"(":"10:00:00",")" + kCode + R"(_timezone_id":301})",
                RecordShape::Flat),
        R"({"id":1,"at":"10:00:00"})");
    EXPECT_EQ(decoded("deals", columns,
                      R"({"id":1,"custom_fields":{")" + kCode +
                          R"(":{"type":"time","value":"10:00:00","timezone_id":301}}})",
                      RecordShape::Webhook),
              R"({"id":1,"at":"10:00:00"})");
    EXPECT_EQ(decoded("deals", columns, R"({"id":1,")" + kCode + R"(":null})", RecordShape::Flat),
              R"({"id":1,"at":null,"at_timezone":null})");
    EXPECT_EQ(
        decoded(
            "deals", columns,
            R"({"id":1,"custom_fields":{")" + kCode +
                R"(":{"value":"10:00:00","timezone_id":301,"timezone_name":"Australia/Eucla"}}})",
            RecordShape::Rest),
        R"({"id":1,"at":"10:00:00","at_timezone":"Australia/Eucla"})");
}

TEST(Record, HalfAnAddressIsNotCarried) {
    const std::vector<BoundColumn> columns = {
        column("organizations", "address"),
        column("organizations", "address_parts", "address", "address")};
    const std::string whole =
        R"({"address":{"value":"Main 1","locality":"Berlin","formatted_address":"Main 1, Berlin"}})";
    for (const RecordShape shape : {RecordShape::Rest, RecordShape::Webhook, RecordShape::Flat})
        EXPECT_EQ(
            decoded("organizations", columns, whole, shape),
            R"({"address":"Main 1, Berlin","address_parts":{"value":"Main 1","locality":"Berlin","formatted_address":"Main 1, Berlin"}})");
    for (const RecordShape shape : {RecordShape::Webhook, RecordShape::Flat}) {
        EXPECT_EQ(decoded("organizations", columns, R"({"address":"Main 1"})", shape), "{}");
        EXPECT_EQ(decoded("organizations", columns, R"({"address":{"value":"Main 1"}})", shape),
                  "{}");
        EXPECT_EQ(decoded("organizations", columns, R"({"address":""})", shape),
                  R"({"address":null,"address_parts":null})");
        EXPECT_EQ(decoded("organizations", columns, R"({"address":null})", shape),
                  R"({"address":null,"address_parts":null})");
    }
}

TEST(Record, EmptyContactsAreNone) {
    const std::vector<BoundColumn> columns = {column("persons", "email", "emails", "primary"),
                                              column("persons", "emails"),
                                              column("persons", "phones")};
    const std::string json =
        R"({"emails":[{"value":"","primary":true}],"phones":[{"value":""},{"value":"1","label":"work"}]})";
    for (const RecordShape shape : {RecordShape::Webhook, RecordShape::Flat})
        EXPECT_EQ(decoded("persons", columns, json, shape),
                  R"({"email":null,"emails":[],"phones":[{"value":"1","label":"work"}]})");
    EXPECT_EQ(
        decoded("persons", columns, R"({"emails":[{"value":""}],"phones":[]})", RecordShape::Rest),
        R"({"email":null,"emails":[{"value":""}],"phones":[]})");
}

TEST(Record, OneContactIsNotTheList) {
    const std::vector<BoundColumn> columns = {column("persons", "email", "emails", "primary"),
                                              column("persons", "emails"),
                                              column("persons", "phones")};
    for (const RecordShape shape : {RecordShape::Webhook, RecordShape::Flat}) {
        EXPECT_EQ(decoded("persons", columns, R"({"emails":"a@b","phones":"+49"})", shape),
                  R"({"email":"a@b"})");
        EXPECT_EQ(decoded("persons", columns, R"({"emails":"","phones":{"value":"1"}})", shape),
                  R"({"email":null,"emails":[]})");
        EXPECT_EQ(decoded("persons", columns, R"({"emails":null,"phones":null})", shape),
                  R"({"email":null,"emails":null,"phones":null})");
    }
}

TEST(Record, PartsOfNothingAreNothing) {
    const std::vector<BoundColumn> columns = {
        column("deals", "at", kCode, "", "time"),
        column("deals", "at_timezone", kCode, "timezone", "time")};
    const std::vector<BoundColumn> money = {
        column("deals", "fee", kCode, "", "monetary"),
        column("deals", "fee_currency", kCode, "currency", "monetary")};
    EXPECT_EQ(
        decoded("deals", columns, R"({")" + kCode + R"(":"",")" + kCode + R"(_timezone_id":""})",
                RecordShape::Flat),
        R"({"at":null,"at_timezone":null})");
    EXPECT_EQ(decoded("deals", money, R"({")" + kCode + R"(":"",")" + kCode + R"(_currency":""})",
                      RecordShape::Flat),
              R"({"fee":null,"fee_currency":null})");
    EXPECT_EQ(decoded("deals", money, R"({")" + kCode + R"(":600,")" + kCode + R"(_currency":""})",
                      RecordShape::Flat),
              R"({"fee":600,"fee_currency":null})");
    EXPECT_EQ(
        decoded("deals", money, R"({")" + kCode + R"(":600,")" + kCode + R"(_currency":"EUR"})",
                RecordShape::Flat),
        R"({"fee":600,"fee_currency":"EUR"})");
    EXPECT_EQ(decoded("deals", money, R"({"title":"none"})", RecordShape::Flat),
              R"({"fee":null,"fee_currency":null})");
}

TEST(Record, APartThatIsMissingIsNotCarried) {
    const std::vector<BoundColumn> money = {
        column("deals", "fee", kCode, "", "monetary"),
        column("deals", "fee_currency", kCode, "currency", "monetary")};
    EXPECT_EQ(decoded("deals", money, R"({")" + kCode + R"(":600})", RecordShape::Flat),
              R"({"fee":600})");
    const auto webhook = [](const std::string& value) {
        return R"({"custom_fields":{")" + kCode + R"(":)" + value + "}}";
    };
    EXPECT_EQ(decoded("deals", money, webhook(R"({"type":"monetary","value":600})"),
                      RecordShape::Webhook),
              R"({"fee":600})");
    EXPECT_EQ(decoded("deals", money, webhook(R"({"type":"monetary"})"), RecordShape::Webhook),
              "{}");
    const std::vector<BoundColumn> range = {
        column("deals", "span", kCode, "", "daterange"),
        column("deals", "span_until", kCode, "until", "daterange")};
    EXPECT_EQ(decoded("deals", range, webhook(R"({"type":"daterange","from":"2026-01-02"})"),
                      RecordShape::Webhook),
              R"({"span":"2026-01-02"})");
    EXPECT_EQ(decoded("deals", range, R"({")" + kCode + R"(":"2026-01-02"})", RecordShape::Flat),
              R"({"span":"2026-01-02"})");
    const std::vector<BoundColumn> options = {column("deals", "colours", kCode, "", "set"),
                                              column("deals", "colour", kCode, "", "enum"),
                                              column("deals", "colour_id", kCode, "id", "enum"),
                                              column("deals", "colour_ids", kCode, "id", "set")};
    EXPECT_EQ(decoded("deals", options, webhook(R"({"type":"set"})"), RecordShape::Webhook), "{}");
    EXPECT_EQ(decoded("deals", {options.data() + 3, options.data() + 4},
                      webhook(R"({"type":"set","values":[{"id":13}]})"), RecordShape::Webhook),
              R"({"colour_ids":[13]})");
    EXPECT_EQ(decoded("deals", {options.data(), options.data() + 1},
                      webhook(R"({"type":"set","values":null})"), RecordShape::Webhook),
              R"({"colours":null})");
    const std::vector<BoundColumn> activity = {column("activities", "due_time"),
                                               column("activities", "duration")};
    EXPECT_EQ(decoded("activities", activity,
                      R"({"due_time":{"timezone_id":301},"duration":{"value":"01:00"}})",
                      RecordShape::Webhook),
              R"({"duration":"3600 seconds"})");
}

constexpr RecordShape kEveryShape[] = {RecordShape::Rest, RecordShape::Flat, RecordShape::Webhook};

// The value of leads is one field with an amount and a currency.
TEST(Record, MembersOfAStandardField) {
    const std::vector<BoundColumn> columns = {column("leads", "value"),
                                              column("leads", "currency")};
    for (const RecordShape shape : kEveryShape) {
        EXPECT_EQ(
            decoded("leads", columns, R"({"value":{"amount":12.50,"currency":"EUR"}})", shape),
            R"({"value":12.50,"currency":"EUR"})");
        EXPECT_EQ(decoded("leads", columns, R"({"value":{"amount":null,"currency":"EUR"}})", shape),
                  R"({"value":null,"currency":"EUR"})");
        EXPECT_EQ(decoded("leads", columns, R"({"value":null})", shape),
                  R"({"value":null,"currency":null})");
        EXPECT_EQ(decoded("leads", columns, "{}", shape), "{}");
        EXPECT_THROW(decoded("leads", columns, R"({"value":{"amount":"much"}})", shape), Error);
    }
    for (const RecordShape shape : {RecordShape::Flat, RecordShape::Webhook}) { // half of it
        EXPECT_EQ(decoded("leads", columns, R"({"value":{"currency":"EUR"}})", shape),
                  R"({"currency":"EUR"})");
        EXPECT_EQ(decoded("leads", columns, R"({"value":{}})", shape), "{}");
    }
}

TEST(Record, LeadsAreFlatInListsToo) {
    const std::string id = "9ce77a10-2e16-11f1-91c1-d76c00000001";
    const std::vector<BoundColumn> columns = {
        column("leads", "id"),
        column("leads", "label_ids"),
        column("leads", "is_archived"),
        column("leads", "custom_fields"),
        column("leads", "fee", kCode, "", "monetary"),
        column("leads", "fee_currency", kCode, "currency", "monetary"),
        column("leads", "colour", std::string(40, 'b'), "id", "enum")};
    const std::string start =
        R"({"id":")" + id + R"(","label_ids":[")" + id + R"("],"is_archived":false)";
    const std::string custom = "\"" + kCode + R"(":600,")" + kCode + R"(_currency":"EUR")";
    for (const RecordShape shape : {RecordShape::Rest, RecordShape::Flat}) {
        // as a whole they are said by the list alone
        const auto whole = [&](const std::string& object) {
            return shape == RecordShape::Rest ? R"(,"custom_fields":{)" + object + "}" : "";
        };
        EXPECT_EQ(
            decoded("leads", columns, start + "," + custom + R"(,"custom_fields":{"x":1}})", shape),
            start + whole(custom) + R"(,"fee":600,"fee_currency":"EUR","colour":null})");
        EXPECT_EQ(decoded("leads", columns, start + "}", shape),
                  start + whole("") + R"(,"fee":null,"fee_currency":null,"colour":null})");
    }
    // an event of version 2 has them as all others do
    const std::string nested =
        R"(,"custom_fields":{")" + kCode + R"(":{"type":"monetary","value":600,"currency":"EUR"}})";
    EXPECT_EQ(decoded("leads", columns, start + nested + "," + custom + "}", RecordShape::Webhook),
              start + nested + R"(,"fee":600,"fee_currency":"EUR"})");
    // those of the other tables are an object in lists: v1 says nothing of it
    const std::vector<BoundColumn> deals = {column("deals", "custom_fields")};
    EXPECT_EQ(decoded("deals", deals, "{" + custom + "}", RecordShape::Flat), "{}");
}

TEST(Record, NotesAreTheSameEverywhere) {
    const std::vector<BoundColumn> columns = {column("notes", "id"), column("notes", "active_flag"),
                                              column("notes", "pinned_to_deal_flag"),
                                              column("notes", "lead_id"),
                                              column("notes", "add_time")};
    for (const RecordShape shape : kEveryShape)
        EXPECT_EQ(decoded("notes", columns,
                          R"({"id":7,"active_flag":0,"pinned_to_deal_flag":1,"lead_id":null,)"
                          R"("deal":{"title":"x"},"add_time":"2026-03-01 10:00:00"})",
                          shape),
                  R"({"id":7,"active_flag":false,"pinned_to_deal_flag":true,"lead_id":null,)"
                  R"("add_time":"2026-03-01 10:00:00+00"})");
}

TEST(Record, AnOptionWithoutALabelIsNotCarried) {
    const std::vector<BoundColumn> columns = {column("deals", "colour", kCode, "", "enum"),
                                              column("deals", "colour_id", kCode, "id", "enum")};
    EXPECT_EQ(decoded("deals", columns,
                      R"({"custom_fields":{")" + kCode + R"(":{"type":"enum","id":17}}})",
                      RecordShape::Webhook),
              R"({"colour_id":17})");
    EXPECT_EQ(decoded("deals", columns, R"({")" + kCode + R"(":"17"})", RecordShape::Flat),
              R"({"colour_id":17})");
    EXPECT_EQ(decoded("deals", columns, R"({"custom_fields":{")" + kCode + R"(":17}})",
                      RecordShape::Rest),
              R"({"colour":"[17]","colour_id":17})");
}

TEST(Record, AValueThatDoesNotFitCostsItsColumnWhereThatIsWanted) {
    const std::vector<BoundColumn> columns = {column("deals", "id"), column("deals", "value"),
                                              column("deals", "title"),
                                              column("deals", "won_time")};
    const std::string json = R"({"id":7,"value":"much","title":"x","won_time":"yesterday"})";
    EXPECT_EQ(decoded("deals", columns, json, RecordShape::Webhook, Unfit::LeaveOut),
              R"({"id":7,"title":"x"})");
    try {
        decoded("deals", columns, json, RecordShape::Webhook);
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind, ErrorKind::BadValue);
        EXPECT_EQ(error.column, "value");
        EXPECT_EQ(error.row_id, "7");
    }
    EXPECT_THROW(decoded("deals", columns, "[]", RecordShape::Webhook, Unfit::LeaveOut), Error);
}

} // namespace
} // namespace pipedrive
