# clauses.py - seeded generator of queries over the foreign tables.
#
# A Table knows its columns, their types, the values that occur and which columns become request parameters: those come
# up far more often than the others, and a table with many of them more often than one with few. query() makes one
# Query. Nothing generated raises an error in PostgreSQL, so an error is always a finding.

import dataclasses

ZONES = ("UTC", "America/New_York", "Asia/Kolkata", "Pacific/Kiritimati", "Pacific/Marquesas", "Europe/Berlin",
         "Australia/Lord_Howe", "Etc/GMT+12", "Africa/Monrovia", "<+05:45>-05:45")

JOINED = ("int8", "uuid")  # what joins compare
COMPARISONS = ("=", "<", "<=", ">", ">=", "<>")
TIME_TYPES = ("timestamptz", "timestamp", "date")


@dataclasses.dataclass
class Table:
    name: str
    types: dict   # column -> type name
    values: dict  # column -> list of values as text, NULL left out
    pushed: list  # columns that become request parameters


@dataclasses.dataclass
class Query:
    entity: str
    sql: str            # count, hash, ids; with $1 ... if prepared
    where: str          # for the report
    zone: str = "UTC"   # TimeZone when it is planned or prepared
    run_zone: str = ""  # TimeZone when it is executed, prepared ones only
    types: str = ""     # parameter types; empty: not prepared
    arguments: str = ""


def quote(text):
    if "\\" in text:
        return "E'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
    return "'" + text.replace("'", "''") + "'"


def name(column):
    return '"' + column.replace('"', '""') + '"'


