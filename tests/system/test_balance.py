"""Which server gets a request."""
import collections

from clients import Connection
from ports import free_port
from waiting import wait_for

FIRST = """\
# The report's first configuration.
global:
  maxconn: {maxconn}

defaults:
  timeout_connect: 10000 # 10 seconds in ms
  timeout_client: 30000 # 30 seconds in ms
  timeout_server: 30000
  maxconn: {maxconn}
  mode: tcp

frontend:
- name: http_front
  mode: http
  bind:
    - addr_port: 127.0.0.1:{port}
  use_backend: http_backend

backend:
- name: http_backend
  balance: roundrobin
  servers:
    - addr_port: 127.0.0.1:{a}
    - addr_port: 127.0.0.1:{b}
"""


def first(pool, maxconn):
    return FIRST.format(port=free_port(), maxconn=maxconn, a=pool[0].port, b=pool[1].port)


def served(lb, count):
    return [lb.get().server for _ in range(count)]


def test_the_first_configuration_alternates(noxy, nginx):
    lb = noxy.start(first(nginx(2), maxconn=100))
    names = served(lb, 20)
    assert names in (["nginx1", "nginx2"] * 10, ["nginx2", "nginx1"] * 10)


def test_the_first_configuration_survives_the_loss_of_a_server(noxy, nginx):
    servers = nginx(2)
    lb = noxy.start(first(servers, maxconn=100))
    assert set(served(lb, 4)) == {"nginx1", "nginx2"}
    servers[0].stop()
    assert set(served(lb, 50)) == {"nginx2"}


def test_the_first_configuration_closes_a_second_connection_at_once(noxy, nginx):
    lb = noxy.start(first(nginx(2), maxconn=1))
    with lb.connect() as c:
        assert c.get().status == 200
        with lb.connect() as second:
            assert second.read_to_end() == b""
        assert c.get().status == 200
    lb.wait_idle()
    assert lb.get().status == 200


def test_a_server_that_stops_is_taken_over_without_a_failed_request(noxy, origins):
    lb = noxy.start(backend=origins(2), health_check=200)
    assert set(served(lb, 4)) == {"web1", "web2"}
    origins[0].stop()
    assert set(served(lb, 50)) == {"web2"}
    lb.wait_log("WARN", "is now down")
    origins[0].start()
    wait_for(lambda: lb.get().server == "web1", "web1 serves again")


def test_round_robin_is_exact_over_all_workers(noxy, origins):
    lb = noxy.start(backend=origins(4), threads=3)
    assert collections.Counter(served(lb, 200)) == {f"web{i}": 50 for i in (1, 2, 3, 4)}


def test_weighted_round_robin_is_exact_and_spread(noxy, origins):
    a, b = origins(2)
    lb = noxy.start(servers=[a.server(weight=3), b.server(weight=1)], threads=3)
    names = served(lb, 80)
    for i in range(0, 80, 4):
        assert collections.Counter(names[i:i + 4]) == {"web1": 3, "web2": 1}


def test_a_weight_of_zero_gets_nothing(noxy, origins):
    a, b = origins(2)
    lb = noxy.start(servers=[a.server(weight=0), b.server()])
    assert set(served(lb, 20)) == {"web2"}


def test_leastconn_goes_where_the_fewest_are_in_flight(noxy, origins):
    def answer(origin, c, request):
        if request.target == "/hold":
            origin.go.wait(60)
        c.reply(200, "", {"X-Server": origin.name})
    pool = origins(3, answer=answer)
    lb = noxy.start(backend=pool, balance="leastconn", threads=3)
    held = [Connection(lb.port) for _ in range(6)]
    for number, c in enumerate(held, 1):
        c.send_request("GET", "/hold")
        wait_for(lambda n=number: sum(len(o.requests) for o in pool) == n, "the request arrives")
    assert [len(o.requests) for o in pool] == [2, 2, 2]
    pool[1].go.set()
    lb.wait_total("server", "requests_current", 4)
    assert set(served(lb, 10)) == {"web2"}
    for c in held:
        c.close()


def test_leastconn_heeds_weights(noxy, origins):
    def hold(origin, c, request):
        origin.go.wait(60)
    a, b = pool = origins(2, answer=hold)
    lb = noxy.start(servers=[a.server(weight=3), b.server(weight=1)], balance="leastconn", threads=2)
    held = []
    for number in range(1, 9):
        held.append(Connection(lb.port))
        held[-1].send_request("GET")
        wait_for(lambda n=number: sum(len(o.requests) for o in pool) == n, "the request arrives")
    assert [len(o.requests) for o in pool] == [6, 2]
    for c in held:
        c.close()


def from_address(lb, last):
    """A request from 127.0.0.LAST: the server that answered."""
    with Connection(lb.port, source=f"127.0.0.{last}") as c:
        return c.get().server


def test_source_keeps_a_client_with_its_server_and_moves_only_those_of_a_lost_one(noxy, origins):
    pool = origins(3)
    lb = noxy.start(backend=pool, balance="source", threads=3, health_check=100)
    before = {n: from_address(lb, n) for n in range(2, 62)}
    assert {n: from_address(lb, n) for n in range(2, 62)} == before
    assert set(before.values()) == {"web1", "web2", "web3"}
    pool[0].stop()
    lb.wait_log("WARN", "is now down")
    after = {n: from_address(lb, n) for n in range(2, 62)}
    assert {n for n in after if after[n] != before[n]} == {n for n in before if before[n] == "web1"}


def test_retries_go_to_other_servers_and_are_bounded(noxy, origins):
    pool = origins(4)
    lb = noxy.start(backend=pool, retries=1, health_check=False)
    for origin in pool[:3]:
        origin.stop()
    statuses = collections.Counter(lb.get().status for _ in range(40))
    assert statuses[200] and statuses[502] and set(statuses) == {200, 502}
    assert lb.total("backend", "retries") >= statuses[502]
    assert lb.total("backend", "redispatches") == lb.total("backend", "retries")
