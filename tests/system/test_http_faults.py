"""Mode http: clients and servers that hang, vanish or send garbage."""
import pytest

from clients import Closed
from rules import compose
from waiting import wait_for

BAD_REQUESTS = {
    "no Host": "GET / HTTP/1.1\r\n\r\n",
    "two Hosts": "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "two lengths": "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
    "length and chunked": "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked is not last": "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "chunked in HTTP/1.0": "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "negative length": "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    "signed length": "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nhello",
    "huge length": "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n",
    "bad chunk size": "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n0\r\n\r\n",
    "space before colon": "GET / HTTP/1.1\r\nHost: a\r\nX-A : b\r\n\r\n",
    "folded line": "GET / HTTP/1.1\r\nHost: a\r\nX-A: b\r\n c\r\n\r\n",
    "NUL in a value": "GET / HTTP/1.1\r\nHost: a\r\nX-A: b\0c\r\n\r\n",
    "bare CR in a value": "GET / HTTP/1.1\r\nHost: a\r\nX-A: b\rX-B: c\r\n\r\n",
    "no name": "GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n",
    "no version": "GET /\r\n\r\n",
    "odd version": "GET / HTTP/3.7\r\nHost: a\r\n\r\n",
    "TLS": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + "x" * 200 + "\n",
    "garbage": "\x00\x01\x02\x03 hello\r\n\r\n",
}


@pytest.mark.parametrize("text", BAD_REQUESTS.values(), ids=BAD_REQUESTS.keys())
def test_a_malformed_request_is_refused_and_reaches_no_server(noxy, origins, text):
    lb = noxy.start(backend=origins(1))
    with lb.connect() as c:
        c.send(text)
        status = c.response().status
        assert status in (400, 501, 505)
        assert c.read_to_end() == b""
    assert lb.get().status == 200
    assert len(origins[0].requests) == 1
    lb.wait_idle()


@pytest.mark.parametrize("request_line", ["GET / HTTP/1.1\r\nHost: a\r\n", "GET /"], ids=["fields", "target"])
def test_a_head_without_end_is_refused_with_bounded_memory(noxy, origins, request_line):
    lb = noxy.start(backend=origins(1))
    with lb.connect() as c:
        c.send(request_line)
        filler = "X-Filler: " + "x" * 1000 + "\r\n" if "\r\n" in request_line else "x" * 1000
        try:
            for _ in range(10_000):
                c.send(filler)
        except OSError:
            pass
        try:
            assert c.response().status in (400, 414, 431)
        except (Closed, ConnectionResetError):
            pass  # it sent on and on: the answer may be lost with the connection
    assert lb.get().status == 200


def test_many_small_fields_are_bounded(noxy, origins):
    lb = noxy.start(backend=origins(1))
    with lb.connect() as c:
        c.send("GET / HTTP/1.1\r\nHost: a\r\n" + "a:b\r\n" * 2000 + "\r\n")
        assert c.response().status == 431


GARBAGE = {
    "no HTTP": "hello\r\n\r\n",
    "a bad status": "HTTP/1.1 abc OK\r\n\r\n",
    "two lengths": "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "a folded line": "HTTP/1.1 200 OK\r\nX-A: b\r\n c\r\nContent-Length: 0\r\n\r\n",
    "a head without end": "HTTP/1.1 200 OK\r\n" + "X-A: b\r\n" * 100_000,
    "nothing": "",
    "half a head": "HTTP/1.1 200 OK\r\nContent-",
}


@pytest.mark.parametrize("text", GARBAGE.values(), ids=GARBAGE.keys())
def test_a_server_that_breaks_off_or_sends_garbage_is_a_502(noxy, origins, text):
    def garble(origin, c):
        if c.stream.peek(1):
            c.read_request_head()
            c.send(text)
    lb = noxy.start(backend=origins(1, raw=garble), health_check=False)
    with lb.connect() as c:
        r = c.request("POST", body=b"not to be sent twice")
        assert r.status == 502 and r.body
    lb.wait_idle()


