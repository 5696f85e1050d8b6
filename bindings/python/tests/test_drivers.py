"""Several threads and one login; many logins and no thread of the library's."""

from __future__ import annotations

import os
import threading
import time

import pytest
from support import PATIENCE, SOON, Thread, task_count, wait_until, wait_until_asleep

import cli_auth
from cli_auth import BusyError


def test_a_second_driver_is_refused_while_the_first_waits(new_server):
    login = new_server(interval=600, expires_in=3000).client().login()
    login.start()
    first = Thread(login.poll)
    wait_until_asleep(os.getpid(), first.native_id)
    for drive in (login.start, login.poll, lambda: login.step(0), lambda: login.step(3)):
        begun = time.monotonic()
        second = Thread(drive)
        assert isinstance(second.error(), BusyError)
        assert second.ended_at - begun < SOON
    assert first.is_alive()
    login.cancel()
    assert isinstance(first.error(), cli_auth.CancelledError)


def test_a_second_driver_is_refused_while_the_first_is_inside(silent):
    server = silent("start")
    login = server.client().login()
    first = Thread(login.start)
    server.wait_for("device")
    for _ in range(50):
        assert isinstance(Thread(login.start).error(), BusyError)
        with pytest.raises(BusyError):
            login.step(0)
    assert first.is_alive()
    login.cancel()
    assert isinstance(first.error(), cli_auth.CancelledError)
    assert len(server.requests("device")) == 1


def test_after_the_first_a_second_may_drive(new_server):
    login = new_server(answer="approve").client().login()
    assert isinstance(Thread(login.start).result(), cli_auth.Prompt)
    assert isinstance(Thread(login.step, 0).result(), cli_auth.Waiting)
    tokens = Thread(login.poll).result()
    assert login.poll().access_token == tokens.access_token


def test_what_is_read_is_never_refused(new_server):
    login = new_server(interval=600, expires_in=3000).client().login()
    prompt = login.start()
    first = Thread(login.poll)
    wait_until_asleep(os.getpid(), first.native_id)
    assert login.prompt.user_code == prompt.user_code
    assert prompt.user_code in repr(login)
    login.cancel()
    first.error()


def test_one_client_in_many_threads(new_server):
    server = new_server(answer="approve")
    client = server.client()

    def log_in():
        login = client.login()
        login.start()
        return login.poll().access_token

    threads = [Thread(log_in) for _ in range(20)]
    assert len({thread.result() for thread in threads}) == 20


def test_a_blocking_login_makes_no_thread(silent, new_server):
    client = new_server(answer="approve").client()
    # One of an earlier test may still end: there must never be more.
    before = task_count()
    login = client.login()
    login.start()
    assert task_count() <= before
    login.poll()
    assert task_count() <= before

    server = silent("poll")
    login = server.client().login()
    login.start()
    driver = Thread(login.poll)
    server.wait_for("token")
    assert task_count() <= before + 1
    login.cancel()
    driver.error()
    wait_until(lambda: task_count() <= before)


def test_one_thread_drives_two_hundred_logins(new_server):
    server = new_server(answer="approve", log=False)
    client = server.client()
    logins = [client.login() for _ in range(200)]
    before = task_count()
    tokens = {}
    codes = set()
    end = time.monotonic() + PATIENCE
    while len(tokens) < len(logins):
        assert time.monotonic() < end
        for index, login in enumerate(logins):
            if index not in tokens:
                found = login.step(0)
                if isinstance(found, cli_auth.Tokens):
                    tokens[index] = found
                elif isinstance(found, cli_auth.Prompt):
                    codes.add(found.user_code)
                else:
                    assert isinstance(found, cli_auth.Waiting)
                    continue
                end = time.monotonic() + PATIENCE
        assert task_count() <= before
        time.sleep(0.005)
    assert len(codes) == 200
    assert len({found.access_token for found in tokens.values()}) == 200


def test_two_hundred_threads_wait_and_are_cancelled_at_once(new_server):
    server = new_server(interval=600, expires_in=3000, log=False)
    client = server.client()
    logins = [client.login() for _ in range(200)]
    waiting = threading.Semaphore(0)

    def drive(login):
        login.start()
        waiting.release()
        login.poll()

    before = task_count()
    threads = [Thread(drive, login) for login in logins]
    for _ in threads:
        assert waiting.acquire(timeout=PATIENCE)
    assert task_count() <= before + 200
    for login in logins:
        login.cancel()
    for thread in threads:
        assert isinstance(thread.error(), cli_auth.CancelledError)
    wait_until(lambda: task_count() <= before)
