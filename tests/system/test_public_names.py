"""hide_server, rewrite_location and rewrite_cookies: what clients see of the servers."""
import pytest

from clients import Connection

TELLING = [("Server", "nginx/1.0"), ("x-powered-by", "PHP/8"), ("X-AspNet-Version", "4"), ("X-AspNetMvc-Version", "5"),
           ("X-Runtime", "0.1"), ("Via", "1.1 x"), ("X-Server-Load", "1")]


def responding(fields, status=200):
    """An answer of a server with these fields, {own} being its own address."""
    def answer(origin, c, request):
        lines = "".join(f"{n}: {v}\r\n" for n, v in fields).replace("{own}", origin.addr_port)
        c.send(f"HTTP/1.1 {status} Fine\r\n{lines}Content-Length: 0\r\n\r\n")
    return answer


def start(noxy, origins, fields, **keys):
    """A noxy whose servers answer so."""
    return noxy.start(backend=origins(2, answer=responding(fields)), **keys)


def test_fields_that_tell_of_the_server_are_hidden(noxy, origins):
    lb = start(noxy, origins, TELLING, hide_server=True)
    assert [f for f in lb.get().fields if f in TELLING] == TELLING[-2:]


def test_they_are_passed_on_unless_hidden(noxy, origins):
    lb = start(noxy, origins, TELLING)
    assert [f for f in lb.get().fields if f in TELLING] == TELLING


def test_they_are_hidden_in_interim_responses_and_switches_too(noxy, origins):
    def answer(origin, c, request):
        if request.field("Upgrade"):
            c.send("HTTP/1.1 101 Go\r\nServer: x\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n")
            return
        c.send("HTTP/1.1 103 Hints\r\nServer: x\r\nLink: </a>\r\n\r\n")
        c.reply(200, "")
    lb = noxy.start(backend=origins(1, answer=answer), hide_server=True)
    hints = lb.get().interim[0]
    assert (hints.field("Server"), hints.field("Link")) == (None, "</a>")
    with lb.connect() as c:
        c.send_request("GET", "/", {"Connection": "Upgrade", "Upgrade": "chat"})
        assert c.read_head().field("Server") is None


# ---- rewrite_location ----

def test_a_server_that_names_itself_is_made_to_name_the_public_side(noxy, origins):
    fields = [("Location", "http://{own}/a?b"), ("content-location", "//{own}/c"),
              ("Refresh", "5; url='http://{own}/d'"), ("Link", "<http://{own}/e>")]
    lb = start(noxy, origins, fields, rewrite_location=True)
    r = lb.get("/", {"Host": "www.example.org:8080"})
    assert r.field("Location") == "http://www.example.org:8080/a?b"
    assert r.field("Content-Location") == "//www.example.org:8080/c"
    assert r.field("Refresh") == "5; url='http://www.example.org:8080/d'"
    assert r.field("Link").startswith("<http://127.0.0.1:")  # no field that is rewritten
    assert [n for n, _ in r.fields][:4] == ["Location", "content-location", "Refresh", "Link"]


def test_another_servers_address_of_the_backend_is_rewritten_too(noxy, origins):
    other = []
    servers = origins(2, answer=lambda o, c, r: c.reply(302, "", {"Location": f"http://{other[0]}/"}))
    other.append(servers[1].addr_port)
    lb = noxy.start(backend=servers, rewrite_location=True)
    assert {lb.get("/", {"Host": "w.example"}).field("Location") for _ in range(4)} == {"http://w.example/"}


@pytest.mark.parametrize("location", ["http://{own}@evil/", "https://{own}/", "http://other.example/", "/a", "a", ""])
def test_what_names_no_server_stays(noxy, origins, location):
    own = []

    def answer(origin, c, request):
        own.append(location.replace("{own}", origin.addr_port))
        c.reply(302, "", {"Location": own[0]})
    lb = noxy.start(backend=origins(1, answer=answer), rewrite_location=True)
    assert lb.get().field("Location") == own[0]


def test_without_the_key_nothing_is_rewritten(noxy, origins):
    assert start(noxy, origins, [("Location", "http://{own}/")]).get().field("Location").startswith("http://127.")


def test_the_public_name_is_what_a_trusted_proxy_says(noxy, origins):
    lb = start(noxy, origins, [("Location", "http://{own}/a")], rewrite_location=True,
               trusted_proxies="127.0.0.1")
    r = lb.get("/", {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "www.example.org"})
    assert r.field("Location") == "https://www.example.org/a"


