"""HTTP/2 from clients: what RFC 9113 says must be refused is, as a stream's error or the connection's; one row a rule.

Nothing of it may reach a server, harm another connection, or be taken for another request.
"""
import struct

import pytest
from hyperframe.frame import (ContinuationFrame, DataFrame, GoAwayFrame, HeadersFrame, PingFrame, PriorityFrame,
                              RstStreamFrame, SettingsFrame, WindowUpdateFrame)

import http2_client as h2
from http2_client import H2Client, raw_frame, request
from ports import free_port

POST = request("POST")


def start(noxy, **keys):
    return noxy.start(bind=[{"addr_port": f"127.0.0.1:{free_port()}", "h2c": True}], **keys)


def wide(pairs):
    return b"".join(struct.pack(">HI", *p) for p in pairs)


# ---- errors of the connection: name, what is sent once the client has said hello, the code ----

def head(stream=1):
    """A request, encoded when its turn has come."""
    return lambda c: c.headers(stream, request())


def half_closed(c, *frames):
    return [f(c) if callable(f) else f for f in (lambda c: c.headers(1, request(path="/wait")), *frames)]


def closed(c, frame, *more):
    """Frames behind a stream, 1, that both have ended."""
    c.get()
    return [f(c) if callable(f) else f for f in (frame, *more)]


