#include "core/scan/id_set.h"

#include <algorithm>

namespace pipedrive {

std::size_t IdSet::position(std::int64_t id) const noexcept {
    return static_cast<std::size_t>(
        std::lower_bound(runs_.begin(), runs_.end(), id,
                         [](const Run& run, std::int64_t x) { return run.last < x; }) -
        runs_.begin());
}

bool IdSet::contains(std::int64_t id) const noexcept {
    const std::size_t at = position(id);
    return at < runs_.size() && runs_[at].first <= id;
}

bool IdSet::insert(std::int64_t id) {
    const std::size_t at = runs_.empty() || runs_.back().last < id ? runs_.size() : position(id);
    if (at < runs_.size() && runs_[at].first <= id) return false;
    const bool joins_left = at > 0 && runs_[at - 1].last == id - 1;
    const bool joins_right = at < runs_.size() && id == runs_[at].first - 1;
    if (joins_left && joins_right) {
        runs_[at - 1].last = runs_[at].last;
        runs_.erase(runs_.begin() + static_cast<std::ptrdiff_t>(at));
    } else if (joins_left) {
        runs_[at - 1].last = id;
    } else if (joins_right) {
        runs_[at].first = id;
    } else {
        runs_.insert(runs_.begin() + static_cast<std::ptrdiff_t>(at), {id, id});
    }
    return true;
}

} // namespace pipedrive
