"""The manual of conditions is true: each example of docs/rules.md and of the tables' rows does what it says."""
import json
import os
import re
import shlex
import textwrap
from urllib.parse import urlsplit

import pytest

import clients
from harness import TOP
from origins import Origin
from ports import free_port

with open(os.path.join(TOP, "docs", "rules.md"), encoding="utf-8") as chapter:
    CHAPTER = chapter.read()
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
BLOCKS = [(CHAPTER[:m.start()].count("\n") + 1, m[1], m[2]) for m in FENCED.finditer(CHAPTER)]
# A file that the examples look into is named last before its block.
FILES = {re.findall(r"`(\w+\.(?:map|lst))`", CHAPTER[:m.start()])[-1]: m[2]
         for m in FENCED.finditer(CHAPTER) if m[1] == "text"}
BACKENDS = ("site", "api", "static", "shop", "beta")


def of_language(name):
    return [pytest.param(text, id=f"line{line}") for line, language, text in BLOCKS if language == name]


# ---- what an example's comments say ----

EXPECTATION = re.compile(
    r"^# (?P<method>[A-Z]+) (?P<url>\S+)(?: from (?P<source>\S+))?(?: with (?P<fields>.+?))?"
    r"(?: answered (?P<status>\d+)(?: (?P<answer>.+?))?)? -> (?P<what>\w+)"
    r"(?: asked for (?P<target>\S+))?(?: (?P<text>(?!with ).+?))?(?: with (?P<wanted>.+))?$")


def fields_of(text):
    """"A: b; C: d" as pairs; a field without a value must be absent."""
    pairs = (part.partition(":") for part in re.split(r"; (?=[A-Z][\w-]*:)", text or "") if part)
    return [(name, value.strip()) for name, _, value in pairs]


def expectations(text):
    lines = re.findall(r"^#.* -> .*$", text, re.M)
    found = [EXPECTATION.match(line) for line in lines]
    assert all(found), lines
    return found


class Answering(Origin):
    """Answers as the client's X-Answer asks for it."""

    def answer_name(self, c, request):
        status, *fields = json.loads(request.field("X-Answer") or "[200]")
        c.reply(status, self.name + "\n", {"X-Server": self.name, **dict(fields)})


@pytest.fixture
def servers():
    made = {}

    def make(name):
        if name not in made:
            made[name] = Answering(name, answer=Answering.answer_name)
        return made[name]
    yield make
    for origin in made.values():
        origin.stop()


def ask(lb, e):
    url = urlsplit(e["url"])
    fields = [("Host", url.netloc), *fields_of(e["fields"])]
    if e["source"]:
        fields.append(("X-Forwarded-For", e["source"]))
    if e["status"]:
        fields.append(("X-Answer", json.dumps([int(e["status"]), *fields_of(e["answer"])])))
    target = url.path + ("?" + url.query if url.query else "")
    return clients.get(lb.port, target, fields, method=e["method"], body=b"body" if e["method"] == "POST" else None)


def check(lb, servers, e):
    r = ask(lb, e)
    if e["what"].isdigit():
        assert r.status == int(e["what"]), e[0]
        seen = r
        if e["text"]:
            assert e["text"] == (r.field("Location") if 300 <= r.status < 400 else r.body.decode().strip()), e[0]
    else:
        assert (r.status, r.server) == (200, e["what"]), e[0]
        seen = servers(r.server).requests[-1]
        assert seen.target == (e["target"] or seen.target) and not e["text"], e[0]
    for name, value in fields_of(e["wanted"]):
        assert seen.field(name) == (value or None), e[0]


# ---- what they are run in ----

