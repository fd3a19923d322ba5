"""HTTP/2 from clients: requests and responses of all kinds, through the same exchange as HTTP/1.1."""
import subprocess

import pytest
from hyperframe.frame import DataFrame, RstStreamFrame

import configs
import http2_client as h2
import tls
from http2_client import H2Client, request
from ports import free_port
from waiting import wait_for

POST = request("POST")


def start(noxy, **keys):
    return noxy.start(bind=[{"addr_port": f"127.0.0.1:{free_port()}", "h2c": True}], **keys)


def raw_response(*pieces):
    """A server that answers each request with these bytes and closes."""
    def raw(_, c):
        while c.stream.peek(1):
            c.read_request()
            for piece in pieces:
                c.send(piece)
            return
    return raw


# ---- requests on their way to the server ----

def test_a_request_becomes_one_of_http11(noxy, origins):
    lb = start(noxy, backend=origins(1), access_log=True)
    with H2Client(lb.port) as c:
        a = c.get("/a/b?c=d", [("user-agent", "test"), ("x-empty", ""), ("te", "trailers"), ("accept", "*/*")])
    assert (a.status, a.body, a.field("x-server")) == (200, b"web1\n", "web1")
    r = origins[0].requests[0]
    assert (r.method, r.target, r.version) == ("GET", "/a/b?c=d", "HTTP/1.1")
    assert r.field("Host") == "test.example" and r.field("User-Agent") == "test" and r.field("X-Empty") == ""
    assert r.field("X-Forwarded-For") == "127.0.0.1" and r.field("X-Forwarded-Proto") == "http"
    assert r.field("X-Forwarded-Host") == "test.example"
    assert r.field("TE") is None and r.field("Transfer-Encoding") is None
    assert "connection" not in {n.lower() for n, _ in a.fields}
    wait_for(lambda: '"GET /a/b?c=d HTTP/2.0" host="test.example"' in lb.text_log(), "the access log's line")
    assert lb.total("frontend", "requests") == 1


def test_pieces_of_cookie_are_joined(noxy, origins):
    lb = start(noxy, backend=origins(1))
    with H2Client(lb.port) as c:
        c.get("/", [("cookie", "a=1"), ("cookie", "b=2"), ("x", "y"), ("cookie", "c=3")])
        c.get("/", [("cookie", "a=1"), ("cookie", "b=2"), ("cookie", "c=3")])
    for r in origins[0].requests:
        assert [v for n, v in r.fields if n.lower() == "cookie"] == ["a=1; b=2; c=3"]


def test_rules_see_what_they_see_of_http11(noxy, origins):
    lb = start(noxy, backend=origins(1), http_condition=[
        {"when": "version == '2.0' && path == '/two'", "respond": {"status": 418}},
        {"set_header": {"X-Seen": "sprintf('%s %s %s', method, host, cookie('b'))"}}])
    with H2Client(lb.port) as c:
        assert c.get("/two").status == 418
        c.get("/", [("cookie", "a=1"), ("cookie", "b=2")])
    assert origins[0].requests[0].field("X-Seen") == "GET test.example 2"


@pytest.mark.parametrize("length", [True, False], ids=["with a length", "without"])
@pytest.mark.parametrize("size", [1, 1000, 70_000, 1_000_000])
def test_a_body_goes_up_whole(noxy, origins, size, length):
    lb = start(noxy, backend=origins(1))
    body = bytes(i % 251 for i in range(size))
    with H2Client(lb.port) as c:
        stream = c.open([*POST, *([("content-length", str(size))] if length else [])], end=False)
        send_body(c, stream, body)
        assert c.answer(stream).status == 200
    r = origins[0].requests[0]
    assert r.body == body
    assert (r.field("Content-Length") == str(size)) if length else (r.field("Transfer-Encoding") == "chunked")


def send_body(c, stream, body, piece=16384):
    """Sends within the windows that the server gives."""
    c.until(lambda: c.settings)
    window = {0: 65535, stream: c.settings[0][4]}
    sent = 0
    while sent < len(body):
        room = min(piece, len(body) - sent, *(window[s] + c.windows.get(s, 0) - sent for s in (0, stream)))
        if room <= 0:
            c.read_frame()
            continue
        c.send(DataFrame(stream, body[sent:sent + room], flags=["END_STREAM"] if sent + room == len(body) else []))
        sent += room


