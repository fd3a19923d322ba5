"""trusted_proxies, forwarded and x_forwarded: whom noxy takes for the client, and what it tells the servers."""
import os
import re
import subprocess

import pytest

import configs
from clients import Connection, refuses
from ports import free_port
from waiting import wait_for

TRUST = {"trusted_proxies": ["127.0.0.0/8", "10.0.0.0/8"]}
NOBODY = {"trusted_proxies": ["192.0.2.0/24"]}


def seen(noxy, origins, fields, **keys):
    """What the server gets of a request with these fields."""
    servers = origins(1)
    lb = noxy.start(backend=servers, **keys)
    assert lb.get("/", fields).status == 200
    return servers[0].requests[0]


def client_in_log(lb, path="access.log"):
    wait_for(lambda: os.path.exists(lb.path(path)) and os.path.getsize(lb.path(path)), "a line in the access log")
    with open(lb.path(path), encoding="utf-8") as f:
        return f.read().split()[1]


@pytest.mark.parametrize("fields, client", [
    ({"X-Forwarded-For": "6.6.6.6, 192.0.2.9, 10.1.1.1"}, "192.0.2.9"),
    ({"Forwarded": 'for=6.6.6.6, for="[2001:db8::9]:4711";proto=https'}, "2001:db8::9"),
    ({"X-Real-IP": "192.0.2.9"}, "192.0.2.9"),
])
def test_the_client_that_a_trusted_proxy_names_is_the_one_in_the_access_log(noxy, origins, fields, client):
    lb = noxy.start(backend=origins(1), **TRUST, access_log={"path": "access.log"})
    lb.get("/", fields)
    assert client_in_log(lb) == client


@pytest.mark.parametrize("keys", [NOBODY, {}, {"trusted_proxies": []}])
def test_nobody_else_can_name_the_client(noxy, origins, keys):
    lb = noxy.start(backend=origins(1), **keys, access_log={"path": "access.log"})
    lb.get("/", {"X-Forwarded-For": "192.0.2.9", "X-Real-IP": "192.0.2.9", "Forwarded": "for=192.0.2.9"})
    assert re.fullmatch(r"127\.0\.0\.1:\d+", client_in_log(lb))


def test_a_client_that_names_itself_stays_the_peer_in_the_log(noxy, origins):
    lb = noxy.start(backend=origins(1), **TRUST, access_log={"path": "access.log"})
    lb.get("/", {"X-Forwarded-For": "192.0.2.9, nonsense"})
    assert re.fullmatch(r"127\.0\.0\.1:\d+", client_in_log(lb))


def test_what_cannot_be_read_is_told_at_debug_and_can_not_forge_a_line(noxy, origins):
    lb = noxy.start(backend=origins(1), **TRUST, log={"level": "debug"})
    lb.get("/", {"X-Forwarded-For": "junk\t\x80\"x"})
    line = lb.wait_log("DEBUG", "is not believed")[0].message
    assert line.startswith('Frontend "main": trusted proxy 127.0.0.1') and r'"junk\x09\x80\x22x"' in line


def test_requests_are_balanced_by_the_client_that_is_named(noxy, origins):
    lb = noxy.start(backend=origins(4), balance="source", **TRUST)
    clients = [f"192.0.2.{i}" for i in range(24)]
    first = [lb.get("/", {"X-Forwarded-For": ip}).server for ip in clients]
    assert len(set(first)) > 1
    assert [lb.get("/", {"X-Forwarded-For": f"6.6.6.{i}, {ip}"}).server for i, ip in enumerate(clients)] == first
    assert [lb.get("/", {"X-Real-IP": ip}).server for ip in clients] == first


def test_without_trust_the_source_is_the_peer(noxy, origins):
    lb = noxy.start(backend=origins(4), balance="source", **NOBODY)
    assert len({lb.get("/", {"X-Forwarded-For": f"192.0.2.{i}"}).server for i in range(24)}) == 1


