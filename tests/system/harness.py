"""Starts noxy for a test, in a folder of its own, and judges it when the test is over.

A test fails, whatever it asserts, when its noxy logged an error that the test doesn't expect, wrote a sanitizer's
report, left a process, its pid file or its admin socket, or exited with another code than expected.
"""
import contextlib
import glob
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
from signal import SIGHUP, SIGTERM

import clients
import configs
import processes
from ports import free_port
from waiting import wait_for

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NOXY = os.path.abspath(os.environ.get("NOXY", os.path.join(TOP, "noxy")))
NOXYCTL = os.path.abspath(os.environ.get("NOXYCTL", os.path.join(TOP, "noxyctl")))

LOG_LINE = re.compile(r"^(\S+Z) (ERROR|WARN|NOTICE|INFO|DEBUG)\s+\[([^\]]*)\] (.*)$")
SANITIZER = re.compile(r"AddressSanitizer|LeakSanitizer|UndefinedBehaviorSanitizer|runtime error:")


def is_sanitized():
    """Is the noxy under test a sanitizer build? It is slower and larger, and valgrind can't run it."""
    with open(NOXY, "rb") as f:
        return b"__asan_init" in f.read()


class LogLine:
    def __init__(self, match):
        self.time, self.level, self.process, self.message = match.groups()

    def __repr__(self):
        return f"{self.level} [{self.process}] {self.message}"


