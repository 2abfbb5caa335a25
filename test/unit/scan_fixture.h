// A scripted account for tests of scans: two lists of deals with cursors, field definitions, and
// helpers that drive a scan.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "core/scan/scan.h"
#include "unit/cells.h"
#include "unit/fakes.h"

namespace pipedrive::test {

inline const std::string kHash = hash_code(1);

struct ScanTest : ::testing::Test {
    FakeClock clock;
    ScriptedTransport api{clock};
    CatalogueSlot slot;
    Account account;
    // The "data" of dealFields.
    std::string definitions;
    // How long a page of a list takes.
    std::int64_t list_ms = 0;

    ScanTest() {
        account.base_url = "https://acme.pipedrive.com";
        account.authorizer = token_authorizer("SECRET");
        definitions =
            R"({"field_code":")" + kHash +
            R"(","field_name":"F","field_type":"enum","is_custom_field":true,"options":[{"id":13,"label":"Red"}]})";
        api.on("GET", "/api/v2/dealFields?", [this](const HttpRequest&) {
            return reply(R"({"success":true,"data":[)" + definitions + "]}");
        });
        list("/api/v2/deals", {});
        list("/api/v2/deals/archived", {});
    }

    // Every row of a list is also a record by its id.
    void records(const std::string& path, std::vector<std::pair<std::int64_t, std::string>> rows) {
        for (char digit = '1'; digit <= '9'; ++digit)
            api.on("GET", path + "/" + digit, [path, rows](const HttpRequest& r) {
                const std::string rest = path_of(r.url).substr(path.size() + 1);
                for (const auto& [id, more] : rows)
                    if (rest.substr(0, rest.find('?')) == std::to_string(id))
                        return reply(R"({"success":true,"data":{"id":)" + std::to_string(id) +
                                     more + "}}");
                return reply(R"({"success":false,"error":"Deal not found"})", 404);
            });
    }

    // A list with keyset-like cursors: "<path>@<offset>". Unknown ids are left out.
    void list(const std::string& path, std::vector<std::pair<std::int64_t, std::string>> rows) {
        records(path, rows);
        api.on("GET", path + "?", [this, path, rows](const HttpRequest& r) {
            const std::size_t limit = std::stoul(query_value(r.url, "limit").value());
            const std::string cursor = query_value(r.url, "cursor").value_or(path + "@0");
            EXPECT_TRUE(cursor.starts_with(path + "@")) << "a cursor of another list";
            const std::size_t from = std::stoul(cursor.substr(path.size() + 1));
            const auto ids = query_value(r.url, "ids");
            std::string data;
            std::size_t seen = 0, sent = 0;
            for (const auto& [id, more] : rows) {
                if (ids && ("," + *ids + ",").find("," + std::to_string(id) + ",") == ids->npos)
                    continue;
                if (++seen <= from || sent == limit) continue;
                ++sent;
                data += (data.empty() ? "" : ",") + ("{\"id\":" + std::to_string(id)) + more + "}";
            }
            const std::string next = seen > from + sent
                                         ? "\"" + path + "@" + std::to_string(from + sent) + "\""
                                         : "null";
            return reply(R"({"success":true,"data":[)" + data +
                         R"(],"additional_data":{"next_cursor":)" + next + "}}")
                .after_ms(list_ms);
        });
    }

    static std::vector<std::pair<std::int64_t, std::string>> rows(std::int64_t first,
                                                                  std::int64_t last,
                                                                  const std::string& more = "") {
        std::vector<std::pair<std::int64_t, std::string>> out;
        for (std::int64_t id = first; id <= last; ++id)
            out.emplace_back(id, more);
        return out;
    }

    ScanSpec spec(std::vector<BoundColumn> columns = {}, std::vector<Predicate> predicates = {}) {
        ScanSpec s;
        s.entity = &require_entity("deals");
        s.columns = std::move(columns);
        s.predicates = std::move(predicates);
        s.page_size = 10;
        return s;
    }
    Scan scan(ScanSpec s) { return Scan(account, std::move(s), api, clock, slot); }

    // Steps to the next row or the end; the clock jumps over waits.
    Scan::Step next(Scan& s) {
        for (int i = 0; i < 100000; ++i) {
            WaitFor wait;
            const Scan::Step step = s.step(&wait);
            if (step != Scan::Step::Wait) return step;
            if (wait.timeout_ms < 0 && wait.sockets.empty()) throw std::runtime_error("stuck");
            clock.advance(std::max<std::int64_t>(wait.timeout_ms, 0));
        }
        throw std::runtime_error("too many steps");
    }
    std::vector<std::int64_t> ids(Scan& s) {
        std::vector<std::int64_t> out;
        while (next(s) == Scan::Step::Row)
            out.push_back(s.row_key().integer());
        return out;
    }
    std::vector<std::string> cells(Scan& s) {
        std::vector<std::string> out;
        while (next(s) == Scan::Step::Row) {
            std::string row = s.row_key().spelled();
            for (const Cell& c : s.row())
                row += " " + show(c);
            out.push_back(row);
        }
        return out;
    }
    Error failure(Scan& s) {
        try {
            ids(s);
        } catch (const Error& e) {
            return e;
        }
        ADD_FAILURE() << "no error";
        return Error(ErrorKind::Internal, "");
    }
    static Value numbers(std::vector<std::int64_t> list) {
        Value v;
        v.type = Value::Type::Ints;
        v.ints = std::move(list);
        return v;
    }
    int asked(const std::string& prefix) const {
        int n = 0;
        for (const std::string& path : api.paths())
            n += path.starts_with(prefix);
        return n;
    }
};

inline std::vector<std::int64_t> range(std::int64_t first, std::int64_t last) {
    std::vector<std::int64_t> out;
    for (std::int64_t i = first; i <= last; ++i)
        out.push_back(i);
    return out;
}

} // namespace pipedrive::test
