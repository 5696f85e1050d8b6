"""Errors, one class for each thing that the caller does next."""

from __future__ import annotations

from ._native import Failure
from ._native import InternalError as Panic
from ._record import Record
from ._secret import Secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from typing_extensions import ParamSpec

    _P = ParamSpec("_P")
    _T = TypeVar("_T")


class Organization(Record):
    """An organization that the user may choose, as WorkOS names it.

    Attributes:
        id: Such as ``org_01H…``. Raw: `sanitize` it before printing.
        name: For people. Raw: `sanitize` it before printing.
    """

    __slots__ = ("id", "name")
    __match_args__ = ("id", "name")

    def __init__(self, id: str, name: str) -> None:
        self.id = id
        self.name = name


class Error(Exception):
    """Why a login, a refresh or a revocation did not succeed.

    The base of all errors of this package.

    ``str(error)`` is a sentence for the user at the terminal: what happened and what to do next.
    It holds no secret, and what came from the server in it is sanitised.

    Attributes:
        kind: What the caller does next, as a word that is the same in every language: ``"denied"``,
            ``"network"``, …
        oauth_error: The server's error code as it came (RFC 6749 section 5.2), or WorkOS's
            ``code``. Raw: `sanitize` it before printing.
        description: The server's own words, sanitised. ``str(error)`` holds them already.
        http_status: The HTTP status of the answer that ended it, if there was one.
        request_id: The server's name for the request, sanitised: what its support will ask for.
        retry_after: How many seconds the server asked to wait before the next request. As large as
            it said: cap it.
        organizations: The organizations to choose from, when the server named them with
            `ActionRequiredError`.
        pending_authentication_token: WorkOS's secret with which a server-side component can
            complete the step.
    """

    kind: str = "internal"

    def __init__(
        self,
        message: str = "",
        *,
        oauth_error: str | None = None,
        description: str | None = None,
        http_status: int | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        organizations: list[Organization] | None = None,
        pending_authentication_token: Secret | None = None,
    ) -> None:
        super().__init__(message)
        self.oauth_error = oauth_error
        self.description = description
        self.http_status = http_status
        self.request_id = request_id
        self.retry_after = retry_after
        self.organizations = organizations
        self.pending_authentication_token = pending_authentication_token

    def __reduce__(self) -> tuple[Any, ...]:
        # An error goes to other processes; the secret in it stays.
        return type(self), self.args, {**vars(self), "pending_authentication_token": None}


class DeniedError(Error):
    """The user denied the request. Do not start another login unless the user asks for one."""

    kind = "denied"


class ExpiredError(Error):
    """The code, or the time that the program allowed, ran out.

    Start again when the user wants to.
    """

    kind = "expired"


class CancelledError(Error):
    """`Login.cancel` was called. Not `asyncio.CancelledError`, which passes through as it is."""

    kind = "cancelled"


class ActionRequiredError(Error):
    """The server wants something first that only the user can do in a browser.

    To choose an organization, to enrol a second factor, …
    """

    kind = "action_required"


class RejectedError(Error):
    """The server refuses this client or this request.

    A wrong client id, a used refresh token, the device flow not on.

    Trying again changes nothing.
    """

    kind = "rejected"


class UnsupportedError(Error):
    """The server does not offer what was asked for."""

    kind = "unsupported"


class NetworkError(Error):
    """The server was not reached, or said that it cannot answer now. Try again later."""

    kind = "network"


class TlsError(Error):
    """No secure connection.

    The server's certificate was refused. Check the clock, the name and the trusted roots.
    """

    kind = "tls"


class InvalidResponseError(Error):
    """The server answered something that the standards do not allow. Nothing in it was used."""

    kind = "invalid_response"


class InvalidConfigError(Error, ValueError):
    """A setting of the client is wrong. Nothing was sent."""

    kind = "invalid_config"


class MisuseError(Error, ValueError):
    """The call makes no sense: it came too early, or an argument of it has a wrong value.

    `Login.poll` before `Login.start`, a negative `max_wait`, a text with a lone surrogate, …
    """

    kind = "misuse"


class ForkedError(Error):
    """The process was forked after this login was made. Make a new login in the child."""

    kind = "forked"


class BusyError(Error):
    """Another call drives this login, until it returns."""

    kind = "busy"


class InternalError(Error):
    """A defect of this library, or a want of system resources."""

    kind = "internal"


_KINDS: dict[str, type[Error]] = {
    error.kind: error
    for error in (
        DeniedError,
        ExpiredError,
        CancelledError,
        ActionRequiredError,
        RejectedError,
        UnsupportedError,
        NetworkError,
        TlsError,
        InvalidResponseError,
        InvalidConfigError,
        MisuseError,
        ForkedError,
        BusyError,
        InternalError,
    )
}


def error_of(failure: Failure) -> Error:
    """The exception for what the library reported."""
    organizations = failure.organizations()
    pending = failure.pending_authentication_token()
    return _KINDS.get(failure.kind(), Error)(
        str(failure),
        oauth_error=failure.oauth_error(),
        description=failure.description(),
        http_status=failure.http_status(),
        request_id=failure.request_id(),
        retry_after=failure.retry_after(),
        organizations=None
        if organizations is None
        else [Organization(o.id, o.name) for o in organizations],
        pending_authentication_token=None if pending is None else Secret._of(pending),
    )


def defect(panic: Panic) -> InternalError:
    """The exception for a defect in the library."""
    return InternalError(f"a defect of this library, please report it: {panic}")


def call(function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Calls the library, with its errors as exceptions of this package."""
    try:
        return function(*args, **kwargs)
    except Failure as failure:
        raise error_of(failure) from None
    except Panic as panic:
        raise defect(panic) from None
