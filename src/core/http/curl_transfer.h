// One transfer on a libcurl handle: its options, its callbacks and how its end is read. Private to
// the curl transport.
#pragma once

#include <curl/curl.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/http/transport.h"

namespace pipedrive::detail {

struct Transfer {
    // Null once ended.
    CURL* easy = nullptr;
    curl_slist* headers = nullptr;
    std::string url;
    // Of the request; libcurl reads it in place.
    std::string body;
    std::size_t cap = 0;
    std::size_t header_bytes = 0;
    HttpResponse response;
    bool too_large = false;
    // Limit of the connect phase, moved when nobody looked.
    std::int64_t connect_ms = 0;
    bool out_of_memory = false;
    bool done = false;
    // Its end was told by interests().
    bool announced = false;
    char words[CURL_ERROR_SIZE] = {};
};

struct Watched {
    curl_socket_t fd;
    // CURL_POLL_IN, _OUT, _INOUT.
    int what;
};

// A socket that libcurl opened through us. Some versions (7.88) close one that never got connected
// without telling, so a number alone does not say whether it is still open; the inode does.
struct Opened {
    int fd;
    dev_t device;
    ino_t inode;
};

// What the callbacks share with the transport; it outlives every handle and connection.
struct Reactor {
    std::vector<Watched> sockets;
    std::int64_t timer_due = -1;
    std::vector<Opened> opened;
    bool out_of_memory = false;
};

bool still_open(const Opened& socket) noexcept;

// Sets every option of t.easy for the request. Throws Error{Internal} or bad_alloc. `t` and
// `reactor` must stay where they are.
void set_up(Transfer& t, const HttpRequest& request, Reactor& reactor);

// Gives the connect phase more time, as nobody looked for so long.
void move_connect_limit(Transfer& t, std::int64_t ms) noexcept;

// Whether anything of the request has gone out. While t.easy is there.
bool request_went_out(const Transfer& t) noexcept;

// Completes t.response when libcurl has said how the transfer ended, before the handle is released.
// May throw bad_alloc.
void fill_response(Transfer& t, CURLcode code);

} // namespace pipedrive::detail
