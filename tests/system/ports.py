"""Ports for tests: each pytest process has a range of its own, so that tests run side by side never meet.

A range is held by an abstract Unix socket, which the kernel lets go when the process ends, however it ends. The ranges
lie below the ports that the kernel chooses for outgoing connections; where these begin too low for that, it is still
kept from taking a port that was handed out: a socket stays bound to it that doesn't listen, beside which others with
SO_REUSEADDR may listen, and which refuses connections as long as none does.
"""
import collections
import itertools
import socket

SIZE, RANGES = 400, 40
HIGHEST, LOWEST = 32000, 2048


def _first():
    """Of the ports of all ranges."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as f:
        end = min(HIGHEST, int(f.read().split()[0]))
    return end - SIZE * RANGES if end - SIZE * RANGES >= LOWEST else HIGHEST - SIZE * RANGES


def _claim_range():
    first = _first()
    for i in range(RANGES):
        holder = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            holder.bind(f"\0noxy-system-tests-{i}")
            return holder, itertools.cycle(range(first + i * SIZE, first + (i + 1) * SIZE))
        except OSError:
            holder.close()
    raise RuntimeError(f"all {RANGES} ranges of ports are taken by other test runs")


_holder, _numbers = None, None
_held = collections.deque(maxlen=SIZE // 4)  # many more than a test has; a socket that drops out is closed


def free_port():
    """A port that nobody listens on, not handed out to another test of this process for a long while."""
    global _holder, _numbers
    if _numbers is None:
        _holder, _numbers = _claim_range()
    for port in itertools.islice(_numbers, SIZE):
        holder = socket.socket()
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            holder.bind(("", port))
        except OSError:
            holder.close()
            continue
        _held.append(holder)
        return port
    raise RuntimeError("no free port in this process's range")
