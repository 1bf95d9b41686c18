# SPDX-License-Identifier: MIT
"""Records that retention took before a processor read them: counted, told once, and the work goes on with what is there."""

import pytest

from support import payloads
from support.service import Service
from support.topics import Record
from support.wait import until, until_equal
from support.world import PARTITIONS, World

pytestmark = pytest.mark.usefixtures("between_minutes")
LOST = "dochak.events.lost.v1"
DEAD_LETTERED, FAILING = "dochak.notification.dead_lettered.v1", "dochak.provider.failing.v1"
IDS = ["lost-0", "lost-1", "lost-2"]


def post(world: World, *ids: str) -> None:
    for id_ in ids:
        world.bizgo(payloads.bizgo(id_, "64008"))


def lost(world: World) -> list[Record]:
    return [alert for alert in world.alerts() if alert.type == LOST]


def ranges(world: World) -> set[tuple]:
    return {tuple(alert.data[name] for name in ("topic", "partition", "first_offset", "last_offset", "count")) for alert in lost(world)}


def counted(processor: Service, topic: str) -> float:
    return processor.metrics().get(f'dochak_processor_events_lost_total{{topic="{topic}"}}', 0)


def expect_errors(processor: Service) -> Service:
    processor.expected_errors.append("records were gone before they were read")
    return processor


@pytest.fixture
def stopped(world: World) -> World:
    """The processor knew all partitions, was stopped, and three receipts were acknowledged."""
    world.start()
    world.settle()
    until("the group has its offsets", lambda: all(offset >= 0 for offset in world.topics.committed("events").values()))
    world.services[1].stop()
    post(world, *IDS)
    return world


def check_story(world: World, processor: Service) -> None:
    missing = {(r.topic, r.partition) for r in world.topics.reader("events").records}
    until_equal("the loss is told", lambda: sum(alert.data["count"] for alert in lost(world)), len(IDS))
    assert {(topic, partition) for topic, partition, *_ in ranges(world)} == missing
    assert counted(processor, world.topics.name("events")) == len(IDS)
    post(world, "later-0", "later-1")
    world.wait_row("bizgo", "later-1", status="DEAD_LETTER")
    world.settle()
    assert set(world.statuses()) == {"later-0", "later-1"}
    assert sum(alert.type == DEAD_LETTERED for alert in world.alerts()) == 2


def test_receipts_that_retention_took_before_they_were_read_are_told_once(stopped: World) -> None:
    stopped.topics.read("events")
    stopped.topics.delete_records("events")
    processor = expect_errors(stopped.services[1]).start().wait_ready()
    check_story(stopped, processor)
    told = ranges(stopped)
    processor.stop()
    processor.start().wait_ready()
    post(stopped, "later-2")
    stopped.wait_row("bizgo", "later-2", status="DEAD_LETTER")
    stopped.settle()
    assert ranges(stopped) == told


@pytest.mark.parametrize("point", ["before_kafka_commit", "after_kafka_commit"])
def test_a_loss_is_told_once_whenever_the_processor_dies(stopped: World, point: str) -> None:
    stopped.topics.read("events")
    stopped.topics.delete_records("events")
    doomed = expect_errors(stopped.new_processor(CRASH_AT=point, DOCHAK_WORKERS="1", DOCHAK_INSTANCE="test-0")).start()
    doomed.wait_killed()
    processor = expect_errors(stopped.services[1]).start().wait_ready()
    stopped.settle()
    assert sum(alert.data["count"] for alert in lost(stopped)) == len(IDS)
    assert len(stopped.sql("SELECT 1 FROM alert WHERE type = %s", LOST)) == len(lost(stopped))
    assert processor.is_alive()


