#include "core/wire/envelope.h"

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

void check_places(JsonValue additional, std::string_view subject) {
    const JsonValue block = additional.member("pagination");
    for (std::string_view word : kEndWords) {
        if (word != "next_cursor" && says_more(additional.member(word)))
            unread(subject, word, additional.member(word));
        if (word != "next_start" && word != "more_items_in_collection" &&
            says_more(block.member(word)))
            unread(subject, word, block.member(word));
    }
}

// v1's pagination block: whether rows are left that this answer does not have.
bool more_items(JsonValue additional, std::string_view subject) {
    const JsonValue block = additional.member("pagination");
    if (says_nothing(block)) return false;
    if (!block.is(Tok::Object)) unread(subject, "pagination", block);
    const JsonValue more = block.member("more_items_in_collection");
    if (more.is_null()) return !block.member("next_start").is_null();
    if (!more.is(Tok::True) && !more.is(Tok::False))
        unread(subject, "more_items_in_collection", more);
    return more.is(Tok::True);
}

} // namespace

std::string next_cursor(JsonValue additional, bool paged, std::string_view subject) {
    if (says_nothing(additional)) return {};
    if (!additional.is(Tok::Object)) unread(subject, "additional_data", additional);
    const JsonValue cursor = additional.member("next_cursor");
    if (!cursor.is_null() &&
        (!cursor.is(Tok::String) || cursor.text().find(kHalf) != std::string::npos))
        unread(subject, "next_cursor", cursor);
    check_places(additional, subject);
    const bool more = more_items(additional, subject);
    if (cursor.text().empty() ? more : !paged)
        throw Error(ErrorKind::Malformed, std::string(subject),
                    "The answer says that there are more rows, and gives no way to ask for them.");
    return std::string(cursor.text());
}

std::string failure_detail(bool is_false, std::string_view error) {
    std::string detail = is_false ? "The API answered \"success\": false"
                                  : "The API did not answer \"success\": true";
    if (!error.empty()) detail += ": " + excerpt(error);
    return detail;
}

} // namespace pipedrive
