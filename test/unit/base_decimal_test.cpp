#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <random>
#include <string>

#include "core/base/decimal.h"

namespace pipedrive {
namespace {

TEST(Decimal, Grammar) {
    for (const char* yes : {"0", "-0", "12", "-12", "0.10", "1e3", "1E+3", "1.5e-7", " 12 ",
                            "\t1\n", "12345678901234567890123.5"})
        EXPECT_TRUE(is_decimal(yes)) << yes;
    for (const char* no :
         {"",   " ",   "-",  "+1",  "1.",  ".5",  "NaN",   "nan", "inf",   "Infinity", "0x1",
          "01", "-01", "1e", "1e+", "1 2", "1,5", "1.5.2", "--1", "1e1.5", "1_000",    "\xD9\xA1"})
        EXPECT_FALSE(is_decimal(no)) << no;
    EXPECT_FALSE(is_decimal(std::string_view("1\0", 2)));
}

TEST(Decimal, WholeValues) {
    const std::pair<const char*, std::int64_t> rows[] = {{"42", 42},
                                                         {"42.0", 42},
                                                         {"4.2e1", 42},
                                                         {"-0", 0},
                                                         {"0.000", 0},
                                                         {"0e999999999999999999999", 0},
                                                         {"420e-1", 42},
                                                         {"-7", -7},
                                                         {"0.00042e5", 42},
                                                         {"1e18", 1000000000000000000},
                                                         {"10e17", 1000000000000000000},
                                                         {"9223372036854775807", INT64_MAX},
                                                         {"-9223372036854775808", INT64_MIN},
                                                         {"9223372036854775807.000", INT64_MAX},
                                                         {"9.223372036854775807e18", INT64_MAX},
                                                         {"-922337203685477580800e-2", INT64_MIN},
                                                         {" 5 ", 5}};
    for (const auto& [text, value] : rows)
        EXPECT_EQ(decimal_to_int64(text), value) << text;
}

TEST(Decimal, NotWholeOrNotInRange) {
    for (const char* text :
         {"9223372036854775808", "-9223372036854775809", "1e19", "1e20", "18446744073709551616",
          "0.5", "42.01", "1e-1", "1e999999999999999999999999", "1e-999999999999999999999999",
          "99999999999999999999", "", "x", "9999999999999999999", "-9999999999999999999",
          "1e9223372036854775807", "1e-9223372036854775808"})
        EXPECT_EQ(decimal_to_int64(text), std::nullopt) << text;
}

TEST(Decimal, LongTextsAreLinear) {
    const auto began = std::chrono::steady_clock::now();
    EXPECT_EQ(decimal_to_int64("5." + std::string(5000000, '0')), 5);
    EXPECT_EQ(decimal_to_int64("5" + std::string(5000000, '0') + "e-5000000"), 5);
    EXPECT_EQ(decimal_to_int64("0." + std::string(4999999, '0') + "5e5000000"), 5);
    EXPECT_EQ(decimal_to_int64(std::string(5000000, '9')), std::nullopt);
    EXPECT_EQ(decimal_to_int64("1e" + std::string(5000000, '9')), std::nullopt);
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(3));
}

TEST(Decimal, RandomValuesComeBackFromEveryWriting) {
    std::mt19937_64 random(7);
    for (int i = 0; i < 20000; ++i) {
        const auto value = static_cast<std::int64_t>(random()) >> (random() % 64);
        const std::string plain = std::to_string(value);
        ASSERT_EQ(decimal_to_int64(plain), value);
        ASSERT_EQ(decimal_to_int64(plain + "." + std::string(random() % 30, '0') + "0"), value)
            << plain;
        const std::size_t zeros = random() % 30;
        ASSERT_EQ(decimal_to_int64(plain + (value != 0 ? std::string(zeros, '0') : "") + "e-" +
                                   std::to_string(value != 0 ? zeros : 0)),
                  value);
        const std::size_t sign = value < 0 ? 1 : 0;
        const std::string shifted = plain.substr(0, sign + 1) + "." + plain.substr(sign + 1) +
                                    "0e" + std::to_string(plain.size() - sign - 1);
        ASSERT_EQ(decimal_to_int64(shifted), value) << shifted;
        if (random() % 4 == 0) {
            ASSERT_EQ(decimal_to_int64(plain + ".5"), std::nullopt);
        }
    }
}

TEST(Decimal, GarbageIsRefusedQuietly) {
    std::mt19937 random(3);
    const std::string alphabet = "0123456789+-.eE x\0";
    for (int i = 0; i < 100000; ++i) {
        std::string text;
        for (std::size_t n = random() % 12; n > 0; --n)
            text.push_back(alphabet[random() % alphabet.size()]);
        if (decimal_to_int64(text)) {
            ASSERT_TRUE(is_decimal(text)) << text;
        }
    }
}

} // namespace
} // namespace pipedrive
