// Whether the rows of a walk have come newest first, by time or id. A few rows descend by chance in
// any order, and rows of the same time prove nothing: it takes kProof steps down, which chance
// gives one list in 40,000.
#pragma once

#include <cstdint>

namespace pipedrive {

class NewestFirst {
  public:
    static constexpr int kProof = 8;

    void see(std::int64_t t) noexcept {
        broken_ = broken_ || (any_ && t > last_);
        if (any_ && t < last_ && descents_ < kProof) ++descents_;
        any_ = true;
        last_ = t;
    }
    void begin_list() noexcept {
        any_ = false;
        descents_ = 0;
    }
    void distrust() noexcept { broken_ = true; }
    bool broken() const noexcept { return broken_; }
    bool proved() const noexcept { return descents_ == kProof && !broken_; }
    std::int64_t last() const noexcept { return last_; }

  private:
    bool any_ = false, broken_ = false;
    int descents_ = 0;
    std::int64_t last_ = 0;
};

} // namespace pipedrive
