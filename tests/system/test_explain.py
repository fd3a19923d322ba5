"""`noxy explain` and `noxyctl explain`: where a request would go and why, and that asking changes nothing."""
import json
import os
import re
import shlex

import pytest

from harness import TOP
from rules import compose
from waiting import wait_for

CONFIG = """frontend:
  - name: web
    bind: 127.0.0.1:8080
    trusted_proxies: 10.9.0.0/16
    max_body: 1000
    http_condition:
      - { name: to-https, when: "host == 'old.example'", redirect: "sprintf('https://%s%s', host, uri)", code: 301 }
      - name: api
        when: "host == 'api.example' && path =~ '^/v([0-9]+)/'"
        set_header: { X-Version: "$1" }
        set_var: { way: path }
        log: "'passes'"
        use_backend: api
      - { when: "header('user-agent') =~ '(?i)bad'", deny: 403 }
      - { when: "path == '/hello'", respond: { status: 200, body: hello } }
      - { name: chosen, when: "path == '/to'", use_backend: "header('x-to')" }
      - { name: broken, when: "path == '/broken'", redirect: "header('x-to')" }
      - { when: "in_net(src, '192.0.2.0/24')", allow: true }
      - { when: "path == '/first'", use_backend: site, use_server: web1 }
    http_response: [ { del_header: Server } ]
    use_backend: site
  - { name: second, bind: "*:8080", use_backend: site }
  - { name: plain, bind: 127.0.0.1:8082, use_backend: api }
  - { name: empty, bind: 127.0.0.1:8081, http_condition: [ { when: "path == '/x'", deny: 403 } ] }
  - name: db
    mode: tcp
    bind: 127.0.0.1:5432
    tcp_condition:
      - { name: inside, when: "in_net(src, '10.0.0.0/8')", use_backend: api }
      - { name: closed, when: "src == '192.0.2.1'", reject: true }
    use_backend: site
backend:
  - name: site
    servers: [ { addr_port: "127.0.0.1:9001", name: web1 }, { addr_port: "127.0.0.1:9002", name: web2 } ]
  - name: api
    http_condition:
      - { name: moved, when: "var('way') == '/v1/'", set_path: "'/old/'" }
      - { name: known, when: "path == '/v2/known'", allow: true }
      - { name: private, when: "path == '/v2/private'", deny: 401 }
    http_response: [ { set_header: { X-Api: "'1'" } } ]
    servers: [ { addr_port: "127.0.0.1:9003", weight: 0 }, { addr_port: "name.invalid:9004", name: api2 } ]
"""


def explain(noxy, *words, config=CONFIG, code=0):
    """`noxy explain` on a text; what it printed, and on standard error."""
    folder = noxy.folder()
    with open(os.path.join(folder, "conf.yaml"), "w", encoding="utf-8") as f:
        f.write(config)
    done = noxy.run("explain", "-c", "conf.yaml", *words, cwd=folder)
    assert done.returncode == code, (words, done.stdout, done.stderr)
    assert "Sanitizer" not in done.stderr and "runtime error" not in done.stderr, done.stderr
    return done


def document(noxy, *words, **keys):
    return json.loads(explain(noxy, "--json", *words, **keys).stdout)


def rule(doc, name):
    return next(r for part in doc["lists"] for r in part["rules"] if r["rule"] == name)


