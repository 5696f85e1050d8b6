#!/usr/bin/env python3
"""Sign a user in from a terminal. A complete example of a tool that uses cli_auth; copy it."""

from __future__ import annotations

import signal

# Ctrl-C during the imports below then ends the program without a traceback.
signal.signal(signal.SIGINT, signal.SIG_DFL)

import argparse  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402

import cli_auth  # noqa: E402

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn, TextIO

__version__ = "0.1.0"

# Exit status by kind of error. After a signal it is 128 plus its number; other errors exit with 1.
STATUS = {"denied": 3, "expired": 4, "action_required": 5}

# Time limit for the end of a cancelled login, in seconds. Revoking late tokens takes up to two.
GRACE = 3.0

# Options of some providers: the provider that requires the option, and those that accept it.
PROVIDER_OPTIONS = {
    "--api-base": (None, ["authkit"]),
    "--domain": ("connect", ["connect"]),
    "--issuer": ("oidc", ["oidc"]),
    "--device-endpoint": ("endpoints", ["endpoints", "oidc"]),
    "--token-endpoint": ("endpoints", ["endpoints", "oidc"]),
    "--revocation-endpoint": (None, ["endpoints", "oidc"]),
}

# Options that only one command has.
COMMAND_OPTIONS = {
    "login": ["--no-browser", "--timeout", "--begin", "--resume"],
    "token": ["--min-validity", "--refused-env"],
}


def main() -> int:
    options = read_arguments()
    try:
        return log_in(options, JsonLines() if options.json else Words())
    except Closed:
        # The reader of standard output has closed it, so nothing can be reported.
        return 1


def log_in(options: argparse.Namespace, output: JsonLines | Words) -> int:
    """Log in and return the exit status."""
    if options.timeout is not None:
        leave_after(options.timeout + GRACE, STATUS["expired"])
    signals = Signals()
    try:
        login = make_client(options).login()
        signals.will_cancel(login)
        prompt = login.start()
        output.prompt(prompt)
        if not options.json and not options.no_browser and prompt.open_browser() is None:
            say("A browser should open now. If it does not, open the address yourself.")
        output.authorized(login.poll(on_event=output.event))
    except cli_auth.CancelledError as error:
        output.failed(error)
        return 128 + signals.caught
    except cli_auth.Error as error:
        output.failed(error)
        return STATUS.get(error.kind, 1)
    return 0


def make_client(options: argparse.Namespace) -> cli_auth.Client:
    client_id = options.client_id
    settings = {
        "scopes": options.scope,
        "params": options.param,
        "token_params": options.token_param,
        "pkce": options.pkce,
        "headers": options.header,
        "ca_pem": read_certificates(options.ca_file),
        "client_secret": read_secret(options.client_secret_env),
        "login_timeout": options.timeout,
        "allow_insecure_loopback": options.insecure_loopback,
        "product": f"login-example/{__version__}",
    }
    if options.provider == "authkit":
        return cli_auth.Client.authkit(client_id, api_base=options.api_base, **settings)
    if options.provider == "connect":
        return cli_auth.Client.workos_connect(options.domain, client_id, **settings)
    settings["revocation_endpoint"] = options.revocation_endpoint
    device, token = options.device_endpoint, options.token_endpoint
    if options.provider == "oidc":
        settings.update(device_authorization_endpoint=device, token_endpoint=token)
        return cli_auth.Client.for_issuer(options.issuer, client_id, **settings)
    return cli_auth.Client.with_endpoints(device, token, client_id, **settings)


def read_certificates(path: str | None) -> bytes | None:
    if path is None:
        return None
    try:
        with open(path, "rb") as file:
            # Reads at most one byte over 4 MiB, the limit above which the library rejects the file.
            return file.read(4 * 1024 * 1024 + 1)
    except OSError as error:
        raise cli_auth.InvalidConfigError(f"cannot read {path!r}: {error.strerror}") from None


def read_secret(variable: str | None) -> cli_auth.Secret | None:
    if variable is None:
        return None
    try:
        return cli_auth.Secret(os.environ[variable])
    except (KeyError, ValueError):
        message = f"the variable {variable} is not set to a text"
        raise cli_auth.InvalidConfigError(message) from None


