"""Stand-ins for the top-level imports of the generated module, which keep its import fast.

Each loads the real module on the first use of an attribute that a login does not need.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio as asyncio
    import contextlib as contextlib
    import threading as threading
    import typing as typing
    from dataclasses import dataclass as dataclass

    def wake(
        waiting: object, handle: int, code: int, interrupt: BaseException | None = None
    ) -> None: ...
else:
    import _thread

    class _Module:
        """A module that is imported on the first access to an attribute not defined here."""

        def __init__(self, name, **parts):
            self.__name__ = name
            self.__dict__.update(parts)

        def __getattr__(self, name):
            return getattr(__import__(self.__name__), name)

    class _Context:
        """The context manager of `contextlib.contextmanager`, for generators that yield once."""

        def __init__(self, generator):
            self._generator = generator

        def __enter__(self):
            return next(self._generator)

        def __exit__(self, kind, error, traceback):
            try:
                if error is None:
                    next(self._generator)
                else:
                    self._generator.throw(error)
            except StopIteration:
                return False
            except BaseException as raised:
                if raised is error:
                    return False
                raise
            raise RuntimeError("the generator did not stop")

    def _contextmanager(function):
        def make(*args):
            return _Context(function(*args))

        return make

    def dataclass(cls):
        """Return the class unchanged: the generated classes define all methods themselves."""
        return cls

    def wake(waiting, handle, code, interrupt=None):
        """Notify the event loop of the future with this handle that the library can continue.

        The library may call this on the main thread, where an exception from a signal handler
        would be lost. Such an exception is passed to the loop.
        """
        entry = waiting._map.get(handle)
        if entry is None:
            return
        loop, future = entry
        try:
            loop.call_soon_threadsafe(_resolve, future, code)
            if interrupt is not None:
                loop.call_soon_threadsafe(_raise, interrupt)
        except RuntimeError:
            # The loop is closed, so no task is waiting.
            pass
        waiting._map.pop(handle, None)

    def _resolve(future, code):
        if not future.done():
            future.set_result(code)

    def _raise(error):
        raise error

    asyncio = _Module("asyncio")
    contextlib = _Module("contextlib", contextmanager=_contextmanager)
    threading = _Module("threading", Lock=_thread.allocate_lock)
    typing = _Module("typing", Protocol=object)
