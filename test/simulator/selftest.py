# selftest.py - checks the simulator's main promises against a running server: python3 selftest.py

import http.client
import json
import time
import unittest

import selftest_kinds
import selftest_webhooks
from harness import Client, start, stop
from selftest_case import Case


class Lists(Case):
    def test_pages_are_complete_and_disjoint(self):
        for name, value in (("sort_nulls", "first"), ("sort_nulls", "last"), ("absent_keys", "absent"),
                            ("end_of_list", "missing"), ("end_of_list", "no_additional_data")):
            self.admin.control("PUT", "switches", {name: value})
            for sort in ("id", "update_time", "add_time"):
                for direction in ("asc", "desc"):
                    for path in ("deals", "persons", "organizations", "activities"):
                        ids = [r["id"] for r in self.walk(path, limit=7, sort_by=sort, sort_direction=direction)]
                        true = [r["id"] for r in self.rows(path)
                                if not r["is_deleted"] and not r.get("is_archived")]
                        self.assertEqual(sorted(ids), true, (name, value, sort, direction, path))

    def test_order_and_nulls(self):
        for nulls in ("first", "last"):
            self.admin.control("PUT", "switches", {"sort_nulls": nulls})
            for direction in ("asc", "desc"):
                times = [r["update_time"] for r in self.walk("deals", sort_by="update_time",
                                                             sort_direction=direction)]
                known = [t for t in times if t]
                self.assertEqual(known, sorted(known, reverse=direction == "desc"))
                self.assertEqual(times[0] is None, nulls == "first")

    def test_defaults_and_status(self):
        rows = self.rows("deals")
        ids = lambda test: [r["id"] for r in rows if test(r)]  # noqa: E731
        listed = lambda path, **q: [r["id"] for r in self.data(path, limit=500, **q)]  # noqa: E731
        self.assertEqual(listed("deals"), ids(lambda r: not r["is_archived"] and not r["is_deleted"]))
        self.assertEqual(listed("deals", status="deleted"), ids(lambda r: r["is_deleted"]))
        self.assertEqual(listed("deals", status="won,lost"),
                         ids(lambda r: r["status"] in ("won", "lost") and not r["is_archived"]))
        self.assertEqual(listed("deals/archived"), ids(lambda r: r["is_archived"]))
        self.assertTrue(ids(lambda r: r["is_deleted"]) and ids(lambda r: r["is_archived"]))

    def test_equality_parameters(self):
        for path, name in (("deals", "owner_id"), ("deals", "person_id"), ("deals", "org_id"),
                           ("deals", "stage_id"), ("deals", "pipeline_id"), ("persons", "org_id"),
                           ("activities", "deal_id"), ("activities", "person_id"),
                           ("activities", "lead_id"), ("stages", "pipeline_id")):
            everything = self.data(path, limit=500)
            value = next(r[name] for r in everything if r[name] is not None)
            self.assertEqual([r["id"] for r in self.data(path, limit=500, **{name: value})],
                             [r["id"] for r in everything if r[name] == value], (path, name))
        for done in (True, False):
            self.assertEqual({r["done"] for r in self.data("activities", done=str(done).lower())}, {done})

    def test_ids(self):
        self.assertEqual([r["id"] for r in self.data("deals", ids="3,1,999999,3")], [1, 3])
        self.assertEqual(self.status("deals", ids=",".join(map(str, range(1, 101)))), 200)
        self.assertEqual(self.status("deals", ids=",".join(map(str, range(1, 102)))), 400)
        big = [r["id"] for r in self.data("deals", limit=500)][-1]
        self.assertGreater(big, 2 ** 31)
        self.assertEqual([r["id"] for r in self.data("deals", ids=big)], [big])

    def test_update_window(self):
        edge = "2026-03-01T00:00:00Z"
        rows = [r for r in self.rows("deals") if not r["is_archived"] and not r["is_deleted"]]
        since = {r["id"] for r in self.data("deals", limit=500, updated_since=edge)}
        until = {r["id"] for r in self.data("deals", limit=500, updated_until=edge)}
        self.assertEqual(since, {r["id"] for r in rows if r["update_time"] and r["update_time"] >= edge})
        self.assertEqual(until, {r["id"] for r in rows if r["update_time"] and r["update_time"] < edge})
        self.assertTrue(any(r["update_time"] == edge for r in rows))
        self.admin.control("PUT", "switches", {"updated_since_returns_null_update_time": "yes"})
        nulls = {r["id"] for r in rows if r["update_time"] is None}
        self.assertEqual({r["id"] for r in self.data("deals", limit=500, updated_since=edge)}, since | nulls)

    def test_filter_wins(self):
        plain = self.data("deals", filter_id=11)
        self.assertTrue(plain)
        self.assertEqual(plain, self.data("deals", filter_id=11, status="deleted", owner_id=1, ids="7", org_id=1))
        self.assertEqual(self.status("deals", filter_id=21), 400)
        self.assertLess(len(self.data("deals", filter_id=11, updated_until="2024-06-01T00:00:00Z")), len(plain))

    def test_bad_parameters(self):
        for query in ({"limit": "x"}, {"limit": 0}, {"owner_id": "a"}, {"owner_id": ""}, {"status": "Open"},
                      {"updated_since": "2026-01-01T00:00:00.5Z"}, {"updated_since": "2026-01-01 00:00:00"},
                      {"updated_since": "2026-13-01T00:00:00Z"}, {"updated_since": "2026-01-01T00:00:00+00:00"},
                      {"sort_by": "title"}, {"sort_direction": "up"}, {"include_fields": "nope"},
                      {"include_labels": "1"}, {"nonsense": 1}, {"cursor": "abc"}, {"cursor": ""},
                      {"custom_fields": ",".join(["a"] * 16)}, {"custom_fields": "a"}):
            status, body, _ = self.client.get("/api/v2/deals", **query)
            self.assertEqual((status, body["success"], body["code"]),
                             (400, False, "ERR_SCHEMA_VALIDATION_FAILED"), query)
        self.assertEqual(self.status("pipelines", updated_since="2026-01-01T00:00:00Z"), 400)
        self.assertEqual(self.status("deals/archived", include_labels="true"), 400)
        self.assertEqual(self.status("activities", done="1"), 400)
        self.assertEqual(self.status("deals/x"), 400)

    def test_switches_on_parameters(self):
        self.assertEqual(len(self.data("deals", limit=501)), len(self.data("deals", limit=500)))
        self.admin.control("PUT", "switches", {"limit_over_max": "400", "unknown_parameters": "ignore",
                                               "unknown_custom_key": "ignore"})
        self.assertEqual(self.status("deals", limit=501), 400)
        self.assertEqual(self.status("deals", nonsense=1), 200)
        self.assertEqual(self.data("deals", custom_fields="nope")[0]["custom_fields"], {})

    def test_cursor_is_bound_to_parameters(self):
        cursor = self.client.get("/api/v2/deals", limit=2)[1]["additional_data"]["next_cursor"]
        self.assertEqual(self.status("deals", limit=2, cursor=cursor), 200)
        self.assertEqual(self.status("deals", limit=2, status="open", cursor=cursor), 400)
        self.assertEqual(self.status("persons", limit=2, cursor=cursor), 400)
        self.assertEqual(self.status("deals", limit=2, cursor=cursor[:-2] + "AA"), 400)


