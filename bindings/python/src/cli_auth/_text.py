"""Text received from a server."""

from __future__ import annotations

from . import _native as ffi
from ._check import text_of


def sanitize(text: str) -> str:
    """Return text received from a server in a form that is safe to print on a terminal.

    Each run of control or invisible characters is replaced by one U+FFFD, except for joiners inside
    words; tabs and line breaks become spaces, and spaces at the ends are removed. Text over 400
    characters is truncated and marked with ``…``.
    """
    return ffi.sanitize(text_of("text", text))
