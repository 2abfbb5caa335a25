# faults.py - answers that go wrong on purpose.
#
# A fault is a JSON object: match (which requests), kind, and the kind's own settings.  The real answer
# is computed first, then the fault changes it or the way it is sent.  KINDS has one function per kind;
# it gets the fault and the Response and changes the latter.

import re

from rawjson import Raw, decode, encode


class Response:
    """Status, headers and body, and how to put them on the wire (see wire.py)."""

    def __init__(self, status, body, headers=(), content_type="application/json; charset=utf-8"):
        self.status, self.body, self.headers = status, body, list(headers)
        self.content_type, self.mode, self.settings = content_type, "normal", {}
        self.latency = 0.0
        self.packed = None  # function giving the body gzipped, when a cache has it


HTML = ("<!DOCTYPE html>\n<html lang=\"en-US\"><head><title>Attention Required! | Cloudflare</title></head>\n"
        "<body><h1>Sorry, you have been blocked</h1><p>Error 1015: you are being rate limited.</p>"
        "</body></html>\n")


def replace(response, body, status=200):
    response.status, response.packed = status, None
    response.body = body if isinstance(body, bytes) else body.encode("utf-8")


def status(fault, response):
    code = fault["status"]
    body = fault.get("body", {"success": False, "error": "simulated fault", "errorCode": code})
    replace(response, body if isinstance(body, str) else encode(body), code)
    if "content_type" in fault:
        response.content_type = fault["content_type"]
    response.headers += [(k, str(v)) for k, v in fault.get("headers", {}).items()]


def html403(fault, response):
    replace(response, HTML, 403)
    response.content_type = "text/html; charset=UTF-8"
    response.headers = [("server", "cloudflare"), ("cf-ray", "0000000000000000-TLL")]


def redirect(fault, response):
    replace(response, "", 302)
    response.headers.append(("location", fault.get("location", "http://elsewhere.invalid/api/v2/deals")))


def success_false(fault, response):
    replace(response, encode({"success": False, "error": fault.get("error", "simulated failure"),
                              "data": None, "additional_data": None}))


