"""TLS with clients: certificates, versions, ends, and what isn't TLS."""
import hashlib
import os
import socket
import ssl
import subprocess

import pytest

import clients
import configs
import tls
from origins import echo
from ports import free_port
from waiting import wait_for


def start(noxy, port=None, ssl=None, **keys):
    """A noxy with TLS on its only address."""
    port = port or free_port()
    return noxy.start(bind=[{"addr_port": f"127.0.0.1:{port}", "ssl": ssl or tls.server()}], **keys)


def test_requests_come_to_the_server_as_plain_http_with_the_scheme_told(noxy, origins):
    lb = start(noxy, backend=origins(2))
    with tls.Connection(lb.port) as c:
        assert [c.get("/x").server for _ in range(4)] == ["web1", "web2"] * 2
        assert c.tls.version() == "TLSv1.3"
    assert origins[0].requests[-1].field("X-Forwarded-Proto") == "https"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_large_bodies_go_both_ways(noxy, origins, version):
    def answer(origin, c, r):
        c.reply(body=hashlib.sha256(r.body).hexdigest().encode() + r.body[::-1])
    lb = start(noxy, backend=origins(1, answer=answer))
    body = os.urandom(3_000_000)
    with tls.Connection(lb.port, tls.client_context(lowest=version, highest=version)) as c:
        r = c.request("POST", body=body)
        assert r.body[:64].decode() == hashlib.sha256(body).hexdigest() and r.body[64:] == body[::-1]


def test_mode_tcp_ends_tls_and_passes_bytes_both_ways_at_once(noxy, origins):
    lb = start(noxy, backend=origins(1, raw=echo), mode="tcp")
    data = os.urandom(2_000_000)
    with tls.Connection(lb.port) as c:
        c.send(data)
        assert c.read(len(data)) == data


def test_each_direction_ends_by_itself(noxy, origins):
    def after_the_end(origin, c):
        c.send(b"got " + c.stream.read())
    lb = start(noxy, backend=origins(1, raw=after_the_end), mode="tcp", health_check=False)
    with tls.Connection(lb.port) as c:
        c.send("all of it")
        c.end_sending()
        assert c.read_to_end() == b"got all of it"
    lb.wait_idle()


def test_the_servers_end_comes_as_close_notify_and_the_client_may_go_on(noxy, origins):
    heard = []

    def end_first(origin, c):
        c.send("bye")
        c.end_sending()
        heard.append(c.stream.read())
    lb = start(noxy, backend=origins(1, raw=end_first), mode="tcp", health_check=False)
    with tls.Connection(lb.port) as c:
        assert c.read_to_end() == b"bye"  # an end without close_notify would raise
        c.send("still here")
        c.end_sending()
        wait_for(lambda: heard == [b"still here"], lambda: f"the server hears the rest, not {heard}")


def test_the_end_of_a_response_that_ends_with_the_connection_is_close_notify(noxy, origins):
    def answer(origin, c, r):
        c.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + "x" * 100000)
        c.close()
    lb = start(noxy, backend=origins(1, answer=answer), health_check=False)
    with tls.Connection(lb.port) as c:
        r = c.request("GET", version="HTTP/1.0")
        assert len(r.body) == 100000


def test_a_response_that_broke_off_ends_without_close_notify(noxy, origins):
    def answer(origin, c, r):
        c.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
        c.close()
    lb = start(noxy, backend=origins(1, answer=answer), health_check=False)
    with tls.Connection(lb.port) as c:
        c.send_request("GET", version="HTTP/1.0")
        with pytest.raises((ssl.SSLEOFError, ConnectionResetError)):
            c.stream.read()


def test_a_client_that_ends_without_close_notify_still_gets_its_answer(noxy, origins):
    lb = start(noxy, backend=origins(1, answer=lambda o, c, r: (o.go.wait(20), c.reply(body="late"))))
    with tls.Connection(lb.port) as c:
        c.send_request("GET")
        c.sock.raw.shutdown(socket.SHUT_WR)
        wait_for(lambda: lb.total("server", "requests_current") == 1, "the request is under way")
        origins[0].go.set()
        assert c.response().body == b"late"
    lb.wait_idle()


