# selftest_kinds.py - products, leads, notes and the small lists; run by selftest.py.

import csv
import json
import os

import api
from selftest_case import SHARED, Case

LEAD_SORTS = ("id", "title", "owner_id", "creator_id", "was_seen", "expected_close_date", "next_activity_id",
              "add_time", "update_time")


def table(name):
    with open(os.path.join(SHARED, "api", name), encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


class Documents(Case):
    """The rows of endpoints against the tables made from the published documents, where these are at hand."""

    def setUp(self):
        super().setUp()
        if not os.path.exists(os.path.join(SHARED, "api", "params.tsv")):
            self.skipTest("no documents here")

    def test_parameters(self):
        known = {}
        for row in table("params.tsv"):
            if row["note"] != "path parameter":
                known.setdefault(row["path"], set()).add(row["param"])
        for endpoint in api.ENDPOINTS:
            if endpoint.kind and "{code}" not in endpoint.path:  # the table has no rows for one definition
                named = {name for name, _, _ in endpoint.parameters}
                self.assertEqual(named, known.get(endpoint.path, set()), endpoint.path)

    def test_costs(self):
        known = {(row["method"], row["path"]): row["tokens"] for row in table("token_costs.tsv")
                 if not row["api_version"].endswith("retired")}
        for endpoint in api.ENDPOINTS:
            path = endpoint.path.replace("{code}", "{field_code}")
            if endpoint.tokens is not None:
                self.assertEqual(str(endpoint.tokens), known["GET", path], path)

    def test_keys_of_recorded_rows(self):
        with open(os.path.join(SHARED, "recorded/v2-bodies.jsonl"), encoding="utf-8") as lines:
            bodies = {(r["entity"], r["op"]): r["body"]["data"] for r in map(json.loads, lines)}
        for entity, ours in (("products", self.data("products")), ("leads", self.v1("leads", limit=500)),
                             ("notes", self.v1("notes", limit=500))):
            for real in bodies[entity, "list"]:
                for row in ours:
                    extra = set(row) - set(real)
                    self.assertEqual(set(real) - set(row), set(), entity)
                    self.assertFalse([key for key in extra if len(key) < 40], entity)
                    for key, value in real.items():
                        if value is not None and row[key] is not None:
                            self.assertEqual(isinstance(value, (int, float)), isinstance(row[key], (int, float)), key)


class Products(Case):
    def test_list(self):
        rows = [r for r in self.rows("products") if not r["is_deleted"]]
        for sort in ("id", "name", "add_time", "update_time"):
            for direction in ("asc", "desc"):
                found = self.walk("products", limit=3, sort_by=sort, sort_direction=direction)
                self.assertEqual(sorted(r["id"] for r in found), [r["id"] for r in rows])
                self.assertEqual([r[sort] for r in found], sorted((r[sort] for r in rows), reverse=direction == "desc"))
        one = rows[3]
        self.assertEqual({r["owner_id"] for r in self.data("products", owner_id=one["owner_id"])}, {one["owner_id"]})
        self.assertEqual([r["id"] for r in self.data("products", ids="3,1,999")], [1, 3])
        edge = "2026-03-01T00:00:00Z"
        self.assertEqual({r["id"] for r in self.data("products", updated_since=edge)},
                         {r["id"] for r in rows if r["update_time"] >= edge})
        self.assertEqual(self.data("products/%d" % one["id"]), one)
        for query in ({"updated_until": edge}, {"include_labels": "true"}, {"status": "open"}, {"sort_by": "code"}):
            self.assertEqual(self.status("products", **query), 400, query)
        self.assertEqual(self.status("products/1", custom_fields="x"), 400)

    def test_filter_and_owner(self):
        every = self.data("products", filter_id=61)
        owner = every[0]["owner_id"]
        self.assertTrue(all(r["category"] for r in every))
        self.assertEqual(self.data("products", filter_id=61, ids="999"), every)
        self.assertEqual({r["owner_id"] for r in self.data("products", filter_id=61, owner_id=owner)}, {owner})
        self.admin.control("PUT", "switches", {"filter_with_updated": "ignore"})
        self.assertEqual(self.data("products", filter_id=61, owner_id=owner), every)

    def test_fields_and_prices(self):
        fields = {f["field_code"]: f for f in self.walk("productFields", limit=5)}
        row = self.data("products")[0]
        self.assertEqual({code for code, f in fields.items() if not f["is_custom_field"]}, set(row) - {"custom_fields"})
        self.assertEqual({code for code, f in fields.items() if f["is_custom_field"]}, set(row["custom_fields"]))
        code = next(code for code, f in fields.items() if f["is_custom_field"])
        self.assertEqual(list(self.data("products", custom_fields=code)[0]["custom_fields"]), [code])
        self.assertEqual(self.data("productFields/" + code)["field_code"], code)
        self.assertEqual(self.status("productFields", include_fields="required_fields"), 400)
        for row in self.rows("products"):
            self.assertTrue(row["prices"] and all(p["product_id"] == row["id"] for p in row["prices"]))
            self.assertEqual(len({p["currency"] for p in row["prices"]}), len(row["prices"]))
        self.assertTrue(any(len(r["prices"]) > 1 for r in self.rows("products")))
        self.admin.control("PUT", "switches", {"product_category": "label", "plan_fields": "basic"})
        rows = self.data("products")
        self.assertEqual({r["category"] for r in rows} - {None}, {"Services", "Hardware", "Retail"})
        self.assertNotIn("billing_frequency", rows[0])
        self.assertEqual({r["category"] for r in self.rows("products")} - {None}, {"18", "19", "262"})

    def test_changes_and_webhooks(self):
        self.admin.control("PUT", "clock", {"now": "2026-04-01T10:00:00Z"})
        price = {"price": 9.5, "currency": "USD", "cost": 1}
        row = self.mutate(action="create", entity="products", fields={"name": "Pen", "prices": [price],
                                                                      "custom_fields": {"Grade": 9001}})
        key = row["id"]
        self.assertEqual((row["update_time"], row["prices"][0]["product_id"]), (row["add_time"], key))
        self.mutate(action="change", entity="products", id=key, fields={"unit": "box", "is_linkable": False})
        self.mutate(action="delete", entity="products", id=key)
        self.assertNotIn(key, [r["id"] for r in self.data("products", limit=500)])
        self.assertTrue(self.data("products/%d" % key)["is_deleted"])
        found = self.admin.control("GET", "webhooks")
        created, changed, deleted = [e["body"] for e in found]
        self.assertEqual([e["entity"] for e in found], ["products"] * 3)
        self.assertEqual((created["meta"]["entity"], created["data"]["description"], created["data"]["visible_to"]),
                         ("product", None, "3"))
        self.assertEqual(list(created["data"]["custom_fields"].values()), [{"type": "enum", "id": 9001}])
        self.assertEqual(changed["previous"], {"unit": None, "selectable": True})
        self.assertEqual((deleted["data"], deleted["previous"]["prices"]), (None, row["prices"]))
        flat = self.admin.control("GET", "webhooks?version=1.0")[1]["body"]
        self.assertEqual((flat["event"], flat["current"]["selectable"], flat["previous"]["selectable"]),
                         ("updated.product", False, True))
        self.assertEqual(flat["current"]["prices"][0]["overhead_cost"], 0)


class Leads(Case):
    def true(self, archived=False):
        return [r for r in self.rows("leads") if r["is_archived"] == archived]

    def test_pages(self):
        for switches in ({}, {"lead_paging": "flat"}, {"v1_empty_list": "array"}, {"sort_nulls": "last"}):
            self.admin.control("PUT", "switches", switches)
            for path, archived in (("leads", False), ("leads/archived", True)):
                ids = sorted(r["id"] for r in self.true(archived))
                for sort in (None, "id", "title DESC", "owner_id ASC, next_activity_id DESC"):
                    query = {"sort": sort} if sort else {}
                    self.assertEqual(sorted(r["id"] for r in self.offset_walk(path, limit=3, **query)), ids)
        body = self.client.get("/v1/leads", start=1000)[1]
        self.assertEqual((body["data"], body["additional_data"]),
                         ([], {"start": 1000, "limit": 100, "more_items_in_collection": False}))
        self.admin.control("POST", "reset")
        body = self.client.get("/v1/leads", start=1000)[1]
        self.assertEqual((body["data"], body["additional_data"]["pagination"]["more_items_in_collection"]), (None, False))
        first = self.client.get("/v1/leads", limit=4)[1]["additional_data"]["pagination"]
        self.assertEqual(first, {"start": 0, "limit": 4, "more_items_in_collection": True, "next_start": 4})

    def test_order(self):
        times = [r["add_time"] for r in self.v1("leads", limit=500)]
        self.assertEqual(times, sorted(times))
        for sort in LEAD_SORTS:
            for direction in ("ASC", "DESC"):
                for nulls in ("first", "last"):
                    self.admin.control("PUT", "switches", {"sort_nulls": nulls})
                    found = [r[sort] for r in self.v1("leads", limit=500, sort="%s %s" % (sort, direction))]
                    known = [v for v in found if v is not None]
                    self.assertEqual(known, sorted(known, reverse=direction == "DESC"), (sort, direction))
                    if len(known) < len(found):
                        self.assertEqual(found[0] is None, nulls == "first")
        for wrong in ("value", "id UP", "", "id ASC,", "id;DROP"):
            self.assertEqual(self.v1_status("leads", sort=wrong), 400, wrong)

    def test_ties(self):
        first = self.v1("leads", limit=500, sort="was_seen")
        self.assertEqual(first, self.v1("leads", limit=500, sort="was_seen"))
        self.admin.control("PUT", "switches", {"sort_ties": "any"})
        pages = [[r["id"] for r in self.v1("leads", limit=500, sort=sort, start=start)]
                 for sort in ("was_seen", "was_seen,id") for start in (0, 1)]
        self.assertNotEqual(pages[0][1:], pages[1])
        self.assertEqual(pages[2][1:], pages[3])

    def test_filters(self):
        rows = self.true()
        for name in ("owner_id", "person_id", "organization_id"):
            value = next(r[name] for r in rows if r[name] is not None)
            self.assertEqual({r["id"] for r in self.v1("leads", **{name: value})},
                             {r["id"] for r in rows if r[name] == value})
        since = next(r["update_time"] for r in rows if not r["update_time"].endswith(".000Z"))
        whole = since[:19] + "Z"
        self.assertEqual({r["id"] for r in self.v1("leads", updated_since=whole)},
                         {r["id"] for r in rows if r["update_time"][:19] >= since[:19]})
        self.assertIn(since, [r["update_time"] for r in self.v1("leads", updated_since=whole)])
        self.assertEqual(self.v1_status("leads/archived", updated_since=whole), 400)
        self.assertEqual(self.v1_status("leads", updated_since=since), 400)
        plain = self.v1("leads", filter_id=51)
        self.assertEqual(plain, self.v1("leads", filter_id=51, owner_id=1, person_id=1, organization_id=1))
        self.assertTrue(plain and all(r["person_id"] for r in plain))
        self.assertEqual(self.v1_status("leads", filter_id=11), 400)
        seen = self.client.get("/v1/leads", "sim-token-limited", limit=500)[1]["data"]
        self.assertEqual(len({r["owner_id"] for r in seen}), 1)

    def test_one(self):
        for archived in (False, True):
            row = self.true(archived)[0]
            self.assertEqual(self.v1("leads/" + row["id"].upper()), row)
        self.assertEqual(self.v1_status("leads/7"), 400)
        status, body, _ = self.client.get("/v1/leads/" + "0" * 8 + "-0000" * 3 + "-" + "0" * 12)
        self.assertEqual((status, body["error"]), (404, "requested lead not found"))
        self.admin.control("PUT", "switches", {"get_archived": "404"})
        self.assertEqual(self.v1_status("leads/" + row["id"]), 404)
        named = {r["lead_id"] for r in self.rows("activities")} - {None}
        self.assertTrue(named <= {r["id"] for r in self.rows("leads")})

    def test_custom_fields_are_those_of_deals(self):
        fields = {f["field_code"]: f for f in self.walk("dealFields") if f["is_custom_field"]}
        used = set()
        for row in self.v1("leads", limit=500):
            for key, value in row.items():
                if len(key) >= 40:
                    used.add(key[:40])
                    self.assertIsNotNone(row[key[:40]])
                    kind = fields[key[:40]]["field_type"]
                    if kind in ("enum", "set", "date", "time", "address"):
                        self.assertNotIsInstance(value, (list, dict))
        self.assertGreater(len(used), 30)
        key = self.v1("leads")[0]["id"]
        code = self.admin.control("POST", "fields", {"action": "add", "entity": "deals", "name": "Fresh",
                                                     "type": "monetary"})["field_code"]
        row = self.mutate(action="change", entity="leads", id=key,
                          fields={"custom_fields": {"Fresh": {"value": 5, "currency": None}, "Partner": 1}})
        self.assertEqual((row[code], row[code + "_currency"]), (5, None))
        partner = next(code for code, f in fields.items() if f["field_name"] == "Partner")
        self.admin.control("PUT", "switches", {"v1_reference_fields": "object"})
        self.assertEqual(self.v1("leads/" + key)[partner]["value"], 1)
        self.admin.control("POST", "fields", {"action": "remove", "entity": "deals", "code": code})
        self.assertNotIn(code, self.v1("leads/" + key))

    def test_rows_that_come_and_go_during_a_walk(self):
        ids = [r["id"] for r in self.v1("leads", limit=500)]
        hook = {"after_request_matching": {"path_regex": "leads$", "nth": 1}}
        self.admin.control("POST", "on_request", dict(hook, mutations=[
            {"action": "delete", "entity": "leads", "id": ids[0]}]))
        self.assertEqual([r["id"] for r in self.offset_walk("leads", limit=2)], ids[:2] + ids[3:])
        self.admin.control("POST", "reset")
        self.admin.control("POST", "on_request", dict(hook, mutations=[
            {"action": "create", "entity": "leads", "fields": {"add_time": "2020-01-01T00:00:00Z"}}]))
        self.assertEqual([r["id"] for r in self.offset_walk("leads", limit=2)], ids[:2] + ids[1:])
        self.admin.control("POST", "reset")
        self.admin.control("POST", "on_request", dict(hook, mutations=[
            {"action": "archive", "entity": "leads", "id": ids[1]}]))
        self.assertEqual([r["id"] for r in self.offset_walk("leads", limit=2)], ids[:2] + ids[3:])
        self.assertIn(ids[1], [r["id"] for r in self.v1("leads/archived", limit=500)])

    def test_changes_and_webhooks(self):
        self.admin.control("PUT", "clock", {"now": "2026-04-01T10:00:00Z"})
        row = self.mutate(action="create", entity="leads", fields={"title": "L", "custom_fields": {"Score": 7}})
        key = row["id"]
        self.assertEqual((row["add_time"], row["update_time"]), ("2026-04-01T10:00:00.000Z",) * 2)
        value = {"amount": 500, "currency": "EUR"}
        self.mutate(action="change", entity="leads", id=key, at="2026-04-01T11:00:00Z", fields={"value": value})
        self.mutate(action="archive", entity="leads", id=key)
        self.mutate(action="unarchive", entity="leads", id=key)
        self.mutate(action="delete", entity="leads", id=key)
        self.assertEqual(self.v1_status("leads/" + key), 404)
        found = self.admin.control("GET", "webhooks")
        self.assertEqual([(e["action"], e["id"], e["body"]["meta"]["entity_id"]) for e in found],
                         [(action, key, key) for action in ("create", "change", "change", "change", "delete")])
        bodies = [e["body"] for e in found]
        self.assertEqual(list(bodies[0]["data"]["custom_fields"].values()), [{"type": "double", "value": 7}])
        self.assertEqual(bodies[1]["previous"], {"value": None, "update_time": "2026-04-01T10:00:00.000Z"})
        self.assertEqual((bodies[1]["data"]["value"], bodies[1]["data"]["update_time"]),
                         (value, "2026-04-01T11:00:00.000Z"))
        self.assertTrue(bodies[2]["data"]["is_archived"] and bodies[3]["previous"]["is_archived"])
        self.assertNotIn("visible_to", bodies[4]["previous"])
        self.assertEqual(self.admin.control("GET", "webhooks?version=1.0"), [])
        self.admin.control("PUT", "switches", {"v1_lead_events": "yes"})
        self.mutate(action="create", entity="leads")
        self.assertEqual(self.admin.control("GET", "webhooks?version=1.0")[0]["body"]["event"], "added.lead")

    def test_merges(self):
        linked = [r["id"] for r in self.true() if r["person_id"] is not None]
        person = self.v1("leads/" + linked[0])["person_id"]
        into = next(r["id"] for r in self.rows("persons") if r["id"] != person and not r["is_deleted"])
        self.mutate(action="merge", entity="persons", id=person, into=into)
        self.assertEqual(self.v1("leads/" + linked[0])["person_id"], into)
        self.assertEqual([r for r in self.rows("notes") if r["person_id"] == person], [])
        self.assertEqual({e["entity"] for e in self.admin.control("GET", "webhooks")}, {"persons"})
        self.admin.control("PUT", "switches", {"merged_v1_links": "touched"})
        person = next(r["person_id"] for r in self.rows("leads") if r["person_id"] not in (None, into))
        self.mutate(action="merge", entity="persons", id=person, into=into)
        self.assertIn("leads", {e["entity"] for e in self.admin.control("GET", "webhooks")})


class Notes(Case):
    def true(self):
        return [r for r in self.rows("notes") if r["active_flag"]]

    def test_pages_and_order(self):
        ids = [r["id"] for r in self.true()]
        self.assertGreater(ids[-1], 2 ** 31)
        self.assertEqual([r["id"] for r in self.offset_walk("notes", limit=5)], ids)
        self.admin.control("PUT", "switches", {"unstated_order": "newest_first"})
        self.assertEqual([r["id"] for r in self.offset_walk("notes", limit=5)], ids[::-1])
        for sort in ("id", "user_id", "deal_id", "person_id", "org_id", "content", "add_time", "update_time"):
            found = [r[sort] for r in self.offset_walk("notes", limit=5, sort=sort + " DESC") if r[sort] is not None]
            self.assertEqual(found, sorted(found, reverse=True), sort)
        self.admin.control("PUT", "switches", {"v1_most_rows": "100"})
        self.assertEqual(self.client.get("/v1/notes", limit=500)[1]["additional_data"]["pagination"]["limit"], 100)

    def test_filters(self):
        rows = self.true()
        for name in ("user_id", "lead_id", "deal_id", "person_id", "org_id", "project_id"):
            value = next(r[name] for r in rows if r[name] is not None)
            self.assertEqual([r["id"] for r in self.v1("notes", limit=500, **{name: value})],
                             [r["id"] for r in rows if r[name] == value], name)
        self.assertEqual(self.v1("notes", task_id=1), [])
        for name in ("deal", "person", "organization", "lead"):
            for flag in (0, 1):
                column = "pinned_to_%s_flag" % name
                found = self.v1("notes", limit=500, **{column: flag})
                self.assertEqual([r["id"] for r in found], [r["id"] for r in rows if r[column] == flag])
                self.assertTrue(found)
        self.assertEqual(self.v1_status("notes", pinned_to_deal_flag="true"), 400)
        edge = "2026-03-01T00:00:00Z"
        self.assertEqual([r["id"] for r in self.v1("notes", limit=500, updated_since=edge)],
                         [r["id"] for r in rows if r["update_time"] >= "2026-03-01 00:00:00"])

    def test_dates(self):
        rows = self.true()
        for column in ("add_time", "update_time"):
            day = rows[9][column][:10]
            for setting, last in (("inclusive", lambda d: d <= day), ("exclusive", lambda d: d < day)):
                self.admin.control("PUT", "switches", {"notes_dates": column, "notes_end_date": setting})
                self.assertEqual([r["id"] for r in self.v1("notes", limit=500, start_date=day)],
                                 [r["id"] for r in rows if r[column][:10] >= day])
                self.assertEqual([r["id"] for r in self.v1("notes", limit=500, end_date=day)],
                                 [r["id"] for r in rows if last(r[column][:10])])
        for wrong in ("2026-02-30", "2026-1-1", "2026-01-01T00:00:00Z", ""):
            self.assertEqual(self.v1_status("notes", start_date=wrong), 400, wrong)

    def test_embedded_names(self):
        row = next(r for r in self.true() if r["deal_id"] and r["person_id"] and r["org_id"])
        self.mutate(action="change", entity="persons", id=row["person_id"], fields={"name": "Renamed"})
        seen = self.v1("notes/%d" % row["id"])
        self.assertEqual((seen["person"], seen["organization"]), ({"name": "Renamed"}, row["organization"]))
        self.assertEqual(seen["user"]["is_you"], seen["user_id"] == self.v1("users/me")["id"])
        lead = next(r for r in self.true() if r["lead_id"])
        self.mutate(action="delete", entity="leads", id=lead["lead_id"])
        self.assertIsNone(self.v1("notes/%d" % lead["id"])["lead"])
        self.assertEqual(len({r["user_id"] for r in self.client.get("/v1/notes", "sim-token-limited")[1]["data"]}), 1)

    def test_changes_and_webhooks(self):
        self.admin.control("PUT", "clock", {"now": "2026-04-01T10:00:00Z"})
        key = self.mutate(action="create", entity="notes", id=3, fields={"deal_id": 1, "content": "a"})["id"]
        self.assertEqual([r["id"] for r in self.v1("notes", limit=3)], [2, 3, 4])
        row = self.mutate(action="change", entity="notes", id=key, fields={"content": "b"}, user=25455460,
                          at="2026-04-01T11:00:00Z")
        self.assertEqual((row["update_time"], row["last_update_user_id"]), ("2026-04-01 11:00:00", 25455460))
        self.mutate(action="delete", entity="notes", id=key, at="2026-04-01T12:00:00Z")
        self.assertEqual([r["id"] for r in self.v1("notes", limit=2)], [2, 4])
        self.assertFalse(self.v1("notes/3")["active_flag"])
        self.admin.control("PUT", "switches", {"get_deleted": "404"})
        self.assertEqual(self.v1_status("notes/3"), 404)
        created, changed, deleted = [e["body"] for e in self.admin.control("GET", "webhooks")]
        self.assertEqual(set(created["data"]), {
            "id", "user_id", "deal_id", "person_id", "org_id", "lead_id", "project_id", "active_flag", "content",
            "add_time", "update_time", "pinned_to_deal_flag", "pinned_to_person_flag", "pinned_to_organization_flag"})
        self.assertEqual(changed["previous"], {"content": "a", "update_time": "2026-04-01T10:00:00Z"})
        self.assertEqual((deleted["data"], deleted["previous"]["active_flag"], deleted["previous"]["update_time"]),
                         (None, False, "2026-04-01T12:00:00Z"))
        flat = self.admin.control("GET", "webhooks?version=1.0")[1]["body"]
        self.assertEqual((flat["event"], flat["current"]["update_time"], set(flat["current"])),
                         ("updated.note", "2026-04-01 11:00:00", set(self.rows("notes")[0])))
        self.assertEqual(self.mutate(action="restore", entity="notes", id=key)["active_flag"], True)


class SmallLists(Case):
    def test_rows(self):
        labels = self.v1("leadLabels")
        self.assertTrue({i for r in self.rows("leads") for i in r["label_ids"]} <= {r["id"] for r in labels})
        self.assertEqual(set(self.v1("leadSources")[0]), {"name"})
        self.assertTrue({r["source_name"] for r in self.rows("leads")} <= {r["name"] for r in self.v1("leadSources")})
        types = self.v1("activityTypes")
        self.assertTrue({r["type"] for r in self.rows("activities")} <= {r["key_string"] for r in types})
        self.assertIn(False, [r["active_flag"] for r in types])
        self.assertEqual([r["code"] for r in self.v1("currencies", term="eur")], ["EUR"])
        self.assertEqual([r["code"] for r in self.v1("currencies", term="dollar")], ["USD"])
        self.assertEqual(self.client.get("/v1/currencies", term="nothing")[1]["data"], None)
        self.assertEqual(self.client.get("/v1/currencies", "sim-token-noscope")[0], 200)
        self.assertEqual(self.client.get("/v1/leadLabels", "sim-token-noscope")[0], 403)
        for path in ("leadLabels", "leadSources", "activityTypes", "currencies"):
            self.assertNotIn("additional_data", self.client.get("/v1/" + path)[1])
            self.assertEqual(self.v1_status(path, limit=1), 400)
        self.admin.control("PUT", "switches", {"inactive_rows": "left_out"})
        for path in ("activityTypes", "currencies"):
            self.assertEqual({r["active_flag"] for r in self.v1(path)}, {True})

    def test_changes(self):
        label = self.mutate(action="create", entity="lead_labels", fields={"name": "Fresh"}, at="2026-04-01T00:00:00Z")
        self.assertEqual(label["add_time"], "2026-04-01T00:00:00.000Z")
        self.mutate(action="change", entity="lead_labels", id=label["id"], fields={"name": "Fresher"})
        self.assertEqual(self.v1("leadLabels")[-1]["name"], "Fresher")
        self.mutate(action="delete", entity="lead_labels", id=label["id"])
        self.assertNotIn(label["id"], [r["id"] for r in self.v1("leadLabels")])
        self.mutate(action="create", entity="lead_sources", fields={"name": "Fax"})
        self.assertEqual(self.v1("leadSources")[-1], {"name": "Fax"})
        found = self.admin.control("POST", "mutate_many", [{"action": "delete", "entity": "lead_sources", "id": "Fax"},
                                                           {"action": "create", "entity": "lead_sources"},
                                                           {"action": "archive", "entity": "notes", "id": 2}])
        self.assertEqual(found, [{"id": "Fax"}, {"error": "a new row of lead_sources needs a name"},
                                 {"error": "unknown entity 'notes'"}])
        row = self.mutate(action="delete", entity="activity_types", id=1, at="2026-04-01T00:00:00Z")
        self.assertEqual((row["active_flag"], row["update_time"]), (False, "2026-04-01 00:00:00"))
        self.assertEqual(self.admin.control("GET", "webhooks"), [])


class Sides(Case):
    """Faults, recordings and the journal know v1's pages too."""

    def test_faults(self):
        self.fault("status", status=500, match={"cursor_only": True})
        self.assertEqual([self.v1_status("leads", start=start) for start in (0, 1)], [200, 500])
        lead = self.v1("leads")[2]["id"]
        self.fault("wrong_type", field="title", id=lead, value=7)
        self.assertIn(7, [r["title"] for r in self.v1("leads", limit=500)])
        self.fault("nul", id=4)
        self.assertEqual(self.v1("notes")[1]["content"], "be\x00fore")

    def test_recorded(self):
        self.admin.control("POST", "recorded", {"path": "/v1/leads", "body": '{"success":true,"data":[1.50]}'})
        self.assertEqual(self.client.get("/v1/leads")[1]["data"], [1.5])
        self.assertEqual(self.client.get("/v1/leads", start=100)[1]["data"], None)

    def test_journal_and_absent_keys(self):
        self.v1("leads/archived", limit=2, start=2)
        entry = self.admin.control("GET", "journal")[-1]
        self.assertEqual((entry["canonical"], entry["tokens"]), ("GET /v1/leads/archived?limit=2&start=2", 40))
        self.admin.control("PUT", "switches", {"absent_keys": "absent"})
        for path in ("leads", "notes", "activityTypes"):
            self.assertFalse([r for r in self.v1(path) if None in r.values()])
        self.assertEqual(self.client.get("/api/v1/notes")[0], 200)
