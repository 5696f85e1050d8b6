"""A single login attempt, with blocking calls."""

from __future__ import annotations

import _thread
import time
from itertools import count
from time import monotonic

from . import _native as ffi
from ._check import seconds_of
from ._errors import MisuseError, call
from ._events import Event, Waiting, event_of
from ._prompt import Prompt
from ._secret import Opaque
from ._tokens import Tokens

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _thread import LockType
    from collections.abc import Callable
    from types import TracebackType
    from typing import TypeVar

    from typing_extensions import Self

    _T = TypeVar("_T")

# Longest single call into the library, in seconds. Python handles Ctrl-C only after it returns.
SLICE = 0.02

# Longest single wait, in seconds. Python's clock stops while the machine is suspended; the
# library's clock does not.
LONGEST_WAIT = 5.0

# Returns a number for each call that drives a login. The library identifies the call by it.
next_number = count(1).__next__


class LoginBase(Opaque):
    """The common base of the blocking and the asyncio login."""

    __slots__ = ("_native", "_wake")
    _native: ffi.Login
    _wake: LockType

    def __init__(self) -> None:
        raise TypeError("a login comes from Client.login()")

    @classmethod
    def _of(cls, client: ffi.Client) -> Self:
        login = cls.__new__(cls)
        login._native = client.login()
        # `cancel` releases this lock to wake a waiting call. It is a plain lock because a signal
        # handler may call `cancel` on the waiting thread.
        login._wake = _thread.allocate_lock()
        login._wake.acquire()
        return login

    @property
    def prompt(self) -> Prompt | None:
        """The prompt, or None before the server has issued a code."""
        native = self._native.prompt()
        return None if native is None else Prompt._of(native)

    def cancel(self) -> None:
        """Cancel the login.

        The call that drives the login raises `CancelledError` immediately, whatever it is waiting
        for. Every later call raises it too.

        This method may be called from any thread, from a signal handler, and more than once. After
        the outcome it has no effect. Tokens that have arrived but were not returned yet are revoked
        if the server supports revocation.
        """
        self._native.cancel()
        try:
            self._wake.release()
        except RuntimeError:
            # Already released: no call has waited since the previous `cancel`.
            pass

    def _abandon(self, number: int) -> None:
        """Cancel the login, and revoke tokens that have arrived but that no call has returned."""
        # This also wakes a call on another thread, which then revokes the tokens itself.
        self.cancel()
        call(self._native.abandon, number)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(prompt={self.prompt!r})"


