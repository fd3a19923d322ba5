"""http_response: what each action does to a server's response."""
import pytest

from rules import compose


def reply(status=200, fields=None, body=b"x"):
    def answer(origin, c, request):
        lines = "".join(f"{n}: {v}\r\n" for n, v in (fields or {}).items())
        length = "" if status in (204, 304) else f"Content-Length: {len(body)}\r\n"
        c.send(f"HTTP/1.1 {status} Word\r\n{lines}{length}\r\n".encode()
               + (b"" if request.method == "HEAD" or status in (204, 304) else body))
    return answer


def start(noxy, origins, *rules, **keys):
    return noxy.start(backend=origins, http_response=list(rules), **keys)


def test_fields_are_set_added_and_deleted(noxy, origins):
    lb = start(noxy, origins(1, answer=reply(fields={"Server": "old", "X-Powered-By": "p", "Vary": "A", "X-B": "1"})),
               {"set_header": {"Server": "'noxy'", "X-Path": "path"}, "add_header": {"Vary": "'B'"},
                "del_header": "X-Powered-*"})
    with lb.connect() as c:
        for target in ("/a", "/b"):
            r = c.get(target)
            assert (r.field("Server"), r.field("Vary"), r.field("X-Powered-By")) == ("noxy", "A, B", None)
            assert (r.field("X-Path"), r.field("X-B"), r.body) == (target, "1", b"x")


def test_conditions_look_at_request_and_response(noxy, origins):
    lb = start(noxy, origins(1, answer=reply(404)), {"when": "status == 404 && path == '/a'", "set_header": {"X-A": "server"}})
    assert (lb.get("/a").field("X-A"), lb.get("/b").field("X-A")) == ("web1", None)


def test_the_status_is_changed(noxy, origins):
    lb = start(noxy, origins(1, answer=reply(500, body=b"secret")), {"when": "status == 500", "set_status": 404})
    with lb.connect() as c:
        r = c.get()
        assert (r.status, r.reason, r.body) == (404, "Not Found", b"secret")
        assert c.request("HEAD").status == 404
    lb.wait_total("frontend", "responses_4xx", 2)


@pytest.mark.parametrize("status", [204, 304])
def test_a_response_without_a_body_gets_an_empty_one(noxy, origins, status):
    fields = {"Content-Length": "77"} if status == 304 else {}
    lb = start(noxy, origins(1, answer=reply(status, fields)), {"set_status": 200})
    with lb.connect() as c:
        for _ in range(2):
            r = c.get()
            assert (r.status, r.field("Content-Length"), r.body) == (200, "0", b"")


@pytest.mark.parametrize("expression", ["status - 201", "204 + status - status", "304 * status / status", "status * 3"])
def test_a_status_that_can_t_be_is_refused_with_500(noxy, origins, expression):
    lb = start(noxy, origins(1, answer=reply(body=b"x" * 100000)), {"name": "s", "set_status": expression})
    with lb.connect() as c:
        assert c.get().status == 500
        assert lb.get().status == 500
    lb.wait_total("frontend", "reasons.rule_failed", 2)
    assert "rule s failed" in lb.wait_log("WARN", "failed")[0].message
    lb.wait_idle()


def test_a_bad_value_is_refused_with_500(noxy, origins):
    lb = start(noxy, origins(1), {"set_header": {"X-A": "url_decode(query)"}})
    with lb.connect() as c:
        r = c.get("/?a%0d%0aX-Evil:1")
        assert (r.status, r.field("X-Evil"), r.field("X-A")) == (500, None, None)
        assert lb.get("/?a").field("X-A") == "a"


def test_the_backend_s_rules_come_first_and_allow_ends_one_list(noxy, origins):
    text = compose({"pool": origins(1)},
                   {"http_response": [{"add_header": {"X-Way": "'front'"}}]},
                   {"pool": {"http_response": [{"add_header": {"X-Way": "'back'"}}, {"when": "path == '/allow'", "allow": True},
                                               {"add_header": {"X-Way": "'rest'"}}]}})
    lb = noxy.start(text)
    assert lb.get("/").field("X-Way") == "back, rest, front"
    assert lb.get("/allow").field("X-Way") == "back, front"


def test_variables_of_the_request_are_seen(noxy, origins):
    lb = start(noxy, origins(1), {"set_header": {"X-Was": "var('was')"}},
               http_condition=[{"set_var": {"was": "path"}, "set_path": "'/other'"}])
    with lb.connect() as c:
        assert [c.get(t).field("X-Was") for t in ("/a", "/b")] == ["/a", "/b"]
    assert [r.target for r in origins[0].requests] == ["/other", "/other"]


def test_noxy_s_own_answers_are_left_alone(noxy, origins):
    lb = start(noxy, origins(1), {"set_header": {"X-A": "'1'"}},
               http_condition=[{"when": "path == '/r'", "respond": {"body": "r"}}, {"when": "path == '/d'", "deny": 403}])
    assert [lb.get(t).field("X-A") for t in ("/", "/r", "/d")] == ["1", None, None]


def test_interim_responses_are_left_alone_and_101_is_not(noxy, origins):
    def answer(origin, c, request):
        if request.field("Upgrade"):
            c.send("HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
            c.send(b"up:" + c.read(4))
        else:
            c.send("HTTP/1.1 103 Hints\r\nLink: a\r\n\r\n")
            c.reply(200, "done")
    lb = start(noxy, origins(1, answer=answer), {"set_header": {"X-A": "'1'"}})
    r = lb.get()
    assert ([i.field("X-A") for i in r.interim], r.field("X-A"), r.body) == ([None], "1", b"done")
    with lb.connect() as c:
        r = c.get("/", {"Connection": "Upgrade", "Upgrade": "x"})
        assert (r.status, r.field("X-A"), r.field("Upgrade")) == (101, "1", "x")
        c.send("ping")
        assert c.read(7) == b"up:ping"


def test_a_101_can_t_become_a_200(noxy, origins):
    lb = start(noxy, origins(1, answer=lambda o, c, r: c.send("HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")),
               {"name": "s", "when": "status == 101", "set_status": 200})
    with lb.connect() as c:
        assert c.get("/", {"Connection": "Upgrade", "Upgrade": "x"}).status == 500
    assert "set_status can't make 200 of 101" in lb.wait_log("WARN", "rule s failed")[0].message


def test_a_server_can_t_take_a_rule_s_field_away_with_connection(noxy, origins):
    lb = start(noxy, origins(1, answer=reply(fields={"Connection": "X-Safe, close"})), {"set_header": {"X-Safe": "'yes'"}})
    assert lb.get().field("X-Safe") == "yes"


def test_log_tells_of_responses(noxy, origins):
    lb = start(noxy, origins(1, answer=reply(503)), {"when": "status >= 500", "log": "sprintf('%s from %s', status, server)"})
    lb.get()
    lb.wait_log("INFO", "503 from web1")
