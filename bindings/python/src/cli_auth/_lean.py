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

    def wake(loop, set_result, future, code):
        """Tells an event loop that the library is ready to go on."""
        try:
            loop.call_soon_threadsafe(set_result, future, code)
        except RuntimeError:
            # The loop was closed: nobody waits any more.
            pass

    asyncio = _Module("asyncio")
    contextlib = _Module("contextlib", contextmanager=_contextmanager)
    threading = _Module("threading", Lock=_thread.allocate_lock)
    typing = _Module("typing", Protocol=object)
