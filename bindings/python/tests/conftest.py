"""Fixtures: one test server for the session, one virtual server for each test that asks for it."""

from __future__ import annotations

import faulthandler
import os
import pathlib
import secrets
import subprocess

import pytest
from support import PATIENCE, Authserver, Children, Server

import cli_auth


def pytest_configure(config):
    if pathlib.Path(__file__).parents[1] / "src" in pathlib.Path(cli_auth.__file__).parents:
        pytest.exit("the installed package is tested, not the source tree", 3)
    # Before pytest captures it.
    config.stderr = os.fdopen(os.dup(2), "w")


@pytest.fixture(autouse=True)
def never_for_ever(request):
    """A test that hangs ends the run, and says where."""
    faulthandler.dump_traceback_later(900, exit=True, file=request.config.stderr)
    yield
    faulthandler.cancel_dump_traceback_later()


@pytest.fixture(scope="session")
def authserver():
    program = os.environ.get("CLI_AUTH_AUTHSERVER")
    if not program:
        pytest.exit(
            "CLI_AUTH_AUTHSERVER must name the authserver program: cargo build -p authserver", 3
        )
    process = subprocess.Popen(
        [program, "--listen", "127.0.0.1:0", "--control", "--exit-on-eof"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    ready, url = process.stdout.readline().split()
    assert ready == "READY"
    yield Authserver(url)
    process.terminate()
    assert process.wait(PATIENCE) == 0
    process.stdin.close()
    process.stdout.close()


@pytest.fixture
def new_server(authserver):
    """Makes virtual servers: the arguments are the members of `POST /control/servers`."""
    made: list[Server] = []

    def new(**settings) -> Server:
        made.append(authserver.server(**{"interval": 1, **settings}))
        return made[-1]

    yield new
    for server in made:
        server.delete()


@pytest.fixture
def server(new_server) -> Server:
    """A server whose person does nothing until told."""
    return new_server()


@pytest.fixture
def children():
    """Starts Python programs, and ends those that are left."""
    children = Children()
    yield children
    children.end()


@pytest.fixture
def silent(new_server):
    """Makes a server that is silent for good in one phase, or at one endpoint."""

    def new(phase: str, **settings) -> Server:
        hang = {"steps": [{"hang": "before"}], "then": "repeat"}
        if phase == "connect":
            return new_server(tls="handshake_hang", **settings)
        endpoint = {"discovery": "discovery_oauth", "start": "device", "poll": "token"}.get(
            phase, phase
        )
        return new_server(script={endpoint: hang}, **settings)

    return new


@pytest.fixture
def tokens(new_server) -> cli_auth.Tokens:
    """Tokens at once, by a refresh."""
    kinds = {
        name: secrets.token_urlsafe(30)
        for name in ("access_token", "refresh_token", "id_token", "extra")
    }
    server = new_server(
        script={"refresh": [{"json": {"token_type": "Bearer", "expires_in": 60, **kinds}}]}
    )
    return server.client().refresh("the old one")
