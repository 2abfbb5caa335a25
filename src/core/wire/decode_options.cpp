// Options and sets: from ids to labels, and the ways in which several values are written down.
#include <algorithm>
#include <new>
#include <vector>

#include "core/base/decimal.h"
#include "core/base/row_key.h"
#include "core/wire/decode_kinds.h"

namespace pipedrive::decoding {
namespace {

// The elements of a set: an array, {type, values: […]}, or v1's "13,14". Calls f(JsonValue element,
// text of a comma-separated part).
template <typename F>
void each_choice(JsonValue v, F&& f) {
    if (v.is(Tok::Object)) {
        const JsonValue values = v.member("values");
        if (values.absent()) return f(v, std::string_view{});
        v = values;
    }
    if (v.is_null()) return;
    if (v.is(Tok::Array)) return v.each_element([&](JsonValue e) { f(e, std::string_view{}); });
    if (!v.scalar() || v.is(Tok::True) || v.is(Tok::False)) unfit("an array of options", v);
    std::string_view rest = v.text();
    while (!rest.empty()) {
        const std::size_t comma = rest.find(',');
        f(JsonValue(), rest.substr(0, comma));
        if (comma == std::string_view::npos) break;
        rest.remove_prefix(comma + 1);
    }
}

Cell array_cell(CellType type, const std::vector<Cell>& items, Arena* arena) {
    Cell cell;
    cell.type = type;
    cell.size = static_cast<std::uint32_t>(items.size());
    Cell* kept =
        reinterpret_cast<Cell*>(arena->allocate(sizeof(Cell) * (items.empty() ? 1 : items.size())));
    for (std::size_t i = 0; i < items.size(); ++i)
        new (kept + i) Cell(items[i]);
    cell.items = kept;
    return cell;
}

Cell decode_option_id(const Job&, JsonValue v, std::string_view part) {
    const JsonValue id = identity(v);
    const std::string_view text = part.empty() ? id.text() : part;
    if (text.empty() && (id.is_null() || id.is(Tok::String))) return {};
    const auto i = decimal_to_int64(text);
    if (!i) unfit("the id of an option", v);
    return integer_cell(CellType::Int, *i);
}

// The option as its id in brackets, noted for the NOTICE.
Cell unknown_label(const Job& job, std::string_view id) {
    const Cell cell = text_cell(CellType::Text, "[" + std::string(id) + "]", job.arena);
    if (job.labels->unknown.size() < LabelSource::kMaxUnknown)
        job.labels->unknown.insert({job.column.field, std::string(id)});
    return cell;
}

const std::string* known_label(const Job& job, std::string_view id) {
    const FieldCatalogue* catalogue = job.labels->catalogue;
    return catalogue == nullptr ? nullptr : catalogue->label(job.column.field, id);
}

// Some fields are sent with the label in place of the id. A number is always an id.
bool is_label(const Job& job, std::string_view text) {
    if (job.labels->catalogue == nullptr || decimal_to_int64(text)) return false;
    const FieldDefinition* field = job.labels->catalogue->find(job.column.field);
    return field != nullptr &&
           std::any_of(field->options.begin(), field->options.end(),
                       [&](const FieldOption& option) { return option.label == text; });
}

// A label that came with the row wins; else it is looked up; else the id in brackets stands for it.
Cell decode_option_label(const Job& job, JsonValue v, std::string_view part) {
    const JsonValue label = v.member("label");
    const JsonValue id_value = identity(v);
    if (part.empty() && id_value.is_null() && !label.is(Tok::String)) return {};
    const std::string_view id = part.empty() ? id_value.text() : part;
    const std::string* known = known_label(job, id);
    if (label.is(Tok::String)) {
        job.labels->stale += known != nullptr && *known != label.text();
        return text_cell(CellType::Text, label.text(), job.arena);
    }
    if (part.empty() && !id_value.is(Tok::Number) && !id_value.is(Tok::String))
        unfit("an option", v);
    if (id.empty()) return {};
    if (known != nullptr) return text_cell(CellType::Text, *known, job.arena);
    if (is_label(job, id)) return text_cell(CellType::Text, id, job.arena);
    // An {id} object came from an answer that carries labels: the API itself knows none.
    const bool bare = !v.is(Tok::Object);
    const bool told = job.labels->missing != nullptr &&
                      job.labels->missing->count({job.column.field, std::string(id)}) != 0;
    job.labels->unresolved += bare && !told;
    return unknown_label(job, id);
}

template <Cell (*One)(const Job&, JsonValue, std::string_view)>
Cell decode_choices(const Job& job, JsonValue v, CellType type, bool empty_is_null) {
    if (v.is_null()) return {};
    std::vector<Cell> items;
    each_choice(v, [&](JsonValue element, std::string_view part) {
        items.push_back(One(job, element, part));
    });
    if (items.empty() && empty_is_null) return {};
    return array_cell(type, items, job.arena);
}

Cell decode_one_uuid(const Job& job, JsonValue v, std::string_view part) {
    if (part.empty() && v.is_null()) return {};
    const std::string_view text = part.empty() ? identity(v).text() : part;
    if (!parse_uuid(text)) unfit("a UUID", v);
    return text_cell(CellType::Text, text, job.arena);
}

} // namespace

Cell decode_option(const Job& job, JsonValue v) {
    return v.is_null() ? Cell{} : decode_option_label(job, v, {});
}
Cell decode_option_id_value(const Job& job, JsonValue v) {
    return v.is_null() ? Cell{} : decode_option_id(job, v, {});
}

Cell decode_option_set(const Job& job, JsonValue v) {
    return decode_choices<decode_option_label>(job, v, CellType::TextArray, true);
}
Cell decode_option_set_ids(const Job& job, JsonValue v) {
    return decode_choices<decode_option_id>(job, v, CellType::IntArray, true);
}
Cell decode_int_array(const Job& job, JsonValue v) {
    return decode_choices<decode_option_id>(job, v, CellType::IntArray, false);
}
Cell decode_uuid_array(const Job& job, JsonValue v) {
    return decode_choices<decode_one_uuid>(job, v, CellType::TextArray, false);
}
Cell decode_label_names(const Job& job, JsonValue v) {
    return decode_choices<decode_option_label>(job, v, CellType::TextArray, false);
}

} // namespace pipedrive::decoding
