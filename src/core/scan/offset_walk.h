// A walk over a list whose pages are asked for by their offset, while rows come and go.
//
// Offsets shift when rows before them vanish, and the page that is asked for next would begin too
// late. So each page begins with the last row once more. When none of its rows is known, what lies
// between is read first, further back, until a known row or the start of the list is met. Relies on
// one thing: the list has one order that its rows do not change, unless they move to its front.
//
// Then no row that stands throughout is missed: all of them that come before the last known row in
// that order are known, and a page with a known row has all that follow it, up to its own last one.
// Rows that come twice are for the caller's set of seen keys.
#pragma once

#include <algorithm>
#include <cstdint>

namespace pipedrive {

class OffsetWalk {
  public:
    enum class Verdict : std::uint8_t {
        Take,  // the page is good; its unknown rows are new
        Again, // nothing of it is to be kept: the page of start() comes first
        Stuck, // pages do not join, or bring nothing new: it would go on for ever
    };

    // Where an earlier walk was to go on: its start() and step_back(), with the same known rows.
    explicit OffsetWalk(std::int64_t start = 0, std::int64_t step_back = 1) noexcept
        : start_(start), back_(step_back) {}

    // Where the next page begins.
    std::int64_t start() const noexcept { return start_; }
    bool done() const noexcept { return done_; }
    // How far back it goes from there when the page has no known row.
    std::int64_t step_back() const noexcept { return back_; }

    // The page of start(): how many rows it has, how many of them are new, whether one of them is
    // known, and whether more rows follow.
    Verdict see(std::int64_t rows, std::int64_t new_rows, bool joins, bool more) noexcept {
        idle_ = new_rows > 0 && (start_ == 0 || joins) ? 0 : idle_ + 1;
        if (idle_ > kMostIdle || (start_ == 0 && rows == 0 && more)) return Verdict::Stuck;
        if (start_ > 0 && !joins) {
            start_ = std::max<std::int64_t>(start_ - back_, 0);
            back_ *= 2;
            return Verdict::Again;
        }
        done_ = !more;
        start_ = std::max<std::int64_t>(start_ + rows - 1, 0);
        back_ = 1;
        return Verdict::Take;
    }

  private:
    // Steps back double, so that many in a row cover any list.
    static constexpr int kMostIdle = 64;

    std::int64_t start_, back_;
    int idle_ = 0; // pages since the last new row
    bool done_ = false;
};

} // namespace pipedrive
