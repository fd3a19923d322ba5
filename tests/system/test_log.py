"""The log: targets, formats, rotation, and what can't be written."""
import fcntl
import json
import os
import re
import signal
import socket
import subprocess

import pytest

import processes
from clients import Traffic
from ports import free_port
from waiting import wait_for

F_SETPIPE_SZ = 1031


def test_a_line_has_time_level_process_and_message(noxy, origins):
    lb = noxy.start(backend=origins(1), health_check=200)
    lb.wait_log("NOTICE", "generation 1 serves")
    line = lb.wait_log("INFO", "is now up")[0]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.time)
    assert line.process == "manager"
    assert {"master", "manager"} <= {other.process for other in lb.log()}


def test_json_lines_are_valid(noxy, origins):
    lb = noxy.start(backend=origins(1), health_check=100, log={"target": "stdout", "format": "json", "level": "debug"})
    wait_for(lambda: "is now up" in lb.text_log(), "the server is up")
    origins[0].stop()
    wait_for(lambda: "is now down" in lb.text_log(), "the server is down")
    lb.reload()
    lb.stop()
    lines = [json.loads(line) for line in lb.text_log().splitlines()]
    assert {"time", "level", "process", "message"} <= set.intersection(*(set(line) for line in lines))
    assert {"info", "warn"} <= {line["level"].lower() for line in lines}


def test_levels_hold_back_what_is_below(noxy, origins):
    lb = noxy.start(backend=origins(1), health_check=100, log={"target": "stdout", "level": "warn"})
    wait_for(lambda: lb.server("web1")["state"] == "up", "the server is up")
    origins[0].stop()
    lb.wait_log("WARN", "is now down")
    assert {line.level for line in lb.log()} == {"WARN"}


def test_usr1_opens_a_file_anew_in_all_processes(noxy, origins):
    lb = noxy.start(backend=origins(1), health_check=100, log={"target": "file", "path": "out"},
                    launch={"stdout": subprocess.DEVNULL})
    lb.wait_log("INFO", "is now up")
    os.rename(lb.path("out"), lb.path("rotated"))
    lb.signal(signal.SIGUSR1)
    wait_for(lambda: os.path.exists(lb.path("out")), "a new file")
    # The master has it first; the others get it from there.
    wait_for(lambda: not any(lb.path("rotated") in processes.descriptors(pid) for pid in lb.tree()),
             "all processes to have left the old file")
    origins[0].stop()
    lb.wait_log("WARN", "is now down")
    lb.reload()
    with open(lb.path("rotated"), encoding="utf-8") as f:
        assert "is now down" not in f.read()
    for pid in lb.tree():
        assert lb.path("rotated") not in processes.descriptors(pid), pid


def test_a_file_that_cannot_be_opened_is_refused_at_start(noxy, origins):
    lb = noxy.prepare(backend=origins(1), log={"target": "file", "path": "/nonexistent/noxy.log"})
    assert "/nonexistent/noxy.log" in lb.fails_to_start()


def test_a_full_pipe_blocks_nobody_and_what_was_dropped_is_told(noxy, origins):
    reading, writing = os.pipe()
    fcntl.fcntl(writing, F_SETPIPE_SZ, 4096)
    lb = noxy.start(backend=origins(1), log={"target": "stdout", "level": "debug"}, health_check=20,
                    launch={"stdout": writing})
    os.close(writing)
    for _ in range(30):
        lb.ctl("reload")
        assert lb.get().status == 200
    wait_for(lambda: lb.info()["log_dropped"] > 0, "lines are dropped")
    with Traffic(lb.port) as traffic:
        wait_for(lambda: traffic.done > 100, "traffic flows")
    assert traffic.failures == []
    os.set_blocking(reading, False)
    told = bytearray()
    wait_for(lambda: drained(reading, told) and b"dropped" in told or b"lost" in told, "the loss is told")
    os.close(reading)


def drained(reading, told):
    """Adds what the pipe holds to `told`."""
    try:
        told += os.read(reading, 1 << 20)
    except BlockingIOError:
        pass
    return True


def test_a_reader_that_went_away_ends_nobody(noxy, origins):
    reading, writing = os.pipe()
    lb = noxy.start(backend=origins(1), health_check=50, launch={"stdout": writing})
    os.close(writing)
    os.close(reading)
    origins[0].stop()
    wait_for(lambda: lb.server("web1")["state"] == "down", "the server is down")
    origins[0].start()
    wait_for(lambda: lb.server("web1")["state"] == "up", "the server is up")
    assert lb.get().status == 200


@pytest.mark.parametrize("kind", ["unix", "udp"])
def test_syslog(noxy, origins, kind):
    folder = noxy.folder()
    if kind == "unix":
        collector, address = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM), os.path.join(folder, "log")
        collector.bind(address)
        os.chmod(folder, 0o755)
        os.chmod(address, 0o666)
    else:
        port = free_port()
        collector, address = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), f"127.0.0.1:{port}"
        collector.bind(("127.0.0.1", port))
    collector.settimeout(30)
    lb = noxy.start(backend=origins(1), health_check=100,
                    log={"target": "syslog", "address": address, "facility": "local3"})
    message = b""
    while b"is now up" not in message:
        message = collector.recv(9000)
    severity_info, local3 = 6, 19
    assert message.startswith(b"<%d>" % (local3 * 8 + severity_info))
    assert b"noxy" in message
    collector.close()
    assert lb.get().status == 200


def test_a_peers_bytes_cannot_forge_a_line(noxy, origins):
    lb = noxy.start(backend=origins(1, answer=lambda o, c, r: c.send("HTTP/1.1 200 OK\r\nX: \x1b[31m\x00\r\n\r\n")),
                    log={"target": "stdout", "level": "debug"})
    assert lb.get("/\x1b[31m").status >= 400
    lb.get()
    lb.stop()
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", lb.text_log())
