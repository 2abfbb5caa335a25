// Which rows look odd for a reason that is known: a custom key that a row lacks, or a value of
// another shape than its field's type has, and yet the field is there and unchanged.
//
// Kept by row, so that it never makes a NULL of a value: when a field is removed, the rows that had
// a value lack its key for the first time, and the definitions are asked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "core/scan/key_set.h"
#include "core/wire/page.h"

namespace pipedrive {

// For how long field definitions are trusted, in whatever form they are kept.
inline constexpr std::int64_t kDefinitionsTrustedMs = 3600 * 1000;

class ExplainedRows {
  public:
    // `now_ms`: of the same monotonic clock always. Forgets everything an hour after the first row.
    bool contains(const std::string& field, const Doubt& doubt, std::int64_t now_ms) const;
    void insert(const std::string& field, const Doubt& doubt, std::int64_t now_ms);

  private:
    static constexpr std::size_t kMost = 2'000'000;       // rows; then it begins anew
    std::map<std::pair<std::string, bool>, KeySet> rows_; // by field and Doubt::absent
    std::size_t size_ = 0;
    std::int64_t since_ms_ = 0; // of the first row
};

} // namespace pipedrive
