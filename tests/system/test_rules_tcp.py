"""tcp_condition: connections that are rejected or sent to a backend by their addresses."""
from clients import Connection
from origins import echo
from ports import free_port
from rules import compose


def name(origin, c):
    c.send(origin.name)


def start(noxy, origins, *rules, **frontend):
    pools = {"first": origins(1, raw=name), "second": origins(1, raw=name)}
    return noxy.start(compose(pools, {"mode": "tcp", "tcp_condition": list(rules), **frontend},
                              {n: {"health_check": False} for n in pools}))


def ask(lb, source=""):
    with Connection(lb.port, source=source) as c:
        return c.read_to_end()


def test_a_backend_by_the_client_s_address(noxy, origins):
    lb = start(noxy, origins, {"when": "in_net(src, '127.0.0.2')", "use_backend": "second"})
    assert (ask(lb), ask(lb, "127.0.0.2"), ask(lb)) == (b"web1", b"web2", b"web1")


def test_rejected_connections_end(noxy, origins):
    lb = start(noxy, origins, {"when": "src == '127.0.0.2'", "allow": True},
               {"name": "closed", "when": "in_net(src, '127.0.0.0/29')", "reject": True},
               access_log={"path": "access.log", "format": "text"})
    assert (ask(lb, "127.0.0.2"), ask(lb, "127.0.0.3"), ask(lb, "127.0.0.9")) == (b"web1", b"", b"web1")
    lb.wait_total("frontend", "reasons.rejected", 1)
    lb.wait_idle()
    lb.stop()
    with open(lb.path("access.log"), encoding="utf-8") as f:
        line = next(line for line in f if "127.0.0.3" in line)
    assert "end=rejected/noxy rule=closed" in line


def test_a_backend_by_the_address_that_was_connected_to(noxy, origins):
    lb = start(noxy, origins, {"when": "dst == '127.0.0.5' && dst_port > 0", "use_backend": "'second'"},
               bind=[{"addr_port": f"0.0.0.0:{free_port()}"}])
    with Connection(("127.0.0.5", lb.port)) as c:
        assert c.read_to_end() == b"web2"
    assert ask(lb) == b"web1"


def test_an_unknown_backend_ends_the_connection(noxy, origins):
    lb = start(noxy, origins, {"use_backend": "sprintf('pool-%s', src_port)"})
    assert ask(lb) == b""
    lb.wait_log("WARN", "there is no backend")
    lb.wait_total("frontend", "reasons.unknown_backend", 1)


def test_bytes_flow_after_a_rule(noxy, origins):
    lb = noxy.start(compose({"pool": origins(1, raw=echo)}, {"mode": "tcp", "tcp_condition": [{"allow": True}]}))
    with lb.connect() as c:
        c.send("hello")
        assert c.read(5) == b"hello"


def test_without_use_backend_what_no_rule_sends_is_closed(noxy, origins):
    text = compose({"pool": origins(1, raw=name)}, {"mode": "tcp", "tcp_condition": [
        {"when": "src == '127.0.0.2'", "use_backend": "pool"}]}, {"pool": {"health_check": False}})
    lb = noxy.start(text.replace('"use_backend": "pool", "mode"', '"mode"'))
    assert (ask(lb, "127.0.0.2"), ask(lb)) == (b"web1", b"")
    lb.wait_total("frontend", "reasons.no_backend", 1)
