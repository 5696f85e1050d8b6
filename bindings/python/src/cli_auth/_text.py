"""Texts of a server."""

from __future__ import annotations

from . import _native as ffi
from ._check import text_of


def sanitize(text: str) -> str:
    """A text of a server as it may be shown in a terminal.

    Without control and invisible characters, and not endless.
    """
    return ffi.sanitize(text_of("text", text))
