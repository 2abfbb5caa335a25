// One page of a list: rows, cells, cursor, and every way in which a body can be wrong.
#include <gtest/gtest.h>

#include <random>

#include "core/base/error.h"
#include "core/wire/page.h"
#include "unit/cells.h"

namespace pipedrive {
namespace {

using namespace test;

const std::string kA = hash_code(1), kB = hash_code(2);

// id, title, value, whole custom_fields, field A, field B with its currency.
std::vector<BoundColumn> columns(bool whole = false) {
    std::vector<BoundColumn> out = {standard("deals", "title"),
                                    standard("deals", "value"),
                                    custom(kA, "varchar"),
                                    custom(kB, "monetary"),
                                    custom(kB, "monetary", "currency"),
                                    standard("deals", "is_archived")};
    if (whole) out.push_back(standard("deals", "custom_fields"));
    return out;
}

struct Result {
    // "id: cell | cell | …"
    std::vector<std::string> rows;
    std::string cursor;
    int missing = -1;
};

Result read(std::string_view body, const std::vector<BoundColumn>& wanted, bool archived = false,
            bool paged = true, Page* reuse = nullptr) {
    Page own;
    Page& page = reuse != nullptr ? *reuse : own;
    PageRequest request;
    request.entity = "deals";
    request.columns = wanted;
    request.archived = archived;
    request.paging = paged ? Paging::Cursor : Paging::None;
    decode_page(body, request, &page);
    Result result{{}, page.end().cursor, -1};
    for (const Doubt& d : page.doubts())
        if (d.absent) result.missing = static_cast<int>(d.column);
    EXPECT_EQ(page.doubts().empty(), result.missing < 0 && page.noticed().odd == 0);
    for (std::size_t i = 0; i < page.rows(); ++i) {
        std::string row = page.key(i).spelled() + ":";
        for (const Cell& cell : page.row(i))
            row += " " + show(cell);
        result.rows.push_back(row);
    }
    return result;
}

std::string error_of(std::string_view body, const std::vector<BoundColumn>& wanted,
                     bool paged = true) {
    try {
        read(body, wanted, false, paged);
    } catch (const Error& e) {
        EXPECT_EQ(e.subject, "deals");
        const std::string at = e.column + (e.row_id.empty() ? "" : "#" + e.row_id);
        return (e.kind == ErrorKind::Malformed  ? "malformed "
                : e.kind == ErrorKind::BadValue ? "bad value "
                : e.kind == ErrorKind::TooDeep  ? "too deep "
                                                : "other ") +
               at;
    }
    return "none";
}

std::string envelope(const std::string& rows) {
    return R"({"success":true,"data":[)" + rows + R"(],"additional_data":{"next_cursor":null}})";
}

std::string one(const std::string& row, bool whole = false) {
    const Result r = read(envelope(row), columns(whole));
    return r.rows.size() == 1 ? r.rows[0] : "not one row";
}

TEST(Page, RowsAndCursor) {
    const Result r = read(
        R"({"success":true,"data":[
            {"id":5000000000,"title":"a","value":10.50,"custom_fields":{")" +
            kA + R"(":"x",")" + kB +
            R"(":{"value":1,"currency":"EUR"}}},
            {"title":"b","id":2}],"additional_data":{"next_cursor":"abc"}})",
        columns(), true);
    EXPECT_EQ(r.rows, (std::vector<std::string>{"5000000000: 'a' 10.50d 'x' 1d 'EUR' true",
                                                "2: 'b' null null null null true"}));
    EXPECT_EQ(r.cursor, "abc");
}

TEST(Page, EndOfListInEveryForm) {
    for (const char* tail :
         {"", R"(,"additional_data":null)", R"(,"additional_data":{})",
          R"(,"additional_data":{"next_cursor":null})", R"(,"additional_data":{"next_cursor":""})",
          R"(,"additional_data":{"pagination":{"start":0,"limit":100}})",
          R"(,"related_objects":{"user":{"1":{"next_cursor":"no"}}})"})
        EXPECT_EQ(read(std::string(R"({"success":true,"data":[{"id":1}])") + tail + "}", {}).cursor,
                  "")
            << tail;
    EXPECT_EQ(
        read(R"({"additional_data":{"next_cursor":"x"},"data":[],"success":true})", {}).cursor,
        "x");
}