CONNECTION = {
    # 4.1, 4.2: sizes of frames
    "a frame beyond SETTINGS_MAX_FRAME_SIZE":
        (h2.FRAME_SIZE_ERROR, lambda c: [c.headers(1, POST, False), raw_frame(0, 0, 1, b"x" * 16385)]),
    "HEADERS beyond SETTINGS_MAX_FRAME_SIZE": (h2.FRAME_SIZE_ERROR, lambda c: [raw_frame(1, 4, 1, b"x" * 16385)]),
    # 4.3: HPACK
    "an index that isn't there": (h2.COMPRESSION_ERROR, lambda c: [c.headers(1, b"\xff\xff\xff\x00")]),
    "an index of 0": (h2.COMPRESSION_ERROR, lambda c: [c.headers(1, b"\x80")]),
    "a literal cut off": (h2.COMPRESSION_ERROR, lambda c: [c.headers(1, b"\x00\x0aabc")]),
    "a table larger than allowed": (h2.COMPRESSION_ERROR, lambda c: [c.headers(1, b"\x3f\xe1\xff\x03" + c.block(request()))]),
    "a table's size behind a field": (h2.COMPRESSION_ERROR, lambda c: [c.headers(1, c.block(request()) + b"\x20")]),
    "Huffman padding of eight bits": (h2.COMPRESSION_ERROR, lambda c: [c.headers(1, b"\x00\x81\xff\x01a")]),
    # 4.3, 6.10: nothing may stand within a head
    "PRIORITY within a head":
        (h2.PROTOCOL_ERROR, lambda c: [HeadersFrame(1, c.block(request())), PriorityFrame(1, stream_weight=1)]),
    "another stream's CONTINUATION":
        (h2.PROTOCOL_ERROR,
         lambda c: [HeadersFrame(1, c.block(request())), ContinuationFrame(3, b"", flags=["END_HEADERS"])]),
    "an unknown frame within a head":
        (h2.PROTOCOL_ERROR, lambda c: [HeadersFrame(1, c.block(request())), raw_frame(0x16, 0, 1, b"12345678")]),
    "CONTINUATION of nothing": (h2.PROTOCOL_ERROR, lambda c: [ContinuationFrame(1, b"", flags=["END_HEADERS"])]),
    "CONTINUATION behind a complete head":
        (h2.PROTOCOL_ERROR,
         lambda c: [c.headers(1, POST, False), ContinuationFrame(1, c.block([("a", "b")]), flags=["END_HEADERS"])]),
    "CONTINUATION behind DATA":
        (h2.PROTOCOL_ERROR, lambda c: [c.headers(1, POST, False), c.data(1, b"x"), ContinuationFrame(1, b"")]),
    "CONTINUATION on stream 0":
        (h2.PROTOCOL_ERROR, lambda c: [HeadersFrame(1, c.block(request())), raw_frame(9, 4, 0, b"")]),
    # 5.1: states of streams
    "DATA on an idle stream": (h2.PROTOCOL_ERROR, lambda c: [c.data(1, b"x")]),
    "RST_STREAM on an idle stream": (h2.PROTOCOL_ERROR, lambda c: [RstStreamFrame(1, h2.CANCEL)]),
    "WINDOW_UPDATE on an idle stream": (h2.PROTOCOL_ERROR, lambda c: [WindowUpdateFrame(1, 100)]),
    "DATA on a half-closed stream": (h2.STREAM_CLOSED, lambda c: half_closed(c, c.data(1, b"x"))),
    "HEADERS on a half-closed stream": (h2.STREAM_CLOSED, lambda c: half_closed(c, head())),
    "CONTINUATION on a half-closed stream": (h2.PROTOCOL_ERROR, lambda c: half_closed(c, ContinuationFrame(1, b""))),
    "DATA on a closed stream": (h2.STREAM_CLOSED, lambda c: closed(c, c.data(1, b"x"))),
    "HEADERS on a closed stream": (h2.STREAM_CLOSED, lambda c: closed(c, head())),
    "CONTINUATION on a closed stream": (h2.PROTOCOL_ERROR, lambda c: closed(c, ContinuationFrame(1, b""))),
    "DATA on a stream that the client reset":
        (h2.STREAM_CLOSED, lambda c: [c.headers(1, POST, False), RstStreamFrame(1, h2.CANCEL), c.data(1, b"x")]),
    "HEADERS on a stream that the client reset":
        (h2.STREAM_CLOSED, lambda c: [c.headers(1, POST, False), RstStreamFrame(1, h2.CANCEL), c.headers(1, POST)]),
    # 5.1.1: numbers of streams
    "an even stream": (h2.PROTOCOL_ERROR, lambda c: [c.headers(2, request())]),
    "a stream that was passed over":
        (h2.PROTOCOL_ERROR, lambda c: [c.headers(5, request()), c.headers(3, request())]),
    "HEADERS on stream 0": (h2.PROTOCOL_ERROR, lambda c: [raw_frame(1, 5, 0, c.block(request()))]),
    # 5.3.1
    "HEADERS that depend on themselves":
        (h2.PROTOCOL_ERROR, lambda c: [c.headers(1, request(), flags=["PRIORITY"], depends_on=1, stream_weight=1)]),
    "PRIORITY that depends on itself": (h2.PROTOCOL_ERROR, lambda c: [PriorityFrame(3, depends_on=3)]),
    # 6.1: DATA
    "DATA on stream 0": (h2.PROTOCOL_ERROR, lambda c: [raw_frame(0, 0, 0, b"x")]),
    "DATA with more padding than frame":
        (h2.PROTOCOL_ERROR, lambda c: [c.headers(1, POST, False), raw_frame(0, 8, 1, b"\x06abcd")]),
    # 6.2: HEADERS
    "HEADERS with more padding than frame": (h2.PROTOCOL_ERROR, lambda c: [raw_frame(1, 0xd, 1, b"\xffabc")]),
    # 6.3: PRIORITY
    "PRIORITY on stream 0": (h2.PROTOCOL_ERROR, lambda c: [raw_frame(2, 0, 0, b"\0\0\0\0\x01")]),
    "PRIORITY of 4 bytes": (h2.FRAME_SIZE_ERROR, lambda c: [raw_frame(2, 0, 1, b"\0\0\0\0")]),
    # 6.4: RST_STREAM
    "RST_STREAM on stream 0": (h2.PROTOCOL_ERROR, lambda c: [raw_frame(3, 0, 0, b"\0\0\0\x08")]),
    "RST_STREAM of 3 bytes": (h2.FRAME_SIZE_ERROR, lambda c: [c.headers(1, POST, False), raw_frame(3, 0, 1, b"\0\0\0")]),
    # 6.5: SETTINGS
    "SETTINGS that acknowledge and say more": (h2.FRAME_SIZE_ERROR, lambda c: [raw_frame(4, 1, 0, wide([(3, 1)]))]),
    "SETTINGS on a stream": (h2.PROTOCOL_ERROR, lambda c: [raw_frame(4, 0, 1, wide([(3, 1)]))]),
    "SETTINGS of 5 bytes": (h2.FRAME_SIZE_ERROR, lambda c: [raw_frame(4, 0, 0, b"\0\3\0\0\0")]),
    "ENABLE_PUSH of 2": (h2.PROTOCOL_ERROR, lambda c: [raw_frame(4, 0, 0, wide([(2, 2)]))]),
    "INITIAL_WINDOW_SIZE beyond 2^31-1": (h2.FLOW_CONTROL_ERROR, lambda c: [raw_frame(4, 0, 0, wide([(4, 1 << 31)]))]),
    "MAX_FRAME_SIZE below 2^14": (h2.PROTOCOL_ERROR, lambda c: [raw_frame(4, 0, 0, wide([(5, 16383)]))]),
    "MAX_FRAME_SIZE beyond 2^24-1": (h2.PROTOCOL_ERROR, lambda c: [raw_frame(4, 0, 0, wide([(5, 1 << 24)]))]),
    "ENABLE_CONNECT_PROTOCOL of 2": (h2.PROTOCOL_ERROR, lambda c: [raw_frame(4, 0, 0, wide([(8, 2)]))]),
    # 6.6: PUSH_PROMISE
    "PUSH_PROMISE from a client": (h2.PROTOCOL_ERROR, lambda c: [raw_frame(5, 4, 1, b"\0\0\0\2" + c.block(request()))]),
    # 6.7: PING
    "PING on a stream": (h2.PROTOCOL_ERROR, lambda c: [raw_frame(6, 0, 1, b"12345678")]),
    "PING of 7 bytes": (h2.FRAME_SIZE_ERROR, lambda c: [raw_frame(6, 0, 0, b"1234567")]),
    # 6.8: GOAWAY
    "GOAWAY on a stream": (h2.PROTOCOL_ERROR, lambda c: [raw_frame(7, 0, 1, b"\0" * 8)]),
    # 6.9: flow control
    "WINDOW_UPDATE of 0 for the connection": (h2.PROTOCOL_ERROR, lambda c: [raw_frame(8, 0, 0, b"\0\0\0\0")]),
    "WINDOW_UPDATE of 0 for a stream":
        (h2.PROTOCOL_ERROR, lambda c: [c.headers(1, POST, False), raw_frame(8, 0, 1, b"\0\0\0\0")]),
    "WINDOW_UPDATE of 3 bytes": (h2.FRAME_SIZE_ERROR, lambda c: [raw_frame(8, 0, 0, b"\0\0\0")]),
    "the connection's window beyond 2^31-1":
        (h2.FLOW_CONTROL_ERROR, lambda c: [WindowUpdateFrame(0, 0x7fffffff), WindowUpdateFrame(0, 0x7fffffff)]),
    "a stream's window beyond 2^31-1 by SETTINGS":
        (h2.FLOW_CONTROL_ERROR,
         lambda c: [c.headers(1, request(path="/wait")), WindowUpdateFrame(1, 0x7fff0000),
                    SettingsFrame(0, {4: 0x7fffffff})]),
}


