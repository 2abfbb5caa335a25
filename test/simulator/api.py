# api.py - the endpoints: one row each, saying path, token cost, scope and parameters.

import re

import builtins_

WINDOW = [("updated_since", "time", None), ("updated_until", "time", None)]
PAGE = [("limit", "limit", None), ("cursor", "cursor", None)]
LABELS = [("include_option_labels", "bool", None), ("include_labels", "bool", None)]
STATUS = ("open", "won", "lost", "deleted")


def ints(*names):
    return [(name, "int", None) for name in names]


def sort(*extra):
    return [("sort_by", "choice", ("id", "update_time", "add_time") + extra),
            ("sort_direction", "choice", ("asc", "desc"))]


def include(entity):
    return [("include_fields", "choices", tuple(builtins_.OPTIONAL_KEYS[entity]))]


IDS = [("ids", "ids", None)]
CUSTOM = [("custom_fields", "keys", None)]
NAMESPACES = [("include_fields", "choices", ("ui_visibility", "important_fields", "required_fields"))]
ONLY_VISIBILITY = [("include_fields", "choices", ("ui_visibility",))]

DEALS = (ints("filter_id", "owner_id", "person_id", "org_id", "pipeline_id", "stage_id") + IDS
         + [("status", "choices", STATUS)] + WINDOW + sort() + include("deals") + CUSTOM)
PERSONS = ints("filter_id", "owner_id", "org_id", "deal_id") + IDS + WINDOW + sort() \
    + include("persons") + CUSTOM + LABELS
ORGANIZATIONS = ints("filter_id", "owner_id") + IDS + WINDOW + sort() + include("organizations") \
    + CUSTOM + LABELS
ACTIVITIES = ints("filter_id", "owner_id", "deal_id", "person_id", "org_id") + IDS \
    + [("lead_id", "uuid", None), ("done", "bool", None)] + WINDOW + sort("due_date") \
    + include("activities")


def single(entity):
    """Parameters of a record asked for by id."""
    return include(entity) + (CUSTOM + LABELS if entity != "activities" else [])


# (path, kind, entity, tokens, scope, parameters); {id} is a number, {code} a field code
ROWS = [
    ("/api/v2/deals", "list", "deals", 10, "deals", DEALS + LABELS + PAGE),
    ("/api/v2/deals/archived", "list", "deals", 20, "deals", DEALS + PAGE),
    ("/api/v2/deals/{id}", "one", "deals", 1, "deals", single("deals")),
    ("/api/v2/persons", "list", "persons", 10, "contacts", PERSONS + PAGE),
    ("/api/v2/persons/{id}", "one", "persons", 1, "contacts", single("persons")),
    ("/api/v2/organizations", "list", "organizations", 10, "contacts", ORGANIZATIONS + PAGE),
    ("/api/v2/organizations/{id}", "one", "organizations", 1, "contacts", single("organizations")),
    ("/api/v2/activities", "list", "activities", 10, "activities", ACTIVITIES + PAGE),
    ("/api/v2/activities/{id}", "one", "activities", 1, "activities", single("activities")),
    ("/api/v2/pipelines", "list", "pipelines", 5, "deals", sort() + PAGE),
    ("/api/v2/pipelines/{id}", "one", "pipelines", 1, "deals", []),
    ("/api/v2/stages", "list", "stages", 5, "deals", ints("pipeline_id") + sort("order_nr") + PAGE),
    ("/api/v2/stages/{id}", "one", "stages", 1, "deals", []),
    ("/api/v2/dealFields", "fields", "deals", 10, "deals", NAMESPACES + PAGE),
    ("/api/v2/dealFields/{code}", "field", "deals", 1, "deals", NAMESPACES),
    ("/api/v2/personFields", "fields", "persons", 10, "contacts", NAMESPACES + PAGE),
    ("/api/v2/personFields/{code}", "field", "persons", 1, "contacts", NAMESPACES),
    ("/api/v2/organizationFields", "fields", "organizations", 10, "contacts", NAMESPACES + PAGE),
    ("/api/v2/organizationFields/{code}", "field", "organizations", 1, "contacts", NAMESPACES),
    ("/api/v2/activityFields", "fields", "activities", 10, "admin", ONLY_VISIBILITY + PAGE),
    ("/api/v2/activityFields/{code}", "field", "activities", 1, "admin", ONLY_VISIBILITY),
    ("/v1/users", "users", "users", 20, "users", []),
    ("/v1/users/me", "me", "users", 2, "base", []),
    ("/v1/users/{id}", "user", "users", 2, "users", []),
    ("/v1/webhooks", "webhooks", "webhooks", 10, "admin", []),
    ("/v1/webhooks/{id}", "webhooks", "webhooks", None, "admin", []),
]

# what can be written: path -> {method: tokens}
WRITES = {"/v1/webhooks": {"POST": 10}, "/v1/webhooks/{id}": {"DELETE": 6}}


class Endpoint:
    """One row of ROWS with its path as a pattern."""

    def __init__(self, path, kind, entity, tokens, scope, parameters):
        self.path, self.kind, self.entity = path, kind, entity
        self.tokens, self.scope, self.parameters = tokens, scope, parameters
        self.archived, self.writes = path.endswith("/archived"), WRITES.get(path, {})
        pattern = path.replace("{id}", "(?P<id>[^/]+)").replace("{code}", "(?P<code>[^/]+)")
        self.pattern = re.compile("^" + pattern + "$")


ENDPOINTS = [Endpoint(*row) for row in ROWS]
_LITERAL = {e.path: e for e in ENDPOINTS if "{" not in e.path}
_PATTERNS = [e for e in ENDPOINTS if "{" in e.path]


def find(path):
    """(endpoint, path arguments) or (None, None); /api/v1/... is the same as /v1/..."""
    if path.startswith("/api/v1/"):
        path = path[4:]
    if path in _LITERAL:
        return _LITERAL[path], {}
    for endpoint in _PATTERNS:
        match = endpoint.pattern.match(path)
        if match:
            return endpoint, match.groupdict()
    return None, None
