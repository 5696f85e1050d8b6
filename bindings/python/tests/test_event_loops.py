"""Event loops other than asyncio's own: trio, uvloop, a loop that runs already, and none."""

from __future__ import annotations

import asyncio
import signal
import sys
import time

import pytest
import trio
from support import PRELUDE, SOON, wait_until
from test_aio import arrive, run
from test_guide import block_with
from test_interrupt import LOGIN, expect_interrupted

import cli_auth
from cli_auth import MisuseError, aio


def every_call(client):
    login = client.login()
    return [
        login.start,
        login.poll,
        lambda: login.step(0),
        lambda: client.refresh("a token"),
        lambda: client.revoke("a token"),
    ]


def refused(coroutine):
    """Awaited by nothing."""
    with pytest.raises(MisuseError, match=r"task of asyncio.* in a thread"):
        coroutine.send(None)


def test_asyncio_calls_under_trio(server):
    async def main():
        client = server.client(aio.Client)
        for call in every_call(client):
            with pytest.raises(MisuseError, match=r"task of asyncio.* in a thread"):
                await call()
        with pytest.raises(MisuseError):
            async with client.login() as login:
                await login.start()

    trio.run(main)
    assert server.log()["connections"] == []


def test_asyncio_calls_without_a_loop(server):
    for call in every_call(server.client(aio.Client)):
        refused(call())


def test_asyncio_calls_in_the_loop_but_in_no_task(server):
    """As where one loop runs as a guest of another one."""
    ended = []

    async def main():
        loop = asyncio.get_running_loop()
        for call in every_call(server.client(aio.Client)):
            loop.call_soon(lambda call=call: ended.append(refused(call())))
        while len(ended) < 5:
            await asyncio.sleep(0)

    run(main())


def test_a_refused_call_leaves_the_login_as_it_was(server):
    login = server.client(aio.Client).login()
    refused(login.start())
    assert isinstance(run(login.start()), cli_auth.Prompt)


def guide_of_trio(client, told=lambda event: None):
    """The function of the guide, with this client."""
    definitions, _, last = block_with("import trio\n").strip().rpartition("\n\n\n")
    assert last == "tokens = trio.run(log_in_with_trio)"
    names = {"cli_auth": cli_auth, "sys": sys, "client": client, "show": told}
    exec(definitions, names)
    return names["log_in_with_trio"]


@pytest.mark.parametrize(("phase", "endpoint"), [("start", "device"), ("poll", "token")])
def test_the_trio_function_of_the_guide_is_cancelled(phase, endpoint, silent):
    server = silent(phase)
    log_in = guide_of_trio(server.client())

    async def main():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(log_in)
            await trio.to_thread.run_sync(server.wait_for, endpoint)
            nursery.cancel_scope.cancel()
            return time.monotonic()

    begun = trio.run(main)
    assert time.monotonic() - begun < SOON
    wait_until(lambda: server.requests(endpoint)[0]["gone"] is not None)


def test_the_trio_function_of_the_guide_raises_what_the_login_raises(new_server):
    server = new_server(script={"device": ["invalid_client"]})
    with pytest.raises(cli_auth.RejectedError):
        trio.run(guide_of_trio(server.client()))


def test_ctrl_c_in_the_trio_function_of_the_guide(silent, children):
    server = silent("start")
    program = block_with("import trio\n")
    child = children(PRELUDE + "client = client_of()\nshow = None\n" + program, server.url, bare=1)
    server.wait_for("device")
    begun = child.interrupt()
    status, out, err = child.finish()
    assert time.monotonic() - begun < SOON
    assert (status, out) == (1, "")
    assert "KeyboardInterrupt" in err
    assert "CancelledError" not in err


def test_uvloop(new_server, silent, children):
    """A login, one that is cancelled while a request is under way, and the end of the program."""
    program = """
import asyncio, uvloop
from cli_auth import aio

async def main():
    client = client_of(aio.Client)
    assert type(asyncio.get_running_loop()).__module__ == "uvloop"
    login = client.login()
    await login.start()
    say((await login.poll()).token_type)
    login = client_of(aio.Client, api_base=sys.argv[2]).login()
    task = asyncio.ensure_future(login.start())
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, told.set)
    say("waiting")
    await told.wait()
    task.cancel()
    await asyncio.wait([task])
    say(task.cancelled())

loop = uvloop.new_event_loop()
loop.run_until_complete(main())
loop.close()
"""
    hanging = silent("start")
    child = children(program, new_server(answer="approve").url, hanging.url)
    assert (child.line(), child.line()) == ("Bearer", "waiting")
    hanging.wait_for("device")
    child.process.send_signal(signal.SIGUSR1)
    assert child.succeed() == "True\n"


def test_a_blocking_call_where_a_loop_runs(new_server, children):
    """As in a cell of a notebook."""
    server = new_server(answer="approve")
    program = """
import asyncio

async def cell():
    login = client_of().login()
    login.start()
    say(login.poll().token_type)

asyncio.new_event_loop().run_until_complete(cell())
"""
    options = ("-W", "ignore")
    assert children(program, server.url, options=options).succeed() == "Bearer\n"


def test_ctrl_c_in_a_blocking_call_where_a_loop_runs(silent, children):
    server = silent("start")
    cell = LOGIN.replace("CLIENT", "client_of()").replace("DRIVE", "login.start()")
    cell = "async def cell():\n" + cell.replace("\n", "\n    ")
    program = f"import asyncio\n{cell}\nasyncio.new_event_loop().run_until_complete(cell())\n"
    child = children(program, server.url, options=("-W", "ignore"))
    server.wait_for("device")
    expect_interrupted(child, "cancelled\ncancelled\n")


def test_a_blocking_call_in_a_thread_of_asyncio(silent):
    server = silent("start")

    async def main():
        login = server.client().login()
        task = asyncio.ensure_future(asyncio.to_thread(login.start))
        await arrive(server, "device")
        login.cancel()
        with pytest.raises(cli_auth.CancelledError):
            await task

    run(main())
