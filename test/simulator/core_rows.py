# core_rows.py - the generated users, pipelines, stages, organizations, persons, deals and activities.
#
# Values depend on the row number and on one random stream per entity, so one entity's change never
# shifts another's rows.

import random
import uuid

import builtins_
import pools
from plan import DAY, stamp
from rawjson import Raw

STAGES = [["Lead in", "Qualified", "Proposal made", "Negotiation", "Contract"],
          ["Contacted", "Demo", "Trial", "Offer", "Closing"],
          ["Renewal due", "Reviewed", "Offer sent", "Verbal yes", "Signed"]]


def make_users(plan):
    out = []
    for i, uid in enumerate(plan.users):
        first, last = pools.FIRST[i], pools.LAST[i]
        out.append({
            "id": uid, "name": first + " " + last, "default_currency": pools.CURRENCY[i % 6],
            "locale": "en_US" if i % 2 else "et_EE", "lang": 1 + i % 3,
            "email": "user%d@example.com" % (i + 1),
            "phone": (None, "", "0000-%04d" % i)[i % 3], "activated": i != 10,
            "last_login": ("" if i == 4 else "2026-03-%02d 08:45:56" % (i + 1)) if i != 10 else None,
            "created": "2024-%02d-13 09:16:26" % (i + 1),
            "modified": None if i % 4 == 3 else "2025-11-21 08:45:%02d" % i,
            "has_created_company": i == 0,
            "access": [{"app": app, "admin": i == 0,
                        "permission_set_id": str(uuid.UUID(int=(i + 1) * 1000 + k))}
                       for k, app in enumerate(("sales", "global", "account_settings")[:3 - i % 2])],
            "active_flag": i < 11, "timezone_name": pools.ZONES[i % 5][1],
            "timezone_offset": ("+03:00", "+02:00", "-05:00", "+00:00", "+09:00")[i % 5],
            "role_id": 1 + i % 2, "icon_url": None, "is_you": False, "is_deleted": i == 11,
        })
    return out


def make_pipelines(plan):
    return [{"id": i + 1, "name": ("Sales", "Inbound", "Продления")[i], "order_nr": i + 1,
             "is_deleted": False, "is_deal_probability_enabled": i != 1,
             "add_time": stamp(plan.start - DAY), "update_time": stamp(plan.start) if i == 0 else None}
            for i in range(3)]


def make_stages(plan):
    out = []
    for p, names in enumerate(STAGES):
        for s, name in enumerate(names):
            out.append({"id": len(out) + 1, "order_nr": s + 1, "name": name, "is_deleted": False,
                        "deal_probability": (s + 1) * 20, "pipeline_id": p + 1,
                        "is_deal_rot_enabled": s == 1, "days_to_rotten": 30 if s == 1 else None,
                        "add_time": stamp(plan.start - DAY),
                        "update_time": stamp(plan.edges[s % 4]) if s % 2 else None})
    return out


