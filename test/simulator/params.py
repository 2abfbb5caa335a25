# params.py - query parameters: their types and the 400 answers of the API.
#
# A parameter of an endpoint is a row (name, type, allowed).  TYPES holds one reader per type; a reader gets
# (name, text, allowed) and returns the value or raises the validation error.

import re

import clock
import errors

MAX_IDS = 100
MAX_CUSTOM_KEYS = 15
MAX_LIMIT = 500
DEFAULT_LIMIT = 100
_UUID = re.compile(r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")

PAGE = [("limit", "limit", None), ("cursor", "cursor", None)]
OFFSET = [("start", "int", None), ("limit", "limit", None)]
SINCE = [("updated_since", "time", None)]
WINDOW = SINCE + [("updated_until", "time", None)]
IDS = [("ids", "ids", None)]
CUSTOM = [("custom_fields", "keys", None)]
LABELS = [("include_option_labels", "bool", None), ("include_labels", "bool", None)]
ONLY_VISIBILITY = [("include_fields", "choices", ("ui_visibility",))]
NAMESPACES = [("include_fields", "choices", ("ui_visibility", "important_fields", "required_fields"))]


def ints(*names):
    return [(name, "int", None) for name in names]


def sort(*extra):
    return [("sort_by", "choice", ("id", "update_time", "add_time") + extra),
            ("sort_direction", "choice", ("asc", "desc"))]


def fail(name, why):
    return errors.invalid("Parameter validation failed: query.%s %s" % (name, why))


def read_int(name, text, allowed):
    if not re.match(r"^[0-9]{1,18}$", text):
        raise fail(name, "must be a number")
    return int(text)


def read_limit(name, text, allowed):
    value = read_int(name, text, allowed)
    if value < 1:
        raise fail(name, "must be greater than or equal to 1")
    return value


def read_ids(name, text, allowed):
    parts = text.split(",")
    if len(parts) > MAX_IDS:
        raise fail(name, "must hold at most %d ids" % MAX_IDS)
    return [read_int(name, part, allowed) for part in parts]


def read_bool(name, text, allowed):
    if text not in ("true", "false"):
        raise fail(name, "must be true or false")
    return text == "true"


def read_choice(name, text, allowed):
    if text not in allowed:
        raise fail(name, "must be one of " + ", ".join(allowed))
    return text


def read_choices(name, text, allowed):
    return tuple(dict.fromkeys(read_choice(name, part, allowed) for part in text.split(",")))


def read_keys(name, text, allowed):
    keys = text.split(",")
    if len(keys) > MAX_CUSTOM_KEYS:
        raise fail(name, "must hold at most %d keys" % MAX_CUSTOM_KEYS)
    return tuple(keys)


def read_time(name, text, allowed):
    try:
        clock.seconds(text)
    except ValueError:
        raise fail(name, "is not a valid datetime") from None
    return text


def read_uuid(name, text, allowed):
    if not _UUID.match(text):
        raise fail(name, "must be a valid uuid")
    return text.lower()


def read_date(name, text, allowed):
    try:
        clock.seconds(text + "T00:00:00Z")
    except ValueError:
        raise fail(name, "is not a valid date") from None
    return text


def read_flag(name, text, allowed):
    return read_choice(name, text, ("0", "1")) == "1"


def read_sort(name, text, allowed):
    """v1's 'field ASC, field DESC' as [(column, descending)]; the documents also show a field alone."""
    out = []
    for part in text.split(","):
        column, _, direction = part.strip().partition(" ")
        if direction.strip().upper() not in ("", "ASC", "DESC"):
            raise fail(name, "takes ASC or DESC")
        out.append((read_choice(name, column, allowed), direction.strip().upper() == "DESC"))
    return out


def read_text(name, text, allowed):
    return text


TYPES = {"int": read_int, "limit": read_limit, "ids": read_ids, "bool": read_bool, "choice": read_choice,
         "choices": read_choices, "keys": read_keys, "time": read_time, "uuid": read_uuid,
         "date": read_date, "flag": read_flag, "sort": read_sort, "cursor": read_text, "text": read_text}


def read(rows, pairs, switches):
    """Values by name from the query's pairs; rows are (name, type, allowed)."""
    known, out = {name: (kind, allowed) for name, kind, allowed in rows}, {}
    for name, text in pairs:
        if name not in known:
            if switches["unknown_parameters"] == "400":
                raise fail(name, "is not allowed")
            continue
        if name in out:
            raise fail(name, "is given twice")
        kind, allowed = known[name]
        out[name] = TYPES[kind](name, text, allowed)
    if out.get("limit", 0) > MAX_LIMIT:
        if switches["limit_over_max"] == "400":
            raise fail("limit", "must be less than or equal to %d" % MAX_LIMIT)
        out["limit"] = MAX_LIMIT
    return out
