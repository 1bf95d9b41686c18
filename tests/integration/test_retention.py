# SPDX-License-Identifier: MIT
"""What is finished and old goes, in small batches that disturb nobody; nothing else does."""

import time

import pytest

from support import builds, payloads
from support.service import Service, run_once
from support.wait import until, until_equal
from support.world import World

DAYS = 30
OLD, YOUNG = f"{DAYS + 1} days", f"{DAYS - 1} days"
BATCH = 1000  # processor/tables/retention_*.sql
WATCH = {"endpoint_minute": 0, "provider_hour": 0, "endpoint_hour": 0}  # deleted at each sweep, where there is nothing old


def insert(world: World, name: str, n: int, age: str, status: str = "SENT", told: bool = True, written: str | None = None) -> None:
    """Notifications name-1 … name-n, first seen so long ago, with two receipts, an acceptance and an alert each. The last of it was
    written then, too, unless `written` says how long ago that was."""
    world.sql(
        """INSERT INTO notification (provider, notification_id, status, first_seen_at, updated_at, version)
           SELECT 'blux', %s || i, %s, now() - %s::interval - i * interval '1 ms', now() - %s::interval - i * interval '1 ms', 1
           FROM generate_series(1, %s) i""",
        f"{name}-", status, age, written or age, n,
    )  # fmt: skip
    world.sql(
        """INSERT INTO receipt (receipt_id, provider, notification_id, outcome, code, element, received_at, event_id, source_partition, source_offset)
           SELECT gen_random_uuid(), provider, notification_id, 'delivered', 'x', '{}', updated_at, gen_random_uuid(), 0, 0
           FROM notification, generate_series(1, 2) WHERE notification_id LIKE %s""",
        f"{name}-%",
    )
    world.sql(
        """INSERT INTO acceptance (acceptance_id, provider, notification_id, registration, accepted_at, received_at, event_id,
                                   source_partition, source_offset)
           SELECT gen_random_uuid(), provider, notification_id, '{}', updated_at, updated_at, gen_random_uuid(), 0, 0
           FROM notification WHERE notification_id LIKE %s""",
        f"{name}-%",
    )
    world.sql(
        """INSERT INTO alert (alert_id, type, provider, subject, data, raised_at, source_topic, source_partition, source_offset, source_event, told)
           SELECT gen_random_uuid(), 'dochak.notification.dead_lettered.v1', provider, notification_id, '{}', updated_at, 'none', 0, 0, 'none', %s
           FROM notification WHERE notification_id LIKE %s""",
        told, f"{name}-%",
    )  # fmt: skip


def counts(world: World, name: str = "") -> tuple[int, int, int]:
    """Notifications, receipts, alerts."""
    (row,) = world.sql(
        """SELECT (SELECT count(*) FROM notification WHERE notification_id LIKE %(like)s) AS n,
                  (SELECT count(*) FROM receipt WHERE notification_id LIKE %(like)s) AS r,
                  (SELECT count(*) FROM alert WHERE subject LIKE %(like)s) AS a""".replace("%(like)s", "%s"),
        *[f"{name}%"] * 3,
    )
    return row["n"], row["r"], row["a"]


def new_processor(world: World, days: int = DAYS) -> Service:
    return world.new_processor(DOCHAK_RETENTION_DAYS=str(days))


def wait_counts(world: World, name: str, expected: tuple[int, int, int], deadline: float = 30) -> None:
    until_equal(f"there are {expected} of {name}", lambda: counts(world, name), expected, deadline)


def deleted(processor: Service) -> dict[str, float]:
    mark = "dochak_processor_retention_deleted_total"
    return {name[len(mark) :]: value for name, value in processor.metrics().items() if name.startswith(mark)}


def test_only_what_is_finished_and_old_goes(world: World) -> None:
    insert(world, "old", 5, OLD)
    insert(world, "dead", 5, OLD, "DEAD_LETTER")
    insert(world, "young", 5, YOUNG)
    insert(world, "open", 5, "4000 days", "PENDING")
    insert(world, "untold", 5, OLD, told=False)
    processor = new_processor(world).start().wait_ready()
    wait_counts(world, "old", (0, 0, 0))
    wait_counts(world, "dead", (0, 0, 0))
    wait_counts(world, "untold", (0, 0, 5))
    wait_counts(world, "open", (5, 10, 0))  # of an alert that is out nothing depends on its row
    assert counts(world, "young") == (5, 10, 5)
    assert world.sql("SELECT count(*) AS n FROM acceptance") == [{"n": 10}]
    counted = {"notification": 15, "receipt": 30, "acceptance": 15, "alert": 15, "quarantine_alert": 0, "quarantine": 0, "delivery_minute": 0, "code_minute": 0, **WATCH, "incident": 0, "ask_run": 0}
    all_deleted = {f'{{table="{table}"}}': rows for table, rows in counted.items()}
    until_equal("the metrics count them", lambda: deleted(processor), all_deleted)
    world.sql("DELETE FROM alert WHERE NOT told")


