"""HTTP/1.1 on the wire, byte by byte: the cases of wire/, whole and split at every position."""
import pytest

import wire
from configs import section
from ports import free_port
from waiting import wait_for
from wire.runner import Loop, Run

EVERY = 400  # of longer messages: every position near both ends, and some between
NEAR, BETWEEN = 60, 40


def configuration(port, fence, origins):
    limits = {"max_header": wire.limits.HEADER, "max_headers": wire.limits.HEADERS, "max_body": wire.limits.BODY}
    return (section("global", {"threads": 1, "maxconn": 2000})
            + section("frontend", [
                {"name": "main", "mode": "http", "bind": [{"addr_port": f"127.0.0.1:{port}"}], "maxconn": 2000,
                 "use_backend": "pool", **limits},
                {"name": "fence", "mode": "http", "bind": [{"addr_port": f"127.0.0.1:{fence}"}],
                 "http_condition": [{"respond": {"status": 200, "body": "fence"}}]}])
            + section("backend", [{"name": "pool", "health_check": False, "servers": [
                {"addr_port": f"{ip}:{p}", "name": f"origin{i}"} for i, (ip, p) in enumerate(origins)]}]))


@pytest.fixture
def loop(noxy):
    """Cases can be run; noxy is judged afterwards as in every test."""
    port, fence = free_port(), free_port()
    origins = [(f"127.0.0.{i}", free_port()) for i in range(1, 5)]
    made = Loop(origins)
    lb = noxy.start(configuration(port, fence, origins))
    made.connect(port, fence)
    yield made
    made.close()
    lb.wait_idle()


def positions(length):
    """Where a message is split: everywhere, and of a long one near its ends and here and there between."""
    if length <= EVERY:
        return range(1, length)
    middle = range(NEAR, length - NEAR, (length - 2 * NEAR) // BETWEEN)
    return sorted({*range(1, NEAR), *middle, *range(length - NEAR, length)})


def splits(case):
    sent, answer = case.pieces[0], case.answers[0]
    yield from (Run(case, ("send", at)) for at in positions(len(sent)))
    if case.origin and answer.raw != wire.case.OK:
        # Bytes that come after an answer is over can't be told from the answer to the next request.
        yield from (Run(case, ("answer", at)) for at in positions(len(answer.early or answer.raw))
                    if at < len(answer.raw) - answer.stray or answer.early)


def complain(faults):
    assert not faults, f"{len(faults)} faults\n" + "\n".join(faults[:40])


def test_there_are_cases_enough_and_each_has_a_name_of_its_own():
    assert sum(map(len, wire.GROUPS.values())) >= 200
    for group in wire.GROUPS.values():
        names = [case.name for case in group]
        assert len(names) == len(set(names)), {n for n in names if names.count(n) > 1}


@pytest.mark.parametrize("group", wire.GROUPS)
def test_whole(loop, group):
    complain(loop.run([Run(case) for case in wire.GROUPS[group]]))


@pytest.mark.parametrize("group", wire.GROUPS)
def test_split_at_every_position(loop, group):
    complain(loop.run([run for case in wire.GROUPS[group] for run in splits(case)]))


def test_bytes_that_come_behind_an_answer_later_end_the_kept_connection(noxy, origins):
    def answer(origin, c, request):
        if request.target == "/stray":
            origin.stray = c
        c.reply(200, request.target)
    pool = origins(1, answer=answer)
    lb = noxy.start(backend=pool, threads=1)
    with lb.connect() as client, lb.connect() as other:
        assert client.get("/stray").body == b"/stray"
        pool[0].stray.reply(200, "nobody's")
        wait_for(lambda: pool[0].stray.sock.fileno() < 0, "noxy closes that connection")
        assert (client.get("/a").body, other.get("/b").body) == (b"/a", b"/b")
    assert pool[0].connections == 2


def test_bytes_right_behind_an_answer_are_no_answer_to_a_request_that_waits(noxy, origins):
    """The second request is there when the first one's answer is read, and before the bytes behind that are."""
    carriers = []

    def answer(origin, c, request):
        carriers.append(c)
        c.reply(200, request.target)
        c.reply(200, "nobody's")
    lb = noxy.start(backend=origins(1, answer=answer), threads=1)
    with lb.connect() as client:
        for i in range(20):
            client.send(f"GET /a{i} HTTP/1.1\r\nHost: a\r\n\r\nGET /b{i} HTTP/1.1\r\nHost: a\r\n\r\n")
            assert [client.response().body for _ in "ab"] == [b"/a%d" % i, b"/b%d" % i]
            wait_for(lambda: all(c.sock.fileno() < 0 for c in carriers), "noxy closes those connections")


def test_pipelined_posts_are_not_lost_with_connections_that_the_server_closes_behind_each_answer(noxy, origins):
    def answer(origin, c, request):
        c.reply(200, request.target)
        raise ValueError("closes")
    lb = noxy.start(backend=origins(1, answer=answer), threads=1)
    with lb.connect() as client:
        for i in range(20):
            client.send("".join(f"POST /{n}{i} HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi" for n in "ab"))
            assert [client.response().body for _ in "ab"] == [b"/a%d" % i, b"/b%d" % i]
            lb.wait_total("server", "sessions_current", 0)  # noxy has seen that both have ended
