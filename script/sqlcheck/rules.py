"""Rules about single statements and names: each yields (path, line, what is wrong)."""
import re

from .tokens import SCHEMAS, arguments, balanced, bodies, body_of, named_object, qualified_at, words

# Words of the grammar that name a type whatever search_path is; others are looked up.
KEYWORD_TYPES = {"integer", "int", "bigint", "smallint", "boolean", "numeric", "real", "record", "double"}


def sets_path(source):
    """Functions set search_path; procedures that commit cannot, and look no type up."""
    for made in source.routines:
        statement = made.statement
        if made.language not in ("sql", "plpgsql"):
            continue
        if "SET SEARCH_PATH = PG_CATALOG , PG_TEMP" in statement.words(len(statement)):
            continue
        body = body_of(statement)
        if made.kind != "PROCEDURE" or not re.search(r"\b(COMMIT|ROLLBACK|CALL) ", words(body, len(body)) + " "):
            yield statement.path, statement[0].line, f"{made.name} does not set search_path to pg_catalog, pg_temp"
            continue
        for token, what in _looked_up_types(body):
            yield statement.path, token.line, f"{made.name}: {what}"


def _looked_up_types(body):
    """Declared types and casts that depend on the session's search_path."""
    declaring = False
    for i, token in enumerate(body):
        text = token.text.lower()
        if text in ("declare", "begin"):
            declaring = text == "declare"
        elif text == "::" or (declaring and token.is_word and body[i - 1].text.lower() in ("declare", ";")):
            kind = body[i + 1].text.lower()
            if body[i + 2].text != "." and kind not in KEYWORD_TYPES:
                yield body[i + 1], f"type \"{kind}\" is looked up in the session's search_path"


def types_literals(source):
    """No untyped literal is an argument of our own functions: another overload could fit it better."""
    for statement in source.statements:
        for found in bodies(statement):
            for i in range(len(found) - 3):
                if found[i].text not in SCHEMAS or found[i + 1].text != "." or found[i + 3].text != "(":
                    continue
                for argument in arguments(found[i + 4 : balanced(found, i + 3)]):
                    value = argument[2:] if len(argument) > 2 and argument[1].text == "=>" else argument
                    if len(value) == 1 and (value[0].is_string or value[0].upper == "NULL"):
                        yield statement.path, value[0].line, f"{found[i + 2].text}({value[0].text})"


COMMENTED = {"TABLE", "VIEW", "FUNCTION", "PROCEDURE", "TYPE", "DOMAIN", "EVENT TRIGGER", "FOREIGN DATA WRAPPER",
             "AGGREGATE", "MATERIALIZED VIEW", "SEQUENCE", "SCHEMA", "TRIGGER"}


def _commented(statement, verb):
    """(kind, name, how many arguments) that CREATE or COMMENT ON is about."""
    made = named_object(statement, verb)
    if made is None or made[0] not in COMMENTED:
        return None
    kind, place = made
    name = qualified_at(statement, place)
    opening = place + (3 if "." in name else 1)
    if kind in ("FUNCTION", "PROCEDURE") and opening < len(statement):
        inside = arguments(statement[opening + 1 : balanced(statement, opening)])
        return kind, name, sum(1 for a in inside if a[0].upper != "OUT")
    return kind, name, 0


def has_comment(source):
    """Every object has a comment."""
    told = {_commented(s, "COMMENT ON") for s in source.statements if s.words(2) == "COMMENT ON"}
    for statement in source.statements:
        made = _commented(statement, "CREATE") if statement[0].upper == "CREATE" else None
        if made is not None and made not in told:
            yield statement.path, statement[0].line, f"{made[0].lower()} {made[1]} has no comment"


def _signatures(found):
    return set(re.findall(r"[\w.]+\([^()]*\)", "".join(token.text for token in found)))


def grants_what_exists(source):
    """A function whose arguments have changed is granted, or commented, under its old ones no longer."""
    made = {r.signature for r in source.routines}
    for s in source.statements:
        verb = s.words(2)
        if s[0].upper in ("GRANT", "REVOKE") and len(s) > 3 and s[3].upper in ("FUNCTION", "PROCEDURE", "ROUTINE"):
            named = _signatures(s[4:])
        elif verb == "COMMENT ON" and s[2].upper in ("FUNCTION", "PROCEDURE"):
            end = next(i for i, token in enumerate(s) if token.upper == "IS")
            named = _signatures(s[3:end])
        else:
            continue
        for missing in sorted(named - made):
            yield s.path, s[0].line, f"there is no function {missing}"


