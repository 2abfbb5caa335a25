# mutations.py - changes made to the account by tests: rows and field definitions.
#
# perform() takes one JSON object with an action; ACTIONS has one function per action.  Whatever happens to a row is told
# to store.events, from which tests take the webhooks.

import builtins_
import fields
import generator
import webhook_records

NEVER_CHANGED = ("deals", "persons", "organizations", "pipelines", "stages")
REFERENCES = {"persons": "person_id", "organizations": "org_id", "deals": "deal_id"}


def now_of(store, order):
    return order.get("at") or store.clock.now()


def defaults(store, entity, now):
    """A new row of an entity before the given fields are laid over it."""
    row = dict.fromkeys(builtins_.KEYS[entity])
    row.update({"is_deleted": False, "add_time": now,
                "update_time": None if entity in NEVER_CHANGED else now})
    common = {"visible_to": 3, "custom_fields": {}, "owner_id": generator.FIRST_USER, "label_ids": []}
    special = {
        "deals": dict(common, title="New deal", creator_user_id=generator.FIRST_USER, value=0,
                      currency="EUR", status="open", stage_id=1, pipeline_id=1, origin="API",
                      is_archived=False),
        "persons": dict(common, name="New person", phones=[], emails=[]),
        "organizations": dict(common, name="New organization"),
        "activities": {"subject": "New activity", "type": "task", "owner_id": generator.FIRST_USER,
                       "creator_user_id": generator.FIRST_USER, "done": False, "busy": False,
                       "participants": []},
        "pipelines": {"name": "New pipeline", "order_nr": 99, "is_deal_probability_enabled": False},
        "stages": {"name": "New stage", "order_nr": 99, "deal_probability": 100, "pipeline_id": 1,
                   "is_deal_rot_enabled": False},
    }
    row.update(special[entity])
    return row


def lay_over(store, entity, row, values):
    """Sets fields; custom fields by code or by name; null unsets a custom field."""
    codes = {f.name: f.code for f in store.custom(entity)}
    known = {f.code for f in store.custom(entity)}
    for key, value in values.items():
        if key == "custom_fields":
            customs_now = dict(row["custom_fields"])
            for name, one in (value or {}).items():
                code = name if name in known else codes.get(name)
                if code is None:
                    raise ValueError("no custom field %r in %s" % (name, entity))
                customs_now[code] = one
            row["custom_fields"] = {k: v for k, v in customs_now.items() if v is not None}
        elif key in row:
            row[key] = value
        else:
            raise ValueError("no field %r in %s" % (key, entity))


def create(store, order):
    entity, values = order["entity"], dict(order.get("fields", {}))
    row = defaults(store, entity, now_of(store, order))
    row["id"] = order.get("id") or values.pop("id", None) or store.next_id(entity)
    lay_over(store, entity, row, values)
    if entity == "activities" and row["person_id"] and not row["participants"]:
        row["participants"] = [{"person_id": row["person_id"], "primary": True}]
    store.add(entity, row)
    stored = store.get(entity, row["id"])
    store.events.add(store, "create", entity, stored, None, order, now_of(store, order))
    return stored


def as_was(store, entity, row):
    return webhook_records.snapshot(store, entity, row.data)


def deal_side_effects(data, values, now):
    """What a change of status or stage sets besides."""
    if "stage_id" in values and "stage_change_time" not in values:
        data["stage_change_time"] = now
    if "status" not in values:
        return
    day = now[:10]
    won, lost = values["status"] == "won", values["status"] == "lost"
    effects = {"won_time": now if won else None, "local_won_date": day if won else None,
               "lost_time": now if lost else None, "local_lost_date": day if lost else None,
               "close_time": now if won or lost else None,
               "local_close_date": day if won or lost else None}
    data.update({k: v for k, v in effects.items() if k not in values})


def change(store, order):
    entity, values, now = order["entity"], order.get("fields", {}), now_of(store, order)
    row = store.get(entity, order["id"])
    before = as_was(store, entity, row)
    lay_over(store, entity, row.data, values)
    if entity == "deals":
        deal_side_effects(row.data, values, now)
    return touched(store, row, order, before, "update_time" in values)


