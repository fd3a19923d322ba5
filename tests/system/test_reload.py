"""Reload: the new generation takes over, and nobody notices."""
import re
import signal
import subprocess

import pytest

import clients
from clients import Traffic
from configs import compose
from origins import echo
from ports import free_port
from waiting import wait_for


def reload_ten_times(lb):
    """Ten reloads, and traffic after each."""
    for _ in range(10):
        lb.reload()
        done = lb.total("frontend", "requests")
        wait_for(lambda d=done: lb.total("frontend", "requests") > d + 1000, "traffic goes on")


def told(process):
    """What a load generator says when it is interrupted in its work."""
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    return process.communicate(timeout=60)[0]


def test_ten_reloads_under_traffic_fail_no_request(noxy, origins):
    lb = noxy.start(backend=origins(2))
    with Traffic(lb.port, keepalive=True) as kept, Traffic(lb.port, keepalive=False) as fresh:
        for _ in range(10):
            done = kept.done + fresh.done
            lb.reload()
            wait_for(lambda d=done: kept.done + fresh.done > d + 50, "traffic goes on")
    assert (kept.failures, fresh.failures) == ([], [])
    lb.wait_idle()
    assert lb.total("frontend", "requests") == kept.done + fresh.done


def test_uploads_and_downloads_go_on_over_reloads(noxy, origins):
    def answer(origin, c, request):
        c.reply(200, bytes(300_000), {"X-Server": origin.name})
    lb = noxy.start(backend=origins(2, answer=answer))
    with Traffic(lb.port, threads=3, method="POST", body=bytes(300_000)) as traffic:
        for _ in range(5):
            done = traffic.done
            lb.reload()
            wait_for(lambda d=done: traffic.done > d + 10, "traffic goes on")
    assert traffic.failures == []


@pytest.mark.optimised
@pytest.mark.parametrize("user", [None, "nobody"])
def test_ten_reloads_under_wrk_and_hey(noxy, nginx, user):
    lb = noxy.start_as(user, backend=nginx(2))
    url = f"http://127.0.0.1:{lb.port}/"
    wrk = subprocess.Popen(["wrk", "-t1", "-c16", "-d200s", "--timeout", "60s", url], stdout=subprocess.PIPE, text=True)
    hey = subprocess.Popen(["hey", "-z", "200s", "-t", "60", "-c", "8", "-disable-keepalive", url], stdout=subprocess.PIPE,
                           text=True)
    reload_ten_times(lb)
    text = told(wrk)
    assert int(re.search(r"(\d+) requests in", text).group(1)) > 1000
    assert "Socket errors" not in text and "Non-2xx" not in text, text
    text = told(hey)
    assert re.search(r"\[200\]\s+\d+ responses", text), text
    assert "Error distribution" not in text and len(re.findall(r"\[\d+\]\s+\d+ responses", text)) == 1, text


def test_a_request_under_way_is_finished_by_its_own_generation(noxy, origins):
    def answer(origin, c, request):
        origin.go.wait(60)
        c.reply(200, "late", {"X-Server": origin.name})
    pool = origins(1, answer=answer)
    lb = noxy.start(backend=pool)
    old = lb.workers()
    with lb.connect() as c:
        c.send_request("GET")
        wait_for(lambda: pool[0].requests, "the request arrives")
        lb.reload()
        assert not set(lb.workers()) & set(old)
        pool[0].go.set()
        r = c.response()
        assert (r.status, r.body, r.closes) == (200, b"late", True)
    lb.wait_settled()


def test_an_idle_connection_of_the_old_generation_gets_its_next_answer_or_a_clean_end(noxy, origins):
    lb = noxy.start(backend=origins(1))
    old = lb.workers()
    with lb.connect() as c:
        assert c.get().status == 200
        lb.reload()
        assert c.read_to_end() == b""
    lb.wait_settled()


def test_a_tunnel_lives_on_until_drain_timeout(noxy, origins):
    lb = noxy.start(backend=origins(1, raw=echo), mode="tcp", drain_timeout="4s", health_check=False)
    old = lb.workers()
    with lb.connect() as c:
        c.send("before")
        assert c.read(6) == b"before"
        lb.reload()
        c.send("after")
        assert c.read(5) == b"after"
        assert c.read_to_end() == b""
    lb.wait_settled()


