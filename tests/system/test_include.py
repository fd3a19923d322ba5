"""A configuration over several files: it loads and reloads as a whole, and errors point into the right file."""
import json
import os

import clients
from ports import free_port

MAIN = """\
global:
  threads: 1
  health_check: 1s
include: conf.d/*.yaml
frontend:
  - name: main
    bind: 127.0.0.1:{port}
    use_backend: pool
"""
POOL = """\
backend:
  - name: pool
    servers:
      include: ../servers/*.yaml
"""


def put(lb, name, text):
    path = lb.path(name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".new", "w", encoding="utf-8") as f:
        f.write(text)
    os.replace(path + ".new", path)


def put_server(lb, origin):
    put(lb, f"servers/{origin.name}.yaml", json.dumps(origin.server()) + "\n")


def start(noxy, origins, count=1):
    lb = noxy.prepare(MAIN.format(port=free_port()))
    put(lb, "conf.d/pool.yaml", POOL)
    for origin in origins[:count]:
        put_server(lb, origin)
    lb.launch()
    lb.wait_ready()
    return lb


def test_a_configuration_over_several_files_serves(noxy, origins):
    lb = start(noxy, origins(2), 2)
    assert {lb.get().server for _ in range(4)} == {"web1", "web2"}


def test_a_reload_reads_the_included_files_anew(noxy, origins):
    pool = origins(2)
    lb = start(noxy, pool)
    assert lb.get().server == "web1"
    put_server(lb, pool[1])
    assert "added server pool:web2" in lb.ctl("reload").stdout
    assert {lb.get().server for _ in range(4)} == {"web1", "web2"}
    os.unlink(lb.path("servers/web1.yaml"))
    port = free_port()
    put(lb, "conf.d/second.yaml", f"frontend: {{ name: second, bind: 127.0.0.1:{port}, use_backend: pool }}\n")
    told = lb.ctl("reload").stdout
    assert "removed server pool:web1" in told and "added frontend second" in told
    assert {clients.get(port).server for _ in range(4)} == {"web2"}


def test_a_failed_reload_names_the_included_file_and_changes_nothing(noxy, origins):
    pool = origins(1)
    lb = start(noxy, pool)
    lb.expect_error("")
    put(lb, "servers/z.yaml", "- addr_port: 127.0.0.1:1\n  wieght: 5\n")
    told = lb.ctl("reload", code=1).stderr
    assert "servers/z.yaml:2:3: unknown key \"wieght\"" in told and "did you mean \"weight\"" in told
    lb.wait_log("ERROR", r"servers/z\.yaml:2:3: unknown key")
    os.unlink(lb.path("servers/z.yaml"))
    put(lb, "conf.d/again.yaml", "include: ../noxy.yaml\n")
    told = lb.ctl("reload", code=1).stderr
    assert "conf.d/again.yaml:1:10: " in told and "noxy.yaml includes " in told
    assert {lb.get().server for _ in range(3)} == {"web1"} and lb.info()["generation"] == 1


def test_the_check_shows_the_line_of_the_included_file(noxy):
    folder = noxy.folder()
    os.mkdir(os.path.join(folder, "conf.d"))
    files = {"conf.yaml": "include: [conf.d/*.yaml, none/*.yaml]\n"
                          "frontend: { name: f, bind: '*:1', use_backend: own }\n"
                          "backend: { name: own, servers: 127.0.0.1:1 }\n",
             "conf.d/a.yaml": "backend:\n  - name: a\n    balance: lestconn\n    servers: 127.0.0.1:1\n",
             "conf.d/b.yaml": "- not a map\n"}
    for name, text in files.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
            f.write(text)
    done = noxy.run("-t", "-c", "conf.yaml", cwd=folder)
    assert done.returncode == 1
    assert "conf.d/b.yaml:1:1: a file that is included here must be a map of sections" in done.stderr
    os.unlink(os.path.join(folder, "conf.d/b.yaml"))
    done = noxy.run("-t", "-c", "conf.yaml", cwd=folder)
    assert "conf.d/a.yaml:3:14: " in done.stderr and "    3 |     balance: lestconn\n" in done.stderr
    with open(os.path.join(folder, "conf.d/a.yaml"), "w", encoding="utf-8") as f:
        f.write(files["conf.d/a.yaml"].replace("lest", "least"))
    done = noxy.run("-t", "-c", "conf.yaml", cwd=folder)
    assert (done.returncode, done.stdout) == (0, "configuration conf.yaml is valid\n"), done.stderr
    assert "no file is like \"none/*.yaml\"" in done.stderr
    assert "conf.d/a.yaml:2:5: nothing uses backend \"a\"" in done.stderr


def test_a_backend_that_nothing_uses_is_warned_of(noxy, origins):
    lb = noxy.start(backend=origins(1))
    assert not lb.log("WARN")
    with open(lb.config, encoding="utf-8") as f:
        text = f.read()
    lb.reload(text + "  - { name: spare, servers: 127.0.0.1:1 }\n")
    lb.wait_log("WARN", 'nothing uses backend "spare"')
