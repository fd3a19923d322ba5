"""http_condition: what each action does to a request."""
import pytest

from rules import compose, quoted
from waiting import wait_for


def start(noxy, origins, *rules, **keys):
    return noxy.start(backend=origins or (), http_condition=list(rules), **keys)


# ---- answers of noxy's own ----

@pytest.mark.parametrize("code", [None, 301, 302, 303, 307, 308])
def test_redirect_sends_the_client_elsewhere(noxy, origins, code):
    rule = {"when": "scheme == 'http'", "redirect": "sprintf('https://%s%s', host, uri)"}
    lb = start(noxy, origins(1), {**rule, **({"code": code} if code else {})})
    with lb.connect() as c:
        for _ in range(2):
            r = c.get("/x?y=1", {"Host": "shop.example"})
            assert (r.status, r.field("Location")) == (code or 302, "https://shop.example/x?y=1")
            assert (r.field("Content-Length"), r.body, r.closes) == ("0", b"", False)
    assert origins[0].requests == []
    lb.wait_total("frontend", "reasons.redirected", 2)


def test_respond_answers_with_status_fields_and_body(noxy):
    lb = start(noxy, None, {"when": "path == '/hello'", "respond": {
        "status": 201, "body": "hi", "content_type": "text/x-hi",
        "headers": {"X-Asked": "path", "X-Port": "src_port", "Cache-Control": "'no-store'"}}},
        {"respond": {"status": 404}})
    with lb.connect() as c:
        r = c.get("/hello")
        assert (r.status, r.body, r.field("Content-Type")) == (201, b"hi", "text/x-hi")
        assert (r.field("X-Asked"), r.field("Cache-Control")) == ("/hello", "no-store")
        assert r.field("X-Port") == str(c.sock.getsockname()[1])
        r = c.get("/other")
        assert (r.status, r.body, r.field("X-Asked")) == (404, b"", None)


def test_a_field_of_respond_stands_for_the_one_that_noxy_would_add(noxy):
    lb = start(noxy, None, {"when": "path == '/busy'", "respond": {"status": 503, "headers": {"retry-after": "'600'"}}},
               {"when": "path == '/plain'", "respond": {"status": 503}},
               {"respond": {"status": 405, "headers": {"Allow": "'GET'"}}})
    assert [(r.status, r.field("Retry-After"), r.field("Allow")) for r in map(lb.get, ("/busy", "/plain", "/"))] == [
        (503, "600", None), (503, "5", None), (405, None, "GET")]


def test_respond_gives_a_file(noxy):
    lb = noxy.prepare(http_condition=[{"respond": {"file": "page.html", "content_type": "text/html"}}])
    with open(lb.path("page.html"), "wb") as f:
        f.write(b"<p>\0bytes</p>")
    lb.launch()
    lb.wait_ready()
    assert lb.get().body == b"<p>\0bytes</p>"


def test_deny_gives_the_status_s_page(noxy, origins):
    lb = noxy.prepare(backend=origins(1), error_pages=[{"status": 404, "file": "gone.html"}], http_condition=[
        {"when": "header('user-agent') =~ '(?i)badbot'", "deny": 403}, {"when": "path == '/gone'", "deny": 404}])
    with open(lb.path("gone.html"), "w", encoding="utf-8") as f:
        f.write("never was")
    lb.launch()
    lb.wait_ready()
    r = lb.get("/", {"User-Agent": "BadBot/1"})
    assert (r.status, b"403 Forbidden" in r.body) == (403, True)
    assert lb.get("/gone").body == b"never was"
    assert lb.get("/", {"User-Agent": "Mozilla"}).server == "web1"
    lb.wait_total("frontend", "reasons.denied", 2)


def test_answers_to_head_have_no_body(noxy, origins):
    lb = start(noxy, origins(1), {"when": "path == '/r'", "respond": {"body": "hello"}},
               {"when": "path == '/d'", "deny": 403}, {"when": "path == '/x'", "redirect": "'/y'"})
    with lb.connect() as c:
        r = c.request("HEAD", "/r")
        assert (r.status, r.field("Content-Length"), r.body) == (200, "5", b"")
        assert c.request("HEAD", "/d").status == 403
        assert c.request("HEAD", "/x").field("Location") == "/y"
        assert c.get("/").server == "web1"


