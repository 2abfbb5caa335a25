#include "core/catalog/binding.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/catalog/naming.h"

namespace pipedrive {
namespace {

std::string quoted(std::string_view s) {
    return "\"" + std::string(s) + "\"";
}

// "Perhaps you meant …" over the standard columns and, when known, the account's custom fields
// under the names IMPORT would give them.
[[noreturn]] void no_such_field(const Entity& entity, const BoundColumn& column,
                                const FieldCatalogue* catalogue) {
    std::vector<NamedColumn> custom;
    if (catalogue != nullptr)
        custom = name_custom_columns(entity, catalogue->fields, LabelMode::Both);
    std::vector<std::string_view> names;
    for (const Column& c : entity.columns)
        names.push_back(c.name);
    for (const NamedColumn& c : custom)
        names.push_back(c.name);
    std::string hint;
    const std::string_view near = closest_name(column.field, names);
    if (!near.empty()) hint = "Perhaps you meant " + quoted(near) + ".";
    for (const NamedColumn& c : custom)
        if (!near.empty() && c.name == near)
            hint = "Perhaps you meant the custom field " + quoted(c.field->name) +
                   ": OPTIONS (field '" + c.field->code + "').";
    Error error(ErrorKind::UnknownField, column.field,
                "Entity " + quoted(entity.name) + " has no such field.", hint);
    error.column = column.name;
    throw error;
}

// Types whose values are plain text in every shape.
bool interchangeable(std::string_view a, std::string_view b) {
    constexpr std::string_view plain[] = {"varchar", "varchar_auto", "text", "phone"};
    auto is_plain = [&](std::string_view t) {
        return std::find(std::begin(plain), std::end(plain), t) != std::end(plain);
    };
    return a == b || (is_plain(a) && is_plain(b));
}

void bind_part(BoundColumn* bound) {
    const FieldType& type = field_type(bound->type);
    bound->part = find_part(type, bound->subfield);
    if (bound->part == nullptr)
        throw Error(ErrorKind::BadOption, "subfield",
                    "A field of type " + quoted(bound->type) + " has no part " +
                        quoted(bound->subfield) + " (column " + quoted(bound->name) + ").");
    bound->kind = bound->part->kind;
    bound->rest_shape = type.rest_shape;
    bound->rest_keys = type.rest_keys;
    bound->source = is_field_hash(bound->field) ? Source::Custom : bound->source;
}

void take_standard(BoundColumn* bound, const Column& column) {
    bound->field = column.field;
    bound->subfield = column.subfield;
    bound->kind = column.kind;
    bound->member = column.member;
    bound->source = column.source;
    bound->optional = column.presence == Presence::Optional;
}

} // namespace

const Column* standard_column(const Entity& entity, const DeclaredColumn& declared) noexcept {
    if (!declared.type.empty()) return nullptr;
    if (declared.field.empty() && declared.subfield.empty())
        return find_column_named(entity, declared.name);
    return find_column(entity, declared.field.empty() ? declared.name : declared.field,
                       declared.subfield);
}

BoundColumn bind_column(const Entity& entity, const DeclaredColumn& declared) {
    BoundColumn bound;
    bound.attnum = declared.attnum;
    bound.name = declared.name;
    bound.field = declared.field.empty() ? declared.name : declared.field;
    bound.subfield = declared.subfield;
    bound.type = declared.type;
    if (const Column* standard = standard_column(entity, declared)) {
        take_standard(&bound, *standard);
        return bound;
    }
    if (!has_custom_fields(entity)) no_such_field(entity, bound, nullptr);
    if (declared.removed) {
        bound.source = Source::Gone;
        return bound;
    }
    if (!declared.type.empty()) {
        bind_part(&bound);
        return bound;
    }
    bound.resolved = false;
    if (is_field_hash(bound.field))
        bound.source = Source::Custom; // what EXPLAIN can know without a request
    return bound;
}

void resolve_column(const Entity& entity, const FieldCatalogue& catalogue, BoundColumn* column) {
    if (column->resolved) return;
    const FieldDefinition* field = catalogue.find(column->field);
    if (field == nullptr) no_such_field(entity, *column, &catalogue);
    column->type = field->type;
    column->optional = field->optional && !field->custom;
    column->source = field->custom ? Source::Custom : Source::Field;
    bind_part(column);
    column->resolved = true;
}

void check_against(const Entity& entity, const FieldCatalogue& catalogue,
                   const BoundColumn& column) {
    if (column.part == nullptr || column.source == Source::Gone) return;
    const FieldDefinition* field = catalogue.find(column.field);
    std::string detail;
    if (field == nullptr)
        detail =
            "The field is no longer among the fields of " + quoted(entity.name) + " in Pipedrive.";
    else if (!interchangeable(field->type, column.type))
        detail = "The field now has type " + quoted(field->type) + ", the column was made for " +
                 quoted(column.type) + ".";
    else
        return;
    Error error(ErrorKind::FieldGone, column.field, detail);
    error.column = column.name;
    throw error;
}

} // namespace pipedrive
