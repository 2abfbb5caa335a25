// The ids a scan has returned. Dense ids cost two bits each, scattered ones some ten bytes; order
// does not matter.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

namespace pipedrive {

class IdSet {
  public:
    // False when the id was there already. Amortised constant. Throws std::bad_alloc.
    bool insert(std::int64_t id);
    bool contains(std::int64_t id) const noexcept;
    void clear() noexcept { chunks_.clear(); }
    std::size_t bytes() const noexcept; // about what it holds on to

  private:
    // 65536 neighbouring ids: a sorted list while there are few, then a bitmap.
    struct Chunk {
        std::vector<std::uint16_t> few;
        std::vector<std::uint64_t> bits;
    };
    static constexpr std::size_t kFew =
        2048; // from here on the bitmap is smaller to search and hardly larger
    static bool add(Chunk* chunk, std::uint16_t low);
    std::unordered_map<std::int64_t, Chunk> chunks_;
};

} // namespace pipedrive
