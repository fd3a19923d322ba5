"""Clients for tests: raw sockets that show exactly what came, and loops that keep traffic going."""
import collections
import contextlib
import socket
import struct
import threading


class Closed(ConnectionError):
    """The other side ended the connection where an answer was due."""


class Response:
    """One final response, the interim ones before it, and its body without the framing."""

    def __init__(self, version, status, reason, fields):
        self.version, self.status, self.reason, self.fields = version, status, reason, fields
        self.body, self.trailers, self.interim, self.complete = b"", [], [], True

    def field(self, name):
        """The field's values, joined as RFC 9110 5.2 says; None when it is absent."""
        values = [v for n, v in self.fields if n.lower() == name.lower()]
        return ", ".join(values) if values else None

    @property
    def server(self):
        return self.field("X-Server")

    @property
    def closes(self):
        tokens = [t.strip().lower() for t in (self.field("Connection") or "").split(",")]
        return "close" in tokens or (self.version == "HTTP/1.0" and "keep-alive" not in tokens)

    def __repr__(self):
        return f"<{self.version} {self.status} {self.fields} body={self.body[:80]!r}>"


def head(method, target, fields, version="HTTP/1.1"):
    lines = [f"{method} {target} {version}"] + [f"{n}: {v}" for n, v in fields]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def as_list(fields):
    return list(fields.items()) if isinstance(fields, dict) else list(fields)


IP_BIND_ADDRESS_NO_PORT = 24  # ip(7)


def connected(to, timeout=None, source=None):
    """A socket connected to the address, from `source` if it is given.

    The local port is found by connect(2), which takes any whose connection to that address is over. bind(2) would want
    one that no connection at all has used for a minute, and say "Address already in use" on a busy machine.
    """
    sock = socket.socket(socket.AF_UNIX if isinstance(to, str) else socket.AF_INET)
    try:
        sock.settimeout(timeout)
        if source:
            sock.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
            sock.bind((source, 0))
        sock.connect(to)
    except OSError:
        sock.close()
        raise
    return sock


class Connection:
    """A client's connection. `to` is a port of 127.0.0.1, a whole address or the path of a Unix socket; `source` the
    client's own address."""

    def __init__(self, to, timeout=20, source=None):
        self.sock = connected(("127.0.0.1", to) if isinstance(to, int) else to, timeout, source)
        if not isinstance(to, str):
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.stream = self.sock.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        with contextlib.suppress(OSError):
            self.stream.close()
        self.sock.close()

    def reset(self):
        """Ends the connection with RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def end_sending(self):
        self.sock.shutdown(socket.SHUT_WR)

    def send(self, data):
        self.sock.sendall(data.encode("latin-1") if isinstance(data, str) else data)

    def request(self, method, target="/", fields=(), body=None, version="HTTP/1.1"):
        """Sends one request and reads its response."""
        self.send_request(method, target, fields, body, version)
        return self.response(method)

    def send_request(self, method, target="/", fields=(), body=None, version="HTTP/1.1"):
        fields = as_list(fields)
        if not any(n.lower() == "host" for n, _ in fields):
            fields.insert(0, ("Host", "test.example"))
        if body is not None and not any(n.lower() == "transfer-encoding" for n, _ in fields):
            fields.append(("Content-Length", len(body)))
        self.send(head(method, target, fields, version) + (body or b""))

    def get(self, target="/", fields=()):
        return self.request("GET", target, fields)

    def response(self, method="GET"):
        interim = []
        while True:
            r = self.read_head()
            if r.status >= 200 or r.status == 101:
                break
            interim.append(r)
        r.interim = interim
        self._read_body(r, method)
        return r

    def read_head(self):
        line = self._line("a status line")
        version, status, reason = (line.split(" ", 2) + [""])[:3]
        return Response(version, int(status), reason, self._fields())

    def _line(self, what):
        line = self.stream.readline()
        if not line.endswith(b"\n"):
            raise Closed(f"the connection ended instead of {what} (got {line[:80]!r})")
        return line.rstrip(b"\r\n").decode("latin-1")

    def _fields(self):
        fields = []
        while line := self._line("a header field"):
            name, value = line.split(":", 1)
            fields.append((name, value.strip()))
        return fields

    def _read_body(self, r, method):
        if method == "HEAD" or r.status in (101, 204, 304):
            return
        if (r.field("Transfer-Encoding") or "").lower() == "chunked":
            self._read_chunks(r)
        elif r.field("Content-Length") is not None:
            length = int(r.field("Content-Length"))
            r.body = self.stream.read(length)
            r.complete = len(r.body) == length
        else:
            r.body = self.stream.read()

    def _read_chunks(self, r):
        pieces = []
        try:
            while size := int(self._line("a chunk's size").split(";")[0], 16):
                pieces.append(self.stream.read(size))
                if self._line("a chunk's end"):
                    raise Closed("a chunk is longer than its size")
            r.trailers = self._fields()
        except Closed:
            r.complete = False
        r.body = b"".join(pieces)

    def read(self, size):
        data = self.stream.read(size)
        if len(data) < size:
            raise Closed(f"the connection ended after {len(data)} of {size} bytes")
        return data

    def read_to_end(self):
        """All that still comes; a reset ends it, too."""
        pieces = []
        with contextlib.suppress(ConnectionResetError):
            while piece := self.stream.read1(65536):
                pieces.append(piece)
        return b"".join(pieces)


def get(to, target="/", fields=(), method="GET", body=None):
    """One request on a connection of its own."""
    with Connection(to) as c:
        return c.request(method, target, fields, body)


def refuses(port):
    """Does nobody listen there?"""
    try:
        Connection(port).close()
    except ConnectionRefusedError:
        return True
    return False


class Traffic:
    """Requests in a loop from several threads, as long as the `with` lasts. Each failed one is kept in words."""

    def __init__(self, port, threads=4, keepalive=True, method="GET", target="/", body=None):
        self.port, self.keepalive, self.request = port, keepalive, (method, target, (), body)
        self.servers, self.failures = collections.Counter(), []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(threads)]

    @property
    def done(self):
        return sum(self.servers.values())

    def __enter__(self):
        for t in self._threads:
            t.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for t in self._threads:
            t.join()

    def _run(self):
        connection = None
        while not self._stop.is_set():
            try:
                connection = connection or Connection(self.port)
                r = connection.request(*self.request)
                if r.status != 200 or not r.complete:
                    self.failures.append(repr(r))
                self.servers[r.server] += 1
                if r.closes or not self.keepalive:
                    connection = connection.close()
            except OSError as e:
                self.failures.append(repr(e))
                connection = connection and connection.close()
        if connection:
            connection.close()
