#include "core/base/row_key.h"

#include <gtest/gtest.h>

namespace pipedrive {
namespace {

constexpr std::string_view kUuid = "9ce77a10-2e16-11f1-91c1-d76c55e1594b";

TEST(RowKey, UuidsAreReadAsPostgresReadsThem) {
    const auto uuid = parse_uuid(kUuid);
    ASSERT_TRUE(uuid);
    EXPECT_EQ(uuid->high, 0x9ce77a102e1611f1u);
    EXPECT_EQ(uuid->low, 0x91c1d76c55e1594bu);
    EXPECT_EQ(parse_uuid("9CE77A10-2E16-11F1-91C1-D76C55E1594B"), uuid);
    EXPECT_EQ(parse_uuid("9ce77a102e1611f191c1d76c55e1594b"), uuid);
    EXPECT_EQ(parse_uuid("{9ce77a10-2e16-11f1-91c1-d76c55e1594b}"), uuid);
    EXPECT_EQ(parse_uuid("9ce7-7a10-2e16-11f1-91c1-d76c-55e1-594b"), uuid);
}

TEST(RowKey, WhatIsNoUuidIsNone) {
    for (std::string_view text :
         {"", "-", "{}", "{", "}", "9ce77a10-2e16-11f1-91c1-d76c55e1594",
          "9ce77a10-2e16-11f1-91c1-d76c55e1594b0", "9ce77a10-2e16-11f1-91c1-d76c55e1594g",
          "{9ce77a10-2e16-11f1-91c1-d76c55e1594b", "9ce77a10-2e16-11f1-91c1-d76c55e1594b}",
          "9ce77a10--2e16-11f1-91c1-d76c55e1594b", "-9ce77a10-2e16-11f1-91c1-d76c55e1594b",
          "9ce77a10-2e16-11f1-91c1-d76c55e1594b-", "9ce-77a102e1611f191c1d76c55e1594b", "17"})
        EXPECT_FALSE(parse_uuid(text)) << text;
}

TEST(RowKey, SameValueSameKey) {
    EXPECT_EQ(RowKey::of(7), parse_key(KeyKind::Integer, "7"));
    EXPECT_NE(RowKey::of(7), RowKey::of(8));
    EXPECT_EQ(parse_key(KeyKind::Uuid, kUuid),
              parse_key(KeyKind::Uuid, "9CE77A102E1611F191C1D76C55E1594B"));
    EXPECT_EQ(RowKey::of("Web forms"), parse_key(KeyKind::Text, "Web forms"));
    EXPECT_NE(RowKey::of("Web forms"), RowKey::of("web forms"));
    EXPECT_NE(RowKey::of("7"), RowKey::of(7));
    EXPECT_NE(RowKey(), RowKey()); // rows without keys are never the same row
}

TEST(RowKey, AKeyOfAnotherKindIsNone) {
    EXPECT_FALSE(parse_key(KeyKind::Integer, "9ce77a10"));
    EXPECT_FALSE(parse_key(KeyKind::Integer, "7.5"));
    EXPECT_FALSE(parse_key(KeyKind::Integer, "9223372036854775808"));
    EXPECT_FALSE(parse_key(KeyKind::Uuid, "7"));
    EXPECT_FALSE(parse_key(KeyKind::Text, ""));
    EXPECT_TRUE(parse_key(KeyKind::None, ""));
}

TEST(RowKey, IsSpelledAsSqlSpellsIt) {
    EXPECT_EQ(RowKey::of(-9223372036854775807 - 1).spelled(), "-9223372036854775808");
    EXPECT_EQ(parse_key(KeyKind::Uuid, "9CE77A102E1611F191C1D76C55E1594B")->spelled(), kUuid);
    EXPECT_EQ(RowKey::of("Live chat").spelled(), "Live chat");
    EXPECT_EQ(RowKey().spelled(), "");
    char buffer[6];
    RowKey::of("Live chat").spell(buffer, sizeof(buffer));
    EXPECT_STREQ(buffer, "Live ");
    RowKey::of(1234567).spell(buffer, sizeof(buffer));
    EXPECT_STREQ(buffer, "12345");
    RowKey().spell(buffer, sizeof(buffer));
    EXPECT_STREQ(buffer, "");
}

} // namespace
} // namespace pipedrive
