// Bump allocator for the text of one page: freed as a whole, never one by one.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

namespace pipedrive {

class Arena {
  public:
    Arena() = default;
    Arena(Arena&&) noexcept = default;
    Arena& operator=(Arena&&) noexcept = default;

    // Uninitialised bytes, aligned for any scalar, valid until clear() or destruction. Throws
    // std::bad_alloc.
    char* allocate(std::size_t bytes);

    // A copy of s that lives in the arena (not NUL-terminated). Throws std::bad_alloc.
    std::string_view copy(std::string_view s);

    // Whether s lives here already.
    bool owns(std::string_view s) const noexcept;

    // Forgets everything; keeps the largest block for the next page.
    void clear() noexcept;

    std::size_t bytes_reserved() const noexcept;

  private:
    struct Block {
        std::unique_ptr<char[]> bytes;
        std::size_t size = 0;
    };
    std::vector<Block> blocks_;
    // Of blocks_.back().
    std::size_t used_ = 0;
};

} // namespace pipedrive