TEST(Page, NullDataOnlyInV1) {
    EXPECT_EQ(read(R"({"success":true,"data":null})", {}, false, false).rows.size(), 0u);
    EXPECT_EQ(error_of(R"({"success":true,"data":null})", {}), "malformed ");
    EXPECT_EQ(error_of(R"({"success":true})", {}, false), "malformed ");
}

TEST(Page, SingleRecord) {
    EXPECT_EQ(read(R"({"success":true,"data":{"id":7,"title":"t"}})", columns()).rows,
              std::vector<std::string>{"7: 't' null null null null false"});
}

TEST(Page, LastOfTwoEqualKeysWins) {
    EXPECT_EQ(one(R"({"id":1,"title":"a","title":"b","id":2,"value":1,"value":null})"),
              "2: 'b' null null null null false");
    const std::string twice =
        R"({"id":1,"custom_fields":{")" + kA + R"(":"old",")" + kA + R"(":"new"}})";
    EXPECT_EQ(one(twice), "1: null null 'new' null null false");
    const std::string blocks =
        R"({"id":1,"custom_fields":{")" + kA + R"(":"old"},"custom_fields":)";
    EXPECT_EQ(one(blocks + R"({")" + kB + R"(":{"value":2,"value":3}}})"),
              "1: null null null 3d null false");
    EXPECT_EQ(one(blocks + "null}"), "1: null null null null null false");
    EXPECT_EQ(one(blocks + "{}}", true), "1: null null null null null false json {}");
    EXPECT_EQ(read(R"({"data":[{"id":1}],"data":[{"id":2},{"id":3}]})", {}).rows,
              (std::vector<std::string>{"2:", "3:"}));
}

// The same keys elsewhere in the row, or in what nobody wants, are other things.
TEST(Page, UnwantedDataIsPassedOver) {
    EXPECT_EQ(one(R"({"deep":{"id":9,"title":"no","custom_fields":{"id":8},"data":[{"id":3}]},
                     "list":[{"id":4,"title":"no"},[[{}]]],"id":1,"title":"yes",
                     "more":{"additional_data":{"next_cursor":"no"},"success":false}})"),
              "1: 'yes' null null null null false");
    EXPECT_EQ(
        one(R"({"id":1,")" + kA + R"(":"top level","custom_fields":{"title":"inside","id":7}})"),
        "1: null null null null null false");
    const Result r = read(R"({"success":true,"x":{"data":[{"id":9}],"next_cursor":"no"},"y":[[1]],
                              "data":[{"id":1}],"z":[{"id":2}]})",
                          {});
    EXPECT_EQ(r.rows, std::vector<std::string>{"1:"});
    EXPECT_EQ(r.cursor, "");
}

TEST(Page, CustomFieldsInEveryForm) {
    const std::string nothing = "1: null null null null null false";
    for (const char* form :
         {"", R"(,"custom_fields":null)", R"(,"custom_fields":{})", R"(,"custom_fields":[])"})
        EXPECT_EQ(one(std::string(R"({"id":1)") + form + "}"), nothing) << form;
    EXPECT_EQ(one(R"({"id":1,"custom_fields":{")" + kA + R"(":null,")" + kB + R"(":null}})"),
              nothing);
    const std::string row = R"({"id":1,"custom_fields":{"x":[1,{"y":"\u0000"}],")" + kB +
                            R"(":{"value":30.10,"currency":null},")" + kA + R"(":"é"}})";
    EXPECT_EQ(one(row), "1: null null 'é' 30.10d null false");
    EXPECT_EQ(one(row, true),
              "1: null null 'é' 30.10d null false json {\"x\":[1,{\"y\":\"\\u0000\"}],\"" + kB +
                  "\":{\"value\":30.10,\"currency\":null},\"" + kA + "\":\"é\"}");
    EXPECT_EQ(one(R"({"id":1})", true), nothing + " null");
    EXPECT_EQ(one(R"({"id":1,"custom_fields":{}})", true), nothing + " json {}");
}

TEST(Page, SaysWhichCustomKeyIsMissing) {
    const auto missing = [](const std::string& row, bool whole) {
        return read(envelope(row), columns(whole)).missing;
    };
    const std::string both =
        R"({"id":1,"custom_fields":{")" + kA + R"(":null,")" + kB + R"(":null}})";
    const std::string only_a = R"({"id":1,"custom_fields":{")" + kA + R"(":null}})";
    for (bool whole : {false, true}) {
        EXPECT_EQ(missing(both, whole), -1);
        EXPECT_GE(missing(only_a, whole), 3);
        EXPECT_GE(missing(both + "," + only_a, whole), 3);
    }
}

