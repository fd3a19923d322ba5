"""Other load balancers beside noxy, for what both ends of a protocol have to agree on."""
import contextlib
import os
import socket
import subprocess

from ports import free_port
from waiting import wait_for


class Proxy:
    """HAProxy or nginx with a configuration of the test's, in which {port} is where it listens."""

    def __init__(self, folder, kind, text, **places):
        self.port, self.dir = free_port(), folder
        path = os.path.join(folder, kind + ".conf")
        with open(path, "w", encoding="utf-8") as f:
            f.write(getattr(self, "_" + kind)(text.format(port=self.port, **places)))
        command = {"haproxy": ["haproxy", "-db", "-f", path], "nginx": ["nginx", "-p", folder, "-c", path]}[kind]
        with open(os.path.join(folder, kind + ".out"), "wb") as out:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        wait_for(self._listens, f"{kind} listens")

    @staticmethod
    def _haproxy(text):
        return ("global\n  maxconn 1000\ndefaults\n  mode http\n  timeout connect 20s\n  timeout client 20s\n"
                f"  timeout server 20s\n{text}")

    def _nginx(self, text):
        user = "user root;" if os.getuid() == 0 else ""
        temp = "".join(f"  {name}_temp_path {self.dir}/{name};\n"
                       for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        modules = "/usr/lib/nginx/modules/ngx_stream_module.so"
        load = f"load_module {modules};" if os.path.exists(modules) and "stream {" in text else ""
        return (f"{load}\ndaemon off; worker_processes 1; pid {self.dir}/nginx.pid;\n{user}\n"
                f"error_log {self.dir}/error.log;\nevents {{ worker_connections 1024; }}\n"
                + text.replace("http {", "http {\naccess_log off;\n" + temp))

    def _listens(self):
        if self._process.poll() is not None:
            raise AssertionError(self.story())
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def story(self):
        told = ""
        for name in os.listdir(self.dir):
            with contextlib.suppress(OSError, UnicodeError):
                if name.endswith((".out", ".log", ".conf")):
                    with open(os.path.join(self.dir, name), encoding="utf-8") as f:
                        told += f.read()
        return told

    def stop(self):
        if self._process.poll() is None:
            self._process.terminate()
        self._process.wait()
