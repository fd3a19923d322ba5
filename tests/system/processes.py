"""What /proc tells of processes."""
import contextlib
import os
import re
import signal
import threading
import time


def read(pid, name):
    """A file of the process, in bytes; nothing when it is gone."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/{name}", "rb") as f:
        return f.read()
    return b""


def stat_fields(pid):
    """The fields of stat(5) behind the command: state, parent, group, session ..."""
    return read(pid, "stat").decode("utf-8", "replace").rpartition(")")[2].split()


def tree(pid):
    """The process and all below it."""
    pids = [pid]
    for one in pids:
        pids += map(int, read(one, f"task/{one}/children").split())
    return pids


def is_alive(pid):
    fields = stat_fields(pid)
    return bool(fields) and fields[0] not in "ZX"


def pss(pids):
    """Their memory in bytes, shared pages counted once."""
    texts = [read(pid, "smaps_rollup").decode() for pid in pids]
    return sum(int(m.group(1)) * 1024 for m in (re.search(r"^Pss:\s+(\d+)", t, re.M) for t in texts) if m)


def descriptors(pid):
    """What each open descriptor refers to; none of a process that has just ended."""
    names = []
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for fd in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(FileNotFoundError):
                names.append(os.readlink(f"/proc/{pid}/fd/{fd}"))
    return names


def cpu_seconds(pids):
    return sum(int((read(pid, "schedstat").split() or [0])[0]) for pid in pids) / 1e9


def cpu_share(pids, seconds=1.0):
    """The share of one CPU that they use: a measure over time, the one thing that must wait for it."""
    before, start = cpu_seconds(pids), time.monotonic()
    time.sleep(seconds)
    return (cpu_seconds(pids) - before) / (time.monotonic() - start)


def marked(mark, session):
    """The processes that have `mark` in their environment or belong to the session."""
    found = []
    for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
        fields = stat_fields(pid)
        mine = fields and int(fields[3]) == session or mark.encode() in read(pid, "environ").split(b"\0")
        if mine and is_alive(pid) and pid != os.getpid():
            found.append(pid)
    return found


def kill_leftovers(mark, session, grace=3.0):
    """Kills such processes if they haven't ended by themselves after the grace (in seconds); the pids."""
    end = time.monotonic() + grace
    while (left := marked(mark, session)) and time.monotonic() < end:
        time.sleep(0.02)
    for pid in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return left


class Highest:
    """The highest value of a measure while the `with` lasts."""

    def __init__(self, measure):
        self._measure, self.value, self._over = measure, measure(), threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()

    def _run(self):
        while not self._over.wait(0.02):
            self.value = max(self.value, self._measure())
