"""Who logged in: AuthKit's user, the verified ID token, userinfo."""

from __future__ import annotations

import asyncio
import copy
import pickle

import pytest
from test_aio import run
from test_arguments import NO_TEXT, SURROGATE, authkit

import cli_auth
from cli_auth import Identity, aio

OPENID = ["openid", "email", "profile", "offline_access"]
NO_KEYS = {"jwks": {"steps": [{"status": 503}], "then": "repeat"}}


def logged_in(client, on_event=None):
    login = client.login()
    login.start()
    return login.poll(on_event)


def issuer(server, client_class=cli_auth.Client, **settings):
    settings = {"scopes": OPENID, "allow_insecure_loopback": True, **settings}
    return client_class.for_issuer(server.issuer, "client_test", **settings)


def test_the_user_of_authkit(new_server):
    answer = {"decision": "approve", "organization_id": "org_1"}
    server = new_server(answer=answer, organizations=[{"id": "org_1", "name": "One"}])
    user = logged_in(server.client()).identity
    assert user.subject.startswith("user_")
    assert (user.email, user.email_verified) == ("ada@example.test", True)
    assert (user.name, user.organization_id) == ("Ada Example", "org_1")
    assert user.claims["first_name"] == "Ada"
    assert user.claims["metadata"] == {}
    assert user.claims["locale"] is None
    assert list(user.claims) == sorted(user.claims)


@pytest.mark.parametrize("kind", ["issuer", "connect"])
def test_the_user_of_an_id_token(kind, new_server):
    server = new_server(answer="approve")
    client = issuer(server) if kind == "issuer" else server.client(scopes=OPENID)
    tokens = logged_in(client)
    user = tokens.identity
    assert user.subject.startswith("user_")
    assert (user.email, user.email_verified) == ("ada@example.test", True)
    assert (user.name, user.organization_id) == ("Ada Example", None)
    assert user.claims["sub"] == user.subject
    assert user.claims["iss"] == server.issuer
    assert user.claims["aud"] == "client_test"
    assert isinstance(user.claims["exp"], int)
    assert len(server.requests("jwks")) == 1
    assert client.refresh(tokens.refresh_token).identity.subject == user.subject


def test_only_what_the_scopes_ask_for(new_server):
    user = logged_in(issuer(new_server(answer="approve"), scopes=["openid"])).identity
    assert user.subject.startswith("user_")
    assert (user.email, user.email_verified, user.name) == (None, None, None)


def test_claims_of_every_type(new_server):
    claims = {
        "groups": ["admin", "ops"],
        "address": {"country": "GB"},
        "level": 1.5,
        "vip": False,
        "org_id": "org_2",
        "email_verified": "false",
    }
    server = new_server(answer="approve", id_token={"claims": claims})
    user = logged_in(issuer(server)).identity
    assert {name: user.claims[name] for name in claims} == claims
    assert (user.organization_id, user.email_verified) == ("org_2", False)


def test_claims_that_python_cannot_represent_are_left_out(new_server):
    wrong = f'"number":{"1" * 5000},"surrogate":"\\ud800","list":["a\\udfff"]'
    server = new_server(answer="approve", id_token={"claims_start": wrong})
    user = logged_in(issuer(server)).identity
    assert user.claims["sub"] == user.subject
    # Versions of Python that limit the digits of a number leave out "number" too.
    assert {"surrogate", "list"}.isdisjoint(user.claims)


def test_an_invalid_id_token_ends_the_login(new_server):
    server = new_server(answer="approve", id_token={"signature": "bad"})
    with pytest.raises(cli_auth.InvalidResponseError, match="signature"):
        logged_in(issuer(server))


def test_not_verified_on_request(new_server):
    server = new_server(answer="approve", id_token={"signature": "bad"})
    for client in (
        issuer(server, verify_id_token=False),
        server.client(scopes=OPENID, verify_id_token=False),
    ):
        tokens = logged_in(client)
        assert tokens.id_token is not None
        assert tokens.identity is None
        assert "identity=None" in repr(tokens)
    assert server.requests("jwks") == []


def test_explicit_endpoints_have_no_identity(new_server):
    server = new_server(answer="approve")
    client = cli_auth.Client.with_endpoints(
        f"{server.url}/oauth2/device_authorization",
        f"{server.url}/oauth2/token",
        "client_test",
        scopes=["openid"],
        allow_insecure_loopback=True,
    )
    tokens = logged_in(client)
    assert tokens.id_token is not None
    assert tokens.identity is None
    with pytest.raises(cli_auth.UnsupportedError):
        client.userinfo(tokens.access_token)


def expect_unverified(events, tokens):
    (event,) = [event for event in events if not isinstance(event, cli_auth.Pending)]
    assert isinstance(event, cli_auth.IdentityUnverified)
    assert "HTTP 503" in event.message
    assert event == cli_auth.IdentityUnverified(event.message)
    assert repr(event) == f"IdentityUnverified(message={event.message!r})"
    assert tokens.id_token is not None
    assert tokens.identity is None


def test_without_keys_an_event_comes_before_the_tokens(new_server):
    events = []
    tokens = logged_in(issuer(new_server(answer="approve", script=NO_KEYS)), events.append)
    expect_unverified(events, tokens)


