# selftest_webhooks.py - the simulator's webhooks and subscriptions; run by selftest.py.

import json
import os

from selftest_case import SHARED, Case


class Webhooks(Case):
    def events(self, since=0, version="2.0"):
        return self.admin.control("GET", "webhooks?since=%d&version=%s" % (since, version))

    def test_create_change_delete(self):
        self.admin.control("PUT", "clock", {"now": "2026-04-01T10:00:00Z"})
        codes = {f["field_name"]: f["field_code"] for f in self.walk("dealFields") if f["is_custom_field"]}
        row = self.mutate(action="create", entity="deals",
                          fields={"title": "New", "value": 5, "custom_fields": {"Score": 7}})
        key = row["id"]
        self.mutate(action="change", entity="deals", id=key, fields={"title": "Newer", "custom_fields": {"Score": 8}})
        self.mutate(action="delete", entity="deals", id=key, bulk=True)
        self.mutate(action="delete", entity="deals", id=key)
        self.mutate(action="restore", entity="deals", id=key)
        self.mutate(action="archive", id=key)
        self.mutate(action="unarchive", id=key)
        self.mutate(action="purge", entity="deals", id=key)
        found = self.events()
        self.assertEqual([e["action"] for e in found], ["create", "change", "delete"] + ["change"] * 3 + ["delete"])
        self.assertEqual([e["n"] for e in found], list(range(1, 8)))
        self.assertEqual(self.events(since=5), found[5:])
        bodies = [e["body"] for e in found]
        created, changed, deleted, restored, archived = bodies[:5]
        self.assertEqual((created["previous"], created["data"]["update_time"], created["data"]["visible_to"]), (None, None, "3"))
        self.assertEqual(created["data"]["custom_fields"], {codes["Score"]: {"type": "double", "value": 7}})
        self.assertEqual(changed["previous"], {"title": "New", "update_time": None,
                                               "custom_fields": {codes["Score"]: {"type": "double", "value": 7}}})
        self.assertEqual(set(changed["data"]["custom_fields"]), set(codes.values()) | {
            f["field_code"] for f in self.walk("dealFields") if f["is_custom_field"]})
        self.assertIsNone(changed["data"]["custom_fields"][codes["Budget"]])
        self.assertEqual((deleted["data"], deleted["previous"]), (None, changed["data"]))
        self.assertEqual((deleted["meta"]["is_bulk_edit"], deleted["meta"]["entity_id"]), (True, str(key)))
        self.assertEqual(restored["data"]["status"], "open")
        self.assertEqual((archived["data"]["is_archived"], archived["previous"]["is_archived"]), (True, False))
        self.assertEqual(len({b["meta"]["id"] for b in bodies}), 7)
        self.assertEqual(bodies[1]["meta"]["timestamp"], "2026-04-01T10:00:00.001Z")
        self.admin.control("DELETE", "webhooks")
        self.assertEqual(self.events(), [])

    def test_the_keys_of_a_real_one(self):
        name = os.path.join(SHARED, "recorded/webhook-v2-create-deal.json")
        if not os.path.exists(name):
            self.skipTest("no recordings here")
        with open(name, encoding="utf-8") as file:
            real = json.load(file)["body"]
        self.mutate(action="create", entity="deals", fields={})
        body = self.events()[0]["body"]
        self.assertEqual(set(body), set(real))
        for part in ("data", "meta"):
            self.assertEqual(set(body[part]), set(real[part]))
            for key, value in real[part].items():
                if value is not None and body[part][key] is not None:
                    self.assertEqual(type(body[part][key]), type(value), key)

    def test_merge(self):
        self.admin.control("PUT", "switches", {"merged_links": "touched"})
        one, two = [r["id"] for r in self.data("persons", limit=2)]
        linked = [r["id"] for r in self.rows("deals") if r["person_id"] == two]
        self.mutate(action="merge", entity="persons", id=two, into=one)
        found = self.events()
        self.assertEqual([(e["action"], e["entity"], e["id"]) for e in found[:2]],
                         [("delete", "persons", two), ("change", "persons", one)])
        self.assertEqual(found[0]["body"]["meta"]["merged_to_id"], str(one))
        self.assertEqual(found[1]["body"]["meta"]["merged_from_id"], str(two))
        self.assertEqual(sorted(e["id"] for e in found[2:] if e["entity"] == "deals"), linked)
        self.assertEqual([e["body"]["event"] for e in self.events(version="1.0")][:2], ["deleted.person", "merged.person"])
        self.assertFalse([r for r in self.rows("activities") for p in r["participants"] if p["person_id"] == two])

    def test_every_entity_and_type(self):
        rows = [(entity, r) for entity in ("deals", "persons", "organizations", "activities", "pipelines", "stages", "users")
                for r in self.rows(entity)]
        for entity, row in rows:
            self.mutate(action="change", entity=entity, id=row["id"], fields={"name": "n"} if "name" in row else {})
        kinds = set()
        for (entity, row), new, old in zip(rows, self.events(), self.events(version="1.0"), strict=True):
            data, current = new["body"]["data"], old["body"]["current"]
            self.assertEqual((new["id"], int(data["id"]), current["id"]), (row["id"],) * 3)
            kinds |= {v["type"] for v in (data.get("custom_fields") or {}).values() if v}
            self.assertNotIn("is_deleted", data if entity != "users" else {})
            self.assertNotIn("custom_fields", current)
            if entity == "activities":
                self.assertNotIn("note", data)
                self.assertEqual(data["due_time"], row["due_time"] and {"timezone_id": None, "value": row["due_time"]})
            if entity == "persons":
                self.assertEqual(data["label"], (row["label_ids"] or [None])[0])
                self.assertEqual(current["email"], row["emails"])
        self.assertEqual(len(kinds), 16)
        self.assertEqual(new["body"]["meta"]["id"], str(row["id"]))

    def test_switches(self):
        self.admin.control("PUT", "switches", {"webhook_times": "milliseconds", "webhook_create_custom_fields": "empty"})
        self.mutate(action="create", entity="deals", fields={"custom_fields": {"Score": 7}})
        data = self.events()[0]["body"]["data"]
        self.assertTrue(data["add_time"].endswith(".000Z"))
        self.assertEqual(data["custom_fields"], {})

    def post(self, token="sim-token-admin", **wish):
        order = dict({"subscription_url": "https://example.com/in", "event_action": "*", "event_object": "deal",
                      "name": "x"}, **wish)
        status, body, _ = self.client.raw("POST", "/v1/webhooks", json.dumps(order), {"x-api-token": token})
        return status, json.loads(body)

    def test_subscriptions(self):
        status, body = self.post(http_auth_user="u", http_auth_password="secret")
        self.assertEqual((status, body["status"], body["data"]["is_active"], body["data"]["version"]), (201, "ok", 1, "2.0"))
        self.assertTrue(body["data"]["http_auth_password"].startswith("v1u:"))
        listed = self.client.get("/v1/webhooks")[1]["data"]
        self.assertEqual((len(listed), listed[0]["last_http_status"]), (1, None))
        self.admin.control("POST", "subscriptions", {"id": 1, "is_active": 0, "last_http_status": 500})
        self.assertEqual(self.client.get("/v1/webhooks")[1]["data"][0]["last_http_status"], 500)
        status, body = self.post(subscription_url="http://example.com/in")
        self.assertEqual((status, body["error"]), (403, "Scope and URL mismatch"))
        for wrong in ({"event_action": "added"}, {"event_object": "deals"}, {"name": ""}, {"version": "3"},
                      {"subscription_url": "nonsense"}):
            self.assertEqual(self.post(**wrong)[0], 400, wrong)
        self.assertEqual([self.post()[0] for _ in range(40)], [201] * 39 + [422])
        self.assertEqual(self.post("sim-token-second")[0], 201)
        self.assertEqual(self.post("sim-token-second", user_id=25455458)[0], 403)
        delete = lambda n: self.client.raw("DELETE", "/v1/webhooks/%s" % n, None, {"x-api-token": "sim-token-admin"})[0]  # noqa: E731
        self.assertEqual([delete(1), delete(1), delete("x")], [200, 404, 400])
        self.assertEqual(self.client.get("/v1/webhooks/2")[0], 405)
        journal = self.admin.control("GET", "journal")
        self.assertEqual({(e["method"], e["tokens"]) for e in journal if e["status"] < 400 and e["method"] != "GET"},
                         {("POST", 10), ("DELETE", 6)})
