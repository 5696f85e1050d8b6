"""asyncio: the same names, awaited; cancelling the task cancels the login."""

from __future__ import annotations

import asyncio
import sys
import threading
import time

import pytest
from support import PATIENCE, SOON

import cli_auth
from cli_auth import BusyError, aio


def run(coroutine):
    """As asyncio.run, but never for ever."""

    async def bounded():
        return await asyncio.wait_for(coroutine, 2 * PATIENCE)

    return asyncio.run(bounded())


async def arrive(server, endpoint):
    """Until a request has arrived there, while the loop goes on."""
    await asyncio.get_running_loop().run_in_executor(None, server.wait_for, endpoint)


def test_a_login(new_server):
    server = new_server(answer="approve", answer_after_polls=1)

    async def main():
        async with server.client(aio.Client).login() as login:
            assert login.prompt is None
            prompt = await login.start()
            assert (await login.start()).user_code == prompt.user_code == login.prompt.user_code
            assert isinstance(await login.step(0), cli_auth.Waiting)
            events = []
            tokens = await login.poll(events.append)
            assert [type(event) for event in events] == [cli_auth.Pending]
        assert (await login.poll()).access_token == tokens.access_token
        return tokens

    tokens = run(main())
    assert isinstance(tokens, cli_auth.Tokens)
    assert tokens.identity.subject.startswith("user_")
    assert len(server.requests("token")) == 2


def test_refresh_and_revoke(new_server):
    server = new_server(
        script={"refresh": [{"json": {"access_token": "x" * 30, "token_type": "Bearer"}}]}
    )
    client = aio.Client.for_issuer(server.issuer, "client_test", allow_insecure_loopback=True)

    async def main():
        tokens = await client.refresh(cli_auth.Secret("the old one"))
        assert await client.revoke("the old one") is None
        return tokens

    tokens = run(main())
    assert tokens.access_token.expose() == "x" * 30
    # The server sent no new one: the old one stays.
    assert tokens.refresh_token.expose() == "the old one"
    assert dict(server.requests("revoke")[0]["form"])["token"] == "the old one"


def test_errors_are_those_of_the_package(new_server):
    server = new_server(script={"device": ["invalid_client"], "refresh": ["invalid_grant"]})
    client = server.client(aio.Client)

    async def main():
        with pytest.raises(cli_auth.RejectedError) as caught:
            await client.login().start()
        assert caught.value.oauth_error == "invalid_client"
        assert caught.value.__cause__ is None
        with pytest.raises(cli_auth.LoginRequiredError):
            await client.refresh("a token")
        with pytest.raises(cli_auth.UnsupportedError):
            await client.revoke("a token")
        server.listening(False)
        with pytest.raises(cli_auth.NetworkError):
            await client.refresh("a token")

    run(main())


@pytest.mark.parametrize("wrong", [5, "print", []])
def test_a_callback_that_cannot_be_called(wrong, server):
    async def main():
        login = server.client(aio.Client).login()
        await login.start()
        with pytest.raises(TypeError, match="on_event must be callable"):
            await login.poll(wrong)
        assert isinstance(await login.step(0), cli_auth.Waiting)

    run(main())


@pytest.mark.parametrize("is_async", [False, True])
def test_a_callback_that_raises(is_async, server):
    raised = ValueError("mine")

    def on_event(event):
        raise raised

    async def on_event_async(event):
        await asyncio.sleep(0.01)
        raise raised

    async def main():
        login = server.client(aio.Client).login()
        await login.start()
        with pytest.raises(ValueError, match="mine") as caught:
            await login.poll(on_event_async if is_async else on_event)
        assert caught.value is raised
        server.answer("approve")
        return await login.poll()

    assert isinstance(run(main()), cli_auth.Tokens)
    assert len(server.requests("token")) == 2


def test_an_asynchronous_callback_is_awaited(new_server):
    server = new_server(answer="approve", answer_after_polls=1)
    told = []

    async def on_event(event):
        await asyncio.sleep(0.01)
        told.append(event)

    async def main():
        login = server.client(aio.Client).login()
        await login.start()
        await login.poll(on_event)
        assert len(told) == 1

    run(main())


