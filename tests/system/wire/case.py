"""What a wire case is, and words to write one in a line or two."""
import dataclasses

from .strict import chunked

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
GET = b"GET / HTTP/1.1\r\nHost: a\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
CLOSE = b"Connection: close\r\n"
CUT = "no whole request"


@dataclasses.dataclass
class Answer:
    """What the origin sends: `early` when a request's head has come, `raw` when its body has, too."""
    raw: bytes = OK
    early: bytes = b""
    stray: int = 0  # bytes at its end that belong to no answer
    close: bool = False  # the origin closes behind it
    reset: bool = False  # and with a reset
    dropped: bool = False  # noxy must close this connection
    tunnel: bool = False  # what comes afterwards is sent back in capitals


@dataclasses.dataclass
class Case:
    name: str
    send: object  # bytes; or a list: each further piece is sent when one more message has come
    origin: object = dataclasses.field(default_factory=list)  # the requests that arrived, or CUT
    client: list = dataclasses.field(default_factory=lambda: [OK])  # bytes, or the status of an answer of noxy's own
    end: str = "keep"  # keep: another request is served; close; cut: in the middle of a message; tunnel
    answers: list = dataclasses.field(default_factory=lambda: [Answer()])  # the last one for all further requests
    head: tuple = ()  # the final responses that answer a HEAD
    shut: bool = False  # the client ends its direction behind what it sends
    tunnel: bytes = b""  # what the client gets behind a 101
    repeated: bool = False  # the origin may get the same request again

    @property
    def pieces(self):
        return [self.send] if isinstance(self.send, bytes) else self.send


def request(bytes_, *edits):
    """The request as the origin gets it: with the edits (old, new) made."""
    for old, new in edits:
        assert old in bytes_, old
        bytes_ = bytes_.replace(old, new, 1)
    return bytes_


def taken(name, send, *edits, **keys):
    """It reaches the origin as it was sent, but for the edits."""
    keys.setdefault("origin", [request(send, *edits)])
    return Case(name, send, **keys)


def refused(name, send, status=400):
    """It is answered by noxy, the connection ends, and nothing of it reaches the origin."""
    return Case(name, send, [], [status], "close")


def broken(name, send, status=400):
    """A body that turns out malformed: the origin never gets the request whole."""
    return Case(name, send, CUT, [status], "close")


def posted(name, body, data, trailers=b""):
    """A chunked body that the origin gets as that."""
    return Case(name, CHUNKED + body, [CHUNKED + chunked(data, trailers)])


def answered(name, raw, client=None, send=GET + b"\r\n", **keys):
    """The origin answers so; the client gets the same, or `client`."""
    close = keys.pop("close", False)
    return Case(name, send, keys.pop("origin", [send]), [raw if client is None else client],
                answers=[Answer(raw, stray=keys.pop("stray", 0), close=close, dropped=keys.pop("dropped", False))],
                **keys)


def bad_answer(name, raw, send=GET + b"\r\n", **keys):
    """An answer that is refused: the client gets a 502, the server's connection is closed."""
    return Case(name, send, [send], [502], answers=[Answer(raw, dropped=True)], **keys)
