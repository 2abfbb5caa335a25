# control.py - the tests' side door: everything under /__simulator/.
#
# ROUTES: (method, path) -> function(sim, order) where order is the request's JSON.  A function
# returns text (sent as it is), or a value (sent as JSON).

import catalogue
import faults
import mutations
import shapes
from rawjson import decode, encode

PREFIX = "/__simulator/"


def get_limits(sim, order):
    return sim.limits.describe()


def put_limits(sim, order):
    sim.limits.set(order)
    return sim.limits.describe()


def put_switches(sim, order):
    sim.switches.update(order)
    return sim.switches.values


def put_latency(sim, order):
    sim.faults.latency_ms = order["ms"]
    return {"ms": order["ms"]}


def put_clock(sim, order):
    sim.clock.set(order["now"])
    return {"now": sim.clock.now()}


def post_faults(sim, order):
    for fault in order if isinstance(order, list) else [order]:
        sim.faults.add(fault)
    return {"faults": len(sim.faults.rules)}


def clear(action):
    def run(sim, order):
        action(sim)
        return {"done": True}
    return run


def clear_hooks(sim):
    sim.hooks = []


def true_row(sim, entity, row):
    view = shapes.View(sim.store, sim.switches, entity, true_state=True)
    return view.text(row)


def post_mutate(sim, order):
    """One order, or a list of them; answers with the last row (or field) concerned."""
    text = "null"
    for one in order if isinstance(order, list) else [order]:
        result = mutations.perform(sim.store, one)
        if hasattr(result, "definition"):
            text = encode(result.definition())
        else:
            text = true_row(sim, mutations.target(one), result)
    return text


def key_of(order):
    return catalogue.ENTITIES[mutations.target(order)].key


def post_mutate_many(sim, order):
    """A list of orders; answers [{"id": of the row}, {"error": why not}, ...] and goes on after an error."""
    out = []
    for one in order:
        try:
            result = mutations.perform(sim.store, one)
            out.append({"code": result.code} if hasattr(result, "definition") else {"id": result.data[key_of(one)]})
        except (ValueError, TypeError, AttributeError) as error:
            out.append({"error": str(error)})
    return out


def post_subscription(sim, order):
    return sim.subscriptions.set(order)


def post_on_request(sim, order):
    match = faults.Match(order.get("after_request_matching", order.get("match", {})))
    when = order.get("when", "after")
    if when not in ("before", "after"):
        raise ValueError("when is before or after")
    sim.hooks.append((match, when, order["mutations"]))
    return {"hooks": len(sim.hooks)}


def post_recorded(sim, order):
    for one in order if isinstance(order, list) else [order]:
        sim.recordings.add(one)
    return {"paths": sorted(sim.recordings.paths)}


def get_fields(sim, order):
    return {entity: [f.definition() for f in sim.store.custom(entity)] for entity in sim.store.fields}


def get_help(sim, order):
    return "".join("%s %s%s\n" % (method, PREFIX, path) for method, path in sorted(ROUTES)) \
        + "GET %srows/{entity}\nGET %swebhooks\n" % (PREFIX, PREFIX)


ROUTES = {
    ("GET", ""): get_help,
    ("GET", "health"): lambda sim, order: {"ok": True},
    ("GET", "urls"): lambda sim, order: sim.urls,
    ("GET", "journal"): lambda sim, order: sim.journal.json(),
    ("GET", "journal.txt"): lambda sim, order: sim.journal.text(),
    ("DELETE", "journal"): clear(lambda sim: sim.journal.clear()),
    ("POST", "reset"): clear(lambda sim: sim.reset()),
    ("GET", "switches"): lambda sim, order: sim.switches.describe(),
    ("PUT", "switches"): put_switches,
    ("GET", "limits"): get_limits,
    ("PUT", "limits"): put_limits,
    ("PUT", "latency"): put_latency,
    ("GET", "clock"): lambda sim, order: {"now": sim.clock.now()},
    ("PUT", "clock"): put_clock,
    ("GET", "faults"): lambda sim, order: sim.faults.describe(),
    ("POST", "faults"): post_faults,
    ("DELETE", "faults"): clear(lambda sim: sim.faults.clear()),
    ("POST", "mutate"): post_mutate,
    ("POST", "mutate_many"): post_mutate_many,
    ("DELETE", "webhooks"): clear(lambda sim: sim.store.events.clear()),
    ("GET", "subscriptions"): lambda sim, order: list(sim.subscriptions.rows.values()),
    ("POST", "subscriptions"): post_subscription,
    ("GET", "fields"): get_fields,
    ("POST", "fields"): post_mutate,
    ("POST", "on_request"): post_on_request,
    ("DELETE", "on_request"): clear(clear_hooks),
    ("GET", "recorded"): lambda sim, order: sorted(sim.recordings.paths),
    ("POST", "recorded"): post_recorded,
    ("DELETE", "recorded"): clear(lambda sim: sim.recordings.clear()),
}


def rows(sim, request, entity):
    if entity not in sim.store.tables:
        raise ValueError("unknown entity %r" % entity)
    return shapes.true_rows(sim.store, sim.switches, entity, dict(request.pairs).get("optional") == "yes")


def webhooks(sim, request):
    wish = dict(request.pairs)
    if wish.get("version", "2.0") not in ("1.0", "2.0"):
        raise ValueError("version is 1.0 or 2.0")
    return sim.store.events.json(int(wish.get("since", 0)), wish.get("version", "2.0"))


def run(sim, request):
    path = request.path[len(PREFIX):]
    with sim.store.lock:
        if request.method == "GET" and path.startswith("rows/"):
            return 200, rows(sim, request, path[5:])
        if request.method == "GET" and path == "webhooks":
            return 200, webhooks(sim, request)
        action = ROUTES.get((request.method, path))
        if action is None:
            return 404, {"error": "no such control: %s %s" % (request.method, path)}
        order = decode(request.body.decode("utf-8")) if request.body.strip() else {}
        return 200, action(sim, order)


def handle(sim, request):
    """The Response to a control request."""
    try:
        status, result = run(sim, request)
    except KeyError as error:
        status, result = 400, {"error": "missing key %s" % error}
    except (ValueError, TypeError, AttributeError) as error:
        status, result = 400, {"error": str(error)}
    text = result if isinstance(result, str) else encode(result)
    kind = "text/plain; charset=utf-8" if request.path.endswith((".txt", PREFIX)) else "application/json"
    return faults.Response(status, text.encode("utf-8"), content_type=kind)