class Shapes(Case):
    def test_optional_fields_only_on_request(self):
        row = self.data("deals", limit=1)[0]
        self.assertNotIn("activities_count", row)
        wanted = self.data("deals", limit=1, include_fields="activities_count,next_activity_id")[0]
        self.assertEqual(set(wanted) - set(row), {"activities_count", "next_activity_id"})
        codes = [f["field_code"] for f in self.walk("dealFields", limit=9) if f["is_optional_response_field"]]
        self.assertEqual(self.status("deals", include_fields=",".join(codes)), 200)

    def test_custom_fields(self):
        fields = {f["field_code"]: f for f in self.walk("dealFields", limit=10) if f["is_custom_field"]}
        row = self.data("deals", limit=1)[0]
        self.assertEqual(set(row["custom_fields"]), set(fields))
        types = {f["field_type"] for f in fields.values()}
        self.assertEqual(len(types), 16)
        for path, entity in (("dealFields", "deals"), ("personFields", "persons"),
                             ("organizationFields", "organizations")):
            used = set()
            for record in self.rows(entity):
                used |= {k for k, v in record["custom_fields"].items() if v is not None}
            self.assertEqual(used, {f["field_code"] for f in self.walk(path) if f["is_custom_field"]})
        one = sorted(fields)[0]
        self.assertEqual(list(self.data("deals", limit=1, custom_fields=one)[0]["custom_fields"]), [one])
        self.assertEqual(self.data("dealFields/" + one)["field_code"], one)
        self.assertEqual(self.status("dealFields/nope"), 404)

    def test_labels(self):
        field = next(f for f in self.walk("dealFields") if f["field_name"] == "Priority")
        code, known = field["field_code"], {o["id"]: o["label"] for o in field["options"]}
        for setting in ("null", "missing_key", "bare_id"):
            self.admin.control("PUT", "switches", {"deleted_option_label": setting})
            bare = [r["custom_fields"][code] for r in self.data("deals", limit=500)]
            full = [r["custom_fields"][code] for r in self.data("deals", limit=500, include_option_labels="true")]
            self.assertTrue(any(b not in known for b in bare if b))
            for b, f in zip(bare, full):
                gone = {"null": {"id": b, "label": None}, "missing_key": {"id": b}, "bare_id": b}[setting]
                self.assertEqual(f, None if b is None else {"id": b, "label": known[b]} if b in known else gone)
        labels = self.data("deals", limit=500, include_labels="true")
        self.assertIn({"id": 1, "label": "Hot"}, [o for r in labels for o in r["labels"]])
        self.admin.control("PUT", "switches", {"include_labels": "replace_label_ids"})
        labels = self.data("deals", limit=500, include_labels="true")
        self.assertIn({"id": 1, "label": "Hot"}, [o for r in labels for o in r["label_ids"]])

    def test_null_switches(self):
        self.admin.control("PUT", "switches", {"absent_keys": "absent", "custom_null_keys": "absent"})
        for row in self.data("deals", limit=500):
            self.assertNotIn(None, row.values())
            self.assertNotIn(None, row["custom_fields"].values())

    def test_fields_of_plans(self):
        self.admin.control("PUT", "switches", {"plan_fields": "basic", "contact_sync": "on"})
        self.assertNotIn("acv", self.data("deals")[0])
        self.assertNotIn("website", {f["field_code"] for f in self.walk("organizationFields")})
        self.assertIn("job_title", self.data("persons")[0])
        self.assertEqual(self.data("personFields/im")["field_name"], "Instant messenger")

    def test_digits_and_escapes(self):
        body = self.client.raw("GET", "/api/v2/deals?limit=500", None, {"x-api-token": "sim-token-admin"})[1]
        self.assertIn(b"12345678901234567.89", body)
        self.assertIn(b"\\ud83d\\ude00", body)
        json.loads(body.decode("utf-8"))

    def test_users_and_singles(self):
        status, body, _ = self.client.get("/v1/users")
        self.assertEqual((status, len(body["data"])), (200, 12))
        me = self.client.get("/api/v1/users/me")[1]["data"]
        self.assertTrue(me["is_you"] and me["company_domain"])
        self.assertEqual(self.client.get("/v1/users/%d" % me["id"])[1]["data"]["id"], me["id"])
        for entity in ("deals", "persons", "organizations", "activities", "pipelines", "stages"):
            row = self.data(entity, limit=1)[0]
            self.assertEqual(self.data("%s/%d" % (entity, row["id"])), row)
        self.assertEqual(self.status("deals/424242"), 404)
        self.assertEqual(self.client.get("/v2/deals")[0], 404)
        self.assertEqual(self.client.raw("POST", "/api/v2/deals", "{}", {"x-api-token": "sim-token-admin"})[0], 405)