@pytest.mark.parametrize("words, verdict, status, decided", [
    ("GET http://old.example:8080/a?b", "redirect", 301, "to-https"),
    ("GET http://api.example:8080/v2/x", "server", None, "api"),
    ("GET http://api.example:8080/v2/private", "deny", 401, "private"),
    ("GET http://api.example:8080/v2/known", "server", None, "api"),
    ("GET http://x:8082/v2/known", "server", None, "known"),
    ("GET http://x:8080/ -H 'User-Agent: BadBot'", "deny", 403, "conf.yaml:14"),
    ("GET http://x:8080/hello", "respond", 200, "conf.yaml:15"),
    ("GET http://x:8080/to -H 'X-To: api'", "server", None, "chosen"),
    ("GET http://x:8080/to -H 'X-To: nowhere'", "unknown_backend", 503, "chosen"),
    ("GET http://x:8080/broken -H 'X-To: a b'", "failed", 500, "broken"),
    ("GET http://x:8080/", "server", None, None),
    ("GET http://x:8080/ --src 192.0.2.7", "server", None, "conf.yaml:18"),
    ("GET http://x:8081/", "no_backend", 503, None),
    ("TRACE http://x:8080/", "refused", 405, None),
    ("OPTIONS http://x:8080/ -H 'Max-Forwards: 0'", "respond", 204, None),
    ("OPTIONS http://x:8080/ -H 'Max-Forwards: 0' -H 'User-Agent: BadBot'", "deny", 403, "conf.yaml:14"),
    ("OPTIONS http://x:8081/ -H 'Max-Forwards: 0'", "respond", 204, None),
    ("OPTIONS http://x:8080/ -H 'Max-Forwards: x'", "refused", 400, None),
    ("OPTIONS http://x:8080/ -H 'Max-Forwards: 1'", "server", None, None),
    ("GET http://x:8080/ -H 'Max-Forwards: 0'", "server", None, None),
    ("POST http://x:8080/ --length 1001", "refused", 413, None),
    ("POST http://x:8080/ --length 1000", "server", None, None),
    ("GET http://x:8080/ -H 'Host: a' -H 'Host: b'", "refused", 400, None),
    ("GET http://x:8080/ -H 'Content-Length: 1' -H 'Transfer-Encoding: chunked'", "refused", 400, None),
    ("tcp 127.0.0.1:5432 --src 10.1.1.1", "server", None, "inside"),
    ("tcp 127.0.0.1:5432 --src 192.0.2.1", "reject", None, "closed"),
    ("tcp 127.0.0.1:5432", "server", None, None),
    ("GET http://x:5432/", "server", None, None),
])
def test_each_verdict(noxy, words, verdict, status, decided):
    words = shlex.split(words)
    result = document(noxy, *words)["result"]
    assert (result["verdict"], result["status"], result["rule"]) == (verdict, status, decided)
    assert result["words"] and result["words"] in explain(noxy, *words).stdout


def test_the_document(noxy):
    doc = document(noxy, "GET", "http://API.example:8080/v1/")
    assert (doc["frontend"], doc["bind"], doc["mode"], doc["running"]) == ("web", "127.0.0.1:8080", "http", False)
    assert doc["request"] == {"method": "GET", "url": "http://API.example:8080/v1/", "src": "127.0.0.1",
                              "peer": "127.0.0.1"}
    assert [(part["list"], part["of"], part["name"], len(part["rules"])) for part in doc["lists"]] == [
        ("http_condition", "frontend", "web", 8), ("http_condition", "backend", "api", 3)]
    assert rule(doc, "to-https") == {
        "rule": "to-https", "place": "conf.yaml:7", "when": "host == 'old.example'", "reached": True, "held": False,
        "values": [{"what": "host", "type": "string", "value": "api.example"}], "actions": []}
    api = rule(doc, "api")
    assert (api["reached"], api["held"]) == (True, True)
    assert [(v["what"], v["value"]) for v in api["values"]] == [
        ("host", "api.example"), ("host == 'api.example'", True), ("path", "/v1/"),
        ("path =~ '^/v([0-9]+)/'", True)]
    assert [(a["action"], a["what"]) for a in api["actions"]] == [
        ("set_header", "X-Version: 1"), ("set_var", "way: /v1/"), ("log", "passes"), ("use_backend", "api")]
    assert (rule(doc, "chosen")["reached"], rule(doc, "chosen")["held"]) == (False, None)
    assert rule(doc, "moved")["values"] == [{"what": "var('way')", "type": "string", "value": "/v1/"}]
    assert doc["sent"] == {"method": "GET", "target": "/old/"}
    assert doc["http_response"] == [{"of": "backend", "name": "api", "rules": 1},
                                    {"of": "frontend", "name": "web", "rules": 1}]
    assert (doc["backend"]["name"], doc["backend"]["balance"]) == ("api", "roundrobin")
    first, second = doc["backend"]["servers"]
    assert (first["eligible"], first["why_not"], first["next"]) == (False, "its weight is 0", False)
    assert (second["name"], second["eligible"], second["address"], second["next"]) == ("api2", True, None, True)
    assert doc["result"] == {"verdict": "server", "reason": None, "status": None, "rule": "api", "server": "api2",
                             "words": "goes to server api2 of backend api"}