def test_a_callback_that_is_interrupted_cancels(server):
    async def main():
        login = server.client(aio.Client).login()
        await login.start()
        never = asyncio.Event()
        told = asyncio.Event()

        async def on_event(event):
            told.set()
            await never.wait()

        task = asyncio.ensure_future(login.poll(on_event))
        await told.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(cli_auth.CancelledError):
            await login.step(0)

    run(main())


def test_two_tasks_and_one_login(new_server):
    server = new_server(interval=600, expires_in=3000)

    async def main():
        login = server.client(aio.Client).login()
        await login.start()
        first = asyncio.ensure_future(login.poll())
        await asyncio.sleep(0.05)
        for second in (login.start, login.poll, lambda: login.step(0)):
            with pytest.raises(BusyError):
                await second()
        assert not first.done()
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first

    run(main())


@pytest.mark.parametrize("is_async", [False, True])
def test_the_login_is_busy_while_the_callback_runs(is_async, server):
    """For the callback itself and for other tasks; `poll` goes on to its tokens."""
    refused = []

    async def main():
        login = server.client(aio.Client).login()
        await login.start()

        async def drive_it():
            for drive in (login.start, login.poll, lambda: login.step(0)):
                try:
                    await drive()
                except cli_auth.Error as error:
                    refused.append(type(error))

        async def on_event_async(event):
            await drive_it()
            await asyncio.ensure_future(drive_it())
            server.answer("approve")

        def on_event(event):
            # Without a loop: what is refused does not wait.
            for drive in (login.start(), login.poll(), login.step(0)):
                with pytest.raises(BusyError) as caught:
                    drive.send(None)
                refused.append(caught.type)
            server.answer("approve")

        return await login.poll(on_event_async if is_async else on_event)

    assert isinstance(run(main()), cli_auth.Tokens)
    assert refused == [BusyError] * (6 if is_async else 3)
    assert len(server.requests("token")) == 2


def test_the_loop_goes_on(silent):
    """Nothing here blocks the loop."""
    server = silent("start")

    async def main():
        task = asyncio.ensure_future(server.client(aio.Client).login().start())
        longest, last = 0.0, time.monotonic()
        while last < begun + 0.5:
            await asyncio.sleep(0.001)
            now = time.monotonic()
            longest, last = max(longest, now - last), now
        assert not task.done()
        task.cancel()
        return longest

    begun = time.monotonic()
    assert run(main()) < SOON


def test_a_login_driven_by_both_sides_is_two_logins(new_server):
    """The two clients have nothing to do with each other."""
    assert not issubclass(aio.Client, cli_auth.Client)
    assert not issubclass(aio.Login, cli_auth.Login)
    assert not isinstance(new_server().client(aio.Client).login(), cli_auth.Login)


def test_cancel_from_another_thread(new_server):
    server = new_server(interval=600, expires_in=3000)

    async def main():
        login = server.client(aio.Client).login()
        await login.start()
        threading.Timer(0.1, login.cancel).start()
        begun = time.monotonic()
        with pytest.raises(cli_auth.CancelledError):
            await login.poll()
        assert time.monotonic() - begun < 0.1 + SOON

    run(main())


# What they test came with Python 3.11.
if sys.version_info >= (3, 11):

    def test_in_a_task_group(new_server):
        server = new_server(interval=600, expires_in=3000)

        async def main():
            client = server.client(aio.Client)
            logins = [client.login() for _ in range(3)]

            async def log_in(login):
                await login.start()
                await login.poll()

            async def fail():
                await asyncio.sleep(0.2)
                raise ValueError("mine")

            async def all_of_them():
                async with asyncio.TaskGroup() as group:
                    for login in logins:
                        group.create_task(log_in(login))
                    group.create_task(fail())

            with pytest.raises(BaseExceptionGroup) as caught:  # noqa: F821
                await all_of_them()
            assert [str(error) for error in caught.value.exceptions] == ["mine"]
            for login in logins:
                with pytest.raises(cli_auth.CancelledError):
                    await login.step(0)

        run(main())
