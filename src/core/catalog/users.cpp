// The users of the company account.
#include "core/catalog/rows.h"

namespace pipedrive {
namespace {

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

// Without /api: on api.pipedrive.com some v1 paths exist only in this form.
constexpr Endpoint kUserEndpoints[] = {
    {.path = "/v1/users", .tokens = 20},
};

constexpr EventField kUserEvents[] = {
    {.key = "access", .rule = EventRule::DropNull},
    {.key = "is_you", .rule = EventRule::Drop},
};

constexpr Entity kEntities[] = {
    {
        .name = "users",
        .comment = "Users of the company account",
        .endpoints = kUserEndpoints,
        .columns = kUserColumns,
        .deleted = {.field = {}}, // one who was removed stays in the list
        .webhook = {.object = "user", .fields = kUserEvents},
        .guessed_rows = 50,
    },
};

} // namespace

constinit const std::span<const Entity> kUserFamily = kEntities;

} // namespace pipedrive
