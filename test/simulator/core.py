# core.py - deals, persons, organizations, activities, pipelines, stages and users as rows of facts.

from decimal import Decimal

import builtins_
import core_rows
import fields
import flat
import optional
from entity import Entity
from params import CUSTOM, IDS, LABELS, NAMESPACES, ONLY_VISIBILITY, PAGE, WINDOW, ints, sort
from plan import FIRST_USER

COMMON = ("id", "owner_id", "add_time", "update_time", "visible_to", "custom_fields")
DELETED = ("is_deleted", True)


def include(entity):
    return [("include_fields", "choices", tuple(row[0] for row in builtins_.OPTIONAL[entity]))]


def facts(entity, **more):
    """What the tables of built-in fields say of an entity, and more."""
    options = {column: rows for (owner, column), rows in builtins_.OPTIONS.items() if owner == entity}
    return Entity(entity, columns=builtins_.FIELDS[entity], optional=builtins_.OPTIONAL[entity], options=options,
                  custom=fields.CUSTOM.get(entity), deleted=DELETED,
                  **dict({"plan_keys": builtins_.PLAN_KEYS.get(entity, ())}, **more))


def common(**more):
    return dict({"visible_to": 3, "custom_fields": {}, "owner_id": FIRST_USER, "label_ids": []}, **more)


def first_label(data):
    return data["label_ids"][0] if data["label_ids"] else None


def clock_time(value):
    return None if value is None else {"timezone_id": None, "value": value}


def active(data):
    return not data["is_deleted"]


def link_name(data):
    return data["name"].lower().replace(" ", "-")


# -- deals --------------------------------------------------------------------------------------


def deal_effects(data, values, now, order):
    """What a change of status or stage sets besides."""
    if "stage_id" in values and "stage_change_time" not in values:
        data["stage_change_time"] = now
    if "status" not in values:
        return
    day = now[:10]
    won, lost = values["status"] == "won", values["status"] == "lost"
    effects = {"won_time": now if won else None, "local_won_date": day if won else None,
               "lost_time": now if lost else None, "local_lost_date": day if lost else None,
               "close_time": now if won or lost else None,
               "local_close_date": day if won or lost else None}
    data.update({k: v for k, v in effects.items() if k not in values})


DEAL_FILTERS = (ints("filter_id", "owner_id", "person_id", "org_id", "pipeline_id", "stage_id") + IDS
                + [("status", "choices", ("open", "won", "lost", "deleted"))] + WINDOW + sort() + include("deals")
                + CUSTOM)

DEALS = facts(
    "deals", title="Deal", first_option=1000, more_custom=True, owner="owner_id", archives=True,
    deleted_status="deleted", references={"persons": "person_id", "organizations": "org_id"},
    endpoints=[
        ("/api/v2/deals", "list", 10, "deals", DEAL_FILTERS + LABELS + PAGE),
        ("/api/v2/deals/archived", "list", 20, "deals", DEAL_FILTERS + PAGE),
        ("/api/v2/deals/{id}", "one", 1, "deals", include("deals") + CUSTOM + LABELS),
        ("/api/v2/dealFields", "fields", 10, "deals", NAMESPACES + PAGE),
        ("/api/v2/dealFields/{code}", "field", 1, "deals", NAMESPACES),
    ],
    saved={11: ("Open deals of the first pipeline", lambda d: d["status"] == "open" and d["pipeline_id"] == 1),
           12: ("Deals worth 10000 or more", lambda d: Decimal(str(d["value"] or 0)) >= 10000)},
    predicates={"status": lambda wanted, store: lambda d: d["status"] in wanted},
    make=lambda plan, values, store: core_rows.make_deals(plan, values),
    born_changed=False,
    new=lambda: common(title="New deal", creator_user_id=FIRST_USER, value=0, currency="EUR", status="open",
                       stage_id=1, pipeline_id=1, origin="API", is_archived=False),
    on_change=deal_effects,
    extra=lambda store, data, user: {"first_won_time": optional.value(store, "deals", data, "first_won_time")},
    object="deal",
    event=dict.fromkeys(
        COMMON + ("channel", "channel_id", "close_time", "creator_user_id", "currency", "expected_close_date",
                  "first_won_time", "label_ids", "lost_reason", "lost_time", "org_id", "origin", "origin_id",
                  "person_id", "pipeline_id", "probability", "stage_change_time", "stage_id", "status", "title",
                  "value", "won_time", "is_archived", "archive_time")),
    flat_hidden=("owner_id", "label_ids", "is_deleted"),
    flat_parts=lambda d: {"user_id": d["owner_id"], "active": active(d) and d["status"] == "open",
                          "deleted": d["is_deleted"], "label": ",".join(map(str, d["label_ids"])) or None})


