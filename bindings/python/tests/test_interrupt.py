"""Ctrl-C: a real SIGINT to a real process, in every phase."""

from __future__ import annotations

import signal
import time

import pytest
from support import SOON, wait_until_asleep

# Interrupted, the program says whether the login ended by it, and goes down by the same Ctrl-C.
LOGIN = """
login = CLIENT.login()
try:
    DRIVE
except KeyboardInterrupt as interrupt:
    assert interrupt.__cause__ is None and interrupt.__context__ is None
    for _ in range(2):
        try:
            login.step(0)
        except cli_auth.CancelledError:
            say("cancelled")
    raise
"""
AUTHKIT = "client_of()"
DISCOVER = 'cli_auth.Client.discover(sys.argv[1], "client_test", allow_insecure_loopback=True)'
TRUSTING = "client_of(ca_pem=sys.argv[2])"


def expect_interrupted(child, out):
    begun = child.interrupt()
    status, said, err = child.finish()
    assert time.monotonic() - begun < SOON
    assert status == -signal.SIGINT, err
    assert said == out
    assert err.splitlines()[-1] == "KeyboardInterrupt"
    assert "During handling" not in err
    assert "Exception ignored" not in err


@pytest.mark.parametrize(
    ("phase", "client", "arrival"),
    [
        ("start", AUTHKIT, "device"),
        ("discovery", DISCOVER, "discovery_oauth"),
        ("connect", TRUSTING, "connection"),
    ],
)
def test_in_start(phase, client, arrival, silent, children):
    server = silent(phase)
    program = LOGIN.replace("CLIENT", client).replace("DRIVE", "login.start()")
    child = children(program, server.url, server.ca_pem or "")
    server.wait_for(arrival)
    expect_interrupted(child, "cancelled\ncancelled\n")


@pytest.mark.parametrize("drive", ["login.poll()", "login.step(1000)", "login.poll(on_event=say)"])
def test_while_waiting(drive, new_server, children):
    server = new_server(interval=600, expires_in=3000)
    program = LOGIN.replace("CLIENT", AUTHKIT).replace(
        "DRIVE", f"login.start(); say('shown'); {drive}"
    )
    child = children(program, server.url)
    assert child.line() == "shown"
    wait_until_asleep(child.pid)
    expect_interrupted(child, "cancelled\ncancelled\n")


def test_while_a_poll_hangs(silent, children):
    server = silent("poll")
    program = LOGIN.replace("CLIENT", AUTHKIT).replace("DRIVE", "login.start(); login.poll()")
    child = children(program, server.url)
    server.wait_for("token")
    expect_interrupted(child, "cancelled\ncancelled\n")


def test_inside_the_callback(server, children):
    drive = """login.start()
    def on_event(event):
        say("told")
        time.sleep(100)
    login.poll(on_event)"""
    child = children(LOGIN.replace("CLIENT", AUTHKIT).replace("DRIVE", drive), server.url)
    assert child.line() == "told"
    wait_until_asleep(child.pid)
    expect_interrupted(child, "cancelled\ncancelled\n")


@pytest.mark.parametrize("call", ["refresh", "revoke"])
def test_in_a_request(call, silent, children):
    server = silent(call)
    program = f"""
client = {DISCOVER}
try:
    client.{call}("a token")
except KeyboardInterrupt:
    say("interrupted")
    raise
"""
    child = children(program, server.url)
    server.wait_for(call)
    expect_interrupted(child, "interrupted\n")


def test_the_program_may_go_on(new_server, children):
    """Ctrl-C ends the login, not the client."""
    server = new_server(script={"device": [{"hang": "before"}, "real"]})
    program = """
client = client_of()
try:
    client.login().start()
except KeyboardInterrupt:
    say("interrupted")
print(client.login().start().user_code)
"""
    child = children(program, server.url)
    server.wait_for("device")
    begun = child.interrupt()
    assert child.line() == "interrupted"
    assert time.monotonic() - begun < SOON
    assert len(child.succeed().strip()) >= 8


def test_a_handler_of_the_users_that_does_not_raise(new_server, children):
    """The wait goes on after a signal that nobody makes an exception of."""
    server = new_server(answer="approve", answer_after_polls=1)
    program = """
got = []
signal.signal(signal.SIGINT, lambda *_: got.append(1))
login = client_of().login()
login.start()
say("shown")
login.poll()
print(len(got) >= 1)
"""
    child = children(program, server.url)
    assert child.line() == "shown"
    for _ in range(5):
        child.interrupt()
        time.sleep(0.05)
    assert child.succeed() == "True\n"


def test_interrupted_anywhere_a_login_is_not_left_busy(server, children):
    """A Ctrl-C at any point of a step ends the login or leaves it as it was, never stuck."""
    program = """
import random
signal.signal(signal.SIGALRM, signal.default_int_handler)
client = client_of()
interrupts = 0
end = time.monotonic() + 3
login = client.login()
login.start()
while time.monotonic() < end:
    try:
        signal.setitimer(signal.ITIMER_REAL, random.uniform(0.0001, 0.002))
        while True:
            login.step(0)
    except KeyboardInterrupt:
        interrupts += 1
    except cli_auth.CancelledError:
        pass
    try:
        signal.setitimer(signal.ITIMER_REAL, 0)
    except KeyboardInterrupt:
        pass
    try:
        assert isinstance(login.step(0), (cli_auth.Waiting, cli_auth.Event)), "an outcome"
    except cli_auth.CancelledError:
        login = client.login()
        login.start()
assert interrupts > 100, interrupts
"""
    children(program, server.url).succeed()