def test_trailers_go_both_ways(noxy, origins):
    def answer(_, c, r):
        c.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
               f"4\r\nbody\r\n0\r\nX-Sum: {dict(r.trailers).get('x-sum')}\r\nContent-Length: 7\r\n\r\n")
    lb = start(noxy, backend=origins(1, answer=answer))
    with H2Client(lb.port) as c:
        stream = c.open([*POST, ("trailer", "x-sum")], end=False)
        c.send(c.data(stream, b"hello"), c.headers(stream, [("x-sum", "42"), ("host", "evil.example")]))
        a = c.answer(stream)
    assert (a.body, a.trailers, a.ended) == (b"body", [("x-sum", "42")], True)
    assert [n.lower() for n, _ in origins[0].requests[0].trailers] == ["x-sum"]


def test_many_streams_at_once_all_get_their_own_answers(noxy, origins):
    def answer(_, c, r):
        c.reply(200, r.target * 500)
    lb = start(noxy, backend=origins(2, answer=answer))
    with H2Client(lb.port) as c:
        streams = {c.open(request(path=f"/{i}")): f"/{i}" for i in range(100)}
        for stream, path in streams.items():
            a = c.answer(stream)
            assert (a.status, a.body) == (200, path.encode() * 500)
    lb.wait_idle()


# ---- responses ----

