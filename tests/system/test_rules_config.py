"""Mistakes in rules are errors when the configuration is loaded, each at its place."""
import pytest

HEAD = """frontend:
  - name: main
    bind: 127.0.0.1:1
    use_backend: site
"""
TAIL = """backend:
  - name: site
    servers: [ { addr_port: "127.0.0.1:2", name: web1 } ]
  - name: api
    servers: [ { addr_port: "127.0.0.1:3", name: api1 } ]
"""


def check(noxy, rules, key="http_condition"):
    return noxy.check(HEAD + f"    {key}:\n" + "".join(f"      - {rule}\n" for rule in rules) + TAIL)


@pytest.mark.parametrize("rule, message, hint", [
    ("{ use_backend: apo }", 'unknown backend "apo"', 'did you mean "api"?'),
    ("{ use_backend: \"'sit'\" }", 'unknown backend "sit"', 'did you mean "site"?'),
    ("{ use_backend: api, use_server: api2 }", 'unknown server "api2"', 'did you mean "api1"?'),
    ("{ use_server: api2, use_backend: \"'api'\" }", 'unknown server "api2"', 'did you mean "api1"?'),
    ("{ use_server: \"'api2'\", use_backend: \"'a' + 'pi'\" }", 'unknown server "api2"', 'did you mean "api1"?'),
    ("{ del_header: '*' }", "a * stands only at the end of a name", "X-Internal-*"),
    ("{ del_header: [ X-*-Foo ] }", "a * stands only at the end of a name", ""),
    ("{ del_header: X-** }", "a * stands only at the end of a name", ""),
    ("{ set_header: { X-A: \"'1'\", x-a: \"'2'\" } }", '"X-A" and "x-a" are the same field', "remove one"),
    ("{ set_var: { a: \"var('b')\", b: \"var('a')\" } }", 'the variables "b" and "a" set each other', "something else"),
    ("{ set_var: { a: \"var('a') + 'x'\" } }", 'the variable "a" is set from itself alone', ""),
    ("{ use_server: web1 }", '"use_server" needs a "use_backend" beside it', "move the rule to the backend"),
    ("{ name: nothing }", "the rule has no action", "deny: 403"),
    ("{ dney: 403 }", 'unknown key "dney"', 'did you mean "deny"?'),
    ("{ deny: 403, redirect: \"'/'\" }", '"deny" and "redirect" both end the list', "make two rules of it"),
    ("{ deny: 200 }", "must be between 400 and 599", ""),
    ("{ allow: false }", '"allow" can only be true', ""),
    ("{ allow: true, code: 301 }", '"code" belongs to "redirect"', ""),
    ("{ redirect: \"'/'\", code: 304 }", '"code" can\'t be "304"', ""),
    ("{ when: src_port, deny: 403 }", "bool", ""),
    ("{ set_header: { Connection: \"'close'\" } }", 'noxy sets the field "Connection" itself', ""),
    ("{ add_header: { Content-Length: \"'1'\" } }", 'noxy sets the field "Content-Length" itself', ""),
    ("{ del_header: transfer-encoding }", 'noxy sets the field "transfer-encoding" itself', ""),
    ("{ set_header: { X A: \"'1'\" } }", "can't be a header field's name", ""),
    ("{ set_header: { X-A: [ 1 ] } }", 'the value of "X-A" must be an expression', ""),
    ("{ set_header: X-A }", '"set_header" must be a map', ""),
    ("{ add_header: { Host: \"'a'\" } }", '"Host" may stand only once', "set_header"),
    ("{ del_header: Host }", "a request can't be without", ""),
    ("{ set_method: \"'CONNECT'\" }", "set_method can't make", ""),
    ("{ set_method: \"'HEAD'\" }", "set_method can't make", ""),
    ("{ set_var: { a b: \"'1'\" } }", "can't be a variable's name", ""),
    ("{ respond: { status: 204, body: x } }", "a response 204 has no body", ""),
    ("{ respond: { body: x, file: y } }", '"file" and "body" are both the body', ""),
    ("{ respond: { file: no-such-file } }", "cannot open", ""),
    ("{ respond: { headers: { Content-Type: \"'a'\" } } }", 'noxy sets the field "Content-Type" itself', "content_type"),
    ("{ set_status: 404 }", '"set_status" is a key of', ""),
    ("{ deny: 403, when: \"status == 200\" }", "status", ""),
])
def test_a_mistake_is_told(noxy, rule, message, hint):
    done = check(noxy, [rule])
    assert done.returncode == 1
    assert message in done.stdout + done.stderr and hint in done.stdout + done.stderr
    assert "conf.yaml:6:" in done.stdout + done.stderr or "cannot open" in message


@pytest.mark.parametrize("rule, message", [
    ("{ deny: 403 }", '"deny" is a key of'),
    ("{ set_status: 204 }", "set_status can't be 204"),
    ("{ set_status: 99 }", "set_status can't be 99"),
    ("{ set_status: path }", "int"),
    ("{ set_header: { Upgrade: \"'x'\" } }", 'noxy sets the field "Upgrade" itself'),
])
def test_a_mistake_in_rules_of_responses(noxy, rule, message):
    done = check(noxy, [rule], "http_response")
    assert done.returncode == 1 and message in done.stdout + done.stderr


