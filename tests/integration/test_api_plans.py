# SPDX-License-Identifier: MIT
"""What each question to the query API reads: a few rows, found by an index, however many there are, whether a table was ever analysed or not."""

import json
import re

import pytest
from support import builds
from support.world import World

# pg_use_indexes() and processor/api/pool.c
API_SETTINGS = "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_sort = off; SET jit = off; SET plan_cache_mode = force_custom_plan"
# Beside {rows} notifications, and as many receipts, acceptances, alerts and contacts, 20,000 of what there is less of.
MANY = """
INSERT INTO notification (provider, notification_id, status, code, reference, recipient_hash, due_at, first_seen_at, version)
SELECT (ARRAY['bizgo', 'blux'])[1 + n / 10 % 2], 'n-' || n, CASE WHEN n % 10 = 0 THEN 'DEAD_LETTER' WHEN n % 10 = 1 THEN 'PENDING' ELSE 'SENT' END,
       'c' || n % 50, 'order-' || n, decode(md5(n::text), 'hex'), now(), now() - n * interval '1 s', 1 FROM generate_series(1, {rows}) AS n;
INSERT INTO receipt (receipt_id, provider, notification_id, outcome, code, element, received_at, event_id, source_partition, source_offset)
SELECT gen_random_uuid(), 'bizgo', 'n-' || n, 'delivered', 'x', '{{}}', now(), gen_random_uuid(), 0, n FROM generate_series(1, {rows}) AS n;
INSERT INTO acceptance (acceptance_id, provider, notification_id, registration, accepted_at, received_at, event_id, source_partition, source_offset)
SELECT gen_random_uuid(), 'bizgo', 'n-' || n, '{{}}', now(), now(), gen_random_uuid(), 0, n FROM generate_series(1, {rows}) AS n;
INSERT INTO alert (alert_id, type, provider, subject, data, raised_at, source_topic, source_partition, source_offset, source_event, told)
SELECT gen_random_uuid(), CASE WHEN n = 7 THEN 'a.b.rare.v1' ELSE 'a.b.often.v1' END, CASE WHEN n % 50 = 0 THEN 'blux' ELSE 'bizgo' END, 'n-' || n, '{{}}',
       now() - n * interval '1 s', 't', 0, n, 'x', true
FROM generate_series(1, {rows}) AS n;
INSERT INTO incident (incident_id, kind, provider, endpoint, scope, since, opened_at, closed_at, judged_until, gap_ms, faults, details)
SELECT gen_random_uuid(), 'silent', 'p' || n % 50, '', '', now(), now() - n * interval '1 min', CASE WHEN n > 5 THEN now() END, now(), 0, 0, '{{}}'
FROM generate_series(1, 20000) AS n;
INSERT INTO quarantine (source_partition, source_offset, reason, received_at, size_bytes)
SELECT 0, n, 'x', now() - n * interval '1 s', 1 FROM generate_series(1, 20000) AS n;
INSERT INTO contact (provider, contact_id, provider_id, deleted, phone_hash, email_hash, consents, changed_at, gone_at, other_ids)
SELECT CASE WHEN n % 50 = 0 THEN 'another' ELSE 'channeltalk' END, 'm-' || n, 'o-' || n, n % 10 = 0, decode(md5(n::text), 'hex'), decode(md5('e' || n), 'hex'),
       CASE WHEN n % 10 = 0 THEN '{{}}' WHEN n % 1000 = 1 THEN '{{"email": true, "texting": false}}' ELSE '{{"email": true, "texting": true}}' END::jsonb,
       CASE WHEN n % 10 > 0 THEN now() - n * interval '1 s' END, CASE WHEN n % 10 = 0 THEN now() - n * interval '1 s' END,
       CASE WHEN n % 100 = 1 THEN jsonb_build_array('e-' || n) END
FROM generate_series(1, {rows}) AS n;
INSERT INTO delivery_minute SELECT date_trunc('minute', now()) - n * interval '1 min', 'blux', 'blux/sms', 'delivered', 0, 1 FROM generate_series(1, 20000) AS n;
INSERT INTO code_minute SELECT date_trunc('minute', now()) - n * interval '1 min', 'blux', 'blux/sms', 'failed', 'SMS', 'c', 0, 1
FROM generate_series(1, 20000) AS n;
INSERT INTO endpoint_minute SELECT date_trunc('minute', now()) - n * interval '1 min', 'blux/sms', 'i', gen_random_uuid(), 'blux',
  1, 1, 0, '{{}}', 0, 0, 0, NULL, false FROM generate_series(1, 20000) AS n;
INSERT INTO rhythm VALUES ('blux/sms', 'blux', '{{}}', '{{}}', now(), 'learning', NULL, NULL, 0, 0);
INSERT INTO watch_look (instance, leads_since, looked_at, hidden_partitions) VALUES ('i', now(), now(), 0);
"""
START, NIL = "'infinity', '', ''", "'00000000-0000-0000-0000-000000000000'"
BEHIND = "now() - interval '1 hour', 'blux', 'n-3600'"
LATER_CONTACTS = "now() - interval '1 hour', 'channeltalk', 'm-3600'"
# A question and the most rows that it may read. A list reads a page of each status or type of each provider; the overview up to 1000 open
# notifications of each provider, 1000 of the dead letters of a day, the newest 1000 in quarantine, and counters of three hours. What is overdue is
# among 1000 open ones of each of the two providers.
PAGE, OVERDUE, OVERVIEW = 700, 2700, 8000
QUERIES = [
    ("api_overview", "'{}'", OVERVIEW),
    ("api_notifications", f"NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, {START}, 51", PAGE),
    ("api_notifications", f"NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, {BEHIND}, 51", PAGE),
    ("api_notifications", f"'blux', NULL, 'SENT', NULL, NULL, NULL, NULL, NULL, {BEHIND}, 51", PAGE),
    ("api_notifications", f"NULL, NULL, 'DEAD_LETTER', NULL, NULL, NULL, now() - interval '2 hours', NULL, {BEHIND}, 51", PAGE),
    ("api_notifications", f"NULL, NULL, 'DEAD_LETTER', 'c10', NULL, NULL, NULL, NULL, {START}, 51", PAGE),
    ("api_notifications", f"'bizgo', NULL, 'PENDING', 'nothing', NULL, NULL, NULL, NULL, {START}, 51", PAGE),
    ("api_notifications", f"NULL, 'n-17', NULL, NULL, NULL, NULL, NULL, NULL, {START}, 51", PAGE),
    ("api_notifications", f"NULL, NULL, NULL, NULL, 'order-17', NULL, NULL, NULL, {START}, 51", PAGE),
    ("api_notifications", f"'blux', NULL, 'SENT', 'c17', NULL, md5('17'), NULL, NULL, {START}, 51", PAGE),
    ("api_notifications", f"'blux', NULL, 'SENT', 'c17', 'order-17', md5('17'), NULL, NULL, {START}, 51", PAGE),
    ("api_notifications", f"NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'yes', {START}, 51", OVERDUE),
    ("api_notification", "'bizgo', 'n-1000', '{}'", PAGE),
    ("api_incidents", f"NULL, NULL, NULL, NULL, NULL, 'infinity', {NIL}, 51", PAGE),
    ("api_incidents", f"NULL, NULL, NULL, NULL, NULL, now() - interval '1 day', {NIL}, 51", PAGE),
    ("api_incident", "'00000000-0000-0000-0000-000000000000'", PAGE),
    ("api_alerts", f"NULL, NULL, NULL, NULL, 'infinity', {NIL}, 51", PAGE),
    ("api_alerts", f"'a.b.rare.v1', NULL, NULL, NULL, 'infinity', {NIL}, 51", PAGE),
    ("api_alerts", f"NULL, 'often', 'blux', NULL, now() - interval '1 hour', {NIL}, 51", PAGE),
    ("api_quarantine", "NULL, NULL, NULL, NULL, 'infinity', -1, -1, 51", PAGE),
    ("api_quarantine", "NULL, NULL, NULL, NULL, now() - interval '1 hour', 0, 3600, 51", PAGE),
    ("api_contact", "'channeltalk', 'm-17'", PAGE),
    ("api_contact", "'channeltalk', 'o-17'", PAGE),
    ("api_contact", "'channeltalk', 'e-1001'", PAGE),
    ("api_contacts", f"NULL, NULL, NULL, NULL, NULL, NULL, NULL, {START}, 51", PAGE),
    ("api_contacts", f"NULL, NULL, NULL, NULL, NULL, NULL, NULL, {LATER_CONTACTS}, 51", PAGE),
    ("api_contacts", f"'another', NULL, 'deleted', NULL, NULL, NULL, now() - interval '1 hour', {START}, 51", PAGE),
    ("api_contacts", f"'channeltalk', NULL, 'known', 'email', 'texting', NULL, NULL, {LATER_CONTACTS}, 51", PAGE),
    ("api_contacts", f"NULL, NULL, NULL, NULL, 'nothing', NULL, NULL, {START}, 51", PAGE),
    ("api_contacts", f"NULL, 'm-17', NULL, NULL, NULL, NULL, NULL, {START}, 51", PAGE),
    ("api_contacts", f"'channeltalk', 'o-17', NULL, 'email', NULL, NULL, NULL, {START}, 51", PAGE),
    ("api_contacts", f"NULL, 'e-1001', NULL, NULL, NULL, NULL, NULL, {START}, 51", PAGE),
    ("api_contacts", f"'channeltalk', NULL, 'known', 'email', NULL, md5('17'), NULL, {START}, 51", PAGE),
    ("api_contacts", f"NULL, NULL, NULL, NULL, NULL, md5('e17'), NULL, {START}, 51", PAGE),
    ("api_stats", "'blux', NULL, 'minute', now() - interval '1 hour', now()", PAGE),
    ("api_code_stats", "'blux', NULL, 'minute', now() - interval '1 hour', now(), NULL, NULL, '{}'", PAGE),
]  # fmt: skip
TABLES = (
    "notification", "receipt", "acceptance", "alert", "incident", "quarantine", "contact", "delivery_minute", "code_minute", "endpoint_minute",
    "rhythm", "watch_look",
)  # fmt: skip


