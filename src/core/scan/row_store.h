// Rows that a scan keeps: copies of key and cells, in memory up to a limit, beyond it in a file.
//
// The file is unlinked as soon as it is open, so nothing is left behind whatever happens.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/arena.h"
#include "core/base/row_key.h"
#include "core/wire/cell.h"

namespace pipedrive {

class RowStore {
  public:
    // `path` names the file, should one be needed; empty: everything stays in memory.
    RowStore(std::size_t memory, std::string path) : memory_(memory), path_(std::move(path)) {}

    // The number of the row. Throws std::bad_alloc; Error{Internal} when the file cannot be
    // written.
    std::size_t add(const RowKey& key, std::span<const Cell> cells);

    // Valid until the next add() or read().
    std::span<const Cell> read(std::size_t row);
    // Of the row that was read last; valid as long as its cells.
    const RowKey& key() const noexcept { return key_; }
    std::size_t rows() const noexcept { return rows_.size(); }
    std::size_t bytes_in_memory() const noexcept { return tail_.capacity(); }
    std::size_t bytes_in_file() const noexcept { return in_file_; }

  private:
    struct Close {
        void operator()(std::FILE* file) const noexcept { std::fclose(file); }
    };

    void spill();
    void write(const RowKey& key);
    void write(const Cell& cell);
    const char* read_key(const char* at);
    const char* read(const char* at, Cell* cell);

    std::size_t memory_;
    std::string path_;
    std::vector<std::size_t> rows_; // where each begins in the whole log
    std::size_t in_file_ = 0; // the log's bytes before this are in the file, the others in tail_
    std::string tail_;
    std::unique_ptr<std::FILE, Close> file_;
    std::string buffer_; // the row that was read from the file
    Arena items_;        // of its arrays
    RowKey key_;
    std::vector<Cell> cells_;
};

} // namespace pipedrive
