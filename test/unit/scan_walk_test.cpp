// Parts of a walk (what sync() commits one by one) and lists read newest first until a bound.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "unit/scan_fixture.h"

namespace pipedrive {
namespace {

using namespace test;

TEST_F(ScanTest, PartsOfAWalkGiveEveryRowOnceWhateverTheirSize) {
    list("/api/v2/deals", rows(1, 57));
    list("/api/v2/deals/archived", rows(101, 123));
    std::vector<std::int64_t> expected = range(1, 57);
    const auto archived = range(101, 123);
    expected.insert(expected.end(), archived.begin(), archived.end());
    for (int pages = 1; pages <= 10; ++pages) {
        std::vector<std::int64_t> got;
        std::string position;
        const int before = static_cast<int>(api.requests().size());
        for (int part = 0; part < 100; ++part) {
            Scan s = scan(spec()); // every part is a scan of its own, as after a crash
            s.start({}, {position, pages});
            const auto part_ids = ids(s);
            got.insert(got.end(), part_ids.begin(), part_ids.end());
            EXPECT_LE(s.page_number(), pages);
            const auto next = s.next_position();
            if (!next) break;
            position = *next;
        }
        EXPECT_EQ(got, expected) << pages;
        EXPECT_EQ(static_cast<int>(api.requests().size()) - before, 6 + 3)
            << "no page is read twice";
    }
}

TEST_F(ScanTest, AWholeWalkHasNoNextPosition) {
    list("/api/v2/deals", rows(1, 25));
    Scan s = scan(spec());
    s.start({});
    EXPECT_EQ(ids(s).size(), 25u);
    EXPECT_FALSE(s.next_position().has_value());
}

// A mirror leaves one bad row out and goes on; a query does not.
TEST_F(ScanTest, APartSetsRowsAsideThatDoNotFit) {
    auto with_bad = rows(1, 5, R"(,"custom_fields":{})");
    with_bad[2].second = R"(,"title":"a\u0000b")";
    list("/api/v2/deals", with_bad);
    Scan strict = scan(spec({standard("deals", "title")}));
    strict.start({});
    EXPECT_EQ(failure(strict).row_id, "3");
    with_bad[3].second = R"(,"custom_fields":{"x":"\\\u0000"})";
    list("/api/v2/deals", with_bad);
    Scan lenient = scan(spec({standard("deals", "title"), standard("deals", "custom_fields")}));
    lenient.start({}, {"", 0, true});
    EXPECT_EQ(ids(lenient), (std::vector<std::int64_t>{1, 2, 5}));
    ASSERT_EQ(lenient.bad_rows().size(), 2u);
    EXPECT_EQ(lenient.bad_rows()[0].key, "3");
    EXPECT_EQ(lenient.bad_rows()[0].column, "title");
    EXPECT_EQ(lenient.bad_rows()[1].column, "custom_fields");
    EXPECT_NE(lenient.bad_rows()[0].reason.find("\\u0000"), std::string::npos);
    lenient.start({}, {"", 0, true});
    EXPECT_EQ(ids(lenient).size(), 3u);
    EXPECT_EQ(lenient.bad_rows().size(), 2u) << "of this part only";
}

// What only the input function of a type would refuse is known before it fails the statement.
TEST_F(ScanTest, APartSetsRowsAsideThatNoTableCanHold) {
    auto with_bad = rows(1, 5, R"(,"value":1,"title":"x")");
    with_bad[1].second = R"(,"value":1e200000)";
    with_bad[2].second = R"(,"title":"\ud83d")";
    with_bad[3].second = R"(,"custom_fields":{"x":"\ud83d"})";
    list("/api/v2/deals", with_bad);
    Scan lenient = scan(spec({standard("deals", "value"), standard("deals", "title"),
                              standard("deals", "custom_fields")}));
    lenient.start({}, {"", 0, true});
    EXPECT_EQ(ids(lenient), (std::vector<std::int64_t>{1, 5}));
    ASSERT_EQ(lenient.bad_rows().size(), 3u);
    EXPECT_EQ(lenient.bad_rows()[0].column, "value");
    EXPECT_EQ(lenient.bad_rows()[1].column, "title");
    EXPECT_EQ(lenient.bad_rows()[2].column, "custom_fields");
    Scan without = scan(spec({standard("deals", "owner_id")}));
    without.start({});
    EXPECT_EQ(ids(without).size(), 5u) << "nobody asked for them";
}

TEST_F(ScanTest, APositionOfNoWalkIsRefused) {
    for (const char* position : {"7:x", "x", ":", "-1:x", "!:x", "7!:x", "0!!:x"}) {
        Scan s = scan(spec());
        s.start({}, {position, 1});
        EXPECT_EQ(failure(s).kind, ErrorKind::Internal) << position;
    }
}

Value time_value(Micros t) {
    Value v;
    v.type = Value::Type::Time;
    v.time = t;
    return v;
}

// Newest first, as the API sorts; rows without add_time may come first or last.
TEST_F(ScanTest, NewestFirstStopsAtTheFirstOlderRowAndMissesNone) {
    std::mt19937 random(7);
    const BoundColumn add_time = bind_column(require_entity("deals"), {1, "add_time", "", "", ""});
    for (int round = 0; round < 200; ++round) {
        std::vector<std::pair<Micros, std::int64_t>> times;
        const int n = static_cast<int>(random() % 60);
        for (int i = 1; i <= n; ++i)
            times.emplace_back(static_cast<Micros>(random() % 40) * kSecond, i);
        std::sort(times.rbegin(), times.rend());
        std::vector<std::pair<std::int64_t, std::string>> rows;
        const bool nulls_first = random() % 2 == 0;
        if (nulls_first) rows.emplace_back(1000, R"(,"add_time":null)");
        for (const auto& [t, id] : times)
            rows.emplace_back(id, R"(,"add_time":")" + format_utc_seconds(t) + "\"");
        if (!nulls_first) rows.emplace_back(1000, R"(,"add_time":null)");
        list("/api/v2/deals", rows);
        const Micros bound = static_cast<Micros>(random() % 45) * kSecond + (random() % 2) * 500000;
        Scan s = scan(spec({add_time}, {{"add_time", Op::Ge, 0}}));
        s.start({time_value(bound)});
        const auto got = ids(s);
        std::size_t wanted = 0;
        for (const auto& [t, id] : times) {
            if (t < bound) continue;
            ++wanted;
            EXPECT_NE(std::find(got.begin(), got.end(), id), got.end()) << "round " << round;
        }
        EXPECT_LE(got.size(), wanted + 2u * 10u) << "it reads on after the bound";
    }
    EXPECT_GT(asked("/api/v2/deals?sort_by=add_time&sort_direction=desc"), 0);
}

// A server that sorts otherwise, or not at all: the rows are there, whatever their order.
TEST_F(ScanTest, AnOrderThatDoesNotHoldIsNotTrusted) {
    std::mt19937 random(11);
    const BoundColumn add_time = bind_column(require_entity("deals"), {1, "add_time", "", "", ""});
    const auto row = [](std::int64_t id, Micros t) {
        return std::pair(id, R"(,"add_time":")" + format_utc_seconds(t) + "\"");
    };
    for (int round = 0; round < 300; ++round) {
        std::vector<std::pair<std::int64_t, std::string>> rows;
        std::vector<std::int64_t> wanted;
        const Micros bound = 20 * kSecond;
        const int n = 2 + static_cast<int>(random() % 50);
        for (int i = 1; i <= n; ++i) {
            // ascending, all the same but the last, or anyhow
            const Micros t = round % 3 == 0   ? i * kSecond
                             : round % 3 == 1 ? (i == n ? bound : kSecond)
                                              : static_cast<Micros>(random() % 40) * kSecond;
            rows.push_back(row(i, t));
            if (t >= bound) wanted.push_back(i);
        }
        // some rows at the start that happen to descend prove nothing
        if (round % 3 == 2)
            for (int i = 0; i < static_cast<int>(random() % 7); ++i)
                rows.insert(rows.begin(), row(1001 + i, (i + 1) * kSecond));
        list("/api/v2/deals", rows);
        list("/api/v2/deals/archived", {});
        for (int pages : {0, 1}) {
            std::vector<std::int64_t> got;
            std::string position;
            while (true) {
                Scan s = scan(spec({add_time}, {{"add_time", Op::Ge, 0}}));
                s.start({time_value(bound)}, {position, pages});
                const auto part = ids(s);
                got.insert(got.end(), part.begin(), part.end());
                if (!s.next_position()) break;
                position = *s.next_position();
            }
            for (std::int64_t id : wanted)
                EXPECT_NE(std::find(got.begin(), got.end(), id), got.end())
                    << "round " << round << " parts " << pages << " row " << id;
        }
    }
}

