# SPDX-License-Identifier: MIT
"""The query API: each path, each fault, the key; pages that lose and repeat nothing; a role that only reads."""

import hmac
import itertools
import json
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from support import builds, http, payloads
from support.api import PROBLEM, ROLE, Api, check_contract, make_role
from support.service import run_once
from support.wait import until, until_equal
from support.world import World

NOTIFICATIONS, INCIDENTS, ALERTS, QUARANTINE, CONTACTS = "/v1/notifications", "/v1/incidents", "/v1/alerts", "/v1/quarantine", "/v1/contacts"
STATS, CODES = "/v1/stats", "/v1/stats/codes"
STORY, CONTACT = "/v1/notifications/bizgo/nobody", "/v1/contacts/channeltalk/nobody"
PATHS = ["/v1/overview", NOTIFICATIONS, STORY, INCIDENTS, f"{INCIDENTS}/x", ALERTS, QUARANTINE, STATS, CODES, CONTACTS, CONTACT]
TRY_LOCK = "SELECT pg_try_advisory_lock(('x' || lpad(encode(%s, 'hex'), 16, '0'))::bit(64)::bigint)"  # processor/postgres/try_lock.sql
DEAD = "dochak.notification.dead_lettered.v1"
REASONS = json.loads((builds.ROOT / "schemas/providers/bizgo.json").read_text("utf-8"))["outcomes"]


@pytest.fixture(scope="module")
def api(module_worlds, kafka, postgres) -> Api:
    """With a role of its own."""
    world = module_worlds.new(kafka, postgres)
    url = make_role(world)
    done = run_once("processor", world.owner_env(DOCHAK_API_ROLE=ROLE), "migrate")
    assert done.returncode == 0 and f"{ROLE} may read" in done.stdout, done
    world.new_ingress().start().wait_ready()
    api = Api(world, DOCHAK_API_POSTGRES_URL=url).start()
    api.world = world
    return api


@pytest.fixture(scope="module")
def filled(module_worlds, kafka, postgres) -> Iterator[Api]:
    """Rows of every kind, a few of each at the same time. Nothing writes meanwhile: there is no ingress, and the watch does not lead."""
    world = module_worlds.new(kafka, postgres)
    world.sql(FILL)
    world.sql("CREATE SEQUENCE place")
    with world.connect() as connection:
        assert connection.execute(TRY_LOCK, [b"watch"]).fetchone()["pg_try_advisory_lock"]
        api = Api(world).start()
        api.world = world
        yield api
        for service in world.services:
            if service.is_alive():
                service.stop()  # before another one could lead