def test_a_server_that_refuses_is_a_502_then_503(noxy, origins):
    lb = noxy.start(backend=origins(1), health_check=100)
    lb.wait_log("INFO", "is now up")
    origins[0].stop()
    assert lb.get().status in (502, 503)
    lb.wait_log("WARN", "is now down")
    assert lb.get().status == 503


def test_without_checks_a_server_that_refuses_stays_a_502(noxy, origins):
    lb = noxy.start(backend=origins(1), health_check=False)
    origins[0].stop()
    assert [lb.get().status for _ in range(10)] == [502] * 10
    origins[0].start()
    assert lb.get().status == 200


@pytest.mark.parametrize("when_down, status", [("503", 503), ("close", None)])
def test_when_all_servers_are_down(noxy, origins, when_down, status):
    lb = noxy.start(backend=origins(2), health_check=100, when_down=when_down)
    for origin in origins:
        origin.stop()
    lb.wait_log("WARN", "is now down", times=2)
    with lb.connect() as c:
        c.send_request("GET")
        if status:
            r = c.response()
            assert (r.status, bool(r.body)) == (status, True)
        else:
            assert c.read_to_end() == b""


def test_a_server_that_is_late_is_a_504(noxy, origins):
    lb = noxy.start(backend=origins(1, answer=lambda o, c, r: o.go.wait(60)), timeout_server=200)
    r = lb.get()
    assert (r.status, bool(r.body)) == (504, True)
    lb.wait_idle()


def test_a_frontend_s_timeout_server_goes_before_the_backend_s(noxy, origins):
    backends = {"web": {"timeout_server": 60000}}
    slow = origins(1, answer=lambda o, c, r: o.go.wait(60))
    assert noxy.start(compose({"web": slow}, {"timeout_server": 200}, backends)).get().status == 504
    silent = origins(1, raw=lambda o, s: o.go.wait(60))
    lb = noxy.start(compose({"web": silent}, {"mode": "tcp", "timeout_server": 200}, backends))
    with lb.connect() as c:
        assert c.read_to_end() == b""


def test_a_server_whose_connection_takes_too_long_is_left_for_another(noxy, origins, unanswering):
    lb = noxy.start(servers=[unanswering.server(), origins(1)[0].server()], timeout_connect=200, health_check=False)
    assert {lb.get().server for _ in range(4)} == {"web1"}


@pytest.mark.parametrize("framing, body", [("Content-Length: 5", "hello"),
                                           ("Transfer-Encoding: chunked", "5;ext=1\r\nhello\r\n0\r\n\r\n")])
def test_a_body_that_comes_while_noxy_connects_arrives_behind_its_head(noxy, origins, unanswering, framing, body):
    servers = [unanswering.server(), origins(1)[0].server()]
    lb = noxy.start(servers=servers, timeout_connect=1000, health_check=False)
    for number in (1, 2):  # one of the two meets the server that doesn't answer
        with lb.connect() as c:
            c.send(f"POST /{number} HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n")
            lb.wait_total("backend", "requests_current", 1)
            c.send(body)
            assert c.response().status == 200
    assert [(r.target, r.body) for r in origins[0].requests] == [("/1", b"hello"), ("/2", b"hello")]


def test_a_connection_that_takes_too_long_is_a_504_when_there_is_no_other(noxy, unanswering):
    lb = noxy.start(servers=[unanswering.server()], timeout_connect=200, retries=0, health_check=False)
    assert lb.get().status in (502, 504)


