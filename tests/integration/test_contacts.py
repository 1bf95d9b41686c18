# SPDX-License-Identifier: MIT
"""Contacts of Channel Talk, from the webhook to the row: whatever order they come in, by whatever partition, once."""

import itertools
import json
import secrets
import time
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from support import http, payloads
from support.replays import replay
from support.service import Service, run_once
from support.topics import Record
from support.wait import until, until_equal
from support.world import World

WITHDRAWN = "dochak.contact.consent_withdrawn.v1"
EMAIL = "hana.kim.4711@example.com"
KEY, OTHER_KEY = "0123456789abcdef" * 4, "fedcba9876543210" * 4
NOON = 1_731_380_000_000  # Unix milliseconds, in the past
ENDPOINT = {
    "endpoint": "channeltalk/users",
    "provider": "channeltalk",
    "checks": {"query_token": {"secrets": ["DOCHAK_SECRET_CHANNELTALK_TOKEN"]}},
}


def begin(world: World, processors: int = 1, **settings: str) -> list[Service]:
    """With Channel Talk's endpoint. Returns the processors."""
    world.keys["CHANNELTALK"] = secrets.token_hex(16)
    endpoints = json.loads(world.endpoints_file.read_text("utf-8"))
    endpoints["endpoints"].append(ENDPOINT)
    world.endpoints_file.write_text(json.dumps(endpoints))
    ingress = world.new_ingress(DOCHAK_SECRET_CHANNELTALK_TOKEN=world.keys["CHANNELTALK"]).start()
    started = [world.new_processor(**settings).start() for _ in range(processors)]
    for service in (ingress, *started):
        service.secrets.append(EMAIL)
        service.wait_ready()
    return started


def post(world: World, body: dict, token: str | None = None) -> http.Answer:
    path = f"/webhook/channeltalk/users?token={token or world.keys['CHANNELTALK']}"
    return http.request(world.ingress.ports["public"], "POST", path, payloads.to_bytes(body), {"Content-Type": "application/json"})


def user(member: str | None, number: int, **more) -> dict:
    """The user as of its change `number`."""
    return {
        "id": f"own-{member}",
        "type": "member" if member else "lead",
        "memberId": member,
        "profile": {"mobileNumber": payloads.PHONE_E164, "email": EMAIL, "name": payloads.BODY_MARK},
        "mobileNumber": payloads.PHONE_E164,
        "email": EMAIL,
        "unsubscribeEmail": False,
        "unsubscribeTexting": False,
        "version": number,
        "updatedAt": NOON + 1000 * number,
        **more,
    }


def say(world: World, event: str, entity: dict) -> None:
    answer = post(world, {"event": event, "type": "User", "entity": entity, "refers": {}})
    assert (answer.status, answer.body) == (200, b""), answer


def contact(world: World, contact_id: str) -> dict | None:
    rows = world.sql("SELECT * FROM contact WHERE provider = 'channeltalk' AND contact_id = %s", contact_id)
    return rows[0] if rows else None


def contacts(world: World) -> list[dict]:
    return world.sql("SELECT * FROM contact ORDER BY contact_id")


def alerts(world: World) -> list[Record]:
    return [alert for alert in world.alerts() if alert.type == WITHDRAWN]


# --- one contact


def test_a_contact_is_kept_masked_and_hashed(world: World) -> None:
    (processor,) = begin(world)
    say(world, "upsert", user("m-1", 7, unsubscribeTexting=True))
    world.settle()
    row = contact(world, "m-1")
    assert (row["provider_id"], row["deleted"], row["phone"], row["email"]) == ("own-m-1", False, "+8210****4321", "h***@example.com")
    assert row["consents"] == {"email": True, "texting": False} and row["sealed"] is None
    assert (row["version"], row["changed_at"]) == (7, datetime.fromtimestamp(NOON / 1000 + 7, UTC))
    report = payloads.blux_event("n-1", phone_number=payloads.PHONE_E164)
    world.blux(report)
    world.settle()
    assert row["phone_hash"] == world.row("blux", "n-1")["recipient_hash"]
    assert EMAIL not in str(contacts(world))
    assert alerts(world) == []
    metrics = processor.metrics()
    assert metrics['dochak_processor_contacts_total{provider="channeltalk",change="changed"}'] == 1
    assert metrics['dochak_processor_consents_withdrawn_total{provider="channeltalk",consent="texting"}'] == 1
    (event,) = [record for record in world.topics.read("events") if record.type == "dochak.contact.changed.v1"]
    assert event.key == b"m-1" and event.data["entity"]["version"] == 7


