"""Expect, interim and early answers (RFC 9110, 10.1.1 and 15.2; RFC 9112, 9.3)."""
from .case import CHUNKED, CLOSE, CUT, GET, OK, POST, Answer, Case, taken

GO_ON = b"HTTP/1.1 100 Continue\r\n\r\n"
HEAD = POST + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n"
REFUSAL = b"HTTP/1.1 417 Expectation Failed\r\nContent-Length: 2\r\n\r\nno"
OK_CLOSE = OK.replace(b"\r\n\r\n", b"\r\n" + CLOSE + b"\r\n")


def closed(raw):
    return raw.replace(b"\r\n\r\n", b"\r\n" + CLOSE + b"\r\n", 1)


CASES = [
    Case("100 and the body", [HEAD, b"hello"], [HEAD + b"hello"], [GO_ON, OK], answers=[Answer(early=GO_ON)]),
    Case("100 and a chunked body",
         [POST + b"Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n", b"5\r\nhello\r\n0\r\n\r\n"],
         [POST + b"Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"], [GO_ON, OK],
         answers=[Answer(early=GO_ON)]),
    Case("the body without waiting", HEAD + b"hello", [HEAD + b"hello"], [OK]),
    Case("100 without being asked", POST + b"Content-Length: 5\r\n\r\nhello", [POST + b"Content-Length: 5\r\n\r\nhello"],
         [GO_ON, OK], answers=[Answer(GO_ON + OK)]),
    Case("102 and 100", [HEAD, b"", b"hello"], [HEAD + b"hello"], [b"HTTP/1.1 102 Wait\r\n\r\n", GO_ON, OK],
         answers=[Answer(early=b"HTTP/1.1 102 Wait\r\n\r\n" + GO_ON)]),
    Case("a refusal instead of 100", HEAD, CUT, [closed(REFUSAL)], "close", [Answer(b"", early=REFUSAL)]),
    Case("a refusal instead of 100, the server closes", HEAD, CUT, [closed(REFUSAL)], "close",
         [Answer(b"", early=closed(REFUSAL), close=True)]),
    taken("another expectation", GET + b"Expect: x-other\r\n\r\n"),
    Case("Expect of HTTP/1.0 is ignored", HEAD.replace(b"1.1", b"1.0") + b"hello",
         [POST + b"Content-Length: 5\r\n\r\nhello"], [OK_CLOSE], "close"),
    Case("an answer before the body", POST + b"Content-Length: 1000\r\n\r\nsome", CUT, [OK_CLOSE], "close",
         [Answer(b"", early=OK)]),
    Case("an answer before a chunked body", CHUNKED + b"4\r\nsome\r\n", CUT, [OK_CLOSE], "close",
         [Answer(b"", early=OK)]),
    Case("an answer before the body, the server closes", POST + b"Content-Length: 1000\r\n\r\nsome", CUT, [OK_CLOSE],
         "close", [Answer(b"", early=closed(OK), close=True)]),
    Case("an early answer without a body", POST + b"Content-Length: 1000\r\n\r\nsome", CUT,
         [b"HTTP/1.1 204 No\r\n" + CLOSE + b"\r\n"], "close", [Answer(b"", early=b"HTTP/1.1 204 No\r\n\r\n")]),
    Case("a bad early answer", POST + b"Content-Length: 1000\r\n\r\nsome", CUT, [502], "close",
         [Answer(b"", early=b"HTTP/1.1 200 OK\nA: b\n\n", dropped=True)]),
]
