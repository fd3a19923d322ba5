"""Makes noxy's configurations for tests from what differs from the plainest one."""
import json
import re

# Where compose() puts the keys that it is given by name; all others are the frontend's.
GLOBAL_KEYS = {"threads", "health_check", "drain_timeout", "log", "user", "group"}
BACKEND_KEYS = {"balance", "retries", "when_down", "timeout_connect", "timeout_server", "timeout_tunnel",
                "timeout_queue", "rewrite_location", "rewrite_cookies", "send_proxy"}


def section(name, value):
    """A section in YAML, each key's value in flow style (which is JSON)."""
    if isinstance(value, list):
        return f"{name}:\n" + "".join(f"  - {json.dumps(item)}\n" for item in value)
    return f"{name}:\n" + "".join(f"  {key}: {json.dumps(item)}\n" for key, item in value.items())


def compose(port, backend=(), servers=None, mode="http", general=None, **keys):
    """One frontend, `main`, and one backend, `pool`, with the origins or `servers` given. `general`: keys of global."""
    top = {"threads": 2, "maxconn": 1000, "health_check": 1000, **(general or {})}
    front = {"name": "main", "mode": mode, "bind": [{"addr_port": f"127.0.0.1:{port}"}], "maxconn": 1000}
    pool = {"name": "pool", "servers": servers or [o.server() for o in backend]}
    for key, value in keys.items():
        place = top if key in GLOBAL_KEYS else pool if key in BACKEND_KEYS else front
        place[key] = value
    if not isinstance(top["health_check"], int) or isinstance(top["health_check"], bool):
        pool["health_check"] = top.pop("health_check")
    if pool["servers"]:
        front["use_backend"] = "pool"
    text = section("global", top) + section("frontend", [front])
    return text + section("backend", [pool]) if pool["servers"] else text


def with_own_paths(text, socket, pid_file):
    """The configuration with these paths, whichever it had."""
    text = re.sub(r"^  (admin_socket|pid_file):.*\n", "", text, flags=re.M)
    own = f"global:\n  admin_socket: {socket}\n  pid_file: {pid_file}\n"
    text, found = re.subn(r"^global:\n", own, text, count=1, flags=re.M)
    return text if found else own + text


def bind_ports(text):
    """The ports that the frontends listen on, in the order of the file."""
    return [int(port) for port in re.findall(r'"?(?:addr_port|bind)"?: *["\']?[^\s"\',}\[{]*:(\d+)',
                                             text.split("\nbackend:")[0])]
