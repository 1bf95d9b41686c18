# SPDX-License-Identifier: MIT
"""A batch finds its rows by the indexes, also in tables that were never analysed: autovacuum comes late, and until then such a plan would
read whole tables. And what a write costs where a table is large."""

import re

import pytest

from support import builds, payloads
from support.wait import until, until_equal
from support.world import World

TABLES = ["notification", "receipt", "alert", "quarantine_alert"]
WATCHED = ["delivery_minute", "endpoint_minute", "incident", "provider_hour", "endpoint_hour", "rhythm", "ask_run"]
ROWS = 20_000
DELETED = 'dochak_processor_retention_deleted_total{table="receipt"}'
FILL = f"""
INSERT INTO notification (provider, notification_id, status, first_seen_at, version)
SELECT 'blux', 'known-' || n, 'PENDING', now(), 1 FROM generate_series(1, {ROWS}) AS n;
INSERT INTO receipt (receipt_id, provider, notification_id, outcome, code, element, received_at, event_id, source_partition, source_offset)
SELECT gen_random_uuid(), 'blux', 'known-' || n, 'unconfirmed', 'x', '{{}}', now(), gen_random_uuid(), 0, n FROM generate_series(1, {ROWS}) AS n;
INSERT INTO alert (alert_id, type, data, raised_at, source_topic, source_partition, source_offset, source_event)
SELECT gen_random_uuid(), 'x', '{{}}', now(), 'another', n % 8, n, 'x' FROM generate_series(1, {ROWS}) AS n;
INSERT INTO quarantine_alert (fingerprint, raised_at) SELECT gen_random_uuid(), now() FROM generate_series(1, {ROWS}) AS n;
"""
OLD = """
UPDATE notification SET status = 'SENT', first_seen_at = now() - interval '90 days', updated_at = now() - interval '90 days'
WHERE notification_id LIKE 'known-%00'
"""


def scans(world: World, kind: str) -> dict[str, int]:
    """Until now, of the sessions that have ended or paused."""
    return {row["relname"]: row[kind] for row in world.sql(f"SELECT relname, {kind} FROM pg_stat_user_tables") if row["relname"] in TABLES}


def never_analyse(world: World) -> None:
    """Autovacuum reads nothing either: to summarize a range of a BRIN index counts as a scan."""
    for table in TABLES + WATCHED:
        world.sql(f"ALTER TABLE {table} SET (autovacuum_enabled = off)")
    world.sql("ALTER INDEX receipt_received SET (autosummarize = off)")


def use_every_statement(world: World, first: int, n: int) -> None:
    """Known and new notifications, alerts, and the same bytes in quarantine again and again."""
    known = [payloads.blux_event(f"known-{number}", delivered=False) for number in range(first, first + n)]
    new = [payloads.blux_event(f"new-{number}", delivered=False) for number in range(first, first + n)]
    world.blux(*known, *new)
    for _ in range(3):
        assert world.post("blux/sms", b"no JSON").status == 200
    world.settle()


@pytest.mark.long
@pytest.mark.parametrize("quiet_start", [False, True], ids=["full", "filled while it runs"])
def test_no_batch_reads_a_whole_table_that_was_never_analysed(world: World, quiet_start: bool) -> None:
    never_analyse(world)
    world.new_ingress().start().wait_ready()
    processor = world.new_processor(DOCHAK_WORKERS="1")
    if quiet_start:  # enough executions for a plan that is kept
        processor.start().wait_ready()
        for number in range(8):
            use_every_statement(world, ROWS + 1 + number, 1)
    world.sql(FILL)
    until("the statistics are there", lambda: world.sql("SELECT pg_stat_force_next_flush()") and min(scans(world, "n_tup_ins").values()) >= ROWS)
    before = scans(world, "seq_scan"), scans(world, "idx_scan")
    if not quiet_start:
        processor.start().wait_ready()
    for number in range(1, 4):
        use_every_statement(world, 300 * number, 300)
    processor.stop()
    until("its statistics are there", lambda: all(n > before[1][table] for table, n in scans(world, "idx_scan").items()))
    assert scans(world, "seq_scan") == before[0]