def test_a_trusted_proxys_fields_are_continued(noxy, origins):
    r = seen(noxy, origins, {"X-Forwarded-For": "192.0.2.9", "X-Forwarded-Proto": "https", "X-Real-IP": "192.0.2.9",
                             "X-Forwarded-Host": "www.example.org:8443"}, **TRUST)
    assert r.field("X-Forwarded-For") == "192.0.2.9, 127.0.0.1"
    assert r.field("X-Forwarded-Proto") == "https"
    assert r.field("X-Forwarded-Host") == "www.example.org:8443"
    assert r.field("X-Real-IP") == "192.0.2.9"
    assert r.field("Forwarded") is None


@pytest.mark.parametrize("proto, host", [("gopher", "a/b"), ("https, http", "a, b"), ("", "user@a"), (" ", "a:b")])
def test_a_scheme_or_host_that_cannot_be_is_not_passed_on(noxy, origins, proto, host):
    r = seen(noxy, origins, {"X-Forwarded-Proto": proto, "X-Forwarded-Host": host}, **TRUST)
    assert (r.field("X-Forwarded-Proto"), r.field("X-Forwarded-Host")) == ("http", "test.example")


def test_what_an_untrusted_peer_invents_is_removed(noxy, origins):
    r = seen(noxy, origins, [("X-Forwarded-For", "192.0.2.9"), ("X-Forwarded-Proto", "https"), ("x-real-ip", "1.1.1.1"),
                             ("X-Forwarded-Host", "evil"), ("FORWARDED", "for=1.1.1.1"), ("X-Forwarded-For", "::1")],
             **NOBODY)
    assert r.field("X-Forwarded-For") == "127.0.0.1"
    assert (r.field("X-Forwarded-Proto"), r.field("X-Forwarded-Host")) == ("http", "test.example")
    assert (r.field("X-Real-IP"), r.field("Forwarded")) == (None, None)


def test_only_the_chosen_field_is_believed(noxy, origins):
    lb = noxy.start(backend=origins(1), **TRUST, trusted_field="x_real_ip", access_log={"path": "access.log"})
    lb.get("/", {"X-Forwarded-For": "6.6.6.6", "X-Real-IP": "192.0.2.9"})
    assert client_in_log(lb) == "192.0.2.9"


def test_what_names_another_client_was_passed_on_unread_and_is_removed(noxy, origins):
    r = seen(noxy, origins, {"X-Forwarded-For": "192.0.2.9", "Forwarded": "for=6.6.6.6", "X-Real-IP": "6.6.6.6"},
             **TRUST)
    assert (r.field("X-Forwarded-For"), r.field("Forwarded"), r.field("X-Real-IP")) == (
        "192.0.2.9, 127.0.0.1", None, None)
    r = seen(noxy, origins, {"X-Forwarded-For": "192.0.2.9", "Forwarded": "for=192.0.2.9"}, **TRUST)
    assert (r.field("X-Forwarded-For"), r.field("Forwarded")) == ("192.0.2.9, 127.0.0.1", "for=192.0.2.9")


@pytest.mark.parametrize("which, fields", [("x_real_ip", {"X-Forwarded-For": "6.6.6.6", "X-Real-IP": "192.0.2.9"}),
                                           ("any", {"Forwarded": "for=192.0.2.9"})])
def test_x_forwarded_for_names_the_client_that_another_field_named(noxy, origins, which, fields):
    r = seen(noxy, origins, fields, trusted_field=which, **TRUST)
    assert r.field("X-Forwarded-For") == "192.0.2.9, 127.0.0.1"


# ---- Forwarded ----

@pytest.mark.parametrize("keys, fields, forwarded", [
    ({}, {"Forwarded": "for=6.6.6.6"}, "for=127.0.0.1;host=test.example;proto=http"),
    (NOBODY, {"Host": "a:81", "Forwarded": "for=6.6.6.6"}, 'for=127.0.0.1;host="a:81";proto=http'),
    (TRUST, {"Forwarded": "for=192.0.2.9;proto=https"}, "for=192.0.2.9;proto=https, for=127.0.0.1"),
    (TRUST, {"X-Forwarded-For": "2001:db8::9", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "w.example"},
     'for="[2001:db8::9]";host=w.example;proto=https, for=127.0.0.1'),
    (TRUST, {"Forwarded": "for=6.6.6.6", "X-Forwarded-For": "192.0.2.9"},
     "for=192.0.2.9;host=test.example;proto=http, for=127.0.0.1"),
    (TRUST, {}, "for=127.0.0.1;host=test.example;proto=http"),
])
def test_forwarded_tells_of_the_client(noxy, origins, keys, fields, forwarded):
    assert seen(noxy, origins, fields, forwarded=True, **keys).field("Forwarded") == forwarded


