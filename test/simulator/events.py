# events.py - the webhook events of everything that happens to the account, in order, in both payload versions.
#
# Nothing is delivered: tests read the bodies (GET /__simulator/webhooks) and deliver them as they like.

import time
import uuid

import catalogue
import clock
import webhook_records as records
from plan import FIRST_USER
from rawjson import encode

V1_ACTIONS = {"create": "added", "change": "updated", "delete": "deleted", "merge": "merged"}


class Event:
    __slots__ = ("n", "action", "kind", "key", "at", "v2", "v1")


class Events:
    """The journal of events since the start or the last reset."""

    def __init__(self, seed, switches):
        self.seed, self.switches, self.epoch, self.count = seed, switches, 0, 0
        self.list, self.second = [], ("", 0)

    def reset(self):
        """Numbers begin again; event ids never come twice."""
        self.epoch, self.count, self.list, self.second = self.epoch + 1, 0, [], ("", 0)

    def clear(self):
        self.list = []

    def milliseconds(self, at):
        """Of the event: real ones while the clock runs, else a count of the events in that second."""
        real = time.time()
        if at == clock.text(real):
            return int(real * 1000) % 1000
        self.second = (at, self.second[1] + 1) if self.second[0] == at else (at, 0)
        return min(self.second[1], 999)

    def add(self, store, action, entity, row, before, order, at, more=None):
        """An event about a row: create (before None), change or delete (before is the last state)."""
        kind = catalogue.ENTITIES[entity]
        if kind.object is None:
            return
        event = Event()
        self.count += 1
        event.n, event.action, event.kind, event.at = self.count, action, kind, at
        event.key, known = (before or row.data)[kind.key], store.custom(entity)
        after = None if action == "delete" else records.snapshot(store, kind, row.data)
        event.v2 = encode(self.body(event, known, before, after, order, more or {}))
        event.v1 = encode(self.body_v1(event, known, before, after, order, more or {})) if self.in_v1(kind) else None
        self.list.append(event)

    def in_v1(self, kind):
        return kind.v1_events or self.switches["v1_lead_events"] == "yes"

    def identity(self, event, what):
        return str(uuid.uuid5(uuid.NAMESPACE_OID, "%s/%s/%s/%s" % (self.seed, self.epoch, event.n, what)))

    def body(self, event, known, before, after, order, more):
        """The v2 payload."""
        long = self.switches["webhook_times"] == "milliseconds"
        old = before and records.record(event.kind, before, known, True, long)
        nulls = event.action != "create"
        new = after and records.record(event.kind, after, known, nulls, long)
        if event.action == "create" and self.switches["webhook_create_custom_fields"] == "empty" \
                and "custom_fields" in new:
            new["custom_fields"] = {}
        if event.action == "change":
            old = records.difference(old, new)
        return {"data": new, "previous": old, "meta": self.meta(event, order, more)}

    def meta(self, event, order, more):
        user, stamp = str(order.get("user", FIRST_USER)), event.at[:-1]
        out = {"action": event.action, "company_id": "100200300", "correlation_id": self.identity(event, "correlation"),
               "entity_id": str(event.key), "entity": event.kind.object, "id": self.identity(event, "event"),
               "is_bulk_edit": bool(order.get("bulk", False)),
               "timestamp": "%s.%03dZ" % (stamp, self.milliseconds(event.at)), "type": "general", "user_id": user,
               "version": "2.0", "webhook_id": "1872755", "webhook_owner_id": str(FIRST_USER),
               "change_source": order.get("source", "app"),
               "permitted_user_ids": [str(FIRST_USER + i) for i in range(3)], "attempt": 1,
               "host": "simulated.pipedrive.com"}
        if event.kind.bare_meta:
            out["id"], out["timestamp"] = str(event.key), clock.seconds(event.at)
            del out["permitted_user_ids"]
        out.update((key, str(value)) for key, value in more.items())
        return out

    def body_v1(self, event, known, before, after, order, more):
        """The v1 payload: both states in full."""
        action = V1_ACTIONS["merge" if event.action == "change" and "merged_from_id" in more else event.action]
        name, seconds = event.kind.object, clock.seconds(event.at)
        meta = {"v": 1, "action": action, "object": name, "id": event.key, "company_id": 100200300,
                "user_id": order.get("user", FIRST_USER), "host": "simulated.pipedrive.com",
                "timestamp": seconds, "timestamp_micro": seconds * 1000000 + event.n % 1000000,
                "permitted_user_ids": [FIRST_USER + i for i in range(3)], "trans_pending": False,
                "is_bulk_update": bool(order.get("bulk", False)), "pipedrive_service_name": None,
                "change_source": order.get("source", "app"), "webhook_id": "1872755"}
        old = before and records.flat_record(event.kind, before, known)
        new = after and records.flat_record(event.kind, after, known)
        return {"v": 1, "matches_filters": {"current": [], "previous": []}, "meta": meta, "retry": 0, "current": new,
                "previous": old, "event": "%s.%s" % (action, name)}

    def json(self, since, version):
        """[{n, action, entity, id, at, body}] after number since, but for what the version does not know."""
        chosen = [(e, e.v1 if version == "1.0" else e.v2) for e in self.list if e.n > since]
        return "[" + ",".join(
            '{"n":%d,"action":"%s","entity":"%s","id":%s,"at":"%s","body":%s}'
            % (e.n, e.action, e.kind.name, encode(e.key), e.at, body) for e, body in chosen if body) + "]"