def test_a_deleted_contact_has_no_details_and_does_not_come_back_by_what_is_older(world: World) -> None:
    begin(world)
    say(world, "upsert", user("m-1", 1))
    say(world, "delete", user("m-1", 3))
    say(world, "upsert", user("m-1", 2))
    world.settle()
    row = contact(world, "m-1")
    details = ("phone", "phone_hash", "email", "email_hash", "sealed")
    assert row["deleted"] and {row[column] for column in details} == {None} and row["consents"] == {}
    say(world, "upsert", user("m-1", 4))
    world.settle()
    assert not contact(world, "m-1")["deleted"] and contact(world, "m-1")["email"] == "h***@example.com"


def test_a_unified_user_is_deleted(world: World) -> None:
    begin(world)
    say(world, "upsert", user("m-1", 1))
    say(world, "upsert", user("m-1", 2, type="unified"))
    world.settle()
    assert contact(world, "m-1")["deleted"]


def test_a_clock_that_runs_ahead_wins_nothing(world: World) -> None:
    begin(world)
    say(world, "upsert", user("m-1", 1, version=None, updatedAt=NOON * 2))
    world.settle()
    assert contact(world, "m-1")["changed_at"] <= datetime.now(UTC)
    say(world, "delete", {"memberId": "m-1"})
    world.settle()
    assert contact(world, "m-1")["deleted"]


def test_messages_and_chats_are_acknowledged_and_counted(world: World) -> None:
    (processor,) = begin(world)
    for event, type_ in (("push", "message"), ("push", "Message"), ("upsert", "UserChat")):
        assert post(world, {"event": event, "type": type_, "entity": {"id": "1"}}).status == 200
    world.settle()
    assert contacts(world) == [] and world.topics.read("quarantine") == []
    assert processor.metrics()['dochak_processor_records_total{outcome="other"}'] == 3


def test_a_wrong_token_is_refused(world: World) -> None:
    begin(world)
    assert post(world, {"event": "upsert", "type": "user", "entity": user("m-1", 1)}, token="0" * 32).status == 401
    world.settle()
    assert contacts(world) == []


def test_a_consent_that_is_no_boolean_is_not_guessed(world: World) -> None:
    begin(world)
    say(world, "upsert", user("m-1", 1, unsubscribeTexting="no"))
    world.settle()
    assert contacts(world) == []
    (record,) = world.topics.read("quarantine")
    (alert,) = world.alerts()
    assert alert.data["reason"] == "user with something other than true, false or null at /entity/unsubscribeTexting"
    assert EMAIL not in alert.value.decode() and record.header("ce_provider") == "channeltalk"


# --- orders


def marked(entity: dict, versions: bool, times: bool) -> dict:
    kept = {"version": entity["version"] if versions else None, "updatedAt": entity["updatedAt"] if times else None}
    return {**entity, **kept}


def story(member: str, marks: list[tuple[bool, bool]], deletion: dict) -> list[tuple[str, dict]]:
    """Three upserts, the third after the deletion; which of them have versions and times."""
    numbers = {"mobileNumber": None, "profile": None}
    upserts = [user(member, n, **numbers, email=f"{name}@example.com") for n, name in ((1, "anna"), (2, "bora"), (4, "choi"))]
    gone = {**deletion, **{key: user(member, 3)[key] for key in ("version", "updatedAt")}}
    told = [("upsert", upserts[0]), ("upsert", upserts[1]), ("delete", gone), ("upsert", upserts[2])]
    return [(event, marked(entity, *mark)) for (event, entity), mark in zip(told, marks, strict=True)]


BOTH, TIME, VERSION = (True, True), (False, True), (True, False)


