"""What a login reports while it waits."""

from __future__ import annotations

from ._native import Event as NativeEvent
from ._record import Record


class Event(Record):
    """Something the user may want to see while the login waits. The base of all events.

    None of them is an error, and none needs an answer: the login goes on by itself. There is one
    after every poll that did not decide (RFC 8628 section 3.5). It holds no text of the server and
    no secret. More kinds may come: leave the unknown ones alone.
    """

    __slots__ = ()


class Pending(Event):
    """The user has not approved yet (RFC 8628 section 3.5, ``authorization_pending``).

    Attributes:
        next_poll_in: Seconds until the next poll.
        expires_in: Seconds until the code is worthless.
    """

    __slots__ = ("expires_in", "next_poll_in")
    __match_args__ = ("next_poll_in", "expires_in")

    def __init__(self, next_poll_in: float, expires_in: float) -> None:
        self.next_poll_in = next_poll_in
        self.expires_in = expires_in


class SlowedDown(Event):
    """The server asked for more time between polls (``slow_down``).

    Attributes:
        interval: The new interval in seconds, for this and all later polls.
    """

    __slots__ = ("interval",)
    __match_args__ = ("interval",)

    def __init__(self, interval: float) -> None:
        self.interval = interval


class Retrying(Event):
    """The server was not reached or could not answer; the login goes on.

    Attributes:
        reason: A word for programs: ``"http_502"``, ``"timeout"``, ``"dns"``, ``"connect"``,
            ``"connection_lost"``, ``"tls"``, ``"malformed_response"``.
        attempt: How many times in a row something went wrong, from 1.
        retry_in: Seconds until the next poll.
    """

    __slots__ = ("attempt", "reason", "retry_in")
    __match_args__ = ("reason", "attempt", "retry_in")

    def __init__(self, reason: str, attempt: int, retry_in: float) -> None:
        self.reason = reason
        self.attempt = attempt
        self.retry_in = retry_in


class Resumed(Event):
    """The machine was asleep.

    Attributes:
        suspended_for: How long it slept, in seconds.
    """

    __slots__ = ("suspended_for",)
    __match_args__ = ("suspended_for",)

    def __init__(self, suspended_for: float) -> None:
        self.suspended_for = suspended_for


class Waiting(Record):
    """What a step returns when there is nothing yet.

    Attributes:
        due_in: How many seconds nothing will happen. 0 while a request is under way: step again,
            with a wait that you can afford.
    """

    __slots__ = ("due_in",)
    __match_args__ = ("due_in",)

    def __init__(self, due_in: float) -> None:
        self.due_in = due_in


def event_of(native: NativeEvent) -> Event:
    """The event for what the library reported."""
    if isinstance(native, NativeEvent.PENDING):
        return Pending(native.next_poll_in, native.expires_in)
    if isinstance(native, NativeEvent.SLOWED_DOWN):
        return SlowedDown(native.interval)
    if isinstance(native, NativeEvent.RETRYING):
        return Retrying(native.reason, native.attempt, native.retry_in)
    if isinstance(native, NativeEvent.RESUMED):
        return Resumed(native.suspended_for)
    raise AssertionError(native)