DAY, NEXT_DAY = ((datetime.now(UTC) - timedelta(days=days)).date().isoformat() for days in (3, 2))
NOON = f"timestamptz '{DAY} 12:00:00Z'"
FILL = f"""
INSERT INTO notification (provider, notification_id, status, code, reference, recipient, recipient_hash, due_at, first_seen_at, version)
SELECT (ARRAY['bizgo', 'blux', 'gone'])[1 + n % 3], 'n-' || n, (ARRAY['PENDING', 'SENT', 'DEAD_LETTER', 'SENT', 'SENT'])[1 + n % 5],
       (ARRAY['A000', '64008', '3001', NULL])[1 + n % 4], CASE WHEN n % 7 = 0 THEN 'order-' || n % 14 END, '+8210****5678',
       CASE WHEN n % 2 = 0 THEN decode(repeat(to_hex(n % 3), 64), 'hex') END,
       (ARRAY[{NOON} + interval '1 hour', now() + interval '1 day', NULL])[1 + n / 10 % 3], {NOON} + (n / 10) * interval '1.000007 second', 1
FROM generate_series(1, 600) AS n;
INSERT INTO alert (alert_id, type, provider, subject, data, raised_at, source_topic, source_partition, source_offset, source_event, told)
SELECT gen_random_uuid(), CASE WHEN n % 11 = 0 THEN 'dochak.events.lost.v1' ELSE '{DEAD}' END,
       CASE WHEN n % 11 > 0 THEN (ARRAY['bizgo', 'blux'])[1 + n % 2] END, 'n-' || n, '{{"n": 1}}',
       {NOON} + (n / 10) * interval '1.000007 second', 'another', 0, n, 'x', n % 2 = 0
FROM generate_series(1, 300) AS n;
INSERT INTO incident (incident_id, kind, provider, endpoint, scope, since, opened_at, closed_at, judged_until, gap_ms, faults, folded, details)
SELECT gen_random_uuid(), (ARRAY['failing', 'silent', 'slow'])[1 + n % 3], 'p' || n % 4, CASE WHEN n % 2 = 0 THEN 'e' ELSE '' END, '' || n,
       {NOON}, {NOON} + (n / 10) * interval '1.000007 second', CASE WHEN n % 5 > 0 THEN {NOON} + interval '1 day' END, {NOON}, 0, 0, n,
       '{{"summary": "what is wrong", "check_first": ["look"]}}'
FROM generate_series(1, 300) AS n;
INSERT INTO quarantine (source_partition, source_offset, event_id, provider, endpoint, reason, received_at, size_bytes, redriven_at)
SELECT n % 3, n / 3, CASE WHEN n % 5 > 0 THEN gen_random_uuid() END, CASE WHEN n % 2 = 0 THEN 'blux' END, CASE WHEN n % 4 = 0 THEN 'blux/sms' END,
       'no JSON', {NOON} + (n / 10) * interval '1.000007 second', n, CASE WHEN n % 7 = 0 THEN now() END
FROM generate_series(1, 300) AS n;
INSERT INTO delivery_minute (minute, provider, endpoint, outcome, partition, records)
SELECT {NOON} + (n / 4) * interval '1 minute', (ARRAY['bizgo', ''])[1 + n % 2], (ARRAY['bizgo/alimtalk', ''])[1 + n % 2], 'delivered', n % 4, n
FROM generate_series(0, 599) AS n;
INSERT INTO code_minute (minute, provider, endpoint, outcome, channel, code, partition, records)
SELECT {NOON} + (n / 4) * interval '1 minute', 'bizgo', (ARRAY['bizgo/alimtalk', ''])[1 + n % 2], (ARRAY['failed', 'accepted'])[1 + n % 2],
       (ARRAY['ALIMTALK', ''])[1 + n % 2], (ARRAY['64008', ''])[1 + n % 2], n % 4, n
FROM generate_series(0, 599) AS n;
INSERT INTO endpoint_minute (minute, endpoint, instance, event_id, provider, calls, good, refused, refused_by, failed, failed_in_a_row, spooled, leaving)
SELECT {NOON} + n * interval '1 minute', 'bizgo/alimtalk', 'i', gen_random_uuid(), 'bizgo', 10, 7, 2, '{{}}', 3, 0, 0, false
FROM generate_series(0, 149) AS n;
INSERT INTO contact (provider, contact_id, provider_id, deleted, phone, phone_hash, consents, version, changed_at, deleted_at, gone_at, sealed)
VALUES ('channeltalk', 'm/1', 'own-1', false, '+8210****4321', decode(repeat('ab', 32), 'hex'), '{{"texts": true}}', 7, {NOON}, NULL, NULL, '\\x00'),
       ('channeltalk', 'm 2', 'm/1', true, NULL, NULL, '{{}}', NULL, NULL, {NOON}, {NOON} + interval '1 hour', NULL);
INSERT INTO contact (provider, contact_id, provider_id, deleted, phone_hash, email_hash, consents, changed_at, deleted_at, gone_at, other_ids)
SELECT (ARRAY['channeltalk', 'another'])[1 + n % 2], 'c-' || n, CASE WHEN n % 3 > 0 THEN 'own-' || n / 2 END, n % 7 = 0,
       CASE WHEN n % 7 > 0 AND n % 5 = 0 THEN decode(repeat(to_hex(n % 3), 64), 'hex') END,
       CASE WHEN n % 7 > 0 AND n % 4 = 0 THEN decode(repeat(to_hex(n % 3), 64), 'hex') END,
       CASE WHEN n % 7 = 0 THEN '{{}}' ELSE (ARRAY['{{"email": true, "texting": false}}', '{{"email": false, "texting": true}}', '{{"texting": true}}', '{{}}']::jsonb[])[1 + n % 4] END,
       CASE WHEN n % 7 > 0 OR n % 2 = 0 THEN {NOON} + (n / 10) * interval '1.000007 second' END,
       CASE WHEN n % 21 = 0 THEN {NOON} + (n / 10) * interval '1.000007 second' END,
       CASE WHEN n % 7 = 0 AND n % 21 > 0 THEN {NOON} + (n / 10) * interval '1.000007 second' END,
       CASE WHEN n % 30 = 0 THEN jsonb_build_array('once-' || n, 'own-1') END
FROM generate_series(1, 300) AS n;
ANALYZE;
"""


def refused(answer: http.Answer, status: int, parameter: str | None = None) -> dict:
    problem = answer.json()
    assert (answer.status, problem.get("parameter")) == (status, parameter), answer
    return problem


# --- a message


