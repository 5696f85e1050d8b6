"""Clients: the settings for one authorization server, and the requests without a login."""

from __future__ import annotations

from . import _native as ffi
from ._check import bytes_of, flag_of, pairs_of, seconds_of, text_of, texts_of
from ._errors import InvalidConfigError, call
from ._login import SLICE, Login
from ._secret import Opaque, Secret, secret_of
from ._tokens import Tokens

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Literal, Union

    from typing_extensions import Self

    Pairs = Union[Mapping[str, str], Iterable[tuple[str, str]], None]
    ClientAuth = Literal["auto", "client_secret_basic", "client_secret_post"]


class ClientBase(Opaque):
    """What clients have in common, blocking or not."""

    __slots__ = ("_native",)
    _native: ffi.Client

    def __init__(self) -> None:
        raise TypeError(
            "make a client by Client.authkit, Client.workos_connect, Client.for_issuer or "
            "Client.with_endpoints"
        )

    @classmethod
    def authkit(
        cls,
        client_id: str,
        *,
        api_base: str | None = None,
        scopes: Iterable[str] = (),
        params: Pairs = None,
        headers: Pairs = None,
        ca_pem: str | bytes | None = None,
        proxy: str | None = None,
        product: str | None = None,
        client_secret: Secret | str | None = None,
        client_auth: ClientAuth = "auto",
        connect_timeout: float | None = None,
        read_timeout: float | None = None,
        request_timeout: float | None = None,
        login_timeout: float | None = None,
        allow_insecure_loopback: bool = False,
    ) -> Self:
        """WorkOS AuthKit, by the client id of the environment.

        Args:
            client_id: The id that WorkOS's dashboard shows.
            api_base: Another address of WorkOS's API, such as that of a test server.

        The other arguments are those of every client: ``help(cli_auth.Client)`` has them.
        """
        builder = ffi.ClientBuilder.authkit(text_of("client_id", client_id))
        if api_base is not None:
            builder.api_base(text_of("api_base", api_base))
        return cls._build(
            builder, scopes, params, headers, ca_pem, proxy, product, client_secret, client_auth,
            connect_timeout, read_timeout, request_timeout, login_timeout, allow_insecure_loopback,
        )  # fmt: skip

    @classmethod
    def workos_connect(
        cls,
        domain: str,
        client_id: str,
        *,
        scopes: Iterable[str] = (),
        params: Pairs = None,
        headers: Pairs = None,
        ca_pem: str | bytes | None = None,
        proxy: str | None = None,
        product: str | None = None,
        client_secret: Secret | str | None = None,
        client_auth: ClientAuth = "auto",
        connect_timeout: float | None = None,
        read_timeout: float | None = None,
        request_timeout: float | None = None,
        login_timeout: float | None = None,
        allow_insecure_loopback: bool = False,
    ) -> Self:
        """WorkOS Connect.

        Args:
            domain: The AuthKit domain: ``acme.authkit.app``, or with ``https://``.
            client_id: The id of the application.

        The other arguments are those of every client: ``help(cli_auth.Client)`` has them.
        """
        builder = ffi.ClientBuilder.workos_connect(
            text_of("domain", domain), text_of("client_id", client_id)
        )
        return cls._build(
            builder, scopes, params, headers, ca_pem, proxy, product, client_secret, client_auth,
            connect_timeout, read_timeout, request_timeout, login_timeout, allow_insecure_loopback,
        )  # fmt: skip

    @classmethod
    def for_issuer(
        cls,
        issuer: str,
        client_id: str,
        *,
        scopes: Iterable[str] = (),
        params: Pairs = None,
        headers: Pairs = None,
        ca_pem: str | bytes | None = None,
        proxy: str | None = None,
        product: str | None = None,
        client_secret: Secret | str | None = None,
        client_auth: ClientAuth = "auto",
        connect_timeout: float | None = None,
        read_timeout: float | None = None,
        request_timeout: float | None = None,
        login_timeout: float | None = None,
        allow_insecure_loopback: bool = False,
    ) -> Self:
        """Any server that publishes its metadata: RFC 8414, then OpenID Connect Discovery.

        Args:
            issuer: The server's issuer, written exactly as the server writes it.
            client_id: The id under which the server knows this program.

        The other arguments are those of every client: ``help(cli_auth.Client)`` has them.
        """
        builder = ffi.ClientBuilder.for_issuer(
            text_of("issuer", issuer), text_of("client_id", client_id)
        )
        return cls._build(
            builder, scopes, params, headers, ca_pem, proxy, product, client_secret, client_auth,
            connect_timeout, read_timeout, request_timeout, login_timeout, allow_insecure_loopback,
        )  # fmt: skip

    @classmethod
    def with_endpoints(
        cls,
        device_authorization: str,
        token: str,
        client_id: str,
        *,
        revocation_endpoint: str | None = None,
        scopes: Iterable[str] = (),
        params: Pairs = None,
        headers: Pairs = None,
        ca_pem: str | bytes | None = None,
        proxy: str | None = None,
        product: str | None = None,
        client_secret: Secret | str | None = None,
        client_auth: ClientAuth = "auto",
        connect_timeout: float | None = None,
        read_timeout: float | None = None,
        request_timeout: float | None = None,
        login_timeout: float | None = None,
        allow_insecure_loopback: bool = False,
    ) -> Self:
        """Any server, by its endpoints.

        Args:
            device_authorization: The address of the device authorization endpoint.
            token: The address of the token endpoint.
            client_id: The id under which the server knows this program.
            revocation_endpoint: Where tokens are revoked (RFC 7009).

        The other arguments are those of every client: ``help(cli_auth.Client)`` has them.
        """
        builder = ffi.ClientBuilder.with_endpoints(
            text_of("device_authorization", device_authorization),
            text_of("token", token),
            text_of("client_id", client_id),
        )
        if revocation_endpoint is not None:
            builder.revocation_endpoint(text_of("revocation_endpoint", revocation_endpoint))
        return cls._build(
            builder, scopes, params, headers, ca_pem, proxy, product, client_secret, client_auth,
            connect_timeout, read_timeout, request_timeout, login_timeout, allow_insecure_loopback,
        )  # fmt: skip

    @classmethod
    def _build(
        cls,
        builder: ffi.ClientBuilder,
        scopes: Iterable[str],
        params: Pairs,
        headers: Pairs,
        ca_pem: str | bytes | None,
        proxy: str | None,
        product: str | None,
        client_secret: Secret | str | None,
        client_auth: ClientAuth,
        connect_timeout: float | None,
        read_timeout: float | None,
        request_timeout: float | None,
        login_timeout: float | None,
        allow_insecure_loopback: bool,
    ) -> Self:
        for scope in texts_of("scopes", scopes):
            builder.scope(scope)
        for name, value in pairs_of("params", params):
            builder.param(name, value)
        for name, value in pairs_of("headers", headers):
            builder.header(name, value)
        if ca_pem is not None:
            builder.ca_pem(bytes_of("ca_pem", ca_pem))
        if proxy is not None:
            builder.proxy(text_of("proxy", proxy))
        if product is not None:
            builder.product(text_of("product", product))
        if client_auth not in ("auto", "client_secret_basic", "client_secret_post"):
            raise InvalidConfigError(
                "client_auth must be 'auto', 'client_secret_basic' or 'client_secret_post', "
                f"not {client_auth!r}"
            )
        if client_secret is not None:
            setters = {
                "auto": builder.client_secret,
                "client_secret_basic": builder.client_secret_basic,
                "client_secret_post": builder.client_secret_post,
            }
            setters[client_auth](secret_of("client_secret", client_secret))
        if connect_timeout is not None:
            call(builder.connect_timeout, _timeout_of("connect_timeout", connect_timeout))
        if read_timeout is not None:
            call(builder.read_timeout, _timeout_of("read_timeout", read_timeout))
        if request_timeout is not None:
            call(builder.request_timeout, _timeout_of("request_timeout", request_timeout))
        if login_timeout is not None:
            call(builder.login_timeout, _timeout_of("login_timeout", login_timeout))
        builder.allow_insecure_loopback(flag_of("allow_insecure_loopback", allow_insecure_loopback))
        client = cls.__new__(cls)
        client._native = call(builder.build)
        return client


