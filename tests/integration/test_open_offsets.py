# SPDX-License-Identifier: MIT
"""Somebody's transaction on the group's offsets stays open: nobody may begin anywhere but where it was, and who only asks is answered."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from confluent_kafka import Consumer, Producer, TopicPartition

from support import payloads
from support.deadlines import start
from support.service import Service, run_once
from support.thirds import FORGET, check_all, ids_of, post_all
from support.topics import QUIET
from support.wait import until, until_equal
from support.world import PARTITIONS, World

JOINS = 8
EVENTS = 300


@contextmanager
def offsets_open(world: World) -> Iterator[None]:
    """As one leaves them who froze in the middle of a commit. They are aborted in the end."""
    address = {"bootstrap.servers": world.topics.bootstrap, **QUIET}
    producer = Producer({"transactional.id": f"{world.name}-open", "transaction.timeout.ms": 120000, **address})
    nobody = Consumer({"group.id": world.topics.group, **address})  # whom Kafka believes while the group is empty
    producer.init_transactions(20)
    producer.begin_transaction()
    ahead = [TopicPartition(world.topics.name("events"), number, 1 << 40) for number in range(PARTITIONS)]
    producer.send_offsets_to_transaction(ahead, nobody.consumer_group_metadata(), 20)
    nobody.close()
    yield
    producer.abort_transaction(20)


def joins(processor: Service) -> int:
    return len(processor.log_lines("^partitions assigned"))


def read(processor: Service) -> int:
    """But for what ingress counts each minute."""
    metrics = processor.metrics()
    return int(metrics["dochak_processor_batch_records_sum"] - metrics.get('dochak_processor_records_total{outcome="minute"}', 0))


def test_nobody_starts_from_the_beginning_because_offsets_are_open(world: World) -> None:
    world.sql(FORGET)
    world.new_ingress().start().wait_ready()
    ids = post_all(world, ids_of(EVENTS))
    settings = {"DOCHAK_WORKERS": "1", "DOCHAK_INSTANCE": ""}
    first = world.new_processor(**settings).start()
    world.settle()
    first.stop()
    stays = world.new_processor(**settings)
    with offsets_open(world):
        stays.start()
        until("it has joined", lambda: joins(stays), 30)
        for _ in range(JOINS):
            before = joins(stays)
            guest = world.new_processor(**settings).start()
            until("both share", lambda: joins(guest) and joins(stays) > before, 30)
            assert read(stays) == read(guest) == 0
            guest.stop()
    ids += post_all(world, ids_of(EVENTS + 30)[EVENTS:])
    check_all(world, ids)
    assert read(stays) == 30


def test_the_watch_goes_on_while_offsets_are_open(world: World) -> None:
    start(world, receipt_within_s=1, expires_after_s=3600)
    with offsets_open(world):
        world.register(payloads.accepted("bizgo", "never"))
        until_equal("it is overdue", lambda: [alert.type for alert in world.alerts("never")], ["dochak.notification.overdue.v1"], 40)
    assert [line for service in world.services for line in service.log_lines("^watch starts over")] == []


def test_doctor_tells_the_lag_while_offsets_are_open(world: World) -> None:
    start(world)
    world.settle()
    with offsets_open(world):
        said = json.loads(run_once("processor", world.env(), "doctor", "--json").stdout)
    (lag,) = [check for check in said["checks"] if check["part"] == "lag"]
    assert (lag["state"], lag["text"]) == ("good", "0 events are not in Postgres yet, none of them for more than a minute")
