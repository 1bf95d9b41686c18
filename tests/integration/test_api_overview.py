# SPDX-License-Identifier: MIT
"""GET /v1/overview: each provider and endpoint, the open incidents, and our own side, in one answer."""

import json
from collections.abc import Iterator
from datetime import datetime

import pytest
from support import builds, payloads
from support.api import ROLE, Api, make_role
from support.provider_apis import ChannelTalk
from support.reconciles import Asking, made, post_all, webhook
from support.service import run_once
from support.wait import until
from support.world import World

OVERVIEW = "/v1/overview"
TRY_LOCK = "SELECT pg_try_advisory_lock(('x' || lpad(encode(%s, 'hex'), 16, '0'))::bit(64)::bigint)"  # processor/postgres/try_lock.sql
REASONS = json.loads((builds.ROOT / "schemas/providers/bizgo.json").read_text("utf-8"))["outcomes"]
# Minutes ago, so that no minute of the test's own is among them.
FILL = """
INSERT INTO notification (provider, notification_id, status, due_at, first_seen_at, version)
SELECT 'bizgo', 'p-' || n, 'PENDING', now() + (n - 3.5) * interval '1 hour', now() - (100 - n) * interval '1 minute', 1 FROM generate_series(1, 5) AS n
UNION ALL SELECT 'bizgo', 'd-' || n, 'DEAD_LETTER', NULL, now() - n * interval '10 hours', 1 FROM generate_series(1, 4) AS n
UNION ALL SELECT 'many', 'p-' || n, 'PENDING', now(), now() - n * interval '1 minute', 1 FROM generate_series(1, 1200) AS n
UNION ALL SELECT 'retired', 's', 'SENT', NULL, now() - interval '400 days', 1;
INSERT INTO delivery_minute (minute, provider, endpoint, outcome, partition, records, last_at)
SELECT date_trunc('minute', now()) - age * interval '1 minute', 'bizgo', endpoint, outcome, partition, records, date_trunc('minute', now()) - age * interval '1 minute' + interval '7 s'
FROM (VALUES (30, 'bizgo/alimtalk', 'delivered', 0, 5), (30, 'bizgo/alimtalk', 'delivered', 1, 6), (30, '', 'accepted', 0, 12), (30, 'bizgo/alimtalk', 'failed', 0, 1),
             (30, 'bizgo/alimtalk', 'recipient_fault', 0, 2), (31, '', 'expired', 0, 4), (200, 'bizgo/alimtalk', 'delivered', 0, 99), (10, '', 'delivered', 0, 3))
     AS d (age, endpoint, outcome, partition, records);
INSERT INTO delivery_minute SELECT date_trunc('minute', now()) - interval '90 days', 'channeltalk', 'channeltalk/users', 'repeated', 0, 1, NULL;
INSERT INTO delivery_minute SELECT date_trunc('minute', now()) - age * interval '1 minute', 'people', endpoint, outcome, 0, 1, NULL
FROM (VALUES (60, 'people/users', 'other'), (50, '', 'other'), (40, '', 'repeated'), (30, '', 'accepted')) AS o (age, endpoint, outcome);
INSERT INTO contact (provider, contact_id, deleted, consents, changed_at) VALUES ('people', 'member-1', false, '{}', now());
INSERT INTO code_minute (minute, provider, endpoint, outcome, channel, code, partition, records)
SELECT date_trunc('minute', now()) - age * interval '1 minute', 'bizgo', 'bizgo/alimtalk', outcome, channel, code, partition, records
FROM (VALUES (30, 'failed', 'ALIMTALK', '63020', 0, 5), (31, 'failed', 'ALIMTALK', '63020', 1, 6), (30, 'account_fault', 'ALIMTALK', '64008', 0, 3),
             (30, 'failed', 'SMS', 'none-such', 0, 2), (30, 'delivered', 'ALIMTALK', '10000', 0, 99), (70, 'failed', 'SMS', '22000', 0, 99))
     AS c (age, outcome, channel, code, partition, records);
INSERT INTO endpoint_minute (minute, endpoint, instance, event_id, provider, calls, good, refused, refused_by, failed, failed_in_a_row, spooled, spooled_since, leaving)
SELECT date_trunc('minute', now()) - age * interval '1 minute', endpoint, instance, gen_random_uuid(), split_part(endpoint, '/', 1), 10, 7, 2,
       refused_by::jsonb, 1, 0, spooled, CASE WHEN spooled > 0 THEN now() - interval '5 minutes' END, leaving
FROM (VALUES (2, 'bizgo/alimtalk', 'a', '{"ip": 2}', 0, false), (3, 'bizgo/alimtalk', 'b', '{"ip": 1, "hmac": 1}', 4, false),
             (4, 'channeltalk/users', 'c', '{}', 0, true), (5, 'bizgo/alimtalk', 'a', '{}', 9, false), (40, 'bizgo/old', 'a', '{}', 0, false),
             (40, 'bizgo/alimtalk', 'd', '{"ip": 99}', 0, false), (3, 'people/users', 'a', '{}', 0, false))
     AS e (age, endpoint, instance, refused_by, spooled, leaving);
INSERT INTO rhythm VALUES ('bizgo/alimtalk', 'bizgo', '{}', '{}', now(), 'watching', NULL, now() + interval '1 hour', 1, 9),
                          ('bizgo/old', 'bizgo', '{}', '{}', now(), 'irregular', NULL, NULL, 1, 9),
                          ('people/users', 'people', '{}', '{"floor.calls": 2, "floor.within_s": 3600}', now(), 'irregular', NULL, NULL, 1, 9);
INSERT INTO incident (incident_id, kind, provider, endpoint, scope, since, opened_at, closed_at, judged_until, gap_ms, faults, folded, details)
VALUES (gen_random_uuid(), 'failing', 'bizgo', '', 'account', now() - interval '40 minutes', now() - interval '39 minutes', NULL, now(), 0, 0, 3, '{"summary": "the account"}'),
       (gen_random_uuid(), 'refusing', 'bizgo', 'bizgo/alimtalk', '', now() - interval '20 minutes', now() - interval '19 minutes', NULL, now(), 0, 0, 0, '{"summary": "the calls"}'),
       (gen_random_uuid(), 'unreachable', '', '', 'front door', now(), now(), NULL, now(), 0, 0, 0, '{"summary": "the door"}'),
       (gen_random_uuid(), 'silent', 'channeltalk', '', '', now(), now(), now(), now(), 0, 0, 0, '{"summary": "over"}');
INSERT INTO quarantine (source_partition, source_offset, reason, received_at, size_bytes, redriven_at)
SELECT 0, n, 'x', now(), 1, CASE WHEN n % 3 = 0 THEN now() END FROM generate_series(1, 9) AS n;
INSERT INTO watch_look VALUES (true, 'processor-7', now() - interval '1 day', now() - interval '3 s', now() - interval '5 s', 1, now() - interval '50 s', 'tls', 'the certificate has expired', 17,
                               now() - interval '1 day');
"""