class Noxy:
    """One noxy: its master is self.process."""

    def __init__(self, folder, binary=NOXY):
        self.dir, self.binary, self.process = folder, binary, None
        self.config = self.path("noxy.yaml")
        self.socket = self.path("run/admin.sock")
        self.pid_file = self.path("run/noxy.pid")
        self.expected_code, self._expected_errors, self.ports, self._retired = 0, [], [], set()
        os.chmod(folder, 0o755)  # unprivileged workers reach their reports
        for name in ("run", "reports"):
            os.mkdir(self.path(name))
            os.chmod(self.path(name), 0o777)

    def path(self, name):
        return os.path.join(self.dir, name)

    def write(self, text):
        """Writes the configuration, with paths of its own for the admin socket and the pid file."""
        self.write_verbatim(configs.with_own_paths(text, self.socket, self.pid_file))
        self.ports = configs.bind_ports(text)

    def write_verbatim(self, text):
        with open(self.config + ".new", "w", encoding="utf-8") as f:
            f.write(text)
        os.replace(self.config + ".new", self.config)

    # ---- running ----

    def launch(self, *args, user=None, stdout=None, descriptors=None, wrapper=()):
        """Starts the master, without waiting for anything. `descriptors`: the limit; `wrapper`: a command to run it."""
        reports = self.path("reports")
        environment = dict(os.environ, NOXY_TEST=self.dir,
                           ASAN_OPTIONS=f"log_path={reports}/asan:detect_leaks=1:quarantine_size_mb=8",
                           UBSAN_OPTIONS=f"log_path={reports}/ubsan:print_stacktrace=1")
        limit = ["prlimit", f"--nofile={descriptors}"] if descriptors else []
        with open(self.path("out"), "ab") as out, open(self.path("err"), "ab") as err:
            for name in ("out", "err"):
                os.chmod(self.path(name), 0o666)
            self.process = subprocess.Popen(
                [*limit, *wrapper, self.binary, "-c", self.config, *args], stdin=subprocess.DEVNULL,
                stdout=stdout or out, stderr=err, cwd=self.dir, env=environment, start_new_session=True, user=user,
                group=user and "nogroup", extra_groups=user and [])

    def wait_ready(self):
        wait_for(self._is_ready, lambda: f"noxy serves\n{self.text_log()}\n{self.text_errors()}")

    def _is_ready(self):
        code = self.process.poll()
        assert code is None, f"noxy ended with {code}:\n{self.text_log()}\n{self.text_errors()}"
        with contextlib.suppress(OSError):
            return os.path.getsize(self.pid_file) and self.admin("ping")  # it is written when all processes serve
        return False

    def fails_to_start(self, *args):
        """Starts noxy, which must end with 1; what it said."""
        self.expected_code = 1
        self.expect_error("")
        self.launch(*args)
        assert self.process.wait(30) == 1
        return self.text_errors() + self.text_log()

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self, number=SIGTERM, seconds=30):
        """Ends noxy as an operator does; its exit code."""
        if self.process.poll() is None:
            self.signal(number)
        return self.process.wait(seconds)

    def reload(self, text=None):
        """HUP, and waits until the next generation serves."""
        before, old = self.info()["generation"], self.children()
        if text:
            self.write(text)
        self.signal(SIGHUP)
        wait_for(lambda: f"generation {before + 1} serves" in self.text_log(),
                 lambda: f"a new generation serves\n{self.text_log()}")
        self._retired |= set(old)

    # ---- what it tells ----

    def admin(self, command):
        """The answer's text of one command over the admin socket; RuntimeError when it is refused."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(30)
            s.connect(self.socket)
            s.sendall(command.encode() + b"\n")
            lines = []
            with s.makefile("r", encoding="utf-8") as stream:
                while (line := stream.readline()) not in ("\n", ""):
                    lines.append(line)
        if not lines:
            raise ConnectionError("the admin socket gave no answer")
        if lines[0] != "ok\n":
            raise RuntimeError("".join(lines))
        return "".join(lines[1:])

    def info(self):
        return json.loads(self.admin("info --json"))

    def rows(self, kind):
        """The rows of `stats` for all frontends, backends or servers."""
        stats = json.loads(self.admin("stats --json"))
        if kind == "server":
            return [server for backend in stats["backends"] for server in backend["servers"]]
        return stats[kind + "s"]

    def server(self, name):
        return next(row for row in self.rows("server") if row["name"] == name)

    def total(self, kind, key):
        """A figure summed over all rows of a kind: a row's own field, a counter, or reasons.WORD."""
        if key.startswith("reasons."):
            return sum(row["reasons"][key.removeprefix("reasons.")] for row in self.rows(kind))
        return sum(row[key] if key in row else row["counters"][key] for row in self.rows(kind))

    def wait_total(self, kind, key, value):
        wait_for(lambda: self.total(kind, key) == value,
                 lambda: f"{kind} {key} is {value}; it is {self.total(kind, key)}")

    def wait_idle(self):
        """Waits until nothing is in flight any more, by noxy's own counts."""
        self.wait_total("frontend", "sessions_current", 0)
        for kind in ("frontend", "backend", "server"):
            self.wait_total(kind, "requests_current", 0)

    def ctl(self, *args, code=0, cwd=None):
        """Runs noxyctl, which must end with that code."""
        done = subprocess.run([NOXYCTL, "-s", self.socket, *args], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=60, check=False, cwd=cwd)
        assert done.returncode == code, f"noxyctl {args} ended with {done.returncode}: {done.stdout}{done.stderr}"
        return done

    # ---- its log ----

    def log(self, level=None):
        """The log's lines so far."""
        matches = (LOG_LINE.match(line) for line in self.text_log().splitlines())
        return [LogLine(m) for m in matches if m and level in (None, m.group(2))]

    def wait_log(self, level, text, times=1):
        """Waits for lines of that level with that text (a regular expression); all such lines."""
        def found():
            lines = [line for line in self.log(level) if re.search(text, line.message)]
            return lines if len(lines) >= times else None
        return wait_for(found, lambda: f"{level} {text!r} in the log:\n{self.text_log()}")

    def expect_error(self, text):
        """The test makes noxy log such an error."""
        self._expected_errors.append(text)

    def text_log(self):
        return self._read("out")

    def text_errors(self):
        return self._read("err")

    def _read(self, name):
        with contextlib.suppress(FileNotFoundError), open(self.path(name), encoding="utf-8", errors="replace") as f:
            return f.read()
        return ""

    # ---- its processes ----

    def tree(self):
        """Pids of the master and its children."""
        return [pid for pid in processes.tree(self.process.pid) if processes.is_alive(pid)]

    def children(self):
        return [pid for pid in self.tree() if pid != self.process.pid]

    def manager(self):
        """The manager's pid; None while there is none."""
        with contextlib.suppress(OSError):
            return self.info()["manager_pid"]
        return None

    def workers(self):
        """Pids of the workers of the generation that serves."""
        manager = self.manager()
        return [pid for pid in self.children() if pid != manager and pid not in self._retired]

    def wait_settled(self):
        """Waits until all processes of earlier generations have ended."""
        wait_for(lambda: not self._retired & set(self.children()), "the old generations end")

    def pss(self):
        return processes.pss(self.tree())

    def cpu_share(self):
        return processes.cpu_share(self.tree())

    def descriptors(self):
        """How many are open in all processes together."""
        return sum(len(processes.descriptors(pid)) for pid in self.tree())

    # ---- requests ----

    @property
    def port(self):
        return self.ports[0]

    def get(self, target="/", fields=(), **keys):
        return clients.get(self.port, target, fields, **keys)

    def connect(self, timeout=20):
        return clients.Connection(self.port, timeout)

    # ---- the judgement ----

    def judge(self):
        """Ends noxy and returns what it did wrong, in words."""
        faults = self._judge_end()
        faults += [f"process {pid} was left" for pid in
                   processes.kill_leftovers(f"NOXY_TEST={self.dir}", self.process.pid)]
        faults += [f"{path} was left" for path in (self.pid_file, self.socket) if os.path.exists(path)]
        faults += [f"logged: {line}" for line in self.log("ERROR")
                   if not any(re.search(text, line.message) for text in self._expected_errors)]
        for name in glob.glob(self.path("reports/*")):
            if os.path.getsize(name):
                faults.append(f"a report of {os.path.basename(name)}:\n{self._read(name)}")
        if SANITIZER.search(self.text_errors()):
            faults.append("a sanitizer report stands on stderr")
        return faults

    def _judge_end(self):
        try:
            code = self.stop()
        except subprocess.TimeoutExpired:
            return ["noxy did not end within 30 s of TERM"]
        return [f"noxy exited with {code}, not {self.expected_code}"] if code != self.expected_code else []

    def print_story(self):
        print(f"---- configuration\n{self._read('noxy.yaml')}\n---- log\n{self.text_log()[-20000:]}")
        print(f"---- stderr\n{self.text_errors()[-5000:]}")


