"""One attempt to log in, for programs that block."""

from __future__ import annotations

from _thread import allocate_lock, get_ident
from os import getpid
from time import monotonic

from . import _native as ffi
from ._check import seconds_of
from ._errors import BusyError, call
from ._events import Event, Waiting, event_of
from ._prompt import Prompt
from ._secret import Opaque
from ._tokens import Tokens

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _thread import LockType
    from collections.abc import Callable
    from types import TracebackType

    from typing_extensions import Self

# Longest stay inside the library in one piece. Python sees a Ctrl-C when the call returns.
SLICE = 0.02

# Longest wait for the revocation of a token that came too late, in seconds, as in the library.
REVOKE_WITHIN = 2.0

# Longest wait in one piece. Python's clock stands still while the machine is suspended, the
# library's goes on.
LONGEST_NAP = 5.0


class LoginBase(Opaque):
    """What logins have in common, blocking or not."""

    __slots__ = ("_client", "_given", "_native", "_pid", "_turn", "_wake")
    _client: ffi.Client
    _given: bool
    _native: ffi.Login
    _pid: int
    _turn: dict[str, object]
    _wake: LockType

    def __init__(self) -> None:
        raise TypeError("a login comes from Client.login()")

    @classmethod
    def _of(cls, client: ffi.Client) -> Self:
        login = cls.__new__(cls)
        login._client = client
        login._native = client.login()
        # Whether the tokens are in somebody's hands.
        login._given = False
        login._pid = getpid()
        login._turn = {}
        # Let go of by `cancel`, to wake who waits. A bare lock, since a signal handler may do so on
        # the waiting thread.
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
        often as you like; after the outcome it changes nothing. A token that was read but not given
        out yet is revoked where the server can.
        """
        self._native.cancel()
        try:
            self._wake.release()
        except RuntimeError:
            # Nobody has waited since the last time.
            pass

    def _take_turn(self, driver: object) -> None:
        """Makes this thread or task the one that drives the login."""
        # By name and not by a lock: where a Ctrl-C falls between this and what gives the turn back,
        # its thread can go on. After a fork the driver may be gone; the library then says so.
        if self._turn.setdefault("driver", driver) != driver and self._pid == getpid():
            raise BusyError("this login is driven by another call already")

    def _end_turn(self) -> None:
        self._turn.clear()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(prompt={self.prompt!r})"


class Login(LoginBase):
    """One attempt to log in.

    All threads may use it, but only one call drives it at a time: a second one gets `BusyError`.
    Used as a context manager, it is cancelled at the end of the block, unless it has its outcome by
    then.

    `KeyboardInterrupt` comes out of every call at once and cancels the login. (Where a token came
    at the same moment, it is revoked first, which may take two seconds.) A login that was inherited
    through a fork raises `ForkedError`.
    """

    __slots__ = ()

    def start(self) -> Prompt:
        """Asks the server for a code.

        Discovery where needed, then one request. Blocks until there is an answer.

        Called again, it gives the same prompt.

        Raises:
            Error: Nothing is tried twice here, since a person is waiting: `NetworkError` means "try
                again later".
        """
        prompt = self.prompt
        while prompt is None:
            self._step(None)
            prompt = self.prompt
        return prompt

    def poll(self, on_event: Callable[[Event], object] | None = None) -> Tokens:
        """Waits for the person's decision.

        Args:
            on_event: Called on this thread between the polls, with what there is to tell. An
                exception of it comes out as it is, and `poll` may be called again;
                `KeyboardInterrupt` and `SystemExit` cancel the login.

        Raises:
            DeniedError, ExpiredError, CancelledError, ActionRequiredError: The ends that every
                program meets.
            Error: Other ends. Transport trouble is none: it is told as a `Retrying` event, and the
                login goes on.
        """
        if on_event is not None and not callable(on_event):
            raise TypeError(f"on_event must be callable, not {type(on_event).__name__}")
        call(self._native.check_started)
        while True:
            found = self._step(None)
            if isinstance(found, Tokens):
                return found
            if isinstance(found, Event) and on_event is not None:
                try:
                    told = on_event(found)
                    if hasattr(told, "__await__"):
                        raise TypeError("on_event is a coroutine function: cli_auth.aio awaits it")
                except BaseException as error:
                    self._ended_by(error)
                    raise

    def step(self, max_wait: float) -> Prompt | Event | Waiting | Tokens:
        """Drives the login for at most `max_wait` seconds: the primitive under `start` and `poll`.

        For programs with an event loop of their own. 0 does not block, but for the step that ends a
        cancelled login: revoking a token that came too late may take it two seconds. A request that
        is under way when the time is up goes on: the next step finds its answer, and it is never
        sent again. After the outcome every step gives it again.
        """
        return self._step(monotonic() + seconds_of("max_wait", max_wait))

    def _step(self, until: float | None) -> Prompt | Event | Waiting | Tokens:
        """Goes on to the next thing that somebody has to know, but not beyond `until`.

        Between requests this waits here and not in the library, so that signals get through.
        """
        self._take_turn(get_ident())
        try:
            stay = 0.0
            while True:
                step = call(self._native.step, stay)
                if not isinstance(step, ffi.Step.WAITING):
                    found = found_of(step)
                    self._given = self._given or isinstance(found, Tokens)
                    return found
                left = LONGEST_NAP if until is None else until - monotonic()
                if left <= 0:
                    return Waiting(step.due_in)
                if step.due_in > 0:
                    self._wake.acquire(True, min(step.due_in, left, LONGEST_NAP))
                    left = SLICE if until is None else max(until - monotonic(), 0.0)
                stay = min(left, SLICE)
        except BaseException as error:
            self._ended_by(error)
            raise
        finally:
            self._end_turn()

    def _ended_by(self, error: BaseException) -> None:
        """Gives the login up at Ctrl-C and its like."""
        if not isinstance(error, Exception):
            self._give_up()

    def _give_up(self) -> None:
        """Cancels the login, and has a token revoked that came but is in nobody's hands."""
        self.cancel()
        try:
            step = self._native.step(0.0)
            if isinstance(step, ffi.Step.AUTHORIZED) and not self._given:
                tokens = step.tokens
                revocation = self._client.begin_revoke(
                    tokens.refresh_token() or tokens.access_token()
                )
                until = monotonic() + REVOKE_WITHIN
                while not revocation.step(SLICE) and monotonic() < until:
                    pass
        except Exception:
            # It was cancelled, it is driven elsewhere, or the server cannot revoke.
            pass

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._give_up()


def found_of(step: ffi.Step) -> Prompt | Event | Tokens:
    """What a step brought."""
    if isinstance(step, ffi.Step.EVENT):
        return event_of(step.event)
    if isinstance(step, ffi.Step.PROMPT):
        return Prompt._of(step.prompt)
    if isinstance(step, ffi.Step.AUTHORIZED):
        return Tokens._of(step.tokens)
    raise AssertionError(step)
