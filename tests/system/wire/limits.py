"""Bounds of heads and bodies. The frontend has max_header: 1k, max_headers: 20 and max_body: 20000."""
from .case import CHUNKED, GET, OK, POST, Answer, Case, answered, bad_answer, broken, posted, refused, taken

HEADER, HEADERS, BODY = 1024, 20, 20000
END = b"\r\n"


def padded(start, end, size, byte=b"x"):
    return start + byte * (size - len(start) - len(end)) + end


def fields(count):
    return GET + b"A: b\r\n" * (count - 1) + END


def sized(size, data=b"", version=b"HTTP/1.1"):
    """A request whose Content-Length is `size`."""
    return POST.replace(b"HTTP/1.1", version) + b"Content-Length: %d\r\n\r\n" % size + data


def chunk(size, extension=b""):
    return b"%x%s\r\n" % (size, extension) + b"x" * size + b"\r\n"


LINE_END = b" HTTP/1.1\r\nHost: a\r\n\r\n"
BIG = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nA: "

CASES = [
    taken("the longest head", padded(GET + b"A: ", b"\r\n\r\n", HEADER)),
    refused("a head that is a byte too long", padded(GET + b"A: ", b"\r\n\r\n", HEADER + 1), 431),
    refused("a head that is much too long", padded(GET + b"A: ", b"\r\n\r\n", 3000), 431),
    refused("a head without an end", padded(GET + b"A: ", b"", 3000), 431),
    refused("a name without an end", padded(GET, b"", 3000), 431),
    taken("the longest line", padded(b"GET /", LINE_END, HEADER)),
    refused("a target that is too long", padded(b"GET /", LINE_END, 2000), 414),
    refused("a target without an end", padded(b"GET /", b"", 2000), 414),
    refused("a method without an end", padded(b"G", b"", 2000), 414),
    refused("an absolute target that is too long", padded(b"GET http://a/", LINE_END, 2000), 414),
    taken("the most fields", fields(HEADERS)),
    refused("one field too many", fields(HEADERS + 1), 431),
    refused("many fields too many", fields(150), 431),
    refused("a second head that is too long", padded(GET + b"A: ", b"\r\n\r\n", 1300) + GET + END, 431),
    Case("long ones in a row", padded(GET + b"A: ", b"\r\n\r\n", HEADER) * 4, [padded(GET + b"A: ", b"\r\n\r\n", HEADER)] * 4,
         [OK] * 4),
    answered("a large head of an answer", padded(BIG, b"\r\n\r\nok", 8000)),
    bad_answer("a head of an answer that is too large", padded(BIG, b"\r\n\r\nok", 20000)),
    answered("many fields of an answer", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" + b"A: b\r\n" * 100 + b"\r\nok"),
    bad_answer("too many fields of an answer", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" + b"A: b\r\n" * 200 + b"\r\nok"),
    taken("the longest body", sized(BODY, b"x" * BODY)),
    refused("a body that is a byte too long", sized(BODY + 1), 413),
    refused("a body that is a byte too long and comes at once", sized(BODY + 1, b"x" * (BODY + 1)), 413),
    refused("a body that is much too long", sized(9223372036854775807, b"x" * 3000), 413),
    refused("a body in HTTP/1.0 that is too long", sized(BODY + 1, b"x", b"HTTP/1.0"), 413),
    refused("a body that is too long and waits to be asked for",
            sized(BODY + 1).replace(b"Host", b"Expect: 100-continue\r\nHost"), 413),
    Case("a body that is too long behind a good request", GET + END + sized(BODY + 1, GET + END), [GET + END], [OK, 413],
         "close"),
    posted("the longest chunked body", chunk(BODY) + b"0\r\n\r\n", b"x" * BODY),
    posted("the longest chunked body with extensions and trailers",
           chunk(BODY // 2, b";" + b"e" * 1000) * 2 + b"0;" + b"e" * 1000 + b"\r\nA: b\r\n\r\n", b"x" * BODY, b"A: b\r\n"),
    broken("a chunked body that is a byte too long", CHUNKED + chunk(BODY + 1) + b"0\r\n\r\n", 413),
    broken("a chunked body whose last chunk is one too many", CHUNKED + chunk(BODY // 2) * 2 + chunk(1) + b"0\r\n\r\n", 413),
    broken("a chunked body of very many chunks", CHUNKED + chunk(5) * (BODY // 5 + 1) + b"0\r\n\r\n", 413),
    broken("a chunked body that grows too long without an end", CHUNKED + chunk(BODY) + chunk(BODY), 413),
    Case("a long answer", GET + END, [GET + END], [b"HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n" + b"y" * 50000],
         answers=[Answer(b"HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n" + b"y" * 50000)]),
]
