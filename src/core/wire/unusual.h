// JSON that is allowed, that some servers write and that RapidJSON refuses: half a surrogate pair,
// and numbers beyond a double. Respelled before the parser sees it, and taken back afterwards.
#pragma once

#include <string>
#include <string_view>

namespace pipedrive {

// The same JSON in a spelling that RapidJSON takes. What is not JSON stays none.
std::string respell_unusual(std::string_view json);

// Of a string of such JSON: whether it stands for a number, and which.
bool is_respelled_number(std::string_view text) noexcept;
std::string_view respelled_number(std::string_view text) noexcept;

// The string that was meant; halves of surrogate pairs are kHalf and four hexadecimal digits.
std::string respelled_text(std::string_view text);

} // namespace pipedrive
