"""Ports for tests: each pytest process has a range of its own, so that tests run side by side never meet.

The ranges lie below the kernel's own for outgoing connections. A range is held by an abstract Unix socket, which the
kernel lets go when the process ends, however it ends.
"""
import itertools
import socket

FIRST, SIZE, RANGES = 16000, 400, 40


def _claim_range():
    for i in range(RANGES):
        holder = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            holder.bind(f"\0noxy-system-tests-{i}")
            return holder, itertools.cycle(range(FIRST + i * SIZE, FIRST + (i + 1) * SIZE))
        except OSError:
            holder.close()
    raise RuntimeError(f"all {RANGES} ranges of ports are taken by other test runs")


_holder, _numbers = None, None


def free_port():
    """A port that nobody listens on, not handed out to another test of this process for a long while."""
    global _holder, _numbers
    if _numbers is None:
        _holder, _numbers = _claim_range()
    for port in itertools.islice(_numbers, SIZE):
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise RuntimeError("no free port in this process's range")