@pytest.mark.parametrize("size", [0, 1, 5000, 70_000, 3_000_000])
@pytest.mark.parametrize("kind", ["length", "chunked", "close"])
def test_a_response_comes_whole(noxy, origins, kind, size):
    body = bytes(i % 253 for i in range(size))

    def raw(_, c):
        c.read_request()
        if kind == "length":
            c.send(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n")
            c.send(body)
        elif kind == "close":
            c.send("HTTP/1.1 200 OK\r\n\r\n")
            c.send(body)
        else:
            c.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for at in range(0, size, 30_000):
                piece = body[at:at + 30_000]
                c.send(b"%x\r\n%b\r\n" % (len(piece), piece))
            c.send("0\r\n\r\n")
        if kind != "close":
            c.stream.read(1)
    lb = start(noxy, backend=origins(1, raw=raw), health_check=False)
    with H2Client(lb.port) as c:
        a = c.get()
    assert (a.status, a.body == body, a.ended, a.reset) == (200, True, True, None)


@pytest.mark.parametrize("method, status, length", [("HEAD", 200, 5), ("GET", 204, None), ("GET", 304, 5)])
def test_responses_without_a_body_end_with_their_head(noxy, origins, method, status, length):
    def answer(_, c, r):
        c.send(f"HTTP/1.1 {status} X\r\n" + (f"Content-Length: {length}\r\n" if length else "") + "\r\n")
    lb = start(noxy, backend=origins(1, answer=answer))
    with H2Client(lb.port) as c:
        for _ in range(3):
            a = c.answer(c.open(request(method)))
            assert (a.status, a.body, a.ended, a.field("content-length")) == (status, b"", True, length and str(length))


def test_interim_responses_go_through(noxy, origins):
    lb = start(noxy, backend=origins(1, raw=raw_response(
        "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")),
        health_check=False)
    with H2Client(lb.port) as c:
        a = c.get()
    assert [dict(i)[":status"] for i in a.interim] == ["103"] and dict(a.interim[0])["link"] == "</a.css>"
    assert (a.status, a.body) == (200, b"ok")


def test_100_continue_comes_before_the_body_is_sent(noxy, origins):
    lb = start(noxy, backend=origins(1))
    with H2Client(lb.port) as c:
        stream = c.open([*POST, ("expect", "100-continue"), ("content-length", "4")], end=False)
        c.until(lambda: c._answer(stream).interim)
        c.send(c.data(stream, b"body", end=True))
        assert c.answer(stream).status == 200
    assert origins[0].requests[0].body == b"body"


@pytest.mark.parametrize("text", [
    "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n"], ids=["length", "chunked"])
def test_a_response_cut_short_is_never_taken_for_a_whole_one(noxy, origins, text):
    lb = start(noxy, backend=origins(1, raw=raw_response(text)), health_check=False)
    with H2Client(lb.port) as c:
        a = c.get()
        assert (a.status, a.ended, a.reset) == (200, False, h2.INTERNAL_ERROR)
        assert c.goaways == []
    assert lb.total("backend", "reasons.server_closed") == 1


def test_an_answer_before_the_upload_is_over_is_complete_and_ends_the_upload(noxy, origins):
    def raw(_, c):
        c.read_request_head()
        c.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nno\n")
        c.stream.read()
    lb = start(noxy, backend=origins(1, raw=raw), health_check=False)
    with H2Client(lb.port) as c:
        stream = c.open(POST, end=False)
        c.send(c.data(stream, b"x" * 1000))
        a = c._answer(stream)
        c.until(lambda: a.reset is not None)
        assert (a.status, a.body, a.ended, a.reset) == (403, b"no\n", True, h2.NO_ERROR)
        c.send(c.data(stream, b"x" * 1000))  # it was on its way
        c.ping()
        assert c.goaways == []


def test_nobody_left_to_serve(noxy, origins):
    origins(1)
    origins[0].stop()
    lb = start(noxy, backend=origins, when_down="close")
    lb.wait_log("WARN", "is now down")
    with H2Client(lb.port) as c:
        a = c.get()
        assert (a.status, a.reset) == (None, h2.CANCEL)
        c.ping()
    lb.reload(lb._read("noxy.yaml").replace('"when_down": "close"', '"when_down": "503"'))
    with H2Client(lb.port) as c:
        assert c.get().status == 503


@pytest.mark.parametrize("fields, status", [
    ([("x-long", "a" * 20_000)], 431),
    ([(f"x-{i}", "y") for i in range(120)], 431),
    ([("content-length", "5000")], 413)], ids=["long", "many", "body"])
def test_what_is_beyond_limits_is_told_so_and_the_connection_goes_on(noxy, origins, fields, status):
    lb = start(noxy, backend=origins(1), max_body=4000)
    with H2Client(lb.port) as c:
        stream = c.open([*POST, *fields], end=status != 413)
        assert c.answer(stream).status == status
        assert c.get().status == 200
    assert lb.total("frontend", "reasons.client_too_large") == 1


def test_other_refusals_have_statuses_too(noxy, origins):
    lb = start(noxy, backend=origins(1), max_body=4000)
    with H2Client(lb.port) as c:
        assert c.get("/" + "x" * 17_000).status == 414
        assert c.answer(c.open(request("TRACE"))).status == 405
        assert c.answer(c.open([(":method", "CONNECT"), (":authority", "a:1")])).status == 405
        assert c.get(scheme="gopher").status == 400
        assert c.answer(c.open([*request("CONNECT"), (":protocol", "connect-udp")], end=False)).status == 501
        stream = c.open(POST, end=False)
        send_body(c, stream, b"x" * 5000)
        assert c.answer(stream).status == 413
    assert origins[0].requests == []


# ---- what the client does ----

def test_a_request_taken_back_frees_the_server(noxy, origins):
    lb = start(noxy, backend=origins(1, answer=lambda o, c, r: o.go.wait(60)))
    with H2Client(lb.port) as c:
        stream = c.open()
        wait_for(lambda: origins[0].requests, "the request arrives")
        c.send(RstStreamFrame(stream, h2.CANCEL))
        lb.wait_total("frontend", "reasons.client_cancelled", 1)
        lb.wait_total("server", "requests_current", 0)
        lb.wait_total("server", "sessions_current", 0)


def test_a_connection_that_ends_frees_all_its_streams(noxy, origins):
    lb = start(noxy, backend=origins(1, answer=lambda o, c, r: o.go.wait(60)))
    with H2Client(lb.port) as c:
        for _ in range(50):
            c.open()
        lb.wait_total("server", "requests_current", 50)
    lb.wait_idle()


def test_a_stream_opened_and_reset_at_once_reaches_no_server(noxy, origins):
    lb = start(noxy, backend=origins(1))
    with H2Client(lb.port) as c:
        frames = []
        for i in range(100):
            frames += [c.headers(2 * i + 1, request()), RstStreamFrame(2 * i + 1, h2.CANCEL)]
        c.send(*frames)
        c.next_stream = 201
        assert c.get("/last").status == 200
    assert len(origins[0].requests) < 20  # those at the end of what was read at once
    lb.wait_idle()


# ---- WebSocket (RFC 8441) ----

def websocket_origin(_, c):
    r = c.read_request_head()
    c.request = r
    assert r.field("Upgrade") == "websocket" and len(r.field("Sec-WebSocket-Key")) == 24
    if r.target == "/refused":
        c.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        return
    if r.target == "/200":
        c.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno")
        return
    c.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
           "Sec-WebSocket-Accept: x\r\nSec-WebSocket-Protocol: chat\r\n\r\nhello")
    while data := c.stream.read1(65536):
        c.send(data)
    c.end_sending()