MARKS = {
    "versions and times": [BOTH] * 4,
    "times": [TIME] * 4,
    "mixed": [BOTH, TIME, BOTH, TIME],
    "mixed otherwise": [TIME, BOTH, TIME, BOTH],
    "a deletion without a version": [BOTH, BOTH, TIME, BOTH],
}
ORDERS = [*itertools.permutations(range(4)), *((*order, 3, order[0], order[2]) for order in itertools.permutations(range(3)))]


def plain(row: dict) -> dict:
    """Without what names the contact, and when a deletion was received."""
    own = f"own-{row['contact_id']}"
    ids = {column: row[column] == own for column in ("provider_id", "deleted_provider_id")}
    return {column: value for column, value in row.items() if column not in ("contact_id", "gone_learned_at")} | ids


@pytest.mark.long
@pytest.mark.parametrize("named", ["memberId", "id", "both"])
def test_every_order_ends_in_the_same_row(world: World, named: str) -> None:
    """Also where the deletion names only the provider's own id, and so comes by another partition, perhaps to another processor."""
    begin(world, processors=2, DOCHAK_BATCH_MAX_RECORDS="7")
    stories = {}
    for (what, marks), (number, order) in itertools.product(MARKS.items(), enumerate(ORDERS)):
        member = f"{what}-{number}"
        names = {"memberId": member, "id": f"own-{member}"}
        stories[member] = (order, story(member, marks, names if named == "both" else {named: names[named]}))
    for step in range(6):
        for order, told in stories.values():
            if step < len(order):
                say(world, *told[order[step]])
    world.settle(90)
    rows = contacts(world)
    assert sorted(row["contact_id"] for row in rows) == sorted(stories)
    for what in MARKS:
        ends = [plain(row) for row in rows if row["contact_id"].rpartition("-")[0] == what]
        assert len(ends) == len(ORDERS) and ends == [ends[0]] * len(ends), what
        assert (ends[0]["deleted"], ends[0]["email"], ends[0]["provider_id"]) == (False, "c***@example.com", True), what


def test_a_deletion_that_names_only_an_earlier_user_finds_the_person_in_every_order(world: World) -> None:
    """One that comes when the person is another user already is no other person; and it deletes nobody who came back since."""
    begin(world, processors=2)
    for number, order in enumerate(itertools.permutations(range(4))):
        member, first, second = f"m-{number}", f"first-{number}", f"second-{number}"
        told = [
            ("upsert", user(member, 1, id=first)),
            ("delete", {"id": first, "version": 2, "updatedAt": NOON + 2000}),
            ("upsert", user(member, 1, id=second, updatedAt=NOON + 3000)),
            ("upsert", user(None, 0, id=first)),  # when it was a lead
        ]
        for place in order:
            say(world, *told[place])
        world.settle()
    columns = ("deleted", "email", "version", "deleted_version")
    assert {tuple(row[column] for column in columns) for row in contacts(world)} == {(False, "h***@example.com", 1, 2)}
    assert [(row["contact_id"], row["provider_id"], row["other_ids"]) for row in sorted(contacts(world), key=lambda row: int(row["contact_id"][2:]))] == [
        (f"m-{number}", f"second-{number}", [f"first-{number}"]) for number in range(24)
    ]


def test_versions_alone_decide_where_no_time_is_known(world: World) -> None:
    begin(world)
    for number, order in enumerate(itertools.permutations(range(4))):
        told = story(f"m-{number}", [VERSION] * 4, {"memberId": f"m-{number}"})
        for place in order:
            say(world, *told[place])
    world.settle()
    assert {(row["deleted"], row["email"], row["version"], row["deleted_version"]) for row in contacts(world)} == {
        (False, "c***@example.com", 4, 3)
    }


def test_a_lead_that_becomes_a_member_is_one_contact(world: World) -> None:
    """Whichever is known first; also with what was said of the lead alone later."""
    begin(world)
    lead, member = user(None, 1, id="own-1"), user("m-1", 2, id="own-1")
    for entity in (lead, member, lead):
        say(world, "upsert", entity)
        world.settle()
    assert [(row["contact_id"], row["provider_id"], row["version"]) for row in contacts(world)] == [("m-1", "own-1", 2)]
    say(world, "delete", {"id": "own-1", "version": 3})
    world.settle()
    assert [(row["contact_id"], row["deleted"]) for row in contacts(world)] == [("m-1", True)]


