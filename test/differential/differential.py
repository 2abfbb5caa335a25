#!/usr/bin/env python3
# differential.py - the same query with push-down on, off, and on a local copy of the tables must give the same rows.
#
#   test/differential/run [--seed N] [--count N] [--workers N] [--only VARIANT:NUMBER] [--keep]
#
# It creates the database 'differential' in the server that the environment names (PGHOST, PGPORT, PGUSER) and one
# simulator a worker. --only runs one query again and shows its requests; --keep leaves the database behind.
# Python 3.9 or newer, standard library only; psql is the client.

import argparse
import json
import os
import random
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SIMULATOR = os.environ.get("PIPEDRIVE_SIMULATOR_DIR", os.path.join(HERE, "..", "simulator"))
sys.dont_write_bytecode = True
sys.path[:0] = [HERE, SIMULATOR]

import clauses  # noqa: E402
import harness  # noqa: E402

DATABASE = "differential"

# Every table of which some condition becomes a request parameter: its name, its paths, and parameters by column.
PUSHED = """
SELECT jsonb_agg(jsonb_build_object('name', entity, 'paths', regexp_split_to_array(paths, ', '), 'parameters', parameters) ORDER BY entity)
  FROM pipedrive.entities
  JOIN (SELECT entity, jsonb_object_agg(column_name, regexp_split_to_array(parameter, ', ')) AS parameters
          FROM pipedrive.entity_columns WHERE parameter IS NOT NULL GROUP BY entity) AS c USING (entity);
"""

# (name, part of the queries, server option page_size, simulator switches)
VARIANTS = (
    ("default", 1.0, 500, ()),
    ("nulls", 0.6, 7, ("updated_since_returns_null_update_time=yes", "sort_nulls=last", "absent_keys=absent",
                       "custom_null_keys=absent", "end_of_list=missing")),
    ("labels", 0.4, 25, ("include_labels=replace_label_ids", "deleted_option_label=bare_id", "absent_keys=absent",
                         "unknown_parameters=ignore", "end_of_list=no_additional_data", "daily_headers=no")),
)

# check(cases) runs each case three (prepared: five) times and returns those that are not all the same.
SETUP = r"""
CREATE EXTENSION pipedrive_fdw;
CREATE SCHEMA tools;
CREATE FUNCTION tools.outcome(query jsonb, schema text, push text, plan_mode text, OUT result text) LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
    hash text;
    ids text;
BEGIN
    PERFORM set_config('search_path', schema, true), set_config('pipedrive_fdw.enable_pushdown', push, true),
            set_config('TimeZone', query->>'zone', true);
    IF plan_mode = '' THEN
        EXECUTE query->>'sql' INTO n, hash, ids;
    ELSE
        PERFORM set_config('plan_cache_mode', plan_mode, true);
        EXECUTE format('PREPARE p (%s) AS %s', query->>'types', query->>'sql');
        PERFORM set_config('TimeZone', query->>'run_zone', true);
        EXECUTE format('EXECUTE p (%s)', query->>'arguments') INTO n, hash, ids;
        DEALLOCATE p;
    END IF;
    result := format('%s rows %s ids %s', n, coalesce(hash, '-'), coalesce(ids, '-'));
EXCEPTION WHEN OTHERS THEN
    result := format('error %s: %s', sqlstate, sqlerrm);
    BEGIN
        DEALLOCATE p;
    EXCEPTION WHEN invalid_sql_statement_name THEN
    END;
END $$;
CREATE FUNCTION tools.check(cases jsonb, remote text, copy text) RETURNS SETOF jsonb LANGUAGE plpgsql AS $$
DECLARE
    one jsonb;
    outcomes jsonb;
    prepared boolean;
BEGIN
    FOR one IN SELECT * FROM jsonb_array_elements(cases) LOOP
        prepared := one->>'types' <> '';
        IF prepared THEN
            outcomes := jsonb_build_object(
                'copy', tools.outcome(one, copy, 'off', 'force_custom_plan'),
                'off', tools.outcome(one, remote, 'off', 'force_custom_plan'),
                'on, custom plan', tools.outcome(one, remote, 'on', 'force_custom_plan'),
                'on, generic plan', tools.outcome(one, remote, 'on', 'force_generic_plan'));
        ELSE
            outcomes := jsonb_build_object(
                'copy', tools.outcome(one, copy, 'off', ''),
                'off', tools.outcome(one, remote, 'off', ''),
                'on', tools.outcome(one, remote, 'on', ''));
        END IF;
        IF (SELECT count(DISTINCT value) FROM jsonb_each_text(outcomes)) > 1 OR outcomes->>'copy' LIKE 'error%' THEN
            RETURN NEXT jsonb_build_object('number', one->'number', 'outcomes', outcomes);
        END IF;
    END LOOP;
END $$;
"""


