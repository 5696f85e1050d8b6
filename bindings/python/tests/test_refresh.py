"""What a refresh asks for besides new tokens."""

from __future__ import annotations

import asyncio

import pytest
from test_aio import run
from test_arguments import NO_TEXT, SURROGATE, authkit
from test_identity import OPENID, issuer, logged_in

import cli_auth
from cli_auth import InvalidConfigError, aio

PARAMS = [("resource", "https://b.example"), ("resource", "https://c.example"), ("audience", "two")]
SETTINGS = {"refresh_params": {"resource": "https://a.example", "audience": "one", "extra": "x"}}


def sent(request, name):
    return [value for key, value in request["form"] if key == name]


def expect_sent(server):
    """The first refresh had options, the second none."""
    first, second = server.requests("refresh")[:2]
    assert sent(first, "scope") == ["openid email"]
    assert sent(first, "resource") == ["https://b.example", "https://c.example"]
    assert sent(first, "audience") == ["two"]
    assert sent(first, "extra") == ["x"]
    assert sent(second, "scope") == []
    assert sent(second, "resource") == ["https://a.example"]
    assert sent(second, "audience") == ["one"]
    for request in (*server.requests("device"), *server.requests("token")):
        assert sent(request, "audience") == sent(request, "extra") == []


def test_options(new_server):
    server = new_server(answer="approve")
    client = issuer(server, **SETTINGS)
    tokens = logged_in(client)
    subject = tokens.identity.subject
    narrowed = client.refresh(
        tokens.refresh_token, scopes=("openid", "email"), params=PARAMS, subject=subject
    )
    assert narrowed.identity.subject == subject
    again = client.refresh(narrowed.refresh_token)
    expect_sent(server)
    with pytest.raises(cli_auth.InvalidResponseError):
        client.refresh(again.refresh_token, subject="user_other")


def test_options_with_asyncio(new_server):
    server = new_server(answer="approve")
    tokens = logged_in(issuer(server))
    subject = tokens.identity.subject

    async def main():
        client = issuer(server, aio.Client, **SETTINGS)
        narrowed = await client.refresh(
            tokens.refresh_token, scopes=["openid", "email"], params=iter(PARAMS), subject=subject
        )
        again = await client.refresh(narrowed.refresh_token)
        with pytest.raises(cli_auth.InvalidResponseError):
            await client.refresh(again.refresh_token, subject="user_other")

    run(main())
    expect_sent(server)


def test_another_organization_of_authkit(new_server):
    server = new_server(answer="approve", organizations=[{"id": "org_2", "name": "Two"}])
    client = server.client()
    tokens = logged_in(client)
    tokens = client.refresh(tokens.refresh_token, params={"organization_id": "org_2"})
    assert tokens.identity.organization_id == "org_2"


def test_the_scopes_of_the_client_are_those_of_a_login(new_server):
    server = new_server(answer="approve")
    client = server.client(scopes=OPENID)
    client.refresh(logged_in(client).refresh_token)
    assert sent(server.requests("refresh")[0], "scope") == []


@pytest.mark.parametrize("client", [authkit(), aio.Client.authkit("client_test")])
def test_wrong_options(client):
    def refresh(*args, **options):
        result = client.refresh(*args, **options)
        return asyncio.run(result) if isinstance(client, aio.Client) else result

    with pytest.raises(TypeError, match=r"^scopes must be several strings, not one"):
        refresh("a token", scopes="openid email")
    for wrong in [None, 5, True]:
        with pytest.raises(TypeError, match="scopes"):
            refresh("a token", scopes=wrong)
    with pytest.raises(TypeError, match=r"scopes.* must be str"):
        refresh("a token", scopes=[5])
    for wrong in [5, "a=b", ["ab"], [("a",)]]:
        with pytest.raises(TypeError, match=r"^params must be"):
            refresh("a token", params=wrong)
    with pytest.raises(TypeError, match="in params must be str"):
        refresh("a token", params={"a": 5})
    for wrong in NO_TEXT:
        if wrong is not None:
            with pytest.raises(TypeError, match=r"^subject must be str, not"):
                refresh("a token", subject=wrong)
    for options in [
        {"scopes": [SURROGATE]},
        {"params": {"a": SURROGATE}},
        {"subject": SURROGATE},
    ]:
        with pytest.raises(cli_auth.MisuseError, match="surrogate"):
            refresh("a token", **options)
    with pytest.raises(TypeError, match="positional"):
        refresh("a token", ["openid"])
    with pytest.raises(TypeError, match="scope"):
        refresh("a token", scope="openid")
    for options in [
        {"scopes": ["two words"]},
        {"params": {"refresh_token": "x"}},
        {"params": {"scope": "x"}},
        {"params": {"audience": ""}},
        {"params": [("audience", "x"), ("audience", "y")]},
    ]:
        with pytest.raises(InvalidConfigError):
            refresh("a token", **options)
