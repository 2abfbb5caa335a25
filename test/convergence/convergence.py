#!/usr/bin/env python3
# convergence.py - whatever happened, and however its webhooks arrived, the mirror ends as the account is.
#
#   test/convergence/run [--histories N] [--first SEED] [--only SEED] [--workers N] [--no-crashes] [--keep-going] [-v]
#
# Each seed is a history (history.py) on a small simulated account: changes, webhooks lost, doubled, shuffled, late and
# taken in by several sessions at once, syncs and workers in between, servers killed.  Then
#   - lossless ones: after apply_inbox() and sync(), lossy ones: after sync() and reconcile(), every mirror equals its foreign
#     table in all columns, and the simulator's own account of the rows;
#   - replay() of everything, and one more sync, leave every row version as it was;
#   - the server has seen no deadlock.
# --only runs one seed again and prints what was done.  Python 3.9 or newer, standard library only; psql is the client.

import argparse
import json
import os
import queue
import re
import signal
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SIMULATOR = os.environ.get("PIPEDRIVE_SIMULATOR_DIR", os.path.join(HERE, "..", "simulator"))
sys.dont_write_bytecode = True
sys.path[:0] = [HERE, SIMULATOR]

import harness  # noqa: E402
from cluster import Cluster, Gone, Session, remove_all  # noqa: E402
from history import ENTITIES, OWNER, TITLE, Account, History, is_deleted  # noqa: E402

SCALE = 12
SESSIONS = 3
FIRST_SEED = 1

TEMPLATE = """
CREATE EXTENSION pipedrive_fdw;
CREATE SERVER crm FOREIGN DATA WRAPPER pipedrive_fdw OPTIONS (api_base_url '{url}', page_size '500');
CREATE USER MAPPING FOR CURRENT_USER SERVER crm OPTIONS (api_token 'sim-token-admin');
CREATE SCHEMA crm;
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO ({tables}) FROM SERVER crm INTO crm OPTIONS (optional_fields 'false');
SELECT pipedrive.create_mirrors('crm', 'crm_mirror');
INSERT INTO pipedrive.settings VALUES ('max_deleted_percent', '100'); -- histories of a few rows
-- Rows that differ between a foreign table and its mirror, as JSON.
CREATE FUNCTION differences(entity text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE format($q$
        WITH remote AS (SELECT to_jsonb(r) AS r FROM crm.%1$I AS r), mirror AS (SELECT to_jsonb(m) - '{{_synced_at,_source}}'::text[] AS m FROM crm_mirror.%1$I AS m)
        SELECT format('%%s: account %%s, mirror %%s', coalesce(r -> 'id', m -> 'id'),
                      CASE WHEN r IS NULL THEN 'no row' WHEN m IS NULL THEN 'row' ELSE (SELECT jsonb_object_agg(e.key, e.value)::text FROM jsonb_each(r) AS e WHERE e.value IS DISTINCT FROM m -> e.key) END,
                      CASE WHEN m IS NULL THEN 'no row' WHEN r IS NULL THEN 'row' ELSE (SELECT jsonb_object_agg(e.key, e.value)::text FROM jsonb_each(m) AS e WHERE e.value IS DISTINCT FROM r -> e.key) END)
          FROM remote FULL JOIN mirror ON r -> 'id' = m -> 'id' WHERE r IS DISTINCT FROM m$q$, entity);
END $$;
"""

# Where every row version is: any write shows.
VERSIONS = """SELECT format('{0} %s: version %s %s, %s', id, ctid, xmin, to_jsonb(m)) FROM crm_mirror.{0} AS m ORDER BY id;"""
OTHERS = """SELECT format('history of %s %s: %s', entity, id, to_jsonb(c)) FROM pipedrive.changes AS c ORDER BY entity, id, field, recorded_at;
SELECT format('tombstone of mirror %s, %s, as of %s', mirror_id, id, as_of) FROM pipedrive_internal.tombstone ORDER BY mirror_id, id;"""
TRUTH = """SELECT coalesce(jsonb_object_agg(id, jsonb_build_array({title}, to_char(update_time, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
    to_char(add_time, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), {owner})), '{{}}') FROM crm_mirror.{entity};"""