def test_a_message_is_found_by_all_that_is_known_of_it_and_its_story_has_everything(api: Api) -> None:
    world, id_ = api.world, payloads.new_id("a/b c+d&")
    world.register(payloads.accepted("bizgo", id_, recipient=payloads.PHONE_E164, reference="order-17", channel="ALIMTALK"))
    world.bizgo(payloads.bizgo(id_, "64008", reportText=f"no account for {payloads.PHONE}"))
    world.wait_row("bizgo", id_, status="DEAD_LETTER")
    world.settle()
    (item,) = api.get(NOTIFICATIONS, reference="order-17")["items"]
    assert (item["notification_id"], item["status"], item["code"], item["recipient"]) == (id_, "DEAD_LETTER", "64008", "+8210****4321")
    same = [
        api.get(NOTIFICATIONS, recipient_hash=item["recipient_hash"].upper()),
        api.get(NOTIFICATIONS, {"Dochak-Recipient": payloads.PHONE_E164}),
        api.get(NOTIFICATIONS, {"Dochak-Recipient": "010-8765-4321"}, reference="order-17", status="DEAD_LETTER", provider="bizgo"),
        api.get(NOTIFICATIONS, status="DEAD_LETTER", code="64008", since=item["first_seen_at"]),
        api.get(NOTIFICATIONS, id=id_),
    ]
    assert all(page["items"] == [item] for page in same), same
    assert api.get(NOTIFICATIONS, {"Dochak-Recipient": payloads.PHONE}, reference="order-17")["items"] == []
    story = api.story("bizgo", id_)
    assert story["notification"] == item and not story["truncated"]
    (acceptance,), (receipt,), (alert,) = story["acceptances"], story["receipts"], story["alerts"]
    assert acceptance["registration"]["reference"] == "order-17"
    assert (receipt["outcome"], receipt["code"], receipt["endpoint"]) == ("account_fault", "64008", "bizgo/alimtalk")
    assert receipt["element"]["msgKey"] == id_ and receipt["reason"] == REASONS["64008"]["reason"]
    assert (alert["type"], alert["data"]["notification_id"]) == (DEAD, id_)
    assert alert in api.get(ALERTS, type=DEAD)["items"] and alert in api.get(ALERTS, kind="dead_lettered", provider="bizgo")["items"]
    text = json.dumps(story)
    assert not [phone for phone in payloads.PHONES if phone in text], text


def test_a_long_history_and_large_documents_are_cut(api: Api) -> None:
    world, id_ = api.world, payloads.new_id("long")
    world.sql("INSERT INTO notification (provider, notification_id, status, first_seen_at, version) VALUES ('blux', %s, 'SENT', now(), 1)", id_)
    world.sql(
        """INSERT INTO receipt (receipt_id, provider, notification_id, outcome, code, element, received_at, event_id, source_partition, source_offset)
           SELECT gen_random_uuid(), 'blux', %s, 'delivered', 'x', to_jsonb(repeat('x', 400 * n)), now() + n * interval '1 s', gen_random_uuid(), 0, n
           FROM generate_series(1, 101) AS n""",
        id_,
    )
    story = api.story("blux", id_)
    assert len(story["receipts"]) == 100 and story["truncated"]
    for number, receipt in enumerate(story["receipts"], 1):
        assert receipt["element"] == ("x" * 400 * number if 400 * number + 2 <= 32768 else None)


# --- lists


@dataclass(frozen=True)
class Listed:
    """What a list is of, and the ways to ask for it. A parameter without a condition of its own is compared with the column of its name."""

    table: str
    time: str
    keys: tuple[str, ...]
    choices: dict[str, list]
    conditions: dict[str, str]
    arrival: str  # takes a text that is new, and a time

    def search(self, world: World, **given: str | None) -> list[tuple[str, ...]]:
        """The keys of all that a search of the whole table finds, in the list's order."""
        common = {"since": f"{self.time} >= %s", "until": f"{self.time} < %s", **self.conditions}
        asked = {name: value for name, value in given.items() if value is not None}
        where = " AND ".join(["true", *(common.get(name, f"{name} = %s") for name in asked)])
        order = ", ".join(f"{key} DESC" for key in (self.time, *self.keys))
        rows = world.sql(f"SELECT {', '.join(self.keys)} FROM {self.table} WHERE {where} ORDER BY {order}", *asked.values())
        return [tuple(map(str, row.values())) for row in rows]

    def places(self, items: list[dict]) -> list[tuple[str, ...]]:
        return [tuple(str(item[key.removeprefix("source_")]) for key in self.keys) for item in items]


