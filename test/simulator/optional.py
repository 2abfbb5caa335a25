# optional.py - values of the fields that records carry only when include_fields asks for them.
#
# Counts of activities, deals and people are computed from the account as it stands; what the
# simulator does not model (mail, files, notes, followers) is derived from the row's id.

import clock
import plan


def _activity_index(column):
    def build(store):
        """{linked id: [activities, done, next id, last id]}"""
        out = {}
        for row in store.tables["activities"].values():
            data = row.data
            if data[column] is None or data["is_deleted"]:
                continue
            entry = out.setdefault(data[column], [0, 0, None, None])
            entry[0] += 1
            entry[1] += data["done"]
            stamp = (data["due_date"] or "9999-99-99", data["id"])
            if data["done"] and (entry[3] is None or stamp > entry[3]):
                entry[3] = stamp
            if not data["done"] and (entry[2] is None or stamp < entry[2]):
                entry[2] = stamp
        return out
    return build


def _deal_index(column):
    def build(store):
        """{linked id: {status: number of deals}}"""
        out = {}
        for row in store.tables["deals"].values():
            data = row.data
            if data[column] is not None and not data["is_deleted"]:
                counts = out.setdefault(data[column], {})
                counts[data["status"]] = counts.get(data["status"], 0) + 1
        return out
    return build


def _people_index(store):
    out = {}
    for row in store.tables["persons"].values():
        if row.data["org_id"] is not None and not row.data["is_deleted"]:
            out[row.data["org_id"]] = out.get(row.data["org_id"], 0) + 1
    return out


LINK = {"deals": "deal_id", "persons": "person_id", "organizations": "org_id"}


def _activity(position):
    def value(store, entity, data):
        column = LINK[entity]
        entry = store.index("activities/" + column, _activity_index(column)).get(data["id"])
        if position < 2:
            return entry[position] if entry else 0
        return entry[position][1] if entry and entry[position] else None
    return value


def _undone(store, entity, data):
    return _activity(0)(store, entity, data) - _activity(1)(store, entity, data)


def _deals(*statuses):
    def value(store, entity, data):
        column = LINK[entity]
        counts = store.index("deals/" + column, _deal_index(column)).get(data["id"], {})
        return sum(counts.get(status, 0) for status in statuses)
    return value


def _modulo(n):
    return lambda store, entity, data: data["id"] % n


def _mail_time(shift):
    def value(store, entity, data):
        if data["id"] % 3:
            return None
        return clock.text(clock.seconds(data["add_time"]) + shift)
    return value


def _bcc(store, entity, data):
    return "bcc+100200300+%s%d@mail.example.com" % (entity[:-1], data["id"])


def _first_won(store, entity, data):
    if data["won_time"]:
        return data["won_time"]
    return data["add_time"] if data["status"] == "lost" and data["id"] % 2 else None


def _lead(store, entity, data):
    number = data["id"]
    return None if number % 9 else "35b0d604-eb0d-42d0-be11-%012x" % number


def _attendees(store, entity, data):
    number = data["id"]
    return None if number % 4 == 0 else [
        {"email": "guest%d.%d@example.com" % (number, k), "name": None if k else "Guest %d" % number,
         "status": ("accepted", "needsAction")[k % 2], "is_organizer": k == 0,
         "person_id": data["person_id"], "user_id": plan.FIRST_USER if k else None}
        for k in range(number % 3)]


MAKERS = {
    "next_activity_id": _activity(2), "last_activity_id": _activity(3),
    "activities_count": _activity(0), "done_activities_count": _activity(1),
    "undone_activities_count": _undone, "open_deals_count": _deals("open"),
    "closed_deals_count": _deals("won", "lost"), "won_deals_count": _deals("won"),
    "lost_deals_count": _deals("lost"), "related_open_deals_count": _modulo(2),
    "related_closed_deals_count": _modulo(3), "related_won_deals_count": _modulo(2),
    "related_lost_deals_count": _modulo(2), "participant_open_deals_count": _modulo(3),
    "participant_closed_deals_count": _modulo(2),
    "people_count": lambda store, entity, data: store.index("people", _people_index).get(data["id"], 0),
    "products_count": _modulo(3), "participants_count": _modulo(4), "files_count": _modulo(4),
    "notes_count": _modulo(5), "followers_count": _modulo(3), "email_messages_count": _modulo(7),
    "last_incoming_mail_time": _mail_time(7200), "last_outgoing_mail_time": _mail_time(9000),
    "first_won_time": _first_won, "source_lead_id": _lead, "smart_bcc_email": _bcc,
    "marketing_status": lambda store, entity, data: ("no_consent", "subscribed", None)[data["id"] % 3],
    "doi_status": lambda store, entity, data: ("not_used", "confirmed", None)[data["id"] % 3],
    "attendees": _attendees,
}


def value(store, entity, data, name):
    """The value of one optional field of one record."""
    return MAKERS[name](store, entity, data)
