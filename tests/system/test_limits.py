"""Bounds: connections, descriptors, memory, time."""
import os
import resource
import subprocess

import pytest

import processes
from processes import Highest
from waiting import wait_for

MIB, GIB = 1 << 20, 1 << 30


def test_beyond_maxconn_a_connection_is_closed_at_once(noxy, origins):
    lb = noxy.start(backend=origins(1), maxconn=2)
    with lb.connect() as a, lb.connect() as b:
        assert (a.get().status, b.get().status) == (200, 200)
        for _ in range(5):
            with lb.connect() as c:
                assert c.read_to_end() == b""
        assert lb.total("frontend", "reasons.maxconn") == 5
    lb.wait_idle()
    assert lb.get().status == 200


def test_with_overflow_wait_a_connection_waits_and_is_then_served(noxy, origins):
    lb = noxy.start(backend=origins(1), maxconn=1, overflow="wait")
    with lb.connect() as first:
        assert first.get().status == 200
        waiting = lb.connect(timeout=0.3)
        waiting.send_request("GET")
        with pytest.raises(TimeoutError):
            waiting.sock.recv(1)
    waiting.sock.settimeout(30)
    assert waiting.response().status == 200
    waiting.close()


def test_waiting_does_not_spin(noxy, origins):
    lb = noxy.start(backend=origins(1), maxconn=1, overflow="wait")
    with lb.connect() as first:
        assert first.get().status == 200
        with lb.connect(), lb.connect():
            assert lb.cpu_share() < 0.2


def test_the_global_maxconn_bounds_all_frontends_together(noxy, origins):
    lb = noxy.start(backend=origins(1), maxconn=100, general={"maxconn": 3})
    held = [lb.connect() for _ in range(3)]
    assert [c.get().status for c in held] == [200] * 3
    with lb.connect() as fourth:
        assert fourth.read_to_end() == b""
    for c in held:
        c.close()
    lb.wait_idle()


def test_a_maxconn_that_descriptors_cannot_fit_is_told_and_lowered(noxy, origins):
    lb = noxy.start_as("nobody", backend=origins(1), general={"maxconn": 5000}, launch={"descriptors": 200})
    line = lb.wait_log("WARN", "maxconn 5000")[0]
    assert "ulimit" in line.message and "200" in line.message
    assert lb.get().status == 200


def test_out_of_descriptors_it_pauses_with_one_line_and_goes_on(noxy, origins):
    lb = noxy.start(backend=origins(1), threads=1, user="root")  # so that we may set the worker's limit
    worker = lb.workers()[0]
    with lb.connect() as first:
        assert first.get().status == 200
        before = resource.prlimit(worker, resource.RLIMIT_NOFILE)
        used = len(processes.descriptors(worker))
        resource.prlimit(worker, resource.RLIMIT_NOFILE, (used + 2, before[1]))
        more = [lb.connect() for _ in range(20)]
        lb.wait_log("WARN", "(?i)cannot accept")
        assert lb.cpu_share() < 0.3
        assert first.get().status == 200
        resource.prlimit(worker, resource.RLIMIT_NOFILE, before)
        assert [c.get().status for c in more] == [200] * 20
    assert len([line for line in lb.log("WARN") if "cannot accept" in line.message]) == 1
    for c in more:
        c.close()
    lb.wait_idle()


def sparse_file(nginx_server, size=GIB):
    path = os.path.join(nginx_server.root, "large")
    with open(path, "wb") as f:
        f.truncate(size)
    return path


def download(lb):
    done = subprocess.run(["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code} %{size_download}",
                           f"http://127.0.0.1:{lb.port}/large"], capture_output=True, text=True, timeout=120,
                          check=True)
    return done.stdout


@pytest.mark.optimised
@pytest.mark.parametrize("mode", ["http", "tcp"])
def test_a_gibibyte_downloaded_takes_little_memory(noxy, nginx, mode):
    servers = nginx(1)
    sparse_file(servers[0])
    lb = noxy.start(backend=servers, mode=mode)
    assert lb.get().status == 200
    before = lb.pss()
    with Highest(lb.pss) as highest:
        assert download(lb) == f"200 {GIB}"
    assert highest.value - before < 16 * MIB
    wait_for(lambda: lb.total("frontend", "bytes_out") > GIB, "it is counted")


