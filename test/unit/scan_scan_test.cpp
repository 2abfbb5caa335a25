// Scans against a scripted API: which requests are sent and when, which rows come back, and how a
// walk ends when the API misbehaves.
#include <gtest/gtest.h>

#include <chrono>
#include <set>

#include "unit/scan_fixture.h"

namespace pipedrive {
namespace {

using namespace test;

TEST_F(ScanTest, AllPagesOfAllListsInOrder) {
    list("/api/v2/deals", rows(1, 25));
    list("/api/v2/deals/archived", rows(101, 112));
    Scan s = scan(spec({standard("deals", "is_archived")}));
    s.start({});
    EXPECT_TRUE(api.requests().empty()); // start sends nothing
    std::vector<std::int64_t> expected = range(1, 25);
    for (std::int64_t i : range(101, 112))
        expected.push_back(i);
    std::vector<std::int64_t> got;
    while (next(s) == Scan::Step::Row) {
        got.push_back(s.row_key().integer());
        EXPECT_EQ(show(s.row()[0]), s.row_key().integer() > 100 ? "true" : "false");
    }
    EXPECT_EQ(got, expected);
    EXPECT_EQ(api.paths(), (std::vector<std::string>{
                               "/api/v2/deals?limit=10",
                               "/api/v2/deals?limit=10&cursor=%2Fapi%2Fv2%2Fdeals%4010",
                               "/api/v2/deals?limit=10&cursor=%2Fapi%2Fv2%2Fdeals%4020",
                               "/api/v2/deals/archived?limit=10",
                               "/api/v2/deals/archived?limit=10&cursor=%2Fapi%2Fv2%2Fdeals%2F"
                               "archived%4010"}));
    EXPECT_EQ(s.rows_fetched(), 37);
    EXPECT_EQ(s.traffic().requests, 5);
    EXPECT_EQ(s.traffic().tokens, 3 * 10 + 2 * 20);
    EXPECT_EQ(next(s), Scan::Step::Done); // still
    EXPECT_EQ(api.most_running(), 1u);
    for (const HttpRequest& r : api.requests()) {
        EXPECT_EQ(r.method, "GET");
        EXPECT_EQ(r.headers, std::vector<std::string>{"x-api-token: SECRET"});
    }
}

TEST_F(ScanTest, TheNextPageIsAskedForAfterAQuarter) {
    list("/api/v2/deals", rows(1, 45));
    ScanSpec wanted = spec();
    wanted.page_size = 20;
    Scan s = scan(wanted);
    s.start({});
    for (int i = 1; i <= 20; ++i) {
        ASSERT_EQ(next(s), Scan::Step::Row);
        EXPECT_EQ(api.requests().size(), i <= 5 ? 1u : 2u) << "after row " << i;
    }
}

TEST_F(ScanTest, AnEarlyStopCostsOneRequest) {
    list("/api/v2/deals", rows(1, 1000));
    {
        Scan s = scan(spec());
        s.start({});
        ASSERT_EQ(next(s), Scan::Step::Row);
    }
    EXPECT_EQ(api.requests().size(), 1u);
    EXPECT_EQ(api.running(), 0u);
}

// LIMIT n on pages of 20: the second page is asked for only when the first cannot do.
TEST_F(ScanTest, ALimitThatOnePageSatisfiesCostsOneRequest) {
    list("/api/v2/deals", rows(1, 1000));
    for (const int limit : {1, 5, 6, 13, 19, 20, 21, 26, 40, 41, 60}) {
        const std::size_t before = api.requests().size();
        ScanSpec wanted = spec();
        wanted.page_size = 20;
        wanted.limit_hint = limit;
        Scan s = scan(wanted);
        s.start({});
        for (int i = 0; i < limit; ++i)
            ASSERT_EQ(next(s), Scan::Step::Row);
        const int pages = (limit + 19) / 20;
        EXPECT_EQ(api.requests().size() - before, static_cast<std::size_t>(pages)) << limit;
        EXPECT_EQ(s.traffic().tokens, pages * 10) << limit;
    }
}

// A sort or a local condition wants more rows than the LIMIT: the hint delays, it never stops.
TEST_F(ScanTest, ALimitHintIsNoStopCondition) {
    list("/api/v2/deals", rows(1, 95));
    list("/api/v2/deals/archived", rows(101, 130));
    for (const int hint : {1, 7, 19, 20, 21, 50, 124, 125, 1000}) {
        ScanSpec wanted = spec();
        wanted.page_size = 20;
        wanted.limit_hint = hint;
        Scan s = scan(wanted);
        s.start({});
        EXPECT_EQ(ids(s).size(), 125u) << hint;
        s.start({}); // a rescan
        EXPECT_EQ(ids(s).size(), 125u) << hint;
    }
    const std::size_t before = api.requests().size();
    ScanSpec wanted = spec();
    wanted.page_size = 20;
    wanted.limit_hint = 10;
    Scan s = scan(wanted);
    s.start({});
    for (int i = 1; i <= 12; ++i) {
        ASSERT_EQ(next(s), Scan::Step::Row);
        EXPECT_EQ(api.requests().size() - before, i <= 10 ? 1u : 2u) << "after row " << i;
    }
}

TEST_F(ScanTest, APageThatIsAskedForAndNotReadIsPaid) {
    list("/api/v2/deals", rows(1, 45));
    Scan s = scan(spec());
    s.start({});
    for (int i = 1; i <= 4; ++i)
        ASSERT_EQ(next(s), Scan::Step::Row);
    ASSERT_EQ(api.running(), 1u);
    EXPECT_EQ(s.traffic().tokens, 20);
    s.start({}); // drops it
    EXPECT_EQ(s.traffic().tokens, 20);
}

TEST_F(ScanTest, EveryParameterIsRepeatedWithTheCursor) {
    list("/api/v2/deals", rows(1, 25));
    Value status;
    status.type = Value::Type::Words;
    status.words = {"won"};
    Scan s = scan(
        spec({standard("deals", "notes_count"), custom(kHash, "enum")},
             {{"owner_id", Op::Eq, 0}, {"status", Op::Eq, 1}, {"is_archived", Op::IsFalse, -1}}));
    s.start({numbers({7}), status});
    ids(s);
    int pages = 0;
    for (const HttpRequest& r : api.requests()) {
        if (path_of(r.url).starts_with("/api/v2/dealFields")) continue;
        EXPECT_EQ(query_value(r.url, "owner_id"), "7");
        EXPECT_EQ(query_value(r.url, "status"), "won");
        EXPECT_EQ(query_value(r.url, "include_fields"), "notes_count");
        EXPECT_EQ(query_value(r.url, "custom_fields"), kHash);
        EXPECT_EQ(query_value(r.url, "limit"), "10");
        EXPECT_EQ(query_value(r.url, "cursor").has_value(), ++pages > 1);
    }
    EXPECT_EQ(pages, 3);
}

TEST_F(ScanTest, IdsInBatchesAndTheSecondListOnlyForTheRest) {
    list("/api/v2/deals", rows(1, 150));
    list("/api/v2/deals/archived", rows(151, 240));
    ScanSpec wanted = spec({}, {{"id", Op::AnyOf, 0}});
    wanted.page_size = 500;
    Scan s = scan(wanted);
    s.start({numbers(range(-3, 250))});
    EXPECT_EQ(ids(s), range(1, 240));
    std::vector<std::size_t> batches;
    std::set<std::string> archived;
    for (const HttpRequest& r : api.requests()) {
        const std::string list = query_value(r.url, "ids").value_or("");
        batches.push_back(static_cast<std::size_t>(std::count(list.begin(), list.end(), ',')) + 1);
        if (path_of(r.url).starts_with("/api/v2/deals/archived"))
            archived.insert(list.substr(0, 4));
    }
    EXPECT_EQ(batches, (std::vector<std::size_t>{100, 100, 50, 100})); // 250, then 151 to 250
    EXPECT_EQ(archived, (std::set<std::string>{"151,"}));
}

TEST_F(ScanTest, NothingIsAskedOfTheSecondListWhenAllIdsWereFound) {
    list("/api/v2/deals", rows(1, 5));
    Scan s = scan(spec({}, {{"id", Op::AnyOf, 0}}));
    s.start({numbers({3, 1, 3, 2, 4, 5})});
    EXPECT_EQ(ids(s), range(1, 5));
    EXPECT_EQ(api.paths(), std::vector<std::string>{"/api/v2/deals?ids=1,2,3,4,5&limit=10"});
}

// Few ids are cheaper one by one; what is deleted or archived is not in the first list.
TEST_F(ScanTest, FewIdsAreReadAsRecords) {
    list("/api/v2/deals", rows(1, 5));
    records("/api/v2/deals", {{1, ""},
                              {2, R"(,"is_deleted":true)"},
                              {3, R"(,"is_archived":true)"},
                              {4, R"(,"is_deleted":false,"is_archived":false)"}});
    list("/api/v2/deals/archived", rows(3, 3));
    Scan s = scan(spec({}, {{"id", Op::AnyOf, 0}}));
    s.start({numbers({1, 2, 3, 4})});
    EXPECT_EQ(ids(s), (std::vector<std::int64_t>{1, 3, 4}));
    EXPECT_EQ(api.paths(), (std::vector<std::string>{"/api/v2/deals/1", "/api/v2/deals/2",
                                                     "/api/v2/deals/3", "/api/v2/deals/4"}));
    EXPECT_EQ(s.price(), 4);
    const BoundColumn archived = bind_column(*s.spec().entity, {1, "is_archived", "", "", ""});
    Scan all = scan(spec({archived}, {{"id", Op::AnyOf, 0}}));
    all.start({numbers({1, 3})});
    EXPECT_EQ(cells(all), (std::vector<std::string>{"1 false", "3 true"}));
    Scan live = scan(spec({}, {{"id", Op::AnyOf, 0}, {"is_archived", Op::IsFalse, -1}}));
    live.start({numbers({1, 2, 3})});
    EXPECT_EQ(ids(live), range(1, 1));
}

// Notes say it by another flag; a list leaves such rows out, and so does the record.
TEST_F(ScanTest, ARecordThatIsDeletedIsNone) {
    records("/v1/notes", {{1, R"(,"active_flag":true)"},
                          {2, R"(,"active_flag":false)"},
                          {3, R"(,"is_deleted":true)"},
                          {4, ""}});
    ScanSpec notes = spec({}, {{"id", Op::AnyOf, 0}});
    notes.entity = &require_entity("notes");
    Scan s = scan(notes);
    s.start({numbers({1, 2, 3, 4})});
    EXPECT_EQ(ids(s), (std::vector<std::int64_t>{1, 3, 4}));
}

// A wrong address answers 404 to everything: the first "not found" is believed of the list only.
TEST_F(ScanTest, NotFoundIsConfirmedOnce) {
    list("/api/v2/deals", rows(1, 5));
    Scan s = scan(spec({}, {{"id", Op::Eq, 0}, {"is_archived", Op::IsFalse, -1}}));
    s.start({numbers({77})});
    EXPECT_EQ(ids(s), range(1, 0));
    s.start({numbers({78})});
    EXPECT_EQ(ids(s), range(1, 0));
    EXPECT_EQ(api.paths(),
              (std::vector<std::string>{"/api/v2/deals/77", "/api/v2/deals?ids=77&limit=10",
                                        "/api/v2/deals/78"}));
    api.on("GET", "/api/v2/deals", reply(R"({"success":false,"error":"Unknown method ."})", 404));
    Scan t = scan(spec({}, {{"id", Op::Eq, 0}}));
    t.start({numbers({1})});
    EXPECT_EQ(failure(t).kind, ErrorKind::NotFound);
}

TEST_F(ScanTest, TheListDecidesWhereARecordIsRefused) {
    list("/api/v2/deals", rows(1, 5));
    api.on("GET", "/api/v2/deals/1",
           reply(R"({"success":false,"error":"no permission"})", 403).type("application/json"));
    api.on("GET", "/api/v2/deals/2", reply(R"({"success":false,"error":"bad"})", 400));
    api.on("GET", "/api/v2/deals/3", reply(R"({"success":true,"data":{"id":4}})"));
    Scan s = scan(spec({}, {{"id", Op::AnyOf, 0}}));
    s.start({numbers({1, 3})});
    EXPECT_EQ(ids(s), (std::vector<std::int64_t>{1, 3}));
    s.start({numbers({2, 5})});
    EXPECT_EQ(ids(s), (std::vector<std::int64_t>{2, 5}));
    EXPECT_EQ(api.paths().back(), "/api/v2/deals?ids=5&limit=10"); // no more records
}

// page_size below the number of ids: the batch itself has pages.
TEST_F(ScanTest, PagesInsideABatch) {
    list("/api/v2/deals", rows(1, 130));
    Scan s = scan(spec({}, {{"id", Op::AnyOf, 0}, {"is_archived", Op::IsFalse, -1}}));
    s.start({numbers(range(1, 130))});
    EXPECT_EQ(ids(s), range(1, 130));
    EXPECT_EQ(api.requests().size(), 13u);
}

TEST_F(ScanTest, NoRowTwice) {
    auto twice = rows(1, 12);
    twice.insert(twice.begin() + 8, {3, ""});
    list("/api/v2/deals", twice);
    list("/api/v2/deals/archived", rows(5, 14)); // archived while we read
    Scan s = scan(spec());
    s.start({});
    EXPECT_EQ(ids(s), range(1, 14));
}

TEST_F(ScanTest, ContradictionsSendNothing) {
    Scan s = scan(spec({}, {{"id", Op::Eq, 0}, {"id", Op::Eq, 1}}));
    s.start({numbers({1}), numbers({2})});
    EXPECT_TRUE(ids(s).empty());
    Value null;
    null.type = Value::Type::Null;
    s.start({numbers({1}), null});
    EXPECT_TRUE(ids(s).empty());
    EXPECT_TRUE(api.requests().empty());
}

TEST_F(ScanTest, RestartInTheMiddle) {
    list("/api/v2/deals", rows(1, 40));
    Scan s = scan(spec({}, {{"id", Op::AnyOf, 0}}));
    s.start({numbers(range(1, 40))});
    for (int i = 0; i < 7; ++i)
        ASSERT_EQ(next(s), Scan::Step::Row);
    EXPECT_EQ(api.running(), 1u);
    s.start({numbers({3, 4, 5, 6, 7})});
    EXPECT_EQ(api.running(), 0u); // the page under way is dropped
    EXPECT_EQ(ids(s), range(3, 7));
    s.start({numbers(range(1, 12))});
    EXPECT_EQ(ids(s), range(1, 12));
}

TEST_F(ScanTest, SameCursorTwice) {
    api.on("GET", "/api/v2/deals?",
           reply(R"({"success":true,"data":[{"id":1}],"additional_data":{"next_cursor":"x"}})"));
    Scan s = scan(spec());
    s.start({});
    EXPECT_EQ(failure(s).kind, ErrorKind::Malformed);
    EXPECT_EQ(api.requests().size(), 2u);
}

TEST_F(ScanTest, ErrorsSayPageColumnAndRow) {
    auto bad = rows(1, 25);
    bad[13].second = R"(,"value":[1])";
    list("/api/v2/deals", bad);
    Scan s = scan(spec({standard("deals", "value")}));
    s.start({});
    const Error e = failure(s);
    EXPECT_EQ(e.kind, ErrorKind::BadValue);
    EXPECT_EQ(e.page, 2);
    EXPECT_EQ(e.row_id, "14");
    EXPECT_EQ(e.column, "value");
}

TEST_F(ScanTest, RetriesAnHourInAMillisecond) {
    list("/api/v2/deals", rows(1, 15));
    account.retries.max_retries = 500;
    account.retries.max_wait_ms = 24LL * 3600 * 1000;
    for (int i = 0; i < 90; ++i) {
        api.queue("GET", "/api/v2/deals", reply("{}", 503));
        api.queue("GET", "/api/v2/deals",
                  reply(R"({"success":false,"error":"Request over limit"})", 429).reset(600));
    }
    Scan s = scan(spec());
    s.start({});
    const std::int64_t began = clock.now_ms();
    const auto real = std::chrono::steady_clock::now();
    EXPECT_EQ(ids(s), range(1, 15));
    EXPECT_GE(clock.now_ms() - began, 3600 * 1000);
    EXPECT_LT(std::chrono::steady_clock::now() - real, std::chrono::seconds(5));
    EXPECT_EQ(s.traffic().retries, 180);
    EXPECT_EQ(s.traffic().rate_limited, 90);
}

TEST_F(ScanTest, FatalAnswersEndTheScanAtOnce) {
    const std::pair<int, ErrorKind> rows[] = {{401, ErrorKind::Unauthorized},
                                              {402, ErrorKind::PaymentRequired},
                                              {403, ErrorKind::Forbidden},
                                              {400, ErrorKind::BadRequest}};
    for (const auto& [status, kind] : rows) {
        api.queue("GET", "/api/v2/deals", reply(R"({"success":false,"error":"no"})", status));
        Scan s = scan(spec());
        s.start({});
        EXPECT_EQ(failure(s).kind, kind) << status;
    }
    EXPECT_EQ(api.requests().size(), 4u);
}

TEST_F(ScanTest, ArchivedRowsGetTheirLabelsFromTheDefinitionsOnce) {
    const std::string bare = R"(,"custom_fields":{")" + kHash + R"(":13})";
    list("/api/v2/deals",
         rows(1, 15, R"(,"custom_fields":{")" + kHash + R"(":{"id":13,"label":"Red"}})"));
    list("/api/v2/deals/archived", rows(21, 45, bare));
    Scan s = scan(spec({custom(kHash, "enum")}));
    s.start({});
    const std::vector<std::string> all = cells(s);
    ASSERT_EQ(all.size(), 40u);
    for (const std::string& row : all)
        EXPECT_NE(row.find(" 'Red'"), row.npos) << row;
    EXPECT_EQ(asked("/api/v2/dealFields"), 1);
    Scan again = scan(spec({custom(kHash, "enum")})); // the session knows them now
    again.start({});
    EXPECT_EQ(cells(again).size(), 40u);
    EXPECT_EQ(asked("/api/v2/dealFields"), 1);
}

TEST_F(ScanTest, UnknownOptionsAreAskedForOnceAndShownInBrackets) {
    list("/api/v2/deals/archived", rows(1, 25, R"(,"custom_fields":{")" + kHash + R"(":99})"));
    Scan s = scan(spec({custom(kHash, "enum")}, {{"is_archived", Op::IsTrue, -1}}));
    for (int run = 0; run < 3; ++run) {
        s.start({});
        const std::vector<std::string> all = cells(s);
        ASSERT_EQ(all.size(), 25u);
        EXPECT_EQ(all[0], "1 '[99]'");
    }
    EXPECT_EQ(asked("/api/v2/dealFields"), 1);
    EXPECT_EQ(s.take_notices().size(), 1u);
}

TEST_F(ScanTest, UnresolvedColumnsAskTheDefinitionsFirst) {
    list("/api/v2/deals",
         rows(1, 3, R"(,"custom_fields":{")" + kHash + R"(":{"id":13,"label":"R"}})"));
    const BoundColumn open = bind_column(require_entity("deals"), {1, "color", kHash, "", ""});
    ASSERT_FALSE(open.resolved);
    Scan s = scan(spec({open}, {{"is_archived", Op::IsFalse, -1}}));
    s.start({});
    EXPECT_EQ(cells(s), (std::vector<std::string>{"1 'R'", "2 'R'", "3 'R'"}));
    EXPECT_TRUE(api.paths()[0].starts_with("/api/v2/dealFields"));
    const BoundColumn wrong =
        bind_column(require_entity("deals"), {1, "color", hash_code(99), "", ""});
    Scan t = scan(spec({wrong}));
    t.start({});
    EXPECT_EQ(failure(t).kind, ErrorKind::UnknownField);
}

TEST_F(ScanTest, AMissingKeyIsLookedInto) {
    list("/api/v2/deals", rows(1, 3, R"(,"custom_fields":{})"));
    {
        Scan s = scan(spec({custom(kHash, "enum")}, {{"is_archived", Op::IsFalse, -1}}));
        s.start({});
        EXPECT_EQ(cells(s), (std::vector<std::string>{"1 null", "2 null", "3 null"}));
        EXPECT_EQ(asked("/api/v2/dealFields"), 1); // the field is there: an empty value
    }
    definitions = R"({"field_code":"title","field_name":"Title","field_type":"varchar"})";
    slot = {};
    Scan gone = scan(spec({custom(kHash, "enum")}));
    gone.start({});
    EXPECT_EQ(failure(gone).kind, ErrorKind::FieldGone);
    definitions = R"({"field_code":")" + kHash +
                  R"(","field_name":"F","field_type":"double","is_custom_field":true})";
    slot = {};
    Scan retyped = scan(spec({custom(kHash, "enum")}));
    retyped.start({});
    EXPECT_EQ(failure(retyped).kind, ErrorKind::FieldGone);
}