def touched(store, row, order, before, keep=False, action="change", more=None):
    """Sets update_time unless told not to (touch: false) and tells of the event."""
    now = now_of(store, order)
    if order.get("touch", True) and not keep and "update_time" in row.data:
        row.data["update_time"] = now
    store.touch(row)
    store.events.add(store, action, order["entity"], row, before, order, now, more)
    return row


def delete(store, order, more=None):
    """Deleting what is deleted changes nothing."""
    row = store.get(order["entity"], order["id"])
    if row.data["is_deleted"]:
        return row
    before = as_was(store, order["entity"], row)
    row.before_delete = row.data.get("status")
    row.data["is_deleted"] = True
    if order["entity"] == "deals":
        row.data["status"] = "deleted"
    return touched(store, row, order, before, action="delete", more=more)


def restore(store, order):
    """Restoring what is not deleted changes nothing."""
    row = store.get(order["entity"], order["id"])
    if not row.data["is_deleted"]:
        return row
    before = as_was(store, order["entity"], row)
    row.data["is_deleted"] = False
    if order["entity"] == "deals":
        row.data["status"] = row.before_delete or "open"
    return touched(store, row, order, before)


def purge(store, order):
    """The row is gone for good; an event only if it was not deleted before."""
    row = store.get(order["entity"], order["id"])
    before = as_was(store, order["entity"], row)
    store.remove(order["entity"], order["id"])
    if not before["is_deleted"]:
        store.events.add(store, "delete", order["entity"], row, before, order, now_of(store, order))
    return row


def points_to(entity, data, key):
    """Whether a row of another entity refers to row key of this one."""
    if data.get(REFERENCES.get(entity)) == key:
        return True
    people = data.get("participants") or () if entity == "persons" else ()
    return any(one["person_id"] == key for one in people)


def relink(store, order, other, row):
    """Makes a row that points to the loser of a merge point to the winner; whether that is a change is a switch."""
    before, column, into = as_was(store, other, row), REFERENCES[order["entity"]], order["into"]
    if row.data.get(column) == order["id"]:
        row.data[column] = into
    if "participants" in row.data and order["entity"] == "persons":
        merged = {}
        for one in row.data["participants"]:
            person = into if one["person_id"] == order["id"] else one["person_id"]
            merged[person] = {"person_id": person, "primary": one["primary"] or merged.get(person, one)["primary"]}
        row.data["participants"] = list(merged.values())
    if store.events.switches["merged_links"] == "touched":
        touched(store, row, dict(order, entity=other), before)
    else:
        store.touch(row)


def merge(store, order):
    """Row id is deleted, row into is changed and takes over what pointed to id."""
    entity, loser = order["entity"], order["id"]
    winner = store.get(entity, order["into"])
    if loser == order["into"] or winner.data["is_deleted"] or store.get(entity, loser).data["is_deleted"]:
        raise ValueError("only two different rows that exist can be merged")
    before = as_was(store, entity, winner)
    delete(store, order, {"merged_to_id": order["into"]})
    lay_over(store, entity, winner.data, order.get("fields", {}))
    touched(store, winner, order, before, more={"merged_from_id": loser})
    if entity in REFERENCES:
        for other in store.tables:
            linked = [row for row in store.tables[other].values() if other != entity and points_to(entity, row.data, loser)]
            for row in linked:
                relink(store, order, other, row)
    return winner


def archive(store, order):
    row = store.get("deals", order["id"])
    before = as_was(store, "deals", row)
    row.data["is_archived"], row.data["archive_time"] = True, now_of(store, order)
    return touched(store, row, order, before)


def unarchive(store, order):
    row = store.get("deals", order["id"])
    before = as_was(store, "deals", row)
    row.data["is_archived"], row.data["archive_time"] = False, None
    return touched(store, row, order, before)


# -- field definitions ------------------------------------------------------------------------


def find_field(store, order):
    known = store.fields[order["entity"]]
    wanted = order.get("code") or order.get("name_now")
    for field in known:
        if wanted == field.code or wanted == field.name and field.custom:
            return field
    raise ValueError("no field %r in %s" % (wanted, order["entity"]))


