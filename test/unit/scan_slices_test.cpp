// Long answers are decoded in slices: between two of them the caller has its turn.
#include <gtest/gtest.h>

#include <ctime>

#include <algorithm>

#include "core/wire/reader.h"
#include "unit/scan_fixture.h"

namespace pipedrive {
namespace {

using namespace test;

// Of this thread's own time; sanitizers take theirs.
#ifdef __SANITIZE_ADDRESS__
constexpr std::int64_t kLimitMs = 1000;
#else
constexpr std::int64_t kLimitMs = 100;
#endif

std::int64_t cpu_ms() {
    timespec t{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct Steps {
    // With no time: only to let others have their turn.
    int waits = 0;
    std::int64_t longest_ms = 0;
    std::size_t rows = 0;
};

struct SlicesTest : ScanTest {
    void answer(const std::string& data) {
        api.on("GET", "/api/v2/deals?", [data](const HttpRequest&) {
            return reply(R"({"success":true,"data":[)" + data + "]}");
        });
    }
    Steps run(Scan& s) {
        Steps steps;
        while (true) {
            WaitFor wait;
            const std::int64_t before = cpu_ms();
            const Scan::Step step = s.step(&wait);
            steps.longest_ms = std::max(steps.longest_ms, cpu_ms() - before);
            if (step == Scan::Step::Done) return steps;
            steps.rows += step == Scan::Step::Row;
            if (step == Scan::Step::Row) continue;
            steps.waits += wait.timeout_ms == 0;
            clock.advance(std::max<std::int64_t>(wait.timeout_ms, 0));
        }
    }
};

std::string many(std::size_t bytes, const std::string& more) {
    std::string out;
    for (std::int64_t id = 1; out.size() < bytes; ++id)
        out += (id == 1 ? R"({"id":)" : R"(,{"id":)") + std::to_string(id) + more + "}";
    return out;
}

TEST_F(SlicesTest, NoStepTakesLong) {
    constexpr std::size_t kSize = 8 << 20;
    const std::string text(kSize, 'x');
    std::string accents;
    while (accents.size() < kSize)
        accents += "\\u00e9é\\\"";
    std::string members;
    while (members.size() < kSize)
        members += (members.empty() ? "\"" : ",\"") + std::to_string(members.size()) +
                   R"(":[1,"a\"b",{"c":null}])";
    const std::pair<const char*, std::string> answers[] = {
        {"small rows", many(kSize, "")},
        {"rows",
         many(kSize, R"(,"title":"A deal of some length","custom_fields":{"a":[1,2,"x"]})")},
        {"one long text", R"({"id":1,"title":")" + text + "\"}"},
        {"one text with escapes", R"({"id":1,"title":")" + accents + "\"}"},
        {"one large object", R"({"id":1,"custom_fields":{)" + members + "}}"},
        {"nothing that anybody wants", R"({"id":1,"x":{)" + members + "}}"},
        {"blanks", std::string(kSize, ' ') + R"({"id":1})"}};
    for (const auto& [name, data] : answers) {
        answer(data);
        Scan s = scan(spec({standard("deals", "title"), standard("deals", "custom_fields")}));
        s.start({});
        const Steps steps = run(s);
        EXPECT_GE(steps.waits, static_cast<int>(kSize / kDecodeSlice)) << name;
        EXPECT_GE(steps.rows, 1u) << name;
        EXPECT_LT(steps.longest_ms, kLimitMs) << name;
    }
}

TEST_F(SlicesTest, AScanIsBegunAnewOrDroppedInTheMiddleOfAPage) {
    const std::string data = many(4 * kDecodeSlice, R"(,"title":"x")");
    answer(data);
    const auto half = [](Scan& s) {
        WaitFor wait;
        for (int i = 0; i < 3; ++i)
            EXPECT_EQ(s.step(&wait), Scan::Step::Wait);
    };
    Scan whole = scan(spec({standard("deals", "title")}));
    whole.start({});
    const std::size_t rows = run(whole).rows;
    Scan s = scan(spec({standard("deals", "title")}));
    s.start({});
    half(s);
    s.start({});
    half(s);
    s.start({});
    EXPECT_EQ(run(s).rows, rows);
    Scan dropped = scan(spec({standard("deals", "title")}));
    dropped.start({});
    half(dropped);
}

TEST_F(SlicesTest, ABadValueIsToldWhereverItIs) {
    answer(many(4 * kDecodeSlice, R"(,"title":"x")") + R"(,{"id":77777777,"title":[1]})");
    Scan s = scan(spec({standard("deals", "title")}));
    s.start({});
    EXPECT_EQ(failure(s).row_id, "77777777");
}

TEST_F(SlicesTest, DefinitionsToo) {
    for (int i = 0; definitions.size() < 3 * kDecodeSlice; ++i)
        definitions += R"(,{"field_code":"f)" + std::to_string(i) + R"(","field_name":"name"})";
    Traffic traffic;
    DefinitionsReader reader(account, require_entity("deals"), api, clock, traffic);
    int waits = 0;
    WaitFor wait;
    while (reader.step(&wait) == Progress::Wait) {
        waits += wait.timeout_ms == 0;
        clock.advance(std::max<std::int64_t>(wait.timeout_ms, 0));
        wait = {};
    }
    EXPECT_GE(waits, 3);
    EXPECT_GT(reader.take()->fields.size(), 1000u);
}

} // namespace
} // namespace pipedrive
