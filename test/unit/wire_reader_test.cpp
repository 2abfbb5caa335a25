// Bytes to events, and the tape: what the parser must accept, must refuse, and must survive.
#include <gtest/gtest.h>

#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#define RAPIDJSON_ASSERT(x) ((void)0)
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include "core/base/error.h"
#include "core/wire/reader.h"
#include "core/wire/storable.h"

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
        return e.kind == ErrorKind::Malformed ? "malformed"
               : e.kind == ErrorKind::TooDeep ? "too deep"
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
                                    "\"\\ud83d\\u12\""sv,
                                    "\"\\ud83d\\"sv,
                                    "[1 2]"sv,
                                    "{} {}"sv,
                                    "[] x"sv,
                                    "<html>"sv,
                                    "\"a\tb\""sv,
                                    "\"a\nb\""sv,
                                    "// c\n1"sv,

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

// JSON can say them and UTF-8 cannot: the string is marked, the document is read.
TEST(Reader, HalvesOfSurrogatePairs) {
    const std::string mark(1, kHalf);
    for (const auto& [json, text] : std::vector<std::pair<std::string, std::string>>{
             {R"("\ud83d")", mark + "d83d"},
             {R"("\uDC4D")", mark + "dc4d"},
             {R"("a\ud83dx")", "a" + mark + "d83dx"},
             {R"("\ud800\u0041")", mark + "d800A"},
             {R"("\ud800\n")", mark + "d800\n"},
             {R"("\ud83d\ud83d\udc4d")", mark + "d83d👍"},
             {R"("\udc4d\ud83d")", mark + "dc4d" + mark + "d83d"}}) {
        const JsonDocument document(json, "subject");
        EXPECT_EQ(document.root().text(), text) << json;
        EXPECT_EQ(rewritten(rewritten(json)), rewritten(json));
        EXPECT_TRUE(escapes_unstorable(rewritten(json))) << json;
        EXPECT_TRUE(escapes_unstorable(rewritten("{" + json + ":[1]}")));
        EXPECT_EQ(storable_text(text).find(kHalf), std::string::npos);
    }
    EXPECT_EQ(rewritten(R"(["x\uD83D"])"), R"(["x\ud83d"])");
    EXPECT_EQ(storable_text(std::string("a\0b", 3) + mark + "d83dc"), "a\uFFFDb\uFFFDc");
    EXPECT_TRUE(escapes_unstorable(R"("\\\u0000")"));
    for (const char* fine : {R"("\\u0000\\ud83d")", R"("\u0001\\")", "\"👍\"", "1"})
        EXPECT_FALSE(escapes_unstorable(fine)) << fine;
}

// However it is cut into slices, the events are the same.
TEST(Reader, Slices) {
    const std::string json = R"( {"a\n":[1.5e3, "x\u00e9y", {"b":null}, []], "c" :true,)"
                             R"("d":"é👍\ud83d\udc4d z"} )";
    Recorder whole;
    read_json(json, "subject", &whole);
    for (std::size_t bytes = 1; bytes <= json.size(); ++bytes) {
        Recorder parts;
        JsonReader reader(json, "subject", &parts);
        std::size_t slices = 1;
        while (!reader.read(bytes))
            ++slices;
        EXPECT_EQ(parts.log, whole.log) << bytes;
        EXPECT_LE(slices, json.size() / bytes + 1);
        EXPECT_GE(slices * (bytes + 12), json.size());
    }
}