def psql(sql, database=DATABASE):
    """Output of psql for a script; an error ends the test."""
    run = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", database, "-f", "-"],
                         input=sql.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         env=dict(os.environ, PGCLIENTENCODING="UTF8", PGOPTIONS="-c client_min_messages=warning"))
    errors = run.stderr.decode("utf-8", "replace")
    if run.returncode != 0:
        raise RuntimeError("psql: " + errors[-2000:])
    return run.stdout.decode()


def dollar(text):
    return "$json$" + text + "$json$"


def array_literal(text):
    """PostgreSQL's form of a JSON array of scalars."""
    return "{%s}" % ",".join(json.dumps(str(item), ensure_ascii=False) for item in json.loads(text))


class Worker:
    """One simulator and one set of foreign tables with their copies."""

    def __init__(self, number, entities, page_size, switches):
        self.number, self.entities, self.page_size = number, entities, page_size
        self.remote, self.copy = "remote%d" % number, "copy%d" % number
        settings = [word for switch in switches for word in ("--switch", switch)]
        self.process, self.url = harness.start("--seed", "1", "--scale", "60", *settings)

    def set_up(self):
        server = "crm%d" % self.number
        psql("""
DROP SCHEMA IF EXISTS {remote}, {copy} CASCADE;
DROP SERVER IF EXISTS {server} CASCADE;
CREATE SERVER {server} FOREIGN DATA WRAPPER pipedrive_fdw OPTIONS (api_base_url '{url}', page_size '{page_size}');
CREATE USER MAPPING FOR CURRENT_USER SERVER {server} OPTIONS (api_token 'sim-token-admin');
CREATE SCHEMA {remote};
CREATE SCHEMA {copy};
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO ({tables}) FROM SERVER {server} INTO {remote};
SET pipedrive_fdw.enable_pushdown = off;
""".format(remote=self.remote, copy=self.copy, server=server, url=self.url, page_size=self.page_size,
           tables=", ".join(e["name"] for e in self.entities)) + "".join(
            "CREATE TABLE %s.%s AS SELECT * FROM %s.%s;\n" % (self.copy, e["name"], self.remote, e["name"]) for e in self.entities))

    def tables(self):
        """What the generator must know of the copies."""
        sql = "SET TimeZone = 'UTC';\n"
        for e in self.entities:
            sql += """
SELECT jsonb_build_object('types', (SELECT jsonb_object_agg(attname, typname) FROM pg_attribute a JOIN pg_type y ON y.oid = atttypid
                                     WHERE attrelid = '{copy}.{t}'::regclass AND attnum > 0),
       'values', (SELECT jsonb_object_agg(key, items) FROM (
            SELECT key, jsonb_agg(DISTINCT value ORDER BY value) AS items FROM (
                SELECT v.key, v.value FROM {copy}.{t} r CROSS JOIN LATERAL jsonb_each_text(to_jsonb(r)) v
                 WHERE v.value IS NOT NULL
            ) w GROUP BY key) z));
""".format(copy=self.copy, t=e["name"])
        out = {}
        for e, line in zip(self.entities, psql(sql).split("\n")):
            known = json.loads(line)
            for column, kind in known["types"].items():
                if kind.startswith("_"):
                    known["values"][column] = list(map(array_literal, known["values"].get(column, [])))
            pushed = sorted(c for c in e["parameters"] if c in known["types"])
            out[e["name"]] = clauses.Table(e["name"], known["types"], known["values"], pushed)
        return out

    def check(self, numbered):
        """Those of the (number, query) that differ: [(number, outcomes)]."""
        sql = ["SET statement_timeout = '120s';"]
        for at in range(0, len(numbered), 50):
            cases = [dict(number=n, sql=q.sql, types=q.types, arguments=q.arguments, zone=q.zone, run_zone=q.run_zone)
                     for n, q in numbered[at:at + 50]]
            sql.append("SELECT tools.check(%s, '%s', '%s');" % (dollar(json.dumps(cases)), self.remote, self.copy))
        return [(d["number"], d["outcomes"]) for d in map(json.loads, psql("\n".join(sql)).split("\n")[:-1])]

    def requests(self, clear=False):
        client = harness.Client(self.url, 30)
        text = client.control("GET", "journal.txt")
        if clear:
            client.control("DELETE", "journal")
        return text.splitlines()

    def stop(self):
        harness.stop(self.process)


def parallel(jobs):
    """Results of the functions, each in a thread; the first exception is raised."""
    results, errors = [None] * len(jobs), []

    def run(i):
        try:
            results[i] = jobs[i]()
        except Exception as error:  # noqa: BLE001
            errors.append(error)
    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return results


