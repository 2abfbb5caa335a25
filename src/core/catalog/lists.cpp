// Small lists that rows of other tables refer to; v1 sends each of them whole. They
// hardly change, so a mirror of them is for who asks for it.
#include "core/catalog/rows.h"

namespace pipedrive {
namespace {

constexpr Column kActivityTypeColumns[] = {
    {"id", "id", Int, Always, "Id of the activity type"},
    {"name", "name", Text, Always, "Name of the activity type"},
    {"key_string", "key_string", Text, Always, "Key, see activities.type"},
    {"icon_key", "icon_key", Text, Always, "Icon"},
    {"color", "color", Text, Always, "Color, hexadecimal"},
    {"order_nr", "order_nr", Int, Always, "Place in the list"},
    {"active_flag", "active_flag", Bool, Always, "Whether it can be chosen"},
    {"is_custom_flag", "is_custom_flag", Bool, Always, "Whether the company made it"},
    {"add_time", "add_time", Timestamp, Always, "Time of creation"},
    {"update_time", "update_time", Timestamp, Always, "Time of the last change"},
};
constexpr Endpoint kActivityTypeEndpoints[] = {{.path = "/v1/activityTypes", .tokens = 20}};

constexpr Column kCurrencyColumns[] = {
    {"id", "id", Int, Always, "Id of the currency"},
    {"code", "code", Text, Always, "Code, ISO 4217, or the company's own"},
    {"name", "name", Text, Always, "Name of the currency"},
    {"decimal_points", "decimal_points", Int, Always, "Decimal places that are shown"},
    {"symbol", "symbol", Text, Always, "Symbol"},
    {"active_flag", "active_flag", Bool, Always, "Whether it can be chosen"},
    {"is_custom_flag", "is_custom_flag", Bool, Always, "Whether the company made it"},
};
constexpr Endpoint kCurrencyEndpoints[] = {{.path = "/v1/currencies", .tokens = 20}};

constexpr Column kLeadLabelColumns[] = {
    {"id", "id", Uuid, Always, "Id of the label"},
    {"name", "name", Text, Always, "Name of the label"},
    {"color", "color", Text, Always, "Color, e.g. blue or dark-gray"},
    {"add_time", "add_time", Timestamp, Always, "Time of creation"},
    {"update_time", "update_time", Timestamp, Always, "Time of the last change"},
};
constexpr Endpoint kLeadLabelEndpoints[] = {{.path = "/v1/leadLabels", .tokens = 10}};

constexpr Column kLeadSourceColumns[] = {
    {"name", "name", Text, Always, "Name of the source, see leads.source_name"},
};
constexpr Endpoint kLeadSourceEndpoints[] = {{.path = "/v1/leadSources", .tokens = 2}};

constexpr Entity kEntities[] = {
    {
        .name = "activity_types",
        .comment = "Types of activities",
        .endpoints = kActivityTypeEndpoints,
        .columns = kActivityTypeColumns,
        .guessed_rows = 10,
        .mirrored = false,
    },
    {
        .name = "currencies",
        .comment = "Currencies",
        .endpoints = kCurrencyEndpoints,
        .columns = kCurrencyColumns,
        .guessed_rows = 170,
        .mirrored = false,
    },
    {
        .name = "lead_labels",
        .comment = "Labels of leads",
        .endpoints = kLeadLabelEndpoints,
        .columns = kLeadLabelColumns,
        .key_kind = KeyKind::Uuid,
        .guessed_rows = 10,
        .mirrored = false,
    },
    {
        .name = "lead_sources",
        .comment = "Sources of leads",
        .endpoints = kLeadSourceEndpoints,
        .columns = kLeadSourceColumns,
        .key = "name",
        .key_kind = KeyKind::Text,
        .guessed_rows = 10,
        .mirrored = false,
    },
};

} // namespace

constinit const std::span<const Entity> kListFamily = kEntities;

} // namespace pipedrive
