"""The access log: each line against a real exchange, whatever ended it; files, rotation, reload."""
import json
import os
import re
import signal
import subprocess
import threading
import time

import pytest

import processes
from clients import Connection, Traffic
from configs import compose
from harness import TOP
from origins import echo
from ports import free_port
from waiting import wait_for

LINE = re.compile(
    r'(?P<time>\S+Z) (?P<client>\S+) (?P<frontend>\S+) (?P<backend>[^ :]+)(?::(?P<server>\S+))? (?P<status>\d{3}|-) '
    r'in=(?P<bytes_in>\d+) out=(?P<bytes_out>\d+) head=(?P<head>\S+) queue=(?P<queue>\S+) connect=(?P<connect>\S+) '
    r'first=(?P<first>\S+) total=(?P<total>\S+) retries=(?P<retries>\d+) gen=(?P<generation>\d+) '
    r'end=(?P<end>\S+) rule=(?P<rule>\S+) tls=(?P<tls>\S+) "(?P<request>[^"]*)" host="(?P<host>[^"]*)"')

with open(os.path.join(TOP, "docs/access-log.md"), encoding="utf-8") as document:
    MANUAL = document.read()


def text_lines(lb, name="access.log"):
    """The lines of the file, each taken apart; it has no others."""
    with open(lb.path(name), encoding="utf-8") as f:
        lines = f.read().splitlines()
    matches = [LINE.fullmatch(line) for line in lines]
    assert all(matches), [line for line, match in zip(lines, matches) if not match]
    return [match.groupdict() for match in matches]


def wait_lines(lb, count=1, name="access.log"):
    wait_for(lambda: len(text_lines(lb, name)) >= count,
             lambda: f"{count} lines in {name}: {text_lines(lb, name)}")
    lines = text_lines(lb, name)
    assert len(lines) == count
    return lines


def start(noxy, backend, **keys):
    """A noxy with an access log in a file of its own."""
    return noxy.start(backend=backend, **{"access_log": {"path": "access.log", "format": "text"}, **keys})


def one(noxy, backend, act, **keys):
    """The line of the one thing that `act(connection)` does."""
    lb = start(noxy, backend, **keys)
    with lb.connect() as c:
        act(c)
        return wait_lines(lb)[0]


# ---- the fields ----

def test_every_field_of_a_request_is_right(noxy, origins):
    def answer(_, c, request):
        if request.target == "/fence":
            return c.reply(200, "", {"Connection": "close"})
        time.sleep(0.05)
        c.send("HTTP/1.1 201 Made\r\nContent-Length: 5\r\n\r\n")
        a.go.wait(30)
        c.send("hello")
    a = origins(1, answer=answer)[0]
    lb = start(noxy, origins, threads=1)
    began, begin = time.time(), time.monotonic()
    with lb.connect() as c:
        sent = b"POST /p?q=1 HTTP/1.1\r\nHost: example.org:80\r\nContent-Length: 3\r\n\r\nabc"
        c.send(sent[:20])
        assert [lb.get("/fence").status for _ in range(2)] == [200, 200]  # the only worker has read what came before
        time.sleep(0.06)
        c.send(sent[20:])
        got = c.read_head()
        time.sleep(0.1)
        a.go.set()
        assert c.read(5) == b"hello"
        line = wait_lines(lb, 3)[-1]
        elapsed = (time.monotonic() - begin) * 1000
        assert line["client"] == f"127.0.0.1:{c.sock.getsockname()[1]}"
    assert (line["frontend"], line["backend"], line["server"], line["status"]) == ("main", "pool", a.name, "201")
    assert (line["request"], line["host"]) == ("POST /p?q=1 HTTP/1.1", "example.org:80")
    assert (line["retries"], line["generation"], line["end"]) == ("0", "1", "ok/none")
    assert int(line["bytes_in"]) == len(sent)
    assert got.status == 201 and 45 <= int(line["bytes_out"]) < 300
    times = {name: float(line[name]) for name in ("head", "queue", "connect", "first", "total")}
    assert 50 <= times["head"] and times["queue"] == 0 <= times["connect"] and 40 <= times["first"]
    assert times["head"] + times["first"] + 90 <= times["total"] <= elapsed
    assert times["head"] + times["connect"] <= elapsed
    stamp = time.strptime(line["time"].split(".")[0], "%Y-%m-%dT%H:%M:%S")
    assert began - 1 <= time.mktime(stamp) - time.timezone <= time.time() + 1


