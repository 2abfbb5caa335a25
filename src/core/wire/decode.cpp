#include "core/wire/decode.h"

#include <algorithm>
#include <new>
#include <vector>

#include "core/base/decimal.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/base/time.h"
#include "core/wire/decode_kinds.h"

namespace pipedrive {
namespace decoding {
namespace {

void check_storable(std::string_view s) {
    constexpr const char* hint =
        "Leave the column out of the query, or correct the value in Pipedrive.";
    if (s.find('\0') != s.npos)
        throw Error(ErrorKind::BadValue, {},
                    "The text contains the character \\u0000, which PostgreSQL cannot store.",
                    hint);
    if (const std::size_t half = s.find(kHalf); half != s.npos)
        throw Error(ErrorKind::BadValue, {},
                    "The text contains half a surrogate pair, \\u" +
                        std::string(s.substr(half + 1, 4)) + ", which is no character.",
                    hint);
}

} // namespace

void unfit(std::string_view expected, JsonValue v) {
    std::string found = v.type_name();
    if (v.scalar() && !v.is_null()) {
        std::string json;
        v.write(&json);
        found += " " + excerpt(json, 80);
    }
    throw Error(ErrorKind::BadValue, {},
                "Expected " + std::string(expected) + ", found " + found + ".");
}

Cell integer_cell(CellType type, std::int64_t i) {
    Cell cell;
    cell.type = type;
    cell.integer = i;
    return cell;
}

Cell text_cell(CellType type, std::string_view s, Arena* arena) {
    if (type == CellType::Text) check_storable(s);
    Cell cell;
    cell.type = type;
    // What came with the page is there already.
    const std::string_view kept = arena->owns(s) ? s : arena->copy(s);
    cell.text = kept.data();
    cell.size = static_cast<std::uint32_t>(kept.size());
    return cell;
}

bool empty_string(JsonValue v) {
    return v.is(Tok::String) && v.text().empty();
}

// An option or reference as {id, label}, {value, name}, or bare: the part that identifies it.
JsonValue identity(JsonValue v) {
    if (!v.is(Tok::Object)) return v;
    const JsonValue id = v.member("id"), value = v.member("value");
    return id.absent() || (id.is_null() && !value.absent()) ? value : id;
}

} // namespace decoding

namespace {

using namespace decoding;

Cell decode_int(const Job&, JsonValue v) {
    const JsonValue whole = v;
    v = identity(v);
    if (v.absent() && !whole.absent()) unfit("a whole number or an id", whole);
    if (v.is_null() || empty_string(v)) return {};
    if (v.is(Tok::True) || v.is(Tok::False)) return integer_cell(CellType::Int, v.is(Tok::True));
    const auto i = decimal_to_int64(v.text());
    if (!i) unfit("a whole number", v);
    return integer_cell(CellType::Int, *i);
}

Cell decode_number(const Job& job, JsonValue v) {
    if (v.is_null() || empty_string(v)) return {};
    if (!is_decimal(v.text())) unfit("a number", v);
    return text_cell(CellType::Decimal, v.text(), job.arena);
}

Cell decode_bool(const Job&, JsonValue v) {
    if (v.is_null() || empty_string(v)) return {};
    if (v.is(Tok::True) || v.text() == "1" || v.text() == "true")
        return integer_cell(CellType::Bool, 1);
    if (v.is(Tok::False) || v.text() == "0" || v.text() == "false")
        return integer_cell(CellType::Bool, 0);
    unfit("true or false", v);
}

Cell decode_text(const Job& job, JsonValue v) {
    if (v.is_null()) return {};
    if (v.is(Tok::True) || v.is(Tok::False))
        return text_cell(CellType::Text, v.is(Tok::True) ? "true" : "false", job.arena);
    if (!v.scalar()) unfit("text", v);
    return text_cell(CellType::Text, v.text(), job.arena);
}

Cell from_time(TimeParse parsed, CellType type, std::int64_t i, std::string_view expected,
               JsonValue v) {
    if (parsed == TimeParse::Bad || !v.is(Tok::String)) unfit(expected, v);
    if (parsed == TimeParse::Empty) return {};
    return integer_cell(type, i);
}

Cell decode_timestamp(const Job&, JsonValue v) {
    if (v.is_null()) return {};
    Micros t = 0;
    const TimeParse parsed = parse_timestamp(v.text(), &t);
    return from_time(parsed, CellType::Timestamp, t, "a time", v);
}

Cell decode_date(const Job&, JsonValue v) {
    if (v.is_null()) return {};
    Days d = 0;
    const TimeParse parsed = parse_date(v.text(), &d);
    return from_time(parsed, CellType::Date, d, "a date", v);
}

// The webhook sends due_time and duration as {timezone_id, value}.
Cell decode_time_of_day(const Job&, JsonValue v) {
    if (v.is(Tok::Object)) v = v.member("value");
    if (v.is_null()) return {};
    std::int64_t t = 0;
    const TimeParse parsed = parse_time_of_day(v.text(), &t);
    return from_time(parsed, CellType::TimeOfDay, t, "a time of day", v);
}

// "HH:MM" or "HH:MM:SS" with any number of hours.
Cell decode_duration(const Job&, JsonValue v) {
    if (v.is(Tok::Object)) v = v.member("value");
    if (v.is_null() || empty_string(v)) return {};
    const std::string_view text = v.text();
    const std::size_t colon = text.find(':');
    std::int64_t hours = 0;
    bool digits = v.is(Tok::String) && colon != std::string_view::npos && colon > 0 && colon < 8;
    for (std::size_t i = 0; digits && i < colon; ++i) {
        digits = text[i] >= '0' && text[i] <= '9';
        hours = hours * 10 + (text[i] - '0');
    }
    std::int64_t rest = 0;
    if (!digits ||
        parse_time_of_day("00" + std::string(text.substr(colon)), &rest) != TimeParse::Ok)
        unfit("a duration", v);
    return integer_cell(CellType::Duration, hours * 3600 * kSecond + rest);
}

Cell decode_uuid(const Job& job, JsonValue v) {
    v = identity(v);
    if (v.is_null() || empty_string(v)) return {};
    if (!v.is(Tok::String)) unfit("a UUID", v);
    return text_cell(CellType::Text, v.text(), job.arena);
}

// An option as {id, label}, which include_option_labels puts in place of the id; the label of a
// deleted option may be missing.
bool is_labelled(JsonValue v) {
    bool others = false;
    v.each_member([&](std::string_view key, JsonValue) {
        others = others || (key != "id" && key != "label");
    });
    return !others && !v.member("id").absent();
}

void write_unlabelled(JsonValue v, std::string* json) {
    if (is_labelled(v)) return v.member("id").write(json);
    if (!v.is(Tok::Array)) return v.write(json);
    *json += '[';
    v.each_element([&](JsonValue element) {
        if (json->back() != '[') *json += ',';
        write_unlabelled(element, json);
    });
    *json += ']';
}

// custom_fields as a whole: always with bare ids, whatever else the query asks for.
Cell decode_custom_fields(const Job& job, JsonValue v) {
    std::string out;
    JsonWriter json(&out);
    json.open('{');
    v.each_member([&](std::string_view key, JsonValue value) {
        json.key(key);
        write_unlabelled(value, &out);
    });
    json.close('}');
    return text_cell(CellType::Json, out, job.arena);
}

// Webhooks put the field's type among the parts of an address; the value itself is the same as in
// REST.
Cell decode_json(const Job& job, JsonValue v) {
    if (v.is_null()) return {};
    if (job.column.field == "custom_fields" && v.is(Tok::Object))
        return decode_custom_fields(job, v);
    std::string out;
    if (job.column.subfield != "address" || v.member("type").absent()) {
        v.write(&out);
        return text_cell(CellType::Json, out, job.arena);
    }
    JsonWriter json(&out);
    json.open('{');
    v.each_member([&](std::string_view key, JsonValue value) {
        if (key == "type") return;
        json.key(key);
        value.write(&out);
    });
    json.close('}');
    return text_cell(CellType::Json, out, job.arena);
}

// {value, primary, label} elements, or plain strings: the primary one, else the first. An empty
// value is no value.
Cell decode_primary(const Job& job, JsonValue v) {
    if (v.is_null()) return {};
    if (v.is(Tok::String)) return empty_string(v) ? Cell{} : decode_text(job, v);
    if (!v.is(Tok::Array)) unfit("an array", v);
    JsonValue chosen;
    bool primary = false;
    v.each_element([&](JsonValue element) {
        const JsonValue value = element.is(Tok::Object) ? element.member("value") : element;
        const bool is_primary = element.member("primary").is(Tok::True);
        if (!value.is_null() && (chosen.absent() || (is_primary && !primary))) chosen = value;
        primary = primary || is_primary;
    });
    return empty_string(chosen) ? Cell{} : decode_text(job, chosen);
}

Cell decode_address(const Job& job, JsonValue v) {
    if (v.is(Tok::Object)) {
        const JsonValue formatted = v.member("formatted_address");
        v = formatted.is_null() || empty_string(formatted) ? v.member("value") : formatted;
    }
    return decode_text(job, v);
}

using Decode = Cell (*)(const Job&, JsonValue);
struct DecodeRow {
    Kind kind;
    Decode decode;
};
constexpr DecodeRow kRows[] = {
    {Kind::Int, decode_int},
    {Kind::Number, decode_number},
    {Kind::Bool, decode_bool},
    {Kind::Text, decode_text},
    {Kind::Timestamp, decode_timestamp},
    {Kind::Date, decode_date},
    {Kind::TimeOfDay, decode_time_of_day},
    {Kind::Duration, decode_duration},
    {Kind::Uuid, decode_uuid},
    {Kind::Json, decode_json},
    {Kind::IntArray, decode_int_array},
    {Kind::UuidArray, decode_uuid_array},
    {Kind::Primary, decode_primary},
    {Kind::Address, decode_address},
    {Kind::Option, decode_option},
    {Kind::OptionId, decode_option_id_value},
    {Kind::OptionSet, decode_option_set},
    {Kind::OptionSetIds, decode_option_set_ids},
    {Kind::LabelNames, decode_label_names},
};
constexpr bool rows_in_order() {
    for (std::size_t i = 0; i < std::size(kRows); ++i)
        if (static_cast<std::size_t>(kRows[i].kind) != i) return false;
    return std::size(kRows) == static_cast<std::size_t>(Kind::Count_);
}
static_assert(rows_in_order(), "one decoder for each kind, in the order of the enum");

// The member of an object that holds this part of the field; other values are taken whole.
JsonValue select_part(const BoundColumn& column, JsonValue v) {
    if (!column.member.empty())
        return v.is(Tok::Object)         ? v.member(column.member)
               : column.subfield.empty() ? v
                                         : JsonValue();
    if (column.part == nullptr || column.part->members[0].empty()) return v;
    if (!v.is(Tok::Object)) return column.subfield.empty() ? v : JsonValue();
    JsonValue found;
    for (std::string_view key : column.part->members) {
        if (key.empty()) break;
        const JsonValue member = v.member(key);
        if (!member.absent() && found.is_null()) found = member; // a null gives way to the next
    }
    return found;
}

constexpr char kind_letter(Tok kind) {
    switch (kind) {
        case Tok::String:
            return 's';
        case Tok::Number:
            return 'n';
        case Tok::False:
        case Tok::True:
            return 'b';
        case Tok::Object:
            return 'o';
        case Tok::Array:
            return 'a';
        default:
            return '?';
    }
}

// A value of another JSON kind than REST sends for the field's type: readable perhaps, but the
// field may have been replaced.
bool is_odd(const BoundColumn& column, JsonValue v) {
    if (column.rest_shape.empty() || v.is_null()) return false;
    if (column.rest_shape.find(kind_letter(v.token()->kind)) == std::string_view::npos) return true;
    if (!v.is(Tok::Object)) return false;
    for (std::string_view rest = column.rest_keys; !rest.empty();) {
        const std::size_t end = std::min(rest.find_first_of("+-", 1), rest.size());
        if (v.member(rest.substr(1, end - 1)).absent() == (rest.front() == '+')) return true;
        rest.remove_prefix(end);
    }
    return false;
}

Cell run_decoder(const Job& job, JsonValue v) {
    return kRows[static_cast<std::size_t>(job.column.kind)].decode(job, v);
}

// {"value": …, "country": …, …} from hash, hash_country, …
Cell flat_address(const Job& job, JsonValue record) {
    const JsonValue main = record.member(job.column.field);
    if (main.is_null() || empty_string(main)) return {};
    std::string json = "{\"value\":";
    main.write(&json);
    for (std::string_view part : kAddressParts) {
        json += ",\"" + std::string(part) + "\":";
        record.member(job.column.field + "_" + std::string(part)).write(&json);
    }
    return text_cell(CellType::Json, json + "}", job.arena);
}

// What stands for custom_fields in a record of v1: its keys that begin with the code of a field.
Cell flat_custom_fields(const Job& job, JsonValue record) {
    std::string out;
    JsonWriter json(&out);
    json.open('{');
    record.each_member([&](std::string_view key, JsonValue value) {
        constexpr std::size_t kHash = 40;
        if (!is_field_hash(key.substr(0, kHash)) || (key.size() > kHash && key[kHash] != '_'))
            return;
        json.key(key);
        value.write(&out);
    });
    json.close('}');
    return text_cell(CellType::Json, out, job.arena);
}

} // namespace

Cell decode_cell(const BoundColumn& column, JsonValue v, Arena* arena, LabelSource* labels) {
    labels->odd += is_odd(column, v);
    return run_decoder({column, arena, labels}, select_part(column, v));
}

Cell decode_flat_cell(const BoundColumn& column, JsonValue record, Arena* arena,
                      LabelSource* labels) {
    const Job job{column, arena, labels};
    if (column.field == "custom_fields") return flat_custom_fields(job, record);
    if (column.part == nullptr || column.source != Source::Custom)
        return run_decoder(job, select_part(column, record.member(column.field)));
    if (column.subfield == "address") return flat_address(job, record);
    if (column.kind == Kind::Address) {
        const JsonValue formatted = record.member(column.field + "_formatted_address");
        if (!formatted.is_null() && !empty_string(formatted)) return run_decoder(job, formatted);
    }
    return run_decoder(job, record.member(column.field + std::string(column.part->flat_suffix)));
}

} // namespace pipedrive
