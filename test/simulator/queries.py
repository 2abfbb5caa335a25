# queries.py - which rows a list request gets, in which order, page by page.
#
# v2's pages are keyset pages: the cursor names the sort key of the first row of the next page.  v1's begin at the
# start-th row of what there is at that moment.  Rows that appear or vanish between two pages behave as they would in a
# database walked that way.

import bisect
import hashlib

import catalogue
import cursors
import errors
import filters
import params
from rawjson import plain


def sort_key(column, nulls_low):
    """Key of a row: (null rank, value, id)."""
    null_rank = 0 if nulls_low else 2

    def key(data):
        value = plain(data[column])
        return (null_rank, 0, data["id"]) if value is None else (1, value, data["id"])
    return key


def ordered_keys(store, entity, column, nulls_low, ids):
    """All sort keys ascending; plain ids when sorted by id."""
    table = store.tables[entity]
    if column == "id":
        return store.ids[entity] if ids is None else sorted(i for i in set(ids) if i in table)
    key = sort_key(column, nulls_low)
    if ids is not None:
        return sorted(key(table[i].data) for i in set(ids) if i in table)
    return store.index(("order", entity, column, nulls_low),
                       lambda s: sorted(key(row.data) for row in table.values()))


def scope_predicates(switches, endpoint, values, viewer):
    """What the endpoint and the token hide, whatever the parameters say."""
    out, kind = [], endpoint.kind
    if kind.archives:
        archived = endpoint.archived
        out.append(lambda d: d["is_archived"] == archived)
    shown = kind.deleted_listed and switches[kind.deleted_listed[0]] == kind.deleted_listed[1]
    if kind.deleted and not shown and "status" not in values:
        out.append(lambda d: not kind.is_deleted(d))
    if viewer.owner is not None and kind.owner:
        owner = viewer.owner
        out.append(lambda d: d[kind.owner] == owner)
    return out


def apply_filter(entity, values, switches):
    """(values that count, predicate of the saved filter or None)"""
    number = values.get("filter_id")
    if number is None:
        return values, None
    saved = filters.SAVED.get(number)
    if saved is None or saved[0] != entity:
        raise errors.invalid("Filter with id %d not found" % number)
    silent = filters.SILENT.union(catalogue.ENTITIES[entity].silent)
    all_dropped = switches["filter_with_updated"] == "ignore"
    dropped = filters.OVERRIDDEN | silent if all_dropped else filters.OVERRIDDEN - silent
    return {k: v for k, v in values.items() if k not in dropped}, saved[2]


def walk(keys, descending, position):
    """Keys from the position on, in output order."""
    if not descending:
        start = 0 if position is None else bisect.bisect_left(keys, position)
        return (keys[i] for i in range(start, len(keys)))
    start = len(keys) if position is None else bisect.bisect_right(keys, position)
    return (keys[i] for i in range(start - 1, -1, -1))


def tests_of(store, switches, endpoint, values, viewer):
    """The predicates that a row must pass, and the parameters that count."""
    values, saved = apply_filter(endpoint.entity, values, switches)
    tests = scope_predicates(switches, endpoint, values, viewer)
    tests += filters.build(endpoint.entity, values, store, switches)
    return tests + [saved] if saved else tests, values


def page(store, switches, endpoint, values, position, viewer):
    """(rows of the page, key of the next page's first row or None)"""
    tests, values = tests_of(store, switches, endpoint, values, viewer)
    column = values.get("sort_by", "id")
    descending = values.get("sort_direction") == "desc"
    nulls_low = (switches["sort_nulls"] == "first") != descending
    keys = ordered_keys(store, endpoint.entity, column, nulls_low, values.get("ids"))
    if isinstance(position, list):
        position = tuple(position)
    table, limit, rows = store.tables[endpoint.entity], values.get("limit", params.DEFAULT_LIMIT), []
    for key in walk(keys, descending, position):
        row = table[key if column == "id" else key[2]]
        data = row.data
        if all(test(data) for test in tests):
            if len(rows) == limit:
                return rows, key
            rows.append(row)
    return rows, None


def ordering(kind, values, switches):
    """[(column, descending)] of a list in v1; what the documents leave open about it is a switch."""
    if "sort" in values:
        return values["sort"]
    if kind.order:
        return list(kind.order)
    return [(kind.key, switches["unstated_order"] == "newest_first")]


def tie_break(switches, start):
    """What orders rows whose sort keys are equal: their own key, or nothing that lasts from page to page."""
    if switches["sort_ties"] == "by_key":
        return lambda key: key
    return lambda key: hashlib.sha1(("%s/%s" % (key, start)).encode()).digest()


def v1_rows(store, switches, endpoint, values, viewer):
    """All rows of a v1 list in order; None in a sort key stands where sort_nulls says."""
    tests, counted = tests_of(store, switches, endpoint, values, viewer)
    rows = [row for row in store.tables[endpoint.entity].values() if all(test(row.data) for test in tests)]
    if not any(name == "start" for name, _, _ in endpoint.parameters):
        return rows
    last, key = tie_break(switches, values.get("start", 0)), endpoint.kind.key
    rows.sort(key=lambda row: last(row.data[key]))
    for column, descending in reversed(ordering(endpoint.kind, counted, switches)):
        nulls_low = (switches["sort_nulls"] == "first") != descending
        rows.sort(key=lambda row: null_aware(row.data[column], nulls_low), reverse=descending)
    return rows


def null_aware(value, nulls_low):
    return (0 if nulls_low else 2, 0) if value is None else (1, plain(value))


def offset_page(store, switches, endpoint, values, viewer):
    """(rows of the page, start, limit, whether more follow)"""
    start = values.get("start", 0)
    limit = min(values.get("limit", params.DEFAULT_LIMIT), int(switches["v1_most_rows"]))
    counted = tuple(sorted((k, str(v)) for k, v in values.items() if k not in ("start", "limit")))
    ties = start if switches["sort_ties"] == "any" else None
    rows = store.index(("v1", endpoint.path, counted, viewer.owner, ties, switches.version),
                       lambda s: v1_rows(s, switches, endpoint, values, viewer))
    return rows[start:start + limit], start, limit, len(rows) > start + limit


def position_of(maker, switches, path, pairs, text):
    """(digest of the parameters, position the cursor names or None)"""
    digest = cursors.digest(path, pairs, switches["cursor_checks"] == "all")
    return digest, None if text is None else maker.read(text, digest)
