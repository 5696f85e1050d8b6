"""Uses every public name, for mypy --strict and pyright. It is type-checked, not run."""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime
from types import ModuleType
from typing import TYPE_CHECKING, Any, Optional, Union

import cli_auth
from cli_auth import (
    ActionRequiredError,
    BusyError,
    CancelledError,
    Client,
    DeniedError,
    Error,
    Event,
    ExpiredError,
    ForkedError,
    Identity,
    IdentityUnverified,
    InternalError,
    InvalidConfigError,
    InvalidResponseError,
    Login,
    LoginRequiredError,
    MisuseError,
    NetworkError,
    Organization,
    Pending,
    Prompt,
    ProxyError,
    RejectedError,
    Resumed,
    Retrying,
    Secret,
    SlowedDown,
    StoreError,
    TlsError,
    Tokens,
    UnsupportedError,
    Waiting,
    aio,
    sanitize,
)

if TYPE_CHECKING:
    from typing_extensions import assert_type

    Step = Union[Prompt, Event, Waiting, Tokens]


def clients() -> list[Client]:
    whole = Client.with_endpoints(
        "https://login.example.com/device",
        "https://login.example.com/token",
        "client_123",
        revocation_endpoint="https://login.example.com/revoke",
        scopes=("openid", "offline_access"),
        params=[("resource", "a"), ("resource", "b")],
        headers={"X-Team": "tools"},
        ca_pem=b"-----BEGIN CERTIFICATE-----",
        proxy="http://proxy.example.com:3128",
        product="my-cli/1.0",
        client_secret=Secret("hunter2"),
        client_auth="client_secret_basic",
        token_params={"audience": "a"},
        refresh_params=[("resource", "a"), ("resource", "b")],
        pkce="always",
        verify_id_token=False,
        connect_timeout=5,
        read_timeout=5.5,
        request_timeout=None,
        login_timeout=120,
        allow_insecure_loopback=False,
    )
    assert_type(whole, Client)
    authkit = Client.authkit(
        "client_123", api_base="https://api.example.com", params={"a": "b"}, ca_pem="PEM"
    )
    workos_connect = Client.workos_connect(
        "acme.authkit.app",
        "client_123",
        scopes=["openid"],
        client_secret="text",
        client_auth="client_secret_post",
    )
    for_issuer = Client.for_issuer(
        "https://login.example.com",
        "client_123",
        device_authorization_endpoint="https://login.example.com/device",
        token_endpoint="https://login.example.com/token",
        revocation_endpoint=None,
        scopes={"openid"},
        headers=[("X-A", "b")],
    )
    return [whole, authkit, workos_connect, for_issuer]


def show(event: Event) -> None:
    if isinstance(event, Pending):
        assert_type(event.next_poll_in, float)
        assert_type(event.expires_in, float)
    elif isinstance(event, SlowedDown):
        assert_type(event.interval, float)
    elif isinstance(event, Retrying):
        assert_type(event.reason, str)
        assert_type(event.attempt, int)
        assert_type(event.retry_in, float)
        assert_type(event.request_id, Optional[str])
    elif isinstance(event, Resumed):
        assert_type(event.suspended_for, float)
    elif isinstance(event, IdentityUnverified):
        assert_type(event.message, str)


def tell(prompt: Prompt) -> None:
    assert_type(prompt.user_code, str)
    assert_type(prompt.verification_uri, str)
    assert_type(prompt.verification_uri_complete, Optional[str])
    assert_type(prompt.expires_in, float)
    assert_type(prompt.host, str)
    assert_type(prompt.product, Optional[str])
    assert_type(prompt.text(), str)
    assert_type(prompt.text(columns=60), str)
    assert_type(prompt.text_for_stderr(), str)
    assert_type(prompt.open_browser(), Optional[str])
    sys.stderr.write(prompt.text())


def use(tokens: Tokens) -> str:
    assert_type(tokens.access_token, Secret)
    assert_type(tokens.refresh_token, Optional[Secret])
    assert_type(tokens.id_token, Optional[Secret])
    assert_type(tokens.token_type, str)
    assert_type(tokens.scopes, Optional[tuple[str, ...]])
    assert_type(tokens.expires_in, Optional[float])
    assert_type(tokens.expires_at, Optional[datetime])
    assert_type(tokens.identity, Optional[Identity])
    if tokens.identity is not None:
        greet(tokens.identity)
    assert_type(tokens.other("user"), Optional[Secret])
    assert_type(tokens.other_names, tuple[str, ...])
    secrets: set[Secret] = {tokens.access_token, Secret("text")}
    assert_type(tokens.access_token in secrets, bool)
    assert_type(tokens.access_token.expose(), str)
    return f"Bearer {tokens.access_token.expose()}"


