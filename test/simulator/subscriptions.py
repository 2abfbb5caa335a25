# subscriptions.py - /v1/webhooks: the subscriptions of an account.  Nothing is delivered to them.

import json
import re
import time

import errors
import plan
from rawjson import encode

ACTIONS = ("create", "change", "delete", "*")
OBJECTS = ("activity", "deal", "lead", "note", "organization", "person", "pipeline", "product", "stage", "user",
           "deal_product", "deal_installment", "project", "task", "board", "phase", "*")
MOST = 40
ONLY_LISTED = ("last_delivery_time", "last_http_status", "admin_id")


def refused(status, **problems):
    return errors.ApiError(status, {"status": "error", "success": False, "errors": problems})


def iso_now(sim):
    now = sim.clock.now()
    return "%s.%03dZ" % (now[:-1], int(time.time() * 1000) % 1000 if sim.clock.fixed is None else 0)


class Subscriptions:
    """Rows by id; state that only time brings (bans, removal, deliveries) is set by tests."""

    def __init__(self):
        self.reset()

    def reset(self):
        self.rows, self.last = {}, 0

    def set(self, order):
        """Test control: lays values over one subscription, or removes it from the list (removed: true)."""
        row = self.rows[order["id"]]
        for key, value in order.items():
            if key not in row:
                raise ValueError("no field %r in a webhook" % key)
            row[key] = value
        return row

    def listed(self, sim, endpoint, arguments, values, pairs, viewer):
        return encode({"status": "ok", "success": True, "data": list(self.rows.values())})

    def add(self, sim, body, viewer):
        wish = read_body(body)
        owned = [row for row in self.rows.values() if row["owner_id"] == viewer.user]
        if len(owned) >= MOST:
            raise refused(422, webhooks=["limit of %d webhooks per user reached" % MOST])
        self.last += 1
        user = wish.get("user_id") or viewer.user
        if viewer.user != plan.FIRST_USER and user != viewer.user:
            raise errors.ApiError(403, {"success": False, "message": "Forbidden"})
        row = {"id": self.last, "company_id": 100200300, "owner_id": viewer.user, "user_id": user,
               "event_action": wish["event_action"], "event_object": wish["event_object"],
               "subscription_url": wish["subscription_url"], "is_active": 1, "add_time": iso_now(sim),
               "remove_time": None, "type": "general", "http_auth_user": sealed(wish.get("http_auth_user")),
               "http_auth_password": sealed(wish.get("http_auth_password")), "remove_reason": None,
               "last_delivery_time": None, "last_http_status": None, "admin_id": viewer.user,
               "version": wish.get("version", "2.0"), "name": wish["name"]}
        self.rows[self.last] = row
        data = {k: v for k, v in row.items() if k not in ONLY_LISTED}
        return encode({"status": "ok", "success": True, "data": data})

    def remove(self, sim, number):
        if self.rows.pop(number, None) is None:
            raise refused(404, id=["not found"])
        return encode({"status": "ok", "success": True})


def sealed(text):
    """As the API gives credentials back: unreadable."""
    return None if text is None else "v1u:" + "".join("%02x" % (byte ^ 0x5a) for byte in text.encode("utf-8"))


def read_body(body):
    try:
        wish = json.loads(body.decode("utf-8"))
    except ValueError:
        raise refused(400, body=["not valid JSON"]) from None
    if not isinstance(wish, dict):
        raise refused(400, body=["must be an object"])
    for name in ("subscription_url", "event_action", "event_object", "name"):
        if not isinstance(wish.get(name), str) or not wish[name]:
            raise refused(400, **{name: ["is required"]})
    if wish["event_action"] not in ACTIONS:
        raise refused(400, event_action=["must be one of " + ", ".join(ACTIONS)])
    if wish["event_object"] not in OBJECTS:
        raise refused(400, event_object=["must be one of " + ", ".join(OBJECTS)])
    if wish.get("version", "2.0") not in ("1.0", "2.0"):
        raise refused(400, version=["must be 1.0 or 2.0"])
    if len(wish["name"]) > 255:
        raise refused(400, name=["must be at most 255 characters"])
    if wish["subscription_url"].startswith("http://"):
        raise errors.wrong_scope()  # what users have seen, odd as it is
    if not re.match(r"^https://[^/\s]+\.[^/\s]+", wish["subscription_url"]):
        raise refused(400, subscription_url=["invalid or non-reachable URL"])
    return wish