@pytest.mark.long
def test_retention_reads_no_whole_table_that_was_never_analysed(world: World) -> None:
    never_analyse(world)
    world.sql(FILL)
    world.sql(OLD)
    until("the statistics are there", lambda: world.sql("SELECT pg_stat_force_next_flush()") and scans(world, "n_tup_upd")["notification"] > 0)
    before = scans(world, "seq_scan")
    processor = world.new_processor(DOCHAK_RETENTION_DAYS="60").start().wait_ready()
    until("the old ones are deleted", lambda: processor.metrics().get(DELETED, 0) >= ROWS / 100)
    processor.stop()
    until("its statistics are there", lambda: scans(world, "n_tup_del")["receipt"] >= ROWS / 100)
    assert scans(world, "seq_scan") == before


def test_a_later_write_of_a_finished_notification_is_hot(world: World) -> None:
    """Its page has room for the new version of the row, and no index gets an entry for it."""
    processor = world.start().services[-1]
    ids = [f"n-{number}" for number in range(900)]
    for first in range(0, len(ids), 300):
        world.blux(*(payloads.blux_event(id_) for id_ in ids[first : first + 300]))
    world.settle()
    later = ids[::9]
    world.blux(*(payloads.blux_event(id_, delivered=False) for id_ in later))
    world.settle()
    processor.stop()
    until_equal("its statistics are there", lambda: scans(world, "n_tup_upd")["notification"], len(later))
    hot = scans(world, "n_tup_hot_upd")["notification"]
    print(f"{hot} of {len(later)} updates were HOT")
    assert hot > 0.9 * len(later)


LOOKUPS = {
    "alert_subject": "SELECT * FROM alert WHERE provider = 'blux' AND subject = 'known-1'",
    "notification_recipient": "SELECT * FROM notification WHERE recipient_hash = '\\x00'",
    "notification_reference": "SELECT * FROM notification WHERE reference = 'order-17'",
    "notification_not_sent": "SELECT * FROM notification WHERE provider = 'blux' AND status = 'PENDING' "
    "AND (first_seen_at, notification_id) < (now(), 'x') ORDER BY first_seen_at DESC, notification_id DESC LIMIT 50",
    "notification_due": "SELECT * FROM notification WHERE provider = 'blux' AND next_look_at <= now() ORDER BY next_look_at LIMIT 50",
    "notification_not_looked": "SELECT * FROM notification WHERE provider = 'blux' AND status = 'PENDING' AND next_look_at IS NULL "
    "AND due_at <= now() ORDER BY due_at LIMIT 50",
}


# --- the watch

FILL_WATCHED = f"""
INSERT INTO notification (provider, notification_id, status, first_seen_at, version, due_at, next_look_at, expires_at)
SELECT 'bizgo', 'due-' || n, 'PENDING', now(), 1, now(), CASE WHEN n % 2 = 0 THEN now() END, now() FROM generate_series(1, {ROWS}) AS n;
INSERT INTO delivery_minute SELECT date_trunc('minute', now()) - n * interval '1 min', 'blux', 'blux/sms', 'delivered', 0, 1
FROM generate_series(1, {ROWS}) AS n;
INSERT INTO endpoint_minute SELECT date_trunc('minute', now()) - n * interval '1 min', 'blux/sms', 'i', gen_random_uuid(), 'blux',
  1, 1, 0, '{{}}', 0, 0, 0, NULL, false FROM generate_series(1, {ROWS}) AS n;
INSERT INTO incident (incident_id, kind, provider, endpoint, scope, since, opened_at, closed_at, judged_until, gap_ms, faults, details)
SELECT gen_random_uuid(), 'silent', 'p' || n % 50, '', '', now(), now(), now() - n * interval '1 min', now(), 0, 0, '{{}}'
FROM generate_series(1, {ROWS}) AS n;
INSERT INTO provider_hour SELECT date_trunc('hour', now()) - n * interval '1 hour', 'blux', 1, 0 FROM generate_series(1, {ROWS}) AS n;
INSERT INTO endpoint_hour SELECT 'blux/sms', date_trunc('hour', now()) - n * interval '1 hour', 1, 1, 60 FROM generate_series(1, {ROWS}) AS n;
INSERT INTO ask_run (run_id, provider, about, scope, started_at, ended_at, questions, scheduled)
SELECT gen_random_uuid(), 'bizgo', 'notification', 'newly overdue', now() - n * interval '10 min', now() - n * interval '10 min', 0, n % 2 = 0
FROM generate_series(1, {ROWS}) AS n;
INSERT INTO rhythm SELECT 'e' || n, 'blux', '{{}}', '{{}}', now(), 'learning', NULL, NULL, 0, 0 FROM generate_series(1, {ROWS}) AS n;
"""
# They may be read from end to end: the incidents that are open, and one row for each endpoint.
SMALL = {"incident_open", "rhythm_pkey"}
# What a person lists may read a whole table.
LISTS = {"incident_list", "rhythm_list"}
OF_WATCH = sorted(
    path.stem
    for pattern in ("watch_*", "incident_*", "usual_*", "rhythm_*", "endpoint_minute_insert", "ask_schedule", "ask_not_before", "ask_run_*")
    for path in (builds.ROOT / "processor/tables").glob(f"{pattern}.sql")
    if path.stem not in LISTS
)
USE_INDEXES = "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off"  # pg_use_indexes()


