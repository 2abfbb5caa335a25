// Bump allocation in blocks that double up to a limit. Knows nothing of what is stored.
#include "core/base/arena.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <new>
#include <utility>

namespace pipedrive {
namespace {

constexpr std::size_t kAlign = alignof(std::max_align_t);
constexpr std::size_t kFirstBlock = std::size_t{16} << 10;
constexpr std::size_t kLargestStep = std::size_t{1} << 20;

static_assert(kAlign <= __STDCPP_DEFAULT_NEW_ALIGNMENT__,
              "new char[] must be aligned for any scalar");

} // namespace

char* Arena::allocate(std::size_t bytes) {
    if (bytes > SIZE_MAX / 2) throw std::bad_alloc();
    const std::size_t need = (std::max<std::size_t>(bytes, 1) + kAlign - 1) / kAlign * kAlign;
    if (blocks_.empty() || blocks_.back().size - used_ < need) {
        const std::size_t step =
            blocks_.empty() ? kFirstBlock : std::min(blocks_.back().size * 2, kLargestStep);
        const std::size_t size = std::max(step, need);
        blocks_.push_back(Block{std::unique_ptr<char[]>(new char[size]), size});
        used_ = 0;
    }
    char* const at = blocks_.back().bytes.get() + used_;
    used_ += need;
    return at;
}

std::string_view Arena::copy(std::string_view s) {
    if (s.empty()) return std::string_view("", 0);
    char* const at = allocate(s.size());
    std::memcpy(at, s.data(), s.size());
    return {at, s.size()};
}

bool Arena::owns(std::string_view s) const noexcept {
    const std::less_equal<const char*> before; // a total order, of pointers to anything
    return std::any_of(blocks_.rbegin(), blocks_.rend(), [&](const Block& block) {
        return before(block.bytes.get(), s.data()) &&
               before(s.data() + s.size(), block.bytes.get() + block.size);
    });
}

void Arena::clear() noexcept {
    used_ = 0;
    if (blocks_.size() < 2) return;
    const auto largest =
        std::max_element(blocks_.begin(), blocks_.end(),
                         [](const Block& a, const Block& b) { return a.size < b.size; });
    if (largest != blocks_.begin()) std::swap(*largest, blocks_.front());
    blocks_.erase(blocks_.begin() + 1, blocks_.end());
}

std::size_t Arena::bytes_reserved() const noexcept {
    std::size_t sum = 0;
    for (const Block& block : blocks_)
        sum += block.size;
    return sum;
}

} // namespace pipedrive
