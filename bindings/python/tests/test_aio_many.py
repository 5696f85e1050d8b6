"""asyncio: many logins, several loops, and one thread of the library's."""

from __future__ import annotations

import asyncio
import threading

from support import Thread
from test_aio import run

import cli_auth
from cli_auth import aio


def test_two_hundred_logins_and_one_thread(new_server, children):
    server = new_server(answer="approve", log=False)
    program = """
import asyncio
from cli_auth import aio
client = client_of(aio.Client)
counts = []

async def log_in():
    login = client.login()
    await login.start()
    counts.append(len(os.listdir("/proc/self/task")))
    return (await login.poll()).access_token

async def main():
    return await asyncio.gather(*(log_in() for _ in range(200)))

assert len(os.listdir("/proc/self/task")) == 1
assert len(set(asyncio.run(main()))) == 200
say(max(counts))
del client
end = time.monotonic() + PATIENCE
while len(os.listdir("/proc/self/task")) > 1:
    assert time.monotonic() < end, "a thread is left"
    time.sleep(0.01)
"""
    # Python's own, and one for all the logins.
    assert children(program, server.url).succeed() == "2\n"


def test_garbage_that_the_worker_collects(new_server, children):
    """Clients and logins in cycles, while every allocation may collect them, on whatever thread."""
    server = new_server(log=False)
    program = """
import asyncio, gc
from cli_auth import aio
gc.set_threshold(1, 1, 1)

async def log_in():
    client = client_of(aio.Client)
    logins = [client.login() for _ in range(3)]
    cycle = [client, logins]
    cycle.append(cycle)
    await asyncio.gather(*(login.start() for login in logins))
    task = asyncio.ensure_future(logins[0].poll())
    await asyncio.sleep(0)
    task.cancel()

async def main():
    for _ in range(20):
        await asyncio.gather(*(log_in() for _ in range(5)))

asyncio.run(main())
gc.collect()
end = time.monotonic() + PATIENCE
while len(os.listdir("/proc/self/task")) > 1:
    assert time.monotonic() < end, "a thread is left"
    time.sleep(0.01)
"""
    children(program, server.url).succeed()


def test_several_loops_in_several_threads(new_server):
    server = new_server(answer="approve")
    client = server.client(aio.Client)
    gate = threading.Barrier(5)

    async def main():
        async def log_in():
            login = client.login()
            await login.start()
            return (await login.poll()).access_token

        return await asyncio.gather(*(log_in() for _ in range(4)))

    def in_a_loop():
        gate.wait()
        return run(main())

    threads = [Thread(in_a_loop) for _ in range(5)]
    assert len({found for thread in threads for found in thread.result()}) == 20


def test_one_loop_after_the_other(new_server):
    """One client, one login, several `asyncio.run`."""
    server = new_server(answer="approve")
    client = server.client(aio.Client)
    login = client.login()
    prompt = run(login.start())
    assert isinstance(run(login.step(0)), cli_auth.Waiting)
    assert isinstance(run(login.poll()), cli_auth.Tokens)
    assert isinstance(run(login.poll()), cli_auth.Tokens)
    assert run(client.login().start()).user_code != prompt.user_code
