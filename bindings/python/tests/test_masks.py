"""No secret gets out by accident."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import io
import json
import logging
import pickle
import pprint
import reprlib
import string
import traceback
import weakref

import pytest

import cli_auth
from cli_auth import Secret, aio

HIDDEN = "hunter2-TOP-secret"
PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


@dataclasses.dataclass
class Session:
    """What a user's program may well hold."""

    tokens: cli_auth.Tokens
    secret: Secret


def exposed(tokens):
    found = [tokens.access_token, tokens.refresh_token, tokens.id_token, tokens.other("extra")]
    return [secret.expose() for secret in found]


def never_in(text, tokens):
    for secret in [*exposed(tokens), HIDDEN]:
        assert len(secret) > 10
        assert secret not in text, text
        # Nor a part of it that is worth anything.
        assert secret[-12:] not in text, text


@pytest.fixture
def held(tokens):
    """Everything that holds a secret."""
    secret = Secret(HIDDEN)
    error = cli_auth.ActionRequiredError(
        "choose", pending_authentication_token=secret, members={"any": secret}
    )
    return [
        tokens,
        tokens.access_token,
        tokens.refresh_token,
        tokens.id_token,
        secret,
        Session(tokens, secret),
        error,
        [tokens, secret],
        {"tokens": tokens},
        cli_auth.Client.authkit("client_test", client_secret=HIDDEN),
        cli_auth.Client.authkit("client_test", client_secret=secret).login(),
        aio.Client.authkit("client_test", client_secret=secret),
        aio.Client.authkit("client_test", client_secret=secret).login(),
    ]


def test_the_only_way_out(tokens):
    assert Secret(HIDDEN).expose() == HIDDEN
    assert len({text for text in exposed(tokens) if len(text) >= 40}) == 4


def test_everything_that_prints(held, tokens):
    out = io.StringIO()
    logger = logging.getLogger("test_masks")
    logger.propagate = False
    logger.addHandler(logging.StreamHandler(out))
    template = string.Template("$it")
    for it in held:
        print(
            it,
            repr(it),
            str(it),
            ascii(it),
            f"{it}",
            f"{it!r}",
            f"{it!s:>80}",
            "%s %r" % (it, it),  # noqa: UP031
            file=out,
        )
        print(template.substitute(it=it), format(it), "{} {!r}".format(*[it] * 2), file=out)
        pprint.pprint(it, out)
        print(reprlib.Repr().repr(it), pprint.saferepr(it), file=out)
        logger.error("%s %r", it, it)
        logger.error(it)
    logger.handlers.clear()
    text = out.getvalue()
    assert text.count("****") > 100
    never_in(text, tokens)


def test_formats_of_a_secret():
    secret = Secret(HIDDEN)
    assert str(secret) == f"{secret}" == "%s" % secret == "****"  # noqa: UP031
    assert repr(secret) == "Secret(****)"
    assert f"{secret:>8}" == "    ****"
    assert f"{secret:.1}" == "*"
    with pytest.raises(ValueError, match="format"):
        f"{secret:d}"
    with pytest.raises(TypeError):
        "Bearer " + secret
    with pytest.raises(TypeError):
        len(secret)
    with pytest.raises(TypeError):
        bytes(secret)
    with pytest.raises(TypeError):
        "".join([secret])
    with pytest.raises(TypeError):
        iter(secret)


def test_everything_that_looks_inside(held, tokens):
    seen = []
    for it in held:
        seen += [repr(dir(it)), repr(getattr(it, "__dict__", None))]
        seen += [repr(value) for _, value in inspect.getmembers(it)]
        for slots in [getattr(kind, "__slots__", ()) for kind in type(it).__mro__]:
            for slot in [slots] if isinstance(slots, str) else slots:
                value = getattr(it, slot, None)
                seen += [repr(value), str(value), repr(getattr(value, "__dict__", None))]
                seen += [repr(member) for _, member in inspect.getmembers(value)]
    assert "****" in repr(seen)
    never_in("\n".join(seen), tokens)


def test_vars_of_a_secret():
    for it in (
        Secret(HIDDEN),
        cli_auth.Client.authkit("client_test"),
        cli_auth.Client.authkit("client_test").login(),
    ):
        with pytest.raises(TypeError):
            vars(it)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_nothing_is_pickled(held, protocol):
    for it in held:
        if isinstance(it, cli_auth.Error):
            continue
        with pytest.raises(TypeError, match="cannot pickle"):
            pickle.dumps(it, protocol)


def test_nothing_becomes_json(held):
    for it in held:
        with pytest.raises(TypeError):
            json.dumps(it)


def test_a_copy_is_the_same(tokens):
    for it in (tokens, tokens.access_token, Secret(HIDDEN)):
        assert copy.copy(it) is it
        assert copy.deepcopy(it) is it
    deep = copy.deepcopy({"tokens": [tokens]})
    assert deep["tokens"][0] is tokens


def test_a_client_and_a_login_are_not_copied():
    client = cli_auth.Client.authkit("client_test")
    for it in (
        client,
        client.login(),
        aio.Client.authkit("client_test"),
        aio.Client.authkit("client_test").login(),
    ):
        for copied in (copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match="cannot pickle or copy"):
                copied(it)


