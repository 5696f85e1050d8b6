"""`Login.cancel`: from other threads and from signal handlers, in every phase."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest
from support import PATIENCE, PATIENT, SOON, Thread, wait_until, wait_until_asleep

import cli_auth
from cli_auth import CancelledError

PHASES = ["connect", "discovery", "start", "waiting", "poll"]


def login_in(phase, silent, new_server):
    """A login that will hang in this phase, how to drive it there, how to know it is there."""
    if phase == "waiting":
        server = new_server(interval=600, expires_in=3000)
    else:
        server = silent(phase, interval=1)
    if phase == "discovery":
        client = cli_auth.Client.for_issuer(
            server.issuer, "client_test", allow_insecure_loopback=True, **PATIENT
        )
    else:
        client = server.client()
    login = client.login()
    if phase in ("connect", "discovery", "start"):
        arrival = {"connect": "connection", "discovery": "discovery_oauth", "start": "device"}[
            phase
        ]
        return login, login.start, lambda: server.wait_for(arrival)
    login.start()
    if phase == "poll":
        return login, login.poll, lambda: server.wait_for("token")
    return login, login.poll, lambda: None


@pytest.mark.parametrize("phase", PHASES)
def test_from_another_thread(phase, silent, new_server):
    login, drive, arrive = login_in(phase, silent, new_server)
    driver = Thread(drive)
    arrive()
    if phase == "waiting":
        wait_until_asleep(os.getpid(), driver.native_id)
    assert driver.is_alive()
    begun = time.monotonic()
    login.cancel()
    with pytest.raises(CancelledError):
        driver.result()
    assert driver.ended_at - begun < SOON
    with pytest.raises(CancelledError):
        login.step(0)


@pytest.mark.parametrize("phase", PHASES)
def test_from_a_signal_handler_on_the_driving_thread(phase, silent, new_server):
    login, drive, arrive = login_in(phase, silent, new_server)
    at = []

    def handler(number, frame):
        at.append(time.monotonic())
        login.cancel()

    def send():
        arrive()
        os.kill(os.getpid(), signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, handler)
    sender = Thread(send)
    try:
        with pytest.raises(CancelledError):
            drive()
        assert time.monotonic() - at[0] < SOON
    finally:
        sender.result()
        signal.signal(signal.SIGUSR1, before)
    assert len(at) == 1


def test_a_signal_handler_that_drives(server):
    """It is refused, and the wait goes on to its outcome."""
    login = server.client().login()
    login.start()
    found = []

    def handler(number, frame):
        for drive in (login.start, login.poll, lambda: login.step(0)):
            try:
                found.append(type(drive()))
            except cli_auth.Error as error:
                found.append(type(error))

    # Told of an event, the thread is inside `poll`.
    polling = threading.Event()

    def send():
        assert polling.wait(PATIENCE)
        for number in (1, 2, 3):
            os.kill(os.getpid(), signal.SIGUSR1)
            wait_until(lambda number=number: len(found) == 3 * number)
        server.answer("approve")

    before = signal.signal(signal.SIGUSR1, handler)
    sender = Thread(send)
    try:
        assert isinstance(login.poll(lambda event: polling.set()), cli_auth.Tokens)
        sender.result()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert found == [cli_auth.BusyError] * 9


def test_before_start(server):
    login = server.client().login()
    login.cancel()
    for drive in (login.start, lambda: login.step(0), lambda: login.step(5), login.start):
        with pytest.raises(CancelledError):
            drive()
    assert login.prompt is None
    assert server.log()["connections"] == []


def test_as_often_as_you_like(new_server):
    login = new_server(interval=600, expires_in=3000).client().login()
    login.start()
    threads = [Thread(login.cancel) for _ in range(20)]
    for _ in range(1000):
        login.cancel()
    for thread in threads:
        thread.result()
    for _ in range(3):
        with pytest.raises(CancelledError):
            login.poll()
    # What was shown stays known.
    assert login.prompt is not None


def test_after_the_outcome_it_changes_nothing(new_server):
    server = new_server(answer="approve")
    login = server.client().login()
    login.start()
    tokens = login.poll()
    login.cancel()
    assert login.poll().access_token == tokens.access_token
    assert login.step(0).access_token == tokens.access_token
    assert len(server.requests("token")) == 1


def test_after_a_refusal_it_changes_nothing(server):
    server.script({"device": ["invalid_client"]})
    login = server.client().login()
    with pytest.raises(cli_auth.RejectedError):
        login.start()
    login.cancel()
    with pytest.raises(cli_auth.RejectedError):
        login.start()
    assert len(server.requests("device")) == 1


def test_a_step_that_waits_is_woken(new_server):
    login = new_server(interval=600, expires_in=3000).client().login()
    login.start()
    driver = Thread(login.step, 500)
    wait_until_asleep(os.getpid(), driver.native_id)
    begun = time.monotonic()
    login.cancel()
    assert isinstance(driver.error(), CancelledError)
    assert driver.ended_at - begun < SOON


def test_only_this_login_ends(new_server):
    server = new_server(answer="approve")
    client = server.client()
    first, second = client.login(), client.login()
    first.start()
    second.start()
    driver = Thread(second.poll)
    first.cancel()
    assert isinstance(driver.result(), cli_auth.Tokens)
    with pytest.raises(CancelledError):
        first.poll()


def test_the_end_of_a_with_block_cancels(new_server):
    server = new_server(interval=600, expires_in=3000)
    with server.client().login() as login:
        login.start()
        assert isinstance(login.step(0), cli_auth.Waiting)
    with pytest.raises(CancelledError):
        login.step(0)

    with pytest.raises(KeyError), server.client().login() as login:
        raise KeyError
    with pytest.raises(CancelledError):
        login.start()


def test_a_with_block_keeps_the_outcome(new_server):
    with new_server(answer="approve").client().login() as login:
        login.start()
        tokens = login.poll()
    assert login.poll().access_token == tokens.access_token


def test_the_request_under_way_is_ended(silent):
    server = silent("start")
    login = server.client().login()
    driver = Thread(login.start)
    server.wait_for("device")
    login.cancel()
    assert isinstance(driver.error(), CancelledError)
    wait_until(lambda: server.requests("device")[0]["gone"] is not None, SOON)


@pytest.mark.parametrize("cancelled", [False, True])
@pytest.mark.parametrize("kept", [False, True])
def test_a_dropped_login_ends_its_request(silent, cancelled, kept):
    server = silent("start")
    client = server.client()
    login = client.login()
    while not server.requests("device"):
        assert isinstance(login.step(0.05), cli_auth.Waiting)
    assert server.requests("device")[0]["gone"] is None
    if cancelled:
        login.cancel()
    del login
    if kept:
        # Nothing runs in the background: the client's next turn does it.
        with pytest.raises(cli_auth.LoginRequiredError):
            client.refresh("nonsense")
    else:
        del client
    wait_until(lambda: server.requests("device")[0]["gone"] is not None, SOON)


def test_cancel_in_a_race_with_the_driver(server):
    """Whenever the cancel comes, the login ends by it, and nothing hangs."""
    server.script({"device": {"steps": [{"delay": 0.01}], "then": "repeat"}})
    client = server.client()
    for turn in range(100):
        login = client.login()
        gate = threading.Barrier(2)

        def drive(login=login, gate=gate):
            gate.wait()
            login.start()
            login.poll()

        driver = Thread(drive)
        gate.wait()
        time.sleep(turn % 20 / 1000)
        login.cancel()
        assert isinstance(driver.error(), CancelledError)