def test_alerts_whose_records_are_gone_are_still_published(world: World) -> None:
    """It died between the two commits, and retention took the records before the next start."""
    world.new_ingress().start().wait_ready()
    world.new_processor().start().wait_ready()
    until("the group has its offsets", lambda: all(offset >= 0 for offset in world.topics.committed("events").values()))
    world.services[1].stop()
    doomed = world.new_processor(CRASH_AT="after_postgres_commit", DOCHAK_WORKERS="1", DOCHAK_INSTANCE="test-0").start()
    post(world, IDS[0])
    doomed.wait_killed()
    assert world.statuses() == {IDS[0]: "DEAD_LETTER"}
    world.topics.read("events")
    world.topics.delete_records("events")
    expect_errors(world.services[1]).start().wait_ready()
    until_equal("all are told", lambda: sorted(alert.type for alert in world.alerts()), sorted([DEAD_LETTERED, FAILING, LOST]))


def test_a_gap_in_the_middle_is_told_and_what_follows_is_read(stopped: World) -> None:
    first = {r.partition: r.offset + 1 for r in stopped.topics.read("events")[:1]}
    stopped.topics.delete_records("events", first)
    expect_errors(stopped.services[1]).start().wait_ready()
    stopped.settle()
    assert len(stopped.statuses()) == len(IDS) - sum(first.values())
    assert sum(alert.data["count"] for alert in lost(stopped)) == sum(first.values())


def test_what_is_gone_while_it_is_read_is_told_too(world: World) -> None:
    """A frozen processor, and a retention that does not wait for it."""
    world.start()
    until("the group has its offsets", lambda: all(offset >= 0 for offset in world.topics.committed("events").values()))
    processor = expect_errors(world.services[1])
    processor.freeze()
    post(world, *IDS)
    world.topics.read("events")
    world.topics.delete_records("events")
    processor.thaw()
    post(world, "later")
    world.wait_row("bizgo", "later", deadline=40, status="DEAD_LETTER")
    world.settle()
    read = len(set(world.statuses()) & set(IDS))  # what it had fetched before it froze
    assert sum(alert.data["count"] for alert in lost(world)) == len(IDS) - read


def test_a_topic_made_anew_is_read_from_its_first_record_also_after_another_restart(world: World) -> None:
    """The new topic gets as many records as the group had read of the old one, after a processor has seen it empty."""
    world.foreign = True
    ingress, processor = world.start().services
    world.topics.produce("events", b"no event", partition=0)
    world.topics.flush()
    world.settle()
    for service in (processor, ingress):
        service.stop()
    world.topics.delete_one("events")
    until("it is gone", lambda: not world.topics.exists("events"))
    world.migrate()
    processor.start().wait_ready()
    until_equal("the group begins anew", lambda: set(world.topics.committed("events").values()), {0})
    processor.stop()
    for number in range(3):
        world.topics.produce("events", b"no event either", partition=0)
    world.topics.flush()
    processor.start().wait_ready()
    world.settle()
    assert sorted(r.value for r in world.topics.read("quarantine")) == [b"no event"] + [b"no event either"] * 3
    assert lost(world) == []


def test_the_end_of_a_transaction_is_no_lost_record(world: World) -> None:
    """A record that the processor put in quarantine is followed by its transaction's end, which has an offset of its own."""
    world.foreign = True
    processor = world.start().services[1]
    world.topics.produce("events", b"no event", partition=0)
    world.topics.flush()
    world.settle()
    ends = world.topics.ends("quarantine")
    until_equal("the offsets are those of the ends", lambda: world.topics.committed("quarantine"), ends)
    processor.stop()
    world.topics.delete_records("quarantine")
    processor.start().wait_ready()
    post(world, "later")
    world.wait_row("bizgo", "later", status="DEAD_LETTER")
    world.settle()
    assert lost(world) == [] and counted(processor, world.topics.name("quarantine")) == 0


def test_a_new_group_begins_with_what_is_there_and_has_lost_nothing(world: World) -> None:
    world.new_ingress().start().wait_ready()
    post(world, *IDS)
    world.topics.read("events")
    world.topics.delete_records("events")
    processor = world.new_processor().start().wait_ready()
    until_equal("the group has its offsets", lambda: sum(world.topics.committed("events").values()), len(IDS))
    assert len(world.topics.committed("events")) == PARTITIONS
    assert lost(world) == [] and counted(processor, world.topics.name("events")) == 0
