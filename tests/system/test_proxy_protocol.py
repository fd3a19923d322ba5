"""The PROXY protocol from proxies in front of noxy, by raw sockets: who the client is, and who is refused."""
import socket
import struct

import pytest

from clients import Connection
from origins import echo
from ports import free_port
from waiting import wait_for

V1 = b"PROXY TCP4 192.0.2.9 198.51.100.7 5000 443\r\n"
V1_6 = b"PROXY TCP6 2001:db8::9 2001:db8::7 5000 443\r\n"
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def v2(family, ends, command=0x21, tlvs=b""):
    return SIGNATURE + struct.pack("!BBH", command, family, len(ends + tlvs)) + ends + tlvs


ENDS_4 = socket.inet_aton("192.0.2.9") + socket.inet_aton("198.51.100.7") + struct.pack("!HH", 5000, 443)
ENDS_6 = (socket.inet_pton(socket.AF_INET6, "2001:db8::9") + socket.inet_pton(socket.AF_INET6, "2001:db8::7")
          + struct.pack("!HH", 5000, 443))
MAPPED = (socket.inet_pton(socket.AF_INET6, "::ffff:192.0.2.9") + socket.inet_pton(socket.AF_INET6, "::ffff:198.51.100.7")
          + struct.pack("!HH", 5000, 443))
V2 = v2(0x11, ENDS_4)
LOCAL = v2(0, b"", 0x20)

TOLD = {"http_condition": [{"set_header": {
    "X-Told": "sprintf('%s %s %s %s %s', src, src_port, dst, dst_port, peer)"}}]}


def start(noxy, origins, to=None, origin=None, **keys):
    bind = [{"addr_port": to or f"127.0.0.1:{free_port()}", "proxy_protocol": True}]
    servers = origins(1, **(origin or {}))
    return servers[0], noxy.start(backend=servers, bind=bind, **keys)


def log_lines(lb):
    lb.stop()
    with open(lb.path("access.log"), encoding="utf-8") as f:
        return f.read().splitlines()


NAMED = [
    (V1, "192.0.2.9 5000 198.51.100.7 443"),
    (V1_6, "2001:db8::9 5000 2001:db8::7 443"),
    (V2, "192.0.2.9 5000 198.51.100.7 443"),
    (v2(0x21, ENDS_6), "2001:db8::9 5000 2001:db8::7 443"),
    (v2(0x21, MAPPED), "192.0.2.9 5000 198.51.100.7 443"),
    (v2(0x11, ENDS_4, tlvs=b"\x04\x03\x00" + b"x" * 768), "192.0.2.9 5000 198.51.100.7 443"),
]


@pytest.mark.parametrize("header, told", NAMED)
def test_the_client_is_the_one_that_the_header_names(noxy, origins, header, told):
    origin, lb = start(noxy, origins, **TOLD, access_log={"path": "access.log"})
    with lb.connect() as c:
        c.send(header + REQUEST)
        assert c.response().status == 200
    assert origin.requests[0].field("X-Told") == told + " 127.0.0.1"
    assert origin.requests[0].field("X-Forwarded-For") == told.split()[0]
    assert log_lines(lb)[0].split()[1] in (f"{told.split()[0]}:5000", f"[{told.split()[0]}]:5000")


UNNAMED = [b"PROXY UNKNOWN\r\n", b"PROXY UNKNOWN 192.0.2.9 198.51.100.7 5000 443\r\n", LOCAL, v2(0x11, ENDS_4, 0x20),
           v2(0, b"")]


@pytest.mark.parametrize("header", UNNAMED)
def test_the_connection_s_own_ends_count_where_none_are_named(noxy, origins, header):
    origin, lb = start(noxy, origins, **TOLD)
    with lb.connect() as c:
        own = c.sock.getsockname()
        c.send(header + REQUEST)
        assert c.response().status == 200
    assert origin.requests[0].field("X-Told") == f"127.0.0.1 {own[1]} 127.0.0.1 {lb.port} 127.0.0.1"


@pytest.mark.parametrize("header", [V1, V2, LOCAL])
@pytest.mark.parametrize("mode", ["http", "tcp"])
def test_no_byte_is_lost_or_late_wherever_the_segments_end(noxy, origins, header, mode):
    _, lb = start(noxy, origins, origin={"raw": echo} if mode == "tcp" else None, mode=mode)
    stream = header + REQUEST
    for cut in range(1, len(stream)):
        with lb.connect() as c:
            c.send(stream[:cut])
            if cut < len(header):
                lb.admin("ping")  # so that the first part arrives alone, most times
            c.send(stream[cut:])
            if mode == "tcp":
                assert c.read(len(REQUEST)) == REQUEST
            else:
                assert c.response().body == b"web1\n"


