// What surrounds the rows of an answer: whether it succeeded, and where the next page is.
//
// An answer ends a list only by saying so, or by saying nothing at all. What is neither an end nor
// a continuation that can be followed is an error, as rows would be missing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/catalog/entities.h"
#include "core/wire/tape.h"

namespace pipedrive {

// What tells that there are more rows, in whatever place it stands.
inline constexpr std::string_view kEndWords[] = {"next_cursor", "next_start", "next_page",
                                                 "has_more", "more_items_in_collection"};

// What an answer says of the list's end.
struct ListEnd {
    enum class Says : std::uint8_t { Nothing, End, More };
    Says says = Says::Nothing;
    std::string cursor; // of the next page; empty: there is none, or it is not asked for so
};

// From `additional`, the value of "additional_data". More comes only where the list's paging has a
// way to ask for it. Throws Error{Malformed}.
ListEnd list_end(JsonValue additional, Paging paging, std::string_view subject);

// What Error{Malformed} says of an answer whose "success" is there and not true; `error` is the
// API's own word.
std::string failure_detail(bool is_false, std::string_view error);

} // namespace pipedrive
