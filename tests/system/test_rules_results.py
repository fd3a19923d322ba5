"""Results of expressions that can't be used: refused when loaded where they are known then, else the rule fails."""
import pytest

from test_rules_config import check


def start(noxy, origins, *rules, **keys):
    return noxy.start(backend=origins(1), http_condition=list(rules), **keys)


@pytest.mark.parametrize("host, good", [
    ("other.example:8080", True), ("[::1]:80", True), ("192.0.2.1", True), ("a_b", True),
    ("u@h", False), ("a,b", False), ("a#b?c", False), ("a:b", False), ("[::1", False), ("a:70000", False), ("a%2", False),
])
def test_host_is_only_set_to_what_noxy_would_take(noxy, origins, host, good):
    lb = noxy.start(backend=(servers := origins(1)), http_condition=[{"set_header": {"Host": "header('x-host')"}}])
    assert lb.get("/", {"X-Host": host}).status == (200 if good else 500)
    assert [r.field("Host") for r in servers[0].requests] == ([host] if good else [])


@pytest.mark.parametrize("rule, message", [
    (r'{ set_header: { X-A: "''' + "'a\\\\r\\\\nb'" + '" } }', "X-A would hold the control character 0x0d"),
    (r'{ add_header: { X-A: "''' + "'a\\\\x00b'" + '" } }', "X-A would hold the control character 0x00"),
    (r'{ respond: { headers: { X-A: "''' + "'a\\\\nb'" + '" } } }', "X-A would hold the control character 0x0a"),
    ("{ set_header: { X-A: \"'" + "x" * 8193 + "'\" } }", "X-A would be longer than 8192 bytes"),
    ("{ set_header: { Host: \"'u@h'\" } }", 'Host can\'t be "u@h"'),
    ("{ set_header: { Host: \"'a' + '/b'\" } }", 'Host can\'t be "a/b"'),
    ("{ redirect: \"'/a b'\" }", "the redirect's target would hold a space"),
    ("{ redirect: \"''\" }", "the redirect's target would be empty"),
    (r'{ redirect: "''' + "'/a\\\\r\\\\nX: y'" + '" }', "control character"),
    ("{ set_path: \"'a'\" }", '"a" must begin with /'),
    ("{ set_path: \"'/a?b'\" }", '"/a?b" must begin with / and be without a ?'),
    ("{ set_path: \"'/a b'\" }", "can't stand in a request line"),
    ("{ set_query: \"'a#b'\" }", "can't stand in a request line"),
])
def test_what_would_always_fail_is_an_error_when_loaded(noxy, rule, message):
    done = check(noxy, [rule])
    assert done.returncode == 1 and message in done.stderr and "conf.yaml:6:" in done.stderr, done.stderr


def test_what_is_always_good_loads(noxy):
    done = check(noxy, ["{ set_header: { Host: \"'a:80'\", X-A: \"'a\tb'\" }, set_path: \"'/a'\", set_query: \"''\" }",
                        "{ when: \"path == '/'\", redirect: \"'/a%20b'\" }"])
    assert done.returncode == 0, done.stderr


def test_a_line_of_log_is_neither_cut_nor_forged(noxy, origins):
    lb = start(noxy, origins, {"name": "says", "log": "'<' + url_decode(query) + '>'"})
    assert lb.get('/?a%00b%0d%0a"c').status == 200
    assert lb.wait_log("INFO", "rule says")[0].message.endswith(r": <a\x00b\x0d\x0a\x22c>")


def test_a_name_that_no_backend_has_is_told_whole(noxy, origins):
    lb = start(noxy, origins, {"when": "query != ''", "use_backend": "url_decode(query)"})
    assert lb.get("/?a%00b%22").status == 503
    assert r'there is no backend "a\x00b\x22"' in lb.wait_log("WARN", "there is no backend")[0].message


def test_a_failure_s_words_are_told_whole(noxy, origins):
    lb = start(noxy, origins, {"set_path": "'/' + url_decode(query)"})
    assert lb.get("/?a%00b").status == 500
    assert r'"/a\x00b" can' in lb.wait_log("WARN", "failed")[0].message


def test_failures_of_a_rule_are_told_once_in_a_while(noxy, origins):
    lb = start(noxy, origins, {"name": "bad", "when": "path == '/bad'", "set_path": "'/' + url_decode(query)"},
               {"name": "worse", "when": "path == '/worse'", "set_path": "'/' + url_decode(query)"}, threads=1)
    for _ in range(20):
        assert lb.get("/bad?%00").status == 500
    assert lb.get("/worse?%00").status == 500
    lb.wait_log("WARN", "rule worse failed")
    assert len(lb.wait_log("WARN", "rule bad failed")) == 1
    lb.wait_total("frontend", "reasons.rule_failed", 21)