def test_a_request_with_a_body_that_is_answered_early_is_read_or_closed(noxy, origins):
    lb = start(noxy, origins(1), {"deny": 403})
    with lb.connect() as c:
        assert c.request("POST", "/", body=b"x" * 200000).status == 403


# ---- where it goes ----

def test_use_backend_takes_a_name_or_an_expression(noxy, origins):
    site, api, other = origins(3)
    lb = noxy.start(compose({"site": [site], "api-v1": [api], "other": [other]}, {"http_condition": [
        {"when": "path =~ '^/api/'", "use_backend": "api-v1"},
        {"when": "header('x-to') != ''", "use_backend": "header('x-to')"},
        {"when": "path == '/quoted'", "use_backend": "'other'"}]}))
    assert lb.get("/").server == "web1"
    assert lb.get("/api/x").server == "web2"
    assert lb.get("/", {"X-To": "other"}).server == "web3"
    assert lb.get("/quoted").server == "web3"


def test_a_backend_that_there_is_not_is_answered_503_and_told(noxy, origins):
    lb = start(noxy, origins(1), {"name": "dynamic", "when": "header('x-to') != ''", "use_backend": "header('x-to')"})
    assert lb.get("/", {"X-To": "nowhere"}).status == 503
    assert 'rule dynamic' in lb.wait_log("WARN", 'there is no backend "nowhere"')[0].message
    lb.wait_total("frontend", "reasons.unknown_backend", 1)
    assert lb.get("/", {"X-To": "pool"}).server == "web1"


def test_use_server_prefers_a_server_while_it_is_eligible(noxy, origins):
    lb = noxy.start(compose({"pool": origins(3)}, {"http_condition": [
        {"when": "path == '/two'", "use_backend": "pool", "use_server": "web2"},
        {"when": "path == '/any'", "use_backend": "pool", "use_server": "header('x-server')"}]},
        {"pool": {"http_condition": [{"when": "path == '/three'", "use_server": "web3"}], "health_check": 100}}))
    assert {lb.get("/two").server for _ in range(4)} == {"web2"}
    assert {lb.get("/three").server for _ in range(4)} == {"web3"}
    assert {lb.get("/any", {"X-Server": "web1"}).server for _ in range(4)} == {"web1"}
    assert {lb.get("/any", {"X-Server": "none such"}).server for _ in range(9)} == {"web1", "web2", "web3"}
    origins[1].stop()
    assert all(lb.get("/two").server in ("web1", "web3") for _ in range(4))
    lb.wait_log("WARN", "is now down")
    before = lb.total("backend", "retries")
    assert {lb.get("/two").server for _ in range(4)} == {"web1", "web3"}
    assert lb.total("backend", "retries") == before  # it is not even tried


def test_use_server_gives_way_where_the_server_is_full(noxy, origins):
    a, b = origins(2, answer=lambda o, c, r: (r.target == "/hold" and o.go.wait(30), c.reply(200, fields={"X-Server": o.name})))
    text = compose({"pool": [a, b]}, None, {"pool": {"http_condition": [{"use_server": "web1"}],
                                                    "servers": [a.server(maxconn=1), b.server()]}})
    lb = noxy.start(text)
    with lb.connect() as c:
        c.send_request("GET", "/hold")
        wait_for(lambda: a.requests, "its one place is taken")
        assert lb.get("/").server == "web2"
        a.go.set()
        assert c.response().server == "web1"


# ---- what the server gets ----

def test_fields_are_set_added_and_deleted(noxy, origins):
    lb = start(noxy, origins(1), {
        "set_header": {"X-Client": "src", "X-Twice": "'once'", "x-new": "header('x-old')"},
        "add_header": {"Accept": "'text/x-more'"},
        "del_header": ["X-Secret", "X-Internal-*"]})
    lb.get("/", [("X-Twice", "1"), ("X-Old", "o"), ("x-twice", "2"), ("Accept", "text/html"), ("X-Secret", "s"),
                 ("X-Internal-A", "1"), ("x-internal-b", "2"), ("X-Inter", "kept")])
    seen = origins[0].requests[0]
    assert (seen.field("X-Client"), seen.field("X-New")) == ("127.0.0.1", "o")
    assert [f for f in seen.fields if f[0].lower() == "x-twice"] == [("X-Twice", "once")]
    assert seen.field("Accept") == "text/html, text/x-more"
    assert [seen.field(n) for n in ("X-Secret", "X-Internal-A", "X-Internal-B", "X-Inter")] == [None, None, None, "kept"]