def test_who_comes_back_as_another_user_is_known_though_the_versions_begin_anew(world: World) -> None:
    begin(world)
    for event, entity in (
        ("upsert", user("m-1", 57, id="own-1", updatedAt=NOON + 1)),
        ("delete", user("m-1", 58, id="own-1", updatedAt=NOON + 2)),
        ("upsert", user("m-1", 1, id="own-2", updatedAt=NOON + 3)),
    ):
        say(world, event, entity)
    world.settle()
    row = contact(world, "m-1")
    assert (row["deleted"], row["version"], row["provider_id"]) == (False, 1, "own-2")


def test_a_deletion_by_mistake_is_undone_when_the_provider_knows_the_person_again(world: World) -> None:
    """As reconcile writes them: the answer 404, and later 200 for a user that was not changed since."""
    begin(world)
    say(world, "upsert", user("m-1", 1))
    say(world, "delete", {"memberId": "m-1", "updatedAt": int(time.time() * 1000)})
    world.settle()
    assert contact(world, "m-1")["deleted"]
    body = {"event": "upsert", "type": "user", "entity": user("m-1", 1), "askedAt": int(time.time() * 1000) + 1}
    until("it is later", lambda: time.time() * 1000 > body["askedAt"], 1)
    assert post(world, body).status == 200
    world.settle()
    row = contact(world, "m-1")
    assert (row["deleted"], row["email"], row["version"]) == (False, "h***@example.com", 1)


# --- others who write


@contextmanager
def held(world: World):
    with world.connect() as connection, connection.transaction():
        yield connection


def wait_for_lock(world: World) -> None:
    waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    until("the processor waits", lambda: world.sql(waiting), 20, every=0.005)


def test_what_another_worker_has_just_written_is_not_lost(world: World) -> None:
    """It has the row by another of its names."""
    begin(world)
    say(world, "upsert", user("m-1", 1))
    world.settle()
    with held(world) as connection:
        connection.execute("UPDATE contact SET deleted = true, gone_at = now(), phone = NULL, email = NULL WHERE contact_id = 'm-1'")
        say(world, "upsert", user("m-1", 2))
        wait_for_lock(world)
    world.settle()
    row = contact(world, "m-1")
    assert row["deleted"] and row["version"] == 2 and row["gone_at"] is not None


@pytest.mark.parametrize("isolation", ["read committed", "repeatable read", "serializable"])
def test_a_deletion_that_another_worker_has_just_written_is_found(world: World, isolation: str) -> None:
    """By the provider's own id, for a contact that has no row yet: only the lock on the id makes the two wait for each other."""
    world.sql(f"ALTER DATABASE \"{world.name}\" SET default_transaction_isolation = '{isolation}'")
    begin(world)
    with held(world) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(1668247156, hashtext('channeltalk/own-m-1') & 255)")
        say(world, "upsert", user("m-1", 1))
        wait_for_lock(world)
        connection.execute(
            "INSERT INTO contact (provider, contact_id, provider_id, deleted, consents, deleted_version, deleted_at, deleted_provider_id)"
            " VALUES ('channeltalk', 'own-m-1', 'own-m-1', true, '{}', 2, now(), 'own-m-1')"
        )
    world.settle()
    assert [(row["contact_id"], row["deleted"], row["deleted_version"]) for row in contacts(world)] == [("m-1", True, 2)]


