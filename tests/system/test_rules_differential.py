"""Generated requests go where HAProxy and nginx send them, whose rules say the same.

What is left out, for they don't mean the same by it: percent-encoded and doubled slashes and dots in paths (nginx matches
the normalized path), arguments with %XX or + (noxy decodes them, HAProxy doesn't), several fields of one name (HAProxy
looks at each value between commas, nginx at the first or at all), and hosts with a dot at their end; for HAProxy an
argument that is there twice (it looks at both), for nginx one in other letters (its names of arguments have no case).
"""
import json
import os
import random
import socket
import subprocess

import pytest

from clients import Connection, head
from configs import section
from ports import free_port
from waiting import wait_for

COUNT, BATCH = 10_000, 100
HOSTS = ["www.example.org", "api.example.org", "img.example.org", "a.shop.example.org", "shop.example.org",
         "ashop.example.org", "v1.beta.example.net", "v.beta.example.net", "beta.example.net", "example.org",
         "mapped1.example.com", "mapped2.example.com", "mapped33.example.com", "unmapped.example.com", "API.Example.ORG",
         "www.example.org:8080", "Mapped2.example.com:81"]
PATHS = ["/", "/health", "/health/", "/healthy", "/static", "/static/", "/static/a.css", "/staticx", "/api/v1/users",
         "/api/v12/users/7", "/api/vx/users", "/api/", "/a/b.php", "/a/b.php5", "/a/b.PHP", "/index.html", "/admin",
         "/admin/x", "/old/1234/page", "/old/12/page", "/old/12345/page", "/x.y-z_~", "/Health", "/upload", "/items;v=1"]
QUERIES = ["", "?", "?version=2", "?version=22", "?a=b&version=2", "?xversion=2", "?version=1&version=2", "?debug",
           "?debug=1", "?a=b&debug=", "?nodebug=1", "?q=version=2", "?VERSION=2"]
