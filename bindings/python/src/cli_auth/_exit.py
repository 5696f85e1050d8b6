"""Keeps asyncio's calls out of the library while the interpreter exits."""

from __future__ import annotations

from _thread import get_ident
from os import getpid
from time import monotonic, sleep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# Longest wait for a thread that is inside, in seconds. It gets out as soon as it gets the GIL: this
# only keeps an exit from hanging.
LONGEST_WAIT = 10.0


class Exiting(Exception):
    """The interpreter exits: the library is not called any more."""


class Gate:
    """Every call that may call back passes this gate.

    The library reports that a call can go on through a ctypes callback, often on the calling
    thread and before that call returns. While the interpreter is torn down, CPython ends a daemon
    thread as soon as it asks for the GIL. (Since 3.14 the thread hangs instead.) In a callback,
    that unwinds the library's frames below it, which crashes the process. So at exit no thread may
    be inside.
    """

    # Attributes and not globals: coroutines are closed after a module has lost its globals.
    def __init__(self) -> None:
        self._inside: dict[object, tuple[int, int]] = {}
        self._closed = False
        self._getpid, self._get_ident, self._exiting = getpid, get_ident, Exiting

    def call(self, function: Callable[..., object], *arguments: object) -> None:
        """Calls the library, or raises `Exiting`."""
        # The thread enters first and looks then, `close` the other way round: one of the two sees
        # the other. No lock, since a callback may collect garbage that calls the library too.
        visit = object()
        self._inside[visit] = self._getpid(), self._get_ident()
        try:
            if self._closed:
                raise self._exiting
            function(*arguments)
        finally:
            del self._inside[visit]

    def free(self, function: Callable[..., object], *arguments: object) -> None:
        """Calls the library, unless the interpreter exits: the process frees everything then."""
        try:
            self.call(function, *arguments)
        except self._exiting:
            pass

    def close(self) -> None:
        """Lets nobody in any more, and waits for the other threads that are inside."""
        self._closed = True
        end = monotonic() + LONGEST_WAIT
        while self._is_somebody_inside() and monotonic() < end:
            sleep(0.001)

    def _is_somebody_inside(self) -> bool:
        # Visits of threads that a fork left behind never end.
        pid, here = self._getpid(), self._get_ident()
        visits = self._inside.copy().values()
        return any(of == pid and thread != here for of, thread in visits)


gate = Gate()
