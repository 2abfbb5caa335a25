// The Transport that speaks HTTP through libcurl's multi-socket interface.
// Only its .cpp and curl_transfer.* know that libcurl exists.
#pragma once

#include <memory>

#include "core/http/transport.h"

namespace pipedrive {

// One a process is enough: connections are kept alive and shared by all transfers. Initialises
// libcurl on first use. Options that every transfer gets: NOSIGNAL, only http and https, no
// redirects, Accept-Encoding of all that libcurl can decode, TCP keep-alive, HTTP/1.1 (one
// connection a transfer: a stalled page cannot hold up another), user agent
// "pipedrive_fdw/VERSION". Proxy variables of the server's environment are honoured by https, never
// for loopback.
std::unique_ptr<Transport> make_curl_transport();

// "libcurl/7.88.1 OpenSSL/3.0.15 …"
const char* curl_version_text() noexcept;

} // namespace pipedrive