class Access(Case):
    def test_tokens(self):
        get = self.client.get
        for token, headers in ((None, {}), ("wrong", {}), ("sim-oauth-token", {}),
                               (None, {"authorization": "Bearer sim-token-admin"})):
            status, body, answer = get("/api/v2/deals", token, headers)
            self.assertEqual((status, body["errorCode"]), (401, 401))
            self.assertEqual(answer.getheader("x-401-by-gw"), "1")
        self.assertEqual(get("/api/v2/deals", None, {"authorization": "Bearer sim-oauth-token"})[0], 200)
        self.assertEqual(get("/api/v2/deals", api_token="sim-token-admin")[0], 401)
        entry = self.admin.control("GET", "journal")[-1]
        self.assertTrue(entry["token_in_url"] and entry["token_in_header"])
        status, body, _ = get("/api/v2/deals", "sim-token-noscope")
        self.assertEqual((status, body["error"]), (403, "Scope and URL mismatch"))
        self.assertEqual(get("/v1/users/me", "sim-token-noscope")[0], 200)

    def test_limited_token(self):
        rows = self.client.get("/api/v2/deals", "sim-token-limited", limit=500)[1]["data"]
        self.assertEqual(len({r["owner_id"] for r in rows}), 1)
        other = next(r for r in self.data("deals") if r["owner_id"] != rows[0]["owner_id"])
        self.assertEqual(self.client.get("/api/v2/deals/%d" % other["id"], "sim-token-limited")[0], 404)

    def test_limits(self):
        self.admin.control("PUT", "limits", {"daily": 25, "used": 0, "retry_after": 77})
        answer = self.client.get("/api/v2/deals")[2]
        self.assertEqual(answer.getheader("x-daily-ratelimit-token-remaining"), "15")
        self.assertEqual(self.status("deals/archived"), 429)
        self.assertEqual(self.status("deals"), 200)
        status, body, answer = self.client.get("/api/v2/deals")
        self.assertEqual((status, body["error"], answer.getheader("retry-after")),
                         (429, "daily request budget exceeded", "77"))
        self.admin.control("PUT", "limits", {"daily": 1000, "burst": 2})
        self.admin.control("PUT", "switches", {"daily_headers": "no"})
        found = [self.client.get("/api/v2/pipelines") for _ in range(3)]
        self.assertEqual([f[0] for f in found], [200, 200, 429])
        self.assertIn(found[2][2].getheader("x-ratelimit-reset"), ("1", "2"))
        self.assertIsNone(found[2][2].getheader("x-daily-ratelimit-token-limit"))

    def test_journal_keep_alive_and_gzip(self):
        self.client.get("/api/v2/deals", headers={"accept-encoding": "gzip"}, limit=50, status="won,lost")
        answer = self.client.get("/api/v2/deals", headers={"accept-encoding": "gzip"}, limit=50)[2]
        self.assertEqual(answer.getheader("content-encoding"), "gzip")
        self.assertIsNone(self.client.get("/api/v2/deals", limit=50)[2].getheader("content-encoding"))
        entries = self.admin.control("GET", "journal")
        self.assertEqual(len({e["connection"] for e in entries}), 1)
        self.assertEqual([e["tokens"] for e in entries], [10, 10, 10])
        self.assertEqual(self.admin.control("GET", "journal.txt").splitlines()[0],
                         "GET /api/v2/deals?limit=50&status=won,lost 200")
        self.admin.control("DELETE", "journal")
        self.assertEqual(self.admin.control("GET", "journal"), [])


