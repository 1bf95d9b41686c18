# SPDX-License-Identifier: MIT
"""The mark that an alert was published. It is made by range: what lies below a committed offset was published with it."""

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient

from support.thirds import check_all, ids_of, is_failed, post_all
from support.topics import QUIET
from support.wait import until, until_equal
from support.world import World

REFUSE = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION USING ERRCODE = '53100'; END$$;
CREATE TRIGGER refuse BEFORE UPDATE OF told ON alert FOR EACH STATEMENT WHEN (random() < 0.25) EXECUTE FUNCTION refuse();
"""
LIBRDKAFKA = '"message":"librdkafka"'
REFUSED = 'dochak_processor_retries_total{part="postgres",class="disk_full"}'


@pytest.mark.parametrize("processes", [1, 3])
def test_alerts_whose_mark_is_refused_are_told_once(world: World, processes: int) -> None:
    """Until the mark succeeds only the offsets say what was published. A worker whose batch fails with it starts over from there."""
    world.sql(REFUSE)
    world.new_ingress().start().wait_ready()
    ids = post_all(world, ids_of(600))
    for _ in range(processes):
        processor = world.new_processor(DOCHAK_BATCH_MAX_RECORDS="10", DOCHAK_INSTANCE="")
        processor.expected_errors.append(LIBRDKAFKA)  # it may stop while it waits for the others to join
        processor.start()
    check_all(world, ids)
    refused = [processor.metrics().get(REFUSED, 0) for processor in world.services[1:]]
    print(f"refused {refused} times")
    assert sum(refused) > 0


UNPUBLISHED = "dochak_processor_alerts_unpublished"


def unmarked(world: World) -> int:
    return world.sql("SELECT count(*) AS n FROM alert WHERE NOT told")[0]["n"]


def crash(world: World, at: str, ids: list[str]) -> None:
    """A processor dies in its first batch. (Its first transaction commits where the reading begins.)"""
    world.new_ingress().start().wait_ready()
    post_all(world, ids)
    processor = world.new_processor(CRASH_AT=f"{at}:2", DOCHAK_WORKERS="1")
    processor.start()
    processor.wait_killed()


def test_what_a_crash_left_unmarked_the_next_start_marks(world: World) -> None:
    """Nothing comes meanwhile: the group's committed offsets say that the alerts were published."""
    ids = ids_of(30)
    crash(world, "after_kafka_commit", ids)
    assert unmarked(world) > 0
    world.new_processor().start()
    check_all(world, ids)
    until_equal("all are marked", lambda: unmarked(world), 0)


def test_offsets_that_an_operator_sets_forward_mark_nothing(world: World) -> None:
    """The alerts between were never published. They stay visible as such, also when later ones are published and marked."""
    ids = ids_of(60)
    crash(world, "before_kafka_commit", ids[:30])
    left = unmarked(world)
    assert left > 0
    name = world.topics.name("events")
    ends = [TopicPartition(name, partition, end) for partition, end in world.topics.ends("events").items()]
    admin = AdminClient({"bootstrap.servers": world.kafka.address, **QUIET})

    def set_forward() -> bool:  # once the group has noticed that its member died
        (future,) = admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(world.topics.group, ends)]).values()
        return all(place.error is None for place in future.result(10).topic_partitions)

    until("the offsets are set", set_forward, 30)
    world.sql("UPDATE alert SET raised_at = raised_at - interval '2 minutes'")
    processor = world.new_processor().start()
    post_all(world, ids[30:])
    world.settle(60)
    until_equal("the later ones are marked", lambda: unmarked(world), left)
    until_equal("the metric shows the others", lambda: processor.metrics().get(UNPUBLISHED), left, 30)
    processor.stop()
    world.new_processor().start().wait_ready()
    post_all(world, extra := ids_of(90)[60:])
    world.settle(60)
    until_equal("the last ones are marked, after a restart", lambda: unmarked(world), left)
    published = {alert.header("ce_subject") for alert in world.notification_alerts()}
    assert published == {id_ for id_ in ids[30:] + extra if is_failed(id_)}
