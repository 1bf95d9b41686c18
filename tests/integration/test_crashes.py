# SPDX-License-Identifier: MIT
"""kill -9, anywhere: afterwards every status is right, and a read_committed reader has seen each alert exactly once."""

import random
import time
from contextlib import contextmanager

import pytest

from support import payloads
from support.senders import Senders, blux_posts
from support.service import Service
from support.thirds import check_all, event, ids_of, post_all, stored
from support.wait import until
from support.world import World

EVENTS = 2000


def feed(world: World, count: int = EVENTS) -> list[str]:
    """That many receipts on the topic; the ingress stays."""
    world.new_ingress().start().wait_ready()
    return post_all(world, ids_of(count))


@contextmanager
def locked(world: World, table: str):
    """Nobody else writes the table meanwhile."""
    with world.connect() as connection, connection.transaction():
        connection.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE")
        yield


def short_sessions(world: World) -> dict[str, str]:
    properties = world.folder / "kafka.properties"
    properties.write_text("session.timeout.ms=6000\n")  # the least a broker allows
    return {"DOCHAK_KAFKA_PROPERTIES": str(properties)}


def waits_for_lock(world: World, count: int = 1) -> bool:
    waiting = world.sql("SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
    return waiting[0]["n"] >= count


def test_kill_mid_run_loses_nothing_and_doubles_nothing(world: World) -> None:
    ids = feed(world)
    seed = random.randrange(1 << 32)
    print(f"random seed {seed}")
    chance = random.Random(seed)
    processor = world.new_processor(DOCHAK_BATCH_MAX_RECORDS="25")
    between = kills = 0
    for part in range(1, 7):
        processor.start()
        until("the processor works", lambda: stored(world) >= min(part * EVENTS // 8, EVENTS), 60, every=0.002)
        time.sleep(chance.random() * 0.05)
        processor.kill()
        kills += 1
        between += world.sql("SELECT count(*) AS n FROM alert")[0]["n"] > len(world.alerts())
    print(f"{kills} kills, {between} of them between the commit of Postgres and that of Kafka; {stored(world)} of {EVENTS} stored")
    processor.start()
    check_all(world, ids)


def test_kill_between_the_two_commits_tells_each_alert_once(world: World) -> None:
    processor = world.new_processor().start().wait_ready()
    with locked(world, "alert"):
        ids = feed(world, 60)
        until("both workers wait in Postgres", lambda: waits_for_lock(world, 2))
        world.kafka.freeze()
    try:
        until("Postgres has committed", lambda: world.sql("SELECT 1 FROM alert"))
        processor.kill()
    finally:
        world.kafka.thaw()
    assert world.alerts() == []
    processor.start()
    check_all(world, ids)


def test_a_notification_that_another_writer_makes_meanwhile_is_moved_from_there(world: World) -> None:
    world.new_ingress().start().wait_ready()
    world.new_processor().start().wait_ready()
    with world.connect() as connection, connection.transaction():
        connection.execute(
            "INSERT INTO notification (provider, notification_id, status, reference, first_seen_at, version)"
            " VALUES ('blux', 'both', 'PENDING', 'order-1', now(), 1)"
        )
        world.blux(payloads.blux_event("both", delivered=False), payloads.blux_event("other"))
        until("the worker that took it for new waits for the other writer", lambda: waits_for_lock(world))
    world.wait_row("blux", "both", status="DEAD_LETTER", reference="order-1", version=2)
    world.wait_row("blux", "other", status="SENT", version=1)
    world.settle()
    assert len(world.alerts("both")) == 1 and len(world.alerts()) == 1
    assert world.sql("SELECT count(*) AS n FROM receipt")[0]["n"] == 2


def test_a_receipt_that_outlived_its_notification_is_a_repeat_all_the_same(world: World) -> None:
    world.start()
    world.blux(payloads.blux_event("gone", delivered=False))
    world.wait_row("blux", "gone", status="DEAD_LETTER")
    world.settle()
    world.sql("DELETE FROM notification")
    world.blux(payloads.blux_event("gone", delivered=False), payloads.blux_event("new"))
    world.wait_row("blux", "new", status="SENT")
    world.settle()
    assert world.statuses() == {"new": "SENT"} and len(world.alerts()) == 1


def test_kill_before_the_first_commit_leaves_nothing(world: World) -> None:
    processor = world.new_processor().start().wait_ready()
    with locked(world, "alert"):
        ids = feed(world, 60)
        until("both workers wait in Postgres", lambda: waits_for_lock(world, 2))
        processor.kill()
    until(
        "Postgres has noticed",
        lambda: not world.sql("SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"),
    )
    assert stored(world) == 0 and world.alerts() == []
    processor.start()
    check_all(world, ids)


def test_kill_of_one_of_two_processors_is_made_up_by_the_other(world: World) -> None:
    """Without names, as the settings are by default: only the end of its session tells that the other is gone."""
    ids = feed(world)
    settings = {**short_sessions(world), "DOCHAK_INSTANCE": "", "DOCHAK_BATCH_MAX_RECORDS": "10"}
    doomed, other = (world.new_processor(**settings).start() for _ in range(2))
    until("they work", lambda: stored(world) >= 200, every=0.002)
    doomed.kill()
    check_all(world, ids)
    assert other.is_alive()


@pytest.mark.long
def test_a_processor_that_was_frozen_wakes_up_and_doubles_nothing(world: World) -> None:
    """A zombie: the group has given its partitions away, and it still holds a batch."""
    ids = feed(world)
    settings = {**short_sessions(world), "DOCHAK_BATCH_MAX_RECORDS": "10", "DOCHAK_WORKERS": "1"}
    zombie = world.new_processor(**settings).start()
    zombie.expected_errors = ["TXNERR", "FATAL", "ADDOFFSETS", "fenced"]  # librdkafka's own lines about what it finds on waking
    until("it works", lambda: stored(world) >= 200, every=0.002)
    other = world.new_processor(**settings)
    zombie.freeze()
    other.start()
    until("the group has given its partitions to the other", lambda: other.log_lines("^partitions assigned"), 30)
    zombie.thaw()
    check_all(world, ids)


def test_kill_of_ingress_loses_nothing_that_was_acknowledged(world: World) -> None:
    ingress = world.new_ingress().start().wait_ready()
    world.new_processor().start()
    ids = ids_of(600)
    senders = Senders(world, blux_posts({id_: event(id_) for id_ in ids}), again=True).start()
    for part in range(1, 4):
        until("ingress takes events", lambda: len(senders.acked) >= part * 120, every=0.002)
        ingress.kill()
        on_topic = {record.header("ce_subject") for record in world.topics.read("events")}
        assert senders.acked <= on_topic, "acknowledged and not on the topic"
        ingress.start()
    senders.join()
    print(f"answers: {senders.statuses}")
    check_all(world, ids)


def restart_all(services: list[Service]) -> None:
    for service in services:
        service.kill()
    for service in services:
        service.start()


@pytest.mark.parametrize("times", [3])
def test_kill_of_both_at_once_while_everybody_sends(world: World, times: int) -> None:
    ingress = world.new_ingress().start().wait_ready()
    processor = world.new_processor(DOCHAK_BATCH_MAX_RECORDS="10").start().wait_ready()
    ids = ids_of(400)
    senders = Senders(world, blux_posts({id_: event(id_) for id_ in ids}), again=True).start()
    for part in range(1, times + 1):
        until("ingress takes events", lambda: len(senders.acked) >= part * 80, every=0.002)
        restart_all([ingress, processor])
    senders.join()
    check_all(world, ids)


@pytest.mark.long
def test_stop_in_the_middle_is_as_good_as_a_kill_and_faster(world: World) -> None:
    ids = feed(world)
    processor = world.new_processor(DOCHAK_BATCH_MAX_RECORDS="25")
    for part in range(1, 4):
        processor.start()
        until("the processor works", lambda: stored(world) >= part * EVENTS // 5, 60, every=0.002)
        began = time.monotonic()
        processor.stop()
        print(f"stopped in {time.monotonic() - began:.2f} s")
    processor.start()
    check_all(world, ids)


def test_stop_of_ingress_answers_what_it_has_begun(world: World) -> None:
    ingress = world.new_ingress().start().wait_ready()
    world.new_processor().start()
    ids = ids_of(300)
    senders = Senders(world, blux_posts({id_: event(id_) for id_ in ids}), again=True).start()
    for part in range(1, 3):
        until("ingress takes events", lambda: len(senders.acked) >= part * 80, every=0.002)
        ingress.stop()
        ingress.start().wait_ready()
    senders.join()
    print(f"answers: {senders.statuses}")
    check_all(world, ids)
    # Without a re-send nothing is doubled: an orderly end breaks no answer off.
    records = [record.header("ce_subject") for record in world.topics.read("events")]
    print(f"{len(records)} records for {len(ids)} events")
