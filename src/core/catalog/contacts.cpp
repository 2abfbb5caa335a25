// Persons and organizations.
#include "core/catalog/rows.h"

namespace pipedrive {
namespace {

constexpr Column kPersonColumns[] = {
    {"id", "id", Int, Always, "Person id"},
    {"name", "name", Text, Always, "Full name"},
    {"first_name", "first_name", Text, Always, "First name"},
    {"last_name", "last_name", Text, Always, "Last name"},
    {"email", "emails", Primary, Always, "Primary e-mail address", Source::Field, "primary"},
    {"phone", "phones", Primary, Always, "Primary phone number", Source::Field, "primary"},
    {"emails", "emails", Json, Always, "E-mail addresses: array of {value, primary, label}"},
    {"phones", "phones", Json, Always, "Phone numbers: array of {value, primary, label}"},
    {"org_id", "org_id", Int, Always, "Organization, see organizations.id"},
    {"owner_id", "owner_id", Int, Always, "Owner, see users.id"},
    {"add_time", "add_time", Timestamp, Always, "Time of creation"},
    {"update_time", "update_time", Timestamp, Always,
     "Time of the last change; NULL while the person was never changed"},
    {"label_ids", "label_ids", IntArray, Always, "Ids of the person's labels"},
    {"labels", "label_ids", LabelNames, Always, "Names of the person's labels", Source::Labels,
     "labels"},
    {"visible_to", "visible_to", Int, Always, "Visibility group: 1, 3, 5 or 7"},
    {"picture_id", "picture_id", Int, Always, "Picture id"},
    {"is_deleted", "is_deleted", Bool, Always, "Whether the person is deleted"},
    {"job_title", "job_title", Text, Listed, "Job title (accounts with contact sync)"},
    {"birthday", "birthday", Date, Listed, "Birthday (accounts with contact sync)"},
    {"notes", "notes", Text, Listed, "Notes from contact sync"},
    {"im", "im", Json, Listed,
     "Instant messengers: array of {value, primary, label} (accounts with contact sync)"},
    {"postal_address", "postal_address", Address, Listed,
     "Postal address in one line (accounts with contact sync)"},
    {"postal_address_parts", "postal_address", Json, Listed, "Postal address with its parts",
     Source::Field, "address"},
    {"next_activity_id", "next_activity_id", Int, kOpt, "Next activity, see activities.id"},
    {"last_activity_id", "last_activity_id", Int, kOpt, "Last activity, see activities.id"},
    {"open_deals_count", "open_deals_count", Int, kOpt, "Number of open deals"},
    {"related_open_deals_count", "related_open_deals_count", Int, kOpt,
     "Number of related open deals"},
    {"closed_deals_count", "closed_deals_count", Int, kOpt, "Number of closed deals"},
    {"related_closed_deals_count", "related_closed_deals_count", Int, kOpt,
     "Number of related closed deals"},
    {"participant_open_deals_count", "participant_open_deals_count", Int, kOpt,
     "Number of open deals as participant"},
    {"participant_closed_deals_count", "participant_closed_deals_count", Int, kOpt,
     "Number of closed deals as participant"},
    {"won_deals_count", "won_deals_count", Int, kOpt, "Number of won deals"},
    {"related_won_deals_count", "related_won_deals_count", Int, kOpt,
     "Number of related won deals"},
    {"lost_deals_count", "lost_deals_count", Int, kOpt, "Number of lost deals"},
    {"related_lost_deals_count", "related_lost_deals_count", Int, kOpt,
     "Number of related lost deals"},
    {"email_messages_count", "email_messages_count", Int, kOpt, "Number of e-mail messages"},
    {"activities_count", "activities_count", Int, kOpt, "Number of activities"},
    {"done_activities_count", "done_activities_count", Int, kOpt, "Number of activities done"},
    {"undone_activities_count", "undone_activities_count", Int, kOpt,
     "Number of activities not done"},
    {"files_count", "files_count", Int, kOpt, "Number of files"},
    {"notes_count", "notes_count", Int, kOpt, "Number of notes"},
    {"followers_count", "followers_count", Int, kOpt, "Number of followers"},
    {"last_incoming_mail_time", "last_incoming_mail_time", Timestamp, kOpt,
     "Time of the last incoming e-mail"},
    {"last_outgoing_mail_time", "last_outgoing_mail_time", Timestamp, kOpt,
     "Time of the last outgoing e-mail"},
    {"marketing_status", "marketing_status", Text, kOpt, "Marketing status"},
    {"doi_status", "doi_status", Text, kOpt, "Double opt-in status"},
    {"smart_bcc_email", "smart_bcc_email", Text, kOpt, "Smart BCC address of the person"},
    {"custom_fields", "custom_fields", Json, Always,
     "All custom fields as the API sends them, keys are field codes"},
};

constexpr Filter kPersonFilters[] = {
    ids_filter(),    equal_filter("owner_id", 0.05), equal_filter("org_id", 2), window_filter(),
    newest_filter(),
};

constexpr Endpoint kPersonEndpoints[] = {
    {.path = "/api/v2/persons",
     .tokens = 10,
     .paging = Paging::Cursor,
     .max_limit = 500,
     .sorting = Sorting::ByDirection,
     .batch = kIdsPerRequest,
     .custom_projection = true,
     .option_labels = true,
     .label_objects = true,
     .single = {.tokens = 1}},
};

constexpr Column kOrganizationColumns[] = {
    {"id", "id", Int, Always, "Organization id"},
    {"name", "name", Text, Always, "Name"},
    {"owner_id", "owner_id", Int, Always, "Owner, see users.id"},
    {"address", "address", Address, Always, "Address in one line"},
    {"address_parts", "address", Json, Always, "Address with its parts", Source::Field, "address"},
    {"add_time", "add_time", Timestamp, Always, "Time of creation"},
    {"update_time", "update_time", Timestamp, Always,
     "Time of the last change; NULL while the organization was never changed"},
    {"label_ids", "label_ids", IntArray, Always, "Ids of the organization's labels"},
    {"labels", "label_ids", LabelNames, Always, "Names of the organization's labels",
     Source::Labels, "labels"},
    {"visible_to", "visible_to", Int, Always, "Visibility group: 1, 3, 5 or 7"},
    {"is_deleted", "is_deleted", Bool, Always, "Whether the organization is deleted"},
    {"website", "website", Text, Listed, "Website"},
    {"linkedin", "linkedin", Text, Listed, "LinkedIn profile"},
    {"industry", "industry", Int, Listed, "Option id of the industry"},
    {"annual_revenue", "annual_revenue", Number, Listed, "Annual revenue"},
    {"employee_count", "employee_count", Int, Listed, "Number of employees"},
    {"next_activity_id", "next_activity_id", Int, kOpt, "Next activity, see activities.id"},
    {"last_activity_id", "last_activity_id", Int, kOpt, "Last activity, see activities.id"},
    {"open_deals_count", "open_deals_count", Int, kOpt, "Number of open deals"},
    {"related_open_deals_count", "related_open_deals_count", Int, kOpt,
     "Number of related open deals"},
    {"closed_deals_count", "closed_deals_count", Int, kOpt, "Number of closed deals"},
    {"related_closed_deals_count", "related_closed_deals_count", Int, kOpt,
     "Number of related closed deals"},
    {"won_deals_count", "won_deals_count", Int, kOpt, "Number of won deals"},
    {"related_won_deals_count", "related_won_deals_count", Int, kOpt,
     "Number of related won deals"},
    {"lost_deals_count", "lost_deals_count", Int, kOpt, "Number of lost deals"},
    {"related_lost_deals_count", "related_lost_deals_count", Int, kOpt,
     "Number of related lost deals"},
    {"email_messages_count", "email_messages_count", Int, kOpt, "Number of e-mail messages"},
    {"people_count", "people_count", Int, kOpt, "Number of persons"},
    {"activities_count", "activities_count", Int, kOpt, "Number of activities"},
    {"done_activities_count", "done_activities_count", Int, kOpt, "Number of activities done"},
    {"undone_activities_count", "undone_activities_count", Int, kOpt,
     "Number of activities not done"},
    {"files_count", "files_count", Int, kOpt, "Number of files"},
    {"notes_count", "notes_count", Int, kOpt, "Number of notes"},
    {"followers_count", "followers_count", Int, kOpt, "Number of followers"},
    {"smart_bcc_email", "smart_bcc_email", Text, kOpt, "Smart BCC address of the organization"},
    {"custom_fields", "custom_fields", Json, Always,
     "All custom fields as the API sends them, keys are field codes"},
};

constexpr Filter kOrganizationFilters[] = {
    ids_filter(),
    equal_filter("owner_id", 0.05),
    window_filter(),
    newest_filter(),
};

constexpr Endpoint kOrganizationEndpoints[] = {
    {.path = "/api/v2/organizations",
     .tokens = 10,
     .paging = Paging::Cursor,
     .max_limit = 500,
     .sorting = Sorting::ByDirection,
     .batch = kIdsPerRequest,
     .custom_projection = true,
     .option_labels = true,
     .label_objects = true,
     .single = {.tokens = 1}},
};

constexpr EventField kPersonEvents[] = {
    {.key = "email", .rule = EventRule::Rename, .field = "emails"},
    {.key = "phone", .rule = EventRule::Rename, .field = "phones"},
    {.key = "label", .rule = EventRule::OneOf, .field = "label_ids"},
    {.key = "active_flag", .rule = EventRule::Not, .field = "is_deleted"},
};

constexpr EventField kOrganizationEvents[] = {
    {.key = "label", .rule = EventRule::OneOf, .field = "label_ids"},
    {.key = "active_flag", .rule = EventRule::Not, .field = "is_deleted"},
    {.key = "address",
     .rule = EventRule::Address,
     .field = "address",
     .version = EventVersion::One},
};

constexpr Entity kEntities[] = {
    {
        .name = "persons",
        .comment = "Contact persons",
        .endpoints = kPersonEndpoints,
        .columns = kPersonColumns,
        .filters = kPersonFilters,
        .definitions_path = "/api/v2/personFields",
        .definitions_tokens = 10,
        .webhook = {.object = "person", .fields = kPersonEvents},
        .guessed_rows = 20000,
    },
    {
        .name = "organizations",
        .comment = "Organizations",
        .endpoints = kOrganizationEndpoints,
        .columns = kOrganizationColumns,
        .filters = kOrganizationFilters,
        .definitions_path = "/api/v2/organizationFields",
        .definitions_tokens = 10,
        .webhook = {.object = "organization", .fields = kOrganizationEvents},
        .guessed_rows = 10000,
    },
};

} // namespace

constinit const std::span<const Entity> kContactFamily = kEntities;

} // namespace pipedrive
