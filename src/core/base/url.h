// Addresses of the API and the shape of a token: what may be written in options, checked before
// anything is sent.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pipedrive {

// A token that can travel in a header: 1 to 512 printable ASCII bytes without blanks.
bool valid_token(std::string_view token) noexcept;

// "acme" -> "https://acme.pipedrive.com". Throws Error{BadOption} unless a DNS label (letters,
// digits, inner '-', at most 63); "acme.pipedrive.com" and "https://acme.pipedrive.com/" are
// accepted and cut to the label.
std::string company_base_url(std::string_view company_domain);

enum class HostClass : std::uint8_t { Pipedrive, Loopback, Other };
struct BaseUrl {
    // Normalised: scheme://host[:port], no trailing slash, no path; host in lower case, the
    // scheme's own port left out.
    std::string url;
    bool https = true;
    HostClass host = HostClass::Other;
};
// Pipedrive: https and host pipedrive.com or below it. Loopback: 127.0.0.0/8, ::1, localhost.
// Throws Error{BadOption} for another scheme, user info, path, query, fragment, control characters,
// a missing host, or plain http to anything but loopback.
BaseUrl parse_base_url(std::string_view text);

// What follows the origin of a request: begins with one '/', then printable ASCII without blanks,
// backslash or fragment. Anything else could name another host, or begin another request.
bool valid_target(std::string_view target) noexcept;

} // namespace pipedrive