def test_a_client_can_t_take_a_rule_s_field_away_with_connection(noxy, origins):
    lb = start(noxy, origins(1), {"set_header": {"X-Authenticated": "'no'"}})
    lb.get("/", {"Connection": "X-Authenticated, X-Own", "X-Authenticated": "yes", "X-Own": "1"})
    seen = origins[0].requests[0]
    assert (seen.field("X-Authenticated"), seen.field("X-Own")) == ("no", None)


@pytest.mark.parametrize("target", ["/", "http://asked.example/"])
def test_set_header_host_changes_what_the_server_is_asked_for(noxy, origins, target):
    lb = start(noxy, origins(1), {"set_header": {"Host": "'internal.example'"}})
    lb.get(target, {"Host": "asked.example"})
    seen = origins[0].requests[0]
    assert [v for n, v in seen.fields if n.lower() == "host"] == ["internal.example"]
    assert seen.field("X-Forwarded-Host") == "asked.example"


def test_set_header_host_on_a_request_without_one(noxy, origins):
    lb = start(noxy, origins(1), {"set_header": {"Host": "'internal.example'"}})
    with lb.connect() as c:
        c.send("GET / HTTP/1.0\r\n\r\n")
        assert c.response().status == 200
    assert [v for n, v in origins[0].requests[0].fields if n.lower() == "host"] == ["internal.example"]


def test_an_x_forwarded_for_that_was_removed_is_begun_anew(noxy, origins):
    lb = start(noxy, origins(1), {"del_header": "X-Forwarded-For"})
    lb.get("/", {"X-Forwarded-For": "203.0.113.9"})
    assert origins[0].requests[0].field("X-Forwarded-For") == "127.0.0.1"


@pytest.mark.parametrize("rules, target, seen", [
    ([{"set_path": "'/new'"}], "/old?q=1", "/new?q=1"),
    ([{"set_path": "sprintf('/v2%s', path)"}], "/a%20b", "/v2/a%20b"),
    ([{"set_query": "'a=b'"}], "/p?q=1", "/p?a=b"),
    ([{"set_query": "'?a=b'"}], "/p", "/p?a=b"),
    ([{"set_query": "''"}], "/p?q=1", "/p"),
    ([{"set_path": "'/x'", "set_query": "'y'"}], "/p?q=1", "/x?y"),
    ([{"set_path": "'/one'"}, {"when": "path == '/one'", "set_path": "'/two'"}], "/p?q", "/two?q"),
])
def test_path_and_query_are_changed(noxy, origins, rules, target, seen):
    lb = start(noxy, origins(1), *rules)
    with lb.connect() as c:
        assert (c.get(target).status, c.get(target).status) == (200, 200)
    assert [r.target for r in origins[0].requests] == [seen, seen]
    assert origins[0].requests[0].version == "HTTP/1.1"


def test_the_method_is_changed(noxy, origins):
    lb = start(noxy, origins(1), {"when": "method == 'GET'", "set_method": "'PURGE'"})
    with lb.connect() as c:
        assert c.get("/").body == b"web1\n"
        assert c.request("POST", "/", body=b"data").status == 200
    assert [(r.method, r.body) for r in origins[0].requests] == [("PURGE", b""), ("POST", b"data")]


def test_a_changed_method_decides_what_may_be_repeated(noxy, origins):
    """A kept connection that the server has ended: a GET made into a POST is not sent twice."""
    def once(origin, c):
        c.read_request()
        c.reply(200)
        c.read_request()
    lb = noxy.start(backend=origins(1, raw=once), health_check=False, threads=1, retries=3,
                    http_condition=[{"when": "path == '/post'", "set_method": "'POST'"}])
    assert (lb.get("/").status, lb.get("/post").status) == (200, 502)


