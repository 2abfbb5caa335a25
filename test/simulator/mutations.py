# mutations.py - changes made to the account by tests: rows and field definitions.
#
# perform() takes one JSON object with an action; ACTIONS has one function per action.  Whatever happens to a row is told
# to store.events, from which tests take the webhooks.

import catalogue
import fields
import webhook_records


def now_of(store, order):
    return order.get("at") or store.clock.now()


def kind_of(order):
    return catalogue.ENTITIES[order["entity"]]


def defaults(kind, now):
    """A new row of a kind before the given fields are laid over it."""
    row = dict.fromkeys(kind.keys)
    usual = {"add_time": kind.time(now), "update_time": kind.time(now) if kind.born_changed else None}
    row.update({key: value for key, value in usual.items() if key in row})
    if kind.deleted:
        row[kind.deleted[0]] = not kind.deleted[1]
    row.update(kind.new())
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
            row[key] = catalogue.ENTITIES[entity].time(value) if key.endswith("_time") else value
        else:
            raise ValueError("no field %r in %s" % (key, entity))


def create(store, order):
    entity, kind, values, now = order["entity"], kind_of(order), dict(order.get("fields", {})), now_of(store, order)
    row = defaults(kind, now)
    row[kind.key] = order.get("id") or values.pop(kind.key, None) or store.next_id(entity)
    lay_over(store, entity, row, values)
    if kind.on_create:
        kind.on_create(row, values, now, order)
    store.add(entity, row)
    stored = store.get(entity, row[kind.key])
    store.events.add(store, "create", entity, stored, None, order, now)
    return stored


def as_was(store, entity, row):
    return webhook_records.snapshot(store, catalogue.ENTITIES[entity], row.data)


def change(store, order):
    entity, kind, values = order["entity"], kind_of(order), order.get("fields", {})
    row = store.get(entity, order["id"])
    before = as_was(store, entity, row)
    lay_over(store, entity, row.data, values)
    if kind.on_change:
        kind.on_change(row.data, values, now_of(store, order), order)
    return touched(store, row, order, before, "update_time" in values)


def touched(store, row, order, before, keep=False, action="change", more=None):
    """Sets update_time unless told not to (touch: false) and tells of the event."""
    now, kind = now_of(store, order), kind_of(order)
    if order.get("touch", True) and not keep and "update_time" in row.data:
        row.data["update_time"] = kind.time(now)
    if action == "delete" and kind.delete_tells_after:
        before = as_was(store, order["entity"], row)
    store.touch(row)
    store.events.add(store, action, order["entity"], row, before, order, now, more)
    return row


def delete(store, order, more=None):
    """Deleting what is deleted changes nothing."""
    row, kind = store.get(order["entity"], order["id"]), kind_of(order)
    if not kind.deleted:
        return purge(store, order, more)
    if kind.is_deleted(row.data):
        return row
    before = as_was(store, order["entity"], row)
    row.before_delete = row.data.get("status")
    row.data[kind.deleted[0]] = kind.deleted[1]
    if kind.deleted_status:
        row.data["status"] = kind.deleted_status
    return touched(store, row, order, before, action="delete", more=more)


def restore(store, order):
    """Restoring what is not deleted changes nothing."""
    row, kind = store.get(order["entity"], order["id"]), kind_of(order)
    if not kind.is_deleted(row.data):
        return row
    before = as_was(store, order["entity"], row)
    row.data[kind.deleted[0]] = not kind.deleted[1]
    if kind.deleted_status:
        row.data["status"] = row.before_delete or "open"
    return touched(store, row, order, before)


def purge(store, order, more=None):
    """The row is gone for good; an event only if it was not deleted before."""
    row = store.get(order["entity"], order["id"])
    before = as_was(store, order["entity"], row)
    store.remove(order["entity"], order["id"])
    if not kind_of(order).is_deleted(before):
        store.events.add(store, "delete", order["entity"], row, before, order, now_of(store, order), more)
    return row


def points_to(other, entity, data, key):
    """Whether a row of another kind refers to row key of this one."""
    if entity in other.references and data[other.references[entity]] == key:
        return True
    people = data.get("participants") or () if entity == "persons" else ()
    return any(one["person_id"] == key for one in people)


