#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>

#include "core/base/text.h"

namespace pipedrive {
namespace {

using namespace std::string_view_literals;

TEST(Utf8, PrefixNeverCutsASequence) {
    EXPECT_EQ(utf8_prefix("abc", 5), "abc");
    EXPECT_EQ(utf8_prefix("abc", 2), "ab");
    EXPECT_EQ(utf8_prefix("a\u00e9b", 2), "a");
    EXPECT_EQ(utf8_prefix("a\u00e9b", 3), "a\u00e9");
    EXPECT_EQ(utf8_prefix("\U0001F600x", 3), "");
    EXPECT_EQ(utf8_prefix("\U0001F600x", 4), "\U0001F600");
    EXPECT_EQ(utf8_prefix("abc", 0), "");
    EXPECT_EQ(utf8_prefix("\x80\x80\x80\x80\x80\x80", 5), "\x80\x80\x80\x80\x80");
    EXPECT_EQ(utf8_prefix("a\xff\x62", 2), "a\xff");
}

TEST(Utf8, EveryCodePointComesBack) {
    std::string all;
    for (char32_t cp = 0; cp <= 0x10FFFF; ++cp)
        if (cp < 0xD800 || cp > 0xDFFF) utf8_append(all, cp);
    EXPECT_TRUE(utf8_valid(all));
    std::size_t i = 0;
    for (char32_t cp = 0; cp <= 0x10FFFF; ++cp) {
        if (cp >= 0xD800 && cp <= 0xDFFF) continue;
        ASSERT_EQ(utf8_next(all, &i), cp);
    }
    EXPECT_EQ(i, all.size());
    std::string bad;
    utf8_append(bad, 0xD800);
    utf8_append(bad, 0x110000);
    EXPECT_EQ(bad, "\uFFFD\uFFFD");
}

TEST(Utf8, RefusesWhatIsNotUtf8) {
    for (const std::string_view bad :
         {"\x80"sv, "\xc0\x80"sv, "\xc1\xbf"sv, "\xe0\x80\x80"sv, "\xed\xa0\x80"sv,
          "\xf0\x80\x80\x80"sv, "\xf4\x90\x80\x80"sv, "\xf5\x80\x80\x80"sv, "\xc3"sv, "\xe2\x82"sv,
          "\xc3("sv, "\xff"sv}) {
        EXPECT_FALSE(utf8_valid(bad));
        std::size_t i = 0;
        EXPECT_EQ(utf8_next(bad, &i), char32_t{0xFFFD});
        EXPECT_EQ(i, 1u);
    }
    EXPECT_TRUE(utf8_valid(""));
    EXPECT_TRUE(utf8_valid("a\0b"sv));
    std::size_t end = 3;
    EXPECT_EQ(utf8_next("abc", &end), char32_t{0xFFFD});
}

TEST(ClosestName, ProposesWhatAPersonWould) {
    constexpr std::array names = {"deals"sv, "persons"sv, "organizations"sv, "api_token"sv,
                                  "max_wait"sv};
    EXPECT_EQ(closest_name("deal", names), "deals");
    EXPECT_EQ(closest_name("DEALS", names), "deals");
    EXPECT_EQ(closest_name("organisations", names), "organizations");
    EXPECT_EQ(closest_name("tokn", names), "");
    EXPECT_EQ(closest_name("api_tokn", names), "api_token");
    EXPECT_EQ(closest_name("zzzzzz", names), "");
    EXPECT_EQ(closest_name("", names), "");
    EXPECT_EQ(closest_name("deals", {}), "");
    EXPECT_EQ(closest_name(std::string(100000, 'd'), names), "");
    constexpr std::array tie = {"aa"sv, "ab"sv};
    EXPECT_EQ(closest_name("ac", tie), "aa");
}

TEST(PercentEncode, KeepsOnlyTheUnreserved) {
    EXPECT_EQ(percent_encode("AZaz09-._~,:"), "AZaz09-._~,:");
    EXPECT_EQ(percent_encode("a b&c=d/?#+%"), "a%20b%26c%3Dd%2F%3F%23%2B%25");
    EXPECT_EQ(percent_encode("\u00e9\0"sv), "%C3%A9%00");
}

TEST(Excerpt, IsOnePrintableLine) {
    EXPECT_EQ(excerpt(""), "");
    EXPECT_EQ(excerpt("  a \r\n\t b\0c  "sv), "a b c");
    EXPECT_EQ(excerpt("a\xff\x62\xc3"), "a?b?");
    EXPECT_EQ(excerpt("a\u0085\u2028b\x7f"), "a b");
    EXPECT_EQ(excerpt("\uFFFD"), "\uFFFD");
    EXPECT_EQ(excerpt("abcdef", 3), "abc…");
    EXPECT_EQ(excerpt("abc", 3), "abc");
    EXPECT_EQ(excerpt("abc   ", 3), "abc");
    EXPECT_EQ(excerpt("ab\u00e9", 3), "ab…");
    EXPECT_EQ(excerpt(std::string(600, 'x')).size(), 512 + "…"sv.size());
}

TEST(Excerpt, OfAnythingIsValidAndShort) {
    std::mt19937 random(5);
    for (int i = 0; i < 20000; ++i) {
        std::string text;
        for (std::size_t n = random() % 60; n > 0; --n)
            text.push_back(static_cast<char>(random() % 3 == 0 ? 0x80 + random() % 128 : random()));
        const std::string out = excerpt(text, 20);
        ASSERT_TRUE(utf8_valid(out));
        ASSERT_LE(out.size(), 20 + "…"sv.size());
        for (const char c : out)
            ASSERT_FALSE(static_cast<unsigned char>(c) < 0x20 || c == 0x7f);
        ASSERT_LE(utf8_prefix(text, 20).size(), 20u);
    }
}

TEST(LooksLikeJson, FirstByteDecides) {
    EXPECT_TRUE(looks_like_json("{}"));
    EXPECT_TRUE(looks_like_json(" \r\n\t[1"));
    for (const char* no : {"", "  ", "null", "<html>", "\"x\"", "1"})
        EXPECT_FALSE(looks_like_json(no)) << no;
}

} // namespace
} // namespace pipedrive
