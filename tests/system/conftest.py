"""The fixtures of the system tests. See harness.py for what each test is checked for beside its own assertions."""
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from harness import NOXY, NOXYCTL, Factory, is_sanitized  # noqa: E402
from origins import Nginx, Origin, Unanswering  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "optimised: judges speed or size, so a sanitizer build would say little")
    for binary in (NOXY, NOXYCTL):
        if not os.access(binary, os.X_OK):
            raise pytest.UsageError(f"{binary} is missing: build first, or name it in NOXY and NOXYCTL")


def pytest_collection_modifyitems(items):
    if is_sanitized():
        for item in items:
            if item.get_closest_marker("optimised"):
                item.add_marker(pytest.mark.skip(reason="a sanitizer build"))


@pytest.fixture
def noxy():
    factory = Factory()
    yield factory
    faults = factory.judge()
    assert not faults, "\n".join(faults)


class Origins(list):
    """The fixture `origins`: calling it makes Python servers named web1, web2 ...; indexing finds them again."""

    def __call__(self, count, **keys):
        for _ in range(count):
            self.append(Origin(f"web{len(self) + 1}", **keys))
        return self[-count:]


@pytest.fixture
def origins():
    made = Origins()
    yield made
    for origin in made:
        origin.go.set()
        origin.stop()


@pytest.fixture
def nginx(tmp_path):
    """Makes real nginx servers: nginx(2)."""
    made = []

    def make(count):
        for _ in range(count):
            folder = tmp_path / f"nginx{len(made) + 1}"
            folder.mkdir()
            made.append(Nginx(f"nginx{len(made) + 1}", str(folder)))
        return made[-count:]
    yield make
    for server in made:
        server.stop()


@pytest.fixture
def unanswering():
    port = Unanswering()
    yield port
    port.stop()
