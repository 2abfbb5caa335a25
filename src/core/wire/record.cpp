#include "core/wire/record.h"

#include <optional>
#include <span>
#include <string>

#include "core/base/error.h"
#include "core/base/time.h"
#include "core/wire/event_record.h"
#include "core/wire/reader.h"

namespace pipedrive {
namespace {

struct ShapeRow {
    RecordShape shape;
    std::string_view name;
};
constexpr ShapeRow kShapes[] = {
    {RecordShape::Rest, "rest"}, {RecordShape::Flat, "flat"}, {RecordShape::Webhook, "webhook"}};

// What of a shape depends on the entity.
struct Reading {
    RecordShape shape;
    // Whether custom fields are keys of the record, and whether they are so in the lists too.
    bool flat, lists_are_flat;
};

Reading reading_of(RecordShape shape, const Entity& entity) {
    const bool lists = !entity.endpoints.empty() && entity.endpoints[0].shape == Shape::Flat;
    return {shape, shape == RecordShape::Flat || (shape == RecordShape::Rest && lists), lists};
}

JsonValue as_listed(JsonValue record, RecordShape shape, const Entity& entity, TapeWriter* tape) {
    if (shape == RecordShape::Rest) return record;
    const EventVersion version = shape == RecordShape::Flat ? EventVersion::One : EventVersion::Two;
    return as_listed(record, version, entity.webhook.fields, tape);
}

// The value of a column in REST and webhook records, absent when the record does not carry it.
JsonValue value_of(JsonValue record, const BoundColumn& column) {
    if (column.source == Source::Labels) {
        const JsonValue labels = record.member("labels");
        return labels.absent() ? record.member(column.field) : labels;
    }
    return column.source == Source::Custom ? record.member("custom_fields").member(column.field)
                                           : record.member(column.field);
}

Cell endpoint_cell(JsonValue record) {
    Cell cell;
    cell.type = CellType::Bool;
    cell.integer = record.member("is_archived").is(Tok::True);
    return cell;
}

bool is_empty(JsonValue v) {
    return v.is_null() || (v.is(Tok::String) && v.text().empty());
}

bool is_address(const BoundColumn& column) {
    return column.kind == Kind::Address || column.subfield == "address";
}

// Whether events and v1 say all of this column that a list would, so that the two never disagree
// about a value that did not change. `value` is the field's as the record has it, not empty.
bool is_whole(JsonValue record, const BoundColumn& column, JsonValue value,
              const LabelSource& labels) {
    // The time zone is named by its id only; an option that nobody knows has no label yet.
    if (column.subfield == "timezone") {
        const JsonValue zone = record.member(column.field + "_timezone_id");
        return !zone.absent() && zone.is_null();
    }
    if (!labels.unknown.empty()) return false;
    if (!is_address(column)) return true;
    // What was typed; what was made of it, which a list shows too, may be missing.
    return !(value.is(Tok::Object) ? value.member("formatted_address")
                                   : record.member(column.field + "_formatted_address"))
                .absent();
}

// v1 has one element with an empty value where v2 has none.
Cell without_empty_elements(JsonValue v, Arena* arena) {
    std::string json;
    v.each_element([&](JsonValue element) {
        const JsonValue value = element.member("value");
        if (!value.absent() && is_empty(value)) return;
        json += json.empty() ? '[' : ',';
        element.write(&json);
    });
    const std::string_view kept = arena->copy(json.empty() ? "[]" : json + "]");
    Cell cell;
    cell.type = CellType::Json;
    cell.text = kept.data();
    cell.size = static_cast<std::uint32_t>(kept.size());
    return cell;
}

bool is_all_custom_fields(const BoundColumn& column) {
    return column.source == Source::Field && column.field == "custom_fields";
}

bool is_contact_list(const BoundColumn& column) {
    return column.kind == Kind::Json && column.source == Source::Field &&
           (column.field == "emails" || column.field == "phones" || column.field == "im");
}

bool has_any(JsonValue object, std::span<const std::string_view> keys) {
    for (const std::string_view key : keys)
        if (!key.empty() && !object.member(key).absent()) return true;
    return false;
}

// An object that lacks the member which the column reads, such as a bare {"type": "set"}, says
// nothing of it.
bool says_something(const BoundColumn& column, JsonValue value) {
    static constexpr std::string_view kOne[] = {"id", "value", "label"};
    static constexpr std::string_view kSeveral[] = {"values", "id", "value"};
    static constexpr std::string_view kTime[] = {"value"};
    if (!value.is(Tok::Object)) return true;
    if (!column.member.empty()) return !value.member(column.member).absent();
    if (column.part != nullptr && !column.part->members[0].empty())
        return has_any(value, column.part->members);
    switch (column.kind) {
        case Kind::Option:
        case Kind::OptionId:
            return has_any(value, kOne);
        case Kind::OptionSet:
        case Kind::OptionSetIds:
        case Kind::IntArray:
        case Kind::UuidArray:
        case Kind::LabelNames:
            return has_any(value, kSeveral);
        case Kind::TimeOfDay:
        case Kind::Duration:
            return has_any(value, kTime);
        default:
            return true;
    }
}

struct Decoded {
    Cell cell;
    bool carried = false;
};

// v1 has the parts of a field in keys of their own: those of a field without a value have none, and
// a key that is missing says nothing. `value` is the field's own.
std::optional<Decoded> decode_empty_part(JsonValue record, const BoundColumn& column,
                                         JsonValue value) {
    if (column.source != Source::Custom || column.part == nullptr ||
        column.part->flat_suffix.empty() || value.is(Tok::Object))
        return std::nullopt;
    if (is_empty(value)) return Decoded{{}, true};
    const JsonValue part = record.member(column.field + std::string(column.part->flat_suffix));
    if (part.absent()) return Decoded{{}, false};
    if (is_empty(part)) return Decoded{{}, true};
    return std::nullopt;
}

Decoded decode_value(JsonValue record, const Reading& reading, const BoundColumn& column,
                     Arena* arena, LabelSource* labels) {
    const bool flat = reading.flat;
    const JsonValue value = flat ? record.member(column.field) : value_of(record, column);
    if (flat && is_all_custom_fields(column)) {
        // The record itself holds them. Events may spell the values otherwise than lists, and the
        // object that other lists have is nothing that version 1 knows.
        if (reading.lists_are_flat)
            return {decode_flat_cell(column, record, arena, labels),
                    reading.shape == RecordShape::Rest};
        return {decode_cell(column, value, arena, labels), !value.absent()};
    }
    if (value.absent()) return {{}, flat && column.source == Source::Custom};
    if (reading.shape == RecordShape::Rest)
        return {flat ? decode_flat_cell(column, record, arena, labels)
                     : decode_cell(column, value, arena, labels),
                true};
    if (is_contact_list(column)) {
        if (value.is_null()) return {{}, true};
        if (!value.is(Tok::Array) && !is_empty(value)) return {}; // one e-mail is not the list
        return {without_empty_elements(value, arena), true};
    }
    if (!says_something(column, value)) return {};
    if (flat)
        if (const auto part = decode_empty_part(record, column, value)) return *part;
    if (is_address(column) && is_empty(value)) return {{}, true};
    const Cell cell = flat ? decode_flat_cell(column, record, arena, labels)
                           : decode_cell(column, value, arena, labels);
    return {cell, is_empty(value) || is_whole(record, column, value, *labels)};
}

void decode_column(JsonValue record, const Reading& reading, const BoundColumn& column,
                   DecodedRecord* out) {
    Decoded decoded;
    if (column.source == Source::Endpoint) {
        decoded = {endpoint_cell(record), !record.member(column.field).absent()};
    } else if (column.source == Source::Gone) {
        decoded.carried = reading.shape != RecordShape::Flat;
    } else {
        LabelSource labels; // of this column alone
        labels.catalogue = out->labels.catalogue;
        labels.missing = out->labels.missing;
        decoded = decode_value(record, reading, column, &out->arena, &labels);
        out->labels.unresolved += labels.unresolved;
        out->labels.stale += labels.stale;
        out->labels.odd += labels.odd;
        out->labels.unknown.merge(labels.unknown);
    }
    out->cells.push_back(decoded.cell);
    out->carried.push_back(decoded.carried);
}

void write_cell(const Cell& cell, JsonWriter* json) {
    switch (cell.type) {
        case CellType::Null:
            return json->raw("null");
        case CellType::Int:
            return json->raw(std::to_string(cell.integer));
        case CellType::Bool:
            return json->raw(cell.integer != 0 ? "true" : "false");
        case CellType::Text:
            return json->string(cell.view());
        case CellType::Decimal:
        case CellType::Json:
            return json->raw(cell.view());
        case CellType::Timestamp:
            return json->string(format_timestamp(cell.integer));
        case CellType::Date:
            return json->string(format_date(static_cast<Days>(cell.integer)));
        case CellType::TimeOfDay:
            return json->string(format_time_of_day(cell.integer));
        case CellType::Duration:
            return json->string(std::to_string(cell.integer / kSecond) + " seconds");
        case CellType::IntArray:
        case CellType::TextArray:
            break;
    }
    json->open('[');
    for (std::uint32_t i = 0; i < cell.size; ++i)
        write_cell(cell.items[i], json);
    json->close(']');
}

} // namespace

std::optional<RecordShape> parse_record_shape(std::string_view name) noexcept {
    for (const ShapeRow& row : kShapes)
        if (row.name == name) return row.shape;
    return std::nullopt;
}

void decode_record(std::string_view json, RecordShape shape, const Entity& entity,
                   std::span<const BoundColumn> columns, DecodedRecord* out, Unfit unfit) {
    const JsonDocument document(json, entity.name);
    if (!document.root().is(Tok::Object))
        throw Error(ErrorKind::Malformed, std::string(entity.name),
                    "The record is not a JSON object.");
    TapeWriter tape(&out->arena);
    const JsonValue record = as_listed(document.root(), shape, entity, &tape);
    const Reading reading = reading_of(shape, entity);
    for (const BoundColumn& column : columns) {
        try {
            decode_column(record, reading, column, out);
        } catch (Error& error) {
            if (unfit == Unfit::LeaveOut && error.kind == ErrorKind::BadValue) {
                out->cells.emplace_back();
                out->carried.push_back(false);
                continue;
            }
            error.subject = entity.name;
            error.column = column.name;
            error.row_id = std::string(record.member("id").text());
            throw;
        }
    }
}

std::string record_json(std::span<const BoundColumn> columns, const DecodedRecord& record) {
    std::string out;
    JsonWriter json(&out);
    json.open('{');
    for (std::size_t i = 0; i < columns.size(); ++i) {
        if (!record.carried[i]) continue;
        json.key(columns[i].name);
        write_cell(record.cells[i], &json);
    }
    json.close('}');
    return out;
}

} // namespace pipedrive
