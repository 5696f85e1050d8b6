"""The user who logged in."""

from __future__ import annotations

from ._native import Identity as NativeIdentity
from ._record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from typing_extensions import Self


class Identity(Record):
    """The user who logged in, as the server vouches for it.

    With WorkOS AuthKit, this is the user in the token response. With an OpenID Connect server, it
    is the verified ID token (OpenID Connect Core section 3.1.3.7), or the response of
    `Client.userinfo`. There is no identity that was not verified.

    Identify the user by `subject`. All text is untrusted; call `sanitize` before printing it. The
    ``repr`` shows no personal data.

    Attributes:
        subject: The ID of the user, which never changes: ``sub`` of OpenID Connect, or the ID of
            AuthKit's user, such as ``user_01H…``. It is unique at this server only.
        email: The e-mail address. It may change, and may belong to another user later: do not
            identify the user by it. OpenID Connect servers name it only if the scope ``email`` was
            requested.
        email_verified: Whether the server has verified that the e-mail address is the user's. None
            if it does not say.
        name: The full name. OpenID Connect servers name it only if the scope ``profile`` was
            requested.
        organization_id: The ID of the organization that the user logged in to: AuthKit's
            ``organization_id``, or the claim ``org_id``.
    """

    __slots__ = ("_claims", "_raw", "email", "email_verified", "name", "organization_id", "subject")
    __match_args__ = ("subject", "email", "email_verified", "name", "organization_id", "claims")
    _claims: dict[str, Any] | None
    # The claims as JSON. They are parsed on first use, because importing `json` takes time.
    _raw: dict[str, str]

    def __init__(
        self,
        subject: str,
        email: str | None = None,
        email_verified: bool | None = None,
        name: str | None = None,
        organization_id: str | None = None,
        claims: Mapping[str, Any] | None = None,
    ) -> None:
        self.subject = subject
        self.email = email
        self.email_verified = email_verified
        self.name = name
        self.organization_id = organization_id
        self._claims = dict(claims or {})
        self._raw = {}

    @classmethod
    def _of(cls, native: NativeIdentity) -> Self:
        identity = cls(
            native.subject,
            native.email,
            native.email_verified,
            native.name,
            native.organization_id,
        )
        identity._claims, identity._raw = None, native.claims
        return identity

    @property
    def claims(self) -> dict[str, Any]:
        """All claims, or all members of AuthKit's user, as Python values.

        A claim that Python cannot represent is left out: a number with thousands of digits, or text
        with a lone surrogate.
        """
        if self._claims is None:
            self._claims = _parsed(self._raw)
        return self._claims

    def __repr__(self) -> str:
        return f"{type(self).__name__}(subject={self.subject!r})"

    def __hash__(self) -> int:
        return hash((type(self), self.subject))


def _parsed(raw: dict[str, str]) -> dict[str, Any]:
    from json import dumps, loads

    values = {}
    for name in sorted(raw):
        try:
            value = loads(raw[name])
            # Fails for a lone surrogate, which neither `print` nor `sanitize` accepts.
            dumps(value, ensure_ascii=False).encode()
        except (ValueError, RecursionError):
            continue
        values[name] = value
    return values
