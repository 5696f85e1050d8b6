"""Clients: the settings for one authorization server, and the requests made without a login."""

from __future__ import annotations

from . import _native as ffi
from ._check import bytes_of, flag_of, pairs_of, seconds_of, text_of, texts_of
from ._errors import InvalidConfigError, call
from ._identity import Identity
from ._login import SLICE, Login, slice_of
from ._secret import Opaque, Secret, secret_of
from ._tokens import Tokens

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Literal, Union

    from typing_extensions import Self

    Pairs = Union[Mapping[str, str], Iterable[tuple[str, str]], None]
    ClientAuth = Literal["auto", "client_secret_basic", "client_secret_post"]
    Pkce = Literal["auto", "always", "never"]


class ClientBase(Opaque):
    """The common base of the blocking and the asyncio client."""

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
        token_params: Pairs = None,
        refresh_params: Pairs = None,
        headers: Pairs = None,
        ca_pem: str | bytes | None = None,
        proxy: str | None = None,
        product: str | None = None,
        client_secret: Secret | str | None = None,
        client_auth: ClientAuth = "auto",
        pkce: Pkce = "auto",
        verify_id_token: bool = True,
        connect_timeout: float | None = None,
        read_timeout: float | None = None,
        request_timeout: float | None = None,
        login_timeout: float | None = None,
        allow_insecure_loopback: bool = False,
    ) -> Self:
        """Create a client for WorkOS AuthKit.

        Args:
            client_id: The client ID of the environment, as shown in the WorkOS dashboard.
            api_base: The base URL of the WorkOS API, for a test server for example.
                Defaults to the WorkOS API.

        All other arguments are common to every client: see ``help(cli_auth.Client)``.
        """
        builder = ffi.ClientBuilder.authkit(text_of("client_id", client_id))
        if api_base is not None:
            builder.api_base(text_of("api_base", api_base))
        return cls._build(
            builder, scopes, params, token_params, refresh_params, headers, ca_pem, proxy, product,
            client_secret, client_auth, pkce, verify_id_token, connect_timeout, read_timeout,
            request_timeout, login_timeout, allow_insecure_loopback,
        )  # fmt: skip

    @classmethod
    def workos_connect(
        cls,
        domain: str,
        client_id: str,
        *,
        scopes: Iterable[str] = (),
        params: Pairs = None,
        token_params: Pairs = None,
        refresh_params: Pairs = None,
        headers: Pairs = None,
        ca_pem: str | bytes | None = None,
        proxy: str | None = None,
        product: str | None = None,
        client_secret: Secret | str | None = None,
        client_auth: ClientAuth = "auto",
        pkce: Pkce = "auto",
        verify_id_token: bool = True,
        connect_timeout: float | None = None,
        read_timeout: float | None = None,
        request_timeout: float | None = None,
        login_timeout: float | None = None,
        allow_insecure_loopback: bool = False,
    ) -> Self:
        """Create a client for WorkOS Connect.

        Args:
            domain: The AuthKit domain, such as ``acme.authkit.app``, with or without ``https://``.
            client_id: The client ID of the application.

        All other arguments are common to every client: see ``help(cli_auth.Client)``.
        """
        builder = ffi.ClientBuilder.workos_connect(
            text_of("domain", domain), text_of("client_id", client_id)
        )
        return cls._build(
            builder, scopes, params, token_params, refresh_params, headers, ca_pem, proxy, product,
            client_secret, client_auth, pkce, verify_id_token, connect_timeout, read_timeout,
            request_timeout, login_timeout, allow_insecure_loopback,
        )  # fmt: skip

    @classmethod
    def for_issuer(
        cls,
        issuer: str,
        client_id: str,
        *,
        device_authorization_endpoint: str | None = None,
        token_endpoint: str | None = None,
        revocation_endpoint: str | None = None,
        scopes: Iterable[str] = (),
        params: Pairs = None,
        token_params: Pairs = None,
        refresh_params: Pairs = None,
        headers: Pairs = None,
        ca_pem: str | bytes | None = None,
        proxy: str | None = None,
        product: str | None = None,
        client_secret: Secret | str | None = None,
        client_auth: ClientAuth = "auto",
        pkce: Pkce = "auto",
        verify_id_token: bool = True,
        connect_timeout: float | None = None,
        read_timeout: float | None = None,
        request_timeout: float | None = None,
        login_timeout: float | None = None,
        allow_insecure_loopback: bool = False,
    ) -> Self:
        """Create a client for a server that publishes its metadata.

        The metadata is defined by RFC 8414, or else by OpenID Connect Discovery.

        Args:
            issuer: The issuer, exactly as the server writes it.
            client_id: The client ID.
            device_authorization_endpoint: The URL of the device authorization endpoint, for a
                server whose metadata lacks it. Like the next two, it takes precedence over that of
                the metadata.
            token_endpoint: The URL of the token endpoint.
            revocation_endpoint: The URL of the revocation endpoint (RFC 7009).

        All other arguments are common to every client: see ``help(cli_auth.Client)``.
        """
        builder = ffi.ClientBuilder.for_issuer(
            text_of("issuer", issuer), text_of("client_id", client_id)
        )
        if device_authorization_endpoint is not None:
            builder.device_authorization_endpoint(
                text_of("device_authorization_endpoint", device_authorization_endpoint)
            )
        if token_endpoint is not None:
            builder.token_endpoint(text_of("token_endpoint", token_endpoint))
        if revocation_endpoint is not None:
            builder.revocation_endpoint(text_of("revocation_endpoint", revocation_endpoint))
        return cls._build(
            builder, scopes, params, token_params, refresh_params, headers, ca_pem, proxy, product,
            client_secret, client_auth, pkce, verify_id_token, connect_timeout, read_timeout,
            request_timeout, login_timeout, allow_insecure_loopback,
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
        token_params: Pairs = None,
        refresh_params: Pairs = None,
        headers: Pairs = None,
        ca_pem: str | bytes | None = None,
        proxy: str | None = None,
        product: str | None = None,
        client_secret: Secret | str | None = None,
        client_auth: ClientAuth = "auto",
        pkce: Pkce = "auto",
        verify_id_token: bool = True,
        connect_timeout: float | None = None,
        read_timeout: float | None = None,
        request_timeout: float | None = None,
        login_timeout: float | None = None,
        allow_insecure_loopback: bool = False,
    ) -> Self:
        """Create a client for any other server, from its endpoint URLs.

        Args:
            device_authorization: The URL of the device authorization endpoint.
            token: The URL of the token endpoint.
            client_id: The client ID.
            revocation_endpoint: The URL of the revocation endpoint (RFC 7009).

        All other arguments are common to every client: see ``help(cli_auth.Client)``.
        """
        builder = ffi.ClientBuilder.with_endpoints(
            text_of("device_authorization", device_authorization),
            text_of("token", token),
            text_of("client_id", client_id),
        )
        if revocation_endpoint is not None:
            builder.revocation_endpoint(text_of("revocation_endpoint", revocation_endpoint))
        return cls._build(
            builder, scopes, params, token_params, refresh_params, headers, ca_pem, proxy, product,
            client_secret, client_auth, pkce, verify_id_token, connect_timeout, read_timeout,
            request_timeout, login_timeout, allow_insecure_loopback,
        )  # fmt: skip

    @classmethod
    def _build(
        cls,
        builder: ffi.ClientBuilder,
        scopes: Iterable[str],
        params: Pairs,
        token_params: Pairs,
        refresh_params: Pairs,
        headers: Pairs,
        ca_pem: str | bytes | None,
        proxy: str | None,
        product: str | None,
        client_secret: Secret | str | None,
        client_auth: ClientAuth,
        pkce: Pkce,
        verify_id_token: bool,
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
        for name, value in pairs_of("token_params", token_params):
            builder.token_param(name, value)
        for name, value in pairs_of("refresh_params", refresh_params):
            builder.refresh_param(name, value)
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
        if pkce not in ("auto", "always", "never"):
            raise InvalidConfigError(f"pkce must be 'auto', 'always' or 'never', not {pkce!r}")
        if pkce != "auto":
            builder.pkce(pkce == "always")
        builder.verify_id_token(flag_of("verify_id_token", verify_id_token))
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


def options_of(scopes: Iterable[str], params: Pairs, subject: str | None) -> ffi.RefreshOptions:
    """Return the library's options of a refresh."""
    return ffi.RefreshOptions(
        scopes=list(texts_of("scopes", scopes)),
        params=[ffi.Param(name=name, value=value) for name, value in pairs_of("params", params)],
        subject=subject_of(subject),
    )


def subject_of(subject: str | None) -> str | None:
    """Return the value if it is a str or None."""
    return None if subject is None else text_of("subject", subject)


class Client(ClientBase):
    """The settings for one authorization server.

    A client may be shared between threads. It does no I/O before a login starts.

    Create one with `authkit`, `workos_connect`, `for_issuer` or `with_endpoints`. Each takes the
    following keyword arguments, and raises `InvalidConfigError` with the name of the argument if
    one is invalid:

    Args:
        scopes: The scopes to request (RFC 6749 section 3.3). No scope is requested by default; many
            servers issue a refresh token only for ``offline_access``. WorkOS AuthKit has no scopes.
        params: Extra parameters of the device authorization request, such as ``audience``. A
            mapping, or an iterable of pairs. Only ``resource`` (RFC 8707) may occur more than once.
            Must not contain secrets.
        token_params: Extra parameters of the token request, which is sent at every poll. Some
            servers require ``resource`` or ``audience`` here as well as in ``params``, whose rules
            apply.
        refresh_params: Extra parameters of every refresh, such as ``resource``. A login does not
            send them. The rules of ``params`` apply.
        headers: Extra headers of every request. They are sent to every server that the settings or
            the metadata name.
        ca_pem: CA certificates in PEM, trusted in addition to those of the operating system. At
            most 4 MiB. A server that presents one of them itself is accepted too, for example with
            a self-signed one.
        proxy: The proxy for all requests except those to this machine: a URL with the scheme
            ``http``, ``https``, ``socks5h`` or ``socks4a`` (the proxy resolves names),
            ``socks5`` or ``socks4`` (this machine does), or ``socks`` (read as ``socks5h``). It may
            contain a user name and a password, percent-encoded. NTLM and Negotiate are not
            supported. Defaults to ``HTTPS_PROXY``, ``ALL_PROXY`` and ``NO_PROXY``.
        product: The name of the program and optionally its version, such as ``my-cli/1.2``. It is
            the first part of the User-Agent; the name is shown in the prompt.
        client_secret: A client secret, for servers that require one. A secret in a distributed
            program is not confidential.
        client_auth: How the client secret is sent: ``"client_secret_basic"``,
            ``"client_secret_post"`` or ``"auto"``. ``"auto"`` follows the server's metadata and
            falls back to ``client_secret_basic``. Defaults to ``"auto"``.
        pkce: Whether a login uses PKCE (RFC 7636): ``"always"``, ``"never"``, or ``"auto"`` if the
            server's metadata lists it, which only a client by issuer reads. If the server then
            refuses the first request as invalid, it is sent once more without PKCE. Defaults to
            ``"auto"``.
        verify_id_token: Whether an ID token is verified (OpenID Connect Core section 3.1.3.7). If
            it is not, its keys are not fetched, nothing in it is checked, and `Tokens.identity` is
            None. AuthKit issues no ID token. Defaults to True.
        connect_timeout: Timeout for establishing a connection (DNS, TCP and TLS), in seconds.
            Defaults to 10.
        read_timeout: Maximum silence of the server within a response, in seconds. Defaults to 15.
        request_timeout: Timeout for a whole request, in seconds. Defaults to 25.
        login_timeout: Timeout for a whole login, in seconds from its first step. The login then
            ends with `ExpiredError`. By default only the lifetime of the code limits a login.
        allow_insecure_loopback: Allow plain http to this machine. For tests and local development
            only. Defaults to False.

    After a fork, the client remains usable in the child and opens connections of its own there.
    """

    __slots__ = ()

    def login(self) -> Login:
        """Create a single login attempt. Does no I/O."""
        return Login._of(self._native)

    def refresh(
        self,
        refresh_token: Secret | str,
        *,
        scopes: Iterable[str] = (),
        params: Pairs = None,
        subject: str | None = None,
    ) -> Tokens:
        """Exchange a refresh token for new tokens (RFC 6749 section 6).

        This is one request, after discovery if needed. It is never retried automatically. If the
        response has an ID token, it is verified, for which the keys of the server may have to be
        fetched.

        Many servers, including WorkOS, invalidate the token that was sent. Store the new
        `Tokens.refresh_token` before anything else, and never refresh one token from two processes
        at once. Ctrl-C aborts the request; the server may already have used the token.

        Args:
            refresh_token: The refresh token.
            scopes: The scopes of the new access token, which must be among those that the user
                granted. Defaults to all of them.
            params: Extra parameters, such as ``resource`` (RFC 8707) or WorkOS's
                ``organization_id``. They replace those of the client's ``refresh_params`` with the
                same name. The rules of the client's ``params`` apply.
            subject: The user that the tokens must be for: the `Identity.subject` of the login
                (OpenID Connect Core section 12.2).

        Raises:
            LoginRequiredError: The token is no longer valid. The user must log in again.
            NetworkError: Keep the token and try again later. If the response was lost, the server
                may already have used the token.
            ActionRequiredError: The user must log in again, in the browser.
            InvalidResponseError: The ID token is refused, or identifies another user than
                `subject`. The token that was sent has probably been used.
            InvalidConfigError: The token is empty, or an option cannot be used. Nothing was sent.
        """
        token = secret_of("refresh_token", refresh_token)
        # Tracebacks that include local variables must not contain the token.
        del refresh_token
        options = options_of(scopes, params, subject)
        refresh = call(self._native.begin_refresh, token, options)
        while True:
            # In short slices: Python handles Ctrl-C only after the call returns.
            tokens = call(refresh.step, slice_of(SLICE))
            if tokens is not None:
                return Tokens._of(tokens)

    def userinfo(self, access_token: Secret | str, subject: str | None = None) -> Identity:
        """Ask the server who the user of an access token is (OpenID Connect Core section 5.3).

        This is one request, after discovery if needed. The access token must have been issued for
        the scope ``openid``.

        Args:
            access_token: The access token.
            subject: The `Identity.subject` of the login, if it is known. A response about another
                user is refused.

        Raises:
            RejectedError: The server does not accept the access token.
            InvalidResponseError: The response is about another user.
            UnsupportedError: The server has no userinfo endpoint, or it is not known, as with
                AuthKit and `with_endpoints`.
            NetworkError: The request failed, or the server cannot handle it now.
            InvalidConfigError: The token is empty, or has characters that no header may have.
                Nothing was sent.
        """
        token = secret_of("access_token", access_token)
        del access_token
        userinfo = call(self._native.begin_userinfo, token, subject_of(subject))
        while True:
            identity = call(userinfo.step, slice_of(SLICE))
            if identity is not None:
                return Identity._of(identity)

    def revoke(self, token: Secret | str) -> None:
        """Revoke a token (RFC 7009).

        This is one request, after discovery if needed. Revoke the refresh token: servers then
        revoke its access tokens too. A token that the server does not know counts as revoked.

        Raises:
            UnsupportedError: The server has no revocation endpoint (WorkOS has none), or cannot
                revoke this type of token.
            NetworkError: The token is still valid.
        """
        native = secret_of("token", token)
        del token
        revocation = call(self._native.begin_revoke, native)
        while not call(revocation.step, slice_of(SLICE)):
            pass

    def __repr__(self) -> str:
        return f"<cli_auth.{type(self).__name__}>"