class Factory:
    """The fixture `noxy`: starts any number of them and judges all when the test is over."""

    def __init__(self):
        self._made, self._folders = [], []

    def folder(self):
        path = tempfile.mkdtemp(prefix="noxy-test-")
        os.chmod(path, 0o755)
        self._folders.append(path)
        return path

    def prepare(self, config=None, binary=NOXY, **keys):
        """A noxy with its configuration written (from a text or by compose()), not yet started."""
        lb = Noxy(self.folder(), binary)
        lb.write(config or configs.compose(free_port(), **keys))
        self._made.append(lb)
        return lb

    def start(self, config=None, *, launch=None, **keys):
        """The same, serving. `launch`: the arguments of Noxy.launch()."""
        lb = self.prepare(config, **keys)
        lb.launch(**(launch or {}))
        lb.wait_ready()
        return lb

    def start_as(self, user, launch=None, **keys):
        """Starts it as that user, with a copy of the binary that this user can reach; None: as ourselves."""
        if user is None:
            return self.start(launch=launch, **keys)
        binary = shutil.copy(NOXY, self.folder())
        return self.start(launch={**(launch or {}), "user": user}, binary=binary, **keys)

    def run(self, *args, cwd=None):
        """noxy as a command that ends by itself."""
        return subprocess.run([NOXY, *args], stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd=cwd,
                              timeout=60, check=False)

    def check(self, text):
        """`noxy -t` on a text, verbatim, as conf.yaml."""
        folder = self.folder()
        with open(os.path.join(folder, "conf.yaml"), "w", encoding="utf-8") as f:
            f.write(text)
        return self.run("-t", "-c", "conf.yaml", cwd=folder)

    def judge(self):
        faults = []
        for lb in self._made:
            if lb.process:
                faults += lb.judge()
                lb.print_story()
        for path in self._folders:
            shutil.rmtree(path, ignore_errors=True)
        return faults
