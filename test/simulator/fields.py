# fields.py - field definitions: the objects behind dealFields, personFields and so on.
#
# A Field is one definition, built in or custom.  CUSTOM lists the custom fields of the generated
# account: every type a user can create, under names chosen to be hard to turn into column names.

import hashlib

import builtins_

ADDRESS_PARTS = ["value", "country", "admin_area_level_1", "admin_area_level_2", "locality",
                 "sublocality", "route", "street_number", "subpremise", "postal_code",
                 "formatted_address"]

# field type -> (sub-key, label pattern, sub-type) of the object such a value is
SUBFIELDS = {
    "monetary": [("value", "Amount of %s", "double"), ("currency", "Currency of %s", "varchar")],
    "daterange": [("value", "Start of %s", "date"), ("until", "End of %s", "date")],
    "time": [("value", "%s", "time"), ("timezone_id", "Timezone ID of %s", "int"),
             ("timezone_name", "Timezone of %s", "varchar")],
    "timerange": [("value", "Start of %s", "time"), ("until", "End of %s", "time"),
                  ("timezone_id", "Timezone ID of %s", "int"),
                  ("timezone_name", "Timezone of %s", "varchar")],
    "address": [(part, part.replace("_", " ").capitalize() + " of %s", "varchar")
                for part in ADDRESS_PARTS],
}
OPTION_TYPES = ("enum", "set")
CREATABLE = ("varchar", "varchar_auto", "text", "double", "monetary", "date", "daterange", "time",
             "timerange", "set", "enum", "user", "org", "people", "phone", "address")

LONG_NAME = ("Reason given by the customer for choosing the competing offer after the second round of "
             "negotiations with the purchasing department, in their own words and as literally as possible, "
             "else none given it")
assert len(LONG_NAME) == 200

# (name, type, option labels or None, index of the option that was deleted later or None)
CUSTOM = {
    "deals": [
        ("Contract number", "varchar", None, None),
        ("Campaign", "varchar_auto", None, None),
        ("Remarks", "text", None, None),
        ("Direct line", "phone", None, None),
        ("Score", "double", None, None),
        ("Budget", "monetary", None, None),
        ("Budget currency", "varchar", None, None),
        ("Priority", "enum", ["Low", "Medium", "High", "Retired level"], 3),
        ("Interests", "set", ["Hosting", "Support", "Training", "Old product", "Audit"], 3),
        ("Account manager", "user", None, None),
        ("Partner", "org", None, None),
        ("Decision maker", "people", None, None),
        ("Signed on", "date", None, None),
        ("Contract period", "daterange", None, None),
        ("Call at", "time", None, None),
        ("Call window", "timerange", None, None),
        ("Delivery address", "address", None, None),
        ("Region", "enum", ["North", "South", "East", "West"], None),
        ("Region", "varchar", None, None),
        ("Title", "varchar", None, None),
        ("Status", "enum", ["Draft", "Sent", "Signed"], None),
        ("region", "varchar", None, None),
        ("Источник", "enum", ["Сайт", "Выставка", "Звонок"], None),
        ("\U0001F680", "varchar", None, None),
        ("\U0001F525 Heat", "double", None, None),
        (LONG_NAME, "text", None, None),
        ("---", "varchar", None, None),
        ("   ", "varchar", None, None),
        ("Order", "double", None, None),
        ("Select", "varchar", None, None),
        ("Time", "time", None, None),
        ("2nd contact", "people", None, None),
        ("Contract period until", "date", None, None),
        ("x\"'; DROP TABLE deals; --", "varchar", None, None),
    ],
    "persons": [
        ("Nickname", "varchar", None, None), ("Club", "varchar_auto", None, None),
        ("Biography", "text", None, None), ("Assistant phone", "phone", None, None),
        ("Rating", "double", None, None), ("Salary", "monetary", None, None),
        ("Seniority", "enum", ["Junior", "Senior", "Lead", "Gone"], 3),
        ("Languages", "set", ["English", "Deutsch", "Русский", "日本語"], None),
        ("Buddy", "user", None, None), ("Former employer", "org", None, None),
        ("Reports to", "people", None, None), ("Birthday", "date", None, None),
        ("Vacation", "daterange", None, None), ("Best time", "time", None, None),
        ("Office hours", "timerange", None, None), ("Home", "address", None, None),
        ("Name", "varchar", None, None), ("Имя", "varchar", None, None),
        ("NICKNAME", "varchar", None, None), ("User", "varchar", None, None),
        ("\U0001F389", "varchar", None, None),
    ],
    "organizations": [
        ("Registration", "varchar", None, None), ("Group", "varchar_auto", None, None),
        ("About", "text", None, None), ("Hotline", "phone", None, None),
        ("Rank", "double", None, None), ("Turnover", "monetary", None, None),
        ("Tier", "enum", ["Gold", "Silver", "Bronze", "Lead"], 2),
        ("Markets", "set", ["EMEA", "APAC", "Americas"], None),
        ("Key account manager", "user", None, None), ("Parent", "org", None, None),
        ("Chief executive", "people", None, None), ("Founded", "date", None, None),
        ("Fiscal year", "daterange", None, None), ("Daily cut-off", "time", None, None),
        ("Opening hours", "timerange", None, None), ("Warehouse", "address", None, None),
        ("Address", "varchar", None, None), ("Группа", "varchar", None, None),
        ("Table", "varchar", None, None),
    ],
    "activities": [],
}
EXTRA_TYPES = ["varchar", "double", "enum", "date", "monetary", "set", "text", "user"]


