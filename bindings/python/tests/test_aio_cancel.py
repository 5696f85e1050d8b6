"""asyncio: a task that is cancelled, a loop that goes away."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
import time

import pytest
from support import SOON, wait_until
from test_aio import arrive, run

import cli_auth
from cli_auth import aio

PHASES = ["connect", "discovery", "start", "waiting", "poll"]
ARRIVALS = {
    "connect": "connection",
    "discovery": "discovery_oauth",
    "start": "device",
    "poll": "token",
}


def server_and_client(phase, silent, new_server):
    server = new_server(interval=600, expires_in=3000) if phase == "waiting" else silent(phase)
    if phase == "discovery":
        return server, aio.Client.for_issuer(
            server.issuer, "client_test", allow_insecure_loopback=True
        )
    return server, server.client(aio.Client)


async def whole(login):
    await login.start()
    await login.poll()


async def expect_cancelled(login):
    for _ in range(2):
        with pytest.raises(cli_auth.CancelledError):
            await login.step(0)


@pytest.mark.parametrize("phase", PHASES)
def test_task_cancel(phase, silent, new_server):
    server, client = server_and_client(phase, silent, new_server)

    async def main():
        login = client.login()
        task = asyncio.ensure_future(whole(login))
        if phase == "waiting":
            await arrive(server, "device")
            await asyncio.sleep(0.2)
        else:
            await arrive(server, ARRIVALS[phase])
        assert not task.done()
        begun = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert time.monotonic() - begun < SOON
        assert task.cancelled()
        await expect_cancelled(login)

    run(main())


def test_a_task_that_is_cancelled_before_it_began(server):
    async def main():
        login = server.client(aio.Client).login()
        task = asyncio.ensure_future(login.start())
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(main())
    assert server.log()["connections"] == []


@pytest.mark.parametrize("phase", ["start", "waiting", "poll"])
def test_wait_for(phase, silent, new_server):
    _, client = server_and_client(phase, silent, new_server)

    async def main():
        login = client.login()
        begun = time.monotonic()
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(whole(login), 1.3)
        assert 1.2 < time.monotonic() - begun < 1.3 + SOON
        await expect_cancelled(login)

    run(main())


# What they test came with Python 3.11.
if sys.version_info >= (3, 11):

    def test_timeout(silent):
        server = silent("start")

        async def main():
            login = server.client(aio.Client).login()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    await login.start()
            await expect_cancelled(login)

        run(main())


@pytest.mark.parametrize("call", ["refresh", "revoke"])
def test_a_request_that_is_cancelled(call, silent):
    server = silent(call)
    client = aio.Client.for_issuer(server.issuer, "client_test", allow_insecure_loopback=True)

    async def main():
        task = asyncio.ensure_future(getattr(client, call)("a token"))
        await arrive(server, call)
        begun = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert time.monotonic() - begun < SOON

    run(main())
    wait_until(lambda: server.requests(call)[0]["gone"] is not None)


def test_cancelled_again_and_again(silent):
    server = silent("start")

    async def main():
        login = server.client(aio.Client).login()
        task = asyncio.ensure_future(login.start())
        await arrive(server, "device")
        while not task.done():
            task.cancel()
            await asyncio.sleep(0)
        assert task.cancelled()
        await expect_cancelled(login)

    run(main())


def test_cancelled_after_the_outcome(new_server):
    server = new_server(answer="approve")

    async def main():
        login = server.client(aio.Client).login()
        await login.start()
        tokens = await login.poll()
        login.cancel()
        assert (await login.poll()).access_token == tokens.access_token

    run(main())


def test_the_end_of_a_block_cancels(new_server):
    server = new_server(interval=600, expires_in=3000)

    async def main():
        async with server.client(aio.Client).login() as login:
            await login.start()
        await expect_cancelled(login)

    run(main())


def test_a_coroutine_that_is_closed(new_server):
    server = new_server(interval=600, expires_in=3000)

    async def main():
        for drive in (aio.Login.poll, lambda login: login.step(50)):
            login = server.client(aio.Client).login()
            await login.start()
            coroutine = drive(login)
            coroutine.send(None)
            coroutine.close()
            await expect_cancelled(login)

    run(main())


def test_a_dropped_task_ends_its_request(silent):
    server = silent("start")
    client = server.client(aio.Client)
    loop = asyncio.new_event_loop()
    try:
        task = loop.create_task(client.login().start())
        loop.run_until_complete(asyncio.sleep(0.2))
        assert server.requests("device")[0]["gone"] is None
        task.cancel()
        loop.run_until_complete(asyncio.wait([task]))
        del task
        gc.collect()
        wait_until(lambda: server.requests("device")[0]["gone"] is not None, SOON)
    finally:
        loop.close()


CLOSED = """
import asyncio, gc
from cli_auth import aio
client = client_of(aio.Client)

async def log_in():
    login = client.login()
    await login.start()
    await login.poll()

loop = asyncio.new_event_loop()
tasks = [loop.create_task(log_in()) for _ in range(5)]
loop.run_until_complete(asyncio.sleep(0.3))
for task in tasks:
    # Python's own complaint, which is right, is not what this is about.
    task._log_destroy_pending = False
loop.close()
# The polls come due while nobody is there.
time.sleep(1.5)
"""


@pytest.mark.parametrize(
    "then", ["", "del tasks, task; gc.collect(); time.sleep(0.2)", "asyncio.run(log_in())"]
)
def test_a_loop_that_is_closed_with_logins_under_way(then, new_server, children):
    server = new_server(answer="approve")
    children(CLOSED + then, server.url).succeed()


@pytest.mark.parametrize(("phase", "endpoint"), [("start", "device"), ("poll", "token")])
def test_ctrl_c_under_asyncio_run(phase, endpoint, silent, children):
    server = silent(phase)
    program = """
import asyncio
from cli_auth import aio
login = client_of(aio.Client).login()

async def main():
    await login.start()
    await login.poll()

try:
    asyncio.run(main())
except KeyboardInterrupt:
    try:
        asyncio.run(login.step(0))
    except cli_auth.CancelledError:
        say("cancelled")
    raise
"""
    child = children(program, server.url)
    server.wait_for(endpoint)
    begun = child.interrupt()
    status, out, err = child.finish()
    assert time.monotonic() - begun < SOON
    assert (status, out) == (-signal.SIGINT, "cancelled\n"), err
    assert err.splitlines()[-1] == "KeyboardInterrupt"
    assert "Exception ignored" not in err
    assert "never retrieved" not in err
