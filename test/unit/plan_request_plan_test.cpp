// The planner against two models written from the API's documentation and from SQL: whatever the
// predicates are, the planned requests must return every row that SQL wants, and only such rows
// where the plan claims exactness.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <set>

#include "core/plan/requests.h"
#include "unit/fakes.h"

namespace pipedrive {
namespace {

using test::query_value;

struct Row {
    std::int64_t id = 0;
    // References; done as 0 and 1.
    std::map<std::string, std::optional<std::int64_t>> ints;
    std::string status;
    std::optional<Micros> update_time;
    bool archived = false;
};

// ---- SQL ----------------------------------------------------------------------------------------

bool holds(const Row& row, const Predicate& p, const std::vector<Value>& values) {
    if (p.op == Op::IsTrue || p.op == Op::IsFalse) {
        const bool wanted = p.op == Op::IsTrue;
        if (p.column == "is_archived") return row.archived == wanted;
        return row.ints.at(p.column) == std::optional<std::int64_t>(wanted);
    }
    const Value& v = values[static_cast<std::size_t>(p.value)];
    if (v.type == Value::Type::Null) return false;
    if (v.type == Value::Type::Flag) {
        if (p.column == "is_archived") return row.archived == v.flag;
        return row.ints.at(p.column) == std::optional<std::int64_t>(v.flag);
    }
    if (v.type == Value::Type::Words)
        return std::count(v.words.begin(), v.words.end(), row.status) > 0;
    if (v.type == Value::Type::Ints) {
        const auto field = p.column == "id" ? std::optional(row.id) : row.ints.at(p.column);
        return field && std::count(v.ints.begin(), v.ints.end(), *field) > 0;
    }
    if (!row.update_time) return false;
    const Micros t = *row.update_time;
    switch (p.op) {
        case Op::Lt:
            return t < v.time;
        case Op::Le:
            return t <= v.time;
        case Op::Gt:
            return t > v.time;
        case Op::Ge:
            return t >= v.time;
        default:
            return t == v.time;
    }
}

// ---- API ----------------------------------------------------------------------------------------

// Query parameters of each list, pipedrive-api.md section 2.2.
const std::map<std::string, std::set<std::string>> kAllowed = {
    {"/api/v2/deals",
     {"filter_id", "ids", "owner_id", "person_id", "org_id", "pipeline_id", "stage_id", "status",
      "updated_since", "updated_until", "sort_by", "sort_direction", "include_fields",
      "custom_fields", "include_option_labels", "include_labels", "limit", "cursor"}},
    {"/api/v2/deals/archived",
     {"filter_id", "ids", "owner_id", "person_id", "org_id", "pipeline_id", "stage_id", "status",
      "updated_since", "updated_until", "sort_by", "sort_direction", "include_fields",
      "custom_fields", "limit", "cursor"}},
    {"/api/v2/persons",
     {"filter_id", "ids", "owner_id", "org_id", "deal_id", "updated_since", "updated_until",
      "sort_by", "sort_direction", "include_fields", "custom_fields", "include_option_labels",
      "include_labels", "limit", "cursor"}},
    {"/api/v2/organizations",
     {"filter_id", "ids", "owner_id", "updated_since", "updated_until", "sort_by", "sort_direction",
      "include_fields", "custom_fields", "include_option_labels", "include_labels", "limit",
      "cursor"}},
    {"/api/v2/activities",
     {"filter_id", "ids", "owner_id", "deal_id", "lead_id", "person_id", "org_id", "done",
      "updated_since", "updated_until", "sort_by", "sort_direction", "include_fields", "limit",
      "cursor"}},
    {"/api/v2/stages", {"pipeline_id", "sort_by", "sort_direction", "limit", "cursor"}},
    {"/api/v2/pipelines", {"sort_by", "sort_direction", "limit", "cursor"}},
    {"/v1/users", {}},
};

std::vector<std::string> split_csv(const std::string& csv) {
    std::vector<std::string> out;
    std::string part;
    for (char c : csv + ",") {
        if (c != ',') {
            part += c;
            continue;
        }
        out.push_back(part);
        part.clear();
    }
    return out;
}

// True when text has the shape of form, where 0 stands for any digit.
bool shaped(std::string_view text, std::string_view form) {
    return text.size() == form.size() &&
           std::equal(text.begin(), text.end(), form.begin(),
                      [](char c, char f) { return f == '0' ? c >= '0' && c <= '9' : c == f; });
}

// Whole seconds and Z only; everything else is a 400.
Micros api_time(const std::string& text) {
    EXPECT_TRUE(shaped(text, "0000-00-00T00:00:00Z")) << text;
    if (!shaped(text, "0000-00-00T00:00:00Z")) return 0;
    const auto part = [&](std::size_t at, std::size_t n) { return std::stoll(text.substr(at, n)); };
    // Days from civil (Hinnant), shifted to 2000-01-01.
    std::int64_t y = part(0, 4), mon = part(5, 2), d = part(8, 2);
    y -= mon <= 2;
    const std::int64_t era = (y >= 0 ? y : y - 399) / 400, yoe = y - era * 400;
    const std::int64_t doy = (153 * (mon + (mon > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    const std::int64_t days = era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468 - 10957;
    return (days * 86400 + part(11, 2) * 3600 + part(14, 2) * 60 + part(17, 2)) * kSecond;
}

struct Api {
    // Undocumented: does a window return rows that were never changed?
    bool null_time_passes;

    static void check_parameters(const std::string& target) {
        const std::string path = target.substr(0, target.find('?'));
        ASSERT_TRUE(kAllowed.count(path)) << path;
        std::set<std::string> seen;
        std::size_t at = path.size();
        while (at < target.size()) {
            const std::size_t equals = target.find('=', at);
            const std::string name = target.substr(at + 1, equals - at - 1);
            EXPECT_TRUE(kAllowed.at(path).count(name)) << "400: " << target;
            EXPECT_TRUE(seen.insert(name).second) << "twice: " << target;
            at = std::min(target.find('&', at + 1), target.size());
        }
    }

    static std::int64_t positive(const std::string& text) {
        const bool good = !text.empty() && text.size() < 19 && text[0] != '0' &&
                          text.find_first_not_of("0123456789") == text.npos;
        EXPECT_TRUE(good) << "400: " << text;
        if (!good) return -1;
        return std::stoll(text);
    }

    bool in_window(const Row& row, const std::string& target) const {
        const auto since = query_value(target, "updated_since");
        const auto until = query_value(target, "updated_until");
        if ((since || until) && !row.update_time) return null_time_passes;
        if (since && *row.update_time < api_time(*since)) return false;
        return !until || *row.update_time < api_time(*until);
    }

    bool returns(const Row& row, const std::string& target) const {
        const std::string path = target.substr(0, target.find('?'));
        if (path.find("/deals") != path.npos && row.archived != path.ends_with("/archived"))
            return false;
        if (const auto ids = query_value(target, "ids")) {
            const std::vector<std::string> list = split_csv(*ids);
            EXPECT_LE(list.size(), 100u);
            if (std::none_of(list.begin(), list.end(),
                             [&](const std::string& id) { return positive(id) == row.id; }))
                return false;
        }
        for (const char* name :
             {"owner_id", "person_id", "org_id", "pipeline_id", "stage_id", "deal_id"})
            if (const auto v = query_value(target, name))
                if (row.ints.at(name) != std::optional(positive(*v))) return false;
        if (const auto done = query_value(target, "done")) {
            EXPECT_TRUE(*done == "true" || *done == "false") << *done;
            if (row.ints.at("done") != std::optional<std::int64_t>(*done == "true")) return false;
        }
        if (const auto status = query_value(target, "status")) {
            bool found = false;
            for (const std::string& word : split_csv(*status)) {
                EXPECT_TRUE(word == "open" || word == "won" || word == "lost" || word == "deleted")
                    << "400: " << word;
                found = found || word == row.status;
            }
            if (!found) return false;
        } else if (row.status == "deleted") {
            return false;
        }
        return in_window(row, target);
    }
};

std::vector<std::string> targets_of(const RequestPlan& plan) {
    std::vector<std::string> targets;
    for (const Stream& stream : plan.streams) {
        if (!plan.by_ids) targets.push_back(request_target(plan, stream, {}));
        for (std::size_t at = 0; at < plan.ids.size(); at += kIdsPerRequest)
            targets.push_back(request_target(plan, stream, plan.ids.part(at, kIdsPerRequest)));
    }
    return targets;
}

// ---- the generator ------------------------------------------------------------------------------

// 2026-03-03T12:00:00Z.
constexpr Micros kNoon = 825768000LL * kSecond;

struct World {
    std::mt19937 random{20260303};
    std::vector<Row> rows;

    std::int64_t pick(std::int64_t low, std::int64_t high) {
        return std::uniform_int_distribution<std::int64_t>(low, high)(random);
    }

    World() {
        const std::optional<Micros> times[] = {
            std::nullopt,        kNoon - kSecond,       kNoon, kNoon + kSecond / 2, kNoon + kSecond,
            kNoon + 2 * kSecond, -950000000LL * kSecond};
        for (const char* status : {"open", "won", "lost", "deleted"})
            for (const auto& time : times)
                for (int archived = 0; archived < 2; ++archived)
                    for (int owner = 0; owner < 4; ++owner)
                        add(status, time, archived, owner);
    }

    void add(const char* status, std::optional<Micros> time, int archived, int owner) {
        Row row;
        row.id = static_cast<std::int64_t>(rows.size()) + 1;
        if (row.id % 50 == 0) row.id += 5000000000; // beyond 2^32
        row.status = status;
        row.update_time = time;
        row.archived = archived != 0;
        for (const char* name : {"owner_id", "person_id", "org_id", "pipeline_id", "stage_id",
                                 "deal_id", "done", "value"}) {
            std::optional<std::int64_t>& field = row.ints[name];
            if (const std::int64_t v = pick(0, 3); v > 0) field = v;
        }
        row.ints["done"] = pick(0, 1);
        row.ints["owner_id"] = owner == 0 ? std::nullopt : std::optional<std::int64_t>(owner);
        rows.push_back(row);
    }

    Micros time() {
        const Micros base = kNoon + pick(-2, 3) * kSecond;
        switch (pick(0, 7)) {
            case 0:
                return kBeforeAll;
            case 1:
                return kAfterAll;
            case 2:
                return base + 1;
            case 3:
                return base + pick(1, 999999);
            case 4:
                return pick(0, 1) == 0 ? kBeforeAll + pick(1, 5) : kAfterAll - pick(1, 2000000);
            case 5:
                return pick(0, 1) == 0 ? -950000000LL * kSecond + pick(-1, 1)
                                       : 252455615999LL * kSecond + pick(-2000000, 2000000);
            default:
                return base;
        }
    }

    Predicate predicate(const std::string& column, std::vector<Value>* values) {
        Predicate p{column, Op::Eq, static_cast<int>(values->size())};
        Value v;
        const bool flag = column == "done" || column == "is_archived";
        if (flag && pick(0, 2) > 0) return {column, pick(0, 1) == 0 ? Op::IsTrue : Op::IsFalse, -1};
        p.op = pick(0, 1) == 0 || flag ? Op::Eq : Op::AnyOf;
        const std::int64_t n = p.op == Op::Eq ? 1 : pick(0, 4);
        if (flag) {
            v.type = Value::Type::Flag;
            v.flag = pick(0, 1) == 0;
        } else if (column == "status") {
            v.type = Value::Type::Words;
            const char* words[] = {"open", "won", "lost", "deleted", "Open", "", "open,won"};
            for (std::int64_t i = 0; i < n; ++i)
                v.words.emplace_back(words[pick(0, 3 + pick(0, 1) * 3)]);
        } else if (column == "update_time") {
            const Op ops[] = {Op::Lt, Op::Le, Op::Gt, Op::Ge, Op::Eq};
            p.op = ops[pick(0, 4)];
            v.type = Value::Type::Time;
            v.time = time();
        } else {
            v.type = Value::Type::Ints;
            for (std::int64_t i = 0; i < (column == "id" ? n * pick(1, 70) : n); ++i)
                v.ints.push_back(column == "id" ? pick(-1, static_cast<int>(rows.size()) + 3)
                                                : pick(-1, 4));
            if (column == "id" && n > 0 && pick(0, 3) == 0) v.ints.push_back(5000000050);
            if (p.op == Op::Eq) v.ints.resize(1);
        }
        if (pick(0, 40) == 0)
            v = Value{.type = Value::Type::Null, .ints = {}, .words = {}, .symbol = {}};
        values->push_back(v);
        return p;
    }
};

std::string describe(const RequestPlan& plan, const std::vector<Predicate>& predicates,
                     const std::vector<Value>& values) {
    std::string out;
    for (const std::string& line : describe_requests(plan))
        out += line + "\n";
    for (const Predicate& p : predicates) {
        out += p.column + " op " + std::to_string(static_cast<int>(p.op));
        if (p.value >= 0) {
            const Value& v = values[static_cast<std::size_t>(p.value)];
            out += " type " + std::to_string(static_cast<int>(v.type)) + " time " +
                   std::to_string(v.time);
            for (std::int64_t i : v.ints)
                out += " " + std::to_string(i);
            for (const std::string& w : v.words)
                out += " '" + w + "'";
        }
        out += "\n";
    }
    return out;
}

// Counts that show that the test tested something.
struct Seen {
    int nothing = 0, all_exact = 0, with_rows = 0, by_ids = 0;
};

void check_case(const World& world, const Entity& entity, const std::vector<Predicate>& predicates,
                const std::vector<Value>& values, bool null_time_passes, Seen* seen) {
    const RequestPlan plan = plan_requests(entity, predicates, values, {}, 500);
    const std::string about = describe(plan, predicates, values);
    ASSERT_EQ(plan.outcome.size(), predicates.size());
    const std::vector<std::string> targets = targets_of(plan);
    for (const std::string& target : targets)
        Api::check_parameters(target);
    const Api api{null_time_passes};
    const bool all_exact = std::all_of(plan.outcome.begin(), plan.outcome.end(),
                                       [](Exactness e) { return e == Exactness::Exact; });
    const bool deals = entity.name == "deals";
    bool any = false;
    for (const Row& row : world.rows) {
        if (!deals && row.archived) continue;
        const auto returned = std::count_if(targets.begin(), targets.end(),
                                            [&](const auto& t) { return api.returns(row, t); });
        const bool selected = row.status != "deleted" &&
                              std::all_of(predicates.begin(), predicates.end(),
                                          [&](const auto& p) { return holds(row, p, values); });
        any = any || selected;
        ASSERT_LE(returned, 1) << "row " << row.id << " comes from two lists\n" << about;
        ASSERT_TRUE(!selected || returned == 1) << "row " << row.id << " is lost\n" << about;
        ASSERT_TRUE(returned == 0 || row.status != "deleted") << "a deleted row\n" << about;
        ASSERT_TRUE(selected || !all_exact || returned == 0) << "claims exactness\n" << about;
        for (std::size_t i = 0; returned > 0 && i < predicates.size(); ++i)
            ASSERT_TRUE(plan.outcome[i] != Exactness::Exact || holds(row, predicates[i], values))
                << predicates[i].column << "\n"
                << about;
    }
    ASSERT_TRUE(!plan.nothing || (targets.empty() && !any && !plan.nothing_because.empty()))
        << about;
    seen->nothing += plan.nothing;
    seen->all_exact += all_exact && any;
    seen->with_rows += any;
    seen->by_ids += plan.by_ids;
}

void check_entity(const char* name, const std::vector<std::string>& columns, int cases) {
    World world;
    if (std::string(name) != "deals") // only deals are listed by status
        std::erase_if(world.rows, [](const Row& row) { return row.status == "deleted"; });
    Seen seen;
    for (int i = 0; i < cases && !testing::Test::HasFatalFailure(); ++i) {
        std::vector<Value> values;
        std::vector<Predicate> predicates;
        for (std::int64_t n = world.pick(0, 4); n > 0; --n) {
            const std::string& column = columns[static_cast<std::size_t>(
                world.pick(0, static_cast<std::int64_t>(columns.size()) - 1))];
            predicates.push_back(world.predicate(column, &values));
        }
        check_case(world, require_entity(name), predicates, values, i % 2 == 0, &seen);
    }
    EXPECT_GT(seen.nothing, cases / 100);
    EXPECT_GT(seen.with_rows, cases / 10);
    EXPECT_GT(seen.by_ids, cases / 20);
    EXPECT_GT(seen.all_exact, cases / 20);
}

TEST(RequestPlanProperty, DealsAreNeverLost) {
    check_entity("deals",
                 {"id", "status", "status", "owner_id", "person_id", "org_id", "pipeline_id",
                  "stage_id", "update_time", "update_time", "update_time", "is_archived", "value"},
                 6000);
}

TEST(RequestPlanProperty, ActivitiesAreNeverLost) {
    check_entity("activities",
                 {"id", "owner_id", "deal_id", "person_id", "org_id", "done", "done", "update_time",
                  "update_time"},
                 4000);
}

TEST(RequestPlanProperty, PersonsAndOrganizationsAreNeverLost) {
    check_entity("persons", {"id", "owner_id", "org_id", "update_time"}, 2000);
    check_entity("organizations", {"id", "owner_id", "update_time"}, 2000);
}

// Every single bound around the fractions of a second, against every row, both switches.
TEST(RequestPlanProperty, EveryWindowAroundASecond) {
    const World world;
    Seen seen;
    for (const Op op : {Op::Lt, Op::Le, Op::Gt, Op::Ge, Op::Eq})
        for (Micros delta = -1500000; delta <= 1500000; delta += 250000)
            for (const Micros nudge : {-1, 0, 1}) {
                Value v;
                v.type = Value::Type::Time;
                v.time = kNoon + delta + nudge;
                check_case(world, require_entity("deals"), {{"update_time", op, 0}}, {v}, true,
                           &seen);
                check_case(world, require_entity("deals"), {{"update_time", op, 0}}, {v}, false,
                           &seen);
            }
    EXPECT_GT(seen.with_rows, 200);
}

BoundColumn wanted(const char* field, Source source, Kind kind, bool optional = false) {
    BoundColumn c;
    c.name = c.field = field;
    c.source = source;
    c.kind = kind;
    c.optional = optional;
    return c;
}

std::vector<std::string> lines_for(const char* entity, const std::vector<Predicate>& predicates,
                                   const std::vector<Value>& values, const Projection& projection) {
    return describe_requests(
        plan_requests(require_entity(entity), predicates, values, projection, 500));
}

TEST(RequestPlan, ProjectionAsksOnlyWhatTheEndpointKnows) {
    const BoundColumn columns[] = {wanted("zz", Source::Custom, Kind::Text),
                                   wanted("aa", Source::Custom, Kind::Option),
                                   wanted("aa", Source::Custom, Kind::OptionId),
                                   wanted("notes_count", Source::Field, Kind::Int, true),
                                   wanted("label_ids", Source::Labels, Kind::LabelNames)};
    EXPECT_EQ(lines_for("deals", {}, {}, projection_of(columns)),
              (std::vector<std::string>{
                  "GET /api/v2/deals?include_fields=notes_count&custom_fields=aa,zz"
                  "&include_option_labels=true&include_labels=true&limit=500",
                  "GET /api/v2/deals/archived?include_fields=notes_count&custom_fields=aa,zz"
                  "&limit=500"}));
    for (int keys = 14; keys <= 17; ++keys) {
        Projection p;
        for (int i = 0; i < keys; ++i)
            p.custom_keys.push_back("k" + std::to_string(i));
        const bool sent =
            lines_for("persons", {}, {}, p)[0].find("custom_fields=") != std::string::npos;
        EXPECT_EQ(sent, keys <= 15) << keys;
    }
    Projection all;
    all.custom_keys = {"aa"};
    all.all_custom = true; // needs every key, so none may be named
    EXPECT_EQ(lines_for("persons", {}, {}, all)[0], "GET /api/v2/persons?limit=500");
    EXPECT_EQ(lines_for("users", {}, {}, {})[0], "GET /v1/users");
}

TEST(RequestPlan, TargetsAreEncodedAndLimited) {
    RequestPlan plan = plan_requests(require_entity("deals"), {}, {}, {}, 9999);
    EXPECT_EQ(request_target(plan, plan.streams[0], {}, {"a+b/=&c d"}),
              "/api/v2/deals?limit=500&cursor=a%2Bb%2F%3D%26c%20d");
}

TEST(RequestPlan, ExplainKnowsSymbolsAndEstimates) {
    Value symbol;
    symbol.symbol = "$1";
    EXPECT_EQ(lines_for("persons", {{"id", Op::AnyOf, 0}}, {symbol}, {})[0],
              "GET /api/v2/persons?ids={$1}&limit=500");
    EXPECT_EQ(lines_for("persons", {{"update_time", Op::Ge, 0}}, {symbol}, {})[0],
              "GET /api/v2/persons?updated_since={$1}&limit=500");
    Value ids;
    ids.type = Value::Type::Ints;
    for (int i = 1; i <= 201; ++i)
        ids.ints.push_back(i);
    const RequestPlan plan =
        plan_requests(require_entity("deals"), {{{"id", Op::AnyOf, 0}}}, {{ids}}, {}, 500);
    EXPECT_EQ(estimate(plan, 201).requests, 3); // 100, 100, and one record
    EXPECT_EQ(estimate(plan, 201).tokens, 10 + 10 + 1);
    EXPECT_EQ(lines_for("persons", {{"id", Op::Eq, 0}}, {symbol}, {})[0],
              "GET /api/v2/persons/{$1}");
    ids.ints = {7, 8};
    EXPECT_EQ(lines_for("persons", {{"id", Op::AnyOf, 0}}, {ids}, {})[0],
              "GET /api/v2/persons/7 (and 1 more ids one by one)");
    ids.ints = {1, 2, 3, 4, 5};
    EXPECT_EQ(lines_for("persons", {{"id", Op::AnyOf, 0}}, {ids}, {})[0],
              "GET /api/v2/persons?ids=1,2,3,4,5&limit=500");
    EXPECT_EQ(lines_for("deleted_deals", {{"id", Op::Eq, 0}}, {symbol}, {})[0],
              "GET /api/v2/deals?status=deleted&ids={$1}&limit=500");
    const RequestPlan walk = plan_requests(require_entity("persons"), {}, {}, {}, 500);
    EXPECT_EQ(estimate(walk, 0).requests, 1);
    EXPECT_EQ(estimate(walk, 501).tokens, 20);
}

} // namespace
} // namespace pipedrive