TEST(Page, NumbersKeepTheirDigits) {
    EXPECT_EQ(one(R"({"id":1,"value":123456789012345678901234567890.123456789})"),
              "1: null 123456789012345678901234567890.123456789d null null null false");
    EXPECT_EQ(one(R"({"id":9223372036854775807})").substr(0, 20), "9223372036854775807:");
}

TEST(Page, Envelopes) {
    for (const char* body : {"[]",
                             "null",
                             "1",
                             "\"x\"",
                             "{}",
                             R"({"data":5})",
                             R"({"data":"x"})",
                             R"({"data":true})",
                             R"({"data":[1]})",
                             R"({"data":[null]})",
                             R"({"data":["x"]})",
                             R"({"data":[[{"id":1}]]})",
                             R"({"success":false,"data":[{"id":1}]})",
                             R"({"data":[{"id":1}],"success":false})",
                             R"({"success":false,"error":"no"})",
                             R"({"data":[{"id":1},{}]})",
                             R"({"data":[{"id":null}]})",
                             R"({"data":[{"id":"x"}]})",
                             R"({"data":[{"id":1.5}]})",
                             R"({"data":[{"id":[1]}]})",
                             R"({"data":[{"id":99999999999999999999}]})",
                             R"({"data":{"items":[]}})",
                             R"([{"data":[{"id":1}]}])",
                             R"({"data":[{"x":{"id":1}}]})"})
        EXPECT_EQ(error_of(body, {}), "malformed ") << body;
    try {
        read(R"({"success":false,"error":"Scope and URL mismatch","error_info":"x"})", {});
        FAIL();
    } catch (const Error& e) {
        EXPECT_NE(e.detail.find("Scope and URL mismatch"), std::string::npos) << e.detail;
    }
}

// What is neither an end nor a continuation would be taken for the end, and rows be missing.
TEST(Page, UnreadEndsAreErrors) {
    const auto with = [](const std::string& additional) {
        return R"({"success":true,"data":[{"id":1}],"additional_data":)" + additional + "}";
    };
    for (const char* additional : {R"({"next_cursor":12345})",
                                   R"({"next_cursor":"x\ud83d"})",
                                   R"({"next_cursor":0})",
                                   R"({"next_cursor":{"after":"x"}})",
                                   R"({"next_cursor":["x"]})",
                                   R"({"next_cursor":true})",
                                   R"({"next_cursor":false})",
                                   "7",
                                   "\"x\"",
                                   "true",
                                   R"([{"next_cursor":"x"}])",
                                   R"({"pagination":[1]})",
                                   R"({"pagination":{"more_items_in_collection":"true"}})",
                                   R"({"pagination":{"more_items_in_collection":1}})",
                                   R"({"pagination":{"more_items_in_collection":true}})",
                                   R"({"pagination":{"next_start":100}})",
                                   R"({"more_items_in_collection":true})",
                                   R"({"has_more":true})",
                                   R"({"next_start":100})",
                                   R"({"next_page":2})",
                                   R"({"pagination":{"next_cursor":"x"}})",
                                   R"({"pagination":{"has_more":true}})"})
        for (bool paged : {true, false})
            EXPECT_EQ(error_of(with(additional), {}, paged), "malformed ") << additional << paged;
    EXPECT_EQ(error_of(with(R"({"next_cursor":"x"})"), {}, false), "malformed ");
    for (const char* beside : {R"("next_cursor":"x")", R"("has_more":true)", R"("next_start":1)",
                               R"("more_items_in_collection":true)", R"("next_page":{"a":1})"})
        for (bool paged : {true, false})
            EXPECT_EQ(error_of(std::string(R"({"success":true,"data":[{"id":1}],)") + beside + "}",
                               {}, paged),
                      "malformed ")
                << beside;
    EXPECT_EQ(
        read(with(R"({"next_cursor":"x","pagination":{"more_items_in_collection":true}})"), {})
            .cursor,
        "x");
    for (const char* additional :
         {"[]", R"({"pagination":{"start":0,"limit":100,"more_items_in_collection":false}})",
          R"({"pagination":[]})", R"({"pagination":{"next_start":null}})",
          R"({"more_items_in_collection":false,"has_more":false,"next_page":null})",
          R"({"next_cursor":null},"next_cursor":null,"has_more":false,"x":{"has_more":true})"})
        for (bool paged : {true, false})
            EXPECT_EQ(error_of(with(additional), {}, paged), "none") << additional << paged;
}

