// Everything a scan needs to know of the account it talks to.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "core/catalog/fields.h"
#include "core/catalog/options.h"
#include "core/http/fetch.h"
#include "core/scan/explained_rows.h"
#include "core/wire/decode.h"

namespace pipedrive {

struct Account {
    std::string base_url; // no trailing slash
    std::int64_t connect_timeout_ms = kDefaultConnectTimeoutMs;
    std::int64_t request_timeout_ms = kDefaultRequestTimeoutMs;
    std::int64_t max_response_size = kDefaultMaxResponseSize;
    std::string ca_file;
    RetryLimits retries;
    std::shared_ptr<Authorizer> authorizer; // the credentials
    std::shared_ptr<Limiter> limiter;       // nullptr: as fast as it goes
    std::shared_ptr<Budget> budget;         // of the statement; nullptr: no limit

    Gate gate() const noexcept { return {budget.get(), limiter.get(), authorizer.get()}; }
};

struct OptionValue {
    std::string_view name;
    std::string_view value;
};

// From the options of server, user mapping and table, in this order (later ones override). Options
// were validated when they were written; anything unreadable now, a missing address or a missing
// token throws Error{BadOption}.
Account account_from_options(std::span<const OptionValue> options);

// A request for `target` ("/api/v2/deals?limit=500") with the account's limits and files; a Fetch
// adds the credentials. Throws Error{BadOption} unless valid_target() and a method of the API: the credentials go
// to the account's own origin or nowhere.
HttpRequest account_request(const Account& account, const std::string& target,
                            std::string_view method = "GET");

// Field definitions as this session knows them, shared by all scans of the same account and of
// entities with the same definitions.
struct CatalogueSlot {
    std::shared_ptr<const FieldCatalogue> catalogue; // nullptr until somebody read them
    std::int64_t checked_at_ms =
        -1000000;                    // monotonic: when the stored catalogue was last looked at
    std::int64_t read_at = 0;        // unix_micros() when the API was asked
    std::set<UnknownOption> missing; // options that the API's definitions lack
    std::set<UnknownOption> noticed; // told to the user
    ExplainedRows explained;         // have an hour of their own
};

} // namespace pipedrive
