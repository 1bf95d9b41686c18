# SPDX-License-Identifier: MIT
"""A broker that creates topics by being asked for them, which is Apache Kafka's default: dochak never makes it do so."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

from support import payloads
from support.servers import QUICK_JAVA, Server
from support.service import run_once
from support.topics import QUIET
from support.wait import until, until_equal
from support.world import World

KAFKA_ERRORS = "dochak_ingress_kafka_errors_total"


@pytest.fixture(scope="module")
def creating_kafka(run_folder: Path) -> Iterator[Server]:
    server = Server("kafka", run_folder / "kafka-creating", **QUICK_JAVA)
    server.folder.mkdir()
    (server.folder / "extra.properties").write_text("auto.create.topics.enable=true\n")
    try:
        server.start()
        yield server
    finally:
        server.wipe()


def names(kafka: Server) -> set[str]:
    return set(AdminClient({"bootstrap.servers": kafka.address, **QUIET}).list_topics(timeout=10).topics)


def post(world: World, id_: str) -> int:
    return world.post("bizgo/alimtalk", payloads.bizgo(id_, "10000")).status


def test_a_topic_that_is_missing_is_not_created_by_any_part(creating_kafka: Server, worlds, postgres: Server, tmp_path: Path) -> None:
    world = worlds.new(creating_kafka, postgres)
    absent = f"absent-{world.name}."
    ingress = world.new_ingress(DOCHAK_TOPIC_PREFIX=absent, DOCHAK_SPOOL_DIR=str(tmp_path / "spool")).start()
    processor = world.new_processor(DOCHAK_TOPIC_PREFIX=absent).start()
    until("ingress has looked for its topics", lambda: f"topic {absent}events: " in ingress.log_text())
    until("the processor has looked for its topics", lambda: f"topic {absent}events" in processor.log_text(), 60)
    assert post(world, "m") == 200
    done = run_once("processor", world.env(DOCHAK_TOPIC_PREFIX=absent), "quarantine", "list")
    assert done.returncode != 0 and f"topic {absent}quarantine" in done.stderr, done
    assert not {name for name in names(creating_kafka) if name.startswith(absent)}


def test_a_topic_that_was_deleted_is_not_created_again(creating_kafka: Server, worlds, postgres: Server, tmp_path: Path) -> None:
    """By a producer that has been writing to it, and goes on."""
    world = worlds.new(creating_kafka, postgres)
    world.foreign = True
    ingress = world.new_ingress(DOCHAK_SPOOL_DIR=str(tmp_path / "spool")).start().wait_ready()
    ingress.expected_errors.append('"message":"librdkafka"')
    assert post(world, "before") == 200
    events = world.topics.name("events")
    world.topics.delete_one("events")
    for number in range(5):
        assert post(world, f"after-{number}") == 200
    until("Kafka has refused a record", lambda: any(value for name, value in ingress.metrics().items() if name.startswith(KAFKA_ERRORS)), 30)
    assert events not in names(creating_kafka)
    world.migrate()
    ingress.wait_ready()
    until_equal("the spool is empty", lambda: ingress.metrics()["dochak_ingress_spool_events"], 0, 60)
    assert {record.key for record in world.records("events")} >= {f"after-{number}".encode() for number in range(5)}
