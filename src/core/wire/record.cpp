#include "core/wire/record.h"

#include <string>

#include "core/base/error.h"
#include "core/base/time.h"
#include "core/wire/reader.h"

namespace pipedrive {
namespace {

struct ShapeRow {
    RecordShape shape;
    std::string_view name;
};
constexpr ShapeRow kShapes[] = {
    {RecordShape::Rest, "rest"}, {RecordShape::Flat, "flat"}, {RecordShape::Webhook, "webhook"}};

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

void decode_column(JsonValue record, RecordShape shape, const BoundColumn& column,
                   DecodedRecord* out) {
    Cell cell;
    bool carried = true;
    if (column.source == Source::Endpoint) {
        carried = !record.member(column.field).absent();
        cell = endpoint_cell(record);
    } else if (shape == RecordShape::Flat) {
        carried = column.source == Source::Custom || !record.member(column.field).absent();
        cell = decode_flat_cell(column, record, &out->arena, &out->labels);
    } else if (column.source != Source::Gone) {
        const JsonValue value = value_of(record, column);
        carried = !value.absent();
        // A webhook names the time zone by its id only; the name has to be fetched.
        if (shape == RecordShape::Webhook && column.subfield == "timezone" && !value.is_null())
            carried = false;
        if (carried) cell = decode_cell(column, value, &out->arena, &out->labels);
    }
    out->cells.push_back(cell);
    out->carried.push_back(carried);
}

std::string quoted(std::string_view text) {
    std::string out;
    write_json_string(text, &out);
    return out;
}

std::string cell_json(const Cell& cell) {
    switch (cell.type) {
        case CellType::Null:
            return "null";
        case CellType::Int:
            return std::to_string(cell.integer);
        case CellType::Bool:
            return cell.integer != 0 ? "true" : "false";
        case CellType::Text:
            return quoted(cell.view());
        case CellType::Decimal:
        case CellType::Json:
            return std::string(cell.view());
        case CellType::Timestamp:
            return quoted(format_timestamp(cell.integer));
        case CellType::Date:
            return quoted(format_date(static_cast<Days>(cell.integer)));
        case CellType::TimeOfDay:
            return quoted(format_time_of_day(cell.integer));
        case CellType::Duration:
            return quoted(std::to_string(cell.integer / kSecond) + " seconds");
        case CellType::IntArray:
        case CellType::TextArray:
            break;
    }
    std::string out = "[";
    for (std::uint32_t i = 0; i < cell.size; ++i)
        out += (i == 0 ? "" : ",") + cell_json(cell.items[i]);
    return out + "]";
}

} // namespace

std::optional<RecordShape> parse_record_shape(std::string_view name) noexcept {
    for (const ShapeRow& row : kShapes)
        if (row.name == name) return row.shape;
    return std::nullopt;
}

void decode_record(std::string_view json, RecordShape shape, std::string_view entity,
                   std::span<const BoundColumn> columns, DecodedRecord* out) {
    const JsonDocument document(json, entity);
    const JsonValue record = document.root();
    if (!record.is(Tok::Object))
        throw Error(ErrorKind::Malformed, std::string(entity), "The record is not a JSON object.");
    for (const BoundColumn& column : columns) {
        try {
            decode_column(record, shape, column, out);
        } catch (Error& error) {
            error.subject = entity;
            error.column = column.name;
            error.row_id = std::string(record.member("id").text());
            throw;
        }
    }
}

std::string record_json(std::span<const BoundColumn> columns, const DecodedRecord& record) {
    std::string out = "{";
    for (std::size_t i = 0; i < columns.size(); ++i) {
        if (!record.carried[i]) continue;
        if (out.size() > 1) out += ',';
        out += quoted(columns[i].name) + ":" + cell_json(record.cells[i]);
    }
    return out + "}";
}

} // namespace pipedrive
