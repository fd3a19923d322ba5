"""Mode http: limits of size and rate, and noxy's own answers."""
import json
import socket
import time

import pytest

from waiting import wait_for


def status_of(lb, text):
    """The status that a request gets, and what the connection says behind it."""
    with lb.connect() as c:
        c.send(text)
        r = c.response()
        return r.status, r


@pytest.mark.parametrize("size, status", [(1000, 200), (3000, 431)])
def test_a_head_may_be_as_long_as_max_header(noxy, origins, size, status):
    lb = noxy.start(backend=origins(1), max_header="2k")
    assert status_of(lb, f"GET / HTTP/1.1\r\nHost: a\r\nX-A: {'x' * size}\r\n\r\n")[0] == status
    assert len(origins[0].requests) == (status == 200)


def test_a_target_longer_than_max_header_is_a_414(noxy, origins):
    lb = noxy.start(backend=origins(1), max_header="2k")
    assert status_of(lb, f"GET /{'x' * 4000}")[0] == 414
    assert origins[0].requests == []


@pytest.mark.parametrize("count, status", [(10, 200), (11, 431)])
def test_a_request_may_have_max_headers_fields(noxy, origins, count, status):
    lb = noxy.start(backend=origins(1), max_headers=10)
    fields = "".join(f"X-{i}: y\r\n" for i in range(count - 1))
    assert status_of(lb, f"GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n")[0] == status