def around(rules, servers):
    """A part of a frontend in a whole configuration."""
    backends = "".join(f"  - {{ name: {name}, servers: [ {{ addr_port: {servers(name).addr_port} }} ] }}\n"
                       for name in BACKENDS)
    return (f"global: {{ threads: 1 }}\nfrontend:\n  - name: main\n    mode: http\n    bind: 127.0.0.1:{free_port()}\n"
            f"    trusted_proxies: 127.0.0.1\n    use_backend: site\n{textwrap.indent(rules, '    ')}"
            f"backend:\n{backends}").replace("global: { threads: 1 }", "global:\n  threads: 1")


def with_own_addresses(text, servers):
    """A whole configuration with the addresses of this test; a server is that of its backend."""
    text = re.sub(r"bind: 0\.0\.0\.0:\d+", lambda _: f"bind: 127.0.0.1:{free_port()}", text)
    head, backends = text.split("backend:\n")
    name = None

    def own(m):
        nonlocal name
        name = m["name"] or name
        return m[0] if m["name"] else f"addr_port: {servers(name).addr_port}"
    return "global:\n  threads: 1\n" + head + "backend:\n" + re.sub(
        r"- (?:\{ )?name: (?P<name>\w+)|addr_port: [\d.]+:\d+", own, backends)


def start(noxy, text):
    lb = noxy.prepare(text)
    for name, content in FILES.items():
        with open(lb.path(name), "w", encoding="utf-8") as f:
            f.write(content)
    lb.launch()
    lb.wait_ready()
    return lb


@pytest.mark.parametrize("text", of_language("yaml"))
def test_an_example_does_what_its_comments_say(noxy, servers, text):
    whole = not text.startswith("http_")
    lb = start(noxy, with_own_addresses(text, servers) if whole else around(text, servers))
    assert expectations(text)
    for e in expectations(text):
        check(lb, servers, e)


@pytest.mark.parametrize("text", of_language(""))
def test_an_expression_gives_what_stands_behind_it(noxy, servers, text):
    lines = [re.match(r"(.*?) +# ?(.*)$", line).groups() for line in text.splitlines()]
    rules = "http_condition:\n" + "".join(f"  - set_header: {{ X-{i}: {json.dumps(expression)} }}\n"
                                          for i, (expression, _) in enumerate(lines))
    lb = start(noxy, around(rules, servers))
    r = lb.get("/shop/list?page=2&q=a%20b", {"Host": "www.example.org", "Accept": "text/html"})
    assert r.status == 200
    seen = servers("site").requests[-1]
    assert [(expression, seen.field(f"X-{i}")) for i, (expression, _) in enumerate(lines)] == lines


EXPLAINED = """frontend:
  - { name: web, bind: "0.0.0.0:80", use_backend: site }
  - { name: db, mode: tcp, bind: "10.0.0.1:5432", use_backend: site }
backend:
  - { name: site, servers: [ { addr_port: 127.0.0.1:9 } ] }
"""


@pytest.mark.parametrize("text", of_language("sh"))
def test_the_commands_that_explain_do_so(noxy, servers, text):
    folder = noxy.folder()
    with open(os.path.join(folder, "noxy.yaml"), "w", encoding="utf-8") as f:
        f.write(EXPLAINED)
    with open(os.path.join(folder, "photo.jpg"), "wb") as f:
        f.write(b"not empty")
    lb = start(noxy, around("", servers).replace("name: main", "name: web"))
    for line in text.splitlines():
        program, *words = shlex.split(line)
        done = noxy.run(*words, cwd=folder) if program == "noxy" else lb.ctl(*words, cwd=folder)
        assert done.returncode == 0 and "goes to server" in done.stdout, (line, done.stdout, done.stderr)


def test_every_block_of_the_chapter_is_looked_at():
    assert {language for _, language, _ in BLOCKS} == {"yaml", "text", "sh", ""}
    assert len(FILES) == sum(language == "text" for _, language, _ in BLOCKS)
    assert set(FILES) == set(re.findall(r"'(\w+\.(?:map|lst))'", CHAPTER))
    assert sum(len(expectations(text)) for _, language, text in BLOCKS if language == "yaml") > 80


