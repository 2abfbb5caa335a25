// Keys of one kind, in order: what a condition on the key selects. Integers take eight bytes each.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/base/row_key.h"

namespace pipedrive {

class KeyList {
  public:
    KeyList() = default;
    explicit KeyList(std::vector<std::int64_t> integers) : integers_(std::move(integers)) {}
    explicit KeyList(std::vector<Uuid> uuids) : uuids_(std::move(uuids)) {}

    std::size_t size() const noexcept { return integers_.size() + uuids_.size(); }
    bool empty() const noexcept { return size() == 0; }
    RowKey operator[](std::size_t i) const noexcept {
        return uuids_.empty() ? RowKey::of(integers_[i]) : RowKey::of(uuids_[i]);
    }
    void push_back(const RowKey& key) {
        key.kind() == KeyKind::Uuid ? uuids_.push_back(key.uuid())
                                    : integers_.push_back(key.integer());
    }
    // At most so many from there on.
    KeyList part(std::size_t first, std::size_t count) const {
        const std::size_t from = std::min(first, size());
        return {cut(integers_, from, count), cut(uuids_, from, count)};
    }
    template <typename Condition>
    void erase_if(Condition&& condition) {
        std::erase_if(integers_, [&](std::int64_t i) { return condition(RowKey::of(i)); });
        std::erase_if(uuids_, [&](const Uuid& u) { return condition(RowKey::of(u)); });
    }
    bool operator==(const KeyList&) const = default;

  private:
    KeyList(std::vector<std::int64_t> integers, std::vector<Uuid> uuids)
        : integers_(std::move(integers)), uuids_(std::move(uuids)) {}
    template <typename T>
    static std::vector<T> cut(const std::vector<T>& all, std::size_t first, std::size_t count) {
        if (all.empty()) return {};
        const auto from = all.begin() + static_cast<std::ptrdiff_t>(first);
        return {from, from + static_cast<std::ptrdiff_t>(std::min(count, all.size() - first))};
    }

    std::vector<std::int64_t> integers_; // one of them is empty
    std::vector<Uuid> uuids_;
};

} // namespace pipedrive
