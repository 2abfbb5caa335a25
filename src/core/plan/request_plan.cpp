#include "core/plan/request_plan.h"

#include <algorithm>
#include <optional>

#include "core/plan/requests.h"

namespace pipedrive {
namespace {

// The rows a filter column may still have after all predicates on it. Starts as "any".
struct Domain {
    std::optional<std::vector<std::int64_t>> ints; // allowed values
    std::optional<std::vector<std::string>> words;
    std::optional<bool> flag;
    Micros since = kBeforeAll; // inclusive, as asked by SQL
    Micros until = kAfterAll;  // exclusive
    std::string symbol;        // a predicate whose value EXPLAIN does not know
    std::string since_symbol, until_symbol;
    bool one = false; // the symbol stands for one value
    bool empty = false;
};

template <typename T>
void intersect(std::optional<std::vector<T>>* domain, std::vector<T> values) {
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
    if (!*domain) {
        *domain = std::move(values);
        return;
    }
    std::vector<T> both;
    std::set_intersection((*domain)->begin(), (*domain)->end(), values.begin(), values.end(),
                          std::back_inserter(both));
    *domain = std::move(both);
}

Micros plus_second(Micros t) {
    return t > kAfterAll - kSecond ? kAfterAll : t + kSecond;
}

// Bounds of update_time in whole seconds, widened: the API compares whole seconds and refuses
// fractions.
void narrow_window(Domain* d, Op op, Micros t) {
    const bool infinite = t == kBeforeAll || t == kAfterAll;
    const Micros low = infinite ? t : floor_to_second(t);
    if (op == Op::Eq || op == Op::Ge || op == Op::Gt) d->since = std::max(d->since, low);
    // x <= t keeps the whole second that t lies in; x < t needs it only when t has a fraction.
    if (op == Op::Eq || op == Op::Le)
        d->until = std::min(d->until, infinite ? t : plus_second(low));
    if (op == Op::Lt) d->until = std::min(d->until, infinite ? t : ceil_to_second(t));
    // Rows have finite times: nothing is at or after 'infinity', nothing at or before '-infinity'.
    if (d->since == kAfterAll || d->until == kBeforeAll || d->since >= d->until) d->empty = true;
}

void narrow_unknown(Domain* d, Op op, const std::string& symbol) {
    if (op == Op::Ge || op == Op::Gt)
        d->since_symbol = symbol;
    else if (op == Op::Lt || op == Op::Le)
        d->until_symbol = symbol;
    else
        d->symbol = d->since_symbol = d->until_symbol = symbol;
    d->one = d->one || op == Op::Eq;
}

void narrow(Domain* d, const Predicate& p, std::span<const Value> values) {
    if (p.op == Op::IsTrue || p.op == Op::IsFalse) {
        const bool wanted = p.op == Op::IsTrue;
        if (d->flag && *d->flag != wanted) d->empty = true;
        d->flag = wanted;
        return;
    }
    const Value& v = values[static_cast<std::size_t>(p.value)];
    switch (v.type) {
        case Value::Type::Unknown:
            narrow_unknown(d, p.op, v.symbol);
            break;
        case Value::Type::Null:
            d->empty = true;
            break;
        case Value::Type::Ints:
            intersect(&d->ints, v.ints);
            break;
        case Value::Type::Uuids:
        case Value::Type::Words:
            intersect(&d->words, v.words);
            break;
        case Value::Type::Time:
            narrow_window(d, p.op, v.time);
            break;
        case Value::Type::Flag:
            if (d->flag && *d->flag != v.flag) d->empty = true;
            d->flag = v.flag;
            break;
    }
    if ((d->ints && d->ints->empty()) || (d->words && d->words->empty())) d->empty = true;
}

bool contains_word(std::span<const std::string_view> list, std::string_view word) {
    return std::find(list.begin(), list.end(), word) != list.end();
}

// --- one function a FilterKind: adds to the plan, says what became of the column's predicates
// -------------------------------------

// Larger numbers are refused by some validators, and in doubt no list is narrowed.
constexpr std::int64_t kLargestSent = 999999999999999999;

// False: EXPLAIN does not know them.
bool note_ids(const Domain& d, bool known, RequestPlan* plan) {
    plan->by_ids = true;
    if (known) return true;
    plan->ids_unknown = true;
    plan->ids_symbol = d.symbol;
    plan->one_unknown_id = d.one;
    return false;
}

Exactness push_ids(const Filter&, const Domain& d, RequestPlan* plan, std::vector<Parameter>*) {
    if (d.ints && d.ints->back() > kLargestSent) return Exactness::Local;
    if (!note_ids(d, d.ints.has_value(), plan)) return Exactness::Exact;
    for (std::int64_t id : *d.ints)
        if (id > 0)
            plan->ids.push_back(
                RowKey::of(id)); // ids are positive; the API answers 400 to anything else
    if (plan->ids.empty()) plan->nothing = true;
    return Exactness::Exact;
}

Exactness push_uuids(const Filter&, const Domain& d, RequestPlan* plan, std::vector<Parameter>*) {
    if (!note_ids(d, d.words.has_value(), plan)) return Exactness::Exact;
    for (const std::string& word : *d.words)
        if (const auto uuid = parse_uuid(word)) plan->ids.push_back(RowKey::of(*uuid));
    return Exactness::Exact;
}

Exactness push_equal_uuid(const Filter& filter, const Domain& d, RequestPlan*,
                          std::vector<Parameter>* parameters) {
    if (d.words ? d.words->size() != 1 : d.symbol.empty()) return Exactness::Local;
    parameters->push_back(
        {std::string(filter.parameter), d.words ? d.words->front() : "{" + d.symbol + "}"});
    return filter.best;
}

Exactness push_equal(const Filter& filter, const Domain& d, RequestPlan*,
                     std::vector<Parameter>* parameters) {
    if (!d.ints && !d.symbol.empty()) {
        parameters->push_back({std::string(filter.parameter), "{" + d.symbol + "}"});
        return filter.best;
    }
    // The parameter takes one value; one that is not positive would be answered with 400.
    if (!d.ints || d.ints->size() != 1 || d.ints->front() <= 0 || d.ints->front() > kLargestSent)
        return Exactness::Local;
    parameters->push_back({std::string(filter.parameter), std::to_string(d.ints->front())});
    return filter.best;
}

Exactness push_one_of(const Filter& filter, const Domain& d, RequestPlan* plan,
                      std::vector<Parameter>* parameters) {
    if (!d.words) {
        if (d.symbol.empty()) return Exactness::Local;
        parameters->push_back({std::string(filter.parameter), "{" + d.symbol + "}"});
        return filter.best;
    }
    std::string csv;
    for (const std::string& word : *d.words) {
        if (contains_word(filter.absent_words, word)) continue;
        // A word the API does not know today cannot be sent, and a row may hold it tomorrow.
        if (!contains_word(filter.words, word)) return Exactness::Local;
        csv += (csv.empty() ? "" : ",") + word;
    }
    if (csv.empty())
        plan->nothing = true;
    else
        parameters->push_back({std::string(filter.parameter), csv});
    return filter.best;
}

Exactness push_flag(const Filter& filter, const Domain& d, RequestPlan*,
                    std::vector<Parameter>* parameters) {
    if (!d.flag && d.symbol.empty()) return Exactness::Local;
    constexpr std::string_view kWords[] = {"false", "true"};
    const std::string_view* words = filter.words.empty() ? kWords : filter.words.data();
    parameters->push_back({std::string(filter.parameter),
                           d.flag ? std::string(words[*d.flag]) : "{" + d.symbol + "}"});
    return filter.best;
}

// Outside these years there is nothing to find and some servers refuse the year: such a bound is
// moved inward, which only widens the window.
constexpr Micros kEarliest = -946684800LL * kSecond; // 1970-01-01
constexpr Micros kLatest = 252455615999LL * kSecond; // 9999-12-31T23:59:59Z

void stop_at(Stream* stream, std::string_view column, Micros before) {
    order_newest_first(stream, column);
    stream->stop_column = column;
    stream->stop_before = before;
}

bool takes(const Endpoint& endpoint, std::string_view parameter) {
    return !contains_word(endpoint.without, parameter);
}

// A list that does not take the lower bound is read newest first instead.
Exactness push_window(const Filter& filter, const Domain& d, RequestPlan* plan,
                      std::vector<Parameter>* parameters) {
    const std::size_t before = parameters->size();
    if (d.since > kEarliest || !d.since_symbol.empty())
        for (Stream& stream : plan->streams)
            if (!takes(*stream.endpoint, "updated_since")) stop_at(&stream, filter.column, d.since);
    if (d.since > kEarliest)
        parameters->push_back({"updated_since", format_utc_seconds(std::min(d.since, kLatest))});
    else if (!d.since_symbol.empty())
        parameters->push_back({"updated_since", "{" + d.since_symbol + "}"});
    if (filter.parameter.find("updated_until") == std::string_view::npos)
        return parameters->size() > before ? filter.best : Exactness::Local;
    if (d.until < kLatest)
        parameters->push_back({"updated_until", format_utc_seconds(std::max(d.until, kEarliest))});
    else if (!d.until_symbol.empty())
        parameters->push_back({"updated_until", "{" + d.until_symbol + "}"});
    return parameters->size() > before ? filter.best : Exactness::Local;
}

Exactness push_endpoint(const Filter& filter, const Domain& d, RequestPlan* plan,
                        std::vector<Parameter>*) {
    if (!d.flag) return d.symbol.empty() ? Exactness::Local : filter.best;
    std::erase_if(plan->streams, [&](const Stream& s) { return s.endpoint->archived != *d.flag; });
    return filter.best;
}

// Only where no lower bound on update_time narrows the list better, and not with ids. An upper
// bound alone leaves almost all of a list.
Exactness push_newest(const Filter& filter, const Domain& d, RequestPlan* plan,
                      std::vector<Parameter>* parameters) {
    const bool windowed = std::any_of(parameters->begin(), parameters->end(),
                                      [](const Parameter& p) { return p.name == "updated_since"; });
    if (windowed || (d.since <= kEarliest && d.since_symbol.empty())) return Exactness::Local;
    for (Stream& stream : plan->streams)
        stop_at(&stream, filter.column, d.since);
    return filter.best;
}

using Push = Exactness (*)(const Filter&, const Domain&, RequestPlan*, std::vector<Parameter>*);
struct PushRow {
    FilterKind kind;
    Push push;
    Value::Type type;
    bool with_ids; // still pushed when ids are: only the choice of list, as nothing documents how
                   // ids combines with other parameters
};
constexpr PushRow kPushRows[] = {
    {FilterKind::Ids, push_ids, Value::Type::Ints, true},
    {FilterKind::Uuids, push_uuids, Value::Type::Uuids, true},
    {FilterKind::EqualUuid, push_equal_uuid, Value::Type::Uuids, false},
    {FilterKind::Equal, push_equal, Value::Type::Ints, false},
    {FilterKind::OneOf, push_one_of, Value::Type::Words, false},
    {FilterKind::Flag, push_flag, Value::Type::Flag, false},
    {FilterKind::Window, push_window, Value::Type::Time, false},
    {FilterKind::Endpoint, push_endpoint, Value::Type::Flag, true},
    {FilterKind::Newest, push_newest, Value::Type::Time, false},
};

const PushRow& push_row(FilterKind kind) {
    for (const PushRow& row : kPushRows)
        if (row.kind == kind) return row;
    return kPushRows[0];
}

// Whether the filter can use the predicate's value at all; EXPLAIN's unknown values are taken on
// trust.
bool usable(const Filter& filter, const Predicate& p, std::span<const Value> values) {
    const Value::Type wanted = push_row(filter.kind).type;
    if (p.op == Op::IsTrue || p.op == Op::IsFalse) return wanted == Value::Type::Flag;
    const Value::Type type = values[static_cast<std::size_t>(p.value)].type;
    return type == wanted || type == Value::Type::Null || type == Value::Type::Unknown;
}

std::string joined(const std::vector<std::string>& items) {
    std::string out;
    for (const std::string& item : items)
        out += (out.empty() ? "" : ",") + item;
    return out;
}

// The parameters that choose what comes back with each row, as far as the endpoint has them.
void add_projection(const Projection& wanted, Stream* stream) {
    const Endpoint& endpoint = *stream->endpoint;
    auto add = [&](std::string_view name, std::string value) {
        stream->parameters.push_back({std::string(name), std::move(value)});
    };
    if (!wanted.include_fields.empty()) add("include_fields", joined(wanted.include_fields));
    if (endpoint.custom_projection && !wanted.all_custom && !wanted.custom_keys.empty() &&
        wanted.custom_keys.size() <= kCustomKeysPerRequest)
        add("custom_fields", joined(wanted.custom_keys));
    if (endpoint.option_labels && wanted.option_labels) add("include_option_labels", "true");
    if (endpoint.label_objects && wanted.label_objects) add("include_labels", "true");
}

void sort_unique(std::vector<std::string>* items) {
    std::sort(items->begin(), items->end());
    items->erase(std::unique(items->begin(), items->end()), items->end());
}

} // namespace

Value::Type value_type(FilterKind kind) noexcept {
    return push_row(kind).type;
}

Projection projection_of(std::span<const BoundColumn> wanted) {
    Projection p;
    for (const BoundColumn& column : wanted) {
        if (column.optional) p.include_fields.push_back(column.field);
        if (column.source == Source::Custom) p.custom_keys.push_back(column.field);
        if (column.source == Source::Field && column.field == "custom_fields") p.all_custom = true;
        if (column.kind == Kind::Option || column.kind == Kind::OptionSet) p.option_labels = true;
        if (column.source == Source::Labels) p.label_objects = true;
    }
    sort_unique(&p.include_fields);
    sort_unique(&p.custom_keys);
    return p;
}

RequestPlan plan_requests(const Entity& entity, std::span<const Predicate> predicates,
                          std::span<const Value> values, const Projection& projection,
                          int page_size) {
    RequestPlan plan;
    plan.page_size = page_size;
    plan.outcome.assign(predicates.size(), Exactness::Local);
    for (const Endpoint& endpoint : entity.endpoints)
        plan.streams.push_back({&endpoint, {}});
    std::vector<Parameter> parameters;
    for (const Filter& filter : entity.filters) {
        Domain domain;
        bool any = false;
        for (const Predicate& p : predicates)
            if (p.column == filter.column && usable(filter, p, values))
                narrow(&domain, p, values), any = true;
        if (!any) continue;
        Exactness result = filter.best;
        const PushRow& row = push_row(filter.kind);
        if (domain.empty) {
            plan.nothing = true;
            plan.nothing_because =
                "no value of " + std::string(filter.column) + " satisfies the conditions";
        } else if (plan.by_ids && !row.with_ids) {
            continue; // the row of ids stands first
        } else {
            result = row.push(filter, domain, &plan, &parameters);
        }
        for (std::size_t i = 0; i < predicates.size(); ++i)
            if (predicates[i].column == filter.column && usable(filter, predicates[i], values))
                plan.outcome[i] = result;
        if (plan.nothing && plan.nothing_because.empty())
            plan.nothing_because = "no row has such a value of " + std::string(filter.column);
    }
    for (Stream& stream : plan.streams) {
        std::vector<Parameter> order = std::exchange(stream.parameters, {});
        for (const Parameter& p : parameters)
            if (takes(*stream.endpoint, p.name)) stream.parameters.push_back(p);
        stream.parameters.insert(stream.parameters.end(), order.begin(), order.end());
        add_projection(projection, &stream);
    }
    if (plan.nothing) plan.streams.clear();
    return plan;
}

} // namespace pipedrive