// Where the API leaves unset fields out, the same query reads the definitions once.
TEST_F(ScanTest, AbsentKeysAreRememberedByRow) {
    const std::vector<Predicate> here = {{"is_archived", Op::IsFalse, -1}};
    const auto read = [&] {
        Scan s = scan(spec({custom(kHash, "enum")}, here));
        s.start({});
        return cells(s).size();
    };
    list("/api/v2/deals", rows(1, 25));
    for (int i = 0; i < 4; ++i)
        EXPECT_EQ(read(), 25u);
    EXPECT_EQ(asked("/api/v2/dealFields"), 1);
    list("/api/v2/deals", rows(1, 31)); // new rows may be the first to show that it is gone
    EXPECT_EQ(read(), 31u);
    EXPECT_EQ(read(), 31u);
    EXPECT_EQ(asked("/api/v2/dealFields"), 2);
    clock.advance(kDefinitionsTrustedMs);
    EXPECT_EQ(read(), 31u);
    EXPECT_EQ(read(), 31u);
    EXPECT_EQ(asked("/api/v2/dealFields"), 3);
}

TEST_F(ScanTest, AKeyThatAnotherRowOfThePageHasIsNotMissed) {
    auto some = rows(1, 10);
    some[6].second = R"(,"custom_fields":{")" + kHash + R"(":{"id":13,"label":"Red"}})";
    list("/api/v2/deals", some);
    const auto read = [&](std::vector<Predicate> where, std::vector<Value> values) {
        Scan s = scan(spec({custom(kHash, "enum")}, std::move(where)));
        s.start(std::move(values));
        return cells(s);
    };
    EXPECT_EQ(read({{"is_archived", Op::IsFalse, -1}}, {})[6], "7 'Red'");
    EXPECT_EQ(read({{"id", Op::Eq, 0}}, {numbers({3})})[0], "3 null"); // explained already
    EXPECT_EQ(asked("/api/v2/dealFields"), 0);
    // Now the field is removed. The row that had a value tells.
    list("/api/v2/deals", rows(1, 10));
    definitions = "";
    Scan gone = scan(spec({custom(kHash, "enum")}, {{"is_archived", Op::IsFalse, -1}}));
    gone.start({});
    EXPECT_EQ(failure(gone).kind, ErrorKind::FieldGone);
    Scan one = scan(spec({custom(kHash, "enum")}, {{"id", Op::Eq, 0}}));
    one.start({numbers({7})});
    EXPECT_EQ(failure(one).kind, ErrorKind::FieldGone);
}

