"""The configuration: what is wrong is told with its exact place and a way out."""
import os

import pytest

from configs import compose
from ports import free_port
from test_balance import FIRST

VALID = """\
frontend:
  - name: web
    bind: [ { addr_port: "127.0.0.1:18080" } ]
    use_backend: site
backend:
  - name: site
    servers: [ { addr_port: "127.0.0.1:18081" } ]
"""


def changed(old, new):
    assert old in VALID
    return VALID.replace(old, new, 1)


# what is wrong: the file, where noxy finds it, what it says, and the way out (perhaps none)
WRONG = {
    "unknown key": (changed("use_backend", "use_backnd"), "4:5", 'unknown key "use_backnd"', "use_backend"),
    "unknown section": (changed("frontend", "frontends"), "1:1", "frontends", "frontend"),
    "unknown key of a server": (changed('{ addr_port: "127.0.0.1:18081"', '{ adr_port: "127.0.0.1:18081"'), "7:18",
                                "adr_port", "addr_port"),
    "unknown use_backend": (changed("use_backend: site", "use_backend: sites"), "4:18", "sites", "site"),
    "duplicate name": (VALID + "  - name: site\n    servers: [ { addr_port: '127.0.0.1:1' } ]\n", "8:11", "site", ""),
    "duplicate key": (changed("    use_backend: site", "    use_backend: site\n    use_backend: site"), "5:5",
                      "use_backend", ""),
    "a word for a number": (changed("  - name: web", "  - name: web\n    maxconn: many"), "3:14", "number", ""),
    "out of bounds": (changed("  - name: web", "  - name: web\n    maxconn: 0"), "3:14", "1", ""),
    "a bad time": (changed("  - name: web", "  - name: web\n    timeout_client: 10 parsecs"), "3:21", "time", ""),
    "a bad choice": (changed("  - name: web", "  - name: web\n    mode: htp"), "3:11", "htp", "http"),
    "a bad algorithm": (changed("  - name: site", "  - name: site\n    balance: roundrobbin"), "7:14", "roundrobbin",
                        "roundrobin"),
    "a bad port": (changed("127.0.0.1:18081", "127.0.0.1:99999"), "7:29", "port", ""),
    "no port": (changed("127.0.0.1:18081", "127.0.0.1"), "7:29", "port", ""),
    "a list for a name": (changed("name: web", "name: [ web ]"), "2:11", "", ""),
    "no name": (changed("name: web\n    bind", "bind"), "2:5", "name", ""),
    "no bind": (changed('    bind: [ { addr_port: "127.0.0.1:18080" } ]\n', ""), "2:5", "bind", ""),
    "a YAML error": (changed("use_backend: site", "use_backend: [ site"), "5:8", "", ""),
    "a tab": (changed("    use_backend", "\tuse_backend"), "4:1", "", ""),
    "not a map": ("- 1\n- 2\n", "1:1", "", ""),
}


@pytest.mark.parametrize("text, place, message, hint", WRONG.values(), ids=WRONG.keys())
def test_a_mistake_is_told_with_its_place(noxy, text, place, message, hint):
    done = noxy.check(text)
    assert done.returncode == 1
    line = int(place.split(":")[0])
    told = [t for t in done.stderr.splitlines() if t.startswith(f"conf.yaml:{place}: ")]
    assert any(message in t for t in told) and hint in done.stderr, done.stderr
    shown = text.splitlines()[line - 1].replace("\t", " ")
    assert f"{line} | {shown}\n" in done.stderr and "^" in done.stderr


def test_a_valid_file_is_said_to_be_valid(noxy):
    done = noxy.check(VALID)
    assert (done.returncode, done.stdout.strip()) == (0, "configuration conf.yaml is valid")


def test_all_mistakes_are_told_in_the_order_of_their_places(noxy):
    text = VALID.replace("name: web", "nam: web").replace("use_backend: site", "use_backend: no")
    text = text.replace("127.0.0.1:18081", "127.0.0.1:0")
    told = [line for line in noxy.check(text).stderr.splitlines() if line.startswith("conf.yaml:")]
    lines = [int(line.split(":")[1]) for line in told]
    assert lines == sorted(lines) and {2, 4, 7} <= set(lines)


@pytest.mark.parametrize("text, told", [("", "empty"), ("# nothing\n", "empty"), ("~\n", "frontend"),
                                        ("global:\n  maxconn: 10\n", "frontend")])
def test_a_file_without_a_frontend_is_refused(noxy, text, told):
    done = noxy.check(text)
    assert done.returncode == 1 and told in done.stderr


def test_bytes_that_are_no_yaml_are_refused(noxy):
    folder = noxy.folder()
    for number, content in enumerate([os.urandom(10_000), b"\0" * 100, b"\xff\xfe", b"a: &a [*a, *a]\n",
                                      b"[" * 100_000, b"a:\n" * 10_000, b"- " * 50_000]):
        path = os.path.join(folder, f"{number}.yaml")
        with open(path, "wb") as f:
            f.write(content)
        done = noxy.run("-t", "-c", path)
        assert done.returncode == 1 and path in done.stderr, (number, done)


@pytest.mark.parametrize("path, why", [("missing.yaml", "No such file"), (".", "irectory")])
def test_a_file_that_cannot_be_read_is_told(noxy, path, why):
    done = noxy.run("-t", "-c", path, cwd=noxy.folder())
    assert done.returncode == 1
    assert path in done.stderr and why in done.stderr


def test_an_error_at_start_ends_with_1_and_leaves_nothing(noxy):
    lb = noxy.prepare(changed("use_backend: site", "use_backend: no"))
    told = lb.fails_to_start()
    assert "use_backend" in told and "^" in told
    assert not os.listdir(lb.path("run"))


def test_a_port_in_use_is_told_at_start(noxy, origins):
    taken = origins(1)[0]
    lb = noxy.prepare(compose(taken.port, origins))
    told = lb.fails_to_start()
    assert f"127.0.0.1:{taken.port}" in told and "in use" in told
    assert not os.listdir(lb.path("run"))


@pytest.mark.parametrize("args, code", [(["-h"], 0), (["-v"], 0), (["--nonsense"], 2), (["-c"], 2), (["extra"], 2)])
def test_the_command_line(noxy, args, code):
    done = noxy.run(*args)
    assert done.returncode == code
    assert (done.stdout if code == 0 else done.stderr).strip()


def test_the_reference_documents_every_key_that_is_accepted(noxy):
    text = noxy.run("--config-reference").stdout
    for key in ("access_log", "addr_port", "admin_socket", "balance", "bind", "drain_timeout", "group", "health_check",
                "log", "maxconn", "mode", "overflow", "pid_file", "respond", "retries", "threads", "timeout_client",
                "timeout_connect", "timeout_http_request", "timeout_keepalive", "timeout_server", "timeout_tunnel",
                "use_backend", "user", "weight", "when_down"):
        assert f"{key}" in text, key


def test_the_first_configuration_is_valid_as_written(noxy):
    assert noxy.check(FIRST.format(maxconn=1, port=3030, a=8000, b=8001)).returncode == 0


def test_units(noxy, origins):
    a = origins(1)[0]
    lb = noxy.start(f"""\
global:
  workers: 1
  health_check: 1s
  drain_timeout: 1m
defaults:
  timeout_client: 500ms
  timeout_server: 2s
frontend:
  name: web
  bind: 127.0.0.1:{free_port()}
  use_backend: site
backend:
  name: site
  servers: {{ addr_port: 127.0.0.1:{a.port} }}
""")
    assert lb.get().status == 200
    assert len(lb.workers()) == 1
