// The rows. Facts: the published OpenAPI documents and recorded answers; every column but id may be
// NULL.
#include "core/catalog/entities.h"

#include "core/base/error.h"
#include "core/base/text.h"

namespace pipedrive {
namespace {

using enum Kind;
using enum Presence;
constexpr Presence kOpt = Optional;

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

constexpr Column kPipelineColumns[] = {
    {"id", "id", Int, Always, "Pipeline id"},
    {"name", "name", Text, Always, "Name"},
    {"order_nr", "order_nr", Int, Always, "Position among the pipelines"},
    {"is_deal_probability_enabled", "is_deal_probability_enabled", Bool, Always,
     "Whether deals have a probability"},
    {"is_deleted", "is_deleted", Bool, Always, "Whether the pipeline is deleted"},
    {"add_time", "add_time", Timestamp, Always, "Time of creation"},
    {"update_time", "update_time", Timestamp, Always,
     "Time of the last change; NULL while never changed"},
};

constexpr Column kStageColumns[] = {
    {"id", "id", Int, Always, "Stage id"},
    {"name", "name", Text, Always, "Name"},
    {"pipeline_id", "pipeline_id", Int, Always, "Pipeline, see pipelines.id"},
    {"order_nr", "order_nr", Int, Always, "Position in the pipeline"},
    {"deal_probability", "deal_probability", Number, Always,
     "Default probability of its deals in percent"},
    {"is_deal_rot_enabled", "is_deal_rot_enabled", Bool, Always,
     "Whether deals in the stage can rot"},
    {"days_to_rotten", "days_to_rotten", Int, Always, "Days until a deal in the stage rots"},
    {"is_deleted", "is_deleted", Bool, Always, "Whether the stage is deleted"},
    {"add_time", "add_time", Timestamp, Always, "Time of creation"},
    {"update_time", "update_time", Timestamp, Always,
     "Time of the last change; NULL while never changed"},
};

constexpr Column kUserColumns[] = {
    {"id", "id", Int, Always, "User id"},
    {"name", "name", Text, Always, "Name"},
    {"email", "email", Text, Always, "E-mail address"},
    {"phone", "phone", Text, Always, "Phone number"},
    {"active_flag", "active_flag", Bool, Always, "Whether the user is active"},
    {"activated", "activated", Bool, Always, "Whether the account was activated"},
    {"is_deleted", "is_deleted", Bool, Always, "Whether the user is deleted"},
    {"role_id", "role_id", Int, Always, "Role id"},
    {"default_currency", "default_currency", Text, Always, "Default currency, ISO 4217"},
    {"locale", "locale", Text, Always, "Locale, e.g. en_US"},
    {"lang", "lang", Int, Always, "Language id"},
    {"timezone_name", "timezone_name", Text, Always, "Time zone, e.g. Europe/Tallinn"},
    {"timezone_offset", "timezone_offset", Text, Always, "Offset of the time zone, e.g. +02:00"},
    {"last_login", "last_login", Timestamp, Always, "Time of the last login"},
    {"created", "created", Timestamp, Always, "Time of creation"},
    {"modified", "modified", Timestamp, Always, "Time of the last change"},
    {"has_created_company", "has_created_company", Bool, Always,
     "Whether the user created the company account"},
    {"access", "access", Json, Always, "Access rights: array of {app, admin, permission_set_id}"},
    {"icon_url", "icon_url", Text, Always, "Link to the user's icon"},
    {"is_you", "is_you", Bool, Always, "Whether the token belongs to this user"},
};

constexpr std::string_view kIdsReason =
    "The API answers with the rows of these ids and leaves out unknown ones without an error.";
constexpr std::string_view kEqualReason =
    "The parameter selects the rows whose field has this value.";
constexpr std::string_view kWindowReason =
    "updated_since is inclusive, updated_until exclusive, both in whole seconds: bounds are "
    "widened to them. The API may also "
    "return rows that were never changed (update_time is null).";
constexpr std::string_view kNewestReason =
    "The list is read newest first (sort_by=add_time, descending) until a row is older than the "
    "bound, as long as its rows come in that order; rows without add_time cannot satisfy it.";
constexpr Exactness kExact = Exactness::Exact, kSuperset = Exactness::Superset;

constexpr Filter kDealFilters[] = {
    {"id", FilterKind::Ids, "ids", kExact, 1, kIdsReason},
    {"status", FilterKind::OneOf, "status", kExact, 0.34,
     "The list holds every deal whose status is one of the words; deleted deals are not rows of "
     "the table, so that word matches nothing.",
     "open,won,lost", "deleted"},
    {"owner_id", FilterKind::Equal, "owner_id", kExact, 0.05, kEqualReason},
    {"person_id", FilterKind::Equal, "person_id", kExact, 2, kEqualReason},
    {"org_id", FilterKind::Equal, "org_id", kExact, 3, kEqualReason},
    {"pipeline_id", FilterKind::Equal, "pipeline_id", kExact, 0.34, kEqualReason},
    {"stage_id", FilterKind::Equal, "stage_id", kExact, 0.07, kEqualReason},
    {"update_time", FilterKind::Window, "updated_since, updated_until", kSuperset, 0.1,
     kWindowReason},
    {"is_archived", FilterKind::Endpoint, "(choice of list)", kExact, 0.1,
     "The column is by definition which of the two lists a row came from."},
    {"add_time", FilterKind::Newest, "sort_by, sort_direction", kSuperset, 0.1, kNewestReason},
};

constexpr Filter kPersonFilters[] = {
    {"id", FilterKind::Ids, "ids", kExact, 1, kIdsReason},
    {"owner_id", FilterKind::Equal, "owner_id", kExact, 0.05, kEqualReason},
    {"org_id", FilterKind::Equal, "org_id", kExact, 2, kEqualReason},
    {"update_time", FilterKind::Window, "updated_since, updated_until", kSuperset, 0.1,
     kWindowReason},
    {"add_time", FilterKind::Newest, "sort_by, sort_direction", kSuperset, 0.1, kNewestReason},
};

constexpr Filter kOrganizationFilters[] = {
    {"id", FilterKind::Ids, "ids", kExact, 1, kIdsReason},
    {"owner_id", FilterKind::Equal, "owner_id", kExact, 0.05, kEqualReason},
    {"update_time", FilterKind::Window, "updated_since, updated_until", kSuperset, 0.1,
     kWindowReason},
    {"add_time", FilterKind::Newest, "sort_by, sort_direction", kSuperset, 0.1, kNewestReason},
};

constexpr Filter kActivityFilters[] = {
    {"id", FilterKind::Ids, "ids", kExact, 1, kIdsReason},
    {"owner_id", FilterKind::Equal, "owner_id", kExact, 0.05, kEqualReason},
    {"deal_id", FilterKind::Equal, "deal_id", kExact, 3, kEqualReason},
    {"person_id", FilterKind::Equal, "person_id", kExact, 3,
     "Parameter and column both mean the primary participant; other participants are only in the "
     "column participants."},
    {"org_id", FilterKind::Equal, "org_id", kExact, 5, kEqualReason},
    {"done", FilterKind::Flag, "done", kExact, 0.5, kEqualReason},
    {"update_time", FilterKind::Window, "updated_since, updated_until", kSuperset, 0.1,
     kWindowReason},
    {"add_time", FilterKind::Newest, "sort_by, sort_direction", kSuperset, 0.1, kNewestReason},
};

constexpr Filter kStageFilters[] = {
    {"pipeline_id", FilterKind::Equal, "pipeline_id", kExact, 0.34, kEqualReason},
};

constexpr Endpoint kDealEndpoints[] = {
    {"/api/v2/deals", 10, Paging::Cursor, 500, true, true, true, false, {}, 1},
    {"/api/v2/deals/archived", 20, Paging::Cursor, 500, true, false, false, true},
};
constexpr Endpoint kDeletedDealEndpoints[] = {
    {"/api/v2/deals", 10, Paging::Cursor, 500, true, true, true, false, "status=deleted"},
    {"/api/v2/deals/archived", 20, Paging::Cursor, 500, true, false, false, true,
     "status=deleted"}, // deleted while archived: in no other list
};
constexpr Filter kDeletedDealFilters[] = {
    {"id", FilterKind::Ids, "ids", kExact, 1, kIdsReason},
    {"is_archived", FilterKind::Endpoint, "(choice of list)", kExact, 0.1,
     "The column is by definition which of the two lists a row came from."},
    {"update_time", FilterKind::Window, "updated_since, updated_until", kSuperset, 0.1,
     kWindowReason},
};
constexpr Endpoint kPersonEndpoints[] = {
    {"/api/v2/persons", 10, Paging::Cursor, 500, true, true, true, false, {}, 1}};
constexpr Endpoint kOrganizationEndpoints[] = {
    {"/api/v2/organizations", 10, Paging::Cursor, 500, true, true, true, false, {}, 1}};
constexpr Endpoint kActivityEndpoints[] = {
    {"/api/v2/activities", 10, Paging::Cursor, 500, false, false, false, false, {}, 1}};
constexpr Endpoint kPipelineEndpoints[] = {
    {"/api/v2/pipelines", 5, Paging::Cursor, 500, false, false, false, false}};
constexpr Endpoint kStageEndpoints[] = {
    {"/api/v2/stages", 5, Paging::Cursor, 500, false, false, false, false}};
// Without /api: on api.pipedrive.com some v1 paths exist only in this form.
constexpr Endpoint kUserEndpoints[] = {
    {"/v1/users", 20, Paging::None, 0, false, false, false, false}};

constexpr Entity kEntities[] = {
    {"deals", "Deals, archived ones included", kDealEndpoints, kDealColumns, kDealFilters,
     "/api/v2/dealFields", 10, 20000},
    {"deleted_deals", "Deals deleted in the last 30 days (only with LIMIT TO)",
     kDeletedDealEndpoints, kDealColumns, kDeletedDealFilters, "/api/v2/dealFields", 10, 500,
     false},
    {"persons", "Contact persons", kPersonEndpoints, kPersonColumns, kPersonFilters,
     "/api/v2/personFields", 10, 20000},
    {"organizations", "Organizations", kOrganizationEndpoints, kOrganizationColumns,
     kOrganizationFilters, "/api/v2/organizationFields", 10, 10000},
    {"activities",
     "Activities: calls, meetings, tasks and others",
     kActivityEndpoints,
     kActivityColumns,
     kActivityFilters,
     {},
     0,
     50000},
    {"pipelines", "Pipelines", kPipelineEndpoints, kPipelineColumns, {}, {}, 0, 5},
    {"stages", "Stages of the pipelines", kStageEndpoints, kStageColumns, kStageFilters, {}, 0, 30},
    {"users", "Users of the company account", kUserEndpoints, kUserColumns, {}, {}, 0, 50},
};

} // namespace

std::span<const Entity> entities() noexcept {
    return kEntities;
}

const Entity* find_entity(std::string_view name) noexcept {
    for (const Entity& entity : kEntities)
        if (entity.name == name) return &entity;
    return nullptr;
}

const Entity& require_entity(std::string_view name) {
    if (const Entity* entity = find_entity(name)) return *entity;
    std::vector<std::string_view> names;
    for (const Entity& entity : kEntities)
        names.push_back(entity.name);
    std::string hint;
    if (std::string_view near = closest_name(name, names); !near.empty())
        hint = "Perhaps you meant \"" + std::string(near) + "\".";
    throw Error(ErrorKind::UnknownEntity, std::string(name), {}, hint);
}

const Column* find_column(const Entity& entity, std::string_view field,
                          std::string_view subfield) noexcept {
    for (const Column& column : entity.columns)
        if (column.field == field && column.subfield == subfield) return &column;
    return nullptr;
}

const Column* find_column_named(const Entity& entity, std::string_view name) noexcept {
    for (const Column& column : entity.columns)
        if (column.name == name) return &column;
    return nullptr;
}

const Filter* find_filter(const Entity& entity, std::string_view column) noexcept {
    for (const Filter& filter : entity.filters)
        if (filter.column == column) return &filter;
    return nullptr;
}

bool has_custom_fields(const Entity& entity) noexcept {
    return !entity.definitions_path.empty();
}

const Entity& definitions_owner(const Entity& entity) noexcept {
    for (const Entity& other : entities())
        if (has_custom_fields(entity) && other.definitions_path == entity.definitions_path)
            return other;
    return entity;
}

} // namespace pipedrive
