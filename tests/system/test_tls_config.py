"""What `ssl` may say, and what is told about what is wrong with it."""
import json
import os
import re

import pytest

import clients
import configs
import tls
from ports import free_port


def check(noxy, bind_ssl, mode="http", port=18443, **front):
    """`noxy -t` on a frontend whose bind has such an `ssl`; its messages, and whether it is valid."""
    bind = {"addr_port": f"127.0.0.1:{port}", **({"ssl": bind_ssl} if bind_ssl else {})}
    done = noxy.check(configs.section("frontend", [{"name": "main", "mode": mode, "use_backend": "pool", "bind": [bind],
                                                    **front}])
                      + 'backend: [ { name: pool, servers: [ "127.0.0.1:1" ] } ]\n')
    return done.stderr, done.returncode == 0


def refused(noxy, ssl, **keys):
    messages, valid = check(noxy, ssl, **keys)
    assert not valid
    assert re.match(r"conf\.yaml:\d+:\d+: ", messages)
    return messages


def written(noxy, data, name="x.pem"):
    path = os.path.join(noxy.folder(), name)
    with open(path, "wb") as f:
        f.write(data)
    return path


def test_a_certificate_that_cannot_be_read(noxy):
    assert "cannot read /nowhere/x.pem: No such file or directory" in refused(noxy, {"cert": "/nowhere/x.pem"})


def test_a_file_without_a_certificate(noxy):
    path = written(noxy, b"hello\n")
    assert f"there is no certificate in {path}" in refused(noxy, {"cert": path})


def test_a_chain_that_is_damaged(noxy):
    cert, key = tls.certificate("a.example")
    with open(cert, "rb") as f:
        data = f.read()
    path = written(noxy, data + data.replace(b"M", b"N", 3))
    assert f"a certificate in {path} can't be read" in refused(noxy, {"cert": path, "key": key})


def test_a_certificate_without_its_key(noxy):
    cert, _ = tls.certificate("a.example")
    with open(cert, "rb") as f:
        path = written(noxy, f.read())
    messages = refused(noxy, {"cert": path})
    assert f"there is no private key in {path}" in messages and "name its file with `key`" in messages


def test_an_encrypted_key(noxy):
    cert, key = tls.certificate("a.example")
    path = written(noxy, tls.openssl("pkey", "-in", key, "-aes256", "-passout", "pass:secret"), "x.key")
    messages = refused(noxy, {"cert": cert, "key": path})
    assert f"the private key in {path} is encrypted" in messages and "openssl pkey -in" in messages
    assert '"key": ' in messages and "secret" not in messages


def test_a_key_of_another_certificate(noxy):
    (cert, _), (_, key) = tls.certificate("a.example"), tls.certificate("b.example")
    assert f"the private key in {key} does not belong to the certificate in {cert}" in refused(
        noxy, {"cert": cert, "key": key})


def test_a_key_beside_the_certificate_is_found(noxy):
    cert, _ = tls.certificate("a.example")
    assert check(noxy, {"cert": cert})[1]


def test_a_certificate_that_has_ended_is_a_warning(noxy):
    cert, key = tls.certificate("a.example", days=-1)
    messages, valid = check(noxy, {"cert": cert, "key": key})
    assert valid and re.search(r"the certificate in \S+ has ended on \d{4}-\d\d-\d\d", messages)


@pytest.mark.parametrize("ssl, message", [
    ({"versions": ["TLSv1.1"]}, '"versions" can\'t be "TLSv1.1"'),
    ({"ciphers": "AES-NONSENSE"}, '"AES-NONSENSE" is no cipher'),
    ({"ciphers": ["ECDHE-RSA-AES128-GCM-SHA256", "AES-NONSENSE"]}, '"AES-NONSENSE" is no cipher'),
    ({"ciphersuites": "TLS_NONSENSE"}, "TLS_NONSENSE"),
    ({"curves": "P-99"}, "P-99"),
    ({"alpn": ["spdy/3"]}, 'can\'t be "spdy/3" in mode http'),
    ({"verify": "required"}, "without the CA that signed them"),
    ({"crl": "/x"}, "none are asked for"),
    ({"ca": "/nowhere"}, "cannot read /nowhere"),
    ({"key": ["/a", "/b"]}, 'there are 2 of "key" for 1 of "cert"'),
    ({"certs": "/x"}, 'did you mean "cert"?'),
])
def test_what_cannot_be(noxy, ssl, message):
    assert message in refused(noxy, {**tls.server("a.example"), **ssl})