def test_the_text(noxy):
    text = explain(noxy, "GET", "http://old.example:8080/a?b=1", "--src", "10.0.0.7").stdout
    assert text == """request     GET http://old.example:8080/a?b=1 from 10.0.0.7
frontend    web, bind 127.0.0.1:8080
or          second, bind *:8080: the first that fits was taken, --frontend takes another

http_condition of frontend web
  to-https: held
      when      host == 'old.example'
      host      'old.example'
      host      'old.example'
      uri       '/a?b=1'
      sprintf('https://%s%s', host, uri)  'https://old.example/a?b=1'
      redirect  https://old.example/a?b=1
""" + "".join(f"  {name}: not reached\n      when  {when}\n" for name, when in (
        ("api", "host == 'api.example' && path =~ '^/v([0-9]+)/'"),
        ("conf.yaml:14", "header('user-agent') =~ '(?i)bad'"), ("conf.yaml:15", "path == '/hello'"),
        ("chosen", "path == '/to'"), ("broken", "path == '/broken'"),
        ("conf.yaml:18", "in_net(src, '192.0.2.0/24')"), ("conf.yaml:19", "path == '/first'"))) + """
result      redirected to https://old.example/a?b=1 with status 301 by rule to-https
"""


def test_the_text_of_servers(noxy):
    text = explain(noxy, "GET", "http://api.example:8080/v1/").stdout
    assert """
servers of backend api, as noxy starts
  balance         roundrobin: in turn, each as often as its weight says; exact over all workers
  127.0.0.1:9003  no: its weight is 0
  api2            next (its name is not looked up)

result      goes to server api2 of backend api
sent as     GET /old/
then        http_response of backend api (1)
then        http_response of frontend web (1)
""" in text
    text = explain(noxy, "GET", "http://x:8080/first").stdout
    assert re.search(r"^  use_server +web1\n  web1 +next \(127.0.0.1:9001\)\n  web2 +eligible ", text, re.M), text


def test_a_failure_is_told_where_it_happens(noxy):
    doc = document(noxy, "GET", "http://x:8080/broken", "-H", "X-To: a b")
    assert "space" in rule(doc, "broken")["failure"] and rule(doc, "broken")["held"] is True
    assert "space" in doc["result"]["words"]
    config = CONFIG.replace("path == '/hello'", "1 / content_length == 1")
    doc = document(noxy, "POST", "http://x:8080/", "--length", "0", config=config)
    failed = next(r for r in doc["lists"][0]["rules"] if r.get("failure"))
    assert (failed["held"], failed["place"], doc["result"]["status"]) == (None, "conf.yaml:15", 500)


def test_the_client_is_whom_trusted_proxies_name(noxy):
    words = ("GET", "http://x:8080/", "-H", "X-Forwarded-For: 192.0.2.9")
    doc = document(noxy, *words, "--src", "10.9.0.1")
    assert (doc["request"]["src"], doc["request"]["peer"], doc["result"]["rule"]) == (
        "192.0.2.9", "10.9.0.1", "conf.yaml:18")
    assert document(noxy, *words, "--src", "10.8.0.1")["result"]["rule"] is None
    assert "from 192.0.2.9, as the trusted proxy 10.9.0.1 says" in explain(noxy, *words, "--src", "10.9.0.1").stdout


def test_the_frontend_is_found_by_scheme_address_and_port(noxy):
    assert document(noxy, "GET", "http://127.0.0.1:8080/")["frontend"] == "web"
    assert document(noxy, "GET", "http://127.0.0.2:8080/")["frontend"] == "second"
    doc = document(noxy, "GET", "http://x:8080/")
    assert (doc["frontend"], doc["other_binds"]) == ("web", [{"frontend": "second", "bind": "*:8080"}])
    assert document(noxy, "GET", "http://x/", "--frontend", "empty")["frontend"] == "empty"
    assert "no frontend takes http on port 80; there are: web 127.0.0.1:8080 (http)" in explain(
        noxy, "GET", "http://x/", code=1).stderr
    assert "no frontend takes https on port 443" in explain(noxy, "GET", "https://x/", code=1).stderr


