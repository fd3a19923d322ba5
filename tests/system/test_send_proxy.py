"""The PROXY header that noxy sends to servers: the bytes, whom they name, and how connections are then used."""
import re
import socket
import struct

import pytest

from clients import Connection
from ports import free_port
from waiting import wait_for

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


class Header:
    """What a server got as the first bytes of a connection."""

    def __init__(self, stream):
        start = stream.read(12)
        if start == SIGNATURE:
            self._read_binary(stream)
        else:
            self._read_line(start + stream.readline())

    def _read_line(self, line):
        assert re.fullmatch(rb"PROXY (UNKNOWN|TCP[46] \S+ \S+ \d+ \d+)\r\n", line), line
        words = line.decode().split()
        self.version, self.family, self.named = 1, words[1], words[1] != "UNKNOWN"
        if self.named:
            self.source, self.destination = (words[2], int(words[4])), (words[3], int(words[5]))

    def _read_binary(self, stream):
        command, family, length = struct.unpack("!BBH", stream.read(4))
        rest = stream.read(length)
        self.version, self.named = 2, command == 0x21
        self.family = {0: "UNKNOWN", 0x11: "TCP4", 0x21: "TCP6"}[family]
        if self.named:
            kind, size = (socket.AF_INET, 4) if family == 0x11 else (socket.AF_INET6, 16)
            ports = struct.unpack("!HH", rest[2 * size:])
            self.source = (socket.inet_ntop(kind, rest[:size]), ports[0])
            self.destination = (socket.inet_ntop(kind, rest[size:2 * size]), ports[1])


def expecting(headers):
    """An origin's `raw`, which takes a header before its HTTP requests; checks of the health are no requests."""
    def raw(origin, c):
        header = Header(c.stream)
        headers.append(header)
        while c.stream.peek(1):
            r = c.read_request()
            r.header = header
            origin.requests.append(r)
            origin.answer_name(c, r)
    return raw


@pytest.fixture
def headers():
    return []


def start(noxy, origins, headers, version, **keys):
    servers = origins(1, raw=expecting(headers))
    keys = {"health_check": False, **keys}
    return servers[0], noxy.start(servers=[servers[0].server(send_proxy=version)], **keys)


@pytest.mark.parametrize("version", [1, 2])
def test_the_server_learns_the_ends_of_the_client_s_connection(noxy, origins, headers, version):
    origin, lb = start(noxy, origins, headers, f"v{version}")
    with lb.connect() as c:
        assert c.get().status == 200
        got = origin.requests[0].header
        assert (got.version, got.family) == (version, "TCP4")
        assert (got.source, got.destination) == (c.sock.getsockname(), c.sock.getpeername())


def test_the_header_and_the_request_are_one_segment(noxy, origins):
    first = []

    def raw(_, c):
        first.append(c.sock.recv(65536))
        c.reply(200, b"ok")
    servers = origins(1, raw=raw)
    lb = noxy.start(servers=[servers[0].server(send_proxy="v2")], health_check=False)
    assert lb.get("/").status == 200
    assert first[0].startswith(SIGNATURE) and first[0].endswith(b"\r\n\r\n") and b"GET / HTTP/1.1" in first[0]


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_mode_tcp_sends_it_before_the_client_s_bytes(noxy, origins, headers, version):
    def raw(_, c):
        headers.append(Header(c.stream))
        c.send(b"220 hello\r\n")
        c.send(c.stream.readline())
    servers = origins(1, raw=raw)
    lb = noxy.start(servers=[servers[0].server(send_proxy=version)], health_check=False, mode="tcp")
    with lb.connect() as c:
        assert c.read(11) == b"220 hello\r\n"  # before the client has said anything
        c.send("echo\n")
        assert c.read(5) == b"echo\n"
        assert headers[0].source == c.sock.getsockname()


def test_mode_tcp_sends_it_with_what_the_client_has_sent(noxy, origins, headers):
    def raw(_, c):
        headers.append(Header(c.stream))
        c.send(c.stream.read(200_000))
    servers = origins(1, raw=raw)
    lb = noxy.start(servers=[servers[0].server(send_proxy="v1")], health_check=False, mode="tcp")
    data = bytes(range(250)) * 800
    with lb.connect() as c:
        c.send(data)
        c.end_sending()
        assert c.read_to_end() == data


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_client_over_a_unix_socket_is_not_named(noxy, origins, headers, version):
    path = noxy.folder() + "/front.sock"
    start(noxy, origins, headers, version, bind=[{"addr_port": f"unix:{path}"}])
    with Connection(path) as c:
        assert c.get().status == 200
    assert [h.named for h in headers] == [False]


def test_who_came_by_ipv4_to_a_socket_for_both_is_ipv4(noxy, origins, headers):
    for version in ("v1", "v2"):
        _, lb = start(noxy, origins, headers, version, bind=[{"addr_port": f"*:{free_port()}"}])
        assert lb.get("/").status == 200
    assert [(h.family, h.source[0], h.destination[0]) for h in headers] == [("TCP4", "127.0.0.1", "127.0.0.1")] * 2


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_the_client_that_a_header_names_is_named_to_the_server(noxy, origins, headers, version):
    _, lb = start(noxy, origins, headers, version,
                  bind=[{"addr_port": f"127.0.0.1:{free_port()}", "proxy_protocol": True}])
    with lb.connect() as c:
        c.send("PROXY TCP6 2001:db8::9 2001:db8::7 5000 443\r\n")
        assert c.get().status == 200
    assert (headers[0].source, headers[0].destination) == (("2001:db8::9", 5000), ("2001:db8::7", 443))


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_the_client_that_a_trusted_proxy_names_is_named_to_the_server(noxy, origins, headers, version):
    _, lb = start(noxy, origins, headers, version, trusted_proxies=["127.0.0.1"])
    assert lb.get("/", {"X-Forwarded-For": "192.0.2.9"}).status == 200
    assert lb.get("/", {"X-Forwarded-For": "2001:db8::9"}).status == 200
    with lb.connect() as c:
        assert c.get().status == 200
        assert headers[2].source == c.sock.getsockname()
    assert [(h.family, h.source) for h in headers[:2]] == [("TCP4", ("192.0.2.9", 0)), ("TCP6", ("2001:db8::9", 0))]
    assert headers[1].destination == ("::ffff:127.0.0.1", lb.port)


