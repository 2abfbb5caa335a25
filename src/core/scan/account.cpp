#include "core/scan/account.h"

#include <algorithm>
#include <iterator>
#include <optional>

#include "core/base/decimal.h"
#include "core/base/error.h"
#include "core/base/url.h"

namespace pipedrive {
namespace {

// How each option lands in the account; options that mean nothing here (entity, …) have no row.
struct Setter {
    std::string_view name;
    void (*set)(Account& account, std::string_view value);
};

constexpr Setter kSetters[] = {
    {"company_domain",
     [](Account& a, std::string_view v) {
         if (a.base_url.empty()) a.base_url = company_base_url(v);
     }},
    {"api_base_url", [](Account& a, std::string_view v) { a.base_url = parse_base_url(v).url; }},
    {"api_token",
     [](Account& a, std::string_view v) { a.authorizer = token_authorizer(std::string(v)); }},
    {"connect_timeout",
     [](Account& a, std::string_view v) { a.connect_timeout_ms = parse_duration_ms(v).value(); }},
    {"request_timeout",
     [](Account& a, std::string_view v) { a.request_timeout_ms = parse_duration_ms(v).value(); }},
    {"max_retries",
     [](Account& a, std::string_view v) {
         a.retries.max_retries = static_cast<int>(decimal_to_int64(v).value());
     }},
    {"max_wait",
     [](Account& a, std::string_view v) { a.retries.max_wait_ms = parse_duration_ms(v).value(); }},
    {"max_response_size",
     [](Account& a, std::string_view v) { a.max_response_size = parse_bytes(v).value(); }},
    {"ca_file", [](Account& a, std::string_view v) { a.ca_file = v; }},
};

constexpr std::string_view kMethods[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};

} // namespace

Account account_from_options(std::span<const OptionValue> options) {
    Account account;
    for (const OptionValue& option : options)
        for (const Setter& setter : kSetters) {
            if (setter.name != option.name) continue;
            try {
                setter.set(account, option.value);
            } catch (const std::bad_optional_access&) {
                throw Error(ErrorKind::BadOption, std::string(option.name),
                            "The value cannot be read.");
            }
        }
    if (account.base_url.empty())
        throw Error(ErrorKind::BadOption, "company_domain",
                    "The server has neither company_domain nor api_base_url.",
                    "ALTER SERVER … OPTIONS (ADD company_domain '…').");
    if (!account.authorizer)
        throw Error(ErrorKind::BadOption, "api_token", "The user mapping has no usable API token.",
                    "ALTER USER MAPPING … OPTIONS (ADD api_token '…').");
    return account;
}

HttpRequest account_request(const Account& account, const std::string& target,
                            std::string_view method) {
    if (!valid_target(target))
        throw Error(ErrorKind::BadOption, "path",
                    "A path begins with \"/\" and has no blank, control character, backslash, "
                    "fragment or character that is not ASCII.");
    if (std::find(std::begin(kMethods), std::end(kMethods), method) == std::end(kMethods))
        throw Error(ErrorKind::BadOption, "method",
                    "The methods are GET, POST, PUT, PATCH and DELETE.");
    HttpRequest request;
    request.method = method;
    request.url = account.base_url + target;
    request.connect_timeout_ms = account.connect_timeout_ms;
    request.request_timeout_ms = account.request_timeout_ms;
    request.max_response_size = static_cast<std::size_t>(account.max_response_size);
    request.ca_file = account.ca_file;
    return request;
}

} // namespace pipedrive
