"""Mode tcp: bytes both ways, as they are."""
import hashlib
import os
import threading

import pytest

from origins import echo
from waiting import wait_for


def test_bytes_flow_both_ways_at_once(noxy, origins):
    lb = noxy.start(backend=origins(1, raw=echo), mode="tcp")
    data = os.urandom(5_000_000)
    with lb.connect() as c:
        sender = threading.Thread(target=c.send, args=(data,))
        sender.start()
        assert hashlib.sha256(c.read(len(data))).digest() == hashlib.sha256(data).digest()
        sender.join()


def test_the_clients_end_is_passed_on_and_the_answer_still_comes(noxy, origins):
    def after_the_end(origin, c):
        c.send(b"got " + c.stream.read())
    lb = noxy.start(backend=origins(1, raw=after_the_end), mode="tcp", health_check=False)
    with lb.connect() as c:
        c.send("all of it")
        c.end_sending()
        assert c.read_to_end() == b"got all of it"


def test_the_servers_end_is_passed_on_and_the_client_may_go_on(noxy, origins):
    heard = []

    def end_first(origin, c):
        c.send("bye")
        c.end_sending()
        heard.append(c.stream.read())
    lb = noxy.start(backend=origins(1, raw=end_first), mode="tcp", health_check=False)
    with lb.connect() as c:
        assert c.read_to_end() == b"bye"
        c.send("still here")
        c.end_sending()
        wait_for(lambda: heard == [b"still here"], lambda: f"the server hears the rest, not {heard}")
    lb.wait_idle()


def test_a_server_that_speaks_first_is_heard(noxy, origins):
    lb = noxy.start(backend=origins(1, raw=lambda o, c: (c.send("220 ready\r\n"), o.go.wait(60))), mode="tcp")
    with lb.connect() as c:
        assert c.read(11) == b"220 ready\r\n"


def test_a_refused_connection_is_tried_on_another_server(noxy, origins):
    lb = noxy.start(backend=origins(2), mode="tcp", health_check=False)
    origins[0].stop()
    assert {lb.get().server for _ in range(10)} == {"web2"}


def test_without_a_server_the_client_is_closed_at_once(noxy, origins):
    lb = noxy.start(backend=origins(1), mode="tcp", health_check=100)
    origins[0].stop()
    lb.wait_log("WARN", "is now down")
    with lb.connect() as c:
        assert c.read_to_end() == b""
    lb.wait_idle()


@pytest.mark.parametrize("key", ["timeout_client", "timeout_server"])
def test_a_silent_connection_is_timed_out(noxy, origins, key):
    keys = {"timeout_client": 60000, "timeout_server": 60000, key: 200}
    lb = noxy.start(backend=origins(1, raw=lambda o, c: c.read_to_end()), mode="tcp", **keys)
    with lb.connect() as c:
        c.send("hello?")
        assert c.read_to_end() == b""
    lb.wait_idle()


def test_bytes_in_time_keep_a_connection_open(noxy, origins):
    lb = noxy.start(backend=origins(1, raw=echo), mode="tcp", timeout_client=600, timeout_server=600)
    with lb.connect(timeout=0.2) as c:
        for _ in range(8):  # 1.6 s in all
            c.send("x")
            assert c.sock.recv(1) == b"x"
            with pytest.raises(TimeoutError):
                c.sock.recv(1)


def test_a_reset_on_one_side_ends_the_other(noxy, origins):
    ended = []
    lb = noxy.start(backend=origins(1, raw=lambda o, c: ended.append(c.read_to_end())), mode="tcp",
                    health_check=False)
    c = lb.connect()
    c.send("partial")
    wait_for(lambda: lb.total("server", "bytes_in") == 7, "the bytes are through")
    c.reset()
    wait_for(lambda: ended == [b"partial"], "the server's end")
    lb.wait_idle()


def test_nobody_is_held_up_by_a_client_that_does_not_read(noxy, origins):
    def flood(origin, c):
        c.read(1)
        while True:
            c.send(bytes(65536))
    lb = noxy.start(servers=[origins(1, raw=flood)[0].server()], mode="tcp", threads=1)
    with lb.connect() as stuck, lb.connect() as other:
        stuck.send("x")
        other.send("x")
        assert len(other.read(20_000_000)) == 20_000_000