def plan_of(connection, name: str) -> str:
    """As a session keeps it that has run the statement many times."""
    statement = (builds.ROOT / f"processor/tables/{name}.sql").read_text("utf-8")
    parameters = max((int(number) for number in re.findall(r"\$(\d+)", re.sub(r"--.*", "", statement))), default=0)
    given = f"({', '.join(['NULL'] * parameters)})" if parameters else ""
    connection.execute(f"PREPARE {name} AS {statement}")
    return "\n".join(row["QUERY PLAN"] for row in connection.execute(f"EXPLAIN EXECUTE {name}{given}"))


def unbounded_scans(plan: str) -> list[str]:
    """The indexes that it reads without a condition: from end to end."""
    scans = []
    for node in re.split(r"\n *->", plan):
        scan = re.search(r"Index (?:Only )?Scan (?:Backward )?(?:using|on) (\w+)", node)
        if scan and "Index Cond:" not in node:
            scans.append(scan[1])
    return scans


@pytest.mark.parametrize("tables", ["empty", "never analysed", "analysed"])
def test_the_watch_reads_no_whole_table(world: World, tables: str) -> None:
    """By its statements, and by those with which a batch writes incidents."""
    if tables != "empty":
        never_analyse(world)
        world.sql(FILL)
        world.sql(FILL_WATCHED)
    if tables == "analysed":
        world.sql("ANALYZE")
    with world.connect() as connection:
        connection.execute("SET plan_cache_mode = force_generic_plan")
        connection.execute(USE_INDEXES)
        plans = {name: plan_of(connection, name) for name in OF_WATCH}
    assert len(plans) > 15
    whole = {name: plan for name, plan in plans.items() if "Seq Scan" in plan}
    whole |= {name: plan for name, plan in plans.items() if set(unbounded_scans(plan)) - SMALL}
    assert not whole, "\n".join(f"--- {name}\n{plan}" for name, plan in whole.items())
    assert "received_at" in re.search("Index Cond: .*|$", plans["watch_codes"])[0], plans["watch_codes"]
    assert "minute = " in re.search("Index Cond: .*|$", plans["rhythm_calls"])[0], plans["rhythm_calls"]
    by = {"watch_failed": ["endpoint_minute_failed"], "watch_due": ["notification_due", "notification_not_looked"], "watch_oldest": ["notification_not_sent"]}
    for name, indexes in by.items():
        assert all(index in plans[name] for index in indexes), plans[name]


# --- what a program reads as a number


def test_a_deadline_of_a_notification_that_never_expires_is_no_null(world: World) -> None:
    """A program without expires_at has written it. The watch reads the column as four bytes."""
    world.sql(
        "INSERT INTO notification (provider, notification_id, status, first_seen_at, version, due_at, next_look_at, expires_at)"
        " VALUES ('blux', 'a', 'PENDING', now(), 1, now(), NULL, NULL), ('blux', 'b', 'PENDING', now(), 1, now(), now(), NULL),"
        " ('blux', 'c', 'PENDING', now(), 1, now(), now(), now())"
    )
    with world.connect() as connection:
        statement = (builds.ROOT / "processor/tables/watch_due.sql").read_text("utf-8")
        connection.execute(f"PREPARE watch_due AS {statement}")
        rows = connection.execute("EXECUTE watch_due (ARRAY['blux'], ARRAY[0], ARRAY[now()], ARRAY[5], ARRAY[0], ARRAY[NULL::timestamptz])").fetchall()
    assert {row["notification_id"]: row["expired"] for row in rows} == {"a": 0, "b": 0, "c": 1}


# --- people


@pytest.mark.parametrize("index", LOOKUPS)
def test_what_people_and_the_watch_look_for_is_found_by_an_index(world: World, index: str) -> None:
    world.sql(FILL)
    world.sql("ANALYZE")
    plan = "\n".join(row["QUERY PLAN"] for row in world.sql(f"EXPLAIN {LOOKUPS[index]}"))
    assert index in plan and "Sort" not in plan, plan
