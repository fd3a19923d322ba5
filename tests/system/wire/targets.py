"""The request's target (RFC 9112, 3.2)."""
from .case import CLOSE, OK, Case, refused, taken

OK_CLOSE = OK.replace(b"\r\n\r\n", b"\r\n" + CLOSE + b"\r\n")


def get(target, method=b"GET", host=b"a"):
    return method + b" " + target + b" HTTP/1.1\r\nHost: " + host + b"\r\n\r\n"


def good(target):
    return taken(f"target {target!r}", get(target))


def bad(target, status=400, method=b"GET"):
    return refused(f"target {target!r} of {method.decode()}", get(target, method), status)


def absolute(target, path, host, method=b"GET"):
    """An absolute target, of which the origin gets the path, and the authority as Host."""
    return Case(f"target {target!r} of {method.decode()}", get(target, method, b"other"), [get(path, method, host)])


CASES = [
    good(b"/a/b/c.html"),
    good(b"/?"),
    good(b"/a?b=c&d=%20e"),
    good(b"//a//b"),
    good(b"/a/../b/./c"),
    good(b"/%2e%2e/%00"),
    good(b"/;a=b,c:d@e!$&'()*+~"),
    good(b"/?http://b/"),
    good(b"/a%23b"),
    bad(b"/a#b"),
    bad(b"/#"),
    bad(b"#"),
    bad(b"/a b"),
    bad(b"/a\tb"),
    bad(b"/a\x01b"),
    bad(b"/a\0b"),
    bad(b"/a\x7fb"),
    bad(b"/a\x80b"),
    bad(b"/\xc3\xa4"),
    bad(b"/a\rb"),
    bad(b"/a\nb"),
    bad(b"a"),
    bad(b"a/b"),
    bad(b"?a"),
    bad(b"*"),
    bad(b"*", method=b"POST"),
    bad(b"*a", method=b"OPTIONS"),
    bad(b"/*\x0b", method=b"OPTIONS"),
    taken("OPTIONS *", get(b"*", b"OPTIONS")),
    bad(b"a:80"),
    bad(b"a:80", method=b"OPTIONS"),
    bad(b"a:80", 405, b"CONNECT"),
    bad(b"/", 405, b"CONNECT"),
    absolute(b"http://b/c?d", b"/c?d", b"b"),
    absolute(b"http://b", b"/", b"b"),
    absolute(b"http://b/", b"/", b"b"),
    absolute(b"http://b?c", b"/?c", b"b"),
    absolute(b"http://b:81/", b"/", b"b:81"),
    absolute(b"HTTP://B/", b"/", b"B"),
    absolute(b"http://[::1]:81/", b"/", b"[::1]:81"),
    absolute(b"http://b/*", b"/*", b"b"),
    absolute(b"http://b", b"*", b"b", b"OPTIONS"),
    absolute(b"http://b:81", b"*", b"b:81", b"OPTIONS"),
    absolute(b"http://b/", b"/", b"b", b"OPTIONS"),
    absolute(b"http://b?c", b"/?c", b"b", b"OPTIONS"),
    Case("an absolute target in HTTP/1.0 without Host", b"GET http://b/c HTTP/1.0\r\n\r\n",
         [b"GET /c HTTP/1.1\r\nHost: b\r\n\r\n"], [OK_CLOSE], "close"),
    bad(b"http://"),
    bad(b"http:///c"),
    bad(b"http://?c"),
    bad(b"http:/b"),
    bad(b"http:b"),
    bad(b"http//b/"),
    bad(b"http://u@b/"),
    bad(b"http://u:p@b/"),
    bad(b"http://@b/"),
    bad(b"http://b\\@c/"),
    bad(b"http://b c/"),
    bad(b"http://b:80:80/"),
    bad(b"http://b:8x/"),
    bad(b"http://b:65536/"),
    bad(b"http://[::1/"),
    bad(b"http://::1/"),
    bad(b"http://b/#c"),
    bad(b"http://b#c"),
    bad(b"ftp://b/"),
    bad(b"javascript:b"),
    refused("an absolute target without Host", b"GET http://b/ HTTP/1.1\r\n\r\n"),
    refused("an absolute target with two Hosts", b"GET http://b/ HTTP/1.1\r\nHost: b\r\nHost: b\r\n\r\n"),
    refused("an absolute target with an invalid Host", get(b"http://b/", host=b"b/c")),
]
