# filters.py - saved filters (filter_id) and the predicates of the query parameters.

from decimal import Decimal

# id -> (entity, name, predicate)
SAVED = {
    11: ("deals", "Open deals of the first pipeline",
         lambda d: d["status"] == "open" and d["pipeline_id"] == 1),
    12: ("deals", "Deals worth 10000 or more", lambda d: Decimal(str(d["value"] or 0)) >= 10000),
    21: ("persons", "Persons with an organization", lambda d: d["org_id"] is not None),
    31: ("organizations", "Organizations with an address", lambda d: d["address"] is not None),
    41: ("activities", "Calls to make", lambda d: d["type"] == "call" and not d["done"]),
}

# Parameters that filter_id makes the server ignore; with a switch also the second group.
OVERRIDDEN = {"ids", "owner_id", "person_id", "org_id", "deal_id", "lead_id", "pipeline_id", "stage_id",
              "status"}
SILENT = {"updated_since", "updated_until", "done"}


def column(name):
    """Equality with a top-level column."""
    return lambda wanted, store: lambda d: d[name] == wanted


def person_of_deal(wanted, store):
    """Persons linked to a deal."""
    deal = store.tables["deals"].get(wanted)
    person = deal.data["person_id"] if deal else None
    return lambda d: d["id"] == person


def deal_status(wanted, store):
    return lambda d: d["status"] in wanted


# (entity or None for any, parameter) -> maker of a predicate
PREDICATES = {
    (None, "owner_id"): column("owner_id"), (None, "person_id"): column("person_id"),
    (None, "org_id"): column("org_id"), (None, "pipeline_id"): column("pipeline_id"),
    (None, "stage_id"): column("stage_id"), (None, "deal_id"): column("deal_id"),
    (None, "lead_id"): column("lead_id"), (None, "done"): column("done"),
    ("deals", "status"): deal_status, ("persons", "deal_id"): person_of_deal,
}


def window(values, null_too):
    """updated_since <= update_time < updated_until; null_too lets null pass updated_since."""
    since, until = values.get("updated_since"), values.get("updated_until")
    if since is None and until is None:
        return None

    def inside(data):
        when = data["update_time"]
        if when is None:
            return null_too and since is not None and until is None
        return (since is None or when >= since) and (until is None or when < until)
    return inside


def build(entity, values, store, switches):
    """Predicates for one list request; values are its validated parameters."""
    out = []
    for name, wanted in values.items():
        make = PREDICATES.get((entity, name)) or PREDICATES.get((None, name))
        if make:
            out.append(make(wanted, store))
    inside = window(values, switches["updated_since_returns_null_update_time"] == "yes")
    if inside:
        out.append(inside)
    return out
