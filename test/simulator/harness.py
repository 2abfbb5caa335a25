# harness.py - starts a simulator and talks to it; for selftest.py and other Python tests.

import gzip
import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))


def start(*arguments):
    """(process, base URL) of a simulator on a free port."""
    name = os.path.join(tempfile.mkdtemp(), "port")
    process = subprocess.Popen([sys.executable, HERE, "--port-file", name, "--quiet", "--exit-with-stdin",
                                *arguments], stdin=subprocess.PIPE)
    until = time.monotonic() + 10
    while not os.path.exists(name):
        if time.monotonic() > until or process.poll() is not None:
            raise RuntimeError("the simulator did not start")
        time.sleep(0.01)
    with open(name, encoding="ascii") as file:
        return process, file.read().strip()


def stop(process):
    process.stdin.close()
    process.wait(5)


class Client:
    """A keep-alive client; get() returns (status, parsed body, headers)."""

    def __init__(self, base, timeout=5):
        self.host, self.timeout, self.connection = base[len("http://"):], timeout, None

    def raw(self, method, path, body=None, headers=None):
        if self.connection is None:
            self.connection = http.client.HTTPConnection(self.host, timeout=self.timeout)
        try:
            self.connection.request(method, path, body, headers or {})
            answer = self.connection.getresponse()
            return answer.status, answer.read(), answer
        except Exception:
            self.connection.close()
            self.connection = None
            raise

    def get(self, path, token="sim-token-admin", headers=None, **query):
        headers = dict({"x-api-token": token} if token else {}, **(headers or {}))
        if query:
            path += "?" + urllib.parse.urlencode(query)
        status, body, answer = self.raw("GET", path, None, headers)
        if answer.getheader("content-encoding") == "gzip":
            body = gzip.decompress(body)
        return status, json.loads(body), answer

    def control(self, method, path, order=None):
        status, body, answer = self.raw(method, "/__simulator/" + path,
                                        None if order is None else json.dumps(order))
        text = body.decode()
        if status != 200:
            raise AssertionError(text)
        return text if path.endswith(".txt") else json.loads(text)
