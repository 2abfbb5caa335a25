# filters.py - saved filters (filter_id) and the predicates of the query parameters.

import catalogue
from entity import column

SAVED = {number: (name,) + row for name, kind in catalogue.ENTITIES.items() for number, row in kind.saved.items()}

# Parameters that filter_id makes the server ignore; with a switch also the second group.
OVERRIDDEN = {"ids", "owner_id", "person_id", "org_id", "organization_id", "deal_id", "lead_id", "pipeline_id",
              "stage_id", "status"}
SILENT = {"updated_since", "updated_until", "done"}


# parameter -> maker of a predicate, for all kinds; more in the entity's own row
PREDICATES = {name: column(name) for name in ("owner_id", "person_id", "org_id", "pipeline_id", "stage_id", "deal_id",
                                              "lead_id", "done")}


def window(values, null_too):
    """updated_since <= update_time < updated_until; null_too lets null pass updated_since."""
    since, until = values.get("updated_since"), values.get("updated_until")
    if since is None and until is None:
        return None
    since, until = since and since[:-1], until and until[:-1]  # without Z, a fraction sorts after its whole second

    def inside(data):
        when = data["update_time"]
        if when is None:
            return null_too and since is not None and until is None
        when = when[:-1]
        return (since is None or when >= since) and (until is None or when < until)
    return inside


def build(entity, values, store, switches):
    """Predicates for one list request; values are its validated parameters."""
    out, own = [], catalogue.ENTITIES[entity].predicates
    for name, wanted in values.items():
        make = own.get(name) or PREDICATES.get(name)
        if make:
            out.append(make(wanted, store))
    inside = window(values, switches["updated_since_returns_null_update_time"] == "yes")
    if inside:
        out.append(inside)
    return out
