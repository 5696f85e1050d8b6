"""The prompt, which the user must see."""

from __future__ import annotations

from ._native import Prompt as NativePrompt
from ._secret import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing_extensions import Self


# More than any terminal has.
_MOST_COLUMNS = 10_000


class Prompt(Value):
    """The code and the URL that the user needs to approve a login (RFC 8628 section 3.2).

    `text` is ready for a terminal. The attributes give what the server sent, unchanged, for
    programs: `sanitize` them before printing. All threads may read it; it does not change, and
    there is no device code in it.
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
        """The code that the user compares or types, raw."""
        return self._native.user_code()

    @property
    def verification_uri(self) -> str:
        """Where the user types the code, raw.

        It is https (or loopback where allowed), without a user name in it.
        """
        return self._native.verification_uri()

    @property
    def verification_uri_complete(self) -> str | None:
        """The same with the code in it, raw, where the server gives one.

        Show the code beside it all the same.
        """
        return self._native.verification_uri_complete()

    @property
    def expires_in(self) -> float:
        """How many seconds the code lives, counted from before it was asked for."""
        return self._native.expires_in()

    @property
    def host(self) -> str:
        """The host that the user is sent to, in ASCII form, so that look-alike letters show."""
        return self._native.host()

    @property
    def product(self) -> str | None:
        """The name of the program, if the client was made with a `product`."""
        return self._native.product()

    def text(self, columns: int = 80) -> str:
        """The prompt for the user, plain: code, URL, product and a warning. Safe to print.

        It ends with a line break. Less than 24 columns count as 24; URLs are never broken.
        """
        if isinstance(columns, bool) or not isinstance(columns, int):
            raise TypeError(f"columns must be int, not {type(columns).__name__}")
        return self._native.text(min(max(columns, 0), _MOST_COLUMNS))

    def text_for_stderr(self) -> str:
        """As `text`, as wide as standard error, with a bold code where that is a terminal.

        ``NO_COLOR`` and ``TERM=dumb`` are honoured.
        """
        return self._native.text_for_stderr()

    def open_browser(self) -> str | None:
        """Opens the page in the user's browser, where that makes sense.

        That is: standard error is a terminal, this is no SSH session and no CI job, and there is a
        display. ``BROWSER`` is honoured. It returns at once and never fails the login. Show the
        code first: the page asks the user to compare it.

        Returns:
            None if a browser was started. Otherwise the reason why not, as text for the user.
        """
        return self._native.open_browser()

    def __repr__(self) -> str:
        return (
            f"Prompt(user_code={self.user_code!r}, verification_uri={self.verification_uri!r}, "
            f"expires_in={self.expires_in!r})"
        )
