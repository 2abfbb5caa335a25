# builtins_.py - the fields every account has: order of keys in a record, field types, options.
#
# FIELDS: per entity, rows (code, name, type) in the order records carry them.
# OPTIONAL: the fields sent only when include_fields asks for them.
# OPTIONS: choices of built-in fields; some built-ins have text ids.

FIELDS = {
    "deals": [
        ("id", "ID", "int"), ("title", "Title", "varchar"), ("creator_user_id", "Creator", "user"),
        ("value", "Value", "monetary"), ("person_id", "Contact person", "people"),
        ("org_id", "Organization", "org"), ("stage_id", "Stage", "stage"),
        ("currency", "Currency", "varchar_options"), ("add_time", "Deal created", "date"),
        ("update_time", "Update time", "date"), ("status", "Status", "status"),
        ("probability", "Probability", "double"), ("lost_reason", "Lost reason", "varchar_options"),
        ("visible_to", "Visible to", "visible_to"), ("close_time", "Deal closed on", "date"),
        ("pipeline_id", "Pipeline", "double"), ("won_time", "Won time", "date"),
        ("lost_time", "Lost time", "date"), ("stage_change_time", "Last stage change", "date"),
        ("local_won_date", "Local won date", "date"), ("local_lost_date", "Local lost date", "date"),
        ("local_close_date", "Local close date", "date"),
        ("expected_close_date", "Expected close date", "date"), ("custom_fields", None, None),
        ("owner_id", "Owner", "user"), ("label_ids", "Labels", "set"),
        ("is_deleted", "Deleted", "boolean"), ("origin", "Source origin", "varchar"),
        ("origin_id", "Source origin ID", "varchar"), ("channel", "Source channel", "enum"),
        ("channel_id", "Source channel ID", "varchar"), ("acv", "ACV", "monetary"),
        ("arr", "ARR", "monetary"), ("mrr", "MRR", "monetary"),
        ("is_archived", "Archived", "boolean"), ("archive_time", "Archive time", "date"),
    ],
    "persons": [
        ("id", "ID", "int"), ("name", "Name", "varchar"), ("first_name", "First name", "varchar"),
        ("last_name", "Last name", "varchar"), ("add_time", "Person created", "date"),
        ("update_time", "Update time", "date"), ("visible_to", "Visible to", "visible_to"),
        ("custom_fields", None, None), ("owner_id", "Owner", "user"), ("label_ids", "Labels", "set"),
        ("org_id", "Organization", "org"), ("is_deleted", "Deleted", "boolean"),
        ("picture_id", "Profile picture", "picture"), ("phones", "Phone", "phone"),
        ("emails", "Email", "varchar"),
    ],
    "organizations": [
        ("id", "ID", "int"), ("name", "Name", "varchar"), ("add_time", "Organization created", "date"),
        ("update_time", "Update time", "date"), ("visible_to", "Visible to", "visible_to"),
        ("custom_fields", None, None), ("owner_id", "Owner", "user"), ("label_ids", "Labels", "set"),
        ("website", "Website", "varchar"), ("linkedin", "LinkedIn profile", "varchar"),
        ("industry", "Industry", "enum"), ("annual_revenue", "Annual revenue", "double"),
        ("employee_count", "Number of employees", "double"), ("is_deleted", "Deleted", "boolean"),
        ("address", "Address", "address"),
    ],
    "activities": [
        ("id", "ID", "int"), ("subject", "Subject", "varchar"), ("type", "Type", "enum"),
        ("owner_id", "Assigned to user", "user"), ("creator_user_id", "Creator", "user"),
        ("is_deleted", "Deleted", "boolean"), ("add_time", "Add time", "date"),
        ("update_time", "Update time", "date"), ("deal_id", "Deal", "deal"),
        ("lead_id", "Lead", "lead"), ("person_id", "Contact person", "people"),
        ("org_id", "Organization", "org"), ("project_id", "Project", "project"),
        ("due_date", "Due date", "date"), ("due_time", "Due time", "time"),
        ("duration", "Duration", "time"), ("done", "Done", "boolean"),
        ("busy", "Free/busy", "boolean"), ("marked_as_done_time", "Marked as done time", "date"),
        ("location", "Location", "address"), ("participants", "Participants", "json"),
        ("conference_meeting_client", "Conference client", "varchar"),
        ("conference_meeting_url", "Conference link", "varchar"),
        ("conference_meeting_id", "Conference ID", "varchar"),
        ("public_description", "Public description", "text"), ("priority", "Priority", "enum"),
        ("note", "Note", "text"),
    ],
    "pipelines": [
        ("id", "ID", "int"), ("name", "Name", "varchar"), ("order_nr", "Order", "int"),
        ("is_deleted", "Deleted", "boolean"),
        ("is_deal_probability_enabled", "Probability enabled", "boolean"),
        ("add_time", "Add time", "date"), ("update_time", "Update time", "date"),
    ],
    "stages": [
        ("id", "ID", "int"), ("order_nr", "Order", "int"), ("name", "Name", "varchar"),
        ("is_deleted", "Deleted", "boolean"), ("deal_probability", "Probability", "int"),
        ("pipeline_id", "Pipeline", "int"), ("is_deal_rot_enabled", "Rotting", "boolean"),
        ("days_to_rotten", "Days to rotten", "int"), ("add_time", "Add time", "date"),
        ("update_time", "Update time", "date"),
    ],
}