def catches_assertions(source):
    """OTHERS leaves out what ASSERT raises, also in a trigger of somebody else's."""
    for statement in source.statements:
        body = body_of(statement)
        for i, token in enumerate(body):
            if token.upper == "OTHERS" and i > 0 and body[i - 1].upper in ("WHEN", "OR"):
                if words(body[max(i - 2, 0) :], 2) != "ASSERT_FAILURE OR":
                    yield statement.path, token.line, "OTHERS without assert_failure"


# Names of ours -------------------------------------------------------------------------------------------------

QUALIFIED = {"TABLE", "VIEW", "FUNCTION", "PROCEDURE", "TYPE", "DOMAIN", "AGGREGATE", "SEQUENCE", "MATERIALIZED VIEW"}
BEFORE_RELATION = {"FROM", "JOIN", "REFERENCES", "UPDATE", "TABLE", "VIEW", "SEQUENCE"}
# What may stand before a name that is made there and then: an alias, a CTE, a column list.
BEFORE_ALIAS = {"AS", "WITH", "RECURSIVE", "INTO", ")", "."}


def qualifies_names(source):
    """Every object of ours is named with its schema, and in pipedrive no name begins with an underscore."""
    plain = {kind: {n.split(".")[-1] for n in names if "." in n}
             for kind, names in (("f", source.functions), ("r", source.relations), ("t", source.types | source.relations))}
    for statement in source.statements:
        made = named_object(statement, "CREATE") if statement[0].upper == "CREATE" else None
        if made is not None and made[0] in QUALIFIED:
            name = qualified_at(statement, made[1])
            if name.split(".")[0] not in SCHEMAS or "." not in name:
                yield statement.path, statement[0].line, f"{name} is made in no schema"
            elif name.startswith("pipedrive._"):
                yield statement.path, statement[0].line, f"{name} begins with an underscore: it is internal"
        for found in bodies(statement):
            for token in _unqualified(found, plain):
                yield statement.path, token.line, f"{token.text} is named without its schema"


def _unqualified(found, plain):
    local = {found[i].text for i in range(len(found) - 1)
             if words(found[i + 1 :], 2) == "AS (" or words(found[i + 1 :], 3) == "AS MATERIALIZED ("}
    for i, token in enumerate(found):
        before = found[i - 1] if i > 0 else None
        after = found[i + 1].text if i + 1 < len(found) else ""
        if not token.is_word or before is None or before.text == "." or after == "." or token.text in local:
            continue
        if token.text in plain["f"] and after == "(" and before.upper not in BEFORE_ALIAS:
            yield token
        elif token.text in plain["r"] and before.upper in BEFORE_RELATION and after != "(":
            if not (before.upper == "UPDATE" and found[i - 2].upper in ("FOR", "KEY", "DO")):
                yield token
        elif token.text in plain["r"] and before.upper == "INTO" and i > 1 and found[i - 2].upper == "INSERT":
            yield token
        elif token.text in plain["t"] and before.text.upper() in ("::", "RETURNS", "SETOF"):
            yield token


def names_what_exists(source):
    """What is named with our schema is made there, as the kind of thing that it is used as."""
    made = source.functions | source.relations | source.types
    for statement in source.statements:
        for found in bodies(statement):
            for i in range(len(found) - 2):
                if found[i].text not in SCHEMAS or found[i + 1].text != "." or not found[i + 2].is_word:
                    continue
                if i > 0 and found[i - 1].text in (".", "-"):
                    continue
                name = f"{found[i].text}.{found[i + 2].text}"
                if name not in made and not _made_with_a_table(name, source):
                    yield statement.path, found[i].line, f"there is no {name}"


def _made_with_a_table(name, source):
    """The key of a table, and the sequence of its identity column."""
    return any(name.startswith(r + "_") and name.endswith(("_pkey", "_seq")) for r in source.relations)


def defines_once(source):
    """No function is made twice."""
    seen = {}
    for made in source.routines:
        if made.signature in seen:
            yield made.statement.path, made.statement[0].line, f"{made.signature} is made in {seen[made.signature]} too"
        seen.setdefault(made.signature, made.statement.path)
