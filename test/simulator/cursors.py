# cursors.py - opaque keyset cursors.
#
# A cursor names the first row of the next page by its sort key and carries a digest of the other
# parameters; the whole is signed, so that only the simulator can make one.

import base64
import hashlib
import hmac
import json

import errors


class Cursors:
    def __init__(self, seed):
        self.secret = hashlib.sha256(b"cursor/%d" % seed).digest()

    def _sign(self, body):
        return hmac.new(self.secret, body, hashlib.sha256).digest()[:9]

    def make(self, position, digest):
        body = json.dumps([position, digest], separators=(",", ":")).encode()
        mixed = bytes(b ^ self.secret[i % 32] for i, b in enumerate(body))
        return base64.urlsafe_b64encode(self._sign(body) + mixed).rstrip(b"=").decode()

    def read(self, text, digest):
        """The position; 400 unless made here for a request with the same parameters."""
        try:
            raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            body = bytes(b ^ self.secret[i % 32] for i, b in enumerate(raw[9:]))
            if not hmac.compare_digest(raw[:9], self._sign(body)):
                raise ValueError
            position, known = json.loads(body)
        except ValueError:
            raise errors.invalid("Parameter validation failed: query.cursor is not valid") from None
        if known != digest:
            raise errors.invalid("Parameter validation failed: query.cursor belongs to other parameters")
        return position


def digest(path, pairs, with_limit):
    """What must stay the same from page to page."""
    skip = ("cursor",) if with_limit else ("cursor", "limit")
    kept = sorted((k, v) for k, v in pairs if k not in skip)
    return hashlib.sha256(repr((path, kept)).encode()).hexdigest()[:12]
