// The set of returned ids against std::set.
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "core/scan/id_set.h"

namespace pipedrive {
namespace {

TEST(IdSet, AgreesWithStdSet) {
    std::mt19937_64 random(1);
    for (int round = 0; round < 200; ++round) {
        IdSet ours;
        std::set<std::int64_t> theirs;
        const std::int64_t span = 1 + static_cast<std::int64_t>(random() % 200);
        for (int i = 0; i < 200; ++i) {
            const std::int64_t id = static_cast<std::int64_t>(random() % 400) % span - 20;
            ASSERT_EQ(ours.contains(id), theirs.count(id) != 0);
            ASSERT_EQ(ours.insert(id), theirs.insert(id).second);
            ASSERT_TRUE(ours.contains(id));
        }
        for (std::int64_t id = -25; id < span + 5; ++id)
            ASSERT_EQ(ours.contains(id), theirs.count(id) != 0);
    }
}

TEST(IdSet, DenseIdsAreCheapInAnyDirection) {
    IdSet up, down;
    for (std::int64_t i = 1; i <= 100000; ++i)
        ASSERT_TRUE(up.insert(i));
    for (std::int64_t i = 100000; i >= 1; --i)
        ASSERT_TRUE(down.insert(i));
    EXPECT_LT(up.bytes(), 100000u / 4);
    EXPECT_LT(down.bytes(), 100000u / 4);
    up.clear();
    EXPECT_FALSE(up.contains(5));
    EXPECT_TRUE(up.insert(5));
}

TEST(IdSet, EndsOfTheRange) {
    IdSet set;
    for (std::int64_t id : {INT64_MAX, INT64_MIN, INT64_MAX - 1, INT64_MIN + 1, std::int64_t{0}}) {
        EXPECT_FALSE(set.contains(id));
        EXPECT_TRUE(set.insert(id));
        EXPECT_FALSE(set.insert(id));
    }
    EXPECT_FALSE(set.contains(1));
}

} // namespace
} // namespace pipedrive