@pytest.fixture
def patient(origins):
    """A server that doesn't answer /wait before it is told to."""
    def answer(origin, c, r):
        if r.target == "/wait":
            origin.go.wait(60)
        c.reply(200, "done\n")
    return origins(1, answer=answer)


@pytest.mark.parametrize("code, frames", CONNECTION.values(), ids=CONNECTION.keys())
def test_what_breaks_the_connections_rules_ends_it_with_goaway(noxy, patient, code, frames):
    lb = start(noxy, backend=patient)
    with H2Client(lb.port) as c:
        c.ping()
        c.send(*frames(c))
        c.read_to_end()
    assert [g.error_code for g in c.goaways] == [code]
    patient[0].go.set()
    assert lb.total("frontend", "reasons.h2_protocol_error") >= 1  # of the connection, and of streams
    lb.wait_log("NOTICE", "h2_protocol_error")
    with H2Client(lb.port) as other:
        assert other.get().status == 200
    lb.wait_idle()


# ---- errors of a stream ----

def fields(*more, **keys):
    return lambda c: [c.headers(1, request(more=more, **keys))]


def in_order(*fields):
    return lambda c: [c.headers(1, fields)]


METHOD, SCHEME, PATH, AUTHORITY = request()

STREAM = {
    # 8.2.1
    "a name in capitals": (h2.PROTOCOL_ERROR, fields(("X-Test", "ok"))),
    "a name with a space": (h2.PROTOCOL_ERROR, fields(("x test", "ok"))),
    "a name with a colon": (h2.PROTOCOL_ERROR, fields(("x:test", "ok"))),
    "a name with a control character": (h2.PROTOCOL_ERROR, fields(("x\x01", "ok"))),
    "a name with a byte beyond ASCII": (h2.PROTOCOL_ERROR, fields(("x\xe9", "ok"))),
    "an empty name": (h2.PROTOCOL_ERROR, fields(("", "ok"))),
    "CR in a value": (h2.PROTOCOL_ERROR, fields(("x", "a\rb"))),
    "LF in a value": (h2.PROTOCOL_ERROR, fields(("x", "a\nx-b: c"))),
    "NUL in a value": (h2.PROTOCOL_ERROR, fields(("x", "a\0b"))),
    "another control character in a value": (h2.PROTOCOL_ERROR, fields(("x", "a\x07b"))),
    "a value that begins with a space": (h2.PROTOCOL_ERROR, fields(("x", " a"))),
    "a value that ends with a space": (h2.PROTOCOL_ERROR, fields(("x", "a "))),
    "a value that begins with a tab": (h2.PROTOCOL_ERROR, fields(("x", "\ta"))),
    "a value that ends with a tab": (h2.PROTOCOL_ERROR, fields(("x", "a\t"))),
    # 8.2.2
    "connection": (h2.PROTOCOL_ERROR, fields(("connection", "keep-alive"))),
    "keep-alive": (h2.PROTOCOL_ERROR, fields(("keep-alive", "timeout=5"))),
    "proxy-connection": (h2.PROTOCOL_ERROR, fields(("proxy-connection", "keep-alive"))),
    "transfer-encoding": (h2.PROTOCOL_ERROR, fields(("transfer-encoding", "chunked"))),
    "upgrade": (h2.PROTOCOL_ERROR, fields(("upgrade", "foo"))),
    "te that isn't trailers": (h2.PROTOCOL_ERROR, fields(("te", "trailers, deflate"))),
    # 8.3
    "an unknown pseudo field": (h2.PROTOCOL_ERROR, in_order(METHOD, SCHEME, PATH, AUTHORITY, (":test", "x"))),
    "a response's pseudo field": (h2.PROTOCOL_ERROR, in_order(METHOD, SCHEME, PATH, AUTHORITY, (":status", "200"))),
    "a pseudo field behind a field": (h2.PROTOCOL_ERROR, in_order(METHOD, SCHEME, PATH, ("a", "b"), AUTHORITY)),
    "no :method": (h2.PROTOCOL_ERROR, fields(method=None)),
    "no :scheme": (h2.PROTOCOL_ERROR, fields(scheme=None)),
    "no :path": (h2.PROTOCOL_ERROR, fields(path=None)),
    "no host at all": (h2.PROTOCOL_ERROR, fields(authority=None)),
    "two :method": (h2.PROTOCOL_ERROR, in_order(METHOD, METHOD, SCHEME, PATH, AUTHORITY)),
    "two :scheme": (h2.PROTOCOL_ERROR, in_order(METHOD, SCHEME, SCHEME, PATH, AUTHORITY)),
    "two :path": (h2.PROTOCOL_ERROR, in_order(METHOD, SCHEME, PATH, PATH, AUTHORITY)),
    "two :authority": (h2.PROTOCOL_ERROR, in_order(METHOD, SCHEME, PATH, AUTHORITY, AUTHORITY)),
    "an empty :path": (h2.PROTOCOL_ERROR, fields(path="")),
    "an empty :method": (h2.PROTOCOL_ERROR, fields(method="")),
    "an empty :scheme": (h2.PROTOCOL_ERROR, fields(scheme="")),
    "an empty :authority": (h2.PROTOCOL_ERROR, fields(authority="")),
    "a :method with a space": (h2.PROTOCOL_ERROR, fields(method="GET /x HTTP/1.1")),
    "a :path with a space": (h2.PROTOCOL_ERROR, fields(path="/a HTTP/1.1")),
    "a :path with CR LF": (h2.PROTOCOL_ERROR, fields(path="/a\r\nx: y")),
    "a :path with a fragment": (h2.PROTOCOL_ERROR, fields(path="/a#b")),
    "a :path with a byte beyond ASCII": (h2.PROTOCOL_ERROR, fields(path="/\xe9")),
    "a :path without a slash": (h2.PROTOCOL_ERROR, fields(path="a")),
    "an absolute :path": (h2.PROTOCOL_ERROR, fields(path="http://other.example/")),
    "* with GET": (h2.PROTOCOL_ERROR, fields(path="*")),
    "userinfo in :authority": (h2.PROTOCOL_ERROR, fields(authority="me@test.example")),
    "a path in :authority": (h2.PROTOCOL_ERROR, fields(authority="test.example/x")),
    "a space in :authority": (h2.PROTOCOL_ERROR, fields(authority="test.example x")),
    "Host that differs from :authority": (h2.PROTOCOL_ERROR, fields(("host", "other.example"))),
    "two Hosts that differ": (h2.PROTOCOL_ERROR, fields(("host", "a.example"), ("host", "b.example"), authority=None)),
    "a Host that is none": (h2.PROTOCOL_ERROR, fields(("host", "a/b"), authority=None)),
    "CONNECT with a path": (h2.PROTOCOL_ERROR, fields(method="CONNECT")),
    ":protocol without CONNECT": (h2.PROTOCOL_ERROR, in_order(METHOD, SCHEME, PATH, AUTHORITY, (":protocol", "websocket"))),
    # 8.1.1
    "a Content-Length without a body": (h2.PROTOCOL_ERROR, fields(("content-length", "3"), method="POST")),
    "a body shorter than its Content-Length":
        (h2.PROTOCOL_ERROR, lambda c: [c.headers(1, [*POST, ("content-length", "5")], False), c.data(1, b"abc", True)]),
    "a body longer than its Content-Length":
        (h2.PROTOCOL_ERROR, lambda c: [c.headers(1, [*POST, ("content-length", "2")], False), c.data(1, b"abc", True)]),
    "a body longer than its Content-Length, in two pieces":
        (h2.PROTOCOL_ERROR,
         lambda c: [c.headers(1, [*POST, ("content-length", "2")], False), c.data(1, b"a"), c.data(1, b"bc", True)]),
    "a body where Content-Length is 0":
        (h2.PROTOCOL_ERROR, lambda c: [c.headers(1, [*POST, ("content-length", "0")], False), c.data(1, b"abc", True)]),
    "two Content-Lengths": (h2.PROTOCOL_ERROR, fields(("content-length", "0"), ("content-length", "0"))),
    "a Content-Length that is no number": (h2.PROTOCOL_ERROR, fields(("content-length", "0x0"))),
    "a signed Content-Length": (h2.PROTOCOL_ERROR, fields(("content-length", "+0"))),
    # 8.1: trailers
    "trailers that end nothing":
        (h2.PROTOCOL_ERROR, lambda c: [c.headers(1, POST, False), c.data(1, b"x"), c.headers(1, [("a", "b")], False)]),
    "a pseudo field in trailers":
        (h2.PROTOCOL_ERROR, lambda c: [c.headers(1, POST, False), c.data(1, b"x"), c.headers(1, [(":path", "/")])]),
    "capitals in trailers":
        (h2.PROTOCOL_ERROR, lambda c: [c.headers(1, POST, False), c.data(1, b"x"), c.headers(1, [("A", "b")])]),
    "LF in trailers":
        (h2.PROTOCOL_ERROR, lambda c: [c.headers(1, POST, False), c.data(1, b"x"), c.headers(1, [("a", "b\nc")])]),
    "trailers behind too short a body":
        (h2.PROTOCOL_ERROR, lambda c: [c.headers(1, [*POST, ("content-length", "9")], False), c.data(1, b"x"),
                                       c.headers(1, [("a", "b")])]),
    # 6.9: flow control
    "a stream's window beyond 2^31-1":
        (h2.FLOW_CONTROL_ERROR,
         lambda c: [c.headers(1, POST, False), WindowUpdateFrame(1, 0x7fffffff), WindowUpdateFrame(1, 0x7fffffff)]),
}


