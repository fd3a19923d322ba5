"""What the README shows is true: its configurations are valid, its commands work, its files exist."""
import glob
import os
import re
import subprocess

import pytest

import tls
from harness import NOXY, NOXYCTL, TOP
from ports import free_port

with open(os.path.join(TOP, "README.md"), encoding="utf-8") as readme:
    README = readme.read()


def blocks(language, page=README):
    """The fenced blocks of that language."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", page, re.M | re.S)
    return [text for name, text in found if name == language]


@pytest.mark.parametrize("text", blocks("yaml"))
def test_every_configuration_is_valid(noxy, text):
    done = noxy.check(text)
    assert done.returncode == 0, done.stderr


PLAIN = 'frontend:\n  - name: web\n    bind:\n      - addr_port: "*:8443"\n'
SITE = "backend:\n  - { name: site, servers: [ { addr_port: 127.0.0.1:9 } ] }\n"


def whole(text):
    """A part of a configuration as it would stand in one."""
    if text.startswith(" "):
        text = PLAIN + text
    if "frontend:" not in text:
        text = PLAIN + "    use_backend: site\n" + text
    if "use_backend" not in text:
        text += "    use_backend: site\n"
    return text if "backend:\n" in text else text + SITE


def with_certificates(text):
    """The files of TLS that it names, made for this test."""
    def made(name):
        pem, key = tls.certificate("www.example.org")
        return {"key": key, "pem": tls.authority()[0] if "ca" in name[1] else pem}[name[2]]
    return re.sub(r"/etc/noxy/([\w-]+)\.(pem|key)", made, text)


@pytest.mark.parametrize("path", glob.glob(os.path.join(TOP, "docs/*.md")), ids=os.path.basename)
def test_every_configuration_of_the_other_pages_is_valid(noxy, path):
    with open(path, encoding="utf-8") as page:
        for text in blocks("yaml", page.read()):
            if text.startswith("http_"):
                continue  # a part of one: test_manual.py
            done = noxy.check(with_certificates(whole(text)))
            assert done.returncode == 0, done.stderr


def test_the_mistake_is_told_as_shown(noxy):
    shown = next(text for text in blocks("") if "unknown key" in text)
    done = noxy.check(blocks("yaml")[0].replace("use_backend", "use_backnd"))
    assert shown.replace("noxy.yaml:", "conf.yaml:") in done.stderr


def test_the_explanation_is_as_shown(noxy):
    shown, = blocks("text")
    command, output = shown.removeprefix("$ noxy ").split("\n", 1)
    folder = noxy.folder()
    with open(os.path.join(folder, "noxy.yaml"), "w", encoding="utf-8") as f:
        f.write(next(text for text in blocks("yaml") if "http_condition" in text))
    done = noxy.run(*command.split(), cwd=folder)
    assert (done.returncode, done.stdout) == (0, output), done.stderr


def test_every_command_works_on_the_first_configuration(noxy, origins):
    text, port = blocks("yaml")[0], free_port()
    for shown, own in zip((8080, 8001, 8002), (port, *(o.port for o in origins(2)))):
        text = text.replace(f"127.0.0.1:{shown}", f"127.0.0.1:{own}")
    lb = noxy.start(text)
    commands = re.findall(r"^\$ (.*)\n((?:[^$`].*\n)?)", "".join(blocks("console")), re.M)
    assert len(commands) >= 7
    for command, output in commands:
        done = run_in(lb, command.replace("8080", str(port)))
        assert done.returncode == 0, (command, done.stderr)
        assert done.stdout == output if output else done.stdout, (command, done.stdout)


def run_in(lb, command):
    """Runs a command of the README beside that noxy: its binaries in the PATH, its socket the default one."""
    programs = lb.path("bin")
    os.makedirs(programs, exist_ok=True)
    for name, binary in (("noxy", NOXY), ("noxyctl", NOXYCTL)):
        if not os.path.lexists(os.path.join(programs, name)):
            os.symlink(binary, os.path.join(programs, name))
    environment = dict(os.environ, PATH=f"{programs}:{os.environ['PATH']}", NOXY_ADMIN_SOCKET=lb.socket)
    return subprocess.run(["sh", "-c", command], cwd=lb.dir, env=environment, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=60, check=False)


def test_what_it_links_to_exists():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert os.path.exists(os.path.join(TOP, target)), target


@pytest.mark.parametrize("script", ["contrib/quickstart", "contrib/check"])
def test_the_two_commands_can_be_run(script):
    assert script in README
    assert os.access(os.path.join(TOP, script), os.X_OK)
    assert subprocess.run(["sh", "-n", os.path.join(TOP, script)], check=False).returncode == 0
