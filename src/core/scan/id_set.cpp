#include "core/scan/id_set.h"

#include <algorithm>

namespace pipedrive {
namespace {

constexpr std::size_t kWords = 65536 / 64;

std::int64_t high(std::int64_t id) noexcept {
    return id >> 16;
}
std::uint16_t low(std::int64_t id) noexcept {
    return static_cast<std::uint16_t>(id & 0xFFFF);
}

} // namespace

bool IdSet::add(Chunk* chunk, std::uint16_t value) {
    if (!chunk->bits.empty()) {
        std::uint64_t& word = chunk->bits[value / 64];
        const std::uint64_t bit = std::uint64_t{1} << (value % 64);
        const bool fresh = (word & bit) == 0;
        word |= bit;
        return fresh;
    }
    std::vector<std::uint16_t>& few = chunk->few;
    const auto at = few.empty() || few.back() < value
                        ? few.end()
                        : std::lower_bound(few.begin(), few.end(), value);
    if (at != few.end() && *at == value) return false;
    if (few.size() < kFew) {
        few.insert(at, value);
        return true;
    }
    chunk->bits.resize(kWords);
    for (std::uint16_t v : few)
        chunk->bits[v / 64] |= std::uint64_t{1} << (v % 64);
    std::vector<std::uint16_t>().swap(few);
    return add(chunk, value);
}

bool IdSet::insert(std::int64_t id) {
    return add(&chunks_[high(id)], low(id));
}

bool IdSet::contains(std::int64_t id) const noexcept {
    const auto it = chunks_.find(high(id));
    if (it == chunks_.end()) return false;
    const Chunk& chunk = it->second;
    if (!chunk.bits.empty()) return (chunk.bits[low(id) / 64] >> (low(id) % 64) & 1) != 0;
    return std::binary_search(chunk.few.begin(), chunk.few.end(), low(id));
}

std::size_t IdSet::bytes() const noexcept {
    std::size_t sum = chunks_.size() * (sizeof(Chunk) + 32);
    for (const auto& [key, chunk] : chunks_)
        sum += chunk.few.capacity() * sizeof(std::uint16_t) + chunk.bits.capacity() * 8;
    return sum;
}

} // namespace pipedrive
