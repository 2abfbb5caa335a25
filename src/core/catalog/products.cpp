// Products.
#include "core/catalog/rows.h"

namespace pipedrive {
namespace {

constexpr Column kProductColumns[] = {
    {"id", "id", Int, Always, "Product id"},
    {"name", "name", Text, Always, "Name of the product"},
    {"code", "code", Text, Always, "Product code; empty when unset"},
    {"description", "description", Text, Always, "Description; empty when unset"},
    {"unit", "unit", Text, Always, "Unit in which it is sold; empty when unset"},
    {"tax", "tax", Number, Always, "Tax in percent"},
    {"category", "category", Option, Always, "Category"},
    {"owner_id", "owner_id", Int, Always, "Owner, see users.id"},
    {"is_linkable", "is_linkable", Bool, Always, "Whether it can be added to deals"},
    {"visible_to", "visible_to", Int, Always, "Visibility group: 1, 3, 5 or 7"},
    {"prices", "prices", Json, Always,
     "Prices, one a currency: array of {product_id, price, currency, cost, direct_cost, notes}"},
    {"billing_frequency", "billing_frequency", Text, Always,
     "one-time, annually, semi-annually, quarterly, monthly or weekly (plans with subscriptions)"},
    {"billing_frequency_cycles", "billing_frequency_cycles", Int, Always,
     "How often it is billed; NULL without end"},
    {"add_time", "add_time", Timestamp, Always, "Time of creation"},
    {"update_time", "update_time", Timestamp, Always, "Time of the last change"},
    {"is_deleted", "is_deleted", Bool, Always, "Whether the product is deleted"},
    {"custom_fields", "custom_fields", Json, Always,
     "All custom fields as the API sends them, keys are field codes"},
};

constexpr Filter kProductFilters[] = {
    ids_filter(),
    equal_filter("owner_id", 0.05),
    since_filter(),
    newest_filter(),
};

constexpr Endpoint kProductEndpoints[] = {
    {.path = "/api/v2/products",
     .tokens = 10,
     .paging = Paging::Cursor,
     .max_limit = 500,
     .sorting = Sorting::ByDirection,
     .batch = kIdsPerRequest,
     .custom_projection = true,
     .single = {.tokens = 1, .bare = true}},
};

constexpr EventField kProductEvents[] = {
    {.key = "active_flag", .rule = EventRule::Not, .field = "is_deleted"},
    {.key = "selectable", .rule = EventRule::Rename, .field = "is_linkable"},
    {.key = "description", .rule = EventRule::DropNull},
    {.key = "unit", .rule = EventRule::DropNull},
    {.key = "prices", .rule = EventRule::Drop, .version = EventVersion::One},
};

constexpr Entity kEntities[] = {
    {
        .name = "products",
        .comment = "Products",
        .endpoints = kProductEndpoints,
        .columns = kProductColumns,
        .filters = kProductFilters,
        .definitions_path = "/api/v2/productFields",
        .definitions_tokens = 10,
        .webhook = {.object = "product", .fields = kProductEvents},
        .guessed_rows = 500,
    },
};

} // namespace

constinit const std::span<const Entity> kProductFamily = kEntities;

} // namespace pipedrive
