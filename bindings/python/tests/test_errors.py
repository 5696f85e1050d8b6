"""One class for each thing to do next, each brought about from outside."""

from __future__ import annotations

import concurrent.futures
import copy
import json
import os
import pickle
import time

import pytest
from support import PRELUDE, SOON, Thread

import cli_auth

KINDS = {
    "denied": cli_auth.DeniedError,
    "expired": cli_auth.ExpiredError,
    "cancelled": cli_auth.CancelledError,
    "action_required": cli_auth.ActionRequiredError,
    "login_required": cli_auth.LoginRequiredError,
    "rejected": cli_auth.RejectedError,
    "unsupported": cli_auth.UnsupportedError,
    "network": cli_auth.NetworkError,
    "tls": cli_auth.TlsError,
    "proxy": cli_auth.ProxyError,
    "invalid_response": cli_auth.InvalidResponseError,
    "invalid_config": cli_auth.InvalidConfigError,
    "store": cli_auth.StoreError,
    "misuse": cli_auth.MisuseError,
    "forked": cli_auth.ForkedError,
    "busy": cli_auth.BusyError,
    "internal": cli_auth.InternalError,
}


def test_the_hierarchy():
    for kind, error in KINDS.items():
        assert error.kind == kind
        assert issubclass(error, cli_auth.Error)
        assert error.__module__ == "cli_auth"
        assert getattr(cli_auth, error.__name__) is error
        assert issubclass(error, ValueError) == (kind in ("invalid_config", "misuse"))
    assert cli_auth.Error.__bases__ == (Exception,)
    subclasses = {cls for cls in cli_auth.Error.__subclasses__() if cls.__module__ == "cli_auth"}
    assert subclasses == set(KINDS.values())
    assert not issubclass(cli_auth.CancelledError, concurrent.futures.CancelledError)


def raised(kind, function, *args):
    """Calls it; it has to raise this kind, in words that help."""
    with pytest.raises(cli_auth.Error) as caught:
        function(*args)
    error = caught.value
    assert type(error) is KINDS[kind]
    assert error.kind == kind
    assert len(str(error)) > 15
    assert str(error) == error.args[0]
    assert str(error) in repr(error)
    assert "_native" not in repr(error)
    # The library's own exception is no business of the user's.
    assert error.__cause__ is None
    assert error.__suppress_context__ or error.__context__ is None
    assert set(vars(error)) == {
        "oauth_error", "description", "detail", "http_status", "request_id", "retry_after",
        "claims", "organizations", "pending_authentication_token", "members",
    }  # fmt: skip
    return error


def polled(server, kind):
    login = server.client().login()
    login.start()
    return raised(kind, login.poll)


def test_denied(new_server):
    error = polled(new_server(answer="deny"), "denied")
    assert error.oauth_error == "access_denied"
    assert error.http_status == 400
    assert error.request_id
    assert isinstance(error.description, str)
    assert error.organizations is None
    assert error.pending_authentication_token is None
    assert error.retry_after is None
    assert error.members["error"].expose() == '"access_denied"'


def test_the_technical_cause(new_server):
    login = new_server(script={"device": [{"reset": "before"}]}).client().login()
    error = raised("network", login.start)
    assert error.detail == "Connection reset by peer (os error 104)"
    assert error.detail not in str(error)
    assert error.members == {}


def test_start_after_a_failure_raises_its_error(new_server):
    cancelled = new_server().client().login()
    cancelled.start()
    cancelled.cancel()
    raised("cancelled", cancelled.start)

    denied = new_server(answer="deny").client().login()
    denied.start()
    raised("denied", denied.poll)
    raised("denied", denied.start)
    assert denied.prompt is not None


def test_expired(new_server):
    error = polled(new_server(script={"token": ["expired_token"]}), "expired")
    assert error.oauth_error == "expired_token"


def test_expired_by_the_programs_own_limit(new_server):
    login = new_server(interval=60).client(login_timeout=10).login()
    begun = time.monotonic()
    login.start()
    error = raised("expired", login.poll)
    assert 10 <= time.monotonic() - begun < 10 + SOON
    assert error.oauth_error is None


def test_cancelled(server):
    login = server.client().login()
    login.cancel()
    error = raised("cancelled", login.start)
    assert error.http_status is None


def test_action_required(new_server):
    organizations = [{"id": "org_1", "name": "One"}, {"id": "org_2", "name": "Two\x1b[31m"}]
    answer = {
        "decision": "step_up",
        "body": {"pending_authentication_token": "pending-secret-text"},
    }
    error = polled(new_server(answer=answer, organizations=organizations), "action_required")
    assert error.oauth_error == "organization_selection_required"
    assert error.http_status == 403
    assert error.organizations == [
        cli_auth.Organization("org_1", "One"),
        cli_auth.Organization("org_2", "Two\x1b[31m"),
    ]
    assert error.pending_authentication_token.expose() == "pending-secret-text"
    assert error.members["pending_authentication_token"].expose() == '"pending-secret-text"'
    assert "pending-secret-text" not in f"{error} {error!r} {vars(error)}"
    assert "\x1b" not in str(error)

    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        data = pickle.dumps(error, protocol)
        assert b"pending-secret-text" not in data
        again = pickle.loads(data)
        assert type(again) is cli_auth.ActionRequiredError
        assert again.pending_authentication_token is None
        without = {"pending_authentication_token": None, "members": {}}
        assert vars(again) == {**vars(error), **without}
        assert (again.args, again.kind, str(again)) == (error.args, error.kind, str(error))
    assert "pending-secret-text" not in repr(vars(copy.deepcopy(error)))


