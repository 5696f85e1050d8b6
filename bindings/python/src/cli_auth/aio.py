"""The asyncio API, with the same names as `cli_auth`.

    client = cli_auth.aio.Client.authkit("client_123")
    login = client.login()
    prompt = await login.start()
    tokens = await login.poll()

Cancelling the awaiting task cancels the login. Tokens that arrive at the same moment are revoked
first, which may take up to two seconds. All logins of a client share one thread of the library,
which ends with the client and its logins.

All calls must be awaited in a task of asyncio. Elsewhere they raise `cli_auth.MisuseError`.
"""

from __future__ import annotations

import asyncio
import atexit
from inspect import isawaitable
from threading import current_thread
from weakref import WeakSet

from ._check import seconds_of
from ._client import ClientBase, options_of, subject_of
from ._errors import CancelledError, MisuseError, call, defect, error_of
from ._events import Event, Waiting
from ._exit import Exiting, gate
from ._identity import Identity
from ._lean import wake
from ._login import LoginBase, found_of, next_number
from ._native import Failure, wait_for_threads
from ._native import InternalError as Panic
from ._native.cli_auth_native import _UniffiContinuationHandleMap as _waiting
from ._prompt import Prompt
from ._secret import Secret, secret_of
from ._tokens import Tokens

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from types import TracebackType
    from typing import TypeVar

    from typing_extensions import Self

    from ._client import Pairs

    _T = TypeVar("_T")

__all__ = ["Client", "Login"]

_NO_LIMIT = float("inf")
# UniFFI's code for a future that must be polled again.
_GO_ON = 1


async def _call(awaitable: Awaitable[_T]) -> _T:
    """Await the library and raise its errors as exceptions of this package."""
    try:
        return await awaitable
    except Failure as failure:
        raise error_of(failure) from None
    except Panic as panic:
        raise defect(panic) from None
    except Exiting:
        pass
    if current_thread().daemon:
        # Python ends this thread silently. An exception would be printed first.
        await asyncio.get_running_loop().create_future()
    raise CancelledError("the interpreter is exiting")


def _check_task() -> None:
    """Raise `MisuseError` outside a task of asyncio. Nothing else can await the library."""
    try:
        task = asyncio.current_task()
    except RuntimeError:
        # No event loop is running, or one that is not asyncio's.
        task = None
    if task is None:
        raise MisuseError(
            "cli_auth.aio can only be awaited in a task of asyncio; with trio or another event "
            "loop, call the blocking API (cli_auth.Client) in a thread"
        )


