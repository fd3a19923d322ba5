"""A client of HTTP/2 that shows exactly what came and sends whatever it is told to, honest or not.

Frames are hyperframe's where they are sound, and bytes where they are not.
"""
import contextlib
import struct

from hpack import Decoder, Encoder
from hyperframe.frame import (ContinuationFrame, DataFrame, Frame, GoAwayFrame, HeadersFrame, PingFrame,
                              PriorityFrame, RstStreamFrame, SettingsFrame, WindowUpdateFrame)

from clients import Closed, connected

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR, SETTINGS_TIMEOUT, STREAM_CLOSED = range(6)
FRAME_SIZE_ERROR, REFUSED_STREAM, CANCEL, COMPRESSION_ERROR, CONNECT_ERROR, ENHANCE_YOUR_CALM = range(6, 12)


def raw_frame(kind, flags=0, stream=0, payload=b"", length=None):
    """Any frame, sound or not."""
    length = len(payload) if length is None else length
    return struct.pack(">I", length)[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def request(method="GET", path="/", more=(), authority="test.example", scheme="http"):
    """A request's fields; a pseudo field that is None is left out."""
    pseudo = [(":method", method), (":scheme", scheme), (":path", path), (":authority", authority)]
    return [(n, v) for n, v in pseudo if v is not None] + list(more)


class Answer:
    """What came on one stream."""

    def __init__(self):
        self.interim, self.fields, self.body, self.trailers = [], [], b"", []
        self.ended, self.reset = False, None

    @property
    def status(self):
        return int(dict(self.fields)[":status"]) if self.fields else None

    def field(self, name):
        values = [v for n, v in self.fields if n == name]
        return ", ".join(values) if values else None

    def __repr__(self):
        return f"<{self.fields} body={self.body[:60]!r} ended={self.ended} reset={self.reset}>"


class H2Client:
    """One connection. Frames that come are noted in `answers`, `goaways`, `pings` and `settings`."""

    def __init__(self, port, settings=None, start=True, window_updates=True, timeout=20, receive_buffer=None):
        self.sock = connected(("127.0.0.1", port), timeout)
        if receive_buffer:
            import socket
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.encoder, self.decoder = Encoder(), Decoder()
        self.window_updates, self.pending = window_updates, b""
        self.answers, self.goaways, self.pings, self.settings, self.acks = {}, [], [], [], 0
        self.windows = {}  # what the server lets us send, beside the initial windows
        self.next_stream, self._block, self.ended = 1, None, False
        if start:
            self.send(PREFACE, SettingsFrame(0, settings or {}))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.sock.close()

    # ---- sending ----

    def send(self, *frames):
        data = b"".join(f.serialize() if isinstance(f, Frame) else f for f in frames)
        self.sock.sendall(data)

    def block(self, fields):
        return self.encoder.encode(fields)

    def headers(self, stream, fields, end=True, **keys):
        f = HeadersFrame(stream, self.block(fields) if not isinstance(fields, bytes) else fields, **keys)
        f.flags.add("END_HEADERS")
        if end:
            f.flags.add("END_STREAM")
        return f

    def data(self, stream, data=b"", end=False):
        f = DataFrame(stream, data)
        if end:
            f.flags.add("END_STREAM")
        return f

    def open(self, fields=None, end=True):
        """Begins a request on a new stream, whose number it returns."""
        stream, self.next_stream = self.next_stream, self.next_stream + 2
        self.send(self.headers(stream, fields or request(), end))
        return stream

    # ---- receiving ----

    def _read(self, size):
        while len(self.pending) < size:
            piece = self.sock.recv(65536)
            if not piece:
                raise Closed(f"the connection ended within a frame: {self.pending!r}")
            self.pending += piece
        data, self.pending = self.pending[:size], self.pending[size:]
        return data

    def read_frame(self):
        head = self._read(9)
        frame, length = Frame.parse_frame_header(memoryview(head))
        frame.parse_body(memoryview(self._read(length)))
        self._note(frame)
        return frame

    def _answer(self, stream):
        return self.answers.setdefault(stream, Answer())

    def _note(self, f):
        flags = set(f.flags)
        if isinstance(f, (HeadersFrame, ContinuationFrame)):
            self._block = (self._block or b"") + f.data
            if isinstance(f, HeadersFrame):
                self._ends = "END_STREAM" in flags
            if "END_HEADERS" in flags:
                self._note_head(self._answer(f.stream_id))
        elif isinstance(f, DataFrame):
            a = self._answer(f.stream_id)
            a.body += f.data
            a.ended = "END_STREAM" in flags
            if self.window_updates and f.flow_controlled_length:
                with contextlib.suppress(OSError):
                    self.send(WindowUpdateFrame(0, f.flow_controlled_length),
                              *([] if a.ended else [WindowUpdateFrame(f.stream_id, f.flow_controlled_length)]))
        elif isinstance(f, RstStreamFrame):
            self._answer(f.stream_id).reset = f.error_code
        elif isinstance(f, GoAwayFrame):
            self.goaways.append(f)
        elif isinstance(f, PingFrame):
            if "ACK" in flags:
                self.pings.append(f.opaque_data)
            else:
                with contextlib.suppress(OSError):
                    self.send(PingFrame(0, f.opaque_data, flags=["ACK"]))
        elif isinstance(f, SettingsFrame):
            if "ACK" in flags:
                self.acks += 1
            else:
                self.settings.append(f.settings)
                with contextlib.suppress(OSError):
                    self.send(SettingsFrame(0, flags=["ACK"]))
        elif isinstance(f, WindowUpdateFrame):
            self.windows[f.stream_id] = self.windows.get(f.stream_id, 0) + f.window_increment

    def _note_head(self, a):
        fields, self._block = self.decoder.decode(self._block), None
        status = dict(fields).get(":status")
        if status is None:
            a.trailers = fields
        elif status.startswith("1"):
            a.interim.append(fields)
        else:
            a.fields = fields
        a.ended = self._ends

    def until(self, condition):
        """Reads frames until the condition holds."""
        while not condition():
            self.read_frame()

    def answer(self, stream):
        """The complete answer on the stream, or what came of it before it was reset."""
        a = self._answer(stream)
        self.until(lambda: a.ended or a.reset is not None)
        return a

    def get(self, path="/", more=(), **keys):
        return self.answer(self.open(request(path=path, more=more, **keys)))

    def ping(self):
        """Waits until all that was sent before has been read."""
        count = len(self.pings)
        self.send(PingFrame(0, b"12345678"))
        self.until(lambda: len(self.pings) > count)

    def read_to_end(self):
        """All frames until the connection ends; a reset ends it, too."""
        with contextlib.suppress(Closed, ConnectionError):
            while True:
                self.read_frame()
        self.ended = True


__all__ = ["H2Client", "raw_frame", "request", "PREFACE", "PriorityFrame"]
