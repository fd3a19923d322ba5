"""Rules in their order: one list, frontend and backend, one connection, a reload; the scenarios' rules."""
import json

import pytest

from ports import free_port
from rules import compose
from waiting import wait_for


def entries(lb, count):
    """The entries of access.log, in the order of the requests: of one worker."""
    def read():
        try:
            with open(lb.path("access.log"), encoding="utf-8") as f:
                lines = f.read().splitlines()
        except FileNotFoundError:
            return None
        return [json.loads(line) for line in lines] if len(lines) >= count else None
    return wait_for(read, f"{count} lines of the access log")


ACCESS = {"path": "access.log", "format": "json"}


def test_the_first_that_ends_the_list_decides(noxy, origins):
    site, api = origins(2)
    lb = noxy.start(compose({"site": [site], "api": [api]}, {"http_condition": [
        {"set_header": {"X-1": "'a'"}},
        {"when": "path == '/allow'", "allow": True},
        {"when": "path != '/deny'", "use_backend": "api", "set_header": {"X-2": "'b'"}},
        {"set_header": {"X-3": "'c'"}},
        {"deny": 403}]}))
    r = lb.get("/")
    assert (r.server, [api.requests[0].field(n) for n in ("X-1", "X-2", "X-3")]) == ("web2", ["a", "b", None])
    r = lb.get("/allow")
    assert (r.server, [site.requests[0].field(n) for n in ("X-1", "X-2", "X-3")]) == ("web1", ["a", None, None])
    assert lb.get("/deny").status == 403


def test_actions_of_one_rule_run_in_the_order_written(noxy, origins):
    lb = noxy.start(backend=origins(1), http_condition=[
        {"redirect": "var('to')", "set_var": {"to": "'/early'"}, "set_header": {"X-To": "'/late'"},
         "log": "header('x-to')"}])
    assert lb.get().field("Location") == "/early"
    lb.wait_log("INFO", "/late")
    lb = noxy.start(backend=origins, http_condition=[{"log": "sprintf('<%s>', header('x-to'))", "set_header": {"X-To": "'/late'"}}])
    lb.get()
    lb.wait_log("INFO", "<>")


def test_captures_are_of_their_rule(noxy, origins):
    lb = noxy.start(backend=origins(1), http_condition=[
        {"when": "path =~ '^/user/([0-9]+)$'", "set_header": {"X-User": "$1"}},
        {"set_header": {"X-Left": "sprintf('<%s>', $1)"}}])
    lb.get("/user/77")
    assert (origins[0].requests[0].field("X-User"), origins[0].requests[0].field("X-Left")) == ("77", "<>")


def test_the_backend_s_rules_follow_the_frontend_s(noxy, origins):
    site, api = origins(2)
    lb = noxy.start(compose({"site": [site], "api": [api]}, {"access_log": ACCESS, "http_condition": [
        {"name": "to-api", "when": "path =~ '^/api/'", "set_header": {"X-Way": "'front'"}, "use_backend": "api"}]},
        {"api": {"http_condition": [
            {"add_header": {"X-Way": "backend"}},
            {"name": "private", "when": "path == '/api/private'", "deny": 401},
            {"when": "path == '/api/moved'", "redirect": "'/new'", "code": 301},
            {"when": "path == '/api/hello'", "respond": {"body": "hi"}},
            {"name": "ok", "when": "path == '/api/ok'", "allow": True},
            {"set_path": "'/rewritten'"}]}}, {"threads": 1}))
    assert lb.get("/").server == "web1"
    assert (lb.get("/api/private").status, lb.get("/api/moved").status, lb.get("/api/hello").body) == (401, 301, b"hi")
    assert (lb.get("/api/ok").server, lb.get("/api/x").server) == ("web2", "web2")
    assert [(r.target, r.field("X-Way")) for r in api.requests] == [("/api/ok", "front, api"), ("/rewritten", "front, api")]
    rows = entries(lb, 6)
    assert [row["rule"] for row in rows[:2]] == [None, "private"]
    assert [row["rule"] for row in rows[4:]] == ["to-api", "to-api"]
    assert [(row["backend"], row["server"], row["reason"]) for row in rows[1:3]] == [
        ("api", None, "denied"), ("api", None, "redirected")]
    lb.wait_idle()


def test_the_access_log_names_the_rule_by_name_or_place(noxy, origins):
    text = compose({"pool": origins(1)}, {"access_log": ACCESS, "http_condition": [
        {"name": "gate", "when": "path == '/named'", "deny": 403}]}, general={"threads": 1})
    lb = noxy.prepare(text)
    text = text.replace('"http_condition"', '\n    "http_condition"').replace('{"name": "gate"', '\n      {"name": "gate"')
    text = text.replace('"deny": 403}', '"deny": 403},\n      {"when": "path == \'/placed\'", "set_method": "\'PUT\'", "use_backend": "pool"}')
    lb.write(text)
    lb.launch()
    lb.wait_ready()
    with open(lb.config, encoding="utf-8") as f:
        line = next(n for n, text in enumerate(f, 1) if "/placed" in text)
    for target in ("/named", "/placed", "/none"):
        lb.get(target)
    rows = entries(lb, 3)
    assert [row["rule"] for row in rows] == ["gate", f"{lb.config}:{line}", None]
    assert [(row["method"], row["target"]) for row in rows] == [("GET", t) for t in ("/named", "/placed", "/none")]


