# shapes.py - a stored row as the JSON text a given request sees.
#
# A View says which parts were asked for and how the open questions (switches) are answered.  The
# text of a row is cached on the row per view, so that a second page costs a join.

import catalogue
import flat
import optional
import pools
import webhook_records
from plan import FIRST_USER
from rawjson import encode

CACHED_VIEWS = 12


def contact_values(data):
    """The keys of accounts with contact sync."""
    number = data["id"]
    some = number % 2 == 0
    return {"im": [{"value": "im%d" % number, "primary": True, "label": "skype"}] if some else [],
            "postal_address": pools.address(number) if some else None,
            "notes": "<p>Met at a fair</p>" if some else None,
            "birthday": "1980-02-29" if some else None, "job_title": "Buyer" if some else None}


class View:
    """How rows of one entity look to one request."""

    def __init__(self, store, switches, entity, include=(), custom=None, option_labels=False,
                 labels=False, true_state=False, user=FIRST_USER):
        self.store, self.entity, self.include, self.custom = store, entity, include, custom
        self.kind, self.switches, self.true_state, self.user = catalogue.ENTITIES[entity], switches, true_state, user
        self.option_labels, self.labels = option_labels, labels
        get = (lambda name: {"empty_custom_fields": "object"}.get(name, "null")) if true_state \
            else switches.__getitem__
        self.nulls = get("absent_keys") == "null"
        self.custom_nulls = get("custom_null_keys") == "null"
        self.empty_null = get("empty_custom_fields") == "null"
        self.label_key = switches["include_labels"] == "labels_key"
        self.deleted_label = switches["deleted_option_label"]
        self.fields = store.custom(entity)
        if custom is not None:
            self.fields = [f for f in self.fields if f.code in custom]
        self.heads = [('"%s":' % f.code, '"%s":null' % f.code, f) for f in self.fields]
        self.no_fields = not store.custom(entity)
        self.names = {f.code: f.labels() for f in self.fields if f.options is not None}
        self.label_names = self._label_names() if labels else {}
        self.hidden = self.kind.plan_keys if switches["plan_fields"] == "basic" else ()
        self.contacts = bool(self.kind.contact_keys) and switches["contact_sync"] == "on"
        v1 = self.kind.style == "v1"
        self.objects = v1 and not true_state and switches["v1_reference_fields"] == "object"
        self.from_others = bool(self.include or self.objects or v1 and self.kind.extra)
        self.own = self.kind.seen and not true_state and (user, switches.version)
        self.key = (self.own, self.hidden, self.contacts, include, custom, option_labels, labels, self.nulls, self.custom_nulls,
                    self.empty_null, self.label_key, self.deleted_label, store.field_epoch)

    def _label_names(self):
        for field in self.store.fields[self.entity]:
            if field.code == "label_ids":
                return field.labels()
        return {}

    def text(self, row):
        """The row as JSON text."""
        if self.from_others:
            return self.make(row.data)
        known = row.cache.get(self.key)
        if known is None:
            if len(row.cache) >= CACHED_VIEWS:
                row.cache.clear()
            known = row.cache[self.key] = self.make(row.data)
        return known

    def make(self, data):
        """The text in the order of keys the API uses."""
        if self.kind.seen and not self.true_state:
            data = self.kind.seen(data, self.switches, self.user)
        if self.kind.style == "plain":
            return encode(data)
        if self.kind.style == "v1":
            data = self.flat(data)
        extra, out = contact_values(data) if self.contacts else {}, []
        for name in self.include:
            extra[name] = optional.value(self.store, self.entity, data, name)
        if self.labels:
            objects = [{"id": i, "label": self.label_names.get(i)} for i in data["label_ids"]]
            extra["labels" if self.label_key else "label_ids"] = objects
        for key, value in (dict(data, **extra) if extra else data).items():
            if key in self.hidden:
                continue
            if value is None:
                if self.nulls:
                    out.append('"' + key + '":null')
            elif key == "custom_fields":
                out.append('"custom_fields":' + self.customs(value))
            else:
                out.append('"' + key + '":' + encode(value))
        return "{" + ",".join(out) + "}"

    def flat(self, data):
        """The v1 record."""
        if self.kind.extra:
            data = webhook_records.snapshot(self.store, self.kind, data, self.user)
        out = flat.record(self.kind, data, self.fields)
        if self.objects:
            out.update(flat.objects(self.store, self.fields, out))
        return out

    def customs(self, values):
        if self.no_fields:
            return "null" if self.empty_null else "{}"
        out = []
        for head, null, field in self.heads:
            value = values.get(field.code)
            if value is None:
                if self.custom_nulls:
                    out.append(null)
            elif self.option_labels and field.code in self.names:
                out.append(head + encode(self.labelled(self.names[field.code], value)))
            else:
                out.append(head + encode(value))
        return "{" + ",".join(out) + "}"

    def labelled(self, names, value):
        if isinstance(value, list):
            return [self.labelled(names, one) for one in value]
        if value in names:
            return {"id": value, "label": names[value]}
        return {"null": {"id": value, "label": None}, "missing_key": {"id": value},
                "bare_id": value}[self.deleted_label]


def true_rows(store, switches, entity, include_all=False):
    """Every row of an entity as JSON array text: the state tests compare with."""
    include = tuple(catalogue.ENTITIES[entity].optional_keys) if include_all else ()
    view = View(store, switches, entity, include, true_state=True)
    table = store.tables[entity]
    return "[" + ",".join([view.text(table[i]) for i in store.ids[entity]]) + "]"