@pytest.mark.parametrize("words, message", [
    (("GET", "http://x:8080/a b"), "write them as %XX"),
    (("GET", "http://x:8080/\r\nA: b"), "write them as %XX"),
    (("GET", "http://x:8080/#top"), "#"),
    (("GET", "http://u:p@x:8080/"), "Authorization"),
    (("GET", "http://x:99999/"), "no host, or its port is none"),
    (("GET", "http://:8080/"), "no host"),
    (("GET", "http:///"), "no host"),
    (("GET", "/path"), "http:// or https://"),
    (("GET", "ftp://x/"), "http:// or https://"),
    (("G T", "http://x:8080/"), '"G T" is no method'),
    (("", "http://x:8080/"), "is no method"),
    (("GET", "http://x:8080/", "-H", "nothing"), "write it as 'Name: value'"),
    (("GET", "http://x:8080/", "-H", "A b: c"), 'the name "A b"'),
    (("GET", "http://x:8080/", "-H", "A: b\r\nC: d"), "control character"),
    (("GET", "http://x:8080/", "-H", "A: \x01"), "control character"),
    (("GET", "http://x:8080/", "--src", "10.0.0"), '"10.0.0" is no IP address'),
    (("GET", "http://x:8080/", "--frontend", "wob"), 'no frontend is named "wob"'),
    (("GET", "https://x/", "--frontend", "web"), "has no bind for https"),
    (("tcp", "127.0.0.1:8080"), "no frontend takes mode tcp on port 8080"),
    (("tcp", "127.0.0.1:8080", "--frontend", "web"), "is of mode http"),
    (("tcp", "127.0.0.1"), "port"),
    (("tcp", "127.0.0.1:5432", "-H", "A: b"), "no header fields"),
])
def test_what_no_client_can_send_is_refused(noxy, words, message):
    done = explain(noxy, *words, code=1)
    assert done.stdout == "" and message in done.stderr


@pytest.mark.parametrize("words, message", [
    ((), "METHOD URL"), (("GET",), "METHOD URL"), (("GET", "http://x:8080/", "more"), 'what does "more" mean'),
    (("GET", "http://x:8080/", "--src"), "--src wants a value"), (("GET", "http://x:8080/", "-X"), 'unknown option "-X"'),
    (("GET", "http://x:8080/", "--length", "many"), "many"),
    (("GET", "http://x:8080/", "--data", "no-such-file"), "cannot read no-such-file"),
    (("GET", "http://x:8080/", "--data", "/"), "is not a file"),
    (("GET", "http://x:8080/", *["-H", "A: b"] * 200), "more than 128"),
])
def test_bad_usage_is_2(noxy, words, message):
    done = explain(noxy, *words, code=2)
    assert done.stdout == "" and message in done.stderr and "usage: noxy explain" in done.stderr


def test_large_requests_are_refused_as_noxy_does(noxy):
    assert document(noxy, "GET", "http://x:8080/" + "a" * 20000)["result"]["status"] == 414
    many = [word for i in range(101) for word in ("-H", f"A{i}: b")]
    assert document(noxy, "GET", "http://x:8080/", *many)["result"]["status"] == 431
    assert document(noxy, "GET", "http://x:8080/", "-H", "A: " + "b" * 70000)["result"]["status"] == 431


def test_errors_of_the_configuration_are_shown_as_by_t(noxy):
    done = explain(noxy, "GET", "http://x/", config="frontend:\n  - { name: web, bnd: 1 }\n", code=1)
    assert done.stdout == "" and 'conf.yaml:2:18: unknown key "bnd"' in done.stderr
    done = noxy.run("explain", "-c", "/nonexistent/noxy.yaml", "GET", "http://x/")
    assert done.returncode == 1 and "/nonexistent/noxy.yaml" in done.stderr


def test_the_body_s_size_is_that_of_a_file(noxy):
    path = os.path.join(noxy.folder(), "body")
    with open(path, "wb") as f:
        f.write(b"x" * 1001)
    assert document(noxy, "POST", "http://x:8080/", "--data", path)["result"]["status"] == 413
    assert document(noxy, "POST", "http://x:8080/", f"--data={path}")["result"]["status"] == 413


def test_bytes_of_any_kind(noxy):
    done = explain(noxy, "GET", "http://x:8080/hello", "-H", b"User-Agent: \xff\xc2\x9b2J caf\xc3\xa9")
    assert "\\xff" in done.stdout and "\x9b" not in done.stdout
    doc = document(noxy, "GET", "http://x:8080/hello", "-H", b"User-Agent: \xe9\xff")
    assert doc["lists"][0]["rules"][2]["values"][0]["value"] == "\\xe9\\xff"


def test_help(noxy):
    done = noxy.run("explain", "--help")
    assert done.returncode == 0 and "METHOD URL" in done.stdout
    assert "noxy explain" in noxy.run("--help").stdout


