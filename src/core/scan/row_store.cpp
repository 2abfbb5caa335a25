#include "core/scan/row_store.h"

#include <cerrno>
#include <cstring>

#include "core/base/error.h"

namespace pipedrive {
namespace {

bool holds_text(CellType type) noexcept {
    return type == CellType::Text || type == CellType::Decimal || type == CellType::Json;
}

bool holds_items(CellType type) noexcept {
    return type == CellType::IntArray || type == CellType::TextArray;
}

[[noreturn]] void file_failed(const char* doing) {
    throw Error(ErrorKind::Internal, "temporary file",
                std::string("Could not ") + doing + " it: " + std::strerror(errno) + ".");
}

} // namespace

// A cell as bytes: type, size, then the text, the items, or the integer.
void RowStore::write(const Cell& cell) {
    tail_.push_back(static_cast<char>(cell.type));
    tail_.append(reinterpret_cast<const char*>(&cell.size), sizeof(cell.size));
    if (holds_text(cell.type)) {
        tail_.append(cell.text, cell.size);
    } else if (holds_items(cell.type)) {
        for (std::uint32_t i = 0; i < cell.size; ++i)
            write(cell.items[i]);
    } else {
        tail_.append(reinterpret_cast<const char*>(&cell.integer), sizeof(cell.integer));
    }
}

const char* RowStore::read(const char* at, Cell* cell) {
    cell->type = static_cast<CellType>(*at++);
    std::memcpy(&cell->size, at, sizeof(cell->size));
    at += sizeof(cell->size);
    if (holds_text(cell->type)) {
        cell->text = at;
        return at + cell->size;
    }
    if (holds_items(cell->type)) {
        Cell* items = reinterpret_cast<Cell*>(items_.allocate(sizeof(Cell) * (cell->size + 1)));
        for (std::uint32_t i = 0; i < cell->size; ++i)
            at = read(at, new (&items[i]) Cell);
        cell->items = items;
        return at;
    }
    std::memcpy(&cell->integer, at, sizeof(cell->integer));
    return at + sizeof(cell->integer);
}

std::size_t RowStore::add(std::int64_t id, std::span<const Cell> cells) {
    const std::size_t begin = in_file_ + tail_.size();
    for (const Cell& cell : cells)
        write(cell);
    rows_.push_back({begin, in_file_ + tail_.size(), id});
    if (tail_.size() > memory_ && !path_.empty()) spill();
    return rows_.size() - 1;
}

void RowStore::spill() {
    if (!file_) {
        file_.reset(std::fopen(path_.c_str(), "w+bx"));
        if (!file_) file_failed("create");
        std::remove(path_.c_str());
    }
    if (std::fseek(file_.get(), 0, SEEK_END) != 0 ||
        std::fwrite(tail_.data(), 1, tail_.size(), file_.get()) != tail_.size() ||
        std::fflush(file_.get()) != 0)
        file_failed("write");
    in_file_ += tail_.size();
    tail_.clear();
}

std::span<const Cell> RowStore::read(std::size_t row) {
    const Row& where = rows_[row];
    const char* at = nullptr;
    if (where.begin >= in_file_) {
        at = tail_.data() + (where.begin - in_file_);
    } else {
        buffer_.resize(where.end - where.begin);
        if (std::fseek(file_.get(), static_cast<long>(where.begin), SEEK_SET) != 0 ||
            std::fread(buffer_.data(), 1, buffer_.size(), file_.get()) != buffer_.size())
            file_failed("read");
        at = buffer_.data();
    }
    const char* end = at + (where.end - where.begin);
    items_.clear();
    cells_.clear();
    while (at != end)
        at = read(at, &cells_.emplace_back());
    return cells_;
}

} // namespace pipedrive