def make_organizations(plan, values):
    r, out, count = random.Random("%s/organizations" % plan.seed), [], len(plan.orgs)
    for i, oid in enumerate(plan.orgs):
        add, update = plan.times(r, i, count)
        name = "%s %s %s" % (r.choice(pools.COMPANY), r.choice(pools.TRADE), r.choice(pools.LEGAL))
        if i < 100 and i % 9 == 4:
            name = pools.EXOTIC[(i // 9) % len(pools.EXOTIC)]
        known = i % 3 == 0
        out.append({
            "id": oid, "name": name, "add_time": stamp(add), "update_time": stamp(update),
            "visible_to": (3, 1, 7)[i % 3], "custom_fields": values(i),
            "owner_id": plan.users[i % 11], "label_ids": [[], [21], [22, 24]][i % 3],
            "website": "https://example.com/o%d" % oid if known else None,
            "linkedin": None, "industry": 401 + i % 4 if known else None,
            "annual_revenue": (i + 1) * 100000 if known else None,
            "employee_count": (i * 7) % 900 + 1 if known else None,
            "is_deleted": i % 33 == 32, "address": pools.address(i) if i % 2 else None})
        if i % 33 == 32 and update is None:
            out[-1]["update_time"] = stamp(add + DAY)
    return out


def contact(kind, i, name):
    """0 to 3 e-mails or phones, at most one primary."""
    form = "%s.%d@example.com" if kind == "email" else "+372 %s%07d"
    head = "p%d" % i if kind == "email" else "5"
    return [{"label": pools.LABEL[(i + k) % len(pools.LABEL)], "value": form % (head, i * 10 + k),
             "primary": k == 0} for k in range((i + (kind == "phone")) % 4)]


def make_persons(plan, values):
    r, out, count = random.Random("%s/persons" % plan.seed), [], len(plan.persons)
    for i, pid in enumerate(plan.persons):
        add, update = plan.times(r, i, count)
        first, last = r.choice(pools.FIRST), r.choice(pools.LAST)
        name = first + " " + last
        if i < 100 and i % 9 == 7:
            name, first, last = pools.EXOTIC[(i // 9 + 4) % len(pools.EXOTIC)], None, None
        elif i % 13 == 6:
            name, last = first, None
        out.append({
            "id": pid, "name": name, "first_name": first, "last_name": last, "add_time": stamp(add),
            "update_time": stamp(update), "visible_to": (3, 3, 1)[i % 3], "custom_fields": values(i),
            "owner_id": plan.users[(i * 5) % 11], "label_ids": [[], [], [11], [12, 13]][i % 4],
            "org_id": None if i % 4 == 3 else plan.orgs[int(r.random() * len(plan.orgs))],
            "is_deleted": i % 31 == 30, "picture_id": 9000 + i if i % 10 == 1 else None,
            "phones": contact("phone", i, name), "emails": contact("email", i, name)})
        if i % 31 == 30 and update is None:
            out[-1]["update_time"] = stamp(add + DAY)
    return out


def deal_amount(r, i):
    """Plain amounts, and now and then one whose digits a float would lose."""
    if i % 6 == 3 and i < 150 or i % 97 == 3:
        return pools.AMOUNTS[(i // 6) % len(pools.AMOUNTS)]
    cents = int(r.random() * 5000000)
    return Raw(repr(cents / 100)) if i % 3 else Raw("%d.0" % (cents // 100))


def deal_ending(plan, row, status, add, update):
    """Fills in the fields that a won, lost or deleted deal has."""
    if status == "open":
        return
    close = update if update is not None else add
    row["update_time"] = row["close_time"] = stamp(close)
    row["local_close_date"] = stamp(close)[:10]
    if status == "won":
        row["won_time"], row["local_won_date"] = stamp(close), stamp(close)[:10]
    elif status == "lost":
        row["lost_time"], row["local_lost_date"] = stamp(close), stamp(close)[:10]
        row["lost_reason"] = pools.LOST[row["id"] % 5] if row["id"] % 4 else None


def make_deals(plan, values):
    r, out, count = random.Random("%s/deals" % plan.seed), [], len(plan.deals)
    blank = dict.fromkeys(row[0] for row in builtins_.FIELDS["deals"])
    for i, did in enumerate(plan.deals):
        add, update = plan.times(r, i, count)
        deleted, archived = i % 33 == 12, i % 12 == 9
        status = ("open", "open", "won", "open", "lost", "open", "won")[(i * 3 + i // 7) % 7]
        stage = int(r.random() * 15)
        title = "%s %s" % (r.choice(pools.COMPANY), r.choice(pools.PRODUCT))
        if i < 100 and i % 7 == 5:
            title = pools.EXOTIC[(i // 7) % len(pools.EXOTIC)]
        row = dict(blank)
        row.update({
            "id": did, "title": title, "creator_user_id": plan.users[0], "value": deal_amount(r, i),
            "person_id": None if i % 6 == 5 else plan.persons[int(r.random() * len(plan.persons))],
            "org_id": None if i % 8 == 6 else plan.orgs[int(r.random() * len(plan.orgs))],
            "stage_id": stage + 1, "currency": pools.CURRENCY[i % 6], "add_time": stamp(add),
            "update_time": stamp(update), "status": status, "visible_to": (3, 1, 5, 7)[i % 4],
            "probability": (i * 5) % 101 if i % 5 == 1 else None, "pipeline_id": stage // 5 + 1,
            "stage_change_time": stamp(update) if i % 3 == 0 else None,
            "expected_close_date": stamp(add + 60 * DAY)[:10] if i % 2 else None,
            "custom_fields": values(i), "owner_id": plan.users[(i * 7) % 11],
            "label_ids": [[], [1], [], [2, 4]][i % 4], "is_deleted": False,
            "origin": "API" if i % 3 else "ManuallyCreated", "origin_id": None,
            "channel": 51 + i % 3 if i % 10 == 4 else None,
            "channel_id": "Campaign %d" % i if i % 10 == 4 else None, "is_archived": archived})
        deal_ending(plan, row, status, add, update)
        if i % 5 == 0:
            row["acv"], row["arr"], row["mrr"] = row["value"], Raw("0.0"), Raw("0.0")
        if archived:
            row["update_time"] = row["update_time"] or stamp(add + 3600)
            row["archive_time"] = row["update_time"]
        elif deleted:
            row["status"], row["is_deleted"] = "deleted", True
            row["update_time"] = row["update_time"] or stamp(add + 3600)
        out.append(row)
    return out


def make_activities(plan, deals):
    r, out, count = random.Random("%s/activities" % plan.seed), [], len(plan.activities)
    for i, aid in enumerate(plan.activities):
        add, update = plan.times(r, i, count)
        update = add if update is None else update
        deal = deals[int(r.random() * len(deals))] if i % 3 else None
        person = deal["person_id"] if deal else plan.persons[i % len(plan.persons)]
        others = [plan.persons[(i * 7 + k) % len(plan.persons)] for k in range(i % 3)]
        people = ([person] if person else []) + [p for p in dict.fromkeys(others) if p != person]
        done = i % 5 < 2
        subject = pools.ACTIVITY[i % 6].format(r.choice(pools.COMPANY))
        if i < 120 and i % 11 == 8:
            subject = pools.EXOTIC[(i // 11 + 2) % len(pools.EXOTIC)]
        out.append({
            "id": aid, "subject": subject, "type": builtins_.ACTIVITY_TYPES[i % 6][0],
            "owner_id": plan.users[(i * 3) % 11], "creator_user_id": plan.users[0],
            "is_deleted": i % 37 == 36, "add_time": stamp(add), "update_time": stamp(update),
            "deal_id": deal["id"] if deal else None,
            "lead_id": str(uuid.UUID(int=0x9ce77a102e1611f191c1d76c00000000 + i)) if i % 15 == 3 else None,
            "person_id": person, "org_id": deal["org_id"] if deal else None, "project_id": None,
            "due_date": None if i % 14 == 9 else stamp(add + (i % 20) * DAY)[:10],
            "due_time": (None, "09:30", "14:00:00", None, "23:59")[i % 5],
            "duration": (None, "00:30", "01:00:00")[i % 3], "done": done, "busy": i % 4 == 0,
            "marked_as_done_time": stamp(update) if done else None,
            "location": pools.address(i) if i % 9 == 1 else None,
            "participants": [{"person_id": p, "primary": p == person} for p in people],
            "conference_meeting_client": None,
            "conference_meeting_url": "https://meet.example.com/%d" % aid if i % 13 == 2 else None,
            "conference_meeting_id": None, "public_description": "" if i % 8 == 5 else None,
            "priority": 501 + i % 3 if i % 6 == 4 else None,
            "note": "<p>Note &amp; more</p>" if i % 7 == 3 else None})
    return out
