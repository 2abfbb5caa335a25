#include "core/scan/explained_rows.h"

namespace pipedrive {

bool ExplainedRows::contains(const std::string& field, const Doubt& doubt,
                             std::int64_t now_ms) const {
    if (size_ == 0 || now_ms - since_ms_ >= kDefinitionsTrustedMs) return false;
    const auto found = rows_.find({field, doubt.absent});
    return found != rows_.end() && found->second.contains(doubt.key);
}

void ExplainedRows::insert(const std::string& field, const Doubt& doubt, std::int64_t now_ms) {
    if (size_ >= kMost || now_ms - since_ms_ >= kDefinitionsTrustedMs) {
        rows_.clear();
        size_ = 0;
    }
    if (size_ == 0) since_ms_ = now_ms;
    size_ += rows_[{field, doubt.absent}].insert(doubt.key);
}

} // namespace pipedrive
