"""The one type that holds a secret, and what it has in common with all that holds one."""

from __future__ import annotations

from . import _native as ffi
from ._check import text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from typing_extensions import Self


class Opaque:
    """Something of the library's.

    It is neither pickled nor copied: it means nothing anywhere else.
    """

    __slots__ = ("__weakref__",)

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"cannot pickle or copy a cli_auth.{type(self).__name__}")


class Value(Opaque):
    """Something that never changes: it is its own copy."""

    __slots__ = ()

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self


class Secret(Value):
    """A secret text: a token or a client secret.

    ``str``, ``repr`` and ``format`` give ``****``, it cannot be pickled, and a copy of it is
    itself. The only way out is `expose`.
    The library wipes its own memory of it. What `expose` hands over is a string of Python's, by way
    of a buffer: those cannot be wiped.

    >>> secret = Secret("hunter2")
    >>> print(secret, repr(secret), secret.expose())
    **** Secret(****) hunter2
    """

    __slots__ = ("_native",)
    _native: ffi.Secret

    def __init__(self, text: str) -> None:
        self._native = ffi.Secret(text_of("text", text))

    @classmethod
    def _of(cls, native: ffi.Secret) -> Self:
        secret = cls.__new__(cls)
        secret._native = native
        return secret

    def expose(self) -> str:
        """The secret in clear text. Whoever calls this is responsible for where it goes next."""
        return self._native.expose()

    def __repr__(self) -> str:
        return "Secret(****)"

    def __str__(self) -> str:
        return "****"

    def __format__(self, spec: str) -> str:
        return format("****", spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return self._native == other._native

    def __hash__(self) -> int:
        # Python's own hash has a key of this process: it tells nothing about the secret.
        return hash(self.expose())


def secret_of(name: str, value: object) -> ffi.Secret:
    """The value as the library takes it, if it is a secret or its text."""
    if isinstance(value, Secret):
        return value._native
    if not isinstance(value, str):
        raise TypeError(f"{name} must be Secret or str, not {type(value).__name__}")
    return ffi.Secret(text_of(name, value))