class Signals:
    """Signal handlers for Ctrl-C and SIGTERM.

    The first signal cancels the login, which then ends by itself. A second one ends the program
    immediately.
    """

    def __init__(self) -> None:
        self.caught = 0
        self._login: cli_auth.Login | None = None
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._catch)

    def will_cancel(self, login: cli_auth.Login) -> None:
        """Set the login to cancel. Cancels it immediately if a signal has already been received."""
        self._login = login
        if self.caught:
            login.cancel()

    def _catch(self, number: int, _frame: object) -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        self.caught = number
        leave_after(GRACE, 128 + number)
        if self._login is not None:
            self._login.cancel()


def leave_after(seconds: float, status: int) -> None:
    """Exit after this time, even if the program is blocked on a full pipe that is not read."""
    signal.signal(signal.SIGALRM, lambda *_: os._exit(status))
    # The kernel rejects values beyond the range of its clock.
    signal.setitimer(signal.ITIMER_REAL, min(seconds, 1e9))


class JsonLines:
    """Output for programs: one JSON object per line on standard output."""

    def prompt(self, prompt: cli_auth.Prompt) -> None:
        self._line(
            "prompt",
            user_code=prompt.user_code,
            verification_uri=prompt.verification_uri,
            verification_uri_complete=prompt.verification_uri_complete,
            expires_in=rounded(prompt.expires_in),
        )

    def event(self, event: cli_auth.Event) -> None:
        if isinstance(event, cli_auth.Pending):
            next_poll_in, expires_in = rounded(event.next_poll_in), rounded(event.expires_in)
            self._line("pending", next_poll_in=next_poll_in, expires_in=expires_in)
        elif isinstance(event, cli_auth.SlowedDown):
            self._line("slowed_down", interval=rounded(event.interval))
        elif isinstance(event, cli_auth.Retrying):
            retry_in = rounded(event.retry_in)
            self._line("retrying", reason=event.reason, attempt=event.attempt, retry_in=retry_in)
        elif isinstance(event, cli_auth.Resumed):
            self._line("resumed", suspended_for=rounded(event.suspended_for))
        elif isinstance(event, cli_auth.IdentityUnverified):
            self._line("identity_unverified", message=event.message)

    def authorized(self, tokens: cli_auth.Tokens) -> None:
        self._line(
            "authorized",
            token_type=tokens.token_type,
            expires_in=None if tokens.expires_in is None else rounded(tokens.expires_in),
            scope=tokens.scopes,
            has_refresh_token=tokens.refresh_token is not None,
            has_id_token=tokens.id_token is not None,
            subject=None if tokens.identity is None else tokens.identity.subject,
            saved=None,
        )

    def failed(self, error: cli_auth.Error) -> None:
        organizations = error.organizations
        self._line(
            "error",
            kind=error.kind,
            oauth_error=error.oauth_error,
            message=str(error),
            http_status=error.http_status,
            request_id=error.request_id,
            organizations=organizations and [{"id": o.id, "name": o.name} for o in organizations],
            claims=error.claims,
        )

    def _line(self, event: str, **members: object) -> None:
        import json

        # dumps returns ASCII, so text from a server cannot affect a terminal that shows the lines.
        write(json.dumps({"event": event, **members}, separators=(",", ":")))


def rounded(seconds: float) -> float:
    """Round to milliseconds. Return an int if the result is a whole number."""
    number = round(seconds, 3)
    return int(number) if number.is_integer() else number


