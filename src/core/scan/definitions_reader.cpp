#include "core/scan/definitions_reader.h"

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/wire/definitions.h"

namespace pipedrive {

DefinitionsReader::DefinitionsReader(const Account& account, const Entity& entity,
                                     Transport& transport, Clock& clock, Traffic& traffic)
    : account_(account),
      entity_(entity),
      fetch_(transport, clock, account.retries, traffic, account.gate()),
      catalogue_(std::make_shared<FieldCatalogue>()) {}

void DefinitionsReader::request(const std::string& cursor) {
    std::string target = std::string(entity_.definitions_path) + "?limit=500";
    if (!cursor.empty()) target += "&cursor=" + percent_encode(cursor);
    fetch_.start(account_request(account_, target),
                 "field definitions of " + std::string(entity_.name), entity_.definitions_tokens);
}

Progress DefinitionsReader::step(WaitFor* wait) {
    if (!started_) {
        started_ = true;
        request({});
    }
    while (true) {
        if (!document_) {
            if (fetch_.step(wait) == Progress::Wait) return Progress::Wait;
            body_ = fetch_.take().body;
            document_.emplace(body_, definitions_subject(entity_.name), true);
        }
        if (!document_->read(kDecodeSlice)) {
            wait->timeout_ms = 0;
            return Progress::Wait;
        }
        const std::string cursor =
            decode_definitions(document_->root(), entity_.name, catalogue_.get());
        document_.reset();
        if (cursor.empty()) return Progress::Ready;
        if (!cursors_.insert(cursor).second)
            throw Error(ErrorKind::Malformed, std::string(entity_.name),
                        "The API sent the same cursor twice.");
        request(cursor);
    }
}

std::shared_ptr<const FieldCatalogue> DefinitionsReader::take() {
    return std::move(catalogue_);
}

} // namespace pipedrive