def rows_read(node: dict) -> float:
    """Of all scans, those that were filtered out among them."""
    own = (node["Actual Rows"] + node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)) * node["Actual Loops"]
    return (own if "Relation Name" in node else 0) + sum(map(rows_read, node.get("Plans", [])))


@pytest.mark.parametrize("rows", [20_000, pytest.param(1_000_000, marks=[pytest.mark.slow, pytest.mark.timeout(900)])])
@pytest.mark.parametrize("analysed", [False, True], ids=["never analysed", "analysed"])
def test_no_query_reads_much_more_than_it_shows(world: World, analysed: bool, rows: int) -> None:
    for table in TABLES:
        world.sql(f"ALTER TABLE {table} SET (autovacuum_enabled = off)")
    world.sql(MANY.format(rows=rows))
    if analysed:
        world.sql("ANALYZE")
    with world.connect() as connection:
        connection.execute(API_SETTINGS)
        for number, (name, values, most) in enumerate(QUERIES):
            statement = (builds.ROOT / f"processor/tables/{name}.sql").read_text("utf-8")
            connection.execute(f"PREPARE q{number} AS {statement}")
            (row,) = connection.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE q{number} ({values})").fetchall()
            (explained,) = row["QUERY PLAN"]
            text = json.dumps(explained["Plan"], indent=1)
            whole = set(re.findall('"Node Type": "Seq Scan".*?"Relation Name": "([^"]*)"', text, re.DOTALL)) - {"watch_look"}
            print(f"{rows} rows, {name} ({values}): {rows_read(explained['Plan']):.0f} read, {explained['Execution Time']:.1f} ms")
            assert not whole, f"{name} ({values}) reads all of {whole}\n{text}"
            assert rows_read(explained["Plan"]) < most, f"{name} ({values}) reads {rows_read(explained['Plan'])} rows\n{text}"
