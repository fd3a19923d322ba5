"""Mode http: the end of a connection whose client still sends. A close with bytes unread would be a reset, which may
take the answer with it; so noxy ends its own direction first and throws away what comes, within bounds."""
import time

import pytest

from waiting import wait_for

KIB, MIB = 1 << 10, 1 << 20
DISCARDED, LINGER, TOTAL = 64 * MIB, 2.0, 30.0  # at most: bytes, seconds of silence, seconds in all
BUFFERED = 16 * MIB  # more than both sockets hold between them


def start(noxy, **keys):
    """A noxy that answers a request with a body without reading that."""
    return noxy.start(servers=[], max_body=1000, timeout_client="10m", **keys,
                      http_condition=[{"respond": {"status": 200, "body": "fine"}}])


def post(lb, size, sent=0):
    """A connection with a request that is too large, `sent` bytes of whose body have gone."""
    c = lb.connect()
    c.send(f"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n")
    c.send(bytes(sent))
    return c


@pytest.mark.parametrize("size", [2 * KIB, 100 * KIB, 900 * KIB, 5 * MIB])
def test_who_sends_the_whole_body_first_still_gets_the_whole_answer_and_a_proper_end(noxy, size):
    lb = start(noxy)
    for _ in range(20 if size < MIB else 2):
        with post(lb, size, size) as c:
            r = c.response()
            assert (r.status, r.complete) == (413, True) and r.body
            assert c.sock.recv(1) == b""  # and not a reset
    lb.wait_idle()


def test_what_comes_behind_the_answer_is_thrown_away(noxy):
    lb = start(noxy)
    with post(lb, MIB) as c:
        assert c.response().status == 413
        assert c.sock.recv(1) == b""
        for _ in range(9):
            c.send(bytes(100 * KIB))
        assert c.sock.recv(1) == b""


def test_a_large_upload_that_goes_on_slowly_gets_its_answer_at_its_end(noxy):
    """It takes longer than the silence that would end it, and is more than the sockets hold between them."""
    lb = start(noxy)
    begin = time.monotonic()
    with post(lb, 30 * MIB) as c:
        for _ in range(30):
            c.send(bytes(MIB))
            time.sleep(0.1)  # the client's pace is the subject
        assert time.monotonic() - begin > LINGER
        assert c.response().status == 413
        assert c.sock.recv(1) == b""


def test_it_throws_away_no_more_than_64_mebibytes(noxy):
    lb = start(noxy)
    with post(lb, 200 * MIB) as c:
        c.sock.settimeout(60)
        sent = 0
        with pytest.raises(ConnectionError):
            while sent < 200 * MIB:
                c.send(bytes(64 * KIB))
                sent += 64 * KIB
        assert DISCARDED - 64 * KIB < sent < DISCARDED + BUFFERED


def test_it_waits_no_longer_than_thirty_seconds_in_all(noxy):
    lb = start(noxy, threads=1)
    begin = time.monotonic()
    with post(lb, MIB) as c:
        assert c.response().status == 413
        wait_for(lambda: is_reset_by_a_byte(c), "noxy closes", 2 * TOTAL)
        assert TOTAL <= time.monotonic() - begin < 1.5 * TOTAL


def test_who_sends_nothing_more_is_not_waited_for_either(noxy):
    lb = start(noxy)
    descriptors, begin = lb.descriptors(), time.monotonic()
    silent = [post(lb, MIB) for _ in range(30)]
    assert {c.response().status for c in silent} == {413}
    wait_for(lambda: lb.descriptors() < descriptors + 10, "noxy closes")
    assert time.monotonic() - begin >= LINGER
    for c in silent:
        c.close()


def is_reset_by_a_byte(c):
    try:
        c.send("x")
    except ConnectionError:
        return True
    return False
