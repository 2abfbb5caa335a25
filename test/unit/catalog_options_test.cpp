// Options: what each accepts, where each belongs, and what a wrong one is told.
#include <gtest/gtest.h>

#include <set>

#include "core/base/error.h"
#include "core/catalog/options.h"

namespace pipedrive {
namespace {

using enum OptionContext;

// "" when accepted, else what is wrong.
std::string verdict(OptionContext context, const char* name, std::string_view value) {
    try {
        check_option(context, name, value);
        return "";
    } catch (const Error& e) {
        EXPECT_TRUE(e.kind == ErrorKind::BadOption || e.kind == ErrorKind::UnknownOption ||
                    e.kind == ErrorKind::UnknownEntity);
        return e.kind == ErrorKind::UnknownOption ? "unknown: " + e.hint : "bad: " + e.detail;
    }
}

bool good(OptionContext context, const char* name, std::string_view value) {
    return verdict(context, name, value).empty();
}

TEST(Options, RowsAreUniqueAndTheirDefaultsValid) {
    std::set<std::pair<OptionContext, std::string_view>> seen;
    for (const OptionRow& row : option_rows()) {
        EXPECT_TRUE(seen.insert({row.context, row.name}).second) << row.name;
        EXPECT_FALSE(row.meaning.empty());
        const bool literal = row.default_text.find(' ') == std::string_view::npos &&
                             row.default_text.find('\'') == std::string_view::npos;
        if (row.default_text.empty() || !literal) continue;
        EXPECT_NO_THROW(row.check(row, row.default_text)) << row.name;
    }
    EXPECT_EQ(parse_duration_ms("10s"), kDefaultConnectTimeoutMs);
    EXPECT_EQ(parse_bytes("64MB"), kDefaultMaxResponseSize);
}

TEST(Options, Values) {
    for (const char* v : {"1", "500", "100"})
        EXPECT_TRUE(good(Server, "page_size", v)) << v;
    for (const char* v : {"0", "501", "-1", "", "abc", "1.5", "99999999999999999999", "10 rows"})
        EXPECT_FALSE(good(Server, "page_size", v)) << v;
    EXPECT_TRUE(good(Server, "company_domain", "acme"));
    for (const char* v : {"", "acme/evil", "a b", "acme@evil", "-acme", "acme.evil.com"})
        EXPECT_FALSE(good(Server, "company_domain", v)) << v;
    EXPECT_TRUE(good(Server, "api_base_url", "https://acme.pipedrive.com"));
    EXPECT_TRUE(good(Server, "api_base_url", "http://127.0.0.1:8080"));
    for (const char* v : {"http://acme.pipedrive.com", "ftp://x", "acme", "https://u:p@host", ""})
        EXPECT_FALSE(good(Server, "api_base_url", v)) << v;
    EXPECT_TRUE(good(UserMapping, "api_token", std::string(512, 'x')));
    EXPECT_FALSE(good(UserMapping, "api_token", std::string(513, 'x')));
    for (std::string_view v : {"", "a b", "a\nb", "tökén", "a\x7f"})
        EXPECT_FALSE(good(UserMapping, "api_token", v)) << v;
    EXPECT_TRUE(good(Table, "entity", "deals"));
    EXPECT_FALSE(good(Table, "entity", "Deals"));
    EXPECT_TRUE(good(Column, "type", "monetary"));
    EXPECT_TRUE(good(Column, "type", "money")) << "the API adds types";
    EXPECT_FALSE(good(Column, "type", ""));
    EXPECT_FALSE(good(Column, "field", ""));
    EXPECT_TRUE(good(Import, "labels", "both"));
    EXPECT_FALSE(good(Import, "labels", "names"));
    EXPECT_FALSE(good(Import, "custom_fields", "perhaps"));
}

// The value never appears in the message: it may be a token in the wrong place.
TEST(Options, MisplacedAndMisspelt) {
    EXPECT_NE(verdict(Server, "api_token", "SECRET").find("user mapping"), std::string::npos);
    EXPECT_EQ(verdict(Server, "api_token", "SECRET").find("SECRET"), std::string::npos);
    EXPECT_NE(verdict(Server, "pagesize", "5").find("\"page_size\""), std::string::npos);
    EXPECT_NE(verdict(UserMapping, "token", "5").find("api_token"), std::string::npos);
    EXPECT_NE(verdict(Table, "zzzzzzzzzzzz", "5").find("entity"), std::string::npos);
    EXPECT_EQ(verdict(UserMapping, "api_token", "SEC RET").find("SEC"), std::string::npos);
}

TEST(Options, DurationsSizesAndBooleans) {
    const std::pair<const char*, std::optional<std::int64_t>> durations[] = {
        {"10", 10000},   {"10s", 10000},
        {"500ms", 500},  {"2min", 120000},
        {"1h", 3600000}, {"0", 0},
        {"3 s", 3000},   {"", {}},
        {"s", {}},       {"-1s", {}},
        {"1.5s", {}},    {"1d", {}},
        {"10S", {}},     {"9999999999999", {}},
        {"1s ", {}},     {" 1s", {}},
        {"1e3", {}},     {"999999999999h", 999999999999 * 3600000}};
    for (const auto& [text, expected] : durations)
        EXPECT_EQ(parse_duration_ms(text), expected) << text;
    const std::pair<const char*, std::optional<std::int64_t>> sizes[] = {
        {"1000", 1000},
        {"1kB", 1024},
        {"64MB", 64 << 20},
        {"512 kB", 512 << 10},
        {"2GB", std::int64_t{2} << 30},
        {"5B", 5},
        {"5mb", {}},
        {"", {}},
        {"-5", {}},
        {"5TB", {}},
        {"999999999999GB", {}}};
    for (const auto& [text, expected] : sizes)
        EXPECT_EQ(parse_bytes(text), expected) << text;
    for (const char* yes : {"true", "ON", "Yes", "1", "t", "y"})
        EXPECT_EQ(parse_bool(yes), true) << yes;
    for (const char* no : {"false", "off", "NO", "0", "f", "n"})
        EXPECT_EQ(parse_bool(no), false) << no;
    for (const char* bad : {"", "2", "truex", "trueeeeee", "falsefalse", " true", "o"})
        EXPECT_EQ(parse_bool(bad), std::nullopt) << bad;
}

} // namespace
} // namespace pipedrive
