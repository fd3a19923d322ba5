"""Mutated streams of requests: a strict origin never sees another request than RFC 9112 finds in the stream.

The origin parses by the letter and numbers what it sees; each answer names its number. So a request too many, one too
few, one at another place and a byte of one that is taken for a part of another are all noticed.
"""
import hashlib
import time

import pytest

from ports import free_port
from test_wire import complain, configuration
from wire.runner import Client, Loop, OriginConnection
from wire.streams import Request, reading, stream
from wire.strict import ResponseReader

SECONDS = 20
BATCH = 200


def answer_to(number, request):
    digest = hashlib.sha1(repr(request).encode()).hexdigest().encode()
    head = b"HTTP/1.1 200 OK\r\nX-Number: %d\r\nContent-Length: %d\r\n\r\n" % (number, len(digest))
    return head if request.method == b"HEAD" else head + digest


class StreamRun:
    """One stream, sent in two parts."""

    def __init__(self, seed):
        self.seed, self.data = seed, stream(seed)
        self.wanted = reading(self.data)
        self.requests, self.carriers, self.messages, self.partial = [], [], [], None
        self.faults, self.done, self.held = [], False, None

    def fault(self, text):
        self.faults.append(f"stream {self.seed}: {text}; it is {self.data!r}")

    def check(self):
        if self.requests != self.wanted[:len(self.requests)]:
            self.fault(f"the origin saw {self.requests}, but there are {self.wanted}")
        served = [m for m in self.messages if m.values(b"x-number")]
        if len(served) != len(self.requests):
            self.fault(f"the origin saw {len(self.requests)} requests, the client got {len(served)} answers")
        for number, (message, request) in enumerate(zip(served, self.requests)):
            want = answer_to(number, request)
            if message.body != want.partition(b"\r\n\r\n")[2] or message.value(b"x-number") != b"%d" % number:
                self.fault(f"answer {number} is {message.bytes()!r}")
        if any(m.status < 400 for m in self.messages if m not in served):
            self.fault(f"the client got {[m.bytes() for m in self.messages]}")


class StreamClient(Client):
    def __init__(self, loop, run, address, port):
        super().__init__(loop, run, address, port)
        self.reader = ResponseReader(lambda n: n < len(run.wanted) and run.wanted[n].method == b"HEAD")

    def start(self):
        at = self.run.seed * 7919 % (len(self.run.data) + 1)
        self.send(self.run.data[:at])
        self.run.held = lambda: self._last(self.run.data[at:])

    def _last(self, data):
        if self.sock:
            self.send(data)
        if self.sock:
            self.shut()

    def go_on(self):
        pass


class NumberingOrigin(OriginConnection):
    def _begin(self, m):
        self.run = self.loop.run_of(m.value(b"x-forwarded-for").split(b", ")[-1])
        if self.run is None:
            self.loop.fault(f"an origin got a request of nobody: {m.bytes()!r}")

    def _complete(self, m):
        if self.run:
            request = Request(m.method, m.target, m.body)
            self.run.requests.append(request)
            self.send(answer_to(len(self.run.requests) - 1, request))


@pytest.fixture
def loop(noxy):
    port, fence = free_port(), free_port()
    origins = [(f"127.0.0.{i}", free_port()) for i in range(1, 5)]
    made = Loop(origins, client=StreamClient, origin=NumberingOrigin)
    lb = noxy.start(configuration(port, fence, origins))
    made.connect(port, fence)
    yield made
    made.close()
    lb.wait_idle()


def test_the_origin_sees_no_other_requests_than_were_sent(loop):
    end, seed, served, sent = time.monotonic() + SECONDS, 0, 0, 0
    while time.monotonic() < end:
        runs = [StreamRun(seed + i) for i in range(BATCH)]
        complain(loop.run(runs))
        seed += BATCH
        served += sum(len(run.requests) for run in runs)
        sent += sum(len(run.wanted) for run in runs)
    print(f"{seed} streams, {sent} requests in them, {served} served")
    assert served > sent / 2  # the streams are no mere noise