# ---- choosing a certificate ----

def names_for(lb, name, **keys):
    with tls.Connection(lb.port, tls.client_context(**keys), name=name) as c:
        return tls.peer_names(c)


def test_the_name_that_the_client_asks_for_chooses_the_certificate(noxy, origins):
    pairs = [tls.certificate(*names) for names in
             (("first.example",), ("a.example", "*.wild.example"), ("exact.wild.example",))]
    lb = start(noxy, backend=origins(1), ssl={"cert": [c for c, _ in pairs], "key": [k for _, k in pairs]})
    wild = ["a.example", "*.wild.example"]
    assert names_for(lb, "a.example") == wild
    assert names_for(lb, "A.Example") == wild
    assert names_for(lb, "x.wild.example") == wild
    assert names_for(lb, "exact.wild.example") == ["exact.wild.example"]
    assert names_for(lb, "x.y.wild.example") == ["first.example"]
    assert names_for(lb, "other.example") == ["first.example"]
    assert names_for(lb, None) == ["first.example"]


def test_strict_sni_refuses_other_names(noxy, origins):
    lb = start(noxy, backend=origins(1), ssl=tls.server("a.example", strict_sni=True))
    assert names_for(lb, "a.example") == ["a.example"]
    assert "unrecognized name" in tls.refusal(lb.port, name="b.example").lower()
    assert "unrecognized name" in tls.refusal(lb.port, name=None).lower()
    lb.wait_total("frontend", "reasons.client_tls", 2)


def test_a_name_may_have_an_rsa_and_an_ecdsa_certificate(noxy, origins):
    pairs = [tls.certificate("a.example", kind=kind) for kind in ("rsa", "ec")]
    lb = start(noxy, backend=origins(1), ssl={"cert": [c for c, _ in pairs], "key": [k for _, k in pairs]})
    for kind in ("RSA", "ECDSA"):
        context = tls.client_context(highest=ssl.TLSVersion.TLSv1_2, ciphers=f"ECDHE-{kind}-AES128-GCM-SHA256")
        with tls.Connection(lb.port, context, name="a.example") as c:
            assert kind in c.tls.cipher()[0]


def test_a_folder_of_certificates(noxy, origins):
    folder = noxy.folder()
    for name in ("a.example", "b.example"):
        cert, key = tls.certificate(name)
        with open(os.path.join(folder, name + ".pem"), "wb") as f:
            f.write(open(cert, "rb").read() + open(key, "rb").read())
    lb = start(noxy, backend=origins(1), ssl={"cert": folder + "/"})
    assert names_for(lb, "b.example") == ["b.example"]
    assert names_for(lb, "c.example") == ["a.example"]


# ---- what is spoken ----

def test_tls_1_1_is_not_spoken(noxy, origins):
    lb = start(noxy, backend=origins(1))
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{lb.port}", "-tls1_1", "-cipher",
                           "ALL:@SECLEVEL=0"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert "alert protocol version" in done.stderr
    lb.wait_log("INFO", r"TLS with client 127\.0\.0\.1:\d+ failed: unsupported protocol")


def test_only_the_versions_and_ciphers_that_are_written(noxy, origins):
    lb = start(noxy, backend=origins(1), ssl=tls.server(versions=["TLSv1.2"], curves=["P-256"],
                                                        ciphers=["ECDHE-ECDSA-AES256-GCM-SHA384"]))
    with tls.Connection(lb.port) as c:
        assert c.tls.version() == "TLSv1.2" and c.tls.cipher()[0] == "ECDHE-ECDSA-AES256-GCM-SHA384"
    only_13 = tls.client_context(lowest=ssl.TLSVersion.TLSv1_3)
    assert "protocol version" in tls.refusal(lb.port, only_13).lower()
    lb.wait_log("INFO", "failed: unsupported protocol")


