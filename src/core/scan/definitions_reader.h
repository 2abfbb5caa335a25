// Reads all field definitions of an entity, page by page.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>

#include "core/catalog/entities.h"
#include "core/scan/account.h"
#include "core/wire/reader.h"

namespace pipedrive {

class DefinitionsReader {
  public:
    DefinitionsReader(const Account& account, const Entity& entity, Transport& transport,
                      Clock& clock, Traffic& traffic);

    // Ready: take() has them. Long answers are decoded in slices, a Wait of no time after each.
    // Throws Error like Fetch and decode_definitions.
    Progress step(WaitFor* wait);
    std::shared_ptr<const FieldCatalogue> take();

  private:
    void request(const std::string& cursor);

    const Account& account_;
    const Entity& entity_;
    Fetch fetch_;
    std::shared_ptr<FieldCatalogue> catalogue_;
    std::string body_;
    std::optional<JsonDocument> document_; // of body_, while it is decoded
    std::set<std::string> cursors_;        // followed already
    bool started_ = false;
};

} // namespace pipedrive
