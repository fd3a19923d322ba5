"""Master, workers and manager: signals, crashes, privileges, the background."""
import contextlib
import os
import re
import signal
import subprocess

import pytest

import clients
import processes
from clients import Traffic
from waiting import wait_for


def test_term_ends_all_at_once_with_0(noxy, origins):
    lb = noxy.start(backend=origins(1, raw=lambda o, c: o.go.wait(60)), mode="tcp")
    with lb.connect() as c:
        assert lb.stop(signal.SIGTERM) == 0
        assert c.read_to_end() == b""


def test_int_ends_it_too(noxy, origins):
    lb = noxy.start(backend=origins(1))
    assert lb.stop(signal.SIGINT) == 0


def test_quit_finishes_what_is_under_way(noxy, origins):
    def answer(origin, c, request):
        origin.go.wait(60)
        c.reply(200, "done")
    pool = origins(1, answer=answer)
    lb = noxy.start(backend=pool)
    with lb.connect() as c:
        c.send_request("GET")
        wait_for(lambda: pool[0].requests, "the request arrives")
        lb.signal(signal.SIGQUIT)
        wait_for(lambda: clients.refuses(lb.port), "new connections are refused")
        pool[0].go.set()
        assert c.response().body == b"done"
    assert lb.process.wait(30) == 0


UNFINISHED = ["GET / HTTP/1.1\r\nHo", "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n" * 3,
              "POST /hold HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc",
              "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
              "GET /tunnel HTTP/1.1\r\nHost: a\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"]


def never_end(origin, c, request):
    if request.target == "/tunnel":
        c.send("HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nhello")
    elif request.target == "/hold":
        c.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhello")
    origin.go.wait(60)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGQUIT])
def test_it_ends_cleanly_in_the_middle_of_everything(noxy, origins, number):
    lb = noxy.start(backend=origins(2, answer=never_end), drain_timeout=300)
    open_connections = [lb.connect() for _ in UNFINISHED * 2]
    for c, text in zip(open_connections, UNFINISHED * 2):
        c.send(text)
    lb.wait_total("frontend", "sessions_current", len(open_connections))
    lb.wait_total("server", "requests_current", 8)
    assert lb.stop(number) == 0
    for c in open_connections:
        c.read_to_end()
        c.close()


def test_quit_is_bounded_by_drain_timeout(noxy, origins):
    lb = noxy.start(backend=origins(1, raw=lambda o, c: o.go.wait(60)), mode="tcp", drain_timeout=300)
    with lb.connect() as c:
        c.send("x")
        wait_for(lambda: origins[0].connections, "the connection arrives")
        assert lb.stop(signal.SIGQUIT) == 0


def test_winch_drains_the_workers_and_hup_brings_new_ones(noxy, origins):
    lb = noxy.start(backend=origins(1))
    old = lb.workers()
    lb.signal(signal.SIGWINCH)
    wait_for(lambda: not set(lb.tree()) & set(old), "the workers end")
    lb.signal(signal.SIGHUP)
    wait_for(lambda: len(lb.workers()) == 2, "new workers")
    assert lb.get().status == 200


def test_a_killed_worker_is_replaced_and_the_counts_are_right_again(noxy, origins):
    def answer(origin, c, request):
        if request.target == "/hold":
            origin.go.wait(60)
        c.reply(200, "", {"X-Server": origin.name})
    pool = origins(2, answer=answer)
    lb = noxy.start(backend=pool)
    lb.expect_error(r"worker \d+ .* signal 9")
    held = [lb.connect() for _ in range(12)]
    for c in held:
        c.send_request("GET", "/hold")
    lb.wait_total("server", "requests_current", 12)
    for victim in lb.workers():
        os.kill(victim, signal.SIGKILL)
        wait_for(lambda v=victim: v not in lb.workers() and len(lb.workers()) == 2, "it is replaced")
    lb.wait_idle()
    for c in held:
        c.close()
    with Traffic(lb.port) as traffic:
        wait_for(lambda: traffic.done > 200, "traffic goes on")
    assert not traffic.failures
    lb.wait_idle()


def test_a_worker_killed_under_traffic_costs_only_its_own_connections(noxy, origins):
    lb = noxy.start(backend=origins(2), threads=2)
    lb.expect_error(r"worker \d+ .* signal 9")
    with Traffic(lb.port, threads=6) as traffic:
        wait_for(lambda: traffic.done > 100, "traffic flows")
        victim = lb.workers()[0]
        os.kill(victim, signal.SIGKILL)
        wait_for(lambda: victim not in lb.workers() and len(lb.workers()) == 2, "it is replaced")
        done = traffic.done
        wait_for(lambda: traffic.done > done + 200, "traffic goes on")
    assert len(traffic.failures) <= 6
    lb.wait_idle()
    assert lb.total("frontend", "requests") >= traffic.done


def test_a_killed_manager_is_replaced(noxy, origins):
    lb = noxy.start(backend=origins(2), health_check=100)
    lb.expect_error(r"manager .* signal 9")
    lb.wait_log("INFO", "is now up", times=2)
    victim = lb.manager()
    os.kill(victim, signal.SIGKILL)
    wait_for(lambda: lb.manager() not in (None, victim), "it is replaced")
    origins[0].stop()
    lb.wait_log("WARN", "is now down")
    assert lb.ctl("ping").stdout == "pong\n"


