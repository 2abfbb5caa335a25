// Small text tools: UTF-8 boundaries, nearest names, percent encoding, excerpts for error details.
// Knows nothing of entities, HTTP or PostgreSQL.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace pipedrive {

// The longest prefix of s of at most max_bytes that does not cut a UTF-8 sequence.
std::string_view utf8_prefix(std::string_view s, std::size_t max_bytes) noexcept;

// Decodes the code point at s[*i] and advances *i; an invalid byte yields U+FFFD and advances by
// one.
char32_t utf8_next(std::string_view s, std::size_t* i) noexcept;
void utf8_append(std::string& out, char32_t cp);
bool utf8_valid(std::string_view s) noexcept;

// The candidate nearest to `name` by Levenshtein distance, case folded (ASCII), or "" when none is
// near enough to be worth proposing (distance at most 1 + size/3, as a person would accept; an
// unfinished word counts as distance 1). Ties: the first.
std::string_view closest_name(std::string_view name, std::span<const std::string_view> candidates);

// RFC 3986 unreserved characters and ',' ':' stay, everything else becomes %XX (upper case).
std::string percent_encode(std::string_view s);
// What percent_encode made of a text; anything else stays as it is.
std::string percent_decode(std::string_view s);

// A single-line, printable excerpt for error details: control characters become blanks, runs of
// blanks are folded, invalid UTF-8 becomes '?', at most max_bytes at a character boundary, "…"
// appended when cut.
std::string excerpt(std::string_view s, std::size_t max_bytes = 512);

// True when s is a JSON-looking body (first byte that is not white space is '{' or '[').
bool looks_like_json(std::string_view s) noexcept;

} // namespace pipedrive
