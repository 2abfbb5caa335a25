# rawjson.py - writes JSON text and reads it back without touching a digit.
#
# Numbers such as 12345678901234567.89 must reach the client digit for digit and some strings must
# be sent with particular escapes.  Raw holds such a piece of finished JSON text; encode() copies it
# verbatim and writes everything else compactly, leaving non-ASCII characters as UTF-8.

import json

_quote = json.encoder.encode_basestring


class Raw(str):
    """A finished piece of JSON text, sent as it stands."""

    __slots__ = ()


def encode(value):
    """JSON text of a value made of None, bool, int, float, str, Raw, list, tuple and dict."""
    kind = type(value)
    if kind is str:
        return _quote(value)
    if value is None:
        return "null"
    if kind is Raw:
        return value
    if kind is bool:
        return "true" if value else "false"
    if kind is int or kind is float:
        return repr(value)
    if kind is dict:
        return "{" + ",".join([_quote(k) + ":" + encode(v) for k, v in value.items()]) + "}"
    if kind is list or kind is tuple:
        return "[" + ",".join([encode(v) for v in value]) + "]"
    raise TypeError("cannot encode %s" % kind.__name__)


def decode(text):
    """Parses JSON; numbers with a fraction or exponent stay text."""
    return json.loads(text, parse_float=Raw)


def plain(value):
    """A value with Raw pieces turned into ordinary Python values (for comparisons)."""
    return json.loads(value) if type(value) is Raw else value