def test_a_batch_finds_contacts_by_the_indexes_of_a_table_that_was_never_analysed(world: World) -> None:
    world.sql("ALTER TABLE contact SET (autovacuum_enabled = off)")
    (processor,) = begin(world, DOCHAK_BATCH_MAX_RECORDS="20")
    world.sql(
        "INSERT INTO contact (provider, contact_id, provider_id, deleted, consents, version, changed_at, other_ids)"
        " SELECT 'channeltalk', 'm-' || n, 'own-m-' || n, false, '{}', 0, 'epoch', CASE WHEN n % 100 = 0 THEN to_jsonb(ARRAY['was-' || n]) END"
        " FROM generate_series(1, 20000) AS n"
    )

    def scans() -> dict:
        (row,) = world.sql("SELECT seq_scan, coalesce(idx_scan, 0) AS idx_scan FROM pg_stat_user_tables WHERE relname = 'contact'")
        (read,) = world.sql("SELECT sum(idx_tup_read)::int AS entries FROM pg_stat_user_indexes WHERE relname = 'contact'")
        return {**row, **read}

    before = scans()  # those that built the indexes
    for number in range(100):
        say(world, "upsert", user(f"m-{number}", 1))
        say(world, "delete", {"id": f"own-m-{number}", "version": 2})
    world.settle()
    processor.stop()  # then its counters are there
    until("the counters are there", lambda: scans()["idx_scan"] >= before["idx_scan"] + 400, 10)
    after = scans()
    assert after["seq_scan"] == before["seq_scan"]
    assert after["entries"] - before["entries"] < 20000, "all contacts of the provider are read for one id"
    assert {(row["deleted"], row["version"]) for row in contacts(world) if len(row["contact_id"]) < 5 and row["version"]} == {(True, 1)}


# --- again


@pytest.mark.parametrize("point", ["before_postgres_commit", "after_postgres_commit", "before_kafka_commit", "after_kafka_commit"])
def test_a_crash_loses_nothing_and_alerts_once(world: World, point: str) -> None:
    (processor,) = begin(world, DOCHAK_CONSENT_ALERTS="on")
    processor.stop()
    for number in range(20):
        say(world, "upsert", user(f"m-{number}", 1))
        say(world, "upsert", user(f"m-{number}", 2, unsubscribeEmail=True))
    processor.env["CRASH_AT"] = f"{point}:1"
    processor.start()
    processor.wait_killed()
    del processor.env["CRASH_AT"]
    processor.start()
    world.settle()
    assert {(row["version"], row["consents"]["email"]) for row in contacts(world)} == {(2, False)} and len(contacts(world)) == 20
    assert sorted(alert.data["contact_id"] for alert in alerts(world)) == sorted(f"m-{number}" for number in range(20))


def test_reading_all_again_and_a_replay_change_nothing(world: World) -> None:
    (processor,) = begin(world, DOCHAK_CONSENT_ALERTS="on")
    for event, entity in (
        ("upsert", user("m-1", 1)),
        ("upsert", user("m-1", 2, unsubscribeEmail=True)),
        ("upsert", user("m-2", 1)),
        ("delete", user("m-2", 2)),
        ("upsert", user("m-3", 1, unsubscribeTexting=True)),
        ("delete", {"id": "own-m-4"}),
    ):
        say(world, event, entity)
    world.settle()
    before, told = contacts(world), [alert.id for alert in alerts(world)]
    assert len(before) == 4 and len(told) == 2
    assert replay(world, "--from", "beginning").returncode == 0
    processor.stop()
    again = world.new_processor(DOCHAK_CONSENT_ALERTS="on", DOCHAK_GROUP_ID=f"{world.topics.group}-again").start().wait_ready()
    same = 'dochak_processor_contacts_total{provider="channeltalk",change="same"}'
    until_equal("all is read again", lambda: again.metrics().get(same), 6, 20)
    assert contacts(world) == before and [alert.id for alert in alerts(world)] == told


# --- alerts