def test_a_kept_server_connection_has_no_connect_time(noxy, origins):
    origins(1)
    lb = start(noxy, origins, threads=1)
    with lb.connect() as c:
        c.request("GET", "/1")
        c.request("GET", "/2")
    first, second = wait_lines(lb, 2)
    assert float(first["connect"]) >= 0 and second["connect"] == "-"
    assert first["head"] == second["head"] == "0.000"


def test_bytes_are_those_of_the_client_s_connection(noxy, origins):
    origins(1, answer=lambda o, c, r: c.reply(200, b"x" * 100_000))
    lb = start(noxy, origins)
    with lb.connect() as c:
        c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += c.stream.read(1)
        c.stream.read(100_000)
        assert int(wait_lines(lb)[0]["bytes_out"]) == len(head) + 100_000


def test_a_retry_is_told_with_the_last_server(noxy, origins):
    alive = origins(1)[0]
    dead = {"addr_port": f"127.0.0.1:{free_port()}", "name": "dead"}
    lb = start(noxy, (), servers=[dead, alive.server()], health_check=False, threads=1)
    for _ in range(2):
        assert lb.get().status == 200
    lines = wait_lines(lb, 2)
    assert {line["server"] for line in lines} == {alive.name}
    assert sum(int(line["retries"]) for line in lines) == lb.total("backend", "retries") > 0


def test_a_tunnel_is_one_line(noxy, origins):
    def switch(_, c):
        c.read_request_head()
        c.send("HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: chat\r\n\r\n")
        c.send(c.stream.read(4) * 2)
        c.end_sending()
    origins(1, raw=lambda o, c: switch(o, c) if c.stream.peek(1) else None)

    def act(c):
        c.send("GET /chat HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: chat\r\n\r\n")
        while c.stream.readline() != b"\r\n":
            pass
        c.send("ping")
        assert c.stream.read(8) == b"pingping"
        c.end_sending()
    line = one(noxy, origins, act)
    assert (line["status"], line["end"], line["request"]) == ("101", "ok/none", "GET /chat HTTP/1.1")


# ---- who ended it ----

