// Options of a transfer, the callbacks that receive its answer, and what its end means.
//
// libcurl's callbacks are noexcept: they record and return an abort code. Must not know the multi
// handle, an entity or what a status means.
#include "core/http/curl_transfer.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <new>
#include <optional>
#include <string_view>
#include <utility>

#include "core/base/error.h"
#include "core/base/url.h"

#ifndef PIPEDRIVE_VERSION
#define PIPEDRIVE_VERSION "1.0.0"
#endif

namespace pipedrive::detail {
namespace {

constexpr long kBufferSize = 128L << 10;
constexpr std::size_t kMaxHeaderBytes = std::size_t{1} << 20;

// ---- Answer headers -----------------------------------------------------------------------------

// A plain non-negative or negative decimal; no exponent, no locale. Retry-After may also be a date,
// which is not a number.
std::optional<double> parse_number(std::string_view s) noexcept {
    const bool negative = !s.empty() && s.front() == '-';
    if (negative) s.remove_prefix(1);
    double value = 0;
    double unit = 1;
    bool point = false;
    bool digits = false;
    for (const char c : s) {
        if (c == '.' && !point) {
            point = true;
        } else if (c >= '0' && c <= '9') {
            digits = true;
            value = value * 10 + (c - '0');
            if (point) unit *= 10;
        } else {
            return std::nullopt;
        }
    }
    if (!digits || s.size() > 30) return std::nullopt;
    return (negative ? -value : value) / unit;
}

struct HeaderRow {
    // Lower case.
    std::string_view name;
    std::optional<double> HttpResponse::*real;
    std::optional<std::int64_t> HttpResponse::*whole;
    std::optional<Micros> HttpResponse::*time = nullptr;
};

constexpr HeaderRow kHeaders[] = {
    {"retry-after", &HttpResponse::retry_after, nullptr},
    {"x-ratelimit-reset", &HttpResponse::ratelimit_reset, nullptr},
    {"x-ratelimit-limit", nullptr, &HttpResponse::ratelimit_limit},
    {"x-ratelimit-remaining", nullptr, &HttpResponse::ratelimit_remaining},
    {"x-daily-ratelimit-token-limit", nullptr, &HttpResponse::daily_limit},
    {"x-daily-ratelimit-token-remaining", nullptr, &HttpResponse::daily_remaining},
    {"date", nullptr, nullptr, &HttpResponse::date},
};

bool same_name(std::string_view name, std::string_view lower_case) noexcept {
    return std::equal(
        name.begin(), name.end(), lower_case.begin(), lower_case.end(),
        [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
}

void read_header(std::string_view line, HttpResponse* response) noexcept {
    if (line.starts_with("HTTP/")) { // of several answers (100 Continue) the last one counts
        for (const HeaderRow& row : kHeaders) {
            if (row.real != nullptr) (response->*row.real).reset();
            if (row.whole != nullptr) (response->*row.whole).reset();
            if (row.time != nullptr) (response->*row.time).reset();
        }
        return;
    }
    const std::size_t colon = line.find(':');
    if (colon == line.npos) return;
    for (const HeaderRow& row : kHeaders) {
        if (!same_name(line.substr(0, colon), row.name)) continue;
        std::string_view value = line.substr(colon + 1);
        const std::size_t first = value.find_first_not_of(" \t");
        const std::size_t last = value.find_last_not_of(" \t\r\n");
        if (first == value.npos || last < first) return;
        value = value.substr(first, last - first + 1);
        if (Micros at = 0; row.time != nullptr && parse_http_date(value, &at) == TimeParse::Ok)
            response->*row.time = at;
        const std::optional<double> number = parse_number(value);
        if (row.real != nullptr) response->*row.real = number;
        if (row.whole != nullptr && number && *number > -1e15 && *number < 1e15)
            response->*row.whole = static_cast<std::int64_t>(*number);
    }
}

// ---- Callbacks of libcurl -----------------------------------------------------------------------

extern "C" {

static std::size_t pipedrive_on_body(char* data, std::size_t size, std::size_t count,
                                     void* context) noexcept {
    Transfer& t = *static_cast<Transfer*>(context);
    const std::size_t bytes = size * count;
    if (bytes > t.cap - t.response.body.size()) {
        t.too_large = true;
        return 0;
    }
    try {
        t.response.body.append(data, bytes);
    } catch (...) {
        t.out_of_memory = true;
        return 0;
    }
    return bytes;
}

static std::size_t pipedrive_on_header(char* data, std::size_t size, std::size_t count,
                                       void* context) noexcept {
    Transfer& t = *static_cast<Transfer*>(context);
    const std::size_t bytes = size * count;
    t.header_bytes += bytes;
    if (t.header_bytes > kMaxHeaderBytes) return 0;
    read_header(std::string_view(data, bytes), &t.response);
    return bytes;
}

static curl_socket_t pipedrive_on_open(void* context, curlsocktype,
                                       curl_sockaddr* address) noexcept {
    const int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (fd < 0) return CURL_SOCKET_BAD;
    Reactor& r = *static_cast<Reactor*>(context);
    struct stat about {};
    try {
        std::erase_if(r.opened, [&](const Opened& o) { return o.fd == fd; });
        if (fstat(fd, &about) == 0) r.opened.push_back({fd, about.st_dev, about.st_ino});
    } catch (...) {
        close(fd);
        return CURL_SOCKET_BAD;
    }
    return fd;
}

static int pipedrive_on_close(void* context, curl_socket_t fd) noexcept {
    Reactor& r = *static_cast<Reactor*>(context);
    std::erase_if(r.opened, [&](const Opened& o) { return o.fd == fd; });
    std::erase_if(r.sockets, [&](const Watched& w) { return w.fd == fd; });
    return close(fd);
}

} // extern "C"

// ---- Setting up a transfer ----------------------------------------------------------------------

[[noreturn]] void refuse(const char* why) {
    throw Error(ErrorKind::Internal, "request", why);
}

// Sets options one after another and remembers whether any was refused.
class Options {
  public:
    explicit Options(CURL* easy) noexcept : easy_(easy) {}

    template <class T>
    void set(CURLoption option, T value) noexcept {
        const CURLcode code = curl_easy_setopt(easy_, option, value);
        if (code != CURLE_OK && first_ == CURLE_OK) first_ = code;
    }
    CURLcode first_refusal() const noexcept { return first_; }

  private:
    CURL* easy_;
    CURLcode first_ = CURLE_OK;
};

// Scheme and authority of a URL, which must obey the rules for base URLs (no plain http but to
// loopback, no user info).
BaseUrl origin_of(const std::string& url) {
    const std::size_t scheme = url.find("://");
    const std::size_t end = scheme == url.npos ? url.npos : url.find_first_of("/?#", scheme + 3);
    try {
        return parse_base_url(std::string_view(url).substr(0, end));
    } catch (const Error& e) {
        refuse(e.what());
    }
}

void set_policy(Options& o, Reactor& reactor, const BaseUrl& origin) {
    o.set(CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075500
    o.set(CURLOPT_PROTOCOLS_STR, "http,https");
#else
    o.set(CURLOPT_PROTOCOLS, static_cast<long>(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
#if LIBCURL_VERSION_NUM >= 0x075700
    o.set(CURLOPT_QUICK_EXIT, 1L); // ending a transfer never waits for a hanging name lookup
#endif
    o.set(CURLOPT_FOLLOWLOCATION, 0L);
    o.set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    o.set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    o.set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    o.set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    o.set(CURLOPT_ACCEPT_ENCODING, "");
    o.set(CURLOPT_TCP_KEEPALIVE, 1L);
    o.set(CURLOPT_BUFFERSIZE, kBufferSize);
    o.set(CURLOPT_USERAGENT, "pipedrive_fdw/" PIPEDRIVE_VERSION);
    if (origin.host == HostClass::Loopback) o.set(CURLOPT_NOPROXY, "*");
    o.set(CURLOPT_OPENSOCKETFUNCTION, &pipedrive_on_open);
    o.set(CURLOPT_OPENSOCKETDATA, &reactor);
    o.set(CURLOPT_CLOSESOCKETFUNCTION, &pipedrive_on_close);
    o.set(CURLOPT_CLOSESOCKETDATA, &reactor);
}

void set_method(Options& o, const HttpRequest& request, const Transfer& t) {
    if (request.method == "GET" && t.body.empty()) {
        o.set(CURLOPT_HTTPGET, 1L);
        return;
    }
    if (request.method == "POST" || !t.body.empty()) {
        o.set(CURLOPT_POST, 1L);
        o.set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(t.body.size()));
        o.set(CURLOPT_POSTFIELDS, t.body.c_str());
    }
    if (request.method == "HEAD") {
        o.set(CURLOPT_NOBODY, 1L);
    } else if (request.method != "POST") {
        o.set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
    }
}

void add_header(Transfer& t, const char* line) {
    curl_slist* const longer = curl_slist_append(t.headers, line);
    if (longer == nullptr) throw std::bad_alloc();
    t.headers = longer;
}

long positive_ms(std::int64_t ms) noexcept {
    return static_cast<long>(std::clamp<std::int64_t>(ms, 1, 24 * 3600 * 1000));
}

void set_request(Options& o, const HttpRequest& request, Transfer& t) {
    o.set(CURLOPT_URL, t.url.c_str());
    o.set(CURLOPT_PRIVATE, &t);
    o.set(CURLOPT_ERRORBUFFER, &t.words[0]);
    o.set(CURLOPT_WRITEFUNCTION, &pipedrive_on_body);
    o.set(CURLOPT_WRITEDATA, &t);
    o.set(CURLOPT_HEADERFUNCTION, &pipedrive_on_header);
    o.set(CURLOPT_HEADERDATA, &t);
    o.set(CURLOPT_MAXFILESIZE_LARGE,
          static_cast<curl_off_t>(std::min<std::size_t>(t.cap, INT64_MAX)));
    // libcurl divides this among the addresses of a host. It has no limit for the whole transfer:
    // its clock runs on while nobody looks.
    o.set(CURLOPT_CONNECTTIMEOUT_MS, positive_ms(t.connect_ms));
    if (!request.ca_file.empty()) o.set(CURLOPT_CAINFO, request.ca_file.c_str());
    set_method(o, request, t);
    for (const std::string& header : request.headers) {
        if (header.find_first_of(std::string_view("\r\n\0", 3)) != header.npos)
            refuse("a header line contains a line end");
        add_header(t, header.c_str());
    }
    add_header(t, "Expect:"); // send bodies at once
    o.set(CURLOPT_HTTPHEADER, t.headers);
}

// ---- Judging the end of a transfer --------------------------------------------------------------

struct CodeRow {
    CURLcode code;
    TransportFailure failure;
};

constexpr CodeRow kCodes[] = {
    {CURLE_COULDNT_RESOLVE_HOST, TransportFailure::Resolve},
    {CURLE_COULDNT_RESOLVE_PROXY, TransportFailure::Resolve},
    {CURLE_COULDNT_CONNECT, TransportFailure::Connect},
    {CURLE_PROXY, TransportFailure::Connect},
    {CURLE_OPERATION_TIMEDOUT, TransportFailure::Timeout},
    {CURLE_FILESIZE_EXCEEDED, TransportFailure::TooLarge},
    {CURLE_SSL_CONNECT_ERROR, TransportFailure::Tls},
    {CURLE_PEER_FAILED_VERIFICATION, TransportFailure::Tls},
    {CURLE_SSL_CACERT_BADFILE, TransportFailure::Tls},
    {CURLE_SSL_CERTPROBLEM, TransportFailure::Tls},
    {CURLE_SSL_CIPHER, TransportFailure::Tls},
    {CURLE_SSL_CRL_BADFILE, TransportFailure::Tls},
    {CURLE_SSL_ENGINE_INITFAILED, TransportFailure::Tls},
    {CURLE_SSL_ENGINE_NOTFOUND, TransportFailure::Tls},
    {CURLE_SSL_ENGINE_SETFAILED, TransportFailure::Tls},
    {CURLE_SSL_INVALIDCERTSTATUS, TransportFailure::Tls},
    {CURLE_SSL_ISSUER_ERROR, TransportFailure::Tls},
    {CURLE_SSL_PINNEDPUBKEYNOTMATCH, TransportFailure::Tls},
    {CURLE_USE_SSL_FAILED, TransportFailure::Tls},
};

TransportFailure failure_of(CURLcode code) noexcept {
    if (code == CURLE_OK) return TransportFailure::None;
    for (const CodeRow& row : kCodes)
        if (row.code == code) return row.failure;
    return TransportFailure::Broken;
}

struct PhaseRow {
    const char* name;
    CURLINFO info;
};

constexpr PhaseRow kPhases[] = {
    {"name lookup", CURLINFO_NAMELOOKUP_TIME_T},
    {"connect", CURLINFO_CONNECT_TIME_T},
    {"TLS", CURLINFO_APPCONNECT_TIME_T},
    {"first byte", CURLINFO_STARTTRANSFER_TIME_T},
    {"total", CURLINFO_TOTAL_TIME_T},
};

// "Recv failure: Connection reset by peer (name lookup 0 ms, connect 1 ms, total 7 ms)"; phases not
// reached are left out.
std::string failure_text(const Transfer& t, CURLcode code) {
    std::string words = t.too_large
                            ? "The answer is larger than " + std::to_string(t.cap) + " bytes"
                        : t.words[0] != '\0' ? std::string(t.words)
                                             : std::string(curl_easy_strerror(code));
    // What libcurl says must not tell a whole URL.
    for (std::size_t at = words.find(t.url); at != words.npos; at = words.find(t.url))
        words.replace(at, t.url.size(), "***");
    const char* separator = " (";
    for (const PhaseRow& phase : kPhases) {
        if (phase.info == CURLINFO_TOTAL_TIME_T && !t.done) continue; // known at the end only
        curl_off_t micros = 0;
        if (curl_easy_getinfo(t.easy, phase.info, &micros) != CURLE_OK || micros <= 0) continue;
        words += separator;
        words += phase.name;
        words += " " + std::to_string(micros / 1000) + " ms";
        separator = ", ";
    }
    if (separator[0] == ',') words += ")";
    return words;
}

} // namespace

bool still_open(const Opened& socket) noexcept {
    struct stat about {};
    return fstat(socket.fd, &about) == 0 && about.st_dev == socket.device &&
           about.st_ino == socket.inode;
}

void set_up(Transfer& t, const HttpRequest& request, Reactor& reactor) {
    const BaseUrl origin = origin_of(request.url);
    t.url = request.url;
    t.body = request.body;
    t.cap = request.max_response_size;
    t.connect_ms = request.connect_timeout_ms;
    Options options(t.easy);
    set_policy(options, reactor, origin);
    set_request(options, request, t);
    if (options.first_refusal() != CURLE_OK) refuse(curl_easy_strerror(options.first_refusal()));
}

void move_connect_limit(Transfer& t, std::int64_t ms) noexcept {
    t.connect_ms = positive_ms(t.connect_ms + ms);
    curl_easy_setopt(t.easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(t.connect_ms));
}

bool request_went_out(const Transfer& t) noexcept {
    long bytes = 0;
    return curl_easy_getinfo(t.easy, CURLINFO_REQUEST_SIZE, &bytes) == CURLE_OK && bytes > 0;
}

void fill_response(Transfer& t, CURLcode code) {
    HttpResponse& r = t.response;
    long status = 0;
    curl_off_t received = 0;
    char* type = nullptr;
    curl_easy_getinfo(t.easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(t.easy, CURLINFO_SIZE_DOWNLOAD_T, &received);
    curl_easy_getinfo(t.easy, CURLINFO_CONTENT_TYPE, &type);
    r.status = static_cast<int>(status);
    r.sent = request_went_out(t);
    r.bytes_received = received > 0 ? static_cast<std::size_t>(received) : 0;
    if (type != nullptr) r.content_type = type;
    r.failure = t.too_large ? TransportFailure::TooLarge : failure_of(code);
    if (r.failure == TransportFailure::TooLarge) t.too_large = true;
    if (r.failure == TransportFailure::None) return;
    r.failure_text = failure_text(t, code);
    std::string().swap(r.body); // half a body is of no use
}

} // namespace pipedrive::detail
