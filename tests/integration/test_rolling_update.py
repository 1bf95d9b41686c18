# SPDX-License-Identifier: MIT
"""An earlier version is replaced by this one, process by process, while providers send: nothing is lost or doubled.

Needs the earlier version's programs: DOCHAK_OLD_BIN_DIR=FOLDER ./dev test -m slow tests/integration/test_rolling_update.py
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import builds, payloads
from support.proxy import Proxy
from support.senders import Post, Senders, paced
from support.service import Service
from support.world import World, free_port

RATE = 500
FAILED_EVERY = 20
BETWEEN = 2 * RATE  # receipts between two steps

pytestmark = [pytest.mark.slow, pytest.mark.skipif(builds.OLD_BIN_DIR == builds.BIN_DIR, reason="DOCHAK_OLD_BIN_DIR is not set")]


def reports() -> Iterator[Post]:
    """Without end; some tell of a failure."""
    while True:
        for number in range(FAILED_EVERY):
            id_ = payloads.new_id("bad" if number == 0 else "good")
            yield Post(id_, "bizgo/alimtalk", payloads.bizgo(id_, "63020" if number == 0 else "10000"))


def is_failed(id_: str) -> bool:
    return "bad" in id_


class Fleet:
    """Two of each, of the earlier version."""

    def __init__(self, world: World, folder: Path):
        self._world = world
        self.ingresses = [world.new_ingress("old-ingress", DOCHAK_SPOOL_DIR=str(folder / f"spool-{n}")) for n in range(2)]
        self.processors = [world.new_processor("old-processor") for _ in range(2)]
        for service in self.ingresses + self.processors:
            service.start()
        for service in self.ingresses + self.processors:
            service.wait_ready()

    def update_ingress(self, old: Service) -> None:
        """At the same address, on the same spool."""
        old.stop()
        self._world.new_ingress(ports=old.ports, DOCHAK_SPOOL_DIR=old.env["DOCHAK_SPOOL_DIR"]).start().wait_ready()

    def update_processor(self, old: Service) -> None:
        """Under the same name."""
        old.stop()
        self._world.new_processor(DOCHAK_INSTANCE=old.env["DOCHAK_INSTANCE"]).start().wait_ready()


@pytest.mark.parametrize("first", ["processors", "ingresses"])
def test_an_update_under_load_loses_and_doubles_nothing(worlds, kafka, postgres, tmp_path: Path, first: str) -> None:
    world = worlds.new(kafka, postgres, migrated=False)
    world.migrate("old-processor")
    fleet = Fleet(world, tmp_path)
    with Proxy(tmp_path, free_port(), [ingress.ports["public"] for ingress in fleet.ingresses]) as proxy:
        with Senders(world, paced(reports(), RATE), 16, again=True, port=proxy.port) as senders:
            senders.wait_acked(BETWEEN)
            world.migrate()
            senders.wait_acked(BETWEEN)
            steps = [(fleet.update_processor, fleet.processors), (fleet.update_ingress, fleet.ingresses)]
            for update, services in steps if first == "processors" else reversed(steps):
                for service in services:
                    update(service)
                    senders.wait_acked(BETWEEN)
    world.settle(60)
    print(f"{len(senders.acked)} receipts, {senders.statuses}, the slowest took {senders.slowest * 1000:.0f} ms")
    expected = {id_: "DEAD_LETTER" if is_failed(id_) else "SENT" for id_ in senders.acked}
    assert world.statuses() == expected
    assert world.sql("SELECT count(*) AS n FROM receipt")[0]["n"] == len(expected)
    alerted = Counter(alert.header("ce_subject") for alert in world.notification_alerts())
    assert alerted == Counter(id_ for id_ in expected if is_failed(id_))
