// From bytes to events: the one place that runs RapidJSON.
//
// Iterative (a million brackets do not touch the stack), depth at most kMaxDepth, UTF-8 validated,
// numbers kept as text. Handlers must not throw through the parser: reader.cpp carries an exception
// around it.
#pragma once

#include <string_view>
#include <vector>

#include "core/base/arena.h"
#include "core/wire/tape.h"

namespace pipedrive {

inline constexpr int kMaxDepth = 64;

// Receives events in document order. Text is valid only during the call. May throw; the exception
// leaves read_json().
struct JsonEvents {
    virtual ~JsonEvents() = default;
    virtual void value(Tok scalar, std::string_view text) = 0; // Null, False, True, Number, String
    virtual void key(std::string_view text) = 0;
    virtual void open(Tok container) = 0;  // Object or Array
    virtual void close(Tok container) = 0; // Object or Array
};

// Throws Error{Malformed} with byte offset and reason, Error{TooLarge} above kMaxDepth, or what the
// events throw. `subject` is for the error.
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

// A whole document on a tape, for small answers (field definitions). Same errors as read_json.
class JsonDocument {
  public:
    JsonDocument(std::string_view text, std::string_view subject);
    JsonValue root() const noexcept { return JsonValue(writer_.at(0)); }

  private:
    Arena arena_;
    TapeWriter writer_;
};

} // namespace pipedrive
