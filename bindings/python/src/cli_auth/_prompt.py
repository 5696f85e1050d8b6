"""The prompt, which must be shown to the user."""

from __future__ import annotations

from ._native import Prompt as NativePrompt
from ._secret import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing_extensions import Self


# Wider than any terminal.
_MOST_COLUMNS = 10_000


class Prompt(Value):
    """The code and the URL that the user needs to approve a login (RFC 8628 section 3.2).

    `text` is safe to print on a terminal. `user_code`, `verification_uri` and
    `verification_uri_complete` are unchanged from the server and untrusted; call `sanitize` before
    printing them. A prompt is immutable, may be shared between threads, and does not contain the
    device code.
    """

    __slots__ = ("_native",)
    _native: NativePrompt

    def __init__(self) -> None:
        raise TypeError("a prompt comes from Login.start()")

    @classmethod
    def _of(cls, native: NativePrompt) -> Self:
        prompt = cls.__new__(cls)
        prompt._native = native
        return prompt

    @property
    def user_code(self) -> str:
        """The code that the user compares or enters. Untrusted."""
        return self._native.user_code()

    @property
    def verification_uri(self) -> str:
        """The URL where the user enters the code. Untrusted.

        Its scheme is https (or http to this machine if allowed), and it contains no user name.
        """
        return self._native.verification_uri()

    @property
    def verification_uri_complete(self) -> str | None:
        """The verification URL that includes the code. Untrusted.

        None if the server sent none. Show the code in addition to this URL.
        """
        return self._native.verification_uri_complete()

    @property
    def expires_in(self) -> float:
        """The lifetime of the code in seconds, counted from before the request was sent."""
        return self._native.expires_in()

    @property
    def host(self) -> str:
        """The host of the verification URL, in ASCII form, which exposes look-alike letters."""
        return self._native.host()

    @property
    def product(self) -> str | None:
        """The name of the program, without the version. None if the client has no `product`."""
        return self._native.product()

    def text(self, columns: int = 80) -> str:
        """Return the prompt as plain text: code, URL, product and a warning. Safe to print.

        The text ends with a newline. Lines are wrapped at `columns`; values below 24 count as 24.
        URLs are never wrapped.
        """
        if isinstance(columns, bool) or not isinstance(columns, int):
            raise TypeError(f"columns must be int, not {type(columns).__name__}")
        return self._native.text(min(max(columns, 0), _MOST_COLUMNS))

    def text_for_stderr(self) -> str:
        """Return the prompt formatted for standard error.

        Like `text`, but as wide as the terminal and with the code in bold if standard error is a
        terminal. ``NO_COLOR`` and ``TERM=dumb`` are honoured.
        """
        return self._native.text_for_stderr()

    def open_browser(self) -> str | None:
        """Open the verification page in the user's browser.

        A browser is started only if standard error is a terminal, the program runs neither over SSH
        nor in a CI job, and a display is available. ``BROWSER``, if set, is tried first, also over
        SSH and without a display. This method returns immediately and never makes the login fail.
        Show the code first: the page asks the user to compare it.

        Returns:
            None if a browser was started. Otherwise the reason why not, as text for the user.
        """
        return self._native.open_browser()

    def __repr__(self) -> str:
        return (
            f"Prompt(user_code={self.user_code!r}, verification_uri={self.verification_uri!r}, "
            f"expires_in={self.expires_in!r})"
        )
