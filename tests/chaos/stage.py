# SPDX-License-Identifier: MIT
"""The system that is put to the test, and how each fault is done to it and undone: one ingress and two processors, on a ground of real
servers behind wires and on small disks."""

import base64
import json
import socket
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, nullcontext
from pathlib import Path

from chaos import checker
from chaos.disks import Disk
from chaos.faults import SESSION, Fault
from chaos.sender import Sender, standard_headers
from chaos.traffic import Post, provider_files
from support.servers import QUICK_JAVA, Server
from support.service import Service
from support.wait import until, until_equal
from support.wires import Ambush, Wire
from support.world import World, free_port

WORD = 5.0  # seconds that a fault waits for its word; after them it strikes whenever somebody says it, if ever
FEW = 20  # receipts that are let through at a time while nobody has said it
RECOVERY = 90.0  # seconds within which everything is back once its fault is over
OVERDUE = 300.0  # where events waited in a spool when a minute ended, the watch waits for three more
MEGABYTES = {"kafka": 512, "postgres": 768, "spool": 128}
STANDARD_SECRET = f"whsec_{base64.b64encode(b'standard webhooks in chaos tests').decode()}"
ENDPOINTS = [
    {"endpoint": "bizgo/alimtalk", "provider": "bizgo", "secret_path": ["DOCHAK_SECRET_BIZGO_PATH"]},
    {"endpoint": "blux/sms", "provider": "blux", "secret_path": ["DOCHAK_SECRET_BLUX_PATH"]},
    {"endpoint": "standard/hooks", "provider": "standard", "checks": {"standard_webhooks": {"secrets": ["DOCHAK_SECRET_STANDARD"]}}},
]
# What a log may call an error here: librdkafka's lines about a broker that is gone, and about waking up as one whose place is taken.
EXPECTED_ERRORS = ["librdkafka"]


class Ground:
    """Kafka and Postgres between `with` and its end; several stages may stand on it, one after the other."""

    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir(0o711)  # Postgres may run as another user
        self.disks = {name: Disk(folder / name, megabytes) for name, megabytes in MEGABYTES.items()}
        self.servers = {kind: Server(kind, folder / kind / kind, **QUICK_JAVA) for kind in ("kafka", "postgres")}
        self.wires = {kind: Wire(free_port()) for kind in self.servers}

    def __enter__(self) -> "Ground":
        with ExitStack() as stack:
            for disk in self.disks.values():
                stack.callback(disk.mount().umount)
            for kind, server in self.servers.items():
                stack.callback(self.wires[kind].start().stop)
                stack.callback(server.wipe)
            self._start()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_) -> None:
        self._stack.close()

    def _start(self) -> None:
        """Both at once: they take their time."""
        kafka = self.servers["kafka"]
        kafka.folder.mkdir()
        told = f"advertised.listeners=PLAINTEXT://127.0.0.1:{self.wires['kafka'].port}\n"
        (kafka.folder / "extra.properties").write_text(told)  # clients reach it through its wire
        kafka.begin()
        self.servers["postgres"].begin()
        for kind, server in self.servers.items():
            server.wait()
            self.wires[kind].upstream = server.port


