"""Where a request's body ends (RFC 9112, 6; RFC 9110, 8.6)."""
from .case import CUT, POST, Case, chunked, refused, taken

BODY = b"5\r\nhello\r\n0\r\n\r\n"
LENGTH, CODING = b"Content-Length: ", b"Transfer-Encoding: "


def length(text, status=400):
    return refused(f"Content-Length {text!r}", POST + LENGTH + text + b"\r\n\r\nhello", status)


def coding(text, status=400):
    return refused(f"Transfer-Encoding {text!r}", POST + CODING + text + b"\r\n\r\n" + BODY, status)


def both(first, second):
    return refused(f"{first!r} and {second!r}", POST + first + b"\r\n" + second + b"\r\n\r\n" + BODY)


def recoded(lines):
    """A chunked body, told in another spelling."""
    return Case(f"{lines!r}", POST + lines + b"\r\n\r\n" + BODY,
                [POST + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(b"hello")])


CASES = [
    taken("a length", POST + LENGTH + b"5\r\n\r\nhello"),
    taken("a length in small letters", POST + b"content-length:5\r\n\r\nhello", (b":5", b": 5")),
    taken("a length of 0", POST + LENGTH + b"0\r\n\r\n"),
    taken("a length with zeros in front", POST + LENGTH + b"0005\r\n\r\nhello", (b"0005", b"5")),
    *(taken(f"a length in odd white space {odd!r}", POST + b"Content-Length:" + odd + b"\r\n\r\nhello", (odd, b" 5"))
      for odd in (b" 5\t", b"\t5", b" \t 05\t ")),
    taken("a length with 19 digits", POST + LENGTH + b"0" * 18 + b"5\r\n\r\nhello", (b"0" * 18, b"")),
    taken("a length with spaces around", POST + b"Content-Length:  5 \r\n\r\nhello", (b"  5 \r", b" 5\r")),
    taken("a length with GET", b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"),
    taken("a length with DELETE", b"DELETE / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"),
    taken("a body that looks like a request", POST + LENGTH + b"32\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n1234"),
    length(b"0" * 19 + b"5"),
    length(b""),
    length(b"+5"),
    length(b"-5"),
    length(b"-0"),
    length(b"5 5"),
    length(b"5,5"),
    length(b"5, 5"),
    length(b"5,"),
    length(b",5"),
    length(b"5;"),
    length(b"5.0"),
    length(b"0x5"),
    length(b"5a"),
    length(b"1e1"),
    length(b"five"),
    length(b"\"5\""),
    length(b"\xb2"),
    length(b"5\x0b"),
    length(b"\x0c5"),
    length(b"5\0"),
    length(b"9223372036854775808"),
    length(b"18446744073709551616"),
    length(b"18446744073709551621"),
    length(b"99999999999999999999999999"),
    both(b"Content-Length: 5", b"Content-Length: 5"),
    both(b"Content-Length: 5", b"Content-Length: 6"),
    both(b"Content-Length: 0", b"Content-Length: 5"),
    both(b"Content-Length: 5", b"content-length: 0"),
    both(b"Content-Length: 5", b"Content-Length:"),
    both(b"Content-Length: 5", b"Transfer-Encoding: chunked"),
    both(b"Transfer-Encoding: chunked", b"Content-Length: 5"),
    both(b"Transfer-Encoding: chunked", b"content-length: 0"),
    both(b"Transfer-Encoding: identity", b"Content-Length: 5"),
    both(b"Transfer-Encoding:", b"Content-Length: 5"),
    both(b"Transfer-Encoding: x", b"Content-Length: 5"),
    both(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"),
    both(b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity"),
    both(b"Transfer-Encoding: identity", b"Transfer-Encoding: chunked"),
    both(b"Transfer-Encoding: gzip", b"transfer-encoding: chunked"),
    both(b"Transfer-Encoding:", b"Transfer-Encoding: chunked"),
    both(b"Content-Length: 5", b"Transfer-Encoding : chunked"),
    both(b"Content-Length: 5", b"Transfer\x00-Encoding: chunked"),
    both(b"Content-Length: 5", b" Transfer-Encoding: chunked"),
    both(b"Content-Length: 5", b"X: y\rTransfer-Encoding: chunked"),
    both(b"Content-Length: 5", b"X: y\nTransfer-Encoding: chunked"),
    both(b"X: y\r\n Transfer-Encoding: chunked", b"Content-Length: 5"),
    taken("a field that only looks like a coding", POST + b"Transfer_Encoding: chunked\r\nContent-Length: 5\r\n\r\nhello"),
    taken("another one", POST + b"X-Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nhello"),
    recoded(b"Transfer-Encoding: chunked"),
    recoded(b"Transfer-Encoding:chunked"),
    recoded(b"Transfer-Encoding: \t chunked \t"),
    recoded(b"Transfer-Encoding: CHUNKED"),
    recoded(b"tRANSFER-eNCODING: Chunked"),
    coding(b"gzip", 501),
    coding(b"identity", 501),
    coding(b"xchunked", 501),
    coding(b"chunkedx", 501),
    coding(b"chunke", 501),
    coding(b"gzip, chunked", 501),
    coding(b"gzip,chunked", 501),
    coding(b"deflate, gzip, chunked", 501),
    coding(b""),
    coding(b","),
    coding(b"chunked, chunked"),
    coding(b"chunked,"),
    coding(b",chunked"),
    coding(b"chunked, gzip"),
    coding(b"chunked, identity"),
    coding(b"chunked;q=1"),
    coding(b"chunked ;"),
    coding(b"\"chunked\""),
    coding(b"'chunked'", 501),
    coding(b"chunked chunked"),
    coding(b"chunked\x0b"),
    coding(b"\x0bchunked"),
    coding(b"chunked\x0c"),
    coding(b"chunked\0"),
    coding(b"\xc3\xa7hunked"),
    coding(b"[chunked]"),
    refused("a folded coding", POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n" + BODY),
    refused("a space before the coding's colon", POST + b"Transfer-Encoding : chunked\r\n\r\n" + BODY),
    refused("chunked in HTTP/1.0", b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + BODY),
    refused("another coding in HTTP/1.0", b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n" + BODY),
    refused("length and coding in HTTP/1.0", b"POST / HTTP/1.0\r\nHost: a\r\nContent-Length: 5\r\n"
            b"Transfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n" + BODY),
    refused("chunked with GET and a length", b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
            b"Content-Length: 0\r\n\r\n0\r\n\r\n"),
    Case("a body that ends too early", POST + LENGTH + b"5\r\n\r\nhell", CUT, [], "close", shut=True),
    Case("a body that never comes", POST + LENGTH + b"5\r\n\r\n", CUT, [], "close", shut=True),
]