# -- persons and organizations --------------------------------------------------------------------


def person_of_deal(wanted, store):
    """Persons linked to a deal."""
    deal = store.tables["deals"].get(wanted)
    person = deal.data["person_id"] if deal else None
    return lambda d: d["id"] == person


PERSONS = facts(
    "persons", title="Person", first_option=4000, owner="owner_id", contact_keys=builtins_.CONTACT_SYNC,
    references={"organizations": "org_id"},
    endpoints=[
        ("/api/v2/persons", "list", 10, "contacts", ints("filter_id", "owner_id", "org_id", "deal_id") + IDS + WINDOW
         + sort() + include("persons") + CUSTOM + LABELS + PAGE),
        ("/api/v2/persons/{id}", "one", 1, "contacts", include("persons") + CUSTOM + LABELS),
        ("/api/v2/personFields", "fields", 10, "contacts", NAMESPACES + PAGE),
        ("/api/v2/personFields/{code}", "field", 1, "contacts", NAMESPACES),
    ],
    saved={21: ("Persons with an organization", lambda d: d["org_id"] is not None)},
    predicates={"deal_id": person_of_deal},
    make=lambda plan, values, store: core_rows.make_persons(plan, values),
    born_changed=False, new=lambda: common(name="New person", phones=[], emails=[]),
    object="person",
    event=dict(dict.fromkeys(COMMON + ("emails", "phones", "first_name", "last_name", "name", "org_id")),
               label=first_label),
    flat_hidden=("emails", "phones", "label_ids", "is_deleted"),
    flat_parts=lambda d: {"active_flag": active(d), "label": first_label(d), "email": d["emails"],
                          "phone": d["phones"]})

ORGANIZATIONS = facts(
    "organizations", title="Organization", first_option=7000, owner="owner_id",
    endpoints=[
        ("/api/v2/organizations", "list", 10, "contacts", ints("filter_id", "owner_id") + IDS + WINDOW + sort()
         + include("organizations") + CUSTOM + LABELS + PAGE),
        ("/api/v2/organizations/{id}", "one", 1, "contacts", include("organizations") + CUSTOM + LABELS),
        ("/api/v2/organizationFields", "fields", 10, "contacts", NAMESPACES + PAGE),
        ("/api/v2/organizationFields/{code}", "field", 1, "contacts", NAMESPACES),
    ],
    saved={31: ("Organizations with an address", lambda d: d["address"] is not None)},
    make=lambda plan, values, store: core_rows.make_organizations(plan, values),
    born_changed=False, new=lambda: common(name="New organization"),
    object="organization",
    event=dict(dict.fromkeys(COMMON + ("address", "name")), label=first_label, country_code=lambda data: None,
               picture_id=lambda data: None),
    flat_hidden=("label_ids", "is_deleted", "address"),
    flat_parts=lambda d: dict(flat.address("address", d["address"]), active_flag=active(d), label=first_label(d)))


# -- activities -----------------------------------------------------------------------------------


def first_participant(data, values, now, order):
    if data["person_id"] and not data["participants"]:
        data["participants"] = [{"person_id": data["person_id"], "primary": True}]


def flat_activity(data):
    people = [{"person_id": p["person_id"], "primary_flag": p["primary"]} for p in data["participants"]]
    return dict(flat.address("location", data["location"]), active_flag=active(data), busy_flag=data["busy"],
                user_id=data["owner_id"], assigned_to_user_id=data["owner_id"],
                created_by_user_id=data["creator_user_id"], participants=people,
                due_time=data["due_time"] or "", duration=data["duration"] or "",
                marked_as_done_time=flat.time(data["marked_as_done_time"]) or "")


