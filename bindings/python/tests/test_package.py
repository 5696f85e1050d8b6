"""The package as a whole: what importing it costs, what help() shows, what it is silent about."""

from __future__ import annotations

import importlib.metadata
import inspect
import pathlib
import pydoc
import re

import pytest

import cli_auth
from cli_auth import aio

HERE = pathlib.Path(__file__).parent

# All that `import cli_auth` may load, beside the package and what Python has loaded by itself. Each
# costs every start of every program: think before you add one. Not asyncio, typing, dataclasses,
# enum, threading, datetime, json, re, logging.
MAY_BE_IMPORTED = {
    "__future__",
    "_ctypes",
    "_struct",
    "ctypes",
    "ctypes._endian",
    "itertools",
    "struct",
    # ctypes's own, with some versions of Python.
    "types",
}


def imported_by(children, statement):
    program = f"import sys\nold = set(sys.modules)\n{statement}\nprint(*set(sys.modules) - old)"
    child = children(program, options=("-I",), bare=True)
    return set(child.succeed().split())


def test_what_import_brings_in(children):
    found = imported_by(children, "import cli_auth")
    own = {name for name in found if name.partition(".")[0] == "cli_auth"}
    assert {"cli_auth", "cli_auth._client"} <= own
    assert "cli_auth.aio" not in own
    assert found - own <= MAY_BE_IMPORTED


def test_what_a_client_brings_in(children):
    """Nor does using it: a client, a login, an error and a secret."""
    found = imported_by(
        children,
        """
import cli_auth
settings = dict(scopes=[], params={"a": "b"}, headers=[], login_timeout=5)
client = cli_auth.Client.authkit("client_test", **settings)
login = client.login()
login.cancel()
try:
    login.start()
except cli_auth.CancelledError as error:
    str(error), repr(error), repr(login), repr(client), repr(cli_auth.Secret("a"))
""",
    )
    assert {name for name in found if name.partition(".")[0] != "cli_auth"} <= MAY_BE_IMPORTED


def test_from_cli_auth_import_everything(children):
    program = """
from cli_auth import *
import cli_auth, sys
assert all(name in globals() for name in cli_auth.__all__)
assert "asyncio" not in sys.modules
names = {name for name in globals() if not name.startswith("__")}
assert names == {*cli_auth.__all__, "cli_auth", "sys"}
"""
    children(program, bare=True).succeed()


@pytest.mark.parametrize(
    "program",
    [
        "import cli_auth, sys\nassert 'asyncio' not in sys.modules\ncli_auth.aio.Client",
        "import cli_auth.aio as aio, cli_auth\nassert cli_auth.aio is aio",
        "from cli_auth import aio\nfrom cli_auth.aio import Client\nassert aio.Client is Client",
    ],
)
def test_the_submodule_comes_when_it_is_asked_for(program, children):
    children(program, bare=True).succeed()


def test_names():
    assert cli_auth.__version__ == importlib.metadata.version("cli-auth")
    assert {*cli_auth.__all__, "__version__"} <= set(dir(cli_auth))
    assert sorted(set(cli_auth.__all__)) == sorted(cli_auth.__all__)
    public = {name for name in dir(cli_auth) if not name.startswith("_")}
    assert public - {"annotations", "TYPE_CHECKING"} == {*cli_auth.__all__, "aio"}
    assert set(aio.__all__) == {"Client", "Login"}
    with pytest.raises(AttributeError, match=r"cli_auth.*has no attribute 'nothing'"):
        cli_auth.nothing  # noqa: B018
    with pytest.raises(ImportError, match="nothing"):
        from cli_auth import nothing  # noqa: F401
    assert (pathlib.Path(cli_auth.__file__).parent / "py.typed").exists()


def public_members():
    for module in (cli_auth, aio):
        for name in module.__all__:
            it = getattr(module, name)
            yield f"{module.__name__}.{name}", it
            if inspect.isclass(it):
                for member, value in vars(it).items():
                    if not member.startswith("_") and (
                        callable(value) or isinstance(value, (property, classmethod))
                    ):
                        yield f"{module.__name__}.{name}.{member}", getattr(it, member)


def test_every_public_name_has_a_docstring():
    seen = 0
    for name, it in public_members():
        doc = inspect.getdoc(it)
        assert doc, f"{name} has no docstring"
        assert len(doc.splitlines()[0]) > 10, name
        assert max(map(len, doc.splitlines())) <= 110, f"{name}: a line is too long for help()"
        seen += 1
    assert seen > 40


