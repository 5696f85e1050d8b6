"""Stand-ins for what the generated module imports at its top, so that importing it stays cheap.

Each loads the real module when something of it is used that a login does not need.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio as asyncio
    import contextlib as contextlib
    import threading as threading
    import typing as typing
    from dataclasses import dataclass as dataclass
else:
    import _thread

    class _Module:
        """A module that is loaded when something of it is asked for that is not in here."""

        def __init__(self, name, **parts):
            self.__name__ = name
            self.__dict__.update(parts)

        def __getattr__(self, name):
            return getattr(__import__(self.__name__), name)

    class _Context:
        """What `contextlib.contextmanager` makes, for generators that yield once."""

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
        """The generated classes bring their own methods: there is nothing to add."""
        return cls

    def wake(waiting, handle, code, interrupt=None):
        """Tells the event loop whose future has this handle that the library is ready to go on.

        The library may call this on the main thread, where a signal's exception would be lost: it
        is handed to the loop.
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
            # The loop was closed: no task waits any more.
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
