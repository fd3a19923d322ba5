"""Upgrade (RFC 9110, 7.8)."""
from .case import CLOSE, GET, OK, POST, Answer, Case, taken

ASK = b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
PLAIN = GET + ASK + b"\r\n"
AGREED = b"HTTP/1.1 101 Switching Protocols\r\n" + ASK
TUNNEL = Answer(AGREED + b"\r\n", tunnel=True)
OK_CLOSE = OK.replace(b"\r\n\r\n", b"\r\n" + CLOSE + b"\r\n")


def wrong(name, raw, send=PLAIN, origin=None):
    """A 101 that noxy can't agree to."""
    return Case(name, send, [origin or send], [502], answers=[Answer(raw, dropped=True)])


CASES = [
    Case("agreed", [PLAIN, b"hello"], [PLAIN], [AGREED + b"\r\n"], "tunnel", [TUNNEL], tunnel=b"HELLO"),
    Case("bytes that look like HTTP", [PLAIN, GET.lower() + b"\r\n\0\n"], [PLAIN], [AGREED + b"\r\n"], "tunnel", [TUNNEL],
         tunnel=(GET + b"\r\n\0\n").upper()),
    Case("the server speaks first", PLAIN, [PLAIN], [AGREED + b"\r\n"], "tunnel",
         [Answer(AGREED + b"\r\nHTTP/1.1 200 hi\r\n\r\n", tunnel=True)], tunnel=b"HTTP/1.1 200 hi\r\n\r\n"),
    Case("the client speaks at once", PLAIN + b"hello", [PLAIN], [AGREED + b"\r\n"], "tunnel", [TUNNEL], tunnel=b"HELLO"),
    Case("one of several", [GET + b"Connection: upgrade\r\nUpgrade: a/1, b/2\r\n\r\n", b"x"],
         [GET + b"Connection: Upgrade\r\nUpgrade: a/1, b/2\r\n\r\n"],
         [b"HTTP/1.1 101 Yes\r\nConnection: Upgrade\r\nUpgrade: b/2\r\n\r\n"], "tunnel",
         [Answer(b"HTTP/1.1 101 Yes\r\nConnection: upgrade\r\nUpgrade: b/2\r\n\r\n", tunnel=True)], tunnel=b"X"),
    Case("declined", PLAIN, [PLAIN], [OK]),
    Case("declined with a request behind", PLAIN + GET + b"\r\n", [PLAIN, GET + b"\r\n"], [OK, OK]),
    Case("declined with 426", PLAIN, [PLAIN], [b"HTTP/1.1 426 No\r\nContent-Length: 0\r\n\r\n"],
         answers=[Answer(b"HTTP/1.1 426 No\r\nContent-Length: 0\r\n\r\n")]),
    taken("Upgrade without Connection", GET + b"Upgrade: websocket\r\n\r\n", (b"Upgrade: websocket\r\n", b"")),
    taken("Connection: upgrade without Upgrade", GET + b"Connection: upgrade\r\n\r\n", (b"Connection: upgrade\r\n", b"")),
    taken("an empty Upgrade", GET + b"Connection: upgrade\r\nUpgrade:\r\n\r\n",
          (b"Connection: upgrade\r\nUpgrade:\r\n", b"")),
    taken("h2c is not passed on", GET + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n",
          (b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n", b"")),
    taken("h2c among others is not passed on", GET + b"Connection: Upgrade\r\nUpgrade: websocket, H2C\r\n\r\n",
          (b"Connection: Upgrade\r\nUpgrade: websocket, H2C\r\n", b"")),
    *(taken(f"{lines!r}: HTTP/2 in any line is not passed on", GET + b"Connection: Upgrade\r\n" + lines + b"\r\n",
            (b"Connection: Upgrade\r\n" + lines, b"")) for lines in (
        b"Upgrade: h2c\r\nUpgrade: websocket\r\n", b"Upgrade: websocket\r\nUpgrade: h2c\r\n",
        b"Upgrade: a\r\nUpgrade: b, h2c-14\r\nUpgrade: c\r\n", b"Upgrade: HTTP/2.0, websocket\r\n",
        b"Upgrade: http/2\r\n")),
    Case("in two lines", [GET + b"Connection: upgrade\r\nUpgrade: a/1\r\nUpgrade: b/2\r\n\r\n", b"x"],
         [GET + b"Connection: Upgrade\r\nUpgrade: a/1\r\nUpgrade: b/2\r\n\r\n"],
         [b"HTTP/1.1 101 Yes\r\nConnection: Upgrade\r\nUpgrade: a/1\r\nUpgrade: b/2\r\n\r\n"], "tunnel",
         [Answer(b"HTTP/1.1 101 Yes\r\nUpgrade: a/1\r\nConnection: upgrade\r\nUpgrade: b/2\r\n\r\n", tunnel=True)],
         tunnel=b"X"),
    Case("behind a 100", [PLAIN, b"hello"], [PLAIN], [b"HTTP/1.1 100 Continue\r\n\r\n", AGREED + b"\r\n"], "tunnel",
         [Answer(b"HTTP/1.1 100 Continue\r\n\r\n" + AGREED + b"\r\n", tunnel=True)], tunnel=b"HELLO"),
    Case("Upgrade in HTTP/1.0", PLAIN.replace(b"1.1", b"1.0"), [GET + b"\r\n"], [OK_CLOSE], "close"),
    taken("Upgrade with a body is an exchange", POST + ASK + b"Content-Length: 2\r\n\r\nhi", (ASK, b"")),
    wrong("101 without being asked", AGREED + b"\r\n", GET + b"\r\n"),
    wrong("101 to something else", b"HTTP/1.1 101 Yes\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n"),
    wrong("101 to more than was asked", b"HTTP/1.1 101 Yes\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: x\r\n\r\n"),
    wrong("101 without Upgrade", b"HTTP/1.1 101 Yes\r\nConnection: Upgrade\r\n\r\n"),
    wrong("101 without Connection", b"HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\n\r\n"),
    *(wrong(f"101 to h2c, {lines!r}", b"HTTP/1.1 101 Yes\r\nConnection: Upgrade\r\n" + lines + b"\r\n")
      for lines in (b"Upgrade: websocket\r\nUpgrade: h2c\r\n", b"Upgrade: h2c\r\nUpgrade: websocket\r\n")),
    wrong("101 to h2c", b"HTTP/1.1 101 Yes\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
          GET + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n", GET + b"\r\n"),
    wrong("101 to a POST with a body", AGREED + b"\r\n", POST + ASK + b"Content-Length: 2\r\n\r\nhi",
          POST + b"Content-Length: 2\r\n\r\nhi"),
]