@pytest.fixture(scope="module")
def filled(module_worlds, kafka, postgres) -> Iterator[dict]:
    """What it says of rows of every kind. The watch does not lead, and there is no ingress."""
    world = module_worlds.new(kafka, postgres)
    world.sql(FILL)
    with world.connect() as connection:
        assert connection.execute(TRY_LOCK, [b"watch"]).fetchone()["pg_try_advisory_lock"]
        api = Api(world).start()
        yield api.get(OVERVIEW)
        api.processor.stop()  # before another one could lead


@pytest.fixture
def providers(filled: dict) -> dict[str, dict]:
    return {provider["provider"]: provider for provider in filled["providers"]}


def seconds_ago(overview: dict, time: str) -> float:
    return (datetime.fromisoformat(overview["at"]) - datetime.fromisoformat(time)).total_seconds()


def test_it_names_who_is_in_use_and_what_is_open(filled: dict, providers: dict[str, dict]) -> None:
    assert list(providers) == ["bizgo", "channeltalk", "many", "people"]
    assert [(incident["kind"], incident["summary"]) for incident in filled["incidents"]] == [
        ("unreachable", "the door"), ("refusing", "the calls"), ("failing", "the account")
    ]  # fmt: skip
    assert filled["incidents"][2]["folded_overdue"] == 3 and filled["incidents"][0]["provider"] is None
    assert {name: provider["healthy"] for name, provider in providers.items()} == {"bizgo": False, "channeltalk": True, "many": True, "people": True}