def test_head_can_t_be_made_into_what_has_a_body(noxy, origins):
    lb = start(noxy, origins(1), {"name": "m", "set_method": "header('x-method')"})
    assert lb.get("/", {"X-Method": "GET"}, method="HEAD").status == 500
    assert lb.get("/", {"X-Method": "HEAD"}, method="HEAD").status == 200
    for method in ("HEAD", "CONNECT", "TRACE", "NO METHOD", ""):
        assert lb.get("/", {"X-Method": method}).status == 500, method
    lb.wait_total("frontend", "reasons.rule_failed", 6)


# ---- variables and the log ----

def test_variables_are_of_one_request(noxy, origins):
    def answer(origin, c, request):
        c.reply(200, request.field("X-Tier") or "none")
    lb = start(noxy, origins(1, answer=answer),
               {"when": "path == '/gold'", "set_var": {"tier": "'gold'", "count": "1"}},
               {"when": "path == '/gold'", "set_var": {"count": "var('count') + 41"}},
               {"set_header": {"X-Tier": "sprintf('[%s %s]', var('tier'), var('count'))"}})
    with lb.connect() as c:
        assert [c.get(t).body for t in ("/gold", "/", "/gold")] == [b"[gold 42]", b"[ 0]", b"[gold 42]"]


def test_log_writes_a_line_with_the_client(noxy, origins):
    lb = start(noxy, origins(1), {"name": "look", "log": "sprintf('agent=%s', header('user-agent'))"})
    with lb.connect() as c:
        c.get("/", {"User-Agent": "curl\t1"})
        port = c.sock.getsockname()[1]
    line = lb.wait_log("INFO", "agent=curl")[0].message
    assert "[main]" in line and f"127.0.0.1:{port}" in line and "look" in line


# ---- results that can't be used ----

@pytest.mark.parametrize("action", [
    {"set_header": {"X-A": "url_decode(query)"}},
    {"add_header": {"X-A": "url_decode(query)"}},
    {"set_header": {"Host": "url_decode(query)"}},
    {"redirect": "url_decode(query)"},
    {"respond": {"headers": {"X-A": "url_decode(query)"}}},
    {"set_path": "url_decode(query)"},
    {"set_query": "url_decode(query)"},
    {"set_method": "url_decode(query)"},
], ids=lambda action: next(iter(action)))
@pytest.mark.parametrize("bad", ["%0d%0aX-Evil:%201", "a%0ab", "%00"])
def test_control_characters_are_refused_with_500(noxy, origins, action, bad):
    lb = start(noxy, origins(1), {"name": "bad", "when": "path == '/bad'", **action})
    with lb.connect() as c:
        r = c.get(f"/bad?{bad}")
        assert (r.status, r.field("X-Evil")) == (500, None)
        assert c.get("/good").server == "web1"
    assert len(origins[0].requests) == 1
    assert "rule bad failed" in lb.wait_log("WARN", "failed")[0].message
    lb.wait_total("frontend", "reasons.rule_failed", 1)


@pytest.mark.parametrize("action, query", [
    ({"redirect": "url_decode(query)"}, "a%20b"), ({"redirect": "query"}, ""),
    ({"set_path": "query"}, "nopath"), ({"set_path": "url_decode(query)"}, "/a%20b"), ({"set_path": "query"}, "/a?b"),
    ({"set_query": "url_decode(query)"}, "a%20b"), ({"set_query": "url_decode(query)"}, "a%23b"),
    ({"set_header": {"X-A": "query"}}, "x" * 8193),
])
def test_what_makes_an_invalid_request_is_refused_with_500(noxy, origins, action, query):
    lb = start(noxy, origins(1), action)
    assert lb.get(f"/?{query}").status == 500
    assert origins[0].requests == []


def test_rules_can_t_add_fields_without_end(noxy, origins):
    lb = start(noxy, origins(1), *[{"add_header": {f"X-{i}": "'x'"}} for i in range(60)], max_headers=128)
    assert lb.get("/", [(f"Y-{i}", "1") for i in range(60)]).status == 200
    assert len(origins[0].requests[0].fields) >= 124
    assert lb.get("/", [(f"Y-{i}", "1") for i in range(120)]).status == 500


def test_quotes_of_a_literal(noxy):
    lb = start(noxy, None, {"respond": {"headers": {"X-Q": quoted("it's \\ fine")}}})
    assert lb.get().field("X-Q") == "it's \\ fine"
