#!/usr/bin/env python3
"""Prints what noxy, HAProxy and nginx, where installed, do with each wire case: a table of who refuses what.

It judges nobody: the cases say what noxy is meant to do, and others may have reasons of their own. The binary is that of
NOXY, as in the tests. Usage: compare.py [--differences]
"""
import os
import shutil
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import wire  # noqa: E402
from ports import free_port  # noqa: E402
from waiting import wait_for  # noqa: E402
from wire.case import CUT  # noqa: E402
from wire.runner import Loop, Run  # noqa: E402

HAPROXY = """\
global
  maxconn 4000
  tune.bufsize 16384
defaults
  mode http
  timeout connect 5s
  timeout client 2s
  timeout server 2s
  timeout http-request 2s
  option forwardfor
frontend main
  bind 127.0.0.1:{port}
  default_backend pool
backend pool
{servers}
"""
NGINX = """\
daemon off;
worker_processes 1;
pid {dir}/pid;
error_log {dir}/error.log;
{user}
events {{ worker_connections 4096; }}
http {{
  access_log off;
  client_max_body_size 20000;
  client_header_timeout 2s; client_body_timeout 2s;
  client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy; fastcgi_temp_path {dir}/fastcgi;
  uwsgi_temp_path {dir}/uwsgi; scgi_temp_path {dir}/scgi;
  upstream pool {{ {servers} keepalive 64; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      proxy_pass http://pool; proxy_http_version 1.1; proxy_read_timeout 2s;
      proxy_set_header Host $http_host; proxy_set_header Connection ""; proxy_set_header X-Forwarded-For $remote_addr;
    }}
  }}
}}
"""
NOXY = """\
global: {{ threads: 1, maxconn: 4000, admin_socket: {dir}/admin.sock, pid_file: {dir}/pid }}
frontend:
  - {{ name: main, bind: [ {{ addr_port: "127.0.0.1:{port}" }} ], use_backend: pool, maxconn: 4000, max_header: 1k,
      max_headers: 20, max_body: 20000, timeout_http_request: 2s, timeout_client: 2s }}
backend:
  - {{ name: pool, health_check: false, timeout_server: 2s, servers: [ {servers} ] }}
"""


def write(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def noxy(folder, port, origins):
    servers = ", ".join(f'{{ addr_port: "{ip}:{p}" }}' for ip, p in origins)
    return [os.environ.get("NOXY", "noxy"), "-c",
            write(f"{folder}/noxy.yaml", NOXY.format(dir=folder, port=port, servers=servers))]


def haproxy(folder, port, origins):
    servers = "\n".join(f"  server s{i} {ip}:{p}" for i, (ip, p) in enumerate(origins))
    return ["haproxy", "-db", "-f", write(f"{folder}/haproxy.cfg", HAPROXY.format(port=port, servers=servers))]


def nginx(folder, port, origins):
    servers = " ".join(f"server {ip}:{p} max_fails=0;" for ip, p in origins)
    user = "user root;" if os.getuid() == 0 else ""
    return ["nginx", "-p", folder, "-c",
            write(f"{folder}/nginx.conf", NGINX.format(dir=folder, port=port, servers=servers, user=user))]


def words(statuses, arrived, cut):
    answers = " ".join(map(str, statuses)) or "no answer"
    return f"{answers}{f', {arrived} arrived' if arrived else ''}{', cut' if cut else ''}"


def outcome(run):
    """What became of a case: the answers' statuses, how many requests arrived whole, and whether an answer was cut."""
    return words([m.status for m in run.messages if b"probe" not in m.body], len(run.requests), run.ending == "cut")


def wanted(case):
    """The same as the case has it."""
    statuses = [c if isinstance(c, int) else int(c.split()[1]) for c in case.client]
    return words(statuses, 0 if case.origin == CUT else len(case.origin), case.end == "cut")


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


def run_all(make):
    """The outcome of each case by its name."""
    folder, port = tempfile.mkdtemp(prefix="wire-compare-"), free_port()
    os.chmod(folder, 0o777)
    origins = [(f"127.0.0.{i}", free_port()) for i in range(1, 5)]
    loop = Loop(origins, patience=4)
    process = subprocess.Popen(make(folder, port, origins), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: listens(port), f"{make.__name__} listens")
        loop.connect(port)
        runs = [Run(case) for cases in wire.GROUPS.values() for case in cases]
        loop.run(runs)
        return {(group, case.name): run for (group, case), run in zip(
            ((g, c) for g, cases in wire.GROUPS.items() for c in cases), runs)}
    finally:
        process.terminate()
        process.wait()
        loop.close()
        shutil.rmtree(folder, ignore_errors=True)


def main():
    proxies = [p for p in (noxy, haproxy, nginx) if p is noxy or shutil.which(p.__name__)]
    results = {p.__name__: run_all(p) for p in proxies}
    names = [p.__name__ for p in proxies]
    print(f"{'case':60}  " + "  ".join(f"{n:24}" for n in names))
    for group, cases in wire.GROUPS.items():
        print(f"\n{group}")
        for case in cases:
            runs = [results[n][group, case.name] for n in names]
            cells = [outcome(r) for r in runs]
            if "--differences" not in sys.argv or len(set(cells)) > 1:
                print(f"  {case.name[:58]:58}  " + "  ".join(
                    f"{cell + ('' if cell == wanted(case) else ' *'):24}" for cell in cells).rstrip())
    print("\n*: another outcome than the case has. " + ", ".join(
        f"{n}: {sum(outcome(r) != wanted(r.case) for r in results[n].values())} of {len(results[n])}" for n in names))


if __name__ == "__main__":
    main()
