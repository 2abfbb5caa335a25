// Bytes to events, and the tape: what the parser must accept, must refuse, and must survive.
#include <gtest/gtest.h>

#include <random>
#include <stdexcept>

#include "core/base/error.h"
#include "core/wire/reader.h"

namespace pipedrive {
namespace {

// The events as one line.
struct Recorder final : JsonEvents {
    std::string log;
    void value(Tok t, std::string_view text) override {
        log += std::to_string(static_cast<int>(t)) + ":" + std::string(text) + " ";
    }
    void key(std::string_view text) override { log += "k:" + std::string(text) + " "; }
    void open(Tok t) override { log += t == Tok::Object ? "{ " : "[ "; }
    void close(Tok t) override { log += t == Tok::Object ? "} " : "] "; }
};

// "ok", or the kind of error.
std::string outcome(std::string_view json) {
    Recorder events;
    try {
        read_json(json, "subject", &events);
        return "ok";
    } catch (const Error& e) {
        EXPECT_EQ(e.subject, "subject");
        EXPECT_FALSE(e.detail.empty());
        return e.kind == ErrorKind::Malformed  ? "malformed"
               : e.kind == ErrorKind::TooLarge ? "too large"
                                               : "other";
    }
}

std::string rewritten(std::string_view json) {
    const JsonDocument document(json, "subject");
    std::string out;
    document.root().write(&out);
    return out;
}

TEST(Reader, EventsInOrder) {
    Recorder events;
    read_json(R"( {"a":[1,-2.50e+3,"x\n",true,false,null],"b":{}} )", "subject", &events);
    EXPECT_EQ(events.log, "{ k:a [ 3:1 3:-2.50e+3 4:x\n 2: 1: 0: ] k:b { } } ");
}

TEST(Reader, KeepsEveryDigit) {
    for (const char* number : {"123456789012345678901234567890", "-0", "0.10", "1e300", "1E-300",
                               "12345678901234567.8900", "9223372036854775808"})
        EXPECT_EQ(rewritten(number), number);
    const std::string huge(300, '7');
    EXPECT_EQ(rewritten(huge), huge);
    EXPECT_EQ(rewritten("0." + huge + huge), "0." + huge + huge);
}

TEST(Reader, Strings) {
    EXPECT_EQ(rewritten(R"("\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC\ud83d\udc4D")"),
              "\"\\\"\\\\/\\u0008\\u000c\\u000a\\u000d\\u0009Aé€👍\"");
    EXPECT_EQ(rewritten("\"\\u0000x\""), "\"\\u0000x\""); // NUL is kept, not cut
    const JsonDocument document("\"a\\u0000b\"", "subject");
    EXPECT_EQ(document.root().text(), std::string_view("a\0b", 3));
}

TEST(Reader, Refuses) {
    using std::string_view_literals::operator""sv;
    const std::string_view bad[] = {""sv,
                                    " "sv,
                                    "{"sv,
                                    "}"sv,
                                    "[1,]"sv,
                                    "{\"a\":1,}"sv,
                                    "{\"a\"}"sv,
                                    "{a:1}"sv,
                                    "{'a':1}"sv,
                                    "01"sv,
                                    "1."sv,
                                    ".5"sv,
                                    "-"sv,
                                    "+1"sv,
                                    "1e"sv,
                                    "NaN"sv,
                                    "Infinity"sv,
                                    "0x1"sv,
                                    "tru"sv,
                                    "nul"sv,
                                    "True"sv,
                                    "\"a"sv,
                                    "\"\\x\""sv,
                                    "\"\\u12\""sv,
                                    "\"\\u12G4\""sv,
                                    "[1 2]"sv,
                                    "{} {}"sv,
                                    "[] x"sv,
                                    "<html>"sv,
                                    "\"a\tb\""sv,
                                    "\"a\nb\""sv,
                                    "// c\n1"sv,
                                    "\"\\ud800\""sv,
                                    "\"\\udc00\""sv,
                                    "\"\\ud800\\u0041\""sv,
                                    "\"\\ud83dx\""sv, // surrogates
                                    "\"\xff\""sv,
                                    "\"\xc3\""sv,
                                    "\"\xc0\x80\""sv,
                                    "\"\xed\xa0\x80\""sv, // not UTF-8
                                    "\"\xf4\x90\x80\x80\""sv,
                                    "\"\xe2\x82\""sv,
                                    "{\"\xff\":1}"sv,
                                    "\0"sv,
                                    "{\0}"sv,
                                    "\"a\0b\""sv,
                                    "[1,\0 2]"sv,
                                    "{}\0"sv,
                                    "{}\0{}"sv,
                                    "[1]\0\0]"sv};
    for (std::string_view json : bad)
        EXPECT_EQ(outcome(json), "malformed") << json;
}

TEST(Reader, DepthIsLimitedAndNeverOnTheStack) {
    const auto nested = [](int n, const std::string& open, const std::string& close) {
        std::string out;
        for (int i = 0; i < n; ++i)
            out += open;
        for (int i = 0; i < n; ++i)
            out += close;
        return out;
    };
    EXPECT_EQ(outcome(nested(kMaxDepth, "[", "]")), "ok");
    EXPECT_EQ(outcome(nested(kMaxDepth + 1, "[", "]")), "too large");
    EXPECT_EQ(outcome(nested(1000000, "[", "]")), "too large");
    EXPECT_EQ(outcome(nested(1000000, "{\"a\":", "}")), "too large");
    EXPECT_EQ(outcome(std::string(1000000, '[')), "too large");
    std::string wide = "[";
    for (int i = 0; i < 200000; ++i)
        wide += "[],";
    EXPECT_EQ(outcome(wide + "1]"), "ok");
    EXPECT_EQ(rewritten(nested(kMaxDepth, "[", "]")), nested(kMaxDepth, "[", "]"));
}

TEST(Reader, ExceptionsOfTheEventsComeThrough) {
    struct Thrower final : JsonEvents {
        void value(Tok, std::string_view) override { throw std::runtime_error("mine"); }
        void key(std::string_view) override {}
        void open(Tok) override {}
        void close(Tok) override {}
    } events;
    EXPECT_THROW(read_json("{\"a\":[{\"b\":1}]}", "s", &events), std::runtime_error);
}

TEST(Reader, CutAnywhereIsAnError) {
    const std::string whole = R"({"a":[1.5,"x\u00e9",{"b":null}],"c":true,"d":"é"})";
    ASSERT_EQ(outcome(whole), "ok");
    for (std::size_t n = 0; n < whole.size(); ++n)
        EXPECT_EQ(outcome(std::string_view(whole).substr(0, n)), "malformed") << n;
}

TEST(Tape, MembersElementsAndDuplicates) {
    const JsonDocument document(R"({"a":{"x":[1,[2]],"y":3},"b":1,"a":4,"c":[],"d":{}})", "s");
    const JsonValue root = document.root();
    EXPECT_EQ(root.member("a").text(), "4"); // the last one wins
    EXPECT_TRUE(root.member("nothing").absent());
    EXPECT_TRUE(root.member("b").member("x").absent());
    int members = 0, elements = 0;
    root.each_member([&](std::string_view, JsonValue) { ++members; });
    EXPECT_EQ(members, 5);
    root.member("c").each_element([&](JsonValue) { ++elements; });
    root.member("d").each_member([&](std::string_view, JsonValue) { ++elements; });
    EXPECT_EQ(elements, 0);
    EXPECT_TRUE(JsonValue().is_null());
    EXPECT_STREQ(root.member("c").type_name(), "array");
}

// Random documents come out as they went in: written without blanks, they are their own oracle.
struct Writer {
    std::mt19937 random{99};
    int pick(int n) { return std::uniform_int_distribution<int>(0, n - 1)(random); }
    std::string text() {
        const char* pieces[] = {"a", "\\\"", "\\\\", "é", "👍", "\\u0000", "\\u001f", "/", " "};
        std::string out = "\"";
        for (int n = pick(5); n > 0; --n)
            out += pieces[pick(9)];
        return out + "\"";
    }
    std::string value(int depth) {
        const char* scalars[] = {"null", "true", "false", "0", "-1.50", "1e5", "\"\"", "[]", "{}"};
        const int kind = pick(depth > 4 ? 2 : 4);
        if (kind == 0) return scalars[pick(9)];
        if (kind == 1) return text();
        std::string out;
        for (int n = pick(4); n > 0; --n)
            out += (out.empty() ? "" : ",") + (kind == 2 ? "" : text() + ":") + value(depth + 1);
        return kind == 2 ? "[" + out + "]" : "{" + out + "}";
    }
};

TEST(Tape, RandomDocumentsRoundTrip) {
    Writer writer;
    for (int i = 0; i < 3000; ++i) {
        const std::string json = writer.value(0);
        ASSERT_EQ(rewritten(json), json);
    }
}

} // namespace
} // namespace pipedrive
