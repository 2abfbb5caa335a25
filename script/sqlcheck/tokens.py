"""SQL as tokens and statements: enough of its grammar for rules that look at names, types and places."""
import re

# A comment, a quoted string (E'' too), a dollar-quoted one, a quoted name, a word, a parameter, or one character.
TOKEN = re.compile(
    r"""--[^\n]*|/\*.*?\*/|[eE]'(?:[^'\\]|''|\\.)*'|'(?:[^']|'')*'|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$"""
    r"""|"(?:[^"]|"")*"|[A-Za-z_]\w*|\$\d+|\d[\w.]*|\s+|::|:=|=>|.""",
    re.S,
)
SCHEMAS = ("pipedrive", "pipedrive_internal")


class Token:
    def __init__(self, text, line):
        self.text = text
        self.upper = text.upper()
        self.line = line
        self.is_string = text[0] == "'" or text[:2] in ("E'", "e'")
        self.is_word = re.match(r"[A-Za-z_]", text) is not None and not self.is_string
        self.dollars = re.match(r"\$\w*\$", text)  # what a dollar-quoted string begins with


class Statement(list):
    """Tokens, and the file that they are in."""

    def __init__(self, path, found=()):
        super().__init__(found)
        self.path = path

    def words(self, count):
        return " ".join(token.upper for token in self[:count])


def tokens(text, line=1):
    for match in TOKEN.finditer(text):
        found = match.group()
        if not found.isspace() and not found.startswith(("--", "/*")):
            yield Token(found, line)
        line += found.count("\n")


def statements(path, text):
    found = Statement(path)
    for token in tokens(text):
        if token.text == ";":
            if found:
                yield found
            found = Statement(path)
        else:
            found.append(token)


def words(found, count):
    return " ".join(token.upper for token in found[:count])


def quoted(token):
    """The SQL in a dollar-quoted string, or in any other one."""
    if token.dollars:
        return list(tokens(token.text[token.dollars.end() : -token.dollars.end()], token.line))
    return list(tokens(token.text.lstrip("eE")[1:-1].replace("''", "'"), token.line))


def bodies(found):
    """The SQL that a statement runs now or later: itself, and what it quotes."""
    yield found
    for token in found:
        if token.dollars:
            yield from bodies(quoted(token))
        elif token.is_string and "pipedrive" in token.text and re.search(r"pipedrive(_internal)?\.", token.text):
            yield quoted(token)


def body_of(statement):
    """What stands in the dollars of a function."""
    return next((quoted(token) for token in statement if token.dollars), [])


def balanced(found, start):
    """Where the parenthesis that opens at start closes."""
    depth = 0
    for i in range(start, len(found)):
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(found[i].text, 0)
        if depth == 0:
            return i
    return len(found)


def arguments(found):
    """What commas separate, outside of parentheses."""
    argument, depth = [], 0
    for token in found:
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(token.text, 0)
        if token.text == "," and depth == 0:
            yield argument
            argument = []
        else:
            argument.append(token)
    if argument:
        yield argument


class Argument:
    """One of a routine's: its mode, name ('' for none) and type."""

    def __init__(self, found):
        end = next((i for i, t in enumerate(found) if t.upper == "DEFAULT" or t.text == "="), len(found))
        found = found[:end]
        self.mode = found[0].upper if found[0].upper in ("IN", "OUT", "INOUT", "VARIADIC") else "IN"
        if found[0].upper == self.mode:
            found = found[1:]
        named = len(found) > 1 and found[1].text not in (".", "[")
        self.name = found[0].text if named else ""
        self.type = "".join(t.text for t in found[1 if named else 0 :])


