# SPDX-License-Identifier: MIT
"""What ingress says of each endpoint by itself: once a minute, also without calls, and at its end."""

import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from support import builds, payloads
from support.service import Service
from support.topics import Record
from support.wait import until
from support.world import World

BIZGO, BLUX = "bizgo/alimtalk", "blux/sms"
MINUTE = timedelta(minutes=1)


def of(records: list[Record], endpoint: str) -> list[dict]:
    return [record.data for record in records if record.key.decode() == endpoint]


def total(records: list[Record], endpoint: str, name: str) -> int:
    return sum(data[name] for data in of(records, endpoint))


def stop(world: World, ingress: Service) -> list[Record]:
    ingress.stop()
    return world.topics.minutes()


def call(world: World, good: int, refused: int) -> None:
    for _ in range(good):
        world.bizgo(payloads.bizgo(payloads.new_id(), "10000"))
    keys, world.keys = world.keys, {**world.keys, "BLUX": "guessed-0123456789"}
    for _ in range(refused):
        assert world.post(BLUX, payloads.blux(payloads.blux_event(payloads.new_id()))).status == 404
    world.keys = keys


def without_kafka(world: World, **settings: str) -> Service:
    ingress = world.new_ingress(DOCHAK_KAFKA_BOOTSTRAP="127.0.0.1:1", **settings)
    ingress.expected_errors.append("librdkafka")
    return ingress.start()


def test_an_ingress_that_ends_has_said_what_each_endpoint_was_called(world: World) -> None:
    ingress = world.new_ingress(DOCHAK_INSTANCE="front-1").start().wait_ready()
    call(world, good=3, refused=2)
    records = stop(world, ingress)
    assert {data["instance"] for endpoint in (BIZGO, BLUX) for data in of(records, endpoint)} == {"front-1"}
    for endpoint in (BIZGO, BLUX):
        assert [data["leaving"] for data in of(records, endpoint)][-1]
        assert sum(data["leaving"] for data in of(records, endpoint)) == 1
    assert [total(records, BIZGO, name) for name in ("calls", "good", "failed")] == [3, 3, 0]
    assert [total(records, BLUX, name) for name in ("calls", "good", "failed")] == [2, 0, 2]
    assert sum(data["refused"].get("secret_path", 0) for data in of(records, BLUX)) == 2
    assert of(records, BLUX)[-1]["failed_in_a_row"] == 0  # perhaps they were not the provider's
    for record in records:
        assert (record.header("ce_subject"), record.header("ce_endpoint")) == (record.key.decode(),) * 2
        assert record.header("ce_provider") == record.key.decode().split("/")[0]


def test_two_starts_within_a_minute_do_not_share_an_id(world: World) -> None:
    ingress = world.new_ingress(DOCHAK_INSTANCE="front-1")
    for _ in range(2):
        ingress.start().wait_ready()
        call(world, good=1, refused=0)
        ingress.stop()
    records = world.topics.minutes()
    assert total(records, BIZGO, "calls") == 2
    assert len({record.id for record in records}) == len(records) >= 4


@pytest.mark.long
def test_each_minute_has_a_record_at_its_end_also_without_calls(world: World) -> None:
    began = time.time()
    world.start()
    until("a minute is over", lambda: world.topics.minutes(), 65, every=0.02)
    seen = time.time()
    records = world.topics.minutes()
    assert sorted(record.key.decode() for record in records) == [BIZGO, BLUX]
    for record in records:
        end = datetime.fromisoformat(record.data["minute"]) + MINUTE
        assert end == datetime.fromisoformat(record.header("ce_time")) and began < end.timestamp() < seen
        assert seen - end.timestamp() < 5, "the record was late"
        assert (record.data["calls"], record.data["leaving"], record.data["spooled_since"]) == (0, False, None)
    world.settle()
    counted = world.services[1].metrics()
    assert counted['dochak_processor_records_total{outcome="minute"}'] == len(records)
    assert world.sql("SELECT * FROM delivery_minute") == [] and world.alerts() == []
    assert world.topics.read("quarantine") == []


def test_a_record_that_kafka_does_not_take_waits_in_the_spool(world: World, tmp_path: Path) -> None:
    spool = {"DOCHAK_SPOOL_DIR": str(tmp_path / "spool")}
    away = without_kafka(world, **spool).wait_ready()
    call(world, good=1, refused=0)
    away.stop()
    world.new_ingress(**spool).start().wait_ready()
    until("the records are on the topic", lambda: any(data["leaving"] for data in of(world.topics.minutes(), BLUX)), 30)
    records = world.topics.minutes()
    assert total(records, BIZGO, "calls") == 1
    last = of(records, BIZGO)[-1]
    assert last["leaving"] and last["spooled"] >= 1 and last["spooled_since"]


def test_records_that_nothing_can_keep_are_counted_and_logged(world: World) -> None:
    """No spool, and a Kafka that never was."""
    ingress = without_kafka(world)
    until("it serves", lambda: ingress.metrics())
    assert ingress.metrics()["dochak_ingress_minute_records_late_total"] in (0, 1)
    began = time.monotonic()
    ingress.stop()
    assert time.monotonic() - began < 15 * builds.patience()
    assert len(ingress.log_lines("^the last minute records could not be published")) == 1
