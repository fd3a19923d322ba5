"""TLS for tests: certificates made with openssl, and a client's end that can do what no honest client does."""
import atexit
import contextlib
import functools
import io
import os
import shutil
import socket
import ssl
import subprocess
import tempfile

import clients

_folder = None


def folder():
    """Where this process's certificates are; readable for noxy as whoever it runs."""
    global _folder
    if not _folder:
        _folder = tempfile.mkdtemp(prefix="noxy-tls-")
        os.chmod(_folder, 0o755)
        atexit.register(shutil.rmtree, _folder, ignore_errors=True)
    return _folder


def openssl(*args, stdin=None):
    done = subprocess.run(["openssl", *args], input=stdin, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


KEYS = {"ec": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "rsa": ["-newkey", "rsa:2048"]}


def authority(name="test"):
    """A CA's (certificate, key)."""
    return _authority(name)


@functools.lru_cache(maxsize=None)
def _authority(name):
    base = os.path.join(folder(), f"ca-{name}")
    openssl("req", "-x509", *KEYS["ec"], "-nodes", "-keyout", base + ".key", "-out", base + ".pem", "-days", "30",
            "-subj", f"/CN=CA {name}", "-addext", "basicConstraints=critical,CA:TRUE",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    return base + ".pem", base + ".key"


@functools.lru_cache(maxsize=None)
def certificate(*names, kind="ec", ca="test", days=30, subject=None):
    """The paths of a certificate for these names and of its key: signed by that authority."""
    base = tempfile.mktemp(dir=folder(), prefix="cert-")
    ca_pem, ca_key = authority(ca)
    openssl("req", "-new", *KEYS[kind], "-nodes", "-keyout", base + ".key", "-out", base + ".csr",
            "-subj", subject or f"/CN={names[0]}")
    extensions = ("subjectAltName=" + ",".join(f"DNS:{n}" for n in names) + "\n") if not subject else ""
    with open(base + ".ext", "w", encoding="ascii") as f:
        f.write(extensions + "basicConstraints=CA:FALSE\n")
    openssl("x509", "-req", "-in", base + ".csr", "-CA", ca_pem, "-CAkey", ca_key, "-CAcreateserial", "-days",
            str(days), "-extfile", base + ".ext", "-out", base + ".crt")
    return base + ".crt", base + ".key"


def server(*names, **keys):
    """The `ssl` of a bind with a certificate for these names."""
    cert, key = certificate(*(names or ("test.example",)))
    return {"cert": cert, "key": key, **keys}


def joined(*paths):
    """The files' contents in one file."""
    path = tempfile.mktemp(dir=folder(), prefix="joined-", suffix=".pem")
    with open(path, "wb") as out:
        for name in paths:
            with open(name, "rb") as f:
                out.write(f.read())
    return path


def client_context(ca="test", cert=None, alpn=None, lowest=None, highest=None, ciphers=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(authority(ca)[0])
    if cert:
        context.load_cert_chain(*cert)
    if alpn:
        context.set_alpn_protocols(alpn)
    if lowest:
        context.minimum_version = lowest
    if highest:
        context.maximum_version = highest
    if ciphers:
        context.set_ciphers(ciphers)
    return context


class Socket:
    """A connected socket under TLS, with each direction's end of its own, as noxy's connections have."""

    def __init__(self, raw, context, name="test.example", session=None):
        self.raw, self.incoming, self.outgoing = raw, ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname=name, session=session)
        self._call(self.tls.do_handshake)

    def _flush(self):
        if self.outgoing.pending:
            self.raw.sendall(self.outgoing.read())

    def _fill(self):
        data = self.raw.recv(65536)
        if data:
            self.incoming.write(data)
        else:
            self.incoming.write_eof()

    def _call(self, what, *args):
        while True:
            try:
                result = what(*args)
            except ssl.SSLWantReadError:
                self._flush()
                self._fill()
            except ssl.SSLError:
                with contextlib.suppress(OSError):
                    self._flush()
                raise
            else:
                self._flush()
                return result

    def sendall(self, data):
        for at in range(0, len(data), 16384):
            self._call(self.tls.write, data[at:at + 16384])

    def recv(self, size):
        try:
            return self._call(self.tls.read, size)
        except ssl.SSLZeroReturnError:
            return b""

    def shutdown(self, _how):
        """Ends our direction: close_notify, then FIN."""
        with contextlib.suppress(ssl.SSLWantReadError):
            self.tls.unwrap()
        self._flush()
        self.raw.shutdown(socket.SHUT_WR)

    def makefile(self, _mode):
        return io.BufferedReader(_Reader(self), 65536)

    def settimeout(self, seconds):
        self.raw.settimeout(seconds)

    def setsockopt(self, *args):
        self.raw.setsockopt(*args)

    def close(self):
        self.raw.close()


class _Reader(io.RawIOBase):
    def __init__(self, sock):
        super().__init__()
        self._sock = sock

    def readable(self):
        return True

    def readinto(self, buffer):
        data = self._sock.recv(len(buffer))
        buffer[:len(data)] = data
        return len(data)


class Connection(clients.Connection):
    """A client's connection under TLS."""

    def __init__(self, port, context=None, timeout=20, **keys):
        raw = clients.connected(("127.0.0.1", port), timeout)
        try:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.sock = Socket(raw, context or client_context(), **keys)
        except OSError:
            raw.close()
            raise
        self.stream = self.sock.makefile("rb")

    @property
    def tls(self):
        return self.sock.tls


def get(port, target="/", fields=(), context=None, **keys):
    with Connection(port, context, **keys) as c:
        return c.get(target, fields)


def peer_names(connection):
    """The names of the certificate that the server showed."""
    return [name for _, name in connection.tls.getpeercert()["subjectAltName"]]


def refusal(port, context=None, **keys):
    """Connects and reads, which must fail: in words. TLS 1.3 tells a client of its certificate's refusal then."""
    try:
        with Connection(port, context, **keys) as c:
            c.send("GET / HTTP/1.1\r\nHost: test.example\r\n\r\n")
            data = c.stream.read(1)
    except ssl.SSLError as e:
        return str(e)
    except ConnectionResetError:
        return "reset"
    raise AssertionError(f"was let in, and got {data!r}")
