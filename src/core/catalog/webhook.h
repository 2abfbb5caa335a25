// The events of an entity: what they call it, and how their records differ from those of its lists.
//
// A row says what one key of an event's record means. Where there is no row, a key is the list's
// key of the same name; a key that is no column of the list says nothing.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace pipedrive {

enum class EventRule : std::uint8_t {
    Rename,   // the same value by another name
    Not,      // the opposite, as true and false, 1 and 0, or text: active_flag of is_deleted
    OneOf,    // one label of perhaps several: all it says for certain is that there is none
    Ids,      // an array of ids, or "1,2"; null and "" are none
    Address,  // an address in keys of its own: address, address_country, address_route, ...
    Drop,     // something else than the list's
    DropNull, // null is not the list's null
    Count_
};

// Of the payload.
enum class EventVersion : std::uint8_t { One, Two, Any };

struct EventField {
    // In the event's record.
    std::string_view key;
    EventRule rule;
    // What it is in the list. A record that has the list's own key too says it by that one.
    std::string_view field = {};
    EventVersion version = EventVersion::Any;
};

struct Webhook {
    // Empty: nothing is sent about it.
    std::string_view object = {};
    // Of two rows that say the same field the last one that can be read counts.
    std::span<const EventField> fields = {};
};

} // namespace pipedrive
