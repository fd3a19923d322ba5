"""Host (RFC 9112, 3.2; RFC 9110, 7.2; RFC 3986, 3.2.2)."""
from .case import GET, refused, taken

LINE = b"GET / HTTP/1.1\r\n"


def good(host):
    return taken(f"Host {host!r}", LINE + b"Host: " + host + b"\r\n\r\n")


def bad(host):
    return refused(f"Host {host!r}", LINE + b"Host: " + host + b"\r\n\r\n")


CASES = [
    good(b"a.example"),
    good(b"A.EXAMPLE."),
    good(b"a_b-c~d"),
    good(b"a:80"),
    good(b"a:"),
    good(b"a:65535"),
    good(b"127.0.0.1:8080"),
    good(b"[::1]"),
    good(b"[2001:db8::1]:443"),
    good(b"[::ffff:192.0.2.1]"),
    good(b"a.example.:80"),
    taken("an empty Host", LINE + b"Host: \r\n\r\n"),
    taken("an empty Host without a space", LINE + b"Host:\r\n\r\n"),
    refused("no Host", LINE + b"\r\n"),
    refused("no Host among other fields", LINE + b"A: b\r\nC: d\r\n\r\n"),
    refused("two Hosts", GET + b"Host: b\r\n\r\n"),
    refused("two equal Hosts", GET + b"Host: a\r\n\r\n"),
    refused("two Hosts, in other letters", GET + b"A: b\r\nhOST: b\r\n\r\n"),
    refused("two Hosts, one empty", GET + b"Host:\r\n\r\n"),
    refused("two Hosts in HTTP/1.0", b"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"),
    refused("an invalid Host in HTTP/1.0", b"GET / HTTP/1.0\r\nHost: a/b\r\n\r\n"),
    bad(b"a, b"),
    bad(b"a,b"),
    bad(b"a b"),
    bad(b"a\tb"),
    bad(b"a/b"),
    bad(b"a?b"),
    bad(b"a#b"),
    bad(b"a\\b"),
    bad(b"u@a"),
    bad(b"u:p@a"),
    bad(b"http://a"),
    bad(b"a:b"),
    bad(b"a:80:80"),
    bad(b"a:-1"),
    bad(b"a:+80"),
    bad(b"a:65536"),
    bad(b"a:999999"),
    bad(b"a: 80"),
    bad(b":80"),
    bad(b":"),
    bad(b"[::1"),
    bad(b"::1"),
    bad(b"[]"),
    bad(b"[::g]"),
    bad(b"[:::::]"),
    bad(b"[1.2.3.4]"),
    bad(b"[::1]80"),
    bad(b"[::1]:x"),
    bad(b"[::1%25eth0]"),
    bad(b"a[::1]"),
    bad(b"a%20b"),
    bad(b"%61.example"),
    bad(b"a.example.."),
    bad(b"a.example..:80"),
    bad(b"a..example"),
    bad(b".a.example"),
    bad(b"."),
    bad(b".:80"),
    refused("a target with an empty label", b"GET http://a.example../ HTTP/1.1\r\nHost: a.example\r\n\r\n"),
    refused("a target with an escape", b"GET http://%61.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n"),
    bad(b"a%2"),
    bad(b"a%zz"),
    bad(b"\"a\""),
    bad(b"a<b"),
    bad(b"\xc3\xa4"),
    bad(b"a\0b"),
    bad(b"a\x01"),
]
