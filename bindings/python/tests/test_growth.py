"""A thousand logins leave nothing behind."""

from __future__ import annotations

# Memory, descriptors and threads. What the first logins set up stays; later ones add nothing.
MEASURING = """
import asyncio, faulthandler, gc
from cli_auth import aio

faulthandler.register(signal.SIGALRM, chain=True)

def measure():
    gc.collect()
    with open("/proc/self/status") as status:
        kib = next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
    return kib, len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))

def expect_no_growth(some_logins, rounds, of):
    def play(rounds):
        for _ in range(rounds):
            # A round that hangs ends the program. A busy machine takes minutes for all of them.
            signal.alarm(int(PATIENCE))
            some_logins()
        signal.alarm(0)

    begin = measure()
    play(3)
    warm = measure()
    objects = len(gc.get_objects())
    play(rounds)
    assert of * rounds >= 1000
    after = measure()
    grown = len(gc.get_objects()) - objects
    assert after[0] - warm[0] < 2048, f"{after[0] - warm[0]} KiB more"
    # A client keeps some connections for the next logins, but not one for each login.
    assert after[1] <= begin[1] + 80, f"{after[1]} descriptors, {begin[1]} at the beginning"
    assert after[2] <= warm[2], f"{after[2]} threads, {warm[2]} before"
    assert grown < 500, f"{grown} objects more"
    return begin
"""
# Longest time for all the rounds, in seconds.
ALL_ROUNDS = 800

GRANT = {
    "access_token": "x" * 2000,
    "refresh_token": "y" * 100,
    "token_type": "Bearer",
    "expires_in": 300,
}
GRANTING = {
    "token": {"steps": [{"json": GRANT}], "then": "repeat"},
    "refresh": {"steps": [{"json": GRANT}], "then": "repeat"},
}


def test_blocking(new_server, children):
    """Logins that are driven side by side to their tokens, and refreshes."""
    server = new_server(script=GRANTING, log=False)
    code = """
client = client_of()

def some_logins():
    logins = [client.login() for _ in range(200)]
    for login in logins:
        login.start().text()
    while logins:
        logins = [login for login in logins if not isinstance(login.step(0), cli_auth.Tokens)]
        time.sleep(0.05)
    for _ in range(20):
        client.refresh("a token")

begin = expect_no_growth(some_logins, rounds=5, of=200)
del client
end = measure()
assert end[1] <= begin[1], f"{end[1]} descriptors, {begin[1]} at the beginning"
assert end[2] == begin[2] == 1
"""
    children(MEASURING + code, server.url).succeed(ALL_ROUNDS)


def test_asyncio(new_server, children):
    server = new_server(script=GRANTING, log=False)
    code = """
client = client_of(aio.Client)

async def log_in():
    login = client.login()
    (await login.start()).text()
    return await login.poll()

async def main():
    await asyncio.gather(*(log_in() for _ in range(200)))
    await asyncio.gather(*(client.refresh("a token") for _ in range(20)))

def some_logins():
    asyncio.run(main())

begin = expect_no_growth(some_logins, rounds=5, of=200)
del client
end = time.monotonic() + PATIENCE
while measure()[2] > 1:
    assert time.monotonic() < end, "a thread is left"
    time.sleep(0.01)
assert measure()[1] <= begin[1], f"{measure()[1]} descriptors, {begin[1]} at the beginning"
"""
    children(MEASURING + code, server.url).succeed(ALL_ROUNDS)


def test_logins_that_end_badly(new_server, children):
    """Refused, cancelled, dropped and interrupted ones."""
    server = new_server(script={"refresh": ["invalid_grant"]}, log=False)
    refusing = new_server(
        script={"device": {"steps": ["invalid_client"], "then": "repeat"}}, log=False
    )
    code = """
client = client_of()
refused = cli_auth.Client.authkit("client_test", api_base=sys.argv[2], allow_insecure_loopback=True)
aio_client = client_of(aio.Client)

async def cancelled():
    login = aio_client.login()
    await login.start()
    task = asyncio.ensure_future(login.poll())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])

def some_logins():
    for _ in range(50):
        try:
            refused.login().start()
        except cli_auth.RejectedError:
            pass
        login = client.login()
        login.start()
        login.cancel()
        try:
            login.poll()
        except cli_auth.CancelledError:
            pass
        client.login().start()
        client.login().step(0)
        try:
            client.refresh("a token")
        except cli_auth.LoginRequiredError:
            pass
    async def main():
        await asyncio.gather(*(cancelled() for _ in range(50)))
    asyncio.run(main())

expect_no_growth(some_logins, rounds=10, of=250)
"""
    children(MEASURING + code, server.url, refusing.url).succeed(ALL_ROUNDS)


def test_clients(new_server, children):
    """Clients come and go, each with its connections, and its thread where it has one."""
    server = new_server(log=False)
    code = """
async def started():
    await client_of(aio.Client).login().start()

def some_logins():
    for _ in range(40):
        client_of().login().start()
    for _ in range(10):
        asyncio.run(started())
    end = time.monotonic() + PATIENCE
    while measure()[2] > 1:
        assert time.monotonic() < end, "a thread is left"
        time.sleep(0.01)

expect_no_growth(some_logins, rounds=20, of=50)
"""
    children(MEASURING + code, server.url).succeed(ALL_ROUNDS)
