"""Runs wire cases side by side through one proxy: many clients and one origin in one loop.

Each run has a client address of its own within 127.0.0.0/8, and the proxy names it in X-Forwarded-For: so the origin
knows whose request it sees although the request's bytes are the case's alone.

A message is split by sending its first part, waiting until the proxy has read it, and sending the rest. The wait is a
fence: a request on a connection of its own, whose answer shows that the only worker has handled all that came before.
"""
import select
import socket
import struct
import time

from clients import connected

from .case import CUT
from .strict import Malformed, RequestReader, ResponseReader

PROBE = b"GET /probe HTTP/1.1\r\nHost: probe\r\n\r\n"
PROBED = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nprobe"
ADDED = (b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host")
SIDE_BY_SIDE = 200
PATIENCE = 20.0


class Run:
    """One case once, with one split: ("send", position), ("answer", position) or None."""

    def __init__(self, case, split=None):
        self.case, self.split, self.faults = case, split, []
        self.requests, self.partial, self.answered, self.answer_split = [], None, 0, False
        self.carriers = []  # origin connections that noxy has to close
        self.messages, self.ending, self.done, self.held = [], None, False, None

    def __str__(self):
        return self.case.name + (f", {self.split[0]} split at {self.split[1]}" if self.split else "")

    def fault(self, text):
        self.faults.append(f"{self}: {text}")

    def check(self):
        """Compares what was seen with what the case wants."""
        if self.faults:
            return
        self._check_origin()
        self._check_client()

    def _check_origin(self):
        got, want = [m.bytes(ADDED) for m in self.requests], self.case.origin
        if want == CUT:
            want = []
        elif self.partial:
            self.fault(f"the origin got a part: {self.partial!r}")
        if self.case.repeated and got and want:
            while len(got) > 1 and got[0] == got[1]:
                got.pop(0)
        if got != want:
            self.fault(f"the origin got {show(got)}, not {show(want)}")

    def _check_client(self):
        want, got = list(self.case.client), [m.bytes() for m in self.messages]
        if self.case.end == "keep":
            want.append(PROBED)
        if len(got) != len(want) or not all(map(self._equal, want, self.messages)):
            self.fault(f"the client got {show(got)}, not {show(want)}")
        if self.case.end in ("close", "cut") and self.ending != self.case.end:
            self.fault(f"the client's connection ended with {self.ending}, not {self.case.end}")

    def _equal(self, want, message):
        if isinstance(want, bytes):
            return message.bytes() == want
        own = want == 204 or message.value(b"content-type").startswith((b"text/html", b"text/plain"))
        closes = message.value(b"connection").lower() == b"close"
        return message.status == want and own and closes == (self.case.end == "close")


def show(items):
    return "[" + ", ".join(repr(x if isinstance(x, int) else bytes(x[:300])) for x in items) + "]"


class Peer:
    """A socket in the loop."""

    def __init__(self, loop, sock):
        self.loop, self.sock, self.out, self.closing = loop, sock, bytearray(), False
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        loop.add(self)

    def send(self, data):
        self.out += data
        self.flush()

    def flush(self):
        try:
            while self.out:
                del self.out[:self.sock.send(self.out)]
        except BlockingIOError:
            pass
        except OSError:
            self.out.clear()  # the peer has gone: what it sent before is still read
        if self.sock:
            self.loop.want(self, bool(self.out))
        if self.closing and not self.out:
            self.close()

    def shut(self):
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self, reset=False):
        if not self.sock:
            return
        if reset:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.loop.remove(self)
        self.sock.close()
        self.sock = None

    def event(self, events):
        if events & select.EPOLLOUT and self.sock:
            self.flush()
        while self.sock and events & ~select.EPOLLOUT:
            try:
                data = self.sock.recv(65536)
            except BlockingIOError:
                return
            except OSError:
                self.ended("reset")
                return
            if not data:
                self.ended("close")
                return
            self.received(data)