def test_a_withdrawn_consent_raises_one_alert_where_it_is_wanted(world: World) -> None:
    begin(world, DOCHAK_CONSENT_ALERTS="on")
    for number, more in (
        (1, {}),
        (2, {"unsubscribeTexting": True}),
        (2, {"unsubscribeTexting": True}),  # a repeat
        (3, {"unsubscribeTexting": True}),  # it still is
        (4, {"unsubscribeTexting": False}),
        (5, {"unsubscribeTexting": True, "unsubscribeEmail": True}),
        (4, {"unsubscribeTexting": False}),  # late
    ):
        say(world, "upsert", user("m-1", number, **more))
        world.settle()
    told = [(alert.data["consent"], alert.data["version"]) for alert in alerts(world)]
    assert sorted(told) == [("email", 5), ("texting", 2), ("texting", 5)]
    first = next(alert for alert in alerts(world) if alert.data["version"] == 2)
    assert first.data == {
        "provider": "channeltalk",
        "contact_id": "m-1",
        "consent": "texting",
        "phone": "+8210****4321",
        "email": "h***@example.com",
        "version": 2,
        "occurred_at": datetime.fromtimestamp(NOON / 1000 + 2, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
    }


# --- encryption, and the command


def show(world: World, *arguments: str, **settings: str):
    return run_once("processor", world.env(TZ="Asia/Seoul", **settings), "contact", "channeltalk", *arguments)


def test_with_a_key_contacts_can_be_revealed_and_only_with_it(world: World) -> None:
    begin(world, DOCHAK_CONTACT_KEY=KEY)
    say(world, "upsert", user("m-1", 1))
    world.settle()
    (row,) = contacts(world)
    assert EMAIL.encode() not in bytes(row["sealed"]) and payloads.PHONE_E164.encode() not in bytes(row["sealed"])
    done = show(world, "m-1", "--reveal", "--json", DOCHAK_CONTACT_KEY=KEY)
    assert (done.returncode, done.stderr) == (0, "")
    assert (json.loads(done.stdout)["phone"], json.loads(done.stdout)["email"]) == (payloads.PHONE_E164, EMAIL)
    masked = json.loads(show(world, "own-m-1", "--json", DOCHAK_CONTACT_KEY=KEY).stdout)
    assert (masked["contact_id"], masked["phone"], masked["email"]) == ("m-1", "+8210****4321", "h***@example.com")
    for settings, words in (({}, "--reveal needs DOCHAK_CONTACT_KEY"), ({"DOCHAK_CONTACT_KEY": OTHER_KEY}, "cannot be decrypted")):
        done = show(world, "m-1", "--reveal", **settings)
        assert done.returncode == 1 and words in done.stderr and done.stdout == ""
    world.sql("UPDATE contact SET contact_id = 'm-2'")
    assert "cannot be decrypted" in show(world, "m-2", "--reveal", DOCHAK_CONTACT_KEY=KEY).stderr


def test_what_is_stored_whole_moves_with_the_contact(world: World) -> None:
    """A lead, encrypted under its own id, becomes a member by a webhook that is older."""
    begin(world, DOCHAK_CONTACT_KEY=KEY)
    say(world, "upsert", user(None, 2, id="own-1"))
    world.settle()
    say(world, "upsert", user("m-1", 1, id="own-1", email="older@example.com"))
    world.settle()
    assert [(row["contact_id"], row["version"]) for row in contacts(world)] == [("m-1", 2)]
    assert json.loads(show(world, "m-1", "--reveal", "--json", DOCHAK_CONTACT_KEY=KEY).stdout)["email"] == EMAIL


def test_the_command_shows_a_contact_to_people(world: World) -> None:
    begin(world)
    say(world, "upsert", user("m-1", 7, unsubscribeTexting=True))
    say(world, "delete", {"memberId": "m-2", "updatedAt": NOON})
    world.settle()
    done = show(world, "m-1")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "channeltalk  m-1",
        "  provider's id  own-m-1",
        "  phone          +8210****4321",
        "  email          h***@example.com",
        "  consent        given: email",
        "  consent        withdrawn: texting",
        "  version        7",
        "  changed        2024-11-12 11:53:27+09:00",
    ]
    assert show(world, "m-2").stdout.splitlines() == ["channeltalk  m-2", "  deleted        2024-11-12 11:53:20+09:00"]
    unknown = show(world, "m-3")
    assert (unknown.returncode, unknown.stdout) == (1, "") and "no contact of provider channeltalk has this id" in unknown.stderr
    assert "stored only masked" in show(world, "m-1", "--reveal", DOCHAK_CONTACT_KEY=KEY).stderr


@pytest.mark.parametrize(("key", "words"), [(KEY[:-1], "expected 64 hexadecimal digits, got 63"), (KEY[:-1] + "g", "expected hexadecimal digits, got another character")])
def test_a_key_of_another_form_is_refused_and_not_shown(world: World, key: str, words: str) -> None:
    done = run_once("processor", world.env(DOCHAK_CONTACT_KEY=key), "--check")
    assert done.returncode == 1 and f"DOCHAK_CONTACT_KEY: {words}" in done.stderr
    assert key not in done.stdout + done.stderr and KEY[:32] not in done.stdout + done.stderr
