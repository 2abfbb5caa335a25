// Calendar arithmetic on the proleptic Gregorian calendar, and the few text forms that the API
// uses. Must not know the session's time zone, a locale or the wall clock.
#include "core/base/time.h"

#include <ctime>
#include <limits>
#include <new>

namespace pipedrive {
namespace {

constexpr std::int64_t kMinute = 60 * kSecond;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kDay = 24 * kHour;

struct Civil {
    // Astronomical: 0 is 1 BC.
    std::int64_t year = 0;
    int month = 0;
    int day = 0;
};

bool leap(std::int64_t y) noexcept {
    return y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
}

int days_in_month(std::int64_t y, int m) noexcept {
    constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return m == 2 && leap(y) ? 29 : kDays[m - 1];
}

// Both count years from March, in eras of 400 years (146097 days), so that the leap day comes last.
constexpr std::int64_t kEraDays = 146097;
// Days from 0000-03-01 to 2000-01-01.
constexpr std::int64_t kMarch0ToEpoch = 730425;

std::int64_t days_of(const Civil& c) noexcept {
    const std::int64_t y = c.month <= 2 ? c.year - 1 : c.year;
    const std::int64_t era = (y >= 0 ? y : y - 399) / 400;
    const std::int64_t year_of_era = y - era * 400;
    const std::int64_t day_of_year = (153 * (c.month + (c.month > 2 ? -3 : 9)) + 2) / 5 + c.day - 1;
    const std::int64_t day_of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * kEraDays + day_of_era - kMarch0ToEpoch;
}

Civil civil_of(std::int64_t days) noexcept {
    const std::int64_t z = days + kMarch0ToEpoch;
    const std::int64_t era = (z >= 0 ? z : z - (kEraDays - 1)) / kEraDays;
    const std::int64_t day_of_era = z - era * kEraDays;
    const std::int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const std::int64_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const std::int64_t shifted = (5 * day_of_year + 2) / 153;
    const int month = static_cast<int>(shifted < 10 ? shifted + 3 : shifted - 9);
    const int day = static_cast<int>(day_of_year - (153 * shifted + 2) / 5 + 1);
    return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), month, day};
}

// Reads a text from the left; every take either succeeds and advances, or fails.
class Reader {
  public:
    explicit Reader(std::string_view text) noexcept : rest_(text) {}

    bool done() const noexcept { return rest_.empty(); }
    char peek() const noexcept { return rest_.empty() ? '\0' : rest_.front(); }

    bool literal(char c) noexcept {
        if (peek() != c || rest_.empty()) return false;
        rest_.remove_prefix(1);
        return true;
    }

    // Exactly `width` digits.
    bool number(std::size_t width, int* out) noexcept {
        if (rest_.size() < width) return false;
        int value = 0;
        for (std::size_t i = 0; i < width; ++i) {
            if (!digit(rest_[i])) return false;
            value = value * 10 + (rest_[i] - '0');
        }
        rest_.remove_prefix(width);
        *out = value;
        return true;
    }

    // 1 to 9 digits after the point, as microseconds.
    bool fraction(std::int64_t* micros) noexcept {
        std::size_t n = 0;
        std::int64_t value = 0;
        for (; n < rest_.size() && digit(rest_[n]); ++n)
            if (n < 6) value = value * 10 + (rest_[n] - '0');
        if (n < 1 || n > 9) return false;
        for (std::size_t i = n; i < 6; ++i)
            value *= 10;
        rest_.remove_prefix(n);
        *micros = value;
        return true;
    }

  private:
    static bool digit(char c) noexcept { return c >= '0' && c <= '9'; }
    std::string_view rest_;
};

bool read_date(Reader& in, Civil* out) noexcept {
    int year = 0;
    if (!in.number(4, &year) || !in.literal('-') || !in.number(2, &out->month) ||
        !in.literal('-') || !in.number(2, &out->day))
        return false;
    out->year = year;
    return year >= 1 && out->month >= 1 && out->month <= 12 && out->day >= 1 &&
           out->day <= days_in_month(year, out->month);
}

// HH:MM[:SS[.fraction]] up to the given hour.
bool read_time(Reader& in, int max_hour, bool need_seconds, std::int64_t* micros) noexcept {
    int hour = 0;
    int minute = 0;
    int second = 0;
    std::int64_t fraction = 0;
    if (!in.number(2, &hour) || !in.literal(':') || !in.number(2, &minute)) return false;
    if (in.literal(':')) {
        if (!in.number(2, &second)) return false;
        if (in.literal('.') && !in.fraction(&fraction)) return false;
    } else if (need_seconds) {
        return false;
    }
    if (hour > max_hour || minute > 59 || second > 60) return false;
    *micros = hour * kHour + minute * kMinute + second * kSecond + fraction;
    return true;
}

