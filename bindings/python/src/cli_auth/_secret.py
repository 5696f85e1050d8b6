"""`Secret`, the only type for secrets, and the base classes of the types that contain one."""

from __future__ import annotations

from . import _native as ffi
from ._check import text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from typing_extensions import Self


class Opaque:
    """A handle to an object of the library.

    It cannot be pickled or copied, since it has no meaning outside of this process.
    """

    __slots__ = ("__weakref__",)

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"cannot pickle or copy a cli_auth.{type(self).__name__}")


class Value(Opaque):
    """An immutable handle. Copying it returns the same object."""

    __slots__ = ()

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self


class Secret(Value):
    """A secret text: a token or a client secret.

    ``str``, ``repr`` and ``format`` mask the text as ``****``. A secret cannot be pickled, and
    copying it returns the same object. Only `expose` returns the text.

    The library overwrites its own memory of the secret. `expose` returns a Python string by way of
    a buffer; neither can be overwritten.

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
        """Return the secret in clear text. The caller is responsible for keeping it secret."""
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
        # Python's hash of a str is keyed per process, so it reveals nothing about the secret.
        return hash(self.expose())


def secret_of(name: str, value: object) -> ffi.Secret:
    """Return the library's secret for a `Secret` or a str."""
    if isinstance(value, Secret):
        return value._native
    if not isinstance(value, str):
        raise TypeError(f"{name} must be Secret or str, not {type(value).__name__}")
    return ffi.Secret(text_of(name, value))