def test_a_worker_that_dies_again_and_again_is_replaced_more_slowly(noxy, origins):
    lb = noxy.start(backend=origins(1), threads=1)
    lb.expect_error(r"worker \d+ .* signal 9")
    seen = []
    for _ in range(4):
        pid = wait_for(lambda: next((w for w in lb.workers() if w not in seen), None), "another worker")
        seen.append(pid)
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: any(w not in seen for w in lb.workers()), "another worker")
    assert lb.get().status == 200


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give up rights")
def test_children_give_up_roots_rights(noxy, origins):
    lb = noxy.start(backend=origins(1))
    for pid in lb.tree()[1:]:
        with open(f"/proc/{pid}/status", encoding="ascii") as f:
            status = f.read()
        assert "0" not in re.search(r"^Uid:\s+(.*)$", status, re.M).group(1).split()
        assert re.search(r"^CapEff:\s+0+$", status, re.M)
        assert re.search(r"^NoNewPrivs:\s+1$", status, re.M)


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to become another user")
def test_it_runs_without_root(noxy, origins):
    lb = noxy.start_as("nobody", backend=origins(1))
    assert lb.get().status == 200
    lb.reload()
    assert lb.get().status == 200


def test_in_the_background_the_command_ends_when_noxy_serves(noxy, origins):
    lb = noxy.prepare(backend=origins(1), log={"target": "file", "path": "out"})
    lb.launch("-d")
    assert lb.process.wait(30) == 0
    assert lb.get().status == 200
    with open(lb.pid_file, encoding="ascii") as f:
        master = int(f.read())
    os.kill(master, signal.SIGTERM)
    wait_for(lambda: not os.path.exists(lb.pid_file) and not os.path.exists(f"/proc/{master}"), "noxy ends")


def test_in_the_background_a_failure_is_told_to_the_starter(noxy, origins):
    taken = origins(1)[0]
    lb = noxy.prepare(f"frontend: [ {{ name: a, bind: '127.0.0.1:{taken.port}', use_backend: b }} ]\n"
                      f"backend: [ {{ name: b, servers: [ {{ addr_port: '127.0.0.1:{taken.port}' }} ] }} ]\n")
    assert "in use" in lb.fails_to_start("-d")


def test_a_second_noxy_with_the_same_pid_file_is_refused(noxy, origins):
    lb = noxy.start(backend=origins(1))
    done = noxy.run("-c", lb.config)
    assert done.returncode == 1
    assert lb.pid_file in done.stderr or "in use" in done.stderr
    assert lb.get().status == 200
    assert lb.ctl("ping").stdout == "pong\n"


def test_a_stale_pid_file_and_socket_are_taken_over(noxy, origins):
    lb = noxy.start(backend=origins(1))
    lb.expect_error("the master has gone")
    pids = lb.tree()
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    lb.process.wait(30)
    wait_for(lambda: not any(processes.is_alive(pid) for pid in pids), "all are gone")
    assert os.path.exists(lb.pid_file) and os.path.exists(lb.socket)
    lb.launch()
    lb.wait_ready()
    assert lb.get().status == 200


def test_when_the_master_dies_its_children_end(noxy, origins):
    lb = noxy.start(backend=origins(1))
    lb.expected_code = -signal.SIGKILL
    lb.expect_error("the master has gone")
    children = lb.tree()[1:]
    os.kill(lb.process.pid, signal.SIGKILL)
    wait_for(lambda: not any(processes.is_alive(pid) for pid in children), "its children end")
    for path in (lb.pid_file, lb.socket):
        os.unlink(path)


@pytest.mark.optimised
def test_at_rest_it_uses_no_cpu(noxy, origins):
    lb = noxy.start(backend=origins(2))
    with lb.connect() as idle, lb.connect():
        assert idle.get().status == 200
        lb.wait_log("INFO", "is now up", times=2)
        assert lb.cpu_share() < 0.02


@pytest.mark.optimised
def test_valgrind_finds_no_error_and_no_leak(noxy, origins):
    lb = noxy.prepare(backend=origins(2), health_check=300, threads=1, drain_timeout=3000)
    report = lb.path("reports/valgrind.%p")
    lb.launch(wrapper=["valgrind", "-q", "--vgdb=no", "--leak-check=full", "--show-leak-kinds=definite,possible",
                       "--errors-for-leak-kinds=definite,possible", "--trace-children=yes", f"--log-file={report}"])
    lb.wait_ready()
    with lb.connect() as c:
        for _ in range(20):
            assert c.request("POST", body=b"x" * 100_000).status == 200
    lb.reload()
    assert [lb.get().status for _ in range(5)] == [200] * 5
    with lb.connect() as c:
        c.send("garbage\r\n\r\n")
        assert c.response().status == 400
    lb.ctl("stats")
    assert lb.stop(signal.SIGQUIT) == 0
