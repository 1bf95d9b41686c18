# SPDX-License-Identifier: MIT
"""Every CRASH_POINT of the code: the process dies exactly there, or stands still for longer than its group waits, and all ends right.

The points are read from the sources, so a new one without a test fails here.
"""

import re
import time
from http.client import HTTPException

import pytest

from support import builds, payloads
from support.service import Service
from support.thirds import FORGET, check_all, event, ids_of, post_all, stored
from support.wait import until
from support.world import World

pytestmark = pytest.mark.long

EVENTS = 400


def points(folder: str) -> list[str]:
    return sorted(
        name for source in (builds.ROOT / folder).rglob("*.c") for name in re.findall(r'CRASH_POINT\("(\w+)"\)', source.read_text("utf-8"))
    )


PROCESSOR = points("processor")
INGRESS = points("ingress")
TIMES = {"after_spool_commit": 3, "before_ack": 20, "before_spool_commit": 3, "before_spool_remove": 1}  # some are acknowledged before


def test_the_points_are_those_that_the_protocol_has() -> None:
    """Where a process can die with a different part of its work done."""
    assert PROCESSOR == [
        "after_kafka_commit",
        "after_postgres_commit",
        "before_kafka_commit",
        "before_postgres_commit",
        "mid_produce",
        "offsets_put_off",
    ]
    assert INGRESS == sorted(TIMES)


def batch_records(point: str) -> str:
    """Of forty records some have alerts, of one mostly none; only then the offsets are put off."""
    return "1" if point == "offsets_put_off" else "40"


def start_to_crash(service: Service, at: str) -> None:
    service.env["CRASH_AT"] = at
    service.start()


def wait_crash(service: Service) -> None:
    service.wait_killed()
    del service.env["CRASH_AT"]


@pytest.mark.parametrize("point", PROCESSOR)
def test_the_processor_dies_there_and_starts_again(world: World, point: str) -> None:
    world.new_ingress().start().wait_ready()
    ids = post_all(world, ids_of(EVENTS))
    processor = world.new_processor(DOCHAK_BATCH_MAX_RECORDS=batch_records(point))
    for times in (1, 3):
        start_to_crash(processor, f"{point}:{times}")
        wait_crash(processor)
    processor.start()
    check_all(world, ids)


@pytest.mark.parametrize("point", PROCESSOR)
def test_the_processor_freezes_there_for_longer_than_its_session(world: World, point: str) -> None:
    """Another gets its partitions and does the same batch; then it wakes up where it stood."""
    world.sql(FORGET)
    world.new_ingress().start().wait_ready()
    ids = post_all(world, ids_of(EVENTS))
    properties = world.folder / "kafka.properties"
    properties.write_text("session.timeout.ms=2000\n")
    settings = {"DOCHAK_BATCH_MAX_RECORDS": batch_records(point), "DOCHAK_WORKERS": "1", "DOCHAK_KAFKA_PROPERTIES": str(properties)}
    zombie, other = world.new_processor(**settings), world.new_processor(**settings)
    zombie.expected_errors = other.expected_errors = ["TXNERR", "FATAL", "fenced"]
    start_to_crash(zombie, f"{point}:2:stop")
    until(f"{point} is reached", zombie.is_frozen, 40)
    other.start()
    until("the other has its partitions", lambda: other.log_lines("^partitions assigned"), 30)
    more = post_all(world, ids_of(EVENTS + 60)[EVENTS:])
    until("the other works", lambda: stored(world) > 100, 30)
    zombie.thaw()
    check_all(world, ids + more)
    print(f"{point}: {zombie.log_lines('starts over')[-1:]}")


@pytest.mark.parametrize("point", INGRESS)
def test_ingress_dies_there_and_starts_again(worlds, kafka, own_kafka, postgres, point: str) -> None:
    spooling = "spool" in point
    broker = own_kafka if spooling else kafka
    world = worlds.new(broker, postgres)
    ingress = world.new_ingress(DOCHAK_SPOOL_DIR=str(world.folder / "spool"), DOCHAK_ACK_BUDGET_MS="500")
    ingress.expected_errors = ["librdkafka"]
    processor = world.new_processor()
    processor.expected_errors = ["librdkafka"]
    start_to_crash(ingress, f"{point}:{TIMES[point]}")
    ingress.wait_ready()
    if spooling:
        broker.kill()
    try:
        acked = send_until_it_dies(world)
    finally:
        if spooling:
            broker.start()
    wait_crash(ingress)
    ingress.start().wait_ready()
    processor.start()
    # Who was not answered sends again, as a provider does; who was relies on it.
    assert acked
    ids = ids_of(EVENTS)
    post_all(world, [id_ for id_ in ids if id_ not in acked])
    until("the spool is empty", lambda: ingress.metrics()["dochak_ingress_spool_events"] == 0, 30)
    check_all(world, ids)


def send_until_it_dies(world: World) -> set[str]:
    acked = set()
    for id_ in ids_of(EVENTS):
        try:
            answer = world.post("blux/sms", payloads.blux(event(id_)))
        except (OSError, HTTPException):
            break
        if answer.status == 200:
            acked.add(id_)
        time.sleep(0.005)
    return acked
