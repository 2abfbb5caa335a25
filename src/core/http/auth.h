// Credentials of one account: which header carries them, and how they are kept out of texts.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/url.h"

namespace pipedrive {

// Header lines for a request; the token appears nowhere else. (x-api-token is the only documented
// way, API facts section 5.) Throws Error{BadOption, "api_token"} unless valid_token.
std::vector<std::string> auth_headers(std::string_view api_token);

// Replaces every occurrence of each secret (longer than 3 bytes) in text with "***".
std::string redact(std::string text, std::string_view secret);

} // namespace pipedrive
