#include <gtest/gtest.h>

#include <cstdio>
#include <limits>
#include <random>
#include <string>

#include "core/base/time.h"

namespace pipedrive {
namespace {

constexpr std::int64_t kDay = 86400 * kSecond;

Micros stamp(const std::string& text) {
    Micros out = -1;
    EXPECT_EQ(parse_timestamp(text, &out), TimeParse::Ok) << text;
    return out;
}

Days date(const std::string& text) {
    Days out = -1;
    EXPECT_EQ(parse_date(text, &out), TimeParse::Ok) << text;
    return out;
}

bool leap(int y) {
    return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

TEST(Time, EveryDayFrom0001To9999AgainstACountedCalendar) {
    Days expected = -730119;
    char text[40];
    for (int y = 1; y <= 9999; ++y) {
        for (int m = 1; m <= 12; ++m) {
            const int length = m == 2                                    ? (leap(y) ? 29 : 28)
                               : (m == 4 || m == 6 || m == 9 || m == 11) ? 30
                                                                         : 31;
            // to the last day, which is checked on both sides
            for (int d = 1; d <= 32; d += d < length ? 1 : 32) {
                std::snprintf(text, sizeof text, "%04d-%02d-%02d", y, m, d);
                Days got = 0;
                ASSERT_EQ(parse_date(text, &got), TimeParse::Ok) << text;
                ASSERT_EQ(got, expected) << text;
                if (d % 7 == 0 || d == length) {
                    ASSERT_EQ(format_date(got), text);
                }
                ++expected;
            }
            std::snprintf(text, sizeof text, "%04d-%02d-%02d", y, m, length + 1);
            Days none = 0;
            ASSERT_EQ(parse_date(text, &none), TimeParse::Bad) << text;
        }
    }
    EXPECT_EQ(expected, 2921940);
}

TEST(Time, TimestampForms) {
    const Micros base = stamp("2026-04-01T19:00:38Z");
    EXPECT_EQ(base, date("2026-04-01") * kDay + (19 * 3600 + 38) * kSecond);
    EXPECT_EQ(stamp("2000-01-01T00:00:00Z"), 0);
    EXPECT_EQ(stamp("2026-04-01 19:00:38"), base);
    EXPECT_EQ(stamp("2026-04-01t19:00:38z"), base);
    EXPECT_EQ(stamp("2026-04-01T21:00:38+02:00"), base);
    EXPECT_EQ(stamp("2026-04-01T21:00:38+0200"), base);
    EXPECT_EQ(stamp("2026-04-01T21:00:38+02"), base);
    EXPECT_EQ(stamp("2026-04-01T14:30:38-04:30"), base);
    EXPECT_EQ(stamp("2026-04-01T19:00:38.5Z"), base + 500000);
    EXPECT_EQ(stamp("2026-04-01T19:00:38.123456Z"), base + 123456);
    EXPECT_EQ(stamp("2026-04-01T19:00:38.123456999"), base + 123456);
    EXPECT_EQ(stamp("2026-04-01T18:59:60Z") + 38 * kSecond, base);
    EXPECT_EQ(stamp("2026-04-01"), date("2026-04-01") * kDay);
    EXPECT_EQ(stamp("0001-01-01T00:00:00+02:00"), stamp("0001-01-01") - 7200 * kSecond);
    EXPECT_EQ(stamp("9999-12-31T23:59:60Z"), stamp("9999-12-31") + kDay);
}

TEST(Time, NoValueAndNonsense) {
    for (const char* text :
         {"", "0000-00-00", "0000-00-00 00:00:00", "0000-00-00T00:00:00Z",
          "0000-00-00t00:00:00.000z", "0000-00-00T00:00:00+00:00", "0000-00-00T00:00:00-05:00",
          "0000-00-00 00:00", "-0001-11-30", "-0001-11-30T00:00:00Z", "-0001-11-30T00:00:00+01:00",
          "-0001-11-30 00:00:00", "-0001-11-29T19:03:58-04:56", "-000001-11-30T00:00:00.000Z"}) {
        Micros t = 7;
        Days d = 7;
        EXPECT_EQ(parse_timestamp(text, &t), TimeParse::Empty);
        EXPECT_EQ(parse_date(text, &d), TimeParse::Empty);
        EXPECT_EQ(t, 7);
        EXPECT_EQ(d, 7);
    }
    for (const char* text : {"0000-01-01",
                             "0000-00-01",
                             "0000-00-00x",
                             "0000-00-00T",
                             "0000-00-00T00:00:01Z",
                             "0000-00-00T00:00:00Zx",
                             "-0000-00-00",
                             "-0001-11-28",
                             "-0001-12-30",
                             "-0001-11-30x",
                             "-0001-11-30T25:00:00Z",
                             "-0002-11-30",
                             "-000002-11-30",
                             "-010001-11-30",
                             "2026-00-01",
                             "2026-13-01",
                             "2026-02-29",
                             "2026-04-31",
                             "2026-04-00",
                             "2026-4-1",
                             "26-04-01",
                             "2026/04/01",
                             "2026-04-01T",
                             "2026-04-01T24:00:00Z",
                             "2026-04-01T19:60:00Z",
                             "2026-04-01T19:00:61Z",
                             "2026-04-01T19:00Z",
                             "2026-04-01T19:00:38.",
                             "2026-04-01T19:00:38.1234567890Z",
                             "2026-04-01T19:00:38+2",
                             "2026-04-01T19:00:38+24:00",
                             "2026-04-01T19:00:38+02:60",
                             "2026-04-01T19:00:38+02:",
                             "2026-04-01T19:00:38ZZ",
                             "2026-04-01T19:00:38 Z",
                             " 2026-04-01",
                             "2026-04-01 ",
                             "20260401",
                             "now",
                             "infinity",
                             "-2026-04-01",
                             "12026-04-01",
                             "2026-04-01T19:00:38UTC",
                             "2026-04-01Z"}) {
        Micros t = 7;
        EXPECT_EQ(parse_timestamp(text, &t), TimeParse::Bad) << text;
        EXPECT_EQ(t, 7);
    }
    Micros t = 0;
    EXPECT_EQ(parse_timestamp(std::string_view("2026-04-01\0", 11), &t), TimeParse::Bad);
}

TEST(Time, DateOfATimestampIsAsWritten) {
    EXPECT_EQ(date("2026-04-01T23:30:00-05:00"), date("2026-04-01"));
    EXPECT_EQ(date("2026-04-01 00:00:00"), date("2026-04-01"));
    EXPECT_EQ(date("2024-02-29"), date("2024-03-01") - 1);
    Days d = 0;
    EXPECT_EQ(parse_date("2026-04-01T99:00:00Z", &d), TimeParse::Bad);
}

TEST(Time, TimeOfDay) {
    std::int64_t t = 0;
    const std::pair<const char*, std::int64_t> good[] = {{"00:00", 0},
                                                         {"09:05", 32700 * kSecond},
                                                         {"23:59:59.999999", kDay - 1},
                                                         {"24:00:00", kDay},
                                                         {"24:00", kDay},
                                                         {"10:00:00.5", 36000500000}};
    for (const auto& [text, value] : good) {
        EXPECT_EQ(parse_time_of_day(text, &t), TimeParse::Ok) << text;
        EXPECT_EQ(t, value) << text;
    }
    EXPECT_EQ(parse_time_of_day("", &t), TimeParse::Empty);
    for (const char* bad : {"24:00:01", "24:01", "25:00", "9:05", "09:5", "09:60", "09:00:61",
                            "09:00:", "09:00:00.", "09:00Z", "-01:00", "x"})
        EXPECT_EQ(parse_time_of_day(bad, &t), TimeParse::Bad) << bad;
    EXPECT_EQ(format_time_of_day(0), "00:00:00");
    EXPECT_EQ(format_time_of_day(kDay), "24:00:00");
    EXPECT_EQ(format_time_of_day(68400500000 + 500000), "19:00:01");
    EXPECT_EQ(format_time_of_day(68438500000), "19:00:38.5");
    EXPECT_EQ(format_time_of_day(-5), "00:00:00");
}

TEST(Time, RoundingToSeconds) {
    EXPECT_EQ(floor_to_second(1500000), 1000000);
    EXPECT_EQ(ceil_to_second(1500000), 2000000);
    EXPECT_EQ(floor_to_second(-1), -1000000);
    EXPECT_EQ(ceil_to_second(-1), 0);
    EXPECT_EQ(floor_to_second(-2000000), -2000000);
    EXPECT_EQ(ceil_to_second(-2000000), -2000000);
    for (const Micros t :
         {std::numeric_limits<Micros>::min(), std::numeric_limits<Micros>::min() + 1,
          std::numeric_limits<Micros>::max()}) {
        EXPECT_EQ(floor_to_second(t) % kSecond, 0);
        EXPECT_EQ(ceil_to_second(t) % kSecond, 0);
    }
}

TEST(Time, Formats) {
    const Micros base = stamp("2026-04-01T19:00:38Z");
    EXPECT_EQ(format_utc_seconds(base + 999999), "2026-04-01T19:00:38Z");
    EXPECT_EQ(format_utc_seconds(-1), "1999-12-31T23:59:59Z");
    EXPECT_EQ(format_utc_seconds(std::numeric_limits<Micros>::min()), "0001-01-01T00:00:00Z");
    EXPECT_EQ(format_utc_seconds(std::numeric_limits<Micros>::max()), "9999-12-31T23:59:59Z");
    EXPECT_EQ(format_timestamp(base + 500000), "2026-04-01 19:00:38.5+00");
    EXPECT_EQ(format_timestamp(base), "2026-04-01 19:00:38+00");
    EXPECT_EQ(format_timestamp(base + 1), "2026-04-01 19:00:38.000001+00");
    EXPECT_EQ(format_timestamp(stamp("0001-01-01") - 1), "0001-12-31 23:59:59.999999+00 BC");
    EXPECT_EQ(format_date(date("0001-01-01")), "0001-01-01");
    EXPECT_FALSE(format_date(std::numeric_limits<Days>::min()).empty());
    EXPECT_FALSE(format_date(std::numeric_limits<Days>::max()).empty());
    EXPECT_FALSE(format_timestamp(std::numeric_limits<Micros>::min()).empty());
    EXPECT_FALSE(format_timestamp(std::numeric_limits<Micros>::max()).empty());
}

TEST(Time, RandomInstantsComeBack) {
    std::mt19937_64 random(11);
    const Micros first = stamp("0001-01-01");
    const Micros last = stamp("9999-12-31") + kDay - 1;
    std::uniform_int_distribution<Micros> pick(first, last);
    for (int i = 0; i < 50000; ++i) {
        const Micros t = pick(random);
        ASSERT_EQ(stamp(format_timestamp(t)), t);
        ASSERT_EQ(stamp(format_utc_seconds(t)), floor_to_second(t));
        const int minutes = static_cast<int>(random() % 1800) - 900;
        if (t + minutes * 60 * kSecond < first || t + minutes * 60 * kSecond > last) continue;
        char offset[8];
        std::snprintf(offset, sizeof offset, "%c%02d:%02d", minutes < 0 ? '-' : '+',
                      std::abs(minutes) / 60 % 100, std::abs(minutes) % 60);
        std::string local = format_timestamp(t + minutes * 60 * kSecond);
        local.resize(local.size() - 3);
        ASSERT_EQ(stamp(local + offset), t) << local << offset;
        std::int64_t of_day = 0;
        const std::int64_t micros = static_cast<std::int64_t>(random() % kDay);
        ASSERT_EQ(parse_time_of_day(format_time_of_day(micros), &of_day), TimeParse::Ok);
        ASSERT_EQ(of_day, micros);
    }
}

TEST(Time, GarbageNeverCrashes) {
    std::mt19937 random(13);
    const std::string seed = "2026-04-01T19:00:38.123+02:00";
    const std::string alphabet = "0123456789-:.+TZ tz/";
    for (int i = 0; i < 100000; ++i) {
        std::string text = seed.substr(0, random() % (seed.size() + 1));
        for (std::size_t n = random() % 4; n > 0 && !text.empty(); --n)
            text[random() % text.size()] = random() % 8 == 0 ? static_cast<char>(random())
                                                             : alphabet[random() % alphabet.size()];
        Micros t = 0;
        Days d = 0;
        std::int64_t of_day = 0;
        if (parse_timestamp(text, &t) == TimeParse::Ok) {
            ASSERT_FALSE(format_timestamp(t).empty());
        }
        parse_date(text, &d);
        parse_time_of_day(text, &of_day);
    }
}

TEST(Time, MonotonicClockMovesForward) {
    Clock& clock = monotonic_clock();
    EXPECT_EQ(&clock, &monotonic_clock());
    const std::int64_t a = clock.now_ms();
    EXPECT_GE(clock.now_ms(), a);
}

TEST(Time, HttpDatesHaveOneForm) {
    Micros at = 0;
    EXPECT_EQ(parse_http_date("Sat, 01 Jan 2000 00:00:01 GMT", &at), TimeParse::Ok);
    EXPECT_EQ(at, kSecond);
    EXPECT_EQ(parse_http_date("Wed, 25 Nov 2026 08:32:25 GMT", &at), TimeParse::Ok);
    EXPECT_EQ(format_utc_seconds(at), "2026-11-25T08:32:25Z");
    EXPECT_EQ(parse_http_date("", &at), TimeParse::Empty);
    for (const char* bad :
         {"Wed, 25 Nov 2026 08:32:25 CET", "Wednesday, 25-Nov-26 08:32:25 GMT",
          "Wed, 31 Nov 2026 08:32:25 GMT", "Wed, 25 nov 2026 08:32:25 GMT",
          "Wed, 25 ovD 2026 08:32:25 GMT", "Wed, 25 Nov 2026 24:32:25 GMT",
          "Wed, 25 Nov 2026 08:32:2 GMT ", "Wed, 25 Nov 0000 08:32:25 GMT", "1795595545"})
        EXPECT_EQ(parse_http_date(bad, &at), TimeParse::Bad) << bad;
}

} // namespace
} // namespace pipedrive