@pytest.fixture
def reached(origins):
    """A server that tells which requests came to it whole."""
    return origins(1)


@pytest.mark.parametrize("code, frames", STREAM.values(), ids=STREAM.keys())
def test_a_malformed_request_resets_its_stream_and_reaches_no_server(noxy, reached, code, frames):
    lb = start(noxy, backend=reached)
    with H2Client(lb.port) as c:
        c.ping()
        c.send(*frames(c))
        a = c.answer(1)
        assert (a.status, a.reset) == (None, code)
        c.next_stream = 3
        assert c.get("/next").status == 200
        assert c.goaways == []
    assert [r.target for r in reached[0].requests] == ["/next"]
    lb.wait_idle()


# ---- what must not be refused ----

def padded(c):
    f = c.headers(1, request(), flags=["PADDED"])
    f.pad_length = 5
    return [f]


def split(c):
    block = c.block(request())
    return [HeadersFrame(1, block[:3], flags=["END_STREAM"]), ContinuationFrame(1, block[3:5]),
            ContinuationFrame(1, block[5:], flags=["END_HEADERS"])]


SOUND = {
    "frames of an unknown type": lambda c: [raw_frame(0x16, 0, 0, b"x"), raw_frame(0xff, 0xff, 5, b""), c.headers(1, request())],
    "unknown flags": lambda c: [raw_frame(6, 0x16, 0, b"12345678"), c.headers(1, request())],
    "an unknown setting": lambda c: [raw_frame(4, 0, 0, wide([(0xff, 7)])), c.headers(1, request())],
    "the reserved bit set": lambda c: [raw_frame(1, 5, 0x80000001, c.block(request()))],
    "PRIORITY on an idle stream": lambda c: [PriorityFrame(7, depends_on=3), c.headers(1, request())],
    "HEADERS with padding": padded,
    "HEADERS with a priority": lambda c: [c.headers(1, request(), flags=["PRIORITY"], depends_on=0, stream_weight=3)],
    "DATA with padding":
        lambda c: [c.headers(1, POST, False), DataFrame(1, b"x", pad_length=200, flags=["PADDED", "END_STREAM"])],
    "DATA that is padding alone":
        lambda c: [c.headers(1, POST, False), DataFrame(1, b"", pad_length=0, flags=["PADDED"]), c.data(1, b"", True)],
    "a head in several frames": split,
    "a smaller table": lambda c: [c.headers(1, b"\x20" + c.block(request()))],
    "te: trailers": fields(("te", "trailers")),
    "Host and :authority that agree": fields(("host", "TEST.example")),
    "Host alone": fields(("host", "test.example"), authority=None),
    "an empty value": fields(("x-empty", "")),
    "bytes beyond ASCII in a value": fields(("x", "caf\xe9")),
    "OPTIONS *": fields(method="OPTIONS", path="*"),
    "a method of one's own": fields(method="BREW"),
    "a Content-Length that is kept":
        lambda c: [c.headers(1, [*POST, ("content-length", "3")], False), c.data(1, b"abc", True)],
    "GOAWAY, and one request more to answer": lambda c: [c.headers(1, request()), GoAwayFrame(0, 0)],
    "WINDOW_UPDATE on a closed stream": lambda c: closed(c, WindowUpdateFrame(1, 5), head(3)),
    "RST_STREAM on a closed stream": lambda c: closed(c, RstStreamFrame(1, 8), head(3)),
    "PRIORITY on a closed stream": lambda c: closed(c, PriorityFrame(1, depends_on=0), head(3)),
    "streams with gaps": lambda c: closed(c, head(77)),
    "a window of 0 that opens later": lambda c: [SettingsFrame(0, {4: 0}), c.headers(1, request()), SettingsFrame(0, {4: 65535})],
    "a window that becomes negative":
        lambda c: [SettingsFrame(0, {4: 3}), c.headers(1, request()), SettingsFrame(0, {4: 0}), WindowUpdateFrame(1, 90)],
    "PING that acknowledges nothing": lambda c: [PingFrame(0, b"87654321", flags=["ACK"]), c.headers(1, request())],
}