class Failure(Exception):
    pass


def whole_second(stamp):
    """A time of the simulator's rows in one form: some have a blank and no zone, some a fraction."""
    return stamp and stamp[:19].replace(" ", "T") + "Z"


def literal(text):
    return "'" + text.replace("'", "''") + "'" if "\\" not in text else " E'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


class Worker:
    """One cluster, one simulator, one history after the other, each in a new copy of a template database."""

    def __init__(self):
        self.cluster = Cluster()
        self.process, self.url = harness.start("--seed", "1", "--scale", str(SCALE))
        self.simulator = harness.Client(self.url, 30)
        self.control = Session(self.cluster, "postgres")
        self.control.rows("CREATE DATABASE original TEMPLATE template0 ENCODING 'UTF8';")
        session = Session(self.cluster, "original")
        session.rows(TEMPLATE.format(url=self.url, tables=", ".join(ENTITIES)), 120)
        session.close()
        self.sessions, self.history = [], None

    def close(self):
        for session in self.sessions + [self.control]:
            session.close()
        harness.stop(self.process)
        self.cluster.remove()

    # -- one history --------------------------------------------------------------------------

    def prepare(self, history):
        for session in self.sessions:
            session.close()
        self.sessions = []
        simulator, self.history = self.simulator, history
        simulator.control("POST", "reset")
        simulator.control("PUT", "switches", history.switches)
        self.log_start = self.cluster.log_size()
        self.control.rows("DROP DATABASE IF EXISTS history WITH (FORCE);")
        self.control.rows("CREATE DATABASE history TEMPLATE original;")
        self.sessions = [Session(self.cluster, "history") for _ in range(SESSIONS)]
        self.sessions[0].rows("ALTER SERVER crm OPTIONS (SET page_size '%d');" % history.page_size)
        self.account, self.seen, self.waiting, self.sent = Account(simulator), 0, [], []
        self.crashed = False

    def note(self, text):
        self.history.log.append(text)

    def mutate(self, step):
        """Some changes of the account, and the arrivals of their webhooks."""
        history = self.history
        history.tick()
        self.simulator.control("PUT", "clock", {"now": history.stamp()})
        orders = history.orders(self.account)
        answers = self.simulator.control("POST", "mutate_many", orders)
        for order, answer in zip(orders, answers):
            self.account.did(order, answer)
            self.note("step %d, %s: %s -> %s" % (step, history.stamp(), json.dumps(order, ensure_ascii=False), json.dumps(answer)))
        self.collect(step)

    def collect(self, step):
        events = self.simulator.control("GET", "webhooks?since=%d&version=%s" % (self.seen, self.history.version))
        if events:
            self.seen = events[-1]["n"]
        found = self.history.deliveries(events, step)
        for event in events:
            when = ["step %d %s" % (d.due, d.mode) for d in found if d.number == event["n"]]
            self.note("    event %d: %s %s %s, arrives %s" % (event["n"], event["action"], event["entity"], event["id"],
                                                             ", ".join(when) or "never"))
        self.waiting += found

    def jobs(self, step):
        """What goes on at once in this step: {session number: [(what, sql)]}."""
        r, out = self.history.random, {i: [] for i in range(SESSIONS)}
        due = [d for d in self.waiting if d.due <= step]
        self.waiting = [d for d in self.waiting if d.due > step]
        r.shuffle(due)
        spread = r.choice((1, SESSIONS))
        for delivery in due:
            out[r.randrange(spread)].append(self.ingest(delivery))
        if r.random() < self.history.apply_rate:
            for number in r.sample(range(SESSIONS), r.choice((1, 2))):
                out[number].insert(r.randint(0, len(out[number])), ("apply_inbox", "CALL pipedrive.apply_inbox(%s);" % r.choice(("", "3"))))
        if r.random() < self.history.sync_rate:
            for number in r.sample(range(SESSIONS), r.choice((1, 1, 2))):
                out[number].insert(r.randint(0, len(out[number])), ("sync", "CALL pipedrive.sync();"))
        if r.random() < 0.1:
            out[r.randrange(SESSIONS)].append(("reconcile", "CALL pipedrive.reconcile();"))
        return out

    def ingest(self, delivery):
        kind = self.history.random.choice(("jsonb", "text"))
        return ("event %d %s" % (delivery.number, delivery.mode),
                "SELECT pipedrive.ingest_webhook(%s::%s, '%s');" % (literal(delivery.body), kind, delivery.mode))

    def run_jobs(self, step, jobs):
        """Starts all sessions at once and waits for them."""
        for number, work in jobs.items():
            if work:
                self.note("step %d, session %d: %s" % (step, number, "; ".join(what for what, _ in work)))
                self.sessions[number].send("\n".join(sql for _, sql in work))
        for number, work in jobs.items():
            if work:
                out, errors = self.sessions[number].wait()
                self.note("        session %d answers: %s" % (number, ", ".join(out)))
                if errors:
                    raise Failure("session %d: %s" % (number, "\n    ".join(errors)))
                bad = [line for line in out if line.startswith(("failed", "ignored"))]
                if bad:
                    raise Failure("session %d: an event is %s" % (number, bad[0]))

    def change_in_mid_sync(self, step):
        """Has the account change while a sync reads it."""
        r = self.history.random
        orders = []
        for order in self.history.orders(self.account):
            if sane(order, self.account):
                orders.append(order)
                self.account.did(order, {"id": order.get("id")})
        match = {"path_regex": r.choice(("deals$", "archived$", "persons$", "organizations$", "activities$", "leads$", "notes$")), "nth": r.choice((1, 2))}
        self.simulator.control("POST", "on_request", {"after_request_matching": match, "when": r.choice(("before", "after")),
                                                      "mutations": orders})
        for order in orders:
            self.note("step %d, during a request for %s: %s" % (step, match, json.dumps(order, ensure_ascii=False)))

    def crash(self, step, jobs):
        """Kills a backend or the server in the midst of a step, then sends again what nobody has acknowledged."""
        r = self.history.random
        self.simulator.control("PUT", "latency", {"ms": 8})
        victim, how = r.randrange(SESSIONS), r.choice(("kill", "kill", "immediate"))
        jobs[victim].append(("sync", "CALL pipedrive.sync();"))
        self.note("step %d: %s, session %d" % (step, how, victim))
        for number, work in jobs.items():
            self.note("step %d, session %d: %s" % (step, number, "; ".join(what for what, _ in work)))
            self.sessions[number].send("\n".join(sql for _, sql in work))
        time.sleep(r.random() * 0.25)
        if how == "kill":
            self.sessions[victim].kill_backend()
            time.sleep(0.05)
            self.cluster.wait_until_up()
        else:
            self.cluster.crash()
        for session in self.sessions:
            session.close()
        self.control.close()
        self.control, self.crashed = Session(self.cluster, "postgres"), True
        self.sessions = [Session(self.cluster, "history") for _ in range(SESSIONS)]
        self.simulator.control("PUT", "latency", {"ms": 0})
        for work in jobs.values():
            work[:] = [one for one in work if one[0].startswith("event")]
        self.run_jobs(step, jobs)

    def tell(self, history):
        crash_at = history.random.randint(1, history.steps - 1) if history.crash else None
        if history.random.random() < 0.8:
            self.run_jobs(0, {0: [("sync", "CALL pipedrive.sync();")]})
        for step in range(1, history.steps + 1):
            self.mutate(step)
            hook = history.random.random() < 0.25
            jobs = self.jobs(step)
            if hook:
                self.change_in_mid_sync(step)
                jobs[0].append(("sync", "CALL pipedrive.sync();"))
            if step == crash_at:
                self.crash(step, jobs)
            else:
                self.run_jobs(step, jobs)
            if hook:
                self.simulator.control("DELETE", "on_request")
                self.collect(step)
        self.finish(history.steps + 1)

    def finish(self, step):
        """The last webhooks come in; then what is promised must hold."""
        for delivery in self.waiting:
            delivery.due = step
        jobs = self.jobs(step)
        for work in jobs.values():  # order of arrival stays; syncs come below
            work[:] = [one for one in work if one[0].startswith("event")]
        self.run_jobs(step, jobs)
        last = ["CALL pipedrive.apply_inbox();", "CALL pipedrive.sync();"]
        if self.history.lossy:
            last.append("CALL pipedrive.reconcile();")
        self.run_jobs(step, {0: [(sql, sql) for sql in last]})

    # -- what must hold -------------------------------------------------------------------------

    def check_equal(self, when):
        for entity in ENTITIES:
            found = self.sessions[0].rows("SELECT differences('%s');" % entity)
            if found:
                raise Failure("%s, %s differ:\n    %s" % (when, entity, "\n    ".join(found[:5])))
            rows = self.simulator.control("GET", "rows/" + entity)
            owner = OWNER.get(entity, "owner_id")
            true = {str(r["id"]): [r[TITLE[entity]], whole_second(r["update_time"]), whole_second(r["add_time"]), r[owner]]
                    for r in rows if not is_deleted(entity, r)}
            mirror = json.loads(self.sessions[0].rows(TRUTH.format(title=TITLE[entity], entity=entity, owner=owner))[0])
            if mirror != true:
                odd = sorted(set(map(str, true.items())) ^ set(map(str, mirror.items())))
                raise Failure("%s, %s differ from the simulator's rows: %s" % (when, entity, odd[:6]))

    def versions(self):
        """Every row version there is, as text."""
        return self.sessions[0].rows("\n".join([VERSIONS.format(entity) for entity in ENTITIES] + [OTHERS]))

    def check_unchanged(self, sql, what):
        before = self.versions()
        self.run_jobs(0, {0: [(sql, sql)]})
        after = self.versions()
        if before != after:
            raise Failure("%s wrote:\n    %s" % (what, "\n    ".join(written(before, after))))

    def check(self):
        self.check_equal("after apply_inbox() and sync()" if not self.history.lossy else "after sync() and reconcile()")
        self.check_unchanged(REPLAY, "replay() of everything")
        self.check_equal("after replay()")
        self.check_unchanged("CALL pipedrive.sync();", "a sync of nothing")
        failed = self.sessions[0].rows("SELECT key, outcome, error FROM pipedrive.inbox WHERE status IN ('queued', 'failed') OR error IS NOT NULL;")
        if failed:
            raise Failure("left in the inbox: %s" % failed[:3])
        deadlocks = self.sessions[0].rows("SELECT pg_stat_clear_snapshot(), deadlocks FROM pg_stat_database WHERE datname = current_database();")
        if deadlocks[0].strip("|") != "0":
            raise Failure("%s deadlocks" % deadlocks[0])

    def check_log(self):
        log = self.cluster.log_since(self.log_start)
        for line in log.splitlines():
            if "detected deadlock" in line or "PANIC" in line or re.search(r"terminated by signal (?!9\b)", line) \
                    or "terminated by signal" in line and not self.crashed:
                at = log.index(line)
                raise Failure("server log: " + log[at:at + 1500].replace("\n", "\n    "))

    def run(self, history):
        """None, or why the history failed."""
        try:
            self.prepare(history)
            self.tell(history)
            self.check()
            self.check_log()
            return None
        except Failure as failure:
            return self.with_log(str(failure))
        except (Gone, RuntimeError, AssertionError) as error:
            return self.with_log("%s: %s" % (type(error).__name__, error))

    def with_log(self, text):
        """The failure, with what the server says if it died."""
        try:
            self.check_log()
        except Failure as failure:
            return "%s\n    %s" % (text, failure)
        return text


