"""Tokens that come when the login is being given up: nobody has them, so they are revoked."""

from __future__ import annotations

import asyncio

import pytest

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

    def step(self, max_wait):
        return self._after(self.native.step(max_wait))

    async def step_async(self, max_wait):
        return self._after(await self.native.step_async(max_wait))


def client_of(client_class, server):
    return client_class.discover(
        server.issuer, "client_test", scopes=["offline_access"], allow_insecure_loopback=True
    )


def test_ctrl_c_when_they_come(new_server):
    server = new_server(answer="approve")
    login = client_of(cli_auth.Client, server).login()
    login.start()
    login._native = Interrupted(login._native, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        login.poll()
    assert len(server.requests("revoke")) == 1


def test_a_task_cancelled_when_they_come(new_server):
    server = new_server(answer="approve")

    async def main():
        login = client_of(aio.Client, server).login()
        await login.start()
        login._native = Interrupted(login._native, asyncio.CancelledError())
        with pytest.raises(asyncio.CancelledError):
            await login.poll()

    asyncio.run(main())
    assert len(server.requests("revoke")) == 1


def test_tokens_that_somebody_has_stay_valid(new_server):
    server = new_server(answer="approve")
    with client_of(cli_auth.Client, server).login() as login:
        login.start()
        tokens = login.poll()
    login.cancel()
    assert login.poll().access_token == tokens.access_token
    assert server.requests("revoke") == []
