"""The test server by its control interface, and child processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import cli_auth

# "At once". What would come late here takes minutes, so that a busy machine cannot be taken for it.
SOON = 60.0

# Timeouts of a client, in seconds: no request ends by itself while a test looks at it.
PATIENT = {"connect_timeout": 300, "read_timeout": 300, "request_timeout": 300}

# Longest wait for what has to come, in seconds.
PATIENCE = 180.0

_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Authserver:
    """The process, by its control interface."""

    def __init__(self, url: str) -> None:
        self.url = url

    def request(self, method: str, path: str, body: object = None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/control/{path}", data, method=method)
        request.add_header("Content-Type", "application/json")
        try:
            with _DIRECT.open(request, timeout=PATIENCE + 10) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.read().decode()}") from None
        return json.loads(text) if text else None

    def server(self, **settings) -> Server:
        return Server(self, self.request("POST", "servers", settings))


class Server:
    """A virtual server."""

    def __init__(self, authserver: Authserver, made: dict) -> None:
        self._authserver = authserver
        self._id = made["id"]
        self.url: str = made["url"]
        self.issuer: str = made["issuer"]
        self.ca_pem: str | None = made["ca_pem"]

    def _request(self, method: str, path: str = "", body: object = None):
        return self._authserver.request(method, f"servers/{self._id}{path}", body)

    def client(self, client_class=cli_auth.Client, **settings):
        """A client of this server, as AuthKit unless `scopes` ask for more than AuthKit has."""
        settings = {"allow_insecure_loopback": True, **PATIENT, **settings}
        if self.ca_pem is not None:
            settings.setdefault("ca_pem", self.ca_pem)
        if "scopes" in settings:
            return client_class.workos_connect(self.url, "client_test", **settings)
        return client_class.authkit("client_test", api_base=self.url, **settings)

    def answer(self, decision: str = "approve", **more) -> None:
        self._request("POST", "/answer", {"decision": decision, **more})

    def script(self, script: dict) -> None:
        self._request("PUT", "/script", script)

    def listening(self, listening: bool) -> None:
        self._request("PUT", "/listening", {"listening": listening})

    def log(self) -> dict:
        return self._request("GET", "/log")

    def requests(self, endpoint: str) -> list[dict]:
        return [request for request in self.log()["requests"] if request["endpoint"] == endpoint]

    def wait_for(self, endpoint: str, count: int = 1) -> None:
        """Until so many requests have arrived there; for `connection`, so many connections."""
        if endpoint == "connection":
            wait_until(lambda: len(self.log()["connections"]) >= count)
            return
        end = time.monotonic() + PATIENCE
        while True:
            log = self._request("GET", f"/log?endpoint={endpoint}&count={count}&timeout=20")
            arrived = [request for request in log["requests"] if request["endpoint"] == endpoint]
            if len(arrived) >= count:
                return
            assert time.monotonic() < end, f"only {len(arrived)} requests at {endpoint}"

    def delete(self) -> None:
        self._request("DELETE")


def wait_until(true, seconds: float = PATIENCE) -> None:
    """Until `true()`, which has to come about."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.01)


class Thread(threading.Thread):
    """A thread whose result or exception is asked for."""

    def __init__(self, function, *args) -> None:
        super().__init__(daemon=True)
        self._function, self._args = function, args
        self._result = self._error = None
        self.ended_at = 0.0
        self.start()

    def run(self) -> None:
        try:
            self._result = self._function(*self._args)
        except BaseException as error:
            self._error = error
        self.ended_at = time.monotonic()

    def result(self):
        self.join(PATIENCE)
        assert not self.is_alive(), "the thread still runs"
        if self._error is not None:
            raise self._error
        return self._result

    def error(self) -> BaseException:
        """What it raised."""
        self.join(PATIENCE)
        assert self._error is not None, f"no error, but {self._result!r}"
        return self._error


def task_count(pid: object = "self") -> int:
    """How many threads the kernel counts."""
    return len(os.listdir(f"/proc/{pid}/task"))


def wait_until_asleep(pid: int, thread: int | None = None) -> None:
    """Until a thread waits for something, and goes on waiting: the main thread if none is named."""
    asleep = 0

    def looks_asleep() -> bool:
        nonlocal asleep
        with open(f"/proc/{pid}/task/{thread or pid}/stat") as stat:
            state = stat.read().rpartition(")")[2].split()[0]
        asleep = asleep + 1 if state == "S" else 0
        return asleep >= 8

    wait_until(looks_asleep)


# What most child programs begin with.
PRELUDE = f"""
import os, signal, sys, threading, time
import cli_auth

PATIENT = {PATIENT}
PATIENCE = {PATIENCE}

def client_of(client_class=cli_auth.Client, **settings):
    settings = dict(allow_insecure_loopback=True, api_base=sys.argv[1], **PATIENT) | settings
    return client_class.authkit("client_test", **settings)

def say(*words):
    # Not by print: at exit a daemon thread that holds the lock of sys.stdout aborts the process.
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())
"""


class Child:
    """A Python program as a process, which finds the server's address in `sys.argv[1]`.

    `code` comes after `PRELUDE`, unless it is to be `bare`; `path` is a whole program instead.
    """

    def __init__(
        self, code: str, *args: str, options=("-W", "error"), bare=False, path=None
    ) -> None:
        code = code if bare else PRELUDE + code
        source = ["-c", code] if path is None else [str(path)]
        self.process = subprocess.Popen(
            [sys.executable, "-X", "faulthandler", *options, *source, *args],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.pid = self.process.pid

    def line(self) -> str:
        """The next line of its standard output."""
        # Byte by byte: `communicate` does not find what a buffer has read beyond the line.
        line = b""
        while not line.endswith(b"\n"):
            byte = os.read(self.process.stdout.fileno(), 1)
            if not byte:
                break
            line += byte
        return line.decode().rstrip("\n")

    def interrupt(self) -> float:
        """Ctrl-C. Gives the time."""
        self.process.send_signal(signal.SIGINT)
        return time.monotonic()

    def finish(self, seconds: float = 2 * PATIENCE) -> tuple[int, str, str]:
        """Status, standard output and standard error, once it has ended."""
        try:
            out, err = self.process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            # faulthandler says where it hangs.
            self.process.send_signal(signal.SIGABRT)
            out, err = self.process.communicate(timeout=PATIENCE)
            raise AssertionError(f"it hangs\n{out}\n{err}") from None
        return self.process.returncode, out, err

    def succeed(self, seconds: float = 2 * PATIENCE) -> str:
        """Its standard output: it ended well and said nothing on standard error."""
        status, out, err = self.finish(seconds)
        assert (status, err) == (0, ""), f"status {status}\n{out}\n{err}"
        return out


class Children:
    def __init__(self) -> None:
        self._children: list[Child] = []

    def __call__(self, code: str, *args: str, **more) -> Child:
        self._children.append(Child(code, *args, **more))
        return self._children[-1]

    def end(self) -> None:
        for child in self._children:
            if child.process.poll() is None:
                child.process.kill()
            child.process.communicate()