class Routine:
    """A function or procedure that a statement makes."""

    def __init__(self, statement):
        opening = next(i for i, token in enumerate(statement) if token.text == "(")
        self.statement = statement
        self.kind = statement[3 if statement.words(3) == "CREATE OR REPLACE" else 1].upper
        self.name = qualified_before(statement, opening)
        inside = statement[opening + 1 : balanced(statement, opening)]
        self.arguments = [Argument(a) for a in arguments(inside)]
        self.signature = f"{self.name}({','.join(a.type for a in self.arguments if a.mode != 'OUT')})"

    @property
    def language(self):
        texts = [token.text.lower() for token in self.statement]
        return texts[texts.index("language") + 1]


def routine(statement):
    offset = 3 if statement.words(3) == "CREATE OR REPLACE" else 1
    if statement[0].upper != "CREATE" or len(statement) < 5:
        return None
    return Routine(statement) if statement[offset].upper in ("FUNCTION", "PROCEDURE") else None


def qualified_before(found, end):
    """The name that ends before a place, with its schema where that is written."""
    if end >= 3 and found[end - 2].text == ".":
        return f"{found[end - 3].text}.{found[end - 1].text}"
    return found[end - 1].text


def qualified_at(found, start):
    """The name that begins at a place."""
    if start + 2 < len(found) and found[start + 1].text == ".":
        return f"{found[start].text}.{found[start + 2].text}"
    return found[start].text if start < len(found) else ""


KINDS = (
    "FOREIGN DATA WRAPPER", "EVENT TRIGGER", "MATERIALIZED VIEW", "TABLE", "VIEW", "FUNCTION", "PROCEDURE", "TYPE",
    "DOMAIN", "AGGREGATE", "SEQUENCE", "INDEX", "TRIGGER", "SCHEMA", "OPERATOR", "CAST", "COLUMN", "CONSTRAINT",
)
NOISE = {"OR", "REPLACE", "UNLOGGED", "TEMP", "TEMPORARY", "UNIQUE", "IF", "NOT", "EXISTS"}


def named_object(found, verb):
    """(kind, the place of its name) that CREATE, DROP or COMMENT ON is about."""
    i = len(verb.split())
    while i < len(found) and found[i].upper in NOISE:
        i += 1
    for kind in KINDS:
        length = len(kind.split())
        if words(found[i:], length) == kind:
            i += length
            while i < len(found) and found[i].upper in NOISE:
                i += 1
            return kind, i
    return None


class Source:
    """All files of an install tree: what they say, and what they make."""

    def __init__(self, files, entities):
        self.files = files  # path: text
        self.entities = entities  # names that the catalogue has
        self.statements = [s for path, text in sorted(files.items()) for s in statements(path, text)]
        self.routines = [r for r in map(routine, self.statements) if r is not None]
        self.functions = {r.name for r in self.routines}
        self.relations, self.types, self.columns = set(), set(), {}
        for statement in self.statements:
            if statement[0].upper == "CREATE":
                self._note(statement)
        for made in self.routines:
            self._note_columns(made.name, made.statement, "RETURNS TABLE")

    def _note(self, statement):
        made = named_object(statement, "CREATE")
        if made is None or made[0] not in ("TABLE", "VIEW", "TYPE", "SEQUENCE"):
            return
        name = qualified_at(statement, made[1])
        (self.types if made[0] == "TYPE" else self.relations).add(name)
        if made[0] in ("TABLE", "TYPE"):
            self._note_columns(name, statement, "")

    def _note_columns(self, name, statement, after):
        """The types of columns that stand in parentheses, the first ones or those after some words."""
        length = len(after.split())
        start = next((i for i in range(len(statement)) if words(statement[i:], length) == after), len(statement))
        opening = next((i for i in range(start, len(statement)) if statement[i].text == "("), None)
        if opening is None:
            return
        for column in arguments(statement[opening + 1 : balanced(statement, opening)]):
            if len(column) > 1:
                self.columns.setdefault(name, {})[column[0].text] = column[1].text.lower()

    def room(self, path):
        """schema, or the room of code/ that a file is in."""
        parts = path.split("/")
        return parts[-2]
