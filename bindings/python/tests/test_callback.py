"""`on_event`: what it gets, and what happens to what it raises and does."""

from __future__ import annotations

import pytest
from support import Thread

import cli_auth
from cli_auth import BusyError, CancelledError, Pending, Retrying, SlowedDown


class Told(Exception):
    pass


def test_the_events(new_server):
    server = new_server(
        script={
            "token": [
                "authorization_pending",
                {"status": 502, "body": "no", "headers": {"x-request-id": "req_502"}},
                {"decide": "approve", "real": True},
            ]
        }
    )
    login = server.client().login()
    login.start()
    events = []
    tokens = login.poll(events.append)
    assert isinstance(tokens, cli_auth.Tokens)
    pending, retrying = events
    assert isinstance(pending, Pending)
    assert 0 <= pending.next_poll_in < 2
    assert 200 < pending.expires_in < 300
    assert isinstance(retrying, Retrying)
    assert (retrying.reason, retrying.attempt) == ("http_502", 1)
    assert retrying.retry_in >= 1
    assert retrying.request_id == "req_502"
    assert repr(retrying) == (
        f"Retrying(reason='http_502', attempt=1, retry_in={retrying.retry_in!r}, "
        f"request_id={retrying.request_id!r})"
    )


def test_slowed_down_and_the_end_of_the_code(new_server):
    login = new_server(script={"token": ["slow_down", "expired_token"]}).client().login()
    login.start()
    events = []
    with pytest.raises(cli_auth.ExpiredError):
        login.poll(events.append)
    assert [type(event) for event in events] == [SlowedDown]
    assert events[0].interval == 6.0


def test_an_exception_comes_out_as_it_is_and_poll_goes_on(server):
    login = server.client().login()
    login.start()
    raised = Told("mine")

    def on_event(event):
        raise raised

    with pytest.raises(Told) as caught:
        login.poll(on_event)
    assert caught.value is raised
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    server.answer("approve")
    assert isinstance(login.poll(), cli_auth.Tokens)
    # The first poll was not lost and not repeated.
    assert len(server.requests("token")) == 2


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_ends_a_program_cancels_the_login(kind, server):
    login = server.client().login()
    login.start()
    raised = kind("mine")

    def on_event(event):
        raise raised

    with pytest.raises(kind) as caught:
        login.poll(on_event)
    assert caught.value is raised
    for _ in range(2):
        with pytest.raises(CancelledError):
            login.poll()
    assert len(server.requests("token")) == 1


def test_an_error_of_the_package_from_the_callback_is_the_callbacks(server):
    login = server.client().login()
    login.start()

    def on_event(event):
        raise cli_auth.DeniedError("not the server's")

    with pytest.raises(cli_auth.DeniedError, match="not the server's"):
        login.poll(on_event)
    server.answer("approve")
    assert isinstance(login.poll(), cli_auth.Tokens)


def test_it_may_cancel(server):
    login = server.client().login()
    login.start()
    with pytest.raises(CancelledError):
        login.poll(lambda event: login.cancel())
    assert len(server.requests("token")) == 1


def test_the_login_is_busy_while_it_runs(server):
    """For the callback itself and for other threads; `poll` goes on to its tokens."""
    login = server.client().login()
    prompt = login.start()
    refused = []

    def on_event(event):
        for drive in (login.start, login.poll, lambda: login.step(0), lambda: login.step(5)):
            with pytest.raises(BusyError):
                drive()
            refused.append(Thread(drive).error())
        assert login.prompt.user_code == prompt.user_code
        server.answer("approve")

    assert isinstance(login.poll(on_event), cli_auth.Tokens)
    assert [type(error) for error in refused] == [BusyError] * 4
    assert len(server.requests("token")) == 2
    assert isinstance(login.step(0), cli_auth.Tokens)


def test_it_may_start_another_login(new_server):
    server = new_server()
    client = server.client()
    login = client.login()
    login.start()
    codes = []

    def on_event(event):
        with client.login() as other:
            codes.append(other.start().user_code)
        login.cancel()

    with pytest.raises(CancelledError):
        login.poll(on_event)
    assert codes[0] != login.prompt.user_code


def test_its_value_means_nothing(server):
    login = server.client().login()
    login.start()

    def on_event(event):
        server.answer("approve")
        return True

    assert isinstance(login.poll(on_event), cli_auth.Tokens)


@pytest.mark.parametrize("wrong", [5, "print", [], object()])
def test_something_that_cannot_be_called(wrong, server):
    login = server.client().login()
    login.start()
    with pytest.raises(TypeError, match="on_event must be callable"):
        login.poll(wrong)
    assert isinstance(login.step(0), cli_auth.Waiting)


def test_events_are_values():
    event = Pending(1.5, 300.0)
    assert event == Pending(1.5, 300.0)
    assert event != Pending(1.5, 299.0)
    assert event != SlowedDown(1.5)
    assert repr(event) == "Pending(next_poll_in=1.5, expires_in=300.0)"
    assert repr(cli_auth.Resumed(3600.0)) == "Resumed(suspended_for=3600.0)"
    assert repr(cli_auth.Waiting(0.0)) == "Waiting(due_in=0.0)"
    assert Pending.__match_args__ == ("next_poll_in", "expires_in")
    assert len({event, Pending(1.5, 300.0), SlowedDown(6.0)}) == 2
    assert not isinstance(cli_auth.Waiting(0.0), cli_auth.Event)
    assert issubclass(BusyError, cli_auth.Error)


def test_a_coroutine_function_is_for_asyncio(new_server):
    login = new_server(answer="approve", answer_after_polls=1).client().login()
    login.start()

    async def told(event):
        pass

    with pytest.raises(TypeError, match=r"cli_auth\.aio"):
        login.poll(on_event=told)
    assert login.poll().token_type == "Bearer"