def invalid_json(fault, response):
    """The given body, or the real one with a colon in its second half turned into '='."""
    body = response.body.decode("utf-8")
    at = re.compile(r'[a-z_]":').search(body, len(body) // 2) or re.search(r'[a-z_]":', body)
    replace(response, fault.get("body", body[:at.end() - 1] + "=" + body[at.end():] if at else "{"))


def deep_nesting(fault, response):
    depth = fault.get("depth", 1000000)
    replace(response, '{"success":true,"data":' + "[" * depth + "]" * depth + "}")


def huge(fault, response):
    rows = fault.get("rows", 1)
    title = b"x" * (fault["bytes"] // rows)
    data = b",".join(b'{"id":%d,"title":"%s"}' % (n + 1, title) for n in range(rows))
    replace(response, b'{"success":true,"data":[' + data + b"]}")


def edit(fault, response, change):
    """Lets change(holder, key) edit one field of one record (default: the first record, a text)."""
    body = decode(response.body.decode("utf-8"))
    data = body.get("data") or []
    for row in data if isinstance(data, list) else [data]:
        if "id" in fault and row.get("id") != fault["id"]:
            continue
        usual = "title" if "title" in row else "content" if "content" in row else "name"
        path = fault.get("field", usual).split(".")
        holder = row
        for part in path[:-1]:
            holder = holder[part]
        change(holder, path[-1])
        break
    replace(response, encode(body), response.status)


def nul(fault, response):
    edit(fault, response, lambda holder, key: holder.__setitem__(key, "be\x00fore"))


def bad_utf8(fault, response):
    edit(fault, response, lambda holder, key: holder.__setitem__(key, "bad-utf8-mark"))
    response.body = response.body.replace(b"bad-utf8-mark", b"bad \xc3\x28 \xff \xed\xa0\x80 end")


def wrong_type(fault, response):
    value = Raw(fault["text"]) if "text" in fault else fault.get("value")
    edit(fault, response, lambda holder, key: holder.__setitem__(key, value))


def remove_key(fault, response):
    edit(fault, response, lambda holder, key: holder.pop(key, None))


def duplicate_keys(fault, response):
    """The key a second time, right after itself, with another value."""
    def change(holder, key):
        holder[key] = Raw(encode(holder.get(key)) + "," + encode(key) + ":" + encode(fault.get("value")))
    edit(fault, response, change)


def bad_gzip(fault, response):
    replace(response, b"\x1f\x8b\x08\x00this is no deflate stream")
    response.headers.append(("content-encoding", "gzip"))


def latency(fault, response):
    response.latency += fault["ms"] / 1000.0


def send_as(mode):
    def change(fault, response):
        response.mode, response.settings = mode, fault
    return change


KINDS = {
    "status": status, "html403": html403, "redirect": redirect, "success_false": success_false,
    "null_body": lambda fault, response: replace(response, "null"),
    "empty_body": lambda fault, response: replace(response, ""),
    "invalid_json": invalid_json, "deep_nesting": deep_nesting, "huge": huge, "nul": nul,
    "bad_utf8": bad_utf8, "wrong_type": wrong_type, "remove_key": remove_key,
    "duplicate_keys": duplicate_keys, "bad_gzip": bad_gzip, "latency": latency,
    "latency_ms": latency,
    "hang": send_as("hang"), "hang_mid_body": send_as("hang_mid_body"), "reset": send_as("reset"),
    "slow_drip": send_as("drip"), "truncated": send_as("truncated"),
    "wrong_length": send_as("wrong_length"), "chunked": send_as("chunked"), "close": send_as("close"),
}


class Match:
    """Counts requests that fit and says which of them count; also used by on_request."""

    def __init__(self, match):
        unknown = set(match) - {"path_regex", "query_regex", "nth", "times", "cursor_only", "method"}
        if unknown:
            raise ValueError("unknown key in match: " + ", ".join(sorted(unknown)))
        self.path = re.compile(match.get("path_regex", ""))
        self.query = re.compile(match.get("query_regex", ""))
        nth = match.get("nth")
        self.nth = None if nth is None else set(nth) if isinstance(nth, list) else {nth}
        self.times, self.cursor_only = match.get("times"), match.get("cursor_only", False)
        self.method, self.seen, self.hits = match.get("method"), 0, 0

    def hit(self, request):
        query = "&".join("%s=%s" % pair for pair in request.pairs)
        if not self.path.search(request.path) or not self.query.search(query) \
                or self.cursor_only and not request.later_page or self.method not in (None, request.method):
            return False
        self.seen += 1
        if self.nth is not None and self.seen not in self.nth:
            return False
        if self.times is not None and self.hits >= self.times:
            return False
        self.hits += 1
        return True


class Faults:
    """The faults in force; generation changes on clear, which frees hanging connections."""

    def __init__(self):
        self.generation = 0
        self.clear()

    def clear(self):
        self.rules, self.latency_ms = [], 0
        self.generation += 1

    def add(self, fault):
        if fault.get("kind") not in KINDS:
            raise ValueError("unknown kind %r; known: %s" % (fault.get("kind"), ", ".join(sorted(KINDS))))
        needed = {"status": "status", "huge": "bytes", "latency": "ms",
                  "latency_ms": "ms"}.get(fault["kind"])
        if needed and not isinstance(fault.get(needed), int):
            raise ValueError("kind %s needs a number %r" % (fault["kind"], needed))
        self.rules.append((Match(fault.get("match", {})), fault))

    def choose(self, request):
        """The faults that strike this request, in the order they were added."""
        return [fault for match, fault in self.rules if match.hit(request)]

    def describe(self):
        return [dict(fault, seen=match.seen, hits=match.hits) for match, fault in self.rules]


def apply(fault, response):
    response.latency += fault.get("latency_ms", 0) / 1000.0
    KINDS[fault["kind"]](fault, response)