def test_where_things_say_they_are_from():
    for name in cli_auth.__all__:
        it = getattr(cli_auth, name)
        assert inspect.ismodule(it) or it.__module__ == "cli_auth", name
    assert aio.Client.__module__ == aio.Login.__module__ == "cli_auth.aio"


def test_blocking_and_asyncio_have_the_same_names():
    for blocking, asynchronous in [(cli_auth.Client, aio.Client), (cli_auth.Login, aio.Login)]:
        names = [
            {name for name in dir(it) if not name.startswith("_")}
            for it in (blocking, asynchronous)
        ]
        assert names[0] == names[1]
        for name in names[0]:
            one, other = getattr(blocking, name), getattr(asynchronous, name)
            if callable(one):
                assert list(inspect.signature(one).parameters) == list(
                    inspect.signature(other).parameters
                )
    for name in ("start", "poll", "step"):
        assert inspect.iscoroutinefunction(getattr(aio.Login, name))
    for name in ("refresh", "userinfo", "revoke"):
        assert inspect.iscoroutinefunction(getattr(aio.Client, name))


@pytest.mark.parametrize(
    "what", [cli_auth, aio, *(getattr(cli_auth, name) for name in cli_auth.__all__)]
)
def test_help(what):
    text = pydoc.plain(pydoc.render_doc(what))
    assert "_native" not in re.sub(r"cli_auth\._native\S*|_native\b.*\n", "", text)
    if what is cli_auth:
        for word in ("Client.authkit", "class Login", "class Tokens", "DeniedError"):
            assert word in text
        assert "Opaque" not in text.split("CLASSES")[0]


def test_the_ten_line_login_of_the_docstring(new_server, children):
    """The program in `help(cli_auth)` runs as it stands, but for the server."""
    lines = inspect.getdoc(cli_auth).splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("    "))
    code = []
    for line in lines[first:]:
        if line and not line.startswith("    "):
            break
        code.append(line[4:])
    program = "\n".join(code)
    assert '"client_123", ' in program
    program = program.replace(
        '"client_123", ', '"client_123", api_base=sys.argv[1], allow_insecure_loopback=True, '
    )
    server = new_server(answer="approve")
    status, out, err = children(program, server.url, bare=True).finish()
    assert status == 0, err
    assert out.startswith("logged in as user_")
    assert server.url + "/device" in err


@pytest.mark.parametrize("kind", ["blocking", "asyncio"])
def test_a_whole_login_is_silent(kind, new_server, children):
    """Under -X dev, with every warning an error."""
    server = new_server(answer="approve", answer_after_polls=1)
    if kind == "blocking":
        program = """
client = client_of()
with client.login() as login:
    prompt = login.start()
    prompt.text(), prompt.text_for_stderr(), prompt.open_browser(), prompt.host
    tokens = login.poll(lambda event: repr(event))
tokens = client.refresh(tokens.refresh_token)
try:
    client.revoke(tokens.refresh_token)
except cli_auth.UnsupportedError:
    say(tokens.identity.subject, tokens.expires_at, tokens.other_names)
"""
    else:
        program = """
import asyncio
from cli_auth import aio

async def main():
    # Python's own complaint of a busy machine.
    asyncio.get_running_loop().slow_callback_duration = 1000
    client = client_of(aio.Client)
    async with client.login() as login:
        await login.start()
        tokens = await login.poll(lambda event: repr(event))
    tokens = await client.refresh(tokens.refresh_token)
    try:
        await client.revoke(tokens.refresh_token)
    except cli_auth.UnsupportedError:
        say(tokens.identity.subject, tokens.expires_at, tokens.other_names)
    task = asyncio.ensure_future(client.login().start())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])

asyncio.run(main())
"""
    out = children(program, server.url, options=("-X", "dev", "-W", "error", "-b", "-b")).succeed()
    assert out.startswith("user_")


@pytest.mark.parametrize("options", [("-O",), ("-OO",), ("-I",), ("-s", "-E", "-B")])
def test_without_docstrings_and_assertions(options, new_server, children):
    server = new_server()
    children("print(client_of().login().start().user_code)", server.url, options=options).succeed()


def test_every_public_name_is_in_the_typed_program():
    text = (HERE / "typed" / "user_program.py").read_text()
    words = set(re.findall(r"\w+", text))
    for name, it in public_members():
        assert name.rpartition(".")[2] in words, f"{name} is not in user_program.py"
        if inspect.isclass(it):
            missing = set(getattr(it, "__match_args__", ())) - words
            assert not missing, f"{missing} of {name} are not in user_program.py"
