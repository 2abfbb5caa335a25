// Recorded answers of the real API, each cell compared with a reading of the same JSON that shares
// no code with ours (RapidJSON's DOM and libc's dates).
#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <fstream>

#define RAPIDJSON_ASSERT(x) ((void)0) // never abort
#include <rapidjson/document.h>

#include "core/wire/page.h"
#include "core/wire/reader.h"
#include "unit/cells.h"

namespace pipedrive {
namespace {

struct Recording {
    // body: the bytes as recorded.
    std::string entity, version, op, body;
};

std::vector<Recording> recordings() {
    const char* given = std::getenv("PIPEDRIVE_RECORDED");
    std::ifstream file(given != nullptr ? std::string(given)
                                        : std::string(PIPEDRIVE_SOURCE_DIR) +
                                              "/../shared/recorded/v2-bodies.jsonl");
    std::vector<Recording> out;
    for (std::string line; std::getline(file, line);) {
        rapidjson::Document d;
        d.Parse(line.data(), line.size());
        const std::size_t at = line.find("\"body\":");
        if (d.HasParseError() || !d.IsObject() || at == line.npos) continue;
        out.push_back({d["entity"].GetString(), d["api_version"].GetString(), d["op"].GetString(),
                       line.substr(at + 7, line.rfind('}') - at - 7)});
    }
    return out;
}

const rapidjson::Value& member(const rapidjson::Value& object, std::string_view name) {
    static const rapidjson::Value null;
    if (!object.IsObject()) return null;
    const auto it = object.FindMember(
        rapidjson::Value(name.data(), static_cast<rapidjson::SizeType>(name.size())));
    return it == object.MemberEnd() ? null : it->value;
}

std::string text(const rapidjson::Value& v) {
    return v.IsString() ? std::string(v.GetString(), v.GetStringLength()) : "?";
}

// Microseconds since 2000-01-01 of "2026-04-01T19:00:38Z", "2026-04-01T22:03:28.177Z",
// "2026-04-01 19:00:38", or the date alone.
std::int64_t micros(const rapidjson::Value& v, const char* format) {
    std::tm tm{};
    const char* rest = strptime(v.GetString(), format, &tm);
    EXPECT_NE(rest, nullptr) << text(v);
    int ms = 0;
    if (rest != nullptr && *rest == '.') {
        EXPECT_EQ(std::sscanf(rest, ".%3dZ", &ms), 1) << text(v);
    }
    return (static_cast<std::int64_t>(timegm(&tm)) - 946684800) * 1000000 + ms * 1000;
}

std::int64_t clock_seconds(const rapidjson::Value& v) {
    int h = 0, m = 0, s = 0;
    EXPECT_GE(std::sscanf(v.GetString(), "%d:%d:%d", &h, &m, &s), 2) << text(v);
    return h * 3600 + m * 60 + s;
}

bool same_json(const Cell& cell, const rapidjson::Value& v) {
    rapidjson::Document d;
    d.Parse(cell.text, cell.size);
    return cell.type == CellType::Json && !d.HasParseError() && d == v;
}

bool same_ids(const Cell& cell, const rapidjson::Value& v) {
    if (cell.type != CellType::IntArray || !v.IsArray() || cell.size != v.Size()) return false;
    for (rapidjson::SizeType i = 0; i < v.Size(); ++i)
        if (cell.items[i].integer != v[i].GetInt64()) return false;
    return true;
}

std::string primary(const rapidjson::Value& v) {
    for (rapidjson::SizeType i = 0; i < v.Size(); ++i)
        if (member(v[i], "primary").IsTrue()) return text(member(v[i], "value"));
    return v.Empty() ? "" : text(member(v[0], "value"));
}

std::string one_line(const rapidjson::Value& v) {
    const rapidjson::Value& formatted = member(v, "formatted_address");
    return formatted.IsString() ? text(formatted) : text(member(v, "value"));
}

// Whether a cell says what the JSON says.
bool agrees(Kind kind, const Cell& cell, const rapidjson::Value& v) {
    if (v.IsNull()) return cell.type == CellType::Null;
    switch (kind) {
        case Kind::Int:
            return cell.type == CellType::Int &&
                   cell.integer == (v.IsString() ? std::atoll(v.GetString()) : v.GetInt64());
        case Kind::Number:
            return cell.type == CellType::Decimal && v.IsNumber() &&
                   std::strtod(std::string(cell.view()).c_str(), nullptr) == v.GetDouble();
        case Kind::Bool:
            return cell.type == CellType::Bool && v.IsBool() && (cell.integer != 0) == v.GetBool();
        case Kind::Text:
        case Kind::Uuid:
            return cell.type == CellType::Text && cell.view() == text(v);
        case Kind::Timestamp:
            return cell.type == CellType::Timestamp &&
                   cell.integer == micros(v, text(v).find('T') == std::string::npos
                                                 ? "%Y-%m-%d %H:%M:%S"
                                                 : "%Y-%m-%dT%H:%M:%S");
        case Kind::Date:
            return cell.type == CellType::Date &&
                   cell.integer * 86400000000 == micros(v, "%Y-%m-%d");
        case Kind::TimeOfDay:
        case Kind::Duration:
            return cell.integer == clock_seconds(v) * 1000000;
        case Kind::Json:
            return same_json(cell, v);
        case Kind::IntArray:
            return same_ids(cell, v);
        case Kind::UuidArray:
            return cell.type == CellType::TextArray && v.IsArray() && cell.size == v.Size();
        case Kind::Primary:
            return primary(v).empty() ? cell.type == CellType::Null : cell.view() == primary(v);
        case Kind::Address:
            return cell.view() == one_line(v);
        default:
            return false;
    }
}

void compare(const Recording& recording) {
    const Entity& entity = require_entity(recording.entity);
    std::vector<BoundColumn> columns;
    for (const Column& c : entity.columns)
        columns.push_back(test::standard(entity.name, std::string(c.name)));
    const Endpoint& endpoint = entity.endpoints[0];
    PageRequest request;
    request.entity = entity.name;
    request.key_kind = entity.key_kind;
    request.shape = endpoint.shape;
    request.paging = endpoint.paging;
    request.columns = columns;
    Page page;
    decode_page(recording.body, request, &page);
    rapidjson::Document d;
    d.Parse(recording.body.data(), recording.body.size());
    const rapidjson::Value& data = member(d, "data");
    ASSERT_EQ(page.rows(), data.IsArray() ? data.Size() : 1u);
    const rapidjson::Value& cursor = member(member(d, "additional_data"), "next_cursor");
    EXPECT_EQ(page.end().cursor, cursor.IsString() ? text(cursor) : "");
    for (std::size_t i = 0; i < page.rows(); ++i) {
        const rapidjson::Value& row =
            data.IsArray() ? data[static_cast<rapidjson::SizeType>(i)] : data;
        const rapidjson::Value& id = member(row, "id");
        EXPECT_EQ(page.key(i).spelled(), id.IsString() ? text(id) : std::to_string(id.GetInt64()));
        for (std::size_t c = 0; c < columns.size(); ++c) {
            const Column& column = entity.columns[c];
            if (column.source == Source::Endpoint || column.source == Source::Labels) continue;
            const rapidjson::Value& value = member(row, column.field);
            if (endpoint.shape == Shape::Flat && column.field == "custom_fields") continue;
            EXPECT_TRUE(agrees(column.kind, page.row(i)[c],
                               column.member.empty() ? value : member(value, column.member)))
                << recording.entity << " " << recording.op << " " << column.name << ": "
                << test::show(page.row(i)[c]);
        }
    }
}

TEST(Recorded, EveryCellOfEveryBody) {
    const std::vector<Recording> all = recordings();
    if (all.empty()) GTEST_SKIP() << "no recorded answers here (see PIPEDRIVE_RECORDED)";
    std::set<std::string> compared;
    for (const Recording& recording : all) {
        struct Nothing final : JsonEvents {
            void value(Tok, std::string_view) override {}
            void key(std::string_view) override {}
            void open(Tok) override {}
            void close(Tok) override {}
        } nothing;
        EXPECT_NO_THROW(read_json(recording.body, recording.entity, &nothing)) << recording.op;
        const Entity* entity = find_entity(recording.entity);
        const bool same_version = entity != nullptr && entity->endpoints[0].path.starts_with(
                                                           "/v1/") == (recording.version == "v1");
        if (!same_version || recording.op == "search" || recording.op == "delete") continue;
        compared.insert(recording.entity);
        compare(recording);
    }
    EXPECT_GE(compared.size(), 7u);
    EXPECT_TRUE(compared.contains("leads") && compared.contains("notes"));
}

// A row cut at any byte is never a row.
TEST(Recorded, CutBodiesAreErrors) {
    for (const Recording& recording : recordings()) {
        if (recording.entity != "deals" || recording.op != "list") continue;
        PageRequest request;
        request.entity = "deals";
        Page page;
        std::string body = recording.body;
        while (!body.empty() && body.back() == ' ')
            body.pop_back();
        for (std::size_t n = 0; n < body.size(); n += 3)
            EXPECT_ANY_THROW(decode_page(std::string_view(body).substr(0, n), request, &page)) << n;
    }
}

} // namespace
} // namespace pipedrive
