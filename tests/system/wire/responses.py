"""Responses of servers (RFC 9112, 4 and 6.3; RFC 9110, 6.4 and 15)."""
from .case import CHUNKED, GET, OK, POST, Answer, Case, answered, bad_answer, chunked, request

R = b"HTTP/1.1 200 OK\r\n"
LENGTH = R + b"Content-Length: 2\r\n"
CODED = R + b"Transfer-Encoding: chunked\r\n"
PLAIN = GET + b"\r\n"
HEAD = b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"
OLD = b"GET / HTTP/1.0\r\nHost: a\r\n\r\n"
CLOSE = b"Connection: close\r\n"


def status(line):
    raw = b"HTTP/1.1 " + line + b"\r\nContent-Length: 2\r\n\r\nok"
    return answered(f"status line {line!r}", raw)


def bad_line(line):
    return bad_answer(f"status line {line!r}", line + b"\r\nContent-Length: 2\r\n\r\nok")


def bad_fields(lines):
    return bad_answer(f"fields {lines!r}", LENGTH + lines + b"\r\nok")


def bad_framing(lines):
    return bad_answer(f"framing {lines!r}", R + lines + b"\r\n5\r\nhello\r\n0\r\n\r\n")


def bodiless(name, raw, send=PLAIN, client=None, **keys):
    """A response without a body, whatever it says; what stands behind it is nobody's."""
    return answered(name, raw, client, send, **keys)


def cut(name, raw, client, send=PLAIN, reset=False, **keys):
    """A response that breaks off in its body: the client's connection ends without a proper end."""
    return Case(name, send, keys.pop("origin", [send]), client, "cut", [Answer(raw, close=True, reset=reset)], **keys)


def stray(name, raw, client=None, **keys):
    """Bytes behind a response: the client gets the response alone, and the server's connection is closed."""
    client = raw[:-5] if client is None else client
    return answered(name, raw, client, stray=max(len(raw) - len(client), 5), dropped=True, **keys)


