// The list of entities, and how one is found in it. The rows are in the files of their families.
#include "core/catalog/entities.h"

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/catalog/rows.h"

namespace pipedrive {
namespace {

// In this order IMPORT makes them.
constexpr const std::span<const Entity>* kFamilies[] = {
    &kDealFamily,    &kContactFamily, &kActivityFamily, &kPipelineFamily, &kUserFamily,
    &kProductFamily, &kLeadFamily,    &kNoteFamily,     &kListFamily};

} // namespace

const Entity* EntityList::Iterator::operator*() const noexcept {
    return &(*kFamilies[family_])[row_];
}

EntityList::Iterator& EntityList::Iterator::operator++() noexcept {
    if (++row_ == kFamilies[family_]->size()) *this = {family_ + 1, 0};
    return *this;
}

EntityList::Iterator EntityList::begin() const noexcept {
    return {0, 0};
}

EntityList::Iterator EntityList::end() const noexcept {
    return {std::size(kFamilies), 0};
}

const Entity* find_entity(std::string_view name) noexcept {
    for (const Entity* entity : entities())
        if (entity->name == name) return entity;
    return nullptr;
}

const Entity* find_webhook_entity(std::string_view object) noexcept {
    for (const Entity* entity : entities())
        if (!object.empty() && entity->webhook.object == object) return entity;
    return nullptr;
}

const Entity& require_entity(std::string_view name) {
    if (const Entity* entity = find_entity(name)) return *entity;
    std::vector<std::string_view> names;
    for (const Entity* entity : entities())
        names.push_back(entity->name);
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

bool is_lookup(FilterKind kind) noexcept {
    return kind == FilterKind::Ids || kind == FilterKind::Uuids;
}

bool has_custom_fields(const Entity& entity) noexcept {
    return !entity.definitions_path.empty();
}

const Entity& definitions_owner(const Entity& entity) noexcept {
    for (const Entity* other : entities())
        if (has_custom_fields(entity) && other->definitions_path == entity.definitions_path)
            return *other;
    return entity;
}

} // namespace pipedrive
