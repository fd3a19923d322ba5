"""The PROXY protocol with HAProxy and nginx, in front of noxy and behind it."""
import pytest

from clients import Connection
from ports import free_port
from proxies import Proxy

TOLD = {"http_condition": [{"set_header": {"X-Told": "sprintf('%s %s %s %s', src, src_port, dst, dst_port)"}}]}


@pytest.fixture
def proxy(tmp_path):
    """proxy(kind, text, **places) starts one."""
    made = []

    def make(kind, text, **places):
        folder = tmp_path / f"proxy{len(made)}"
        folder.mkdir()
        made.append(Proxy(str(folder), kind, text, **places))
        return made[-1]
    yield make
    for p in made:
        p.stop()
        print(p.story())


def ends(c):
    (source, source_port), (destination, port) = c.sock.getsockname(), c.sock.getpeername()
    return f"{source} {source_port} {destination} {port}"


# ---- in front ----

HAPROXY_FRONT = """
frontend front
  mode {mode}
  bind 127.0.0.1:{port}
  default_backend noxy
backend noxy
  mode {mode}
  server noxy 127.0.0.1:{noxy} {options}
"""

NGINX_FRONT = """
stream {{
  server {{ listen 127.0.0.1:{port}; proxy_pass 127.0.0.1:{noxy}; proxy_protocol on; }}
}}
"""


@pytest.mark.parametrize("mode", ["http", "tcp"])
@pytest.mark.parametrize("options", ["send-proxy", "send-proxy-v2", "send-proxy-v2 proxy-v2-options crc32c,unique-id",
                                     "send-proxy check inter 50ms", "send-proxy-v2 check inter 50ms"])
def test_haproxy_names_its_client_to_noxy(noxy, origins, proxy, options, mode):
    servers = origins(1)
    lb = noxy.start(backend=servers, bind=[{"addr_port": f"127.0.0.1:{free_port()}", "proxy_protocol": True}], **TOLD)
    front = proxy("haproxy", HAPROXY_FRONT, mode=mode, noxy=lb.port, options=options)
    for _ in range(5):
        with Connection(front.port) as c:
            for _ in range(3):
                assert c.get().status == 200
                assert servers[0].requests[-1].field("X-Told") == ends(c)
    assert lb.total("frontend", "reasons.client_no_proxy") == 0


def test_nginx_names_its_client_to_noxy(noxy, origins, proxy):
    servers = origins(1)
    lb = noxy.start(backend=servers, bind=[{"addr_port": f"127.0.0.1:{free_port()}", "proxy_protocol": True}], **TOLD)
    front = proxy("nginx", NGINX_FRONT, noxy=lb.port)
    with Connection(front.port) as c:
        for _ in range(3):
            assert c.get().status == 200
            assert servers[0].requests[-1].field("X-Told") == ends(c)


def test_noxy_names_its_client_to_noxy(noxy, origins):
    servers = origins(1)
    bind = [{"addr_port": f"127.0.0.1:{free_port()}", "proxy_protocol": True}]
    inner = noxy.start(backend=servers, bind=bind, **TOLD)
    for version in ("v1", "v2"):
        for mode in ("http", "tcp"):
            outer = noxy.start(servers=[{"addr_port": f"127.0.0.1:{inner.port}", "send_proxy": version}], mode=mode,
                               health_check=50)
            with outer.connect() as c:
                for _ in range(3):
                    assert c.get().status == 200
                    assert servers[0].requests[-1].field("X-Told") == ends(c)
    assert inner.total("frontend", "reasons.client_no_proxy") == 0 and not inner.log("WARN")


# ---- behind ----

HAPROXY_SERVER = """
frontend server
  bind 127.0.0.1:{port} accept-proxy
  http-request return status 200 content-type text/plain lf-string "%[src] %[src_port] %[dst] %[dst_port]"
"""

NGINX_SERVER = """
http {{
  server {{
    listen 127.0.0.1:{port} proxy_protocol;
    location / {{
      default_type text/plain;
      return 200 "$proxy_protocol_addr $proxy_protocol_port $proxy_protocol_server_addr $proxy_protocol_server_port";
    }}
  }}
}}
"""


@pytest.mark.parametrize("mode", ["http", "tcp"])
@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("kind, text", [("haproxy", HAPROXY_SERVER), ("nginx", NGINX_SERVER)])
def test_others_take_noxy_s_header(noxy, proxy, kind, text, version, mode):
    server = proxy(kind, text)
    lb = noxy.start(servers=[{"addr_port": f"127.0.0.1:{server.port}", "send_proxy": version}], mode=mode,
                    health_check=50)
    for _ in range(5):
        with lb.connect() as c:
            for _ in range(3):
                assert c.get().body.decode() == ends(c)
    assert not lb.log("WARN")


@pytest.mark.parametrize("kind, text", [("haproxy", HAPROXY_SERVER), ("nginx", NGINX_SERVER)])
@pytest.mark.parametrize("version", ["v1", "v2"])
def test_others_take_the_client_that_noxy_was_told(noxy, proxy, kind, text, version):
    server = proxy(kind, text)
    lb = noxy.start(servers=[{"addr_port": f"127.0.0.1:{server.port}", "send_proxy": version}],
                    bind=[{"addr_port": f"127.0.0.1:{free_port()}", "proxy_protocol": True}])
    with lb.connect() as c:
        c.send("PROXY TCP6 2001:db8::9 2001:db8::7 5000 443\r\n")
        assert c.get().body.decode() == "2001:db8::9 5000 2001:db8::7 443"
