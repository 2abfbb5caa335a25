# history.py - one seeded history: what happens to the account, how its webhooks arrive, when the mirror is synced.
#
# Random choices come from the seed only; with several sessions at work the order of arrival is the operating system's.

import json
import random

ENTITIES = ("deals", "persons", "organizations", "activities", "leads", "notes")
TITLE = {"deals": "title", "persons": "name", "organizations": "name", "activities": "subject", "leads": "title",
         "notes": "content"}
OWNER = {"notes": "user_id"}  # of the others: owner_id
REFERENCE = {"person_id": "persons", "org_id": "organizations", "organization_id": "organizations", "deal_id": "deals",
             "lead_id": "leads"}
LINKS = {"deals": ("person_id", "org_id"), "persons": ("org_id",), "organizations": (),
         "activities": ("deal_id", "person_id", "org_id"), "leads": ("person_id", "organization_id"),
         "notes": ("deal_id", "person_id", "org_id", "lead_id")}
ARCHIVES = ("deals", "leads")
MERGED = ("deals", "persons", "organizations")
LABELS = {"deals": (1, 2, 3), "persons": (11, 12, 13), "organizations": (21, 22, 23),
          "leads": ("f08b42a0-4e75-11ea-9643-03698ef1cfd6", "f08b42a1-4e75-11ea-9643-03698ef1cfd6",
                    "f08b69b0-4e75-11ea-9643-03698ef1cfd6")}
START = 1775037600  # 2026-04-01T10:00:00Z

# simulator switches a history may turn; the first value is the simulator's own
SWITCHES = (("updated_since_returns_null_update_time", ("no", "yes")), ("sort_nulls", ("first", "last")),
            ("absent_keys", ("null", "absent")), ("custom_null_keys", ("null", "absent")),
            ("get_deleted", ("found", "404")), ("end_of_list", ("null", "missing")),
            ("webhook_times", ("seconds", "milliseconds")), ("webhook_create_custom_fields", ("set", "empty")))


def is_deleted(entity, row):
    """Whether a row of the simulator's own is deleted; a deleted lead is no row."""
    return entity != "leads" and (not row["active_flag"] if entity == "notes" else row["is_deleted"])


class Delivery:
    """One arrival of an event: at which step, in which mode."""

    __slots__ = ("number", "body", "due", "mode")

    def __init__(self, number, body, due, mode):
        self.number, self.body, self.due, self.mode = number, body, due, mode


class Account:
    """What the history knows of the rows: ids by state, so that most orders make sense."""

    def __init__(self, simulator):
        self.live, self.deleted, self.archived = {}, {}, {}
        for entity in ENTITIES:
            rows = simulator.control("GET", "rows/" + entity)
            self.live[entity] = [r["id"] for r in rows if not is_deleted(entity, r)]
            self.deleted[entity] = [r["id"] for r in rows if is_deleted(entity, r)]
            if entity in ARCHIVES:
                self.archived[entity] = {r["id"] for r in rows if r["is_archived"]}

    def did(self, order, answer):
        """Keeps in step with an order that was carried out."""
        if "error" in answer:
            return
        action, entity, key = order["action"], order["entity"], answer.get("id")
        live, deleted = self.live.get(entity), self.deleted.get(entity)
        if action == "create":
            live.append(key)
        elif action in ("delete", "merge", "purge"):
            key = order["id"]
            if key in live:
                live.remove(key)
            if key in deleted and action == "purge":
                deleted.remove(key)
            elif key not in deleted and action != "purge" and entity != "leads":
                deleted.append(key)
        elif action == "restore" and key in deleted:
            deleted.remove(key)
            live.append(key)
        elif action == "archive":
            self.archived[entity].add(key)
        elif action == "unarchive":
            self.archived[entity].discard(key)