SINCE = [None, f"{DAY}T12:00:15Z"]
END = f"{NEXT_DAY}T00:00:00Z"
LISTS = {
    NOTIFICATIONS: Listed(
        "notification", "first_seen_at", ("provider", "notification_id"),
        {"provider": [None, "gone"], "id": [None, "n-77"], "status": [None, "PENDING", "SENT", "DEAD_LETTER"], "code": [None, "64008"],
         "reference": [None, "order-0"], "recipient_hash": [None, "1" * 64], "since": SINCE, "overdue": [None, "yes"], "until": [END, f"{DAY}T21:00:40+09:00"]},
        {"id": "notification_id = %s", "recipient_hash": "recipient_hash = decode(%s, 'hex')",
         "overdue": "status = 'PENDING' AND due_at <= now() AND %s = 'yes'"},
        "INSERT INTO notification (provider, notification_id, status, first_seen_at, version) VALUES ('bizgo', %s, 'SENT', %s, 1)",
    ),
    INCIDENTS: Listed(
        "incident", "opened_at", ("incident_id",),
        {"status": [None, "open", "closed"], "kind": [None, "slow"], "provider": [None, "p1"], "endpoint": [None, "e"], "since": SINCE, "until": [END]},
        {"status": "CASE WHEN closed_at IS NULL THEN 'open' ELSE 'closed' END = %s"},
        "INSERT INTO incident SELECT gen_random_uuid(), 'slow', 'new', %s, 'x', now(), %s, now(), now(), 0, 0, 0, '{}'",
    ),
    ALERTS: Listed(
        "alert", "raised_at", ("alert_id",),
        {"type": [None, DEAD, "nothing"], "kind": [None, "dead_lettered", "lost"], "provider": [None, "bizgo", "blux"], "since": SINCE, "until": [END]},
        {"kind": "type LIKE '%%.' || %s || '.v1'"},
        "INSERT INTO alert SELECT gen_random_uuid(), 'x', 'new', %s, '{}', NULL, %s, 'another', 0, 0, 'x'",
    ),
    QUARANTINE: Listed(
        "quarantine", "received_at", ("source_partition", "source_offset"),
        {"provider": [None, "blux", "nobody"], "endpoint": [None, "blux/sms"], "redriven": [None, "yes", "no"], "since": SINCE, "until": [END]},
        {"redriven": "CASE WHEN redriven_at IS NULL THEN 'no' ELSE 'yes' END = %s"},
        "INSERT INTO quarantine SELECT 9, nextval('place'), NULL, NULL, NULL, %s, %s, 0, NULL",
    ),
    CONTACTS: Listed(
        "(SELECT *, greatest(changed_at, deleted_at, gone_at) AS last_at FROM contact) AS contact", "last_at", ("provider", "contact_id"),
        {"provider": [None, "channeltalk"], "id": [None, "c-7", "own-1"], "status": [None, "known", "deleted"], "consent_given": [None, "texting"],
         "consent_withdrawn": [None, "email", "nothing"], "recipient_hash": [None, "1" * 64], "since": SINCE, "until": [END]},
        {"id": "%s = ANY (ARRAY[contact_id, provider_id] || ARRAY(SELECT jsonb_array_elements_text(other_ids)))",
         "status": "CASE WHEN deleted THEN 'deleted' ELSE 'known' END = %s", "consent_given": "consents ->> %s = 'true'",
         "consent_withdrawn": "consents ->> %s = 'false'", "recipient_hash": "decode(%s, 'hex') IN (phone_hash, email_hash)"},
        "INSERT INTO contact (provider, contact_id, deleted, consents, changed_at) VALUES ('channeltalk', %s, false, '{}', %s)",
    ),
}  # fmt: skip


def is_refused(path: str, given: dict[str, str | None]) -> bool:
    """`code` alone finds nothing that has arrived."""
    is_searched = path == NOTIFICATIONS and given["code"] and given["status"] in (None, "SENT")
    return bool(is_searched) and not (given["id"] or given["reference"] or given["recipient_hash"] or given["overdue"])


@pytest.mark.parametrize("path", LISTS)
def test_every_set_of_filters_finds_what_a_search_of_the_whole_table_finds(filled: Api, path: str) -> None:
    listed, found = LISTS[path], 0
    for values in itertools.product(*listed.choices.values()):
        given = dict(zip(listed.choices, values, strict=True))
        answer = filled.ask(path, limit=200, **given)
        if is_refused(path, given):
            refused(answer, 400, "code")
            continue
        items = answer.json()["items"]
        assert listed.places(items) == listed.search(filled.world, **given)[:200], given
        found += len(items)
    assert found > 300


@pytest.mark.parametrize("limit", [7, 200])
@pytest.mark.parametrize("path", LISTS)
def test_pages_give_each_item_once_in_order_while_others_come(filled: Api, path: str, limit: int) -> None:
    """Several have the same time, and their times have microseconds."""
    world, listed, numbers = filled.world, LISTS[path], itertools.count()
    expected = listed.search(world, until=END)

    def come() -> None:
        world.sql(listed.arrival, f"new-{path}-{limit}-{next(numbers)}", datetime.now(UTC) + timedelta(days=1))

    assert listed.places(filled.pages(path, between=come, limit=limit, until=END)) == expected
    without_until = filled.pages(path, between=come, limit=limit)
    assert listed.places([item for item in without_until if item[listed.time] < NEXT_DAY]) == expected
    assert next(numbers) >= len(expected) // limit


