"""What is allowed in rules and can hardly be meant is warned of, with its place; the configuration is valid."""
import pytest

from test_rules_config import HEAD, TAIL

USES_API = "{ when: \"path == '/api'\", use_backend: api }"
HOST = "this redirect leads to whatever host the client names"
RULE = "nothing reaches this rule"
BACKEND = "nothing reaches this use_backend"


def warnings(noxy, *rules, key="http_condition", head=HEAD, tail=TAIL):
    done = noxy.check(head + f"    {key}:\n" + "".join(f"      - {rule}\n" for rule in (*rules, USES_API)) + tail)
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.mark.parametrize("when, place, message", [
    ("true", "6:17", "this condition always holds"),
    ("1 < 2 || path == '/'", "6:17", "this condition always holds"),
    ("!('a' == 'a')", "6:17", "this condition never holds"),
    ("path == '/' && upper('a') == 'a'", "6:17", "this condition never holds"),
    ("path == '/'", None, "this condition"),
])
def test_conditions_that_are_always_the_same(noxy, when, place, message):
    text = warnings(noxy, f'{{ when: "{when}", set_header: {{ A: "\'1\'" }} }}')
    assert (f"conf.yaml:{place}: {message}" in text) if place else message not in text, text


@pytest.mark.parametrize("rules, place", [
    (["{ deny: 403 }", "{ allow: true }"], "7:9"),
    (["{ allow: true }"], "7:9"),
    (["{ when: \"true\", redirect: \"'/'\" }"], "7:9"),
    (["{ set_header: { A: src } }", "{ when: \"false\", deny: 403 }"], None),
    (["{ when: \"path == '/'\", deny: 403 }"], None),
])
def test_rules_that_nothing_reaches(noxy, rules, place):
    text = warnings(noxy, *rules)
    assert (f"conf.yaml:{place}: {RULE}: the one at line 6 always ends the list" in text) if place else RULE not in text, text
    assert text.count(RULE) == bool(place)


@pytest.mark.parametrize("rules, told", [
    (["{ deny: 403 }"], True), (["{ use_backend: api }"], True), (["{ allow: true }"], False),
    (["{ when: \"path == '/'\", allow: true }", "{ deny: 403 }"], False),
    (["{ when: \"false\", allow: true }", "{ deny: 403 }"], True),
    (["{ when: \"path == '/'\", deny: 403 }"], False),
])
def test_a_use_backend_that_nothing_reaches(noxy, rules, told):
    text = warnings(noxy, *rules)
    assert (f"conf.yaml:4:5: {BACKEND}" in text) == told, text


@pytest.mark.parametrize("rules, told", [
    (["{ when: \"scheme == 'http'\", redirect: \"sprintf('https://%s%s', host, uri)\" }"], "6:47"),
    (["{ when: \"scheme == 'http'\", redirect: \"'https://' + header('Host') + uri\" }"], "6:47"),
    (["{ when: \"scheme == 'http'\", redirect: \"'https://' + lower(authority)\" }"], "6:47"),
    (["{ when: \"scheme == 'http'\", redirect: \"path == '/' ? '/a' : 'https://' + host\" }"], "6:47"),
    (["{ when: \"scheme == 'http'\", redirect: \"host == 'a' ? '/a' : '/b'\" }"], None),
    (["{ when: \"scheme == 'http'\", redirect: \"'https://www.example.org' + uri\" }"], None),
    (["{ when: \"scheme == 'http'\", redirect: \"sprintf('/%s', host == 'a')\" }"], None),
    (["{ when: \"scheme == 'http' && host == 'a'\", redirect: \"'https://' + host\" }"], None),
    (["{ when: \"host not in ('a', 'b')\", deny: 421 }", "{ when: \"path == '/'\", redirect: \"'https://' + host\" }"], None),
    (["{ when: \"host == 'a'\", set_header: { A: src } }", "{ when: \"path == '/'\", redirect: \"'//' + host\" }"], "7:42"),
])
def test_redirects_to_whatever_host_the_client_names(noxy, rules, told):
    text = warnings(noxy, *rules)
    assert (f"conf.yaml:{told}: {HOST}" in text) if told else HOST not in text, text


def test_rules_of_connections_responses_and_backends(noxy):
    tcp = "defaults: { mode: tcp }\n" + HEAD
    done = noxy.check(tcp + "    tcp_condition: [ { reject: true }, { use_backend: api } ]\n" + TAIL)
    assert done.returncode == 0 and RULE in done.stderr and BACKEND in done.stderr
    done = noxy.check(HEAD + "    http_response: [ { allow: true }, { del_header: A } ]\n" + TAIL)
    assert done.returncode == 0 and RULE in done.stderr and BACKEND not in done.stderr
    tail = TAIL.replace("name: site\n", "name: site\n    http_condition: [ { deny: 404 }, { allow: true } ]\n")
    done = noxy.check(HEAD + tail)
    assert done.returncode == 0 and RULE in done.stderr and BACKEND not in done.stderr


def test_no_warning_beside_an_error(noxy):
    done = noxy.check(HEAD + "    http_condition: [ { when: \"nothing\", deny: 403 }, { deny: 403 } ]\n" + TAIL)
    assert done.returncode == 1 and RULE not in done.stderr


def test_the_place_of_another_file_is_told(noxy, tmp_path):
    (tmp_path / "first.yaml").write_text("- { deny: 403 }\n")
    (tmp_path / "conf.yaml").write_text(HEAD + "    http_condition:\n      - include: first.yaml\n      - { allow: true }\n" + TAIL)
    done = noxy.run("-t", "-c", "conf.yaml", cwd=tmp_path)
    assert done.returncode == 0 and f"conf.yaml:7:9: {RULE}: the one at first.yaml:1 always" in done.stderr, done.stderr


def test_warnings_stand_in_the_log_at_a_start(noxy, origins):
    lb = noxy.start(backend=origins(1), http_condition=[{"when": "1 == 1", "set_header": {"A": "'1'"}}])
    lb.wait_log("WARN", "noxy.yaml:.*this condition always holds")
    assert lb.get().status == 200
