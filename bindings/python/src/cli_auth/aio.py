"""Logging in from asyncio: the names of `cli_auth`, to be awaited.

    client = cli_auth.aio.Client.authkit("client_123")
    login = client.login()
    prompt = await login.start()
    tokens = await login.poll()

Cancelling the task that awaits cancels the login. (Where a token came at the same moment, it is
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
from ._errors import CancelledError, call, defect, error_of
from ._events import Event, Waiting
from ._login import REVOKE_WITHIN, LoginBase, found_of
from ._native import Failure, Step, wait_for_threads
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
    """One attempt to log in.

    Only one task drives it at a time: a second one gets `BusyError`. Cancelling that task, by a
    timeout for instance, cancels the login. Used as an asynchronous context manager, it is
    cancelled at the end of the block, unless it has its outcome by then.
    """

    __slots__ = ("_owner",)
    # The client has to be known at exit for as long as one of its logins is.
    _owner: Client

    async def start(self) -> Prompt:
        """Asks the server for a code: discovery where needed, then one request.

        Called again, it gives the same prompt.

        Raises:
            Error: Nothing is tried twice here, since a person is waiting: `NetworkError` means "try
                again later".
        """
        prompt = self.prompt
        while prompt is None:
            await self._step(_NO_LIMIT)
            prompt = self.prompt
        return prompt

    async def poll(self, on_event: Callable[[Event], object] | None = None) -> Tokens:
        """Waits for the person's decision.

        Args:
            on_event: Called between the polls, with what there is to tell. If it gives an
                awaitable, that is awaited. An exception of it comes out as it is, and `poll` may be
                called again.

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
            found = await self._step(_NO_LIMIT)
            if isinstance(found, Tokens):
                return found
            if isinstance(found, Event) and on_event is not None:
                try:
                    told = on_event(found)
                    if isawaitable(told):
                        await told
                except BaseException as error:
                    await self._ended_by(error)
                    raise

    async def step(self, max_wait: float) -> Prompt | Event | Waiting | Tokens:
        """Drives the login for at most `max_wait` seconds: the primitive under `start` and `poll`.

        A request that is under way when the time is up goes on: the next step finds its answer, and
        it is never sent again. After the outcome every step gives it again.
        """
        return await self._step(seconds_of("max_wait", max_wait))

    async def _step(self, max_wait: float) -> Prompt | Event | Waiting | Tokens:
        _refuse_at_exit()
        self._take_turn(asyncio.current_task())
        try:
            step = await _call(self._native.step_async(max_wait))
        except BaseException as error:
            await self._ended_by(error)
            raise
        finally:
            self._end_turn()
        if isinstance(step, Step.WAITING):
            return Waiting(step.due_in)
        found = found_of(step)
        self._given = self._given or isinstance(found, Tokens)
        return found

    async def _ended_by(self, error: BaseException) -> None:
        """Gives the login up where its task was cancelled."""
        if isinstance(error, asyncio.CancelledError):
            await self._give_up()
        elif not isinstance(error, Exception):
            self.cancel()

    async def _give_up(self) -> None:
        """Cancels the login, and has a token revoked that came but is in nobody's hands."""
        self.cancel()
        try:
            step = await self._native.step_async(0.0)
            if isinstance(step, Step.AUTHORIZED) and not self._given:
                tokens = step.tokens
                token = tokens.refresh_token() or tokens.access_token()
                await asyncio.wait_for(self._client.revoke_async(token), REVOKE_WITHIN)
        except Exception:
            # It was cancelled, it is driven elsewhere, or the server cannot revoke.
            pass

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._give_up()


class Client(ClientBase):
    """A client of one authorization server, for asyncio.

    All event loops and threads may use it at once.

    Made by `authkit`, `connect`, `discover` or `endpoints`, with the arguments of
    `cli_auth.Client`.
    """

    __slots__ = ()

    def login(self) -> Login:
        """One attempt to log in. No I/O."""
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
