"""A server's maxconn over all workers, and the queue of those who wait for a place."""
import json
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from clients import Closed, get
from origins import echo
from waiting import wait_for


class Crowd:
    """An origin's behaviour that counts how many requests it has at once; each takes `seconds`."""

    def __init__(self, seconds):
        self.seconds, self.now, self.most, self._lock = seconds, 0, 0, threading.Lock()

    def __enter__(self):
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)

    def __exit__(self, *_):
        with self._lock:
            self.now -= 1

    def answer(self, origin, c, request):
        with self:
            time.sleep(self.seconds)
        c.reply(200, "served", {"X-Server": origin.name})

    def raw(self, origin, c):
        if not (line := c.stream.readline()):
            return  # a health check
        with self:
            time.sleep(self.seconds)
        c.send(line)


def gate(origin, c, request):
    """Answers when the test says so."""
    origin.go.wait(60)
    c.reply(200, "served", {"X-Server": origin.name})


def queued(lb):
    return lb.total("backend", "queued_current")


def wait_queued(lb, count):
    wait_for(lambda: queued(lb) == count, lambda: f"{count} wait, not {queued(lb)}")


def send_get(lb, timeout=20):
    c = lb.connect(timeout)
    c.send_request("GET")
    return c


def occupy(lb, origin):
    """The one request that the origin holds until its gate opens."""
    c = send_get(lb)
    wait_for(lambda: origin.requests, "the request arrives")
    return c


@pytest.mark.parametrize("threads", [1, 3])
def test_never_more_than_maxconn_at_once_and_all_are_served(noxy, origins, threads):
    crowd = Crowd(0.01)
    pool = origins(1, answer=crowd.answer)
    lb = noxy.start(servers=[pool[0].server(maxconn=1)], threads=threads, timeout_queue="60s")
    with ThreadPoolExecutor(20) as clients:
        results = list(clients.map(lambda _: get(lb.port).status, range(100)))
    assert results == [200] * 100
    assert crowd.most == 1
    lb.wait_idle()
    wait_queued(lb, 0)
    assert lb.rows("backend")[0]["latency_us"]["queue"]["p99"] > 10_000


def test_a_full_server_is_passed_over_and_nobody_waits(noxy, origins):
    full, free = origins(1, answer=gate) + origins(1)
    lb = noxy.start(servers=[full.server(maxconn=1), free.server()], health_check=False)
    with send_get(lb) as a, send_get(lb) as b:
        wait_for(lambda: full.requests, "the request arrives")
        assert {lb.get().server for _ in range(20)} == {free.name}
        assert queued(lb) == 0
        full.go.set()
        assert {a.response().server, b.response().server} == {full.name, free.name}


def test_keepalive_connections_that_idle_take_no_place(noxy, origins):
    lb = noxy.start(servers=[origins(1)[0].server(maxconn=1)])
    with lb.connect() as a, lb.connect() as b:
        for _ in range(5):
            assert (a.get().status, b.get().status) == (200, 200)


@pytest.mark.parametrize("size", [0, 200_000])
def test_timeout_queue_is_answered_with_503(noxy, origins, size):
    origin = origins(1, answer=gate)[0]
    lb = noxy.start(servers=[origin.server(maxconn=1)], timeout_queue="1s", timeout_client="500ms",
                    when_down="close")  # it isn't down
    with occupy(lb, origin) as first:
        start = time.monotonic()
        with lb.connect() as c:
            r = c.request("PUT", body=bytes(size))  # to wait is not the client's fault
            assert r.status == 503 and b"503" in r.body
            assert 1 <= time.monotonic() - start
            assert bool(size) == r.closes
        wait_for(lambda: lb.total("backend", "reasons.queue_timeout") == 1, "it is counted")
        assert len(origin.requests) == 1
        origin.go.set()
        assert first.response().status == 200
    assert lb.get().status == 200


def test_a_request_with_a_body_waits_too(noxy, origins):
    def take(origin, c, request):
        origin.go.wait(60)
        c.reply(200, str(len(request.body)))
    origin = origins(1, answer=take)[0]
    lb = noxy.start(servers=[origin.server(maxconn=1)])
    with occupy(lb, origin) as first, lb.connect() as second:
        sender = threading.Thread(target=second.send_request, args=("POST", "/", (), bytes(1_000_000)))
        sender.start()
        wait_queued(lb, 1)
        origin.go.set()
        assert first.response().status == 200
        assert second.response().body == b"1000000"
        sender.join()


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("body", [None, b"12345"])
def test_a_client_that_goes_away_leaves_the_queue(noxy, origins, how, body):
    origin = origins(1, answer=gate)[0]
    lb = noxy.start(servers=[origin.server(maxconn=1)])
    with occupy(lb, origin) as first:
        impatient = lb.connect()
        impatient.send_request("PUT" if body else "GET", "/gone", body=body)
        wait_queued(lb, 1)
        with send_get(lb) as patient:
            wait_queued(lb, 2)
            getattr(impatient, how)()
            wait_queued(lb, 1)
            origin.go.set()
            assert (first.response().status, patient.response().status) == (200, 200)
    assert [r.target for r in origin.requests] == ["/", "/"]
    lb.wait_idle()


def test_when_the_server_goes_down_those_who_wait_are_told_at_once(noxy, origins):
    origin = origins(1, answer=gate)[0]
    lb = noxy.start(servers=[origin.server(maxconn=1)], timeout_queue="60s",
                    health_check={"interval": 100, "fall": 1})
    lb.wait_log("INFO", "is now up")
    with occupy(lb, origin), send_get(lb) as waiting:
        wait_queued(lb, 1)
        origin.stop()
        assert waiting.response().status in (502, 503)


