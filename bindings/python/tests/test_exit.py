"""The interpreter exits with logins under way: the right status, no word, no hang."""

from __future__ import annotations

import pytest

TIMES = 5
AIO = "import asyncio\nfrom cli_auth import aio\n"
SILENT = {"token": {"steps": [{"hang": "before"}], "then": "repeat"}}

IN_A_DAEMON_THREAD = """
def log_in():
    login = client_of().login()
    login.start()
    say("shown")
    login.poll()

threading.Thread(target=log_in, daemon=True).start()
"""

LOOP_IN_A_DAEMON_THREAD = """
async def log_in():
    login = client_of(aio.Client).login()
    await login.start()
    say("shown")
    await login.poll()

threading.Thread(target=lambda: asyncio.run(log_in()), daemon=True).start()
"""


# Ends before anything comes back, while it waits, as the poll comes due, and after that.
MOMENTS = (0.0, 0.3, 1.0, 1.05, 1.1, 1.3)


def expect_silent_ends(children, programs, *args, status=0, options=("-W", "error")):
    """All at once and several times, so that the moment is never the same."""
    programs = [programs] if isinstance(programs, str) else programs
    started = [children(code, *args, options=options) for code in programs for _ in range(TIMES)]
    for child in started:
        ended, out, err = child.finish()
        assert (ended, err) == (status, ""), out


@pytest.mark.parametrize("settings", [{"script": SILENT}, {"answer": "approve"}])
@pytest.mark.parametrize("program", [IN_A_DAEMON_THREAD, AIO + LOOP_IN_A_DAEMON_THREAD])
def test_a_daemon_thread(program, settings, new_server, children):
    """With a poll that hangs, and with one that succeeds meanwhile."""
    programs = [program + f"time.sleep({after})\n" for after in MOMENTS]
    expect_silent_ends(children, programs, new_server(**settings).url)


# The handler that is registered first runs last: whatever comes after "exiting" comes when the
# library has seen to its exit.
EXITING = """
import atexit, asyncio, threading, time

daemons = []

def in_a_daemon(function):
    def run():
        # Before anything calls back, which may be before the thread that started it goes on.
        daemons.append(threading.current_thread())
        asyncio.run(function())

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread

atexit.register(lambda: last_handler())

def last_handler():
    say("exiting")

from cli_auth import aio
"""


def test_a_daemon_thread_that_the_library_calls_back_comes_out_first(new_server, children):
    """One that is still inside when the interpreter is torn down would crash the process."""
    program = """
from cli_auth._native import cli_auth_native as native

inside, wake = threading.Event(), native.wake

def slow_wake(*args):
    if threading.current_thread() in daemons and not inside.is_set():
        inside.set()
        time.sleep(0.5)
        say("out")
    wake(*args)

native.wake = slow_wake
in_a_daemon(lambda: client_of(aio.Client).login().start())
inside.wait()
"""
    started = [children(EXITING + program, new_server().url) for _ in range(TIMES)]
    for child in started:
        assert child.succeed() == "out\nexiting\n"


def test_a_daemon_thread_that_goes_on_at_exit_waits_without_a_word(new_server, children):
    program = """
shown = threading.Event()

async def step_on():
    login = client_of(aio.Client).login()
    await login.start()
    shown.set()
    while True:
        await login.step(0)

def last_handler():
    # Time for the thread to fail.
    time.sleep(0.5)
    say("exiting", thread.is_alive())

thread = in_a_daemon(step_on)
shown.wait()
time.sleep(AFTER)
"""
    server = new_server(interval=600, expires_in=3000)
    started = [
        children(EXITING + program.replace("AFTER", after), server.url)
        for after in ("0", "0.01", "0.1")
    ]
    for child in started:
        assert child.succeed() == "exiting True\n"


