"""The configurations that noxy comes with."""
import os

import clients
from harness import TOP
from ports import free_port


def read(name):
    with open(os.path.join(TOP, name), encoding="utf-8") as f:
        return f.read()


def test_the_demonstration_balances_over_its_own_two_servers(noxy):
    text = read("conf/demo.yaml")
    for port in (8000, 8001, 8002):
        text = text.replace(f"127.0.0.1:{port}", f"127.0.0.1:{free_port()}")
    lb = noxy.start(text)
    one, two = (clients.get(port).body for port in lb.ports[1:])
    assert (one, two) == (b"Hello from web server 1\n", b"Hello from web server 2\n")
    bodies = [lb.get().body for _ in range(10)]
    assert bodies in ([one, two] * 5, [two, one] * 5)


def test_the_shipped_configurations_are_valid(noxy):
    for name in ("conf/demo.yaml", "conf/noxy.yaml"):
        done = noxy.run("-t", "-c", os.path.join(TOP, name))
        assert done.returncode == 0, done.stderr
