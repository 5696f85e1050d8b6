"""Tokens that come when the login is being given up: no call returned them, so they are revoked."""

from __future__ import annotations

import asyncio
import time

import pytest
from support import wait_until
from test_aio import run

import cli_auth
from cli_auth import aio


class Interrupted:
    """The library, with the program interrupted right after the step that brought the tokens."""

    def __init__(self, native, error):
        self.native = native
        self.error = error

    def __getattr__(self, name):
        return getattr(self.native, name)

    def _after(self, step):
        if type(step).__name__.endswith("AUTHORIZED") and self.error is not None:
            error, self.error = self.error, None
            raise error
        return step

    def step(self, number, max_wait):
        return self._after(self.native.step(number, max_wait))

    async def step_async(self, number, max_wait):
        return self._after(await self.native.step_async(number, max_wait))


def client_of(client_class, server):
    return client_class.for_issuer(
        server.issuer, "client_test", scopes=["offline_access"], allow_insecure_loopback=True
    )


def expect_revoked_once(server):
    """The refresh token of the one grant there was."""
    # The server records a response after it has sent it.
    for endpoint in ("token", "revoke"):
        wait_until(lambda endpoint=endpoint: server.requests(endpoint)[-1]["replied"] is not None)
        assert server.requests(endpoint)[-1]["status"] == 200
    assert len(server.requests("revoke")) == 1


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("drive", [cli_auth.Login.poll, lambda login: login.step(30)])
def test_ctrl_c_when_they_come(drive, error, new_server):
    server = new_server(answer="approve")
    login = client_of(cli_auth.Client, server).login()
    login.start()
    login._native = Interrupted(login._native, error())
    with pytest.raises(error):
        drive(login)
    expect_revoked_once(server)
    for _ in range(2):
        with pytest.raises(cli_auth.CancelledError):
            login.poll()
    expect_revoked_once(server)


@pytest.mark.parametrize("error", [asyncio.CancelledError, KeyboardInterrupt])
def test_a_task_that_is_ended_when_they_come(error, new_server):
    server = new_server(answer="approve")
    login = client_of(aio.Client, server).login()

    async def main():
        await login.start()
        login._native = Interrupted(login._native, error())
        await login.poll()

    with pytest.raises(error):
        asyncio.run(main())
    expect_revoked_once(server)
    for _ in range(2):
        with pytest.raises(cli_auth.CancelledError):
            run(login.poll())
    expect_revoked_once(server)


# Time to stop stepping between the request and its response.
GRANTING_SLOWLY = {"token": {"steps": [{"delay": 0.5}], "then": "repeat"}}


def tokens_arrive_unread(server, login):
    """Whether the server's tokens came while no call drove the login."""
    login.start()
    before = len(server.requests("token"))
    while len(server.requests("token")) == before:
        if not isinstance(login.step(0), cli_auth.Waiting):
            return False
        time.sleep(0.01)
    wait_until(lambda: server.requests("token")[-1]["status"] == 200)
    time.sleep(0.7)
    return True


def cancel_and_step(login):
    login.cancel()
    with pytest.raises(cli_auth.CancelledError):
        login.step(0)


def leave_the_block(login):
    with login:
        pass


@pytest.mark.parametrize("end", [cancel_and_step, leave_the_block])
def test_tokens_that_have_arrived_when_it_is_cancelled(end, new_server):
    server = new_server(answer="approve", script=GRANTING_SLOWLY)
    client = client_of(cli_auth.Client, server)
    login = client.login()
    # On a busy machine a step may see them.
    while not tokens_arrive_unread(server, login):
        login = client.login()
    end(login)
    expect_revoked_once(server)
    with pytest.raises(cli_auth.CancelledError):
        login.poll()


def test_tokens_that_have_arrived_at_the_end_of_an_asynchronous_block(new_server):
    server = new_server(answer="approve", script=GRANTING_SLOWLY)

    async def main():
        for _ in range(10):
            async with client_of(aio.Client, server).login() as login:
                await login.start()
                while isinstance(found := await login.step(0), cli_auth.Waiting):
                    if found.due_in == 0:
                        break
                    await asyncio.sleep(0.01)
                # The library's thread reads them meanwhile, unless the machine is too busy.
                await asyncio.sleep(1.5)
            if server.requests("revoke"):
                return login
        return None

    login = asyncio.run(main())
    expect_revoked_once(server)
    with pytest.raises(cli_auth.CancelledError):
        asyncio.run(login.poll())


def test_returned_tokens_stay_valid(new_server):
    server = new_server(answer="approve")
    with client_of(cli_auth.Client, server).login() as login:
        login.start()
        tokens = login.poll()
    login.cancel()
    assert login.poll().access_token == tokens.access_token
    assert server.requests("revoke") == []


def test_tokens_that_a_task_returned_stay_valid(new_server):
    server = new_server(answer="approve")

    async def main():
        async with client_of(aio.Client, server).login() as login:
            await login.start()
            tokens = await login.poll()
        login.cancel()
        assert (await login.poll()).access_token == tokens.access_token

    run(main())
    assert server.requests("revoke") == []
