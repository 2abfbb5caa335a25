# store.py - the account's state: rows, field definitions and everything that changes them.
#
# One re-entrant lock guards it all; callers hold store.lock.  Every change raises store.version,
# which page caches and derived indexes are keyed by.

import bisect
import threading

import events
import generator

ENTITIES = ("deals", "persons", "organizations", "activities", "pipelines", "stages", "users")


class Row:
    """One record: data in REST shape (custom_fields holds only set values) and its encoded forms."""

    __slots__ = ("data", "cache", "before_delete")

    def __init__(self, data):
        self.data, self.cache, self.before_delete = data, {}, None


class Store:
    def __init__(self, seed, scale, extra, now, clock, switches=None):
        self.lock = threading.RLock()
        self.arguments, self.clock = (seed, scale, extra, now), clock
        self.version, self.events = 0, events.Events(seed, switches)
        self.reset()

    def reset(self):
        """Back to the generator's state."""
        with self.lock:
            self.tables = {entity: {} for entity in ENTITIES}
            self.ids = {entity: [] for entity in ENTITIES}
            self.fields = {"pipelines": [], "stages": []}
            self.field_epoch, self.derived = 0, {}
            self.events.reset()
            generator.make(self, *self.arguments)
            self.changed()

    def load(self, entity, rows):
        self.tables[entity] = {row["id"]: Row(row) for row in rows}
        self.ids[entity] = sorted(self.tables[entity])

    def changed(self):
        self.version += 1
        self.derived.clear()

    def custom(self, entity):
        return [f for f in self.fields.get(entity, ()) if f.custom]

    def fields_changed(self):
        self.field_epoch += 1
        self.changed()

    # -- rows -------------------------------------------------------------------------------

    def add(self, entity, data):
        if data["id"] in self.tables[entity]:
            raise ValueError("%s %s exists" % (entity, data["id"]))
        self.tables[entity][data["id"]] = Row(data)
        bisect.insort(self.ids[entity], data["id"])
        self.changed()

    def remove(self, entity, key):
        del self.tables[entity][key]
        self.ids[entity].remove(key)
        self.changed()

    def touch(self, row):
        row.cache = {}
        self.changed()

    def get(self, entity, key):
        row = self.tables[entity].get(key)
        if row is None:
            raise ValueError("no %s %s" % (entity, key))
        return row

    def next_id(self, entity):
        """One more than the highest ordinary id (ids beyond 2^31 are the generator's)."""
        small = bisect.bisect_left(self.ids[entity], generator.BIG_ID)
        return self.ids[entity][small - 1] + 1 if small else 1

    # -- values computed from other rows -------------------------------------------------------

    def index(self, name, build):
        """A derived index, rebuilt when anything has changed."""
        if name not in self.derived:
            self.derived[name] = build(self)
        return self.derived[name]