# ---- the rows ----

LISTS = {"hosts.lst": "blocked.example\n", "domains.lst": "*.blocked.example\n", "paths.lst": "/admin\n",
         "backends.map": "www.example.org web\n", "shares.map": "gold 20\n",
         "domains.map": ".example.org api\n", "paths.map": "/api api\n"}


@pytest.fixture
def reference(noxy):
    """The tables under "Conditions": rows of cells by heading."""
    text = noxy.run("--config-reference").stdout.split("\n# Conditions\n")[1]
    parts = re.split(r"^###? (.*)\n", text, flags=re.M)[1:]
    return {title: [[cell.strip().strip("`").replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
                    for line in re.findall(r"^\| `.*$", table, re.M)] for title, table in zip(parts[::2], parts[1::2])}


def rule(**keys):
    return f"  - {json.dumps(keys)}\n"


def check_rules(noxy, servers, rules):
    lb = noxy.prepare(around(rules, servers))
    for name, content in LISTS.items():
        with open(lb.path(name), "w", encoding="utf-8") as f:
            f.write(content)
    return lb, noxy.run("-t", "-c", lb.config, cwd=lb.dir)


def test_the_example_of_every_variable_and_function_is_valid_where_it_may_stand(noxy, servers, reference):
    rows = reference["Variables"] + reference["Functions"]
    assert len(rows) > 70
    at_request = [row[4] for row in rows if row[2] in ("http", "everywhere", "http_condition")]
    at_response = [row[4] for row in rows if row[2] != "http_condition"]
    rules = ("http_condition:\n" + rule(set_var={"tier": "'gold'"}) + "".join(rule(log=e) for e in at_request) +
             "http_response:\n" + "".join(rule(log=e) for e in at_response))
    done = check_rules(noxy, servers, rules)[1]
    assert done.returncode == 0, done.stderr
    for row in rows:
        assert row[0].split("(")[0] in row[4] and row[3], row


def test_the_example_of_a_function_that_needs_no_message_is_true(noxy, servers, reference):
    rows = [row for row in reference["Functions"] if row[2] == "everywhere"]
    rules = "http_condition:\n" + "".join(
        rule(when=f"!({row[4]})", respond={"status": 400, "body": row[4]}) for row in rows)
    lb, _ = check_rules(noxy, servers, rules)
    lb.launch()
    lb.wait_ready()
    r = lb.get()
    assert (len(rows) > 30, r.status, r.body) == (True, 200, b"site\n")


PLACES = {"In `http_condition of a frontend`": ("frontend", "http_condition"),
          "In `http_condition of a backend`": ("backend", "http_condition"),
          "In `http_response`": ("frontend", "http_response"),
          "In `tcp_condition`": ("frontend", "tcp_condition")}


@pytest.mark.parametrize("title", PLACES)
def test_the_example_of_every_action_is_valid(noxy, reference, title):
    section, key = PLACES[title]
    mode = "tcp" if key == "tcp_condition" else "http"
    rules = "".join(f"      - {{ when: true, {row[2]}{beside(row[0], section)} }}\n" for row in reference[title])
    assert rules
    lists = {section: f"    {key}:\n{rules}"}
    backends = "".join(f"  - name: {name}\n    servers: [ {{ addr_port: 127.0.0.1:1, name: web1 }} ]\n"
                       f"{lists.get('backend', '') if name == 'api' else ''}" for name in ("api", "db"))
    done = noxy.check(f"frontend:\n  - name: main\n    mode: {mode}\n    bind: 127.0.0.1:{free_port()}\n"
                      f"    use_backend: api\n{lists.get('frontend', '')}backend:\n{backends}")
    errors = [line for line in done.stderr.splitlines() if "error" in line]
    assert done.returncode == 0 and not errors, done.stderr


def beside(action, section):
    return ", use_backend: api" if action == "use_server" and section == "frontend" else ""
