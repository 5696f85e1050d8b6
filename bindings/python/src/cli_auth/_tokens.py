"""The result of a login or a refresh."""

from __future__ import annotations

from ._check import text_of
from ._identity import Identity
from ._native import Tokens as NativeTokens
from ._secret import Secret, Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime

    from typing_extensions import Self


class Tokens(Value):
    """The tokens that the server issued (RFC 6749 section 5.1).

    Who logged in is the `identity`. The access token is for its API, and the library does not look
    into it. The object is immutable and may be shared between threads; `Client.refresh` returns a
    new one. Its ``repr`` contains no secret and no personal data.
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
        """The access token.

        Send it as ``f"Bearer {tokens.access_token.expose()}"``, over TLS, and only to the API that
        it was issued for.
        """
        return Secret._of(self._native.access_token())

    @property
    def refresh_token(self) -> Secret | None:
        """The token for `Client.refresh`, or None if the server issued none.

        Many servers issue one only for the scope ``offline_access``. If a refresh response contains
        no new refresh token, this is the previous one.
        """
        native = self._native.refresh_token()
        return None if native is None else Secret._of(native)

    @property
    def id_token(self) -> Secret | None:
        """The OpenID Connect ID token as it was received.

        It was verified if there is an `identity` and the server is not AuthKit.
        """
        native = self._native.id_token()
        return None if native is None else Secret._of(native)

    @property
    def token_type(self) -> str:
        """The token type as spelled by the server: ``Bearer`` in any letter case."""
        return self._native.token_type()

    @property
    def scopes(self) -> tuple[str, ...] | None:
        """The granted scopes, in the server's order.

        If the response names no scope, these are the requested scopes (RFC 6749 section 5.1), or
        None if the client requested none.
        """
        scopes = self._native.scopes()
        return None if scopes is None else tuple(scopes)

    @property
    def expires_in(self) -> float | None:
        """The lifetime of the access token in seconds, at the time it was issued.

        None if the lifetime is unknown. Treat the token neither as expired nor as valid forever.
        """
        return self._native.expires_in()

    @property
    def expires_at(self) -> datetime | None:
        """The expiry time of the access token, in UTC. None if it is unknown.

        It is counted from before the request was sent, so the duration of the request never makes
        it too late. If the server named no lifetime, it is the ``exp`` claim of a JWT
        access token, converted to this machine's clock.
        """
        seconds = self._native.expires_at()
        if seconds is None:
            return None
        from datetime import datetime, timedelta, timezone

        epoch = datetime(1970, 1, 1, tzinfo=timezone.utc)
        try:
            return epoch + timedelta(seconds=seconds)
        except OverflowError:
            # A server may name a lifetime beyond the range of datetime.
            return datetime.max.replace(tzinfo=timezone.utc)

    @property
    def identity(self) -> Identity | None:
        """The user who logged in.

        None if the server did not say, or if its ID token was not verified.

        With AuthKit, this is the user of the response. With `Client.for_issuer` and
        `Client.workos_connect`, it is the verified ID token, which servers issue for the scope
        ``openid``. If the keys for it could not be fetched, the event `IdentityUnverified` came
        before the tokens. With `Client.with_endpoints`, nothing is known about the keys.
        """
        native = self._native.identity()
        return None if native is None else Identity._of(native)

    def other(self, name: str) -> Secret | None:
        """Return another member of the response as raw JSON, or None if it has no such member.

        The type is `Secret` because a member may contain a secret.
        """
        native = self._native.other(text_of("name", name))
        return None if native is None else Secret._of(native)

    @property
    def other_names(self) -> tuple[str, ...]:
        """The names of all other members of the response, sorted. Untrusted."""
        return tuple(self._native.other_names())

    def __repr__(self) -> str:
        return (
            f"Tokens(token_type={self.token_type!r}, scopes={self.scopes!r}, "
            f"expires_at={self.expires_at!r}, access_token={self.access_token!r}, "
            f"refresh_token={self.refresh_token!r}, id_token={self.id_token!r}, "
            f"identity={self.identity!r})"
        )
