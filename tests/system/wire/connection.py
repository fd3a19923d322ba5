"""Connections: options honoured on each side alone, hop-by-hop fields, keeping alive (RFC 9112, 9; RFC 9110, 7.6)."""
from .case import CLOSE, GET, OK, POST, Answer, Case, answered, refused, request, taken

OK_CLOSE = OK.replace(b"\r\n\r\n", b"\r\n" + CLOSE + b"\r\n")
OK_KEEP = OK.replace(b"\r\n\r\n", b"\r\nConnection: keep-alive\r\n\r\n")
PLAIN = GET + b"\r\n"
R = b"HTTP/1.1 200 OK\r\n"
OPTIONS = b"OPTIONS / HTTP/1.1\r\nHost: a\r\n"
OLD = b"GET / HTTP/1.0\r\nHost: a\r\n"


def hop(lines, kept=b""):
    """Fields of which the origin gets only `kept`."""
    return taken(f"fields {lines!r}", GET + lines + b"\r\n", (lines, kept))


def closing(lines, method=GET):
    return taken(f"close of {method[:4]!r} by {lines!r}", method + lines + b"\r\n", (lines, b""), client=[OK_CLOSE], end="close")


def answer_hop(lines, kept=b""):
    end = b"Content-Length: 2\r\n\r\nok"
    return answered(f"fields {lines!r} of an answer", R + lines + end, R + kept + end)


def old(lines, client, end):
    send = OLD + lines + b"\r\n"
    return Case(f"HTTP/1.0 with {lines!r}", send, [request(send, (b"1.0", b"1.1"), (lines, b""))], [client], end)


