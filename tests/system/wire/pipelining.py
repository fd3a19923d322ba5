"""Several requests on one connection (RFC 9112, 9.3.2)."""
from .case import CHUNKED, CLOSE, CUT, GET, OK, POST, Answer, Case

PLAIN = GET + b"\r\n"
LENGTH = POST + b"Content-Length: 5\r\n\r\nhello"
CHUNKS = CHUNKED + b"5\r\nhello\r\n0\r\n\r\n"
HEAD = b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"
BAD = b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"
OK_CLOSE = OK.replace(b"\r\n\r\n", b"\r\n" + CLOSE + b"\r\n")


def number(n):
    return b"HTTP/1.1 200 OK\r\nX: %d\r\nContent-Length: 2\r\n\r\nok" % n


def in_order(name, *requests, **keys):
    answers = [Answer(number(i)) for i in range(len(requests))]
    return Case(name, b"".join(requests), list(requests), [a.raw for a in answers], answers=answers, **keys)


CASES = [
    in_order("two", PLAIN, PLAIN),
    in_order("five", *[b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % i for i in range(5)]),
    in_order("bodies of all kinds", LENGTH, CHUNKS, PLAIN, CHUNKS, LENGTH),
    in_order("trailers in between", CHUNKED + b"1\r\nx\r\n0\r\nX: y\r\n\r\n", PLAIN),
    in_order("two hosts", PLAIN, b"GET /x HTTP/1.1\r\nHost: b\r\n\r\n"),
    Case("empty lines in between", PLAIN + b"\r\n" + LENGTH + b"\r\n\r\n" + PLAIN, [PLAIN, LENGTH, PLAIN], [OK] * 3),
    Case("too many empty lines in between", PLAIN + b"\r\n\r\n\r\n" + PLAIN, [PLAIN], [OK, 400], "close"),
    Case("HEAD in between", PLAIN + HEAD + PLAIN, [PLAIN, HEAD, PLAIN], [number(0), number(1)[:-2], number(2)], head=(1,),
         answers=[Answer(number(0)), Answer(number(1)[:-2]), Answer(number(2))]),
    Case("204 and 304 in between", PLAIN * 3, [PLAIN] * 3,
         [b"HTTP/1.1 204 No\r\n\r\n", b"HTTP/1.1 304 Same\r\nContent-Length: 9\r\n\r\n", OK],
         answers=[Answer(b"HTTP/1.1 204 No\r\n\r\n"), Answer(b"HTTP/1.1 304 Same\r\nContent-Length: 9\r\n\r\n"), Answer()]),
    Case("a bad one behind a good one", PLAIN + BAD + PLAIN, [PLAIN], [OK, 400], "close"),
    Case("a bad one behind a body", LENGTH + BAD, [LENGTH], [OK, 400], "close"),
    Case("a bad line behind a body", LENGTH + b"x\r\n\r\n", [LENGTH], [OK, 400], "close"),
    Case("nothing behind a bad one is served", BAD + PLAIN, [], [400], "close"),
    Case("nothing behind bad chunks is served", CHUNKED + b"5\r\nhello\r\nx\r\n" + PLAIN, CUT, [400], "close"),
    Case("length and chunks, a request behind", POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
         b"0\r\n\r\n" + PLAIN, [], [400], "close"),
    Case("two lengths, a request behind", POST + b"Content-Length: 0\r\nContent-Length: 44\r\n\r\n" + PLAIN, [], [400],
         "close"),
    Case("an unknown coding, a request behind", POST + b"Transfer-Encoding: x\r\n\r\n" + PLAIN, [], [501], "close"),
    Case("a length that hides a request", POST + b"Content-Length: %d\r\n\r\n" % len(PLAIN) + PLAIN + PLAIN,
         [POST + b"Content-Length: %d\r\n\r\n" % len(PLAIN) + PLAIN, PLAIN], [OK, OK]),
    Case("a close in between", PLAIN + GET + CLOSE + b"\r\n" + PLAIN, [PLAIN, PLAIN], [OK, OK_CLOSE], "close"),
    Case("a server's bad answer in between", PLAIN * 3, [PLAIN] * 3, [OK, 502, OK],
         answers=[Answer(), Answer(b"HTTP/1.1 200 OK\nA: b\n\n", dropped=True), Answer()]),
    Case("bytes behind an answer are nobody's", PLAIN * 2, [PLAIN] * 2, [number(0), number(1)],
         answers=[Answer(number(0) + number(9), stray=len(number(9)), dropped=True), Answer(number(1))]),
    Case("bytes behind the answer to HEAD are nobody's", HEAD + PLAIN, [HEAD, PLAIN], [number(0)[:-2], number(1)],
         head=(0,), answers=[Answer(number(0), stray=2, dropped=True), Answer(number(1))]),
]
