"""Runs the Python code of the documents, in the order in which it stands there."""

from __future__ import annotations

import os
import pathlib
import re
import signal

import pytest

import cli_auth
from cli_auth import aio

GUIDE = os.environ.get("CLI_AUTH_DOCS")


def blocks_of(path: pathlib.Path) -> list[str]:
    """The code, with as many empty lines before it as keep the line numbers of the document."""
    text = path.read_text()
    found = re.finditer(r"^```python\n(.*?)^```$", text, re.M | re.S)
    return ["\n" * text.count("\n", 0, m.start(1)) + m.group(1) for m in found]


def block_with(text: str) -> str:
    """The first block of the guide that has this text in it."""
    return next(block for block in blocks_of(pathlib.Path(GUIDE)) if text in block)


@pytest.fixture
def at_the_test_server(new_server, monkeypatch):
    """What the documents say of AuthKit goes to a test server whose person approves."""
    server = new_server(interval=1, answer="approve")
    for client_class in (cli_auth.Client, aio.Client):

        def authkit(client_id, *, make=client_class.authkit, **settings):
            settings.update(api_base=server.url, allow_insecure_loopback=True)
            return make(client_id, **settings)

        monkeypatch.setattr(client_class, "authkit", authkit)
    return server


@pytest.mark.parametrize("name", ["docs/python.md", "README.md", "bindings/python/README.md"])
def test_the_code_runs(name, at_the_test_server, capsys):
    if not GUIDE:
        pytest.exit("CLI_AUTH_DOCS must name docs/python.md", 3)
    path = pathlib.Path(GUIDE).parents[1] / name
    blocks = blocks_of(path)
    assert blocks
    before = signal.getsignal(signal.SIGTERM)
    names: dict[str, object] = {"__name__": "__main__"}
    for block in blocks:
        if "import gevent" in block:
            # Patches the whole process: test_gevent.py runs it as a program of its own.
            continue
        exec(compile(block, str(path), "exec"), names)
    assert signal.getsignal(signal.SIGTERM) is before
    said = capsys.readouterr()
    assert "Logged in as user_" in said.out
    assert "Approve only if you started this login yourself" in said.err
    for word in ("access_token", "refresh_token"):
        secret = getattr(names["tokens"], word).expose()
        assert secret not in said.out + said.err
    # No login of the guide ended otherwise than by an approval.
    assert "Not logged in" not in said.err
    assert "Stopped" not in said.err
    assert len(at_the_test_server.requests("device")) == name.count("docs/") * 6 + 1