class Faults(Case):
    def body(self):
        return self.client.raw("GET", "/api/v2/deals?limit=3", None, {"x-api-token": "sim-token-admin"})

    def test_answers(self):
        self.fault("status", status=503, headers={"retry-after": 9}, body="busy", content_type="text/plain")
        status, body, answer = self.body()
        self.assertEqual((status, body, answer.getheader("retry-after")), (503, b"busy", "9"))
        for kind, settings, start_of_body in (("html403", {}, b"<!DOCTYPE"), ("null_body", {}, b"null"),
                                              ("success_false", {}, b'{"success":false'), ("empty_body", {}, b""),
                                              ("redirect", {}, b""), ("huge", {"bytes": 100000}, b'{"success"'),
                                              ("deep_nesting", {}, b'{"success":true,"data":[[[')):
            self.fault(kind, **settings)
            self.assertTrue(self.body()[1].startswith(start_of_body), kind)
        self.fault("invalid_json")
        self.assertRaises(ValueError, json.loads, self.body()[1])
        self.fault("bad_utf8", field="title")
        self.assertRaises(UnicodeDecodeError, self.body()[1].decode)
        self.fault("nul", field="title", id=2)
        self.assertEqual(json.loads(self.body()[1])["data"][1]["title"], "be\x00fore")
        self.fault("wrong_type", field="value", id=2, text="[1]")
        self.assertEqual(json.loads(self.body()[1])["data"][1]["value"], [1])
        self.fault("duplicate_keys", field="title", value="twin")
        self.assertEqual(self.body()[1].count(b'"title"'), 4)
        self.fault("chunked", bytes=100)
        self.assertEqual(len(json.loads(self.body()[1])["data"]), 3)

    def test_which_requests(self):
        self.fault("status", status=500, match={"path_regex": "deals$", "nth": [2, 3]})
        self.assertEqual([self.status("deals"), self.status("persons"), self.status("deals"), self.status("deals"),
                          self.status("deals")], [200, 200, 500, 500, 200])
        self.fault("status", status=500, match={"times": 2})
        self.assertEqual([self.status("deals") for _ in range(3)], [500, 500, 200])
        self.fault("status", status=500, match={"cursor_only": True})
        cursor = self.client.get("/api/v2/deals", limit=2)[1]["additional_data"]["next_cursor"]
        self.assertEqual(self.status("deals", limit=2, cursor=cursor), 500)

    def test_connection_behaviour(self):
        self.fault("truncated")
        self.assertRaises(http.client.IncompleteRead, self.body)
        self.fault("wrong_length", delta=5)
        self.assertRaises(http.client.IncompleteRead, self.body)
        self.fault("reset")
        self.assertRaises(ConnectionResetError, self.body)
        self.fault("reset", where="body")
        self.assertRaises((ConnectionResetError, http.client.IncompleteRead), self.body)
        for kind in ("hang", "hang_mid_body", "slow_drip"):
            self.fault(kind, interval_ms=500)
            self.client = Client(self.base, 0.2)
            self.assertRaises(TimeoutError, self.body)
        urls = self.admin.control("GET", "urls")
        for name in ("hang_connect", "never_answers"):
            self.client = Client(urls[name], 0.2)
            self.assertRaises(TimeoutError, self.body)
        self.client = Client(urls["refused"], 0.2)
        self.assertRaises(ConnectionRefusedError, self.body)
        self.client = Client(self.base)
        self.admin.control("DELETE", "faults")
        self.admin.control("PUT", "latency", {"ms": 60})
        began = time.monotonic()
        self.body()
        self.assertGreater(time.monotonic() - began, 0.05)


