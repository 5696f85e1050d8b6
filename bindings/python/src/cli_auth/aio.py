"""Logging in from asyncio: the names of `cli_auth`, to be awaited.

    client = cli_auth.aio.Client.authkit("client_123")
    login = client.login()
    prompt = await login.start()
    tokens = await login.poll()

Cancelling the task that awaits cancels the login. (Where tokens came at the same moment, they are
revoked first, which may take two seconds.) All logins of a client share one thread of the
library's, however many they are; it ends with the client and its logins.
"""

from __future__ import annotations

import asyncio
import atexit
from inspect import isawaitable
from weakref import WeakSet

from ._check import seconds_of
from ._client import ClientBase
from ._errors import CancelledError, MisuseError, call, defect, error_of
from ._events import Event, Waiting
from ._login import LoginBase, found_of, next_number
from ._native import Failure, wait_for_threads
from ._native import InternalError as Panic
from ._prompt import Prompt
from ._secret import Secret, secret_of
from ._tokens import Tokens

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import TracebackType
    from typing import TypeVar

    from typing_extensions import Self

    _T = TypeVar("_T")

__all__ = ["Client", "Login"]

_NO_LIMIT = float("inf")


async def _call(awaitable: Awaitable[_T]) -> _T:
    """Awaits the library, with its errors as exceptions of this package."""
    try:
        return await awaitable
    except Failure as failure:
        raise error_of(failure) from None
    except Panic as panic:
        raise defect(panic) from None


class Login(LoginBase):
    """A single login attempt.

    Only one task drives it at a time. Until a `start`, `poll` or `step` has returned, every other
    one raises `BusyError`, also from `on_event`. Cancelling that task, by a timeout for instance,
    cancels the login. Used as an asynchronous context manager, the login is cancelled at the end of
    the block, unless it has its outcome by then.
    """

    __slots__ = ("_owner",)
    # The client has to be known at exit for as long as one of its logins is.
    _owner: Client

    async def start(self) -> Prompt:
        """Asks the server for a code: discovery where needed, then one request.

        Called again, it returns the same prompt.

        Raises:
            Error: Nothing is tried twice here, since a user is waiting: `NetworkError` means "try
                again later".
        """
        return await self._drive(self._start)

    async def poll(self, on_event: Callable[[Event], object] | None = None) -> Tokens:
        """Waits for the user's decision.

        Args:
            on_event: Called between the polls, with what there is to report. If it returns an
                awaitable, that is awaited. An exception of it comes out as it is, and `poll` may be
                called again.

        Raises:
            DeniedError, ExpiredError, CancelledError, ActionRequiredError: The ends that every
                program meets.
            MisuseError: `start` was not called: the user has not seen the code.
            Error: Other ends. Transport trouble is not one: it is reported as a `Retrying` event,
                and the login goes on.
        """
        if on_event is not None and not callable(on_event):
            raise TypeError(f"on_event must be callable, not {type(on_event).__name__}")
        return await self._drive(self._poll, on_event)

    async def step(self, max_wait: float) -> Prompt | Event | Waiting | Tokens:
        """Drives the login for at most `max_wait` seconds: the primitive under `start` and `poll`.

        A request that is under way when the time is up goes on: the next step finds its response,
        and it is never sent again. After the outcome every step returns it again.
        """
        return await self._drive(self._step, seconds_of("max_wait", max_wait, MisuseError))

    async def _drive(self, run: Callable[..., Awaitable[_T]], *args: object) -> _T:
        """Awaits it as the one call that drives the login, under a number of its own.

        A Ctrl-C may fall between any two byte codes, so each way out releases twice. Where this
        call does not hold the login, that changes nothing.
        """
        number = next_number()
        try:
            call(self._native.claim, number)
            found = await run(number, *args)
            self._native.release(number)
            return found
        except BaseException as error:
            await self._ended_by(error, number)
            self._native.release(number)
            raise
        finally:
            self._native.release(number)

    async def _start(self, number: int) -> Prompt:
        while True:
            prompt = self.prompt
            if prompt is not None:
                return prompt
            await self._step(number, _NO_LIMIT)

    async def _poll(self, number: int, on_event: Callable[[Event], object] | None) -> Tokens:
        call(self._native.check_started, number)
        while True:
            found = await self._step(number, _NO_LIMIT)
            if isinstance(found, Tokens):
                return found
            if isinstance(found, Event) and on_event is not None:
                result = on_event(found)
                if isawaitable(result):
                    await result

    async def _step(self, number: int, max_wait: float) -> Prompt | Event | Waiting | Tokens:
        _refuse_at_exit()
        return found_of(await _call(self._native.step_async(number, max_wait)))

    async def _ended_by(self, error: BaseException, number: int) -> None:
        """Gives the login up where its task was cancelled or the program is ending."""
        if isinstance(error, GeneratorExit):
            # The coroutine was closed, perhaps by the garbage collector on the library's thread:
            # nothing may be awaited, and nothing may block.
            self.cancel()
        elif isinstance(error, asyncio.CancelledError):
            await self._abandon_async(number)
        elif not isinstance(error, Exception):
            # The loop is ending.
            self._abandon(number)

    async def _abandon_async(self, number: int) -> None:
        """Cancels the login, and has tokens revoked that came and that no call returned."""
        self.cancel()
        try:
            await self._native.abandon_async(number)
        except Exception:
            # The interpreter is exiting.
            pass

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._abandon_async(next_number())


class Client(ClientBase):
    """A client of one authorization server, for asyncio.

    All event loops and threads may use it at once.

    Made by `authkit`, `workos_connect`, `for_issuer` or `with_endpoints`, with the arguments of
    `cli_auth.Client`.
    """

    __slots__ = ()

    def login(self) -> Login:
        """A single login attempt. No I/O."""
        login = Login._of(self._native)
        login._owner = self
        _in_use.add(self)
        return login

    async def refresh(self, refresh_token: Secret | str) -> Tokens:
        """As `cli_auth.Client.refresh`.

        Cancelling the task ends the request; the token may have been used then.
        """
        token = secret_of("refresh_token", refresh_token)
        # A traceback that shows locals must not show it.
        del refresh_token
        _in_use.add(self)
        _refuse_at_exit()
        return Tokens._of(await _call(self._native.refresh_async(token)))

    async def revoke(self, token: Secret | str) -> None:
        """As `cli_auth.Client.revoke`.

        Cancelling the task ends the request; the token may live on then.
        """
        native = secret_of("token", token)
        del token
        _in_use.add(self)
        _refuse_at_exit()
        await _call(self._native.revoke_async(native))

    def __repr__(self) -> str:
        return f"<cli_auth.aio.{type(self).__name__}>"


# The library's thread wakes event loops, and a thread that enters an interpreter which is going
# away ends the process. So at exit every client's thread is ended first, and none is begun any
# more.
_in_use: WeakSet[Client] = WeakSet()
_exiting = False


def _refuse_at_exit() -> None:
    if _exiting:
        raise CancelledError("the interpreter is exiting")


def _clients_in_use() -> list[Client]:
    while True:
        try:
            return list(_in_use)
        except RuntimeError:
            # Another thread made one meanwhile.
            continue


@atexit.register
def _end_threads() -> None:
    global _exiting
    _exiting = True
    for client in _clients_in_use():
        try:
            client._native.shut_down()
        except Exception:
            # A client that was inherited through a fork, in the middle of a call: its thread is not
            # here.
            pass
    # Those of clients that are gone already may be on their way out still.
    wait_for_threads()
