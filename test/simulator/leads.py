# leads.py - leads (v1): uuid keys, pages by offset, an archive, the custom fields of deals flat on the record.

import random
import uuid

import core_rows
import lists
import pools
from entity import Entity, column, named
from params import OFFSET, SINCE, ints
from plan import DAY, FIRST_USER, stamp

OF_ACTIVITIES = 0x9ce77a102e1611f191c1d76c00000000  # activity i of the generated account names lead OF_ACTIVITIES + i
GREGORIAN = 0x01b21dd213814000
SORTS = ("id", "title", "owner_id", "creator_id", "was_seen", "expected_close_date", "next_activity_id", "add_time",
         "update_time")
FILTERS = ints("owner_id", "person_id", "organization_id", "filter_id") + [("sort", "sort", SORTS)] + OFFSET
NOT_FOUND = {"success": False, "error": "requested lead not found", "error_info": "Object was not found.", "data": None,
             "additional_data": None}


def lead_id(i, milliseconds):
    """Every third is one that activities name; the others are of the time they were made, which text does not show."""
    if i % 3 == 0:
        return str(uuid.UUID(int=OF_ACTIVITIES + 5 * i + 3))
    ticks = milliseconds * 10000 + GREGORIAN
    return str(uuid.UUID(fields=(ticks & 0xffffffff, ticks >> 32 & 0xffff, ticks >> 48 | 0x1000, 0x91, 0xc1,
                                 0xd76c55e00000 + i)))


def with_fraction(seconds, i):
    return stamp(seconds).replace("Z", ".%03dZ" % (i * 37 % 1000))


def twins(out, i):
    """Some leads were made in the same millisecond as the one before: an import."""
    if i % 10 == 9:
        out[-1]["add_time"] = out[-2]["add_time"]


def make(plan, values, store):
    r, out, count = random.Random("%s/leads" % plan.seed), [], max(4, int(plan.scale * 0.3))
    labels = [row[0] for row in lists.LABELS]
    for i in range(count):
        add, update = plan.times(r, i, count)
        update, archived = add if update is None else update, i % 7 == 5
        key, title = lead_id(i, add * 1000 + i * 37 % 1000), "%s lead" % r.choice(pools.COMPANY)
        if i < 100 and i % 6 == 2:
            title = pools.EXOTIC[(i // 6) % len(pools.EXOTIC)]
        source = lists.SOURCES[(i * 3) % len(lists.SOURCES)]
        out.append({
            "id": key, "title": title, "owner_id": plan.users[(i * 5) % 11], "creator_id": plan.users[i % 3],
            "label_ids": [[], labels[:1], labels[1:3], labels[3:]][i % 4],
            "value": None if i % 4 == 3 else {"amount": core_rows.deal_amount(r, i), "currency": pools.CURRENCY[i % 6]},
            "expected_close_date": stamp(add + 30 * DAY)[:10] if i % 3 else None,
            "person_id": None if i % 5 == 4 else plan.persons[int(r.random() * len(plan.persons))],
            "organization_id": None if i % 5 in (1, 2) else plan.orgs[int(r.random() * len(plan.orgs))],
            "is_archived": archived, "archive_time": with_fraction(update, i) if archived else None,
            "source_name": source, "source_deal_id": plan.deals[i % len(plan.deals)] if source == "Deal" else None,
            "origin": "API" if source == "API" else "ManuallyCreated",
            "origin_id": "form %d" % i if i % 9 == 4 else None, "channel": 51 + i % 3 if i % 8 == 6 else None,
            "channel_id": "Campaign %d" % i if i % 8 == 6 else None, "was_seen": i % 2 == 0,
            "next_activity_id": plan.activities[i % len(plan.activities)] if i % 4 == 1 else None,
            "add_time": with_fraction(add, i), "update_time": with_fraction(update, i),
            "visible_to": ("3", "1", "5", "7")[i % 4], "cc_email": "company+1+lead%s@mail.example.com" % key[:8],
            "custom_fields": values(i + 1)})
        twins(out, i)
    return out


LEADS = Entity(
    "leads", title="Lead", missing=NOT_FOUND, key_kind="uuid", style="v1", times="milliseconds", fields_of="deals",
    owner="owner_id", archives=True, order=(("add_time", False),), flat_paging=True,
    columns=named("id", "title", "owner_id", "creator_id", "label_ids", "value", "expected_close_date", "person_id",
                  "organization_id", "is_archived", "archive_time", "source_name", "source_deal_id", "origin",
                  "origin_id", "channel", "channel_id", "was_seen", "next_activity_id", "add_time", "update_time",
                  "visible_to", "cc_email", "custom_fields"),
    references={"persons": "person_id", "organizations": "organization_id"}, merge_switch="merged_v1_links",
    endpoints=[("/v1/leads", "offset", 20, "leads", FILTERS + SINCE),
               ("/v1/leads/archived", "offset", 40, "leads", FILTERS),
               ("/v1/leads/{id}", "one", 2, "leads", [])],
    saved={51: ("Leads with a person", lambda d: d["person_id"] is not None)},
    predicates={"organization_id": column("organization_id")},
    make=make,
    new=lambda: {"title": "New lead", "owner_id": FIRST_USER, "creator_id": FIRST_USER, "label_ids": [],
                 "is_archived": False, "source_name": "API", "origin": "API", "was_seen": False, "visible_to": "3",
                 "cc_email": "company+1+lead@mail.example.com", "custom_fields": {}},
    object="lead", v1_events=False,
    event=dict.fromkeys(("id", "title", "owner_id", "creator_id", "label_ids", "value", "expected_close_date",
                         "person_id", "organization_id", "is_archived", "source_name", "origin", "origin_id",
                         "channel", "channel_id", "was_seen", "next_activity_id", "add_time", "update_time",
                         "custom_fields")))

ENTITIES = [LEADS]