// A first page that happens to descend ends nothing: the rows that are wanted come after it.
TEST_F(ScanTest, FewRowsThatDescendProveNothing) {
    const BoundColumn add_time = bind_column(require_entity("deals"), {1, "add_time", "", "", ""});
    list("/api/v2/deals/archived", {});
    for (int page = 2; page <= NewestFirst::kProof; ++page) {
        std::vector<std::pair<std::int64_t, std::string>> rows;
        for (int i = page; i > 0; --i)
            rows.emplace_back(i, R"(,"add_time":")" + format_utc_seconds(i * kSecond) + "\"");
        for (int i = 50; i < 53; ++i)
            rows.emplace_back(i, R"(,"add_time":")" + format_utc_seconds(i * kSecond) + "\"");
        list("/api/v2/deals", rows);
        ScanSpec by_time = spec({add_time}, {{"add_time", Op::Ge, 0}}), by_id = spec();
        by_time.page_size = by_id.page_size = page;
        Scan timed = scan(by_time);
        timed.start({time_value(50 * kSecond)});
        const auto got = ids(timed);
        for (std::int64_t id : {50, 51, 52})
            EXPECT_NE(std::find(got.begin(), got.end(), id), got.end()) << page;
        Scan above = scan(by_id);
        WalkPart part;
        part.above_id = 40;
        above.start({}, part);
        EXPECT_EQ(ids(above).size(), rows.size()) << page;
    }
}

