"""Events that a login reports while it waits."""

from __future__ import annotations

from ._native import Event as NativeEvent
from ._record import Record


class Event(Record):
    """The base class of all events: progress that the user may want to see.

    No event is an error, and none needs a reaction; the login continues by itself. Every poll
    without a decision is followed by one (RFC 8628 section 3.5), unless it was the last one before
    the code expires. All text is sanitised and contains no secret. Later versions may add events;
    ignore unknown ones.
    """

    __slots__ = ()


class Pending(Event):
    """The user has not approved yet (RFC 8628 section 3.5, ``authorization_pending``).

    Attributes:
        next_poll_in: Seconds until the next poll.
        expires_in: Seconds until the code expires.
    """

    __slots__ = ("expires_in", "next_poll_in")
    __match_args__ = ("next_poll_in", "expires_in")

    def __init__(self, next_poll_in: float, expires_in: float) -> None:
        self.next_poll_in = next_poll_in
        self.expires_in = expires_in


class SlowedDown(Event):
    """The server asked for a longer polling interval (``slow_down``).

    Attributes:
        interval: The new interval in seconds, for this and all later polls.
    """

    __slots__ = ("interval",)
    __match_args__ = ("interval",)

    def __init__(self, interval: float) -> None:
        self.interval = interval


class Retrying(Event):
    """A poll failed; the login continues and polls again.

    Attributes:
        reason: The cause, for programs: ``"http_502"`` (any HTTP status), ``"timeout"``, ``"dns"``,
            ``"connect"``, ``"connection_lost"``, ``"tls"``, ``"certificate"``,
            ``"malformed_response"`` or ``"blocked"`` (a bot check, a captive portal or a gateway
            has responded).
        attempt: The number of consecutive failures, starting at 1.
        retry_in: Seconds until the next poll.
        request_id: The request ID from the server, as in `Error.request_id`. None if there was no
            response, or if it has none.
    """

    __slots__ = ("attempt", "reason", "request_id", "retry_in")
    __match_args__ = ("reason", "attempt", "retry_in", "request_id")

    def __init__(
        self, reason: str, attempt: int, retry_in: float, request_id: str | None = None
    ) -> None:
        self.reason = reason
        self.attempt = attempt
        self.retry_in = retry_in
        self.request_id = request_id


class Resumed(Event):
    """The machine was suspended and has resumed.

    Attributes:
        suspended_for: How long it was suspended, in seconds.
    """

    __slots__ = ("suspended_for",)
    __match_args__ = ("suspended_for",)

    def __init__(self, suspended_for: float) -> None:
        self.suspended_for = suspended_for


class IdentityUnverified(Event):
    """The user approved, but the ID token was not verified.

    The keys of the server could not be fetched. The tokens follow, without a `Tokens.identity`.

    Attributes:
        message: Why there are no keys, as a sentence for the user.
    """

    __slots__ = ("message",)
    __match_args__ = ("message",)

    def __init__(self, message: str) -> None:
        self.message = message


class Waiting(Record):
    """The result of a step that has nothing to report yet.

    Attributes:
        due_in: Seconds until the next action of the login. 0 while a request is in flight: call
            `step` again, with as long a `max_wait` as the program can afford.
    """

    __slots__ = ("due_in",)
    __match_args__ = ("due_in",)

    def __init__(self, due_in: float) -> None:
        self.due_in = due_in


def event_of(native: NativeEvent) -> Event:
    """Return the public event for an event of the library."""
    if isinstance(native, NativeEvent.PENDING):
        return Pending(native.next_poll_in, native.expires_in)
    if isinstance(native, NativeEvent.SLOWED_DOWN):
        return SlowedDown(native.interval)
    if isinstance(native, NativeEvent.RETRYING):
        return Retrying(native.reason, native.attempt, native.retry_in, native.request_id)
    if isinstance(native, NativeEvent.RESUMED):
        return Resumed(native.suspended_for)
    if isinstance(native, NativeEvent.IDENTITY_UNVERIFIED):
        return IdentityUnverified(native.message)
    raise AssertionError(native)