@pytest.mark.parametrize("framing, rest", [("Content-Length: 10", "abc"), ("Transfer-Encoding: chunked", "3\r\nabc\r\n")])
def test_a_response_cut_short_is_cut_for_the_client_too(noxy, origins, framing, rest):
    def cut(origin, c, request):
        c.send(f"HTTP/1.1 200 OK\r\n{framing}\r\n\r\n{rest}")
        c.close()
    lb = noxy.start(backend=origins(1, answer=cut))
    with lb.connect() as c:
        r = c.get()
        assert (r.status, r.body, r.complete) == (200, b"abc", False)
    lb.wait_idle()


def test_a_server_that_stops_in_the_middle_of_a_body_is_timed_out(noxy, origins):
    def hang(origin, c, request):
        c.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
        origin.go.wait(60)
    lb = noxy.start(backend=origins(1, answer=hang), timeout_server=200)
    r = lb.get()
    assert (r.body, r.complete) == (b"abc", False)
    lb.wait_idle()


def test_a_client_that_does_not_end_its_head_is_timed_out(noxy, origins):
    lb = noxy.start(backend=origins(1), timeout_http_request=200)
    with lb.connect() as c:
        c.send("GET / HTTP/1.1\r\nHost:")
        assert c.response().status == 408
        assert c.read_to_end() == b""


def test_a_trickle_does_not_prolong_the_head(noxy, origins):
    lb = noxy.start(backend=origins(1), timeout_http_request=300)
    with lb.connect(timeout=0.05) as c:
        c.send("GET / HTTP/1.1\r\n")
        answer = wait_for(lambda: trickle(c), "an end of the trickle")
    assert answer.startswith(b"HTTP/1.1 408 ")


def trickle(c):
    """Sends another field; the answer if there is one."""
    c.send("X-A: b\r\n")
    try:
        return c.sock.recv(1000)
    except TimeoutError:
        return None


def test_an_idle_connection_ends_after_timeout_keepalive(noxy, origins):
    lb = noxy.start(backend=origins(1), timeout_keepalive=200)
    with lb.connect() as c:
        assert c.get().status == 200
        assert c.read_to_end() == b""


def test_a_client_that_does_not_send_its_body_is_timed_out(noxy, origins):
    lb = noxy.start(backend=origins(1), timeout_client=200)
    with lb.connect() as c:
        c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
        assert c.response().status == 408
    lb.wait_idle()


def test_a_client_that_does_not_read_is_timed_out(noxy, origins):
    lb = noxy.start(backend=origins(1, answer=lambda o, c, r: c.reply(200, bytes(50_000_000))), timeout_client=300)
    with lb.connect() as c:
        c.send_request("GET")
        lb.wait_idle()


def test_a_tunnel_without_bytes_is_timed_out(noxy, origins):
    def upgrade(origin, c, request):
        c.send("HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n")
        origin.go.wait(60)
    lb = noxy.start(backend=origins(1, answer=upgrade), timeout_tunnel=200)
    with lb.connect() as c:
        assert c.get("/", {"Upgrade": "x", "Connection": "Upgrade"}).status == 101
        assert c.read_to_end() == b""
    lb.wait_idle()


STEPS = ["", "GET", "GET / HTTP/1.1\r\nHost: a\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
         "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc",
         "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc"]


@pytest.mark.parametrize("how", ["close", "reset", "end_sending"])
def test_a_client_that_leaves_at_any_step_harms_nobody(noxy, origins, how):
    lb = noxy.start(backend=origins(2))
    with lb.connect() as other:
        for text in STEPS * 3:
            c = lb.connect()
            c.send(text)
            getattr(c, how)()
            assert other.get().status == 200
            c.close()
    lb.wait_idle()


def test_a_client_that_ends_its_direction_still_gets_its_answer(noxy, origins):
    def answer(origin, c, request):
        origin.go.wait(60)
        c.reply(200, "here it is")
    pool = origins(1, answer=answer)
    lb = noxy.start(backend=pool)
    with lb.connect() as c:
        c.send_request("GET")
        c.end_sending()
        wait_for(lambda: pool[0].requests, "the request arrives")
        pool[0].go.set()
        assert c.response().body == b"here it is"