TEST_F(ScanTest, AWindowIsBetterThanNewestFirstAndIdsThanBoth) {
    const BoundColumn add_time = bind_column(require_entity("deals"), {1, "add_time", "", "", ""});
    Scan s = scan(spec({add_time}, {{"add_time", Op::Ge, 0}, {"update_time", Op::Ge, 0}}));
    s.start({time_value(0)});
    ids(s);
    Scan t = scan(spec({add_time}, {{"add_time", Op::Ge, 0}, {"id", Op::Eq, 1}}));
    t.start({time_value(0), numbers({5})});
    ids(t);
    EXPECT_EQ(asked("/api/v2/deals?sort_by"), 0);
    EXPECT_EQ(asked("/api/v2/deals?updated_since"), 1);
    EXPECT_EQ(asked("/api/v2/deals?ids=5"), 1);
}

// "Before" leaves almost all of a list.
TEST_F(ScanTest, AnUpperBoundAloneIsNoBetterThanNewestFirst) {
    const BoundColumn add_time = bind_column(require_entity("deals"), {1, "add_time", "", "", ""});
    std::vector<std::pair<std::int64_t, std::string>> rows;
    for (int i = 100; i > 0; --i)
        rows.emplace_back(i, R"(,"add_time":")" + format_utc_seconds(i * kSecond) + "\"");
    list("/api/v2/deals", rows);
    Scan s = scan(spec({add_time}, {{"add_time", Op::Ge, 0}, {"update_time", Op::Lt, 1}}));
    s.start({time_value(95 * kSecond), time_value(1000 * kSecond)});
    EXPECT_EQ(ids(s).size(), 10u);
    EXPECT_EQ(asked("/api/v2/deals?updated_until"), 1);
    EXPECT_EQ(api.paths()[0].find("sort_by=add_time&sort_direction=desc") != std::string::npos,
              true);
}

