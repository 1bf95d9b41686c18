# SPDX-License-Identifier: MIT
"""The promise of ingress at full rate: whatever Kafka does, whatever kills ingress, every receipt is acknowledged in time and kept.

DOCHAK_STORM=100000 makes it as long as its promise; without it, it is a short one. Sets of ids are compared, and counts are printed.
"""

import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.servers import Server
from support.service import Service
from support.storm import Storm, stored_keys
from support.wait import until, until_equal
from support.world import World

pytestmark = [pytest.mark.usefixtures("plain_build"), pytest.mark.alone]

RECEIPTS = int(os.environ.get("DOCHAK_STORM", "10000"))
LONG = RECEIPTS >= 100_000
FROZEN_SECONDS = 30 if LONG else 4
KILLS = 20 if LONG else 5
DEADLINE = 5.0  # BizGo's
SLOWEST_OF_1000 = 2.0


@pytest.fixture
def world(worlds, own_kafka: Server, postgres: Server) -> Iterator[World]:
    world = worlds.new(own_kafka, postgres)
    world.foreign = True  # too many records to look at each
    yield world


@pytest.fixture
def ingress(world: World, tmp_path: Path) -> Service:
    ingress = world.new_ingress(DOCHAK_SPOOL_DIR=str(tmp_path / "spool"))
    ingress.expected_errors += ["librdkafka"]  # it tells of a lost broker as an error
    return ingress.start().wait_ready()


def wait_more(storm: Storm, more: int) -> None:
    goal = len(storm.acked) + more
    until(f"{goal} receipts are acknowledged", lambda: storm.fault or len(storm.acked) >= goal, 180)


def compare(world: World, ingress: Service, storm: Storm, what: str) -> None:
    until_equal("the spool is empty", lambda: ingress.metrics()["dochak_ingress_spool_events"], 0, 180, every=0.2)
    stored = stored_keys(world)
    missing = storm.acked - set(stored)
    print(
        f"\n{what}: {storm.sent} receipts, {len(storm.acked)} acknowledged, {len(missing)} of them missing, "
        f"{len(stored) - len(set(stored))} kept twice; answers {storm.statuses}; "
        f"p50 {storm.percentile(0.5) * 1000:.0f}, p99 {storm.percentile(0.99) * 1000:.0f}, p99.9 {storm.percentile(0.999) * 1000:.0f}, "
        f"slowest {max(storm.seconds) * 1000:.0f} ms"
    )
    assert not missing
    assert storm.percentile(0.999) <= SLOWEST_OF_1000 and max(storm.seconds) < DEADLINE


def test_no_receipt_and_no_deadline_is_lost_to_kafka(world: World, ingress: Service) -> None:
    share = RECEIPTS // 5
    with Storm(world) as storm:
        wait_more(storm, share)
        world.kafka.kill()
        wait_more(storm, share)
        world.kafka.start()
        wait_more(storm, share)
        world.kafka.freeze()
        frozen_at = time.monotonic()
        wait_more(storm, share)
        until("it was frozen long enough", lambda: time.monotonic() - frozen_at >= FROZEN_SECONDS, FROZEN_SECONDS + 5)
        world.kafka.thaw()
        wait_more(storm, share)
    compare(world, ingress, storm, f"Kafka killed, started, frozen for {FROZEN_SECONDS} s")
    assert set(storm.statuses) == {200} and len(storm.acked) == storm.sent >= RECEIPTS


def test_no_receipt_is_lost_to_kill_9_of_ingress(world: World, ingress: Service) -> None:
    seed = random.randrange(1 << 30)
    chance = random.Random(seed)
    with Storm(world) as storm:
        for kill in range(KILLS):
            if kill == KILLS // 3:
                world.kafka.freeze()
            if kill == 2 * KILLS // 3:
                world.kafka.thaw()
            wait_more(storm, chance.randrange(1, 2 * RECEIPTS // KILLS))
            ingress.kill()
            ingress.start()
        wait_more(storm, 1000)
    ingress.wait_ready()
    compare(world, ingress, storm, f"{KILLS} kills of ingress, seed {seed}")
    assert storm.statuses.keys() <= {0, 200} and len(storm.acked) == storm.sent
