// Lists by offset whose keys are UUIDs, and which take no ids: leads.
#include <algorithm>
#include <functional>
#include <random>
#include <set>

#include "core/base/error.h"
#include "unit/scan_fixture.h"

namespace pipedrive::test {
namespace {

std::string uuid(int i) {
    return RowKey::of(Uuid{0x9ce77a102e1611f1, 0x91c1000000000000u + static_cast<unsigned>(i)})
        .spelled();
}

struct Lead {
    int id;
    Micros updated = 0;
    bool operator==(const Lead&) const = default;
};
using Leads = std::vector<Lead>; // in the order of their ids

Leads leads_of(int first, int last) {
    Leads out;
    for (int i = first; i <= last; ++i)
        out.push_back({i, i * kSecond});
    return out;
}

struct LeadTest : ScanTest {
    Leads open, archived;
    std::function<void()> before_page = [] {};
    bool tells_the_end = true, flat = false, archived_by_path = true;
    int most_rows = 500;

    LeadTest() {
        api.on("GET", "/v1/leads?", [this](const HttpRequest& r) { return page(r, open, false); });
        api.on("GET", "/v1/leads/archived?",
               [this](const HttpRequest& r) { return page(r, archived, true); });
        api.on("GET", "/v1/leads/9", [this](const HttpRequest& r) {
            const std::string id = path_of(r.url).substr(std::string("/v1/leads/").size());
            for (const Lead& lead : open)
                if (uuid(lead.id) == id) return reply(answer(record(lead, false)));
            for (const Lead& lead : archived)
                if (archived_by_path && uuid(lead.id) == id)
                    return reply(answer(record(lead, true)));
            return reply(R"({"success":false,"error":"requested lead not found"})", 404);
        });
    }

    static std::string answer(const std::string& data, const std::string& additional = "null") {
        return R"({"success":true,"data":)" + data + R"(,"additional_data":)" + additional + "}";
    }
    static std::string record(const Lead& lead, bool is_archived) {
        return R"({"id":")" + uuid(lead.id) + R"(","is_archived":)" +
               (is_archived ? "true" : "false") + R"(,"update_time":")" +
               format_utc_seconds(lead.updated) + R"("})";
    }

    Reply page(const HttpRequest& r, const Leads& all, bool is_archived) {
        before_page();
        Leads rows = all;
        if (query_value(r.url, "sort") == "update_time DESC")
            std::stable_sort(rows.begin(), rows.end(),
                             [](const Lead& a, const Lead& b) { return a.updated > b.updated; });
        else
            EXPECT_EQ(query_value(r.url, "sort"), "id ASC");
        const std::size_t start = std::stoul(query_value(r.url, "start").value_or("0"));
        const std::size_t limit = std::min<std::size_t>(
            std::stoul(query_value(r.url, "limit").value()), static_cast<std::size_t>(most_rows));
        std::string data;
        std::size_t end = start;
        for (; end < rows.size() && end < start + limit; ++end)
            data += (end > start ? "," : "") + record(rows[end], is_archived);
        if (!tells_the_end) return reply(answer("[" + data + "]"));
        const std::string words =
            end < rows.size()
                ? R"("more_items_in_collection":true,"next_start":)" + std::to_string(end)
                : R"("more_items_in_collection":false)";
        return reply(answer(data.empty() ? "null" : "[" + data + "]",
                            flat ? "{" + words + "}" : R"({"pagination":{)" + words + "}}"));
    }

    ScanSpec leads(std::vector<Predicate> predicates = {}) {
        ScanSpec s = spec({standard("leads", "is_archived"), standard("leads", "update_time")},
                          std::move(predicates));
        s.entity = &require_entity("leads");
        return s;
    }
    static Value uuids(std::vector<int> which) {
        Value v;
        v.type = Value::Type::Uuids;
        for (int i : which)
            v.words.push_back(uuid(i));
        return v;
    }
    std::multiset<int> numbers_of(Scan& s) {
        std::multiset<int> out;
        while (next(s) == Scan::Step::Row)
            out.insert(static_cast<int>(s.row_key().uuid().low & 0xFFFFFF));
        return out;
    }
};

