#include "core/wire/reader.h"

#include <exception>
#include <string>

// RapidJSON's assertions must never abort the process.
#define RAPIDJSON_ASSERT(x) ((void)0)
#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include "core/base/error.h"

namespace pipedrive {
namespace {

// Adapts RapidJSON's handler to JsonEvents. Every callback is noexcept toward the parser: an
// exception is kept and parsing stopped.
class Adapter {
  public:
    explicit Adapter(JsonEvents* events) : events_(events) {}

    bool Null() {
        return pass([&] { events_->value(Tok::Null, {}); });
    }
    bool Bool(bool b) {
        return pass([&] { events_->value(b ? Tok::True : Tok::False, {}); });
    }
    bool Int(int) { return false; } // numbers arrive as RawNumber
    bool Uint(unsigned) { return false; }
    bool Int64(std::int64_t) { return false; }
    bool Uint64(std::uint64_t) { return false; }
    bool Double(double) { return false; }
    bool RawNumber(const char* s, rapidjson::SizeType n, bool) {
        return pass([&] { events_->value(Tok::Number, {s, n}); });
    }
    bool String(const char* s, rapidjson::SizeType n, bool) {
        return whole({s, n}) && pass([&] { events_->value(Tok::String, {s, n}); });
    }
    bool Key(const char* s, rapidjson::SizeType n, bool) {
        return whole({s, n}) && pass([&] { events_->key({s, n}); });
    }
    bool StartObject() { return open(Tok::Object); }
    bool StartArray() { return open(Tok::Array); }
    bool EndObject(rapidjson::SizeType) { return close(Tok::Object); }
    bool EndArray(rapidjson::SizeType) { return close(Tok::Array); }

    bool too_deep() const noexcept { return depth_ > kMaxDepth; }
    bool lone_surrogate() const noexcept { return lone_surrogate_; }
    std::exception_ptr failure() const noexcept { return failure_; }

  private:
    template <typename F>
    bool pass(F&& f) noexcept {
        try {
            f();
            return true;
        } catch (...) {
            failure_ = std::current_exception();
            return false;
        }
    }
    // RapidJSON takes "\udc00" without its first half and encodes it, which is not UTF-8.
    bool whole(std::string_view text) noexcept {
        for (std::size_t at = text.find('\xED'); at != text.npos; at = text.find('\xED', at + 1))
            if (at + 1 < text.size() && static_cast<unsigned char>(text[at + 1]) >= 0xA0)
                lone_surrogate_ = true;
        return !lone_surrogate_;
    }
    bool open(Tok container) {
        if (++depth_ > kMaxDepth) return false;
        return pass([&] { events_->open(container); });
    }
    bool close(Tok container) {
        --depth_;
        return pass([&] { events_->close(container); });
    }

    JsonEvents* events_;
    int depth_ = 0;
    bool lone_surrogate_ = false;
    std::exception_ptr failure_;
};

} // namespace

void read_json(std::string_view text, std::string_view subject, JsonEvents* events) {
    constexpr unsigned flags = rapidjson::kParseIterativeFlag |
                               rapidjson::kParseValidateEncodingFlag |
                               rapidjson::kParseNumbersAsStringsFlag;
    rapidjson::MemoryStream stream(text.data(), text.size());
    rapidjson::Reader reader;
    Adapter adapter(events);
    const rapidjson::ParseResult result = reader.Parse<flags>(stream, adapter);
    if (adapter.failure()) std::rethrow_exception(adapter.failure());
    if (adapter.too_deep())
        throw Error(
            ErrorKind::TooLarge, std::string(subject),
            "The answer is nested more than " + std::to_string(kMaxDepth) + " levels deep.");
    if (adapter.lone_surrogate())
        throw Error(ErrorKind::Malformed, std::string(subject),
                    "Not valid JSON at byte " + std::to_string(result.Offset()) +
                        ": half a surrogate pair.");
    if (result.IsError())
        throw Error(ErrorKind::Malformed, std::string(subject),
                    "Not valid JSON at byte " + std::to_string(result.Offset()) + ": " +
                        rapidjson::GetParseError_En(result.Code()));
    // RapidJSON takes a NUL byte for the end of the text.
    if (stream.Tell() != text.size())
        throw Error(ErrorKind::Malformed, std::string(subject),
                    "Not valid JSON at byte " + std::to_string(stream.Tell()) + ": a NUL byte.");
}

void TapeWriter::clear() noexcept {
    tokens_.clear();
    open_.clear();
    after_key_ = false;
}

void TapeWriter::value(Tok scalar, std::string_view text) {
    const std::string_view kept = text.empty() ? text : arena_->copy(text);
    tokens_.push_back({scalar, static_cast<std::uint32_t>(kept.size()), kept.data()});
    after_key_ = false;
}

void TapeWriter::key(std::string_view text) {
    value(Tok::Key, text);
    after_key_ = true;
}

void TapeWriter::open(Tok container) {
    open_.push_back(tokens_.size());
    tokens_.push_back({container, 0, nullptr});
    after_key_ = false;
}

void TapeWriter::close() {
    const std::size_t start = open_.back();
    open_.pop_back();
    tokens_.push_back(
        {tokens_[start].kind == Tok::Object ? Tok::ObjectEnd : Tok::ArrayEnd, 0, nullptr});
    tokens_[start].size = static_cast<std::uint32_t>(tokens_.size() - start);
    after_key_ = false;
}

namespace {
struct WholeDocument final : JsonEvents {
    explicit WholeDocument(TapeWriter* w) : writer(w) {}
    void value(Tok scalar, std::string_view text) override { writer->value(scalar, text); }
    void key(std::string_view text) override { writer->key(text); }
    void open(Tok container) override { writer->open(container); }
    void close(Tok) override { writer->close(); }
    TapeWriter* writer;
};
} // namespace

JsonDocument::JsonDocument(std::string_view text, std::string_view subject) : writer_(&arena_) {
    WholeDocument events(&writer_);
    read_json(text, subject, &events);
}

} // namespace pipedrive