TEST(Page, TheLastOfSeveralEndsCounts) {
    const std::string data = R"({"success":true,"data":[{"id":1}],"additional_data":)";
    EXPECT_EQ(read(data + R"({"next_cursor":"x","next_cursor":null}})", {}).cursor, "");
    EXPECT_EQ(read(data + R"({"next_cursor":null,"next_cursor":"y"}})", {}).cursor, "y");
    EXPECT_EQ(
        read(data + R"({"next_cursor":"x"},"additional_data":{"next_cursor":"y"}})", {}).cursor,
        "y");
    EXPECT_EQ(read(data + R"({"next_cursor":"x"},"additional_data":null})", {}).cursor, "");
    EXPECT_EQ(read(R"({"data":[{"id":1}],"data":null})", {}, false, false).rows.size(), 0u);
}

TEST(Page, OnlyTrueIsSuccess) {
    for (const char* success : {"false", "null", "0", "1", "\"true\"", "[]", "{}"})
        EXPECT_EQ(error_of(std::string(R"({"data":[{"id":1}],"success":)") + success + "}", {}),
                  "malformed ")
            << success;
}

TEST(Page, BadValuesNameColumnAndRow) {
    EXPECT_EQ(error_of(envelope(R"({"id":1,"value":2},{"value":[1],"id":77})"), columns()),
              "bad value value#77");
    EXPECT_EQ(error_of(envelope(R"({"id":3,"title":"a\u0000b"})"), columns()), "bad value title#3");
    EXPECT_EQ(error_of(envelope(R"({"id":3,"lost_reason":"a\u0000b","title":"ok"})"), columns()),
              "none");
    EXPECT_EQ(error_of(envelope("{\"x\":" + std::string(1000000, '[')), columns()), "too deep ");
    EXPECT_EQ(error_of(envelope(R"({"id":1,"title":"\ud800"})"), columns()), "bad value title#1");
    EXPECT_EQ(one(R"({"id":1,"title":"ok","lost_reason":"\ud83d","\udc00":{"\udc01":"\udc02"}})"),
              "1: 'ok' null null null null false");
    EXPECT_EQ(error_of(envelope("{\"id\":1,\"unwanted\":\"\xff\"}"), columns()), "malformed ");
}

TEST(Page, CutAtEveryByte) {
    const std::string body = R"({"success":true,"data":[{"id":12,"title":"é\u00e9","value":1.25,
        "custom_fields":{")" +
                             kA + R"(":"x",")" + kB +
                             R"(":{"value":3,"currency":"EUR"}}},{"id":13}],
        "additional_data":{"next_cursor":"eyJ"}})";
    for (bool whole : {false, true}) {
        ASSERT_EQ(error_of(body, columns(whole)), "none");
        for (std::size_t n = 0; n < body.size(); ++n)
            ASSERT_EQ(error_of(std::string_view(body).substr(0, n), columns(whole)), "malformed ")
                << n;
    }
}

// Damaged bytes: any answer or an Error, never anything else; and the page stays usable.
TEST(Page, SurvivesNoiseAndIsReused) {
    const std::string body =
        envelope(R"({"id":12,"title":"t","value":1.25,"custom_fields":{")" + kA + R"(":"x",")" +
                 kB + R"(":{"value":3,"currency":"EUR"}}})");
    std::mt19937 random(5);
    const auto pick = [&](std::size_t n) {
        return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
    };
    const std::string bytes = "{}[]\",:0123456789ntf\\u \xff";
    Page page;
    for (int i = 0; i < 20000; ++i) {
        std::string broken = body;
        for (std::size_t n = 1 + pick(3); n > 0; --n)
            if (pick(2) == 0)
                broken[pick(broken.size())] = bytes[pick(bytes.size())];
            else
                broken.erase(pick(broken.size()), pick(12));
        try {
            read(broken, columns(pick(2) == 0), false, true, &page);
        } catch (const Error&) {
        }
        if (i % 100 == 0) {
            ASSERT_EQ(read(body, columns(), false, true, &page).rows,
                      std::vector<std::string>{"12: 't' 1.25d 'x' 3d 'EUR' false"});
        }
    }
}

