# webhook_records.py - a stored row as the records that webhooks carry: v2 (reduced, typed custom fields) and v1 (flat).
#
# An entity's fact 'event' says which keys of the REST row a v2 record takes over and which it renames or computes.
# Raw numbers stay digit for digit.

import copy

import flat
from plan import FIRST_USER


def snapshot(store, kind, data, user=FIRST_USER):
    """A row as it stands, with what its records carry of other rows."""
    out = copy.copy(data)
    for key in ("custom_fields", "participants"):
        if key in data:
            out[key] = copy.deepcopy(data[key])
    if kind.extra:
        out.update(kind.extra(store, data, user))
    return out


# -- v2 -----------------------------------------------------------------------------------------


def typed(kind, value):
    """The webhook's form of a custom value."""
    if kind in ("enum", "user", "org", "people"):
        return {"type": kind, "id": value}
    if kind == "set":
        return {"type": kind, "values": [{"id": one} for one in value]}
    if kind == "monetary":
        return {"type": kind, "value": value["value"], "currency": value["currency"]}
    if kind == "daterange":
        return {"type": kind, "from": value["value"], "until": value["until"]}
    if kind == "time":
        return {"type": kind, "value": value["value"], "timezone_id": value["timezone_id"]}
    if kind == "timerange":
        return {"type": kind, "from": value["value"], "until": value["until"], "timezone_id": value["timezone_id"]}
    if kind == "address":
        return dict(value, type=kind)
    return {"type": kind, "value": value}


def typed_fields(known, values, nulls):
    out = {}
    for field in known:
        value = values.get(field.code)
        if value is not None:
            out[field.code] = typed(field.type, value)
        elif nulls:
            out[field.code] = None
    return out


def record(kind, data, known, nulls, milliseconds=False):
    """The v2 record of a snapshot; nulls: whether unset custom fields are sent as null."""
    if callable(kind.event):
        return kind.event(data)
    out = {}
    for key, source in sorted(kind.event.items()):
        out[key] = source(data) if callable(source) else data[source or key]
        if milliseconds and kind.times != "milliseconds" and out[key] and key.endswith("_time") and key != "due_time":
            out[key] = out[key].replace("Z", ".000Z")
    if "custom_fields" in out:
        out["custom_fields"] = typed_fields(known, data["custom_fields"], nulls)
    if "visible_to" in out:
        out["visible_to"] = str(data["visible_to"])
    return out


def difference(before, after):
    """The old values of what changed, keyed as the record is; custom fields one by one."""
    out = {key: value for key, value in before.items() if key != "custom_fields" and after.get(key) != value}
    old, new = before.get("custom_fields") or {}, after.get("custom_fields") or {}
    changed = {code: value for code, value in old.items() if new.get(code) != value}
    if changed:
        out["custom_fields"] = changed
    return out


# -- v1 -----------------------------------------------------------------------------------------


def flat_record(kind, data, known):
    """The v1 record of a snapshot: flat, times without zone, custom fields by hash."""
    if kind.style == "v1":
        return flat.record(kind, data, known)
    out = {}
    for key, value in data.items():
        if key in kind.flat_hidden or key == "custom_fields":
            continue
        out[key] = flat.time(value) if key.endswith("_time") and key != "due_time" else value
    if "visible_to" in out:
        out["visible_to"] = str(out["visible_to"])
    if kind.flat_parts:
        out.update(kind.flat_parts(data))
    for field in known:
        out.update(flat.custom(field, data["custom_fields"].get(field.code)))
    return out
