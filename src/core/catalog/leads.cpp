// Leads. v1 has them, in pages by offset; their custom fields are those of deals, written flat.
#include "core/catalog/rows.h"

namespace pipedrive {
namespace {

constexpr Column kLeadColumns[] = {
    {"id", "id", Uuid, Always, "Lead id"},
    {"title", "title", Text, Always, "Title of the lead"},
    {"value",
     "value",
     Number,
     Always,
     "Value; NULL when none was given",
     Source::Field,
     {},
     "amount"},
    {"currency", "value", Text, Always, "Currency of value, ISO 4217", Source::Field, "currency",
     "currency"},
    {"person_id", "person_id", Int, Always, "Contact person, see persons.id"},
    {"organization_id", "organization_id", Int, Always, "Organization, see organizations.id"},
    {"owner_id", "owner_id", Int, Always, "Owner, see users.id"},
    {"creator_id", "creator_id", Int, Always, "User who created the lead, see users.id"},
    {"label_ids", "label_ids", UuidArray, Always, "Ids of the lead's labels, see lead_labels.id"},
    {"expected_close_date", "expected_close_date", Date, Always, "Expected close date"},
    {"next_activity_id", "next_activity_id", Int, Always, "Next activity, see activities.id"},
    {"was_seen", "was_seen", Bool, Always, "Whether somebody of the company has looked at it"},
    {"source_name", "source_name", Text, Always, "Where the lead came from, see lead_sources.name"},
    {"source_deal_id", "source_deal_id", Int, Always,
     "Deal that the lead was made of, see deals.id"},
    {"origin", "origin", Text, Always, "How the lead was created, e.g. ManuallyCreated or API"},
    {"origin_id", "origin_id", Text, Always, "Optional id given with the origin"},
    {"channel", "channel", Int, Always, "Option id of the marketing channel"},
    {"channel_id", "channel_id", Text, Always, "Optional id given with the channel"},
    {"is_archived", "is_archived", Bool, Always,
     "Whether the lead is archived; decides which list is read", Source::Endpoint},
    {"archive_time", "archive_time", Timestamp, Always, "Time when the lead was archived"},
    {"add_time", "add_time", Timestamp, Always, "Time of creation"},
    {"update_time", "update_time", Timestamp, Always, "Time of the last change"},
    {"visible_to", "visible_to", Int, Always, "Visibility group: 1, 3, 5 or 7"},
    {"cc_email", "cc_email", Text, Always, "Address that puts a copy of an e-mail to the lead"},
    {"custom_fields", "custom_fields", Json, Always,
     "Custom fields that are set, by field code, as the API sends them"},
};

constexpr Filter kLeadFilters[] = {
    {.column = "id",
     .kind = FilterKind::Uuids,
     .parameter = "(path)",
     .best = kExact,
     .selects = 1,
     .reason =
         "Each id is one record by its path; one that is not found so is looked for in the lists."},
    equal_filter("owner_id", 0.05),
    equal_filter("person_id", 2),
    equal_filter("organization_id", 2),
    archived_filter(),
    {.column = "update_time",
     .kind = FilterKind::Window,
     .parameter = "updated_since",
     .best = kSuperset,
     .selects = 0.1,
     .reason =
         "updated_since is inclusive, in whole seconds: the bound is widened to them; an upper "
         "bound is checked here. The archived list does not take it, and is read by update_time, "
         "newest first, until a row is older, as long as its rows come in that order."},
    newest_v1_filter(),
};

constexpr std::string_view kNoWindow[] = {"updated_since"};
constexpr Endpoint kLeadEndpoints[] = {
    {.path = "/v1/leads",
     .tokens = 20,
     .paging = Paging::Offset,
     .max_limit = 500,
     .shape = Shape::Flat,
     .sorting = Sorting::ByWord,
     .order = "id",
     .single = {.tokens = 2, .bare = true}},
    {.path = "/v1/leads/archived",
     .tokens = 40,
     .paging = Paging::Offset,
     .max_limit = 500,
     .shape = Shape::Flat,
     .sorting = Sorting::ByWord,
     .order = "id",
     .archived = true,
     .without = kNoWindow},
};

constexpr Entity kEntities[] = {
    {
        .name = "leads",
        .comment = "Leads, archived ones included",
        .endpoints = kLeadEndpoints,
        .columns = kLeadColumns,
        .filters = kLeadFilters,
        .key_kind = KeyKind::Uuid,
        .definitions_path = "/api/v2/dealFields",
        .definitions_tokens = 10,
        .webhook = {.object = "lead"},
    },
};

} // namespace

constinit const std::span<const Entity> kLeadFamily = kEntities;

} // namespace pipedrive