class Words:
    """Output for users: the result on standard output, everything else on standard error."""

    def __init__(self) -> None:
        self._in_place = can_rewrite()
        # Whether the countdown is the last line on the screen.
        self._counting = False

    def prompt(self, prompt: cli_auth.Prompt) -> None:
        say(prompt.text_for_stderr(), end="")

    def event(self, event: cli_auth.Event) -> None:
        if isinstance(event, cli_auth.Pending):
            self._count_down(int(event.expires_in))
        elif isinstance(event, cli_auth.SlowedDown):
            interval = int(event.interval)
            self._say(f"The server asked to slow down. Polling every {interval} s from now on.")
        elif isinstance(event, cli_auth.Retrying):
            wait = int(event.retry_in)
            self._say(f"No valid response ({event.reason}). Trying again in {wait} s.")
        elif isinstance(event, cli_auth.Resumed):
            self._say("The computer was suspended.")
        elif isinstance(event, cli_auth.IdentityUnverified):
            self._say(f"Note: {event.message}.")

    def authorized(self, tokens: cli_auth.Tokens) -> None:
        self._end_count_down()
        user = tokens.identity
        write("Logged in." if user is None else f"Logged in as {cli_auth.sanitize(user.subject)}.")

    def failed(self, error: cli_auth.Error) -> None:
        self._say(f"Not logged in: {error}.")
        for each in error.organizations or ():
            self._say(f"  {cli_auth.sanitize(each.id)}  {cli_auth.sanitize(each.name)}")
        if error.request_id is not None:
            self._say(f"Request ID: {error.request_id}")

    def _count_down(self, left: int) -> None:
        """Update the countdown, or print one line where nothing can be rewritten."""
        if self._in_place:
            say(f"\rWaiting for your approval, {left} s left. ", end="")
        elif not self._counting:
            say("Waiting for your approval.")
        self._counting = True

    def _end_count_down(self) -> None:
        if self._counting and self._in_place:
            say("")
        self._counting = False

    def _say(self, text: str) -> None:
        self._end_count_down()
        say(text)


class Closed(Exception):
    """The reader of standard output has closed it."""


def write(line: str) -> None:
    """Write a line to standard output and flush it. Escape what its encoding cannot represent."""
    if sys.stdout is None:
        raise Closed
    try:
        sys.stdout.buffer.write(f"{line}\n".encode(sys.stdout.encoding, "backslashreplace"))
        sys.stdout.flush()
    except OSError:
        discard(sys.stdout)
        raise Closed from None


def say(text: str, end: str = "\n") -> None:
    """Write text to standard error. Ignore that standard error may be closed."""
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(text + end)
        sys.stderr.flush()
    except OSError:
        discard(sys.stderr)


def can_rewrite() -> bool:
    """Return whether standard error is a terminal on which a line can be rewritten.

    ACCESSIBLE is what users of screen readers set.
    """
    needed = 48
    if os.environ.get("TERM", "") in ("", "dumb") or os.environ.get("ACCESSIBLE"):
        return False
    try:
        return os.get_terminal_size(2).columns >= needed
    except OSError:
        return False