def test_dataclasses(tokens):
    session = Session(tokens, Secret(HIDDEN))
    as_dict, as_tuple = dataclasses.asdict(session), dataclasses.astuple(session)
    replaced = dataclasses.replace(session, secret=Secret("another-" + HIDDEN))
    assert as_dict["secret"].expose() == HIDDEN
    assert as_tuple[0].access_token == tokens.access_token
    never_in(f"{session} {as_dict} {as_tuple} {replaced}", tokens)


def test_equality_and_hash():
    assert Secret(HIDDEN) == Secret(HIDDEN)
    assert Secret(HIDDEN) != Secret(HIDDEN + "x")
    assert Secret(HIDDEN) != HIDDEN
    assert Secret(HIDDEN) != HIDDEN
    assert len({Secret(HIDDEN), Secret(HIDDEN), Secret("")}) == 2


def test_weak_references(tokens):
    for it in (tokens, tokens.access_token, Secret(HIDDEN), cli_auth.Client.authkit("client_test")):
        assert HIDDEN not in repr(weakref.ref(it))
    client = cli_auth.Client.authkit("client_test")
    login = client.login()
    gone = [weakref.ref(client), weakref.ref(login), weakref.ref(Secret(HIDDEN))]
    del client, login
    assert [ref() for ref in gone] == [None, None, None]


def test_tracebacks_with_the_local_variables(new_server, tokens):
    """What error reporters send home: every frame's variables."""
    server = new_server(script={"refresh": ["invalid_grant"], "device": ["invalid_client"]})
    client = server.client(client_secret=Secret(HIDDEN), scopes=["openid"])
    login = client.login()
    failing = [
        lambda: client.refresh(tokens.refresh_token),
        lambda: client.revoke(Secret(HIDDEN)),
        lambda: client.userinfo(tokens.access_token),
        login.start,
    ]
    for fails in failing:
        with pytest.raises(cli_auth.Error) as caught:
            fails()
        report = "".join(
            traceback.TracebackException.from_exception(caught.value, capture_locals=True).format()
        )
        assert "_client.py" in report or "_login.py" in report
        never_in(report, tokens)


def test_python_holds_no_secret_before_it_is_exposed(new_server, children):
    """Walks all that the garbage collector knows for the texts of the server."""
    grant = {"access_token": "at", "refresh_token": "rt", "id_token": "it", "extra": "ex"}
    grant = {name: f"{text}-{'-'.join('hidden')}" for name, text in grant.items()}
    step_up = {
        "status": 403,
        "json": {"code": "mfa_enrollment", "pending_authentication_token": "pt-h-i-d-d-e-n"},
    }
    grant = {"json": {"token_type": "Bearer", "expires_in": 60, **grant}}
    server = new_server(script={"refresh": [grant, step_up]})
    program = """
import gc
client = client_of()
tokens = client.refresh("whatever")
secrets = [tokens.access_token, tokens.refresh_token, tokens.id_token, tokens.other("extra")]
try:
    client.refresh(tokens.refresh_token)
except cli_auth.ActionRequiredError as raised:
    error = raised
assert error.pending_authentication_token is not None
assert "pending_authentication_token" in error.members
print(tokens, error, secrets, vars(error), repr(dir(tokens)))

def texts():
    for it in gc.get_objects():
        try:
            if isinstance(it, dict):
                members = it.items()
            else:
                members = it if isinstance(it, (list, tuple, set)) else ()
            for member in list(members):
                for part in member if isinstance(member, tuple) else (member,):
                    if isinstance(part, (str, bytes)):
                        yield part if isinstance(part, str) else part.decode("latin-1")
        except Exception:
            pass

marker = "-".join("hidden")
found = [text for text in texts() if text.endswith(marker) and text != marker]
assert not found, found
shown = [secret.expose() for secret in secrets]
found = {text for text in texts() if text.strip('"').endswith(marker) and text != marker}
assert len(found) == 4, found
"""
    out = children(program, server.url).succeed()
    assert "-".join("hidden") not in out


def test_server_texts_with_a_secret_in_them(new_server):
    """A server that echoes the token in its error."""
    echo = {"error": "invalid_grant", "error_description": f"the token {HIDDEN} is used"}
    server = new_server(script={"refresh": [{"status": 400, "json": echo}]})
    with pytest.raises(cli_auth.LoginRequiredError) as caught:
        server.client().refresh(HIDDEN)
    error = caught.value
    assert HIDDEN not in f"{error} {error!r} {vars(error)} {pickle.dumps(error)}"


def test_the_names_of_other_members_are_no_secret(new_server):
    json_grant = {"access_token": "x" * 20, "token_type": "Bearer", "session": {"key": HIDDEN}}
    server = new_server(script={"refresh": [{"json": json_grant}]})
    tokens = server.client().refresh("old")
    assert tokens.other_names == ("session",)
    assert json.loads(tokens.other("session").expose()) == {"key": HIDDEN}
    assert tokens.other("nothing") is None
    assert HIDDEN not in f"{tokens!r} {tokens.other('session')!r}"
