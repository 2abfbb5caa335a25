# recordings.py - replay mode: fixed bytes as the answer of a path, whatever the query.

import json
import threading

from rawjson import encode

READING_OPS = (None, "list", "get", "search")
LAST_PAGE = b'{"success":true,"data":[],"additional_data":{"next_cursor":null}}'
LAST_V1_PAGE = b'{"success":true,"data":null,"additional_data":{"pagination":{"more_items_in_collection":false}}}'


class Recordings:
    """path -> (body bytes, content type, what a request with a cursor gets)."""

    def __init__(self):
        self.lock, self.start, self.paths = threading.Lock(), {}, {}

    def add(self, order):
        """path and body (JSON text or a value); on_cursor: 'empty' (an empty last page) or 'same'."""
        body = order["body"]
        if not isinstance(body, str):
            body = encode(body)
        content_type = order.get("content_type", "application/json; charset=utf-8")
        with self.lock:
            self.paths[order["path"]] = (body.encode("utf-8"), content_type, order.get("on_cursor", "empty"))

    def load(self, name):
        """A file of JSON lines with path (or endpoint) and body; the body's own bytes are kept."""
        with open(name, encoding="utf-8") as lines:
            for line in lines:
                if line.strip():
                    self._line(line.strip())
        self.start = dict(self.paths)

    def _line(self, line):
        row = json.loads(line)
        path = row.get("path") or row.get("endpoint", "").partition("?")[0]
        if row.get("op") not in READING_OPS or not path.startswith("/"):
            return
        at = line.index('"body":') + len('"body":')
        at += len(line[at:]) - len(line[at:].lstrip())
        end = json.JSONDecoder().raw_decode(line, at)[1]
        body = row["body"] if isinstance(row["body"], str) else line[at:end]
        self.add({"path": path, "body": body})

    def reset(self):
        with self.lock:
            self.paths = dict(self.start)

    def clear(self):
        with self.lock:
            self.paths = {}

    def find(self, request):
        """(body, content type) or None."""
        with self.lock:
            known = self.paths.get(request.path)
        if known is None:
            return None
        body, content_type, on_cursor = known
        if on_cursor == "empty" and request.later_page:
            return LAST_V1_PAGE if "/v1/" in request.path else LAST_PAGE, content_type
        return body, content_type