def test_alpn_and_no_protocol_in_common(noxy, origins):
    lb = start(noxy, backend=origins(1), ssl=tls.server(alpn=["http/1.1"]))
    with tls.Connection(lb.port, tls.client_context(alpn=["x", "http/1.1"])) as c:
        assert c.tls.selected_alpn_protocol() == "http/1.1" and c.get().status == 200
    assert "no application protocol" in tls.refusal(lb.port, tls.client_context(alpn=["x"])).lower()


def test_renegotiation_is_refused(noxy, origins):
    lb = start(noxy, backend=origins(1))
    client = subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{lb.port}", "-tls1_2"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    client.stdin.write("R\n")
    client.stdin.flush()
    out = client.communicate(timeout=20)[0]
    assert "no renegotiation" in out


# ---- what isn't TLS ----

def test_plain_http_on_a_tls_port_is_told_so(noxy, origins):
    lb = start(noxy, backend=origins(1))
    r = clients.get(lb.port)
    assert r.status == 400 and b"plain HTTP request was sent to an HTTPS port" in r.body
    assert r.field("Content-Type") == "text/plain" and r.closes
    lb.wait_idle()
    lb.wait_total("frontend", "reasons.client_not_tls", 1)


def test_plain_http_and_its_end_get_nothing_but_the_answer(noxy, origins):
    lb = start(noxy, backend=origins(1))
    with lb.connect() as c:
        c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        c.end_sending()
        assert c.read_to_end().startswith(b"HTTP/1.1 400 ")


def test_other_bytes_on_a_tls_port_end_the_connection(noxy, origins):
    lb = start(noxy, backend=origins(1))
    with lb.connect() as c:
        c.send(b"\x00\x01\x02\x03")
        assert c.read_to_end() == b""
    lb.wait_log("INFO", "failed: the first byte is none of TLS")


def test_tls_on_a_plain_port_is_a_bad_request(noxy, origins):
    lb = noxy.start(backend=origins(1))
    with pytest.raises(ssl.SSLError):
        tls.get(lb.port)
    lb.wait_total("frontend", "reasons.client_bad_request", 1)


def test_a_client_that_never_ends_its_handshake_is_ended_and_counted(noxy, origins):
    lb = start(noxy, backend=origins(1), timeout_http_request=300)
    with lb.connect() as c:
        c.send(b"\x16\x03\x01\x02\x00\x01")
        assert c.read_to_end() == b""
    lb.wait_log("INFO", "handshake was not complete in time")
    lb.wait_idle()
    lb.wait_total("frontend", "reasons.client_tls_timeout", 1)


def test_a_handshake_may_come_byte_by_byte(noxy, origins):
    lb = start(noxy, backend=origins(1))
    raw = clients.connected(("127.0.0.1", lb.port), 20)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    send = raw.sendall

    class Slow:
        def __getattr__(self, name):
            return getattr(raw, name)

        def sendall(self, data):
            for at in range(len(data)):
                send(data[at:at + 1])
    c = clients.Connection.__new__(clients.Connection)
    c.sock = tls.Socket(Slow(), tls.client_context())
    c.stream = c.sock.makefile("rb")
    assert c.get().status == 200
    c.close()


def test_a_record_that_was_tampered_with_ends_the_connection(noxy, origins):
    lb = start(noxy, backend=origins(1))
    with tls.Connection(lb.port) as c:
        assert c.get().status == 200
        c.sock.raw.sendall(b"\x17\x03\x03\x00\x20" + b"x" * 32)
        with pytest.raises(ssl.SSLError, match="(?i)bad.record.mac"):
            c.stream.read()
    lb.wait_idle()


# ---- clients' certificates ----

ADMIN = "/O=Example/CN=alice"


