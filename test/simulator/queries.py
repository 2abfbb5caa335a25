# queries.py - which rows a list request gets, in which order, page by page.
#
# Pages are keyset pages: the cursor names the sort key of the first row of the next page.  Rows that
# appear or vanish between two pages behave as they would in a database walked that way.

import bisect

import cursors
import errors
import filters
import params


def sort_key(column, nulls_low):
    """Key of a row: (null rank, value, id)."""
    null_rank = 0 if nulls_low else 2

    def key(data):
        value = data[column]
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


def scope_predicates(endpoint, values, viewer):
    """What the endpoint and the token hide, whatever the parameters say."""
    out = []
    if endpoint.entity == "deals":
        archived = endpoint.archived
        out.append(lambda d: d["is_archived"] == archived)
    if "status" not in values:
        out.append(lambda d: not d["is_deleted"])
    if viewer.owner is not None and endpoint.entity not in ("pipelines", "stages"):
        owner = viewer.owner
        out.append(lambda d: d["owner_id"] == owner)
    return out


def apply_filter(entity, values, switches):
    """(values that count, predicate of the saved filter or None)"""
    number = values.get("filter_id")
    if number is None:
        return values, None
    saved = filters.SAVED.get(number)
    if saved is None or saved[0] != entity:
        raise errors.invalid("Filter with id %d not found" % number)
    dropped = filters.OVERRIDDEN
    if switches["filter_with_updated"] == "ignore":
        dropped = dropped | filters.SILENT
    return {k: v for k, v in values.items() if k not in dropped}, saved[2]


def walk(keys, descending, position):
    """Keys from the position on, in output order."""
    if not descending:
        start = 0 if position is None else bisect.bisect_left(keys, position)
        return (keys[i] for i in range(start, len(keys)))
    start = len(keys) if position is None else bisect.bisect_right(keys, position)
    return (keys[i] for i in range(start - 1, -1, -1))


def page(store, switches, endpoint, values, position, viewer):
    """(rows of the page, key of the next page's first row or None)"""
    values, saved = apply_filter(endpoint.entity, values, switches)
    tests = scope_predicates(endpoint, values, viewer)
    tests += filters.build(endpoint.entity, values, store, switches)
    if saved:
        tests.append(saved)
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


def position_of(maker, switches, path, pairs, text):
    """(digest of the parameters, position the cursor names or None)"""
    digest = cursors.digest(path, pairs, switches["cursor_checks"] == "all")
    return digest, None if text is None else maker.read(text, digest)
