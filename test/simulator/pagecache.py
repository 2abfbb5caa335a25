# pagecache.py - whole answers kept while nothing changes, plain and gzipped.

import collections
import gzip
import threading

MAX_BYTES = 96 * 1024 * 1024


class PageCache:
    """Least recently used bodies by key; the key must hold everything the body depends on."""

    def __init__(self):
        self.lock, self.size, self.pages = threading.Lock(), 0, collections.OrderedDict()

    def get(self, key):
        with self.lock:
            page = self.pages.get(key)
            if page:
                self.pages.move_to_end(key)
            return page

    def put(self, key, body):
        page = Page(body)
        with self.lock:
            self.pages[key] = page
            self.size += len(body)
            while self.size > MAX_BYTES:
                _, old = self.pages.popitem(last=False)
                self.size -= len(old.body)
        return page


class Page:
    __slots__ = ("body", "_packed")

    def __init__(self, body):
        self.body, self._packed = body, None

    def packed(self):
        if self._packed is None:
            self._packed = gzip.compress(self.body, 1, mtime=0)
        return self._packed
