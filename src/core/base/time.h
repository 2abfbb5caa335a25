// Time without a time zone database: RFC 3339 and Pipedrive's older forms to and from integers.
//
// All instants are microseconds since 2000-01-01 00:00:00 UTC, all dates days since 2000-01-01 (the
// epoch of PostgreSQL, so the glue copies the number). Nothing here reads a locale, a zone setting
// or the wall clock.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pipedrive {

// Since 2000-01-01T00:00:00Z.
using Micros = std::int64_t;
// Since 2000-01-01.
using Days = std::int32_t;
inline constexpr Micros kSecond = 1000000;

// Ok: *out is set. Empty: the API's ways to say "no value": "" and zero dates in any spelling
// ("0000-00-00", "0000-00-00T00:00:00Z", "-0001-11-30T00:00:00+00:00"). Bad: none of these.
enum class TimeParse : std::uint8_t { Ok, Empty, Bad };

// "2026-04-01T19:00:38Z", ".123Z" (1 to 9 digits, cut to microseconds), "+02:00", "T" or blank
// between date and time; without an offset the instant is UTC by contract of the v1 API.
// "2026-04-01" alone is midnight UTC. Years 0001 to 9999; second 60 is read as the next minute's 0;
// impossible dates are Bad. Never throws.
TimeParse parse_timestamp(std::string_view text, Micros* out) noexcept;

// "2026-04-01"; a timestamp form is accepted and its date part (as written) taken. Never throws.
TimeParse parse_date(std::string_view text, Days* out) noexcept;

// "HH:MM", "HH:MM:SS", "HH:MM:SS.ffffff", 00:00 to 24:00:00, to microseconds since midnight. Never
// throws.
TimeParse parse_time_of_day(std::string_view text, std::int64_t* out) noexcept;

// "Wed, 25 Nov 2026 08:32:25 GMT", the one form of HTTP's Date that servers write. Never throws.
TimeParse parse_http_date(std::string_view text, Micros* out) noexcept;

// Rounds toward the past / the future to a whole second (exact for negative values too).
Micros floor_to_second(Micros t) noexcept;
Micros ceil_to_second(Micros t) noexcept;

// "2026-04-01T19:00:38Z"; fractions are cut toward the past. Years outside 0001..9999 are clamped
// to that range.
std::string format_utc_seconds(Micros t);
// "2026-04-01 19:00:38.5+00", "2026-04-01", "19:00:38.5": PostgreSQL's ISO forms, for columns
// declared as text.
std::string format_timestamp(Micros t);
std::string format_date(Days d);
std::string format_time_of_day(std::int64_t micros);

// Milliseconds of a monotonic clock. The real one reads CLOCK_MONOTONIC; tests drive their own.
struct Clock {
    virtual ~Clock() = default;
    virtual std::int64_t now_ms() noexcept = 0;
};
Clock& monotonic_clock() noexcept;

// Microseconds since 1970 by the machine's clock; only for telling how old stored things are.
std::int64_t unix_micros() noexcept;

} // namespace pipedrive
