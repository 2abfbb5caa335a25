#include "core/scan/repeated_scan.h"

#include "unit/scan_fixture.h"

namespace pipedrive {
namespace {

using namespace test;

// Every scenario: the outer side's values one after the other, as a join asks them.
struct RepeatedScanTest : ScanTest {
    RepeatedScan repeated(ScanSpec s, Repetition r = {}) {
        return RepeatedScan(account, std::move(s), api, clock, slot, std::move(r));
    }
    Scan::Step next(RepeatedScan& s) {
        for (int i = 0; i < 100000; ++i) {
            WaitFor wait;
            const Scan::Step step = s.step(&wait);
            if (step != Scan::Step::Wait) return step;
            if (wait.timeout_ms < 0 && wait.sockets.empty()) throw std::runtime_error("stuck");
            clock.advance(std::max<std::int64_t>(wait.timeout_ms, 0));
        }
        throw std::runtime_error("too many steps");
    }
    std::vector<std::int64_t> ids(RepeatedScan& s, std::vector<Value> values) {
        s.start(std::move(values));
        std::vector<std::int64_t> out;
        while (next(s) == Scan::Step::Row)
            out.push_back(s.row_key().integer());
        return out;
    }
    ScanSpec by_id(Op op = Op::Eq) {
        return spec({}, {{"id", op, 0}, {"is_archived", Op::IsFalse, -1}});
    }
    static BoundColumn int_column(const char* name) {
        BoundColumn c;
        c.name = c.field = name;
        c.kind = Kind::Int;
        return c;
    }
};

TEST_F(RepeatedScanTest, AnIdIsLookedUpOnce) {
    list("/api/v2/deals", rows(1, 500));
    RepeatedScan s = repeated(by_id());
    for (int round = 0; round < 3; ++round) {
        for (std::int64_t id : {3, 4, 3, 999})
            EXPECT_EQ(ids(s, {numbers({id})}), id == 999 ? range(1, 0) : range(id, id));
    }
    EXPECT_EQ(s.traffic().tokens, 3);
    EXPECT_EQ(api.requests().size(), 3u);
}

// 50 pages of 10: whatever the number of lookups, the bill is at most about twice the cheaper way.
TEST_F(RepeatedScanTest, NoNumberOfLookupsCostsMoreThanTwiceTheCheapestWay) {
    list("/api/v2/deals", rows(1, 500));
    for (int lookups : {1, 5, 11, 30, 100, 200, 499, 2000}) {
        for (std::int64_t guess : {1, 100, 500, 100000}) {
            Repetition r;
            r.list_rows = guess;
            RepeatedScan s = repeated(by_id(), r);
            for (int i = 0; i < lookups; ++i) {
                const std::int64_t id = 1 + (i * 37) % 700;
                EXPECT_EQ(ids(s, {numbers({id})}), id > 500 ? range(1, 0) : range(id, id));
            }
            const std::int64_t best = std::min({lookups, 700, 500});
            EXPECT_LE(s.traffic().tokens, best * 22 / 10 + 10) << lookups << " " << guess;
        }
    }
}

// A known length needs no looking around: lookups alone, or the list alone.
TEST_F(RepeatedScanTest, AKnownListIsReadWhenLookupsHaveCostAsMuch) {
    list("/api/v2/deals", rows(1, 100));
    Repetition r;
    r.list_rows = 100;
    r.known = true;
    RepeatedScan s = repeated(by_id(), r);
    for (std::int64_t id = 1; id <= 100; ++id)
        ids(s, {numbers({id})});
    EXPECT_EQ(s.traffic().tokens, 100);
    EXPECT_EQ(asked("/api/v2/deals?limit"), 0);
    ids(s, {numbers({101})});
    EXPECT_EQ(asked("/api/v2/deals?limit"), 10);
    const std::size_t before = api.requests().size();
    for (std::int64_t id = 101; id <= 200; ++id)
        EXPECT_EQ(ids(s, {numbers({id})}), range(1, 0));
    EXPECT_EQ(api.requests().size(), before);
    RepeatedScan t = repeated(by_id(Op::AnyOf), r);
    EXPECT_EQ(ids(t, {numbers(range(51, 1500))}), range(51, 100));
    EXPECT_EQ(t.traffic().tokens, 100);
}

TEST_F(RepeatedScanTest, TheRowsOfAWholeTableAreCounted) {
    list("/api/v2/deals", rows(1, 25));
    RepeatedScan s = repeated(spec());
    ids(s, {});
    EXPECT_EQ(s.whole_table(), 25);
    WalkPart part;
    part.lists_only = true;
    part.max_pages = 1;
    s.start({}, part);
    while (next(s) == Scan::Step::Row) {
    }
    EXPECT_EQ(s.whole_table(), -1);
    RepeatedScan filtered = repeated(spec({}, {{"is_archived", Op::IsFalse, -1}}));
    ids(filtered, {});
    EXPECT_EQ(filtered.whole_table(), -1);
}

TEST_F(RepeatedScanTest, ManyIdsAtOnceTurnIntoTheList) {
    list("/api/v2/deals", rows(1, 300));
    Repetition r;
    r.list_rows = 30; // the guess is far too low
    RepeatedScan s = repeated(by_id(Op::AnyOf), r);
    EXPECT_EQ(ids(s, {numbers(range(201, 10200))}), range(201, 300));
    EXPECT_EQ(s.traffic().tokens, 300); // 30 pages; in batches it would have been 1,000
    r.list_rows = 100000;               // far too high
    RepeatedScan t = repeated(by_id(Op::AnyOf), r);
    EXPECT_EQ(ids(t, {numbers(range(201, 10200))}), range(201, 300));
    EXPECT_LE(t.traffic().tokens, 610);
}

// A few batches are not worth a look at the list.
TEST_F(RepeatedScanTest, FewBatchesAreJustSent) {
    list("/api/v2/deals", rows(1, 500));
    ScanSpec wide = by_id(Op::AnyOf);
    wide.page_size = 100;
    Repetition r;
    r.list_rows = 20000;
    RepeatedScan s = repeated(wide, r);
    EXPECT_EQ(ids(s, {numbers(range(101, 300))}), range(101, 300));
    EXPECT_EQ(s.traffic().tokens, 20);
}

TEST_F(RepeatedScanTest, RowsOfTheFirstBatchDoNotWaitForTheSecond) {
    list("/api/v2/deals", rows(1, 500));
    ScanSpec wide = by_id(Op::AnyOf);
    wide.page_size = 100;
    RepeatedScan s = repeated(wide);
    s.start({numbers(range(1, 200))});
    EXPECT_EQ(next(s), Scan::Step::Row);
    EXPECT_EQ(api.requests().size(), 1u);
}

// Not only ids: any question is asked once, and many are answered from the list.
TEST_F(RepeatedScanTest, OtherQuestionsAreRememberedAndTurnIntoTheList) {
    std::vector<std::pair<std::int64_t, std::string>> deals;
    for (std::int64_t id = 1; id <= 40; ++id)
        deals.emplace_back(id, ",\"stage_id\":" + std::to_string(id % 20 + 1));
    list("/api/v2/deals", deals); // whatever the filter: a superset, checked again by the caller
    RepeatedScan s = repeated(spec({int_column("stage_id")},
                                   {{"stage_id", Op::Eq, 0}, {"is_archived", Op::IsFalse, -1}}));
    for (std::int64_t stage = 1; stage <= 20; ++stage) {
        int right = 0;
        s.start({numbers({stage})});
        while (next(s) == Scan::Step::Row)
            right += s.row()[0].integer == stage;
        EXPECT_EQ(right, 2) << stage;
    }
    EXPECT_LE(api.requests().size(), 13u); // the scripted list answers a question with 4 pages
    const std::size_t before = api.requests().size();
    EXPECT_EQ(ids(s, {numbers({3})}), (std::vector<std::int64_t>{2, 22}));
    EXPECT_EQ(ids(s, {numbers({99})}), range(1, 0));
    EXPECT_EQ(api.requests().size(), before);
}

TEST_F(RepeatedScanTest, RowsAreKeptFromTheStartWhereTheyWillBeAskedForAgain) {
    list("/api/v2/deals", rows(1, 25));
    Repetition r;
    r.expected = true;
    RepeatedScan s = repeated(spec({}, {{"is_archived", Op::IsFalse, -1}}), r);
    for (int i = 0; i < 5; ++i)
        EXPECT_EQ(ids(s, {}), range(1, 25));
    EXPECT_EQ(api.requests().size(), 3u);
}

// A round that was cut short has told nothing about the rest.
TEST_F(RepeatedScanTest, HalfAnAnswerIsNotRemembered) {
    list("/api/v2/deals", rows(1, 25));
    Repetition r;
    r.expected = true;
    RepeatedScan s = repeated(spec({}, {{"is_archived", Op::IsFalse, -1}}), r);
    s.start({});
    for (int i = 0; i < 12; ++i)
        EXPECT_EQ(next(s), Scan::Step::Row);
    EXPECT_EQ(ids(s, {}), range(1, 25));
    EXPECT_EQ(ids(s, {}), range(1, 25));
}

// The list is nobody's wish: when it cannot be read, lookups go on.
TEST_F(RepeatedScanTest, AListThatFailsCostsNothingButTheList) {
    list("/api/v2/deals", rows(1, 100));
    api.on("GET", "/api/v2/deals?limit=10", reply("no JSON"));
    RepeatedScan s = repeated(by_id());
    for (std::int64_t id = 1; id <= 50; ++id)
        EXPECT_EQ(ids(s, {numbers({id})}), range(id, id));
    EXPECT_EQ(asked("/api/v2/deals?limit=10"), 1);
}

TEST_F(RepeatedScanTest, AListThatGoesInCirclesIsGivenUp) {
    list("/api/v2/deals", rows(1, 100));
    api.on("GET", "/api/v2/deals?limit=10",
           reply(R"({"success":true,"data":[{"id":1}],)"
                 R"("additional_data":{"next_cursor":"x"}})"));
    RepeatedScan s = repeated(by_id());
    for (std::int64_t id = 2; id <= 90; ++id)
        EXPECT_EQ(ids(s, {numbers({id})}), range(id, id));
    EXPECT_LE(asked("/api/v2/deals?limit=10"), 3);
}

// Which lists are asked may change with the values: what is known of an id is known of both then.
TEST_F(RepeatedScanTest, AValueThatChoosesTheListMayVary) {
    list("/api/v2/deals", rows(1, 10));
    list("/api/v2/deals/archived", rows(11, 20));
    Value yes, no;
    yes.type = no.type = Value::Type::Flag;
    yes.flag = true;
    RepeatedScan s = repeated(spec({}, {{"id", Op::Eq, 0}, {"is_archived", Op::Eq, 1}}));
    EXPECT_EQ(ids(s, {numbers({12}), no}), range(1, 0));
    EXPECT_EQ(ids(s, {numbers({12}), yes}), range(12, 12));
    EXPECT_EQ(ids(s, {numbers({5}), no}), range(5, 5));
    for (int i = 0; i < 50; ++i)
        ids(s, {numbers({1 + i % 20}), i % 2 == 0 ? yes : no});
    EXPECT_LE(api.requests().size(), 60u);
}

// Once it varies, each question is the whole list: what was read of that is not read again.
TEST_F(RepeatedScanTest, QuestionsThatAreTheListReadItOnce) {
    list("/api/v2/deals", rows(1, 80));
    list("/api/v2/deals/archived", rows(81, 100));
    RepeatedScan s = repeated(spec({}, {{"is_archived", Op::Eq, 0}}));
    for (int i = 0; i < 40; ++i) {
        Value archived;
        archived.type = Value::Type::Flag;
        archived.flag = i % 2 == 1;
        auto got = ids(s, {archived});
        for (std::int64_t id : archived.flag ? range(81, 100) : range(1, 80))
            EXPECT_NE(std::find(got.begin(), got.end(), id), got.end()) << i;
    }
    EXPECT_LE(s.traffic().tokens, 220) << "10 pages of 10 are the whole list";
}

TEST_F(RepeatedScanTest, APartOfAWalkIsReadAsItIs) {
    list("/api/v2/deals", rows(1, 100));
    RepeatedScan s = repeated(by_id(Op::AnyOf));
    WalkPart part;
    part.lists_only = true;
    s.start({numbers({3})}, part);
    EXPECT_EQ(next(s), Scan::Step::Row);
    EXPECT_EQ(api.paths().back(), "/api/v2/deals?ids=3&limit=10");
}

} // namespace
} // namespace pipedrive
