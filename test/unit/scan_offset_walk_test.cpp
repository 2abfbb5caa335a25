// Pages by offset over a list that loses and gains rows between any two of them.
#include "core/scan/offset_walk.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>
#include <set>
#include <vector>

namespace pipedrive {
namespace {

// Keys, in the list's order.
using List = std::vector<int>;

List numbers(int n) {
    List out;
    for (int i = 0; i < n; ++i)
        out.push_back(10 * i);
    return out;
}

struct Outcome {
    std::set<int> seen;
    int requests = 0;
    bool ended = false;
};

// Reads the list as a scan does; `between` changes it before each request, given its number.
Outcome walk(List list, int limit, const std::function<void(int, List*)>& between,
             bool left_out = false) {
    Outcome out;
    OffsetWalk w;
    while (!w.done() && out.requests < 10000) {
        between(out.requests++, &list);
        const auto size = static_cast<std::int64_t>(list.size());
        const std::int64_t from = std::min(w.start(), size), to = std::min(from + limit, size);
        List page(list.begin() + from, list.begin() + to);
        // an answer may leave rows out that the token must not see, and still count them
        if (left_out) std::erase_if(page, [](int key) { return key % 30 == 0; });
        const bool known =
            std::any_of(page.begin(), page.end(), [&](int key) { return out.seen.contains(key); });
        const auto fresh = std::count_if(page.begin(), page.end(),
                                         [&](int key) { return !out.seen.contains(key); });
        const auto verdict = w.see(static_cast<std::int64_t>(page.size()), fresh, known, to < size);
        if (verdict == OffsetWalk::Verdict::Stuck) break;
        if (verdict == OffsetWalk::Verdict::Take) out.seen.insert(page.begin(), page.end());
    }
    out.ended = w.done();
    return out;
}

void nothing(int, List*) {}

TEST(OffsetWalk, AListThatStandsStill) {
    for (int n = 0; n < 40; ++n)
        for (int limit : {2, 3, 10}) {
            const Outcome o = walk(numbers(n), limit, nothing);
            EXPECT_TRUE(o.ended);
            EXPECT_EQ(o.seen.size(), static_cast<std::size_t>(n));
            // each page but the first begins with a row that is known
            EXPECT_LE(o.requests, std::max(1, (n - 2 + limit - 1) / (limit - 1)))
                << n << " " << limit;
        }
}

// Every row that is removed or inserted at every position, at every moment.
TEST(OffsetWalk, OneChangeAnywhereAtAnyTime) {
    const List all = numbers(23);
    for (int limit : {2, 3, 5, 7})
        for (int when = 0; when < 25; ++when)
            for (int where = 0; where <= 23; ++where)
                for (int how = 0; how < 6; ++how) {
                    const auto change = [&](int request, List* list) {
                        if (request != when) return;
                        const auto at = list->begin() + where;
                        if (how == 0 && where < 23) list->erase(at);
                        if (how == 1) list->insert(at, 10 * where - 5);
                        if (how == 2) list->erase(list->begin(), at);
                        if (how == 3) list->erase(at, list->end());
                        if (how == 4)
                            for (int i = 0; i < 9; ++i)
                                list->insert(list->begin() + where + i, 10 * where - 9 + i);
                        if (how == 5 && where + 4 <= 23) list->erase(at, at + 4);
                    };
                    List left = all;
                    change(when, &left);
                    const Outcome o = walk(all, limit, change);
                    ASSERT_TRUE(o.ended);
                    for (int key : all) {
                        const bool stood = std::find(left.begin(), left.end(), key) != left.end();
                        ASSERT_TRUE(!stood || o.seen.contains(key))
                            << key << " limit " << limit << " at " << when << " place " << where
                            << " how " << how;
                    }
                }
}

// Some rows stand; around them others come and go before every request.
TEST(OffsetWalk, ChangesWithoutEnd) {
    std::mt19937 random(5);
    for (int round = 0; round < 3000; ++round) {
        List list = numbers(1 + static_cast<int>(random() % 40));
        std::set<int> stand;
        for (int key : list)
            if (random() % 2 == 0) stand.insert(key);
        const int limit = 2 + static_cast<int>(random() % 8);
        const int changes = static_cast<int>(random() % 4);
        int fresh = 1;
        const auto between = [&](int request, List* l) {
            if (request > 60) return; // a list that grows faster than it is read has no end
            for (int i = 0; i < changes; ++i) {
                const std::size_t at = l->empty() ? 0 : random() % l->size();
                if (!l->empty() && random() % 2 == 0) {
                    if (!stand.contains((*l)[at])) l->erase(l->begin() + static_cast<long>(at));
                } else {
                    // between its neighbours: the order of the others stays
                    l->insert(l->begin() + static_cast<long>(at), 1000000 + fresh++);
                }
            }
        };
        const Outcome o = walk(list, limit, between);
        ASSERT_TRUE(o.ended) << round;
        for (int key : stand)
            ASSERT_TRUE(o.seen.contains(key)) << "round " << round << " key " << key;
    }
}

// Complete, or an error; never less, and never for ever.
TEST(OffsetWalk, AnswersThatLeaveRowsOut) {
    for (int n = 0; n < 60; ++n)
        for (int limit : {1, 2, 3, 10}) {
            const Outcome o = walk(numbers(n), limit, nothing, true);
            ASSERT_LT(o.requests, 500) << n << " " << limit;
            for (int key : numbers(n))
                EXPECT_TRUE(!o.ended || o.seen.contains(key) == (key % 30 != 0))
                    << n << " " << limit << " " << key;
        }
    EXPECT_FALSE(walk(numbers(5), 1, nothing).ended) << "one row a page";
}

TEST(OffsetWalk, GoesOnWhereAnEarlierOneEnded) {
    OffsetWalk w(19);
    EXPECT_EQ(w.start(), 19);
    EXPECT_EQ(w.see(5, 5, false, true), OffsetWalk::Verdict::Again);
    EXPECT_EQ(w.start(), 18);
    OffsetWalk later(w.start(), w.step_back());
    EXPECT_EQ(later.see(5, 5, false, true), OffsetWalk::Verdict::Again);
    EXPECT_EQ(later.start(), 16);
    EXPECT_EQ(later.see(5, 2, true, true), OffsetWalk::Verdict::Take);
    EXPECT_EQ(later.start(), 20);
    EXPECT_EQ(later.step_back(), 1);
    EXPECT_EQ(OffsetWalk().start(), 0);
}

} // namespace
} // namespace pipedrive
