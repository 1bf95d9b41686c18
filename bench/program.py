# SPDX-License-Identifier: MIT
"""A program that is measured: its life, its settings, what it cost."""

import os
import random
import shutil
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import process

ROOT = Path(__file__).parent.parent
BUILT = ROOT / ".cache" / "bench"  # by peers/build.sh
RELEASE = ROOT / "build" / "release" / "bin"
READY_SECONDS = 60
NO_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Program:
    """One run, from `with` to its end. A program that ends by itself ends the benchmark with what it said last."""

    def __init__(self, name: str, command: tuple, folder: Path):
        self.name = name
        self.command = command
        self.folder = folder / name
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)

    def settings(self) -> dict[str, str]:
        return {}

    def is_ready(self) -> bool:
        return True

    def __enter__(self):
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**without_settings(os.environ), **self.settings()},
                start_new_session=True,  # a Ctrl-C is ours to handle
            )
        try:
            self._wait_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_) -> None:
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _wait_ready(self) -> None:
        end = time.monotonic() + READY_SECONDS
        while not self.is_ready():
            self.check_alive()
            if time.monotonic() > end:
                self.give_up("did not become ready")
            time.sleep(0.05)

    def check_alive(self) -> None:
        if self._process.poll() is not None:
            self.give_up(f"ended with {self._process.returncode}")

    def give_up(self, why: str) -> None:
        raise SystemExit(f"{self.name} {why}; it said last:\n{self.log.read_text('utf-8', 'replace')[-2000:]}")

    def wait(self, seconds: float) -> None:
        """For one that ends by itself."""
        if self._process.wait(seconds):
            self.give_up(f"ended with {self._process.returncode}")

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def cpu_seconds(self) -> float:
        return process.cpu_seconds(self.pid)

    @property
    def peak_rss_mb(self) -> float:
        return process.peak_rss_mb(self.pid)


def free_ports(count: int) -> list[int]:
    """Below the range from which the kernel takes the ports of outgoing connections, so that none of those sits on it later."""
    ports = []
    while len(ports) < count:
        port = random.randrange(20000, 32000)
        with socket.socket() as attempt:
            if port not in ports and attempt.connect_ex(("127.0.0.1", port)):
                ports.append(port)
    return ports


def without_settings(env) -> dict[str, str]:
    """What the caller set for a dochak of his own is not for the benchmark's."""
    return {name: value for name, value in env.items() if not name.startswith("DOCHAK_")}