def written(before, after):
    """What is new among row versions; of rows that were there before only the columns that differ."""
    old, out = dict(v.split(": ", 1) for v in before if ": version" in v), []
    for line in [v for v in after if v not in set(before)][:8]:
        head, new = line.split(": ", 1)
        if head in old and ": version" in line:
            was, now = (json.loads(text.split(", ", 1)[1]) for text in (old[head], new))
            out.append("%s: %s" % (head, ", ".join("%s: %s -> %s" % (k, json.dumps(was.get(k)), json.dumps(now[k]))
                                                    for k in now if was.get(k) != now[k])))
        else:
            out.append(line[:600])
    return out or ["fewer rows than before"]


REPLAY = "SELECT status, events FROM pipedrive.replay(only_failed => false) ORDER BY 1;"


def sane(order, account):
    """Whether a change in mid-sync certainly succeeds."""
    entity = order["entity"]
    if order["action"] == "merge":
        return order["id"] != order["into"] and {order["id"], order["into"]} <= set(account.live[entity])
    if order["action"] == "add_option" or order.get("id") is None:
        return False
    return order["action"] in ("change", "delete", "restore", "archive", "unarchive") \
        and order["id"] in account.live[entity] + account.deleted[entity]


class Run:
    """The seeds of a run, shared out among workers."""

    def __init__(self, options):
        self.options, self.seeds, self.lock = options, queue.Queue(), threading.Lock()
        self.passed, self.failed, self.took = 0, [], 0.0
        first = options.only if options.only is not None else options.first
        for seed in range(first, first + (1 if options.only is not None else options.histories)):
            self.seeds.put(seed)

    def work(self):
        worker = Worker()
        try:
            while True:
                try:
                    seed = self.seeds.get_nowait()
                except queue.Empty:
                    return
                if self.failed and not self.options.keep_going and len(self.failed) >= 3:
                    return
                self.one(worker, seed)
        finally:
            worker.close()

    def one(self, worker, seed):
        history, started = History(seed, not self.options.no_crashes), time.monotonic()
        why = worker.run(history)
        with self.lock:
            self.took += time.monotonic() - started
            if self.options.only is not None or self.options.verbose:
                print("# " + history.title())
            if self.options.only is not None:
                print("\n".join("#   " + line for line in history.log))
            if why is None:
                self.passed += 1
            else:
                self.failed.append(seed)
                print("not ok - %s\n    %s\n    again: test/convergence/run --only %d" % (history.title(), why, seed), flush=True)
        if why is not None:
            worker.sessions and [s.process.kill() for s in worker.sessions]
            worker.sessions = []

    def main(self):
        errors = []

        def guarded():
            try:
                self.work()
            except Exception as error:  # noqa: BLE001
                errors.append(error)
        threads = [threading.Thread(target=guarded) for _ in range(self.options.workers)]
        started = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for error in errors:
            print("not ok - the test itself: %s: %s" % (type(error).__name__, error))
        done, failed = self.passed + len(self.failed), len(self.failed) + len(errors)
        print("# %d histories in %.0f s, %.2f s each" % (done, time.monotonic() - started, self.took / max(done, 1)))
        print("%d passed, %d failed" % (self.passed, failed))
        return 1 if failed or not self.passed else 0


def main():
    parser = argparse.ArgumentParser(prog="test/convergence/run")
    parser.add_argument("--histories", type=int, default=60)
    parser.add_argument("--first", type=int, default=FIRST_SEED, metavar="SEED")
    parser.add_argument("--only", type=int, metavar="SEED")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--no-crashes", action="store_true", help="nothing is killed")
    parser.add_argument("--keep-going", action="store_true", help="do not stop after three failures")
    parser.add_argument("-v", "--verbose", action="store_true")
    options = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, remove_all)
    if options.only is not None:
        options.workers = 1
    return Run(options).main()


if __name__ == "__main__":
    sys.exit(main())