@pytest.mark.parametrize("mode", ["http", "tcp"])
@pytest.mark.parametrize("verify", ["required", "optional"])
def test_clients_certificates(noxy, origins, mode, verify):
    raw = {"raw": lambda o, c: c.send("the tcp 200!")} if mode == "tcp" else {}
    lb = start(noxy, backend=origins(1, **raw), mode=mode, health_check=False,
               ssl=tls.server(ca=tls.authority("clients")[0], verify=verify))
    good = tls.client_context(cert=tls.certificate("alice", ca="clients", subject=ADMIN))
    other = tls.client_context(cert=tls.certificate("mallory", ca="others", subject="/CN=mallory"))
    with tls.Connection(lb.port, good) as c:
        c.send_request("GET")
        assert b" 200" in c.read(12)
    assert "unknown ca" in tls.refusal(lb.port, other).lower()
    if verify == "required":
        assert "certificate required" in tls.refusal(lb.port).lower()
    else:
        with tls.Connection(lb.port) as c:
            c.send_request("GET")
            assert b" 200" in c.read(12)
    lb.wait_total("frontend", "reasons.client_certificate", 2 if verify == "required" else 1)
    if mode == "tcp":  # nothing of those who were refused reached the server
        assert lb.total("server", "sessions") == (1 if verify == "required" else 2)
    lb.wait_log("INFO", "TLS with client .* failed: unable to get local issuer certificate")


def test_a_revoked_certificate_is_refused(noxy, origins):
    folder, (ca, ca_key) = noxy.folder(), tls.authority("revoking")
    revoked, key = tls.certificate("bob", ca="revoking", subject="/CN=bob")
    fine = tls.certificate("carol", ca="revoking", subject="/CN=carol")
    conf = os.path.join(folder, "ca.cnf")
    with open(conf, "w", encoding="ascii") as f:
        f.write(f"[ca]\ndefault_ca=c\n[c]\ndatabase={folder}/index\ndefault_md=sha256\ndefault_crl_days=30\n")
    open(os.path.join(folder, "index"), "w", encoding="ascii").close()
    common = ["ca", "-config", conf, "-cert", ca, "-keyfile", ca_key]
    tls.openssl(*common, "-revoke", revoked)
    tls.openssl(*common, "-gencrl", "-out", os.path.join(folder, "crl.pem"))
    lb = start(noxy, backend=origins(1), ssl=tls.server(ca=ca, crl=os.path.join(folder, "crl.pem")))
    assert tls.get(lb.port, context=tls.client_context(cert=fine)).status == 200
    assert "revoked" in tls.refusal(lb.port, tls.client_context(cert=(revoked, key))).lower()


# ---- resumption ----

def resumed(lb, context, session):
    with tls.Connection(lb.port, context, session=session) as c:
        assert c.get().status == 200
        return c.tls.session_reused


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_sessions_are_resumed_by_all_workers_and_across_a_reload(noxy, origins, version):
    lb = start(noxy, backend=origins(1), threads=4)
    context = tls.client_context(lowest=version, highest=version)
    with tls.Connection(lb.port, context) as c:
        assert c.get().status == 200 and not c.tls.session_reused
        session = c.tls.session
    assert all(resumed(lb, context, session) for _ in range(12))
    lb.reload()
    assert all(resumed(lb, context, session) for _ in range(12))


def test_without_tickets_nothing_is_resumed(noxy, origins):
    lb = start(noxy, backend=origins(1), ssl=tls.server(tickets=False))
    context = tls.client_context()
    with tls.Connection(lb.port, context) as c:
        assert c.get().status == 200
        session = c.tls.session
    assert not session or not resumed(lb, context, session)


