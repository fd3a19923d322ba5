"""Servers for noxy to balance: in Python, whose behaviour each test can program, and real nginx.

Every one names itself in the field X-Server and in its body.
"""
import contextlib
import os
import socket
import struct
import subprocess
import threading

from clients import Closed, Connection
from ports import free_port
from waiting import wait_for


class Request:
    def __init__(self, method, target, version, fields, body, trailers):
        self.method, self.target, self.version = method, target, version
        self.fields, self.body, self.trailers, self.complete = fields, body, trailers, True

    def field(self, name):
        values = [v for n, v in self.fields if n.lower() == name.lower()]
        return ", ".join(values) if values else None


class OriginConnection(Connection):
    """A server's end of a connection: reads requests, writes responses."""

    def __init__(self, sock):
        self.sock, self.stream = sock, sock.makefile("rb")

    def read_request_head(self):
        method, target, version = self._line("a request line").split(" ")
        return Request(method, target, version, self._fields(), b"", [])

    def read_request(self):
        r = self.read_request_head()
        self._read_request_body(r)
        return r

    def _read_request_body(self, r):
        if (r.field("Expect") or "").lower() == "100-continue":
            self.send("HTTP/1.1 100 Continue\r\n\r\n")
        if (r.field("Transfer-Encoding") or "").lower() == "chunked":
            self._read_chunks(r)
            if not r.complete:
                raise Closed("the request broke off")
        elif r.field("Content-Length"):
            r.body = self.read(int(r.field("Content-Length")))

    def reply(self, status=200, body=b"", fields=()):
        body = body.encode() if isinstance(body, str) else body
        lines = [f"HTTP/1.1 {status} Status"] + [f"{n}: {v}" for n, v in dict(fields).items()]
        self.send(("\r\n".join(lines) + f"\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body)


class Origin:
    """An HTTP server with a thread for each connection.

    `answer(origin, connection, request)` replies to one request; `raw(origin, connection)` takes over a whole
    connection. Both may do anything: close early, send garbage, wait for `origin.go`, reset.
    """

    def __init__(self, name, answer=None, raw=None):
        self.name, self.port = name, free_port()
        self.answer, self.raw = answer or Origin.answer_name, raw
        self.requests, self.connections, self.go = [], 0, threading.Event()
        self._listener, self._open, self._lock = None, set(), threading.Lock()
        self.start()

    @property
    def addr_port(self):
        return f"127.0.0.1:{self.port}"

    def server(self, **keys):
        """This origin as an entry of `servers`."""
        return {"addr_port": self.addr_port, "name": self.name, **keys}

    def start(self):
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", self.port))
        self._listener.listen(1024)
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def stop(self):
        """As a server that was killed: its port refuses, its connections are gone."""
        with self._lock:
            for sock in [self._listener, *self._open]:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def answer_name(self, c, request):
        c.reply(200, self.name + "\n", {"X-Server": self.name})

    def _accept(self, listener):
        with contextlib.suppress(OSError):
            while True:
                sock, _ = listener.accept()
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with self._lock:
                    self._open.add(sock)
                threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        c = OriginConnection(sock)
        try:
            if self.raw:
                self._count_connection()
                self.raw(self, c)
            else:
                self._serve_http(c)
        except (OSError, ValueError):
            pass  # the peer's end of the story is the test's business
        finally:
            with self._lock:
                self._open.discard(sock)
            c.close()

    def _count_connection(self):
        with self._lock:
            self.connections += 1

    def _serve_http(self, c):
        if c.stream.peek(1):  # a health check only connects: it is no connection here
            self._count_connection()
        while c.stream.peek(1):
            request = c.read_request()
            self.requests.append(request)
            self.answer(self, c, request)
            if (request.field("Connection") or "").lower() == "close":
                return


def echo(origin, c):
    """Sends back what comes, and ends its direction after the peer did."""
    while data := c.stream.read1(65536):
        c.send(data)
    c.end_sending()


class Unanswering:
    """A port whose connection attempts stay without an answer: the queue of its listener is full."""

    def __init__(self, name="unanswering"):
        self.name, self.port = name, free_port()
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", self.port))
        self._listener.listen(0)
        self._fill = [socket.socket() for _ in range(3)]
        for s in self._fill:
            s.setblocking(False)
            s.connect_ex(("127.0.0.1", self.port))

    def server(self, **keys):
        return {"addr_port": f"127.0.0.1:{self.port}", "name": self.name, **keys}

    def accept(self):
        """Answers after all: the connection of the one who waits."""
        own = {s.getsockname() for s in self._fill}
        while True:
            sock, peer = self._listener.accept()
            if peer not in own:
                return sock
            sock.close()

    def stop(self):
        for s in [self._listener, *self._fill]:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            s.close()


NGINX = """\
daemon off;
worker_processes 1;
pid {dir}/nginx.pid;
error_log {dir}/error.log;
{user}
events {{ worker_connections 4096; }}
http {{
  access_log off;
  default_type text/plain;
  sendfile on;
  keepalive_timeout 60s;
  keepalive_requests 100000000;
  client_max_body_size 0;
  client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy; fastcgi_temp_path {dir}/fastcgi;
  uwsgi_temp_path {dir}/uwsgi; scgi_temp_path {dir}/scgi;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    root {dir}/root;
    add_header X-Server {name};
    location = / {{ return 200 "{name}\\n"; }}
  }}
}}
"""


class Nginx:
    """A real nginx, which also serves the files of `root`."""

    def __init__(self, name, folder):
        self.name, self.port, self.dir = name, free_port(), folder
        self.root = os.path.join(folder, "root")
        os.makedirs(self.root)
        text = NGINX.format(dir=folder, port=self.port, name=name, user="user root;" if os.getuid() == 0 else "")
        self._config = os.path.join(folder, "nginx.conf")
        with open(self._config, "w", encoding="utf-8") as f:
            f.write(text)
        self.start()

    def server(self, **keys):
        return {"addr_port": f"127.0.0.1:{self.port}", "name": self.name, **keys}

    def start(self):
        self._process = subprocess.Popen(["nginx", "-p", self.dir, "-c", self._config], stdin=subprocess.DEVNULL,
                                         stderr=subprocess.DEVNULL)
        wait_for(self._listens, f"nginx {self.name} listens")

    def _listens(self):
        assert self._process.poll() is None, f"nginx ended: {open(os.path.join(self.dir, 'error.log')).read()}"
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self):
        if self._process.poll() is None:
            self._process.terminate()
        self._process.wait()