class Field:
    """One field definition; options is a list of {id,label,color,...} or None."""

    __slots__ = ("code", "name", "type", "options", "custom", "optional", "retired")

    def __init__(self, code, name, kind, options=None, custom=False, optional=False, retired=()):
        self.code, self.name, self.type = code, name, kind
        self.options, self.custom, self.optional = options, custom, optional
        self.retired = set(retired)

    def copy(self):
        options = None if self.options is None else [dict(o) for o in self.options]
        return Field(self.code, self.name, self.type, options, self.custom, self.optional, self.retired)

    def labels(self):
        return {option["id"]: option["label"] for option in self.options or ()}

    def definition(self, extras=()):
        """The definition as the API sends it; extras are the include_fields namespaces."""
        subs = SUBFIELDS.get(self.type)
        if self.code == "value" and not self.custom:
            subs = [("value", "Amount of %s", "double"), ("currency", "Currency of %s", "varchar")]
        elif not self.custom and self.type != "address":
            subs = None
        out = {
            "field_name": self.name, "field_code": self.code, "description": None,
            "field_type": self.type, "options": self.options,
            "subfields": None if subs is None else [
                {"field_code": code, "field_name": label % self.name, "field_type": kind}
                for code, label, kind in subs],
            "is_custom_field": self.custom, "is_optional_response_field": self.optional,
            "is_writable": self.custom,
        }
        for name in extras:
            out[name] = dict(NAMESPACES[name])
        return out


NAMESPACES = {
    "ui_visibility": {"add_visible_flag": True, "details_visible_flag": True,
                      "projects_detail_visible_flag": False,
                      "show_in_pipelines": {"show_in_all": True, "pipeline_ids": []}},
    "important_fields": {"enabled": False, "stage_ids": []},
    "required_fields": {"enabled": False, "stage_ids": [], "statuses": {}},
}


def field_code(seed, entity, index):
    """40 hexadecimal characters, the same for the same seed, entity and position."""
    return hashlib.sha1(("field/%s/%s/%d" % (seed, entity, index)).encode()).hexdigest()


def option(number, label, color=None, add_time="2025-01-15T09:00:00Z"):
    return {"id": number, "label": label, "color": color, "update_time": None, "add_time": add_time}


def builtin_fields(kind):
    """Definitions of the built-in fields, default ones first, then those sent only on request."""
    out = []
    for rows, optional in ((kind.columns, False), (kind.optional, True)):
        for code, name, field_type in rows:
            if name is None:
                continue
            choices = kind.options.get(code)
            if field_type == "visible_to":
                choices = builtins_.VISIBLE_TO
            options = None if choices is None else [
                {"id": i, "label": label, "color": color} for i, label, color in choices]
            out.append(Field(code, name, field_type, options, optional=optional))
    return out


def custom_fields(seed, kind, extra):
    """The custom fields of the generated account; extra more of mixed types, or none when extra < 0."""
    if extra < 0:
        return []
    rows = list(kind.custom)
    if kind.more_custom:
        for i in range(extra):
            field_type = EXTRA_TYPES[i % len(EXTRA_TYPES)]
            labels = ["Choice %d" % c for c in range(1, 6)] if field_type in OPTION_TYPES else None
            rows.append(("Extra %d" % (i + 1), field_type, labels, None))
    out, number = [], kind.first_option
    for index, (name, field_type, labels, deleted) in enumerate(rows):
        options, retired = None, []
        if labels is not None:
            options = []
            for i, label in enumerate(labels):
                number += 1
                if i == deleted:
                    retired.append(number)
                else:
                    options.append(option(number, label))
        out.append(Field(field_code(seed, kind.name, index), name, field_type, options, True, False, retired))
    return out
