"""Wrong types and wrong values: the error says which argument, before anything is sent."""

from __future__ import annotations

import decimal

import pytest
from support import wait_until

import cli_auth
from cli_auth import Client, InvalidConfigError

NO_TEXT = [None, 5, 1.5, True, b"bytes", ["a"], {"a": "b"}, object()]
NO_TIME = ["5", b"5", True, [5], decimal.Decimal(5), 5j]
WRONG_TIME = [-1, -0.001, float("nan"), float("-inf")]
SURROGATE = "\udcff"
END = "https://login.example.com/"


def authkit(**settings):
    return Client.authkit("client_test", **settings)


def endpoints(**settings):
    every = {
        "device_authorization": END + "device",
        "token": END + "token",
        "client_id": "client_test",
    }
    return Client.with_endpoints(**{**every, **settings})


def issuer(**settings):
    return Client.for_issuer(END, "client_test", **settings)


POSITIONAL = [
    ("client_id", lambda it: Client.authkit(it)),
    ("domain", lambda it: Client.workos_connect(it, "client_test")),
    ("client_id", lambda it: Client.workos_connect("acme.authkit.app", it)),
    ("issuer", lambda it: Client.for_issuer(it, "client_test")),
    ("client_id", lambda it: Client.for_issuer(END, it)),
    ("device_authorization", lambda it: endpoints(device_authorization=it)),
    ("token", lambda it: endpoints(token=it)),
    ("client_id", lambda it: endpoints(client_id=it)),
]
OPTIONAL = [
    ("api_base", lambda it: authkit(api_base=it)),
    ("revocation_endpoint", lambda it: endpoints(revocation_endpoint=it)),
    ("device_authorization_endpoint", lambda it: issuer(device_authorization_endpoint=it)),
    ("token_endpoint", lambda it: issuer(token_endpoint=it)),
    ("revocation_endpoint", lambda it: issuer(revocation_endpoint=it)),
    ("proxy", lambda it: authkit(proxy=it)),
    ("product", lambda it: authkit(product=it)),
]
WORDS = {
    "client_id": "client id",
    "domain": "AuthKit domain",
    "issuer": "issuer",
    "device_authorization": "device authorization endpoint",
    "token": "token endpoint",
    "api_base": "API base",
    "revocation_endpoint": "revocation endpoint",
    "device_authorization_endpoint": "device authorization endpoint",
    "token_endpoint": "token endpoint",
    "proxy": "proxy",
    "product": "product",
}
IDS = [f"{name}{index}" for index, (name, _) in enumerate(POSITIONAL + OPTIONAL)]


@pytest.mark.parametrize(("name", "make"), POSITIONAL + OPTIONAL, ids=IDS)
def test_texts(name, make):
    for wrong in NO_TEXT:
        if wrong is None and (name, make) in OPTIONAL:
            continue
        with pytest.raises(TypeError, match=rf"^{name} must be str, not {type(wrong).__name__}$"):
            make(wrong)
    with pytest.raises(cli_auth.MisuseError, match=rf"^{name} is not valid text"):
        make(SURROGATE)
    for wrong in ["", "a\nb", "\0"]:
        with pytest.raises(InvalidConfigError, match=WORDS[name]):
            make(wrong)


@pytest.mark.parametrize(
    "name", ["connect_timeout", "read_timeout", "request_timeout", "login_timeout"]
)
def test_times(name):
    for wrong in NO_TIME:
        with pytest.raises(
            TypeError, match=rf"^{name} must be a number of seconds, not {type(wrong).__name__}$"
        ):
            authkit(**{name: wrong})
    for wrong in WRONG_TIME:
        with pytest.raises(InvalidConfigError, match=name):
            authkit(**{name: wrong})
    with pytest.raises(InvalidConfigError, match=name.replace("_", " ")):
        authkit(**{name: 0})
    for right in [5, 0.5, None]:
        assert isinstance(authkit(**{name: right}), Client)
    for endless in [1e300, 10**400, float("inf")]:
        if name == "login_timeout":
            assert isinstance(authkit(**{name: endless}), Client)
        else:
            with pytest.raises(InvalidConfigError, match=name.replace("_", " ")):
                authkit(**{name: endless})


