// Which addresses may be talked to. Knows no request, no option row and no user.
#include "core/base/url.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>

#include "core/base/error.h"

namespace pipedrive {
namespace {

constexpr std::string_view kPipedriveDomain = "pipedrive.com";

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}
bool is_label_char(char c) noexcept {
    return is_digit(c) || c == '-' || (lower(c) >= 'a' && lower(c) <= 'z');
}

std::string lowered(std::string_view s) {
    std::string out(s);
    std::transform(out.begin(), out.end(), out.begin(), lower);
    return out;
}

bool take_prefix(std::string_view* s, std::string_view prefix) noexcept {
    if (s->size() < prefix.size()) return false;
    for (std::size_t i = 0; i < prefix.size(); ++i)
        if (lower((*s)[i]) != prefix[i]) return false;
    s->remove_prefix(prefix.size());
    return true;
}

bool is_label(std::string_view s) noexcept {
    return !s.empty() && s.size() <= 63 && s.front() != '-' && s.back() != '-' &&
           std::all_of(s.begin(), s.end(), is_label_char);
}

// Letters, digits, inner '-' and single dots; no trailing dot, as it would name the same host in a
// second way.
bool is_host_name(std::string_view s) noexcept {
    if (s.empty() || s.size() > 253) return false;
    for (std::size_t at = 0; at <= s.size();) {
        const std::size_t dot = std::min(s.find('.', at), s.size());
        if (!is_label(s.substr(at, dot - at))) return false;
        at = dot + 1;
    }
    return true;
}

bool is_ipv4(const std::string& host, std::uint32_t* address) noexcept {
    in_addr parsed{};
    if (inet_pton(AF_INET, host.c_str(), &parsed) != 1) return false;
    *address = ntohl(parsed.s_addr);
    return true;
}

// `host` is lower case, an IPv6 address still in its brackets.
HostClass classify(const std::string& host) noexcept {
    std::uint32_t v4 = 0;
    if (host == "localhost" || (is_ipv4(host, &v4) && v4 >> 24 == 127)) return HostClass::Loopback;
    if (host.front() == '[') {
        in6_addr parsed{};
        const std::string inner = host.substr(1, host.size() - 2);
        if (inet_pton(AF_INET6, inner.c_str(), &parsed) == 1 && IN6_IS_ADDR_LOOPBACK(&parsed))
            return HostClass::Loopback;
        return HostClass::Other;
    }
    if (host == kPipedriveDomain) return HostClass::Pipedrive;
    const std::size_t n = kPipedriveDomain.size();
    const bool below =
        host.size() > n + 1 && host.ends_with(kPipedriveDomain) && host[host.size() - n - 1] == '.';
    return below ? HostClass::Pipedrive : HostClass::Other;
}

[[noreturn]] void refuse(std::string evidence) {
    throw Error(ErrorKind::BadOption, "api_base_url", std::move(evidence));
}

std::string take_host(std::string_view* rest) {
    if (!rest->empty() && rest->front() == '[') {
        const std::size_t end = rest->find(']');
        if (end == rest->npos) refuse("The host is not a valid IPv6 address.");
        std::string host = lowered(rest->substr(0, end + 1));
        rest->remove_prefix(end + 1);
        in6_addr parsed{};
        const std::string inner = host.substr(1, host.size() - 2);
        if (inet_pton(AF_INET6, inner.c_str(), &parsed) != 1)
            refuse("The host is not a valid IPv6 address.");
        return host;
    }
    const std::size_t end = std::min(rest->find(':'), rest->size());
    std::string host = lowered(rest->substr(0, end));
    rest->remove_prefix(end);
    if (host.empty()) refuse("The host is missing.");
    if (!is_host_name(host)) refuse("The host is not a valid name or address.");
    return host;
}

// ":8080" -> ":8080"; "" and the scheme's own port -> "".
std::string take_port(std::string_view rest, bool https) {
    if (rest.empty()) return {};
    int port = 0;
    const char* const end = rest.data() + rest.size();
    const auto parsed = std::from_chars(rest.data() + 1, end, port);
    if (rest.front() != ':' || rest.size() < 2 || rest.size() > 6 || !is_digit(rest[1]) ||
        parsed.ec != std::errc{} || parsed.ptr != end || port < 1 || port > 65535)
        refuse("The port must be a number between 1 and 65535.");
    return port == (https ? 443 : 80) ? std::string() : ":" + std::to_string(port);
}

} // namespace

bool valid_token(std::string_view token) noexcept {
    return !token.empty() && token.size() <= 512 &&
           std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

bool valid_target(std::string_view target) noexcept {
    return !target.empty() && target.front() == '/' && !target.starts_with("//") &&
           std::all_of(target.begin(), target.end(),
                       [](char c) { return c > ' ' && c < 0x7F && c != '\\' && c != '#'; });
}

std::string company_base_url(std::string_view company_domain) {
    std::string_view label = company_domain;
    take_prefix(&label, "https://");
    if (!label.empty() && label.back() == '/') label.remove_suffix(1);
    const std::string host = lowered(label);
    const std::string suffix = "." + std::string(kPipedriveDomain);
    std::string_view name = host;
    if (name.ends_with(suffix)) name.remove_suffix(suffix.size());
    if (!is_label(name))
        throw Error(
            ErrorKind::BadOption, "company_domain",
            "The company domain must be one name of letters, digits and inner hyphens, at most 63 "
            "characters.",
            "It is the part before \".pipedrive.com\" in the address of the web application.");
    return "https://" + std::string(name) + suffix;
}

BaseUrl parse_base_url(std::string_view text) {
    if (std::any_of(text.begin(), text.end(), [](char c) { return c <= ' ' || c >= 0x7F; }))
        refuse("The URL contains a blank, a control character or a character that is not ASCII.");
    BaseUrl out;
    std::string_view rest = text;
    if (take_prefix(&rest, "https://")) {
        out.https = true;
    } else if (take_prefix(&rest, "http://")) {
        out.https = false;
    } else {
        refuse("The URL must begin with \"https://\".");
    }
    if (rest.find('@') != rest.npos) refuse("The URL must not contain a user name or password.");
    if (rest.find_first_of("?#\\") != rest.npos)
        refuse("The URL must not contain a query or a fragment.");
    if (!rest.empty() && rest.back() == '/') rest.remove_suffix(1);
    if (rest.find('/') != rest.npos) refuse("The URL must not contain a path.");
    const std::string host = take_host(&rest);
    const std::string port = take_port(rest, out.https);
    out.host = classify(host);
    if (!out.https && out.host != HostClass::Loopback)
        refuse("Plain http is allowed for loopback addresses only.");
    out.url = (out.https ? "https://" : "http://") + host + port;
    return out;
}

} // namespace pipedrive
