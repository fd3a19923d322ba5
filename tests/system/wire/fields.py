"""Header fields (RFC 9112, 5; RFC 9110, 5)."""
from .case import GET, refused, taken

END = b"\r\n"


def good(lines, *edits):
    return taken(f"fields {lines!r}", GET + lines + END, *edits)


def bad(lines):
    return refused(f"fields {lines!r}", GET + lines + END)


CASES = [
    good(b"A: b\r\n"),
    good(b"A:b\r\n"),
    good(b"A:\tb\r\n"),
    good(b"A:    b\r\n"),
    good(b"A: b  \r\n", (b"b  ", b"b")),
    good(b"A: b\t\r\n", (b"b\t", b"b")),
    good(b"A: b  c\td\r\n"),
    good(b"A: \"b\\\"c\", (d)\r\n"),
    good(b"A: b:c:d\r\n"),
    good(b"A: \xc3\xa4\xff\x80\r\n"),
    good(b"A:\r\nB: c\r\n"),
    good(b"B: c\r\nA:\r\n"),
    good(b"B: c\r\nA: \r\n"),
    good(b"A: \t \r\nB: c\r\n", (b"A: \t \r\n", b"A: \r\n")),
    good(b"A: b\r\nA: c\r\na: d\r\n"),
    good(b"!#$%&'*+-.^_`|~09azAZ: b\r\n"),
    good(b"Cookie: a=b; c=d\r\nCookie: e=f\r\n"),
    good(b"X-Y: " + b"z" * 100 + b"\r\n"),
    taken("fields before Host", b"GET / HTTP/1.1\r\nA: b\r\nHost: a\r\nC: d\r\n\r\n"),
    bad(b"A : b\r\n"),
    bad(b"A\t: b\r\n"),
    bad(b"A b: c\r\n"),
    bad(b": b\r\n"),
    bad(b":\r\n"),
    bad(b"A\r\n"),
    bad(b"A b\r\n"),
    bad(b"(A): b\r\n"),
    bad(b"A/: b\r\n"),
    bad(b"A@: b\r\n"),
    bad(b"\"A\": b\r\n"),
    bad(b"A,B: c\r\n"),
    bad(b"A[]: b\r\n"),
    bad(b"\xc3\xa4: b\r\n"),
    bad(b"A\0: b\r\n"),
    bad(b"A\x01: b\r\n"),
    bad(b"A\x7f: b\r\n"),
    bad(b"A: b\0c\r\n"),
    bad(b"A: \0\r\n"),
    bad(b"A: b\x01c\r\n"),
    bad(b"A: b\x08\r\n"),
    bad(b"A: \x0bb\r\n"),
    bad(b"A: b\x0c\r\n"),
    bad(b"A: b\x1bc\r\n"),
    bad(b"A: b\x7f\r\n"),
    bad(b"A: b\rc\r\n"),
    bad(b"A: b\r\r\n"),
    bad(b"A: b\r\r\n\r\n"),
    bad(b"\rA: b\r\n"),
    bad(b"A\r: b\r\n"),
    bad(b"A:\rb\r\n"),
    bad(b"A: b\nC: d\r\n"),
    bad(b"A: b\n"),
    bad(b"A\n"),
    bad(b"x\n\r\n"),
    bad(b"A: b\n\r\n"),
    bad(b"\nA: b\r\n"),
    bad(b"A: b\r\n c\r\n"),
    bad(b"A: b\r\n\tc\r\n"),
    bad(b"A:\r\n b\r\n"),
    bad(b"A: b\r\n \r\n"),
    bad(b"A: b\r\n\r"),
    refused("folding behind the request line", b"GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
    refused("a tab behind the request line", b"GET / HTTP/1.1\r\n\tA: b\r\nHost: a\r\n\r\n"),
    refused("folding of Host", b"GET / HTTP/1.1\r\nHost:\r\n a\r\n\r\n"),
    refused("a space before Host's colon", b"GET / HTTP/1.1\r\nHost : a\r\n\r\n"),
    refused("an end that is CR LF LF", GET + b"\n"),
    refused("an end that is CR LF CR CR LF", GET + b"\r\r\n"),
]
