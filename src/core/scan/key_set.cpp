#include "core/scan/key_set.h"

namespace pipedrive {

bool KeySet::insert(const RowKey& key) {
    switch (key.kind()) {
        case KeyKind::None:
            return true;
        case KeyKind::Integer:
            return integers_.insert(key.integer());
        case KeyKind::Uuid:
            return uuids_.insert(key.uuid()).second;
        case KeyKind::Text:
            if (texts_.contains(key.text())) return false;
            texts_.emplace(key.text());
            return true;
    }
    return true;
}

bool KeySet::contains(const RowKey& key) const noexcept {
    switch (key.kind()) {
        case KeyKind::None:
            return false;
        case KeyKind::Integer:
            return integers_.contains(key.integer());
        case KeyKind::Uuid:
            return uuids_.contains(key.uuid());
        case KeyKind::Text:
            return texts_.contains(key.text());
    }
    return false;
}

void KeySet::clear() noexcept {
    integers_.clear();
    uuids_.clear();
    texts_.clear();
}

} // namespace pipedrive