class History:
    def __init__(self, seed, crashes):
        self.seed, self.random = seed, random.Random("convergence/%d" % seed)
        r = self.random
        self.lossy = r.random() < 0.5
        self.version = "1.0" if r.random() < 0.15 else "2.0"
        self.crash = r.random() < 0.06 and crashes
        self.switches = {name: values[1] for name, values in SWITCHES if r.random() < 0.25}
        self.switches["merged_links"] = self.switches["merged_v1_links"] = "touched"
        if self.version == "1.0":
            self.switches["v1_lead_events"] = "yes"
        self.page_size = r.choice((4, 500, 500))
        self.steps, self.now = r.randint(5, 12), START
        self.modes = r.choice((("apply",), ("queue",), ("apply", "queue"), ("apply", "queue", "refetch")))
        self.delay = r.choice((0.0, 0.3, 0.7))
        self.double, self.loss = r.choice((0.0, 0.3)), 0.3 if self.lossy else 0.0
        self.sync_rate, self.apply_rate = r.choice((0.2, 0.5)), r.choice((0.3, 0.7))
        self.favourites, self.options, self.log, self.changed, self.last_merge = {}, 0, [], {}, START

    def title(self):
        return "seed %d: %s, v%s, %s, page size %d, modes %s%s%s" % (
            self.seed, "lossy" if self.lossy else "lossless", self.version, "%d steps" % self.steps, self.page_size,
            "+".join(self.modes), ", crash" if self.crash else "",
            "".join(", %s=%s" % one for one in sorted(self.switches.items())))

    # -- what happens -------------------------------------------------------------------------

    def stamp(self, skew=0):
        import time
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.now - skew))

    def tick(self):
        """Time goes on, or stands still: edits of the same second."""
        self.now += self.random.choice((0, 0, 0, 1, 1, 7, 90, 900, 7200))

    def pick(self, account, entity, pool="live"):
        """An id; a few favourites are hit again and again."""
        ids = getattr(account, pool)[entity]
        if not ids:
            return None
        chosen = self.favourites.setdefault(entity, [])
        known = [i for i in chosen if i in ids]
        if known and self.random.random() < 0.6:
            return self.random.choice(known)
        key = self.random.choice(ids)
        chosen.append(key)
        del chosen[:-4]
        return key

    def link(self, account, column):
        ids = account.live[REFERENCE[column]]
        return self.random.choice(ids) if ids and self.random.random() < 0.85 else None

    def values(self, account, entity):
        """Some new field values for a row."""
        r, out = self.random, {}
        if r.random() < 0.6:
            out[TITLE[entity]] = r.choice(("", "Ünïcödé ", "a 'quoted' $1 \\ ", "новое ")) + str(r.randint(1, 99))
        for column in LINKS[entity]:
            if r.random() < 0.25:
                out[column] = self.link(account, column)
        if entity == "deals":
            if r.random() < 0.3:
                out["status"] = r.choice(("open", "won", "lost"))
            if r.random() < 0.3:
                out["stage_id"] = r.randint(1, 15)
            if r.random() < 0.3:
                out["value"] = r.choice((0, 7, 12.5, 99999.25))
        if entity == "leads" and r.random() < 0.3:
            out["value"] = r.choice((None, {"amount": 7, "currency": "EUR"}, {"amount": 12.5, "currency": "USD"}))
        if entity == "notes" and r.random() < 0.3:
            out["pinned_to_deal_flag"] = r.random() < 0.5
        if entity in ("deals", "leads"):
            if r.random() < 0.3:
                out["custom_fields"] = {"Score": r.choice((None, 1, 2.5)), "Contract number": r.choice((None, "", "C-1", "C-2")),
                                        "Budget": r.choice((None, {"value": 5, "currency": "EUR"}))}
        if entity in LABELS and r.random() < 0.2:
            first, second, third = LABELS[entity]
            out["label_ids"] = r.choice(([], [first], [second, third]))
        if entity == "activities" and r.random() < 0.4:
            out["done"] = r.random() < 0.5
            out["due_time"] = r.choice((None, "09:30", "10:00:00"))
        return out

    def order(self, account):
        """One mutation."""
        r = self.random
        entity = r.choice(("deals", "deals", "persons", "organizations", "activities", "leads", "leads", "notes"))
        action = r.choices(("change", "create", "delete", "restore", "merge", "archive", "unarchive", "purge", "option"),
                           (50, 12, 12, 8, 6, 4, 4, 2, 2))[0]
        out = {"action": action, "entity": entity}
        if action == "create":
            return dict(out, fields=self.values(account, entity))
        if action == "option":
            return self.new_option()
        if action in ("archive", "unarchive"):
            entity = out["entity"] = entity if entity in ARCHIVES else "deals"
            ids = sorted(set(account.live[entity]) & account.archived[entity])
            key = self.pick(account, entity) if action == "archive" else r.choice(ids) if ids else None
            return dict(out, id=key)
        if action == "merge":
            if entity not in MERGED:
                entity = out["entity"] = "persons"
            key, into = self.pick(account, entity), self.pick(account, entity)
            return dict(out, id=key, into=into)
        pool = "deleted" if action == "restore" or action == "purge" and r.random() < 0.5 else "live"
        out["id"] = self.pick(account, entity, pool)
        if action == "change":
            out["fields"] = self.values(account, entity)
            skew = r.randint(1, 30)
            last = max(self.changed.get((entity, out["id"]), START), self.last_merge)
            if r.random() < 0.1 and last <= self.now - skew:
                out["at"] = self.stamp(skew)  # clocks differ, but a row's time does not go back
            elif not self.lossy and r.random() < 0.05:
                out["touch"] = False
        return out

    def new_option(self):
        """A choice that the catalogue of options does not know yet; change orders use it from then on."""
        self.options += 1
        number = 20000 + self.seed * 10 + self.options
        return {"action": "add_option", "entity": "deals", "code": "Priority", "option_id": number, "label": "Option %d" % number}

    def orders(self, account):
        out = []
        for _ in range(self.random.choice((1, 1, 2, 3, 5))):
            one = self.order(account)
            out.append(one)
            if one["action"] == "merge":
                self.last_merge = self.now  # which touched who knows what
            for key in (one.get("id"), one.get("into")):
                self.changed[one["entity"], key] = self.now
            if one["action"] == "add_option":
                out.append({"action": "change", "entity": "deals", "id": self.pick(account, "deals"),
                            "fields": {"custom_fields": {"Priority": one["option_id"]}}})
        return out

    # -- how it arrives -------------------------------------------------------------------------

    def deliveries(self, events, step):
        """Arrivals of new events: some never, some twice, some later."""
        r, out = self.random, []
        for event in events:
            if r.random() < self.loss:
                continue
            copies = 1 + (r.random() < self.double) + (r.random() < self.double / 3)
            for attempt in range(1, copies + 1):
                body = event["body"]
                if self.version == "2.0":
                    body["meta"]["attempt"] = attempt
                else:
                    body["retry"] = attempt - 1
                late = r.randint(1, 6) if r.random() < self.delay else 0
                out.append(Delivery(event["n"], json.dumps(body, ensure_ascii=False), step + late, r.choice(self.modes)))
        return out