def test_an_incident_has_the_members_of_its_alerts_and_is_found_by_its_id(filled: Api) -> None:
    items = filled.get(INCIDENTS, until=END)["items"]
    assert all(item["summary"] == "what is wrong" and item["check_first"] == ["look"] for item in items)
    assert filled.get(f"{INCIDENTS}/{items[7]['incident_id']}") == items[7]


def test_what_ingress_and_the_processor_put_in_quarantine_is_listed(api: Api) -> None:
    world = api.world
    assert world.post("bizgo/alimtalk", b"no JSON").status == 200
    world.settle()
    (record,) = world.topics.read("quarantine")
    (item,) = api.get(QUARANTINE)["items"]
    assert (item["partition"], item["offset"], item["event_id"]) == (record.partition, record.offset, record.id)
    assert (item["provider"], item["endpoint"], item["size_bytes"], item["redriven_at"]) == ("bizgo", "bizgo/alimtalk", 7, None)
    assert item["reason"] == record.header("ce_reason")


# --- counters, people


def test_stats_add_up_what_was_counted(filled: Api) -> None:
    hours = {"since": f"{DAY}T12:00:00Z", "until": f"{DAY}T15:00:00Z"}
    minutes = filled.get(STATS, **hours)
    assert sum(row["records"] for row in minutes["deliveries"]) == sum(range(600))
    assert len(minutes["deliveries"]) == 300 and len(minutes["endpoints"]) == 150 and not minutes["truncated"]
    by_hour = filled.get(STATS, step="hour", provider="bizgo", endpoint="bizgo/alimtalk", **hours)
    assert [row["begins"] for row in by_hour["endpoints"]] == [f"{DAY}T{hour}:00:00+00:00" for hour in (14, 13, 12)]
    assert [(row["calls"], row["good"], row["refused"], row["failed"]) for row in by_hour["endpoints"]] == [
        (300, 210, 60, 90), (600, 420, 120, 180), (600, 420, 120, 180)
    ]  # fmt: skip
    assert sum(row["records"] for row in by_hour["deliveries"]) == sum(range(0, 600, 2))
    day = filled.get(STATS, step="day", since=f"{DAY}T00:00:00Z", until=f"{NEXT_DAY}T00:00:00Z")
    assert {(row["provider"], row["records"]) for row in day["deliveries"]} == {("bizgo", sum(range(0, 600, 2))), (None, sum(range(1, 600, 2)))}


def test_stats_by_channel_and_code_have_the_words_of_the_code(filled: Api) -> None:
    hours = {"since": f"{DAY}T12:00:00Z", "until": f"{DAY}T15:00:00Z"}
    minutes = filled.get(CODES, **hours)
    assert len(minutes["codes"]) == 300 and sum(row["records"] for row in minutes["codes"]) == sum(range(600)) and not minutes["truncated"]
    failed, accepted = sorted(filled.get(CODES, step="day", **hours)["codes"], key=lambda row: row["outcome"], reverse=True)
    assert (failed["channel"], failed["code"], failed["outcome"], failed["records"]) == ("ALIMTALK", "64008", "failed", sum(range(0, 600, 2)))
    assert failed["reason"] == REASONS["64008"]["reason"] and failed["endpoint"] == "bizgo/alimtalk"
    assert (accepted["channel"], accepted["code"], accepted["reason"], accepted["endpoint"]) == (None, None, None, None)
    only = filled.get(CODES, step="hour", channel="ALIMTALK", code="64008", provider="bizgo", endpoint="bizgo/alimtalk", **hours)["codes"]
    assert sum(row["records"] for row in only) == failed["records"] and len(only) == 3
    for other in ({"channel": "SMS"}, {"code": "1"}, {"provider": "blux"}, {"endpoint": "x"}):
        assert filled.get(CODES, **hours, **other)["codes"] == []


def test_a_contact_is_found_by_its_id_before_the_providers(filled: Api) -> None:
    known = filled.get("/v1/contacts/channeltalk/m%2F1")
    assert (known["contact_id"], known["status"], known["consents"], known["version"]) == ("m/1", "known", {"texts": True}, 7)
    assert filled.get("/v1/contacts/channeltalk/once-60")["contact_id"] == "c-60", "an id that the provider had for the person before"
    assert known in filled.get(CONTACTS, id="m/1")["items"] and known["last_at"] == known["changed_at"]
    gone = filled.get("/v1/contacts/channeltalk/m%202")
    assert (gone["status"], gone["phone"], gone["deleted_at"]) == ("deleted", None, f"{DAY}T13:00:00+00:00")