def new_option_id(store):
    ids = [o["id"] for known in store.fields.values() for f in known if f.custom
           for o in f.options or ()]
    retired = [i for known in store.fields.values() for f in known for i in f.retired]
    return max(ids + retired + [9999]) + 1


def set_values(store, order, field):
    """values: {row id: value} for a new or retyped field; update_time stays."""
    for key, value in order.get("values", {}).items():
        row = store.get(order["entity"], int(key))
        row.data["custom_fields"][field.code] = value
    for row in store.tables[order["entity"]].values():
        row.cache = {}


def field_options(store, order, kind):
    if kind not in fields.OPTION_TYPES:
        return None
    first, now = new_option_id(store), now_of(store, order)
    return [fields.option(first + i, label, None, now) for i, label in enumerate(order.get("options", ["A", "B"]))]


def check_type(kind):
    if kind not in fields.CREATABLE:
        raise ValueError("type must be one of " + ", ".join(fields.CREATABLE))


def add_field(store, order):
    entity, kind = order["entity"], order["type"]
    check_type(kind)
    code = order.get("code") or fields.field_code(store.arguments[0], entity, 100000 + store.field_epoch)
    if any(f.code == code for f in store.fields[entity]):
        raise ValueError("field %s exists" % code)
    field = fields.Field(code, order["name"], kind, field_options(store, order, kind), True)
    store.fields[entity].append(field)
    set_values(store, order, field)
    return field


def rename_field(store, order):
    field = find_field(store, order)
    field.name = order["name"]
    return field


def retype_field(store, order):
    """Another type under the same code; old values are dropped."""
    check_type(order["type"])
    field = find_field(store, order)
    field.type = order["type"]
    field.options, field.retired = field_options(store, order, field.type), set()
    for row in store.tables[order["entity"]].values():
        row.data["custom_fields"].pop(field.code, None)
    set_values(store, order, field)
    return field


def remove_field(store, order):
    field = find_field(store, order)
    store.fields[order["entity"]].remove(field)
    for row in store.tables[order["entity"]].values():
        row.data.get("custom_fields", {}).pop(field.code, None)
    return field


def find_option(field, number):
    for option in field.options or ():
        if option["id"] == number:
            return option
    raise ValueError("no option %r in %s" % (number, field.code))


def add_option(store, order):
    field = find_field(store, order)
    number = order.get("option_id") or new_option_id(store)
    field.options.append(fields.option(number, order["label"], None, now_of(store, order)))
    return field


def remove_option(store, order):
    """The definition loses the option; rows keep its id."""
    field = find_field(store, order)
    field.options.remove(find_option(field, order["option_id"]))
    field.retired.add(order["option_id"])
    return field


def relabel_option(store, order):
    field = find_field(store, order)
    option = find_option(field, order["option_id"])
    option["label"], option["update_time"] = order["label"], now_of(store, order)
    return field


ACTIONS = {"create": create, "change": change, "delete": delete, "restore": restore, "purge": purge,
           "merge": merge, "archive": archive, "unarchive": unarchive}
FIELD_ACTIONS = {"add": add_field, "rename": rename_field, "retype": retype_field,
                 "remove": remove_field, "add_option": add_option, "remove_option": remove_option,
                 "relabel_option": relabel_option}


def perform(store, order):
    """Carries out one order; returns the row (or field) it is about."""
    if not isinstance(order, dict):
        raise ValueError("a mutation is an object")
    action, entity = order.get("action"), order.get("entity")
    try:
        if action in ACTIONS:
            if action in ("archive", "unarchive"):
                order = dict(order, entity="deals")
            elif entity not in builtins_.KEYS and (entity, action) != ("users", "change"):
                raise ValueError("unknown entity %r" % entity)
            return ACTIONS[action](store, order)
        if action in FIELD_ACTIONS:
            if entity not in fields.CUSTOM or entity == "activities":
                raise ValueError("unknown entity %r" % entity)
            field = FIELD_ACTIONS[action](store, order)
            store.fields_changed()
            return field
    except KeyError as missing:
        raise ValueError("missing key %s" % missing) from None
    raise ValueError("unknown action %r" % action)
