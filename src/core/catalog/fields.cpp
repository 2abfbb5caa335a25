#include "core/catalog/fields.h"

#include <algorithm>

namespace pipedrive {
namespace {

using enum Kind;

// "value" beside "from": the webhook's ranges say from, REST says value. {type, value} is the
// webhook's scalar.
constexpr Part kText[] = {{"", "", Text, {"value"}}};
constexpr Part kInt[] = {{"", "", Int, {"id", "value"}}};
constexpr Part kNumber[] = {{"", "", Number, {"value"}}};
constexpr Part kBool[] = {{"", "", Bool, {"value"}}};
constexpr Part kDate[] = {{"", "", Date, {"value"}}};
constexpr Part kMonetary[] = {{"", "", Number, {"value"}},
                              {"_currency", "currency", Text, {"currency"}, "_currency"}};
constexpr Part kDateRange[] = {{"", "", Date, {"value", "from"}},
                               {"_until", "until", Date, {"until"}, "_until"}};
constexpr Part kTime[] = {
    {"", "", TimeOfDay, {"value"}},
    {"_timezone", "timezone", Text, {"timezone_name", "timezone_id"}, "_timezone_id"}};
constexpr Part kTimeRange[] = {
    {"", "", TimeOfDay, {"value", "from"}},
    {"_until", "until", TimeOfDay, {"until"}, "_until"},
    {"_timezone", "timezone", Text, {"timezone_name", "timezone_id"}, "_timezone_id"}};
constexpr Part kAddress[] = {{"", "", Address, {}}, {"_address", "address", Json, {}}};
constexpr Part kEnum[] = {{"", "", Option, {}}, {"_id", "id", OptionId, {}}};
constexpr Part kSet[] = {{"", "", OptionSet, {}}, {"_id", "id", OptionSetIds, {}}};
constexpr Part kLead[] = {{"", "", Uuid, {"id", "value"}}};
constexpr Part kJson[] = {{"", "", Json, {}}};

constexpr FieldType kTypes[] = {
    {"varchar", kText, "s"},
    {"varchar_auto", kText, "s"},
    {"text", kText, "s"},
    {"phone", kText, "s"},
    {"varchar_options", kText, ""},
    {"status", kText, ""},
    {"billing_frequency", kText, ""},
    {"int", kInt, "n"},
    {"visible_to", kInt, ""},
    {"double", kNumber, "n"},
    {"boolean", kBool, ""},
    {"monetary", kMonetary, "o", "+currency"},
    {"date", kDate, "s"},
    {"daterange", kDateRange, "o", "+until-timezone_id"},
    {"time", kTime, "o", "+timezone_id-until"},
    {"timerange", kTimeRange, "o", "+until+timezone_id"},
    {"enum", kEnum, "no", "+id"},
    {"set", kSet, "a"},
    {"user", kInt, "n"},
    {"org", kInt, "n"},
    {"people", kInt, "n"},
    {"deal", kInt, "n"},
    {"project", kInt, "n"},
    {"stage", kInt, "n"},
    {"activity", kInt, "n"},
    {"projects_board", kInt, ""},
    {"projects_phase", kInt, ""},
    {"lead", kLead, "s"},
    {"address", kAddress, "o", "+locality"},
    {"deals", kJson, ""},
    {"json", kJson, ""},
    {"picture", kJson, ""},
    {"price_list", kJson, ""},
};
constexpr FieldType kUnknown = {"", kJson, ""};

} // namespace

const FieldDefinition* FieldCatalogue::find(std::string_view code) const noexcept {
    for (const FieldDefinition& field : fields)
        if (field.code == code) return &field;
    return nullptr;
}

const std::string* FieldCatalogue::label(std::string_view code,
                                         std::string_view option_id) const noexcept {
    const FieldDefinition* field = find(code);
    if (field == nullptr && code == "label_ids")
        field = find("label"); // the definitions' name for it
    if (field == nullptr) return nullptr;
    for (const FieldOption& option : field->options)
        if (option.id == option_id) return &option.label;
    return nullptr;
}

std::optional<LabelMode> parse_label_mode(std::string_view text) noexcept {
    if (text == "label") return LabelMode::Label;
    if (text == "id") return LabelMode::Id;
    if (text == "both") return LabelMode::Both;
    return std::nullopt;
}

const FieldType& field_type(std::string_view name) noexcept {
    for (const FieldType& type : kTypes)
        if (type.name == name) return type;
    return kUnknown;
}

std::span<const FieldType> field_types() noexcept {
    return kTypes;
}

const Part* find_part(const FieldType& type, std::string_view subfield) noexcept {
    for (const Part& part : type.parts)
        if (part.subfield == subfield) return &part;
    return nullptr;
}

std::vector<ImportedPart> imported_parts(const FieldType& type, LabelMode mode) {
    std::vector<ImportedPart> chosen;
    for (const Part& part : type.parts) {
        const bool is_label = kind_row(part.kind).needs_labels;
        const bool is_id = part.kind == OptionId || part.kind == OptionSetIds;
        if (is_label && mode == LabelMode::Id) continue;
        if (is_id && mode == LabelMode::Label) continue;
        chosen.push_back(
            {&part, is_id && mode == LabelMode::Id ? std::string_view{} : part.suffix});
    }
    return chosen;
}

bool is_field_hash(std::string_view code) noexcept {
    return code.size() == 40 && std::all_of(code.begin(), code.end(), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
           });
}

} // namespace pipedrive