TEST_F(ScanTest, OddValuesAreRememberedByRow) {
    definitions = R"({"field_code":")" + kHash +
                  R"(","field_name":"F","field_type":"varchar","is_custom_field":true})";
    list("/api/v2/deals", rows(1, 3, R"(,"custom_fields":{")" + kHash + R"(":5})"));
    for (int i = 0; i < 4; ++i) {
        Scan s = scan(spec({custom(kHash, "varchar")}, {{"is_archived", Op::IsFalse, -1}}));
        s.start({});
        EXPECT_EQ(cells(s).size(), 3u);
    }
    EXPECT_EQ(asked("/api/v2/dealFields"), 1);
}

TEST_F(ScanTest, ARefusedCustomFieldIsLookedInto) {
    api.on("GET", "/api/v2/deals?", reply(R"({"success":false,"error":"Unknown field"})", 400));
    Scan fine = scan(spec({custom(kHash, "enum")}));
    fine.start({});
    EXPECT_EQ(failure(fine).kind, ErrorKind::BadRequest); // the field exists: the API's own words
    definitions = "";
    Scan gone = scan(spec({custom(kHash, "enum")}));
    gone.start({});
    EXPECT_EQ(failure(gone).kind, ErrorKind::FieldGone);
}

TEST_F(ScanTest, SlowAnswersAreWaitedForNotPolled) {
    api.queue("GET", "/api/v2/deals?",
              reply(R"({"success":true,"data":[{"id":1}]})").after_ms(30000));
    Scan s = scan(spec({}, {{"is_archived", Op::IsFalse, -1}}));
    s.start({});
    WaitFor wait;
    ASSERT_EQ(s.step(&wait), Scan::Step::Wait);
    EXPECT_FALSE(wait.sockets.empty());
    clock.advance(30000);
    EXPECT_EQ(ids(s), range(1, 1));
}

TEST_F(ScanTest, SteppingBeforeStartIsAnError) {
    Scan s = scan(spec());
    EXPECT_EQ(failure(s).kind, ErrorKind::Internal);
}

} // namespace
} // namespace pipedrive
