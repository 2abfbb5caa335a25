// Credentials in headers, and out of texts. Knows no request, no option row and no user.
#include "core/http/auth.h"

#include "core/base/error.h"

namespace pipedrive {

std::vector<std::string> auth_headers(std::string_view api_token) {
    if (!valid_token(api_token))
        throw Error(ErrorKind::BadOption, "api_token",
                    "The token must be 1 to 512 printable ASCII characters without blanks.");
    std::vector<std::string> headers;
    headers.push_back("x-api-token: " + std::string(api_token));
    return headers;
}

std::string redact(std::string text, std::string_view secret) {
    constexpr std::string_view kMask = "***";
    if (secret.size() <= kMask.size()) return text;
    for (std::size_t at = text.find(secret); at != text.npos;
         at = text.find(secret, at + kMask.size()))
        text.replace(at, secret.size(), kMask);
    return text;
}

} // namespace pipedrive
