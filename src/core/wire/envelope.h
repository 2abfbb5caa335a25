// What surrounds the rows of an answer: whether it succeeded, and where the next page is.
//
// An answer ends a list only by saying so, or by saying nothing at all. What is neither an end nor
// a continuation that can be followed is an error, as rows would be missing.
#pragma once

#include <string>
#include <string_view>

#include "core/wire/tape.h"

namespace pipedrive {

// What tells that there are more rows, in whatever place it stands.
inline constexpr std::string_view kEndWords[] = {"next_cursor", "next_start", "next_page",
                                                 "has_more", "more_items_in_collection"};

// The cursor in `additional`, the value of "additional_data"; empty: this was the last page. In a
// list that is not `paged` there can be no more. Throws Error{Malformed}.
std::string next_cursor(JsonValue additional, bool paged, std::string_view subject);

// What Error{Malformed} says of an answer whose "success" is there and not true; `error` is the
// API's own word.
std::string failure_detail(bool is_false, std::string_view error);

} // namespace pipedrive