@pytest.mark.parametrize("mode", ["http", "tcp"])
def test_a_header_may_come_byte_by_byte(noxy, origins, mode):
    _, lb = start(noxy, origins, origin={"raw": echo} if mode == "tcp" else None, mode=mode)
    for header in (V1, v2(0x21, ENDS_6, tlvs=b"\x04\0\x20" + b"x" * 32)):
        with lb.connect() as c:
            for byte in header + REQUEST:
                c.send(bytes([byte]))
            assert c.read(len(REQUEST)) == REQUEST if mode == "tcp" else c.response().body == b"web1\n"


def test_the_first_request_s_body_and_the_next_requests_follow_in_one_segment(noxy, origins):
    origin, lb = start(noxy, origins)
    body = b"b" * 100_000
    with lb.connect() as c:
        c.send(V2 + b"POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + body + REQUEST)
        assert [c.response().status, c.response().status] == [200, 200]
    assert origin.requests[0].body == body


def test_a_server_that_speaks_first_is_heard_behind_a_header_alone(noxy, origins):
    def greet(_, c):
        c.send("220 hello\r\n")
        c.stream.read()
    _, lb = start(noxy, origins, origin={"raw": greet}, mode="tcp")
    with lb.connect() as c:
        c.send(V1)
        assert c.read(11) == b"220 hello\r\n"


def test_an_end_behind_the_header_is_passed_on(noxy, origins):
    _, lb = start(noxy, origins, origin={"raw": echo}, mode="tcp")
    with lb.connect() as c:
        c.send(V1 + b"last words")
        c.end_sending()
        assert c.read_to_end() == b"last words"


REFUSED = [REQUEST, b"\x16\x03\x01\x02\x00\x01\x00", V1.lower(), b"PROXY TCP4 192.0.2.9 198.51.100.7 5000\r\n" + REQUEST,
           b"PROXY UNKNOWN" + b" " * 95, v2(0x11, ENDS_6, 0x22), SIGNATURE + b"\x21\x11\xff\xff", v2(0x11, ENDS_4[:-1]),
           v2(0x11, ENDS_4, tlvs=b"\x03\0\4wrng"), V1[:-2] + b"\n" + REQUEST]


@pytest.mark.parametrize("mode", ["http", "tcp"])
@pytest.mark.parametrize("sent", REFUSED)
def test_whatever_begins_otherwise_is_closed_without_an_answer(noxy, origins, sent, mode):
    origin, lb = start(noxy, origins, mode=mode, health_check=False, access_log={"path": "access.log"})
    with lb.connect() as c:
        c.send(sent)
        assert c.read_to_end() == b""
    lb.wait_log("WARN", r"closes the connection of 127\.0\.0\.1:\d+: .*\(proxy_protocol\)")
    lb.wait_total("frontend", "reasons.client_no_proxy", 1)
    lb.wait_idle()
    assert origin.connections == 0 and not origin.requests
    assert "end=client_no_proxy/client" in log_lines(lb)[0]


@pytest.mark.parametrize("part", [b"", b"P", V1[:-1], V2[:-1], SIGNATURE])
def test_a_header_that_does_not_come_in_time_ends_the_connection(noxy, origins, part):
    _, lb = start(noxy, origins, timeout_http_request=300)
    with lb.connect() as c:
        c.send(part)
        assert c.read_to_end() == b""
    lb.wait_total("frontend", "reasons.client_proxy_timeout", 1)
    lb.wait_idle()


def test_trickling_bytes_do_not_put_the_end_off(noxy, origins):
    _, lb = start(noxy, origins, timeout_http_request=500)
    with lb.connect() as c:
        def trickle():
            try:
                c.send(V1[trickle.at:trickle.at + 1])
            except OSError:
                return True
            trickle.at = min(trickle.at + 1, len(V1) - 2)
            return lb.total("frontend", "reasons.client_proxy_timeout") or \
                lb.total("frontend", "reasons.client_no_proxy")
        trickle.at = 0
        wait_for(trickle, "the connection ends")


def test_a_connection_that_ends_without_a_byte_is_nobody_s_fault(noxy, origins):
    _, lb = start(noxy, origins)
    for _ in range(5):
        lb.connect().close()
    lb.wait_total("frontend", "sessions", 5)
    lb.wait_idle()
    assert lb.total("frontend", "reasons.client_no_proxy") == 0 and not lb.log("WARN")


def test_one_that_ends_within_its_header_is_counted(noxy, origins):
    _, lb = start(noxy, origins)
    with lb.connect() as c:
        c.send(V2[:-1])
        c.end_sending()
        assert c.read_to_end() == b""
    lb.wait_total("frontend", "reasons.client_no_proxy", 1)


def test_a_flood_of_wrong_beginnings_is_few_lines_and_no_memory(noxy, origins):
    _, lb = start(noxy, origins, threads=1)
    for _ in range(200):
        with lb.connect() as c:
            c.send(b"nonsense")
            c.read_to_end()
    lb.wait_total("frontend", "reasons.client_no_proxy", 200)
    lb.wait_idle()
    assert len(lb.log("WARN")) == 1


def test_those_who_wait_count_for_maxconn_and_give_their_place_back(noxy, origins):
    _, lb = start(noxy, origins, maxconn=3)
    silent = [lb.connect() for _ in range(3)]
    lb.wait_total("frontend", "sessions_current", 3)
    with lb.connect() as c:
        assert c.read_to_end() == b""
    for c in silent:
        c.send(V1 + REQUEST)
        assert c.response().status == 200
        c.close()
    lb.wait_idle()


def test_a_reload_keeps_connections_whose_header_is_on_its_way(noxy, origins):
    _, lb = start(noxy, origins)
    c = lb.connect()
    c.send(V1[:9])
    lb.wait_total("frontend", "sessions_current", 1)
    lb.reload()
    c.send(V1[9:] + REQUEST)
    assert c.response().status == 200
    c.close()
    lb.wait_settled()


def test_noxy_ends_while_headers_are_awaited(noxy, origins):
    _, lb = start(noxy, origins)
    waiting = [lb.connect() for _ in range(3)]
    waiting[0].send(V1[:5])
    lb.wait_total("frontend", "sessions_current", 3)
    assert lb.stop() == 0
    assert [c.read_to_end() for c in waiting] == [b""] * 3


def test_other_binds_of_the_frontend_take_no_header(noxy, origins):
    plain = free_port()
    servers = origins(1)
    lb = noxy.start(backend=servers, bind=[{"addr_port": f"127.0.0.1:{free_port()}", "proxy_protocol": True},
                                           {"addr_port": f"127.0.0.1:{plain}"}])
    with Connection(plain) as c:
        assert c.get().status == 200
    with Connection(plain) as c:
        c.send(V2 + REQUEST)
        assert c.response().status == 400


def test_a_proxy_may_come_over_a_unix_socket(noxy, origins):
    folder = noxy.folder()
    path = folder + "/front.sock"
    origin, lb = start(noxy, origins, f"unix:{path}", **TOLD)
    for header in (V1, v2(0x31, b"/a".ljust(108, b"\0") * 2), LOCAL):
        with Connection(path) as c:
            for byte in header[:20]:
                c.send(bytes([byte]))
            c.send(header[20:] + REQUEST)
            assert c.response().status == 200
    assert origin.requests[0].field("X-Told") == "192.0.2.9 5000 198.51.100.7 443"
    assert [r.field("X-Told").split() for r in origin.requests[1:]] == [["0", "0"]] * 2
    assert lb.stop() == 0


def test_requests_are_balanced_by_the_client_that_is_named(noxy, origins):
    servers = origins(4)
    lb = noxy.start(backend=servers, balance="source",
                    bind=[{"addr_port": f"127.0.0.1:{free_port()}", "proxy_protocol": True}])

    def served(i):
        with lb.connect() as c:
            c.send(b"PROXY TCP4 192.0.2.%d 198.51.100.7 5000 443\r\n" % i + REQUEST)
            return c.response().server
    first = [served(i) for i in range(1, 25)]
    assert len(set(first)) > 1
    assert [served(i) for i in range(1, 25)] == first


def test_trusted_proxies_are_those_that_the_header_names(noxy, origins):
    origin, lb = start(noxy, origins, trusted_proxies=["192.0.2.0/24"], **TOLD)
    for header in (V1, V1_6):
        with lb.connect() as c:
            c.send(header)
            assert c.get("/", {"X-Forwarded-For": "203.0.113.5"}).status == 200
    assert origin.requests[0].field("X-Told") == "203.0.113.5 0 198.51.100.7 443 127.0.0.1"
    assert origin.requests[0].field("X-Forwarded-For") == "203.0.113.5, 192.0.2.9"
    assert origin.requests[1].field("X-Told") == "2001:db8::9 5000 2001:db8::7 443 127.0.0.1"


def test_mode_tcp_s_rules_see_the_named_client(noxy, origins):
    _, lb = start(noxy, origins, origin={"raw": echo}, mode="tcp",
                  tcp_condition=[{"when": "src == '192.0.2.9' && dst_port == 443 && peer == '127.0.0.1'", "allow": True},
                                 {"reject": True}])
    for header, answer in ((V1, b"x"), (V1_6, b""), (LOCAL, b"")):
        with lb.connect() as c:
            c.send(header + b"x")
            assert (c.read(1) if answer else c.read_to_end()) == answer