def test_an_untrusted_peer_does_not_choose_the_public_name(noxy, origins):
    lb = start(noxy, origins, [("Location", "http://{own}/a")], rewrite_location=True,
               trusted_proxies="192.0.2.1")
    r = lb.get("/", {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example"})
    assert r.field("Location") == "http://test.example/a"


@pytest.mark.parametrize("location, public", [
    ("http://in.example:8080/app/x", "http://test.example/x"),
    ("http://in.example:8080/apple", "http://in.example:8080/apple"),
    ("/old/x", "https://new.example/x"),
    ("/shop//evil.example", "http://test.example//evil.example"),
    ("/shop/x", "/x"),
    ("http://{own}/x", "http://test.example/x"),
])
def test_prefixes_of_ones_own(noxy, origins, location, public):
    rules = [{"from": "http://in.example:8080/app/", "to": "/"}, {"from": "/old", "to": "https://new.example"},
             {"from": "/shop/", "to": "/"}]
    lb = start(noxy, origins, [("Location", location)], rewrite_location=rules)
    assert lb.get().field("Location") == public


def test_a_request_without_a_host_leaves_them_alone(noxy, origins):
    lb = start(noxy, origins, [("Location", "http://{own}/")], rewrite_location=True)
    with Connection(lb.port) as c:
        c.send("GET / HTTP/1.0\r\n\r\n")
        assert c.response().field("Location").startswith("http://127.0.0.1:")


def test_noxys_own_answers_are_left_alone(noxy, origins):
    lb = noxy.start(backend=origins(1), hide_server=True, rewrite_location=True, rewrite_cookies={"secure": True},
                    http_condition=[{"respond": {"status": 200, "body": "hello"}}])
    assert lb.get().body == b"hello"


def test_the_operators_own_rules_come_last(noxy, origins):
    rules = [{"when": "response_header('location') == 'http://test.example/a'", "set_header": {"X-Seen": "'rewritten'"}},
             {"set_header": {"Server": "'mine'"}}]
    lb = start(noxy, origins, [("Location", "http://{own}/a"), ("Server", "x")], rewrite_location=True, hide_server=True,
               http_response=rules)
    r = lb.get()
    assert (r.field("X-Seen"), r.field("Server")) == ("rewritten", "mine")


# ---- rewrite_cookies ----

def test_cookies_are_made_for_the_public_side(noxy, origins):
    cookies = ["a=1; Domain=in.example; Path=/app/x; Max-Age=5; Priority=High", "b=2",
               "__Host-c=3; path=/; Secure; SameSite=None; HttpOnly"]
    lb = start(noxy, origins, [("Set-Cookie", c) for c in cookies], rewrite_cookies={
        "domain": "www.example.org", "path": {"from": "/app/", "to": "/"}, "secure": True, "http_only": True,
        "same_site": "lax"})
    assert [v for n, v in lb.get().fields if n == "Set-Cookie"] == [
        "a=1; Domain=www.example.org; Path=/x; Max-Age=5; Priority=High; Secure; HttpOnly; SameSite=Lax",
        "b=2; Secure; HttpOnly; SameSite=Lax",
        "__Host-c=3; path=/; Secure; SameSite=Lax; HttpOnly"]


def test_many_long_cookies_are_rewritten_whole(noxy, origins):
    cookies = [("Set-Cookie", f"c{i}={'x' * 100}; domain=a; domain=a; domain=a") for i in range(90)]
    lb = start(noxy, origins, cookies, rewrite_cookies={"domain": "d" * 250})
    tail = f"; domain={'d' * 250}" * 3
    for _ in range(3):
        assert [v for n, v in lb.get().fields if n == "Set-Cookie"] == [
            f"c{i}={'x' * 100}{tail}" for i in range(90)]


def test_a_cookie_that_would_get_too_long_stays(noxy, origins):
    cookie = "a=1" + ";domain=a" * 300
    lb = start(noxy, origins, [("Set-Cookie", cookie)], rewrite_cookies={"domain": "d" * 250})
    assert lb.get().field("Set-Cookie") == cookie


def test_same_site_none_without_secure_is_warned_of(noxy, origins):
    lb = start(noxy, origins, [], rewrite_cookies={"same_site": "none"})
    lb.wait_log("WARN", "browsers refuse cookies with SameSite=None")
