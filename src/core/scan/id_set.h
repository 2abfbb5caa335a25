// The ids a scan has returned, as runs of neighbours: a table whose ids are dense costs next to
// nothing, any table at most 16 bytes a row.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace pipedrive {

class IdSet {
  public:
    // False when the id was there already. Amortised constant for ids that come in ascending order.
    // Throws std::bad_alloc.
    bool insert(std::int64_t id);
    bool contains(std::int64_t id) const noexcept;
    void clear() noexcept { runs_.clear(); }
    std::size_t runs() const noexcept { return runs_.size(); }

  private:
    struct Run {
        std::int64_t first, last;
    };
    std::size_t position(std::int64_t id) const noexcept; // first run whose last is not below id
    std::vector<Run> runs_;
};

} // namespace pipedrive