def test_an_empty_folder(noxy):
    folder = noxy.folder()
    assert f"there is no certificate in the folder {folder}" in refused(noxy, {"cert": folder + "/"})


def test_a_weak_key_is_refused_with_the_reason(noxy):
    folder = noxy.folder()
    paths = [os.path.join(folder, n) for n in ("c.pem", "k.pem")]
    tls.openssl("req", "-x509", "-newkey", "rsa:512", "-nodes", "-subj", "/CN=a", "-out", paths[0], "-keyout", paths[1])
    assert "ee key too small" in refused(noxy, {"cert": paths[0], "key": paths[1]})


def test_ssl_of_the_frontend_is_for_all_its_addresses_but_port_80(noxy):
    ssl = tls.server("a.example")
    messages, valid = check(noxy, None, port=80, ssl=ssl)
    assert valid and "127.0.0.1:80 stays plain HTTP" in messages
    assert "is for none of its addresses" in messages
    messages, valid = check(noxy, None, port=80, ssl=ssl, mode="tcp")
    assert valid and "plain HTTP" not in messages


def test_ssl_of_the_frontend_serves(noxy, origins):
    own, shared = tls.server("own.example"), tls.server("shared.example")
    ports = [free_port(), free_port()]
    binds = [{"addr_port": f"127.0.0.1:{ports[0]}"}, {"addr_port": f"127.0.0.1:{ports[1]}", "ssl": own}]
    noxy.start(backend=origins(1), bind=binds, ssl=shared)
    for port, name in zip(ports, ("shared.example", "own.example")):
        with tls.Connection(port) as c:
            assert tls.peer_names(c) == [name] and c.get().status == 200


def test_a_reload_with_a_bad_certificate_changes_nothing_and_a_good_one_is_served(noxy, origins):
    port, folder = free_port(), noxy.folder()
    paths = {"cert": os.path.join(folder, "c.pem"), "key": os.path.join(folder, "k.pem")}

    def install(pair):
        for path, source in zip(paths.values(), pair):
            with open(source, "rb") as f, open(path, "wb") as out:
                out.write(f.read())

    def served():
        with tls.Connection(port) as c:
            return tls.peer_names(c)
    first, second = tls.certificate("first.example"), tls.certificate("second.example")
    install(first)
    lb = noxy.start(backend=origins(1), bind=[{"addr_port": f"127.0.0.1:{port}", "ssl": paths}])
    assert served() == ["first.example"]
    install((second[0], first[1]))
    lb.expect_error("does not belong to the certificate|the reload failed")
    assert "does not belong" in lb.ctl("reload", code=1).stderr
    assert served() == ["first.example"]
    install(second)
    lb.reload()
    assert served() == ["second.example"]


def test_keys_are_read_as_root_and_served_by_others(noxy, origins):
    if os.geteuid() != 0:
        pytest.skip("only root can give up rights")
    cert, key = tls.certificate("root.example")
    os.chmod(key, 0o600)
    lb = noxy.start(backend=origins(1), bind=[{"addr_port": f"127.0.0.1:{free_port()}",
                                                "ssl": {"cert": cert, "key": key}}], user="nobody")
    assert tls.get(lb.port).status == 200
    assert clients.get(lb.port).status == 400
    with open(f"/proc/{lb.workers()[0]}/status", encoding="ascii") as f:
        assert "Uid:\t65534" in f.read()
    assert json.dumps(open(key, encoding="ascii").read())[30:60] not in lb.text_log()