def test_a_client_that_breaks_off(noxy, origins):
    origins(1, answer=lambda o, c, r: (c.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"), o.go.wait(30)))

    def act(c):
        c.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        while c.stream.readline() != b"\r\n":
            pass
        c.reset()
    line = one(noxy, origins, act)
    assert (line["status"], line["end"], line["request"]) == ("200", "client_reset/client", "GET /slow HTTP/1.1")


def test_a_server_that_breaks_off(noxy, origins):
    origins(1, answer=lambda o, c, r: (c.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"), c.close()))
    line = one(noxy, origins, lambda c: c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n"))
    assert (line["status"], line["end"]) == ("200", "server_closed/server")


def test_a_server_that_refuses(noxy):
    dead = {"addr_port": f"127.0.0.1:{free_port()}", "name": "dead"}
    line = one(noxy, (), lambda c: c.request("GET", "/"), servers=[dead], health_check=False)
    assert (line["status"], line["server"], line["end"]) == ("502", "dead", "server_refused/server")
    assert (line["connect"], line["first"]) == ("-", "-")


def test_a_server_that_is_late(noxy, origins):
    origins(1, answer=lambda o, c, r: o.go.wait(30))
    line = one(noxy, origins, lambda c: c.request("GET", "/"), timeout_server=200)
    assert (line["status"], line["end"], line["first"]) == ("504", "server_timeout/server", "-")
    assert float(line["total"]) >= 190


def test_an_answer_of_noxy_s_own(noxy):
    line = one(noxy, (), lambda c: c.request("GET", "/"),
               http_condition=[{"respond": {"status": 403, "body": "no"}}])
    assert (line["status"], line["end"], line["backend"], line["server"]) == ("403", "responded/noxy", "-", None)
    assert line["queue"] == "-"


def test_waiting_for_room_is_the_queue_s_time(noxy, origins):
    a = origins(1, answer=lambda o, c, r: (o.go.wait(30), c.reply(200)))[0]
    lb = start(noxy, (), servers=[a.server(maxconn=1)])
    with lb.connect() as c, lb.connect() as d:
        c.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n")
        wait_for(lambda: a.requests, "the first is served")
        d.send("GET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
        wait_for(lambda: lb.total("frontend", "requests_current") == 2, "the second waits")
        time.sleep(0.2)
        a.go.set()
        lines = {line["request"][5]: line for line in wait_lines(lb, 2)}
    assert float(lines["1"]["queue"]) == 0
    assert 190 < float(lines["2"]["queue"]) <= float(lines["2"]["total"])


def test_what_still_waits_when_noxy_ends(noxy, origins):
    a = origins(1, answer=lambda o, c, r: (o.go.wait(30), c.reply(200)))[0]
    lb = start(noxy, (), servers=[a.server(maxconn=1)],
               threads=1)  # of two, one may end earlier, and its place be taken by who waits at the other
    with lb.connect() as c, lb.connect() as d:
        c.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n")
        wait_for(lambda: a.requests, "the first is served")
        d.send("GET /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n")
        wait_for(lambda: lb.total("frontend", "requests_current") == 2, "the second waits")
        time.sleep(0.2)
        lb.stop()
        line = next(line for line in text_lines(lb) if line["request"][5] == "2")
    assert (line["server"], line["connect"], line["status"], line["end"]) == ("-", "-", "-", "drain/noxy")
    assert 190 < float(line["queue"]) <= float(line["total"])


# ---- what can't be understood ----

MALFORMED = {
    "a bare line feed": ("GET /a HTTP/1.1\nHost: a\n\n", 400, "GET /a HTTP/1.1"),
    "no version": ("GET\r\n\r\n", 400, "GET"),
    "no host": ("GET /a HTTP/1.1\r\n\r\n", 400, "GET /a HTTP/1.1"),
    "an unknown version": ("GET /a HTTP/7.3\r\nHost: a\r\n\r\n", 505, "GET /a HTTP/7.3"),
    "bytes": (b"\x16\x03\x01\x00\xff\"\\ x\r\n\r\n", 400, r"\x16\x03\x01\x00\xff\x22\x5c x"),
    "a forged line": ('GET /" host="a"\x0b2026-11-21T10:00:00.123Z\r\n\r\n', 400,
                      r"GET /\x22 host=\x22a\x22\x0b2026-11-21T10:00:00.123Z"),
    "a long target": ("GET /" + "a" * 20_000 + " HTTP/1.1\r\nHost: a\r\n\r\n", 414, "GET /" + "a" * 1892 + "..."),
}


@pytest.mark.parametrize("sent, status, told", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_refused_head_is_told_with_what_came(noxy, origins, sent, status, told):
    line = one(noxy, origins(1), lambda c: c.send(sent))
    reason = "client_too_large/client" if status == 414 else "client_bad_request/client"
    assert (line["status"], line["request"], line["end"]) == (str(status), told, reason)
    assert 0 < int(line["bytes_in"]) <= len(sent) and int(line["bytes_out"]) > 0


def test_a_request_that_is_understood_and_refused(noxy, origins):
    line = one(noxy, origins(1), lambda c: c.request("TRACE", "/t"))
    assert (line["status"], line["request"], line["host"]) == ("405", "TRACE /t HTTP/1.1", "test.example")
    assert line["end"] == "client_bad_request/client"


def test_a_head_that_takes_too_long(noxy, origins):
    line = one(noxy, origins(1), lambda c: c.send("GET /half HTTP/1.1\r\nHost:"), timeout_http_request=200)
    assert (line["status"], line["request"]) == ("408", "GET /half HTTP/1.1")
    assert line["end"] == "client_head_timeout/client"
    assert float(line["head"]) >= 190 and float(line["total"]) >= 190


def test_no_byte_of_a_client_breaks_a_line(noxy, origins):
    origins(1)
    lb = start(noxy, origins, access_log={"path": "access.log", "format": "json"})
    heads = [b"GET /" + bytes([i]) + b" HTTP/1.1\r\nHost: a" + bytes([i]) + b"\r\n\r\n" for i in range(256)]
    for text in heads:
        with lb.connect() as c:
            c.send(text)
            c.end_sending()
            c.stream.read()
    lb.stop()
    with open(lb.path("access.log"), "rb") as f:
        lines = f.read().split(b"\n")
    assert lines.pop() == b""
    assert not any(byte < 0x20 for line in lines for byte in line)
    entries = [json.loads(line) for line in lines]
    assert len(entries) >= 250  # where the byte ends the head early, there may be one more, or none
    assert {"200", "400"} == {str(entry["status"]) for entry in entries}


# ---- mode tcp ----

def test_a_connection_of_mode_tcp(noxy, origins):
    a = origins(1, raw=echo)[0]

    begin = time.monotonic()

    def act(c):
        c.send(b"x" * 1000)
        assert c.stream.read(1000) == b"x" * 1000
        time.sleep(0.1)
        c.end_sending()
        c.stream.read()
    line = one(noxy, origins, act, mode="tcp")
    assert (line["frontend"], line["backend"], line["server"]) == ("main", "pool", a.name)
    assert (line["bytes_in"], line["bytes_out"], line["status"]) == ("1000", "1000", "-")
    assert (line["head"], line["request"], line["host"], line["end"]) == ("-", "-", "-", "ok/none")
    elapsed = (time.monotonic() - begin) * 1000
    assert float(line["queue"]) == 0 <= float(line["connect"]) <= elapsed and 0 <= float(line["first"]) <= elapsed
    assert 100 <= float(line["total"]) <= elapsed


def test_mode_tcp_tells_who_ended_it(noxy, origins):
    origins(1, raw=echo)
    line = one(noxy, origins, lambda c: (c.send("x"), c.stream.read(1), c.reset()), mode="tcp")
    assert line["end"] == "client_reset/client"
    dead = {"addr_port": f"127.0.0.1:{free_port()}", "name": "dead"}
    line = one(noxy, (), lambda c: c.stream.read(), mode="tcp", servers=[dead], health_check=False, retries=0)
    assert (line["server"], line["end"], line["connect"]) == ("dead", "server_refused/server", "-")


# ---- where it goes ----

def test_without_a_path_it_goes_to_the_log_in_its_format(noxy, origins):
    origins(1)
    lb = noxy.start(backend=origins, access_log=True, log={"target": "stdout", "level": "warn", "format": "json"})
    lb.get("/here")
    wait_for(lambda: "/here" in lb.text_log(), "a line in the log")
    entries = [json.loads(line) for line in lb.text_log().splitlines()]
    assert entries[-1]["target"] == "/here" and entries[-1]["ended_by"] == "none"


def test_it_is_off_unless_it_is_switched_on(noxy, origins):
    origins(1)
    port, quiet = free_port(), free_port()
    text = compose(port, origins, access_log={"path": "access.log"})
    text = text.replace("frontend:\n", "defaults:\n  access_log: true\nfrontend:\n")
    text = text.replace("backend:\n", f'  - {{ name: quiet, bind: "127.0.0.1:{quiet}", access_log: false, '
                        'use_backend: pool }\nbackend:\n', 1)
    lb = noxy.start(text)
    with Connection(quiet) as c:
        assert c.request("GET", "/quiet").status == 200
    lb.get("/loud")
    assert [line["request"] for line in wait_lines(lb)] == ["GET /loud HTTP/1.1"]
    lb.stop()
    assert "GET /" not in lb.text_log()
    other = noxy.start(backend=origins)
    other.get("/off")
    other.stop()
    assert "/off" not in other.text_log()


def test_frontends_may_share_a_file(noxy, origins):
    origins(1)
    port, second = free_port(), free_port()
    text = compose(port, origins)
    text = text.replace("frontend:\n", "defaults:\n  access_log: access.log\nfrontend:\n")
    text = text.replace("backend:\n", f'  - {{ name: second, bind: "127.0.0.1:{second}", use_backend: pool }}\n'
                        'backend:\n', 1)
    lb = noxy.start(text)
    lb.get()
    with Connection(second) as c:
        c.request("GET", "/")
    assert {line["frontend"] for line in wait_lines(lb, 2)} == {"main", "second"}
    workers = [processes.descriptors(pid) for pid in lb.workers()]
    assert [names.count(lb.path("access.log")) for names in workers] == [1] * len(workers)
    assert lb.path("access.log") not in processes.descriptors(lb.manager())


def test_ten_thousand_requests_are_ten_thousand_lines(noxy, nginx):
    lb = start(noxy, (), servers=[nginx(1)[0].server()], threads=3,
               access_log={"path": "access.log", "format": "json"})

    def ask(number):
        with lb.connect() as c:
            for i in range(500):
                assert c.request("GET", f"/?{number}-{i}", [("X", "y" * (i % 50))]).status == 200
    threads = [threading.Thread(target=ask, args=(number,)) for number in range(20)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    lb.stop()
    with open(lb.path("access.log"), encoding="utf-8") as f:
        targets = [json.loads(line)["target"] for line in f]
    assert len(targets) == 10_000
    assert set(targets) == {f"/?{number}-{i}" for number in range(20) for i in range(500)}


def test_a_pipe_that_nobody_reads_holds_nothing_up_and_the_loss_is_counted(noxy, origins):
    origins(1)
    reading, writing = os.pipe()
    lb = noxy.start(backend=origins, access_log={"format": "text"}, threads=1, launch={"stdout": writing})
    os.close(writing)
    with lb.connect() as c:
        for i in range(1200):
            assert c.request("GET", f"/{i}").status == 200
    wait_for(lambda: lb.info()["log_dropped"] > 0, "lines are dropped")
    dropped, text = lb.info()["log_dropped"], b""
    while b"of the access log were dropped" not in text:
        text += os.read(reading, 65536)
    lb.stop()
    while more := os.read(reading, 65536):
        text += more
    os.close(reading)
    lines = text.decode().splitlines()
    told = sum(int(m.group(1)) for m in re.finditer(r"(\d+) lines of the access log were dropped", text.decode()))
    assert told == dropped
    assert sum(LINE.fullmatch(line) is not None for line in lines) + dropped == 1200


def test_what_a_worker_could_not_write_until_its_end_is_counted(noxy, origins):
    origins(1)
    reading, writing = os.pipe()
    lb = noxy.start(backend=origins, access_log={"format": "text"}, threads=1,
                    log={"target": "stdout", "level": "error"}, launch={"stdout": writing})
    os.close(writing)
    with lb.connect() as c:
        for i in range(600):
            assert c.request("GET", f"/{i}").status == 200
    worker = lb.workers()[0]
    lb.ctl("reload")
    wait_for(lambda: worker not in lb.tree(), "the old worker ends")
    os.set_blocking(reading, False)
    text = os.read(reading, 1 << 20).decode()
    os.close(reading)
    lines = text.splitlines()
    assert all(LINE.fullmatch(line) for line in lines) and len(lines) < 600
    wait_for(lambda: lb.info()["log_dropped"] == 600 - len(lines), "all others are counted")


# ---- files ----

def test_a_file_that_cannot_be_opened_is_an_error_at_its_place(noxy, origins):
    origins(1)
    text = compose(free_port(), origins).replace(
        "frontend:\n", "defaults:\n  access_log:\n    path: /nonexistent/a.log\nfrontend:\n")
    lb = noxy.prepare(text)
    line = next(i for i, l in enumerate(open(lb.config, encoding="utf-8"), 1) if "nonexistent" in l)
    told = lb.fails_to_start()
    assert f"noxy.yaml:{line}:11: cannot open the log file" in told and "No such file" in told
    assert "nonexistent/a.log\n" in told and "^" in told


def test_a_reload_that_cannot_open_it_changes_nothing(noxy, origins):
    origins(1)
    lb = start(noxy, origins)
    lb.expect_error("")
    lb.get("/1")
    good = open(lb.config, encoding="utf-8").read()
    lb.write_verbatim(good.replace('"access.log"', '"/nonexistent/a.log"'))
    done = lb.ctl("reload", code=1)
    assert "/nonexistent/a.log" in done.stderr + done.stdout
    lb.get("/2")
    assert [line["request"] for line in wait_lines(lb, 2)] == ["GET /1 HTTP/1.1", "GET /2 HTTP/1.1"]


def test_a_reload_changes_the_file_and_closes_the_old_one(noxy, origins):
    origins(1)
    lb = start(noxy, origins)
    lb.get("/1")
    text = open(lb.config, encoding="utf-8").read()
    lb.reload(text.replace("access.log", "other.log"))
    lb.get("/2")
    assert wait_lines(lb, 1, "other.log")[0]["generation"] == "2"
    assert [line["request"] for line in wait_lines(lb)] == ["GET /1 HTTP/1.1"]
    lb.wait_settled()
    wait_for(lambda: all(lb.path("access.log") not in processes.descriptors(pid) for pid in lb.tree()),
             "nobody holds the old file")
    lb.reload(re.sub(r', "access_log": {[^}]*}', "", text))
    lb.get("/3")
    lb.wait_settled()
    assert len(text_lines(lb, "other.log")) == 1


def test_a_rotation_under_traffic_loses_no_line(noxy, origins):
    origins(1)
    lb = start(noxy, origins)
    with Traffic(lb.port, threads=4) as traffic:
        for i in range(5):
            done = traffic.done
            wait_for(lambda: traffic.done > done + 50, "traffic flows")
            os.rename(lb.path("access.log"), lb.path(f"rotated{i}"))
            lb.signal(signal.SIGUSR1)
            lb.wait_log("NOTICE", "the access logs have been opened anew", i + 1)
            assert os.path.exists(lb.path("access.log"))
    assert traffic.failures == []
    for pid in lb.tree():
        assert not any("rotated" in name for name in processes.descriptors(pid)), pid
    lb.stop()
    counts = [len(text_lines(lb, name)) for name in [f"rotated{i}" for i in range(5)] + ["access.log"]]
    assert sum(counts) == traffic.done and all(counts)


def test_usr1_reaches_a_generation_that_drains(noxy, origins):
    a = origins(1, answer=lambda o, c, r: (o.go.wait(30) if r.target == "/slow" else None, c.reply(200)))[0]
    lb = start(noxy, origins)
    with lb.connect() as c:
        c.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        wait_for(lambda: a.requests, "it is under way")
        lb.reload()
        os.rename(lb.path("access.log"), lb.path("rotated"))
        lb.signal(signal.SIGUSR1)
        lb.wait_log("NOTICE", "the access logs have been opened anew")
        a.go.set()
        assert c.response().status == 200
    line = wait_lines(lb)[0]
    assert (line["generation"], line["request"]) == ("1", "GET /slow HTTP/1.1")


def test_a_file_that_cannot_be_opened_anew_goes_on(noxy, origins):
    origins(1)
    folder = noxy.folder()
    os.mkdir(f"{folder}/sub")
    lb = start(noxy, origins, access_log={"path": f"{folder}/sub/access.log"})
    lb.expect_error("cannot open the log file")
    os.rename(f"{folder}/sub", f"{folder}/moved")
    lb.signal(signal.SIGUSR1)
    lb.wait_log("ERROR", "SIGUSR1: cannot open")
    lb.get("/still")
    wait_for(lambda: "/still" in open(f"{folder}/moved/access.log", encoding="utf-8").read(), "the old file goes on")


def test_a_worker_that_is_replaced_writes_on(noxy, origins):
    origins(1)
    lb = start(noxy, origins, threads=1)
    lb.expect_error("was ended by signal 9")
    os.kill(lb.workers()[0], signal.SIGKILL)
    lb.wait_log("ERROR", "was ended by signal 9")
    wait_for(lambda: lb.workers(), "a new worker")
    assert lb.get("/new").status == 200
    assert wait_lines(lb)[0]["request"] == "GET /new HTTP/1.1"


@pytest.mark.skipif(os.getuid() != 0, reason="needs root")
def test_the_master_opens_what_workers_cannot(noxy, origins):
    origins(1)
    lb = noxy.prepare(backend=origins, access_log={"path": "private/access.log"}, user="nobody")
    os.mkdir(lb.path("private"), 0o700)
    lb.launch()
    lb.wait_ready()
    lb.get("/1")
    wait_lines(lb, 1, "private/access.log")
    os.rename(lb.path("private/access.log"), lb.path("private/old"))
    lb.signal(signal.SIGUSR1)
    lb.wait_log("NOTICE", "the access logs have been opened anew")
    lb.get("/2")
    assert wait_lines(lb, 1, "private/access.log")[0]["request"] == "GET /2 HTTP/1.1"
    assert os.stat(lb.path("private/access.log")).st_mode & 0o777 == 0o640


# ---- the manual ----

def example(language):
    found = re.findall(r"^```(\w*)\n(.*?)^```$", MANUAL, re.M | re.S)
    return next(text for name, text in found if name == language)


def test_the_manual_s_example_is_what_is_written(noxy, origins):
    origins(1)
    shown = LINE.fullmatch(example("").rstrip("\n"))
    assert shown and json.loads(example("json"))
    for fields in re.findall(r"^\| `\$(\d+)` \| `([^`]*)` ", MANUAL, re.M):
        assert shown.group(0).split(" ")[int(fields[0]) - 1] == fields[1]
    lb = start(noxy, origins, access_log={"path": "access.log", "format": "json"})
    lb.get()
    wait_for(lambda: open(lb.path("access.log"), encoding="utf-8").read(), "a line")
    with open(lb.path("access.log"), encoding="utf-8") as f:
        assert list(json.loads(f.read())) == list(json.loads(example("json")))


def test_the_manual_s_configuration_is_valid(noxy):
    assert noxy.check(example("yaml")).returncode == 0


def test_the_manual_s_command_finds_the_slow_ones(noxy):
    folder = noxy.folder()
    slow = example("").replace("total=1.907", "total=1001.907")
    with open(os.path.join(folder, "access.log"), "w", encoding="utf-8") as f:
        f.write(example("") + slow)
    command = example("sh").replace("/var/log/noxy/", folder + "/")
    assert subprocess.run(command, shell=True, capture_output=True, text=True, check=True).stdout == slow


@pytest.mark.parametrize("how, why", [("close", "client_closed"), ("end_sending", "client_closed"), ("reset", "client_reset")])
@pytest.mark.parametrize("before", ["", "GET /first HTTP/1.1\r\nHost: a\r\n\r\n"])
def test_a_head_cut_off_by_the_client_has_a_line(noxy, origins, how, why, before):
    origins(1)
    lb = start(noxy, origins)
    with lb.connect() as c:
        c.send(before)
        if before:
            c.response()
        c.send("GET /x HTTP/1.1\r\nHo")
        lb.wait_total("frontend", "sessions_current", 1)
        getattr(c, how)()
        line = wait_lines(lb, 1 + bool(before))[-1]
    assert (line["status"], line["end"], line["request"]) == ("-", f"{why}/client", "GET /x HTTP/1.1")
    assert (line["bytes_in"], line["bytes_out"]) == ("19", "0")
    lb.wait_total("frontend", f"reasons.{why}", 1)
    lb.wait_idle()


def test_connections_that_bring_no_head_have_no_line(noxy, origins):
    origins(1)
    lb = start(noxy, origins)
    for text in ("", "\r\n"):
        with lb.connect() as c:
            c.send(text)
            c.end_sending()
            assert c.read_to_end() == b""
    with lb.connect() as c:
        c.get("/asked")
    assert [line["request"] for line in wait_lines(lb)] == ["GET /asked HTTP/1.1"]