CASES = [
    closing(b"Connection: close\r\n"),
    closing(b"connection: CLOSE\r\n"),
    closing(b"Connection: keep-alive, close\r\n"),
    closing(b"Connection: x,close , y\r\n"),
    closing(b"Connection: x\r\nConnection: close\r\n"),
    closing(b"Connection: close\r\nConnection: keep-alive\r\n"),
    closing(b"Connection: close\r\n", POST),
    hop(b"Connection: keep-alive\r\n"),
    hop(b"Connection: closed\r\n"),
    hop(b"Connection: not-close\r\n"),
    hop(b"Connection:\r\n"),
    hop(b"Connection: X-A\r\nX-A: 1\r\nX-B: 2\r\n", b"X-B: 2\r\n"),
    hop(b"X-A: 1\r\nConnection: x-a\r\n"),
    hop(b"X-A: 1\r\nX-B: 2\r\nConnection: X-A, ,X-B,\r\n"),
    hop(b"Connection: X-A\r\nX-A: 1\r\nx-a: 2\r\nConnection: X-B\r\nX-B: 3\r\n"),
    hop(b"Keep-Alive: timeout=5\r\n"),
    hop(b"Proxy-Connection: keep-alive\r\n"),
    hop(b"TE: trailers\r\nConnection: TE\r\n"),
    hop(b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\nConnection: Upgrade, HTTP2-Settings\r\n"),
    hop(b"Connection: Host\r\n"),
    hop(b"Connection: Authorization\r\nAuthorization: Basic eA==\r\n", b"Authorization: Basic eA==\r\n"),
    hop(b"Connection: Cookie\r\nCookie: a=b\r\n", b"Cookie: a=b\r\n"),
    hop(b"Connection: X-Forwarded-For\r\n"),
    hop(b"Trailer: X\r\n", b"Trailer: X\r\n"),
    taken("Connection names the length", POST + b"Connection: Content-Length\r\nContent-Length: 2\r\n\r\nhi",
          (b"Connection: Content-Length\r\n", b"")),
    Case("Connection names the coding", POST + b"Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n\r\n"
         b"2\r\nhi\r\n0\r\n\r\n", [POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"]),
    old(b"", OK_CLOSE, "close"),
    old(b"Connection: close\r\n", OK_CLOSE, "close"),
    old(b"Connection: Keep-Alive\r\n", OK_KEEP, "keep"),
    old(b"Connection: x, keep-alive\r\n", OK_KEEP, "keep"),
    old(b"Connection: keep-alive, close\r\n", OK_CLOSE, "close"),
    old(b"Proxy-Connection: keep-alive\r\n", OK_CLOSE, "close"),
    Case("HTTP/1.0 with a body", b"POST / HTTP/1.0\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi",
         [b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"], [OK_CLOSE], "close"),
    answer_hop(b"Connection: keep-alive\r\n"),
    answer_hop(b"Connection: X-A\r\nX-A: 1\r\nX-B: 2\r\n", b"X-B: 2\r\n"),
    answer_hop(b"Keep-Alive: timeout=5\r\nProxy-Connection: close\r\n"),
    answer_hop(b"Upgrade: h2c\r\nConnection: Upgrade\r\n"),
    answer_hop(b"Connection: Set-Cookie\r\nSet-Cookie: a=b\r\n", b"Set-Cookie: a=b\r\n"),
    answer_hop(b"Set-Cookie: a=b\r\nSet-Cookie: c=d\r\n", b"Set-Cookie: a=b\r\nSet-Cookie: c=d\r\n"),
    answered("the server closes, the client's connection stays", R + CLOSE + b"Content-Length: 2\r\n\r\nok", OK,
             close=True),
    answered("the server says close and noxy does so", R + CLOSE + b"Content-Length: 2\r\n\r\nok", OK, dropped=True),
    answered("the server closes without having said so", OK, close=True),
    Case("bytes behind a close are not served", GET + CLOSE + b"\r\n" + PLAIN, [PLAIN], [OK_CLOSE], "close"),
    Case("the client ends its direction and gets its answer", PLAIN, [PLAIN], [OK], "close", shut=True),
    Case("half a head", b"GET / HTTP/1.1\r\nHost: a\r\n", [], [], "close", shut=True),
    Case("nothing at all", b"", [], [], "close", shut=True),
    Case("a kept connection breaks: a GET is repeated", [PLAIN, PLAIN], [PLAIN, PLAIN, PLAIN], [OK, OK],
         answers=[Answer(), Answer(b"", close=True), Answer()]),
    Case("a kept connection is reset: a GET is repeated", [PLAIN, PLAIN], [PLAIN, PLAIN, PLAIN], [OK, OK],
         answers=[Answer(), Answer(b"", reset=True), Answer()]),
    Case("a kept connection breaks: a POST is not repeated", [PLAIN, POST + b"\r\n"], [PLAIN, POST + b"\r\n"],
         [OK, 502], answers=[Answer(), Answer(b"", close=True), Answer()]),
    Case("a kept connection breaks: a POST with a body is not repeated",
         [PLAIN, POST + b"Content-Length: 2\r\n\r\nhi"], [PLAIN, POST + b"Content-Length: 2\r\n\r\nhi"],
         [OK, 502], answers=[Answer(), Answer(b"", close=True), Answer()]),
    Case("a PUT with a body that was sent is not repeated", b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi",
         [b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"], [502], answers=[Answer(b"", close=True), Answer()]),
    Case("Max-Forwards 0 of OPTIONS", b"OPTIONS / HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n\r\n", [], [204]),
    Case("Max-Forwards 3 of OPTIONS", b"OPTIONS / HTTP/1.1\r\nHost: a\r\nMax-Forwards: 3\r\n\r\n",
         [b"OPTIONS / HTTP/1.1\r\nHost: a\r\nMax-Forwards: 2\r\n\r\n"]),
    *(Case(f"Max-Forwards {n!r} of OPTIONS", OPTIONS + b"Max-Forwards: " + n + b"\r\n\r\n", [], [204])
      for n in (b"00", b"0" * 30)),
    *(taken(f"Max-Forwards {n!r} of OPTIONS", OPTIONS + b"Max-Forwards: " + n + b"\r\n\r\n", (n, left)) for n, left in (
        (b"01", b"0"), (b"10", b"9"), (b"999999999", b"999999998"), (b"1000000000", b"999999999"),
        (b"9" * 30, b"999999999"), (b"0" * 20 + b"7", b"6"))),
    *(refused(f"Max-Forwards {n!r} of OPTIONS", OPTIONS + b"Max-Forwards: " + n + b"\r\n\r\n")
      for n in (b"", b"-1", b"+1", b"1,2", b"1 2", b"0x1", b"x")),
    *(refused(f"Max-Forwards {lines!r} twice", GET + lines + b"\r\n")
      for lines in (b"Max-Forwards: 1\r\nMax-Forwards: 1\r\n", b"Max-Forwards: 0\r\nMAX-FORWARDS: 5\r\n")),
    taken("Max-Forwards of GET", GET + b"Max-Forwards: 0\r\n\r\n"),
]
