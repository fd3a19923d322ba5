"""Mode http: header fields that are added, removed and left alone."""


def test_the_client_is_named_to_the_server(noxy, origins):
    lb = noxy.start(backend=origins(1))
    lb.get("/", {"Host": "shop.example:8080"})
    seen = origins[0].requests[0]
    assert seen.field("X-Forwarded-For") == "127.0.0.1"
    assert seen.field("X-Forwarded-Proto") == "http"
    assert seen.field("X-Forwarded-Host") == "shop.example:8080"
    assert seen.field("Host") == "shop.example:8080"


def test_an_x_forwarded_for_of_the_client_is_continued(noxy, origins):
    lb = noxy.start(backend=origins(1))
    lb.get("/", {"X-Forwarded-For": "192.0.2.7"})
    assert origins[0].requests[0].field("X-Forwarded-For") == "192.0.2.7, 127.0.0.1"


def test_hop_by_hop_fields_end_at_noxy(noxy, origins):
    def answer(origin, c, request):
        c.reply(200, "x", {"Connection": "X-Private", "X-Private": "1", "Keep-Alive": "timeout=5", "X-Public": "2"})
    lb = noxy.start(backend=origins(1, answer=answer))
    r = lb.get("/", {"Connection": "X-Secret, keep-alive", "X-Secret": "1", "Keep-Alive": "300", "TE": "gzip",
                     "Proxy-Connection": "keep-alive", "X-Open": "2"})
    seen = origins[0].requests[0]
    for name in ("X-Secret", "Keep-Alive", "Proxy-Connection", "TE"):
        assert seen.field(name) is None, name
    assert seen.field("X-Open") == "2"
    assert (r.field("X-Private"), r.field("Keep-Alive"), r.field("X-Public")) == (None, None, "2")


def test_all_other_fields_pass_in_order_and_unchanged(noxy, origins):
    fields = [("X-B", "1"), ("Cookie", "a=b; c=d"), ("X-A", "two  spaces \t inside"), ("X-B", "again"), ("X-Empty", "")]
    reply = [("Set-Cookie", "a=1"), ("X-Z", "z"), ("Set-Cookie", "b=2; Path=/"), ("x-lower", "\xe9")]

    def answer(origin, c, request):
        lines = "".join(f"{n}: {v}\r\n" for n, v in reply)
        c.send(f"HTTP/1.1 299 Quite Odd\r\n{lines}Content-Length: 0\r\n\r\n")
    lb = noxy.start(backend=origins(1, answer=answer))
    with lb.connect() as c:
        r = c.get("/a/../b?c=%20d;e", fields)
    seen = origins[0].requests[0]
    assert seen.target == "/a/../b?c=%20d;e"
    assert [f for f in seen.fields if f[0] in dict(fields)] == fields
    assert (r.status, r.reason) == (299, "Quite Odd")
    assert [f for f in r.fields if f[0] in dict(reply)] == reply


def test_a_target_in_absolute_form_names_the_host(noxy, origins):
    lb = noxy.start(backend=origins(1))
    assert lb.get("http://real.example/path?q", {"Host": "other.example"}).status == 200
    assert origins[0].requests[0].field("Host") == "real.example"
    assert origins[0].requests[0].field("X-Forwarded-Host") == "real.example"
