# SPDX-License-Identifier: MIT
"""A batch finds its rows by the indexes, also in tables that were never analysed: autovacuum comes late, and until then such a plan would
read whole tables. And what a write costs where a table is large."""

import pytest

from support import payloads
from support.wait import until
from support.world import World

TABLES = ["notification", "receipt", "alert", "quarantine_alert"]
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
    for table in TABLES:
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
    until("its statistics are there", lambda: scans(world, "n_tup_upd")["notification"] == len(later))
    hot = scans(world, "n_tup_hot_upd")["notification"]
    print(f"{hot} of {len(later)} updates were HOT")
    assert hot > 0.9 * len(later)


LOOKUPS = {
    "alert_subject": "SELECT * FROM alert WHERE provider = 'blux' AND subject = 'known-1'",
    "notification_recipient": "SELECT * FROM notification WHERE recipient_hash = '\\x00'",
    "notification_reference": "SELECT * FROM notification WHERE reference = 'order-17'",
    "notification_not_sent": "SELECT * FROM notification WHERE provider = 'blux' AND status = 'PENDING' "
    "AND (first_seen_at, notification_id) < (now(), 'x') ORDER BY first_seen_at DESC, notification_id DESC LIMIT 50",
    "notification_next_look": "SELECT * FROM notification WHERE next_look_at <= now() ORDER BY next_look_at LIMIT 50",
}


@pytest.mark.parametrize("index", LOOKUPS)
def test_what_people_and_the_watch_look_for_is_found_by_an_index(world: World, index: str) -> None:
    world.sql(FILL)
    world.sql("ANALYZE")
    plan = "\n".join(row["QUERY PLAN"] for row in world.sql(f"EXPLAIN {LOOKUPS[index]}"))
    assert index in plan and "Sort" not in plan, plan