class Stage:
    """Between `with` and its end everything runs."""

    def __init__(self, ground: Ground, names: tuple[str, str], batch: int | None):
        self.ground = ground
        self.folder = Path(tempfile.mkdtemp(dir=ground.folder))
        self.names = names  # DOCHAK_INSTANCE of each processor; "" is none
        self.batches = {"DOCHAK_BATCH_MAX_RECORDS": str(batch)} if batch else {}
        self.revived: Counter[str] = Counter()  # servers that a full disk had brought down
        self.sender: Sender | None = None
        self.parts: dict[str, Service | Server] = {**ground.servers}

    # --- beginning

    def __enter__(self) -> "Stage":
        try:
            self._start_services()
        except BaseException:
            self._kill_services()
            raise
        return self

    def __exit__(self, *_) -> None:
        if self.sender:
            self.sender.stop()
        for wire in self.ground.wires.values():
            wire.reset()
        self._kill_services()
        self.world.topics.close()

    def _start_services(self) -> None:
        self.world = World(*self.ground.servers.values(), self.folder)
        self.world.keys["STANDARD"] = STANDARD_SECRET
        self.world.endpoints_file.write_text(json.dumps({"endpoints": ENDPOINTS}))
        self.world.create_database().migrate()
        self.parts["ingress"] = self.world.new_ingress(
            **self._settings(), DOCHAK_SPOOL_DIR=str(self.ground.disks["spool"].folder / self.world.name)
        )
        for number, name in enumerate(self.names, 1):
            self.parts[f"processor-{number}"] = self.world.new_processor(**self._settings(), **self.batches, DOCHAK_INSTANCE=name)
        for service in self.world.services:
            service.expected_errors += EXPECTED_ERRORS
            service.start()
        self.wait_whole()

    def _settings(self) -> dict[str, str]:
        providers = self.folder / "providers"
        if not providers.exists():
            providers.mkdir()
            for name, file in provider_files().items():
                (providers / f"{name}.json").write_text(json.dumps(file))
        properties = self.folder / "kafka.properties"
        properties.write_text(f"session.timeout.ms={SESSION * 1000:.0f}\n")
        return {
            "DOCHAK_KAFKA_BOOTSTRAP": f"127.0.0.1:{self.ground.wires['kafka'].port}",
            "PGPORT": str(self.ground.wires["postgres"].port),
            "DOCHAK_KAFKA_PROPERTIES": str(properties),
            "DOCHAK_PROVIDERS_DIR": str(providers),
            "DOCHAK_SECRET_STANDARD": STANDARD_SECRET,
            "DOCHAK_LOG_LEVEL": "info",
        }

    def new_sender(self, posts: list[Post], limit: float) -> Sender:
        paths = {
            "bizgo": self.world.path("bizgo/alimtalk"),
            "blux": self.world.path("blux/sms"),
            "standard": "/webhook/standard/hooks",
            "application": "/v1/notifications",
        }
        sign = {
            "standard": standard_headers(STANDARD_SECRET),
            "application": lambda _: {"Authorization": f"Bearer {self.world.keys['INGRESS']}"},
        }
        self.sender = Sender(posts, self.parts["ingress"].ports["public"], paths, sign, limit)
        return self.sender

    # --- coming back

    def wait_whole(self) -> None:
        """Everything that was done to it is got over."""
        for service in self.world.services:
            until(f"{service.name} is ready again", service.is_ready, RECOVERY, every=0.05)

    def settle(self) -> None:
        """Nothing is left to do."""
        self.wait_whole()
        ingress = self.parts["ingress"]
        until_equal("the spool is empty", lambda: ingress.metrics()["dochak_ingress_spool_events"], 0, RECOVERY, every=0.1)
        self.world.settle(2 * RECOVERY)
        until("all that is overdue was said to be so", lambda: checker.is_all_overdue_said(self.world), OVERDUE, every=0.1)
        self.world.settle(2 * RECOVERY)

    # --- the end

    def end(self) -> list[str]:
        return self.world.end()

    def traces(self) -> str:
        """What faults left behind, so that one sees whether they bit."""
        restarts = sum(len(service.log_lines("worker starts over")) for service in self.world.services)
        at_word = sum(wire.cut_at_word for wire in self.ground.wires.values())
        return (
            f"workers started over {restarts} times, {at_word} connections were cut at a word, full disks brought down {dict(self.revived)}"
        )

    def logs(self) -> dict[str, str]:
        return {name: _log(part) for name, part in self.parts.items()}

    def _kill_services(self) -> None:
        for service in self.world.services:
            if service.is_alive():
                service.kill()

    # --- faults

    def can(self, fault: Fault) -> bool:
        return fault.kind.what != "fill" or self.ground.disks[fault.kind.target].is_small

    def strike(self, fault: Fault) -> Ambush | None:
        """From its beginning to when its target runs again. The ambush, where it is one, which may not have struck yet."""
        what, _, word = fault.kind.what.partition(" after ")
        return DEEDS[what](self, fault.kind.target.removesuffix("-wire"), fault.seconds, word)

    def _listens(self) -> bool:
        with socket.socket() as sock:
            return sock.connect_ex(("127.0.0.1", self.parts["ingress"].ports["public"])) == 0

    def start(self, target: str) -> None:
        self.parts[target].start()
        if target == "ingress":
            until("ingress listens", self._listens, RECOVERY, every=0.005)

    def revive(self, server: Server) -> None:
        """A server that a full disk has brought down, or is about to, as its operator would."""
        pid = server.folder / "pid"
        started_at = pid.stat().st_mtime_ns
        for _ in range(3):
            try:
                server.start()
                break
            except AssertionError as error:
                last = error
        else:
            raise last
        self.revived[server.kind] += pid.stat().st_mtime_ns != started_at


def _log(part: Service | Server) -> str:
    return part.log_text() + part.stderr() if isinstance(part, Service) else (part.folder / "log").read_text("utf-8", "replace")


# --- what a fault is


def _kill(stage: Stage, target: str, seconds: float, _: str) -> None:
    with _disturbing(stage, target):
        stage.parts[target].kill()
        time.sleep(seconds)
        stage.start(target)


def _freeze(stage: Stage, target: str, seconds: float, _: str) -> None:
    with _disturbing(stage, target):
        stage.parts[target].freeze()
        time.sleep(seconds)
        stage.parts[target].thaw()


def _restart(stage: Stage, target: str, seconds: float, _: str) -> None:
    try:
        stage.parts[target].stop()
        time.sleep(seconds)
    finally:  # one that would not stop in time was killed
        stage.start(target)


def _cut(stage: Stage, target: str, _: float, word: str) -> Ambush | None:
    wire = stage.ground.wires[target]
    return _cut_after(stage, wire, word) if word else wire.cut()


def _cut_after(stage: Stage, wire: Wire, word: str) -> Ambush:
    """Work goes on meanwhile, since without any nobody says a word."""
    ambush = wire.cut_after(word)
    end = time.monotonic() + WORD
    while not ambush.has_struck and time.monotonic() < end:
        stage.sender.allow(stage.sender.settled + FEW)
        time.sleep(0.1)
    return ambush


def _swallow(stage: Stage, target: str, seconds: float, _: str) -> None:
    wire = stage.ground.wires[target]
    wire.swallow()
    time.sleep(seconds)
    wire.pass_on()


def _fill(stage: Stage, target: str, seconds: float, _: str) -> None:
    disk = stage.ground.disks[target]
    disk.fill()
    time.sleep(seconds)
    disk.empty()
    if target != "spool":
        stage.revive(stage.parts[target])


DEEDS = {"kill": _kill, "freeze": _freeze, "restart": _restart, "cut": _cut, "swallow": _swallow, "fill": _fill}


def _disturbing(stage: Stage, target: str):
    return stage.sender.disturbances if target == "ingress" else nullcontext()