def test_endpoints_that_the_metadata_lacks(new_server):
    lacking = {"remove": ["device_authorization_endpoint", "revocation_endpoint"]}
    lacking = {"steps": [lacking], "then": "repeat"}
    server = new_server(
        answer="approve", script={"discovery_oauth": lacking, "discovery_oidc": lacking}
    )
    with pytest.raises(cli_auth.UnsupportedError):
        issuer(server).login().start()
    client = issuer(
        server,
        device_authorization_endpoint=f"{server.url}/oauth2/device_authorization",
        token_endpoint=f"{server.url}/oauth2/token",
        revocation_endpoint=f"{server.url}/oauth2/revoke",
    )
    tokens = logged_in(client)
    assert tokens.identity is not None
    client.revoke(tokens.refresh_token)
    assert len(server.requests("revoke")) == 1


def test_named_endpoints_take_precedence(new_server):
    server = new_server()
    client = issuer(server, device_authorization_endpoint=f"{server.url}/elsewhere")
    with pytest.raises(cli_auth.Error):
        client.login().start()
    assert [request["path"] for request in server.requests("other")] == ["/elsewhere"]
    assert server.requests("device") == []


def test_userinfo(new_server):
    server = new_server(answer="approve")
    client = issuer(server)
    tokens = logged_in(client)
    subject = tokens.identity.subject
    for user in (
        client.userinfo(tokens.access_token, subject),
        client.userinfo(tokens.access_token.expose(), subject=subject),
        client.userinfo(tokens.access_token),
    ):
        assert isinstance(user, Identity)
        assert (user.subject, user.email) == (subject, "ada@example.test")
        assert user.claims["name"] == user.name == "Ada Example"
        assert repr(user) == f"Identity(subject={subject!r})"
    with pytest.raises(cli_auth.InvalidResponseError, match="another user"):
        client.userinfo(tokens.access_token, "user_other")
    with pytest.raises(cli_auth.RejectedError) as caught:
        client.userinfo("never-seen")
    assert caught.value.http_status == 401
    for request in server.requests("userinfo"):
        assert (request["method"], request["violations"]) == ("GET", [])


def test_userinfo_with_asyncio(new_server):
    server = new_server(answer="approve", script=NO_KEYS)
    client = issuer(server, aio.Client)

    async def main():
        login = client.login()
        await login.start()
        events = []
        tokens = await login.poll(events.append)
        expect_unverified(events, tokens)
        user = await client.userinfo(tokens.access_token)
        assert isinstance(user, Identity)
        again = await client.userinfo(tokens.access_token.expose(), subject=user.subject)
        assert again == user
        with pytest.raises(cli_auth.InvalidResponseError, match="another user"):
            await client.userinfo(tokens.access_token, "user_other")

    run(main())


def test_cancelling_userinfo_with_asyncio(silent):
    server = silent("userinfo")
    client = server.client(aio.Client, scopes=["openid"])

    async def main():
        task = asyncio.create_task(client.userinfo("a-token"))
        await asyncio.get_running_loop().run_in_executor(None, server.wait_for, "userinfo")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(main())


def test_ctrl_c_ends_userinfo(silent, children):
    server = silent("userinfo")
    program = """
client = cli_auth.Client.workos_connect(
    sys.argv[1], "client_test", allow_insecure_loopback=True, **PATIENT
)
try:
    client.userinfo("a-token")
except KeyboardInterrupt:
    say("interrupted")
"""
    child = children(program, server.url)
    server.wait_for("userinfo")
    child.interrupt()
    assert child.succeed() == "interrupted\n"


def test_authkit_has_no_userinfo(server):
    with pytest.raises(cli_auth.UnsupportedError, match="userinfo"):
        server.client().userinfo("a-token")


@pytest.mark.parametrize("client", [authkit(), aio.Client.authkit("client_test")])
def test_wrong_arguments_of_userinfo(client):
    def userinfo(*args):
        result = client.userinfo(*args)
        return asyncio.run(result) if isinstance(client, aio.Client) else result

    for wrong in [None, 5, b"token", ["a"]]:
        with pytest.raises(TypeError, match=r"^access_token must be Secret or str, not"):
            userinfo(wrong)
    for wrong in NO_TEXT:
        if wrong is not None:
            with pytest.raises(TypeError, match=r"^subject must be str, not"):
                userinfo("a-token", wrong)
    with pytest.raises(cli_auth.MisuseError, match=r"^subject .*surrogate"):
        userinfo("a-token", SURROGATE)
    for wrong in ["", "two\r\nlines"]:
        with pytest.raises(cli_auth.InvalidConfigError, match="access token"):
            userinfo(wrong)


def test_what_an_identity_prints(new_server):
    tokens = logged_in(issuer(new_server(answer="approve")))
    user = tokens.identity
    printed = f"{user} {user!r} {[user]} {tokens} {tokens!r}"
    assert user.subject in printed
    for personal in ("ada@", "Ada", "Example"):
        assert personal not in printed


def test_an_identity_as_a_value(new_server):
    """Equal by all members, and like the one that a user's test makes."""
    user = logged_in(issuer(new_server(answer="approve"))).identity
    made = Identity(
        user.subject,
        email="ada@example.test",
        email_verified=True,
        name="Ada Example",
        claims=user.claims,
    )
    assert made == user
    assert hash(made) == hash(user)
    assert made != Identity(user.subject)
    assert Identity("user_1") == Identity("user_1", None, None, None, None, {})
    assert Identity("user_1").claims == {}
    for copied in (copy.copy(user), copy.deepcopy(user), pickle.loads(pickle.dumps(user))):
        assert copied == user
        assert copied.claims == user.claims
