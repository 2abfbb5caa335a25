"""The rule about SQL that is built while it runs: names by %I, values by %L, anything else by something that cannot quote badly."""
import re

from .tokens import arguments, balanced, body_of, quoted

# Types whose text is a name quoted by PostgreSQL, or a number.
SAFE_TYPES = {"regclass", "regtype", "regrole", "regprocedure", "regnamespace", "oid", "integer", "bigint", "boolean"}
# Functions that return SQL, made of quoted names.
FRAGMENTS = {
    "assignments", "column_list", "definitions", "history_of", "history_query", "live_query", "news_condition",
    "our_row", "part_statement", "source_row", "values_of",
}
# Functions that run or insert what they did not quote, each with the reason why they may.
TRUSTED = {
    "pipedrive_internal.alter_source": "the statement is one of field_changes(), which quotes",
    "pipedrive_internal.create_dashboard": "queries of ours, with names of mirrors as regclass in them",
    "pipedrive_internal.make_live_view": "a name that create_live_view() quoted, or that of a view",
    "pipedrive_internal.rebuild_live_view": "rights and roles as aclexplode() and quote_ident() say them",
    "pipedrive_internal.retention_step": "what retention_steps() returns, which nobody else calls",
    "pipedrive.grant_mirrors": "rights are one of three texts",
    "pipedrive.schedule": "the statement is format() with %L",
}


def quotes_what_it_executes(source):
    """EXECUTE runs a constant, or format() with %I, %L, and %s for what quotes itself."""
    used = set()
    for made in source.routines:
        body = body_of(made.statement)
        known = Names(made, body, source)
        for i, token in enumerate(body):
            if token.upper != "EXECUTE" or body[i + 1].upper in ("FUNCTION", "ON", "PROCEDURE"):
                continue
            for line, what in _unquoted(body, i + 1, known):
                used.add(made.name)
                if made.name not in TRUSTED:
                    yield made.statement.path, line, f"{made.name} executes {what}"
    for made in source.routines:
        if made.name in TRUSTED and made.name not in used:
            yield made.statement.path, made.statement[0].line, f"{made.name} needs no exception any more"


class Names:
    """What a routine's arguments, variables and our columns are."""

    def __init__(self, made, body, source):
        self.types = {a.name: a.type.lower() for a in made.arguments}
        self.columns = source.columns
        self.values = {}  # variables that are given a value once, where they are declared
        self._declare(body)

    def _declare(self, body):
        begin = next((i for i, t in enumerate(body) if t.upper == "BEGIN"), 0)
        start = 1
        for i in range(1, begin):
            if body[i].text != ";":
                continue
            name, given = body[start].text, next((k for k in range(start, i) if body[k].text == ":="), i)
            self.types[name] = "".join(t.text for t in body[start + 1 : given]).lower()
            if given < i and not _is_set(name, body[begin:]):
                self.values[name] = body[given + 1 : i]
            start = i + 1

    def is_safe(self, name):
        return self.types.get(name) in SAFE_TYPES

    def is_safe_column(self, row, column):
        """Of a record it is not known what it is: then every column of that name has to be safe."""
        kind = self.types.get(row)
        if kind in self.columns:
            return self.columns[kind].get(column) in SAFE_TYPES
        types = {c[column] for c in self.columns.values() if column in c} or {self.types.get(column)}
        return types <= SAFE_TYPES


def _is_set(name, body):
    """Whether a variable gets a value by := or INTO."""
    for i, token in enumerate(body):
        if token.text == name and body[i + 1].text == ":=":
            return True
        if token.upper == "INTO" and name in [t.text for t in body[i : i + 8]]:
            return True
    return False


def _unquoted(body, start, known):
    if body[start].text == "pg_catalog":
        start += 2
    first, after = body[start], body[start + 1].text
    if (first.is_string or first.dollars) and after != "|":
        return
    if first.text != "format" or after != "(":
        yield first.line, f"{first.text}, which is no format()"
        return
    close = balanced(body, start + 1)
    if body[close + 1].text == "|":
        yield first.line, "something appended to format()"
    yield from _in_format(list(arguments(body[start + 2 : close])), known)


def _in_format(values, known):
    """Of a call of format() what is inserted as it is."""
    pattern = "".join(_text(token) for token in values[0])
    position = 0
    for spec in re.finditer(r"%(?:(\d+)\$)?([sIL%])", pattern):
        if spec.group(2) == "%":
            continue
        position = int(spec.group(1)) if spec.group(1) else position + 1
        if spec.group(2) == "s" and not _quotes_itself(values[position], known):
            yield values[position][0].line, "".join(t.text for t in values[position])[:60] + " unquoted"


def _text(token):
    return "".join(t.text for t in quoted(token)) if token.is_string else token.text


def _quotes_itself(value, known):
    parts = _concatenated(value)
    if len(parts) > 1:
        return all(_quotes_itself(part, known) for part in parts)
    if len(value) == 1:
        name = value[0].text
        given = known.values.get(name)
        return value[0].is_string or name.isdigit() or known.is_safe(name) or (
            given is not None and _quotes_itself(given, known))
    if value[-2].text == "::":
        kind = value[-1].text.lower()
        return kind in SAFE_TYPES or kind == "text" and _quotes_itself(value[:-2], known)
    if len(value) == 3 and value[1].text == ".":
        return known.is_safe_column(value[0].text, value[2].text)
    if value[0].text == "(" and value[1].upper == "SELECT":
        return _selects_quoted(value[2:], known)
    if value[0].upper == "CASE":
        return _chooses_constants(value)
    opening = next((i for i, t in enumerate(value) if t.text == "("), None)
    return opening is not None and balanced(value, opening) == len(value) - 1 and _calls_quoting(value, opening, known)


def _concatenated(value):
    """The operands of || outside of parentheses."""
    parts, depth = [[]], 0
    for i, token in enumerate(value):
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(token.text, 0)
        if token.text == "|" and depth == 0:
            if value[i - 1].text != "|":
                parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _calls_quoting(value, opening, known):
    name = value[opening - 1].text
    inside = list(arguments(value[opening + 1 : balanced(value, opening)]))
    if name == "format":
        return not list(_in_format(inside, known))
    if name == "string_agg":
        return _quotes_itself(inside[0], known)
    return name in FRAGMENTS or name in ("quote_ident", "quote_literal", "format_type")


def _selects_quoted(value, known):
    """(SELECT 'text' FROM …) and (SELECT f(…) FROM …)."""
    if value[0].is_string and value[1].upper == "FROM":
        return True
    return value[1].text == "(" and _calls_quoting(value, 1, known)


def _chooses_constants(value):
    """CASE whose results are all texts of ours."""
    results = [value[i + 1] for i, t in enumerate(value) if t.upper in ("THEN", "ELSE")]
    ends = [value[i + 2].upper for i, t in enumerate(value) if t.upper in ("THEN", "ELSE")]
    return all(t.is_string for t in results) and all(e in ("WHEN", "ELSE", "END") for e in ends)