def test_no_client_s_request_goes_out_under_another_s_name(noxy, origins, headers):
    origin, lb = start(noxy, origins, headers, "v2", threads=1, trusted_proxies=["127.0.0.2"])
    with Connection(lb.port) as one, Connection(lb.port) as two, \
            Connection(("127.0.0.1", lb.port), source="127.0.0.2") as proxy:
        for _ in range(5):
            for c in (one, two):
                assert c.get().status == 200
                assert origin.requests[-1].header.source == c.sock.getsockname()
            for ip in ("192.0.2.1", "192.0.2.2"):
                assert proxy.get("/", {"X-Forwarded-For": ip}).status == 200
                assert origin.requests[-1].header.source[0] == ip
    lb.wait_idle()


def test_a_client_s_requests_share_a_connection_that_ends_with_it(noxy, origins, headers):
    origin, lb = start(noxy, origins, headers, "v2", threads=1)
    for clients in (1, 2):
        with lb.connect() as c:
            for _ in range(10):
                assert c.get().status == 200
            lb.wait_total("server", "sessions_current", 1)
            assert origin.connections == clients
        wait_for(lambda: not lb.total("server", "sessions_current"), "they end with the client", seconds=20)


def test_each_server_has_a_connection_of_its_own_for_a_client(noxy, origins, headers):
    servers = origins(2, raw=expecting(headers))
    lb = noxy.start(backend=servers, send_proxy="v2", health_check=False, threads=1)
    with lb.connect() as c:
        for _ in range(10):
            assert c.get().status == 200
    assert [len(s.requests) for s in servers] == [5, 5] and [s.connections for s in servers] == [1, 1]


def test_a_kept_connection_that_the_server_ends_is_replaced(noxy, origins, headers):
    def one_request(origin, c):
        headers.append(Header(c.stream))
        origin.answer_name(c, c.read_request())
    servers = origins(1, raw=one_request)
    lb = noxy.start(servers=[servers[0].server(send_proxy="v1")], health_check=False)
    with lb.connect() as c:
        for _ in range(10):
            assert c.get().status == 200
    assert len({h.source for h in headers}) == 1 and len(headers) >= 10


def test_few_connections_are_kept_for_one_proxy_with_many_clients(noxy, origins, headers):
    origin, lb = start(noxy, origins, headers, "v2", threads=1, trusted_proxies=["127.0.0.1"])
    with lb.connect() as c:
        for i in list(range(1, 31)) + [30, 29, 23]:
            assert c.get("/", {"X-Forwarded-For": f"192.0.2.{i}"}).status == 200
            assert origin.requests[-1].header.source[0] == f"192.0.2.{i}"
        lb.wait_total("server", "sessions_current", 8)
        assert len(headers) == 30
        assert c.get("/", {"X-Forwarded-For": "192.0.2.1"}).status == 200
        assert len(headers) == 31
    lb.wait_total("server", "sessions_current", 0)


def test_a_server_that_ends_is_tried_again_with_a_header(noxy, origins, headers):
    dead = free_port()
    servers = origins(1, raw=expecting(headers))
    lb = noxy.start(servers=[{"addr_port": f"127.0.0.1:{dead}", "name": "dead"}, servers[0].server()],
                    send_proxy="v2", health_check=False)
    for _ in range(4):
        assert lb.get("/").status == 200
    assert len(headers) == 4 and all(h.named for h in headers)


def test_the_backend_s_word_counts_for_servers_that_have_none(noxy, origins, headers):
    by_backend, own, plain = origins(2, raw=expecting(headers)) + origins(1)
    lb = noxy.start(servers=[by_backend.server(), own.server(send_proxy="v1"), plain.server(send_proxy="none")],
                    send_proxy="v2", health_check=False)
    for _ in range(3):
        assert lb.get("/").status == 200
    assert sorted(h.version for h in headers) == [1, 2] and len(plain.requests) == 1


@pytest.mark.parametrize("version", [1, 2])
def test_health_checks_name_nobody(noxy, origins, headers, version):
    _, lb = start(noxy, origins, headers, f"v{version}", health_check=100)
    wait_for(lambda: len(headers) >= 3, "checks")
    assert {(h.version, h.named) for h in headers} == {(version, False)}
    assert lb.get("/").status == 200
    assert not lb.log("WARN")


def test_an_unknown_version_is_an_error_with_its_place(noxy):
    done = noxy.check("frontend: [{name: a, bind: 127.0.0.1:1, use_backend: b}]\n"
                      "backend: [{name: b, servers: [{addr_port: 127.0.0.1:2, send_proxy: v3}]}]\n")
    assert done.returncode == 1 and "conf.yaml:2:" in done.stdout + done.stderr
