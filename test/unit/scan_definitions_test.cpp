// Reading all pages of the field definitions.
#include <gtest/gtest.h>

#include "core/scan/definitions_reader.h"
#include "unit/fakes.h"

namespace pipedrive {
namespace {

using namespace test;

struct DefinitionsReaderTest : ::testing::Test {
    FakeClock clock;
    ScriptedTransport api{clock};
    Traffic traffic;
    Account account;
    DefinitionsReaderTest() {
        account.base_url = "https://acme.pipedrive.com";
        account.authorizer = token_authorizer("SECRET");
    }
    static Reply page(const std::string& code, const std::string& cursor) {
        return reply(R"({"success":true,"data":[{"field_code":")" + code +
                     R"("}],"additional_data":{"next_cursor":)" + cursor + "}}");
    }
};

TEST_F(DefinitionsReaderTest, AllPages) {
    api.queue(page("a", "\"c/1\"").after_ms(5));
    api.queue(reply("{}", 502));
    api.queue(page("b", "\"c/2\""));
    api.queue(page("c", "null").after_ms(5));
    DefinitionsReader reader(account, require_entity("persons"), api, clock, traffic);
    drive(reader, clock);
    const auto catalogue = reader.take();
    ASSERT_EQ(catalogue->fields.size(), 3u);
    EXPECT_EQ(catalogue->fields[2].code, "c");
    EXPECT_EQ(api.paths(),
              (std::vector<std::string>{"/api/v2/personFields?limit=500",
                                        "/api/v2/personFields?limit=500&cursor=c%2F1",
                                        "/api/v2/personFields?limit=500&cursor=c%2F1",
                                        "/api/v2/personFields?limit=500&cursor=c%2F2"}));
    EXPECT_EQ(traffic.requests, 4);
    EXPECT_EQ(traffic.tokens, 30);
}

// With answers that take time, too: the reader must remember across steps.
TEST_F(DefinitionsReaderTest, SameCursorTwice) {
    for (const int delay : {0, 5}) {
        api.on("GET", "/api/v2/dealFields", page("a", "\"x\"").after_ms(delay));
        DefinitionsReader reader(account, require_entity("deals"), api, clock, traffic);
        try {
            drive(reader, clock, 1000);
            ADD_FAILURE();
        } catch (const Error& e) {
            EXPECT_EQ(e.kind, ErrorKind::Malformed);
        }
    }
}

TEST_F(DefinitionsReaderTest, CursorsInACircle) {
    for (int i = 0; i < 4; ++i)
        api.queue(page("a", i % 2 == 0 ? "\"x\"" : "\"y\""));
    DefinitionsReader reader(account, require_entity("deals"), api, clock, traffic);
    EXPECT_THROW(drive(reader, clock), Error);
    EXPECT_EQ(traffic.requests, 3);
}

TEST_F(DefinitionsReaderTest, Errors) {
    const std::pair<Reply, ErrorKind> rows[] = {
        {reply("{}", 401), ErrorKind::Unauthorized},
        {reply(R"({"success":true,"data":null})"), ErrorKind::Malformed},
        {reply(R"({"success":true,"data":[)"), ErrorKind::Malformed}};
    for (const auto& [answer, kind] : rows) {
        api.queue(answer);
        DefinitionsReader reader(account, require_entity("deals"), api, clock, traffic);
        try {
            drive(reader, clock);
            ADD_FAILURE();
        } catch (const Error& e) {
            EXPECT_EQ(e.kind, kind) << e.detail;
        }
    }
    EXPECT_EQ(api.running(), 0u);
}

} // namespace
} // namespace pipedrive
