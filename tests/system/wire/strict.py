"""Reads HTTP/1.1 by the letter of RFC 9112: whatever could be read in two ways is an error.

A Reader gets bytes as they come and yields whole messages in one form: the head as it came, a chunked body as one
chunk. What was sent in other pieces therefore compares equal.
"""
import re

FIELD = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*((?:[\x21-\x7e\x80-\xff](?:[ \t]*[\x21-\x7e\x80-\xff])*)?)[ \t]*")
REQUEST = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([\x21\x22\x24-\x7e]+) HTTP/1\.1")
STATUS = re.compile(rb"HTTP/1\.[01] ([1-5][0-9][0-9])(?: [\t \x21-\x7e\x80-\xff]*)?")
SIZE = re.compile(rb"[0-9A-Fa-f]{1,16}")
LENGTH = re.compile(rb"[0-9]{1,19}")
# What a trailer section may not hold: framing, routing, authentication and the like (RFC 9110, 6.5.1).
NO_TRAILER = {b"host", b"content-length", b"transfer-encoding", b"connection", b"te", b"upgrade", b"trailer",
              b"authorization", b"cookie", b"set-cookie", b"content-type", b"content-encoding", b"content-range",
              b"expect", b"max-forwards", b"www-authenticate", b"if-match", b"x-forwarded-for", b"forwarded"}


class Malformed(Exception):
    """The bytes are not what RFC 9112 allows."""


class Message:
    """A head and what is known of its body so far."""

    def __init__(self, head):
        self.head, self.body, self.trailers, self.complete = head, b"", b"", False
        line, *lines = head[:-4].split(b"\r\n")
        self.line, self.fields, self.method, self.target, self.status = line, read_fields(lines), b"", b"", 0

    def values(self, name):
        return [v for n, v in self.fields if n.lower() == name]

    def value(self, name):
        return b", ".join(self.values(name))

    def framing(self):
        """None: no body told; an int: its length; "chunked"."""
        lengths, codings = self.values(b"content-length"), self.values(b"transfer-encoding")
        if len(lengths) > 1 or len(codings) > 1 or lengths and codings:
            raise Malformed("ambiguous framing")
        if codings:
            old = self.line.startswith(b"HTTP/1.0") or self.line.endswith(b" HTTP/1.0")
            if codings[0].lower() != b"chunked" or old:
                raise Malformed("a coding other than chunked, or in HTTP/1.0")
            return "chunked"
        if lengths and not LENGTH.fullmatch(lengths[0]):
            raise Malformed("no length")
        return int(lengths[0]) if lengths else None

    def bytes(self, without=()):
        """As it came, a chunked body as one chunk, without the fields named."""
        head = self.head
        if without:
            lines = head[:-4].split(b"\r\n")
            head = b"\r\n".join(x for x in lines if x.split(b":")[0].lower() not in without) + b"\r\n\r\n"
        if self.values(b"transfer-encoding") and self.complete and (self.method or self.has_body):
            return head + chunked(self.body, self.trailers)
        return head + self.body

    has_body = True


def chunked(body, trailers=b""):
    """A body as one chunk and its trailer lines."""
    return (b"%x\r\n%s\r\n" % (len(body), body) if body else b"") + b"0\r\n" + trailers + b"\r\n"


def read_fields(lines):
    fields = []
    for line in lines:
        match = FIELD.fullmatch(line)
        if not match:
            raise Malformed(f"a field line {line[:80]!r}")
        fields.append(match.groups())
    return fields


