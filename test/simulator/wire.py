# wire.py - HTTP/1.1 on a socket: reading requests, writing answers in good and bad ways.

import gzip
import select
import socket
import struct
import time
import urllib.parse

REASONS = {200: "OK", 201: "Created", 204: "No Content", 302: "Found", 400: "Bad Request",
           401: "Unauthorized", 402: "Payment Required", 403: "Forbidden", 404: "Not Found",
           405: "Method Not Allowed", 422: "Unprocessable Entity",
           429: "Too Many Requests", 500: "Internal Server Error",
           502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout"}
MAX_HEAD = 262144
GZIP_FROM = 1024


class Request:
    """One request; pairs are the decoded query parameters in order."""

    def __init__(self, head, connection):
        lines = head.decode("latin-1").split("\r\n")
        self.method, target, self.version = lines[0].split(" ", 2)
        self.connection, self.headers = connection, {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            self.headers[name.strip().lower()] = value.strip()
        path, _, query = target.partition("?")
        self.path = urllib.parse.unquote(path)
        self.pairs = urllib.parse.parse_qsl(query, keep_blank_values=True)
        self.body = b""

    @property
    def keep_alive(self):
        wish = self.headers.get("connection", "").lower()
        return wish != "close" and (self.version == "HTTP/1.1" or wish == "keep-alive")

    @property
    def later_page(self):
        """Whether it asks for a page that is not a list's first."""
        return any(k == "cursor" or k == "start" and v != "0" for k, v in self.pairs)

    @property
    def takes_gzip(self):
        offers = self.headers.get("accept-encoding", "").lower().split(",")
        return any(o.split(";")[0].strip() == "gzip" and "q=0" not in o.replace("q=0.", "") for o in offers)


class Connection:
    """One client; read() gives requests, send() puts a Response on the wire."""

    def __init__(self, sock, number, released):
        self.sock, self.number, self.buffer = sock, number, b""
        self.released = released  # callable: a token that changes when hanging must end
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def read(self):
        """The next request, or None at the end of the connection."""
        while b"\r\n\r\n" not in self.buffer:
            if len(self.buffer) > MAX_HEAD or not self._more():
                return None
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        request = Request(head, self.number)
        length = int(request.headers.get("content-length", "0") or 0)
        while len(self.buffer) < length:
            if not self._more():
                return None
        request.body, self.buffer = self.buffer[:length], self.buffer[length:]
        return request

    def _more(self):
        data = self.sock.recv(65536)
        self.buffer += data
        return bool(data)

    def send(self, request, response):
        """Sends the answer; returns (bytes of body sent, whether the connection goes on)."""
        if response.latency and not self.wait(response.latency):
            return 0, False
        body, headers = self._encoded(request, response)
        return MODES[response.mode](self, request, response, body, headers)

    def _encoded(self, request, response):
        headers = list(response.headers)
        body = response.body
        if len(body) > GZIP_FROM and request.takes_gzip \
                and not any(k == "content-encoding" for k, _ in headers):
            body = response.packed() if response.packed else gzip.compress(body, 1, mtime=0)
            headers.append(("content-encoding", "gzip"))
        headers.append(("vary", "accept-encoding"))
        if body or response.status == 200:
            headers.append(("content-type", response.content_type))
        return body, headers

    @staticmethod
    def head(response, headers, keep_alive):
        lines = ["HTTP/1.1 %d %s" % (response.status, REASONS.get(response.status, "Status"))]
        lines += ["%s: %s" % pair for pair in headers]
        if not keep_alive:
            lines.append("connection: close")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def wait(self, seconds=None):
        """Waits; False when the client left or faults were cleared meanwhile."""
        until = None if seconds is None else time.monotonic() + seconds
        token = self.released()
        while until is None or time.monotonic() < until:
            left = 0.05 if until is None else min(0.05, max(0.0, until - time.monotonic()))
            if select.select([self.sock], [], [], left)[0]:
                if not self.sock.recv(1, socket.MSG_PEEK):
                    return False
                time.sleep(left)  # a pipelined request waits its turn
            if self.released() != token:
                return False
        return True

    def abort(self):
        """Closes with RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


def with_length(headers, length):
    return headers + [("content-length", str(length))]


def send_normal(c, request, response, body, headers):
    keep = request.keep_alive
    head = c.head(response, with_length(headers, len(body)), keep)
    c.sock.sendall(head if request.method == "HEAD" else head + body)
    return len(body), keep


def send_close(c, request, response, body, headers):
    """A good answer, after which the server closes the connection without having said so."""
    c.sock.sendall(c.head(response, with_length(headers, len(body)), True) + body)
    return len(body), False


def send_hang(c, request, response, body, headers):
    c.wait()
    return 0, False


def part(response, body):
    """How many bytes a partial answer sends: after_bytes, or half of them."""
    return min(len(body), response.settings.get("after_bytes", len(body) // 2))


def send_hang_mid_body(c, request, response, body, headers):
    sent = part(response, body)
    c.sock.sendall(c.head(response, with_length(headers, len(body)), True) + body[:sent])
    c.wait()
    return sent, False


def send_reset(c, request, response, body, headers):
    """RST before any byte of the answer, or in mid-body with where: body."""
    sent = 0
    if response.settings.get("where", "headers") == "body":
        sent = part(response, body)
        c.sock.sendall(c.head(response, with_length(headers, len(body)), True) + body[:sent])
        c.wait(0.05)
    c.abort()
    return sent, False


def send_truncated(c, request, response, body, headers):
    sent = part(response, body)
    c.sock.sendall(c.head(response, with_length(headers, len(body)), True) + body[:sent])
    return sent, False


def send_wrong_length(c, request, response, body, headers):
    """content-length off by delta (default +10), then the connection ends."""
    stated = max(0, len(body) + response.settings.get("delta", 10))
    c.sock.sendall(c.head(response, with_length(headers, stated), True) + body)
    return len(body), False


def send_drip(c, request, response, body, headers):
    """bytes (default 1) every interval_ms (default 100), headers included."""
    step, pause = response.settings.get("bytes", 1), response.settings.get("interval_ms", 100) / 1000
    data = c.head(response, with_length(headers, len(body)), True) + body
    for i in range(0, len(data), step):
        c.sock.sendall(data[i:i + step])
        if not c.wait(pause):
            return i + step, False
    return len(body), request.keep_alive


def send_chunked(c, request, response, body, headers):
    step = response.settings.get("bytes", 1000)
    data = c.head(response, headers + [("transfer-encoding", "chunked")], True)
    for i in range(0, len(body), step):
        piece = body[i:i + step]
        data += b"%x\r\n" % len(piece) + piece + b"\r\n"
    c.sock.sendall(data + b"0\r\n\r\n")
    return len(body), request.keep_alive


MODES = {"normal": send_normal, "close": send_close, "hang": send_hang,
         "hang_mid_body": send_hang_mid_body, "reset": send_reset, "truncated": send_truncated,
         "wrong_length": send_wrong_length, "drip": send_drip, "chunked": send_chunked}
