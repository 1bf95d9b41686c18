# SPDX-License-Identifier: MIT
"""One of our processes: how it starts, how it ends, and what it may say meanwhile.

The end is a test of its own: exit code 0 in time, nothing on stderr (which is where sanitizers and valgrind write), and a log of
JSON lines that holds no error we did not expect and nothing that was told in confidence.
"""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from support import builds, http
from support.wait import freeze, until

GRACE = 8.0  # seconds from SIGTERM to the exit
# libpq writes it by itself where a server dies while somebody connects: until that has succeeded nobody can tell it not to.
LIBPQ_SAYS = re.compile(
    r"(?:(?:FATAL|WARNING):  terminating connection .*\n(?:DETAIL:  The postmaster has commanded .*\n|HINT:  In a moment you should .*\n)*\n?)"
)
LOG_KEYS = {"time", "level", "service", "message"}


CONFIDENTIAL = ("DOCHAK_INGRESS_KEY", "DOCHAK_RECIPIENT_KEY", "DOCHAK_API_KEY", "DOCHAK_API_POSTGRES_URL")


def confidential(env: dict[str, str]) -> list[str]:
    """What the settings of an environment hold that nobody may be told; the name of a file that holds it may be."""
    values = [
        value
        for name, value in env.items()
        if (name.startswith("DOCHAK_SECRET_") and not name.endswith("_FILE")) or name in CONFIDENTIAL
    ]
    return [secret for value in values for secret in value.split(",") if len(secret) >= 8]


def told(secrets: list[str], text: str) -> Iterator[str]:
    """Those that stand in a text, in any spelling that a log or a URL could give them."""
    for secret in secrets:
        if any(spelling in text for spelling in {secret, quote(secret), quote(secret, safe=""), json.dumps(secret)[1:-1]}):
            yield secret


