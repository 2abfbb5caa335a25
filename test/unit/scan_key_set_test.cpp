#include "core/scan/key_set.h"

#include <gtest/gtest.h>

#include "core/plan/key_list.h"

namespace pipedrive {
namespace {

constexpr Uuid kFirst{0x9ce77a102e1611f1, 0x91c1d76c55e1594b}, kSecond_{0x9ce77a102e1611f1, 0};

TEST(KeySet, KeysOfEveryKind) {
    KeySet set;
    for (int round = 0; round < 2; ++round) {
        EXPECT_TRUE(set.insert(RowKey::of(7)));
        EXPECT_TRUE(set.insert(RowKey::of(kFirst)));
        EXPECT_TRUE(set.insert(RowKey::of(kSecond_)));
        EXPECT_TRUE(set.insert(RowKey::of("Web forms")));
        EXPECT_FALSE(set.insert(RowKey::of(7)));
        EXPECT_FALSE(set.insert(RowKey::of(kFirst)));
        EXPECT_FALSE(set.insert(RowKey::of("Web forms")));
        EXPECT_TRUE(set.contains(RowKey::of(kSecond_)));
        EXPECT_FALSE(set.contains(RowKey::of(Uuid{0, 7})));
        EXPECT_FALSE(set.contains(RowKey::of("7")));
        set.clear();
        EXPECT_FALSE(set.contains(RowKey::of(kFirst)));
    }
}

TEST(KeySet, ATextIsKeptWhenItsPageIsGone) {
    KeySet set;
    {
        const std::string page = "a text that is too long for the string itself";
        set.insert(RowKey::of(page));
    }
    EXPECT_TRUE(set.contains(RowKey::of("a text that is too long for the string itself")));
}

TEST(KeySet, RowsWithoutKeysAreAllNew) {
    KeySet set;
    EXPECT_TRUE(set.insert(RowKey()));
    EXPECT_TRUE(set.insert(RowKey()));
    EXPECT_FALSE(set.contains(RowKey()));
}

TEST(KeyMap, KeepsTheFirstValue) {
    KeyMap<int> map;
    map.at(RowKey::of(7), 1) = 2;
    EXPECT_EQ(map.at(RowKey::of(7), 3), 2);
    EXPECT_EQ(map.at(RowKey::of(kFirst), 4), 4);
    EXPECT_EQ(map.at(RowKey::of("x"), 5), 5);
    EXPECT_EQ(*map.find(RowKey::of(kFirst)), 4);
    EXPECT_EQ(map.find(RowKey::of(kSecond_)), nullptr);
    int sum = 0;
    map.each([&](int value) { sum += value; });
    EXPECT_EQ(sum, 11);
    map.clear();
    EXPECT_EQ(map.find(RowKey::of(7)), nullptr);
}

TEST(KeyList, PartsAndWhatIsTakenOut) {
    KeyList numbers(std::vector<std::int64_t>{1, 2, 3, 4});
    EXPECT_EQ(numbers.part(1, 2), KeyList(std::vector<std::int64_t>{2, 3}));
    EXPECT_EQ(numbers.part(3, 100).size(), 1u);
    EXPECT_TRUE(numbers.part(9, 1).empty());
    numbers.erase_if([](const RowKey& key) { return key.integer() % 2 == 0; });
    EXPECT_EQ(numbers, KeyList(std::vector<std::int64_t>{1, 3}));
    KeyList uuids;
    uuids.push_back(RowKey::of(kFirst));
    uuids.push_back(RowKey::of(kSecond_));
    EXPECT_EQ(uuids.part(1, 5)[0], RowKey::of(kSecond_));
    uuids.erase_if([](const RowKey& key) { return key == RowKey::of(kFirst); });
    EXPECT_EQ(uuids.size(), 1u);
}

} // namespace
} // namespace pipedrive