class Client(Peer):
    """Sends the case's bytes and judges what comes."""

    def __init__(self, loop, run, address, port):
        super().__init__(loop, connected(("127.0.0.1", port), source=address))
        self.run, self.probed, self.next = run, False, 1
        self.reader = ResponseReader(lambda n: n in run.case.head)

    def start(self):
        first = self.run.case.pieces[0]
        if self.run.split and self.run.split[0] == "send":
            at = self.run.split[1]
            self.send(first[:at])
            self.run.held = lambda: self._sent(first[at:])
        else:
            self._sent(first)

    def release(self):
        """Lets the rest of what was split go."""
        rest, self.run.held = self.run.held, None
        if rest:
            rest()
            self.go_on()

    def _sent(self, data):
        if self.sock:
            self.send(data)
        if self.sock and self.run.case.shut and len(self.run.case.pieces) == self.next:
            self.shut()

    def received(self, data):
        run = self.run
        try:
            run.messages += self.reader.feed(data)
        except Malformed as e:
            run.fault(f"the client got malformed bytes: {e}: {data[:200]!r}")
            self.finish("close")
            return
        self.go_on()

    def go_on(self):
        """Sends what is due after all that has come, or finishes."""
        run, pieces = self.run, self.run.case.pieces
        if not self.sock:
            return
        while self.next < len(pieces) and len(run.messages) >= self.next:
            self.next += 1
            self._sent(pieces[self.next - 1])
        if run.held or self.next < len(pieces):
            return
        if run.case.end == "tunnel" and self.reader.tunnel == run.case.tunnel:
            self.finish("tunnel")
        elif run.case.end == "keep" and not self.probed and len(run.messages) >= len(run.case.client):
            self.probed = True
            self.send(PROBE)
        elif self.probed and len(run.messages) > len(run.case.client):
            self.finish("keep")

    def ended(self, how):
        under_way = self.reader.buffer or self.reader.current
        if how == "close":
            completed = self.reader.end()
            self.run.messages += completed
            under_way = under_way and not completed
        self.finish("cut" if under_way else how)

    def finish(self, ending):
        self.run.ending, self.run.done, self.run.held = ending, True, None
        self.close()


class OriginConnection(Peer):
    def __init__(self, loop, sock):
        super().__init__(loop, sock)
        self.reader, self.run, self.answer, self.tunnel = RequestReader(), None, None, False

    def received(self, data):
        if self.tunnel:
            self.send(data.upper())
            return
        try:
            done = self.reader.feed(data)
        except Malformed as e:
            self.loop.fault(f"an origin got malformed bytes: {e}: {data[:500]!r}")
            self.close()
            return
        for m in done:
            self._begin(m)
            self._complete(m)
        if self.reader.current:
            self._begin(self.reader.current)
        if self.reader.buffer and not self.reader.current:
            self.loop.fault(f"an origin got a part of a head: {bytes(self.reader.buffer)!r}")

    def _begin(self, m):
        """A head has come."""
        if getattr(m, "begun", False):
            return
        m.begun = True
        self.run = self.loop.run_of(m.value(b"x-forwarded-for").split(b", ")[-1])
        if self.run is None:
            self.loop.fault(f"an origin got a request of nobody: {m.bytes()!r}")
        elif m.target != b"/probe":
            self.run.partial = m.head
            answers = self.run.case.answers
            self.answer = answers[min(self.run.answered, len(answers) - 1)]
            self.run.answered += 1
            if self.answer.dropped:
                self.run.carriers.append(self)
            if self.answer.early:
                self._reply(self.answer.early, not self.answer.raw)

    def _complete(self, m):
        if self.run is None:
            return
        if m.target == b"/probe":
            self.send(PROBED)
            return
        self.run.partial = None
        self.run.requests.append(m)
        self.tunnel = self.answer.tunnel
        if self.answer.raw or not self.answer.early:
            self._reply(self.answer.raw, True)

    def _reply(self, raw, last):
        split, run, answer = self.run.split, self.run, self.answer
        if split and split[0] == "answer" and not run.answer_split and raw:
            run.answer_split = True
            self.send(raw[:split[1]])
            run.held = lambda: self._rest(answer, raw[split[1]:], last)
        else:
            self._rest(answer, raw, last)

    def _rest(self, answer, raw, last):
        if self.sock and raw:
            self.send(raw)
        if self.sock and last and (answer.close or answer.reset):
            if answer.reset or not self.out:
                self.close(answer.reset)
            self.closing = True

    def ended(self, how):
        self.close()


