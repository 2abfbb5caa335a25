#include "core/wire/event_record.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/decimal.h"
#include "core/wire/decode.h"

namespace pipedrive {
namespace {

std::optional<bool> flag(JsonValue v) {
    if (v.is(Tok::True)) return true;
    if (v.is(Tok::False)) return false;
    if (v.text() == "true" || v.text() == "1" || v.text() == "t") return true;
    if (v.text() == "false" || v.text() == "0" || v.text() == "f") return false;
    return std::nullopt;
}

bool is_empty(JsonValue v) {
    return v.is_null() || (v.is(Tok::String) && v.text().empty());
}

// As people write them too: blanks around it, a sign, zeros before it and after the point.
std::optional<std::int64_t> whole_number(std::string_view text) {
    constexpr std::size_t kLongest = 40;
    while (text.starts_with(' '))
        text.remove_prefix(1);
    while (text.ends_with(' '))
        text.remove_suffix(1);
    if (text.size() > kLongest) return std::nullopt;
    const bool negative = text.starts_with('-');
    if (negative || text.starts_with('+')) text.remove_prefix(1);
    const std::size_t digits =
        std::min(text.find_first_not_of("0123456789"), text.size()); // before the point
    const std::string_view zeros = text.substr(digits);
    if (digits == 0 || (!zeros.empty() && (zeros.size() == 1 || zeros[0] != '.' ||
                                           zeros.find_first_not_of('0', 1) != zeros.npos)))
        return std::nullopt;
    text = text.substr(0, digits);
    while (text.size() > 1 && text.front() == '0')
        text.remove_prefix(1);
    return decimal_to_int64((negative ? "-" : "") + std::string(text));
}

std::optional<std::vector<std::int64_t>> ids(JsonValue v) {
    std::vector<std::int64_t> out;
    bool readable = true;
    const auto add = [&](std::string_view text) {
        const auto number = whole_number(text);
        readable = readable && number.has_value();
        out.push_back(number.value_or(0));
    };
    if (v.is(Tok::Array)) {
        v.each_element([&](JsonValue one) { add(one.text()); });
    } else if (!is_empty(v)) {
        std::string_view rest = v.text();
        for (std::size_t comma = rest.find(','); comma != rest.npos; comma = rest.find(',')) {
            add(rest.substr(0, comma));
            rest.remove_prefix(comma + 1);
        }
        add(rest);
    }
    if (!readable) return std::nullopt;
    return out;
}

// One rule that applies to a record, and the value that it is about.
struct Job {
    JsonValue record;
    const EventField& row;
    JsonValue value;

    JsonValue part(std::string_view name) const {
        return record.member(std::string(row.key) + "_" + std::string(name));
    }
};

// Writes the field's key and value, or nothing.
using Write = void (*)(const Job&, TapeWriter*);

void nothing(const Job&, TapeWriter*) {}

void rename(const Job& job, TapeWriter* tape) {
    tape->copy_key(job.row.field);
    tape->copy(job.value);
}

void opposite(const Job& job, TapeWriter* tape) {
    const std::optional<bool> said = flag(job.value);
    if (!said) return;
    tape->copy_key(job.row.field);
    tape->value(*said ? Tok::False : Tok::True, {});
}

void write_ids(const Job& job, const std::vector<std::int64_t>& values, TapeWriter* tape) {
    tape->copy_key(job.row.field);
    tape->open(Tok::Array);
    for (const std::int64_t one : values)
        tape->value(Tok::Number, std::to_string(one));
    tape->close();
}

void none_of_them(const Job& job, TapeWriter* tape) {
    if (is_empty(job.value)) write_ids(job, {}, tape);
}

void all_ids(const Job& job, TapeWriter* tape) {
    if (const auto values = ids(job.value)) write_ids(job, *values, tape);
}

void address(const Job& job, TapeWriter* tape) {
    const JsonValue own = job.part("value");
    tape->copy_key(job.row.field);
    tape->open(Tok::Object);
    tape->copy_key("value");
    tape->copy(own.absent() ? job.value : own);
    for (const std::string_view name : kAddressParts) {
        const JsonValue part = job.part(name);
        tape->copy_key(name);
        if (part.absent())
            tape->value(Tok::Null, {});
        else
            tape->copy(part);
    }
    tape->close();
}

// A record that has the list's own key says the field by it.
bool lacks_field(const Job& job) {
    return job.record.member(job.row.field).absent();
}

bool always(const Job&) {
    return true;
}

bool is_null(const Job& job) {
    return job.value.is_null();
}

// What was made of the address is there too; else it is half of one.
bool is_whole_address(const Job& job) {
    return !is_empty(job.value) && !job.part("formatted_address").absent();
}

struct RuleRow {
    EventRule rule;
    bool (*applies)(const Job&);
    bool drops; // the key says nothing any more
    Write write;
};
constexpr RuleRow kRules[] = {
    {EventRule::Rename, lacks_field, false, rename},
    {EventRule::Not, lacks_field, false, opposite},
    {EventRule::OneOf, lacks_field, false, none_of_them},
    {EventRule::Ids, lacks_field, false, all_ids},
    {EventRule::Address, is_whole_address, true, address},
    {EventRule::Drop, always, true, nothing},
    {EventRule::DropNull, is_null, true, nothing},
};
constexpr bool rows_in_order() {
    for (std::size_t i = 0; i < std::size(kRules); ++i)
        if (static_cast<std::size_t>(kRules[i].rule) != i) return false;
    return std::size(kRules) == static_cast<std::size_t>(EventRule::Count_);
}
static_assert(rows_in_order(), "one row for each rule, in the order of the enum");

struct Applied {
    const RuleRow* rule;
    Job job;
};

std::vector<Applied> applied_rules(JsonValue record, EventVersion version,
                                   std::span<const EventField> fields) {
    std::vector<Applied> out;
    for (const EventField& row : fields) {
        if (row.version != EventVersion::Any && row.version != version) continue;
        const Job job{record, row, record.member(row.key)};
        const RuleRow& rule = kRules[static_cast<std::size_t>(row.rule)];
        if (!job.value.absent() && rule.applies(job)) out.push_back({&rule, job});
    }
    return out;
}

} // namespace

JsonValue as_listed(JsonValue record, EventVersion version, std::span<const EventField> fields,
                    TapeWriter* tape) {
    const std::vector<Applied> rules = applied_rules(record, version, fields);
    if (rules.empty()) return record;
    tape->open(Tok::Object);
    record.each_member([&](std::string_view key, JsonValue value) {
        const bool dropped = std::any_of(rules.begin(), rules.end(), [&](const Applied& one) {
            return one.rule->drops && one.job.row.key == key;
        });
        if (dropped) return;
        tape->copy_key(key);
        tape->copy(value);
    });
    for (const Applied& one : rules)
        one.rule->write(one.job, tape); // after the record's own: the last one counts
    tape->close();
    return JsonValue(tape->at(0));
}

} // namespace pipedrive
