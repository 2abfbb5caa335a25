# answers.py - the 200 answers: from an endpoint and its validated parameters to a JSON body.

import builtins_
import errors
import fields
import queries
import shapes
from rawjson import encode

ENDS = {"null": '{"next_cursor":null}', "missing": "{}", "no_additional_data": "null"}


def envelope(data, more):
    return '{"success":true,"data":' + data + (',"additional_data":' + more if more else "") + "}"


def view_of(sim, endpoint, values):
    store, custom = sim.store, values.get("custom_fields")
    if custom is not None:
        known = {f.code for f in store.custom(endpoint.entity)}
        wrong = [key for key in custom if key not in known]
        if wrong and sim.switches["unknown_custom_key"] == "400":
            raise errors.invalid("Parameter validation failed: query.custom_fields: unknown key %s"
                                 % wrong[0])
    return shapes.View(store, sim.switches, endpoint.entity, values.get("include_fields", ()), custom,
                       values.get("include_option_labels", False), values.get("include_labels", False))


def ending(sim, position, digest):
    if position is None:
        return ENDS[sim.switches["end_of_list"]]
    return encode({"next_cursor": sim.cursors.make(position, digest)})


def list_(sim, endpoint, arguments, values, pairs, viewer):
    digest, position = queries.position_of(sim.cursors, sim.switches, endpoint.path, pairs,
                                           values.get("cursor"))
    view = view_of(sim, endpoint, values)
    rows, following = queries.page(sim.store, sim.switches, endpoint, values, position, viewer)
    return envelope("[" + ",".join([view.text(row) for row in rows]) + "]",
                    ending(sim, following, digest))


def number_in(arguments, endpoint):
    text = arguments["id"]
    if not text.isdigit() or len(text) > 18:
        raise errors.invalid("Parameter validation failed: params.id must be a number")
    return int(text)


def one(sim, endpoint, arguments, values, pairs, viewer):
    entity = endpoint.entity
    row = sim.store.tables[entity].get(number_in(arguments, endpoint))
    missing = errors.not_found(entity[:-1].capitalize() if entity != "activities" else "Activity")
    if row is None:
        raise missing
    data = row.data
    if data["is_deleted"] and sim.switches["get_deleted"] == "404" \
            or data.get("is_archived") and sim.switches["get_archived"] == "404":
        raise missing
    if viewer.owner is not None and data.get("owner_id", viewer.owner) != viewer.owner:
        if sim.switches["invisible_by_id"] == "403":
            raise errors.service(403, "You do not have permission to access this item", "ERR_FORBIDDEN")
        raise missing
    return envelope(view_of(sim, endpoint, values).text(row), None)


def definitions(sim, entity):
    """The field definitions that this account's plan has."""
    known = sim.store.fields[entity]
    if sim.switches["plan_fields"] == "basic":
        known = [f for f in known if f.code not in builtins_.PLAN_KEYS.get(entity, ())]
    if entity == "persons" and sim.switches["contact_sync"] == "on":
        known = [fields.Field(*row) for row in builtins_.CONTACT_SYNC] + known
    return known


def fields_(sim, endpoint, arguments, values, pairs, viewer):
    digest, position = queries.position_of(sim.cursors, sim.switches, endpoint.path, pairs,
                                           values.get("cursor"))
    known = definitions(sim, endpoint.entity)
    codes = [f.code for f in known]
    start = 0
    if position is not None:
        number, code = position  # the field may have gone meanwhile: then its old place
        start = codes.index(code) if code in codes else number
    stop = start + values.get("limit", 100)
    extras = values.get("include_fields", ())
    data = encode([f.definition(extras) for f in known[start:stop]])
    return envelope(data, ending(sim, [stop, codes[stop]] if stop < len(codes) else None, digest))


def field(sim, endpoint, arguments, values, pairs, viewer):
    for known in definitions(sim, endpoint.entity):
        if known.code == arguments["code"]:
            return envelope(encode(known.definition(values.get("include_fields", ()))), None)
    raise errors.not_found("Field")


def user_row(sim, data, viewer):
    return dict(data, is_you=data["id"] == viewer.user)


def users(sim, endpoint, arguments, values, pairs, viewer):
    table = sim.store.tables["users"]
    return envelope(encode([user_row(sim, table[i].data, viewer) for i in sim.store.ids["users"]]), None)


def user(sim, endpoint, arguments, values, pairs, viewer):
    row = sim.store.tables["users"].get(number_in(arguments, endpoint))
    if row is None:
        raise errors.not_found("User")
    return envelope(encode(user_row(sim, row.data, viewer)), None)


def me(sim, endpoint, arguments, values, pairs, viewer):
    data = user_row(sim, sim.store.get("users", viewer.user).data, viewer)
    data.update({"company_id": 100200300, "company_name": "Simulated Company",
                 "company_domain": "simulated", "company_country": "EE", "company_industry": None,
                 "language": {"language_code": "en", "country_code": "US"}})
    return envelope(encode(data), None)


def webhooks(sim, *rest):
    return sim.subscriptions.listed(sim, *rest)


def add_webhook(sim, arguments, body, viewer):
    return 201, sim.subscriptions.add(sim, body, viewer)


def remove_webhook(sim, arguments, body, viewer):
    if not arguments["id"].isdigit():
        raise errors.invalid("Parameter validation failed: params.id must be a number")
    return 200, sim.subscriptions.remove(sim, int(arguments["id"]))


KINDS = {"list": list_, "one": one, "fields": fields_, "field": field, "users": users, "user": user,
         "me": me, "webhooks": webhooks}
WRITES = {"POST": add_webhook, "DELETE": remove_webhook}