def test_it_counts_what_is_open_and_dead_up_to_a_thousand(providers: dict[str, dict]) -> None:
    counts = {name: (provider["pending"], provider["overdue"], provider["dead_letters"]) for name, provider in providers.items()}
    assert counts == {"bizgo": (5, 3, 2), "channeltalk": (0, 0, 0), "many": (1000, 1000, 0), "people": (0, 0, 0)}
    assert providers["channeltalk"]["oldest_pending_at"] is None


def test_the_last_receipt_is_found_however_old_it_is(filled: dict, providers: dict[str, dict]) -> None:
    """A receipt that was asked for does not show that webhooks come."""
    assert 30 * 60 - 7 <= seconds_ago(filled, providers["bizgo"]["last_receipt_at"]) < 31 * 60
    assert seconds_ago(filled, providers["channeltalk"]["last_receipt_at"]) > 89 * 86400
    assert providers["many"]["last_receipt_at"] is None
    assert 10 * 60 - 7 <= seconds_ago(filled, providers["bizgo"]["last_answer_at"]) < 11 * 60
    assert providers["bizgo"]["last_other_at"] is None and providers["channeltalk"]["last_answer_at"] is None


def test_what_is_no_receipt_is_found_too(filled: dict, providers: dict[str, dict]) -> None:
    """Of a provider that reports on people. A registration that came again is no answer."""
    people = providers["people"]
    (endpoint,) = people["endpoints"]
    assert people["last_receipt_at"] is None and endpoint["last_receipt_at"] is None
    assert 3600 <= seconds_ago(filled, people["last_other_at"]) < 3661 and people["last_other_at"] == endpoint["last_other_at"]
    assert 3000 <= seconds_ago(filled, people["last_answer_at"]) < 3061
    assert {name: provider["has_contacts"] for name, provider in providers.items() if provider["has_contacts"]} == {"people": True}
    assert endpoint["silence"]["floor"] == {"calls": 2, "within_s": 3600}
    assert providers["bizgo"]["endpoints"][0]["silence"]["floor"] is None


