"""What a login or a refresh brings."""

from __future__ import annotations

from ._check import text_of
from ._native import Tokens as NativeTokens
from ._secret import Secret, Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime

    from typing_extensions import Self


class Tokens(Value):
    """The tokens that the server gave out (RFC 6749 section 5.1).

    Nothing in here was verified by this library: it came over TLS from the token endpoint, and that
    is all. An `id_token` in particular proves an identity only after its signature and claims were
    checked. All threads may read it, and it does not
    change: `Client.refresh` makes a new one. Printing it shows no secret.
    """

    __slots__ = ("_native",)
    _native: NativeTokens

    def __init__(self) -> None:
        raise TypeError("tokens come from Login.poll() and Client.refresh()")

    @classmethod
    def _of(cls, native: NativeTokens) -> Self:
        tokens = cls.__new__(cls)
        tokens._native = native
        return tokens

    @property
    def access_token(self) -> Secret:
        """The token for the API.

        ``f"Bearer {tokens.access_token.expose()}"``, over TLS, and only to the API that it is for.
        """
        return Secret._of(self._native.access_token())

    @property
    def refresh_token(self) -> Secret | None:
        """The token for `Client.refresh`. After a refresh without a new one, the old one."""
        native = self._native.refresh_token()
        return None if native is None else Secret._of(native)

    @property
    def id_token(self) -> Secret | None:
        """The OpenID Connect ID token, **unverified**.

        Do not read an identity from it before you checked it.
        """
        native = self._native.id_token()
        return None if native is None else Secret._of(native)

    @property
    def token_type(self) -> str:
        """As the server spelled it: some spelling of ``Bearer``."""
        return self._native.token_type()

    @property
    def scopes(self) -> tuple[str, ...] | None:
        """What was granted, in the server's order.

        None where neither the server nor the client named a scope.
        """
        scopes = self._native.scopes()
        return None if scopes is None else tuple(scopes)

    @property
    def expires_in(self) -> float | None:
        """The access token's lifetime in seconds when it was given out.

        None is unknown: neither zero nor for ever.
        """
        return self._native.expires_in()

    @property
    def expires_at(self) -> datetime | None:
        """When the access token ends, in UTC. Never too late by the time that the answer took."""
        seconds = self._native.expires_at()
        if seconds is None:
            return None
        from datetime import datetime, timedelta, timezone

        epoch = datetime(1970, 1, 1, tzinfo=timezone.utc)
        try:
            return epoch + timedelta(seconds=seconds)
        except OverflowError:
            # A server may say that a token lives longer than Python's calendar lasts.
            return datetime.max.replace(tzinfo=timezone.utc)

    @property
    def user_id(self) -> str | None:
        """WorkOS AuthKit.

        The id of the user, such as ``user_01H…``, raw. None with other servers.
        """
        return self._native.user_id()

    @property
    def organization_id(self) -> str | None:
        """WorkOS AuthKit: the id of the organization that the user logged in to, raw."""
        return self._native.organization_id()

    def other(self, name: str) -> Secret | None:
        """Any other member of the answer, as raw JSON. A secret, since it may be one."""
        native = self._native.other(text_of("name", name))
        return None if native is None else Secret._of(native)

    @property
    def other_names(self) -> tuple[str, ...]:
        """The names of all other members, sorted, raw."""
        return tuple(self._native.other_names())

    def __repr__(self) -> str:
        return (
            f"Tokens(token_type={self.token_type!r}, scopes={self.scopes!r}, "
            f"expires_at={self.expires_at!r}, access_token={self.access_token!r}, "
            f"refresh_token={self.refresh_token!r}, id_token={self.id_token!r})"
        )