class Generator:
    def __init__(self, random, tables):
        self.random, self.tables = random, tables
        self.table = None
        self.parameters = None  # list of (type, value) while a prepared statement is made

    # -- helpers ------------------------------------------------------------------------------------------

    def pick(self, *choices):
        return self.random.choice(choices)

    def chance(self, p):
        return self.random.random() < p

    def column(self):
        """(name, type) of a random column."""
        table = self.table
        if self.chance(0.75):
            names = table.pushed
        else:
            names = sorted(table.types)
        column = self.random.choice(names)
        return column, table.types[column]

    def seen(self, column):
        values = self.table.values.get(column)
        return self.random.choice(values) if values else None

    def several(self, make, low=1, high=4):
        return [make() for _ in range(self.random.randint(low, high))]

    def value(self, sql, kind):
        """The value itself, or a parameter that carries it."""
        if self.parameters is None or not self.chance(0.7):
            return sql
        self.parameters.append((kind, sql))
        return "$%d" % len(self.parameters)

    # -- atoms, one function a type -----------------------------------------------------------------------

    def int_text(self, column):
        if self.chance(0.12):
            return self.pick("0", "-1", "1", "99999999", "2147483648", "9223372036854775807", "-9223372036854775808")
        seen = self.seen(column)
        if seen is None or self.chance(0.1):
            return str(self.random.randint(1, 80))
        return str(int(seen) + self.pick(0, 0, 0, 0, 1, -1) if abs(int(seen)) < 2 ** 62 else int(seen))

    def int_value(self, column):
        if self.chance(0.05):
            return self.value(self.pick("NULL::bigint", "NULL::int", "NULL::smallint"), "bigint")
        text = self.int_text(column)
        small, middling = abs(int(text)) < 2 ** 15, abs(int(text)) < 2 ** 31
        forms = ["%s", "%s", "%s", "'%s'", "'%s'::bigint", "(%s)::numeric", "(%s - 1 + 1)", "'%s'::text::bigint",
                 "(SELECT '%s'::bigint)", "abs(sign('%s'::bigint))::bigint * '%s'::bigint"]
        if abs(int(text)) > 2 ** 62:
            forms = ["'%s'", "'%s'::bigint", "'%s'::numeric", "(SELECT '%s'::bigint)"]
        if small:
            forms.append("'%s'::smallint")
        if middling:
            forms += ["'%s'::int", "'%s'::double precision"]
        form = self.random.choice(forms)
        sql = form.replace("%s", text)
        kind = "bigint"
        if self.parameters is not None:
            kind = self.pick("bigint", "bigint", "numeric", *(["int"] if middling else []),
                             *(["smallint"] if small else []))
            if "SELECT" in sql:
                sql = text
        return self.value(sql, kind)

    def int_list(self, column):
        items = ["'%s'::bigint" % self.int_text(column) if self.chance(0.2) else
                 "(%s)" % self.int_text(column) if not self.chance(0.1) else "NULL" for _ in range(self.random.randint(1, 5))]
        items = [i.replace("(-9223372036854775808)", "'-9223372036854775808'::bigint") for i in items]
        if self.parameters is not None and self.chance(0.5):
            items[0] = self.value(self.int_text(column).join("''"), "bigint")
        return ", ".join(items)

    def int_array(self, column):
        kind = self.pick("bigint", "bigint", "bigint", "numeric", "int")
        def item():
            text = "NULL" if self.chance(0.08) else self.int_text(column)
            return text if kind != "int" or text == "NULL" or abs(int(text)) < 2 ** 31 else "7"
        items = self.several(item, 0, 5)
        if self.chance(0.06):  # more than one batch of ids
            items = [str(i) for i in range(1, 130)]
            self.random.shuffle(items)
        form = self.random.randrange(10)
        if form == 0:
            return self.value("NULL::%s[]" % kind, kind + "[]")
        if form == 1 and self.parameters is None:
            return "ARRAY(SELECT generate_series(%d, %d)::%s)" % (self.random.randint(0, 9), self.random.randint(5, 30), kind)
        if form == 2 and items and len(items) % 2 == 0:
            half = len(items) // 2
            text = "{{%s},{%s}}" % (",".join(items[:half]), ",".join(items[half:]))
        else:
            text = "{%s}" % ",".join(items)
        return self.value("'%s'::%s[]" % (text, kind), kind + "[]")

    def int_atom(self, c, column):
        r = self.random.randrange(20)
        if r < 7:
            return self.compared(c, self.pick("=", "=", "=", "=", *COMPARISONS), self.int_value(column))
        if r < 10:
            return "%s %sIN (%s)" % (c, self.pick("", "", "NOT "), self.int_list(column))
        if r < 13:
            return "%s = ANY (%s)" % (c, self.int_array(column))
        if r == 13:
            return "%s %s %s (%s)" % (c, self.random.choice(COMPARISONS), self.pick("ANY", "ALL"), self.int_array(column))
        if r == 14:
            return "%s %sBETWEEN %s%s AND %s" % (c, self.pick("", "", "NOT "), self.pick("", "", "SYMMETRIC "),
                                                 self.int_value(column), self.int_value(column))
        if r == 15:
            others = sorted(k for k, t in self.table.types.items() if t == "int8")
            return "%s %s t.%s" % (c, self.random.choice(COMPARISONS), name(self.random.choice(others)))
        if r == 16:
            return self.pick("coalesce(%s, 0) = %s", "(%s)::numeric + 0 = %s", "abs(%s) = %s", "nullif(%s, 3) = %s") \
                % (c, self.int_value(column))
        if r == 17:
            return "%s::text = %s" % (c, quote(self.int_text(column)))
        if r == 18:
            return "%s IN (SELECT x::bigint FROM generate_series(%s, %s) x)" % (
                c, self.random.randint(0, 10), self.random.randint(5, 40))
        return self.pick("%s %% 2 = 0", "%s > 5 IS TRUE", "%s = 3 IS NOT TRUE", "%s = 3 IS UNKNOWN") % c

    def word(self, column):
        if column == "status" and self.chance(0.4):
            return self.pick("open", "won", "lost", "deleted", "Open", "open ", "", "other")
        if column == "status" or not self.chance(0.15):
            seen = self.seen(column)
            if seen is not None:
                return seen
        return self.pick("", "x", "  ", "%", "O'Hara \\ \"x\"", "ж", "NULL")

    def text_value(self, column):
        if self.chance(0.05):
            return self.value("NULL::text", "text")
        sql = quote(self.word(column))
        kind = "text" if self.parameters is None else self.pick("text", "text", "varchar")
        if self.parameters is None:
            sql += self.pick("", "", "", "::text", "::varchar", "::varchar::text", " || ''", ' COLLATE "C"')
        return self.value("(%s)" % sql if "|" in sql or "COLL" in sql else sql, kind)

    def text_array(self, column):
        items = ["NULL::text" if self.chance(0.1) else quote(self.word(column)) for _ in range(self.random.randint(0, 3))]
        if self.chance(0.08):
            return self.value("NULL::text[]", "text[]")
        return self.value("ARRAY[%s]::text[]" % ", ".join(items), self.pick("text[]", "text[]", "varchar[]"))

    def text_atom(self, c, column):
        r = self.random.randrange(14)
        if r < 5:
            return self.compared(c, self.pick("=", "=", "=", *COMPARISONS), self.text_value(column))
        if r < 8:
            items = ["NULL" if self.chance(0.1) else self.text_value(column) for _ in range(self.random.randint(1, 4))]
            return "%s %sIN (%s)" % (c, self.pick("", "", "NOT "), ", ".join(items))
        if r < 10:
            return "%s = ANY (%s)" % (c, self.text_array(column))
        if r == 10:
            return "%s %s ALL (%s)" % (c, self.pick("=", "<>", ">"), self.text_array(column))
        if r == 11:
            return "%s %s %s" % (c, self.pick("LIKE", "ILIKE", "NOT LIKE", "~~"), quote((self.word(column)[:3] + "%").replace("\\", "")))
        if r == 12:
            return self.pick("lower(%s) = %s", "%s || 'x' = %s || 'x'", "coalesce(%s, '') = %s", '(%s COLLATE "POSIX") = %s',
                             "%s::bpchar = %s::bpchar", "%s::name = %s::text::name", "%s = %s IS NOT FALSE") \
                % (c, quote(self.word(column)))
        return "length(%s) %s %d" % (c, self.random.choice(COMPARISONS), self.random.randint(0, 20))

    def bool_atom(self, c, column):
        r = self.random.randrange(8)
        if r == 0:
            return c
        if r == 1:
            return "NOT " + c
        if r < 4:
            return "%s IS %s%s" % (c, self.pick("", "NOT "), self.pick("TRUE", "FALSE", "UNKNOWN"))
        value = self.value(self.pick("true", "false", "NULL::boolean", "'f'::boolean", "(1 = 1)"), "boolean")
        if r < 6:
            return self.compared(c, self.pick("=", "=", "<>", "<", ">="), value)
        if r == 6:
            return "%s %sIN (%s, %s)" % (c, self.pick("", "NOT "), value, self.pick("true", "false", "NULL"))
        return self.pick("CASE WHEN %s THEN true ELSE %s END", "coalesce(%s, %s)", "(%s AND %s)", "(%s OR %s)",
                         "%s IS DISTINCT FROM %s", "(NOT %s) = %s", "(%s = true) IS NOT %s") % (c, self.pick("true", "false"))

    def moment(self, column):
        """A point in time as text with a zone, near one that occurs."""
        seen = self.seen(column) or "2025-06-15T12:00:00+00:00"
        stamp = seen.replace("T", " ")
        base = "timestamptz '%s'" % stamp
        step = self.pick("", "", "", "", " + interval '1 second'", " - interval '1 second'", " + interval '0.5 s'",
                         " - interval '1 microsecond'", " + interval '1 microsecond'", " + interval '999999 microseconds'",
                         " - interval '30 days'", " + interval '8 months'")
        return base, step, stamp

    def odd_moment(self):
        return self.pick("timestamptz 'infinity'", "timestamptz '-infinity'", "date 'infinity'", "date '-infinity'",
                         "timestamp 'infinity'", "timestamp '-infinity'", "date '5874897-12-31'", "date '4713-01-01 BC'",
                         "timestamptz '0001-01-01 00:00:00+00'", "timestamptz '4714-11-24 00:00:00+00 BC'",
                         "timestamptz '294276-12-31 23:59:59.999999+00'", "timestamp '294276-12-31 23:59:59.999999'",
                         "timestamptz 'epoch'", "timestamptz '1969-12-31 23:59:59.5+00'", "date '1969-12-31'",
                         "timestamptz '1970-01-01 00:00:00.000001+00'", "timestamptz '9999-12-31 23:59:59.5+00'",
                         "timestamptz '10000-01-01 00:00:00+00'", "timestamptz '9999-12-31 23:59:58+00'",
                         "timestamp '4714-11-24 00:00:00 BC'", "timestamptz '2000-01-01 00:00:00+00'",
                         "timestamptz '1999-12-31 23:59:59.999999+00'", "NULL::timestamptz", "NULL::date", "NULL::timestamp")

    def time_value(self, column):
        if self.chance(0.12):
            odd = self.odd_moment()
            return self.value(odd, odd.split("::")[1] if "::" in odd else odd.split()[0])
        base, step, stamp = self.moment(column)
        local = stamp[:19] + self.pick("", ".1", ".999999", ".5", ".000001")
        sql = self.pick(
            "(%s%s)" % (base, step), "(%s%s)" % (base, step), "(%s%s)" % (base, step),
            quote(local + self.pick("", "Z", "+00", "-05", "+05:30", "+14:00", "-12:34:56", " Europe/Berlin", " EST", " America/St_Johns")),
            "timestamptz %s" % quote(local + self.pick("-08", "+13:45", " Asia/Tokyo")),
            "timestamp %s" % quote(local), "timestamp %s" % quote(stamp[:19]),
            "date %s" % quote(stamp[:10]), "date %s" % quote(stamp[:10]),
            "(date %s + %d)" % (quote(stamp[:10]), self.random.randint(-3, 3)),
            "%s::timestamptz(0)" % quote(local), "timestamptz(3) %s" % quote(local),
            "(timestamp %s AT TIME ZONE %s)" % (quote(local), quote(self.random.choice(ZONES[:8]))),
            "(%s%s)::timestamp" % (base, step), "(%s%s)::date" % (base, step),
            "(now() - %s)" % self.pick("interval '1 day'", "interval '2 months'", "interval '1 year'", "interval '20 years'",
                                       "(now() - %s)" % base),
            "current_date", "to_timestamp(extract(epoch FROM %s)::float8)" % base,
            "(SELECT %s%s)" % (base, step), "date_trunc(%s, %s)" % (quote(self.pick("day", "month", "hour", "second")), base))
        if self.parameters is not None and ("SELECT" in sql or "now" in sql or "current" in sql):
            return sql
        return self.value(sql, self.random.choice(TIME_TYPES))

    def time_atom(self, c, column):
        r = self.random.randrange(16)
        if r < 8:
            return self.compared(c, self.pick("=", "<", "<=", ">", ">=", "<", "<=", ">", ">=", "<>"), self.time_value(column))
        if r < 11:
            return "%s %sBETWEEN %s%s AND %s" % (c, self.pick("", "", "", "NOT "), self.pick("", "", "SYMMETRIC "),
                                                 self.typed_time(column), self.typed_time(column))
        if r == 11:
            return "(%s >= %s AND %s < %s)" % (c, self.time_value(column), c, self.time_value(column))
        if r == 12:
            kind = self.pick("timestamptz", "timestamptz", "timestamp")
            items = self.several(lambda: self.typed_time(column), 1, 3)
            return "%s %s (ARRAY[%s]::%s[])" % (c, self.pick("= ANY", "= ANY", ">= ANY", "< ALL", "<> ALL"), ", ".join(items), kind)
        if r == 13:
            return "%s %sIN (%s)" % (c, self.pick("", "NOT "), ", ".join(
                self.several(lambda: self.pick("NULL", self.moment(column)[0], self.moment(column)[0]), 1, 3)))
        if r == 14:
            return self.pick("%s::date = %s::date", "date_trunc('month', %s) = date_trunc('month', %s)",
                             "%s + interval '1 hour' > %s", "coalesce(%s, 'epoch'::timestamptz) < %s", "%s::timestamp <= %s",
                             "%s AT TIME ZONE 'Asia/Tokyo' > (%s)::timestamp", "(%s > %s) IS NOT TRUE", "(%s < %s) IS TRUE") \
                % (c, self.moment(column)[0])
        others = sorted(k for k, t in self.table.types.items() if t == "timestamptz")
        return "%s %s t.%s" % (c, self.random.choice(COMPARISONS), name(self.random.choice(others)))

    def typed_time(self, column):
        base, step, _ = self.moment(column)
        return self.value(self.pick("(%s%s)" % (base, step), "(%s%s)" % (base, step), "(%s%s)::date::timestamptz" % (base, step),
                                    "timestamptz 'infinity'", "timestamptz '-infinity'", "NULL::timestamptz"), "timestamptz")

    def number_atom(self, c, column):
        text = self.seen(column) or "0"
        if self.chance(0.3):
            text = self.pick("0", "-1.5", "1e20", "100.00", "NaN")
        if self.chance(0.2):
            return "%s %sIN (%s, NULL, 5)" % (c, self.pick("", "NOT "), quote(text))
        return self.compared(c, self.random.choice(COMPARISONS), self.value(
            quote(text) + self.pick("::numeric", "::numeric", "::float8", ""), "numeric"))

    def plain_atom(self, c, column, kind):
        """Dates, times, uuids, arrays, jsonb: compared with a value that occurs, or with several."""
        text = self.seen(column)
        if text is None:
            return "%s IS NULL" % c
        if kind == "jsonb":
            return self.pick("%s::text = %s::jsonb::text", "%s = %s::jsonb", "%s @> %s::jsonb",
                             "(%s->>0) IS NOT DISTINCT FROM (%s::jsonb->>0)", "jsonb_typeof(%s) = jsonb_typeof(%s::jsonb)") % (c, quote(text))
        if kind.startswith("_"):
            return self.pick("%s = %s::%s[]", "%s @> %s::%s[]", "%s && %s::%s[]", "cardinality(%s) = cardinality(%s::%s[])",
                             "%s[1] = (%s::%s[])[1]", "(%s)[1] = ANY (%s::%s[])") % (c, quote(text), kind[1:])
        r = self.random.randrange(6)
        if r < 2:
            items = ", ".join("NULL" if self.chance(0.1) else self.plain_value(column, kind) for _ in range(self.random.randint(1, 4)))
            return self.pick("%s IN (%s)", "%s NOT IN (%s)", "%%s = ANY (ARRAY[%%s]::%s[])" % kind) % (c, items)
        return self.compared(c, "=" if r < 4 else self.random.choice(COMPARISONS), self.plain_value(column, kind))

    def plain_value(self, column, kind):
        return self.value("%s::%s" % (quote(self.seen(column)), kind), kind)

    def compared(self, c, operator, value):
        """Now and then with the constant on the left."""
        if not self.chance(0.25):
            return "%s %s %s" % (c, operator, value)
        turned = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}.get(operator, operator)
        return "%s %s %s" % (value, turned, c)

    def atom(self):
        column, kind = self.column()
        c = "t." + name(column)
        if self.chance(0.08):
            return "%s IS %sNULL" % (c, self.pick("", "NOT "))
        if kind == "int8":
            if self.chance(0.05):
                return "%s IS %sDISTINCT FROM %s" % (c, self.pick("", "NOT "), self.int_value(column))
            return self.int_atom(c, column)
        if kind == "text":
            return self.text_atom(c, column)
        if kind == "bool":
            return self.bool_atom(c, column)
        if kind == "timestamptz":
            return self.time_atom(c, column)
        if kind in ("numeric", "float8"):
            return self.number_atom(c, column)
        return self.plain_atom(c, column, kind)

    # -- clauses and queries ------------------------------------------------------------------------------

    def clause(self, depth):
        if depth == 0 or self.chance(0.25):
            return self.atom()
        r = self.random.randrange(20)
        if r < 11:
            return " AND ".join("(%s)" % self.clause(depth - 1) for _ in range(self.random.randint(2, 3)))
        if r < 15:
            return " OR ".join("(%s)" % self.clause(depth - 1) for _ in range(self.random.randint(2, 3)))
        if r < 18:
            return "NOT (%s)" % self.clause(depth - 1)
        if r == 18:
            return "(%s) IS %s%s" % (self.clause(depth - 1), self.pick("", "NOT "), self.pick("TRUE", "FALSE", "UNKNOWN"))
        return "(%s) = (%s)" % (self.clause(depth - 1), self.clause(depth - 1))

    def projection(self):
        """What is selected besides the id: nothing, a few columns, the whole row."""
        if self.chance(0.3):
            return "t"
        columns = sorted(self.table.types)
        few = self.random.sample(columns, min(len(columns), self.random.choice((0, 1, 2, 3, 5, 20))))
        return "ROW(%s)" % ", ".join("t." + name(c) for c in few)

    def wrapped(self, source):
        if self.chance(0.1):
            return "SELECT count(*), NULL::text, NULL::text FROM %s" % source
        return ("SELECT count(*), md5(string_agg(r, E'\\n' ORDER BY r COLLATE \"C\")), "
                "string_agg(id::text, ',' ORDER BY id) FROM (SELECT t.id, %s::text AS r FROM %s) q"
                % (self.projection(), source))

    def key_text(self, column, kind):
        return self.int_text(column) if kind == "int8" else self.seen(column)

    def joined(self, where):
        """The table on the inner side of something: rescans, outer parameters, semi and anti joins."""
        column = self.random.choice([c for c in self.table.pushed if self.table.types[c] in JOINED])
        kind = self.table.types[column]
        values = ", ".join("(%s::%s)" % ("NULL" if self.chance(0.15) else quote(self.key_text(column, kind)), kind)
                           for _ in range(self.random.randint(1, 6)))
        t, c = self.table.name, "t." + name(column)
        form = self.random.randrange(7)
        if form == 0:
            return "(VALUES %s) v (x) JOIN %s t ON %s = v.x WHERE %s" % (values, t, c, where)
        if form == 1:
            return "(VALUES %s) v (x) CROSS JOIN LATERAL (SELECT * FROM %s t WHERE %s = v.x AND (%s) OFFSET 0) t" % (
                values, t, c, where)
        if form == 2:
            return "(VALUES %s) v (x) LEFT JOIN LATERAL (SELECT * FROM %s t WHERE %s = v.x AND (%s) OFFSET 0) t ON true" % (
                values, t, c, where)
        if form == 3:
            return "%s t WHERE %s %sIN (SELECT x FROM (VALUES %s) v (x)) AND (%s)" % (t, c, self.pick("", "", "NOT "), values, where)
        if form == 4:
            return "%s t WHERE %sEXISTS (SELECT FROM (VALUES %s) v (x) WHERE v.x = %s) AND (%s)" % (
                t, self.pick("", "NOT "), values, c, where)
        if form == 5:
            other = self.random.choice(sorted(n for n, t in self.tables.items() if t.types["id"] == kind))
            return "%s t JOIN %s o ON o.id = %s WHERE %s" % (t, other, c, where)
        if "add_time" not in self.table.types:
            return "%s t WHERE %s" % (t, where)
        return ("(VALUES (timestamptz '2024-01-01 00:00+00', 'open'::text), ('2026-01-15 12:00:00.5-03', 'lost'), (NULL, NULL)) v (x, s) "
                "CROSS JOIN LATERAL (SELECT * FROM %s t WHERE t.add_time >= v.x %sAND (%s) OFFSET 0) t" % (
                    t, "AND t.update_time > v.x " if "update_time" in self.table.types else "", where))

    def query(self):
        names = sorted(self.tables)
        self.table = self.tables[self.random.choices(names, [len(self.tables[n].pushed) for n in names])[0]]
        zone = self.random.choice(ZONES)
        if self.chance(0.2):
            return self.prepared(zone)
        self.parameters = None
        where = self.clause(self.random.choice((0, 1, 1, 2, 2, 3)))
        joinable = any(self.table.types[c] in JOINED for c in self.table.pushed)
        source = self.joined(where) if joinable and self.chance(0.12) else "%s t WHERE %s" % (self.table.name, where)
        return Query(self.table.name, self.wrapped(source), where, zone)

    def prepared(self, zone):
        self.parameters = []
        where = self.clause(self.random.choice((0, 1, 2)))
        if not self.parameters:
            where = "(%s) AND t.id::text <> $1" % where
            self.parameters.append(("text", "'0'"))
        query = Query(self.table.name, self.wrapped("%s t WHERE %s" % (self.table.name, where)), where, zone,
                      self.random.choice(ZONES), ", ".join(kind for kind, _ in self.parameters),
                      ", ".join("(%s)::%s" % (sql, kind) for kind, sql in self.parameters))
        self.parameters = None
        return query
