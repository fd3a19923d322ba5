"""HTTP/2 from clients: floods, slowness, memory, and going away without losing a request."""
import subprocess
import threading

import pytest
from hyperframe.frame import (ContinuationFrame, DataFrame, HeadersFrame, PingFrame, PriorityFrame, RstStreamFrame,
                              SettingsFrame, WindowUpdateFrame)

import http2_client as h2
from clients import Closed
from http2_client import H2Client, raw_frame, request
from ports import free_port
from waiting import wait_for

POST = request("POST")
EXCESS = 5000  # more than any budget


def start(noxy, **keys):
    return noxy.start(bind=[{"addr_port": f"127.0.0.1:{free_port()}", "h2c": True}], **keys)


# ---- floods ----

def resets(c):
    for i in range(EXCESS):
        stream = c.next_stream + 2 * i
        yield c.headers(stream, request(path="/wait"))
        if i % 20 == 19:
            yield None  # so that the server has begun with them
        yield RstStreamFrame(stream, h2.CANCEL)


def made_resets(c):
    """Streams that the client makes the server reset."""
    for i in range(EXCESS):
        stream = c.next_stream + 2 * i
        yield c.headers(stream, POST, False)
        yield WindowUpdateFrame(stream, 0x7fffffff)
        if i % 50 == 49:
            yield None  # they count as open until it has reset them


def empty(c):
    yield c.headers(1, POST, False)
    for _ in range(EXCESS):
        yield c.data(1)


def padding(c):
    yield c.headers(1, POST, False)
    for _ in range(EXCESS):
        yield DataFrame(1, b"", pad_length=3, flags=["PADDED"])


def continuations(c):
    yield HeadersFrame(1, c.block(request()))
    for _ in range(EXCESS):
        yield ContinuationFrame(1, b"")


def long_continuations(c):
    yield HeadersFrame(1, c.block(request()))
    for i in range(EXCESS):
        yield ContinuationFrame(1, c.block([(f"x-{i}", "y" * 8000)]))


def bomb(c):
    """One large field in the table, named again and again by a byte."""
    yield c.headers(1, [*request(), ("x-bomb", "z" * 3900)])
    yield c.headers(3, c.block(request()) + b"\xbe" * 12_000)


def many_fields(c):
    yield c.headers(1, c.block(request()) + c.block([("a", "b")]) + b"\xbe" * 8000)


def too_many_streams(c):
    for i in range(EXCESS):
        yield c.headers(c.next_stream + 2 * i, request(path="/wait"))


def repeat(frame):
    return lambda c: (frame for _ in range(EXCESS))


FLOODS = {
    "resets": ("h2_reset_flood", resets),
    "resets that the server is made to send": ("h2_reset_flood", made_resets),
    "SETTINGS": ("h2_settings_flood", repeat(SettingsFrame(0, {3: 100}))),
    "empty SETTINGS": ("h2_settings_flood", repeat(SettingsFrame(0))),
    "PING": ("h2_ping_flood", repeat(PingFrame(0, b"12345678"))),
    "DATA without data": ("h2_empty_flood", empty),
    "DATA of padding": ("h2_empty_flood", padding),
    "PRIORITY": ("h2_priority_flood", repeat(PriorityFrame(1, depends_on=0, stream_weight=7))),
    "WINDOW_UPDATE": ("h2_window_flood", repeat(WindowUpdateFrame(0, 1))),
    "CONTINUATION without bytes": ("h2_continuation_flood", continuations),
    "CONTINUATION with many": ("h2_continuation_flood", long_continuations),
    "an HPACK bomb": ("h2_head_flood", bomb),
    "countless fields": ("h2_head_flood", many_fields),
    "frames of no known type": ("h2_other_flood", repeat(raw_frame(0x7f, 0, 0, b""))),
    "PING acknowledgements": ("h2_other_flood", repeat(PingFrame(0, b"12345678", flags=["ACK"]))),
}


@pytest.fixture
def patient(origins):
    def answer(origin, c, r):
        if r.target == "/wait":
            origin.go.wait(60)
        c.reply(200, "done\n")
    return origins(1, answer=answer)


@pytest.mark.parametrize("reason, frames", FLOODS.values(), ids=FLOODS.keys())
def test_a_flood_ends_its_connection_with_goaway_and_no_other(noxy, patient, reason, frames):
    lb = start(noxy, backend=patient)
    with H2Client(lb.port) as c, H2Client(lb.port) as honest:
        assert honest.get().status == 200
        c.ping()
        try:
            send_all(c, frames(c))
        except (OSError, Closed):
            pass  # it was ended meanwhile
        c.read_to_end()
        assert [g.error_code for g in c.goaways] in ([h2.ENHANCE_YOUR_CALM], [])  # lost only to a reset
        assert honest.get().status == 200
    wait_for(lambda: lb.total("frontend", "reasons." + reason) >= 1, f"{reason} is counted")
    lb.wait_log("NOTICE", reason)
    patient[0].go.set()
    lb.wait_idle()