TEST_F(ScanTest, DeletedDealsAreAskedForByStatusInBothLists) {
    ScanSpec s = spec();
    s.entity = &require_entity("deleted_deals");
    Scan deleted = scan(s);
    deleted.start({});
    ids(deleted);
    EXPECT_EQ(asked("/api/v2/deals?status=deleted&limit=10"), 1);
    EXPECT_EQ(asked("/api/v2/deals/archived?status=deleted&limit=10"), 1);
    EXPECT_EQ(api.requests().size(), 2u);
}

std::vector<std::pair<std::int64_t, std::string>> descending(std::int64_t first,
                                                             std::int64_t last) {
    std::vector<std::pair<std::int64_t, std::string>> out;
    for (std::int64_t id = last; id >= first; --id)
        out.emplace_back(id, "");
    return out;
}

// New rows are found by their ids: newest first, down to one that is known, in each list.
TEST_F(ScanTest, AWalkAboveAnIdReadsNewestFirstAndEndsThere) {
    list("/api/v2/deals", descending(1, 95));
    list("/api/v2/deals/archived", descending(1, 5));
    Scan s = scan(spec());
    WalkPart part;
    part.above_id = 80;
    s.start({}, part);
    auto got = ids(s);
    std::sort(got.begin(), got.end());
    std::vector<std::int64_t> expected = range(1, 5);
    const auto newest = range(76, 95);
    expected.insert(expected.end(), newest.begin(), newest.end());
    EXPECT_EQ(got, expected);
    EXPECT_EQ(asked("/api/v2/deals?sort_by=id&sort_direction=desc&limit=10"), 2);
    EXPECT_EQ(asked("/api/v2/deals/archived?sort_by=id&sort_direction=desc&limit=10"), 1);
    EXPECT_FALSE(s.next_position().has_value());
    EXPECT_EQ(s.highest_id(), 95) << "of the first list";
}

// Stopping trusts the order, so the order is looked at.
TEST_F(ScanTest, AWalkAboveAnIdReadsOnWhereIdsDoNotDescend) {
    for (const int page_size : {1, 2, 10}) {
        list("/api/v2/deals", rows(1, 35)); // the parameter was ignored
        ScanSpec one = spec();
        one.page_size = page_size;
        Scan s = scan(one);
        WalkPart part;
        part.above_id = 30;
        s.start({}, part);
        EXPECT_EQ(ids(s).size(), 35u) << page_size;
        EXPECT_EQ(s.highest_id(), 35);
    }
}

TEST_F(ScanTest, AnsweredAtIsTheDateOfTheFirstAnswerOfAPart) {
    api.on("GET", "/api/v2/deals?", [&](const HttpRequest&) {
        Reply answer =
            reply(R"({"success":true,"data":[],"additional_data":{"next_cursor":null}})");
        answer.response.date = 5 * kSecond;
        return answer;
    });
    api.on("GET", "/api/v2/deals/archived?", [&](const HttpRequest&) {
        Reply answer =
            reply(R"({"success":true,"data":[],"additional_data":{"next_cursor":null}})");
        answer.response.date = 9 * kSecond;
        return answer;
    });
    Scan s = scan(spec());
    s.start({});
    ids(s);
    EXPECT_EQ(s.answered_at(), 5 * kSecond);
    EXPECT_FALSE(s.highest_id().has_value());
}

} // namespace
} // namespace pipedrive
