"""What calls take: tokens, waits, columns; and what is not made by its name."""

from __future__ import annotations

import asyncio

import pytest
from test_arguments import NO_TIME, SURROGATE, WRONG_TIME, authkit

import cli_auth
from cli_auth import MisuseError, aio


@pytest.mark.parametrize("wrong", [None, 5, b"token", ["a"], True, object()])
def test_tokens_to_refresh_and_revoke(wrong):
    client, aio_client = authkit(), aio.Client.authkit("client_test")
    with pytest.raises(TypeError, match=r"^refresh_token must be Secret or str, not"):
        client.refresh(wrong)
    with pytest.raises(TypeError, match=r"^token must be Secret or str, not"):
        client.revoke(wrong)
    with pytest.raises(TypeError, match=r"^refresh_token must be Secret or str, not"):
        asyncio.run(aio_client.refresh(wrong))
    with pytest.raises(TypeError, match=r"^token must be Secret or str, not"):
        asyncio.run(aio_client.revoke(wrong))
    with pytest.raises(TypeError, match=r"^access_token must be Secret or str, not"):
        client.userinfo(wrong)
    with pytest.raises(TypeError, match=r"^access_token must be Secret or str, not"):
        asyncio.run(aio_client.userinfo(wrong))
    with pytest.raises(TypeError, match=r"^text must be str, not"):
        cli_auth.Secret(wrong)
    with pytest.raises(TypeError, match=r"^text must be str, not"):
        cli_auth.sanitize(wrong)


def test_surrogates_in_texts():
    client = authkit()
    calls = (cli_auth.Secret, cli_auth.sanitize, client.refresh, client.revoke, client.userinfo)
    for call in calls:
        with pytest.raises(MisuseError, match="surrogate"):
            call(SURROGATE)


def test_step(server):
    login, aio_login = server.client().login(), server.client(aio.Client).login()
    steps = [login.step, lambda wait: asyncio.run(aio_login.step(wait))]
    for step in steps:
        for wrong in [*NO_TIME, None]:
            with pytest.raises(TypeError, match=r"^max_wait must be a number of seconds"):
                step(wrong)
        for wrong in WRONG_TIME:
            with pytest.raises(
                MisuseError, match=r"^max_wait must be a number of seconds, 0 or more"
            ):
                step(wrong)
        with pytest.raises(TypeError):
            step()
    assert server.log()["connections"] == []
    for step in steps:
        assert isinstance(step(1e300), cli_auth.Prompt)
        assert isinstance(step(-0.0), cli_auth.Waiting)
    for forever in (10**400, float("inf")):
        assert isinstance(server.client().login().step(forever), cli_auth.Prompt)


def test_poll_before_start(server):
    with pytest.raises(MisuseError, match="start"):
        server.client().login().poll()
    with pytest.raises(MisuseError, match="start"):
        asyncio.run(server.client(aio.Client).login().poll())
    assert server.log()["connections"] == []


def test_what_is_not_made_by_its_name(tokens):
    for kind, hint in [
        (cli_auth.Prompt, r"Login\.start"),
        (cli_auth.Tokens, r"Login\.poll"),
        (cli_auth.Login, r"Client\.login"),
        (aio.Login, r"Client\.login"),
        (cli_auth.Client, r"Client\.authkit"),
        (aio.Client, r"Client\.authkit"),
    ]:
        with pytest.raises(TypeError, match=hint):
            kind()
    for frozen in (tokens, tokens.access_token, authkit(), authkit().login()):
        with pytest.raises(AttributeError):
            frozen.anything = 5
    with pytest.raises(AttributeError):
        tokens.access_token = "another"


def test_prompt_text(server):
    prompt = server.client(product="test-tool/1").login().start()
    plain = prompt.text()
    assert prompt.user_code in plain
    assert "test-tool" in plain
    assert plain.endswith("\n")
    assert max(map(len, prompt.text(columns=60).splitlines())) <= max(
        60, len(prompt.verification_uri_complete) + 4
    )
    assert prompt.text(60) != prompt.text(80) == plain
    assert prompt.text(0) == prompt.text(24)
    assert prompt.user_code in prompt.text_for_stderr()
    for wrong in ["80", 80.0, float("nan"), [80]]:
        with pytest.raises(TypeError, match="columns"):
            prompt.text(wrong)
    assert prompt.text(-1) == prompt.text(-(10**30)) == prompt.text(24)
    assert prompt.text(10**30) == prompt.text(10_000)


def test_no_browser_in_a_ci_job(server, monkeypatch):
    monkeypatch.setenv("CI", "true")
    why = server.client().login().start().open_browser()
    assert isinstance(why, str)
    assert len(why) > 5


def test_sanitize():
    clean = cli_auth.sanitize("a\x1b[31mb\u202ec\x07d")
    assert not {"\x1b", "\u202e", "\x07"} & set(clean)
    assert clean[0] + clean[-1] == "ad"
    assert cli_auth.sanitize(clean) == clean
    assert len(cli_auth.sanitize("a" * 1_000_000)) < 10_000