def relink(store, order, other, row):
    """Makes a row that points to the loser of a merge point to the winner; whether that is a change is a switch."""
    before, into = as_was(store, other, row), order["into"]
    column = catalogue.ENTITIES[other].references.get(order["entity"])
    if column and row.data[column] == order["id"]:
        row.data[column] = into
    if "participants" in row.data and order["entity"] == "persons":
        merged = {}
        for one in row.data["participants"]:
            person = into if one["person_id"] == order["id"] else one["person_id"]
            merged[person] = {"person_id": person, "primary": one["primary"] or merged.get(person, one)["primary"]}
        row.data["participants"] = list(merged.values())
    if store.switches[catalogue.ENTITIES[other].merge_switch] == "touched":
        touched(store, row, dict(order, entity=other), before)
    else:
        store.touch(row)


def merge(store, order):
    """Row id is deleted, row into is changed and takes over what pointed to id."""
    entity, loser = order["entity"], order["id"]
    winner, kind = store.get(entity, order["into"]), kind_of(order)
    if loser == order["into"] or any(kind.is_deleted(store.get(entity, one).data) for one in (loser, order["into"])):
        raise ValueError("only two different rows that exist can be merged")
    before = as_was(store, entity, winner)
    delete(store, order, {"merged_to_id": order["into"]})
    lay_over(store, entity, winner.data, order.get("fields", {}))
    touched(store, winner, order, before, more={"merged_from_id": loser})
    for other in catalogue.ENTITIES.values():
        linked = [row for row in store.tables[other.name].values()
                  if other.name != entity and points_to(other, entity, row.data, loser)]
        for row in linked:
            relink(store, order, other.name, row)
    return winner


def move(archived):
    def act(store, order):
        kind = kind_of(order)
        row = store.get(order["entity"], order["id"])
        before = as_was(store, order["entity"], row)
        row.data["is_archived"] = archived
        row.data["archive_time"] = kind.time(now_of(store, order)) if archived else None
        return touched(store, row, order, before)
    return act


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


def rows_with_fields(store, order):
    return [row for entity in catalogue.sharing(order["entity"]) for row in store.tables[entity].values()]


def set_values(store, order, field):
    """values: {row id: value} for a new or retyped field; update_time stays."""
    for key, value in order.get("values", {}).items():
        row = store.get(order["entity"], int(key))
        row.data["custom_fields"][field.code] = value
    for row in rows_with_fields(store, order):
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
    for row in rows_with_fields(store, order):
        row.data["custom_fields"].pop(field.code, None)
    set_values(store, order, field)
    return field


def remove_field(store, order):
    field = find_field(store, order)
    store.fields[order["entity"]].remove(field)
    for row in rows_with_fields(store, order):
        row.data["custom_fields"].pop(field.code, None)
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
           "merge": merge, "archive": move(True), "unarchive": move(False)}
FIELD_ACTIONS = {"add": add_field, "rename": rename_field, "retype": retype_field,
                 "remove": remove_field, "add_option": add_option, "remove_option": remove_option,
                 "relabel_option": relabel_option}


def target(order):
    """The entity an order is about; archiving means deals unless it says otherwise."""
    return order.get("entity", "deals") if order.get("action") in ("archive", "unarchive") else order.get("entity")


def allowed(action, kind):
    if action in ("archive", "unarchive") and not (kind and kind.archives):
        return False
    return kind is not None and (kind.actions is None or action in kind.actions)


def perform(store, order):
    """Carries out one order; returns the row (or field) it is about."""
    if not isinstance(order, dict):
        raise ValueError("a mutation is an object")
    action, entity = order.get("action"), target(order)
    kind = catalogue.ENTITIES.get(entity)
    try:
        if action in ACTIONS:
            if not allowed(action, kind):
                raise ValueError("unknown entity %r" % entity)
            return ACTIONS[action](store, dict(order, entity=entity))
        if action in FIELD_ACTIONS:
            if not (kind and kind.custom):
                raise ValueError("unknown entity %r" % entity)
            field = FIELD_ACTIONS[action](store, order)
            store.fields_changed()
            return field
    except KeyError as missing:
        raise ValueError("missing key %s" % missing) from None
    raise ValueError("unknown action %r" % action)
