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
DISCOVER = (
    "cli_auth.Client.for_issuer("
    'sys.argv[1], "client_test", allow_insecure_loopback=True, **PATIENT)'
)
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


def test_a_handler_of_the_users_that_does_not_raise(server, children):
    """The wait goes on after a signal that nobody makes an exception of."""
    program = """
signal.signal(signal.SIGINT, lambda *_: say("got"))
login = client_of().login()
login.start()
say("shown")
say(login.poll().token_type)
"""
    child = children(program, server.url)
    assert child.line() == "shown"
    for _ in range(5):
        child.interrupt()
        assert child.line() == "got"
    server.answer("approve")
    assert child.succeed() == "Bearer\n"


def test_interrupted_anywhere_a_login_is_not_left_busy(server, children):
    """A Ctrl-C at any point of a step ends the login or leaves it as it was, never stuck."""
    program = """
import random
signal.signal(signal.SIGALRM, signal.default_int_handler)
client = client_of()
interrupts = 0
login = client.login()
login.start()
while interrupts < 300:
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
"""
    children(program, server.url).succeed()


# Raises KeyboardInterrupt before the byte code with this number that a file executes. Python looks
# for a real signal in fewer places.
TRACING = """
FILE = "_login.py" if sys.argv[3] == "blocking" else "aio.py"

class Interrupt:
    armed = None

    def __init__(self, at):
        self.at, self.done = at, False

    def count_down(self):
        if not self.done:
            self.at -= 1
            if self.at < 0:
                self.done = True
                raise KeyboardInterrupt

if sys.version_info >= (3, 12):
    # Tracing does not report every byte code any more.
    def arm(interrupt):
        Interrupt.armed = interrupt

    def before(code, offset):
        if os.path.basename(code.co_filename) != FILE:
            return sys.monitoring.DISABLE
        if Interrupt.armed is not None:
            Interrupt.armed.count_down()

    sys.monitoring.use_tool_id(0, "interrupt")
    sys.monitoring.register_callback(0, sys.monitoring.events.INSTRUCTION, before)
    sys.monitoring.set_events(0, sys.monitoring.events.INSTRUCTION)
else:
    def arm(interrupt):
        Interrupt.armed = interrupt
        sys.settrace(None if interrupt is None else called)

    def called(frame, event, argument):
        if os.path.basename(frame.f_code.co_filename) != FILE:
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return before

    def before(frame, event, argument):
        if event == "opcode" and Interrupt.armed is not None:
            Interrupt.armed.count_down()
        return before

def outcome_of(call):
    try:
        return type(call()).__name__
    except cli_auth.Error as error:
        return error.kind

def interrupted(call, at):
    interrupt = Interrupt(at)
    arm(interrupt)
    try:
        outcome_of(call)
    except KeyboardInterrupt:
        pass
    finally:
        arm(None)
    return interrupt

def interrupt_everywhere(call):
    expected, never = outcome_of(call), 10**9
    count = never - interrupted(call, never).at
    assert count > 50, count
    for at in range(count):
        assert interrupted(call, at).done, at
        # Not busy.
        assert outcome_of(call) == expected, at
    return expected
"""


@pytest.mark.parametrize("kind", ["blocking", "asyncio"])
def test_interrupted_at_every_byte_code_a_login_is_not_left_busy(kind, new_server, children):
    """In a step that returns, and in one that raises."""
    server = new_server(answer="approve")
    refusing = new_server(script={"device": ["invalid_client"]})
    program = """
if FILE == "_login.py":
    def stepping(login):
        return lambda: login.step(0)
    approved = client_of().login()
    approved.start()
    approved.poll()
    refused = client_of(api_base=sys.argv[2]).login()
    outcome_of(refused.start)
else:
    import asyncio
    from cli_auth import aio
    loop = asyncio.new_event_loop()
    def stepping(login):
        return lambda: loop.run_until_complete(login.step(0))
    approved = client_of(aio.Client).login()
    loop.run_until_complete(approved.start())
    loop.run_until_complete(approved.poll())
    refused = client_of(aio.Client, api_base=sys.argv[2]).login()
    outcome_of(lambda: loop.run_until_complete(refused.start()))
say(interrupt_everywhere(stepping(approved)))
say(interrupt_everywhere(stepping(refused)))
"""
    # Python complains of coroutines that were interrupted before they began.
    options = ("-W", "ignore")
    child = children(TRACING + program, server.url, refusing.url, kind, options=options)
    assert child.succeed() == "Tokens\nrejected\n"
