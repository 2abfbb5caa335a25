# switches.py - everything the public documents leave open, as named settings.
#
# One row per question: name, allowed values (the first one is the default), what it decides.
# Set on the command line (--switch name=value) or at run time (PUT /__simulator/switches).

SWITCHES = [
    ("updated_since_returns_null_update_time", ("no", "yes"),
     "whether updated_since also returns rows whose update_time is null"),
    ("sort_nulls", ("first", "last"),
     "where rows with a null sort key stand in the output, whatever the direction"),
    ("unknown_parameters", ("400", "ignore"),
     "a query parameter the endpoint does not take"),
    ("empty_custom_fields", ("object", "null"),
     "custom_fields of an account without custom fields: {} or null"),
    ("absent_keys", ("null", "absent"),
     "top-level keys whose value is null: sent as null or left out"),
    ("custom_null_keys", ("null", "absent"),
     "unset custom fields: sent as null or left out"),
    ("limit_over_max", ("clamp", "400"),
     "limit above 500"),
    ("include_labels", ("labels_key", "replace_label_ids"),
     "include_labels=true adds a key 'labels', or turns label_ids into objects"),
    ("unknown_custom_key", ("400", "ignore"),
     "a key in custom_fields= that names no field"),
    ("daily_headers", ("yes", "no"),
     "whether x-daily-ratelimit-token-* headers are sent"),
    ("deleted_option_label", ("null", "missing_key", "bare_id"),
     "include_option_labels for an option that no longer exists: {id,label:null}, {id}, or the id"),
    ("end_of_list", ("null", "missing", "no_additional_data"),
     "last page: next_cursor null, next_cursor missing, or additional_data null"),
    ("get_archived", ("found", "404"), "an archived deal asked for by id"),
    ("get_deleted", ("found", "404"), "a deleted row asked for by id"),
    ("invisible_by_id", ("404", "403"), "a row the token may not see, asked for by id"),
    ("filter_with_updated", ("apply", "ignore"),
     "updated_since, updated_until and done beside filter_id; owner_id of products too"),
    ("plan_fields", ("all", "basic"),
     "built-in fields only some plans have (deal acv, arr, mrr; organization website to "
     "employee_count): present, or absent from records and definitions"),
    ("contact_sync", ("off", "on"),
     "person keys im, postal_address, notes, birthday, job_title: absent, or present"),
    ("sort_ties", ("by_key", "any"),
     "rows of a v1 list whose sort keys are equal: in the order of their keys, or in another one on each page"),
    ("inactive_rows", ("listed", "left_out"),
     "activity types and currencies whose active_flag is false"),
    ("product_category", ("option_id", "label"),
     "category of a product: the id of its option as text, as recorded, or its label, as the published example has it"),
    ("notes_dates", ("add_time", "update_time"),
     "the time that start_date and end_date of notes look at"),
    ("notes_end_date", ("inclusive", "exclusive"),
     "whether end_date of notes takes that day in"),
    ("unstated_order", ("key", "newest_first"),
     "order of a v1 list without sort where no document states one (notes)"),
    ("v1_most_rows", ("500", "100"),
     "the most rows that a v1 page has, whatever limit says"),
    ("v1_empty_list", ("null", "array"),
     "data of a v1 list without rows: null or []"),
    ("lead_paging", ("nested", "flat"),
     "additional_data of lists of leads: with an object pagination as live answers have it, or flat and without "
     "next_start as the published schema has it"),
    ("cursor_checks", ("all", "all_but_limit"),
     "which other parameters must equal those of the first page"),
    ("merged_links", ("silent", "touched"),
     "rows that pointed to the loser of a merge: point to the winner without a trace, or get a new update_time and "
     "their own webhook"),
    ("merged_v1_links", ("silent", "touched"),
     "the same for leads and notes"),
    ("answer_date", ("now", "two_hours_ahead", "two_hours_behind", "none"),
     "header Date of every answer: this machine's time, another, or no such header"),
    ("webhook_times", ("seconds", "milliseconds"),
     "times inside webhook records: ...:SSZ or ...:SS.000Z"),
    ("v1_lead_events", ("no", "yes"),
     "whether subscriptions of version 1.0 get events of leads"),
    ("v1_reference_fields", ("id", "object"),
     "custom fields of leads that point to a user, person or organization: a bare id, or an object with value and name"),
    ("webhook_create_custom_fields", ("set", "empty"),
     "custom_fields in the webhook of a new row: those that are set, or always {}"),
]


class Switches:
    """The current settings; unknown names and values raise ValueError."""

    def __init__(self, start=None):
        self.start = {name: allowed[0] for name, allowed, _ in SWITCHES}
        self.allowed = {name: allowed for name, allowed, _ in SWITCHES}
        self.check(start or {})
        self.start.update(start or {})
        self.version = 0
        self.reset()

    def reset(self):
        self.values = dict(self.start)
        self.version += 1

    def check(self, wanted):
        for name, value in wanted.items():
            if name not in self.allowed:
                raise ValueError("unknown switch %r" % name)
            if value not in self.allowed[name]:
                raise ValueError("switch %s takes %s" % (name, " or ".join(self.allowed[name])))

    def update(self, wanted):
        self.check(wanted)
        self.values.update(wanted)
        self.version += 1

    def __getitem__(self, name):
        return self.values[name]

    def describe(self):
        return [{"name": name, "value": self.values[name], "allowed": list(allowed), "about": about}
                for name, allowed, about in SWITCHES]
