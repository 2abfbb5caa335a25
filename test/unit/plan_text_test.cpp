// The plan text: whatever is written is read back the same, whatever else is refused.
#include <gtest/gtest.h>

#include <random>

#include "core/base/error.h"
#include "core/plan/plan_text.h"

namespace pipedrive {
namespace {

bool same(const ScanPlan& a, const ScanPlan& b) {
    if (a.entity != b.entity || a.predicates != b.predicates ||
        a.columns.size() != b.columns.size())
        return false;
    for (std::size_t i = 0; i < a.columns.size(); ++i) {
        const DeclaredColumn &x = a.columns[i], &y = b.columns[i];
        if (x.attnum != y.attnum || x.name != y.name || x.field != y.field ||
            x.subfield != y.subfield || x.type != y.type || x.removed != y.removed)
            return false;
    }
    return true;
}

struct Random {
    std::mt19937 engine{7};
    int pick(int low, int high) { return std::uniform_int_distribution<int>(low, high)(engine); }

    // Any bytes: names in a server encoding are not always UTF-8.
    std::string text() {
        std::string out;
        for (int n = pick(0, 12); n > 0; --n) {
            const char* special[] = {" ", "\n", "%", "-", "é", "👍", "\"", "\\", "%41", "\r"};
            if (pick(0, 2) == 0)
                out += special[pick(0, 9)];
            else
                out += static_cast<char>(pick(1, 255));
        }
        return out;
    }

    ScanPlan plan() {
        ScanPlan p;
        p.entity = "e" + text();
        for (int n = pick(0, 5); n > 0; --n)
            p.columns.push_back({pick(-7, 1600), text(), text(), text(), text(), pick(0, 1) == 0});
        for (int n = pick(0, 5); n > 0; --n)
            p.predicates.push_back({text(), static_cast<Op>(pick(0, 7)), pick(-1, 40)});
        return p;
    }
};

TEST(PlanText, WhatIsWrittenIsReadBack) {
    Random random;
    for (int i = 0; i < 5000; ++i) {
        const ScanPlan plan = random.plan();
        const std::string text = write_plan(plan);
        ASSERT_EQ(text.find('\0'), std::string::npos);
        ASSERT_TRUE(same(plan, read_plan(text))) << text;
        ASSERT_EQ(write_plan(read_plan(text)), text);
    }
}

TEST(PlanText, EmptyNamesAndDashesDiffer) {
    ScanPlan plan;
    plan.entity = "deals";
    plan.columns = {{1, "-", "", "%2D", " "}};
    EXPECT_TRUE(same(plan, read_plan(write_plan(plan))));
}

TEST(PlanText, RefusesWhatItDidNotWrite) {
    ScanPlan plan;
    plan.entity = "deals";
    plan.columns = {{1, "id", "", "", ""}};
    plan.predicates = {{"id", Op::Eq, 0}};
    const std::string good = write_plan(plan);
    const std::string bad[] = {
        "",
        "\n",
        "pipedrive plan 2\nentity deals 0",
        "pipedrive plan 1",
        good + "\n",
        good + "\n\n",
        good + "\ncolumn 1 id - -",
        good + "\ncolumn x id - - -",
        good + "\ncolumn 99999999999999 id - - -",
        good + "\npredicate id like 0",
        good + "\npredicate id eq",
        good + "\nsomething else",
        good + "\ncolumn 1 %4 - - -",
        good + "\ncolumn 1 %ZZ - - -",
    };
    for (const std::string& text : bad) {
        try {
            read_plan(text);
            // A final line break is the one thing that may be overlooked.
            EXPECT_EQ(text, good + "\n") << "accepted: " << text;
        } catch (const Error& e) {
            EXPECT_EQ(e.kind, ErrorKind::Internal);
        }
    }
}

TEST(PlanText, NeverCrashesOnNoise) {
    Random random;
    ScanPlan plan = random.plan();
    for (int i = 0; i < 5000; ++i) {
        std::string text = write_plan(random.plan());
        for (int n = random.pick(1, 4); n > 0; --n)
            text[static_cast<std::size_t>(random.pick(0, static_cast<int>(text.size()) - 1))] =
                static_cast<char>(random.pick(0, 255));
        try {
            read_plan(text.substr(0, static_cast<std::size_t>(random.pick(0, 200))));
        } catch (const Error& e) {
            ASSERT_EQ(e.kind, ErrorKind::Internal);
        }
    }
}

} // namespace
} // namespace pipedrive