METHODS = ["GET"] * 6 + ["HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]
AGENTS = [None, "Mozilla/5.0", "BadBot/1.0", "mybadbot", "Bad Bot", "curl/8", "scrapy curl"]
COOKIES = [None, "beta=yes", "beta=no", "a=1; beta=yes", "xbeta=yes", "beta=yesyes", "a=1; b=2", "Beta=yes"]
TESTER = [None, None, None, "1", "0", "", "11"]
SOURCES = ["127.0.0.1", "127.1.0.1", "127.1.255.9", "127.2.0.1", "127.7.7.7", "127.7.7.8"]
MAP = {f"mapped{i}.example.com": "pool_b" if i % 2 else "pool_c" for i in range(50)}
POOLS = ["pool_" + letter for letter in "abcdefghijklmnop"]

# In order, the first that holds decides: noxy's condition, HAProxy's, nginx's, and where that leads. nginx's are variables
# with what each must be, all of them; None: there is no way to say it.
RULES = [
    ("path =~ '^/old/[0-9]{3,4}/'", "path_reg ^/old/[0-9]{3,4}/", [("$uri", "~^/old/[0-9]{3,4}/")], "pool_d"),
    ("in_net(src, '127.1.0.0/16') && host == 'api.example.org'",
     "src 127.1.0.0/16 } { hdr(host),host_only -i api.example.org",
     [("$net1", "1"), ("$host", "api.example.org")], "pool_e"),
    ("src in ('127.7.7.7', '127.2.0.1') && starts_with(path, '/admin')", "src 127.7.7.7 127.2.0.1 } { path_beg /admin",
     [("$net7", "1"), ("$uri", "~^/admin")], "pool_f"),
    ("method == 'DELETE' || method in ('PUT', 'PATCH')", "method DELETE PUT PATCH",
     [("$request_method", "~^(DELETE|PUT|PATCH)$")], "pool_g"),
    ("header('user-agent') =~ '(?i)badbot'", "hdr_reg(user-agent) -i badbot", [("$http_user_agent", "~*badbot")], "pool_h"),
    ("cookie('beta') == 'yes'", "req.cook(beta) yes", [("$http_cookie", "~(^|; )beta=yes(;|$)")], "pool_i"),
    ("has_header('x-tester') && header('x-tester') != '0'", "hdr_cnt(x-tester) gt 0 } !{ hdr(x-tester) 0",
     None, "pool_j"),
    ("arg('version') == '2'", "urlp(version) 2", [("$arg_version", "2")], "pool_k"),
    ("has_arg('debug')", "query -m reg (^|&)debug(=|&|$)", [("$args", "~(^|&)debug(=|&|$)")], "pool_l"),
    ("path == '/health'", "path /health", [("$uri", "/health")], "pool_m"),
    ("starts_with(path, '/static/')", "path_beg /static/", [("$uri", "~^/static/")], "pool_n"),
    (r"path =~ '\.php$'", r"path_reg \\.php$", [("$uri", r"~\.php$")], "pool_o"),
    ("ends_with(host, '.shop.example.org') || host =~ '^v[0-9]+[.]beta[.]'",
     "hdr(host),host_only,lower -m reg ([.]shop[.]example[.]org$)|(^v[0-9]+[.]beta[.])",
     [("$host", "~([.]shop[.]example[.]org$)|(^v[0-9]+[.]beta[.])")], "pool_p"),
]


# ---- configurations ----

def write_map(folder):
    with open(os.path.join(folder, "hosts.map"), "w", encoding="ascii") as f:
        f.writelines(f"{host} {pool}\n" for host, pool in MAP.items())


def noxy_text(rules, port, folder):
    conditions = [{"when": when, "use_backend": pool} for when, _, _, pool in rules]
    conditions.append({"when": "map(host, 'hosts.map') != ''", "use_backend": "map(host, 'hosts.map')"})
    backends = [{"name": pool, "servers": [{"addr_port": "127.0.0.1:1"}],
                 "http_condition": [{"respond": {"headers": {"X-Pool": "backend"}}}]} for pool in POOLS]
    write_map(folder)
    return (section("global", {"threads": 1}) + section("frontend", [
        {"name": "main", "bind": f"127.0.0.1:{port}", "use_backend": "pool_a", "http_condition": conditions}]) +
        section("backend", backends))


def haproxy_text(rules, port, folder):
    write_map(folder)
    pools = "".join(f"backend {pool}\n  http-request return status 200 hdr X-Pool {pool}\n" for pool in POOLS)
    chosen = "".join(f"  use_backend {pool} if {{ {test} }}\n" for _, test, _, pool in rules)
    return (f"defaults\n  mode http\n  timeout client 60s\n  timeout server 60s\n  timeout connect 5s\n"
            f"frontend main\n  bind 127.0.0.1:{port}\n{chosen}"
            f"  use_backend %[hdr(host),host_only,lower,map({folder}/hosts.map)] "
            f"if {{ hdr(host),host_only,lower,map({folder}/hosts.map) -m found }}\n  default_backend pool_a\n{pools}")


def nginx_text(rules, port, folder):
    """A chain of maps: each says its pool, or what the next says."""
    chain = "map $host $say_map { default pool_a; " + " ".join(f"{h} {p};" for h, p in MAP.items()) + " }\n"
    behind = "$say_map"
    for i, (_, _, tests, pool) in reversed(list(enumerate(rules))):
        subject = '"' + " # ".join(variable for variable, _ in tests) + '"'
        pattern = tests[0][1]
        if len(tests) > 1 or not pattern.startswith("~"):
            parts = [t[1:].replace("^", "", 1) + ".*" if t.startswith("~") else t.replace(".", "[.]") for _, t in tests]
            pattern = "~^" + " # ".join(parts) + "$"
        chain += f'map {subject} $say_{i} {{ default {behind}; "{pattern}" {pool}; }}\n'
        behind = f"$say_{i}"
    user = "user root;" if os.getuid() == 0 else ""
    temporary = " ".join(f"{kind}_temp_path {folder}/{kind};"
                         for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    return f"""\
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.err; {user}
events {{ worker_connections 1000; }}
http {{
access_log off; keepalive_requests 1000000; {temporary} map_hash_bucket_size 128; variables_hash_max_size 4096;
geo $net1 {{ default 0; 127.1.0.0/16 1; }}
geo $net7 {{ default 0; 127.7.7.7 1; 127.2.0.1 1; }}
{chain}
server {{ listen 127.0.0.1:{port}; merge_slashes off; add_header X-Pool {behind}; return 200 ""; }}
}}
"""


# ---- running them ----

@pytest.fixture
def peer(tmp_path):
    """Starts HAProxy or nginx."""
    running = []

    def start(name, text):
        path, port = tmp_path / f"{name}.conf", free_port()
        path.write_text(text(port, str(tmp_path)))
        command = {"haproxy": ["haproxy", "-db", "-f"], "nginx": ["nginx", "-p", str(tmp_path), "-c"]}[name]
        with open(tmp_path / f"{name}.out", "wb") as out:
            process = subprocess.Popen([*command, str(path)], stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        running.append(process)

        def listens():
            assert process.poll() is None, (tmp_path / f"{name}.out").read_text()
            with socket.socket() as s:
                return s.connect_ex(("127.0.0.1", port)) == 0
        wait_for(listens, f"{name} listens")
        return port
    yield start
    for process in running:
        process.terminate()
        process.wait()


def requests(seed, without):
    """(source, method, target, fields), sorted by source."""
    queries = [query for query in QUERIES if query != without]
    chance = random.Random(seed)
    made = []
    for _ in range(COUNT):
        fields = [("Host", chance.choice(HOSTS))]
        for name, values in (("User-Agent", AGENTS), ("Cookie", COOKIES), ("X-Tester", TESTER)):
            # One of them at a time, as a rule: else the first rules would decide nearly all.
            value = chance.choice(values) if chance.random() < 0.3 else None
            if value is not None:
                fields.append((name, value))
        target = chance.choice(PATHS) + (chance.choice(queries) if chance.random() < 0.4 else "")
        made.append((chance.choice(SOURCES), chance.choice(METHODS), target, fields))
    return sorted(made, key=lambda request: request[0])


def pools_of(port, asked):
    """The pool that answered each, over one kept connection a source, in batches."""
    found = []
    for source in SOURCES:
        own = [request for request in asked if request[0] == source]
        with Connection(port, source=source) as c:
            for at in range(0, len(own), BATCH):
                batch = own[at:at + BATCH]
                c.send(b"".join(head(method, target, fields + ([("Content-Length", "0")] if method in (
                    "POST", "PUT", "PATCH") else [])) for _, method, target, fields in batch))
                answers = [c.response(method) for _, method, _, _ in batch]
                assert {r.status for r in answers} == {200}
                found += [r.field("X-Pool") for r in answers]
    return found


def compare(noxy, port, rules, without):
    lb = noxy.prepare("global:\n  threads: 1\n")
    lb.write(noxy_text(rules, free_port(), lb.dir))
    lb.launch()
    lb.wait_ready()
    asked = requests(os.environ.get("SEED", "1"), without)
    own, theirs = pools_of(lb.port, asked), pools_of(port, asked)
    different = [(request, a, b) for request, a, b in zip(asked, own, theirs) if a != b]
    assert not different, f"{len(different)} of {len(asked)}; for example " + "\n".join(map(repr, different[:20]))
    counts = {pool: own.count(pool) for pool in POOLS}
    print(json.dumps(counts))
    chosen = {pool for *_, pool in rules} | {"pool_a", "pool_b", "pool_c"}
    assert all(counts[pool] >= 20 for pool in chosen), counts  # every rule decides some


def test_requests_go_where_haproxy_sends_them(noxy, peer):
    port = peer("haproxy", lambda port, folder: haproxy_text(RULES, port, folder))
    compare(noxy, port, RULES, without="?version=1&version=2")


def test_requests_go_where_nginx_sends_them(noxy, peer):
    rules = [rule for rule in RULES if rule[2]]
    port = peer("nginx", lambda port, folder: nginx_text(rules, port, folder))
    compare(noxy, port, rules, without="?VERSION=2")