def connect(path="/chat"):
    return [*request("CONNECT", path), (":protocol", "websocket"), ("sec-websocket-version", "13"),
            ("sec-websocket-protocol", "chat")]


def test_websocket_over_http2(noxy, origins):
    lb = start(noxy, backend=origins(1, raw=websocket_origin), health_check=False, access_log=True)
    with H2Client(lb.port) as c:
        c.until(lambda: c.settings)
        assert c.settings[0][8] == 1
        pseudo = sorted(connect(), key=lambda f: not f[0].startswith(":"))
        stream = c.open(pseudo, end=False)
        a = c._answer(stream)
        c.until(lambda: a.body == b"hello")
        assert (a.status, a.field("sec-websocket-protocol")) == (200, "chat")
        assert a.field("upgrade") is None and a.field("connection") is None
        c.send(c.data(stream, b"ping"))
        c.until(lambda: a.body == b"helloping")
        c.send(c.data(stream, b"x" * 15_000), c.data(stream, b"x" * 15_000))
        c.until(lambda: len(a.body) == 30_009)
        c.send(c.data(stream, b"bye", end=True))
        c.until(lambda: a.ended)
        assert a.body.endswith(b"xbye")
    lb.wait_idle()


@pytest.mark.parametrize("path, status", [("/refused", 403), ("/200", 502)])
def test_a_tunnel_that_the_server_refuses_is_none(noxy, origins, path, status):
    lb = start(noxy, backend=origins(1, raw=websocket_origin), health_check=False)
    with H2Client(lb.port) as c:
        pseudo = sorted(connect(path), key=lambda f: not f[0].startswith(":"))
        a = c.answer(c.open(pseudo, end=False))
        assert (a.status, a.body) == (status, b"")


# ---- real clients ----

def run(*args, **keys):
    return subprocess.run(args, capture_output=True, timeout=120, check=False, **keys)


def test_curl_and_nghttp(noxy, nginx, tmp_path):
    server = nginx(1)[0]
    (tmp_path / "nginx1" / "root" / "big").write_bytes(bytes(i % 255 for i in range(5_000_000)))
    lb = start(noxy, backend=[server])
    done = run("curl", "-sS", "--http2-prior-knowledge", "-w", "%{http_version}", f"http://127.0.0.1:{lb.port}/")
    assert done.stdout == b"nginx1\n2", done
    done = run("curl", "-sS", "--http2-prior-knowledge", f"http://127.0.0.1:{lb.port}/big")
    assert len(done.stdout) == 5_000_000
    done = run("nghttp", "-n", "-v", "-m", "20", f"http://127.0.0.1:{lb.port}/big")
    assert done.stdout.count(b":status: 200") == 20, done.stdout[-2000:]


def test_h2load_loses_nothing(noxy, nginx):
    lb = start(noxy, backend=nginx(2))
    done = run("h2load", "-n", "4000", "-c", "20", "-m", "50", f"http://127.0.0.1:{lb.port}/", text=True)
    assert "4000 succeeded, 0 failed, 0 errored" in done.stdout, done.stdout
    lb.wait_idle()


def test_with_tls_it_is_agreed_on_by_alpn(noxy, nginx, tmp_path):
    (server,) = nginx(1)
    (tmp_path / "nginx1" / "root" / "big").write_bytes(bytes(i % 255 for i in range(3_000_000)))
    lb = noxy.start(backend=[server],
                    bind=[{"addr_port": f"127.0.0.1:{free_port()}", "ssl": tls.server()}])
    for option, version in (("--http2", b"2"), ("--http1.1", b"1.1")):
        done = run("curl", "-sSk", option, "-w", "%{http_version}", f"https://127.0.0.1:{lb.port}/")
        assert done.stdout == b"nginx1\n" + version, done
    done = run("curl", "-sSk", "--http2", f"https://127.0.0.1:{lb.port}/big")
    assert len(done.stdout) == 3_000_000
    out = run("h2load", "-n", "2000", "-c", "10", "-m", "20", f"https://127.0.0.1:{lb.port}/", text=True).stdout
    assert "2000 succeeded, 0 failed, 0 errored" in out, out
    lb.wait_idle()


def test_h2c_is_refused_where_tls_is_spoken(noxy):
    bind = {"addr_port": "127.0.0.1:1", "h2c": True, "ssl": tls.server()}
    text = configs.compose(1, servers=[{"addr_port": "127.0.0.1:2"}], bind=[bind])
    done = noxy.check(text)
    assert done.returncode == 1 and "h2c has no effect where TLS is spoken" in done.stderr
