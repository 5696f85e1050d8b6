"""Keep calls from asyncio out of the library while the interpreter exits."""

from __future__ import annotations

from _thread import get_ident
from os import getpid
from time import monotonic, sleep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# Longest wait for a thread inside the library, in seconds. Such a thread leaves as soon as it gets
# the GIL; the limit only keeps the exit from hanging.
LONGEST_WAIT = 10.0


class Exiting(Exception):
    """The interpreter is exiting and the library must not be called any more."""


class Gate:
    """A gate that every call with a possible callback passes.

    The library reports through a ctypes callback that a call can continue, often on the calling
    thread and before that call returns. During interpreter shutdown, CPython ends a daemon thread
    as soon as it requests the GIL (since 3.14 the thread hangs instead). In a callback, this
    unwinds the library's frames below it, which crashes the process. Therefore no thread may be
    inside the library at exit.
    """

    # Attributes, not globals: coroutines may be closed after the module has lost its globals.
    def __init__(self) -> None:
        self._inside: dict[object, tuple[int, int]] = {}
        self._closed = False
        self._getpid, self._get_ident, self._exiting = getpid, get_ident, Exiting

    def call(self, function: Callable[..., object], *arguments: object) -> None:
        """Call the library, or raise `Exiting` if the gate is closed."""
        # This method registers the visit and then checks the flag; `close` sets the flag and then
        # checks the visits. So at least one of them sees the other. There is no lock because the
        # garbage collector may run in a callback and call the library too.
        visit = object()
        self._inside[visit] = self._getpid(), self._get_ident()
        try:
            if self._closed:
                raise self._exiting
            function(*arguments)
        finally:
            del self._inside[visit]

    def free(self, function: Callable[..., object], *arguments: object) -> None:
        """Call the library, or do nothing at exit, when the process frees all memory anyway."""
        try:
            self.call(function, *arguments)
        except self._exiting:
            pass

    def close(self) -> None:
        """Close the gate and wait for the other threads inside."""
        self._closed = True
        end = monotonic() + LONGEST_WAIT
        while self._is_somebody_inside() and monotonic() < end:
            sleep(0.001)

    def _is_somebody_inside(self) -> bool:
        # In a forked child, visits of threads of the parent never end.
        pid, here = self._getpid(), self._get_ident()
        visits = self._inside.copy().values()
        return any(of == pid and thread != here for of, thread in visits)


gate = Gate()
