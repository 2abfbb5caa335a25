# store.py - the account's state: rows, field definitions and everything that changes them.
#
# One re-entrant lock guards it all; callers hold store.lock.  Every change raises store.version,
# which page caches and derived indexes are keyed by.

import bisect
import threading
import uuid

import catalogue
import events
import generator
import plan


class Row:
    """One record: data in REST shape (custom_fields holds only set values) and its encoded forms."""

    __slots__ = ("data", "cache", "before_delete")

    def __init__(self, data):
        self.data, self.cache, self.before_delete = data, {}, None


class Store:
    def __init__(self, seed, scale, extra, now, clock, switches=None):
        self.lock = threading.RLock()
        self.arguments, self.clock = (seed, scale, extra, now), clock
        self.version, self.switches, self.events = 0, switches, events.Events(seed, switches)
        self.reset()

    def reset(self):
        """Back to the generator's state."""
        with self.lock:
            self.tables = {entity: {} for entity in catalogue.ENTITIES}
            self.ids = {entity: [] for entity in catalogue.ENTITIES}
            self.fields, self.field_epoch, self.derived = {}, 0, {}
            self.made = 0
            self.events.reset()
            generator.make(self, *self.arguments)
            self.changed()

    def load(self, entity, rows):
        key = catalogue.ENTITIES[entity].key
        self.tables[entity] = {row[key]: Row(row) for row in rows}
        self.ids[entity] = sorted(self.tables[entity])

    def changed(self):
        self.version += 1
        self.derived.clear()

    def custom(self, entity):
        owner = catalogue.ENTITIES[entity].fields_of or entity
        return [f for f in self.fields.get(owner, ()) if f.custom]

    def fields_changed(self):
        self.field_epoch += 1
        self.changed()

    # -- rows -------------------------------------------------------------------------------

    def add(self, entity, data):
        key = data[catalogue.ENTITIES[entity].key]
        if key in self.tables[entity]:
            raise ValueError("%s %s exists" % (entity, key))
        self.tables[entity][key] = Row(data)
        bisect.insort(self.ids[entity], key)
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
        """One more than the highest ordinary id (ids beyond 2^31 are the generator's), or a uuid not yet used."""
        kind = catalogue.ENTITIES[entity]
        if kind.key_kind == "uuid":
            self.made += 1
            return str(uuid.uuid5(uuid.NAMESPACE_OID, "%s/%s/%d" % (self.arguments[0], entity, self.made)))
        if kind.key_kind == "text":
            raise ValueError("a new row of %s needs a %s" % (entity, kind.key))
        small = bisect.bisect_left(self.ids[entity], plan.BIG_ID)
        return self.ids[entity][small - 1] + 1 if small else 1

    # -- values computed from other rows -------------------------------------------------------

    def index(self, name, build):
        """A derived index, rebuilt when anything has changed."""
        if name not in self.derived:
            self.derived[name] = build(self)
        return self.derived[name]