def send_all(c, frames):
    batch = []
    for f in frames:
        if f is None:
            c.send(*batch)
            c.ping()
            batch = []
        else:
            batch.append(f)
        if len(batch) == 500:
            c.send(*batch)
            batch = []
    c.send(*batch)


def test_streams_beyond_the_limit_are_refused(noxy, patient):
    lb = start(noxy, backend=patient)
    with H2Client(lb.port) as c:  # SETTINGS are not acknowledged before these have come
        streams = [c.open(request(path="/wait")) for _ in range(140)]
        c.until(lambda: sum(c._answer(s).reset is not None for s in streams) == 12)
        assert {c._answer(s).reset for s in streams[128:]} == {h2.REFUSED_STREAM}
        assert lb.total("server", "requests_current") <= 128
        patient[0].go.set()
        for s in streams[:128]:
            assert c.answer(s).status == 200
    assert lb.total("frontend", "reasons.h2_stream_flood") == 12


def test_who_asks_and_never_reads_is_held_up_and_ended(noxy, origins):
    def answer(_, c, r):
        c.reply(200, b"x" * 1_000_000)
    lb = start(noxy, backend=origins(1, answer=answer), timeout_client=2000)
    before = lb.pss()
    with H2Client(lb.port, settings={4: 0x7fffffff}, receive_buffer=4096) as c:
        c.send(WindowUpdateFrame(0, 1 << 30), *[c.headers(2 * i + 1, request()) for i in range(100)])
        wait_for(lambda: lb.total("backend", "requests_current") == 100 or lb.total("frontend", "reasons.client_timeout"),
                 "all are under way")
        assert lb.pss() - before < 40 << 20
        wait_for(lambda: lb.total("frontend", "reasons.client_timeout"), "it is ended")
    lb.wait_idle()


# ---- slow ones ----

def test_a_stream_that_nobody_reads_holds_up_no_other_and_keeps_little(noxy, origins):
    size = 20_000_000

    def answer(_, c, r):
        c.reply(200, b"x" * (size if r.target == "/big" else 5))
    lb = start(noxy, backend=origins(1, answer=answer))
    with H2Client(lb.port, settings={4: 0}, window_updates=False) as c:
        c.send(WindowUpdateFrame(0, 100_000_000))
        c.get_quick = [c.open(request(path="/big")) for _ in range(40)]
        lb.wait_total("server", "requests_current", 40)
        for stream in c.get_quick:
            c.until(lambda s=stream: c._answer(s).fields)
        c.send(WindowUpdateFrame(c.get_quick[0], 70_000))
        c.until(lambda: len(c._answer(c.get_quick[0]).body) == 70_000)
        small = c.open()
        c.send(WindowUpdateFrame(small, 5))
        assert c.answer(small).body == b"xxxxx"
        assert sum(len(c._answer(s).body) for s in c.get_quick) == 70_000
        c.send(WindowUpdateFrame(c.get_quick[1], size))
        assert len(c.answer(c.get_quick[1]).body) == size
    lb.wait_idle()


def test_an_upload_that_the_server_doesnt_read_holds_up_no_other(noxy, origins):
    def answer(_, c, r):
        c.reply(200, "done\n")

    def raw(origin, c):
        r = c.read_request_head()
        if r.method == "POST":
            origin.go.wait(60)
        c.reply(200, "done\n")
    lb = start(noxy, backend=origins(1, raw=raw), health_check=False)
    with H2Client(lb.port) as c:
        c.until(lambda: c.settings)
        stuck = c.open(POST, end=False)
        window, sent = c.settings[0][4], 0
        while sent < window:  # kept by noxy, the kernel and the server together
            c.send(DataFrame(stuck, b"x" * min(16384, window - sent)))
            sent += min(16384, window - sent)
        assert c.get().status == 200
        origins[0].go.set()
        c.send(c.data(stuck, b"", end=True))
        assert c.answer(stuck).status == 200


def test_a_body_that_never_ends_is_given_up_and_told_so(noxy, origins):
    lb = start(noxy, backend=origins(1), timeout_client=500)
    with H2Client(lb.port) as c:
        stream = c.open(POST, end=False)
        c.send(c.data(stream, b"x" * 10))
        a = c.answer(stream)
        assert a.status == 408
    assert lb.total("frontend", "reasons.client_timeout") == 1