def test_what_was_written_later_stays_and_is_passed_over(world: World) -> None:
    """Retention finds the notifications by when they were first seen, and goes on behind those that were written since."""
    insert(world, "corrected", 2 * BATCH, "400 days", written=YOUNG)
    insert(world, "old", 5, OLD)
    insert(world, "young", 5, YOUNG, written="400 days")  # no clock of ours makes this; it shows what is looked at
    new_processor(world).start().wait_ready()
    wait_counts(world, "old", (0, 0, 0))
    assert counts(world, "corrected")[:2] == (2 * BATCH, 4 * BATCH)
    assert counts(world, "young")[:2] == (5, 10)


def test_more_than_a_batch_first_seen_at_one_moment_hold_up_nothing(world: World) -> None:
    insert(world, "corrected", BATCH + 5, "400 days", written=YOUNG)
    world.sql("UPDATE notification SET first_seen_at = now() - interval '400 days'")
    insert(world, "old", 5, OLD)
    new_processor(world).start().wait_ready()
    wait_counts(world, "old", (0, 0, 0))
    assert counts(world, "corrected")[:2] == (BATCH + 5, 2 * BATCH + 10)


def test_old_notes_on_quarantined_bytes_go(world: World) -> None:
    for age, n in ((OLD, BATCH + 5), (YOUNG, 3)):
        world.sql(
            "INSERT INTO quarantine_alert (fingerprint, raised_at) SELECT gen_random_uuid(), now() - %s::interval FROM generate_series(1, %s)",
            age, n,
        )  # fmt: skip
    new_processor(world).start().wait_ready()
    until_equal("only the young are left", lambda: world.sql("SELECT count(*) AS n FROM quarantine_alert"), [{"n": 3}], 30)


def test_old_counters_go(world: World) -> None:
    for age, n in ((OLD, BATCH + 5), (YOUNG, 3)):
        world.sql(
            "INSERT INTO delivery_minute SELECT date_trunc('minute', now() - %s::interval), 'blux', 'e' || g, 'failed', 0, 7 "
            "FROM generate_series(1, %s) AS g",
            age, n,
        )  # fmt: skip
        world.sql(
            "INSERT INTO code_minute SELECT date_trunc('minute', now() - %s::interval), 'blux', 'e', 'failed', 'SMS', 'c' || g, 0, 7 "
            "FROM generate_series(1, %s) AS g",
            age, n,
        )  # fmt: skip
    new_processor(world).start().wait_ready()
    for table in ("delivery_minute", "code_minute"):
        until_equal("only the young are left", lambda table=table: world.sql(f"SELECT count(*) AS n FROM {table}"), [{"n": 3}], 30)


def test_without_a_setting_all_is_kept(world: World) -> None:
    insert(world, "old", 3, "4000 days")
    processor = world.start().services[-1]
    world.bizgo(payloads.bizgo("x", "10000"))
    world.wait_row("bizgo", "x", status="SENT")
    until("it has looked", lambda: deleted(processor) == {f'{{table="{table}"}}': n for table, n in WATCH.items()})
    assert counts(world, "old") == (3, 6, 3)


# What only the watch reads: days that it is kept, how it is filled.
WATCHED = {
    "endpoint_minute": (
        35,
        """INSERT INTO endpoint_minute SELECT date_trunc('hour', now() - %s::interval) - interval '1 minute', 'e' || g, 'i', gen_random_uuid(), 'blux',
                  1, 1, 0, '{}', 0, 0, 0, NULL, false FROM generate_series(1, %s) AS g""",
    ),
    "provider_hour": (
        35,
        "INSERT INTO provider_hour SELECT date_trunc('hour', now() - %s::interval), 'p' || g, 1, 0 FROM generate_series(1, %s) AS g",
    ),
    "endpoint_hour": (
        98,
        """INSERT INTO endpoint_hour SELECT 'e' || mod(g, 5), date_trunc('hour', now() - %s::interval - g * interval '1 hour'), 1, 1, 60
           FROM generate_series(1, %s) AS g""",
    ),
}


