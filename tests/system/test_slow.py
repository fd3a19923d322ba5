"""2,000 clients that send or read as slowly as they may, all at once: the others hardly notice.

What slowhttptest's clients may cost is bounded in time (timeout_http_request, min_body_rate) and in memory; that they
end is tested with test_http_limits.py. Here they stay, and a normal client measures beside them.
"""
import asyncio
import contextlib
import statistics
import subprocess
import threading
import time

import pytest

from ports import free_port
from waiting import wait_for

CLIENTS = 2000
ROUNDS, REQUESTS = 5, 300
FLOOR = 0.005  # seconds: below this, what is measured is the machine
SMALL, LARGE = b"x" * 100, b"y" * 1_000_000
TARGETS = {"header": ["-H", "-i", "5"], "body": ["-B", "-i", "5", "-s", "8192", "-t", "POST"],
           "read": ["-X", "-w", "512", "-y", "1024", "-n", "5", "-z", "32", "-k", "1"]}


class PatientOrigin:
    """Waits for each request's body, however many there are; /large is large."""

    def __init__(self):
        self.port, self._loop = free_port(), asyncio.new_event_loop()
        started = threading.Event()
        threading.Thread(target=self._run, args=(started,), daemon=True).start()
        started.wait()

    def _run(self, started):
        self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", self.port, backlog=4096))
        started.set()
        self._loop.run_forever()

    async def _serve(self, reader, writer):
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                if b"content-length:" in head:
                    await reader.readexactly(int(head.split(b"content-length:")[1].split(b"\r\n")[0]))
                data = LARGE if head.split()[1] == b"/large" else SMALL
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(data) + data)
                await writer.drain()
        writer.close()

    def server(self):
        return {"addr_port": f"127.0.0.1:{self.port}", "name": "patient"}

    def stop(self):
        self._loop.call_soon_threadsafe(self._loop.stop)


@pytest.fixture
def origin():
    made = PatientOrigin()
    yield made
    made.stop()


def p99(lb):
    """Of a client's requests, one after the other, half of them on a connection of their own; in seconds."""
    times = []
    with lb.connect() as kept:
        for i in range(REQUESTS):
            start = time.monotonic()
            assert (kept.get() if i % 2 else lb.get("/", {"Connection": "close"})).body == SMALL
            times.append(time.monotonic() - start)
    return sorted(times)[int(REQUESTS * 0.99)]


def median_p99(lb):
    return statistics.median(p99(lb) for _ in range(ROUNDS))


@contextlib.contextmanager
def slow_clients(lb, mode, folder):
    """slowhttptest, as long as the `with` lasts."""
    target = "/large" if mode == "read" else "/"
    with open(folder / "slowhttptest", "wb") as out:
        process = subprocess.Popen(
            ["slowhttptest", *TARGETS[mode], "-c", str(CLIENTS), "-r", "2000", "-l", "60", "-p", "5",
             "-u", f"http://127.0.0.1:{lb.port}{target}"], stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=folder)
    try:
        wait_for(lambda: lb.total("frontend", "sessions_current") > CLIENTS * 0.95,
                 lambda: f"{CLIENTS} connections; {lb.total('frontend', 'sessions_current')} are there:\n"
                 + (folder / "slowhttptest").read_text(errors="replace")[-2000:])
        yield
    finally:
        process.terminate()
        process.wait()


@pytest.mark.optimised
@pytest.mark.parametrize("mode", TARGETS)
def test_others_hardly_notice_2000_slow_clients(noxy, origin, tmp_path, mode):
    lb = noxy.start(servers=[origin.server()], maxconn=5000, general={"maxconn": 5000}, timeout_http_request="60s",
                    min_body_rate=0)
    before = median_p99(lb)
    descriptors, memory = lb.descriptors(), lb.pss()
    with slow_clients(lb, mode, tmp_path):
        during = median_p99(lb)
        there = lb.total("frontend", "sessions_current")
        held = lb.pss() - memory
    print(f"p99 {before * 1000:.2f} ms, with {there} slow clients {during * 1000:.2f} ms; they hold {held >> 10} KiB")
    assert there > CLIENTS * 0.95
    assert during < max(2 * before, FLOOR)
    lb.wait_idle()
    wait_for(lambda: lb.descriptors() <= descriptors + 8, lambda: f"{descriptors} descriptors; now {lb.descriptors()}")
    wait_for(lambda: lb.pss() < memory + (6 << 20), lambda: f"memory {memory >> 10} KiB; now {lb.pss() >> 10} KiB")