def test_nothing_of_one_request_is_left_for_the_next(noxy, origins):
    lb = noxy.start(backend=origins(1), http_condition=[
        {"when": "path == '/1'", "set_header": {"X-A": "'1'"}, "set_var": {"v": "'1'"}, "set_query": "'q'", "set_method": "'PUT'"},
        {"set_header": {"X-V": "var('v')"}}])
    with lb.connect() as c:
        for target in ("/1", "/2", "/1", "/3"):
            assert c.get(target).status == 200
    assert [(r.method, r.target, r.field("X-A"), r.field("X-V")) for r in origins[0].requests] == [
        ("PUT", "/1?q", "1", "1"), ("GET", "/2", None, ""), ("PUT", "/1?q", "1", "1"), ("GET", "/3", None, "")]


def test_pipelined_requests_each_have_their_rules(noxy, origins):
    site, api = origins(2)
    lb = noxy.start(compose({"site": [site], "api": [api]}, {"http_condition": [
        {"when": "path == '/api'", "use_backend": "api", "set_path": "'/'"},
        {"when": "path == '/r'", "redirect": "'/api'"},
        {"when": "path == '/bad'", "set_path": "'no ' + path"}]}))
    with lb.connect() as c:
        c.send("".join(f"GET {t} HTTP/1.1\r\nHost: a\r\n\r\n" for t in ("/api", "/", "/r", "/bad", "/api", "/")))
        got = [c.response() for _ in range(6)]
    assert [(r.status, r.server) for r in got] == [(200, "web2"), (200, "web1"), (302, None), (500, None),
                                                   (200, "web2"), (200, "web1")]


def test_a_reload_changes_the_rules_without_a_failed_request(noxy, origins):
    site, api = origins(2)
    text = compose({"site": [site], "api": [api]}, {"http_condition": [{"when": "path == '/x'", "use_backend": "api"}]})
    lb = noxy.start(text)
    assert lb.get("/x").server == "web2"
    lb.reload(text.replace("path == '/x'", "path == '/y'"))
    assert (lb.get("/x").server, lb.get("/y").server) == ("web1", "web2")


def test_a_rule_of_an_old_generation_serves_its_requests_to_the_end(noxy, origins):
    pool = origins(1, answer=lambda o, c, r: (o.go.wait(30), c.reply(200)))
    text = compose({"pool": pool}, {"http_response": [{"set_header": {"X-Rules": "'old'"}}]})
    lb = noxy.start(text)
    with lb.connect() as c:
        c.send_request("GET")
        wait_for(lambda: pool[0].requests, "the request is at the server")
        lb.reload(text.replace("'old'", "'new'"))
        pool[0].go.set()
        assert c.response().field("X-Rules") == "old"
    assert lb.get().field("X-Rules") == "new"


SCENARIO = [{"when": "scheme == 'http' && host != 'api.noxy.rev' && path == '/secure'",
             "redirect": "sprintf('https://%s%s', host, uri)"},
            {"when": "host == 'api.noxy.rev'", "use_backend": "api_backend"}]


def test_two_web_applications_by_host_name(noxy, origins):
    lb = noxy.start(compose({"web_backend": origins(2), "api_backend": origins(2)}, {"http_condition": SCENARIO}))
    assert [lb.get("/", {"Host": "web.noxy.rev"}).server for _ in range(4)] == ["web1", "web2", "web1", "web2"]
    assert [lb.get("/server", {"Host": "api.noxy.rev"}).server for _ in range(4)] == ["web3", "web4", "web3", "web4"]
    r = lb.get("/secure", {"Host": "web.noxy.rev"})
    assert (r.status, r.field("Location")) == (302, "https://web.noxy.rev/secure")


@pytest.mark.parametrize("host", ["web.noxy.rev", "api.noxy.rev", "unknown.example:8080"])
def test_all_of_http_goes_to_https(noxy, origins, host):
    lb = noxy.start(compose({"web": origins(1)}, {"http_condition": [
        {"when": "scheme == 'http'", "redirect": "sprintf('https://%s%s', host, uri)"},
        {"when": "host == 'api.noxy.rev'", "use_backend": "web"}]}))
    r = lb.get("/x?y=1", {"Host": host})
    assert (r.status, r.field("Location")) == (302, f"https://{host.split(':')[0]}/x?y=1")


SIMPLE = """\
global:
  maxconn: 20
  threads: max
  health_check: 5000

defaults:
  timeout_connect: 10000
  timeout_client: 30000
  timeout_server: 30000
  maxconn: 20
  mode: http

frontend:
  - name: http_front
    bind:
      - addr_port: 127.0.0.1:{port}
    use_backend: http_backend
    http_condition:
      - when: "scheme == '{scheme}'"
        redirect: "sprintf('https://127.0.0.1%s', uri)"

backend:
  - name: http_backend
    balance: roundrobin
    servers:
      - addr_port: {web[0].addr_port}
      - addr_port: {web[1].addr_port}
"""


def test_one_web_application_whose_http_goes_to_https(noxy, origins):
    lb = noxy.start(SIMPLE.format(port=free_port(), scheme="http", web=origins(2)))
    for host in ("127.0.0.1", "www.example.org:8080"):
        r = lb.get("/x?y=1", {"Host": host})
        assert (r.status, r.field("Location"), r.body) == (302, "https://127.0.0.1/x?y=1", b"")
    assert not origins[0].requests and not origins[1].requests
    lb.reload(SIMPLE.format(port=lb.port, scheme="https", web=origins))  # as if they had come by https
    assert [lb.get("/x?y=1").server for _ in range(4)] == ["web1", "web2", "web1", "web2"]
