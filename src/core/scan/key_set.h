// The keys a scan has returned, and what is kept by key. Integers as in IdSet; a UUID costs some
// forty bytes.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "core/base/row_key.h"
#include "core/scan/id_set.h"

namespace pipedrive {

// Finds a std::string by a view of its bytes.
struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view s) const noexcept {
        return std::hash<std::string_view>{}(s);
    }
};

class KeySet {
  public:
    // False when the key was there already; rows without keys are all new. Throws std::bad_alloc.
    bool insert(const RowKey& key);
    bool contains(const RowKey& key) const noexcept;
    void clear() noexcept;

  private:
    IdSet integers_;
    std::unordered_set<Uuid, UuidHash> uuids_;
    std::unordered_set<std::string, TextHash, std::equal_to<>> texts_;
};

template <typename T>
class KeyMap {
  public:
    // The value of the key, `otherwise` when it had none before. Not for rows without keys.
    T& at(const RowKey& key, const T& otherwise) {
        switch (key.kind()) {
            case KeyKind::Uuid:
                return uuids_.emplace(key.uuid(), otherwise).first->second;
            case KeyKind::Text:
                return texts_.emplace(key.text(), otherwise).first->second;
            default:
                return integers_.emplace(key.integer(), otherwise).first->second;
        }
    }
    // nullptr: it has none.
    const T* find(const RowKey& key) const noexcept {
        switch (key.kind()) {
            case KeyKind::Uuid:
                return found(uuids_, key.uuid());
            case KeyKind::Text:
                return found(texts_, key.text());
            default:
                return found(integers_, key.integer());
        }
    }
    template <typename Visit>
    void each(Visit&& visit) const {
        for (const auto& [key, value] : integers_)
            visit(value);
        for (const auto& [key, value] : uuids_)
            visit(value);
        for (const auto& [key, value] : texts_)
            visit(value);
    }
    void clear() noexcept {
        integers_.clear();
        uuids_.clear();
        texts_.clear();
    }

  private:
    template <typename Map, typename Key>
    static const T* found(const Map& map, const Key& key) noexcept {
        const auto at = map.find(key);
        return at == map.end() ? nullptr : &at->second;
    }

    std::unordered_map<std::int64_t, T> integers_;
    std::unordered_map<Uuid, T, UuidHash> uuids_;
    std::unordered_map<std::string, T, TextHash, std::equal_to<>> texts_;
};

} // namespace pipedrive
