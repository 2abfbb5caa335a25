// Notes, each with whatever it was written about.
#include "core/catalog/rows.h"

namespace pipedrive {
namespace {

constexpr Column kNoteColumns[] = {
    {"id", "id", Int, Always, "Note id"},
    {"content", "content", Text, Always, "Text of the note, HTML"},
    {"user_id", "user_id", Int, Always, "User who wrote it, see users.id"},
    {"deal_id", "deal_id", Int, Always, "Deal, see deals.id"},
    {"person_id", "person_id", Int, Always, "Person, see persons.id"},
    {"org_id", "org_id", Int, Always, "Organization, see organizations.id"},
    {"lead_id", "lead_id", Uuid, Always, "Lead, see leads.id"},
    {"project_id", "project_id", Int, Always, "Project"},
    {"task_id", "task_id", Int, Always, "Task of a project"},
    {"add_time", "add_time", Timestamp, Always, "Time of creation"},
    {"update_time", "update_time", Timestamp, Always, "Time of the last change"},
    {"active_flag", "active_flag", Bool, Always, "False when the note is deleted"},
    {"pinned_to_deal_flag", "pinned_to_deal_flag", Bool, Always,
     "Whether it is pinned to the deal"},
    {"pinned_to_person_flag", "pinned_to_person_flag", Bool, Always,
     "Whether it is pinned to the person"},
    {"pinned_to_organization_flag", "pinned_to_organization_flag", Bool, Always,
     "Whether it is pinned to the organization"},
    {"pinned_to_lead_flag", "pinned_to_lead_flag", Bool, Always,
     "Whether it is pinned to the lead"},
    {"pinned_to_project_flag", "pinned_to_project_flag", Bool, Always,
     "Whether it is pinned to the project"},
    {"pinned_to_task_flag", "pinned_to_task_flag", Bool, Always,
     "Whether it is pinned to the task"},
    {"last_update_user_id", "last_update_user_id", Int, Always,
     "User who changed it last, see users.id"},
};

constexpr std::string_view kNumbers[] = {"0", "1"};
constexpr Filter pinned_filter(std::string_view column) {
    return {.column = column,
            .kind = FilterKind::Flag,
            .parameter = column,
            .best = kExact,
            .selects = 0.5,
            .reason = "The parameter selects the notes with this state of pinning, 0 or 1.",
            .words = kNumbers};
}

constexpr Filter kNoteFilters[] = {
    {.column = "id",
     .kind = FilterKind::Ids,
     .parameter = "(path)",
     .best = kExact,
     .selects = 1,
     .reason =
         "Each id is one record by its path; one that is not found so is looked for in the list."},
    equal_filter("user_id", 0.05),
    equal_filter("deal_id", 2),
    equal_filter("person_id", 2),
    equal_filter("org_id", 2),
    {.column = "lead_id",
     .kind = FilterKind::EqualUuid,
     .parameter = "lead_id",
     .best = kExact,
     .selects = 2,
     .reason = kEqualReason},
    equal_filter("project_id", 2),
    equal_filter("task_id", 2),
    pinned_filter("pinned_to_deal_flag"),
    pinned_filter("pinned_to_person_flag"),
    pinned_filter("pinned_to_organization_flag"),
    pinned_filter("pinned_to_lead_flag"),
    pinned_filter("pinned_to_project_flag"),
    pinned_filter("pinned_to_task_flag"),
    since_filter(),
    newest_v1_filter(),
};

constexpr Endpoint kNoteEndpoints[] = {
    {.path = "/v1/notes",
     .tokens = 20,
     .paging = Paging::Offset,
     .max_limit = 500,
     .sorting = Sorting::ByWord,
     .order = "id",
     .single = {.tokens = 2, .bare = true}},
};

constexpr Entity kEntities[] = {
    {
        .name = "notes",
        .comment = "Notes",
        .endpoints = kNoteEndpoints,
        .columns = kNoteColumns,
        .filters = kNoteFilters,
        .deleted = {.field = "active_flag", .value = false},
        .webhook = {.object = "note"},
        .guessed_rows = 5000,
    },
};

} // namespace

constinit const std::span<const Entity> kNoteFamily = kEntities;

} // namespace pipedrive
