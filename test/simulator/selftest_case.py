# selftest_case.py - a running simulator and short ways to ask it, for the self-tests.

import os
import unittest

from harness import Client, start, stop

SCALE = 60
SHARED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../shared")


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.process, cls.base = start("--scale", str(SCALE))
        cls.admin = Client(cls.base)

    @classmethod
    def tearDownClass(cls):
        if cls.admin.connection:
            cls.admin.connection.close()
        stop(cls.process)

    def setUp(self):
        self.client = Client(self.base)
        self.admin.control("POST", "reset")

    def tearDown(self):
        if self.client.connection:
            self.client.connection.close()

    def data(self, path, **query):
        status, body, _ = self.client.get("/api/v2/" + path, **query)
        self.assertEqual(status, 200, body)
        return body["data"]

    def status(self, path, **query):
        return self.client.get("/api/v2/" + path, **query)[0]

    def v1(self, path, **query):
        """data of a v1 answer; an empty list is [] whatever it came as."""
        status, body, _ = self.client.get("/v1/" + path, **query)
        self.assertEqual(status, 200, body)
        return body["data"] or []

    def v1_status(self, path, **query):
        return self.client.get("/v1/" + path, **query)[0]

    def offset_walk(self, path, **query):
        """Rows of all pages of a list that is asked by start and limit."""
        rows, start = [], 0
        while True:
            status, body, _ = self.client.get("/v1/" + path, start=start, **query)
            self.assertEqual(status, 200, body)
            rows += body["data"] or []
            paging = body["additional_data"].get("pagination", body["additional_data"])
            if not paging["more_items_in_collection"]:
                return rows
            start = paging.get("next_start", start + paging["limit"])

    def walk(self, path, **query):
        """Rows of all pages."""
        rows, cursor = [], None
        while True:
            more = dict(query, cursor=cursor) if cursor else query
            status, body, _ = self.client.get("/api/v2/" + path, **more)
            self.assertEqual(status, 200, body)
            rows += body["data"]
            cursor = (body["additional_data"] or {}).get("next_cursor")
            if not cursor:
                return rows

    def rows(self, entity):
        return self.admin.control("GET", "rows/" + entity)

    def fault(self, kind, **settings):
        self.admin.control("DELETE", "faults")
        self.admin.control("POST", "faults", dict(settings, kind=kind))

    def mutate(self, **order):
        return self.admin.control("POST", "mutate", order)
