"""Mode http: servers that misbehave before or instead of an answer, and how often a request is sent."""
import os
import signal
import socket
import time

import pytest

BANNERS = {
    "a response": "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nbanner",
    "another protocol": "220 mail.example ESMTP\r\n",
    "nothing but an end": "",
}


@pytest.mark.parametrize("banner", BANNERS.values(), ids=BANNERS.keys())
def test_bytes_that_come_before_the_request_are_no_answer(noxy, unanswering, banner):
    """The worker is stopped while its connection is made and the bytes arrive, so that it learns of both at once."""
    lb = noxy.start(servers=[unanswering.server()], health_check=False, threads=1, retries=0)
    with lb.connect() as c:
        c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi")
        lb.wait_total("backend", "requests_current", 1)
        worker, = lb.workers()
        os.kill(worker, signal.SIGSTOP)
        try:
            accepted = unanswering.accept()
            accepted.sendall(banner.encode())
            accepted.shutdown(socket.SHUT_WR)
        finally:
            os.kill(worker, signal.SIGCONT)
        r = c.response()
        accepted.close()
    assert r.status == 502 and b"banner" not in r.body
    lb.wait_total("server", "reasons.server_bad_response" if banner else "reasons.server_closed", 1)


def trickle_head(origin, c, request):
    """A head that never ends."""
    c.send("HTTP/1.1 200 OK\r\n")
    while not origin.go.wait(0.1):
        c.send("X: y\r\n")


def test_a_response_s_head_may_not_trickle_beyond_timeout_server(noxy, origins):
    lb = noxy.start(backend=origins(1, answer=trickle_head), timeout_server=1000)
    begin = time.monotonic()
    assert lb.get(method="POST", body=b"hi").status == 504
    assert 0.9 < time.monotonic() - begin < 10
    lb.wait_total("frontend", "reasons.server_timeout", 1)


def test_the_time_for_the_head_begins_with_the_request_s_end_and_anew_with_each_interim_response(noxy, origins):
    def answer(origin, c, request):
        for _ in range(4):
            origin.go.wait(0.5)
            c.send("HTTP/1.1 102 Processing\r\n\r\n")
        c.reply(200, request.body)
    lb = noxy.start(backend=origins(1, answer=answer), timeout_server=1000)
    with lb.connect() as c:
        c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n")
        for _ in range(4):
            time.sleep(0.5)  # the client's pace is the subject
            c.send("x")
        r = c.response()
        assert (r.status, r.body, len(r.interim)) == (200, b"xxxx", 4)


@pytest.mark.parametrize("method, reached", [("GET", 2), ("DELETE", 2), ("POST", 1), ("PATCH", 1)])
def test_a_request_that_breaks_fresh_connections_is_repeated_once(noxy, origins, method, reached):
    def leave(origin, c, request):
        c.close()
    pool = origins(5, answer=leave)
    lb = noxy.start(backend=pool, health_check=False, retries=4)
    assert lb.get(method=method, body=b"" if method != "GET" else None).status == 502
    assert sum(len(o.requests) for o in pool) == reached


def test_failures_to_connect_use_all_retries(noxy, origins):
    pool = origins(5)
    for origin in pool[:4]:
        origin.stop()
    lb = noxy.start(backend=pool, health_check=False, retries=4)
    assert [lb.get(method="POST", body=b"hi").server for _ in range(5)] == [pool[4].name] * 5


def test_a_kept_connection_that_broke_does_not_use_up_the_repetition(noxy, origins):
    def answer(origin, c, request):
        if request.target == "/leave" and origin.go.is_set():
            c.close()
        else:
            c.reply(200, origin.name)
    pool = origins(2, answer=answer)
    lb = noxy.start(backend=pool, health_check=False, threads=1)
    for _ in pool:
        assert lb.get().status == 200
    pool[0].go.set()
    while len(pool[0].requests) == 1:
        assert lb.get("/leave").body == pool[1].name.encode()
    assert [r.target for r in pool[0].requests] == ["/", "/leave", "/leave"]  # on the kept and on a fresh one


def test_a_large_upload_that_goes_on_behind_a_server_s_early_answer_gets_that(noxy, origins):
    def early(origin, c):
        c.read_request_head()
        c.reply(403, "not for you")
        while c.stream.read1(65536):
            pass
    lb = noxy.start(backend=origins(1, raw=early), health_check=False)
    with lb.connect() as c:
        c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20000000\r\n\r\n")
        c.send(bytes(20_000_000))
        r = c.response()
        assert (r.status, r.body, r.complete, r.closes) == (403, b"not for you", True, True)
        assert c.read_to_end() == b""
    lb.wait_idle()
