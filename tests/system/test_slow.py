"""2,000 clients that send or read as slowly as they may, all at once: the others hardly notice.

What slowhttptest's clients may cost is bounded in time (timeout_http_request, min_body_rate) and in memory; that they
end is tested with test_http_limits.py. Here they stay, and a normal client measures beside them.

What it measures it compares with the same of a second noxy that nobody is slow to, in turns, request by request. So
whatever else the machine does, slowhttptest and the origin among it, holds up both alike, and only what 2,000 slow
clients cost within noxy makes a difference. How busy that makes noxy is a claim of its own.
"""
import contextlib
import subprocess
import sys
import time

import pytest

import clients
import patient_origin
import processes
from ports import free_port
from waiting import wait_for

CLIENTS = 2000
ROUNDS, REQUESTS = 5, 200
PATIENCE = 40.0  # seconds of rounds
TARGETS = {"header": ["-H", "-i", "5"], "body": ["-B", "-i", "5", "-s", "8192", "-t", "POST"],
           "read": ["-X", "-w", "512", "-y", "1024", "-n", "5", "-z", "32", "-k", "1"]}


class PatientOrigin:
    def __init__(self):
        self.port = free_port()
        self._process = subprocess.Popen([sys.executable, patient_origin.__file__, str(self.port)],
                                         stdin=subprocess.DEVNULL)
        wait_for(lambda: not clients.refuses(self.port), "the origin listens")

    def server(self):
        return {"addr_port": f"127.0.0.1:{self.port}", "name": "patient"}

    def stop(self):
        self._process.kill()
        self._process.wait()


@pytest.fixture
def origin():
    made = PatientOrigin()
    yield made
    made.stop()


def seconds(lb, kept):
    """That one request takes: on the kept connection, or on one of its own."""
    start = time.monotonic()
    assert (kept.get() if kept else lb.get("/", {"Connection": "close"})).body == patient_origin.SMALL
    return time.monotonic() - start


def p99s(lbs):
    """Of a client's requests to each, in turns, half of them on connections of their own."""
    times = [[] for _ in lbs]
    with contextlib.ExitStack() as stack:
        kept = [stack.enter_context(lb.connect()) for lb in lbs]
        for i in range(REQUESTS):
            for lb, connection, own in zip(lbs, kept, times):
                own.append(seconds(lb, connection if i % 2 else None))
    return [sorted(own)[int(REQUESTS * 0.99)] for own in times]


def quiet_p99s(lbs, is_enough):
    """The lowest p99 of each in all rounds: what the machine does comes and goes, what noxy does stays. There are more
    rounds until `is_enough`, or patience is at an end."""
    lowest, rounds, end = [float("inf")] * len(lbs), 0, time.monotonic() + PATIENCE
    while rounds < ROUNDS or not is_enough(*lowest) and time.monotonic() < end:
        lowest, rounds = list(map(min, lowest, p99s(lbs))), rounds + 1
    return lowest


class Share:
    """Of one processor that `lb` took more than `other` did, while the `with` lasted."""

    def __init__(self, lb, other):
        self._measure = lambda: processes.cpu_seconds(lb.tree()) - processes.cpu_seconds(other.tree())

    def __enter__(self):
        self._start, self._before = time.monotonic(), self._measure()
        return self

    def __exit__(self, *_):
        self.value = (self._measure() - self._before) / (time.monotonic() - self._start)


@contextlib.contextmanager
def slow_clients(lb, mode, folder):
    """slowhttptest, as long as the `with` lasts."""
    target = "/large" if mode == "read" else "/"
    with open(folder / "slowhttptest", "wb") as out:
        process = subprocess.Popen(
            ["slowhttptest", *TARGETS[mode], "-c", str(CLIENTS), "-r", "2000", "-l", "100", "-p", "5",
             "-u", f"http://127.0.0.1:{lb.port}{target}"], stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=folder)
    try:
        wait_for(lambda: lb.total("frontend", "sessions_current") > CLIENTS * 0.95,
                 lambda: f"{CLIENTS} connections; {lb.total('frontend', 'sessions_current')} are there:\n"
                 + (folder / "slowhttptest").read_text(errors="replace")[-2000:])
        wait_for(lambda: lb.cpu_share() < 0.1, "they have all that the sockets hold, and are slow from now on")
        yield
    finally:
        process.terminate()
        process.wait()


@pytest.mark.optimised
@pytest.mark.parametrize("mode", TARGETS)
def test_others_hardly_notice_2000_slow_clients(noxy, origin, tmp_path, mode):
    beside, lb = [noxy.start(servers=[origin.server()], maxconn=5000, general={"maxconn": 5000}, min_body_rate=0,
                             timeout_http_request="120s") for _ in range(2)]
    p99s([beside, lb])
    descriptors, memory = lb.descriptors(), lb.pss()
    with slow_clients(lb, mode, tmp_path):
        with Share(lb, beside) as share:
            without, during = quiet_p99s([beside, lb], lambda without, during: during < 2 * without)
        there = lb.total("frontend", "sessions_current")
        held = lb.pss() - memory
    print(f"p99 {without * 1000:.2f} ms, with {there} slow clients {during * 1000:.2f} ms; they hold {held >> 10} KiB"
          f" and take {share.value * 100:.1f} % of a processor")
    assert there > CLIENTS * 0.95
    assert during < 2 * without
    assert share.value < 0.5
    lb.wait_idle()
    wait_for(lambda: lb.descriptors() <= descriptors + 8, lambda: f"{descriptors} descriptors; now {lb.descriptors()}")
    wait_for(lambda: lb.pss() < memory + (6 << 20), lambda: f"memory {memory >> 10} KiB; now {lb.pss() >> 10} KiB")