class Changes(Case):
    def test_rows(self):
        self.admin.control("PUT", "clock", {"now": "2026-04-01T10:00:00Z"})
        row = self.mutate(action="create", entity="deals", fields={"title": "Brand new", "value": 5})
        self.assertIsNone(row["update_time"])
        key = row["id"]
        row = self.mutate(action="change", entity="deals", id=key, at="2026-04-02T00:00:00Z",
                          fields={"status": "won", "custom_fields": {"Score": 7}})
        self.assertEqual((row["update_time"], row["won_time"]), ("2026-04-02T00:00:00Z",) * 2)
        self.assertIn(7, self.data("deals/%d" % key)["custom_fields"].values())
        self.mutate(action="delete", entity="deals", id=key)
        self.assertIn(key, [r["id"] for r in self.data("deals", status="deleted")])
        self.assertEqual(self.mutate(action="restore", entity="deals", id=key)["status"], "won")
        self.mutate(action="archive", id=key)
        self.assertIn(key, [r["id"] for r in self.data("deals/archived")])
        self.mutate(action="unarchive", id=key)
        winner = self.data("persons", limit=2)
        linked = [r["id"] for r in self.rows("deals") if r["person_id"] == winner[1]["id"]]
        self.mutate(action="merge", entity="persons", id=winner[1]["id"], into=winner[0]["id"])
        self.assertEqual(self.data("persons", ids=winner[1]["id"]), [])
        for one in linked:
            self.assertEqual(self.data("deals/%d" % one)["person_id"], winner[0]["id"])
        self.mutate(action="purge", entity="deals", id=key)
        self.assertEqual(self.status("deals/%d" % key), 404)
        self.admin.control("POST", "reset")

    def test_in_the_middle_of_a_walk(self):
        ids = [r["id"] for r in self.data("deals", limit=500)]
        orders = [{"action": "delete", "entity": "deals", "id": ids[2]},
                  {"action": "create", "entity": "deals", "fields": {"id": 4000000000, "title": "late"}}]
        self.admin.control("POST", "on_request", {"after_request_matching": {"path_regex": "deals$", "nth": 1},
                                                  "mutations": orders})
        found = [r["id"] for r in self.walk("deals", limit=2)]
        self.assertEqual(found, [i for i in ids if i != ids[2]] + [4000000000])

    def test_field_changes(self):
        post = lambda **order: self.admin.control("POST", "fields", dict(order, entity="deals"))  # noqa: E731
        code = post(action="add", name="Fresh", type="enum", options=["x", "y"])["field_code"]
        self.assertIn(code, self.data("deals", limit=1)[0]["custom_fields"])
        added = post(action="add_option", code=code, label="z")["options"][-1]
        self.mutate(action="change", entity="deals", id=1, fields={"custom_fields": {"Fresh": added["id"]}})
        value = self.data("deals", ids=1, include_option_labels="true")[0]["custom_fields"][code]
        self.assertEqual(value, {"id": added["id"], "label": "z"})
        post(action="relabel_option", code=code, option_id=added["id"], label="Z")
        post(action="rename", code=code, name="Renamed")
        post(action="remove_option", code=code, option_id=added["id"])
        field = self.data("dealFields/" + code)
        self.assertEqual((field["field_name"], len(field["options"])), ("Renamed", 2))
        post(action="retype", code=code, type="date", values={"1": "2026-01-01"})
        self.assertEqual(self.data("deals", ids=1)[0]["custom_fields"][code], "2026-01-01")
        post(action="remove", code=code)
        self.assertNotIn(code, self.data("deals", limit=1)[0]["custom_fields"])

    def test_many(self):
        found = self.admin.control("POST", "mutate_many", [
            {"action": "change", "entity": "deals", "id": 1, "fields": {"title": "x"}},
            {"action": "change", "entity": "deals", "id": 999999, "fields": {}},
            {"action": "delete", "entity": "persons", "id": 2}])
        self.assertEqual(found, [{"id": 1}, {"error": "no deals 999999"}, {"id": 2}])

    def test_recorded(self):
        text = '{"success": true,  "data": [{"id": 1.50}]}'
        self.admin.control("POST", "recorded", {"path": "/api/v2/deals", "body": text})
        headers = {"x-api-token": "sim-token-admin"}
        self.assertEqual(self.client.raw("GET", "/api/v2/deals?limit=9", None, headers)[1], text.encode())
        self.assertEqual(self.data("deals", cursor="x"), [])
        self.admin.control("DELETE", "recorded")
        self.assertEqual(self.data("deals", limit=1)[0]["id"], 1)


