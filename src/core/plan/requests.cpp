#include "core/plan/requests.h"

#include <algorithm>

#include "core/base/text.h"

namespace pipedrive {

bool stops_early(const RequestPlan& plan) noexcept {
    return std::any_of(plan.streams.begin(), plan.streams.end(),
                       [](const Stream& s) { return !s.stop_column.empty(); });
}

namespace {

void add_order(Sorting sorting, std::string_view key, bool newest_first,
               std::vector<Parameter>* parameters) {
    if (sorting == Sorting::ByDirection) {
        parameters->push_back({"sort_by", std::string(key)});
        parameters->push_back({"sort_direction", newest_first ? "desc" : "asc"});
    } else if (sorting == Sorting::ByWord) {
        parameters->push_back({"sort", std::string(key) + (newest_first ? " DESC" : " ASC")});
    }
}

bool is_ordered(const Stream& stream) {
    return std::any_of(stream.parameters.begin(), stream.parameters.end(),
                       [](const Parameter& p) { return p.name == "sort" || p.name == "sort_by"; });
}

// What tells one page of a list from the others, by its paging.
std::vector<Parameter> page_parameters(const Endpoint& endpoint, int page_size,
                                       const PageStart& start) {
    if (endpoint.paging == Paging::None) return {};
    // A page by offset begins with a row that is known already.
    const int least = endpoint.paging == Paging::Offset ? 2 : 1;
    std::vector<Parameter> out = {
        {"limit", std::to_string(std::max(std::min(page_size, endpoint.max_limit), least))}};
    if (endpoint.paging == Paging::Cursor && !start.cursor.empty())
        out.push_back({"cursor", std::string(start.cursor)});
    if (endpoint.paging == Paging::Offset && start.offset > 0)
        out.push_back({"start", std::to_string(start.offset)});
    return out;
}

void add_query(std::string* target, std::string_view name, std::string_view value) {
    *target += target->find('?') == std::string::npos ? '?' : '&';
    *target += name;
    *target += '=';
    *target += percent_encode(value);
}

} // namespace

void order_newest_first(Stream* stream, std::string_view key) {
    add_order(stream->endpoint->sorting, key, true, &stream->parameters);
}

std::string request_target(const RequestPlan& plan, const Stream& stream, const KeyList& ids,
                           const PageStart& start) {
    const Endpoint& endpoint = *stream.endpoint;
    std::string target(endpoint.path);
    if (!ids.empty()) {
        std::string csv;
        for (std::size_t i = 0; i < ids.size(); ++i)
            csv += (i == 0 ? "" : ",") + ids[i].spelled();
        add_query(&target, "ids", csv);
    }
    for (const FixedParameter& p : endpoint.fixed)
        add_query(&target, p.name, p.value);
    for (const Parameter& p : stream.parameters)
        add_query(&target, p.name, p.value);
    std::vector<Parameter> rest;
    if (!endpoint.order.empty() && !is_ordered(stream))
        add_order(endpoint.sorting, endpoint.order, false, &rest);
    for (const Parameter& p : rest)
        add_query(&target, p.name, p.value);
    for (const Parameter& p : page_parameters(endpoint, plan.page_size, start))
        add_query(&target, p.name, p.value);
    return target;
}

std::size_t ids_in_next_request(const Endpoint& endpoint, std::size_t left) noexcept {
    if (endpoint.single.tokens > 0 &&
        (endpoint.batch == 0 ||
         static_cast<std::int64_t>(left) * endpoint.single.tokens * 2 < endpoint.tokens))
        return std::min<std::size_t>(left, 1);
    return std::min(left, static_cast<std::size_t>(endpoint.batch));
}

namespace {

std::string_view single_path(const Endpoint& endpoint) {
    return endpoint.single.path.empty() ? endpoint.path : endpoint.single.path;
}

} // namespace

std::string single_target(const Stream& stream, std::string_view key) {
    std::string target = std::string(single_path(*stream.endpoint)) + "/" + percent_encode(key);
    if (!stream.endpoint->single.bare)
        for (const Parameter& p : stream.parameters)
            add_query(&target, p.name, p.value);
    return target;
}

namespace {

// Whether the first request of the stream is for one record.
bool begins_with_single(const RequestPlan& plan, const Stream& stream) {
    if (!plan.by_ids || stream.endpoint->single.tokens == 0) return false;
    if (plan.ids_unknown) return plan.one_unknown_id || stream.endpoint->batch == 0;
    return ids_in_next_request(*stream.endpoint, plan.ids.size()) == 1;
}

// How EXPLAIN tells of the ids that the first request does not name.
std::string and_more(const Stream& stream, std::size_t more, bool single) {
    if (more == 0) return {};
    return " (and " + std::to_string(more) + " more ids " +
           (single ? "one by one)"
                   : "in batches of " + std::to_string(stream.endpoint->batch) + ")");
}

// Symbols are for people: shown as written, not percent-encoded.
void show_symbols(const Stream& shown, std::string* line) {
    for (const Parameter& p : shown.parameters) {
        if (!p.value.starts_with('{')) continue;
        const std::string encoded = p.name + "=" + percent_encode(p.value);
        if (const std::size_t at = line->find(encoded); at != std::string::npos)
            line->replace(at, encoded.size(), p.name + "=" + p.value);
    }
}

// "GET …" of the first request of a stream.
std::string first_request(const RequestPlan& plan, const Stream& stream) {
    const Endpoint& endpoint = *stream.endpoint;
    Stream shown = stream;
    if (begins_with_single(plan, stream)) {
        const std::string unknown = "{" + plan.ids_symbol + "}";
        std::string line =
            "GET " + single_target(shown, plan.ids_unknown ? "0" : plan.ids[0].spelled());
        if (plan.ids_unknown) line.replace(4 + single_path(endpoint).size() + 1, 1, unknown);
        show_symbols(shown, &line);
        return line + and_more(stream, plan.ids.empty() ? 0 : plan.ids.size() - 1, true);
    }
    if (plan.ids_unknown && endpoint.batch > 0)
        shown.parameters.insert(shown.parameters.begin(), {"ids", "{" + plan.ids_symbol + "}"});
    const KeyList batch = plan.ids.part(0, static_cast<std::size_t>(endpoint.batch));
    std::string line = "GET " + request_target(plan, shown, batch);
    show_symbols(shown, &line);
    return line + and_more(stream, batch.empty() ? 0 : plan.ids.size() - batch.size(), false);
}

} // namespace

std::vector<std::string> describe_requests(const RequestPlan& plan) {
    if (plan.nothing) return {"none (" + plan.nothing_because + ")"};
    std::vector<std::string> lines;
    for (const Stream& stream : plan.streams) {
        std::string line = first_request(plan, stream);
        if (plan.by_ids && !lines.empty()) line += " (for ids not found)";
        if (!stream.stop_column.empty()) line += " (until " + stream.stop_column + " is older)";
        lines.push_back(std::move(line));
    }
    return lines;
}

Estimate price_of_ids(const Stream& stream, std::size_t ids) noexcept {
    const Endpoint& endpoint = *stream.endpoint;
    Estimate e;
    while (ids > 0) {
        const std::size_t n = ids_in_next_request(endpoint, ids);
        ++e.requests;
        e.tokens += n == 1 && endpoint.single.tokens > 0 ? endpoint.single.tokens : endpoint.tokens;
        if (n == 0) break; // all of the list; its pages are not known here
        ids -= n;
    }
    return e;
}

Estimate list_estimate(const Entity& entity, std::optional<bool> archived, std::int64_t rows,
                       int page_size) {
    RequestPlan plan;
    plan.page_size = page_size;
    for (const Endpoint& endpoint : entity.endpoints)
        if (!archived || endpoint.archived == *archived) plan.streams.push_back({&endpoint, {}});
    return estimate(plan, rows);
}

Estimate estimate(const RequestPlan& plan, std::int64_t rows) {
    Estimate e;
    if (plan.nothing || plan.streams.empty()) return e;
    if (plan.by_ids) // expected in the first list
        return price_of_ids(plan.streams.front(),
                            plan.one_unknown_id ? 1
                            : plan.ids_unknown
                                ? static_cast<std::size_t>(std::max<std::int64_t>(1, rows))
                                : plan.ids.size());
    bool first = true;
    for (const Stream& stream : plan.streams) {
        std::int64_t pages = 1;
        // The bulk of the rows is expected in the first list.
        if (first && stream.endpoint->paging != Paging::None)
            pages = std::max<std::int64_t>(1, (rows + plan.page_size - 1) / plan.page_size);
        first = false;
        e.requests += pages;
        e.tokens += pages * stream.endpoint->tokens;
    }
    return e;
}

} // namespace pipedrive