class Service:
    def __init__(self, name: str, folder: Path, env: dict[str, str], ports: dict[str, int], secrets: list[str]):
        self.name = name  # "ingress", "processor"
        self.env = env
        self.ports = ports
        self.secrets = [*secrets, *confidential(env)]  # what must never stand in a log
        self.expected_errors: list[str] = []  # patterns of messages that an error line may have here
        self.exit_code: int | None = None
        self.ready_after: float | None = None
        self._stdout = folder / f"{name}-{id(self)}.out"
        self._stderr = folder / f"{name}-{id(self)}.err"
        self._process: subprocess.Popen | None = None
        self._terminated = False

    # --- beginning

    def start(self) -> "Service":
        self._began = time.monotonic()
        with self._stdout.open("ab") as out, self._stderr.open("ab") as err:
            self._process = subprocess.Popen(
                [*builds.WRAPPER, builds.program(self.name)], stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=self.env
            )
        self.exit_code = None
        self._terminated = False
        return self

    def is_ready(self) -> bool:
        try:
            return self.get("/readyz").status == 200
        except OSError:
            self.check_alive()
            return False

    def wait_ready(self, deadline: float = 20) -> "Service":
        until(f"{self.name} is ready", self.is_ready, deadline, every=0.01)
        self.ready_after = time.monotonic() - self._began
        return self

    def get(self, path: str) -> http.Answer:
        return http.request(self.ports["ops"], "GET", path, timeout=5)

    def metrics(self) -> dict[str, float]:
        """Sample by its full name, labels included. Waits for the listener of a process that has just been started."""

        def ask() -> str | None:
            try:
                return self.get("/metrics").body.decode()
            except ConnectionRefusedError:
                self.check_alive()
                return None

        lines = until(f"{self.name} listens", ask, 10).splitlines()
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line and not line.startswith("#"))}

    # --- being

    @property
    def pid(self) -> int:
        return self._process.pid

    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def check_alive(self) -> None:
        """Ended by itself, that is: without us having ended it."""
        if self._process and not self._terminated:
            ended = self._process.poll()
            assert ended is None, f"{self.name} ended by itself with {ended}:\n{self.stderr()}{self.log_text()[-3000:]}"

    def peak_rss_mb(self) -> float:
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024

    def threads(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/task"))

    def is_frozen(self) -> bool:
        """By SIGSTOP, whoever sent it."""
        self.check_alive()
        return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"

    def freeze(self) -> None:
        freeze(self.pid)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    # --- ending

    def wait_killed(self, deadline: float = 40) -> None:
        """By a signal of its own, SIGKILL, which a test asked it for."""
        until(f"{self.name} dies", lambda: self._process.poll() is not None, deadline, every=0.01)
        ended, self._process = self._process.returncode, None
        assert ended == -signal.SIGKILL, f"{self.name} ended with {ended}:\n{self.stderr()}{self.log_text()[-3000:]}"

    def kill(self) -> None:
        """SIGKILL. What it had written until then is still checked at the end."""
        self._process.kill()
        self._process.wait()
        self._process = None

    def _hears(self, number: int) -> bool:
        """A program that is not in its main() yet has no handler of its own; one that has ended needs none."""
        try:
            status = Path(f"/proc/{self.pid}/status").read_text()
        except FileNotFoundError:
            return True
        caught = re.search(r"SigCgt:\s+([0-9a-f]+)", status)  # a zombie has none
        return not caught or bool(int(caught[1], 16) >> (number - 1) & 1) or not self.is_alive()

    def terminate(self) -> None:
        self._terminated = True
        until(f"{self.name} hears SIGTERM", lambda: self._hears(signal.SIGTERM), every=0.005)
        self._process.send_signal(signal.SIGTERM)

    def wait_exit(self, seconds: float = GRACE) -> int:
        try:
            self.exit_code = self._process.wait(seconds * builds.patience())
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            self._process = None
            tail = self.log_text()[-3000:]
            raise AssertionError(f"{self.name} did not end within {seconds} s of SIGTERM; its log ends:\n{tail}") from None
        self._process = None
        return self.exit_code

    def stop(self) -> None:
        if not self._terminated:
            self.terminate()
        assert self.wait_exit() == 0, f"{self.name} ended with {self.exit_code}:\n{self.stderr()}"

    # --- what it said

    def log_text(self) -> str:
        return self._stdout.read_text("utf-8") if self._stdout.exists() else ""

    def stderr(self) -> str:
        said = self._stderr.read_text("utf-8", "replace") if self._stderr.exists() else ""
        return LIBPQ_SAYS.sub("", said)

    def log(self) -> list[dict]:
        return [json.loads(line) for line in self.log_text().splitlines()]

    def log_lines(self, pattern: str) -> list[dict]:
        return [line for line in self.log() if re.search(pattern, line["message"])]

    def check(self) -> None:
        """Ends it if it runs, and looks at all it left."""
        if self._process:
            self.check_alive()
            self.stop()
        assert self.stderr() == "", f"{self.name} wrote to stderr:\n{self.stderr()}"
        for line in self.log_text().splitlines():
            self._check_line(line)

    def _check_line(self, text: str) -> None:
        for secret in told(self.secrets, text):
            raise AssertionError(f"{self.name} logged {secret!r}: {text}")
        try:
            line = json.loads(text)
        except ValueError as error:
            raise AssertionError(f"{self.name} logged a line that is no JSON ({error}): {text}") from None
        assert line.keys() >= LOG_KEYS, f"{self.name} logged a line without {LOG_KEYS - line.keys()}: {text}"
        if line["level"] == "error":
            assert any(re.search(pattern, text) for pattern in self.expected_errors), f"{self.name} logged an error: {text}"


# What a log says that nobody has to act on: a busy cluster makes librdkafka say some of it.
NOTICES = re.compile(r'^\{"time":"[^"]*","level":"(?:debug|info)",.*\n', re.M)


def run_once(name: str, env: dict[str, str], *args: str, timeout: float = 60) -> subprocess.CompletedProcess:
    """A command that ends by itself, and tells nobody what it must not. Without the log's notices."""
    done = subprocess.run(
        [*builds.WRAPPER, builds.program(name), *args],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=env,
        timeout=timeout * builds.patience(),
    )
    for secret in told(confidential(env), done.stdout + done.stderr):
        raise AssertionError(f"{name} {args} tells {secret!r}: {done}")
    done.stderr = NOTICES.sub("", done.stderr)
    return done
