"""A program that gevent has patched: its other greenlets run while a login waits."""

from __future__ import annotations

import signal

import pytest
from support import PRELUDE
from test_guide import block_with
from test_interrupt import AUTHKIT, DISCOVER, LOGIN, expect_interrupted

PATCHED = "from gevent import monkey\nmonkey.patch_all()\nimport gevent\n" + PRELUDE

# Runs `CALL` in a greenlet. At SIGUSR1 another one, which needs several turns, ends it by `END`.
ENDED_BY_ANOTHER = """
def end():
    for _ in range(20):
        gevent.sleep(0)
    END

signal.signal(signal.SIGUSR1, lambda *_: gevent.spawn(end))
client = CLIENT
login = client.login()

def call():
    try:
        CALL
    except BaseException as error:
        say(type(error).__name__)

greenlet = gevent.spawn(call)
greenlet.join()
"""


@pytest.fixture
def patched(children):
    """Starts programs that gevent patches first."""

    def start(code, *args):
        return children(PATCHED + code, *args, bare=True)

    return start


@pytest.mark.parametrize("end", ["login.cancel()", "greenlet.kill()"])
@pytest.mark.parametrize(("phase", "endpoint"), [("start", "device"), ("poll", "token")])
def test_another_greenlet_ends_a_login(phase, endpoint, end, silent, patched):
    """While a request is under way."""
    server = silent(phase)
    program = ENDED_BY_ANOTHER.replace("CLIENT", AUTHKIT).replace("END", end)
    child = patched(program.replace("CALL", "login.start(); login.poll()"), server.url)
    server.wait_for(endpoint)
    child.process.send_signal(signal.SIGUSR1)
    raised = "GreenletExit" if "kill" in end else "CancelledError"
    assert child.succeed() == f"{raised}\n"


@pytest.mark.parametrize("end", ["login.cancel()", "greenlet.kill()"])
def test_another_greenlet_ends_a_wait(end, new_server, patched):
    server = new_server(interval=600, expires_in=3000)
    program = ENDED_BY_ANOTHER.replace("CLIENT", AUTHKIT).replace("END", end)
    call = "login.start(); say('shown'); login.poll()"
    child = patched(program.replace("CALL", call), server.url)
    assert child.line() == "shown"
    child.process.send_signal(signal.SIGUSR1)
    raised = "GreenletExit" if "kill" in end else "CancelledError"
    assert child.succeed() == f"{raised}\n"


@pytest.mark.parametrize("call", ["refresh", "revoke"])
def test_another_greenlet_ends_a_request(call, silent, patched):
    server = silent(call)
    program = ENDED_BY_ANOTHER.replace("CLIENT", DISCOVER).replace("END", "greenlet.kill()")
    child = patched(program.replace("CALL", f"client.{call}('a token')"), server.url)
    server.wait_for(call)
    child.process.send_signal(signal.SIGUSR1)
    assert child.succeed() == "GreenletExit\n"


def test_a_timeout_of_gevent_cancels(silent, patched):
    server = silent("start")
    program = """
login = client_of().login()
try:
    with gevent.Timeout(0.3):
        login.start()
except gevent.Timeout:
    say("timeout")
try:
    login.step(0)
except cli_auth.CancelledError:
    say("cancelled")
"""
    assert patched(program, server.url).succeed() == "timeout\ncancelled\n"


def test_many_threads_that_are_greenlets(new_server, patched):
    server = new_server(answer="approve", log=False)
    program = """
client = client_of()
found = []

def log_in():
    login = client.login()
    login.start()
    found.append(login.poll().access_token)

threads = [threading.Thread(target=log_in) for _ in range(20)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
say(len(set(found)), len(os.listdir("/proc/self/task")))
"""
    assert patched(program, server.url).succeed() == "20 1\n"


@pytest.mark.parametrize("driver", ["gevent", "pool"])
@pytest.mark.parametrize("canceller", ["login.cancel()", "pool.apply(login.cancel)"])
def test_native_threads(driver, canceller, new_server, patched):
    """A login that is driven in one thread of gevent's pool, or cancelled in one."""
    server = new_server(interval=600, expires_in=3000)
    program = f"""
# No wait ends by itself.
cli_auth._login.LONGEST_WAIT = 1000
pool = gevent.get_hub().threadpool
login = client_of().login()
login.start()

def drive():
    try:
        login.poll()
    except cli_auth.CancelledError:
        say("cancelled")

driver = {driver}.spawn(drive)
gevent.sleep(0.1)
{canceller}
driver.get()
"""
    assert patched(program, server.url).succeed() == "cancelled\n"


def test_ctrl_c(silent, patched):
    server = silent("start")
    program = LOGIN.replace("CLIENT", AUTHKIT).replace("DRIVE", "login.start()")
    child = patched(program, server.url)
    server.wait_for("device")
    expect_interrupted(child, "cancelled\ncancelled\n")


def test_the_program_of_the_guide(new_server, children):
    program = block_with("from gevent import monkey")
    assert '"client_123", ' in program
    program = program.replace(
        '"client_123", ', '"client_123", api_base=sys.argv[1], allow_insecure_loopback=True, '
    )
    program += "print(tokens.token_type)\n"
    child = children(program, new_server(answer="approve").url, bare=True)
    status, out, err = child.finish()
    assert (status, out) == (0, "Bearer\n"), err
    assert "Approve only if you started this login yourself" in err
