// One answer of a list endpoint: envelope, rows as cells, and where the next page is.
//
// Only wanted columns are looked at. Both envelopes are understood: v2 (next_cursor) and v1
// (pagination block, or no paging at all), and both shapes of a record.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/arena.h"
#include "core/catalog/binding.h"
#include "core/catalog/fields.h"
#include "core/wire/cell.h"
#include "core/wire/decode.h"
#include "core/wire/envelope.h"

namespace pipedrive {

// A row with a value that does not fit its column.
struct BadRow {
    std::string key;    // as SQL shows it
    std::string column; // SQL name
    std::string reason; // as an error would say; may quote the value
};

struct PageRequest {
    std::string_view entity;     // for errors
    std::string_view key = "id"; // field of the row's key, and what kind it is
    KeyKind key_kind = KeyKind::Integer;
    DeletedFlag deleted = {};
    Shape shape = Shape::Nested;
    std::span<const BoundColumn> columns; // resolved; cells come in this order
    const FieldCatalogue* catalogue = nullptr;
    const std::set<UnknownOption>* missing_options = nullptr; // see LabelSource
    bool archived = false;                                    // value of Source::Endpoint columns
    std::vector<BadRow>* set_aside = nullptr; // such rows go here, instead of Error{BadValue}
    // One record: no row when it is deleted or, unless the scan reads all lists, archived otherwise
    // than this list says.
    bool single = false, all_lists = false;
    // A list by cursors must have a data array; v1 lists say null for "no rows".
    Paging paging = Paging::Cursor;
};

// A wanted custom field whose key a row lacks (REST v2 sends every defined field, so it may be
// gone), or whose value has a shape that its type does not have (it may have been replaced).
struct Doubt {
    RowKey key;           // of the row; valid as long as its page
    std::uint32_t column; // index into the columns
    bool absent;          // the key; else the value is odd
};

class Page {
  public:
    std::size_t rows() const noexcept { return keys_.size(); }
    std::span<const Cell> row(std::size_t i) const noexcept {
        return {cells_.data() + i * width_, width_};
    }
    const RowKey& key(std::size_t i) const noexcept { return keys_[i]; }
    const ListEnd& end() const noexcept { return end_; }
    // What the decoders noticed; its pointers are not to be used.
    const LabelSource& noticed() const noexcept { return noticed_; }
    // What the field definitions may have to explain, row by row.
    std::span<const Doubt> doubts() const noexcept { return doubts_; }
    // Whether some row had the key of this custom column: then the field is there.
    bool has_key(std::size_t column) const noexcept { return has_key_[column]; }
    std::size_t bytes() const noexcept {
        return arena_.bytes_reserved() + cells_.capacity() * sizeof(Cell);
    }

  private:
    friend class PageReader;
    Arena arena_;
    std::vector<Cell> cells_;
    std::vector<RowKey> keys_;
    std::size_t width_ = 0;
    ListEnd end_;
    LabelSource noticed_;
    std::vector<Doubt> doubts_;
    std::vector<bool> has_key_;
};

// Fills *page (reusing its memory), slice by slice. read() throws Error{Malformed} for an envelope
// that is not one, `success` false, a row without its key; Error{BadValue} with column and row id,
// unless they are set aside; Error{TooDeep}. Until it says true, the page is not to be looked at.
class PageDecoder {
  public:
    // `body`, what `request` refers to, and `page` outlive the decoder.
    PageDecoder(std::string_view body, const PageRequest& request, Page* page);
    ~PageDecoder();
    // Goes on over about so many bytes. True: the page is whole.
    bool read(std::size_t bytes);

  private:
    struct Work;
    std::unique_ptr<Work> work_;
};

// All of it at once.
void decode_page(std::string_view body, const PageRequest& request, Page* page);

} // namespace pipedrive
