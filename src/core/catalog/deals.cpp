// Deals, and the deals that were deleted.
#include "core/catalog/rows.h"

namespace pipedrive {
namespace {

constexpr Column kDealColumns[] = {
    {"id", "id", Int, Always, "Deal id"},
    {"title", "title", Text, Always, "Title of the deal"},
    {"status", "status", Text, Always, "open, won or lost (deleted deals are not in the table)"},
    {"value", "value", Number, Always,
     "Value; the sum of the attached products where there are any"},
    {"currency", "currency", Text, Always, "Currency of value, ISO 4217"},
    {"pipeline_id", "pipeline_id", Int, Always, "Pipeline, see pipelines.id"},
    {"stage_id", "stage_id", Int, Always, "Stage, see stages.id"},
    {"person_id", "person_id", Int, Always, "Contact person, see persons.id"},
    {"org_id", "org_id", Int, Always, "Organization, see organizations.id"},
    {"owner_id", "owner_id", Int, Always, "Owner, see users.id"},
    {"creator_user_id", "creator_user_id", Int, Always, "User who created the deal, see users.id"},
    {"add_time", "add_time", Timestamp, Always, "Time of creation"},
    {"update_time", "update_time", Timestamp, Always,
     "Time of the last change; NULL while the deal was never changed"},
    {"stage_change_time", "stage_change_time", Timestamp, Always,
     "Time of the last change of stage"},
    {"expected_close_date", "expected_close_date", Date, Always, "Expected close date"},
    {"probability", "probability", Number, Always, "Probability of success in percent, 0 to 100"},
    {"lost_reason", "lost_reason", Text, Always, "Reason given when the deal was lost"},
    {"close_time", "close_time", Timestamp, Always, "Time when the deal was won or lost"},
    {"won_time", "won_time", Timestamp, Always, "Time when the deal was won"},
    {"lost_time", "lost_time", Timestamp, Always, "Time when the deal was lost"},
    {"local_won_date", "local_won_date", Date, Always,
     "Day when the deal was won, in the company's time zone"},
    {"local_lost_date", "local_lost_date", Date, Always,
     "Day when the deal was lost, in the company's time zone"},
    {"local_close_date", "local_close_date", Date, Always,
     "Day when the deal was closed, in the company's time zone"},
    {"label_ids", "label_ids", IntArray, Always, "Ids of the deal's labels"},
    {"labels", "label_ids", LabelNames, Always, "Names of the deal's labels", Source::Labels,
     "labels"},
    {"visible_to", "visible_to", Int, Always, "Visibility group: 1, 3, 5 or 7"},
    {"origin", "origin", Text, Always, "How the deal was created, e.g. ManuallyCreated or API"},
    {"origin_id", "origin_id", Text, Always, "Optional id given with the origin"},
    {"channel", "channel", Int, Always, "Option id of the marketing channel"},
    {"channel_id", "channel_id", Text, Always, "Optional id given with the channel"},
    {"acv", "acv", Number, Listed,
     "Annual contract value of recurring products; NULL without products"},
    {"arr", "arr", Number, Listed, "Annual recurring revenue; NULL without products"},
    {"mrr", "mrr", Number, Listed, "Monthly recurring revenue; NULL without products"},
    {"is_deleted", "is_deleted", Bool, Always, "Whether the deal is deleted"},
    {"is_archived", "is_archived", Bool, Always,
     "Whether the deal is archived; decides which list is read", Source::Endpoint},
    {"archive_time", "archive_time", Timestamp, Always, "Time when the deal was archived"},
    {"next_activity_id", "next_activity_id", Int, kOpt, "Next activity, see activities.id"},
    {"last_activity_id", "last_activity_id", Int, kOpt, "Last activity, see activities.id"},
    {"first_won_time", "first_won_time", Timestamp, kOpt, "Time when the deal was first won"},
    {"products_count", "products_count", Int, kOpt, "Number of products"},
    {"files_count", "files_count", Int, kOpt, "Number of files"},
    {"notes_count", "notes_count", Int, kOpt, "Number of notes"},
    {"followers_count", "followers_count", Int, kOpt, "Number of followers"},
    {"email_messages_count", "email_messages_count", Int, kOpt, "Number of e-mail messages"},
    {"activities_count", "activities_count", Int, kOpt, "Number of activities"},
    {"done_activities_count", "done_activities_count", Int, kOpt, "Number of activities done"},
    {"undone_activities_count", "undone_activities_count", Int, kOpt,
     "Number of activities not done"},
    {"participants_count", "participants_count", Int, kOpt, "Number of participants"},
    {"last_incoming_mail_time", "last_incoming_mail_time", Timestamp, kOpt,
     "Time of the last incoming e-mail"},
    {"last_outgoing_mail_time", "last_outgoing_mail_time", Timestamp, kOpt,
     "Time of the last outgoing e-mail"},
    {"smart_bcc_email", "smart_bcc_email", Text, kOpt, "Smart BCC address of the deal"},
    {"source_lead_id", "source_lead_id", Uuid, kOpt, "Lead that the deal was converted from"},
    {"custom_fields", "custom_fields", Json, Always,
     "All custom fields as the API sends them, keys are field codes"},
};

constexpr std::string_view kDealWords[] = {"open", "won", "lost"};
constexpr std::string_view kDealAbsentWords[] = {"deleted"};
constexpr Filter kDealFilters[] = {
    ids_filter(),
    {.column = "status",
     .kind = FilterKind::OneOf,
     .parameter = "status",
     .best = kExact,
     .selects = 0.34,
     .reason = "The list holds every deal whose status is one of the words; deleted deals are not "
               "rows of the table, so that word matches nothing.",
     .words = kDealWords,
     .absent_words = kDealAbsentWords},
    equal_filter("owner_id", 0.05),
    equal_filter("person_id", 2),
    equal_filter("org_id", 3),
    equal_filter("pipeline_id", 0.34),
    equal_filter("stage_id", 0.07),
    window_filter(),
    archived_filter(),
    newest_filter(),
};

constexpr Endpoint kDealEndpoints[] = {
    {.path = "/api/v2/deals",
     .tokens = 10,
     .paging = Paging::Cursor,
     .max_limit = 500,
     .sorting = Sorting::ByDirection,
     .batch = kIdsPerRequest,
     .custom_projection = true,
     .option_labels = true,
     .label_objects = true,
     .single = {.tokens = 1}},
    {.path = "/api/v2/deals/archived",
     .tokens = 20,
     .paging = Paging::Cursor,
     .max_limit = 500,
     .sorting = Sorting::ByDirection,
     .batch = kIdsPerRequest,
     .custom_projection = true,
     .archived = true},
};

constexpr FixedParameter kDeletedOnly[] = {{"status", "deleted"}};
// The archived list has those that were deleted while archived: they are in no other.
constexpr Endpoint kDeletedDealEndpoints[] = {
    {.path = "/api/v2/deals",
     .tokens = 10,
     .paging = Paging::Cursor,
     .max_limit = 500,
     .sorting = Sorting::ByDirection,
     .batch = kIdsPerRequest,
     .custom_projection = true,
     .option_labels = true,
     .label_objects = true,
     .fixed = kDeletedOnly},
    {.path = "/api/v2/deals/archived",
     .tokens = 20,
     .paging = Paging::Cursor,
     .max_limit = 500,
     .sorting = Sorting::ByDirection,
     .batch = kIdsPerRequest,
     .custom_projection = true,
     .archived = true,
     .fixed = kDeletedOnly},
};

constexpr Filter kDeletedDealFilters[] = {
    ids_filter(),
    archived_filter(),
    window_filter(),
};

constexpr EventField kDealEvents[] = {
    {.key = "user_id", .rule = EventRule::Rename, .field = "owner_id"},
    {.key = "label", .rule = EventRule::Ids, .field = "label_ids"},
    {.key = "deleted", .rule = EventRule::Rename, .field = "is_deleted"},
};

constexpr std::string_view kDealHistories[] = {"stage_id", "owner_id"};

constexpr Entity kEntities[] = {
    {
        .name = "deals",
        .comment = "Deals, archived ones included",
        .endpoints = kDealEndpoints,
        .columns = kDealColumns,
        .filters = kDealFilters,
        .definitions_path = "/api/v2/dealFields",
        .definitions_tokens = 10,
        .webhook = {.object = "deal", .fields = kDealEvents},
        .guessed_rows = 20000,
        .deleted_list = "deleted_deals",
        .changelog = "/v1/deals/{id}/changelog",
        .histories = kDealHistories,
    },
    {
        .name = "deleted_deals",
        .comment = "Deals deleted in the last 30 days (only with LIMIT TO)",
        .endpoints = kDeletedDealEndpoints,
        .columns = kDealColumns,
        .filters = kDeletedDealFilters,
        .definitions_path = "/api/v2/dealFields",
        .definitions_tokens = 10,
        .guessed_rows = 500,
        .imported = false,
        .mirrored = false,
    },
};

} // namespace

constinit const std::span<const Entity> kDealFamily = kEntities;

} // namespace pipedrive