def test_the_complex_scenario(noxy):
    """Without the certificates that it names."""
    with open(os.path.join(TOP, "tests", "system", "complex.yaml"), encoding="utf-8") as f:
        config = f.read()
    for host, backend in (("web.noxy.rev", "web_backend"), ("api.noxy.rev", "api_backend"),
                          ("unknown.example", "web_backend")):
        result = document(noxy, "GET", f"http://{host}/a?b", config=config)["result"]
        assert (result["verdict"], result["status"], result["location"]) == ("redirect", 302, f"https://{host}/a?b")
        found = document(noxy, "GET", f"https://{host}/a?b", config=config)
        assert (found["result"]["verdict"], found["backend"]["name"]) == ("server", backend)
    found = document(noxy, "tcp", "192.0.2.1:49383", config=config)
    assert (found["result"]["verdict"], found["backend"]["name"]) == ("server", "admin_backend")


# ---- noxyctl explain ----

def ask(lb, *words):
    return json.loads(lb.ctl("explain", "--json", *words).stdout)


def url(lb, path="/"):
    return f"http://x.example:{lb.port}{path}"


def test_the_next_server_is_the_one_that_serves_next(noxy, origins):
    lb = noxy.start(compose({"site": origins(3)}))
    for _ in range(5):
        shown = [ask(lb, "GET", url(lb))["result"]["server"] for _ in range(3)]
        assert shown == [lb.get().server] * 3


def test_the_next_server_by_load_and_by_source(noxy, origins):
    for balance in ("leastconn", "source"):
        lb = noxy.start(compose({"site": origins(3)}, None, {"site": {"balance": balance}}))
        for _ in range(4):
            shown = ask(lb, "GET", url(lb))["result"]["server"]
            assert shown == lb.get().server
            lb.wait_idle()


def test_asking_changes_nothing(noxy, origins):
    lb = noxy.start(compose({"site": origins(2)}, {"http_condition": [
        {"set_var": {"a": "'1'"}, "set_header": {"X-A": "src"}, "log": "'told'"},
        {"when": "path == '/no'", "deny": 403}], "http_response": [{"del_header": "Server"}]}))
    lb.get()
    lb.wait_idle()

    def figures():
        rows = [row for kind in ("frontend", "backend", "server") for row in lb.rows(kind)]
        return [(row["name"], row["counters"], row["reasons"], row.get("latency_us")) for row in rows]
    before, log = figures(), lb.text_log()
    for path in ("/", "/no", "/"):
        ask(lb, "GET", url(lb, path))
        lb.ctl("explain", "GET", url(lb, path))
    lb.ctl("explain", "GET", "http://x.invalid:1/", code=1)
    after = figures()
    for (name, counters, *rest), (_, counted, *others) in zip(before, after):
        checks = {"checks_passed", "checks_failed"}
        assert [v for k, v in counters.items() if k not in checks] == [v for k, v in counted.items() if k not in checks], name
        assert rest == others
    assert "told" not in lb.text_log()[len(log):]


def test_servers_that_are_down(noxy, origins):
    lb = noxy.start(compose({"site": origins(2)}))
    lb.wait_log("INFO", "web2.*is now up")
    origins[0].stop()
    wait_for(lambda: lb.server("web1")["state"] == "down", "web1 is down")
    doc = ask(lb, "GET", url(lb))
    first, second = doc["backend"]["servers"]
    assert doc["running"] and (first["eligible"], first["next"], second["next"]) == (False, False, True)
    assert re.match(r"it is down: .*refused", first["why_not"])
    assert doc["result"]["server"] == "web2" == lb.get().server
    origins[1].stop()
    wait_for(lambda: lb.server("web2")["state"] == "down", "web2 is down")
    doc = ask(lb, "GET", url(lb))
    assert (doc["result"]["verdict"], doc["result"]["reason"], doc["result"]["status"]) == (
        "no_server", "no_server", 503 == lb.get().status and 503)
    text = lb.ctl("explain", "GET", url(lb)).stdout
    assert "answered 503 Service Unavailable: no server is eligible" in text and "as noxy starts" not in text


def test_when_down_close(noxy, origins):
    lb = noxy.start(compose({"site": origins(1)}, None, {"site": {"when_down": "close", "servers": [
        {**origins[0].server(), "weight": 0}]}}))
    result = ask(lb, "GET", url(lb))["result"]
    assert (result["verdict"], result["status"]) == ("no_server", None)
    assert "the connection is closed" in result["words"]


