# notes.py - notes (v1): pages by offset, the names of what they belong to embedded.

import random

import pools
from entity import Entity, column, named
from params import OFFSET, SINCE, ints
from plan import FIRST_USER, stamp

PARENTS = {"deals": "deal_id", "persons": "person_id", "organizations": "org_id", "leads": "lead_id"}
PINNED = ("pinned_to_deal_flag", "pinned_to_person_flag", "pinned_to_organization_flag", "pinned_to_lead_flag",
          "pinned_to_project_flag", "pinned_to_task_flag")
SORTS = ("id", "user_id", "deal_id", "person_id", "org_id", "content", "add_time", "update_time")
FILTERS = (ints("user_id", "deal_id", "person_id", "org_id", "project_id", "task_id") + [("lead_id", "uuid", None)]
           + [("start_date", "date", None), ("end_date", "date", None)] + SINCE
           + [(flag, "flag", None) for flag in PINNED] + [("sort", "sort", SORTS)] + OFFSET)


def make(plan, values, store):
    """Ids have gaps, so that tests can put rows between others."""
    r, out = random.Random("%s/notes" % plan.seed), []
    ids = [2 * number for number in plan.ids(max(2, int(plan.scale * 0.6)))]
    leads, deals = list(store.tables["leads"]), [row.data for row in store.tables["deals"].values()]
    for i, number in enumerate(ids):
        add, update = plan.times(r, i, len(ids))
        update, deal = add if update is None else update, deals[int(r.random() * len(deals))]
        content = "<p>Spoke to %s &amp; sent an offer</p>" % r.choice(pools.FIRST)
        if i < 120 and i % 7 == 3:
            content = pools.EXOTIC[(i // 7 + 1) % len(pools.EXOTIC)]
        parents = [{"deal_id": deal["id"], "person_id": deal["person_id"], "org_id": deal["org_id"]},
                   {"person_id": plan.persons[i % len(plan.persons)]}, {"org_id": plan.orgs[i % len(plan.orgs)]},
                   {"lead_id": leads[i % len(leads)]}, {"project_id": 1 + i % 3}][i % 5]
        row = dict.fromkeys(NOTES.keys)
        row.update(dict.fromkeys(PINNED, False), id=number, user_id=plan.users[(i * 7) % 11], content=content,
                   add_time=stamp(add), update_time=stamp(update), active_flag=i % 29 != 28,
                   last_update_user_id=plan.users[i % 11] if update != add else None, **parents)
        if i % 6 == 1:
            row.update({flag: row[key] is not None for flag, key in
                        zip(PINNED, ("deal_id", "person_id", "org_id", "lead_id"))})
        out.append(row)
    return out


def name_in(store, entity, key, column_):
    row = store.tables[entity].get(key)
    return None if row is None else {column_: row.data[column_]}


def embedded(store, data, user):
    """The names that a note carries of other rows."""
    writer = store.tables["users"][data["user_id"]].data if data["user_id"] in store.tables["users"] else None
    return {"organization": name_in(store, "organizations", data["org_id"], "name"),
            "person": name_in(store, "persons", data["person_id"], "name"),
            "deal": name_in(store, "deals", data["deal_id"], "title"),
            "lead": name_in(store, "leads", data["lead_id"], "title"),
            "user": writer and {"email": writer["email"], "name": writer["name"], "icon_url": writer["icon_url"],
                                "is_you": data["user_id"] == user}}


def first_day(wanted, store):
    name = store.switches["notes_dates"]
    return lambda d: d[name][:10] >= wanted


def last_day(wanted, store):
    name, inclusive = store.switches["notes_dates"], store.switches["notes_end_date"] == "inclusive"
    return lambda d: d[name][:10] < wanted or inclusive and d[name][:10] == wanted


def writer(data, values, now, order):
    if "user_id" not in values:
        data["user_id"] = order.get("user", FIRST_USER)


def editor(data, values, now, order):
    if "last_update_user_id" not in values:
        data["last_update_user_id"] = order.get("user", FIRST_USER)


NOTES = Entity(
    "notes", title="Note", style="v1", times="blank", owner="user_id", deleted=("active_flag", False),
    references=PARENTS, merge_switch="merged_v1_links",
    columns=named("id", "user_id", "deal_id", "person_id", "org_id", "lead_id", "project_id", "task_id", "content",
                  "add_time", "update_time", "active_flag", *PINNED, "last_update_user_id"),
    endpoints=[("/v1/notes", "offset", 20, "deals", FILTERS), ("/v1/notes/{id}", "one", 2, "deals", [])],
    predicates=dict({name: column(name) for name in ("user_id", "project_id", "task_id") + PINNED},
                    start_date=first_day, end_date=last_day),
    make=make, new=lambda: dict(dict.fromkeys(PINNED, False), content="New note"), on_create=writer, on_change=editor,
    extra=embedded,
    object="note", delete_tells_after=True,
    event=dict.fromkeys(("id", "user_id", "deal_id", "person_id", "org_id", "lead_id", "project_id", "active_flag",
                         "content", "add_time", "update_time") + PINNED[:3]))

ENTITIES = [NOTES]