def test_a_daemon_thread_that_is_cancelled_at_exit_ends(new_server, children):
    """A program's own handler may end its loop and wait for it, before the library's and after."""
    program = """
async def log_in():
    global loop, task
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    login = client_of(aio.Client).login()
    try:
        await login.start()
        shown.set()
        await login.poll()
    except asyncio.CancelledError:
        say("cancelled")

def end():
    loop.call_soon_threadsafe(task.cancel)
    thread.join(60)
    say("alive" if thread.is_alive() else "ended")

def last_handler():
    if WHEN == "after":
        end()

if WHEN == "before":
    atexit.register(end)

shown = threading.Event()
thread = in_a_daemon(log_in)
shown.wait()
"""
    server = new_server(interval=600, expires_in=3000)
    for when in ("before", "after"):
        child = children(EXITING + f"WHEN = {when!r}" + program, server.url)
        assert child.succeed() == "cancelled\nended\n"


def test_a_task_that_goes_on_at_exit(new_server, children):
    """On a loop of the main thread, which runs again when the library has seen to its exit."""
    program = """
async def log_in():
    login = client_of(aio.Client).login()
    await login.start()
    await login.poll()

loop = asyncio.new_event_loop()
task = loop.create_task(log_in())
loop.run_until_complete(asyncio.sleep(AFTER))

def last_handler():
    try:
        loop.run_until_complete(task)
    except cli_auth.CancelledError as error:
        say(error)
    loop.close()
"""
    server = new_server(interval=600, expires_in=3000)
    started = [
        children(EXITING + program.replace("AFTER", after), server.url) for after in ("0", "0.5")
    ]
    for child in started:
        assert child.succeed() == "the interpreter is exiting\n"


@pytest.mark.parametrize("kept", ["client, login, loop, task", "None"])
def test_a_loop_that_is_never_closed(kept, new_server, children):
    server = new_server(script=SILENT)
    program = """
def begin():
    client = client_of(aio.Client)
    login = client.login()

    async def log_in():
        await login.start()
        await login.poll()

    # Python's own: it complains of such a loop, and sometimes fails itself.
    asyncio.BaseEventLoop.__del__ = lambda loop: None
    loop = asyncio.new_event_loop()
    task = loop.create_task(log_in())
    task._log_destroy_pending = False
    loop.run_until_complete(asyncio.sleep(AFTER))
    return KEPT

kept = begin()
"""
    programs = [
        AIO + program.replace("KEPT", kept).replace("AFTER", after) for after in ("0.2", "1.1")
    ]
    # Python itself complains of the loop.
    expect_silent_ends(children, programs, server.url, options=("-W", "ignore"))


@pytest.mark.parametrize("whole", [False, True])
def test_the_plainest_asyncio_program(whole, new_server, children):
    """The client goes with the function, and the program ends at once: no thread may be left."""
    program = """
async def main():
    login = client_of(aio.Client).login()
    await login.start()
    MORE

asyncio.run(main())
""".replace("MORE", "await login.poll()" if whole else "")
    expect_silent_ends(children, [AIO + program] * 6, new_server(answer="approve").url)


@pytest.mark.parametrize("call", ["refresh", "revoke"])
def test_a_request_of_asyncio_and_then_the_end(call, new_server, children):
    program = f"""
async def main():
    try:
        await client_of(aio.Client).{call}("a token")
    except cli_auth.Error:
        pass

asyncio.run(main())
"""
    expect_silent_ends(children, [AIO + program] * 3, new_server().url)


def test_a_cancelled_login_and_then_the_end(new_server, children):
    program = """
async def main():
    task = asyncio.ensure_future(client_of(aio.Client).login().start())
    await asyncio.sleep(AFTER)
    task.cancel()
    await asyncio.wait([task])

asyncio.run(main())
"""
    programs = [AIO + program.replace("AFTER", after) for after in ("0", "0.001", "0.01")]
    expect_silent_ends(children, programs, new_server().url)


