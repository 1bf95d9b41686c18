# SPDX-License-Identifier: MIT
"""The servers that are compared: what each is made of, and one run of one of them on a free port."""

import json
import subprocess
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from load import bizgo_report
from program import BUILT, NO_PROXY, RELEASE, ROOT, Program, free_ports

SECRET = "bench-secret-path-0123456789abcdef"


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
    of = {name: {"endpoint": f"{name}/bench", "provider": name, "secret_path": ["DOCHAK_SECRET_BENCH"]} for name in ("bizgo", "blux")}
    endpoints.write_text(json.dumps({"endpoints": list(of.values())}))
    (place.folder / "spool").mkdir()
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
    (RELEASE / "dochak-ingress",),
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


class Server(Program):
    """One of them on a free port."""

    def __init__(self, spec: Spec, folder: Path, kafka: str):
        super().__init__(spec.name, spec.command, folder)
        self.spec = spec
        self._place = Place(self.folder, kafka, spec.topic)
        self.url = f"http://127.0.0.1:{self._place.port}{spec.path}"

    def settings(self) -> dict[str, str]:
        return self.spec.settings(self._place)

    def is_ready(self) -> bool:
        """It acknowledges a report as BizGo wants it."""
        key = f"ready-{time.monotonic_ns()}"
        try:
            return json.loads(self.post(self.url, bizgo_report(key))) == {"msgKey": key}
        except (OSError, ValueError):
            return False

    def register(self, body: bytes) -> None:
        """Only ours knows acceptances."""
        self.post(self.url.replace(self.spec.path, "/v1/notifications"), body, Authorization=f"Bearer {SECRET}")

    def post(self, url: str, body: bytes, **headers: str) -> bytes:
        """The body of a 2xx."""
        request = urllib.request.Request(url, body, {"Content-Type": "application/json", **headers})
        with NO_PROXY.open(request, timeout=10) as answer:
            return answer.read()
