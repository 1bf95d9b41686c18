# SPDX-License-Identifier: MIT
"""Event types that only a later version knows, read by this one during an update: kept whole, told once, and brought back after it."""

import json
import uuid

from support.service import run_once
from support.topics import Record
from support.world import World

LATER = "dochak.future.thing.v1"
QUARANTINED = "dochak.payload.quarantined.v1"
COUNT = 5


def later(number: int, type_: str = LATER) -> tuple[bytes, bytes, list[tuple[str, bytes]]]:
    """Key, value and headers, one of them an attribute that this version does not know either."""
    headers = {
        "ce_specversion": "1.0",
        "ce_id": str(uuid.uuid4()),
        "ce_time": "2026-01-12T02:00:03.123Z",
        "ce_type": type_,
        "ce_source": "/processor/watch",
        "ce_subject": f"subject-{number}",
        "ce_provider": "bizgo",
        "ce_endpoint": f"bizgo/{number}",
        "ce_thing": f"thing-{number}",
        "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "content-type": "application/json",
    }
    return f"key-{number}".encode(), json.dumps({"number": number}).encode(), [(name, value.encode()) for name, value in headers.items()]


def write(world: World, *events: tuple) -> None:
    world.foreign = True
    for key, value, headers in events:
        world.topics.produce("events", value, key=key, headers=headers)
    world.topics.flush()
    world.settle()


def whole(record: Record) -> tuple:
    return record.key, record.value, record.headers


def redrive(world: World, program: str, *arguments: str) -> str:
    done = run_once(program, world.env(), "quarantine", "redrive", *arguments)
    assert done.returncode == 0, done
    world.settle()
    return done.stdout


def test_events_of_a_later_version_are_brought_back_whole_after_the_update(world: World) -> None:
    events = [later(number) for number in range(COUNT)]
    old = world.new_processor().start().wait_ready()
    write(world, *events)
    assert sorted(whole(r) for r in world.topics.read("events")) == sorted(events)
    kept = world.topics.read("quarantine")
    assert sorted((r.key, r.value) for r in kept) == sorted((key, value) for key, value, _ in events)
    assert {r.header("original_ce_type") for r in kept} == {LATER} and {r.type for r in kept} == {QUARANTINED}
    uncounted = world.sql(f"SELECT 1 FROM applied WHERE topic = '{world.topics.name('events')}'") == []
    assert uncounted, "a later version that reads them again could not count them"

    assert f"{COUNT} events have types that this version does not know, and stay" in redrive(world, "processor")
    assert len(world.topics.read("events")) == COUNT

    old.stop()
    world.migrate("processor-next")
    new = world.new_processor("processor-next").start().wait_ready()
    assert f"{COUNT} elements would be redriven" in redrive(world, "processor-next", "--dry-run")
    said = redrive(world, "processor-next")
    assert f"{COUNT} elements redriven; 0 were taken in before, 0 still make no sense" in said and "does not know" not in said
    assert sorted(whole(r) for r in world.topics.read("events")) == sorted(events * 2)
    assert new.metrics()['dochak_processor_records_total{outcome="other"}'] == COUNT
    assert len(world.topics.read("quarantine")) == COUNT


def test_events_of_one_later_type_raise_one_alert_a_day(world: World) -> None:
    other = "dochak.future.other.v1"
    world.new_processor(DOCHAK_BATCH_MAX_RECORDS="2").start().wait_ready()
    write(world, *(later(number) for number in range(COUNT)), later(COUNT, other))
    assert sorted((a.type, a.data["reason"]) for a in world.alerts()) == [
        (QUARANTINED, f"an event type that this version does not know: {type_}") for type_ in (other, LATER)
    ]


def test_an_event_of_a_later_version_that_is_too_large_to_keep_stays_where_it_is(world: World) -> None:
    key, _, headers = later(0)
    world.new_processor().start().wait_ready()
    write(world, (key, b"x" * 899_000, [*headers, ("ce_large", b"y" * 10_000)]))
    (record,) = world.topics.read("quarantine")
    assert record.value == b"" and record.header("original_ce_type") is None
    assert f"left at {world.topics.name('events')}/" in record.header("ce_reason")


def test_the_next_version_reads_them_at_once(world: World) -> None:
    world.migrate("processor-next")
    new = world.new_processor("processor-next").start().wait_ready()
    write(world, later(0))
    assert world.topics.read("quarantine") == [] and world.alerts() == []
    assert new.metrics()['dochak_processor_records_total{outcome="other"}'] == 1
