# SPDX-License-Identifier: MIT
"""examples/alert-consumers: incidents as those of PagerDuty, and as alerts of a real Alertmanager."""

import json
import sqlite3
import sys
import uuid
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from support import builds, payloads
from support.examples import PagerDuty, Program
from support.prometheus import DEPLOY, Alertmanager
from support.topics import Record
from support.wait import until
from support.world import World, free_port

pytestmark = pytest.mark.long
FOLDER = builds.ROOT / "examples" / "alert-consumers" / "python"
KEY = "R0UT1NGKEY"


def open_incident(world: World) -> Record:
    """The seed's: the first receipt that says that the account may not send."""
    world.start()
    world.bizgo(payloads.bizgo(payloads.new_id(), "64008"))
    world.settle()
    (alert,) = [alert for alert in world.alerts() if alert.type == "dochak.provider.failing.v1"]
    return alert


def close_incident(world: World, opened: Record) -> None:
    """What the processor publishes when it is over, hours later."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    closed = {**opened.data, "status": "closed", "check_first": [], "closed_at": now, "occurred_at": now}
    changed = {"ce_id": str(uuid.uuid5(uuid.UUID(opened.id), "closed")), "ce_type": "dochak.provider.restored.v1", "ce_time": now}
    headers = [(name, changed[name].encode() if name in changed else value) for name, value in opened.headers]
    world.topics.produce("alerts", json.dumps(closed).encode(), opened.key, headers)
    world.topics.flush()


class Bridge(Program):
    def __init__(self, world: World, folder: Path, name: str, **environment: str):
        self.state = folder / "state"
        shared = {"KAFKA_BOOTSTRAP": world.kafka.address, "ALERTS_TOPIC": world.topics.name("alerts"), "STATE_FILE": str(self.state)}
        super().__init__([sys.executable, FOLDER / name], folder, **shared, **environment)
        self._world = world

    def wait_done(self) -> None:
        """Until it remembers all alerts."""
        count = len(self._world.alerts())
        self.wait_for("it remembers all alerts", lambda: self._remembered() == count)

    def _remembered(self) -> int:
        with suppress(sqlite3.OperationalError), closing(sqlite3.connect(self.state)) as state:  # no table yet
            return state.execute("SELECT count(*) FROM seen").fetchone()[0]
        return 0


def new_group() -> str:
    return f"example-{uuid.uuid4()}"


def test_pagerduty_opens_one_incident_also_after_kills_and_resolves_it(world: World, tmp_path: Path) -> None:
    opened, group = open_incident(world), new_group()
    with (
        PagerDuty(KEY).running() as pagerduty,
        Bridge(world, tmp_path, "pagerduty.py", PAGERDUTY_URL=f"{pagerduty.url}/v2/enqueue", PAGERDUTY_ROUTING_KEY=KEY) as bridge,
    ):

        def kill_before_the_first_answer(_body: dict) -> None:
            if len(pagerduty.requests) == 1:
                bridge.kill()

        pagerduty.refuse = kill_before_the_first_answer
        bridge.start(GROUP_ID=group)
        until("PagerDuty has taken the event", lambda: opened.data["incident_id"] in pagerduty.open, 60)
        bridge.start(GROUP_ID=group)
        bridge.wait_done()
        assert len(pagerduty.requests) == 2 and pagerduty.requests[0] == pagerduty.requests[1]

        close_incident(world, opened)
        bridge.wait_for("it is resolved", lambda: not pagerduty.open)
        bridge.wait_done()
        bridge.kill()

        world.bizgo(payloads.bizgo(payloads.new_id(), "33121"))  # an account fault of another scope
        world.settle()
        bridge.start(GROUP_ID=new_group())  # all alerts come again, as where it was killed before it committed an offset
        bridge.wait_done()
    first, second = pagerduty.opened
    assert (first["severity"], first["source"], first["summary"]) == ("critical", "bizgo/alimtalk", opened.data["summary"])
    assert second["custom_details"]["scope"] == "template" and list(pagerduty.open.values()) == [second]
    assert len(pagerduty.requests) == 4  # no dead letter is among them


def test_alertmanager_shows_an_incident_until_it_is_over_also_after_kills(world: World, tmp_path: Path) -> None:
    opened, port = open_incident(world), free_port()
    alertmanager = Alertmanager(tmp_path, port, DEPLOY / "alertmanager" / "alertmanager.yml")

    def shown() -> list[dict]:
        return [alert for alert in alertmanager.ask("/api/v2/alerts") if alert["labels"]["incident_id"] == opened.data["incident_id"]]

    with Bridge(world, tmp_path, "alertmanager.py", ALERTMANAGER_URL=f"http://127.0.0.1:{port}") as bridge:
        with alertmanager:
            bridge.start(GROUP_ID=new_group())
            bridge.wait_for("it is shown", shown)
            bridge.wait_done()
            bridge.kill()
        with alertmanager:  # it has forgotten all alerts
            assert not shown()
            bridge.start(GROUP_ID=new_group())
            bridge.wait_for("it is shown again", shown)
            bridge.wait_done()
            (alert,) = shown()
            assert (alert["labels"]["alertname"], alert["labels"]["scope"]) == ("DochakFailing", "account")
            assert alert["annotations"]["summary"] == opened.data["summary"]
            assert alertmanager.receivers() == {"DochakFailing": "page"}
            close_incident(world, opened)
            bridge.wait_for("it is over", lambda: not shown())
