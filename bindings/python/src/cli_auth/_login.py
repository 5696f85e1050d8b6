"""A single login attempt, for programs that block."""

from __future__ import annotations

from _thread import allocate_lock
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

# Longest stay inside the library in one piece. Python sees a Ctrl-C when the call returns.
SLICE = 0.02

# Longest wait in one piece. Python's clock stands still while the machine is suspended, the
# library's goes on.
LONGEST_WAIT = 5.0

# A number for each call that drives a login. The library knows the call by it.
next_number = count(1).__next__


class LoginBase(Opaque):
    """What logins have in common, blocking or not."""

    __slots__ = ("_native", "_wake")
    _native: ffi.Login
    _wake: LockType

    def __init__(self) -> None:
        raise TypeError("a login comes from Client.login()")

    @classmethod
    def _of(cls, client: ffi.Client) -> Self:
        login = cls.__new__(cls)
        login._native = client.login()
        # Released by `cancel`, to wake the call that waits. A bare lock, since a signal handler may
        # do so on the waiting thread.
        login._wake = allocate_lock()
        login._wake.acquire()
        return login

    @property
    def prompt(self) -> Prompt | None:
        """The prompt, once there is one."""
        native = self._native.prompt()
        return None if native is None else Prompt._of(native)

    def cancel(self) -> None:
        """Ends the login.

        The call that drives it raises `CancelledError` at once, whatever it waits for.

        So does every later one. It may be called from any thread and from a signal handler, as
        often as you like; after the outcome it changes nothing. Tokens that have come and were not
        returned yet are revoked where the server can.
        """
        self._native.cancel()
        try:
            self._wake.release()
        except RuntimeError:
            # No call has waited since the last time.
            pass

    def _abandon(self, number: int) -> None:
        """Cancels the login, and has tokens revoked that came and that no call returned."""
        # Also wakes another call that waits; it then does the rest.
        self.cancel()
        call(self._native.abandon, number)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(prompt={self.prompt!r})"


class Login(LoginBase):
    """A single login attempt.

    All threads may use it, but only one call drives it at a time. Until a `start`, `poll` or `step`
    has returned, every other one raises `BusyError`, also from `on_event`. Used as a context
    manager, the login is cancelled at the end of the block, unless it has its outcome by then.

    `KeyboardInterrupt` comes out of every call at once and cancels the login. (Where tokens came at
    the same moment, they are revoked first, which may take two seconds.) A login that was inherited
    through a fork raises `ForkedError`.
    """

    __slots__ = ()

    def start(self) -> Prompt:
        """Asks the server for a code.

        Discovery where needed, then one request. Blocks until there is a response.

        Called again, it returns the same prompt.

        Raises:
            Error: Nothing is tried twice here, since a user is waiting: `NetworkError` means "try
                again later".
        """
        return self._drive(self._start)

    def poll(self, on_event: Callable[[Event], object] | None = None) -> Tokens:
        """Waits for the user's decision.

        Args:
            on_event: Called on this thread between the polls, with what there is to report. An
                exception of it comes out as it is, and `poll` may be called again;
                `KeyboardInterrupt` and `SystemExit` cancel the login.

        Raises:
            DeniedError, ExpiredError, CancelledError, ActionRequiredError: The ends that every
                program meets.
            MisuseError: `start` was not called: the user has not seen the code.
            Error: Other ends. Transport trouble is not one: it is reported as a `Retrying` event,
                and the login goes on.
        """
        if on_event is not None and not callable(on_event):
            raise TypeError(f"on_event must be callable, not {type(on_event).__name__}")
        return self._drive(self._poll, on_event)

    def step(self, max_wait: float) -> Prompt | Event | Waiting | Tokens:
        """Drives the login for at most `max_wait` seconds: the primitive under `start` and `poll`.

        For programs with an event loop of their own. 0 does not block, but for the step that ends a
        cancelled login: revoking tokens that came too late may take it two seconds. A request that
        is under way when the time is up goes on: the next step finds its response, and it is never
        sent again. After the outcome every step returns it again.
        """
        return self._drive(self._step, monotonic() + seconds_of("max_wait", max_wait, MisuseError))

    def _drive(self, run: Callable[..., _T], *args: object) -> _T:
        """Runs it as the one call that drives the login, under a number of its own.

        A Ctrl-C may fall between any two byte codes, so each way out releases twice. Where this
        call does not hold the login, that changes nothing.
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
            prompt = self.prompt
            if prompt is not None:
                return prompt
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
        """Goes on to the next thing to report, but not beyond `until`.

        Between requests this waits here and not in the library, so that signals get through.
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
                self._wake.acquire(True, min(found.due_in, left, LONGEST_WAIT))
                left = SLICE if until is None else max(until - monotonic(), 0.0)
            stay = min(left, SLICE)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._abandon(next_number())


def found_of(step: ffi.Step) -> Prompt | Event | Waiting | Tokens:
    """What a step found."""
    if isinstance(step, ffi.Step.WAITING):
        return Waiting(step.due_in)
    if isinstance(step, ffi.Step.EVENT):
        return event_of(step.event)
    if isinstance(step, ffi.Step.PROMPT):
        return Prompt._of(step.prompt)
    if isinstance(step, ffi.Step.AUTHORIZED):
        return Tokens._of(step.tokens)
    raise AssertionError(step)