class Reader:
    """Messages out of bytes. `feed()` returns those that were completed; `current` is one that is under way."""

    def __init__(self):
        self.buffer, self.current, self.left, self.state = bytearray(), None, 0, "head"
        self.done = []  # of the latest feed(), also where that ended with Malformed

    def feed(self, data):
        self.buffer += data
        self.done = []
        while self._step():
            if self.current and self.current.complete:
                self.done.append(self.current)
                self.current, self.state = None, "head"
        return self.done

    def _take(self, count):
        taken = bytes(self.buffer[:count])
        del self.buffer[:count]
        return taken

    def _line(self):
        """The next line without its CRLF; None while it isn't complete."""
        end = self.buffer.find(b"\n")
        if end < 0:
            if len(self.buffer) > 100_000:
                raise Malformed("a line without an end")
            return None
        line = self._take(end + 1)
        if not line.endswith(b"\r\n") or b"\r" in line[:-2]:
            raise Malformed(f"a line's end in {line[:80]!r}")
        return line[:-2]

    def _step(self):
        return getattr(self, "_" + self.state)()

    def _head(self):
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            if self.buffer[:1] in (b"\r", b"\n"):
                raise Malformed("an empty line before a message")
            return False
        self.current = Message(self._take(end + 4))
        self._begin(self.current)
        return True

    def _body_of(self, kind):
        self.left = 0
        if kind == "chunked":
            self.state = "size"
        elif kind is None or kind == 0:
            self.current.complete = True
        else:
            self.state, self.left = "data", kind

    def _data(self):
        if not self.buffer:
            return False
        piece = self._take(self.left)
        self.left -= len(piece)
        self.current.body += piece
        if self.left == 0:
            self.current.complete = True
        return True

    def _size(self):
        line = self._line()
        if line is None:
            return False
        if not SIZE.fullmatch(line):
            raise Malformed(f"a chunk's size {line[:80]!r}")
        self.left = int(line, 16)
        self.state = "chunk" if self.left else "trailer"
        return True

    def _chunk(self):
        if len(self.buffer) < self.left + 2:
            return False
        self.current.body += self._take(self.left)
        if self._take(2) != b"\r\n":
            raise Malformed("a chunk's end")
        self.state = "size"
        return True

    def _trailer(self):
        line = self._line()
        if line is None:
            return False
        if not line:
            self.current.complete = True
            return True
        (name, _), = read_fields([line])
        if name.lower() in NO_TRAILER:
            raise Malformed(f"a trailer {name!r}")
        self.current.trailers += line + b"\r\n"
        return True


class RequestReader(Reader):
    def _begin(self, m):
        match = REQUEST.fullmatch(m.line)
        if not match:
            raise Malformed(f"a request line {m.line[:80]!r}")
        m.method, m.target = match.groups()
        if len(m.values(b"host")) != 1:
            raise Malformed("not one Host")
        if len(m.values(b"x-forwarded-for")) != 1:
            raise Malformed("not one X-Forwarded-For")
        self._body_of(m.framing())


class ResponseReader(Reader):
    """`to_head(n)`: is the nth final response one to a HEAD?"""

    def __init__(self, to_head=lambda n: False):
        super().__init__()
        self._to_head, self._finals, self.tunnel = to_head, 0, None

    def _begin(self, m):
        match = STATUS.fullmatch(m.line)
        if not match:
            raise Malformed(f"a status line {m.line[:80]!r}")
        m.status = int(match.group(1))
        if m.status == 101:
            m.complete, self.tunnel, self._tunnelled = True, b"", True
            return
        head = self._to_head(self._finals)
        self._finals += m.status >= 200
        kind = m.framing()
        if m.status < 200 or m.status in (204, 304) or head:
            if m.status < 200 or m.status == 204:
                if kind is not None:
                    raise Malformed("a framing field where there is no body")
            m.has_body, m.complete = False, True
        elif kind is None:
            self.state = "close"
        else:
            self._body_of(kind)

    def _close(self):
        self.current.body += self._take(len(self.buffer))
        return False

    def _head(self):
        if self.tunnel is not None:
            self.tunnel += self._take(len(self.buffer))
            return False
        return super()._head()

    def end(self):
        """The connection ended properly: a message that this completes."""
        if self.state == "close":
            self.current.complete = True
            return [self.current]
        return []
