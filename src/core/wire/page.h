// One answer of a list endpoint: envelope, rows as cells, and where the next page is.
//
// Only wanted columns are looked at. Both envelopes are understood: v2 (next_cursor) and v1
// (pagination block, or no paging at all).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/arena.h"
#include "core/catalog/binding.h"
#include "core/catalog/fields.h"
#include "core/wire/cell.h"
#include "core/wire/decode.h"

namespace pipedrive {

struct PageRequest {
    std::string_view entity;              // for errors
    std::span<const BoundColumn> columns; // resolved; cells come in this order
    const FieldCatalogue* catalogue = nullptr;
    const std::set<UnknownOption>* missing_options = nullptr; // see LabelSource
    bool archived = false;                                    // value of Source::Endpoint columns
    // One record: no row when it is deleted or, unless the scan reads all lists, archived otherwise
    // than this list says.
    bool single = false, all_lists = false;
    bool paged = true; // a paged list must have a data array; v1 lists say null for "no rows"
};

class Page {
  public:
    std::size_t rows() const noexcept { return ids_.size(); }
    std::span<const Cell> row(std::size_t i) const noexcept {
        return {cells_.data() + i * width_, width_};
    }
    std::int64_t id(std::size_t i) const noexcept { return ids_[i]; }
    const std::string& next_cursor() const noexcept {
        return next_cursor_;
    } // empty: this was the last page
    // What the decoders noticed; its pointers are not to be used.
    const LabelSource& noticed() const noexcept { return noticed_; }
    // A wanted custom field whose key some row lacked: index into the columns, or -1. REST v2 sends
    // every defined field, so the field may be gone.
    int missing_custom_column() const noexcept { return missing_custom_; }
    std::size_t bytes() const noexcept {
        return arena_.bytes_reserved() + cells_.capacity() * sizeof(Cell);
    }

  private:
    friend class PageReader;
    Arena arena_;
    std::vector<Cell> cells_;
    std::vector<std::int64_t> ids_;
    std::size_t width_ = 0;
    std::string next_cursor_;
    LabelSource noticed_;
    int missing_custom_ = -1;
};

// Fills *page (reusing its memory). Throws Error{Malformed} for an envelope that is not one,
// `success` false, a row without an id; Error{BadValue} with column and row id; Error{TooLarge}.
void decode_page(std::string_view body, const PageRequest& request, Page* page);

} // namespace pipedrive
