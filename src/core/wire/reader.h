// From bytes to events: the one place that reads JSON, with RapidJSON.
//
// RapidJSON cannot stop on the way, so a long document is cut: containers longer than a slice are
// walked here, and each shorter container and each scalar in them is a document of its own for it.
// Nesting is counted, at most kMaxDepth, and never on the stack; numbers keep their text; UTF-8 is
// validated. Half a surrogate pair, which no UTF-8 can hold, costs the string that holds it and not
// the document: see kHalf.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/arena.h"
#include "core/wire/tape.h"

namespace pipedrive {

inline constexpr int kMaxDepth = 64;

// Bytes of an answer that are decoded before others have their turn: a few milliseconds.
inline constexpr std::size_t kDecodeSlice = 256 << 10;

// Receives events in document order. Text is valid only during the call. May throw; the exception
// leaves read_json().
struct JsonEvents {
    virtual ~JsonEvents() = default;
    virtual void value(Tok scalar, std::string_view text) = 0; // Null, False, True, Number, String
    virtual void key(std::string_view text) = 0;
    virtual void open(Tok container) = 0;  // Object or Array
    virtual void close(Tok container) = 0; // Object or Array
};

class JsonReader {
  public:
    // `text` and `events` outlive the reader. `subject` is for errors.
    JsonReader(std::string_view text, std::string_view subject, JsonEvents* events)
        : text_(text), subject_(subject), events_(events) {}

    // Reads on over about so many bytes. True: the whole document has been read. Throws
    // Error{Malformed} with byte offset and reason, Error{TooDeep} above kMaxDepth, or what the
    // events throw; after that the reader is of no use.
    bool read(std::size_t bytes);

  private:
    enum class Next : std::uint8_t { Value, FirstValue, Key, FirstKey, Colon, Comma, Nothing };
    // What is cut out for RapidJSON: a container, a string, or a number or word.
    enum class Piece : std::uint8_t { None, Container, String, Bare };

    void step();
    void begin_value();
    void begin_piece(Piece kind);
    void scan_piece();
    void walk_piece();
    void scan_string();
    void end_piece();
    void open(Tok container);
    void close(Tok container);
    void after_comma();
    char at(std::size_t i) const noexcept { return i < text_.size() ? text_[i] : '\0'; }
    [[noreturn]] void bad(std::size_t at, const char* reason) const;

    std::string_view text_;
    std::string subject_;
    JsonEvents* events_;
    std::size_t at_ = 0, limit_ = 0;
    Next next_ = Next::Value;
    std::vector<Tok> open_;
    // The piece under way.
    Piece piece_ = Piece::None;
    std::size_t piece_start_ = 0;
    std::size_t depth_ = 0, digits_ = 0;
    bool in_string_ = false;
    bool unusual_ = false; // it may hold what RapidJSON refuses and we take
};

// All of a document at once.
void read_json(std::string_view text, std::string_view subject, JsonEvents* events);

// Builds a tape; text is copied to the arena.
class TapeWriter {
  public:
    explicit TapeWriter(Arena* arena) : arena_(arena) {}
    void clear() noexcept;
    // Feed the events of exactly one value; complete() turns true with its last event.
    void value(Tok scalar, std::string_view text);
    void key(std::string_view text);
    void open(Tok container);
    void close();
    // A whole value of another tape, or a key of it before. Its text stays where it is, and lives
    // as long as this tape.
    void copy(JsonValue whole);
    void copy_key(std::string_view text);
    bool complete() const noexcept { return !tokens_.empty() && open_.empty() && !after_key_; }
    std::size_t size() const noexcept { return tokens_.size(); }
    // Valid until the next event or clear().
    const Token* at(std::size_t index) const noexcept { return tokens_.data() + index; }
    int depth() const noexcept { return static_cast<int>(open_.size()); }

  private:
    Arena* arena_;
    std::vector<Token> tokens_;
    std::vector<std::size_t> open_;
    bool after_key_ = false;
};

// A whole document on a tape. Same errors as read_json.
class JsonDocument {
  public:
    // Read at once, or with `in_slices` by read(), which says when it is whole. `text` outlives the
    // reading.
    JsonDocument(std::string_view text, std::string_view subject, bool in_slices = false);
    JsonDocument(const JsonDocument&) = delete;
    JsonDocument& operator=(const JsonDocument&) = delete;
    bool read(std::size_t bytes) { return reader_.read(bytes); }
    JsonValue root() const noexcept { return JsonValue(events_.writer.at(0)); }

  private:
    struct Events final : JsonEvents {
        explicit Events(Arena* arena) : writer(arena) {}
        void value(Tok scalar, std::string_view text) override { writer.value(scalar, text); }
        void key(std::string_view text) override { writer.key(text); }
        void open(Tok container) override { writer.open(container); }
        void close(Tok) override { writer.close(); }
        TapeWriter writer;
    };
    Arena arena_;
    Events events_;
    JsonReader reader_;
};

} // namespace pipedrive
