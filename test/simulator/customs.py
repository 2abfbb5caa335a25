# customs.py - values of custom fields, one maker per field type.
#
# A maker gets the field, the row number and the plan and returns the value in REST v2 shape.
# Values() decides which fields of a row are set: every field is set in some early row, rows 10, 21,
# 32, ... have none, and unset fields are simply missing (the encoder writes their nulls).

import clock
import pools
from rawjson import Raw

DOUBLES = [Raw("0.1"), Raw("12.5"), 0, Raw("-3.75"), 42, Raw("1234567890.123456"), Raw("1e-3"), 100]
TEXTS = ["alpha", "Beta 2", "", "Ünïcödé", "третий", "line one\nline two",
         "a \"quoted\" word"] + pools.EXOTIC


def choice_ids(field):
    """Ids rows may hold: the defined options, then those that were deleted later."""
    return [o["id"] for o in field.options] + sorted(field.retired)


def pick_set(field, i, plan):
    ids = choice_ids(field)
    return [ids[(i + k) % len(ids)] for k in range(1 + i % min(3, len(ids)))]


def pick_time(i, k=0):
    return "%02d:%02d:%02d" % ((8 + i + k) % 24, (i * 5) % 60, (i * 7) % 60 if i % 4 == 0 else 0)


def zoned(value, i):
    zone = pools.ZONES[i % len(pools.ZONES)]
    value["timezone_id"], value["timezone_name"] = zone if i % 6 else (None, None)
    return value


def day(plan, i):
    return clock.text(plan.start + (i * 37 % 900) * 86400)[:10]


MAKERS = {
    "varchar": lambda f, i, p: TEXTS[i % len(TEXTS)],
    "varchar_auto": lambda f, i, p: ("Spring", "Summer fair", "Newsletter", "Зима")[i % 4],
    "text": lambda f, i, p: TEXTS[(i * 3) % len(TEXTS)],
    "phone": lambda f, i, p: "+49 30 %06d" % i,
    "double": lambda f, i, p: DOUBLES[i % len(DOUBLES)],
    "monetary": lambda f, i, p: {"value": pools.AMOUNTS[i % len(pools.AMOUNTS)],
                                 "currency": None if i % 7 == 6 else pools.CURRENCY[i % 6]},
    "enum": lambda f, i, p: choice_ids(f)[i % len(choice_ids(f))],
    "set": pick_set,
    "user": lambda f, i, p: p.users[i % len(p.users)],
    "org": lambda f, i, p: p.orgs[(i * 3) % len(p.orgs)],
    "people": lambda f, i, p: p.persons[(i * 5) % len(p.persons)],
    "date": lambda f, i, p: day(p, i),
    "daterange": lambda f, i, p: {"value": day(p, i), "until": None if i % 8 == 7 else day(p, i + 3)},
    "time": lambda f, i, p: zoned({"value": pick_time(i)}, i),
    "timerange": lambda f, i, p: zoned({"value": pick_time(i), "until": pick_time(i, 2)}, i),
    "address": lambda f, i, p: pools.address(i, True),
}


class Values:
    """Callable: row number -> {field code: value} of the fields that are set."""

    def __init__(self, definitions, plan):
        self.plan = plan
        self.rows = [(3 * k, 3 if k < 10 else 4 if k < 20 else 7, f.code, MAKERS[f.type], f, k)
                     for k, f in enumerate(definitions)]

    def __call__(self, i):
        if i % 11 == 10:
            return {}
        plan = self.plan
        return {code: make(field, i + k, plan)
                for shift, modulus, code, make, field, k in self.rows if (i + shift) % modulus == 0}