CASES = [
    status(b"200 OK"),
    status(b"200 "),
    answered("a status line without the space", b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", OK),
    answered("a status line of another status without the space", b"HTTP/1.1 299\r\nContent-Length: 2\r\n\r\nok",
             b"HTTP/1.1 299 \r\nContent-Length: 2\r\n\r\nok"),
    Case("a status line of 1xx without the space", PLAIN, [PLAIN], [b"HTTP/1.1 103 \r\n\r\n", OK], answers=[
        Answer(b"HTTP/1.1 103\r\n\r\n" + OK)]),
    status(b"299 Quite Odd"),
    status(b"418 I'm a teapot (short, stout)"),
    status(b"500 Err\xc3\xb6r\t!"),
    status(b"404 Not Found"),
    status(b"599 Last"),
    answered("a length", OK),
    answered("a length of 0", R + b"Content-Length: 0\r\n\r\n"),
    answered("a length with zeros in front", R + b"Content-Length: 0002\r\n\r\nok", OK),
    answered("a length of zeros", R + b"Content-Length: 000\r\n\r\n", R + b"Content-Length: 0\r\n\r\n"),
    *(answered(f"a length in odd white space {odd!r}", R + b"Content-Length:" + odd + b"\r\n\r\nok", OK)
      for odd in (b"2", b"  2", b"\t2", b" 2 ", b" 2\t", b" 2 \t ", b"\t\t02\t")),
    answered("chunks", CODED + b"\r\n2\r\nab\r\n3;x=y\r\ncde\r\n0\r\n\r\n", CODED + b"\r\n" + chunked(b"abcde")),
    answered("no chunk", CODED + b"\r\n0\r\n\r\n"),
    answered("chunks in other letters", R + b"transfer-encoding: ChUnKeD\r\n\r\n2\r\nab\r\n0\r\n\r\n",
             CODED + b"\r\n" + chunked(b"ab")),
    answered("until close", R + b"A: b\r\n\r\nhello", R + b"A: b\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(b"hello"),
             close=True),
    answered("until close, empty", R + b"\r\n", R + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(b""), close=True),
    answered("of HTTP/1.0 until close", b"HTTP/1.0 200 OK\r\n\r\nhello",
             R + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(b"hello"), close=True),
    answered("of HTTP/1.0 with a length", b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", OK, dropped=True),
    answered("of HTTP/1.0 kept alive", b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", OK),
    answered("until close for an HTTP/1.0 client", R + b"\r\nhello", R + CLOSE + b"\r\nhello", OLD, end="close",
             origin=[request(OLD, (b"1.0", b"1.1"))], close=True),
    answered("chunks for an HTTP/1.0 client", CODED + b"\r\n2\r\nab\r\n1\r\nc\r\n0\r\nX: y\r\n\r\n",
             R + CLOSE + b"\r\nabc", OLD, end="close", origin=[request(OLD, (b"1.0", b"1.1"))]),
    bad_line(b"HTTP/1.1 99 Low"),
    bad_line(b"HTTP/1.1 600 High"),
    bad_line(b"HTTP/1.1 000 Zero"),
    bad_line(b"HTTP/1.1 2000 Long"),
    bad_line(b"HTTP/1.1 20 Short"),
    bad_line(b"HTTP/1.1 2x0 OK"),
    bad_line(b"HTTP/1.1 +20 OK"),
    bad_line(b"HTTP/1.1 -20 OK"),
    bad_line(b"HTTP/1.1  200 OK"),
    bad_line(b"HTTP/1.1\t200 OK"),
    bad_line(b"HTTP/1.1 200OK"),
    bad_line(b"HTTP/1.1 200\tOK"),
    bad_line(b"HTTP/1.1 200 O\0K"),
    bad_line(b"HTTP/1.1 200 O\x01K"),
    bad_line(b"HTTP/1.1 200 O\rK"),
    bad_line(b"HTTP/1.1 OK"),
    bad_line(b"HTTP/1.1"),
    bad_line(b"HTTP/1.10 200 OK"),
    bad_line(b"HTTP/11.1 200 OK"),
    bad_line(b"HTTP/2.0 200 OK"),
    bad_line(b"HTTP/0.9 200 OK"),
    bad_line(b"http/1.1 200 OK"),
    bad_line(b"ICY 200 OK"),
    bad_line(b" HTTP/1.1 200 OK"),
    bad_line(b"\r\nHTTP/1.1 200 OK"),
    bad_line(b"\nHTTP/1.1 200 OK"),
    bad_line(b"220 mail.example ESMTP"),
    bad_line(b"GET / HTTP/1.1"),
    bad_answer("a body without a head", b"<html>hello</html>\r\n\r\n"),
    bad_answer("line ends that are LF", b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok"),
    bad_fields(b"A : b\r\n"),
    bad_fields(b": b\r\n"),
    bad_fields(b"A\r\n"),
    bad_fields(b"A b: c\r\n"),
    bad_fields(b"(A): b\r\n"),
    bad_fields(b"A\0: b\r\n"),
    bad_fields(b"A: b\0\r\n"),
    bad_fields(b"A: b\x01\r\n"),
    bad_fields(b"A: b\x7f\r\n"),
    bad_fields(b"A: b\rc\r\n"),
    bad_fields(b"A: b\r\r\n"),
    bad_fields(b"A: b\nC: d\r\n"),
    bad_fields(b"A: b\n"),
    bad_fields(b"A: b\r\n c\r\n"),
    bad_fields(b"A: b\r\n\tc\r\n"),
    bad_answer("folding behind the status line", R + b" A: b\r\nContent-Length: 2\r\n\r\nok"),
    bad_framing(b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
    bad_framing(b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"),
    bad_framing(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
    bad_framing(b"Transfer-Encoding: gzip, chunked\r\n"),
    bad_framing(b"Transfer-Encoding: gzip\r\n"),
    bad_framing(b"Transfer-Encoding: identity\r\n"),
    bad_framing(b"Transfer-Encoding: chunked, chunked\r\n"),
    bad_framing(b"Transfer-Encoding: chunked;a\r\n"),
    bad_framing(b"Transfer-Encoding: \x0bchunked\r\n"),
    bad_framing(b"Transfer-Encoding:\r\n"),
    bad_framing(b"Content-Length: 5\r\nContent-Length: 5\r\n"),
    bad_framing(b"Content-Length: 5\r\nContent-Length: 6\r\n"),
    bad_framing(b"Content-Length: 5, 5\r\n"),
    bad_framing(b"Content-Length: 5,6\r\n"),
    bad_framing(b"Content-Length: -5\r\n"),
    bad_framing(b"Content-Length: +5\r\n"),
    bad_framing(b"Content-Length: 0x5\r\n"),
    bad_framing(b"Content-Length: 5 5\r\n"),
    bad_framing(b"Content-Length:\r\n"),
    bad_framing(b"Content-Length: 9223372036854775808\r\n"),
    bad_framing(b"Content-Length: 18446744073709551621\r\n"),
    bad_answer("chunks in HTTP/1.0", b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
    Case("a bad answer to a POST", POST + b"Content-Length: 2\r\n\r\nhi", [POST + b"Content-Length: 2\r\n\r\nhi"], [502],
         answers=[Answer(b"HTTP/1.1 200 OK\nA: b\n\n", dropped=True)]),
    bodiless("204", b"HTTP/1.1 204 No Content\r\n\r\n"),
    bodiless("204 with a length", b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\nA: b\r\n\r\n",
             client=b"HTTP/1.1 204 No Content\r\nA: b\r\n\r\n"),
    bodiless("204 with chunks", b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
             client=b"HTTP/1.1 204 No Content\r\n\r\n"),
    bodiless("304", b"HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n"),
    bodiless("304 with a length", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"),
    bodiless("304 with chunks", b"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n",
             client=b"HTTP/1.1 304 Not Modified\r\n\r\n"),
    bodiless("HEAD with a length", R + b"Content-Length: 1000\r\n\r\n", HEAD, head=(0,)),
    bodiless("HEAD without a length", R + b"A: b\r\n\r\n", HEAD, head=(0,)),
    bodiless("HEAD with chunks", CODED + b"\r\n", HEAD, R + b"\r\n", head=(0,)),
    bodiless("HEAD and 404", b"HTTP/1.1 404 No\r\nContent-Length: 9\r\n\r\n", HEAD, head=(0,)),
    *(bodiless(f"{line!r} with {framing!r}", b"HTTP/1.1 " + line + b"\r\n" + framing + b"\r\n", send,
               b"HTTP/1.1 " + line + b"\r\n\r\n", **keys)
      for line, send, keys in ((b"204 No", PLAIN, {}), (b"304 Same", PLAIN, {}), (b"200 OK", HEAD, {"head": (0,)}))
      for framing in (b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"Transfer-Encoding: gzip\r\n",
                      b"Content-Length: 5\r\nContent-Length: 6\r\n", b"Content-Length: x\r\n",
                      b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")),
    Case("1xx with two framings", PLAIN, [PLAIN], [b"HTTP/1.1 103 Hi\r\n\r\n", OK], answers=[
        Answer(b"HTTP/1.1 103 Hi\r\nContent-Length: 5\r\nTransfer-Encoding: gzip\r\n\r\n" + OK)]),
    answered("205", b"HTTP/1.1 205 Reset\r\nContent-Length: 0\r\n\r\n"),
    Case("1xx with a length", PLAIN, [PLAIN], [b"HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n", OK], answers=[
        Answer(b"HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\nA: b\r\n\r\n" + OK)]),
    Case("1xx with chunks", PLAIN, [PLAIN], [b"HTTP/1.1 103 Early Hints\r\n\r\n", OK], answers=[
        Answer(b"HTTP/1.1 103 Early Hints\r\nTransfer-Encoding: chunked\r\n\r\n" + OK)]),
    Case("several 1xx", PLAIN, [PLAIN], [b"HTTP/1.1 102 Processing\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n",
                                         b"HTTP/1.1 199 Odd\r\n\r\n", OK], answers=[
        Answer(b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nA: b\r\n\r\nHTTP/1.1 199 Odd\r\n\r\n" + OK)]),
    Case("a bad 1xx", PLAIN, [PLAIN], [502], answers=[
        Answer(b"HTTP/1.1 103 Early Hints\r\nA : b\r\n\r\n" + OK, dropped=True)]),
    Case("a bad answer behind 1xx", PLAIN, [PLAIN], [b"HTTP/1.1 103 Early Hints\r\n\r\n", 502], answers=[
        Answer(b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/2.0 200 OK\r\n\r\n", dropped=True)]),
    Case("1xx for an HTTP/1.0 client", OLD, [request(OLD, (b"1.0", b"1.1"))],
         [OK.replace(b"\r\n\r\n", b"\r\n" + CLOSE + b"\r\n")], "close",
         [Answer(b"HTTP/1.1 103 Early Hints\r\n\r\n" + OK)]),
    stray("bytes behind a length", OK + b"stray"),
    stray("a whole response behind a length", OK + OK, OK),
    stray("bytes behind chunks", CODED + b"\r\n0\r\n\r\n" + b"stray"),
    stray("a response behind chunks", CODED + b"\r\n0\r\n\r\n" + OK, CODED + b"\r\n0\r\n\r\n"),
    stray("bytes behind 204", b"HTTP/1.1 204 No\r\n\r\nstray"),
    stray("a body behind 204 with a length", b"HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\nhello",
          b"HTTP/1.1 204 No\r\n\r\n"),
    stray("a body behind 304", b"HTTP/1.1 304 Same\r\nContent-Length: 5\r\n\r\nhello"),
    stray("a response behind 304", b"HTTP/1.1 304 Same\r\n\r\n" + OK, b"HTTP/1.1 304 Same\r\n\r\n"),
    stray("a body behind HEAD", LENGTH + b"\r\n" + b"hello", send=HEAD, head=(0,)),
    stray("a body behind a length of 0", R + b"Content-Length: 0\r\n\r\nhello"),
    cut("a length cut short", LENGTH + b"\r\no", [], POST + b"\r\n"),
    cut("a length cut short by a reset", R + b"Content-Length: 9000\r\n\r\no", [], POST + b"\r\n", reset=True),
    cut("a length without any byte", LENGTH + b"\r\n", [], POST + b"\r\n"),
    cut("chunks cut short in the data", CODED + b"\r\n5\r\nhel", [], POST + b"\r\n"),
    cut("chunks cut short behind the data", CODED + b"\r\n5\r\nhello", [], POST + b"\r\n"),
    cut("chunks without the last", CODED + b"\r\n5\r\nhello\r\n", [], POST + b"\r\n"),
    cut("chunks cut short in the last", CODED + b"\r\n5\r\nhello\r\n0\r\n", [], POST + b"\r\n"),
    cut("chunks cut short in the trailers", CODED + b"\r\n5\r\nhello\r\n0\r\nX: y\r\n", [], POST + b"\r\n"),
    cut("a malformed chunk", CODED + b"\r\n5\r\nhello\r\nx\r\n", [], POST + b"\r\n"),
    cut("a chunk without its end", CODED + b"\r\n5\r\nhellox\r\n0\r\n\r\n", [], POST + b"\r\n"),
    cut("a bare LF in chunks", CODED + b"\r\n5\nhello\r\n0\r\n\r\n", [], POST + b"\r\n"),
    cut("a malformed trailer", CODED + b"\r\n5\r\nhello\r\n0\r\nX : y\r\n\r\n", [], POST + b"\r\n"),
    cut("until close, cut short by a reset", R + b"\r\nhello", [], POST + b"\r\n", reset=True),
    cut("chunks cut short for an HTTP/1.0 client", CODED + b"\r\n5\r\nhel", [], OLD,
        origin=[request(OLD, (b"1.0", b"1.1"))]),
    cut("chunks without the last for an HTTP/1.0 client", CODED + b"\r\n5\r\nhello\r\n", [], OLD,
        origin=[request(OLD, (b"1.0", b"1.1"))]),
    cut("a malformed chunk for an HTTP/1.0 client", CODED + b"\r\n5\r\nhello\r\nx\r\n", [], OLD,
        origin=[request(OLD, (b"1.0", b"1.1"))]),
    Case("no answer to a POST", POST + b"\r\n", [POST + b"\r\n"], [502], answers=[Answer(b"", close=True)]),
    Case("a reset instead of an answer to a POST", POST + b"\r\n", [POST + b"\r\n"], [502],
         answers=[Answer(b"", reset=True)]),
    Case("half a head to a POST", POST + b"\r\n", [POST + b"\r\n"], [502], answers=[Answer(b"HTTP/1.1 200 OK\r\n", close=True)]),
    Case("half a head to a GET", PLAIN, [PLAIN], [502], answers=[Answer(b"HTTP/1.1 200 OK\r\n", close=True)]),
    Case("half a head and a reset to a GET", PLAIN, [PLAIN], [502], answers=[Answer(b"HTTP/1.1 200 OK\r\n", reset=True)]),
    Case("1xx and no more to a GET", PLAIN, [PLAIN], [b"HTTP/1.1 103 Hi\r\n\r\n", 502],
         answers=[Answer(b"HTTP/1.1 103 Hi\r\n\r\n", close=True)]),
    Case("no answer to a GET: it is repeated", PLAIN, [PLAIN], [OK], repeated=True,
         answers=[Answer(b"", close=True), Answer()]),
    Case("no answer to a chunked POST", CHUNKED + b"2\r\nhi\r\n0\r\n\r\n", [CHUNKED + b"2\r\nhi\r\n0\r\n\r\n"], [502],
         answers=[Answer(b"", close=True)]),
]
