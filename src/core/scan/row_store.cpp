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

// A key as bytes: its kind, then the integer, the UUID, or size and text.
void RowStore::write(const RowKey& key) {
    const auto put = [&](const auto& value) {
        tail_.append(reinterpret_cast<const char*>(&value), sizeof(value));
    };
    tail_.push_back(static_cast<char>(key.kind()));
    if (key.kind() == KeyKind::Integer) put(key.integer());
    if (key.kind() == KeyKind::Uuid) put(key.uuid());
    if (key.kind() == KeyKind::Text) {
        put(key.text().size());
        tail_ += key.text();
    }
}

const char* RowStore::read_key(const char* at) {
    const auto get = [&](auto value) {
        std::memcpy(&value, at, sizeof(value));
        at += sizeof(value);
        return value;
    };
    key_ = RowKey();
    const auto kind = static_cast<KeyKind>(*at++);
    if (kind == KeyKind::Integer) key_ = RowKey::of(get(std::int64_t{}));
    if (kind == KeyKind::Uuid) key_ = RowKey::of(get(Uuid{}));
    if (kind == KeyKind::Text) {
        const auto size = get(std::size_t{});
        key_ = RowKey::of(std::string_view(at, size));
        at += size;
    }
    return at;
}

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

std::size_t RowStore::add(const RowKey& key, std::span<const Cell> cells) {
    rows_.push_back(in_file_ + tail_.size());
    write(key);
    for (const Cell& cell : cells)
        write(cell);
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
    const std::size_t begin = rows_[row];
    const std::size_t size =
        (row + 1 < rows_.size() ? rows_[row + 1] : in_file_ + tail_.size()) - begin;
    const char* at = nullptr;
    if (begin >= in_file_) {
        at = tail_.data() + (begin - in_file_);
    } else {
        buffer_.resize(size);
        if (std::fseek(file_.get(), static_cast<long>(begin), SEEK_SET) != 0 ||
            std::fread(buffer_.data(), 1, buffer_.size(), file_.get()) != buffer_.size())
            file_failed("read");
        at = buffer_.data();
    }
    const char* end = at + size;
    at = read_key(at);
    items_.clear();
    cells_.clear();
    while (at != end)
        at = read(at, &cells_.emplace_back());
    return cells_;
}

} // namespace pipedrive
