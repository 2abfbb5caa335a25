// What a request has to pass before each send, retries included: who it is sent for, and whether
// it may go now. Both are made by whoever owns the account, and outlive the fetches that ask.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/http/budget.h"

namespace pipedrive {

// Credentials of an account, as header lines; they are in no other place. Asked anew for every
// send, as what is good for an hour may have to be renewed.
class Authorizer {
  public:
    virtual ~Authorizer() = default;
    virtual std::vector<std::string> headers() = 0;
};

// How fast an account may be asked.
class Limiter {
  public:
    virtual ~Limiter() = default;
    // Milliseconds until a request of so many tokens may be sent; 0: now, and it counts as sent.
    virtual std::int64_t admit(int tokens) noexcept = 0;
};

// Each may be nullptr: nothing is asked.
struct Gate {
    Budget* budget = nullptr;
    Limiter* limiter = nullptr;
    Authorizer* authorizer = nullptr;
};

// The header x-api-token, the only documented way (API facts section 5). Throws
// Error{BadOption, "api_token"} unless valid_token.
std::unique_ptr<Authorizer> token_authorizer(const std::string& api_token);

} // namespace pipedrive