def test_nobody_starves_behind_the_busy_clients_of_another_worker(noxy, origins):
    crowd = Crowd(0.005)
    pool = origins(1, answer=crowd.answer)
    lb = noxy.start(servers=[pool[0].server(maxconn=1)], threads=3, timeout_queue="20s", health_check=False)
    end, statuses = time.monotonic() + 4, []

    def ask_again_and_again(_):
        with lb.connect() as c:
            served = 0
            while time.monotonic() < end:
                statuses.append(c.get().status)
                served += 1
            return served
    with ThreadPoolExecutor(12) as clients:
        served = list(clients.map(ask_again_and_again, range(12)))
    assert set(statuses) == {200} and crowd.most == 1
    assert min(served) > sum(served) / len(served) / 4, served


def test_who_waits_at_a_reload_is_served_by_his_own_generation(noxy, origins):
    origin = origins(1, answer=gate)[0]
    lb = noxy.start(servers=[origin.server(maxconn=1)], timeout_queue="60s", health_check=False)
    with occupy(lb, origin) as first, send_get(lb) as second, send_get(lb) as third:
        wait_queued(lb, 2)
        lb.reload()
        with send_get(lb) as fourth:
            wait_queued(lb, 3)  # the old generation's request counts for the new one
            assert len(origin.requests) == 1
            origin.go.set()
            assert [c.response().status for c in (first, second, third, fourth)] == [200] * 4
    lb.wait_settled()
    lb.wait_idle()
    wait_queued(lb, 0)


def test_a_worker_that_dies_gives_its_places_back(noxy, origins):
    origin = origins(1, answer=gate)[0]
    lb = noxy.start(servers=[origin.server(maxconn=1)], threads=1, timeout_queue="60s", health_check=False)
    lb.expect_error("worker")
    with occupy(lb, origin) as first:
        waiting = send_get(lb)
        wait_queued(lb, 1)
        for pid in lb.workers():
            os.kill(pid, signal.SIGKILL)
        with pytest.raises((Closed, ConnectionError)):
            first.response()
        waiting.close()
        wait_queued(lb, 0)
    origin.go.set()
    assert lb.get().status == 200


# ---- mode tcp ----

@pytest.mark.parametrize("threads", [1, 3])
def test_in_mode_tcp_connections_wait_for_a_place(noxy, origins, threads):
    crowd = Crowd(0.01)
    pool = origins(1, raw=crowd.raw)
    lb = noxy.start(servers=[pool[0].server(maxconn=2)], mode="tcp", threads=threads, timeout_queue="60s")

    def ask(number):
        with lb.connect() as c:
            c.send(f"hello {number}\n")
            return c.read_to_end()
    with ThreadPoolExecutor(20) as clients:
        answers = list(clients.map(ask, range(60)))
    assert answers == [f"hello {number}\n".encode() for number in range(60)]
    assert crowd.most <= 2
    lb.wait_idle()
    wait_queued(lb, 0)
    assert lb.rows("backend")[0]["latency_us"]["queue"]["count"] == 60


def test_in_mode_tcp_timeout_queue_closes_the_connection(noxy, origins):
    origin = origins(1, raw=echo)[0]
    lb = noxy.start(servers=[origin.server(maxconn=1)], mode="tcp", timeout_queue="300ms", health_check=False)
    with lb.connect() as first:
        first.send("a")
        assert first.read(1) == b"a"
        start = time.monotonic()
        with lb.connect() as second:
            assert second.read_to_end() == b""
            assert time.monotonic() - start >= 0.3
        wait_for(lambda: lb.total("backend", "reasons.queue_timeout") == 1, "it is counted")
        first.send("b")
        assert first.read(1) == b"b"


def test_in_mode_tcp_a_client_that_breaks_off_leaves_the_queue(noxy, origins):
    origin = origins(1, raw=echo)[0]
    lb = noxy.start(servers=[origin.server(maxconn=1)], mode="tcp", health_check=False)
    with lb.connect() as first:
        first.send("a")
        assert first.read(1) == b"a"
        second = lb.connect()
        wait_queued(lb, 1)
        second.reset()
        wait_queued(lb, 0)


# ---- what is told ----

def test_noxyctl_tells_of_the_queue_and_the_limit(noxy, origins):
    origin = origins(1, answer=gate)[0]
    lb = noxy.start(servers=[origin.server(maxconn=1)])
    with occupy(lb, origin) as first, send_get(lb) as second:
        wait_queued(lb, 1)
        assert json.loads(lb.ctl("--json", "backends").stdout)["backends"][0]["queued_current"] == 1
        assert json.loads(lb.ctl("--json", "servers").stdout)["servers"][0]["maxconn"] == 1
        origin.go.set()
        assert (first.response().status, second.response().status) == (200, 200)


def test_waiting_takes_hardly_any_time_of_the_processor(noxy, origins):
    origin = origins(1, answer=gate)[0]
    lb = noxy.start(servers=[origin.server(maxconn=1)], timeout_queue="60s")
    with occupy(lb, origin) as first:
        waiting = [send_get(lb) for _ in range(100)]
        wait_queued(lb, 100)
        assert lb.cpu_share() < 0.2
        origin.go.set()
        assert [c.response().status for c in [first, *waiting]] == [200] * 101
    for c in waiting:
        c.close()