def test_scopes():
    with pytest.raises(
        TypeError, match=r"^scopes must be several strings, not one: write \['openid', 'email'\]$"
    ):
        endpoints(scopes="openid email")
    for wrong in [5, None, True, object()]:
        with pytest.raises(TypeError, match="scopes"):
            endpoints(scopes=wrong)
    for wrong in [b"openid", [5], [None], [["openid"]], {b"openid"}]:
        with pytest.raises(TypeError, match=r"scopes.* must be str"):
            endpoints(scopes=wrong)
    with pytest.raises(ValueError, match=r"scopes.* surrogate"):
        endpoints(scopes=[SURROGATE])
    for wrong in [["openid email"], [""], ["a\nb"], ["é"]]:
        with pytest.raises(InvalidConfigError, match="scope"):
            endpoints(scopes=wrong)
    for right in [[], (), ["openid", "email"], {"openid"}, iter(["openid"]), {"openid": 1}]:
        assert isinstance(endpoints(scopes=right), Client)


@pytest.mark.parametrize("name", ["params", "token_params", "refresh_params", "headers"])
def test_pairs(name):
    no_pairs = [
        5,
        True,
        object(),
        "text",
        "a=b",
        b"bytes",
        ["ab"],
        [5],
        [("a",)],
        [("a", "b", "c")],
        ["a", "b"],
        {"a"},
    ]
    for wrong in no_pairs:
        with pytest.raises(TypeError, match=rf"^{name} must be"):
            authkit(**{name: wrong})
    for wrong in [
        {"a": 5},
        {5: "a"},
        {"a": None},
        [("a", 5)],
        {"a": ["b"]},
        [(None, "a")],
        {"a": b"b"},
    ]:
        with pytest.raises(TypeError, match=f"in {name} must be str"):
            authkit(**{name: wrong})
    for wrong in [{"a": SURROGATE}, [(SURROGATE, "a")]]:
        with pytest.raises(ValueError, match=rf"in {name} .*surrogate"):
            authkit(**{name: wrong})
    for right in [
        None,
        {},
        [],
        (),
        {"x-a": "b"},
        [("resource", "b"), ("resource", "c")],
        iter([["x-a", "b"]]),
    ]:
        assert isinstance(authkit(**{name: right}), Client)


def test_an_error_of_the_users_own_iterable_comes_out():
    def broken():
        yield "x-a", "b"
        raise ValueError("mine")

    for name in ("params", "token_params", "refresh_params", "headers"):
        with pytest.raises(ValueError, match=r"^mine$"):
            authkit(**{name: broken()})
    with pytest.raises(ZeroDivisionError):
        endpoints(scopes=(str(1 / divisor) for divisor in [1, 0]))


def test_wrong_headers_and_params():
    for wrong in [{"a b": "c"}, {"x-a": "b\r\nc"}, {"": "b"}, {"Content-Length": "5"}]:
        with pytest.raises(InvalidConfigError):
            authkit(headers=wrong)
    for wrong in [{"client_id": "another"}, {"": "b"}, [("audience", "a"), ("audience", "b")]]:
        for name in ("params", "token_params", "refresh_params"):
            with pytest.raises(InvalidConfigError):
                authkit(**{name: wrong})


def test_certificates():
    for wrong in [5, 1.5, ["a"], object()]:
        with pytest.raises(TypeError, match=r"^ca_pem must be str or bytes, not"):
            authkit(ca_pem=wrong)
    with pytest.raises(ValueError, match=r"^ca_pem"):
        authkit(ca_pem=SURROGATE)
    for wrong in ["", b"", "no certificate", b"\xff\xfe", bytearray(b"x")]:
        with pytest.raises(InvalidConfigError, match="CA certificates"):
            authkit(ca_pem=wrong)


