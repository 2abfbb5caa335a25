// Writing JSON: the one place where quotes, commas and escapes are made.
#pragma once

#include <string>
#include <string_view>

namespace pipedrive {

// Stands in a string for half a surrogate pair ("\ud83d" alone), which JSON can say and UTF-8
// cannot, before its four hexadecimal digits. Never a byte of UTF-8.
inline constexpr char kHalf = '\xFF';

// Appends s, which may have kHalf, as a JSON string with quotes.
void write_json_string(std::string_view s, std::string* out);

// The same JSON with every character beyond ASCII as \\u escape, for places that may not be able to
// hold it.
std::string ascii_json(std::string_view json);

// Appends one JSON value to a text, piece by piece, and sets the commas. What is opened has to be
// closed by the caller; keys come before each value in an object.
class JsonWriter {
  public:
    // `out` outlives the writer.
    explicit JsonWriter(std::string* out) : out_(out), start_(out->size()) {}

    void open(char bracket) {
        separate();
        *out_ += bracket;
    }
    void close(char bracket) { *out_ += bracket; }
    void key(std::string_view name) {
        string(name);
        *out_ += ':';
    }
    void string(std::string_view text) {
        separate();
        write_json_string(text, out_);
    }
    // A number, a word or a whole value that is JSON already.
    void raw(std::string_view json) {
        separate();
        *out_ += json;
    }
    void member(std::string_view name, std::string_view text) {
        key(name);
        string(text);
    }
    void member(std::string_view name, bool flag) {
        key(name);
        raw(flag ? "true" : "false");
    }
    void member(std::string_view name, const char* text) { member(name, std::string_view(text)); }

  private:
    void separate() {
        if (out_->size() == start_) return;
        const char last = out_->back(); // the end of a string is its quote
        if (last != '{' && last != '[' && last != ':') *out_ += ',';
    }

    std::string* out_;
    std::size_t start_;
};

} // namespace pipedrive