def test_full_servers(noxy, origins):
    def hold(origin, c, request):
        origin.go.wait(20)
        c.reply(200, origin.name)
    origins(2, answer=hold)
    servers = [origins[0].server(maxconn=1), origins[1].server(maxconn=2)]
    lb = noxy.start(compose({"site": origins}, {"http_condition": [{"use_backend": "site", "use_server": "web1"}]},
                            {"site": {"servers": servers, "balance": "leastconn", "timeout_queue": "7s"}}))
    with lb.connect() as a, lb.connect() as b, lb.connect() as c:
        a.send_request("GET")
        lb.wait_total("backend", "requests_current", 1)
        wait_for(lambda: lb.server("web1")["requests_current"] == 1, "web1 is full")
        doc = ask(lb, "GET", url(lb))
        first, second = doc["backend"]["servers"]
        assert (first["full"], first["eligible"], first["why_not"]) == (True, True, "it is full: 1 of 1 requests (maxconn)")
        assert doc["backend"]["preferred"] == "web1" and doc["result"]["server"] == "web2" and second["next"]
        b.send_request("GET")
        c.send_request("GET")
        wait_for(lambda: lb.server("web2")["requests_current"] == 2, "web2 is full")
        result = ask(lb, "GET", url(lb))["result"]
        assert (result["verdict"], result["reason"], result["status"]) == ("waits", "maxconn", None)
        assert "7000 ms at most (timeout_queue), then it is answered 503" in result["words"]
        for origin in origins:
            origin.go.set()
        assert [x.response().status for x in (a, b, c)] == [200] * 3


def test_a_reload_changes_the_answer(noxy, origins):
    config = compose({"site": origins(1)})
    lb = noxy.start(config)
    assert ask(lb, "GET", url(lb))["result"]["verdict"] == "server"
    with open(lb.config, encoding="utf-8") as f:
        text = f.read()
    lb.reload(text.replace('"use_backend"', '"http_condition": [{"deny": 418}], "use_backend"'))
    assert ask(lb, "GET", url(lb))["result"]["status"] == 418 == lb.get().status


def test_arguments_reach_the_manager_as_they_are(noxy, origins):
    lb = noxy.start(compose({"site": origins(1)}, {"http_condition": [
        {"name": "odd", "when": "header('x-odd') == 'a \"b\" \\\\ --json'", "deny": 403},
        {"when": "content_length == 5", "deny": 413}]}))
    assert ask(lb, "GET", url(lb), "-H", 'X-Odd: a "b" \\ --json')["result"]["rule"] == "odd"
    assert ask(lb, "GET", url(lb), "-H", "X-Odd: b")["result"]["rule"] is None
    path = lb.path("body")
    with open(path, "wb") as f:
        f.write(b"12345")
    assert ask(lb, "POST", url(lb), "--data", path)["result"]["status"] == 413
    assert ask(lb, "POST", url(lb), f"--data={path}")["result"]["status"] == 413
    assert json.loads(lb.admin(f"explain GET {url(lb)} --json --src 10.0.0.1"))["request"]["src"] == "10.0.0.1"
    assert "goes to server" in lb.admin(f'explain GET "{url(lb)}" -H "A: b"')


def test_what_the_manager_refuses(noxy, origins):
    lb = noxy.start(compose({"site": origins(1)}))
    for words, message in ((("GET",), "METHOD URL"), (("GET", url(lb), "--sc", "1"), 'unknown option "--sc"'),
                           (("GET", url(lb, "/a b")), "%XX"), (("GET", "https://x/"), "no frontend takes https")):
        done = lb.ctl("explain", *words, code=1)
        assert message in done.stderr and done.stdout == ""
    assert "is too long or has control characters" in lb.ctl("explain", "GET", url(lb), "-H", "A: b\nC: d", code=2).stderr
    assert "is too long or has control characters" in lb.ctl("explain", "GET", url(lb, "/" + "a" * 5000), code=2).stderr
    assert "cannot read" in lb.ctl("explain", "GET", url(lb), "--data", "/nonexistent", code=2).stderr
    assert "too many" in lb.ctl("explain", *["x"] * 80, code=2).stderr
    with pytest.raises(RuntimeError, match="more than 64 words"):
        lb.admin("explain " + "x " * 80)
    with pytest.raises(RuntimeError, match="--length"):
        lb.admin(f"explain GET {url(lb)} --data /etc/passwd")
    with pytest.raises(RuntimeError, match="control character"):
        lb.admin(f"explain GET {url(lb)} -H \x01")
    assert lb.admin("ping") == "pong\n"