def test_certificates_as_text_and_as_bytes(new_server):
    server = new_server(tls="good")
    for pem in [server.ca_pem, server.ca_pem.encode(), bytearray(server.ca_pem.encode())]:
        assert server.client(ca_pem=pem).login().start().user_code


def test_client_secrets(new_server):
    for wrong in [5, b"secret", ["a"], True]:
        with pytest.raises(TypeError, match=r"^client_secret must be Secret or str, not"):
            authkit(client_secret=wrong)
    with pytest.raises(InvalidConfigError, match="client secret"):
        authkit(client_secret="")
    with pytest.raises(ValueError, match=r"^client_secret .*surrogate"):
        authkit(client_secret=SURROGATE)
    for wrong in ["header", "", None, 5, [], "basic", "ClientSecretBasic"]:
        with pytest.raises((TypeError, ValueError), match="client_auth"):
            authkit(client_secret="x", client_auth=wrong)


def test_wrong_pkce():
    for wrong in ["S256", "", None, True, 5, "Always"]:
        with pytest.raises(InvalidConfigError, match=r"^pkce must be 'auto', 'always' or 'never'"):
            authkit(pkce=wrong)


@pytest.mark.parametrize("client_auth", ["auto", "client_secret_basic", "client_secret_post"])
def test_how_the_secret_is_sent(client_auth, new_server):
    server = new_server()
    secret = cli_auth.Secret("test secret:+%é")
    client = Client.workos_connect(
        server.url,
        "client_confidential",
        client_secret=secret,
        client_auth=client_auth,
        allow_insecure_loopback=True,
    )
    client.login().start()
    wait_until(lambda: server.requests("device")[0]["replied"] is not None)
    request = server.requests("device")[0]
    assert request["status"] == 200
    in_header = any(name.lower() == "authorization" for name, _ in request["headers"])
    assert in_header == (client_auth != "client_secret_post")
    assert ("client_secret" in dict(request["form"])) == (client_auth == "client_secret_post")


def test_what_is_sent(new_server):
    server = new_server()
    client = server.client(
        scopes=["openid", "email"],
        params=[("audience", "a"), ("resource", "b"), ("resource", "c")],
        headers={"X-Test": "t"},
        product="test-tool/1.5",
    )
    prompt = client.login().start()
    assert "test-tool" in prompt.product
    request = server.requests("device")[0]
    assert [pair for pair in request["form"] if pair[0] == "resource"] == [
        ["resource", "b"],
        ["resource", "c"],
    ]
    assert dict(request["form"])["scope"] == "openid email"
    headers = {name.lower(): value for name, value in request["headers"]}
    assert headers["x-test"] == "t"
    assert headers["user-agent"].startswith("test-tool/1.5 ")


def test_plain_http_is_refused_unless_allowed(server):
    for settings in [{}, {"allow_insecure_loopback": False}]:
        with pytest.raises(InvalidConfigError, match="https"):
            Client.authkit("client_test", api_base=server.url, **settings)


@pytest.mark.parametrize("name", ["allow_insecure_loopback", "verify_id_token"])
def test_flags(name):
    for wrong in ["no", "yes", 1, 0, None, []]:
        with pytest.raises(TypeError, match=rf"^{name} must be bool, not"):
            authkit(**{name: wrong})
    for make in (authkit, endpoints, issuer):
        for right in (True, False):
            assert isinstance(make(**{name: right}), Client)


def test_unknown_and_positional_options():
    with pytest.raises(TypeError, match="scope"):
        authkit(scope="openid")
    with pytest.raises(TypeError, match="positional"):
        Client.authkit("client_test", "https://api.example.com")
    with pytest.raises(TypeError, match="client_id"):
        Client.authkit()
    with pytest.raises(TypeError, match="api_base"):
        Client.for_issuer(END, "client_test", api_base=END)
    for name in ("device_authorization_endpoint", "token_endpoint"):
        for make in (authkit, endpoints):
            with pytest.raises(TypeError, match=name):
                make(**{name: END})