_COMMON_COUNTS = [
    ("email_messages_count", "Email messages count", "int"),
    ("activities_count", "Total activities", "int"),
    ("done_activities_count", "Done activities", "int"),
    ("undone_activities_count", "Activities to do", "int"),
    ("files_count", "Files count", "int"), ("notes_count", "Notes count", "int"),
    ("followers_count", "Followers count", "int"),
]
_NEXT_LAST = [("next_activity_id", "Next activity", "activity"),
              ("last_activity_id", "Last activity", "activity")]
_MAIL_TIMES = [("last_incoming_mail_time", "Last email received", "date"),
               ("last_outgoing_mail_time", "Last email sent", "date")]
_DEAL_COUNTS = [
    ("open_deals_count", "Open deals", "int"), ("related_open_deals_count", "Related open deals", "int"),
    ("closed_deals_count", "Closed deals", "int"),
    ("related_closed_deals_count", "Related closed deals", "int"),
    ("won_deals_count", "Won deals", "int"), ("related_won_deals_count", "Related won deals", "int"),
    ("lost_deals_count", "Lost deals", "int"), ("related_lost_deals_count", "Related lost deals", "int"),
]
_BCC = [("smart_bcc_email", "Smart BCC email", "varchar")]

OPTIONAL = {
    "deals": _NEXT_LAST + [("first_won_time", "First won time", "date"),
                           ("products_count", "Products count", "int"),
                           ("participants_count", "Participants count", "int")]
             + _COMMON_COUNTS + _MAIL_TIMES + _BCC + [("source_lead_id", "Source lead", "lead")],
    "persons": _NEXT_LAST + _DEAL_COUNTS
               + [("participant_open_deals_count", "Open deals as participant", "int"),
                  ("participant_closed_deals_count", "Closed deals as participant", "int")]
               + _COMMON_COUNTS + _MAIL_TIMES
               + [("marketing_status", "Marketing status", "varchar"),
                  ("doi_status", "Double opt-in", "varchar")] + _BCC,
    "organizations": _NEXT_LAST + _DEAL_COUNTS + [("people_count", "People", "int")]
                     + _COMMON_COUNTS + _BCC,
    "activities": [("attendees", "Attendees", "json")],
    "pipelines": [], "stages": [],
}

_LABELS = [(1, "Hot", "red"), (2, "Warm", "yellow"), (3, "Cold", "blue"), (4, "Key account", "green")]
ACTIVITY_TYPES = [("call", "Call"), ("meeting", "Meeting"), ("task", "Task"),
                  ("deadline", "Deadline"), ("email", "Email"), ("lunch", "Lunch")]

OPTIONS = {
    ("deals", "label_ids"): _LABELS,
    ("persons", "label_ids"): [(i + 10, name, color) for i, name, color in _LABELS],
    ("organizations", "label_ids"): [(i + 20, name, color) for i, name, color in _LABELS],
    ("deals", "status"): [(s, s.capitalize(), None) for s in ("open", "won", "lost", "deleted")],
    ("deals", "channel"): [(51, "Webinar", None), (52, "Billboards", None), (53, "Referral", None)],
    ("organizations", "industry"): [(401, "Manufacturing", None), (402, "Software", None),
                                    (403, "Logistics", None), (404, "Health care", None)],
    ("activities", "type"): [(key, name, None) for key, name in ACTIVITY_TYPES],
    ("activities", "priority"): [(501, "High", "red"), (502, "Medium", "yellow"), (503, "Low", None)],
    ("activities", "busy"): [("true", "Busy", None), ("false", "Free", None)],
}
VISIBLE_TO = [("1", "Item owner", None), ("3", "All users", None), ("5", "Owner's visibility group", None),
              ("7", "Entire company", None)]

# Built-ins that depend on the plan, and those that only accounts with contact sync have.
PLAN_KEYS = {"deals": ("acv", "arr", "mrr"),
             "organizations": ("website", "linkedin", "industry", "annual_revenue", "employee_count")}
CONTACT_SYNC = [("im", "Instant messenger", "varchar"), ("postal_address", "Postal address", "address"),
                ("notes", "Notes", "text"), ("birthday", "Birthday", "date"),
                ("job_title", "Job title", "varchar")]