def test_a_session_is_not_resumed_where_other_clients_are_let_in(noxy, origins):
    ca, ports = tls.authority("clients")[0], [free_port(), free_port()]
    frontends = [{"name": verify, "bind": [{"addr_port": f"127.0.0.1:{port}", "ssl": tls.server(ca=ca, verify=verify)}],
                  "use_backend": "pool"} for verify, port in zip(("optional", "required"), ports)]
    lb = noxy.start(configs.section("global", {"threads": 2}) + configs.section("frontend", frontends) +
                    configs.section("backend", [{"name": "pool", "servers": [o.server() for o in origins(1)]}]))
    context = tls.client_context()
    with tls.Connection(ports[0], context) as c:
        assert c.get().status == 200
        session = c.tls.session
    assert "certificate required" in tls.refusal(ports[1], context, session=session).lower()
    lb.wait_total("frontend", "reasons.client_certificate", 1)


# ---- what rules and logs know of it ----

def test_rules_know_the_client_and_its_tls(noxy, origins):
    fields = ["sni", "alpn", "tls_version", "tls_cipher", "client_cert_subject", "client_cert_issuer",
              "client_cert_serial", "client_cert_fingerprint", "client_cert_verify", "scheme"]
    cert, key = tls.certificate("alice", ca="clients", subject=ADMIN)
    lb = start(noxy, backend=origins(1), ssl=tls.server(ca=tls.authority("clients")[0], verify="optional",
                                                        alpn=["http/1.1"]),
               http_condition=[{"set_header": {"X-" + name.replace("_", "-"): name for name in fields}}])

    def told(**keys):
        assert tls.get(lb.port, context=tls.client_context(alpn=["http/1.1"], **keys), name="test.example").status == 200
        return {name: origins[0].requests[-1].field("X-" + name.replace("_", "-")) for name in fields}
    both = {"sni": "test.example", "alpn": "http/1.1", "tls_version": "TLSv1.3", "tls_cipher": "TLS_AES_128_GCM_SHA256",
            "scheme": "https"}
    out = tls.openssl("x509", "-in", cert, "-noout", "-serial", "-fingerprint", "-sha256").decode().split()
    assert told(cert=(cert, key)) == {
        **both, "client_cert_subject": "CN=alice,O=Example", "client_cert_issuer": "CN=CA clients",
        "client_cert_serial": out[0].split("=")[1], "client_cert_verify": "ok",
        "client_cert_fingerprint": out[-1].split("=")[1].replace(":", "").lower()}
    none = dict.fromkeys(fields, "")
    assert told() == {**none, **both}


def test_tcp_rules_know_it_too(noxy, origins):
    lb = start(noxy, backend=origins(1, raw=lambda o, c: c.send("hello")), mode="tcp", health_check=False,
               tcp_condition=[{"when": "sni == 'no.example'", "reject": True}])
    with tls.Connection(lb.port, name="yes.example") as c:
        assert c.read(5) == b"hello"
    with tls.Connection(lb.port, name="no.example") as c:
        assert c.read_to_end() == b""


def test_the_access_log_tells_version_and_cipher(noxy, origins):
    lb = start(noxy, backend=origins(1), access_log=True)
    assert tls.get(lb.port).status == 200
    wait_for(lambda: " tls=TLSv1.3/TLS_AES_128_GCM_SHA256 " in lb.text_log(), lb.text_log)


def test_a_proxy_header_comes_before_tls(noxy, origins):
    port = free_port()
    lb = noxy.start(backend=origins(1), bind=[{"addr_port": f"127.0.0.1:{port}", "proxy_protocol": True,
                                               "ssl": tls.server()}])
    raw = clients.connected(("127.0.0.1", port), 20)
    raw.sendall(b"PROXY TCP4 192.0.2.9 192.0.2.1 4711 443\r\n")
    c = clients.Connection.__new__(clients.Connection)
    c.sock = tls.Socket(raw, tls.client_context())
    c.stream = c.sock.makefile("rb")
    assert c.get().status == 200
    assert origins[0].requests[-1].field("X-Forwarded-For") == "192.0.2.9"
    c.close()
    lb.wait_idle()