def test_a_response_that_nobody_takes_is_given_up(noxy, origins):
    lb = start(noxy, backend=origins(1), timeout_client=500)
    with H2Client(lb.port, settings={4: 2}, window_updates=False) as c:
        a = c.get()
        assert (a.status, a.body, a.ended) == (200, b"we", False)
        assert a.reset in (h2.CANCEL, h2.INTERNAL_ERROR)
        assert c.goaways == []
    assert lb.total("frontend", "reasons.client_timeout") == 1


@pytest.mark.parametrize("begin", [b"", h2.PREFACE[:10], h2.PREFACE, h2.PREFACE + raw_frame(4)[:5]],
                         ids=["nothing", "half a preface", "a preface", "half a frame"])
def test_a_client_that_never_says_hello_is_ended(noxy, origins, begin):
    lb = start(noxy, backend=origins(1), timeout_http_request=300)
    with H2Client(lb.port, start=False) as c:
        c.send(begin)
        while c.sock.recv(4096):
            pass
    lb.wait_total("frontend", "reasons.client_head_timeout", 1)


def test_a_head_that_never_ends_is_given_up(noxy, origins):
    lb = start(noxy, backend=origins(1), timeout_http_request=300)
    with H2Client(lb.port) as c:
        c.ping()
        c.send(HeadersFrame(1, c.block(request())))
        c.read_to_end()
        assert len(c.goaways) == 1
    lb.wait_total("frontend", "reasons.client_head_timeout", 1)


def test_an_idle_connection_is_told_so_and_closed(noxy, origins):
    lb = start(noxy, backend=origins(1), timeout_keepalive=300)
    with H2Client(lb.port) as c:
        assert c.get().status == 200
        c.read_to_end()
        assert [(g.error_code, g.last_stream_id) for g in c.goaways] == [(h2.NO_ERROR, 1)]
    lb.wait_total("frontend", "reasons.client_keepalive", 1)


# ---- going away ----

def test_a_reload_says_goodbye_in_two_steps_and_loses_no_stream(noxy, patient):
    lb = start(noxy, backend=patient)
    with H2Client(lb.port) as c:
        waiting = c.open(request(path="/wait"))
        c.ping()
        lb.reload()
        c.until(lambda: c.goaways)
        assert (c.goaways[0].error_code, c.goaways[0].last_stream_id) == (h2.NO_ERROR, 0x7fffffff)
        c.until(lambda: len(c.goaways) == 2)
        assert (c.goaways[1].error_code, c.goaways[1].last_stream_id) == (h2.NO_ERROR, waiting)
        late = c.open()  # it was sent before the client knew: another connection is the place for it
        patient[0].go.set()
        assert c.answer(waiting).body == b"done\n"
        c.read_to_end()
        assert c._answer(late).fields == []
    lb.wait_settled()


def ask_on(port, stop, done, failures):
    """Requests, twenty at a time, as an honest client makes them: those that GOAWAY leaves out go elsewhere."""
    c = H2Client(port)
    while not stop.is_set():
        try:
            streams = [c.open() for _ in range(20)]
            for stream in streams:
                a = c._answer(stream)
                c.until(lambda a=a, s=stream: a.ended or a.reset is not None
                        or any(g.last_stream_id < s for g in c.goaways))
                if a.ended:
                    done.append(a.status)
                elif not any(g.last_stream_id < stream for g in c.goaways):
                    failures.append(repr(a))
        except (OSError, Closed) as e:
            left = [s for s in streams if not c._answer(s).ended]
            if not c.goaways or any(s <= c.goaways[-1].last_stream_id for s in left):
                failures.append(repr(e))
        if c.goaways:
            c.close()
            c = H2Client(port)
    c.close()


def test_reloads_under_load_lose_nothing(noxy, nginx):
    lb = start(noxy, backend=nginx(2))
    stop, done, failures = threading.Event(), [], []
    threads = [threading.Thread(target=ask_on, args=(lb.port, stop, done, failures)) for _ in range(4)]
    for t in threads:
        t.start()
    for _ in range(3):
        lb.reload()
        count = len(done)
        wait_for(lambda c=count: len(done) > c + 200, "requests go on")
    stop.set()
    for t in threads:
        t.join()
    assert failures == [] and set(done) == {200}
    lb.wait_settled()


def test_ten_thousand_streams_leave_nothing_behind(noxy, nginx):
    lb = start(noxy, backend=nginx(1), threads=1)
    for _ in range(2):
        out = subprocess.run(["h2load", "-n", "5000", "-c", "4", "-m", "100", f"http://127.0.0.1:{lb.port}/"],
                             capture_output=True, text=True, timeout=120, check=False).stdout
        assert "5000 succeeded" in out, out
    lb.wait_idle()
