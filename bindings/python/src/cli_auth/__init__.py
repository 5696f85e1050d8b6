"""Sign users in to command-line tools with the OAuth 2.0 Device Authorization Grant (RFC 8628).

It works with WorkOS AuthKit, WorkOS Connect and every other conforming server:

    import sys
    import cli_auth

    client = cli_auth.Client.authkit("client_123", product="my-cli/1.0")
    login = client.login()
    prompt = login.start()  # one request
    print(prompt.text(), end="", file=sys.stderr)  # code, URL, product, a warning
    prompt.open_browser()  # not over SSH, in CI or without a display
    tokens = login.poll()  # until approved, denied or expired; Ctrl-C ends it at once
    user = tokens.identity
    print("logged in as", cli_auth.sanitize(user.subject if user else "unknown"))

A `Client` holds the settings for one authorization server. A `Login` is a single login attempt;
`Login.cancel` ends it from any thread. Tokens are `Secret`s, which print as ``****``. Each error
class stands for what the caller should do next; `Error` is their base class. `cli_auth.aio` has the
same names for asyncio; it is imported on first use.
"""

from __future__ import annotations

from ._client import Client
from ._errors import (
    ActionRequiredError,
    BusyError,
    CancelledError,
    DeniedError,
    Error,
    ExpiredError,
    ForkedError,
    InternalError,
    InvalidConfigError,
    InvalidResponseError,
    LoginRequiredError,
    MisuseError,
    NetworkError,
    Organization,
    ProxyError,
    RejectedError,
    StoreError,
    TlsError,
    UnsupportedError,
)
from ._events import (
    Event,
    IdentityUnverified,
    Pending,
    Resumed,
    Retrying,
    SlowedDown,
    Waiting,
)
from ._identity import Identity
from ._login import Login
from ._prompt import Prompt
from ._secret import Secret
from ._text import sanitize
from ._tokens import Tokens

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import aio as aio

    __version__: str

__all__ = [
    "ActionRequiredError",
    "BusyError",
    "CancelledError",
    "Client",
    "DeniedError",
    "Error",
    "Event",
    "ExpiredError",
    "ForkedError",
    "Identity",
    "IdentityUnverified",
    "InternalError",
    "InvalidConfigError",
    "InvalidResponseError",
    "Login",
    "LoginRequiredError",
    "MisuseError",
    "NetworkError",
    "Organization",
    "Pending",
    "Prompt",
    "ProxyError",
    "RejectedError",
    "Resumed",
    "Retrying",
    "Secret",
    "SlowedDown",
    "StoreError",
    "TlsError",
    "Tokens",
    "UnsupportedError",
    "Waiting",
    "sanitize",
]


def __getattr__(name: str) -> object:
    # Imported on first use: importing asyncio alone takes longer than importing this package.
    if name == "aio":
        from importlib import import_module

        return import_module(".aio", __name__)
    if name == "__version__":
        from importlib.metadata import version

        return version("cli-auth")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), "aio", "__version__"})


# Tracebacks and help() then show the name to import.
for _name in __all__:
    globals()[_name].__module__ = __name__
del _name
