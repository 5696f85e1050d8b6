"""Errors: one class for each way in which the caller should react."""

from __future__ import annotations

from ._native import Failure
from ._native import InternalError as Panic
from ._record import Record
from ._secret import Secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypeVar

    from typing_extensions import ParamSpec

    _P = ParamSpec("_P")
    _T = TypeVar("_T")


class Organization(Record):
    """An organization that the user may choose, as returned by WorkOS.

    Attributes:
        id: The identifier, such as ``org_01H…``. Untrusted; call `sanitize` before printing it.
        name: The display name. Untrusted; call `sanitize` before printing it.
    """

    __slots__ = ("id", "name")
    __match_args__ = ("id", "name")

    def __init__(self, id: str, name: str) -> None:
        self.id = id
        self.name = name


class Error(Exception):
    """The base class of all errors of this package.

    ``str(error)`` is a message for the user at the terminal. It says what happened and what to do
    next, contains no secret, and has all text from the server sanitised.

    Attributes:
        kind: The kind of error, as a word that is the same in every language: ``"denied"``,
            ``"network"``, …
        oauth_error: The error code from the response (RFC 6749 section 5.2), or the ``code`` from
            WorkOS. Untrusted; call `sanitize` before printing it.
        description: The error description from the server, sanitised. ``str(error)`` already
            contains it.
        detail: The technical cause in the words of the operating system, TLS or HTTP, sanitised,
            such as ``Connection refused (os error 111)``. ``str(error)`` does not contain it.
        http_status: The HTTP status of the response that caused the error, if there was one.
        request_id: The request ID from the server (``x-request-id``), sanitised. The server's
            support will ask for it.
        retry_after: The delay that the server asked for before the next request, in seconds. The
            value is not limited; the caller should cap it.
        claims: The claims challenge of a server such as Microsoft Entra ID, if it came with an
            `ActionRequiredError`. Pass it to a new login as the extra parameter ``claims`` of both
            requests. Untrusted; call `sanitize` before printing it.
        organizations: The organizations to choose from, if the server listed them with an
            `ActionRequiredError`.
        pending_authentication_token: The secret with which a server-side component can complete
            the step at WorkOS.
        members: Every member of the response by its name, as raw JSON, exactly as the server sent
            it: ``error.members["suberror"].expose()``. The type is `Secret` because a member may
            contain a secret. Empty if there was no response, or if it is not a JSON object. The
            names are untrusted.
    """

    kind: str = "internal"

    def __init__(
        self,
        message: str = "",
        *,
        oauth_error: str | None = None,
        description: str | None = None,
        detail: str | None = None,
        http_status: int | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        claims: str | None = None,
        organizations: list[Organization] | None = None,
        pending_authentication_token: Secret | None = None,
        members: Mapping[str, Secret] | None = None,
    ) -> None:
        super().__init__(message)
        self.oauth_error = oauth_error
        self.description = description
        self.detail = detail
        self.http_status = http_status
        self.request_id = request_id
        self.retry_after = retry_after
        self.claims = claims
        self.organizations = organizations
        self.pending_authentication_token = pending_authentication_token
        self.members = dict(members or {})

    def __reduce__(self) -> tuple[Any, ...]:
        # An error may be sent to another process, but not the secrets in it.
        without: dict[str, object] = {"pending_authentication_token": None, "members": {}}
        return type(self), self.args, {**vars(self), **without}


class DeniedError(Error):
    """The user denied the request. Do not start another login unless the user asks for one."""

    kind = "denied"


class ExpiredError(Error):
    """The code expired, or `login_timeout` elapsed.

    Start another login when the user asks for one.
    """

    kind = "expired"


class CancelledError(Error):
    """The login was cancelled by `Login.cancel`.

    A cancelled task raises `asyncio.CancelledError` instead.
    """

    kind = "cancelled"


class ActionRequiredError(Error):
    """The server requires an action that only the user can take in a browser.

    Examples: choose an organization, enrol a second factor.
    """

    kind = "action_required"


class LoginRequiredError(Error):
    """The refresh token is no longer valid. The user must log in again.

    It was used already, has expired or was revoked.
    """

    kind = "login_required"


class RejectedError(Error):
    """The server refuses this client or this request.

    Examples: a wrong client ID, a device flow that is not enabled. Sending the same request again
    does not help.
    """

    kind = "rejected"


class UnsupportedError(Error):
    """The server does not support the requested operation."""

    kind = "unsupported"


class NetworkError(Error):
    """The server could not be reached, or is temporarily unavailable. Try again later."""

    kind = "network"


class TlsError(Error):
    """No secure connection could be established.

    The server's certificate was rejected, the TLS handshake failed, or this machine has no trusted
    roots. Check the clock, the host name and the trusted roots.
    """

    kind = "tls"


class ProxyError(Error):
    """The proxy cannot be used. Check the setting.

    The setting is invalid, or the proxy could not be reached or refused the connection.
    """

    kind = "proxy"


class InvalidResponseError(Error):
    """The response violates the standards. Nothing in it was used."""

    kind = "invalid_response"


class InvalidConfigError(Error, ValueError):
    """A setting of the client is invalid. No request was sent."""

    kind = "invalid_config"


class StoreError(Error):
    """A session could not be read or written. No function of this version raises it."""

    kind = "store"


class MisuseError(Error, ValueError):
    """The API was misused: a call came too early, or an argument has an invalid value.

    Examples: `Login.poll` before `Login.start`, a negative `max_wait`, `cli_auth.aio`
    outside asyncio, a str with a lone surrogate.
    """

    kind = "misuse"


class ForkedError(Error):
    """The process was forked after this login was created or this request was sent.

    Create a new login in the child, or send the request again.
    """

    kind = "forked"


class BusyError(Error):
    """Another call is driving this login or waiting for this request."""

    kind = "busy"


class InternalError(Error):
    """A bug in this library, or a lack of system resources."""

    kind = "internal"


_KINDS: dict[str, type[Error]] = {
    error.kind: error
    for error in (
        DeniedError,
        ExpiredError,
        CancelledError,
        ActionRequiredError,
        LoginRequiredError,
        RejectedError,
        UnsupportedError,
        NetworkError,
        TlsError,
        ProxyError,
        InvalidResponseError,
        InvalidConfigError,
        StoreError,
        MisuseError,
        ForkedError,
        BusyError,
        InternalError,
    )
}


def error_of(failure: Failure) -> Error:
    """Return the exception for an error of the library."""
    organizations = failure.organizations()
    pending = failure.pending_authentication_token()
    members = {name: failure.member(name) for name in failure.member_names()}
    return _KINDS.get(failure.kind(), Error)(
        str(failure),
        oauth_error=failure.oauth_error(),
        description=failure.description(),
        detail=failure.detail(),
        http_status=failure.http_status(),
        request_id=failure.request_id(),
        retry_after=failure.retry_after(),
        claims=failure.claims(),
        organizations=None
        if organizations is None
        else [Organization(o.id, o.name) for o in organizations],
        pending_authentication_token=None if pending is None else Secret._of(pending),
        members={
            name: Secret._of(native) for name, native in members.items() if native is not None
        },
    )


def defect(panic: Panic) -> InternalError:
    """Return the exception for a bug in the library."""
    return InternalError(f"a defect of this library, please report it: {panic}")


def call(function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Call the library and raise its errors as exceptions of this package."""
    try:
        return function(*args, **kwargs)
    except Failure as failure:
        raise error_of(failure) from None
    except Panic as panic:
        raise defect(panic) from None
