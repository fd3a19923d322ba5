"""Trailer sections (RFC 9112, 7.1.2; RFC 9110, 6.5), of requests and of responses."""
from .case import CHUNKED, answered, broken, chunked, posted

LAST = b"1\r\nx\r\n0\r\n"
RESPONSE = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def good(lines, kept=None):
    kept = lines if kept is None else kept
    return [posted(f"trailers {lines if len(lines) < 80 else (len(lines), lines[:9])!r}", LAST + lines + b"\r\n", b"x", kept),
            answered(f"trailers {lines if len(lines) < 80 else (len(lines), lines[:9])!r} of an answer", RESPONSE + LAST + lines + b"\r\n",
                     RESPONSE + chunked(b"x", kept))]


def dropped(name, value=b"evil"):
    line = name + b": " + value + b"\r\n"
    return good(b"X: 1\r\n" + line + b"Y: 2\r\n", b"X: 1\r\nY: 2\r\n")


def bad(lines, end=b"\r\n"):
    return broken(f"trailers {lines if len(lines) < 80 else (len(lines), lines[:9])!r}", CHUNKED + LAST + lines + end)


NAMES = (b"Host Content-Length Transfer-Encoding Connection TE Upgrade Trailer Authorization Proxy-Authorization Cookie "
         b"Set-Cookie Content-Type Content-Encoding Content-Range Expect Max-Forwards X-Forwarded-For Forwarded "
         b"Cache-Control Range WWW-Authenticate Proxy-Authenticate Authentication-Info If-Match Vary "
         b"X-Forwarded-Prefix X-HTTP-Method-Override Proxy-Foo X-Original-URL X-Rewrite-URL Accept-Encoding Accept "
         b"Set-Cookie2 Sec-WebSocket-Key If-Anything Content-Language Age Expires").split()
KEPT = b"ETag Via Server-Timing Digest Agent Varying Ifs Seconds X-Forwarded Grpc-Status".split()

CASES = [
    *good(b"X: 1\r\n"),
    *good(b"X: 1\r\nY:2\r\nZ:\r\n"),
    *good(b"x-sum: a b c\r\n"),
    *good(b"X: 1 \t\r\n", b"X: 1\r\n"),
    *good(b"X: " + b"y" * 4000 + b"\r\n"),
    *(case for name in NAMES for case in dropped(name)),
    *(case for name in KEPT for case in good(name + b": 1\r\n")),
    *dropped(b"hOST"),
    *dropped(b"content-length", b"5"),
    bad(b"X\r\n"),
    bad(b"X : 1\r\n"),
    bad(b": 1\r\n"),
    bad(b" X: 1\r\n"),
    bad(b"X: 1\r\n Y\r\n"),
    bad(b"X: 1\r\n\tY\r\n"),
    bad(b"X Y: 1\r\n"),
    bad(b"X: 1\n"),
    bad(b"X: 1\rY: 2\r\n"),
    bad(b"X: 1\0\r\n"),
    bad(b"X: 1\x01\r\n"),
    bad(b"X\x7f: 1\r\n"),
    bad(b"\xc3\xa4: 1\r\n"),
    bad(b"X: 1\r\n\r", b"x"),
    bad(b"GET /x HTTP/1.1\r\n"),
    bad(b"X: " + b"y" * 9000 + b"\r\n"),
    bad(b"X: 1\r\n" * 150),
]
