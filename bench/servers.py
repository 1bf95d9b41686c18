# SPDX-License-Identifier: MIT
"""The servers that are compared: what each is made of, and one run of one of them on a free port."""

import json
import os
import random
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import process
from load import bizgo_report

ROOT = Path(__file__).parent.parent
BUILT = ROOT / ".cache" / "bench"  # by peers/build.sh
SECRET = "bench-secret-path-0123456789abcdef"
READY_SECONDS = 60
NO_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Place:
    """Where one run of a server lives."""

    def __init__(self, folder: Path, kafka: str, topic: str):
        self.folder = folder
        self.kafka = kafka
        self.topic = topic
        self.port, self.ops_port = free_ports(2)


@dataclass(frozen=True)
class Spec:
    name: str
    command: tuple
    path: str
    topic: str  # what its records go to …
    topics: tuple[str, ...]  # … and all that must exist
    settings: Callable[[Place], dict[str, str]]
    warm_up: int = 1  # how many times as long as the others' before its speed is looked at


def peer_settings(place: Place) -> dict[str, str]:
    return {"PORT": str(place.port), "KAFKA_BOOTSTRAP": place.kafka, "TOPIC": place.topic}


def peer(name: str, *command, warm_up: int = 1) -> Spec:
    return Spec(name, command, "/webhook/bizgo", f"bench.{name}", (f"bench.{name}",), peer_settings, warm_up)


def ours_settings(place: Place) -> dict[str, str]:
    endpoints = place.folder / "endpoints.json"
    endpoint = {"endpoint": "bizgo/bench", "provider": "bizgo", "secret_path": ["DOCHAK_SECRET_BENCH"]}
    endpoints.write_text(json.dumps({"endpoints": [endpoint]}))
    return {
        "DOCHAK_KAFKA_BOOTSTRAP": place.kafka,
        "DOCHAK_TOPIC_PREFIX": "bench.ours.",
        "DOCHAK_ENDPOINTS_FILE": str(endpoints),
        "DOCHAK_SECRET_BENCH": SECRET,
        "DOCHAK_INGRESS_KEY": SECRET,
        "DOCHAK_INGRESS_LISTEN": f"127.0.0.1:{place.port}",
        "DOCHAK_INGRESS_OPS_LISTEN": f"127.0.0.1:{place.ops_port}",
        "DOCHAK_SPOOL_DIR": str(place.folder / "spool"),
    }


OURS = Spec(
    "ours",
    (ROOT / "build" / "release" / "bin" / "dochak-ingress",),
    path=f"/webhook/bizgo/bench/{SECRET}",
    topic="bench.ours.events",
    topics=("bench.ours.events", "bench.ours.quarantine"),
    settings=ours_settings,
)

SPECS = {
    spec.name: spec
    for spec in (
        OURS,
        peer("probe", BUILT / "probe" / "probe"),
        peer("go", BUILT / "go" / "peer"),
        peer("spring", "java", "-jar", BUILT / "spring" / "peer.jar", warm_up=4),  # a JVM goes on compiling
        peer("fastapi", BUILT / "fastapi" / "bin" / "python", ROOT / "bench" / "peers" / "fastapi" / "peer.py"),
        peer("express", "node", BUILT / "express" / "server.js"),
    )
}


def versions(spec: Spec) -> str:
    if spec is OURS:
        return subprocess.run([*spec.command, "--version"], capture_output=True, text=True, timeout=10).stdout.strip()
    return (BUILT / spec.name / "versions").read_text().strip()


def free_ports(count: int) -> list[int]:
    """Below the range from which the kernel takes the ports of outgoing connections, so that none of those sits on it later."""
    ports = []
    while len(ports) < count:
        port = random.randrange(20000, 32000)
        with socket.socket() as attempt:
            if port not in ports and attempt.connect_ex(("127.0.0.1", port)):
                ports.append(port)
    return ports


class Server:
    """One run, from `with` to its end. A server that ends by itself ends the benchmark with what it said last."""

    def __init__(self, spec: Spec, folder: Path, kafka: str):
        self.spec = spec
        self._folder = folder / spec.name
        shutil.rmtree(self._folder, ignore_errors=True)
        (self._folder / "spool").mkdir(parents=True)
        self._place = Place(self._folder, kafka, spec.topic)
        self.url = f"http://127.0.0.1:{self._place.port}{spec.path}"

    def __enter__(self) -> "Server":
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                self.spec.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**without_settings(os.environ), **self.spec.settings(self._place)},
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
        """Until it acknowledges a report as BizGo wants it."""
        end = time.monotonic() + READY_SECONDS
        while not self._acknowledges():
            if self._process.poll() is not None or time.monotonic() > end:
                last = (self._folder / "log").read_text("utf-8", "replace")[-2000:]
                raise SystemExit(f"{self.spec.name} did not become ready; it said last:\n{last}")
            time.sleep(0.05)

    def _acknowledges(self) -> bool:
        key = f"ready-{time.monotonic_ns()}"
        request = urllib.request.Request(self.url, bizgo_report(key), {"Content-Type": "application/json"})
        try:
            with NO_PROXY.open(request, timeout=10) as answer:
                return answer.status == 200 and json.load(answer) == {"msgKey": key}
        except (OSError, ValueError):
            return False

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def cpu_seconds(self) -> float:
        return process.cpu_seconds(self.pid)

    @property
    def peak_rss_mb(self) -> float:
        return process.peak_rss_mb(self.pid)


def without_settings(env) -> dict[str, str]:
    """What the caller set for a dochak of his own is not for the benchmark's."""
    return {name: value for name, value in env.items() if not name.startswith("DOCHAK_")}