def test_a_contact_is_found_by_a_number_or_an_address_that_is_in_no_url(api: Api) -> None:
    """The number's hash is that of the messages to it."""
    world, id_ = api.world, payloads.new_id()
    world.register(payloads.accepted("bizgo", id_, recipient=payloads.PHONE_E164))
    phone = world.wait_row("bizgo", id_)["recipient_hash"]
    email = hmac.digest(world.keys["RECIPIENT"].encode(), b"hana@example.com", "sha256")
    world.sql(
        """INSERT INTO contact (provider, contact_id, deleted, phone_hash, email_hash, consents, changed_at)
           VALUES ('channeltalk', 'm-phone', false, %s, NULL, '{}', now()), ('channeltalk', 'm-email', false, NULL, %s, '{}', now())""",
        bytes(phone), email,
    )  # fmt: skip
    for contact, column, given in (("m-phone", "phone_hash", "010-8765-4321"), ("m-email", "email_hash", "Hana@Example.com")):
        (item,) = api.get(CONTACTS, {"Dochak-Recipient": given})["items"]
        assert item["contact_id"] == contact
        assert api.get(CONTACTS, recipient_hash=item[column])["items"] == [item]


# --- faults


@pytest.mark.parametrize(
    ("path", "status", "parameter"),
    [
        (f"{NOTIFICATIONS}?limit=0", 400, "limit"),
        (f"{NOTIFICATIONS}?limit=201", 400, "limit"),
        (f"{NOTIFICATIONS}?status=sent", 400, "status"),
        (f"{NOTIFICATIONS}?code=64008", 400, "code"),
        (f"{NOTIFICATIONS}?provider=", 400, "provider"),
        (f"{NOTIFICATIONS}?provider=%00", 400, "provider"),
        (f"{NOTIFICATIONS}?provider=%FF", 400, "provider"),
        (f"{NOTIFICATIONS}?provider=%", 400, None),
        (f"{NOTIFICATIONS}?providers=bizgo", 400, "providers"),
        (f"{NOTIFICATIONS}?provider=a&provider=b", 400, "provider"),
        (f"{NOTIFICATIONS}?recipient_hash=12", 400, "recipient_hash"),
        (f"{NOTIFICATIONS}?since=now", 400, "since"),
        (f"{NOTIFICATIONS}?until=2026-01-12T11:00:00+09:00", 400, "until"),
        (f"{NOTIFICATIONS}?cursor=abc", 400, "cursor"),
        (f"{NOTIFICATIONS}?reference={'x' * 4100}", 414, None),
        (f"{INCIDENTS}?kind=broken", 400, "kind"),
        (f"{INCIDENTS}?status=PENDING", 400, "status"),
        (f"{ALERTS}?kind=dead", 400, "kind"),
        (f"{CONTACTS}?status=open", 400, "status"),
        (f"{CONTACTS}?consent=texting", 400, "consent"),
        (f"{CODES}?step=week", 400, "step"),
        (f"{CODES}?channel=", 400, "channel"),
        ("/v1/overview?provider=bizgo", 400, "provider"),
        (f"{QUARANTINE}?redriven=true", 400, "redriven"),
        (f"{STATS}?step=week", 400, "step"),
        (f"{STATS}?since=2026-01-01T00:00:00Z&until=2026-01-12T00:00:00Z", 400, "since"),
        (f"{STORY}?limit=1", 400, "limit"),
        (STORY, 404, None),
        (CONTACT, 404, None),
        (f"{INCIDENTS}/00000000-0000-0000-0000-000000000000", 404, None),
        (f"{INCIDENTS}/no-uuid", 404, None),
        ("/v1/contacts/channeltalk/%ff", 404, None),
        ("/v1/nothing", 404, None),
        ("/v1/notifications/", 404, None),
    ],
)
def test_each_fault_is_a_problem_that_names_the_parameter(filled: Api, path: str, status: int, parameter: str | None) -> None:
    problem = refused(filled.ask(path), status, parameter)
    assert problem["title"] and problem["detail"]


def test_a_cursor_of_another_list_is_refused(filled: Api) -> None:
    cursor = filled.get(NOTIFICATIONS, limit=1)["next"]
    refused(filled.ask(ALERTS, cursor=cursor), 400, "cursor")


def test_a_recipient_is_named_once(filled: Api) -> None:
    refused(filled.ask(NOTIFICATIONS, {"Dochak-Recipient": "1"}, recipient_hash="1" * 64), 400, "Dochak-Recipient")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_no_path_takes_another_method(filled: Api, method: str) -> None:
    for path in PATHS:
        answer = http.request(filled.port, method, path, headers={"Authorization": f"Bearer {filled.key}"})
        assert (answer.status, answer.headers["allow"], answer.headers["content-type"]) == (405, "GET, HEAD", PROBLEM), answer


