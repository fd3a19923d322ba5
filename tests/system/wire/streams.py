"""Streams of pipelined requests, valid and mutated, and what they hold by the letter of RFC 9112.

A stream is made from its seed alone. reading() tells which requests stand in it up to the first byte that can't be
understood, or the last request that the connection serves: whoever forwards another one than those, or other bytes in
it, has misread the stream.
"""
import contextlib
import random
import re

from .strict import Malformed, Reader, read_fields

LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([\x21-\x7e]+) HTTP/1\.([0-9])")
SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})(?:[ \t]*;[\t\x20-\x7e\x80-\xff]*)?")
METHODS = [b"GET", b"GET", b"POST", b"POST", b"PUT", b"DELETE", b"HEAD", b"OPTIONS"]
FIELDS = [b"A: b", b"Accept: */*", b"X-Long: " + b"y" * 300, b"Connection: keep-alive", b"Connection: X", b"X: 1", b"Cookie: c=d",
          b"TE: trailers", b"Empty:", b"Upgrade: x", b"Connection: upgrade", b"X-Forwarded-For: 127.9.9.9", b"Expect: x"]
# What attackers put where it doesn't belong.
PIECES = [b"\r", b"\n", b"\r\n", b"\r\n\r\n", b"\n\n", b"\0", b" ", b"\t", b"\x0b", b":", b",", b";", b"\x7f", b"\x80", b"0", b"5",
          b"0\r\n\r\n", b"\r\n0\r\n\r\n", b"5\r\nhello\r\n", b"GET /smuggled HTTP/1.1\r\nHost: s\r\n\r\n",
          b"Content-Length: 5\r\n", b"Content-Length: 0\r\n", b"Content-Length: 44\r\n", b"content-length:5\r\n",
          b"Content-Length : 5\r\n", b"Content-Length: +5\r\n", b"Content-Length: 5, 5\r\n", b"Content-Length:\x0b5\r\n",
          b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: identity\r\n", b"transfer-encoding:chunked\r\n",
          b"Transfer-Encoding : chunked\r\n", b"Transfer-Encoding:\x0bchunked\r\n", b"Transfer-Encoding: chunked, x\r\n",
          b"Transfer-Encoding: x, chunked\r\n", b"Transfer-Encoding:\r\n chunked\r\n", b" Transfer-Encoding: chunked\r\n",
          b"Host: b\r\n", b"Connection: close\r\n", b"Connection: Content-Length\r\n", b"Connection: Transfer-Encoding\r\n",
          b"HTTP/1.1", b"HTTP/1.0", b"http://b", b"X: y\rZ: ", b"ffffffffffffffff\r\n", b"0;", b"5 \r\n", b"-"]


def body(rng):
    return rng.choice([b"", b"hello", b"x" * rng.randrange(200), b"GET /inner HTTP/1.1\r\nHost: i\r\n\r\n", b"0\r\n\r\n"])


def chunks(rng, data):
    out = b""
    while data:
        size = rng.randint(1, len(data))
        out += b"%s%x%s\r\n%s\r\n" % (rng.choice([b"", b"", b"00"]), size, rng.choice([b"", b"", b";a", b" ;a=\"b\""]), data[:size])
        data = data[size:]
    return out + b"0\r\n" + rng.choice([b"", b"", b"T: u\r\n", b"Content-Length: 9\r\n"]) + b"\r\n"


def request(rng, n):
    """A valid request."""
    method = rng.choice(METHODS)
    target = b"/%d%s" % (n, rng.choice([b"", b"?q=1", b"/../a"]))
    host = b"Host: a"
    if rng.random() < 0.05:
        target = b"http://h" + target
    lines = rng.sample(FIELDS, rng.randrange(4)) + [host]
    data, how = body(rng), rng.randrange(3)
    if how == 0:
        data = b""
    elif how == 1:
        lines.append(b"Content-Length: %d" % len(data))
    else:
        lines.append(b"Transfer-Encoding: chunked")
        data = chunks(rng, data)
    rng.shuffle(lines)
    version = b"1.0" if rng.random() < 0.02 and how != 2 else b"1.1"
    return b"%s %s HTTP/%s\r\n%s\r\n\r\n%s" % (method, target, version, b"\r\n".join(lines), data)