def test_many_asyncio_logins_wait(new_server, children):
    server = new_server(interval=1, log=False)
    program = """
client = client_of(aio.Client)

async def log_in():
    login = client.login()
    await login.start()
    await login.poll()

async def main():
    tasks = [asyncio.ensure_future(log_in()) for _ in range(100)]
    await asyncio.sleep(1.0)
    sys.exit(7)

asyncio.run(main())
"""
    expect_silent_ends(children, AIO + program, server.url, status=7)


def test_many_threads_wait(new_server, children):
    server = new_server(interval=1, log=False)
    program = """
client = client_of()

def log_in():
    login = client.login()
    login.start()
    login.poll()

for _ in range(50):
    threading.Thread(target=log_in, daemon=True).start()
time.sleep(1.05)
"""
    expect_silent_ends(children, AIO + program, server.url)


@pytest.mark.parametrize("kind", ["", "aio"])
def test_exit_in_the_callback(kind, new_server, children):
    server = new_server()
    if kind:
        program = """
async def main():
    login = client_of(aio.Client).login()
    await login.start()
    await login.poll(lambda event: sys.exit(3))

asyncio.run(main())
"""
    else:
        program = """
login = client_of().login()
login.start()
login.poll(lambda event: sys.exit(3))
"""
    expect_silent_ends(children, AIO + program, server.url, status=3)


def test_os_exit(new_server, children):
    program = IN_A_DAEMON_THREAD + "time.sleep(0.3)\nos._exit(5)\n"
    expect_silent_ends(children, program, new_server().url, status=5)
    program = AIO + LOOP_IN_A_DAEMON_THREAD + "time.sleep(0.3)\nos._exit(5)\n"
    expect_silent_ends(children, program, new_server().url, status=5)


def test_everything_is_still_there_at_the_end(new_server, children):
    """Objects that only the end of the interpreter frees, in modules, cycles and tracebacks."""
    server = new_server(script={"refresh": ["invalid_grant"]})
    program = """
client, aio_client = client_of(), client_of(aio.Client)
login, aio_login = client.login(), aio_client.login()
prompt, aio_prompt = login.start(), asyncio.run(aio_login.start())
secret = cli_auth.Secret("x")
cycle = [login, prompt]
cycle.append(cycle)
sys.kept = [client, login, prompt, secret, cycle]
try:
    client.refresh("x")
except cli_auth.Error as error:
    sys.error = error
login.step(0)
"""
    expect_silent_ends(children, AIO + program, server.url)


@pytest.mark.parametrize("first", ["handler", "import"])
def test_a_login_at_exit(first, new_server, children):
    """A blocking one works to the last; for asyncio no thread may be begun then, and it says so."""
    server = new_server(answer="approve")
    program = """
import atexit, sys

def at_exit():
    import asyncio, cli_auth
    from cli_auth import aio
    settings = dict(api_base=sys.argv[1], allow_insecure_loopback=True)
    login = cli_auth.Client.authkit("client_test", **settings).login()
    login.start()
    print(login.poll().token_type)
    try:
        login = aio.Client.authkit("client_test", **settings).login()
        print(asyncio.run(login.start()).user_code != "")
    except cli_auth.CancelledError as error:
        print(error)
"""
    imported = "import cli_auth.aio\n"
    registered = "atexit.register(at_exit)\n"
    program += registered + imported if first == "handler" else imported + registered
    started = [children(program, server.url, bare=True) for _ in range(TIMES)]
    for child in started:
        # atexit's handlers run from the last to the first.
        last = "the interpreter is exiting" if first == "handler" else "True"
        assert child.succeed() == f"Bearer\n{last}\n"


def test_a_thread_that_is_no_daemon_is_waited_for(new_server, children):
    server = new_server(answer="approve")
    program = IN_A_DAEMON_THREAD.replace("daemon=True", "daemon=False").replace(
        "login.poll()", "say(login.poll().token_type)"
    )
    assert children(program, server.url).succeed() == "shown\nBearer\n"