class Login(LoginBase):
    """A single login attempt.

    Only one task drives it at a time. Until a `start`, `poll` or `step` has returned, every other
    such call raises `BusyError`, including calls from `on_event`. Cancelling the task, for example
    by a timeout, cancels the login. As an asynchronous context manager, the login is cancelled at
    the end of the block unless it has an outcome by then.
    """

    __slots__ = ("_owner",)
    # Keeps the client in `_in_use` for as long as one of its logins exists.
    _owner: Client

    async def start(self) -> Prompt:
        """Request a code from the server.

        Performs discovery if needed, then sends one request, or a second one without PKCE if the
        server refuses PKCE. Further calls return the same prompt, or raise the error of a login
        that has failed.

        Raises:
            Error: The login failed. Nothing is retried here because the user is waiting; on
                `NetworkError`, try again later.
        """
        return await self._drive(self._start)

    async def poll(self, on_event: Callable[[Event], object] | None = None) -> Tokens:
        """Wait for the user's decision.

        Args:
            on_event: Called between polls, with the event to report. If it returns an awaitable,
                that is awaited. Its exceptions propagate unchanged, and `poll` may then be called
                again.

        Raises:
            DeniedError, ExpiredError, CancelledError, ActionRequiredError: The outcomes that every
                program should handle.
            MisuseError: `start` was not called, so the user has not seen the code.
            Error: Another failure. Transport errors are not raised; they are reported as a
                `Retrying` event, and the login continues.
        """
        if on_event is not None and not callable(on_event):
            raise TypeError(f"on_event must be callable, not {type(on_event).__name__}")
        return await self._drive(self._poll, on_event)

    async def step(self, max_wait: float) -> Prompt | Event | Waiting | Tokens:
        """Drive the login for at most `max_wait` seconds.

        This is the primitive under `start` and `poll`. A request that is in flight when the time is
        up continues; a later step receives its response, and it is never sent again. After the
        outcome, every step returns or raises that outcome again.
        """
        return await self._drive(self._step, seconds_of("max_wait", max_wait, MisuseError))

    async def _drive(self, run: Callable[..., Awaitable[_T]], *args: object) -> _T:
        """Claim the login under a new number, await `run`, and release the login.

        A Ctrl-C may occur between any two bytecode instructions, so every exit path releases twice.
        A release has no effect if this call does not hold the login.
        """
        _check_task()
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
            prompt = call(self._native.started, number)
            if prompt is not None:
                return Prompt._of(prompt)
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
        return found_of(await _call(self._native.step_async(number, max_wait)))

    async def _ended_by(self, error: BaseException, number: int) -> None:
        """Abandon the login if its task was cancelled or the program is ending."""
        if isinstance(error, GeneratorExit):
            # The coroutine was closed, possibly by the garbage collector on the library's thread.
            # Nothing may be awaited here, and nothing may block.
            self.cancel()
        elif isinstance(error, asyncio.CancelledError):
            await self._abandon_async(number)
        elif not isinstance(error, Exception):
            # The loop is ending.
            self._abandon(number)

    async def _abandon_async(self, number: int) -> None:
        """Cancel the login, and revoke tokens that have arrived but that no call has returned."""
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
    """The settings for one authorization server, for asyncio.

    A client may be shared between event loops and threads.

    Create one with `authkit`, `workos_connect`, `for_issuer` or `with_endpoints`. They take the
    arguments documented at `cli_auth.Client`.
    """

    __slots__ = ()

    def login(self) -> Login:
        """Create a single login attempt. Does no I/O."""
        login = Login._of(self._native)
        login._owner = self
        _in_use.add(self)
        return login

    async def refresh(
        self,
        refresh_token: Secret | str,
        *,
        scopes: Iterable[str] = (),
        params: Pairs = None,
        subject: str | None = None,
    ) -> Tokens:
        """Exchange a refresh token for new tokens. See `cli_auth.Client.refresh`.

        Cancelling the task aborts the request; the server may already have used the token.
        """
        token = secret_of("refresh_token", refresh_token)
        # Tracebacks that include local variables must not contain the token.
        del refresh_token
        options = options_of(scopes, params, subject)
        _check_task()
        _in_use.add(self)
        return Tokens._of(await _call(self._native.refresh_async(token, options)))

    async def userinfo(self, access_token: Secret | str, subject: str | None = None) -> Identity:
        """Ask the server who the user of an access token is. See `cli_auth.Client.userinfo`.

        Cancelling the task aborts the request.
        """
        token = secret_of("access_token", access_token)
        del access_token
        expected = subject_of(subject)
        _check_task()
        _in_use.add(self)
        return Identity._of(await _call(self._native.userinfo_async(token, expected)))

    async def revoke(self, token: Secret | str) -> None:
        """Revoke a token. See `cli_auth.Client.revoke`.

        Cancelling the task aborts the request; the token may still be valid.
        """
        native = secret_of("token", token)
        del token
        _check_task()
        _in_use.add(self)
        await _call(self._native.revoke_async(native))

    def __repr__(self) -> str:
        return f"<cli_auth.aio.{type(self).__name__}>"


# The clients whose threads are ended at exit. These threads wake event loops, and must not enter an
# interpreter that is shutting down.
_in_use: WeakSet[Client] = WeakSet()


def _clients_in_use() -> list[Client]:
    while True:
        try:
            return list(_in_use)
        except RuntimeError:
            # Another thread added a client during the iteration.
            continue


@atexit.register
def _end_threads() -> None:
    gate.close()
    for client in _clients_in_use():
        try:
            client._native.shut_down()
        except Exception:
            # In a forked child: the fork happened during a call, and the thread of the client does
            # not exist here.
            pass
    # Threads of clients that no longer exist may still be ending.
    wait_for_threads()
    # A later atexit handler may run a loop again. Nothing else wakes the tasks of that loop now.
    for handle, (loop, _) in _waiting._map.copy().items():
        if not loop.is_running():
            wake(_waiting, handle, _GO_ON)
