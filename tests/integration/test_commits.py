# SPDX-License-Identifier: MIT
"""When the processor commits the group's offsets. A batch without alerts leaves that to a later transaction; nothing may depend on it."""

import pytest

from support.thirds import ids_of, is_failed, post_all
from support.wait import until, until_equal
from support.world import World

pytestmark = pytest.mark.usefixtures("between_minutes")
ONE_BY_ONE = {"DOCHAK_WORKERS": "1", "DOCHAK_BATCH_MAX_RECORDS": "1"}
SESSIONS = "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
TRANSACTIONS = 'dochak_processor_transactions_total{result="committed"}'


FAILED, *DELIVERED = [ids_of(1)[0], *(id_ for id_ in ids_of(300) if not is_failed(id_))]


def check(world: World, ids: list[str]) -> None:
    world.settle(60)
    assert world.statuses() == {id_: "DEAD_LETTER" if is_failed(id_) else "SENT" for id_ in ids}
    assert [alert.header("ce_subject") for alert in world.notification_alerts()] == [id_ for id_ in ids if is_failed(id_)]
    assert world.sql("SELECT sum(records)::int AS n FROM delivery_minute WHERE outcome <> 'repeated'")[0]["n"] == len(ids)


def test_batches_without_alerts_share_a_transaction(world: World) -> None:
    world.new_ingress().start().wait_ready()
    ids = post_all(world, DELIVERED)
    processor = world.new_processor(**ONE_BY_ONE).start()
    check(world, ids)
    metrics = processor.metrics()
    assert metrics["dochak_processor_batch_records_count"] == len(ids)
    assert metrics[TRANSACTIONS] < len(ids) / 2


def committed(world: World) -> int:
    """How many records of the topic."""
    return sum(offset for offset in world.topics.committed("events").values() if offset > 0)


def test_an_alert_that_was_not_committed_is_published_with_all_offsets_before_it(world: World) -> None:
    """Killed in its transaction, behind batches that had nothing to publish."""
    world.new_ingress().start().wait_ready()
    ids = post_all(world, DELIVERED[:100])
    processor = world.new_processor(CRASH_AT="mid_produce:1", **ONE_BY_ONE).start()
    until_equal("they are stored", lambda: len(world.statuses()), len(ids))
    post_all(world, [FAILED])
    processor.wait_killed()
    world.new_processor(**ONE_BY_ONE).start()
    check(world, [*ids, FAILED])


def test_a_stopped_processor_leaves_nothing_to_be_read_again(world: World) -> None:
    world.new_ingress().start().wait_ready()
    processor = world.new_processor(**ONE_BY_ONE).start()
    ids = post_all(world, DELIVERED[:100])
    until_equal("they are stored", lambda: len(world.statuses()), len(ids))
    processor.stop()
    assert committed(world) == len(ids)


def test_what_was_not_committed_is_read_again_and_changes_nothing(world: World) -> None:
    world.new_ingress().start().wait_ready()
    ids = post_all(world, DELIVERED[:100])
    processor = world.new_processor(CRASH_AT="offsets_put_off:30", **ONE_BY_ONE).start()
    processor.wait_killed()
    before = world.statuses()
    assert committed(world) < len(before)
    world.new_processor(**ONE_BY_ONE).start()
    check(world, ids)
    assert before.items() <= world.statuses().items()


def test_who_gets_the_partitions_reads_again_what_was_not_committed(world: World) -> None:
    """Others join while there is always a batch whose offsets are put off."""
    world.new_ingress().start().wait_ready()
    settings = {**ONE_BY_ONE, "DOCHAK_INSTANCE": ""}
    world.new_processor(**settings).start().wait_ready()
    ids: list[str] = []
    for first in range(0, 180, 60):
        ids += post_all(world, DELIVERED[first : first + 60])
        world.new_processor(**settings).start()
    check(world, [*ids, *post_all(world, [FAILED])])


@pytest.mark.long
def test_postgres_that_an_idle_processor_loses_is_named_as_the_cause(world: World) -> None:
    processor = world.new_processor(DOCHAK_WORKERS="1").start().wait_ready()
    # The class depends on which statement meets the end of the session: one in a pipeline gets the server's own word for it.
    lost = [f'dochak_processor_retries_total{{part="postgres",class="{name}"}}' for name in ("connection", "shutdown")]
    until("it has a session", lambda: world.sql(SESSIONS)[0]["n"] > 0)
    world.sql(SESSIONS.replace("count(*) AS n", "pg_terminate_backend(pid)"))
    until_equal("it looks again", lambda: sum(processor.metrics().get(name, 0) for name in lost), 1)
    assert not [name for name in processor.metrics() if name.startswith('dochak_processor_retries_total{part="kafka"')]