def discard(stream: TextIO) -> None:
    """Discard the buffered output of a stream, so that Python reports no error at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        # argparse would write to standard output if standard error is closed.
        say(f"{self.format_usage()}{self.prog}: error: {message}")
        sys.exit(2)

    def refuse(self, message: str) -> NoReturn:
        """End the program because of a limit of this tool: the usage was correct."""
        say(f"{self.prog}: {message}.")
        sys.exit(2)


def read_arguments() -> argparse.Namespace:
    parser = Parser(
        usage="%(prog)s [COMMAND] --provider PROVIDER --client-id ID [OPTION]...",
        description="Logs you in, in a browser on this or another device. Default COMMAND: login.",
        # Without a width, argparse imports every compression module, even without --help.
        formatter_class=lambda prog: argparse.HelpFormatter(prog, width=80),
        allow_abbrev=False,
    )
    parser.register("type", None, utf8)
    add = parser.add_argument

    def repeatable(option: str, metavar: str, kind: Callable[[str], object], text: str) -> None:
        add(option, metavar=metavar, type=kind, action="append", help=f"{text}; repeatable")

    add("command", nargs="?", choices=["login", "token", "status", "logout"], default="login")
    add(
        "--provider",
        required=True,
        choices=["authkit", "connect", "oidc", "endpoints"],
        help="WorkOS AuthKit, WorkOS Connect (--domain), any server that publishes its metadata "
        "(--issuer), or any other one (--device-endpoint, --token-endpoint)",
    )
    add("--client-id", metavar="ID", required=True, help="how the server knows this tool")
    add("--api-base", metavar="URL", help="authkit: another address of the WorkOS API")
    add("--domain", metavar="HOST_OR_URL", help="connect: the AuthKit domain")
    add("--issuer", metavar="URL", help="oidc: the issuer, exactly as the server writes it")
    lacking = "oidc: if the metadata lacks it"
    add("--device-endpoint", metavar="URL", help=f"endpoints: where a login begins; {lacking}")
    add("--token-endpoint", metavar="URL", help=f"endpoints: where the tokens come from; {lacking}")
    add("--revocation-endpoint", metavar="URL", help=f"endpoints: to revoke tokens; {lacking}")
    add("--client-secret-env", metavar="NAME", help="the environment variable with a client secret")
    add("--scope", metavar="S", action="append", default=[], help="a scope to ask for; repeatable")
    repeatable("--param", "K=V", param, "a parameter of the first request (token: of a refresh)")
    repeatable("--token-param", "K=V", param, "an extra parameter of the token request")
    repeatable("--header", "'NAME: VALUE'", header, "an extra header of every request")
    modes = ["auto", "always", "never"]
    add("--pkce", choices=modes, default="auto", help="auto: if the server's metadata lists it")
    # Paths need not be UTF-8.
    add("--ca-file", metavar="PEM", type=str, help="certificates to trust beside the system's")
    add("--insecure-loopback", action="store_true", help="allow http to this machine, for tests")
    add("--app", metavar="NAME", help="the program that the stored login belongs to")
    add("--profile", metavar="NAME", help="the name of the stored login")
    stores = ["auto", "keyring", "file", "none"]
    add("--store", choices=stores, default="none", help="this tool can only use none, the default")
    add("--json", action="store_true", help="print a JSON object a line, and nothing else")
    add("--no-browser", action="store_true", help="login: do not open a browser")
    add("--timeout", metavar="SECONDS", type=seconds, help="login: give up after this time")
    add("--begin", action="store_true", help="login: store the login and end after the prompt")
    add("--resume", action="store_true", help="login: go on with the login that --begin stored")
    add("--min-validity", metavar="SECONDS", help="token: how long the token must be valid")
    add("--refused-env", metavar="NAME", help="token: the variable with a token that was refused")
    add("--version", action="version", version=f"%(prog)s {__version__}")

    options = parser.parse_args()
    values = vars(options).items()
    given = {"--" + name.replace("_", "-") for name, value in values if value not in (None, False)}
    for command, own in COMMAND_OPTIONS.items():
        for option in given.intersection(own):
            if options.command != command:
                parser.error(f"{option} is for {command}")
    for option, (needed_by, providers) in PROVIDER_OPTIONS.items():
        if option in given and options.provider not in providers:
            parser.error(f"{option} is for --provider {' or '.join(providers)}")
        if option not in given and options.provider == needed_by:
            parser.error(f"--provider {needed_by} needs {option}")
    check_store(parser, options)
    return options


def check_store(parser: Parser, options: argparse.Namespace) -> None:
    """Refuse what needs a stored login, because this tool does not store any."""
    if options.begin and options.resume:
        parser.error("--begin and --resume cannot be used together")
    if options.store != "none":
        parser.refuse("this tool cannot store a login yet, so --store must be none")
    if options.command != "login":
        parser.refuse(f"{options.command} needs a stored login, and --store is none")
    if options.begin or options.resume:
        parser.error("--begin and --resume need a store, and --store is none")


def utf8(word: str) -> str:
    try:
        word.encode()
    except UnicodeEncodeError:
        raise argparse.ArgumentTypeError("this is not UTF-8") from None
    return word


def param(word: str) -> tuple[str, str]:
    name, equals, value = utf8(word).partition("=")
    if not equals:
        raise argparse.ArgumentTypeError("write it as NAME=VALUE")
    return name, value


def header(word: str) -> tuple[str, str]:
    name, colon, value = utf8(word).partition(":")
    if not colon:
        raise argparse.ArgumentTypeError("write it as 'Name: value'")
    return name.strip(), value.strip()


def seconds(word: str) -> float:
    number = float(word)
    if not 0 < number < float("inf"):
        raise ValueError
    return number


if __name__ == "__main__":
    sys.exit(main())
