"""Mode http: transfers that take long, and servers that send what nobody waits for."""
import resource
import time

from origins import Unanswering

SIZE = 32 << 20  # much more than the sockets' buffers hold
PIECE = 1 << 20
TIMEOUT = 2000  # milliseconds
PAUSE = 0.08  # seconds between pieces: the whole takes longer than the timeout, no silence does


def test_a_download_longer_than_the_timeouts_arrives_whole(noxy, origins):
    def large(origin, c, request):
        c.reply(200, b"x" * SIZE)

    lb = noxy.start(backend=origins(1, answer=large), timeout_client=TIMEOUT, timeout_server=TIMEOUT)
    with lb.connect() as c:
        c.sock.setsockopt(1, 8, 65536)  # SO_RCVBUF: the client is the slow part
        c.send_request("GET")
        c.read_head()
        got = 0
        while got < SIZE:
            got += len(c.read(min(PIECE, SIZE - got)))
            time.sleep(PAUSE)
    assert got == SIZE


def test_an_upload_longer_than_the_timeouts_arrives_whole(noxy, origins):
    def slow(origin, c):
        c.sock.setsockopt(1, 8, 65536)  # SO_RCVBUF
        if not c.read_request_head():
            return
        got = 0
        while got < SIZE and (data := c.stream.read(min(PIECE, SIZE - got))):
            got += len(data)
            time.sleep(PAUSE)
        c.reply(200, str(got))

    lb = noxy.start(backend=origins(1, raw=slow), health_check=False, timeout_client=TIMEOUT, timeout_server=TIMEOUT)
    r = lb.get(method="POST", body=b"x" * SIZE)
    assert (r.status, r.body) == (200, str(SIZE).encode())


def test_a_flood_of_interim_responses_is_a_502_and_bounded(noxy, origins):
    def flood(origin, c):
        c.read_request_head()
        while True:
            c.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 100)

    lb = noxy.start(backend=origins(1, raw=flood), health_check=False)
    with lb.connect() as c:
        c.send_request("GET")
        heads = [c.read_head().status for _ in range(33)]
    assert heads == [103] * 32 + [502]
    lb.wait_idle()


def test_http_1_0_without_host_reaches_the_server_with_its_own_address(noxy, origins):
    lb = noxy.start(backend=origins(1))
    with lb.connect() as c:
        c.send("GET / HTTP/1.0\r\n\r\n")
        assert c.response().status == 200
    assert origins[0].requests[0].field("Host") == origins[0].addr_port


def test_a_connection_that_is_not_made_in_time_is_a_504(noxy):
    server = Unanswering()
    try:
        lb = noxy.start(servers=[server.server()], health_check=False, timeout_connect=200)
        assert lb.get().status == 504
    finally:
        server.stop()


def test_noxys_own_lack_of_descriptors_takes_no_server_out(noxy, origins):
    lb = noxy.start(backend=origins(2), threads=1, user="root", health_check=60000)  # so that we may set its limit
    worker, = lb.workers()
    clients = [lb.connect() for _ in range(10)]
    lb.wait_total("frontend", "sessions_current", 10)
    before = resource.prlimit(worker, resource.RLIMIT_NOFILE)
    resource.prlimit(worker, resource.RLIMIT_NOFILE, (3, before[1]))
    statuses = {c.request("GET").status for c in clients}
    resource.prlimit(worker, resource.RLIMIT_NOFILE, before)
    assert statuses == {503}
    assert lb.get().status == 200
    assert "is now down" not in lb.text_log()
    for c in clients:
        c.close()