std::multiset<int> set_of(int first, int last) {
    std::multiset<int> out;
    for (int i = first; i <= last; ++i)
        out.insert(i);
    return out;
}

TEST_F(LeadTest, EveryWayOfTellingTheEnd) {
    open = leads_of(1, 95);
    archived = leads_of(101, 130);
    std::multiset<int> all = set_of(1, 95);
    all.merge(set_of(101, 130));
    for (const bool told : {true, false})
        for (const bool is_flat : {true, false})
            for (const int most : {500, 7, 2}) {
                tells_the_end = told;
                flat = is_flat;
                most_rows = most;
                Scan s = scan(leads());
                s.start({});
                EXPECT_EQ(numbers_of(s), all) << told << is_flat << most;
            }
}

TEST_F(LeadTest, AServerThatDoesNotNumberItsRowsIsAnError) {
    open = leads_of(1, 30);
    most_rows = 1; // no page has a row that is known and one that is new
    Scan s = scan(leads());
    s.start({});
    const Error e = failure(s);
    EXPECT_EQ(e.kind, ErrorKind::Malformed);
    EXPECT_NE(e.detail.find("do not join"), std::string::npos);
}

TEST_F(LeadTest, AnEmptyPageThatSaysMoreIsAnErrorAtOnce) {
    api.on("GET", "/v1/leads?", reply(answer("[]", R"({"more_items_in_collection":true})")));
    Scan s = scan(leads());
    s.start({});
    EXPECT_EQ(failure(s).kind, ErrorKind::Malformed);
    EXPECT_EQ(asked("/v1/leads?"), 1);
}

// Rows vanish and appear before any page; those that stand are returned, each once.
TEST_F(LeadTest, RowsThatComeAndGoCostNoOther) {
    std::mt19937 random(3);
    for (int round = 0; round < 300; ++round) {
        open = leads_of(1, 60);
        archived = leads_of(201, 230);
        std::set<int> gone;
        before_page = [&] {
            for (int i = 0; i < static_cast<int>(random() % 4); ++i) {
                Leads& list = random() % 2 == 0 ? open : archived;
                if (list.empty()) continue;
                const auto at = list.begin() + static_cast<long>(random() % list.size());
                if (random() % 3 == 0) {
                    list.insert(at, {1000 + static_cast<int>(random() % 1000000)});
                } else {
                    gone.insert(at->id);
                    list.erase(at);
                }
            }
        };
        Scan s = scan(leads());
        s.start({});
        const std::multiset<int> got = numbers_of(s);
        for (int i : got)
            EXPECT_EQ(got.count(i), 1u) << "round " << round;
        for (const auto& [first, last] : {std::pair(1, 60), std::pair(201, 230)})
            for (int i = first; i <= last; ++i)
                EXPECT_TRUE(gone.contains(i) || got.contains(i)) << "round " << round << " " << i;
    }
}

// The same in parts, each of which knows only the position of the one before it.
TEST_F(LeadTest, PartsMissNoRowThatStands) {
    std::mt19937 random(4);
    for (int round = 0; round < 200; ++round) {
        open = leads_of(1, 60);
        archived = leads_of(201, 230);
        std::set<int> gone, got;
        WalkPart part;
        part.max_pages = 1 + round % 3;
        int parts = 0, changes = static_cast<int>(random() % 6);
        for (; parts < 200; ++parts) {
            Scan s = scan(leads());
            s.start({}, part);
            for (int i : numbers_of(s))
                got.insert(i);
            const auto next = s.next_position();
            if (!next) break;
            part.position = *next;
            if (--changes < 0) continue;
            Leads& list = random() % 2 == 0 ? open : archived;
            const std::size_t n = random() % (round % 5 == 0 ? 25 : 4);
            const std::size_t at = list.size() <= n ? 0 : random() % (list.size() - n);
            for (std::size_t i = 0; i < n && at < list.size(); ++i) {
                gone.insert(list[at].id);
                list.erase(list.begin() + static_cast<long>(at));
            }
        }
        EXPECT_LT(parts, 200) << "round " << round << " goes on for ever";
        for (const auto& [first, last] : {std::pair(1, 60), std::pair(201, 230)})
            for (int i = first; i <= last; ++i)
                EXPECT_TRUE(gone.contains(i) || got.contains(i)) << "round " << round << " " << i;
    }
}

