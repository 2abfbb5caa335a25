# auth.py - who is asking: tokens, what they see, and the 401 and 403 answers.

import errors
import plan


class Viewer:
    """A token's user; owner is the only owner whose rows it sees, or None for all rows."""

    def __init__(self, token, user, owner=None, scopes=None, oauth=False):
        self.token, self.user, self.owner = token, plan.FIRST_USER + user, owner
        self.scopes, self.oauth = scopes, oauth


_LIMITED = plan.FIRST_USER + 2
VIEWERS = {v.token: v for v in (
    Viewer("sim-token-admin", 0),
    Viewer("sim-token-second", 1),
    Viewer("sim-token-limited", 2, owner=_LIMITED),
    Viewer("sim-token-noscope", 3, scopes=("base",)),
    Viewer("sim-oauth-token", 0, oauth=True),
)}


def identify(headers, pairs):
    """The viewer; API tokens only in x-api-token, OAuth tokens only as Bearer, none in the URL."""
    if any(name == "api_token" for name, _ in pairs):
        raise errors.unauthorized()
    if "x-api-token" in headers:
        viewer = VIEWERS.get(headers["x-api-token"])
        if viewer and not viewer.oauth:
            return viewer
        raise errors.unauthorized()
    scheme, _, token = headers.get("authorization", "").partition(" ")
    viewer = VIEWERS.get(token.strip()) if scheme.lower() == "bearer" else None
    if viewer and viewer.oauth:
        return viewer
    raise errors.unauthorized()


def allow(viewer, endpoint):
    if viewer.scopes is not None and endpoint.scope not in viewer.scopes:
        raise errors.wrong_scope()