@pytest.mark.parametrize("days", [0, DAYS])
def test_what_only_the_watch_reads_goes_whatever_the_setting(world: World, days: int) -> None:
    for kept, statement in WATCHED.values():
        world.sql(statement, f"{kept} days 2 hours", BATCH + 5)
        world.sql(statement, f"{kept - 1} days", 3)
    world.sql("INSERT INTO rhythm SELECT 'e' || g, 'blux', '{}', '{}', now(), 'learning', NULL, NULL, 0, 0 FROM generate_series(0, 4) AS g")
    new_processor(world, days).start().wait_ready()
    # The watch itself adds up the hour in which the young minutes lie: it is over.
    for table, (kept, _) in WATCHED.items():
        time_of = table.rpartition("_")[2]
        question = f"SELECT count(*) AS n FROM {table} WHERE {time_of} < now() - interval '{kept - 2} days'"
        until_equal(f"only the young of {table} are left", lambda question=question: world.sql(question), [{"n": 3}], 30)


def insert_incident(world: World, provider: str, age: str, closed: str | None) -> None:
    world.sql(
        """INSERT INTO incident (incident_id, kind, provider, endpoint, scope, since, opened_at, closed_at, judged_until, gap_ms, faults, details)
           VALUES (gen_random_uuid(), 'silent', %s, '', '', now() - %s::interval, now() - %s::interval, now() - %s::interval, now(), 0, 0, '{}')""",
        provider, age, age, closed,
    )  # fmt: skip


def test_incidents_go_when_they_were_closed_so_long_ago(world: World) -> None:
    insert_incident(world, "old", "90 days", OLD)
    insert_incident(world, "young", "90 days", YOUNG)
    insert_incident(world, "open", "90 days", None)
    new_processor(world).start().wait_ready()
    until_equal("the old one is gone", lambda: [r["provider"] for r in world.sql("SELECT provider FROM incident ORDER BY 1")], ["open", "young"])


def insert_run(world: World, scope: str, ended: str | None) -> None:
    world.sql(
        """INSERT INTO ask_run (run_id, provider, about, scope, started_at, ended_at, questions)
           VALUES (gen_random_uuid(), 'bizgo', 'notification', %s, now() - interval '90 days', now() - %s::interval, 0)""",
        scope, ended,
    )  # fmt: skip


def test_runs_of_asking_a_provider_go_when_they_ended_so_long_ago(world: World) -> None:
    for _ in range(BATCH + 5):
        insert_run(world, "old", OLD)
    insert_run(world, "young", YOUNG)
    insert_run(world, "open", None)
    new_processor(world).start().wait_ready()
    until_equal("the old ones are gone", lambda: [r["scope"] for r in world.sql("SELECT scope FROM ask_run ORDER BY 1")], ["open", "young"])


@pytest.mark.parametrize("days", [1, 13])
def test_too_few_days_are_refused(world: World, days: int) -> None:
    for arguments in (["--check"], []):
        done = run_once("processor", world.env(DOCHAK_RETENTION_DAYS=str(days), DOCHAK_PROCESSOR_OPS_LISTEN="127.0.0.1:0"), *arguments)
        assert done.returncode == 1 and f"DOCHAK_RETENTION_DAYS: {days} is too short" in done.stderr, done


@pytest.mark.parametrize(("days", "warns"), [(0, False), (14, True), (30, True), (31, False)])
def test_rows_that_go_before_their_records_are_warned_of(world: World, days: int, warns: bool) -> None:
    done = run_once("processor", world.env(DOCHAK_RETENTION_DAYS=str(days)), "--check")
    said = f"DOCHAK_RETENTION_DAYS: {days} is not more than DOCHAK_TOPIC_RETENTION_DAYS, 30"
    assert done.returncode == 0 and (said in done.stderr) == warns, done


def test_many_go_in_batches_by_one_processor_at_a_time(world: World) -> None:
    """Each batch is a transaction: what the first one deleted is gone while the last is still there."""
    n = 5 * BATCH + 7
    insert(world, "old", n, OLD)
    seen = set()
    processors = [new_processor(world).start() for _ in range(3)]

    def done() -> bool:
        seen.add(counts(world)[0])
        return counts(world) == (0, 0, 0)

    until("all are gone", done, 60, every=0.01)
    print(f"notifications seen on the way: {sorted(seen, reverse=True)}")
    assert {left % BATCH for left in seen} == {7, 0} and len(seen) > 3
    for processor in processors:
        processor.wait_ready()

    def totals() -> list[float]:
        return sorted(deleted(processor).get('{table="notification"}', 0) for processor in processors)

    until_equal("one has deleted all", totals, [0, 0, n])  # the others found the lock taken, or nothing left


