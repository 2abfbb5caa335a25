# simulator.py - one request in, one Response out: auth, limits, validation, answer, faults, hooks.

import threading

import answers
import api
import auth
import control
import cursors
import errors
import faults
import journal
import limits
import mutations
import pagecache
import params
import recordings
import store
import subscriptions
import switches
from clock import Clock


def takes(endpoint, method):
    """Whether an endpoint (None: only a recording) takes a method."""
    if endpoint and method in endpoint.writes:
        return True
    return method in ("GET", "HEAD") and (endpoint is None or endpoint.tokens is not None)


class Simulator:
    """The whole simulated account with its settings."""

    def __init__(self, seed=1, scale=5000, custom_fields=0, now="2026-03-31T12:00:00Z",
                 switch_values=None, limit_values=None, recorded=()):
        self.clock = Clock()
        self.switches = switches.Switches(switch_values)
        self.store = store.Store(seed, scale, custom_fields, now, self.clock, self.switches)
        self.subscriptions = subscriptions.Subscriptions()
        self.limits = limits.Limits(limit_values)
        self.cursors, self.faults = cursors.Cursors(seed), faults.Faults()
        self.recordings, self.pages = recordings.Recordings(), pagecache.PageCache()
        for name in recorded:
            self.recordings.load(name)
        self.journal = journal.Journal(threading.Lock())
        self.hooks, self.urls = [], {}

    def reset(self):
        """As after the start."""
        with self.store.lock:
            self.clock.set(None)
            self.store.reset()
            self.switches.reset()
            self.limits.reset()
            self.faults.clear()
            self.recordings.reset()
            self.subscriptions.reset()
            self.hooks = []
            self.journal.clear()

    def answer(self, request):
        """(Response, journal entry or None) for a request."""
        if request.path.startswith(control.PREFIX):
            return control.handle(self, request), None
        entry = self.journal.open(request)
        with self.store.lock:
            due = [orders for match, when, orders in self.hooks if match.hit(request)
                   and (when == "after" or self.perform(orders))]
            response = self.real_answer(request, entry)
            for orders in due:
                self.perform(orders)
            response.latency += self.faults.latency_ms / 1000.0
            chosen = self.faults.choose(request)
        entry["fault"] = ",".join(fault["kind"] for fault in chosen) or None
        for fault in chosen:
            response.packed = None
            faults.apply(fault, response)
        return response, entry

    def perform(self, orders):
        """Mutations of a hook; returns None so that 'before' hooks are not due again."""
        for order in orders:
            mutations.perform(self.store, order)

    def real_answer(self, request, entry):
        date = limits.date_header(self.switches["answer_date"])
        headers = list(date)
        try:
            viewer = auth.identify(request.headers, request.pairs)
            endpoint, arguments = api.find(request.path)
            recorded = self.recordings.find(request)
            if endpoint is None and recorded is None:
                raise errors.gateway(404, "Unknown method .")
            if not takes(endpoint, request.method):
                raise errors.gateway(405, "Method not allowed")
            if endpoint:
                auth.allow(viewer, endpoint)
                entry["tokens"] = tokens = endpoint.writes.get(request.method, endpoint.tokens)
                headers = date + self.limits.charge(viewer, tokens, self.switches["daily_headers"] == "yes")
            if recorded:
                return faults.Response(200, recorded[0], headers, recorded[1])
            if request.method in endpoint.writes:
                status, text = answers.WRITES[request.method](self, arguments, request.body, viewer)
                return faults.Response(status, text.encode("utf-8"), headers)
            return self.page(request, endpoint, arguments, viewer, headers)
        except errors.ApiError as error:
            return faults.Response(error.status, error.body.encode("utf-8"), headers + error.headers)

    def page(self, request, endpoint, arguments, viewer, headers):
        key = (request.path, tuple(request.pairs), viewer.user, viewer.owner, self.store.version,
               self.switches.version)
        page = None if endpoint.answer == "webhooks" else self.pages.get(key)
        if page is None:
            values = params.read(endpoint.parameters, request.pairs, self.switches)
            text = answers.KINDS[endpoint.answer](self, endpoint, arguments, values, request.pairs, viewer)
            page = self.pages.put(key, text.encode("utf-8"))
        response = faults.Response(200, page.body, headers)
        response.packed = page.packed
        return response
