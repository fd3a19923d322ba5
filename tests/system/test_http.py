"""Mode http: messages of every shape, in both directions."""
import hashlib
import os
import threading

import pytest

from waiting import wait_for

CHUNKED = {"Transfer-Encoding": "chunked"}
WEBSOCKET = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
             "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}


def test_one_connection_serves_many_requests(noxy, origins):
    lb = noxy.start(backend=origins(2))
    with lb.connect() as c:
        assert {c.get().server for _ in range(20)} == {"web1", "web2"}


def test_pipelined_requests_are_answered_in_their_order(noxy, origins):
    def answer(origin, c, request):
        if request.target == "/slow":
            origin.go.wait(60)
        c.reply(200, request.target)
    pool = origins(2, answer=answer)
    lb = noxy.start(backend=pool)
    with lb.connect() as c:
        c.send("".join(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n" for path in ("/slow", "/b", "/c", "/d")))
        wait_for(lambda: pool[0].requests or pool[1].requests, "the first request arrives")
        for origin in pool:
            origin.go.set()
        assert [c.response().body for _ in range(4)] == [b"/slow", b"/b", b"/c", b"/d"]


def test_pipelined_requests_with_bodies_keep_their_bounds(noxy, origins):
    lb = noxy.start(backend=origins(1, answer=lambda o, c, r: c.reply(200, r.body)))
    with lb.connect() as c:
        c.send("POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\none"
               "POST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ntwo\r\n0\r\n\r\n"
               "POST /3 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nthree")
        assert [c.response().body for _ in range(3)] == [b"one", b"two", b"three"]


def test_a_request_body_of_known_length_arrives_whole(noxy, origins):
    body = os.urandom(3_000_000)
    lb = noxy.start(backend=origins(1))
    assert lb.get(method="POST", body=body).status == 200
    assert origins[0].requests[0].body == body


def test_a_chunked_request_body_arrives_with_its_trailers(noxy, origins):
    lb = noxy.start(backend=origins(1))
    with lb.connect() as c:
        c.send_request("POST", fields=dict(CHUNKED, Trailer="X-Sum"))
        c.send("5;ext=1\r\nhello\r\n")
        c.send("7\r\n, world\r\n0\r\nX-Sum: 12\r\n\r\n")
        assert c.response().status == 200
    assert origins[0].requests[0].body == b"hello, world"
    assert ("X-Sum", "12") in origins[0].requests[0].trailers


def test_a_request_sent_byte_by_byte_is_served(noxy, origins):
    lb = noxy.start(backend=origins(1))
    with lb.connect() as c:
        for byte in b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n":
            c.send(bytes([byte]))
        assert c.response().status == 200
    assert origins[0].requests[0].body == b"abc"


def test_a_chunked_response_arrives_with_its_trailers(noxy, origins):
    def answer(origin, c, request):
        c.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n")
        c.send("3\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 5\r\n\r\n")
    lb = noxy.start(backend=origins(1, answer=answer))
    with lb.connect() as c:
        for _ in range(2):
            r = c.get()
            assert (r.body, r.trailers, r.complete) == (b"abcde", [("X-Sum", "5")], True)


def test_a_response_until_close_arrives_whole(noxy, origins):
    body = os.urandom(500_000)

    def answer(origin, c, request):
        c.send(b"HTTP/1.1 200 OK\r\n\r\n" + body)
        c.close()
    lb = noxy.start(backend=origins(1, answer=answer))
    assert lb.get().body == body


def test_a_large_response_of_known_length_arrives_whole(noxy, nginx):
    servers = nginx(1)
    body = os.urandom(20_000_000)
    with open(os.path.join(servers[0].root, "large"), "wb") as f:
        f.write(body)
    lb = noxy.start(backend=servers)
    with lb.connect() as c:
        for _ in range(2):
            assert hashlib.sha256(c.get("/large").body).digest() == hashlib.sha256(body).digest()


def test_responses_without_a_body_leave_the_connection_in_step(noxy, origins):
    def answer(origin, c, request):
        if request.method == "HEAD":
            c.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        elif request.target == "/304":
            c.send("HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\n\r\n")
        elif request.target == "/204":
            c.send("HTTP/1.1 204 No Content\r\n\r\n")
        else:
            c.reply(200, "body")
    lb = noxy.start(backend=origins(1, answer=answer))
    with lb.connect() as c:
        head = c.request("HEAD")
        assert (head.status, head.field("Content-Length"), head.body) == (200, "1000", b"")
        assert [c.get(path).status for path in ("/304", "/204")] == [304, 204]
        assert c.get().body == b"body"


def test_100_continue_comes_from_the_server_before_the_body_is_sent(noxy, origins):
    lb = noxy.start(backend=origins(1))
    with lb.connect() as c:
        c.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        assert c.read_head().status == 100
        c.send("body")
        assert c.response().status == 200
    assert origins[0].requests[0].body == b"body"


def test_a_final_answer_instead_of_100_continue_reaches_the_client(noxy, origins):
    def refuse(origin, c):
        c.read_request_head()
        c.reply(417, "no", {"Connection": "close"})
    lb = noxy.start(backend=origins(1, raw=refuse))
    with lb.connect() as c:
        c.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        assert c.response().status == 417


def test_early_hints_are_passed_on(noxy, origins):
    def answer(origin, c, request):
        c.send("HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n")
        c.reply(200, "page")
    lb = noxy.start(backend=origins(1, answer=answer))
    r = lb.get()
    assert [(i.status, i.field("Link")) for i in r.interim] == [(103, "</a.css>; rel=preload")]
    assert r.body == b"page"


def test_an_upgrade_becomes_a_tunnel(noxy, origins):
    def websocket(origin, c, request):
        assert request.field("Upgrade") == "websocket" and "upgrade" in request.field("Connection").lower()
        c.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhello")
        while data := c.stream.read1(65536):
            c.send(data.upper())
    lb = noxy.start(backend=origins(1, answer=websocket))
    with lb.connect() as c:
        r = c.get("/chat", WEBSOCKET)
        assert (r.status, r.field("Upgrade"), r.field("Connection").lower()) == (101, "websocket", "upgrade")
        assert c.read(5) == b"hello"
        for text in (b"ping", os.urandom(4) + b"GET / HTTP/1.1\r\n\r\n"):
            c.send(text)
            assert c.read(len(text)) == text.upper()


@pytest.mark.parametrize("first", ["client", "server"])
def test_a_tunnel_passes_either_ones_end_on(noxy, origins, first):
    def until_the_end(origin, c, request):
        c.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
        if first == "client":
            c.send(b"heard " + c.stream.read())
        else:
            c.send("bye")
        c.close()
    lb = noxy.start(backend=origins(1, answer=until_the_end))
    with lb.connect() as c:
        assert c.get("/chat", WEBSOCKET).status == 101
        if first == "client":
            c.send("all")
            c.end_sending()
        assert c.read_to_end() == (b"heard all" if first == "client" else b"bye")
    lb.wait_idle()


def test_a_refused_upgrade_leaves_http(noxy, origins):
    lb = noxy.start(backend=origins(1))
    with lb.connect() as c:
        assert c.get("/chat", WEBSOCKET).status == 200
        assert c.get("/").status == 200


def test_an_http_1_0_client_is_answered_in_its_own_terms(noxy, origins):
    def answer(origin, c, request):
        c.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
    lb = noxy.start(backend=origins(1, answer=answer))
    with lb.connect() as c:
        r = c.request("GET", version="HTTP/1.0")
        assert (r.field("Transfer-Encoding"), r.body) == (None, b"abc")
        assert c.read_to_end() == b""


def test_connection_close_is_honoured(noxy, origins):
    lb = noxy.start(backend=origins(1))
    with lb.connect() as c:
        r = c.get("/", {"Connection": "close"})
        assert r.status == 200 and r.closes
        assert c.read_to_end() == b""


def test_server_connections_are_kept_and_shared(noxy, origins):
    lb = noxy.start(backend=origins(1), threads=1)
    for _ in range(30):
        assert lb.get().status == 200
    assert origins[0].connections == 1


def test_a_kept_server_connection_that_the_server_closed_costs_no_request(noxy, origins):
    def answer(origin, c, request):
        c.reply(200, "bye")
        c.close()  # without having said so
    lb = noxy.start(backend=origins(1, answer=answer), threads=1)
    with lb.connect() as c:
        assert [c.get().status for _ in range(50)] == [200] * 50


def test_an_answer_before_the_body_was_sent_reaches_the_client(noxy, origins):
    def refuse(origin, c):
        c.read_request_head()
        c.reply(413, "too large", {"Connection": "close"})
    lb = noxy.start(backend=origins(1, raw=refuse))
    with lb.connect() as c:
        c.send_request("POST", fields={"Content-Length": 100_000_000})
        sender = threading.Thread(target=send_until_it_breaks, args=(c, 100_000_000))
        sender.start()
        assert c.response().status == 413
        c.close()
        sender.join()


def send_until_it_breaks(c, size):
    try:
        for _ in range(size // 65536):
            c.send(bytes(65536))
    except OSError:
        pass


def test_frontends_that_answer_by_themselves(noxy):
    lb = noxy.start(http_condition=[{"respond": {"status": 418, "body": "short and stout"}}])
    with lb.connect() as c:
        for _ in range(3):
            r = c.get()
            assert (r.status, r.body) == (418, b"short and stout")
        assert c.request("HEAD").field("Content-Length") == "15"
    with lb.connect() as c:
        r = c.request("POST", body=bytes(1_000_000))
        assert (r.status, r.closes) == (418, True)
