# generator.py - a whole account from a seed and a scale, the same every time.

import catalogue
import customs
import fields
import plan


def make(store, seed, scale, extra, now):
    """Fills an empty store."""
    sizes = plan.Plan(seed, scale, now)
    for name, kind in catalogue.ENTITIES.items():
        if kind.custom is not None:
            store.fields[name] = fields.builtin_fields(kind) + fields.custom_fields(seed, kind, extra)
    for name, kind in catalogue.ENTITIES.items():
        store.load(name, kind.make(sizes, customs.Values(store.custom(name), sizes), store))