ACTIVITIES = facts(
    "activities", title="Activity", owner="owner_id",
    references={"deals": "deal_id", "persons": "person_id", "organizations": "org_id"},
    endpoints=[
        ("/api/v2/activities", "list", 10, "activities",
         ints("filter_id", "owner_id", "deal_id", "person_id", "org_id") + IDS
         + [("lead_id", "uuid", None), ("done", "bool", None)] + WINDOW + sort("due_date") + include("activities")
         + PAGE),
        ("/api/v2/activities/{id}", "one", 1, "activities", include("activities")),
        ("/api/v2/activityFields", "fields", 10, "admin", ONLY_VISIBILITY + PAGE),
        ("/api/v2/activityFields/{code}", "field", 1, "admin", ONLY_VISIBILITY),
    ],
    saved={41: ("Calls to make", lambda d: d["type"] == "call" and not d["done"])},
    make=lambda plan, values, store: core_rows.make_activities(
        plan, [row.data for row in store.tables["deals"].values()]),
    new=lambda: {"subject": "New activity", "type": "task", "owner_id": FIRST_USER, "creator_user_id": FIRST_USER,
                 "done": False, "busy": False, "participants": []},
    on_create=first_participant,
    object="activity",
    event=dict(
        dict.fromkeys(
            ("id", "owner_id", "add_time", "update_time", "creator_user_id", "deal_id", "done", "due_date", "lead_id",
             "location", "marked_as_done_time", "org_id", "participants", "person_id", "priority", "project_id",
             "public_description", "subject", "type", "conference_meeting_client", "conference_meeting_id",
             "conference_meeting_url")),
        active_flag=active, busy_flag="busy", due_time=lambda data: clock_time(data["due_time"]),
        duration=lambda data: clock_time(data["duration"]), update_user_id="creator_user_id"),
    flat_hidden=("owner_id", "busy", "is_deleted", "location"), flat_parts=flat_activity)


# -- pipelines, stages, users ---------------------------------------------------------------------

PIPELINES = facts(
    "pipelines", title="Pipeline",
    endpoints=[("/api/v2/pipelines", "list", 5, "deals", sort() + PAGE),
               ("/api/v2/pipelines/{id}", "one", 1, "deals", [])],
    make=lambda plan, values, store: core_rows.make_pipelines(plan),
    born_changed=False, new=lambda: {"name": "New pipeline", "order_nr": 99, "is_deal_probability_enabled": False},
    object="pipeline",
    event=dict(dict.fromkeys(("id", "add_time", "update_time", "name", "order_nr")), active_flag=active,
               url_title=link_name, deal_probability="is_deal_probability_enabled"),
    flat_hidden=("is_deleted", "is_deal_probability_enabled"),
    flat_parts=lambda d: {"active": active(d), "url_title": link_name(d),
                          "deal_probability": d["is_deal_probability_enabled"]})

STAGES = facts(
    "stages", title="Stage",
    endpoints=[("/api/v2/stages", "list", 5, "deals", ints("pipeline_id") + sort("order_nr") + PAGE),
               ("/api/v2/stages/{id}", "one", 1, "deals", [])],
    make=lambda plan, values, store: core_rows.make_stages(plan),
    born_changed=False,
    new=lambda: {"name": "New stage", "order_nr": 99, "deal_probability": 100, "pipeline_id": 1,
                 "is_deal_rot_enabled": False},
    object="stage",
    event=dict(dict.fromkeys(("id", "add_time", "update_time", "name", "order_nr", "pipeline_id", "deal_probability")),
               active_flag=active, rotten_flag="is_deal_rot_enabled", rotten_days="days_to_rotten"),
    flat_hidden=("is_deleted", "is_deal_rot_enabled", "days_to_rotten"),
    flat_parts=lambda d: {"active_flag": active(d), "rotten_flag": d["is_deal_rot_enabled"],
                          "rotten_days": d["days_to_rotten"]})

USERS = Entity(
    "users", title="User", style="plain", actions=("change",),
    endpoints=[("/v1/users", "all", 20, "users", []), ("/v1/users/me", "me", 2, "base", []),
               ("/v1/users/{id}", "one", 2, "users", [])],
    make=lambda plan, values, store: core_rows.make_users(plan),
    seen=lambda data, switches, user: dict(data, is_you=data["id"] == user),
    object="user", bare_meta=True,  # the guide's user event
    event=lambda data: dict(data, id=str(data["id"]), access=None))  # as v1 has them, their id as text

ENTITIES = [DEALS, PERSONS, ORGANIZATIONS, ACTIVITIES, PIPELINES, STAGES, USERS]