def test_forwarded_stands_beside_x_forwarded_or_alone(noxy, origins):
    assert seen(noxy, origins, {}, forwarded=True).field("X-Forwarded-For") == "127.0.0.1"
    alone = seen(noxy, origins, {"X-Forwarded-For": "6.6.6.6", "X-Forwarded-Host": "evil", "X-Forwarded-Proto": "x"},
                 forwarded=True, x_forwarded=False)
    assert not [n for n, _ in alone.fields if n.lower().startswith("x-forwarded")]
    assert alone.field("Forwarded") == "for=127.0.0.1;host=test.example;proto=http"


def test_without_x_forwarded_those_of_trusted_proxies_pass_unchanged(noxy, origins):
    r = seen(noxy, origins, {"X-Forwarded-For": "192.0.2.9", "X-Forwarded-Proto": "https"}, x_forwarded=False, **TRUST)
    assert (r.field("X-Forwarded-For"), r.field("X-Forwarded-Proto")) == ("192.0.2.9", "https")
    r = seen(noxy, origins, {"Forwarded": "for=192.0.2.9;proto=http", "X-Forwarded-Proto": "https",
                             "X-Forwarded-For": "6.6.6.6"}, x_forwarded=False, trusted_field="forwarded", **TRUST)
    assert (r.field("X-Forwarded-For"), r.field("X-Forwarded-Proto")) == (None, None)


@pytest.mark.parametrize("fields", [
    [("X-Real-IP", "6.6.6.6"), ("X-Real-IP", "6.6.6.7")],
    [("X-Real-IP", "6.6.6.006")],
    [("X-Forwarded-For", "192.168.001.001")],
    [("X-Forwarded-For", "6.6.6.6, 192.168.001.001")],
    [("Forwarded", "for=192.168.001.001")],
    [("Forwarded", "for=6.6.6.6, for=\"junk")],
])
def test_what_names_nobody_is_not_passed_on(noxy, origins, fields):
    r = seen(noxy, origins, fields, **TRUST)
    assert r.field("X-Forwarded-For") == "127.0.0.1"
    assert (r.field("X-Real-IP"), r.field("Forwarded")) == (None, None)


@pytest.mark.parametrize("keys", [TRUST, NOBODY, {}])
@pytest.mark.parametrize("x_forwarded", [True, False])
def test_a_rule_has_the_last_word_about_the_client(noxy, origins, keys, x_forwarded):
    own = {"X-Forwarded-For": "'192.0.2.1'", "X-Forwarded-Proto": "'https'", "X-Forwarded-Host": "'pub.example'",
           "Forwarded": "'for=192.0.2.1'"}
    r = seen(noxy, origins, {"X-Forwarded-For": "127.0.0.9", "X-Forwarded-Proto": "http", "Forwarded": "for=127.0.0.9"},
             x_forwarded=x_forwarded, forwarded=True, http_condition=[{"set_header": own}], **keys)
    assert {name: r.field(name) for name in own} == {name: value.strip("'") for name, value in own.items()}


# ---- rules ----

RULES = [{"when": "src == '192.0.2.9' && peer == '127.0.0.1' && scheme == 'https'", "respond": {"body": "named"}},
         {"when": "header('x-forwarded-for') != ''", "respond": {"body": "kept"}},
         {"set_header": {"X-Real-IP": "'own'"}}]


@pytest.mark.parametrize("keys, body", [(TRUST, b"named"), (NOBODY, b"web1\n"), ({}, b"kept")])
def test_rules_see_the_client_that_is_named_and_nothing_invented(noxy, origins, keys, body):
    servers = origins(1)
    lb = noxy.start(backend=servers, http_condition=RULES, **keys)
    assert lb.get("/", {"X-Forwarded-For": "192.0.2.9", "X-Forwarded-Proto": "https"}).body == body
    assert lb.get("/", {"X-Real-IP": "192.0.2.10"}).body == b"web1\n"
    assert servers[0].requests[-1].field("X-Real-IP") == "own"


