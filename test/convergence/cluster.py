# cluster.py - a throw-away PostgreSQL of our own, and psql sessions that live as long as one wants.

import os
import queue
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time

SETTINGS = """
listen_addresses = ''
unix_socket_directories = '{directory}'
fsync = off
full_page_writes = off
shared_buffers = 64MB
max_connections = 40
autovacuum = off
deadlock_timeout = 200ms
log_lock_waits = on
timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
restart_after_crash = on
log_min_error_statement = panic
"""


class Gone(Exception):
    """The session or its server has ended."""


def bin_directory():
    """Where initdb is: PG_CONFIG's, else the PATH's."""
    asked = os.environ.get("PG_CONFIG")
    if asked or not shutil.which("initdb"):
        run = subprocess.run([asked or "pg_config", "--bindir"], stdout=subprocess.PIPE, check=True)
        return run.stdout.decode().strip()
    return os.path.dirname(os.path.realpath(shutil.which("initdb")))


def own_directory():
    """A new directory whose name leaves room for a socket's."""
    parent = tempfile.gettempdir()
    return tempfile.mkdtemp(prefix="convergence.", dir=parent if len(parent) < 70 else "/tmp")


RUNNING = []  # what has to be stopped when the test is interrupted


class Cluster:
    """One server in a directory of its own."""

    def __init__(self, settings=SETTINGS):
        self.bin, self.directory = bin_directory(), own_directory()
        RUNNING.append(self)
        self.data, self.log = self.directory + "/data", self.directory + "/log"
        self.tool("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")
        with open(self.data + "/postgresql.conf", "a", encoding="ascii") as file:
            file.write(settings.format(directory=self.directory))
        self.start()

    def tool(self, name, *arguments):
        run = subprocess.run([os.path.join(self.bin, name)] + list(arguments), stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if run.returncode:
            raise RuntimeError("%s: %s" % (name, run.stdout.decode()[-2000:]))

    def start(self):
        # The postmaster must not hold our pipes: pg_ctl would never be done with.
        run = subprocess.run([self.bin + "/pg_ctl", "-D", self.data, "-l", self.log, "-w", "-t", "60", "-s", "start"],
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if run.returncode:
            raise RuntimeError("the server did not start, see " + self.log)

    def stop(self, mode="immediate"):
        subprocess.run([self.bin + "/pg_ctl", "-D", self.data, "-m", mode, "-w", "-s", "stop"], stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def crash(self):
        """Ends the server as a power cut would, and starts it again."""
        self.stop("immediate")
        self.start()

    def wait_until_up(self):
        """After the death of a backend the server recovers by itself."""
        until = time.monotonic() + 30
        while time.monotonic() < until:
            run = subprocess.run([self.bin + "/psql", "-X", "-A", "-t", "-h", self.directory, "-U", "postgres", "-c",
                                  "SELECT 1", "postgres"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            if run.returncode == 0:
                return
            time.sleep(0.05)
        raise RuntimeError("the server did not come back, see " + self.log)

    def log_size(self):
        return os.path.getsize(self.log)

    def log_since(self, position):
        with open(self.log, "rb") as file:
            file.seek(position)
            return file.read().decode("utf-8", "replace")

    def remove(self):
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)
        RUNNING.remove(self)


def remove_all(number, frame):
    """On SIGTERM and SIGINT: no server stays."""
    for cluster in list(RUNNING):
        cluster.remove()
    os._exit(128 + number)


class Session:
    """A psql that reads statements from a pipe; send() starts some, wait() gives rows and errors."""

    def __init__(self, cluster, database):
        self.marks, self.lines = 0, queue.Queue()
        environment = dict(os.environ, PGCLIENTENCODING="UTF8", PGOPTIONS="-c client_min_messages=warning")
        self.process = subprocess.Popen(
            [cluster.bin + "/psql", "-X", "-q", "-A", "-t", "-v", "VERBOSITY=verbose", "-h", cluster.directory, "-U",
             "postgres", "-d", database], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=environment)
        threading.Thread(target=self.read, daemon=True).start()
        self.pid = int(self.rows("SELECT pg_backend_pid();")[0])

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line.decode("utf-8", "replace").rstrip("\n"))
        self.lines.put(None)

    def send(self, sql):
        self.marks += 1
        try:
            self.process.stdin.write((sql + "\n\\echo <<%d>>\n" % self.marks).encode("utf-8"))
            self.process.stdin.flush()
        except OSError:
            pass  # wait() says so

    def wait(self, timeout=60):
        """Lines of output and of errors since send()."""
        out, errors, until = [], [], time.monotonic() + timeout
        while True:
            try:
                line = self.lines.get(timeout=max(0.01, until - time.monotonic()))
            except queue.Empty:
                raise Gone("no answer within %d s; so far: %s" % (timeout, out[-3:])) from None
            if line is None:
                raise Gone("\n".join(out[-5:] + errors[-5:]))
            if line == "<<%d>>" % self.marks:
                return out, errors
            if re.match(r"(psql:\S+ )?(ERROR|FATAL|PANIC|WARNING):", line):
                errors.append(line)
            elif errors and re.match(r"(DETAIL|HINT|CONTEXT|LOCATION|LINE \d+|QUERY|STATEMENT):|\s|PL/pgSQL|SQL ", line):
                errors.append(line)
            else:
                out.append(line)

    def rows(self, sql, timeout=60):
        """Output of statements that must not fail."""
        self.send(sql)
        out, errors = self.wait(timeout)
        if errors:
            raise RuntimeError("%s\nin: %s" % ("\n".join(errors[:6]), sql[:1500]))
        return out

    def kill_backend(self):
        os.kill(self.pid, signal.SIGKILL)

    def close(self):
        try:
            self.process.stdin.close()
        except OSError:
            pass
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(5)