@pytest.mark.parametrize("frames", SOUND.values(), ids=SOUND.keys())
def test_what_rfc_9113_allows_is_served(noxy, origins, frames):
    lb = start(noxy, backend=origins(1))
    with H2Client(lb.port) as c:
        sent = frames(c)
        stream = max([1, *(f.stream_id for f in sent if isinstance(f, HeadersFrame))])
        c.send(*sent)
        a = c.answer(stream)
        assert (a.status, a.reset, a.body) == (200, None, b"web1\n")
    lb.wait_idle()


# ---- the preface (3.4) ----

def test_a_preface_without_settings_ends_the_connection(noxy, origins):
    lb = start(noxy, backend=origins(1))
    with H2Client(lb.port, start=False) as c:
        c.send(h2.PREFACE, PingFrame(0, b"12345678"))
        c.read_to_end()
    assert [g.error_code for g in c.goaways] == [h2.PROTOCOL_ERROR]


def test_the_preface_may_come_byte_by_byte_and_what_differs_is_http1(noxy, origins):
    lb = start(noxy, backend=origins(1))
    with H2Client(lb.port, start=False) as c:
        for i in range(len(h2.PREFACE)):
            c.send(h2.PREFACE[i:i + 1])
        c.send(SettingsFrame(0))
        assert c.get().status == 200
    with lb.connect() as c:
        c.send("P")
        c.send("R")
        c.send("OPFIND / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert c.response().status == 200
    with lb.connect() as c:
        c.send("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n")
        assert c.response().status in (400, 505)
    assert lb.get().status == 200


def test_without_h2c_a_preface_is_a_bad_request(noxy, origins):
    lb = noxy.start(backend=origins(1))
    with lb.connect() as c:
        c.send(h2.PREFACE)
        assert c.response().status in (400, 505)


def test_h2c_has_no_effect_in_mode_tcp_and_is_refused_there(noxy):
    text = """frontend:
  - {name: main, mode: tcp, use_backend: pool, bind: [{addr_port: "127.0.0.1:1", h2c: true}]}
backend:
  - {name: pool, servers: [{addr_port: "127.0.0.1:2"}]}
"""
    done = noxy.check(text)
    assert done.returncode == 1 and "h2c has no effect in mode tcp" in done.stderr