class Login(LoginBase):
    """A single login attempt.

    A login may be shared between threads, but only one call drives it at a time. Until a `start`,
    `poll` or `step` has returned, every other such call raises `BusyError`, including calls from
    `on_event`. As a context manager, the login is cancelled at the end of the block unless it has
    an outcome by then.

    Ctrl-C raises `KeyboardInterrupt` from every call immediately and cancels the login. Tokens that
    arrive at the same moment are revoked first, which may take up to two seconds. In a forked
    child, a login that was created in the parent raises `ForkedError`.
    """

    __slots__ = ()

    def start(self) -> Prompt:
        """Request a code from the server.

        Performs discovery if needed, then sends one request, or a second one without PKCE if the
        server refuses PKCE. Blocks until the response arrives.
        Further calls return the same prompt, or raise the error of a login that has failed.

        Raises:
            Error: The login failed. Nothing is retried here because the user is waiting; on
                `NetworkError`, try again later.
        """
        return self._drive(self._start)

    def poll(self, on_event: Callable[[Event], object] | None = None) -> Tokens:
        """Wait for the user's decision.

        Args:
            on_event: Called on this thread between polls, with the event to report. Its exceptions
                propagate unchanged, and `poll` may then be called again; `KeyboardInterrupt` and
                `SystemExit` cancel the login.

        Raises:
            DeniedError, ExpiredError, CancelledError, ActionRequiredError: The outcomes that every
                program should handle.
            MisuseError: `start` was not called, so the user has not seen the code.
            Error: Another failure. Transport errors are not raised; they are reported as a
                `Retrying` event, and the login continues.
        """
        if on_event is not None and not callable(on_event):
            raise TypeError(f"on_event must be callable, not {type(on_event).__name__}")
        return self._drive(self._poll, on_event)

    def step(self, max_wait: float) -> Prompt | Event | Waiting | Tokens:
        """Drive the login for at most `max_wait` seconds.

        This is the primitive under `start` and `poll`, for programs with their own event loop. With
        0 it does not block, except for the step that ends a cancelled login: revoking tokens that
        arrived too late may take up to two seconds. A request that is in flight when the time is
        up continues; a later step receives its response, and it is never sent again. After the
        outcome, every step returns or raises that outcome again.
        """
        return self._drive(self._step, monotonic() + seconds_of("max_wait", max_wait, MisuseError))

    def _drive(self, run: Callable[..., _T], *args: object) -> _T:
        """Claim the login under a new number, call `run`, and release the login.

        A Ctrl-C may occur between any two bytecode instructions, so every exit path releases twice.
        A release has no effect if this call does not hold the login.
        """
        number = next_number()
        try:
            call(self._native.claim, number)
            found = run(number, *args)
            self._native.release(number)
            return found
        except BaseException as error:
            if not isinstance(error, Exception):
                self._abandon(number)
            self._native.release(number)
            raise
        finally:
            self._native.release(number)

    def _start(self, number: int) -> Prompt:
        while True:
            prompt = call(self._native.started, number)
            if prompt is not None:
                return Prompt._of(prompt)
            self._step(number, None)

    def _poll(self, number: int, on_event: Callable[[Event], object] | None) -> Tokens:
        call(self._native.check_started, number)
        while True:
            found = self._step(number, None)
            if isinstance(found, Tokens):
                return found
            if isinstance(found, Event) and on_event is not None:
                result = on_event(found)
                if hasattr(result, "__await__"):
                    raise TypeError("on_event is a coroutine function: cli_auth.aio awaits it")

    def _step(self, number: int, until: float | None) -> Prompt | Event | Waiting | Tokens:
        """Drive the login to its next result, but not beyond `until`.

        Between requests this waits in Python, not in the library, so that signals are handled.
        """
        stay = 0.0
        while True:
            found = found_of(call(self._native.step, number, stay))
            if not isinstance(found, Waiting):
                return found
            left = LONGEST_WAIT if until is None else until - monotonic()
            if left <= 0:
                return found
            if found.due_in > 0:
                # gevent's lock does not wake a greenlet of another thread.
                longest = 0.1 if has_gevent_patched() else LONGEST_WAIT
                self._wake.acquire(True, min(found.due_in, left, longest))
                left = SLICE if until is None else max(until - monotonic(), 0.0)
            stay = slice_of(left)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._abandon(next_number())


def has_gevent_patched() -> bool:
    """Return whether `time.sleep` runs other greenlets."""
    return getattr(time.sleep, "__module__", None) == "gevent.hub"


def slice_of(left: float) -> float:
    """Return how long the next call into the library may block, in seconds.

    A call blocks all greenlets of its thread. If gevent has patched the program, this function
    waits instead, and other greenlets run meanwhile.
    """
    if not has_gevent_patched():
        return min(left, SLICE)
    time.sleep(min(left, SLICE / 4))
    return 0.0


def found_of(step: ffi.Step) -> Prompt | Event | Waiting | Tokens:
    """Return the public result of a step."""
    if isinstance(step, ffi.Step.WAITING):
        return Waiting(step.due_in)
    if isinstance(step, ffi.Step.EVENT):
        return event_of(step.event)
    if isinstance(step, ffi.Step.PROMPT):
        return Prompt._of(step.prompt)
    if isinstance(step, ffi.Step.AUTHORIZED):
        return Tokens._of(step.tokens)
    raise AssertionError(step)