TEST_F(LeadTest, APositionOfAnotherKindIsAnError) {
    open = leads_of(1, 5);
    for (const char* position :
         {"0:", "0:x:", "0:-1:", "7:0.1:", "0:5.1", "0:5:", "0:5.0:", "0:.1:"}) {
        Scan s = scan(leads());
        s.start({}, {position});
        EXPECT_EQ(failure(s).kind, ErrorKind::Internal) << position;
    }
}

TEST_F(LeadTest, AKeyIsOneRequest) {
    open = leads_of(1, 50);
    archived = leads_of(101, 110);
    Scan s = scan(leads({{"id", Op::AnyOf, 0}}));
    s.start({uuids({7, 9, 103})});
    EXPECT_EQ(numbers_of(s), (std::multiset<int>{7, 9, 103}));
    EXPECT_EQ(asked("/v1/leads/"), 3);
    EXPECT_EQ(asked("/v1/leads?"), 0);
}

// That a record is not found by its path proves nothing of the archive, and nothing at all before
// the address is known to be right.
TEST_F(LeadTest, AKeyThatIsNotFoundIsLookedForInTheLists) {
    open = leads_of(1, 50);
    archived = leads_of(101, 125);
    archived_by_path = false;
    Scan s = scan(leads({{"id", Op::AnyOf, 0}}));
    s.start({uuids({7, 103, 999})});
    std::multiset<int> got = numbers_of(s); // the lists' other rows are checked by who asks
    EXPECT_TRUE(got.contains(7) && got.contains(103) && !got.contains(999));
    for (int i : got)
        EXPECT_EQ(got.count(i), 1u);
    EXPECT_EQ(asked("/v1/leads?"), 0) << "its path has answered with a record";
    EXPECT_EQ(asked("/v1/leads/archived?"), 3);
}

TEST_F(LeadTest, TheArchiveIsReadOnlyAsFarAsItsKeysAreFound) {
    open = leads_of(1, 50);
    archived = leads_of(101, 190);
    archived_by_path = false;
    Scan s = scan(leads({{"id", Op::AnyOf, 0}}));
    s.start({uuids({7, 103})});
    EXPECT_TRUE(numbers_of(s).contains(103));
    EXPECT_EQ(asked("/v1/leads/archived?"), 1);
}

Value since(Micros t) {
    Value v;
    v.type = Value::Type::Time;
    v.time = t;
    return v;
}

// The archive takes no updated_since: it is read newest first, until a row is older.
TEST_F(LeadTest, AWindowOfAListThatHasNone) {
    open = leads_of(1, 20);
    std::mt19937 random(5);
    for (int round = 0; round < 100; ++round) {
        archived.clear();
        for (int i = 0; i < static_cast<int>(random() % 80); ++i)
            archived.push_back({101 + i, static_cast<Micros>(random() % 100) * kSecond});
        const Micros bound = static_cast<Micros>(random() % 110) * kSecond;
        Scan s = scan(leads({{"update_time", Op::Ge, 0}}));
        s.start({since(bound)});
        const std::multiset<int> got = numbers_of(s);
        std::size_t wanted = 0;
        for (const Lead& lead : archived) {
            if (lead.updated < bound) continue;
            EXPECT_TRUE(got.contains(lead.id)) << "round " << round;
            ++wanted;
        }
        EXPECT_LE(got.size(), wanted + 20 + 20) << "it reads on after the bound";
    }
    for (const std::string& target : api.paths()) {
        EXPECT_EQ(target.find("updated_since") != target.npos, target.starts_with("/v1/leads?"));
        EXPECT_EQ(target.find("DESC") != target.npos, target.starts_with("/v1/leads/archived?"));
    }
}

} // namespace
} // namespace pipedrive::test