// "Z", "+02:00", "+0200", "+02", or nothing (UTC): microseconds to subtract.
bool read_offset(Reader& in, std::int64_t* micros) noexcept {
    *micros = 0;
    if (in.done() || in.literal('Z') || in.literal('z')) return true;
    const bool west = in.peek() == '-';
    if (!in.literal('+') && !in.literal('-')) return false;
    int hour = 0;
    int minute = 0;
    if (!in.number(2, &hour)) return false;
    if (!in.done()) {
        in.literal(':');
        if (!in.number(2, &minute)) return false;
    }
    if (hour > 23 || minute > 59) return false;
    const std::int64_t size = hour * kHour + minute * kMinute;
    *micros = west ? -size : size;
    return true;
}

struct Stamp {
    std::int64_t days = 0;
    // Of the day, offset already taken off.
    std::int64_t micros = 0;
};

// A time after the date, or nothing: of a zero date, whose offset says nothing.
bool read_zero_rest(Reader& in, bool any_time) noexcept {
    std::int64_t time = 0;
    std::int64_t offset = 0;
    if (!in.done() && (in.literal('T') || in.literal('t') || in.literal(' ')))
        return read_time(in, 23, false, &time) && (any_time || time == 0) &&
               read_offset(in, &offset) && in.done();
    return in.done();
}

// MySQL's zero date, which is no date, as it is stored, as version 2 writes times, and as other
// layers compute it: the day before the month before the year 0, which is -0001-11-30, or the day
// before that in a zone west of where it was computed.
bool is_zero_date(std::string_view text) noexcept {
    if (text.empty()) return true;
    Reader in(text);
    int year = 0;
    int month = 0;
    int day = 0;
    const bool negative = in.literal('-');
    if (negative && text.starts_with("-00")) {
        Reader expanded(text.substr(3)); // six digits of the year
        if (expanded.number(4, &year) && expanded.peek() == '-') in = Reader(text.substr(3));
    }
    if (!in.number(4, &year) || !in.literal('-') || !in.number(2, &month) || !in.literal('-') ||
        !in.number(2, &day))
        return false;
    const bool computed = negative && year == 1 && month == 11 && (day == 29 || day == 30);
    const bool stored = !negative && year == 0 && month == 0 && day == 0;
    return (computed || stored) && read_zero_rest(in, computed);
}

TimeParse read_stamp(std::string_view text, Stamp* out) noexcept {
    if (is_zero_date(text)) return TimeParse::Empty;
    Reader in(text);
    Civil date;
    if (!read_date(in, &date)) return TimeParse::Bad;
    *out = {days_of(date), 0};
    if (in.done()) return TimeParse::Ok;
    if (!in.literal('T') && !in.literal('t') && !in.literal(' ')) return TimeParse::Bad;
    std::int64_t time = 0;
    std::int64_t offset = 0;
    if (!read_time(in, 23, true, &time) || !read_offset(in, &offset) || !in.done())
        return TimeParse::Bad;
    out->micros = time - offset;
    return TimeParse::Ok;
}

void append_number(std::string& out, std::int64_t value, std::size_t width) {
    const std::string digits = std::to_string(value);
    if (digits.size() < width) out.append(width - digits.size(), '0');
    out += digits;
}

// Appends the date; true when " BC" must follow at the very end.
bool append_date(std::string& out, std::int64_t days) {
    const Civil c = civil_of(days);
    const bool before_christ = c.year <= 0;
    append_number(out, before_christ ? 1 - c.year : c.year, 4);
    out += '-';
    append_number(out, c.month, 2);
    out += '-';
    append_number(out, c.day, 2);
    return before_christ;
}

void append_time(std::string& out, std::int64_t micros) {
    append_number(out, micros / kHour, 2);
    out += ':';
    append_number(out, micros / kMinute % 60, 2);
    out += ':';
    append_number(out, micros / kSecond % 60, 2);
    const std::int64_t fraction = micros % kSecond;
    if (fraction == 0) return;
    out += '.';
    append_number(out, fraction, 6);
    while (out.back() == '0')
        out.pop_back();
}

// Splits toward the past: the second part is in [0, unit).
std::int64_t floor_divide(std::int64_t value, std::int64_t unit, std::int64_t* rest) noexcept {
    std::int64_t quotient = value / unit;
    *rest = value % unit;
    if (*rest < 0) {
        *rest += unit;
        --quotient;
    }
    return quotient;
}