def test_a_body_beyond_max_body_is_a_413_before_a_byte_reaches_a_server(noxy, origins):
    lb = noxy.start(backend=origins(1), max_body=1000)
    assert lb.get(method="POST", body=b"x" * 1000).status == 200
    status, r = status_of(lb, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n")
    assert status == 413 and r.closes
    assert len(origins[0].requests) == 1
    lb.wait_total("frontend", "reasons.client_too_large", 1)


def test_a_chunked_body_that_grows_beyond_max_body_is_a_413(noxy, origins):
    lb = noxy.start(backend=origins(1), max_body=1000)
    with lb.connect() as c:
        c.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        c.send("3e8\r\n" + "x" * 1000 + "\r\n")
        c.send("1\r\nx\r\n")
        r = c.response()
        assert r.status == 413
    lb.wait_idle()


def test_a_body_that_trickles_is_ended(noxy, origins):
    """Each byte comes well within timeout_client, but too few of them come."""
    lb = noxy.start(backend=origins(1), min_body_rate=1000, timeout_client=30000)
    begin = time.monotonic()
    with lb.connect() as c:
        c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n")
        c.sock.settimeout(0.5)
        while time.monotonic() - begin < 60:
            try:
                c.send("x")
                if c.sock.recv(1, 2):  # MSG_PEEK: the answer is there
                    break
            except TimeoutError:
                continue
        c.sock.settimeout(10)
        assert c.response().status == 408
    assert 9 < time.monotonic() - begin < 40
    lb.wait_total("frontend", "reasons.client_slow", 1)


TRICKLES = {  # what is sent again and again while the body doesn't grow, or hardly
    "a length": ("Content-Length: 100000\r\n\r\n", "x"),
    "chunks": ("Transfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n"),
    "a chunk's extension": ("Transfer-Encoding: chunked\r\n\r\n1;", "x" * 50),
    "trailers": ("Transfer-Encoding: chunked\r\n\r\n0\r\nX: ", "x" * 100),
}


@pytest.mark.parametrize("framing, piece", TRICKLES.values(), ids=TRICKLES.keys())
def test_the_rate_is_watched_whatever_timeout_client_says(noxy, origins, framing, piece):
    lb = noxy.start(backend=origins(1), min_body_rate=1000, timeout_client=1500)
    begin = time.monotonic()
    with lb.connect() as c:
        c.send(f"POST / HTTP/1.1\r\nHost: a\r\n{framing}")
        c.sock.settimeout(0.4)
        while time.monotonic() - begin < 30:
            try:
                c.send(piece)
                if c.sock.recv(1, socket.MSG_PEEK):
                    break
            except TimeoutError:
                continue
        c.sock.settimeout(10)
        assert c.response().status == 408
    assert 9 < time.monotonic() - begin < 20
    lb.wait_total("frontend", "reasons.client_slow", 1)


def test_a_client_that_sends_as_fast_as_the_rate_is_not_slow(noxy, origins):
    lb = noxy.start(backend=origins(1), min_body_rate=1000, timeout_client=1500)
    with lb.connect() as c:
        c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 30000\r\n\r\n")
        for _ in range(30):
            c.send(bytes(1000))
            time.sleep(0.4)  # the client's pace is the subject
        assert c.response().status == 200


def test_a_client_that_takes_the_response_too_slowly_is_ended(noxy, origins):
    """It takes some every now and then, and so is never silent for timeout_client."""
    def answer(origin, c, request):
        c.reply(200, bytes(64_000_000))
    lb = noxy.start(backend=origins(1, answer=answer), min_body_rate=1_000_000, timeout_client=20_000)
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        s.connect(("127.0.0.1", lb.port))
        s.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        begin = time.monotonic()
        while lb.total("frontend", "reasons.client_slow") == 0:
            assert time.monotonic() - begin < 30
            s.recv(30_000)
            time.sleep(0.2)  # the client's pace is the subject
    assert time.monotonic() - begin > 9
    assert lb.total("frontend", "reasons.client_timeout") == 0


def test_own_answers_are_pages_or_json_as_the_client_asks(noxy):
    lb = noxy.start(servers=["127.0.0.1:1"], health_check=False)
    page = lb.get()
    assert page.status == 502 and page.field("Content-Type") == "text/html; charset=utf-8"
    assert b"502 Bad Gateway" in page.body
    for accept in ("application/json", "application/json;q=0.9, */*;q=0.1", "application/problem+json"):
        r = lb.get(fields=[("Accept", accept)])
        assert r.field("Content-Type") == "application/json"
        assert json.loads(r.body) == {"status": 502, "error": "Bad Gateway", "reason": "server_refused"}
    assert b"<html>" in lb.get(fields=[("Accept", "text/html, application/json")]).body


@pytest.mark.parametrize("accept, json_wanted", [
    ("application/json, text/html", True), ("application/json, text/plain, */*", True), ("*/*", False),
    ("application/json;q=0", False), ("application/json;q=0.0, */*", False), ("*/*, application/json;q=0.9", False),
    ("text/html;q=0.5, application/json", True), ("text/html, application/json;q=0.9", False),
    ("text/html;q=0, application/json;q=0.1", True), ("text/html;q=0.1, application/json;q=0.2, */*;q=0.9", True),
    ("application/json;q=0.001", True), ("Application/JSON ; charset=x ; Q=0.8, text/html;q=0.79", True),
    ("application/json;q=0.5, application/problem+json;q=0.9, text/html;q=0.6", True),
    ("application/json;q=x, text/html;q=0.9", True), ("text/html;q=0, application/json;q=0", False), ("", False),
    (";, ,;q=", False), ("image/png", False)])
def test_the_weights_of_accept_decide(noxy, accept, json_wanted):
    lb = noxy.start(servers=["127.0.0.1:1"], health_check=False)
    assert (lb.get(fields=[("Accept", accept)]).field("Content-Type") == "application/json") == json_wanted


def test_503_says_when_to_come_back(noxy):
    lb = noxy.start(servers=["127.0.0.1:1"], health_check=100)
    lb.wait_log("WARN", "is now down")
    r = lb.get()
    assert r.status == 503 and int(r.field("Retry-After")) > 0


def test_error_pages_of_ones_own(noxy, tmp_path):
    page = tmp_path / "502.html"
    page.write_text("<p>We are mending it.</p>\n")
    lb = noxy.start(servers=["127.0.0.1:1"], health_check=False,
                    error_pages=[{"status": 502, "file": str(page), "content_type": "text/html"}])
    r = lb.get(fields=[("Accept", "application/json")])
    assert (r.status, r.field("Content-Type"), r.body) == (502, "text/html", b"<p>We are mending it.</p>\n")


def test_an_error_page_that_cannot_be_read_is_a_configuration_error(noxy):
    run = noxy.check("""\
frontend:
  - name: web
    bind: 127.0.0.1:8080
    http_condition: [ { respond: { status: 200 } } ]
    error_pages:
      - status: 503
        file: /nonexistent/503.html
""")
    assert run.returncode == 1
    assert ":7:15: cannot open /nonexistent/503.html: No such file or directory" in run.stderr


def test_trace_is_refused_unless_allowed(noxy, origins):
    lb = noxy.start(backend=origins(1))
    status, r = status_of(lb, "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert status == 405 and "TRACE" not in r.field("Allow")
    assert origins[0].requests == []
    lb = noxy.start(backend=origins(1), allow_trace=True)
    assert status_of(lb, "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n")[0] == 200
    assert status_of(lb, "TRACE / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx")[0] == 400


def test_max_forwards_is_counted_down(noxy, origins):
    lb = noxy.start(backend=origins(1), allow_trace=True)
    assert lb.get(method="OPTIONS", fields=[("Max-Forwards", "5")]).status == 200
    assert origins[0].requests[0].field("Max-Forwards") == "4"
    assert lb.get(method="OPTIONS", fields=[("Max-Forwards", "0")]).status == 204
    with lb.connect() as c:
        c.send("TRACE /a HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\nCookie: secret\r\n\r\n")
        r = c.response()
    assert r.field("Content-Type") == "message/http"
    assert r.body == b"TRACE /a HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n"
    assert len(origins[0].requests) == 1
    assert lb.get(method="OPTIONS", fields=[("Max-Forwards", "x")]).status == 400
    lb.wait_total("frontend", "reasons.client_bad_request", 1)


REFUSED_HEADS = {
    400: "HEAD / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n",
    408: "HEAD / HTTP/1.1\r\nHost: a\r\n",
    414: "HEAD /" + "x" * 4000,
    431: "HEAD / HTTP/1.1\r\nHost: a\r\n" + "a: b\r\n" * 200 + "\r\n",
    501: "HEAD / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
    505: "\r\nHEAD / HTTP/2.0\r\nHost: a\r\n\r\n",
    413: "HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n",
}


@pytest.mark.parametrize("status, text", REFUSED_HEADS.items())
def test_a_refused_head_request_gets_no_body(noxy, origins, status, text):
    lb = noxy.start(backend=origins(1), max_header="2k", max_body=1000, timeout_http_request=500)
    with lb.connect() as c:
        c.send(text)
        r = c.response("HEAD")
        assert r.status == status and int(r.field("Content-Length")) > 0
        assert c.read_to_end() == b""


@pytest.mark.parametrize("text", ["GET / HTTP/1.1\r\nX : y\r\n\r\n", "HEADS / HTTP/1.1\r\nX : y\r\n\r\n", "HEAD\r\n"])
def test_other_refused_requests_get_one(noxy, origins, text):
    lb = noxy.start(backend=origins(1))
    assert status_of(lb, text)[1].body


def test_an_own_error_page_is_not_sent_to_head(noxy, tmp_path):
    page = tmp_path / "503.html"
    page.write_text("<p>We are mending it.</p>\n")
    lb = noxy.start(servers=["127.0.0.1:1"], health_check=100,
                    error_pages=[{"status": 503, "file": str(page), "content_type": "text/html"}])
    lb.wait_log("WARN", "is now down")
    with lb.connect() as c:
        for method, body in (("HEAD", b""), ("GET", page.read_bytes()), ("HEAD", b"")):
            r = c.request(method)
            assert (r.status, r.field("Content-Length"), r.body) == (503, str(page.stat().st_size), body)
            assert int(r.field("Retry-After")) > 0


LIMITS = {  # the status, the reason, and what reaches the limit
    "max_body": (413, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n"),
    "the target's length": (414, f"GET /{'x' * 4000} HTTP/1.1\r\nHost: a\r\n\r\n"),
    "max_header": (431, f"GET / HTTP/1.1\r\nHost: a\r\nX: {'x' * 3000}\r\n\r\n"),
    "max_headers": (431, "GET / HTTP/1.1\r\nHost: a\r\n" + "a: b\r\n" * 60 + "\r\n"),
}


@pytest.mark.parametrize("status, text", LIMITS.values(), ids=LIMITS.keys())
def test_each_limit_of_size_is_counted_and_logged_with_its_reason(noxy, origins, status, text):
    lb = noxy.start(backend=origins(1), max_header="2k", max_headers=50, max_body=1000, access_log=True)
    assert status_of(lb, text)[0] == status
    lb.wait_total("frontend", "reasons.client_too_large", 1)
    lb.wait_total("frontend", "responses_4xx", 1)
    wait_for(lambda: f" {status} " in lb.text_log() and "end=client_too_large/client" in lb.text_log(), "its line")


def test_an_idle_connection_is_counted_by_whether_it_ever_asked(noxy, origins):
    lb = noxy.start(backend=origins(1), timeout_http_request=300, timeout_keepalive=300)
    with lb.connect() as c:
        assert c.read_to_end() == b""
    lb.wait_total("frontend", "reasons.client_head_timeout", 1)
    with lb.connect() as c:
        assert c.get().status == 200
        assert c.read_to_end() == b""
    lb.wait_total("frontend", "reasons.client_keepalive", 1)
    assert lb.total("frontend", "reasons.client_head_timeout") == 1


def test_a_request_that_goes_no_further_passes_the_frontend_s_rules_first(noxy, origins):
    lb = noxy.start(backend=origins(1), allow_trace=True, http_condition=[
        {"name": "no-trace", "when": "method == 'TRACE' && path == '/denied'", "deny": 403},
        {"when": "path == '/moved'", "redirect": "'/there'"},
        {"when": "path == '/post'", "set_method": "'POST'"},
        {"set_header": {"X-Secret": "'of a rule'"}}])
    last = [("Max-Forwards", "0")]
    assert lb.get("/denied", last, method="TRACE").status == 403
    assert lb.get("/moved", last, method="OPTIONS").field("Location") == "/there"
    assert lb.get("/post", last, method="OPTIONS").status == 204
    r = lb.get("/a", last, method="TRACE")
    assert (r.status, b"Max-Forwards: 0" in r.body, b"X-Secret" in r.body) == (200, True, False)
    assert b"TRACE /post HTTP/1.1\r\n" in lb.get("/post", last, method="TRACE").body
    assert origins[0].requests == []
