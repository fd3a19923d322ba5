"""Health checks, and what traffic itself tells of a server."""
import re

from waiting import wait_for


def test_the_log_names_each_server_as_it_comes_up(noxy, origins):
    a, b = origins(2)
    lb = noxy.start(servers=[{"addr_port": a.addr_port}, b.server()], health_check=200)
    up = lb.wait_log("INFO", "is now up", times=2)
    assert {line.message for line in up} == {
        f"Backend [pool:127.0.0.1/{a.addr_port}] is now up",
        f"Backend [pool:web2/{b.addr_port}] is now up"}


def test_down_and_up_again_with_the_reason(noxy, origins):
    lb = noxy.start(backend=origins(1), health_check=100)
    lb.wait_log("INFO", r"Backend \[pool:web1/.*\] is now up")
    origins[0].stop()
    lb.wait_log("WARN", r"Backend \[pool:web1/.*\] is now down: .*refused")
    assert lb.server("web1")["state"] == "down"
    assert "refused" in lb.server("web1")["reason"]
    origins[0].start()
    lb.wait_log("INFO", "is now up", times=2)
    assert lb.get().status == 200


def test_fall_and_rise_are_counted(noxy, origins):
    check = {"interval": 100, "timeout": 100, "rise": 3, "fall": 4}
    lb = noxy.start(backend=origins(1), health_check=check)
    lb.wait_log("INFO", "is now up")
    origins[0].stop()
    down = lb.wait_log("WARN", "is now down")[0]
    assert re.search(r"\b4\b", down.message)
    failed = lb.server("web1")["counters"]["checks_failed"]
    assert failed >= 4
    origins[0].start()
    passed = lb.server("web1")["counters"]["checks_passed"]
    lb.wait_log("INFO", "is now up", times=2)
    assert lb.server("web1")["counters"]["checks_passed"] >= passed + 2


def test_a_check_that_is_not_answered_times_out(noxy, unanswering):
    lb = noxy.start(servers=[unanswering.server()], health_check={"interval": 200, "timeout": 100, "fall": 2})
    lb.wait_log("WARN", r"is now down: .*within 100 ms")


def test_a_server_down_from_the_start_is_told_at_once(noxy, origins):
    origins(2)[0].stop()
    lb = noxy.start(backend=origins, health_check={"interval": "1h", "fall": 3})
    lb.wait_log("WARN", r"pool:web1/.*is now down")
    lb.wait_log("INFO", r"pool:web2/.*is now up")


def test_before_the_first_verdict_a_server_counts_as_up(noxy, origins):
    lb = noxy.start(backend=origins(1), health_check=False)
    assert lb.get().status == 200
    assert not [line for line in lb.log() if "is now" in line.message]


def test_failures_in_traffic_take_a_server_out_before_the_checks_do(noxy, origins):
    lb = noxy.start(backend=origins(2), health_check={"interval": "1h"})
    lb.wait_log("INFO", "is now up", times=2)
    origins[0].stop()
    assert {lb.get().server for _ in range(30)} == {"web2"}
    lb.wait_log("WARN", r"pool:web1/.*is now down")


def test_a_check_brings_back_what_traffic_took_out(noxy, origins):
    lb = noxy.start(backend=origins(2), health_check={"interval": 2000, "rise": 1})
    lb.wait_log("INFO", "is now up", times=2)
    origins[0].stop()
    for _ in range(30):
        assert lb.get().server == "web2"
    lb.wait_log("WARN", r"pool:web1/.*is now down")
    origins[0].start()
    wait_for(lambda: lb.get().server == "web1", "web1 serves again")


def test_a_name_that_does_not_resolve_is_a_warning_and_the_others_serve(noxy, origins):
    servers = [{"addr_port": "nowhere.invalid:80", "name": "lost"}, origins(1)[0].server()]
    lb = noxy.start(servers=servers, health_check=500)
    assert re.search(r"WARN .*pool:lost.*nowhere\.invalid", lb.text_errors() + lb.text_log())
    assert {lb.get().server for _ in range(10)} == {"web1"}
    assert lb.server("lost")["state"] == "down" and "resolve" in lb.server("lost")["reason"]


def test_a_server_given_by_name_is_found(noxy, origins):
    a = origins(1)[0]
    lb = noxy.start(servers=[{"addr_port": f"localhost:{a.port}"}], health_check=200)
    up = lb.wait_log("INFO", "is now up")
    assert up[0].message == f"Backend [pool:localhost/127.0.0.1:{a.port}] is now up"
    assert lb.get().server == "web1"


def test_checks_leave_no_connection_open(noxy, origins):
    ended = []
    lb = noxy.start(backend=origins(1, raw=lambda o, c: ended.append(c.stream.read())), health_check=50)
    wait_for(lambda: len(ended) >= 10, "ten checks")
    assert set(ended) == {b""}
    lb.wait_log("INFO", "is now up")