TEST(Page, LabelsComeUnderEitherKey) {
    const std::vector<BoundColumn> wanted = {standard("deals", "labels"),
                                             standard("deals", "label_ids")};
    EXPECT_EQ(
        read(
            envelope(
                R"({"id":1,"label_ids":[3,4],"labels":[{"id":3,"label":"Hot"},{"id":4,"label":"Cold"}]})"),
            wanted)
            .rows[0],
        "1: {'Hot','Cold'} {3,4}");
    EXPECT_EQ(read(envelope(R"({"id":1,"label_ids":[{"id":3,"label":"Hot"}]})"), wanted).rows[0],
              "1: {'Hot'} {3}");
    EXPECT_EQ(read(envelope(R"({"id":1,"label_ids":[]})"), wanted).rows[0], "1: {} {}");
    EXPECT_EQ(read(envelope(R"({"id":1})"), wanted).rows[0], "1: null null");
}

// Keys in another order in every row: the shortcut for rows that look alike must not matter.
TEST(Page, OrderOfKeysDoesNotMatter) {
    std::mt19937 random(11);
    std::vector<std::string> members = {
        R"("id":1)", R"("title":"t")", R"("value":2)", R"("junk":{"id":5,"title":"no"})",
        R"("custom_fields":{")" + kB + R"(":{"currency":"EUR","value":3},"z":[],")" + kA +
            R"(":"x"})"};
    for (int i = 0; i < 300; ++i) {
        std::string rows;
        for (int r = 0; r < 3; ++r) {
            std::shuffle(members.begin(), members.end(), random);
            rows += rows.empty() ? "{" : ",{";
            for (std::size_t m = 0; m < members.size(); ++m)
                rows += (m == 0 ? "" : ",") + members[m];
            rows += "}";
        }
        for (const std::string& row : read(envelope(rows), columns()).rows)
            ASSERT_EQ(row, "1: 't' 2d 'x' 3d 'EUR' false") << rows;
    }
}

// --- v1's lists: offsets, flat records, keys that are no integers

PageRequest lead_request(const std::vector<BoundColumn>& wanted) {
    PageRequest request;
    request.entity = "leads";
    request.key_kind = KeyKind::Uuid;
    request.shape = Shape::Flat;
    request.paging = Paging::Offset;
    request.columns = wanted;
    return request;
}

std::string lead(const std::string& more) {
    return R"({"id":"9ce77a10-2e16-11f1-91c1-d76c55e1594b")" + more + "}";
}

std::string end_of(const std::string& additional) {
    Page page;
    const PageRequest request = lead_request({});
    try {
        decode_page(R"({"success":true,"data":[],"additional_data":)" + additional + "}", request,
                    &page);
    } catch (const Error& e) {
        return e.kind == ErrorKind::Malformed ? "malformed" : "other";
    }
    EXPECT_TRUE(page.end().cursor.empty());
    constexpr const char* kWords[] = {"nothing", "end", "more"};
    return kWords[static_cast<int>(page.end().says)];
}

TEST(Page, EndsOfListsByOffset) {
    for (const char* additional :
         {"null", "{}", "[]", R"({"pagination":null})", R"({"pagination":{}})",
          R"({"pagination":{"start":0}})", R"({"start":0,"limit":100})", R"({"has_more":false})"})
        EXPECT_EQ(end_of(additional), "nothing") << additional;
    for (const char* additional : {R"({"pagination":{"more_items_in_collection":false}})",
                                   R"({"more_items_in_collection":false,"start":0})"})
        EXPECT_EQ(end_of(additional), "end") << additional;
    for (const char* additional :
         {R"({"pagination":{"more_items_in_collection":true,"next_start":2}})",
          R"({"pagination":{"more_items_in_collection":true}})",
          R"({"pagination":{"next_start":2}})", R"({"more_items_in_collection":true})",
          R"({"next_start":2})",
          R"({"more_items_in_collection":false,"pagination":{"more_items_in_collection":true}})",
          R"({"more_items_in_collection":true,"pagination":{"more_items_in_collection":false}})"})
        EXPECT_EQ(end_of(additional), "more") << additional;
    for (const char* additional :
         {R"({"next_cursor":"x"})", R"({"has_more":true})", R"({"next_page":2})", "7", "true",
          R"({"pagination":{"next_cursor":"x"}})", R"({"pagination":{"has_more":true}})",
          R"({"pagination":[1]})", R"({"more_items_in_collection":"yes"})",
          R"({"pagination":{"more_items_in_collection":1}})"})
        EXPECT_EQ(end_of(additional), "malformed") << additional;
}