class Processes(unittest.TestCase):
    def test_same_seed_same_bytes(self):
        seen = []
        for arguments in (("--seed", "5"), ("--seed", "5"), ("--seed", "6")):
            process, base = start("--scale", "20", *arguments)
            client = Client(base)
            seen.append([client.raw("GET", path, None, {"x-api-token": "sim-token-admin"})[1] for path in
                         ("/api/v2/deals?limit=3", "/api/v2/persons", "/api/v2/dealFields", "/v1/users",
                          "/api/v2/products", "/v1/leads", "/v1/notes")])
            client.connection.close()
            stop(process)
        self.assertEqual(seen[0], seen[1])
        self.assertNotEqual(seen[0], seen[2])

    def test_no_custom_fields(self):
        process, base = start("--scale", "20", "--custom-fields", "-1", "--switch", "empty_custom_fields=null")
        client = Client(base)
        self.assertIsNone(client.get("/api/v2/deals")[1]["data"][0]["custom_fields"])
        client.control("PUT", "switches", {"empty_custom_fields": "object"})
        self.assertEqual(client.get("/api/v2/deals")[1]["data"][0]["custom_fields"], {})
        client.connection.close()
        stop(process)

    def test_size(self):
        began = time.monotonic()
        process, base = start("--scale", "5000", "--custom-fields", "66")
        self.assertLess(time.monotonic() - began, 4)
        client = Client(base)
        self.assertEqual(len(client.get("/api/v2/deals", limit=500)[1]["data"]), 500)
        client.connection.close()
        stop(process)


def load_tests(loader, tests, pattern):
    for module in (selftest_webhooks, selftest_kinds):
        tests.addTests(loader.loadTestsFromModule(module))
    return tests


if __name__ == "__main__":
    unittest.main()