def test_a_client_that_a_proxy_names_has_no_port(noxy, origins):
    lb = noxy.start(backend=origins(1), http_condition=[{"respond": {"headers": {"X-Src": "sprintf('%s %d', src, src_port)"}}}],
                    **TRUST)
    with lb.connect() as c:
        assert c.get("/", {"X-Forwarded-For": "192.0.2.9"}).field("X-Src") == "192.0.2.9 0"
        assert c.get("/").field("X-Src") == f"127.0.0.1 {c.sock.getsockname()[1]}"


# ---- other peers ----

def test_a_proxy_on_a_unix_socket_can_be_trusted(noxy, origins):
    servers, folder = origins(1), noxy.folder()
    os.chmod(folder, 0o777)
    text = configs.compose(free_port(), backend=servers, trusted_proxies=["unix:"], forwarded=True)
    text = text.replace('"bind": [', f'"bind": [{{"addr_port": "unix:{folder}/front"}}, ')
    lb = noxy.start(text)
    with Connection(f"{folder}/front") as c:
        assert c.get("/", {"X-Forwarded-For": "192.0.2.9"}).status == 200
    assert lb.get("/", {"X-Forwarded-For": "192.0.2.9"}).status == 200
    over_unix, over_tcp = servers[0].requests
    assert over_unix.field("Forwarded") == "for=192.0.2.9;host=test.example;proto=http, for=unknown"
    assert over_tcp.field("X-Forwarded-For") == "127.0.0.1"


def test_a_real_nginx_in_front_names_the_client(noxy, origins, tmp_path):
    """nginx, trusted, adds the client's address behind what the client invented."""
    servers, port = origins(1), free_port()
    lb = noxy.start(backend=servers, trusted_proxies="127.0.0.1", access_log={"path": "access.log"})
    conf = tmp_path / "nginx.conf"
    tmp_path.chmod(0o755)
    conf.write_text(f"""
        daemon off; pid {tmp_path}/pid; error_log {tmp_path}/error.log; {'user root;' if os.getuid() == 0 else ''}
        events {{ }}
        http {{ access_log off; client_body_temp_path {tmp_path}/b; proxy_temp_path {tmp_path}/p;
          fastcgi_temp_path {tmp_path}/f; uwsgi_temp_path {tmp_path}/u; scgi_temp_path {tmp_path}/s;
          server {{ listen 127.0.0.1:{port}; location / {{
            proxy_pass http://127.0.0.1:{lb.port}; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto https; proxy_set_header X-Forwarded-Host $host; }} }} }}""")
    with subprocess.Popen(["nginx", "-c", str(conf), "-e", str(tmp_path / "error.log")]) as nginx:
        try:
            wait_for(lambda: not refuses(port), "nginx answers")
            with Connection(port, source="127.0.0.77") as c:
                assert c.get("/", {"Host": "pub.example", "X-Forwarded-For": "192.0.2.9"}).status == 200
        finally:
            nginx.terminate()
    assert client_in_log(lb) == "127.0.0.77"
    r = servers[0].requests[-1]
    assert r.field("X-Forwarded-For") == "192.0.2.9, 127.0.0.77, 127.0.0.1"
    assert (r.field("X-Forwarded-Proto"), r.field("X-Forwarded-Host")) == ("https", "pub.example")


# ---- configuration ----

@pytest.mark.parametrize("value, message", [
    ("[ 10.0.0.0/8, nonsense ]", "nonsense"),
    ("[ 10.0.0.1/8 ]", "10.0.0.1/8"),
    ("[ 300.0.0.0/8 ]", "300.0.0.0/8"),
    ("[ [ 10.0.0.0/8 ] ]", "a network belongs here"),
    ("{ net: 10.0.0.0/8 }", "must be a list of networks"),
])
def test_what_is_no_network_is_an_error_with_its_place(noxy, value, message):
    done = noxy.check(f"frontend:\n  - name: f\n    bind: '127.0.0.1:{free_port()}'\n    use_backend: b\n"
                      f"    trusted_proxies: {value}\nbackend:\n  - {{ name: b, servers: [ '127.0.0.1:1' ] }}\n")
    assert done.returncode == 1
    assert re.search(r"conf\.yaml:5:\d+: ", done.stderr) and message in done.stderr, done.stderr