class MonotonicClock final : public Clock {
  public:
    std::int64_t now_ms() noexcept override {
        timespec now{};
        clock_gettime(CLOCK_MONOTONIC, &now);
        return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1000000;
    }
};

} // namespace

TimeParse parse_timestamp(std::string_view text, Micros* out) noexcept {
    Stamp stamp;
    const TimeParse result = read_stamp(text, &stamp);
    if (result == TimeParse::Ok) *out = stamp.days * kDay + stamp.micros;
    return result;
}

TimeParse parse_http_date(std::string_view text, Micros* out) noexcept {
    constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
    if (text.empty()) return TimeParse::Empty;
    if (text.size() != 29 || text.substr(3, 2) != ", " || text.substr(25) != " GMT")
        return TimeParse::Bad;
    const std::size_t month = kMonths.find(text.substr(8, 3));
    if (month == kMonths.npos || month % 3 != 0) return TimeParse::Bad;
    Civil date;
    date.month = static_cast<int>(month) / 3 + 1;
    int year = 0;
    std::int64_t time = 0;
    Reader in(text.substr(5, 20));
    if (!in.number(2, &date.day) || !in.literal(' ')) return TimeParse::Bad;
    in = Reader(text.substr(11, 14));
    if (!in.literal(' ') || !in.number(4, &year) || !in.literal(' ') ||
        !read_time(in, 23, true, &time) || !in.done())
        return TimeParse::Bad;
    date.year = year;
    if (year < 1 || date.day < 1 || date.day > days_in_month(year, date.month))
        return TimeParse::Bad;
    *out = days_of(date) * kDay + time;
    return TimeParse::Ok;
}

TimeParse parse_date(std::string_view text, Days* out) noexcept {
    Stamp stamp;
    const TimeParse result = read_stamp(text, &stamp);
    if (result == TimeParse::Ok) *out = static_cast<Days>(stamp.days);
    return result;
}

TimeParse parse_time_of_day(std::string_view text, std::int64_t* out) noexcept {
    if (text.empty()) return TimeParse::Empty;
    Reader in(text);
    std::int64_t micros = 0;
    if (!read_time(in, 24, false, &micros) || !in.done() || micros > kDay) return TimeParse::Bad;
    *out = micros;
    return TimeParse::Ok;
}

// At the very ends of int64 the whole second beyond cannot be expressed; the nearest one inside is
// returned.
Micros floor_to_second(Micros t) noexcept {
    std::int64_t rest = 0;
    floor_divide(t, kSecond, &rest);
    return t < std::numeric_limits<Micros>::min() + rest ? t + (kSecond - rest) : t - rest;
}

Micros ceil_to_second(Micros t) noexcept {
    std::int64_t rest = 0;
    floor_divide(t, kSecond, &rest);
    if (rest == 0) return t;
    const std::int64_t up = kSecond - rest;
    return t > std::numeric_limits<Micros>::max() - up ? t - rest : t + up;
}

std::string format_utc_seconds(Micros t) {
    constexpr std::int64_t kFirstDay = -730119;             // 0001-01-01
    constexpr std::int64_t kLastMicro = 2921940 * kDay - 1; // the end of 9999-12-31
    if (t < kFirstDay * kDay) t = kFirstDay * kDay;
    if (t > kLastMicro) t = kLastMicro;
    std::int64_t micros = 0;
    const std::int64_t days = floor_divide(t, kDay, &micros);
    std::string out;
    append_date(out, days);
    out += 'T';
    append_time(out, micros - micros % kSecond);
    out += 'Z';
    return out;
}

std::string format_timestamp(Micros t) {
    std::int64_t micros = 0;
    const std::int64_t days = floor_divide(t, kDay, &micros);
    std::string out;
    const bool before_christ = append_date(out, days);
    out += ' ';
    append_time(out, micros);
    out += "+00";
    if (before_christ) out += " BC";
    return out;
}

std::string format_date(Days d) {
    std::string out;
    if (append_date(out, d)) out += " BC";
    return out;
}

std::string format_time_of_day(std::int64_t micros) {
    if (micros < 0) micros = 0;
    if (micros > kDay) micros = kDay;
    std::string out;
    append_time(out, micros);
    return out;
}

// Built in place and never destroyed: the library has no static destructors.
Clock& monotonic_clock() noexcept {
    alignas(MonotonicClock) static unsigned char storage[sizeof(MonotonicClock)];
    static Clock* clock = nullptr;
    if (clock == nullptr) clock = ::new (static_cast<void*>(storage)) MonotonicClock;
    return *clock;
}

std::int64_t unix_micros() noexcept {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    return static_cast<std::int64_t>(now.tv_sec) * kSecond + now.tv_nsec / 1000;
}

} // namespace pipedrive
