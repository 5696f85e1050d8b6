"""Measure `cli_auth` from inside a program, as bench/meter does for Rust.

Each measure prints one JSON object on one line.

usage: meter.py polls  --url URL --ca-file FILE --logins N --seconds S
       meter.py cancel --url URL --ca-file FILE --logins N --after SECONDS
       meter.py crowd  --url URL --ca-file FILE --logins N

polls   N logins, polled by one thread in turn: processor time of a poll on a kept connection
cancel  N logins, a client and a thread each: from cancel() on another thread to the return of poll()
crowd   N asyncio logins of one client, from the start to the token
"""

import argparse
import asyncio
import collections
import heapq
import json
import os
import threading
import time
from pathlib import Path

import cli_auth
import cli_auth.aio

# The server's interval plus the client's guard.
PERIOD = 1.05
# Pause between two cancels, so that they do not affect each other.
PAUSE = 0.005
# Interval in which open sockets and threads are counted.
LOOK = 0.05


def client(kind, options):
    """Return a client with explicit endpoints, so that no discovery is needed."""
    return kind.with_endpoints(
        f"{options.url}/oauth2/device_authorization",
        f"{options.url}/oauth2/token",
        "bench",
        ca_pem=Path(options.ca_file).read_bytes(),
    )


def polls(options):
    """Measure the cost of one poll.

    A client waits at least a second between the polls of one login, so many logins share one
    client here. One thread drives the login that is due next, like a tool drives its only
    login. The starts are staggered, so that polls do not overlap. With enough logins, the
    thread never sleeps.
    """
    shared = client(cli_auth.Client, options)
    due = []
    began = time.monotonic()
    for number in range(options.logins):
        time.sleep(max(0.0, began + PERIOD / options.logins * number - time.monotonic()))
        login = shared.login()
        login.start()
        heapq.heappush(due, (time.monotonic() + PERIOD, number, login))

    # The first round is not measured. It brings every login into the state of later rounds.
    begin = time.monotonic() + PERIOD
    end = begin + options.seconds
    before = None
    done, slept = 0, 0.0
    while due[0][0] < end:
        at, number, login = due[0]
        if before is None and at >= begin:
            before = time.process_time()
            done, slept = 0, 0.0
        slept += max(0.0, at - time.monotonic())
        event = login.step(max_wait=60.0)
        if not isinstance(event, cli_auth.Pending):
            raise SystemExit(f"expected every poll to be pending, got {event!r}")
        done += 1
        heapq.heapreplace(due, (time.monotonic() + event.next_poll_in, number, login))
    cpu = time.process_time() - before
    # The average pause before one poll.
    return {"polls": done, "slept_s": slept / done, "cpu_us": cpu * 1e6, "sockets": sockets()}


def cancel(options):
    returned = {}

    def poll(login):
        try:
            login.poll()
        except cli_auth.CancelledError:
            returned[login] = time.perf_counter()

    logins = [client(cli_auth.Client, options).login() for _ in range(options.logins)]
    threads = []
    for login in logins:
        login.start()
        threads.append(threading.Thread(target=poll, args=[login]))
        threads[-1].start()
    # Long enough to reach the requested state: asleep, or with a request in flight.
    time.sleep(options.after)
    milliseconds = []
    for login, thread in zip(logins, threads):
        time.sleep(PAUSE)
        cancelled = time.perf_counter()
        login.cancel()
        thread.join()
        milliseconds.append((returned[login] - cancelled) * 1e3)
    return {"milliseconds": milliseconds}


def crowd(options):
    return asyncio.run(logins_at_once(options))


async def logins_at_once(options):
    shared = client(cli_auth.aio.Client, options)
    most = {"sockets": 0, "threads": 0}
    watcher = asyncio.create_task(watch(most))
    began = time.monotonic()
    outcomes = await asyncio.gather(
        *(log_in(shared.login()) for _ in range(options.logins)), return_exceptions=True
    )
    wall = time.monotonic() - began
    cpu, peak = time.process_time(), peak_kib()
    watcher.cancel()
    gaps = sorted(gap for outcome in outcomes if isinstance(outcome, list) for gap in outcome)
    failed = collections.Counter(
        type(outcome).__name__ for outcome in outcomes if not isinstance(outcome, list)
    )
    return {
        "done": options.logins - sum(failed.values()),
        "failed": failed,
        "wall_s": wall,
        "cpu_s": cpu,
        "peak_kib": peak,
        **most,
        "gap_p99_s": gaps[len(gaps) * 99 // 100] if gaps else None,
    }


async def log_in(login):
    """Run one login and return the seconds from each response to the next."""
    await login.start()
    times = [time.monotonic()]
    await login.poll(on_event=lambda _: times.append(time.monotonic()))
    times.append(time.monotonic())
    return [later - earlier for earlier, later in zip(times, times[1:])]


async def watch(most):
    while True:
        most["sockets"] = max(most["sockets"], sockets())
        most["threads"] = max(most["threads"], len(os.listdir("/proc/self/task")))
        await asyncio.sleep(LOOK)


def sockets():
    """Open sockets."""
    return sum(is_socket(entry) for entry in Path("/proc/self/fd").iterdir())


def is_socket(entry):
    try:
        return os.readlink(entry).startswith("socket:")
    except OSError:
        return False  # closed meanwhile


def peak_kib():
    """Peak resident memory."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("measure", choices=["polls", "cancel", "crowd"])
    parser.add_argument("--url", required=True)
    parser.add_argument("--ca-file", required=True)
    parser.add_argument("--logins", type=int, required=True)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--after", type=float)
    options = parser.parse_args()
    measure = {"polls": polls, "cancel": cancel, "crowd": crowd}[options.measure]
    print(json.dumps(measure(options)))


if __name__ == "__main__":
    main()
