# journal.py - what was asked: one entry per API request, in order of arrival.

import time

from rawjson import encode

HIDDEN = {"cursor": "<cursor>", "api_token": "<token>"}


def canonical(method, path, pairs):
    """'GET /path?a=1&cursor=<cursor>': decoded, order as sent, cursors and tokens blanked."""
    query = "&".join("%s=%s" % (k, HIDDEN.get(k, v)) for k, v in pairs)
    return method + " " + path + ("?" + query if query else "")


class Journal:
    def __init__(self, lock):
        self.lock, self.entries, self.count = lock, [], 0

    def clear(self):
        with self.lock:
            self.entries, self.count = [], 0

    def open(self, request):
        """A new entry for a request that has just arrived; close() completes it."""
        headers = request.headers
        with self.lock:
            self.count += 1
            entry = {
                "n": self.count, "method": request.method, "path": request.path,
                "query": [[k, v] for k, v in request.pairs],
                "canonical": canonical(request.method, request.path, request.pairs),
                "status": None, "tokens": 0, "fault": None,
                "token_in_header": "x-api-token" in headers or "authorization" in headers,
                "token_in_url": any(k == "api_token" for k, _ in request.pairs),
                "accept_encoding": headers.get("accept-encoding"),
                "user_agent": headers.get("user-agent"), "connection": request.connection,
                "started": time.monotonic(), "ended": None, "bytes": None,
            }
            self.entries.append(entry)
            return entry

    def close(self, entry, status, size):
        with self.lock:
            entry["status"], entry["bytes"], entry["ended"] = status, size, time.monotonic()

    def json(self):
        with self.lock:
            return encode(self.entries)

    def text(self):
        """One line per request: canonical form and status ('-' while unanswered)."""
        with self.lock:
            return "".join("%s %s\n" % (e["canonical"], "-" if e["status"] is None else e["status"])
                           for e in self.entries)
