# webhook_records.py - a stored row as the records that webhooks carry: v2 (reduced, typed custom fields) and v1 (flat).
#
# KEYS says per entity which keys of the REST row a v2 record takes over and which it renames or computes.  Raw numbers
# stay digit for digit.

import copy

import optional

COMMON = ("id", "owner_id", "add_time", "update_time", "visible_to", "custom_fields")
ADDRESS = ("value", "country", "admin_area_level_1", "admin_area_level_2", "locality", "sublocality", "route",
           "street_number", "subpremise", "postal_code", "formatted_address")
OBJECTS = {"deals": "deal", "persons": "person", "organizations": "organization", "activities": "activity",
           "pipelines": "pipeline", "stages": "stage", "users": "user"}


def first_label(data):
    return data["label_ids"][0] if data["label_ids"] else None


def clock_time(value):
    return None if value is None else {"timezone_id": None, "value": value}


def active(data):
    return not data["is_deleted"]


def link_name(data):
    return data["name"].lower().replace(" ", "-")


# key of the v2 record -> key of the REST row, or a function of the row
KEYS = {
    "deals": dict.fromkeys(
        COMMON + ("channel", "channel_id", "close_time", "creator_user_id", "currency", "expected_close_date",
                  "first_won_time", "label_ids", "lost_reason", "lost_time", "org_id", "origin", "origin_id",
                  "person_id", "pipeline_id", "probability", "stage_change_time", "stage_id", "status", "title",
                  "value", "won_time", "is_archived", "archive_time")),
    "persons": dict(dict.fromkeys(COMMON + ("emails", "phones", "first_name", "last_name", "name", "org_id")),
                    label=first_label),
    "organizations": dict(dict.fromkeys(COMMON + ("address", "name")), label=first_label,
                          country_code=lambda data: None, picture_id=lambda data: None),
    "activities": dict(dict.fromkeys(
        ("id", "owner_id", "add_time", "update_time", "creator_user_id", "deal_id", "done", "due_date", "lead_id",
         "location", "marked_as_done_time", "org_id", "participants", "person_id", "priority", "project_id",
         "public_description", "subject", "type", "conference_meeting_client", "conference_meeting_id",
         "conference_meeting_url")),
        active_flag=active, busy_flag="busy", due_time=lambda data: clock_time(data["due_time"]),
        duration=lambda data: clock_time(data["duration"]), update_user_id="creator_user_id"),
    "pipelines": dict(dict.fromkeys(("id", "add_time", "update_time", "name", "order_nr")), active_flag=active,
                      url_title=link_name, deal_probability="is_deal_probability_enabled"),
    "stages": dict(dict.fromkeys(("id", "add_time", "update_time", "name", "order_nr", "pipeline_id",
                                  "deal_probability")),
                   active_flag=active, rotten_flag="is_deal_rot_enabled", rotten_days="days_to_rotten"),
}


def snapshot(store, entity, data):
    """A row as it stands, with the optional value that deal records carry."""
    out = copy.copy(data)
    for key in ("custom_fields", "participants"):
        if key in data:
            out[key] = copy.deepcopy(data[key])
    if entity == "deals":
        out["first_won_time"] = optional.value(store, entity, data, "first_won_time")
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


def user_record(data):
    """Users come as v1 has them, their id as text."""
    return dict(data, id=str(data["id"]), access=None)


def record(entity, data, known, nulls, milliseconds=False):
    """The v2 record of a snapshot; nulls: whether unset custom fields are sent as null."""
    if entity == "users":
        return user_record(data)
    out = {}
    for key, source in sorted(KEYS[entity].items()):
        out[key] = source(data) if callable(source) else data[source or key]
        if milliseconds and out[key] and key.endswith("_time") and key not in ("due_time",):
            out[key] = out[key].replace("Z", ".000Z")
    if "custom_fields" in out:
        out["custom_fields"] = typed_fields(known, data["custom_fields"], nulls)
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


def flat_custom(field, value):
    """{key: value} that one custom field puts on a v1 record."""
    code, kind, get = field.code, field.type, (value or {}).get if isinstance(value, (dict, type(None))) else None
    if kind == "enum":
        return {code: None if value is None else str(value)}
    if kind == "set":
        return {code: ",".join(map(str, value)) if value else None}
    if kind == "monetary":
        return {code: get("value"), code + "_currency": get("currency")}
    if kind == "daterange":
        return {code: get("value"), code + "_until": get("until")}
    if kind == "time":
        return {code: get("value"), code + "_timezone_id": get("timezone_id")}
    if kind == "timerange":
        return {code: get("value"), code + "_until": get("until"), code + "_timezone_id": get("timezone_id")}
    if kind == "address":
        return {code + ("" if part == "value" else "_" + part): get(part) for part in ADDRESS}
    return {code: value}


def flat_time(text):
    return None if text is None else text.replace("T", " ").replace("Z", "")


def flat_address(prefix, value):
    return {prefix + ("" if part == "value" else "_" + part): (value or {}).get(part) for part in ADDRESS}


def flat_parts(entity, data):
    """What v1 names or shapes in its own way."""
    if entity == "deals":
        return {"user_id": data["owner_id"], "active": active(data) and data["status"] == "open",
                "deleted": data["is_deleted"], "label": ",".join(map(str, data["label_ids"])) or None}
    if entity == "persons":
        return {"active_flag": active(data), "label": first_label(data), "email": data["emails"],
                "phone": data["phones"]}
    if entity == "organizations":
        return dict(flat_address("address", data["address"]), active_flag=active(data), label=first_label(data))
    if entity == "activities":
        people = [{"person_id": p["person_id"], "primary_flag": p["primary"]} for p in data["participants"]]
        return dict(flat_address("location", data["location"]), active_flag=active(data), busy_flag=data["busy"],
                    user_id=data["owner_id"], assigned_to_user_id=data["owner_id"],
                    created_by_user_id=data["creator_user_id"], participants=people,
                    due_time=data["due_time"] or "", duration=data["duration"] or "",
                    marked_as_done_time=flat_time(data["marked_as_done_time"]) or "")
    if entity == "pipelines":
        return {"active": active(data), "url_title": link_name(data),
                "deal_probability": data["is_deal_probability_enabled"]}
    if entity == "stages":
        return {"active_flag": active(data), "rotten_flag": data["is_deal_rot_enabled"],
                "rotten_days": data["days_to_rotten"]}
    return {}


NOT_FLAT = {"deals": ("owner_id", "label_ids", "is_deleted"),
            "persons": ("emails", "phones", "label_ids", "is_deleted"),
            "organizations": ("label_ids", "is_deleted", "address"),
            "activities": ("owner_id", "busy", "is_deleted", "location"),
            "pipelines": ("is_deleted", "is_deal_probability_enabled"),
            "stages": ("is_deleted", "is_deal_rot_enabled", "days_to_rotten"), "users": ()}


def flat_record(entity, data, known):
    """The v1 record of a snapshot: flat, times without zone, custom fields by hash."""
    hidden, out = NOT_FLAT[entity], {}
    for key, value in data.items():
        if key in hidden or key == "custom_fields":
            continue
        out[key] = flat_time(value) if key.endswith("_time") and key not in ("due_time",) else value
    if "visible_to" in out:
        out["visible_to"] = str(out["visible_to"])
    out.update(flat_parts(entity, data))
    for field in known:
        out.update(flat_custom(field, data["custom_fields"].get(field.code)))
    return out
