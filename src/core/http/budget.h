// What a statement may spend and has spent, over all of its requests: shared by its fetches, which
// ask before every send, retries included. A send is booked at once, so that requests under way
// count; what the API does not charge is taken back with its answer.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/error.h"

namespace pipedrive {

struct Budget {
    // 0: no limit.
    std::int64_t max_tokens = 0;
    std::int64_t max_requests = 0;
    // Spent.
    std::int64_t tokens = 0;
    std::int64_t requests = 0;
    // What else tokens are added to.
    std::int64_t* all_tokens = nullptr;

    bool allows(int price) const noexcept {
        return (max_tokens <= 0 || tokens + price <= max_tokens) &&
               (max_requests <= 0 || requests < max_requests);
    }
    // Throws Error{Budget} about `subject` for a request that would pass a limit; its column is
    // what there is too little of.
    void check(int price, const std::string& subject) const {
        if (allows(price)) return;
        const bool requests_up = max_requests > 0 && requests >= max_requests;
        Error error(ErrorKind::Budget, subject,
                    "The query has spent " + std::to_string(tokens) + " tokens in " +
                        std::to_string(requests) + " requests; the next one costs " +
                        std::to_string(price) + ", and the limit is " +
                        std::to_string(requests_up ? max_requests : max_tokens) +
                        (requests_up ? " requests." : " tokens."));
        error.column = requests_up ? "requests" : "tokens";
        throw error;
    }
    void book(int price) noexcept {
        spend(price);
        ++requests;
    }
    void take_back(int price) noexcept { spend(-price); }

  private:
    void spend(int price) noexcept {
        tokens += price;
        if (all_tokens != nullptr) *all_tokens += price;
    }
};

} // namespace pipedrive
