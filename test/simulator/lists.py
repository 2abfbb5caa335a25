# lists.py - the small lists of v1, each sent whole: lead labels and sources, activity types, currencies.
#
# The rows are those of the documents, and some that the documents allow.

import builtins_
from entity import Entity, named

LABELS = [
    ("f08b42a0-4e75-11ea-9643-03698ef1cfd6", "Hot", "red"), ("f08b42a1-4e75-11ea-9643-03698ef1cfd6", "Cold", "blue"),
    ("f08b69b0-4e75-11ea-9643-03698ef1cfd6", "Warm", "yellow"),
    ("134b4de7-dcbc-46ae-b8f2-2eb328eebfe8", "Взвешен \"soon\"", "dark-gray"),
]
SOURCES = ["Manually created", "Deal", "Web forms", "Prospector", "Leadbooster", "Live chat", "Import",
           "Website visitors", "Workflow automation", "API"]
MORE_TYPES = [("site_visit", "Site visit", "car", "9933CC", True), ("fax", "Fax", "document", None, False)]
CURRENCIES = [("EUR", "Euro", 2, "€"), ("USD", "US Dollar", 2, "$"), ("GBP", "Pound Sterling", 2, "£"),
              ("SEK", "Swedish Krona", 2, "kr"), ("JPY", "Japanese Yen", 0, "¥"), ("BGN", "Bulgarian Lev", 2, "лв"),
              ("KWD", "Kuwaiti Dinar", 3, "KD")]


def make_labels():
    return [{"id": key, "name": name, "color": color, "add_time": "2025-02-13T15:31:44.000Z",
             "update_time": "2025-02-%02dT15:31:44.250Z" % (13 + i)} for i, (key, name, color) in enumerate(LABELS)]


def activity_type(number, key, name, icon, color, active, custom):
    return {"id": number, "order_nr": number, "name": name, "key_string": key, "icon_key": icon, "active_flag": active,
            "color": color, "is_custom_flag": custom, "add_time": "2025-01-04T16:24:55Z",
            "update_time": None if custom and active else "2025-03-11T13:53:01Z"}


def make_types():
    rows = [(key, name, key, "FFFFFF", True, False) for key, name in builtins_.ACTIVITY_TYPES]
    rows += [row + (True,) for row in MORE_TYPES]
    return [activity_type(i + 1, *row) for i, row in enumerate(rows)]


def currency(number, code, name, points, symbol, active=True, custom=False):
    return {"id": number, "code": code, "name": name, "decimal_points": points, "symbol": symbol,
            "active_flag": active, "is_custom_flag": custom}


def make_currencies():
    out = [currency(i + 1, *row) for i, row in enumerate(CURRENCIES)]
    return out + [currency(501, "PTS", "Points", 0, "pts", custom=True),
                  currency(502, "OLD", "Old money", 2, "o", False, True)]


def name_or_code(wanted, store):
    return lambda d: wanted.lower() in d["name"].lower() or wanted.lower() in d["code"].lower()


LEAD_LABELS = Entity(
    "lead_labels", key_kind="uuid", style="v1", times="milliseconds",
    columns=named("id", "name", "color", "add_time", "update_time"),
    endpoints=[("/v1/leadLabels", "all", 10, "leads", [])],
    make=lambda plan, values, store: make_labels(), new=lambda: {"name": "New label", "color": "green"})

LEAD_SOURCES = Entity(
    "lead_sources", key="name", key_kind="text", style="v1", columns=named("name"),
    endpoints=[("/v1/leadSources", "all", 2, "leads", [])],
    make=lambda plan, values, store: [{"name": name} for name in SOURCES])

ACTIVITY_TYPES = Entity(
    "activity_types", style="v1", times="blank", deleted=("active_flag", False),
    deleted_listed=("inactive_rows", "listed"),
    columns=named("id", "order_nr", "name", "key_string", "icon_key", "active_flag", "color", "is_custom_flag",
                  "add_time", "update_time"),
    endpoints=[("/v1/activityTypes", "all", 20, "activities", [])],
    make=lambda plan, values, store: make_types(),
    new=lambda: {"name": "New type", "key_string": "new_type", "icon_key": "task", "order_nr": 99, "color": "FFFFFF",
                 "is_custom_flag": True})

CURRENCY = Entity(
    "currencies", style="v1", deleted=("active_flag", False), deleted_listed=("inactive_rows", "listed"),
    columns=named("id", "code", "name", "decimal_points", "symbol", "active_flag", "is_custom_flag"),
    endpoints=[("/v1/currencies", "all", 20, "base", [("term", "text", None)])],
    predicates={"term": name_or_code},
    make=lambda plan, values, store: make_currencies(),
    new=lambda: {"code": "NEW", "name": "New currency", "symbol": "n", "decimal_points": 2, "is_custom_flag": True})

ENTITIES = [LEAD_LABELS, LEAD_SOURCES, ACTIVITY_TYPES, CURRENCY]