def test_a_variable_has_one_type(noxy):
    done = check(noxy, ["{ set_var: { n: '1' } }", "{ set_var: { n: \"'one'\" } }", "{ when: \"var('m') == 1\", deny: 403 }"])
    text = done.stdout + done.stderr
    assert done.returncode == 1 and '"n" is string here and int at line 6' in text and "conf.yaml:8:" in text


def test_variables_may_be_made_of_each_other_anywhere(noxy):
    done = check(noxy, ["{ set_header: { X-B: \"var('b') + '!'\" } }", "{ set_var: { b: \"sprintf('%s', var('a') + 1)\" } }",
                        "{ set_var: { a: \"1\" } }"])
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_backend_s_rules_send_nowhere_else(noxy):
    done = noxy.check(HEAD + TAIL.replace("name: api\n", "name: api\n    http_condition: [ { use_backend: site } ]\n"))
    assert done.returncode == 1 and '"use_backend"' in done.stdout + done.stderr
    done = noxy.check(HEAD + TAIL.replace("name: api\n", "name: api\n    http_condition: [ { use_server: web1 } ]\n"))
    assert done.returncode == 1 and 'unknown server "web1"' in done.stdout + done.stderr


def test_rules_of_the_other_mode(noxy):
    done = noxy.check("defaults: { mode: tcp }\n" + HEAD + "    http_condition: [ { deny: 403 } ]\n"
                      "    http_response: [ { del_header: A } ]\n" + TAIL)
    text = done.stdout + done.stderr
    assert "http_condition has no effect in mode tcp" in text and "http_response has no effect in mode tcp" in text
    done = noxy.check(HEAD + "    tcp_condition: [ { reject: true } ]\n" + TAIL)
    assert "tcp_condition has no effect in mode http" in done.stdout + done.stderr


def test_a_request_is_nothing_that_connections_know(noxy):
    done = noxy.check(HEAD.replace("use_backend", "mode: tcp\n    use_backend") +
                      "    tcp_condition: [ { when: \"path == '/'\", reject: true } ]\n" + TAIL)
    assert done.returncode == 1 and "path" in done.stdout + done.stderr


def test_good_rules_load(noxy):
    done = check(noxy, ["{ name: to-https, when: \"scheme == 'http'\", redirect: \"sprintf('https://%s%s', host, uri)\" }",
                        "{ use_backend: api, use_server: api1 }"])
    assert done.returncode == 0, done.stdout + done.stderr


def test_two_rules_of_a_list_can_not_have_one_name(noxy):
    done = check(noxy, ["{ name: x, when: \"path == '/a'\", deny: 403 }", "{ name: x, when: \"path == '/b'\", deny: 404 }"])
    assert done.returncode == 1
    assert 'conf.yaml:7:' in done.stderr and 'two rules of this list are called "x": the first is at line 6' in done.stderr


def test_a_variable_may_be_set_from_itself_once_it_is_set(noxy):
    done = check(noxy, ["{ set_var: { a: \"'x'\" } }", "{ set_var: { a: \"var('a') + 'y'\" } }"])
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("expression, message", [
    ("path == '/' ? 'site' : 'apo'", 'conf.yaml:6:24: unknown backend "apo"'),
    ("path == '/' ? (host == 'a' ? 'sit' : 'api') : 'site'", 'conf.yaml:6:24: unknown backend "sit"'),
    ("map(host, 'good.map', 'apj')", 'conf.yaml:6:24: unknown backend "apj"'),
    ("map(host, 'bad.map', 'api')", 'bad.map:3:3: unknown backend "apo"'),
    ("path == '/' ? map(src, 'nets.map') : 'site'", 'nets.map:2:13: unknown backend "ap"'),
    ("map_domain(host, 'bad.map')", 'bad.map:3:3: unknown backend "apo"'),
    ("map_path(path, 'paths.map')", 'paths.map:1:4: unknown backend "none"'),
    ("map(host, 'good.map', 'api')", None),
    ("path == '/' ? map(host, 'good.map') : header('x-to')", None),
])
def test_backends_that_an_expression_can_give_are_known_when_loaded(noxy, expression, message):
    folder = noxy.folder()
    files = {"good.map": "a site\nb api\n", "bad.map": "# hosts\na site\nb apo # no\n", "nets.map": "10.0.0.0/8 api\n10.1.0.0/16 ap\n",
             "paths.map": "/a none\n"}
    text = HEAD + f"    http_condition:\n      - {{ use_backend: \"{expression}\" }}\n" + TAIL
    for name, content in {**files, "conf.yaml": text}.items():
        with open(f"{folder}/{name}", "w", encoding="utf-8") as f:
            f.write(content)
    done = noxy.run("-t", "-c", "conf.yaml", cwd=folder)
    assert done.returncode == (1 if message else 0), done.stderr
    assert not message or message in done.stderr, done.stderr