TEST(Page, FlatRecords) {
    const std::vector<BoundColumn> wanted = {standard("leads", "id"),
                                             standard("leads", "value"),
                                             standard("leads", "currency"),
                                             standard("leads", "label_ids"),
                                             custom(kA, "varchar"),
                                             custom(kB, "monetary"),
                                             custom(kB, "monetary", "currency"),
                                             standard("leads", "visible_to"),
                                             standard("leads", "is_archived")};
    const std::string body =
        R"({"success":true,"data":[)" +
        lead(R"(,"value":{"amount":12.50,"currency":"EUR"},"visible_to":"3","label_ids":)"
             R"(["f08b42a0-4e75-11ea-9643-03698ef1cfd6",null],")" +
             kA + R"(":"a","nested":{"value":{"amount":1}},")" + kB + R"(":7,")" + kB +
             R"(_currency":"SEK")") +
        "," + lead(R"(,"value":null,"label_ids":[])") + R"(],"additional_data":null})";
    Page page;
    const PageRequest request = lead_request(wanted);
    decode_page(body, request, &page);
    ASSERT_EQ(page.rows(), 2u);
    std::string shown;
    for (std::size_t i = 0; i < 2; ++i)
        for (const Cell& cell : page.row(i))
            shown += show(cell) + " ";
    const std::string key = "'9ce77a10-2e16-11f1-91c1-d76c55e1594b' ";
    EXPECT_EQ(shown, key +
                         "12.50d 'EUR' {'f08b42a0-4e75-11ea-9643-03698ef1cfd6',null} 'a' 7d 'SEK' "
                         "3 false " +
                         key + "null null {} null null null null false ");
    EXPECT_EQ(page.key(0), page.key(1));
    EXPECT_TRUE(page.doubts().empty()) << "a key that some row has belongs to a field";
}

// v1 leaves out what is not set: only a key that no row has may belong to a field that is gone.
TEST(Page, AFlatKeyThatNoRowHasIsDoubted) {
    const std::vector<BoundColumn> wanted = {custom(kA, "varchar"), custom(kB, "varchar")};
    Page page;
    const PageRequest request = lead_request(wanted);
    decode_page(
        R"({"success":true,"data":[)" + lead("") + "," + lead(",\"" + kB + "\":\"x\"") + "]}",
        request, &page);
    ASSERT_EQ(page.doubts().size(), 1u);
    EXPECT_EQ(page.doubts()[0].column, 0u);
    EXPECT_TRUE(page.doubts()[0].absent);
    decode_page(R"({"success":true,"data":null})", request, &page);
    EXPECT_TRUE(page.doubts().empty());
    EXPECT_EQ(page.rows(), 0u);
}

TEST(Page, CustomFieldsOfAFlatRecord) {
    const std::vector<BoundColumn> wanted = {standard("leads", "custom_fields")};
    Page page;
    const PageRequest request = lead_request(wanted);
    decode_page(R"({"success":true,"data":[)" +
                    lead(",\"" + kA + "\":\"x\",\"" + kB + "\":7,\"" + kB +
                         "_currency\":\"SEK\",\"" + kA + "x\":1,\"title\":\"t\"") +
                    "," + lead("") + "]}",
                request, &page);
    EXPECT_EQ(show(page.row(0)[0]),
              "json {\"" + kA + "\":\"x\",\"" + kB + "\":7,\"" + kB + "_currency\":\"SEK\"}");
    EXPECT_EQ(show(page.row(1)[0]), "json {}");
}

TEST(Page, AKeyOfAnotherKindIsAnError) {
    const auto fails = [](KeyKind kind, const std::string& row) {
        Page page;
        PageRequest request = lead_request({});
        request.key_kind = kind;
        try {
            decode_page(R"({"success":true,"data":[)" + row + "]}", request, &page);
        } catch (const Error& e) {
            return e.detail;
        }
        return std::string();
    };
    EXPECT_EQ(fails(KeyKind::Uuid, R"({"id":7})"), "Row 1 of the page has no uuid \"id\".");
    EXPECT_EQ(fails(KeyKind::Integer, lead("")), "Row 1 of the page has no integer \"id\".");
    EXPECT_EQ(fails(KeyKind::Text, R"({"id":""})"), "Row 1 of the page has no text \"id\".");
    EXPECT_EQ(fails(KeyKind::Text, R"({"id":"Web forms"})"), "");
    EXPECT_EQ(fails(KeyKind::None, "{}"), "");
}

} // namespace
} // namespace pipedrive
