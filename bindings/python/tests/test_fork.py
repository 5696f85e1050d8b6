"""Fork: the parent goes on, the child gets a clear error or its own login, nobody hangs."""

from __future__ import annotations

import pytest

# Python itself warns when a process with threads is forked.
OPTIONS = ("-W", "error", "-W", "ignore::DeprecationWarning")

# `in_child(function)` runs it in a fork, which ends as a program does, or as `leave` says.
FORKING = """
import select, traceback

def in_child(function, leave=None):
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            signal.alarm(20)
            say("child:", function())
            status = 0
        except BaseException:
            traceback.print_exc()
        if leave is None:
            sys.exit(status)
        leave(status)
    status = os.waitpid(pid, 0)[1]
    assert status == 0, f"the child: {status}"

def kind_of(function):
    try:
        return repr(function())
    except cli_auth.Error as error:
        assert type(error).__name__.lower() == error.kind.replace("_", "") + "error"
        return error.kind

def log_in(client):
    login = client.login()
    login.start()
    return login.poll().token_type
"""


def test_a_client_from_before_the_fork_works_in_both(new_server, children):
    code = """
client = client_of()
in_child(lambda: log_in(client))
say(log_in(client))
in_child(lambda: log_in(client))
"""
    out = children(FORKING + code, new_server(answer="approve").url, options=OPTIONS).succeed()
    assert out == "child: Bearer\nBearer\nchild: Bearer\n"


def test_a_login_from_before_the_fork(server, children):
    """The child gets ForkedError from every call, and disturbs nobody: the parent is authorized."""
    code = """
client = client_of()
login = client.login()
login.start()
login.step(0)

def use():
    found = [kind_of(login.start), kind_of(login.poll), kind_of(lambda: login.step(0))]
    login.cancel()
    found += [kind_of(login.poll), kind_of(lambda: login.step(5))]
    return " ".join(found)

in_child(use)
in_child(use, leave=os._exit)
say("forked")
say(login.poll().token_type)
say(log_in(client))
"""
    child = children(FORKING + code, server.url, options=OPTIONS)
    used = "child: forked forked forked forked forked"
    assert [child.line() for _ in range(3)] == [used, used, "forked"]
    server.answer("approve")
    assert child.line() == "Bearer"
    server.wait_for("device", 2)
    server.answer("approve")
    assert child.succeed() == "Bearer\n"
    violations = [request["violations"] for request in server.requests("token")]
    assert not any(violations)


def test_a_fork_in_the_callback(new_server, children):
    """The call in the child still holds the login, and fails all the same."""
    server = new_server(answer="approve", answer_after_polls=1)
    code = """
login = client_of().login()
login.start()
pids = []
outcome = kind_of(lambda: login.poll(lambda event: pids.append(os.fork())).token_type)
if pids == [0]:
    say("child:", outcome)
    os._exit(0)
assert os.waitpid(pids[0], 0)[1] == 0
say(outcome)
"""
    out = children(FORKING + code, server.url, options=OPTIONS).succeed()
    assert out == "child: forked\n'Bearer'\n"


@pytest.mark.parametrize("phase", ["start", "waiting", "poll"])
def test_a_fork_while_another_thread_drives(phase, silent, new_server, children):
    server = new_server(interval=600, expires_in=3000) if phase == "waiting" else silent(phase)
    code = """
client = client_of()
login = client.login()
ends = []

def drive():
    try:
        login.start()
        login.poll()
    except cli_auth.Error as error:
        ends.append(error.kind)

thread = threading.Thread(target=drive)
thread.start()
time.sleep(float(sys.argv[2]))
for leave in (None, os._exit):
    in_child(lambda: (kind_of(lambda: login.step(0)), kind_of(lambda: login.step(5))), leave)
assert thread.is_alive()
login.cancel()
thread.join(5)
say(ends)
"""
    child = children(
        FORKING + code, server.url, "1.4" if phase == "poll" else "0.2", options=OPTIONS
    )
    assert child.succeed() == "child: ('forked', 'forked')\n" * 2 + "['cancelled']\n"


def test_a_new_login_in_the_child_while_another_thread_drives(new_server, children):
    server = new_server(answer="approve")
    code = """
client = client_of()
login = client.login()
found = []
thread = threading.Thread(target=lambda: (login.start(), found.append(login.poll().token_type)))
thread.start()
time.sleep(0.3)
in_child(lambda: log_in(client))
thread.join(20)
say(found)
"""
    out = children(FORKING + code, server.url, options=OPTIONS).succeed()
    assert out == "child: Bearer\n['Bearer']\n"


def test_a_pool_of_forked_workers(new_server, children):
    server = new_server(answer="approve")
    code = """
import multiprocessing
client = client_of()
say(log_in(client))

def work(number):
    return log_in(client)

with multiprocessing.get_context("fork").Pool(4) as pool:
    say(pool.map(work, range(8), chunksize=1) == ["Bearer"] * 8)
say(log_in(client))
"""
    assert (
        children(FORKING + code, server.url, options=OPTIONS).succeed() == "Bearer\nTrue\nBearer\n"
    )


def test_an_asyncio_client_after_use(new_server, children):
    server = new_server(answer="approve")
    code = """
import asyncio
from cli_auth import aio
client = client_of(aio.Client)

async def log_in():
    login = client.login()
    await login.start()
    return (await login.poll()).token_type

async def inherited(login):
    found = []
    for call in (login.poll, lambda: login.step(0)):
        try:
            await call()
        except cli_auth.Error as error:
            found.append(error.kind)
    return found

say(asyncio.run(log_in()))
login = client.login()
asyncio.run(login.start())
in_child(lambda: (asyncio.run(inherited(login)), asyncio.run(log_in())))
in_child(lambda: asyncio.run(inherited(login)))
say(asyncio.run(log_in()))
say(asyncio.run(login.poll()).token_type)
"""
    out = children(FORKING + code, server.url, options=OPTIONS).succeed()
    assert out == (
        "Bearer\n"
        "child: (['forked', 'forked'], 'Bearer')\n"
        "child: ['forked', 'forked']\n"
        "Bearer\n"
        "Bearer\n"
    )


def test_a_fork_inside_the_loop_of_a_login_under_way(new_server, children):
    server = new_server(answer="approve")
    code = """
import asyncio
from cli_auth import aio
client = client_of(aio.Client)

async def main():
    login = client.login()
    await login.start()
    task = asyncio.ensure_future(login.poll())
    await asyncio.sleep(0.3)
    in_child(lambda: "fine", leave=os._exit)
    return (await task).token_type

say(asyncio.run(main()))
"""
    out = children(FORKING + code, server.url, options=OPTIONS).succeed()
    assert out == "child: fine\nBearer\n"


def test_tokens_and_secrets_are_inherited(new_server, children):
    server = new_server(
        script={"refresh": [{"json": {"access_token": "x" * 30, "token_type": "Bearer"}}]}
    )
    code = """
client = client_of()
tokens = client.refresh("old")
in_child(lambda: (tokens.access_token.expose() == "x" * 30, tokens, cli_auth.Secret("abc")))
"""
    out = children(FORKING + code, server.url, options=OPTIONS).succeed()
    assert out.startswith("child: (True, Tokens(")
    assert "x" * 20 not in out
