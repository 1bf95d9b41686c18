# SPDX-License-Identifier: MIT
"""The watch's judgement on tables that a test has filled, at times that the test names: no Kafka, and no minute to wait for. And events as the
watch writes them."""

import json
import subprocess
import uuid
from datetime import UTC, datetime

from support import builds
from support.world import World


def at(minute: int) -> datetime:
    return datetime.fromtimestamp(minute * 60, UTC)


class Judge:
    """One leader: it keeps what it has read from one judgement to the next."""

    def __init__(self, world: World, **settings: str):
        self.log = world.folder / "judge.log"
        with self.log.open("w") as log:
            command = [*builds.WRAPPER, builds.program("judge")]
            self._process = subprocess.Popen(command, env=world.env(**settings), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)

    def __enter__(self) -> "Judge":
        return self

    def __exit__(self, *_) -> None:
        self._process.stdin.close()
        assert self._process.wait(30) == 0
        self._process.stdout.close()

    def judge(self, minute: int) -> list[dict]:
        """What it writes when all is known until the end of that Unix minute."""
        self._process.stdin.write(f"{(minute + 1) * 60_000}\n")
        self._process.stdin.flush()
        events = []
        while (line := self._process.stdout.readline()) != "\n":
            assert line, f"the judge has died: {self.log.read_text()}"
            events.append(json.loads(line))
        return events


def open_incident(world: World, kind: str, since: int, provider: str = "", endpoint: str = "", scope: str = "", closed: int | None = None) -> None:
    world.sql(
        "INSERT INTO incident (incident_id, kind, provider, endpoint, scope, since, opened_at, closed_at, judged_until, gap_ms, faults, details)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, 0, 0, %s)",
        uuid.uuid5(uuid.NAMESPACE_URL, f"{kind} {provider} {endpoint} {scope} {since}"),
        *(kind, provider, endpoint, scope, at(since), at(since), closed and at(closed), at(since)),
        json.dumps({"summary": f"the summary of {kind} {endpoint}{scope}", "check_first": [], "counts": {}, "codes": []}),
    )


def count(world: World, provider: str, minutes: range, outcome: str, records: int, endpoint: str = "bizgo/alimtalk") -> None:
    """Counters of delivery_minute, the same in each minute. A receipt without an endpoint was asked for, and no sign that webhooks come."""
    with world.connect() as connection, connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO delivery_minute (minute, provider, endpoint, outcome, partition, records) VALUES (%s, %s, %s, %s, 0, %s)",
            [(at(minute), provider, endpoint, outcome, records) for minute in minutes],
        )


def make_usual(world: World, provider: str, minute: int, taken: int = 1000, late: int = 10) -> None:
    """In each hour of the 29 days before."""
    world.sql(
        "INSERT INTO provider_hour SELECT date_trunc('hour', %s::timestamptz) - n * interval '1 hour', %s, %s, %s"
        " FROM generate_series(25, 696) AS n",
        *(at(minute), provider, taken, late),
    )


def watch_says(world: World, type_: str, partition: int | None = None, **changes) -> None:
    """An event of the watch about one incident of bizgo."""
    value = json.loads((builds.ROOT / "schemas/examples/event.incident/valid/silent.json").read_text("utf-8")) | changes
    headers = {
        "ce_specversion": "1.0",
        "ce_id": str(uuid.uuid5(uuid.NAMESPACE_URL, type_)),
        "ce_type": type_,
        "ce_source": "/processor/watch",
        "ce_time": datetime.now(UTC).isoformat(),
        "ce_subject": "bizgo",
        "ce_provider": "bizgo",
        "content-type": "application/json",
    }
    encoded = [(name, text.encode()) for name, text in headers.items()]
    world.topics.produce("events", json.dumps(value).encode(), b"bizgo", encoded, partition)
    world.topics.flush()
