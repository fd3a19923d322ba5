"""noxyctl and the admin socket."""
import json
import os
import socket
import stat

import pytest

from configs import compose
from ports import free_port
from waiting import wait_for


def test_stats_count_what_happened(noxy, origins):
    lb = noxy.start(backend=origins(2))
    with lb.connect() as c:
        for _ in range(10):
            c.get()
        c.get("/x")
    lb.get(method="POST", body=b"x" * 1000)
    lb.wait_idle()
    assert lb.total("frontend", "sessions") == 2
    for kind in ("frontend", "backend", "server"):
        assert lb.total(kind, "requests") == 12, kind
        assert lb.total(kind, "responses_2xx") == 12, kind
        assert lb.total(kind, "bytes_in") > 1000, kind
        assert lb.total(kind, "bytes_out") > 12 * 5, kind


def test_stats_are_exact_over_workers_and_generations(noxy, origins):
    lb = noxy.start(backend=origins(3), threads=3)
    for _ in range(3):
        for _ in range(30):
            assert lb.get().status == 200
        lb.reload()
    lb.wait_settled()
    for kind in ("frontend", "backend", "server"):
        assert lb.total(kind, "requests") == 90


def test_stats_tell_errors_by_reason(noxy, origins):
    lb = noxy.start(backend=origins(1), health_check=False, retries=0)
    origins[0].stop()
    for _ in range(3):
        assert lb.get().status == 502
    with lb.connect() as c:
        c.send("garbage\r\n\r\n")
        assert c.response().status == 400
    lb.wait_idle()
    assert lb.total("frontend", "reasons.client_bad_request") == 1
    assert lb.total("server", "reasons.server_refused") == 3
    assert lb.total("frontend", "responses_5xx") == 3


def test_stats_is_a_table_for_people(noxy, origins):
    lb = noxy.start(backend=origins(2), health_check=100)
    lb.wait_log("INFO", "is now up", times=2)
    for _ in range(10):
        lb.get()
    origins[0].stop()
    lb.wait_log("WARN", "is now down")
    text = lb.ctl("stats").stdout
    for word in ("main", "pool", "web1", "web2", "down", "refused", "up"):
        assert word in text, text
    assert all(line == line.rstrip() for line in text.splitlines())


def test_stats_of_one_name_only(noxy, origins):
    lb = noxy.start(backend=origins(1))
    text = lb.ctl("stats", "pool").stdout
    assert "pool" in text and "main" not in text
    assert "nothing" in lb.ctl("stats", "nothing", code=1).stderr


def test_latencies_are_told(noxy, origins):
    def answer(origin, c, request):
        origin.go.wait(0.05)
        c.reply(200, "x")
    lb = noxy.start(backend=origins(1, answer=answer))
    for _ in range(10):
        lb.get()
    lb.wait_idle()
    total = lb.server("web1")["latency_us"]["total"]
    assert 50_000 <= total["p50"] < 5_000_000


@pytest.mark.parametrize("command", ["stats", "info", "backends", "servers", "ping", "help"])
def test_every_command_answers_in_text_and_in_json(noxy, origins, command):
    lb = noxy.start(backend=origins(1))
    assert lb.ctl(command).stdout.strip()
    assert json.loads(lb.ctl("--json", command).stdout) is not None
    assert json.loads(lb.ctl(command, "--json").stdout) is not None


def test_info_tells_what_runs(noxy, origins):
    lb = noxy.start(backend=origins(1), threads=3)
    text = lb.ctl("info").stdout
    assert str(lb.process.pid) in text and lb.config in text
    lb.reload()
    assert lb.info()["generation"] == 2


def test_reload_returns_when_the_new_generation_serves(noxy, origins):
    a, b = origins(2)
    port = free_port()
    lb = noxy.start(compose(port, [a]))
    assert lb.get().server == "web1"
    lb.write(compose(port, [b]))
    told = lb.ctl("reload").stdout
    assert "2" in told
    assert {lb.get().server for _ in range(4)} == {"web2"}


def test_reload_of_a_wrong_file_tells_why_and_changes_nothing(noxy, origins):
    lb = noxy.start(backend=origins(1))
    workers, port = lb.workers(), lb.port
    lb.expect_error("noxy.yaml")
    lb.expect_error("the reload failed")
    lb.write_verbatim("frontend:\n  - name: web\n    bnd: 127.0.0.1:1\n")
    done = lb.ctl("reload", code=1)
    assert f"{lb.config}:3:5: " in done.stderr and '"bind"' in done.stderr and "^" in done.stderr
    assert lb.workers() == workers
    lb.ports = [port]
    assert lb.get().status == 200


def test_exit_codes(noxy, origins):
    lb = noxy.start(backend=origins(1))
    lb.ctl("ping", code=0)
    assert "did you mean" in lb.ctl("stast", code=2).stderr
    lb.ctl(code=2)
    lb.ctl("ping", "too", "many", "words", code=2)
    lb.stop()
    assert lb.socket in lb.ctl("ping", code=3).stderr


def test_the_socket_is_not_open_to_everybody(noxy, origins):
    lb = noxy.start(backend=origins(1))
    mode = os.stat(lb.socket).st_mode
    assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o660


def raw(lb, data):
    """What the admin socket answers to raw bytes, until it closes or is silent after an answer's end."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(30)
        s.connect(lb.socket)
        s.sendall(data)
        s.shutdown(socket.SHUT_WR)
        with s.makefile("rb") as stream:
            return stream.read()


def test_several_commands_on_one_connection(noxy, origins):
    lb = noxy.start(backend=origins(1))
    assert raw(lb, b"ping\nping\nnonsense\nping\n").count(b"pong") == 3


@pytest.mark.parametrize("data", [b"\0\0\0\n", b"x" * 100_000, b"\xff\xfe\n", b'ping "\n', b"--json\n", b"\n\n\n",
                                  b"ping " + b"a " * 1000 + b"\n"])
def test_garbage_on_the_admin_socket_harms_nobody(noxy, origins, data):
    lb = noxy.start(backend=origins(1))
    raw(lb, data)
    assert raw(lb, b"ping\n") == b"ok\npong\n\n"


def test_admin_clients_that_hang_do_not_hold_up_others(noxy, origins):
    lb = noxy.start(backend=origins(1))
    hung = []
    for _ in range(20):
        hung.append(socket.socket(socket.AF_UNIX))
        hung[-1].connect(lb.socket)
        hung[-1].sendall(b"stats\n" * 10 + b"pi")
    assert lb.ctl("ping").stdout == "pong\n"
    lb.reload()
    assert lb.ctl("ping").stdout == "pong\n"
    for s in hung:
        s.close()


def test_a_weight_of_sessions_current_is_seen_while_they_last(noxy, origins):
    lb = noxy.start(backend=origins(1))
    with lb.connect() as a, lb.connect() as b:
        assert (a.get().status, b.get().status) == (200, 200)
        assert lb.total("frontend", "sessions_current") == 2
    wait_for(lambda: lb.total("frontend", "sessions_current") == 0, "both are gone")
