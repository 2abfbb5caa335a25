# server.py - the listeners: one thread a connection, and two ports where connecting goes wrong.

import itertools
import socket
import sys
import threading
import traceback

import wire


class Server:
    """Serves a Simulator on 127.0.0.1; urls() lists the addresses tests may want."""

    def __init__(self, sim, port=0, quiet=True):
        self.sim, self.quiet, self.stopping = sim, quiet, False
        self.numbers, self.open = itertools.count(1), set()
        self.listener = listen(port, 128)
        self.silent = listen(0, 128)  # completes connections, never reads
        self.full, self.fillers = full_listener()
        sim.urls = {"api": url(self.listener), "hang_connect": url(self.full),
                    "never_answers": url(self.silent), "refused": refused_url()}

    def serve(self):
        """Accepts until stop()."""
        while not self.stopping:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                break
            thread = threading.Thread(target=self.talk, args=(sock,), daemon=True)
            thread.start()

    def stop(self):
        self.stopping = True
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        for sock in [self.listener, self.silent, self.full] + self.fillers:
            sock.close()

    def released(self):
        return self.stopping, self.sim.faults.generation

    def talk(self, sock):
        """One connection from its first request to its end."""
        try:
            connection = wire.Connection(sock, next(self.numbers), self.released)
            while self.exchange(connection):
                pass
        except (ConnectionError, BrokenPipeError):
            pass
        except Exception:  # a bug in the simulator must show, not hang a test
            traceback.print_exc(file=sys.stderr)
        finally:
            sock.close()

    def exchange(self, connection):
        """One request and its answer; False when the connection is to end."""
        request = connection.read()
        if request is None:
            return False
        response, entry = self.sim.answer(request)
        if entry is None:
            return connection.send(request, response)[1]
        silent = response.mode == "hang" or response.mode == "reset" \
            and response.settings.get("where") != "body"
        self.sim.journal.close(entry, None if silent else response.status, 0)
        sent, keep = 0, False
        try:
            sent, keep = connection.send(request, response)
        finally:
            self.sim.journal.close(entry, entry["status"], sent)
            if not self.quiet:
                print(entry["canonical"], entry["status"], sent, flush=True)
        return keep


def listen(port, backlog):
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", port))
    sock.listen(backlog)
    return sock


def full_listener():
    """A listener whose accept queue is full: further connects get no answer at all."""
    sock = listen(0, 0)
    fillers = []
    for _ in range(4):
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex(sock.getsockname())
        fillers.append(filler)
    return sock, fillers


def url(sock):
    return "http://127.0.0.1:%d" % sock.getsockname()[1]


def refused_url():
    """An address where nobody listens."""
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    out = url(sock)
    sock.close()
    return out
