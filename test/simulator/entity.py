# entity.py - what the simulator knows of one kind of row.
#
# The family files (core, products, leads, notes, lists) fill in one Entity each kind; everything else looks facts up
# here and knows no kind by its name.


def named(*keys):
    """Columns of a kind without definitions."""
    return [(key, None, None) for key in keys]


def column(name):
    """Maker of a predicate: equality with a column."""
    return lambda wanted, store: lambda d: d[name] == wanted


class Entity:
    """One kind of row; a fact that its row does not state has the value below."""

    # -- what a row is
    title = None  # as in "Deal not found"
    missing = None  # body of the 404 answer for one row, where it is documented
    key, key_kind = "id", "int"  # the column that names a row: int, uuid or text
    columns = ()  # (code, label, type) in the order of a record; no label: not among the definitions
    optional = ()  # likewise, sent only when include_fields asks
    options = {}  # column -> choices (id, label, color)
    plan_keys = ()  # columns that only some plans have
    contact_keys = ()  # columns of accounts with contact sync
    custom = None  # generated custom fields, as fields.CUSTOM has them; None: the kind has no definitions
    first_option = 9000  # their option ids come after it
    more_custom = False  # whether --custom-fields adds to them
    fields_of = None  # the entity whose custom fields rows of this one carry
    style = "v2"  # v2; v1: flat, times and custom fields in v1 form; plain: as stored
    times = "seconds"  # stored and sent: seconds; milliseconds. blank: sent in v1's blank-separated form
    owner = None  # column with the user whose row it is, for tokens that see only their own
    archives = False  # whether rows can be archived
    deleted = None  # (column, value) of a deleted row; None: deleting removes it
    deleted_listed = None  # (switch, value): when lists show deleted rows too
    deleted_status = None  # status of a deleted row
    references = {}  # entity -> column with its key
    merge_switch = "merged_links"  # which switch says what a row does that pointed to the loser of a merge

    # -- what is asked
    endpoints = ()  # (path, kind of answer, tokens, scope, parameters)
    order = ()  # (column, descending), ...: of an offset list without sort; empty: nobody says
    flat_paging = False  # whether the documents show its paging outside of 'pagination'
    saved = {}  # filter_id -> (name, predicate)
    silent = ()  # parameters whose fate beside filter_id nobody tells, besides filters.SILENT
    predicates = {}  # parameter -> maker of a predicate, besides filters.PREDICATES

    # -- how rows come and change
    make = None  # function(plan, values, store) giving the generated rows
    actions = None  # mutations that are possible; None: all
    born_changed = True  # whether a new row has an update_time
    new = staticmethod(dict)  # function() giving the values of a new row
    on_create = on_change = None  # function(data, values, now, order)
    extra = None  # function(store, data, user) giving values that come from elsewhere, for v1 records and webhooks
    seen = None  # function(data, switches, user) giving the row as an answer shows it

    # -- its webhooks
    object = None  # None: no webhook tells of it
    event = None  # key of the v2 record -> key of the row (None: the same) or function of it; or one function
    flat_hidden = ()  # keys that v1 records lack
    flat_parts = None  # function giving what v1 names or shapes in its own way
    v1_events = True  # whether version 1 knows the object
    bare_meta = False  # whether its events have bare numbers, and name nobody as permitted
    delete_tells_after = False  # whether the record of a deletion shows the row already deleted

    def __init__(self, name, **facts):
        self.name = name
        for fact, value in facts.items():
            if not hasattr(Entity, fact):
                raise TypeError("no fact %r in an entity" % fact)
            setattr(self, fact, value)
        self.keys = [row[0] for row in self.columns]
        self.optional_keys = [row[0] for row in self.optional]

    def is_deleted(self, data):
        return self.deleted is not None and data[self.deleted[0]] == self.deleted[1]

    def time(self, stamp):
        """A whole second in the form that rows of this kind store."""
        if stamp and self.times == "milliseconds" and "." not in stamp:
            return stamp.replace("Z", ".000Z")
        return stamp
