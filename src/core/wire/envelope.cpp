#include "core/wire/envelope.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/text.h"

namespace pipedrive {
namespace {

[[noreturn]] void unread(std::string_view subject, std::string_view key, JsonValue v) {
    std::string json;
    v.write(&json);
    throw Error(ErrorKind::Malformed, std::string(subject),
                "\"" + std::string(key) + "\" is " + excerpt(json, 80) +
                    ", which is neither an end of the list nor a continuation.");
}

// {} as some languages write it is [].
bool says_nothing(JsonValue v) {
    bool any = false;
    v.each_element([&](JsonValue) { any = true; });
    return v.is_null() || (v.is(Tok::Array) && !any);
}

// Words with which APIs say that there is more, in a place where this one's documents have none.
bool says_more(JsonValue v) {
    return !v.is_null() && !v.is(Tok::False) && !(v.is(Tok::String) && v.text().empty());
}

// v1's block, or v1's words beside one another where there is none.
bool is_word_of_v1(std::string_view word) {
    return word == "next_start" || word == "more_items_in_collection";
}

void check_places(JsonValue additional, Paging paging, std::string_view subject) {
    const JsonValue block = additional.member("pagination");
    for (std::string_view word : kEndWords) {
        const bool here = paging == Paging::Offset ? is_word_of_v1(word) : word == "next_cursor";
        if (!here && says_more(additional.member(word)))
            unread(subject, word, additional.member(word));
        if (!is_word_of_v1(word) && says_more(block.member(word)))
            unread(subject, word, block.member(word));
    }
}

// Whether rows are left that this answer does not have, by v1's words in one place.
ListEnd::Says word_of_v1(JsonValue place, std::string_view subject) {
    const JsonValue more = place.member("more_items_in_collection");
    if (more.is(Tok::True)) return ListEnd::Says::More;
    if (more.is_null())
        return place.member("next_start").is_null() ? ListEnd::Says::Nothing : ListEnd::Says::More;
    if (!more.is(Tok::False)) unread(subject, "more_items_in_collection", more);
    return ListEnd::Says::End;
}

// A word for more weighs more than one for the end.
ListEnd::Says end_of_v1(JsonValue additional, Paging paging, std::string_view subject) {
    const JsonValue block = additional.member("pagination");
    if (!says_nothing(block) && !block.is(Tok::Object)) unread(subject, "pagination", block);
    const ListEnd::Says nested = word_of_v1(block, subject);
    const ListEnd::Says flat =
        paging == Paging::Offset ? word_of_v1(additional, subject) : ListEnd::Says::Nothing;
    return std::max(nested, flat);
}

} // namespace

ListEnd list_end(JsonValue additional, Paging paging, std::string_view subject) {
    ListEnd end;
    if (says_nothing(additional)) return end;
    if (!additional.is(Tok::Object)) unread(subject, "additional_data", additional);
    const JsonValue cursor = additional.member("next_cursor");
    if (!cursor.is_null() &&
        (!cursor.is(Tok::String) || cursor.text().find(kHalf) != std::string::npos))
        unread(subject, "next_cursor", cursor);
    check_places(additional, paging, subject);
    end.says = end_of_v1(additional, paging, subject);
    end.cursor = cursor.text();
    if (end.cursor.empty() ? end.says == ListEnd::Says::More && paging != Paging::Offset
                           : paging != Paging::Cursor)
        throw Error(ErrorKind::Malformed, std::string(subject),
                    "The answer says that there are more rows, and gives no way to ask for them.");
    if (!end.cursor.empty()) end.says = ListEnd::Says::More;
    return end;
}

std::string failure_detail(bool is_false, std::string_view error) {
    std::string detail = is_false ? "The API answered \"success\": false"
                                  : "The API did not answer \"success\": true";
    if (!error.empty()) detail += ": " + excerpt(error);
    return detail;
}

} // namespace pipedrive
