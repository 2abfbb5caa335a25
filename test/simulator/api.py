# api.py - the endpoints: one row each, saying path, token cost, scope and parameters.

import re

import catalogue

# (path, kind of answer, entity, tokens, scope, parameters); {id} is a row's key, {code} a field code
ROWS = [(path, answer, name, tokens, scope, parameters) for name, kind in catalogue.ENTITIES.items()
        for path, answer, tokens, scope, parameters in kind.endpoints] + [
    ("/v1/webhooks", "webhooks", "webhooks", 10, "admin", []),
    ("/v1/webhooks/{id}", "webhooks", "webhooks", None, "admin", []),
]

# what can be written: path -> {method: tokens}
WRITES = {"/v1/webhooks": {"POST": 10}, "/v1/webhooks/{id}": {"DELETE": 6}}


class Endpoint:
    """One row of ROWS with its path as a pattern."""

    def __init__(self, path, answer, entity, tokens, scope, parameters):
        self.path, self.answer, self.entity, self.kind = path, answer, entity, catalogue.ENTITIES.get(entity)
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