def swallow(origin, c):
    """Reads a request with a body, in large pieces, and tells its length."""
    size, left = 0, int(c.read_request_head().field("Content-Length"))
    space = bytearray(MIB)
    while left and (n := c.stream.readinto1(memoryview(space)[:min(left, MIB)])):
        size, left = size + n, left - n
    c.reply(200, str(size), {"Connection": "close"})


@pytest.mark.optimised
@pytest.mark.parametrize("mode", ["http", "tcp"])
def test_a_gibibyte_uploaded_takes_little_memory(noxy, origins, tmp_path, mode):
    path = tmp_path / "large"
    with open(path, "wb") as f:
        f.truncate(GIB)
    lb = noxy.start(backend=origins(1, raw=swallow), mode=mode, health_check=False)
    before = lb.pss()
    with Highest(lb.pss) as highest:
        done = subprocess.run(["curl", "-sS", "-H", "Expect:", "-T", str(path), f"http://127.0.0.1:{lb.port}/large"],
                              capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout == str(GIB)
    assert highest.value - before < 16 * MIB


@pytest.mark.parametrize("mode", ["http", "tcp"])
def test_a_client_that_does_not_read_takes_little_memory(noxy, nginx, mode):
    servers = nginx(1)
    sparse_file(servers[0], 64 * MIB)
    lb = noxy.start(backend=servers, mode=mode, threads=1)
    assert lb.get().status == 200
    before = lb.pss()
    stuck = [lb.connect() for _ in range(8)]
    for c in stuck:
        c.send_request("GET", "/large")
    wait_for(lambda: standstill(lb), "all are stuck")
    assert lb.pss() - before < 24 * MIB
    for c in stuck:
        assert len(c.response().body) == 64 * MIB
        c.close()
    lb.wait_idle()


def standstill(lb):
    """Does noxy neither read nor write for a while?"""
    before = lb.total("frontend", "bytes_out"), lb.cpu_share()
    return before[1] < 0.02 and lb.total("frontend", "bytes_out") == before[0]


@pytest.mark.optimised
def test_idle_connections_take_little_memory_and_give_it_back(noxy, origins):
    lb = noxy.start(backend=origins(1), threads=1, general={"maxconn": 4000}, maxconn=4000)
    for c in hold(lb, 100):
        c.close()
    lb.wait_idle()
    before = lb.pss()
    held = hold(lb, 2000)
    assert (lb.pss() - before) / 2000 < 4096
    descriptors = lb.descriptors()
    for c in held:
        c.close()
    lb.wait_idle()
    wait_for(lambda: lb.descriptors() <= descriptors - 2000, "their descriptors are closed")


def raise_descriptors(count):
    """This process may have so many; skips the test when that is refused."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= count:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, max(count, hard)))
    except (ValueError, OSError) as e:
        pytest.skip(f"{count} descriptors are needed, {hard} are allowed and raising that is refused: {e}")


@pytest.mark.optimised
def test_9000_connections_of_which_500_are_active(noxy, nginx):
    most, active = 9000, 500
    idle = most - active
    raise_descriptors(2 * most + 1000)  # noxy's limit: each of its connections may need one to a server
    lb = noxy.start(backend=nginx(2), threads=1, maxconn=most, general={"maxconn": most}, timeout_keepalive="10m")
    for c in hold(lb, 100):
        c.close()
    lb.wait_idle()
    before = lb.pss()
    held = hold(lb, idle)
    assert (lb.pss() - before) / idle <= 768
    done = subprocess.run(["wrk", "-t1", f"-c{active}", "-d5s", "--timeout", "60s", f"http://127.0.0.1:{lb.port}/"],
                          capture_output=True, text=True, timeout=120, check=True)
    assert "Socket errors" not in done.stdout and "Non-2xx" not in done.stdout, done.stdout
    assert lb.total("frontend", "requests") > 10 * active + idle, done.stdout
    assert {c.get().status for c in held} == {200}
    assert lb.total("frontend", "reasons.maxconn") == 0
    for c in held:
        c.close()
    lb.wait_idle()


def hold(lb, count):
    """Connections that made one request and stay open."""
    held = []
    for _ in range(count):
        held.append(lb.connect())
        assert held[-1].get().status == 200
    return held


def test_garbage_from_many_at_once_leaves_others_alone(noxy, origins):
    lb = noxy.start(backend=origins(2))
    with lb.connect() as other:
        for i in range(200):
            with lb.connect() as c:
                c.send(os.urandom(100 + i))
                assert i % 10 or other.get().status == 200
    lb.wait_idle()
