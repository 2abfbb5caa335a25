#include "core/wire/reader.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/text.h"

namespace pipedrive {
namespace {

constexpr const char* kInvalid = "Invalid value.";

bool is_blank(char c) {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
// A byte that stands for itself in a string; those beyond ASCII are looked at in sequences.
bool is_plain(char c) {
    const unsigned char u = static_cast<unsigned char>(c);
    return u >= 0x20 && u < 0x80 && c != '"' && c != '\\';
}
bool is_high(char32_t unit) {
    return unit >= 0xD800 && unit <= 0xDBFF;
}
bool is_low(char32_t unit) {
    return unit >= 0xDC00 && unit <= 0xDFFF;
}

void append_half(std::string& out, char32_t unit) {
    out += kHalf;
    for (int shift = 12; shift >= 0; shift -= 4)
        out += "0123456789abcdef"[(unit >> shift) & 15];
}

} // namespace

void JsonReader::bad(const char* reason) const {
    throw Error(ErrorKind::Malformed, subject_,
                "Not valid JSON at byte " + std::to_string(at_) + ": " + reason);
}

bool JsonReader::read(std::size_t bytes) {
    limit_ = at_ + std::min(bytes, text_.size() - at_);
    while (at_ < limit_)
        step();
    if (at_ < text_.size()) return false;
    if (in_string_) bad("Missing a closing quotation mark in string.");
    if (next_ != Next::Nothing)
        bad(text_.empty() ? "The document is empty." : "The document ends too early.");
    return true;
}

// Consumes at least one byte.
void JsonReader::step() {
    if (in_string_) return read_string();
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
            if (c != '"') bad("Missing a name for object member.");
            return begin_string();
        case Next::Colon:
            if (c != ':') bad("Missing a colon after a name of object member.");
            ++at_;
            next_ = Next::Value;
            return;
        case Next::Comma:
            return after_comma();
        case Next::Nothing:
            bad("The document root must not be followed by other values.");
    }
}

void JsonReader::after_comma() {
    const bool object = open_.back() == Tok::Object;
    if (text_[at_] == (object ? '}' : ']')) return close(open_.back());
    if (text_[at_] != ',')
        bad(object ? "Missing a comma or } after an object member."
                   : "Missing a comma or ] after an array element.");
    ++at_;
    next_ = object ? Next::Key : Next::Value;
}

void JsonReader::begin_value() {
    const char c = text_[at_];
    switch (c) {
        case '"':
            return begin_string();
        case '{':
            return open(Tok::Object);
        case '[':
            return open(Tok::Array);
        case 't':
            return read_word("true", Tok::True);
        case 'f':
            return read_word("false", Tok::False);
        case 'n':
            return read_word("null", Tok::Null);
        default:
            if (c != '-' && !is_digit(c)) bad(kInvalid);
            return read_number();
    }
}

void JsonReader::open(Tok container) {
    if (open_.size() == static_cast<std::size_t>(kMaxDepth))
        throw Error(
            ErrorKind::TooLarge, subject_,
            "The answer is nested more than " + std::to_string(kMaxDepth) + " levels deep.");
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

void JsonReader::scalar(Tok tok, std::string_view text) {
    next_ = open_.empty() ? Next::Nothing : Next::Comma;
    events_->value(tok, text);
}

void JsonReader::read_word(std::string_view word, Tok tok) {
    if (text_.substr(at_, word.size()) != word) bad(kInvalid);
    at_ += word.size();
    scalar(tok, {});
}

void JsonReader::read_digits() {
    if (!is_digit(at(at_))) bad(kInvalid);
    while (is_digit(at(at_)))
        ++at_;
}

void JsonReader::read_number() {
    const std::size_t start = at_;
    if (text_[at_] == '-') ++at_;
    if (at(at_) == '0')
        ++at_;
    else
        read_digits();
    if (at(at_) == '.') {
        ++at_;
        read_digits();
    }
    if (at(at_) == 'e' || at(at_) == 'E') {
        ++at_;
        if (at(at_) == '+' || at(at_) == '-') ++at_;
        read_digits();
    }
    scalar(Tok::Number, text_.substr(start, at_ - start));
}

void JsonReader::begin_string() {
    in_string_ = true;
    escaped_ = false;
    string_start_ = ++at_;
}

// Up to the closing quote, or the end of the slice. Text without escapes is not copied.
void JsonReader::read_string() {
    const std::size_t from = at_;
    while (at_ < limit_ && text_[at_] != '"' && text_[at_] != '\\') {
        if (is_plain(text_[at_])) {
            ++at_;
            continue;
        }
        std::size_t next = at_;
        utf8_next(text_, &next);
        if (next == at_ + 1) bad("Invalid encoding in string.");
        at_ = next;
    }
    if (escaped_) unescaped_.append(text_, from, at_ - from);
    if (at_ >= limit_) return;
    if (text_[at_] == '\\') return read_escape();
    const std::string_view text =
        escaped_ ? std::string_view(unescaped_) : text_.substr(string_start_, at_ - string_start_);
    ++at_;
    in_string_ = false;
    if (next_ != Next::Key && next_ != Next::FirstKey) return scalar(Tok::String, text);
    next_ = Next::Colon;
    events_->key(text);
}

void JsonReader::read_escape() {
    if (!escaped_) unescaped_.assign(text_, string_start_, at_ - string_start_);
    escaped_ = true;
    constexpr std::string_view names = "\"\\/bfnrt", values = "\"\\/\b\f\n\r\t";
    const char c = at(at_ + 1);
    if (const std::size_t i = names.find(c); i != names.npos) {
        unescaped_ += values[i];
        at_ += 2;
        return;
    }
    if (c != 'u') bad("Invalid escape character in string.");
    const char32_t unit = read_hex();
    if (!is_high(unit) && !is_low(unit)) return utf8_append(unescaped_, unit);
    if (is_high(unit) && at(at_) == '\\' && at(at_ + 1) == 'u') {
        const std::size_t after_first = at_;
        const char32_t second = read_hex();
        if (is_low(second))
            return utf8_append(unescaped_, 0x10000 + ((unit - 0xD800) << 10) + (second - 0xDC00));
        at_ = after_first; // a unit of its own
    }
    append_half(unescaped_, unit);
}

// "\uXXXX" at at_.
char32_t JsonReader::read_hex() {
    char32_t unit = 0;
    for (std::size_t i = at_ + 2; i < at_ + 6; ++i) {
        const char c = at(i);
        const int digit = is_digit(c)            ? c - '0'
                          : c >= 'a' && c <= 'f' ? c - 'a' + 10
                          : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                 : -1;
        if (digit < 0) bad("Incorrect hex digit after \\u escape in string.");
        unit = unit << 4 | static_cast<char32_t>(digit);
    }
    at_ += 6;
    return unit;
}

void read_json(std::string_view text, std::string_view subject, JsonEvents* events) {
    JsonReader(text, subject, events).read(text.size());
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

JsonDocument::JsonDocument(std::string_view text, std::string_view subject, bool in_slices)
    : events_(&arena_), reader_(text, subject, &events_) {
    if (!in_slices) reader_.read(text.size());
}

} // namespace pipedrive