class Listener:
    def __init__(self, loop, address):
        self.loop, self.sock = loop, socket.socket()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind(address)
        self.sock.listen(4096)
        self.sock.setblocking(False)
        loop.add(self)

    def event(self, _):
        try:
            while True:
                self.loop.origin(self.loop, self.sock.accept()[0])
        except BlockingIOError:
            pass


class Loop:
    """Clients and the origin, which listens on the addresses `origins`. `client` and `origin` are the classes of the
    connections' ends."""

    def __init__(self, origins, patience=PATIENCE, client=Client, origin=OriginConnection):
        self._patience, self._client, self.origin = patience, client, origin
        self._epoll, self._peers, self._runs, self._faults, self._number = select.epoll(), {}, {}, [], 0
        for address in origins:
            Listener(self, address)
        self._fence = None

    def connect(self, port, fence=None):
        """`port`: the proxy under test; `fence`: a port whose answers show that it has handled all that came before;
        without one nothing can be split."""
        self._port = port
        if fence:
            self._fence = socket.create_connection(("127.0.0.1", fence), 30)

    def close(self):
        for peer in list(self._peers.values()):
            peer.sock.close()
        if self._fence:
            self._fence.close()

    # ---- sockets ----

    def add(self, peer):
        self._peers[peer.sock.fileno()] = peer
        self._epoll.register(peer.sock.fileno(), select.EPOLLIN)

    def want(self, peer, out):
        if out != getattr(peer, "wants", False):
            peer.wants = out
            self._epoll.modify(peer.sock.fileno(), select.EPOLLIN | (select.EPOLLOUT if out else 0))

    def remove(self, peer):
        self._epoll.unregister(peer.sock.fileno())
        del self._peers[peer.sock.fileno()]

    def poll(self, seconds):
        for fd, events in self._epoll.poll(seconds):
            if fd in self._peers:
                self._peers[fd].event(events)

    # ---- runs ----

    def fault(self, text):
        self._faults.append(text)

    def run_of(self, address):
        return self._runs.get(address)

    def _new_address(self, run):
        self._number += 1
        n = self._number
        address = f"127.{1 + n // 62500}.{n // 250 % 250}.{1 + n % 250}"
        self._runs[address.encode()] = run
        return address

    def fence(self):
        """Returns when the proxy has read all that was sent before."""
        for _ in range(2 if self._fence else 0):
            self._fence.sendall(b"GET / HTTP/1.1\r\nHost: fence\r\n\r\n")
            got = b""
            while not got.endswith(b"fence"):
                got += self._fence.recv(4096)

    def run(self, runs):
        """Runs all of them; what went wrong, in words."""
        faults = []
        for i in range(0, len(runs), SIDE_BY_SIDE):
            faults += self._batch(runs[i:i + SIDE_BY_SIDE])
        return faults

    def _batch(self, runs):
        self._runs, self._faults = {}, []
        clients = [self._client(self, run, self._new_address(run), self._port) for run in runs]
        self.fence()
        for client in clients:
            client.start()
        end = time.monotonic() + self._patience
        while any(not r.done for r in runs) and time.monotonic() < end:
            if all(c.run.held for c in clients if not c.run.done):
                self.fence()
                for client in clients:
                    client.release()
            self.poll(0.05)
        self._settle(runs, clients)
        for run in runs:
            run.check()
        return self._faults + [fault for run in runs for fault in run.faults]

    def _settle(self, runs, clients):
        """What the origins still get is part of the story, and so is that noxy lets bad connections go."""
        for client in clients:
            if not client.run.done:
                client.run.fault(f"nothing more came; the client had {show(m.bytes() for m in client.run.messages)}"
                                 f" {bytes(client.reader.buffer)!r}, the origin"
                                 f" {show(m.bytes(ADDED) for m in client.run.requests)} {client.run.partial!r}")
                client.close()
        self.fence()
        end = time.monotonic() + self._patience / 4
        while any(c.sock for r in runs for c in r.carriers) and time.monotonic() < end:
            self.poll(0.01)
        self.poll(0)
        for run in runs:
            if any(c.sock for c in run.carriers):
                run.fault("the server's connection is still open")