def test_every_member_of_the_response(new_server):
    body = {"error": "invalid_grant", "suberror": "bad_token", "trace": {"id": 7}}
    server = new_server(
        script={"refresh": [{"status": 400, "json": body}, {"status": 400, "body": "[]"}]}
    )
    client = server.client()
    error = raised("login_required", client.refresh, "a token")
    assert list(error.members) == ["error", "suberror", "trace"]
    assert all(type(member) is cli_auth.Secret for member in error.members.values())
    assert error.members["suberror"].expose() == '"bad_token"'
    assert json.loads(error.members["trace"].expose()) == {"id": 7}
    assert "bad_token" not in f"{error} {error!r} {vars(error)} {error.members}"
    assert b"bad_token" not in pickle.dumps(error)
    with pytest.raises(cli_auth.Error) as caught:
        client.refresh("a token")
    assert caught.value.members == {}


def test_rejected(new_server):
    server = new_server(script={"device": ["unauthorized_client"]})
    error = raised("rejected", server.client().login().start)
    assert error.oauth_error == "unauthorized_client"


def test_a_dead_refresh_token(new_server):
    server = new_server(script={"refresh": ["invalid_grant"]})
    error = raised("login_required", server.client().refresh, "used")
    assert error.oauth_error == "invalid_grant"


def test_unsupported(server):
    raised("unsupported", server.client().revoke, "a token")


def test_network(server):
    server.listening(False)
    for call in (server.client().login().start, lambda: server.client().refresh("a token")):
        error = raised("network", call)
        assert error.http_status is None


def test_network_that_answers_later(server):
    unavailable = {"status": 503, "body": "", "headers": {"Retry-After": "70"}}
    server.script({"device": [unavailable]})
    error = raised("network", server.client().login().start)
    assert error.http_status == 503
    assert error.retry_after == 70.0


@pytest.mark.parametrize("tls", ["untrusted", "expired", "wrong_name"])
def test_tls(tls, new_server):
    raised("tls", new_server(tls=tls).client().login().start)


def test_tls_with_the_right_roots(new_server):
    client = new_server(tls="good").client()
    assert client.login().start().user_code


def test_invalid_response(new_server):
    server = new_server(script={"device": [{"json": {"device_code": 5}}]})
    raised("invalid_response", server.client().login().start)


def test_invalid_config():
    raised("invalid_config", lambda: cli_auth.Client.authkit(""))
    with pytest.raises(ValueError, match="client id"):
        cli_auth.Client.authkit("")


def test_misuse(server):
    login = server.client().login()
    raised("misuse", login.poll)
    raised("misuse", lambda: login.step(-1))
    # The login is as it was.
    assert isinstance(login.start(), cli_auth.Prompt)


def test_busy(silent):
    server = silent("start")
    login = server.client().login()
    driver = Thread(login.start)
    server.wait_for("device")
    raised("busy", lambda: login.step(0))
    login.cancel()
    driver.error()


def test_forked(server):
    login = server.client().login()
    login.start()
    # In a child, without the rest of pytest.
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            login.poll()
        except BaseException as error:
            os.write(writer, f"{type(error).__name__} {error.kind} {error}".encode())
        os._exit(0)
    os.close(writer)
    with open(reader, "rb") as pipe:
        said = pipe.read().decode()
    assert os.waitpid(pid, 0)[1] == 0
    assert said.startswith("ForkedError forked ")
    assert isinstance(login.step(0), cli_auth.Waiting)


def test_to_another_process(new_server, children, tmp_path):
    """An error crosses a process boundary, as from a worker of a pool."""
    code = """
import multiprocessing

def work(url):
    login = client_of().login()
    login.start()
    login.poll()

if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        try:
            pool.apply(work, (sys.argv[1],))
        except cli_auth.Error as error:
            say(type(error).__name__, error.kind, error.http_status, error.oauth_error)
            say(error.organizations, error.pending_authentication_token)
            remote = str(error.__cause__)
    say("pending-secret-text" in remote)
"""
    (tmp_path / "program.py").write_text(PRELUDE + code)
    answer = {
        "decision": "step_up",
        "body": {"pending_authentication_token": "pending-secret-text"},
    }
    server = new_server(answer=answer, organizations=[{"id": "org_1", "name": "One"}])
    out = children("", server.url, path=tmp_path / "program.py").succeed()
    assert out == (
        "ActionRequiredError action_required 403 organization_selection_required\n"
        "[Organization(id='org_1', name='One')] None\n"
        "False\n"
    )


def test_made_by_a_users_test():
    """Programs are tested with errors of their own making."""
    error = cli_auth.DeniedError("no", oauth_error="access_denied", http_status=400)
    assert (str(error), error.oauth_error, error.http_status, error.description) == (
        "no",
        "access_denied",
        400,
        None,
    )
    secret = cli_auth.Secret('"bad_token"')
    assert cli_auth.RejectedError("no", members={"suberror": secret}).members["suberror"] is secret
    assert str(cli_auth.Error()) == ""
    assert cli_auth.Error().members == {}
    assert cli_auth.Organization("a", "b") == cli_auth.Organization("a", "b")
    assert cli_auth.Organization("a", "b") != cli_auth.Organization("a", "c")
    assert len({cli_auth.Organization("a", "b"), cli_auth.Organization("a", "b")}) == 1