def test_traffic_is_in_steps_of_five_minutes(filled: dict, providers: dict[str, dict]) -> None:
    traffic = providers["bizgo"]["traffic"]
    kinds = ("accepted", "delivered", "failed")
    assert traffic["step_s"] == 300 and all(len(traffic[kind]) == 36 for kind in kinds)
    assert 175 * 60 <= seconds_ago(filled, traffic["since"]) < 180 * 60
    assert {kind: sum(traffic[kind]) for kind in kinds} == {"accepted": 12, "delivered": 14, "failed": 7}
    began = datetime.fromisoformat(traffic["since"]).timestamp()
    received = datetime.fromisoformat(providers["bizgo"]["last_receipt_at"]).timestamp()
    assert traffic["accepted"][int((received - began) // 300)] == 12
    assert sum(sum(providers["many"]["traffic"][kind]) for kind in kinds) == 0


def test_what_failed_is_told_by_code_and_in_words(providers: dict[str, dict]) -> None:
    failures = [tuple(failure.values()) for failure in providers["bizgo"]["failures"]]
    assert failures == [
        ("63020", "ALIMTALK", REASONS["63020"]["reason"], "failed", 11),
        ("64008", "ALIMTALK", REASONS["64008"]["reason"], "account_fault", 3),
        ("none-such", "SMS", None, "failed", 2),
    ]


def test_endpoints_are_those_that_ingress_has(providers: dict[str, dict]) -> None:
    (endpoint,) = providers["bizgo"]["endpoints"]
    assert (endpoint["endpoint"], endpoint["healthy"]) == ("bizgo/alimtalk", False)
    assert (endpoint["calls"], endpoint["good"], endpoint["refused"], endpoint["failed"]) == (30, 21, 6, 3)
    assert endpoint["refused_by"] == {"ip": 3, "hmac": 1}
    assert endpoint["silence"]["standing"] == "watching" and endpoint["silence"]["horizon"]
    (other,) = providers["channeltalk"]["endpoints"]
    assert other["healthy"] and other["silence"] is None and other["refused_by"] == {}


def test_our_own_side(filled: dict) -> None:
    ingress, door, watch = filled["ingress"], filled["front_door"], filled["watch"]
    assert (ingress["instances"], ingress["spooled"]) == (2, 4) and 299 < seconds_ago(filled, ingress["spooled_since"]) < 400
    assert 60 <= seconds_ago(filled, ingress["reported_at"]) < 180
    assert (door["result"], door["text"], door["took_ms"]) == ("tls", "the certificate has expired", 17)
    assert (watch["instance"], watch["hidden_partitions"]) == ("processor-7", 1) and watch["known_until"] < watch["looked_at"]
    assert filled["quarantined"] == 6


# --- as it runs


def test_a_provider_that_reports_on_people_has_reported(world: World, channeltalk: ChannelTalk) -> None:
    """By its webhook, and when it is asked. The watch says by which floor its silence would be found."""
    asking = Asking(world, channeltalk, "v5")
    document = json.loads(world.endpoints_file.read_text("utf-8"))
    document["endpoints"][1]["floor"] = {"calls": 2, "within_s": 7200}
    world.endpoints_file.write_text(json.dumps(document))
    world.new_ingress(**asking.settings).start().wait_ready()
    api = Api(world, **asking.settings).start()
    api.processor.wait_ready()

    def now() -> dict:
        return next((one for one in api.get(OVERVIEW)["providers"] if one["provider"] == "channeltalk"), {})

    channeltalk.users = {"member-1": made(1)}
    post_all(world, [webhook("upsert", channeltalk.users["member-1"])])
    talk = until("it has reported", lambda: (talk := now()).get("last_other_at") and talk, 150)
    assert talk["has_contacts"] and talk["last_receipt_at"] is None and talk["last_answer_at"] is None
    channeltalk.users = {}
    asking.run("--known", "--all-gone")
    until("it has answered", lambda: now()["last_answer_at"], 60)
    silence = until("the watch has judged its endpoint", lambda: now()["endpoints"][0]["silence"], 150)
    assert silence["floor"] == {"calls": 2, "within_s": 7200}


def test_an_account_fault_shows_until_messages_arrive_again(worlds, kafka, postgres) -> None:
    """With a role that only reads, and our own front door."""
    world: World = worlds.new(kafka, postgres)
    url = make_role(world)
    done = run_once("processor", world.owner_env(DOCHAK_API_ROLE=ROLE), "migrate")
    assert done.returncode == 0, done
    ingress = world.new_ingress().start().wait_ready()
    api = Api(world, DOCHAK_API_POSTGRES_URL=url, DOCHAK_PUBLIC_URL=f"http://127.0.0.1:{ingress.ports['public']}").start()
    assert api.get(OVERVIEW)["incidents"] == []
    id_ = payloads.new_id()
    world.register(payloads.accepted("bizgo", id_, channel="ALIMTALK"))
    world.bizgo(payloads.bizgo(id_, "64008"))
    overview = until("the incident is open", lambda: (found := api.get(OVERVIEW))["incidents"] and found)
    (incident,) = overview["incidents"]
    (provider,) = [one for one in overview["providers"] if one["provider"] == "bizgo"]
    assert (incident["kind"], incident["provider"], incident["scope"], incident["example"]) == ("failing", "bizgo", "account", id_)
    assert (provider["healthy"], provider["pending"], provider["dead_letters"]) == (False, 0, 1)
    assert provider["failures"] == [
        {"code": "64008", "channel": "ALIMTALK", "reason": REASONS["64008"]["reason"], "outcome": "account_fault", "records": 1}
    ]
    assert (sum(provider["traffic"]["accepted"]), sum(provider["traffic"]["failed"])) == (1, 1)
    assert seconds_ago(overview, provider["last_receipt_at"]) < 60
    watch = until("the watch has looked", lambda: api.get(OVERVIEW)["watch"], 60)
    assert watch["instance"] == "test-0" and watch["hidden_partitions"] == 0
    until("it looks again", lambda: api.get(OVERVIEW)["watch"]["looked_at"] > watch["looked_at"], 60)
    door = until("the front door was called", lambda: api.get(OVERVIEW)["front_door"], 60)
    assert (door["result"], door["certificate_ends_at"]) == ("ok", None), door
