"""Rules about files: where a statement may stand, how long and how wide a file is, and what SQL does not list."""
import re

from .tokens import named_object, qualified_at, quoted, words

LINES = 250
COLUMNS = 100
# Rooms that hold the width already. A room whose files all hold it belongs here.
NARROW = {"after", "base", "before", "catalogue", "field", "keeper", "schedule", "schema", "server", "view"}
# Functions whose SQL names entities for a reason that is given here.
ABOUT_ENTITIES = {}

ONCE = {"TABLE", "TYPE", "DOMAIN", "SEQUENCE", "INDEX", "SCHEMA", "FOREIGN DATA WRAPPER", "OPERATOR", "CAST"}
DROPPED_FIRST = {"TRIGGER", "EVENT TRIGGER", "AGGREGATE"}


def runs_again(source):
    """Nothing in code/ cannot run twice, and what can run twice is in code/."""
    gone = {}  # by file: what was dropped or emptied in it
    for statement in source.statements:
        path, line = statement.path, statement[0].line
        done = gone.setdefault(path, set())
        if "/code/" not in path:
            if statement.words(3) == "CREATE OR REPLACE" or words(statement, 2) in ("CREATE VIEW", "CREATE TRIGGER"):
                yield path, line, "this can run again, and belongs into code/"
            continue
        verb = statement[0].upper
        if statement.words(2) == "DELETE FROM":
            done.add(("ROWS", qualified_at(statement, 2)))
        elif verb == "DROP":
            made = named_object(statement, "DROP")
            if "IF EXISTS" not in statement.words(6):
                yield path, line, "DROP without IF EXISTS"
            elif made is not None:
                done.add((made[0], qualified_at(statement, made[1])))
        elif verb == "CREATE":
            yield from ((path, line, what) for what in _made_once(statement, done))
        elif statement.words(2) == "INSERT INTO":
            if ("ROWS", qualified_at(statement, 2)) not in done:
                yield path, line, "rows are added again each time: DELETE FROM their table first"
        elif verb == "DO":
            body = words(quoted(next(t for t in statement if t.dollars)), 1 << 20)
            if re.search(r"\bCREATE (?!OR REPLACE\b)", body) and "DROP " not in body:
                yield path, line, "what this block creates is not dropped before"
        elif verb not in ("COMMENT", "GRANT", "REVOKE"):
            yield path, line, f"{verb} in code/"


def _made_once(statement, done):
    made = named_object(statement, "CREATE")
    replaces = statement.words(3) == "CREATE OR REPLACE"
    if made is None or made[0] in ONCE:
        yield f"CREATE {made[0] if made else ''} cannot run twice, and belongs into schema/"
    elif made[0] in DROPPED_FIRST:
        if (made[0], qualified_at(statement, made[1])) not in done:
            yield f"CREATE {made[0]} without DROP {made[0]} IF EXISTS before it"
    elif not replaces:
        yield f"CREATE {made[0]} without OR REPLACE"


def lists_no_entities(source):
    """No SQL has the name of an entity as a text: what it would say is a fact of the entity's row."""
    for statement in source.statements:
        name = next((r.name for r in source.routines if r.statement is statement), None)
        if name in ABOUT_ENTITIES:
            continue
        for token in _strings(statement):
            for text in _values(token.text):
                if text in source.entities:
                    yield statement.path, token.line, f"'{text}' is the name of an entity"


def _strings(found):
    for token in found:
        if token.dollars:
            yield from _strings(quoted(token))
        elif token.is_string:
            yield token


def _values(text):
    """The values that a literal is: itself, the elements of an array, and the literals in it."""
    inside = text.lstrip("eE")[1:-1]
    yield inside
    if re.fullmatch(r"\{[^{}]*\}", inside):
        yield from (element.strip('" ') for element in inside[1:-1].split(",")) if "," in inside else ()
    yield from re.findall(r"''(\w+)''", inside)


def is_short(source):
    """A file has at most 250 lines, and opens with what it does."""
    for path, text in sorted(source.files.items()):
        lines = text.splitlines()
        if len(lines) > LINES:
            yield path, len(lines), f"{len(lines)} lines, {LINES} at most"
        if not lines or not lines[0].startswith("-- "):
            yield path, 1, "it does not open with what it does"


def is_narrow(source):
    """At most 100 columns, in the rooms that hold this; which are all that could."""
    wide = set()
    for path, text in sorted(source.files.items()):
        for number, line in enumerate(text.splitlines(), 1):
            if len(line) > COLUMNS:
                wide.add(source.room(path))
                if source.room(path) in NARROW:
                    yield path, number, f"{len(line)} columns"
    for room in sorted({source.room(path) for path in source.files} - wide - NARROW):
        path = min(path for path in source.files if source.room(path) == room)
        yield path, 1, f"no file of room {room} is wider: add it to NARROW in script/sqlcheck/layout.py"
