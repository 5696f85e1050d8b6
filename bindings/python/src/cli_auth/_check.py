"""Argument checks. Each error names the argument that is wrong."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ._errors import Error

# Longer than any program waits, in seconds, and within the range of the library's clock.
_FOREVER = 1e9


def text_of(name: str, value: object) -> str:
    """Return the value if it is a str without lone surrogates."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be str, not {type(value).__name__}")
    try:
        value.encode()
    except UnicodeEncodeError:
        # Imported here because `_errors` imports `_secret`, which imports this module.
        from ._errors import MisuseError

        # os.fsdecode returns such a str for bytes that are not UTF-8.
        message = f"{name} is not valid text: it has a lone surrogate in it"
        raise MisuseError(message) from None
    return value


def bytes_of(name: str, value: object) -> bytes:
    """Return the value as bytes if it is a str or bytes."""
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    if not isinstance(value, str):
        raise TypeError(f"{name} must be str or bytes, not {type(value).__name__}")
    return text_of(name, value).encode()


def flag_of(name: str, value: object) -> bool:
    """Return the value if it is a bool. A str such as "false" would count as true."""
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be bool, not {type(value).__name__}")
    return value


def seconds_of(name: str, value: object, error: type[Error]) -> float:
    """Return the value if it is a number of seconds. Raise `error` if it is negative or NaN."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name} must be a number of seconds, not {type(value).__name__}")
    if not value >= 0:
        raise error(f"{name} must be a number of seconds, 0 or more, not {value!r}")
    return float(value) if value < _FOREVER else float("inf")


def texts_of(name: str, values: object) -> Iterator[str]:
    """Yield the values if each is a str."""
    if isinstance(values, str):
        raise TypeError(f"{name} must be several strings, not one: write {values.split()!r}")
    for value in _iterable(name, values, "an iterable of str"):
        yield text_of(f"a value in {name}", value)


def pairs_of(name: str, pairs: object) -> Iterator[tuple[str, str]]:
    """Yield the names and values of a mapping, or of an iterable of pairs."""
    if pairs is None:
        return
    wanted = "a mapping, or pairs of names and values"
    items = getattr(pairs, "items", None)
    for pair in _iterable(name, pairs if items is None else items(), wanted):
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise TypeError(f"{name} must be {wanted}")
        key, value = pair
        yield text_of(f"a name in {name}", key), text_of(f"the value of {key} in {name}", value)


def _iterable(name: str, values: object, wanted: str) -> Iterable[object]:
    if isinstance(values, str) or not hasattr(values, "__iter__"):
        raise TypeError(f"{name} must be {wanted}, not {type(values).__name__}")
    return values