def test_a_body_is_refused(filled: Api) -> None:
    for headers in ({}, {"Transfer-Encoding": "chunked"}):
        answer = http.request(filled.port, "GET", ALERTS, b"5\r\nhello\r\n0\r\n\r\n", {"Authorization": f"Bearer {filled.key}", **headers})
        check_contract(ALERTS, answer)
        refused(answer, 413)


def test_head_is_get_without_the_body(filled: Api) -> None:
    with http.Wire(filled.port) as wire:
        wire.send(f"HEAD {STATS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {filled.key}\r\n\r\n".encode())
        answer = wire.answer(to_head=True)
        assert answer.status == 200 and wire.is_closed()


@pytest.mark.parametrize("request_", [b"rubbish\r\n\r\n", b"GET / HTTP/3.0\r\n\r\n", b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n"])
def test_what_is_no_request_gets_a_problem_too(filled: Api, request_: bytes) -> None:
    head, _, body = http.raw(filled.port, request_).partition(b"\r\n\r\n")
    assert f"Content-Type: {PROBLEM}".encode() in head, head
    assert json.loads(body)["status"] == http.status_of(head) >= 400


@pytest.mark.long
def test_schemathesis_finds_no_server_error_and_no_undocumented_answer(filled: Api) -> None:
    """Not what a contract cannot say: a cursor is one of ours, `code` takes a status beside it, a time is after 1970. Nor TRACE, which civetweb
    refuses with 400 before it asks us."""
    tool = Path(sys.executable).with_name("schemathesis")
    statuses = ["400", "401", "404", "405", "414"]
    (filled.world.folder / "schemathesis.toml").write_text(f"[checks.negative_data_rejection]\nexpected-statuses = {json.dumps(statuses)}\n")
    checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance"
    done = subprocess.run(
        [tool, "run", builds.ROOT / "schemas/openapi-processor.yaml", "--url", f"http://127.0.0.1:{filled.port}", "-H", f"Authorization: Bearer {filled.key}",
         "--checks", f"{checks},negative_data_rejection,ignored_auth", "--max-examples", "20", "--seed", "7", "--exclude-operation-id",
         "redriveQuarantined", "--no-color"],
        capture_output=True, text=True, timeout=240,
        cwd=filled.world.folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-20000:] + done.stderr


# --- the key


def test_without_the_key_there_is_nothing_to_read(filled: Api) -> None:
    key = filled.key
    wrong = [None, "", "Bearer", "Bearer ", f"Bearer {key[:-1]}", f"Bearer {key}x", f"Bearer {key.upper()}", f"Basic {key}", key, f"Bearer  {key}"]
    for path, given in itertools.product([*PATHS, "/v1/", "/v1/nothing", f"{ALERTS}?limit=0"], wrong):
        answer = http.request(filled.port, "GET", path, headers={"Authorization": given} if given is not None else {})
        assert (answer.status, answer.headers["www-authenticate"], answer.headers["content-type"]) == (401, 'Bearer realm="dochak"', PROBLEM)
        assert refused(answer, 401)["type"] == "urn:dochak:problem:key"


def test_two_keys_at_once_are_none(filled: Api) -> None:
    header = f"Authorization: Bearer {filled.key}\r\n"
    said = http.raw(filled.port, f"GET {ALERTS} HTTP/1.1\r\nHost: x\r\n{header}{header}\r\n".encode())
    assert http.status_of(said) == 401, said


def test_each_of_several_keys_is_valid(filled: Api) -> None:
    keys = [uuid.uuid4().hex, uuid.uuid4().hex]
    api = Api(filled.world, DOCHAK_API_KEY=",".join(keys))
    api.processor.secrets += keys
    api.start()
    for api.key in keys:
        assert api.get(ALERTS, until="1999-01-01T00:00:00Z") == {"items": [], "next": None}
    api.key = ",".join(keys)
    assert api.ask(ALERTS).status == 401


def test_without_a_key_nothing_listens(filled: Api) -> None:
    api = Api(filled.world, DOCHAK_API_KEY="")
    api.processor.start()
    until("it listens for probes", lambda: api.processor.metrics())
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", api.port), 5):
        pass


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"DOCHAK_API_KEY": "too-short"}, "DOCHAK_API_KEY: shorter than 32 characters"),
        ({"DOCHAK_API_KEY": f"{'a' * 32},{'b' * 31}"}, "DOCHAK_API_KEY: key 2: expected at least 32 characters, got 31"),
        ({"DOCHAK_API_KEY": f"{'a' * 31} b"}, "DOCHAK_API_KEY: key 1: expected only letters"),
        ({"DOCHAK_API_POSTGRES_URL": "postgresql://me:hush-hush@host/dochak?nothing=1"}, "DOCHAK_API_POSTGRES_URL: not a connection string of libpq"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_and_not_shown(filled: Api, settings: dict[str, str], fault: str) -> None:
    given = {"DOCHAK_API_KEY": "k" * 32, **settings}
    for arguments in (["--check"], []):
        done = run_once("processor", filled.world.env(DOCHAK_PROCESSOR_OPS_LISTEN="127.0.0.1:0", DOCHAK_API_LISTEN="127.0.0.1:0", **given), *arguments)
        assert done.returncode == 1 and fault in done.stderr and "hush-hush" not in done.stderr, done


# --- the database


def test_the_role_may_read_what_the_api_shows_and_nothing_else(api: Api) -> None:
    world = api.world
    api.get(ALERTS)
    users = world.sql("SELECT DISTINCT usename FROM pg_stat_activity WHERE datname = current_database() AND usename = %s", ROLE)
    assert users == [{"usename": ROLE}]
    rows = world.sql("SELECT table_name, privilege_type FROM information_schema.role_table_grants WHERE grantee = %s", ROLE)
    tables = {"schema_migration", "notification", "receipt", "acceptance", "alert", "incident", "quarantine", "delivery_minute", "code_minute", "endpoint_minute"}
    tables |= {"rhythm", "watch_look"}
    assert {(row["table_name"], row["privilege_type"]) for row in rows} == {(table, "SELECT") for table in tables}
    with world.connect(user=ROLE) as connection:
        connection.execute("SELECT contact_id FROM contact")
        for statement in ("SELECT sealed FROM contact", "DELETE FROM alert", "SELECT * FROM applied", "CREATE TABLE x ()"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)


@pytest.mark.parametrize("role", ["nobody_is_this", "dochak_runtime", "dochak"])
def test_a_role_that_is_not_there_or_may_write_is_no_role_of_the_api(filled: Api, role: str) -> None:
    done = run_once("processor", filled.world.owner_env(DOCHAK_API_ROLE=role), "migrate")
    assert done.returncode == 1 and f"DOCHAK_API_ROLE: {'there is no role' if role == 'nobody_is_this' else 'the role'} {role}" in done.stderr, done


def test_a_table_that_is_locked_makes_it_wait_for_a_second(filled: Api) -> None:
    with filled.world.connect() as connection, connection.transaction():
        connection.execute("LOCK TABLE incident IN ACCESS EXCLUSIVE MODE")
        answer = filled.ask(INCIDENTS)
        assert refused(answer, 503)["type"] == "urn:dochak:problem:busy" and int(answer.headers["retry-after"]) > 0
        filled.get(ALERTS)
    filled.get(INCIDENTS)


LARGE = "a.b.large.v1"
FILL_LARGE = f"""
INSERT INTO alert (alert_id, type, provider, data, raised_at, source_topic, source_partition, source_offset, source_event, told)
SELECT gen_random_uuid(), '{LARGE}', 'bizgo', jsonb_build_object('text', repeat('x', 32000)), now(), 'another', 0, n, 'x', true FROM generate_series(1, 200) AS n
"""
ANSWERED = "SELECT count(*) AS n FROM pg_stat_activity WHERE usename = %s AND datname = current_database() AND state <> 'idle'"


def test_clients_that_do_not_read_hold_no_connection_to_postgres_and_no_worker(api: Api) -> None:
    """More of them than the API has threads, each with an answer of 6 MB that it does not take."""
    world = api.world
    world.sql(FILL_LARGE)
    with ExitStack() as stack:
        for _ in range(40):
            client = stack.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(("127.0.0.1", api.port))
            client.sendall(f"GET {ALERTS}?type={LARGE}&limit=200 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api.key}\r\n\r\n".encode())
        id_ = payloads.new_id()
        world.bizgo(payloads.bizgo(id_, "10000"))
        world.wait_row("bizgo", id_, status="SENT")
        until_equal("Postgres has answered all that were asked", lambda: world.sql(ANSWERED, ROLE), [{"n": 0}])
        until_equal("others are answered again", lambda: http.request(api.port, "GET", "/v1/", timeout=20).status, 401)
    assert len(api.get(ALERTS, type=LARGE, limit=200)["items"]) == 200


def test_while_postgres_is_away_it_says_so_and_then_goes_on(worlds, kafka, own_postgres) -> None:
    world = worlds.new(kafka, own_postgres)
    api = Api(world).start()
    api.get(ALERTS)
    own_postgres.kill()
    try:
        answer = api.ask(ALERTS)
        assert refused(answer, 503)["type"] == "urn:dochak:problem:database" and int(answer.headers["retry-after"]) > 0
    finally:
        own_postgres.start()
    until_equal("it answers again", lambda: api.ask(ALERTS).status, 200, 20, every=0.2)
    own_postgres.stop()
    own_postgres.start()  # all connections that were open are gone
    api.get(ALERTS)