def mutate(rng, data):
    """One change somewhere, most often in a head."""
    at = rng.randrange(len(data) + 1)
    kind = rng.randrange(7)
    if kind < 3:
        lines = [m.end() for m in re.finditer(rb"\r\n", data)]
        place = rng.choice(lines) if lines and rng.random() < 0.7 else at
        return data[:place] + rng.choice(PIECES) + data[place:]
    if kind == 3:
        return data[:at] + data[at + rng.randint(1, 4):]
    if kind == 4:
        return data[:at] + bytes([rng.randrange(256)]) + data[at + 1:]
    if kind == 5:
        end = min(len(data), at + rng.randrange(40))
        return data[:end] + data[at:end] + data[end:]
    lines = data.split(b"\r\n")
    i, j = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[i], lines[j] = lines[j], lines[i]
    return b"\r\n".join(lines)


def stream(seed):
    """The bytes of a connection."""
    rng = random.Random(seed)
    requests = [request(rng, i) for i in range(rng.randint(1, 5))]
    if rng.random() < 0.15:
        requests.insert(rng.randrange(len(requests) + 1), b"\r\n")
    data = b"".join(requests)
    for _ in range(rng.choice([0, 1, 1, 1, 2, 3])):
        data = mutate(rng, data)
    return data[:rng.randrange(len(data) + 1)] if data and rng.random() < 0.1 else data


class Request:
    """What a request asks for, whatever form it has."""

    def __init__(self, method, target, data):
        if not target.startswith((b"/", b"*")):
            rest = target.partition(b"://")[2]
            cut = min((i for i in (rest.find(b"/"), rest.find(b"?")) if i >= 0), default=len(rest))
            target = rest[cut:]
            if not target and method == b"OPTIONS":
                target = b"*"
            elif not target.startswith(b"/"):
                target = b"/" + target
        self.method, self.target, self.body = method, target, data

    def __eq__(self, other):
        return (self.method, self.target, self.body) == (other.method, other.target, other.body)

    def __repr__(self):
        return f"{self.method.decode()} {self.target!r} {self.body!r}"


class StreamReader(Reader):
    """Requests as a client may send them. What is refused for other reasons than its bounds isn't looked at."""

    def __init__(self):
        super().__init__()
        self.skipped, self.over = 0, False

    def _head(self):
        while self.buffer.startswith(b"\r\n") and self.skipped < 2:
            self._take(2)
            self.skipped += 1
        if self.over or not super()._head():
            return False
        self.skipped = 0
        return True

    def _begin(self, m):
        match = LINE.fullmatch(m.line)
        if not match:
            raise Malformed("a request line")
        m.method, m.target, minor = match.groups()
        options = {o.strip().lower() for o in m.value(b"connection").split(b",")}
        self.over = b"close" in options or (minor == b"0" and b"keep-alive" not in options)
        kind = m.framing()
        if kind == "chunked" and minor == b"0":
            raise Malformed("chunked in HTTP/1.0")
        self._body_of(kind)

    def _size(self):
        line = self._line()
        if line is None:
            return False
        match = SIZE.fullmatch(line)
        if not match:
            raise Malformed("a chunk's size")
        self.left = int(match.group(1), 16)
        self.state = "chunk" if self.left else "trailer"
        return True

    def _trailer(self):
        line = self._line()
        if not line:
            self.current.complete = line is not None
            return line is not None
        read_fields([line])
        return True


def reading(data):
    """The whole requests of a stream."""
    reader = StreamReader()
    with contextlib.suppress(Malformed):
        reader.feed(data)
    return [Request(m.method, m.target, m.body) for m in reader.done]
