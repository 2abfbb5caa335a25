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
