"""Bounds of heads. The frontend has max_header: 1k and max_headers: 20."""
from .case import GET, OK, Answer, Case, answered, bad_answer, refused, taken

HEADER, HEADERS = 1024, 20
END = b"\r\n"


def padded(start, end, size, byte=b"x"):
    return start + byte * (size - len(start) - len(end)) + end


def fields(count):
    return GET + b"A: b\r\n" * (count - 1) + END


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
    Case("a long body behind a head", GET.replace(b"GET", b"PUT") + b"Content-Length: 20000\r\n\r\n" + b"x" * 20000,
         [GET.replace(b"GET", b"PUT") + b"Content-Length: 20000\r\n\r\n" + b"x" * 20000]),
    Case("a long answer", GET + END, [GET + END], [b"HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n" + b"y" * 50000],
         answers=[Answer(b"HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n" + b"y" * 50000)]),
]
