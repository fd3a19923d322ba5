"""The request line (RFC 9112, 2.2 and 3)."""
from .case import CLOSE, GET, OK, Answer, Case, refused, taken

HOST = b"Host: a\r\n\r\n"
OK_CLOSE = OK.replace(b"\r\n\r\n", b"\r\n" + CLOSE + b"\r\n")
OK_KEEP = OK.replace(b"\r\n\r\n", b"\r\nConnection: keep-alive\r\n\r\n")


def line(text, status=400):
    return refused(f"line {text!r}", text + b"\r\n" + HOST, status)


def method(name):
    return taken(f"method {name.decode()}", name + b" / HTTP/1.1\r\n" + HOST)


CASES = [
    taken("the plainest request", GET + b"\r\n"),
    *map(method, b"POST PUT DELETE PATCH OPTIONS PROPFIND MKCOL REPORT PURGE BREW get Get GETX M !#$%&'*+-.^_`|~9".split()),
    taken("HEAD", b"HEAD / HTTP/1.1\r\n" + HOST, client=[OK[:-2]], answers=[Answer(OK[:-2])], head=(0,)),
    taken("HTTP/1.0 closes", b"GET / HTTP/1.0\r\n" + HOST, (b"1.0", b"1.1"), client=[OK_CLOSE], end="close"),
    taken("HTTP/1.0 keeps alive when asked", b"GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n",
          (b"1.0", b"1.1"), (b"Connection: keep-alive\r\n", b""), client=[OK_KEEP]),
    taken("a later minor version", b"GET / HTTP/1.2\r\n" + HOST, (b"1.2", b"1.1")),
    Case("one empty line in front", b"\r\n" + GET + b"\r\n", [GET + b"\r\n"]),
    Case("two empty lines in front", b"\r\n\r\n" + GET + b"\r\n", [GET + b"\r\n"]),
    refused("three empty lines in front", b"\r\n\r\n\r\n" + GET + b"\r\n"),
    refused("a bare LF in front", b"\n" + GET + b"\r\n"),
    refused("a bare CR in front", b"\r" + GET + b"\r\n"),
    refused("a space in front", b" " + GET + b"\r\n"),
    line(b"GET / HTTP/2.0", 505),
    line(b"GET / HTTP/3.0", 505),
    line(b"GET / HTTP/0.9", 505),
    line(b"GET / HTTP/9.9", 505),
    refused("the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    refused("HTTP/0.9", b"GET /\r\n"),
    refused("HTTP/0.9 with an empty line", b"GET /\r\n\r\n"),
    line(b"GET / HTTP/1"),
    line(b"GET / HTTP/1."),
    line(b"GET / HTTP/.1"),
    line(b"GET / HTTP/1.10"),
    line(b"GET / HTTP/11.1"),
    line(b"GET / HTTP/01.1"),
    line(b"GET / HTTP/1.1a"),
    line(b"GET / HTTP/+1.1"),
    line(b"GET / HTTP/1,1"),
    line(b"GET / HTTP 1.1"),
    line(b"GET / http/1.1"),
    line(b"GET / Http/1.1"),
    line(b"GET / HTTPS/1.1"),
    line(b"GET / XHTTP/1.1"),
    line(b"GET / ICE/1.0"),
    line(b"GET / "),
    line(b"GET"),
    line(b"GET HTTP/1.1"),
    line(b"GET  HTTP/1.1"),
    line(b" / HTTP/1.1"),
    line(b"GET  / HTTP/1.1"),
    line(b"GET /  HTTP/1.1"),
    line(b"GET / HTTP/1.1 "),
    line(b"GET / HTTP/1.1\t"),
    line(b"GET / a HTTP/1.1"),
    line(b"GET / HTTP/1.1 HTTP/1.1"),
    line(b"GET\t/ HTTP/1.1"),
    line(b"GET /\tHTTP/1.1"),
    line(b"GET\x0b/ HTTP/1.1"),
    line(b"G\0ET / HTTP/1.1"),
    line(b"GE:T / HTTP/1.1"),
    line(b"GE(T / HTTP/1.1"),
    line(b"\x7fGET / HTTP/1.1"),
    line(b"G\xc3\x84T / HTTP/1.1"),
    line(b"GET / HTTP/1.1\r"),
    line(b"GET /\r HTTP/1.1"),
    line(b"CONNECT a:80 HTTP/1.1", 405),
    line(b"TRACE / HTTP/1.1", 405),
    refused("a line's end that is a bare LF", b"GET / HTTP/1.1\nHost: a\r\n\r\n"),
    refused("all ends bare LF", b"GET / HTTP/1.1\nHost: a\n\n"),
    refused("a bare CR as the line's end", b"GET / HTTP/1.1\rHost: a\r\n\r\n"),
    refused("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
]
