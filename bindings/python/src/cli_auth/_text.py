"""Texts of a server."""

from __future__ import annotations

from . import _native
from ._secret import text_of


def sanitize(text: str) -> str:
    """A text of a server as it may be shown in a terminal: without control and invisible characters, and not endless."""
    return _native.sanitize(text_of("text", text))