def report(variant, number, query, outcomes):
    print("not ok - %s:%d on %s" % (variant, number, query.entity))
    print("    WHERE " + query.where)
    if query.types:
        print("    parameters (%s) (%s), prepared in zone %s, run in %s" % (query.types, query.arguments, query.zone, query.run_zone))
    else:
        print("    zone " + query.zone)
    print("    " + query.sql)
    for name in sorted(outcomes):
        print("    %-17s %s" % (name, outcomes[name][:600]))


def exercised(entities, requests):
    """[(what, whether some request had it)]. A test that pushes nothing down would find nothing."""
    asked = {}
    for line in requests:
        path, _, query = line.split(" ")[1].partition("?")
        asked.setdefault(path, set()).update(word.split("=")[0] for word in query.split("&"))
        asked.setdefault(path.rpartition("/")[0], set()).add("a record")
    found = []
    for e in entities:
        words = set().union(*(asked.get(path, set()) for path in e["paths"]))
        for column, parameters in sorted(e["parameters"].items()):
            if column == "id":  # by its own address, or by a parameter where that is cheaper
                found.append(("the id of %s" % e["name"], bool(words & {"a record", *parameters})))
            else:
                found += [("%s of %s, for %s" % (p, e["name"], column), p in words) for p in parameters if not is_choice(p)]
    return found


def is_choice(parameter):
    """Of a column that sends nothing but chooses among the lists."""
    return parameter == "(choice of list)"


def choices(entities, worker):
    """The same for such columns: no list is asked for both values."""
    found = []
    for e in entities:
        for column in sorted(c for c, parameters in e["parameters"].items() if is_choice(parameters[0])):
            paths = {}
            for value in ("true", "false"):
                worker.requests(clear=True)
                psql("SELECT count(*) FROM %s.%s WHERE %s = %s;" % (worker.remote, e["name"], column, value))
                paths[value] = {line.split(" ")[1].partition("?")[0] for line in worker.requests()}
            found.append(("the choice of %s by %s" % (e["name"], column), not paths["true"] & paths["false"]))
    return found


def run_variant(options, entities, name, part, page_size, switches):
    """(passed, failed) of one variant."""
    workers = [Worker(i, entities, page_size, switches) for i in range(options.workers)]
    try:
        parallel([w.set_up for w in workers])
        generator = clauses.Generator(random.Random("%d %s" % (options.seed, name)), workers[0].tables())
        queries = [generator.query() for _ in range(int(options.count * part))]
        numbered = list(enumerate(queries))
        if options.only:
            numbered = [numbered[options.only[1]]]
            workers[0].requests(clear=True)
        started = time.monotonic()
        found = parallel([lambda w=w: w.check(numbered[w.number::len(workers)]) for w in workers])
        failures = sorted((n, o) for part_found in found for n, o in part_found)
        for number, outcomes in failures:
            report(name, number, queries[number], outcomes)
        requests = [line for w in workers for line in w.requests()]
        failed = len(failures)
        passed = len(numbered) - failed
        if options.only:
            print("\n".join("    " + line for line in requests))
        else:
            for what, was in exercised(entities, requests) + choices(entities, workers[0]):
                if was:
                    passed += 1
                else:
                    failed += 1
                    print("not ok - %s: no request had %s" % (name, what))
        print("# %s: %d queries, %d requests, %.1f s" % (name, len(numbered), len(requests), time.monotonic() - started))
        return passed, failed
    finally:
        for worker in workers:
            worker.stop()


def main():
    parser = argparse.ArgumentParser(prog="test/differential/run")
    parser.add_argument("--seed", type=int, default=20260331)
    parser.add_argument("--count", type=int, default=5000, help="queries of the first variant")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", type=lambda s: (s.split(":")[0], int(s.split(":")[1])), metavar="VARIANT:NUMBER")
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    if options.only:
        options.workers = 1
    psql("DROP DATABASE IF EXISTS %s;\nCREATE DATABASE %s TEMPLATE template0 ENCODING 'UTF8';" % (DATABASE, DATABASE), "postgres")
    passed = failed = 0
    try:
        psql(SETUP)
        entities = json.loads(psql(PUSHED))
        for variant in VARIANTS:
            if options.only and options.only[0] != variant[0]:
                continue
            good, bad = run_variant(options, entities, *variant)
            passed, failed = passed + good, failed + bad
    except (RuntimeError, OSError) as error:
        print("not ok - the test itself: %s" % error)
        failed += 1
    if not options.keep:
        psql("DROP DATABASE IF EXISTS %s WITH (FORCE);" % DATABASE, "postgres")
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