def greet(user: Identity) -> None:
    assert_type(user.subject, str)
    assert_type(user.email, Optional[str])
    assert_type(user.email_verified, Optional[bool])
    assert_type(user.name, Optional[str])
    assert_type(user.organization_id, Optional[str])
    assert_type(user.claims, dict[str, Any])
    print(sanitize(user.email or user.subject))


def log_in(client: Client) -> Tokens:
    login = client.login()
    assert_type(login, Login)
    assert_type(login.prompt, Optional[Prompt])
    tell(login.start())
    seen: list[Event] = []
    login.poll(seen.append)
    login.poll(lambda event: print(event))
    tokens = login.poll(on_event=show)
    assert_type(tokens, Tokens)
    return tokens


def step_by_step(client: Client) -> Tokens | None:
    with client.login() as login:
        assert_type(login, Login)
        while True:
            found = login.step(max_wait=0.5)
            assert_type(found, "Step")
            if isinstance(found, Prompt):
                tell(found)
            elif isinstance(found, Event):
                show(found)
            elif isinstance(found, Waiting):
                assert_type(found.due_in, float)
                if found.due_in > 60:
                    login.cancel()
            else:
                return found


def explain(error: Error) -> int:
    assert_type(error.kind, str)
    assert_type(error.oauth_error, Optional[str])
    assert_type(error.description, Optional[str])
    assert_type(error.http_status, Optional[int])
    assert_type(error.request_id, Optional[str])
    assert_type(error.retry_after, Optional[float])
    assert_type(error.pending_authentication_token, Optional[Secret])
    assert_type(error.members, dict[str, Secret])
    for organization in error.organizations or []:
        assert_type(organization, Organization)
        print(sanitize(organization.id), sanitize(organization.name))
    print(error, file=sys.stderr)
    return 1


def main(client: Client) -> int:
    try:
        tokens = log_in(client)
        if tokens.refresh_token is not None:
            assert_type(client.refresh(tokens.refresh_token), Tokens)
            client.refresh(tokens.refresh_token.expose())
            subject = tokens.identity.subject if tokens.identity else None
            client.refresh("text", scopes=["a"], params={"b": "c"}, subject=subject)
            assert_type(client.userinfo(tokens.access_token, subject), Identity)
            client.revoke(tokens.refresh_token)
            client.revoke("text")
    except (DeniedError, ExpiredError, CancelledError, ActionRequiredError) as error:
        return explain(error)
    except (
        LoginRequiredError,
        RejectedError,
        UnsupportedError,
        NetworkError,
        TlsError,
        ProxyError,
        InvalidResponseError,
    ) as error:
        return explain(error)
    except (ForkedError, BusyError, InternalError, StoreError) as error:
        return explain(error)
    except (InvalidConfigError, MisuseError) as error:
        as_value_error: ValueError = error
        print(as_value_error)
        return explain(error)
    except Error as error:
        return explain(error)
    return 0


async def show_later(event: Event) -> None:
    await asyncio.sleep(0)
    show(event)


async def main_async() -> None:
    client = aio.Client.authkit("client_123")
    assert_type(client, aio.Client)
    assert_type(aio.Client.for_issuer("https://login.example.com", "client_123"), aio.Client)
    async with client.login() as login:
        assert_type(login, aio.Login)
        tell(await login.start())
        assert_type(login.prompt, Optional[Prompt])
        assert_type(await login.step(1), "Step")
        await login.poll(show)
        await login.poll(on_event=show_later)
        tokens = await asyncio.wait_for(login.poll(), 60)
        assert_type(tokens, Tokens)
        login.cancel()
    task = asyncio.create_task(client.login().poll())
    assert_type(await task, Tokens)
    assert_type(await client.refresh(tokens.access_token), Tokens)
    await client.refresh("text")
    await client.refresh("text", scopes={"a"}, params=[("b", "c")], subject="user_1")
    assert_type(await client.userinfo("text", subject="user_1"), Identity)
    await client.revoke("text")
    await client.revoke(Secret("text"))


def as_in_a_test() -> Error:
    error = ActionRequiredError(
        "choose an organization",
        oauth_error="organization_selection_required",
        description=None,
        detail=None,
        http_status=403,
        request_id="req_1",
        retry_after=1.5,
        organizations=[Organization("org_1", "One")],
        pending_authentication_token=Secret("text"),
        members={"suberror": Secret("text")},
    )
    events: list[Event] = [
        Pending(5.1, 290.0),
        SlowedDown(10.0),
        Retrying("timeout", 1, 5.0),
        Retrying("http_502", 2, 5.0, "req_1"),
        Resumed(60.0),
        IdentityUnverified("the server's keys did not arrive"),
    ]
    greet(Identity("user_1", email="ada@example.com", claims={"groups": ["admin"]}))
    assert_type(events == events, bool)
    assert_type(Waiting(0.0).due_in, float)
    return error


def modules() -> tuple[ModuleType, str]:
    return cli_auth.aio, cli_auth.__version__