def _timeout_of(name: str, value: object) -> float:
    return seconds_of(name, value, InvalidConfigError)


class Client(ClientBase):
    """A client of one authorization server.

    All threads may use it at once; it does no I/O before a login starts.

    Made by `authkit`, `workos_connect`, `for_issuer` or `with_endpoints`. All of them take these
    arguments by name, and raise `InvalidConfigError`, which names what is wrong with one of them:

    Args:
        scopes: What to ask for (RFC 6749 section 3.3). Nothing by itself: refresh tokens often need
            ``offline_access``. WorkOS AuthKit knows no scopes.
        params: Extra parameters of the device authorization request, such as ``audience``. A
            mapping, or pairs where a name is there twice. Not for secrets.
        headers: Extra headers of every request, to every server that the settings or the metadata
            name.
        ca_pem: Certificates to trust beside those of the operating system, in PEM. At most 4 MiB.
        proxy: The ``http://`` or ``https://`` proxy of every request but those to this machine.
            Without it, ``HTTPS_PROXY``, ``ALL_PROXY`` and ``NO_PROXY`` are honoured.
        product: The name of the program, such as ``my-cli/1.2``: the first part of the User-Agent,
            and shown in the prompt.
        client_secret: For servers that insist on one. A secret in a program that others run is not
            confidential.
        client_auth: How the secret is sent: ``"client_secret_basic"``, ``"client_secret_post"`` or
            ``"auto"``: as the server's metadata says, else by ``client_secret_basic``. Defaults to
            ``"auto"``.
        connect_timeout: How many seconds establishing a connection may take (DNS, TCP and TLS).
            Defaults to 10.
        read_timeout: How many seconds a server may be silent within a response. Defaults to 15.
        request_timeout: How many seconds one request may take in all. Defaults to 25.
        login_timeout: How many seconds a whole login may take, from its first step. Then it ends
            with `ExpiredError`.
        allow_insecure_loopback: Allows plain http to this machine. For tests and local development
            only.

    In a forked child it works on, with connections of the child's own.
    """

    __slots__ = ()

    def login(self) -> Login:
        """A single login attempt. No I/O."""
        return Login._of(self._native)

    def refresh(self, refresh_token: Secret | str) -> Tokens:
        """Trades a refresh token for new tokens (RFC 6749 section 6).

        One request, never repeated by itself.

        Many servers, WorkOS among them, retire the token that was sent: store the new
        `Tokens.refresh_token` before anything else, and never refresh one token from two processes
        at once. Ctrl-C ends the request; the token may have been used then.

        Raises:
            RejectedError: The token is dead: log in again.
            NetworkError: Keep the token and try again; it may have been used if the response was
                lost.
            ActionRequiredError: Log in again, in the browser.
        """
        token = secret_of("refresh_token", refresh_token)
        # A traceback that shows locals must not show it.
        del refresh_token
        refresh = call(self._native.begin_refresh, token)
        while True:
            # In slices: Python sees a Ctrl-C when the call returns.
            tokens = call(refresh.step, SLICE)
            if tokens is not None:
                return Tokens._of(tokens)

    def revoke(self, token: Secret | str) -> None:
        """Ends a token's life (RFC 7009).

        One request. Revoke the refresh token: servers then drop its access tokens too.

        A token that the server does not know counts as revoked.

        Raises:
            UnsupportedError: The server has no revocation endpoint (WorkOS has none), or cannot
                revoke this kind of token.
            NetworkError: The token still lives.
        """
        native = secret_of("token", token)
        del token
        revocation = call(self._native.begin_revoke, native)
        while not call(revocation.step, SLICE):
            pass

    def __repr__(self) -> str:
        return f"<cli_auth.{type(self).__name__}>"
