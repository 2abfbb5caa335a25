#include "core/wire/reader.h"

#include <algorithm>
#include <exception>

// RapidJSON's assertions must never abort the process.
#define RAPIDJSON_ASSERT(x) ((void)0)
#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include "core/base/error.h"
#include "core/wire/unusual.h"

namespace pipedrive {
namespace {

bool is_blank(char c) {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool ends_bare(char c) {
    return is_blank(c) || std::string_view(",:\"[]{}").find(c) != std::string_view::npos;
}

// RapidJSON's handler. Every callback is noexcept toward the parser: an exception is kept and
// parsing stopped.
class Adapter {
  public:
    // `levels` of containers are open around the piece. `respelled`: see unusual.h.
    Adapter(JsonEvents* events, std::size_t levels, bool is_key, bool respelled)
        : events_(events), depth_(levels), is_key_(is_key), respelled_(respelled) {}

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
        if (is_key_) return Key(s, n, true);
        const std::string_view text(s, n);
        if (respelled_ && is_respelled_number(text))
            return pass([&] { events_->value(Tok::Number, respelled_number(text)); });
        return pass([&] { events_->value(Tok::String, meant(text)); });
    }
    bool Key(const char* s, rapidjson::SizeType n, bool) {
        const std::string_view text(s, n);
        if (respelled_ && is_respelled_number(text)) return false; // a number is no name
        return pass([&] { events_->key(meant(text)); });
    }
    bool StartObject() { return open(Tok::Object); }
    bool StartArray() { return open(Tok::Array); }
    bool EndObject(rapidjson::SizeType) { return close(Tok::Object); }
    bool EndArray(rapidjson::SizeType) { return close(Tok::Array); }

    bool too_deep() const noexcept { return depth_ > static_cast<std::size_t>(kMaxDepth); }
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
    std::string_view meant(std::string_view text) {
        if (!respelled_) return text;
        buffer_ = respelled_text(text);
        return buffer_;
    }
    bool open(Tok container) {
        ++depth_;
        return !too_deep() && pass([&] { events_->open(container); });
    }
    bool close(Tok container) {
        --depth_;
        return pass([&] { events_->close(container); });
    }

    JsonEvents* events_;
    std::size_t depth_;
    bool is_key_, respelled_;
    std::string buffer_;
    std::exception_ptr failure_;
};

[[noreturn]] void too_deep(const std::string& subject) {
    throw Error(ErrorKind::TooDeep, subject,
                "The answer is nested more than " + std::to_string(kMaxDepth) + " levels deep.");
}

} // namespace

void JsonReader::bad(std::size_t at, const char* reason) const {
    throw Error(ErrorKind::Malformed, subject_,
                "Not valid JSON at byte " + std::to_string(at) + ": " + reason);
}

bool JsonReader::read(std::size_t bytes) {
    limit_ = at_ + std::min(bytes, text_.size() - at_);
    while (at_ < limit_)
        step();
    if (at_ < text_.size()) return false;
    if (piece_ == Piece::Bare) end_piece(); // a number may be all there is
    if (piece_ != Piece::None || next_ != Next::Nothing)
        bad(at_, text_.empty() ? "The document is empty." : "The document ends too early.");
    return true;
}

// Consumes at least one byte, or ends a piece.
void JsonReader::step() {
    if (piece_ != Piece::None) return scan_piece();
    const char c = text_[at_];
    if (is_blank(c)) {
        ++at_;
        return;
    }
    switch (next_) {
        case Next::FirstValue:
            if (c == ']') return close(Tok::Array);
            return begin_value();
        case Next::Value:
            return begin_value();
        case Next::FirstKey:
            if (c == '}') return close(Tok::Object);
            [[fallthrough]];
        case Next::Key:
            if (c != '"') bad(at_, "Missing a name for object member.");
            return begin_piece(Piece::String);
        case Next::Colon:
            if (c != ':') bad(at_, "Missing a colon after a name of object member.");
            ++at_;
            next_ = Next::Value;
            return;
        case Next::Comma:
            return after_comma();
        case Next::Nothing:
            bad(at_, "The document root must not be followed by other values.");
    }
}

void JsonReader::after_comma() {
    const bool object = open_.back() == Tok::Object;
    if (text_[at_] == (object ? '}' : ']')) return close(open_.back());
    if (text_[at_] != ',')
        bad(at_, object ? "Missing a comma or } after an object member."
                        : "Missing a comma or ] after an array element.");
    ++at_;
    next_ = object ? Next::Key : Next::Value;
}

void JsonReader::begin_value() {
    const char c = text_[at_];
    const bool container = c == '{' || c == '[';
    if (!container && c != '"' && ends_bare(c)) bad(at_, "Invalid value.");
    begin_piece(container ? Piece::Container : c == '"' ? Piece::String : Piece::Bare);
}

void JsonReader::open(Tok container) {
    ++at_;
    open_.push_back(container);
    next_ = container == Tok::Object ? Next::FirstKey : Next::FirstValue;
    events_->open(container);
}

void JsonReader::close(Tok container) {
    ++at_;
    open_.pop_back();
    next_ = open_.empty() ? Next::Nothing : Next::Comma;
    events_->close(container);
}

void JsonReader::begin_piece(Piece kind) {
    piece_ = kind;
    piece_start_ = at_;
    depth_ = digits_ = 0;
    in_string_ = kind == Piece::String;
    unusual_ = false;
    if (in_string_) ++at_;
}

// Up to the end of the piece, or of the slice. Whether it is JSON is for RapidJSON to say.
void JsonReader::scan_piece() {
    while (at_ < limit_) {
        if (in_string_) {
            scan_string();
            if (!in_string_ && depth_ == 0) return end_piece();
            continue;
        }
        const char c = text_[at_];
        if (piece_ == Piece::Bare && ends_bare(c)) return end_piece();
        if (piece_ == Piece::Container && at_ - piece_start_ >= kDecodeSlice) return walk_piece();
        digits_ = is_digit(c) ? digits_ + 1 : 0;
        // what may be beyond a double
        if (digits_ > 300 || ((c == 'e' || c == 'E') && is_digit(at(at_ - 1)))) unusual_ = true;
        ++at_;
        if (c == '"') {
            in_string_ = true;
        } else if (c == '{' || c == '[') {
            if (open_.size() + ++depth_ > static_cast<std::size_t>(kMaxDepth)) too_deep(subject_);
        } else if ((c == '}' || c == ']') && --depth_ == 0) {
            return end_piece();
        }
    }
}

// A container longer than a slice is gone into: what is in it are pieces.
void JsonReader::walk_piece() {
    limit_ -= std::min(limit_, at_ - piece_start_); // was read for nothing
    at_ = piece_start_;
    piece_ = Piece::None;
    open(text_[at_] == '{' ? Tok::Object : Tok::Array);
}

void JsonReader::scan_string() {
    while (at_ < limit_) {
        const char c = text_[at_];
        if (c == '\\') {
            if (at(at_ + 1) == 'u' && (at(at_ + 2) == 'd' || at(at_ + 2) == 'D')) unusual_ = true;
            at_ = std::min(at_ + 2, text_.size());
            continue;
        }
        ++at_;
        if (c != '"') continue;
        in_string_ = false;
        return;
    }
}

void JsonReader::end_piece() {
    constexpr unsigned flags = rapidjson::kParseIterativeFlag |
                               rapidjson::kParseValidateEncodingFlag |
                               rapidjson::kParseNumbersAsStringsFlag;
    const bool is_key = next_ == Next::Key || next_ == Next::FirstKey;
    std::string_view piece = text_.substr(piece_start_, at_ - piece_start_);
    std::string respelled;
    if (unusual_) piece = respelled = respell_unusual(piece);
    rapidjson::MemoryStream stream(piece.data(), piece.size());
    rapidjson::Reader reader;
    Adapter adapter(events_, open_.size(), is_key, unusual_);
    const rapidjson::ParseResult result = reader.Parse<flags>(stream, adapter);
    if (adapter.failure()) std::rethrow_exception(adapter.failure());
    if (adapter.too_deep()) too_deep(subject_);
    if (result.IsError())
        bad(piece_start_ + std::min(result.Offset(), at_ - piece_start_),
            rapidjson::GetParseError_En(result.Code()));
    // RapidJSON takes a NUL byte for the end of the text.
    if (stream.Tell() != piece.size()) bad(piece_start_ + stream.Tell(), "a NUL byte.");
    piece_ = Piece::None;
    next_ = is_key ? Next::Colon : open_.empty() ? Next::Nothing : Next::Comma;
}

void read_json(std::string_view text, std::string_view subject, JsonEvents* events) {
    JsonReader reader(text, subject, events);
    while (!reader.read(text.size())) {
    }
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

void TapeWriter::copy(JsonValue whole) {
    const std::span<const Token> tokens = whole.tokens();
    tokens_.insert(tokens_.end(), tokens.begin(), tokens.end());
    after_key_ = false;
}

void TapeWriter::copy_key(std::string_view text) {
    tokens_.push_back({Tok::Key, static_cast<std::uint32_t>(text.size()), text.data()});
    after_key_ = true;
}

JsonDocument::JsonDocument(std::string_view text, std::string_view subject, bool in_slices)
    : events_(&arena_), reader_(text, subject, &events_) {
    while (!in_slices && !reader_.read(text.size())) {
    }
}

} // namespace pipedrive
