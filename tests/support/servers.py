# SPDX-License-Identifier: MIT
"""A real Apache Kafka and a real Postgres in folders of their own, by the launchers that people use."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from support import builds
from support.wait import freeze

AnyServer = TypeVar("AnyServer", bound="Server")
START = 150  # seconds at most: the machine may do other things, too
QUICK_JAVA = {"JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1"}  # Kafka starts often here, and never runs for long


class Server:
    def __init__(self, kind: str, folder: Path, port: int = 0, **environment: str):
        self.kind = kind
        self.folder = folder
        self.port = port  # 0: a free one, which begin() finds
        self._environment = environment

    def _run(self, verb: str, *args: str) -> str:
        launcher = builds.ROOT / "scripts" / f"{self.kind}.sh"
        environment = {**os.environ, **self._environment}
        done = subprocess.run([launcher, verb, self.folder, *args], capture_output=True, text=True, timeout=180, env=environment)
        assert done.returncode == 0, f"{self.kind} {verb}:\n{done.stdout}{done.stderr}"
        return done.stdout

    def begin(self) -> None:
        """Starts it on the port it had, else a free one; wait() says when it is there."""
        self._run("start", str(self.port))
        self.port = int(self._run("port"))

    def wait(self, seconds: int = START) -> None:
        self._run("wait", str(seconds))

    def start(self) -> None:
        self.begin()
        self.wait()

    def stop(self) -> None:
        self._run("stop")

    def kill(self) -> None:
        """SIGKILL, as a crash."""
        self._run("kill")

    def copy(self, primary: "Server") -> None:
        """Of Postgres: becomes its standby, once started."""
        self._run("standby", str(primary.folder))

    def freeze(self) -> None:
        """It holds its connections and answers nothing."""
        for pid in self._processes():
            freeze(pid)

    def thaw(self) -> None:
        for pid in self._processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def wipe(self) -> None:
        self._run("wipe")

    def _processes(self) -> list[int]:
        """The process and those it has started: Postgres has one for each connection."""
        pid = int((self.folder / "pid").read_text().split()[0])
        return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"


def kafka(folder: Path) -> Server:
    return Server("kafka", folder, **QUICK_JAVA)


def postgres(folder: Path) -> Server:
    return Server("postgres", folder)


@contextmanager
def running(server: AnyServer) -> Iterator[AnyServer]:
    try:
        server.start()
        yield server
    finally:
        server.wipe()