def test_four_generations_drain_at_once_and_the_oldest_ends_for_a_fifth(noxy, origins):
    lb = noxy.start(backend=origins(1, raw=echo), mode="tcp", drain_timeout="10m", health_check=False, threads=1)
    held = []
    for ended in range(4):
        while len(held) < 5 + ended:
            held.append(lb.connect())
            held[-1].send("a")
            assert held[-1].read(1) == b"a"
            lb.reload()
        lb.wait_log("NOTICE", f"more than 4 generations drain: generation {ended + 1} is ended")
        assert held[ended].read_to_end() == b""
        for c in held[ended + 1:]:
            c.send("b")
            assert c.read(1) == b"b"
    assert len([line for line in lb.log() if "is ended" in line.message]) == 4
    for c in held:
        c.close()
    lb.wait_settled()


def test_counters_and_the_rotation_go_on(noxy, origins):
    lb = noxy.start(backend=origins(2), threads=1)
    names = []
    for _ in range(4):
        names += [lb.get().server for _ in range(5)]
        lb.reload()
    assert names in (["web1", "web2"] * 10, ["web2", "web1"] * 10)
    assert lb.total("frontend", "requests") == 20


def test_health_is_remembered(noxy, origins):
    lb = noxy.start(backend=origins(2), health_check={"interval": "1h", "fall": 1})
    lb.wait_log("INFO", "is now up", times=2)
    origins[0].stop()
    for _ in range(20):
        lb.get()
    lb.wait_log("WARN", "is now down")
    lb.reload()
    assert lb.server("web1")["state"] == "down"
    assert len(lb.log("WARN")) == 1


def test_servers_and_frontends_come_and_go(noxy, origins):
    a, b = origins(2)
    port, other = free_port(), free_port()
    lb = noxy.start(compose(port, [a]))
    assert lb.get().server == "web1"
    lb.reload(compose(port, [b]))
    assert {lb.get().server for _ in range(4)} == {"web2"}
    lb.reload(compose(other, [a, b]))
    assert {lb.get().server for _ in range(4)} == {"web1", "web2"}
    wait_for(lambda: clients.refuses(port), "nobody listens on the old port")


WRONG = """\
frontend:
  - name: main
    bind: [ { addr_port: "127.0.0.1:1" } ]
    use_backnd: pool
"""


def test_a_wrong_file_changes_nothing(noxy, origins):
    lb = noxy.start(backend=origins(1))
    workers, port = lb.workers(), lb.port
    lb.expect_error("the reload failed")
    lb.expect_error(r"noxy\.yaml:4:5: .*use_backnd")
    lb.write_verbatim(WRONG)
    lb.signal(signal.SIGHUP)
    line = lb.wait_log("ERROR", "use_backnd")[0]
    assert "use_backend" in line.message
    assert lb.workers() == workers
    assert clients.get(port).status == 200


def test_a_port_in_use_is_named_and_changes_nothing(noxy, origins):
    taken = origins(1)[0]
    port = free_port()
    lb = noxy.start(compose(port, origins))
    workers = lb.workers()
    text = compose(port, origins).replace("bind\": [", f"bind\": [{{\"addr_port\": \"127.0.0.1:{taken.port}\"}}, ")
    lb.expect_error("the reload failed")
    lb.expect_error(f"127.0.0.1:{taken.port}")
    lb.write(text)
    lb.signal(signal.SIGHUP)
    assert "in use" in lb.wait_log("ERROR", f"127.0.0.1:{taken.port}")[0].message
    assert lb.workers() == workers
    assert clients.get(port).status == 200


def test_many_reloads_leave_no_process_and_no_descriptor(noxy, origins):
    lb = noxy.start(backend=origins(1), threads=1)
    lb.reload()
    assert lb.get().status == 200
    lb.wait_settled()
    processes_before, descriptors_before = len(lb.tree()), lb.descriptors()
    for _ in range(12):
        lb.reload()
        assert lb.get().status == 200
    lb.wait_settled()
    wait_for(lambda: len(lb.tree()) == processes_before and lb.descriptors() <= descriptors_before,
             lambda: f"{len(lb.tree())} processes, {lb.descriptors()} descriptors, as before")
