"""TLS with servers: verified unless that is switched off, with names, certificates and sessions."""
import contextlib
import ssl

import pytest

import clients
import tls
from clients import Closed
from origins import OriginConnection
from waiting import wait_for


def server_context(*names, signed_by="test", days=30, asks_for=None):
    """`asks_for`: the CA of the certificates that it wants of its clients."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*tls.certificate(*names, ca=signed_by, days=days))
    if asks_for:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(tls.authority(asks_for)[0])
    return context


def secured(context, answer=lambda c, r: c.reply(body=r.body or b"hello"), seen=None):
    """What an origin does with a whole connection: TLS, then HTTP."""
    asked = {}
    context.sni_callback = lambda sock, name, _: asked.__setitem__(sock, name)

    def serve(_origin, raw):
        with contextlib.suppress(OSError, Closed):
            sock = context.wrap_socket(raw.sock, server_side=True)
            if seen is not None:
                seen.append({"sni": asked.get(sock), "resumed": sock.session_reused, "cert": sock.getpeercert()})
            c = OriginConnection(sock)
            while True:
                answer(c, c.read_request())
    return serve


def start(noxy, origin, ssl=None, **keys):
    servers = [origin.server(ssl={"ca": tls.authority()[0], "sni": "app.example", **(ssl or {})})]
    return noxy.start(servers=servers, **keys)


def test_a_server_that_is_valid_is_asked_by_its_name(noxy, origins):
    seen = []
    lb = start(noxy, origins(1, raw=secured(server_context("app.example"), seen=seen))[0], health_check=False)
    with lb.connect() as c:
        for _ in range(3):
            assert c.request("POST", body=b"x" * 100_000).body == b"x" * 100_000
    assert {one["sni"] for one in seen} == {"app.example"}
    assert len(seen) < 3  # one is kept, and another made for a request that came in the same moment


def test_a_check_sees_whether_tls_can_be_begun(noxy, origins):
    lb = start(noxy, origins(1, raw=secured(server_context("app.example")))[0], health_check=100)
    lb.wait_log("INFO", "is now up")
    assert clients.get(lb.port).body == b"hello"


@pytest.mark.parametrize("keys, reason", [
    ({"names": ("other.example",)}, "hostname mismatch"),
    ({"names": ("app.example",), "by": "others"}, "unable to get local issuer certificate"),
    ({"names": ("app.example",), "days": -1}, "certificate has expired"),
])
def test_a_server_that_is_not_valid_gets_nothing(noxy, origins, keys, reason):
    context, heard = server_context(*keys["names"], signed_by=keys.get("by", "test"), days=keys.get("days", 30)), []
    lb = start(noxy, origins(1, raw=secured(context, lambda c, r: heard.append(r)))[0], health_check=False)
    assert clients.get(lb.port).status == 502
    lb.wait_log("WARN", rf"Backend \[pool:web1/127\.0\.0\.1:\d+\] TLS with the server failed: {reason}")
    assert not heard and lb.total("server", "reasons.server_certificate") > 0


def test_the_reason_stands_where_a_server_is_told_to_be_down(noxy, origins):
    lb = start(noxy, origins(1, raw=secured(server_context("other.example")))[0], health_check=100)
    lb.wait_log("WARN", "is now down: certificate: hostname mismatch, first check")
    assert "certificate: hostname mismatch" in lb.ctl("servers").stdout
    assert clients.get(lb.port).status == 503


def test_verification_can_be_switched_off(noxy, origins):
    servers = [origins(1, raw=secured(server_context("other.example", signed_by="others")))[0].server(ssl={"verify": "none"})]
    lb = noxy.start(servers=servers, health_check=False)
    assert clients.get(lb.port).body == b"hello"


def test_a_servers_address_may_be_what_its_certificate_has(noxy, origins):
    a = origins(1, raw=secured(server_context("app.example")))[0]
    lb = noxy.start(servers=[a.server(ssl={"ca": tls.authority()[0]})], health_check=False)
    assert clients.get(lb.port).status == 502
    lb.wait_log("WARN", "IP address mismatch")


def test_the_systems_cas_are_trusted_and_ours_is_not_one(noxy, origins):
    a = origins(1, raw=secured(server_context("app.example")))[0]
    lb = noxy.start(servers=[a.server(ssl={"sni": "app.example"})], health_check=False)
    assert clients.get(lb.port).status == 502
    lb.wait_log("WARN", "unable to get local issuer certificate|unable to get issuer certificate")


def test_a_plain_server_where_tls_is_expected(noxy, origins):
    lb = start(noxy, origins(1, raw=lambda o, c: c.send("HTTP/1.1 400 Bad\r\n\r\n"))[0], health_check=False)
    assert clients.get(lb.port).status == 502
    lb.wait_log("WARN", "TLS with the server failed: wrong version number")
    assert lb.total("server", "reasons.server_tls") > 0


def test_noxys_own_certificate(noxy, origins):
    seen, (cert, key) = [], tls.certificate("noxy", ca="clients", subject="/CN=noxy")
    a = origins(1, raw=secured(server_context("app.example", asks_for="clients"), seen=seen))[0]
    lb = start(noxy, a, {"cert": cert, "key": key}, health_check=False)
    assert clients.get(lb.port).body == b"hello"
    assert seen[0]["cert"]["subject"] == ((("commonName", "noxy"),),)


@pytest.mark.parametrize("mode", ["http", "tcp"])
def test_a_proxy_header_goes_before_tls(noxy, origins, mode):
    headers, inner = [], secured(server_context("app.example"))

    def serve(origin, raw):
        header = b""
        while not header.endswith(b"\r\n"):  # byte by byte: what follows is TLS
            header += raw.sock.recv(1)
        headers.append(header)
        inner(origin, raw)
    a = origins(1, raw=serve)[0]
    lb = noxy.start(servers=[a.server(ssl={"ca": tls.authority()[0], "sni": "app.example"}, send_proxy="v1")],
                    mode=mode, health_check=100)
    lb.wait_log("INFO", "is now up")
    assert clients.get(lb.port).body == b"hello"
    assert any(header.startswith(b"PROXY TCP4 127.0.0.1 127.0.0.1 ") for header in headers)


def test_sessions_with_servers_are_resumed(noxy, origins):
    seen = []

    def answer(c, r):
        c.reply(fields={"Connection": "close"})
        raise Closed
    lb = start(noxy, origins(1, raw=secured(server_context("app.example"), answer, seen))[0], health_check=False,
               threads=1)
    for _ in range(3):
        assert clients.get(lb.port).status == 200
    assert [one["resumed"] for one in seen] == [False, True, True]


def test_mode_tcp_to_a_server_with_tls(noxy, origins):
    def serve(_origin, raw):
        with contextlib.suppress(OSError):
            sock = server_context("app.example").wrap_socket(raw.sock, server_side=True)
            sock.sendall(sock.recv(100)[::-1])
            sock.unwrap()
    lb = start(noxy, origins(1, raw=serve)[0], mode="tcp", health_check=False)
    with lb.connect() as c:
        c.send("hello")
        assert c.read_to_end() == b"olleh"


@pytest.mark.parametrize("proper", [True, False])
def test_a_response_that_ends_with_the_connection_is_whole_only_with_close_notify(noxy, origins, proper):
    def answer(c, r):
        c.send("HTTP/1.1 200 OK\r\n\r\nall of it")
        if proper:
            c.sock.unwrap()
        c.sock.close()
        raise Closed
    lb = start(noxy, origins(1, raw=secured(server_context("app.example"), answer))[0], health_check=False)
    with lb.connect() as c:
        c.send_request("GET")
        r = c.read_head()
        with contextlib.suppress(ConnectionResetError, Closed):
            c._read_chunks(r)
        assert r.complete == proper
    reasons = ("server_reset", "server_closed")
    wait_for(lambda: proper or sum(lb.total("backend", f"reasons.{one}") for one in reasons) == 1, "it is counted")


@pytest.mark.parametrize("ssl, message", [
    ({"verify": "none", "ca": "/x"}, 'with "verify: none" any certificate is taken'),
    ({"key": "/x"}, "a key without its certificate"),
    ({"verify": "optional"}, '"verify" can\'t be "optional"'),
])
def test_what_cannot_be(noxy, ssl, message):
    done = noxy.check("frontend: [ { name: a, bind: [ '127.0.0.1:18080' ], use_backend: pool } ]\nbackend:\n"
                      f"  - {{ name: pool, servers: [ {{ addr_port: '127.0.0.1:1', ssl: {ssl} }} ] }}\n")
    assert done.returncode == 1 and message in done.stderr
