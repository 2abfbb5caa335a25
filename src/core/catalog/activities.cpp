// Activities.
#include "core/catalog/rows.h"

namespace pipedrive {
namespace {

constexpr Column kActivityColumns[] = {
    {"id", "id", Int, Always, "Activity id"},
    {"subject", "subject", Text, Always, "Subject"},
    {"type", "type", Text, Always, "Key of the activity type, e.g. call or meeting"},
    {"done", "done", Bool, Always, "Whether the activity is done"},
    {"due_date", "due_date", Date, Always, "Due date (UTC)"},
    {"due_time", "due_time", TimeOfDay, Always,
     "Due time (UTC); NULL for an activity of the whole day"},
    {"duration", "duration", Duration, Always, "Duration"},
    {"owner_id", "owner_id", Int, Always, "Owner, see users.id"},
    {"creator_user_id", "creator_user_id", Int, Always,
     "User who created the activity, see users.id"},
    {"deal_id", "deal_id", Int, Always, "Deal, see deals.id"},
    {"lead_id", "lead_id", Uuid, Always, "Lead"},
    {"person_id", "person_id", Int, Always, "Primary participant, see persons.id"},
    {"org_id", "org_id", Int, Always, "Organization, see organizations.id"},
    {"project_id", "project_id", Int, Always, "Project"},
    {"add_time", "add_time", Timestamp, Always, "Time of creation"},
    {"update_time", "update_time", Timestamp, Always, "Time of the last change"},
    {"marked_as_done_time", "marked_as_done_time", Timestamp, Always,
     "Time when the activity was marked as done"},
    {"busy", "busy", Bool, Always, "Whether it blocks the calendar"},
    {"location", "location", Address, Always, "Location in one line"},
    {"location_address", "location", Json, Always, "Location with its address parts", Source::Field,
     "address"},
    {"participants", "participants", Json, Always, "Participants: array of {person_id, primary}"},
    {"attendees", "attendees", Json, kOpt,
     "Attendees: array of {email, name, status, is_organizer, person_id, user_id}"},
    {"conference_meeting_client", "conference_meeting_client", Text, Always, "Conference client"},
    {"conference_meeting_url", "conference_meeting_url", Text, Always, "Conference link"},
    {"conference_meeting_id", "conference_meeting_id", Text, Always, "Conference id"},
    {"public_description", "public_description", Text, Always, "Description that attendees see"},
    {"priority", "priority", Int, Always, "Option id of the priority"},
    {"note", "note", Text, Always, "Note (HTML)"},
    {"is_deleted", "is_deleted", Bool, Always, "Whether the activity is deleted"},
};

constexpr Filter kActivityFilters[] = {
    ids_filter(),
    equal_filter("owner_id", 0.05),
    equal_filter("deal_id", 3),
    equal_filter("person_id", 3,
                 "Parameter and column both mean the primary participant; other participants are "
                 "only in the "
                 "column participants."),
    equal_filter("org_id", 5),
    {.column = "done",
     .kind = FilterKind::Flag,
     .parameter = "done",
     .best = kExact,
     .selects = 0.5,
     .reason = kEqualReason},
    window_filter(),
    newest_filter(),
};

constexpr Endpoint kActivityEndpoints[] = {
    {.path = "/api/v2/activities",
     .tokens = 10,
     .paging = Paging::Cursor,
     .max_limit = 500,
     .sorting = Sorting::ByDirection,
     .batch = kIdsPerRequest,
     .single = {.tokens = 1}},
};

constexpr EventField kActivityEvents[] = {
    {.key = "user_id", .rule = EventRule::Rename, .field = "owner_id"},
    {.key = "created_by_user_id", .rule = EventRule::Rename, .field = "creator_user_id"},
    {.key = "busy_flag", .rule = EventRule::Rename, .field = "busy"},
    {.key = "active_flag", .rule = EventRule::Not, .field = "is_deleted"},
    {.key = "location",
     .rule = EventRule::Address,
     .field = "location",
     .version = EventVersion::One},
    {.key = "participants", .rule = EventRule::Drop, .version = EventVersion::One},
    {.key = "attendees", .rule = EventRule::Drop, .version = EventVersion::One},
};

constexpr Entity kEntities[] = {
    {
        .name = "activities",
        .comment = "Activities: calls, meetings, tasks and others",
        .endpoints = kActivityEndpoints,
        .columns = kActivityColumns,
        .filters = kActivityFilters,
        .webhook = {.object = "activity", .fields = kActivityEvents},
        .guessed_rows = 50000,
    },
};

} // namespace

constinit const std::span<const Entity> kActivityFamily = kEntities;

} // namespace pipedrive
