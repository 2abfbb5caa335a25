#include "core/catalog/kinds.h"

namespace pipedrive {
namespace {

constexpr KindRow kRows[] = {
    {Kind::Int, "int", "bigint", false},
    {Kind::Number, "number", "numeric", false},
    {Kind::Bool, "bool", "boolean", false},
    {Kind::Text, "text", "text", false},
    {Kind::Timestamp, "timestamp", "timestamptz", false},
    {Kind::Date, "date", "date", false},
    {Kind::TimeOfDay, "time", "time", false},
    {Kind::Duration, "duration", "interval", false},
    {Kind::Uuid, "uuid", "uuid", false},
    {Kind::Json, "json", "jsonb", false},
    {Kind::IntArray, "int_array", "bigint[]", false},
    {Kind::UuidArray, "uuid_array", "uuid[]", false},
    {Kind::Primary, "primary", "text", false},
    {Kind::Address, "address", "text", false},
    {Kind::Option, "option", "text", true},
    {Kind::OptionId, "option_id", "bigint", false},
    {Kind::OptionSet, "option_set", "text[]", true},
    {Kind::OptionSetIds, "option_set_ids", "bigint[]", false},
    {Kind::LabelNames, "label_names", "text[]", true},
};
static_assert(sizeof(kRows) / sizeof(kRows[0]) == static_cast<std::size_t>(Kind::Count_));

constexpr bool rows_in_order() {
    for (std::size_t i = 0; i < std::size(kRows); ++i)
        if (static_cast<std::size_t>(kRows[i].kind) != i) return false;
    return true;
}
static_assert(rows_in_order(), "kind_row() indexes by kind");

} // namespace

std::span<const KindRow> kind_rows() noexcept {
    return kRows;
}

const KindRow& kind_row(Kind kind) noexcept {
    return kRows[static_cast<std::size_t>(kind)];
}

const KindRow* find_kind(std::string_view name) noexcept {
    for (const KindRow& row : kRows)
        if (row.name == name) return &row;
    return nullptr;
}

} // namespace pipedrive
