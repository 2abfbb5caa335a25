# answers.py - the 200 answers: from an endpoint and its validated parameters to a JSON body.

import re

import catalogue
import errors
import fields
import queries
import shapes
from rawjson import encode

ENDS = {"null": '{"next_cursor":null}', "missing": "{}", "no_additional_data": "null"}


def envelope(data, more):
    return '{"success":true,"data":' + data + (',"additional_data":' + more if more else "") + "}"


def view_of(sim, endpoint, values, viewer):
    store, custom = sim.store, values.get("custom_fields")
    if custom is not None:
        known = {f.code for f in store.custom(endpoint.entity)}
        wrong = [key for key in custom if key not in known]
        if wrong and sim.switches["unknown_custom_key"] == "400":
            raise errors.invalid("Parameter validation failed: query.custom_fields: unknown key %s"
                                 % wrong[0])
    return shapes.View(store, sim.switches, endpoint.entity, values.get("include_fields", ()), custom,
                       values.get("include_option_labels", False), values.get("include_labels", False),
                       user=viewer.user)


def ending(sim, position, digest):
    if position is None:
        return ENDS[sim.switches["end_of_list"]]
    return encode({"next_cursor": sim.cursors.make(position, digest)})


def list_(sim, endpoint, arguments, values, pairs, viewer):
    digest, position = queries.position_of(sim.cursors, sim.switches, endpoint.path, pairs,
                                           values.get("cursor"))
    view = view_of(sim, endpoint, values, viewer)
    rows, following = queries.page(sim.store, sim.switches, endpoint, values, position, viewer)
    return envelope("[" + ",".join([view.text(row) for row in rows]) + "]",
                    ending(sim, following, digest))


def rows_text(view, rows, switches):
    """data of a v1 list."""
    if not rows and switches["v1_empty_list"] == "null":
        return "null"
    return "[" + ",".join([view.text(row) for row in rows]) + "]"


def all_(sim, endpoint, arguments, values, pairs, viewer):
    """A v1 list without pages."""
    rows = queries.v1_rows(sim.store, sim.switches, endpoint, values, viewer)
    return envelope(rows_text(view_of(sim, endpoint, values, viewer), rows, sim.switches), None)


def offset(sim, endpoint, arguments, values, pairs, viewer):
    """A v1 list that is asked by start and limit."""
    rows, start, limit, more = queries.offset_page(sim.store, sim.switches, endpoint, values, viewer)
    paging = {"start": start, "limit": limit, "more_items_in_collection": more}
    flat = endpoint.kind.flat_paging and sim.switches["lead_paging"] == "flat"
    if more and not flat:
        paging["next_start"] = start + limit
    data = rows_text(view_of(sim, endpoint, values, viewer), rows, sim.switches)
    return envelope(data, encode(paging if flat else {"pagination": paging}))


KEY_FORMS = {"int": (r"[0-9]{1,18}", int, "must be a number"),
             "uuid": (r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", str.lower, "must be a valid uuid"),
             "text": (r".+", str, "is required")}


def key_in(arguments, endpoint):
    form, read, problem = KEY_FORMS[endpoint.kind.key_kind]
    if not re.fullmatch(form, arguments["id"], re.ASCII):
        raise errors.invalid("Parameter validation failed: params.id " + problem)
    return read(arguments["id"])


def one(sim, endpoint, arguments, values, pairs, viewer):
    kind = endpoint.kind
    row = sim.store.tables[endpoint.entity].get(key_in(arguments, endpoint))
    missing = errors.ApiError(404, kind.missing) if kind.missing else errors.not_found(kind.title)
    if row is None:
        raise missing
    data = row.data
    if kind.is_deleted(data) and sim.switches["get_deleted"] == "404" \
            or kind.archives and data["is_archived"] and sim.switches["get_archived"] == "404":
        raise missing
    if viewer.owner is not None and kind.owner and data[kind.owner] != viewer.owner:
        if sim.switches["invisible_by_id"] == "403":
            raise errors.service(403, "You do not have permission to access this item", "ERR_FORBIDDEN")
        raise missing
    return envelope(view_of(sim, endpoint, values, viewer).text(row), None)


def definitions(sim, entity):
    """The field definitions that this account's plan has."""
    known, kind = sim.store.fields[entity], catalogue.ENTITIES[entity]
    if sim.switches["plan_fields"] == "basic":
        known = [f for f in known if f.code not in kind.plan_keys]
    if sim.switches["contact_sync"] == "on":
        known = [fields.Field(*row) for row in kind.contact_keys] + known
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


def me(sim, endpoint, arguments, values, pairs, viewer):
    data = dict(sim.store.get("users", viewer.user).data, is_you=True)
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


KINDS = {"list": list_, "offset": offset, "all": all_, "one": one, "fields": fields_, "field": field, "me": me,
         "webhooks": webhooks}
WRITES = {"POST": add_webhook, "DELETE": remove_webhook}
