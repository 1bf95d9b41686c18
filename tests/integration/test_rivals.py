# SPDX-License-Identifier: MIT
"""Others get in the way: another transaction, another process of the same name, a topic that goes. The work is done again, by the least
that is needed, and nothing is lost or doubled."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from confluent_kafka import Producer

from support import payloads
from support.judge import open_incident, watch_says
from support.service import Service
from support.topics import QUIET
from support.wait import until, until_equal
from support.world import World

FENCED = ["TXNERR", "FATAL", "fenced", "Fenced", "old epoch"]  # librdkafka's own lines about it
ALONE = {"DOCHAK_WORKERS": "1"}


def names(first: int, count: int) -> list[str]:
    return [f"m-{number:04}" for number in range(first, first + count)]


def report(world: World, ids: list[str], delivered: bool = True) -> None:
    world.blux(*(payloads.blux_event(id_, delivered=delivered) for id_ in ids))


def retries(service: Service, part: str, class_: str) -> int:
    return int(service.metrics().get(f'dochak_processor_retries_total{{part="{part}",class="{class_}"}}', 0))


def told(world: World) -> list[str]:
    return sorted(alert.header("ce_subject") for alert in world.notification_alerts())


# --- in Postgres


def neighbours(world: World) -> tuple[str, str]:
    """Two notifications that are there, in the order in which a batch locks them, and whose events stand in one partition: in one batch."""
    report(world, names(0, 12))
    world.settle()
    by_partition: dict[int, list[str]] = {}
    for record in world.topics.read("events"):
        by_partition.setdefault(record.partition, []).append(record.header("ce_subject"))
    first, last, *_ = max((sorted(ids) for ids in by_partition.values()), key=len)
    return first, last


@contextmanager
def row_held(world: World, id_: str, change: str = "reference = reference"):
    """Somebody has written the row, and commits it later."""
    with world.connect() as connection, connection.transaction():
        connection.execute("SET LOCAL deadlock_timeout = '1min'")  # it is the processor that is told
        connection.execute(f"UPDATE notification SET {change} WHERE notification_id = %s", (id_,))
        yield connection


WAITS = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND wait_event = 'advisory'"


def wait_for_lock(world: World) -> None:
    waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    until("the processor waits for the row", lambda: world.sql(waiting), 20, every=0.005)


def test_a_deadlock_is_done_again_at_once(world: World) -> None:
    """The processor has the first row and waits for the last, which the other one has, who asks for the first."""
    world.sql(f"ALTER DATABASE \"{world.name}\" SET deadlock_timeout = '10s'")  # it looks once: the circle has to be closed by then
    world.new_ingress().start().wait_ready()
    processor = world.new_processor(**ALONE).start()
    first, last = neighbours(world)
    processor.stop()
    with row_held(world, last) as connection:
        report(world, [first, last], delivered=False)
        processor.start()
        wait_for_lock(world)
        connection.execute("SET deadlock_timeout = '60s'")  # the other one looks first, and is the one that is ended
        connection.execute("SELECT 1 FROM notification WHERE notification_id = %s FOR UPDATE", (first,))
    world.settle()
    assert retries(processor, "postgres", "deadlock") >= 1  # on a busy machine it may have the first row again before the other one wakes up
    assert not processor.log_lines("^worker starts over")
    assert {world.row("blux", id_)["contradicted_by"] is not None for id_ in (first, last)} == {True}


def test_a_batch_takes_incidents_in_one_order(world: World) -> None:
    """It counts a fault into `failing` and closes `at_risk`. While it waits for the one that comes first, it has none of the others."""
    world.new_ingress().start().wait_ready()
    hour_ago = int(time.time() / 60) - 60
    open_incident(world, "at_risk", hour_ago, "bizgo", scope="half")
    open_incident(world, "failing", hour_ago, "bizgo", "bizgo/alimtalk", "account")
    world.bizgo(payloads.bizgo("m", "64008"))
    (record,) = world.records("events", "m")
    (at_risk,) = world.sql("SELECT incident_id::text FROM incident WHERE kind = 'at_risk'")
    row = {**at_risk, "kind": "at_risk", "scope": "half", "judged_until": datetime.now(UTC).isoformat()}
    watch_says(world, "dochak.endpoint.restored.v1", record.partition, **row)
    with world.connect() as connection, connection.transaction():
        connection.execute("UPDATE incident SET folded = folded WHERE kind = 'at_risk'")
        processor = world.new_processor(**ALONE).start()
        wait_for_lock(world)
        connection.execute("SELECT FROM incident WHERE kind = 'failing' FOR UPDATE NOWAIT")
    world.settle()
    assert retries(processor, "postgres", "deadlock") == 0
    rows = world.sql("SELECT kind, faults, closed_at IS NOT NULL AS closed FROM incident ORDER BY kind")
    assert rows == [{"kind": "at_risk", "faults": 0, "closed": True}, {"kind": "failing", "faults": 1, "closed": False}]


@pytest.mark.parametrize(
    ("isolation", "change", "class_"),
    [("read committed", "version = version + 1", "conflict"), ("serializable", "reference = 'theirs'", "serialization")],
)
def test_who_comes_second_reads_again(world: World, isolation: str, change: str, class_: str) -> None:
    """Whatever isolation the database has by default."""
    world.sql(f"ALTER DATABASE \"{world.name}\" SET default_transaction_isolation = '{isolation}'")
    world.new_ingress().start().wait_ready()
    processor = world.new_processor().start()
    report(world, ["m-0000"], delivered=False)
    world.wait_row("blux", "m-0000", status="DEAD_LETTER")
    with row_held(world, "m-0000", change):
        report(world, ["m-0000"])
        wait_for_lock(world)
    world.wait_row("blux", "m-0000", status="SENT")
    world.settle()
    assert retries(processor, "postgres", class_) == 1
    assert not processor.log_lines("^worker starts over")
    assert [alert.type.split(".")[2] for alert in world.alerts()] == ["dead_lettered", "recovered"]


@pytest.mark.slow
def test_a_batch_that_hangs_is_told(world: World) -> None:
    """After half a minute. When it goes on, all is well again."""
    world.new_ingress().start().wait_ready()
    processor = world.new_processor(**ALONE).start().wait_ready()
    with world.connect() as connection, connection.transaction():
        connection.execute("LOCK TABLE receipt IN EXCLUSIVE MODE")
        report(world, names(0, 3))
        wait_for_lock(world)
        assert processor.get("/readyz").status == 200
        until("it says so", lambda: "more than 30 s" in processor.get("/readyz").body.decode(), 45)
    world.settle()
    processor.wait_ready()


@pytest.mark.slow
def test_a_mark_that_hangs_is_told(world: World) -> None:
    """What was told is marked although no other batch follows; that is no batch, and no less in the way."""
    world.new_ingress().start().wait_ready()
    processor = world.new_processor(**ALONE).start().wait_ready()
    with world.connect() as connection:
        with connection.transaction():
            connection.execute("LOCK TABLE alert IN SHARE ROW EXCLUSIVE MODE")
            report(world, names(0, 3), delivered=False)
            wait_for_lock(world)
            connection.execute("CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NEW; END$$")
            connection.execute("CREATE TRIGGER wait BEFORE UPDATE OF told ON alert FOR EACH ROW EXECUTE FUNCTION wait()")
            connection.execute("SELECT pg_advisory_lock(1)")
        until("it waits to mark them", lambda: world.sql(WAITS), 20)
        until("it says so", lambda: "more than 30 s" in processor.get("/readyz").body.decode(), 45)
        connection.execute("SELECT pg_advisory_unlock(1)")
    processor.wait_ready()
    until("they are marked", lambda: not world.sql("SELECT 1 FROM alert WHERE NOT told"))


# --- in Kafka


def fence(world: World, processor: Service, worker: int) -> None:
    name = f"{world.topics.prefix}{world.topics.group}-{processor.env['DOCHAK_INSTANCE']}-{worker}"
    Producer({"bootstrap.servers": world.topics.bootstrap, "transactional.id": name, **QUIET}).init_transactions(20)


def test_a_producer_that_is_fenced_is_made_anew(world: World) -> None:
    world.new_ingress().start().wait_ready()
    processor = world.new_processor(**ALONE).start().wait_ready()
    processor.expected_errors = FENCED
    report(world, names(0, 3), delivered=False)
    world.settle()
    for round_ in range(1, 3):
        fence(world, processor, 0)
        report(world, names(3 * round_, 3), delivered=False)
        world.settle()
    assert told(world) == names(0, 9)
    assert retries(processor, "kafka", "fenced") == 2, processor.metrics()
    committed = 'dochak_processor_transactions_total{result="committed"}'
    until("it is counted", lambda: processor.metrics()[committed] >= 3)


def test_two_of_one_name_hinder_each_other_and_double_nothing(world: World) -> None:
    """A mistake in a deployment: both are told what to mend."""
    world.new_ingress().start().wait_ready()
    settings = {**ALONE, "DOCHAK_INSTANCE": "same", "DOCHAK_BATCH_MAX_RECORDS": "10"}
    twins = [world.new_processor(**settings).start() for _ in range(2)]
    for twin in twins:
        twin.expected_errors = FENCED
    ids = names(0, 300)
    for start in range(0, 300, 50):
        report(world, ids[start : start + 50], delivered=False)
    until("one is fenced", lambda: any(retries(twin, "kafka", "fenced") for twin in twins), 30)
    twins[0].stop()
    world.settle(60)
    assert told(world) == ids
    assert any("DOCHAK_INSTANCE" in line["error"] for twin in twins for line in twin.log_lines("^worker starts over"))


def test_a_topic_that_was_deleted_and_made_again_is_gone_on_with(world: World) -> None:
    """Its offsets begin again, where other alerts were told before."""
    world.new_ingress().start().wait_ready()
    processor = world.new_processor(**ALONE).start().wait_ready()
    report(world, names(0, 20), delivered=False)
    world.settle()
    name = world.topics.name("events")
    world.topics.delete_one("events")
    until("it says what is missing", lambda: any(name in line["error"] for line in processor.log_lines("^worker starts over")), 60)
    assert processor.get("/readyz").status == 503
    assert any("dochak-processor migrate" in line["error"] for line in processor.log_lines("^worker starts over"))
    assert "1 topic created" in world.migrate()
    processor.wait_ready(30)
    until_equal("ingress takes events again", lambda: world.post("blux/sms", payloads.blux(payloads.blux_event("m-0020"))).status, 200, 30)
    report(world, names(21, 20), delivered=False)
    world.settle(60)
    assert told(world) == names(0, 20) + names(21, 20)


@contextmanager
def frozen_member(world: World, session_s: int) -> Iterator[None]:
    """One of the group does not move: a rebalance waits for it until its session ends."""
    properties = world.folder / "kafka.properties"
    properties.write_text(f"session.timeout.ms={1000 * session_s}\n")
    frozen = world.new_processor(**ALONE, DOCHAK_KAFKA_PROPERTIES=str(properties)).start().wait_ready()
    frozen.freeze()
    yield
    frozen.thaw()


@pytest.mark.long
def test_a_rebalance_makes_no_processor_unready(world: World) -> None:
    """However slow the slowest member is: scaling would take all of them out of service."""
    processor = world.new_processor(**ALONE).start().wait_ready()
    with frozen_member(world, session_s=10):
        began = time.monotonic()
        other = world.new_processor(**ALONE).start()

        def has_joined() -> bool:
            assert processor.get("/readyz").status == 200
            return other.is_ready()

        until("the other one joins when the frozen one is expelled", has_joined, 40, every=0.05)
        assert time.monotonic() - began > 6  # three probes of the chart see less


@pytest.mark.slow
def test_a_rebalance_that_hangs_is_told(world: World) -> None:
    processor = world.new_processor(**ALONE).start().wait_ready()
    with frozen_member(world, session_s=45):
        other = world.new_processor(**ALONE).start()
        until("it says so", lambda: "rebalance of the consumer group has taken more than 30 s" in processor.get("/readyz").body.decode(), 40)
        processor.wait_ready(30)
        other.wait_ready(30)


# --- what is told about it


def owned(service: Service) -> dict[str, float]:
    values = service.metrics()
    return {name: value for name, value in values.items() if name.startswith("dochak_processor_partition_owned") and value}


def lag(*services: Service) -> float:
    return sum(value for service in services for name, value in service.metrics().items() if name.startswith("dochak_processor_partition_lag"))


def test_each_partition_has_one_owner_who_tells_its_lag(world: World) -> None:
    world.new_ingress().start().wait_ready()
    first, second = (world.new_processor(**ALONE).start().wait_ready() for _ in range(2))
    names_of_all = {
        f'dochak_processor_partition_owned{{topic="{world.topics.name(short)}",partition="{number}"}}'
        for short in ("events", "quarantine")
        for number in range(len(world.topics.ends(short)))
    }
    until("each has its share", lambda: len(owned(first)) == len(owned(second)) == len(names_of_all) // 2, 20)
    assert owned(first).keys() | owned(second).keys() == names_of_all
    world.blux(payloads.blux_event("m-0000"))
    assert world.post("bizgo/alimtalk", b"no JSON").status == 200  # a record of the quarantine topic, which ends with a transaction's mark
    world.settle()
    until_equal("nobody is behind", lambda: lag(first, second), 0)
    with world.connect() as connection, connection.transaction():
        connection.execute("LOCK TABLE receipt IN EXCLUSIVE MODE")
        report(world, names(1, 100))
        until("they are behind, by all but the batches in hand", lambda: lag(first, second) > 0)
    world.settle()
    until_equal("nobody is behind", lambda: lag(first, second), 0)
    second.stop()
    until_equal("the first has all", lambda: owned(first).keys(), names_of_all, 20)


def is_counted(metrics: dict[str, float], records: int) -> bool:
    """Which is after the commit, the phases last."""
    batches = "dochak_processor_batch_records"
    last = metrics.get('dochak_processor_phase_seconds_count{phase="kafka"}')
    return metrics[f"{batches}_sum"] == records and metrics[f"{batches}_count"] == last


@pytest.mark.usefixtures("between_minutes")
def test_what_was_done_is_counted(world: World) -> None:
    world.new_ingress().start().wait_ready()
    processor = world.new_processor(**ALONE).start().wait_ready()
    world.register(payloads.accepted("blux", "a"))
    report(world, ["a", "b"])
    report(world, ["c"], delivered=False)
    world.post("bizgo/alimtalk", b"no JSON")
    world.settle()
    until("all of it is counted", lambda: is_counted(processor.metrics(), 5))
    metrics = processor.metrics()
    for outcome, count in {"accepted": 1, "delivered": 2, "failed": 1, "quarantined": 1}.items():
        assert metrics[f'dochak_processor_records_total{{outcome="{outcome}"}}'] == count
    batches = metrics["dochak_processor_batch_records_count"]
    assert 1 <= batches <= 5 and metrics["dochak_processor_batch_records_sum"] == 5
    for phase in ("fetch", "interpret", "postgres", "kafka"):
        assert metrics[f'dochak_processor_phase_seconds_count{{phase="{phase}"}}'] == batches
    beginning = 1  # the offsets at which a new group begins
    assert beginning < metrics['dochak_processor_transactions_total{result="committed"}'] <= beginning + batches
    assert metrics["dochak_processor_event_age_seconds_count"] == 5
    assert metrics["dochak_processor_alert_age_seconds_count"] == 2
    assert 0 < metrics["dochak_processor_alert_age_seconds_sum"] < 60