def test_what_somebody_is_at_work_on_is_left_and_not_waited_for(world: World) -> None:
    insert(world, "old", 10, OLD)
    with world.connect() as connection, connection.transaction():
        connection.execute("SELECT * FROM notification WHERE notification_id = 'old-3' FOR UPDATE")
        new_processor(world).start()
        wait_counts(world, "old", (1, 2, 0))
    assert world.statuses() == {"old-3": "SENT"}


def test_a_replay_in_the_way_is_not_waited_for_either(world: World) -> None:
    """Whoever holds a receipt and asks for the notification next, which retention has: retention gives way, and comes back."""
    insert(world, "old", 10, OLD)
    with world.connect() as connection, connection.transaction():
        connection.execute("UPDATE receipt SET code = 'y' WHERE notification_id = 'old-3'")
        processor = new_processor(world).start()
        until("it gave way", lambda: processor.log_lines("retention starts over"))
        connection.execute("SELECT * FROM notification WHERE notification_id = 'old-3' FOR UPDATE")
        assert counts(world, "old")[:2] == (10, 20)
    wait_counts(world, "old", (0, 0, 0))
    assert processor.wait_ready().metrics()["dochak_processor_retention_failures_total"] >= 1


def test_a_stop_ends_it_at_once_between_two_batches(world: World) -> None:
    n = 20 * BATCH
    insert(world, "old", n, OLD)
    processor = new_processor(world).start()  # until it is ready, retention could be done
    until("it is at work", lambda: counts(world)[0] < n)
    began = time.monotonic()
    processor.stop()
    took = time.monotonic() - began
    notifications, receipts, _ = counts(world)
    print(f"stopped in {took:.2f} s, {notifications} were left")
    assert notifications > 0 and receipts == 2 * notifications
    assert took < 3 * builds.patience()


def test_a_lost_connection_is_got_over(world: World) -> None:
    n = 20 * BATCH
    insert(world, "old", n, OLD)
    processor = new_processor(world).start()  # until it is ready, retention could be done
    until("it is at work", lambda: counts(world)[0] < n)
    world.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
    wait_counts(world, "old", (0, 0, 0), 60)
    assert processor.metrics()["dochak_processor_retention_failures_total"] >= 1


def test_it_disturbs_no_worker(world: World, plain_build) -> None:
    insert(world, "old", 30 * BATCH, OLD)
    world.new_ingress().start().wait_ready()
    new_processor(world).start().wait_ready()
    slowest = 0.0
    number = 0
    while counts(world, "old")[0]:
        began = time.monotonic()
        world.bizgo(payloads.bizgo(f"new-{number}", "64008" if number % 2 else "10000"))
        world.wait_row("bizgo", f"new-{number}", status="DEAD_LETTER" if number % 2 else "SENT")
        slowest = max(slowest, time.monotonic() - began)
        number += 1
    print(f"{number} messages meanwhile, the slowest {slowest * 1000:.0f} ms")
    assert number > 10 and slowest < 2 * builds.patience()
    world.settle()
    assert len([alert for alert in world.alerts() if alert.header("ce_subject").startswith("new-")]) == number // 2


def test_a_report_that_comes_after_all_is_taken_as_new(world: World) -> None:
    """What docs/operations.md says of a retention that is shorter than somebody's memory."""
    report = payloads.bizgo("late", "10000")
    world.start()
    world.bizgo(report)
    before = world.wait_row("bizgo", "late", status="SENT")
    world.bizgo(report)
    world.settle()
    assert world.row("bizgo", "late") == before  # while its row is there it is the same report
    world.sql("UPDATE notification SET first_seen_at = now() - %s::interval, updated_at = now() - %s::interval", OLD, OLD)
    new_processor(world).start()
    until("it is gone", lambda: world.row("bizgo", "late") is None)
    world.bizgo(report)
    assert world.wait_row("bizgo", "late", status="SENT")["version"] == 1


def test_it_finds_the_old_by_an_index(world: World) -> None:
    world.sql(
        """INSERT INTO notification (provider, notification_id, status, first_seen_at, updated_at, version)
           SELECT 'blux', 'n-' || i, 'SENT', now() - i * interval '1 second', now(), 1 FROM generate_series(1, 20000) i"""
    )
    insert(world, "old", 20, OLD)
    world.sql("ANALYZE")
    for statement, index in (("retention_notifications", "notification_sent"), ("retention_alerts", "alert_told")):
        text = (builds.ROOT / "processor" / "tables" / f"{statement}.sql").read_text("utf-8")
        if statement == "retention_alerts":
            world.sql("SET enable_seqscan = off")  # too few of them to be worth it
        plan = world.sql(f"EXPLAIN {text.replace('$1', '30').replace('$2', chr(39) + '-infinity' + chr(39))}")
        assert index in "\n".join(row["QUERY PLAN"] for row in plan)
