"""Mistakes that a type checker has to find: mypy --strict complains of an ignore that is in vain.

It is type-checked, not run.
"""

from __future__ import annotations

import cli_auth
from cli_auth import Client, Event, Login, Prompt, Secret, Tokens, aio


def settings() -> None:
    Client.authkit()  # type: ignore[call-arg]
    Client.authkit(5)  # type: ignore[arg-type]
    Client.authkit("client_123", "https://api.example.com")  # type: ignore[call-arg]
    Client.authkit("client_123", api_base=b"bytes")  # type: ignore[arg-type]
    Client.authkit("client_123", scope="openid")  # type: ignore[call-arg]
    Client.authkit("client_123", params={"a": 5})  # type: ignore[arg-type]
    Client.authkit("client_123", token_params={"a": 5})  # type: ignore[arg-type]
    Client.authkit("client_123", client_auth="basic")  # type: ignore[arg-type]
    Client.authkit("client_123", refresh_params={"a": 5})  # type: ignore[arg-type]
    Client.authkit("client_123", pkce=True)  # type: ignore[arg-type]
    Client.authkit("client_123", verify_id_token="no")  # type: ignore[arg-type]
    Client.authkit("client_123", token_endpoint="")  # type: ignore[call-arg]
    Client.authkit("client_123", login_timeout="5")  # type: ignore[arg-type]
    Client.authkit("client_123", client_secret=b"bytes")  # type: ignore[arg-type]
    Client.for_issuer("https://login.example.com")  # type: ignore[call-arg]
    Client.for_issuer("https://login.example.com", "client_123", api_base="")  # type: ignore[call-arg]


def made_by_hand() -> None:
    Secret()  # type: ignore[call-arg]
    Secret(b"bytes")  # type: ignore[arg-type]
    Tokens("text")  # type: ignore[call-arg]
    Prompt("text")  # type: ignore[call-arg]


def secrets(tokens: Tokens) -> str:
    tokens.access_token = Secret("text")  # type: ignore[misc]
    header = "Bearer " + tokens.access_token  # type: ignore[operator]
    tokens.refresh_token.expose()  # type: ignore[union-attr]
    ",".join([tokens.access_token])  # type: ignore[list-item]
    tokens.nothing  # type: ignore[attr-defined]  # noqa: B018
    tokens.identity.subject  # type: ignore[union-attr]  # noqa: B018
    return header


def show_two(event: Event, more: str) -> None:
    print(event, more)


def logins(client: Client, login: Login) -> None:
    login.poll(show_two)  # type: ignore[arg-type]
    login.poll(5)  # type: ignore[arg-type]
    login.step()  # type: ignore[call-arg]
    login.step("1")  # type: ignore[arg-type]
    login.prompt.text()  # type: ignore[union-attr]
    login.start().text(columns="80")  # type: ignore[arg-type]
    found: Tokens = login.step(1)  # type: ignore[assignment]
    print(found)
    client.refresh(None)  # type: ignore[arg-type]
    client.refresh("text", ["openid"])  # type: ignore[call-arg]
    client.refresh("text", params={"a": 5})  # type: ignore[arg-type]
    client.userinfo(None)  # type: ignore[arg-type]
    client.revoke(b"bytes")  # type: ignore[arg-type]
    nothing = client.revoke("text")  # type: ignore[func-returns-value]
    print(nothing)


async def mixed(client: aio.Client) -> None:
    tokens: Tokens = client.refresh("text")  # type: ignore[assignment]
    blocking: Client = client  # type: ignore[assignment]
    with client.login():  # type: ignore[attr-defined]
        pass
    print(tokens, blocking)


def errors(error: cli_auth.Error) -> None:
    status: int = error.http_status  # type: ignore[assignment]
    print(status, error.nothing)  # type: ignore[attr-defined]
