"""Configurations for tests of rules: a frontend `main` and any number of backends, each with keys of its own."""
from configs import section
from ports import free_port


def compose(pools, frontend=None, backends=None, general=None):
    """`pools`: servers by backend's name, the first being the default; `backends`: keys by backend's name."""
    front = {"name": "main", "bind": [{"addr_port": f"127.0.0.1:{free_port()}"}], "maxconn": 1000}
    if pools:
        front["use_backend"] = next(iter(pools))
    rows = [{"name": name, "servers": [o.server() for o in servers], **(backends or {}).get(name, {})}
            for name, servers in pools.items()]
    text = section("global", {"threads": 2, "health_check": 1000, **(general or {})})
    text += section("frontend", [{**front, **(frontend or {})}])
    return text + (section("backend", rows) if rows else "")


def quoted(text):
    """A text as a literal of the expression language."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