// Containers longer than a slice are walked, not parsed: that must not show.
TEST(Reader, LongContainers) {
    std::string json = R"([ {"a" : [)", log = "[ { k:a [ ";
    while (json.size() < 3 * kDecodeSlice) {
        json += R"({"k\n": [1e400 ,"é\ud83d", {}, []] }, )";
        log += "{ k:k\n [ 3:1e400 4:é" + std::string(1, kHalf) + "d83d { } [ ] ] } ";
    }
    json += R"(null], "b":{}} , 1])";
    log += "0: ] k:b { } } 3:1 ] ";
    Recorder whole;
    read_json(json, "subject", &whole);
    EXPECT_TRUE(whole.log == log) << whole.log.substr(0, 200);
    for (std::size_t bytes : {std::size_t{70000}, kDecodeSlice, json.size()}) {
        Recorder parts;
        JsonReader reader(json, "subject", &parts);
        while (!reader.read(bytes)) {
        }
        EXPECT_TRUE(parts.log == log) << bytes;
    }
    for (std::size_t at = 0; at < json.size(); at += 30011) {
        EXPECT_EQ(outcome(std::string_view(json).substr(0, at)), "malformed") << at;
        std::string broken = json;
        broken[at] = '\x01';
        EXPECT_EQ(outcome(broken), "malformed") << at;
    }
    EXPECT_EQ(outcome(json.substr(0, json.size() - 1) + "}"), "malformed");
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
    EXPECT_EQ(outcome(nested(kMaxDepth + 1, "[", "]")), "too deep");
    EXPECT_EQ(outcome(nested(1000000, "[", "]")), "too deep");
    EXPECT_EQ(outcome(nested(1000000, "{\"a\":", "}")), "too deep");
    EXPECT_EQ(outcome(std::string(1000000, '[')), "too deep");
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

// Another parser as the oracle: damaged documents are taken or refused alike, with the same events.
struct Oracle {
    Recorder to;
    bool Null() { return to.value(Tok::Null, {}), true; }
    bool Bool(bool b) { return to.value(b ? Tok::True : Tok::False, {}), true; }
    bool Int(int) { return false; }
    bool Uint(unsigned) { return false; }
    bool Int64(std::int64_t) { return false; }
    bool Uint64(std::uint64_t) { return false; }
    bool Double(double) { return false; }
    bool RawNumber(const char* s, rapidjson::SizeType n, bool) {
        return to.value(Tok::Number, {s, n}), true;
    }
    bool String(const char* s, rapidjson::SizeType n, bool) {
        return to.value(Tok::String, {s, n}), true;
    }
    bool Key(const char* s, rapidjson::SizeType n, bool) { return to.key({s, n}), true; }
    bool StartObject() { return to.open(Tok::Object), true; }
    bool StartArray() { return to.open(Tok::Array), true; }
    bool EndObject(rapidjson::SizeType) { return to.close(Tok::Object), true; }
    bool EndArray(rapidjson::SizeType) { return to.close(Tok::Array), true; }
};

std::string damaged(Writer& writer) {
    const std::string bytes = "{}[]\",:0123456789.eE+-ntf\\u \n\x01\x7f\xc3\xa9\xff";
    const auto pick = [&](std::size_t n) {
        return static_cast<std::size_t>(writer.pick(static_cast<int>(n)));
    };
    std::string json = writer.value(0);
    for (std::size_t n = pick(3); n > 0 && !json.empty(); --n) {
        const std::size_t at = pick(json.size()), how = pick(3);
        const char byte = bytes[pick(bytes.size())];
        if (how == 0) json[at] = byte;
        if (how == 1) json.insert(at, 1, byte);
        if (how == 2) json.erase(at, 1);
    }
    return json;
}

TEST(Tape, DamagedDocumentsAreReadAsByRapidJson) {
    constexpr unsigned flags =
        rapidjson::kParseValidateEncodingFlag | rapidjson::kParseNumbersAsStringsFlag;
    Writer writer;
    int taken = 0;
    for (int i = 0; i < 60000; ++i) {
        const std::string json = damaged(writer);
        Oracle oracle;
        rapidjson::Reader parser;
        rapidjson::MemoryStream stream(json.data(), json.size());
        const bool fine = !parser.Parse<flags>(stream, oracle).IsError();
        Recorder ours;
        bool read = true;
        try {
            read_json(json, "subject", &ours);
        } catch (const Error&) {
            read = false;
        }
        // RapidJSON refuses numbers beyond a double even as strings.
        ASSERT_TRUE(read == fine || (read && json.find_first_of("eE") != json.npos)) << json;
        if (fine) {
            ASSERT_EQ(ours.log, oracle.to.log) << json;
        }
        taken += fine;
    }
    EXPECT_GT(taken, 20000);
}

// The room of numeric, at its documented edges.
TEST(Storable, NumbersAndUuids) {
    const std::string long_number(131072, '7');
    for (const std::string& fine :
         {std::string("-1.5e3"), std::string("1e131071"), std::string("1e-16383"), long_number})
        EXPECT_TRUE(fits_numeric(fine)) << fine;
    for (const std::string& beyond :
         {std::string("1e131072"), std::string("1e-16384"), long_number + "7",
          std::string("1E+99999999999999999999"), std::string("0.1e-16383")})
        EXPECT_FALSE(fits_numeric(beyond)) << beyond;
    const auto json = [](std::string_view text) {
        Cell cell;
        cell.type = CellType::Json;
        cell.text = text.data();
        cell.size = static_cast<std::uint32_t>(text.size());
        return unstorable(Kind::Json, cell).empty();
    };
    EXPECT_TRUE(json(R"({"1e999999\"":[1,-2.5e1,"1e999999"],"a":{"b":1e300}})"));
    EXPECT_FALSE(json(R"({"a":{"b":[1,1e999999]}})"));
    EXPECT_FALSE(json("1e999999"));
    EXPECT_FALSE(json(R"(["\u0000"])"));
    const auto uuid = [](std::string_view text) {
        Cell cell;
        cell.type = CellType::Text;
        cell.text = text.data();
        cell.size = static_cast<std::uint32_t>(text.size());
        return unstorable(Kind::Uuid, cell).empty();
    };
    EXPECT_TRUE(uuid("9ce77a10-2e16-11f1-91c1-d76c00000003"));
    EXPECT_TRUE(uuid("{9CE77A102E1611F191C1D76C00000003}"));
    for (const char* no :
         {"", "{}", "x", "9ce77a10-2e16-11f1-91c1-d76c0000000",
          "9ce77a10-2e16-11f1-91c1-d76c000000033", "9ce77a10--2e16-11f1-91c1-d76c00000003",
          "9ce77a10-2e16-11f1-91c1-d76c0000000g"})
        EXPECT_FALSE(uuid(no)) << no;
}

TEST(Tape, NumbersBeyondADoubleAreNumbers) {
    for (const char* number : {"1e310", "-1E+200000", "1e-400"})
        EXPECT_EQ(rewritten(number), number);
}

TEST(Tape, RandomDocumentsRoundTrip) {
    Writer writer;
    for (int i = 0; i < 3000; ++i) {
        const std::string json = writer.value(0);
        ASSERT_EQ(rewritten(json), json);
    }
}

} // namespace
} // namespace pipedrive
