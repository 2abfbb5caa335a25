#include "core/catalog/listing.h"

#include <algorithm>

#include "core/base/json.h"
#include "core/catalog/entities.h"
#include "core/catalog/options.h"

namespace pipedrive {
namespace {

void list_options(JsonWriter* json) {
    for (const OptionRow& row : option_rows()) {
        json->open('{');
        json->member("context", context_name(row.context));
        json->member("name", row.name);
        json->member("default_value", row.default_text);
        json->member("meaning", row.meaning);
        json->close('}');
    }
}

const char* presence_words(Presence presence) {
    switch (presence) {
        case Presence::Always:
            return "always";
        case Presence::Optional:
            return "on request";
        case Presence::Listed:
            break;
    }
    return "where the account has it";
}

void list_column(const Entity& entity, const Column& column, JsonWriter* json) {
    json->open('{');
    json->member("entity", entity.name);
    json->member("column_name", column.name);
    json->member("field", column.field);
    json->member("subfield", column.subfield);
    json->member("type", kind_row(column.kind).sql_type);
    json->member("presence", presence_words(column.presence));
    json->member("comment", column.comment);
    json->member("history",
                 std::ranges::find(entity.histories, column.name) != entity.histories.end() &&
                         column.subfield.empty()
                     ? "true"
                     : "false");
    if (const Filter* filter =
            column.subfield.empty() ? find_filter(entity, column.name) : nullptr) {
        json->member("parameter", filter->parameter);
        json->member("pushed", filter->best == Exactness::Exact ? "exact" : "superset");
        json->member("reason", filter->reason);
    }
    json->close('}');
}

void list_columns(JsonWriter* json) {
    for (const Entity* entity : entities())
        for (const Column& column : entity->columns)
            list_column(*entity, column, json);
}

// What SQL knows keys as.
std::string_view key_type(KeyKind kind) {
    switch (kind) {
        case KeyKind::Integer:
            return "bigint";
        case KeyKind::Uuid:
            return "uuid";
        case KeyKind::Text:
            return "text";
        case KeyKind::None:
            break;
    }
    return {};
}

void list_key(const Entity& entity, JsonWriter* json) {
    const Column* column = find_column(entity, entity.key, {});
    if (entity.key_kind == KeyKind::None || column == nullptr) return;
    json->member("key_column", column->name);
    json->member("key_type", key_type(entity.key_kind));
}

void list_entities(JsonWriter* json) {
    for (const Entity* entity : entities()) {
        std::string paths, tokens;
        for (const Endpoint& endpoint : entity->endpoints) {
            paths += (paths.empty() ? "" : ", ") + std::string(endpoint.path);
            tokens += (tokens.empty() ? "" : ", ") + std::to_string(endpoint.tokens);
        }
        json->open('{');
        json->member("entity", entity->name);
        json->member("comment", entity->comment);
        list_key(*entity, json);
        json->member("paths", paths);
        json->member("tokens_per_request", tokens);
        json->member("custom_fields", has_custom_fields(*entity) ? "true" : "false");
        json->member("mirrored", entity->mirrored ? "true" : "false");
        json->member("definitions", definitions_owner(*entity).name);
        json->member("deleted_list", entity->deleted_list);
        json->member("changelog", entity->changelog);
        json->close('}');
    }
}

// Objects that Pipedrive sends events of, while they are no table.
constexpr std::string_view kOtherObjects[] = {
    "deal_product", "deal_installment", "project", "task", "board", "phase"};

void list_webhooks(JsonWriter* json) {
    for (const Entity* entity : entities()) {
        if (entity->webhook.object.empty()) continue;
        json->open('{');
        json->member("object", entity->webhook.object);
        json->member("entity", entity->name);
        const Endpoint& list = entity->endpoints[0];
        json->member("path", list.single.path.empty() ? list.path : list.single.path);
        json->member("key", entity->key);
        list_key(*entity, json);
        if (!entity->deleted.field.empty()) {
            json->member("deleted_field", entity->deleted.field);
            json->member("deleted_value", entity->deleted.value);
        }
        json->close('}');
    }
    for (std::string_view object : kOtherObjects) {
        if (find_webhook_entity(object) != nullptr) continue;
        json->open('{');
        json->member("object", object);
        json->close('}');
    }
}

constexpr struct {
    std::string_view what;
    void (*list)(JsonWriter*);
} kListings[] = {{"options", list_options},
                 {"columns", list_columns},
                 {"entities", list_entities},
                 {"webhooks", list_webhooks}};

} // namespace

std::string listing(std::string_view what) {
    std::string out;
    for (const auto& row : kListings) {
        if (row.what != what) continue;
        JsonWriter json(&out);
        json.open('[');
        row.list(&json);
        json.close(']');
    }
    return out;
}

} // namespace pipedrive
