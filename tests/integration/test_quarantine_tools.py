# SPDX-License-Identifier: MIT
"""What stands in quarantine can be seen, and taken in after all once somebody has mended the provider file, however often it is tried."""

import json
import re
import subprocess
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from support import builds, http, payloads
from support.api import Api
from support.replays import command, everything, replay
from support.service import run_once
from support.topics import Record
from support.world import World

DEAD_LETTERED, QUARANTINED = "dochak.notification.dead_lettered.v1", "dochak.payload.quarantined.v1"
FAILING = "dochak.provider.failing.v1"
LINE = re.compile(r"^(\d+:\d+) +(\S+) +(\d+)  (\S+)  (.+)$", re.MULTILINE)


def quarantine(world: World, *arguments: str, **settings: str) -> subprocess.CompletedProcess:
    return command(world, "quarantine", *arguments, **settings)


def listed(world: World, *arguments: str) -> list[tuple[str, ...]]:
    """Place, time, bytes, endpoint, reason."""
    return LINE.findall(quarantine(world, "list", *arguments).stdout)


def place(record: Record) -> str:
    return f"{record.partition}:{record.offset}"


def redriven(world: World) -> dict[str, bool]:
    """By place, whether table quarantine says that a redrive has understood it."""
    rows = world.sql("SELECT format('%s:%s', source_partition, source_offset) AS place, redriven_at IS NOT NULL AS redriven FROM quarantine")
    return {row["place"]: row["redriven"] for row in rows}


def broken_files(world: World) -> dict[str, str]:
    """A setting: Blux's events are looked for where they are not, and BizGo's code where it is not (which only the processor reads)."""
    folder = world.folder / "broken"
    folder.mkdir()
    for file in (builds.ROOT / "schemas/providers").glob("*.json"):
        document = json.loads(file.read_text("utf-8"))
        if document["provider"] == "blux":
            document["webhook"]["elements"] = "/items"
        if document["provider"] == "bizgo":
            document["webhook"]["kinds"][0]["code"] = "/resultCode"
            document["acceptance"]["shapes"] = [{"id": "/id"}]
        (folder / file.name).write_text(json.dumps(document))
    return {"DOCHAK_PROVIDERS_DIR": str(folder)}


def alerts(world: World) -> dict[str, list[str]]:
    """By notification, or endpoint of an incident; the alerts about quarantine itself under the empty one."""
    world.settle()
    by_id: dict[str, list[str]] = {}
    for alert in world.alerts():
        by_id.setdefault(alert.header("ce_subject") or "", []).append(alert.type)
    return by_id


@pytest.fixture
def broken(world: World) -> World:
    """Taken in by the broken files; then both services have the right ones."""
    ingress = world.new_ingress(**broken_files(world)).start().wait_ready()
    processor = world.new_processor(DOCHAK_PROVIDERS_DIR=str(world.folder / "broken"), DOCHAK_INSTANCE="test-0").start().wait_ready()
    world.blux(payloads.blux_event("in-a-body-1"), payloads.blux_event("in-a-body-2", delivered=False), {"nothing": "known"})
    world.bizgo(payloads.bizgo("element", "64008"))
    world.bizgo(payloads.bizgo("element", "64008"))  # as providers do
    world.post("bizgo/alimtalk", b"hello")
    answer = world.post_registration(payloads.sent("bizgo", {"code": "A000", "id": "nobody"}))
    assert answer.status == 202
    world.settle()
    for service in (ingress, processor):
        service.stop()
    world.new_ingress().start().wait_ready()
    world.new_processor(DOCHAK_INSTANCE="test-0").start().wait_ready()
    world.settle()
    return world


def test_what_is_understood_by_now_is_taken_in_once(broken: World) -> None:
    assert set(broken.statuses()) <= {"nobody"}
    in_quarantine = len(broken.topics.read("quarantine"))
    assert redriven(broken) == {place(record): False for record in broken.topics.read("quarantine")}
    before = alerts(broken)
    dry = quarantine(broken, "redrive", "--dry-run")
    assert "4 elements would be redriven; 0 were taken in before, 2 still make no sense and stay" in dry.stdout
    assert alerts(broken) == before and not any(redriven(broken).values())
    done = quarantine(broken, "redrive")
    print(done.stdout)
    assert done.stdout == dry.stdout.replace("would be ", "")
    broken.settle()
    expected = {"in-a-body-1": "SENT", "in-a-body-2": "DEAD_LETTER", "element": "DEAD_LETTER"}
    assert {id_: status for id_, status in broken.statuses().items() if id_ != "nobody"} == expected
    assert alerts(broken) == before | {"in-a-body-2": [DEAD_LETTERED], "element": [DEAD_LETTERED], "bizgo/alimtalk": [FAILING]}
    stay = {place(record) for record in broken.topics.read("quarantine") if record.value == b"hello" or b'"nothing"' in record.value}
    assert {where for where, is_redriven in redriven(broken).items() if not is_redriven} == stay
    tables = everything(broken)
    again = quarantine(broken, "redrive")
    assert "0 elements redriven; 4 were taken in before, 2 still make no sense and stay" in again.stdout
    assert everything(broken) == tables
    assert len(broken.topics.read("quarantine")) == in_quarantine


def test_the_query_api_takes_one_record_in_and_says_what_became_of_it(broken: World) -> None:
    api = Api(broken, DOCHAK_INSTANCE="api").start()
    done = {}
    for item in api.pages("/v1/quarantine"):
        path = f"/v1/quarantine/{item['partition']}/{item['offset']}"
        done[item["partition"], item["offset"]] = api.post(f"{path}/redrive").json()
    sent = [answer["sent"] for answer in done.values()]
    assert sum(sent) >= 3 and sum(answer["unclear"] for answer in done.values()) == 2, done
    broken.settle()
    expected = {"in-a-body-1": "SENT", "in-a-body-2": "DEAD_LETTER", "element": "DEAD_LETTER"}
    assert {id_: status for id_, status in broken.statuses().items() if id_ != "nobody"} == expected
    assert all((item["redriven_at"] is None) == (done[item["partition"], item["offset"]]["unclear"] > 0) for item in api.pages("/v1/quarantine"))
    tables = everything(broken)
    for partition, offset in done:
        again = api.post(f"/v1/quarantine/{partition}/{offset}/redrive").json()
        assert again["sent"] == 0 and again["known"] == sum(done[partition, offset][what] for what in ("sent", "known"))
    assert everything(broken) == tables
    for place_ in ("99/0", "0/999999", "x/1", "0/-1", "0/1.5"):
        assert api.post(f"/v1/quarantine/{place_}/redrive").status == 404
    answer = http.request(api.port, "GET", "/v1/quarantine/0/0/redrive", headers={"Authorization": f"Bearer {api.key}"})
    assert (answer.status, answer.headers["allow"]) == (405, "POST")
    assert http.request(api.port, "POST", "/v1/quarantine/0/0/redrive").status == 401


def test_replay_leaves_to_redrive_what_was_never_taken_in(broken: World) -> None:
    before = broken.statuses()
    assert "(0 receipts, " in replay(broken).stdout
    assert broken.statuses() == before
    quarantine(broken, "redrive")
    broken.settle()
    assert "(3 receipts, " in replay(broken).stdout


def test_what_comes_back_keeps_when_it_was_received(broken: World) -> None:
    quarantine(broken, "redrive")
    broken.settle()
    (record,) = (r for r in broken.topics.read("events") if r.header("ce_subject") == "in-a-body-2")
    (origin,) = (r for r in broken.topics.read("quarantine") if b"in-a-body-2" in r.value)
    assert record.header("ce_source") == "/processor/redrive" and record.key == b"in-a-body-2"
    assert [record.header(h) for h in ("ce_time", "ce_provider", "ce_endpoint")] == [
        origin.header(h) for h in ("ce_time", "ce_provider", "ce_endpoint")
    ]
    assert json.loads(record.value) == payloads.blux_event("in-a-body-2", delivered=False)


def test_a_registration_that_the_processor_put_aside_is_taken_in(world: World) -> None:
    world.foreign = True
    registration = payloads.to_bytes({"notification_id": "reg", "response": {"code": "A000", "msgKey": "reg"}, "reference": "order-17"})
    now = datetime.now(UTC).isoformat()
    common = [("ce_specversion", "1.0"), ("ce_time", now), ("ce_provider", "bizgo"), ("ce_subject", "reg")]
    common += [("ce_type", QUARANTINED), ("ce_source", "/processor"), ("ce_reason", "no shape fits")]
    world.new_processor().start().wait_ready()
    world.topics.produce("quarantine", registration, headers=[*common, ("ce_id", "0198d5a0-0000-7000-8000-000000000001")])
    world.topics.produce("quarantine", b"[]", headers=[("ce_id", "0198d5a0-0000-7000-8000-000000000002"), *common])
    world.topics.produce("quarantine", b"foreign")
    world.topics.flush()
    world.settle()
    for sent, known in (1, 0), (0, 1):
        done = quarantine(world, "redrive")
        assert f"3 records read: {sent} elements redriven; {known} were taken in before, 2 still make no sense and stay" in done.stdout
        world.wait_row("bizgo", "reg", status="PENDING", reference="order-17", version=1)
        world.settle()
    assert len(world.alerts()) == 2  # of one kind, and of the foreign record


def test_each_event_goes_back_as_what_it_was(world: World) -> None:
    """What was asked for and what the watch has written have no endpoint either."""
    world.foreign = True
    report, deadline = payloads.bizgo("asked", "10000"), {"notification_id": "late", "deadline": "2026-01-12T02:05:00.000Z"}
    person = {"event": "upsert", "type": "user", "entity": {"id": "u-1", "memberId": "m-1", "version": 1}, "askedAt": 1735000000000}
    events = [
        ("dochak.receipt.received.v1", "bizgo", "asked", report),
        ("dochak.contact.changed.v1", "channeltalk", "m-1", person),
        ("dochak.notification.overdue.v1", "bizgo", "late", deadline),
        ("dochak.notification.accepted.v1", "bizgo", "reg", {"notification_id": "reg", "response": {"code": "A000", "msgKey": "reg"}}),
    ]
    world.new_processor().start().wait_ready()
    for type_, provider, subject, value in events:
        headers = {"ce_specversion": "1.0", "ce_id": str(uuid.uuid4()), "ce_time": datetime.now(UTC).isoformat(), "ce_provider": provider}
        headers |= {"ce_subject": subject, "ce_type": QUARANTINED, "ce_source": "/processor", "ce_reason": "refused", "ce_wastype": type_}
        world.topics.produce("quarantine", payloads.to_bytes(value), headers=list(headers.items()))
    world.topics.flush()
    world.settle()
    assert "4 records read: 4 elements redriven; 0 were taken in before, 0 still make no sense" in quarantine(world, "redrive").stdout
    world.settle()
    redriven = [(r.type, r.header("ce_provider"), r.key.decode(), r.data) for r in world.topics.read("events")]
    assert sorted(redriven, key=str) == sorted(events, key=str)
    assert world.statuses() == {"asked": "SENT", "reg": "PENDING"}
    assert [row["contact_id"] for row in world.sql("SELECT * FROM contact")] == ["m-1"]


def test_what_postgres_refuses_each_time_is_told_once(world: World) -> None:
    """An element that is understood and cannot be stored goes round and round, and nobody hears of it again."""
    world.sql("ALTER TABLE receipt ADD CONSTRAINT never CHECK (notification_id <> 'never')")
    world.new_ingress().start().wait_ready()
    world.new_processor().start().wait_ready()
    world.bizgo(payloads.bizgo("never", "64008"))
    world.settle()
    assert len(world.alerts()) == 1
    for _ in range(3):
        quarantine(world, "redrive")
        world.settle()
        assert len(world.alerts()) == 1
    world.sql("ALTER TABLE receipt DROP CONSTRAINT never")
    quarantine(world, "redrive")
    world.wait_row("bizgo", "never", status="DEAD_LETTER")
    assert alerts(world)["never"] == [DEAD_LETTERED]


def test_list_shows_each_record_and_filters(broken: World) -> None:
    records = broken.topics.read("quarantine")
    lines = listed(broken)
    assert sorted(line[0] for line in lines) == sorted(map(place, records))
    for where, at, size, endpoint, reason in lines:
        record = next(r for r in records if place(r) == where)
        assert (at, int(size), reason) == (record.header("ce_time"), len(record.value), record.header("ce_reason"))
        assert endpoint in (record.header("ce_endpoint"), record.header("ce_provider"))
    now = datetime.now(UTC)
    for arguments, expected in [
        (["--provider", "blux"], [r for r in records if r.header("ce_provider") == "blux"]),
        (["--endpoint=bizgo/alimtalk"], [r for r in records if r.header("ce_endpoint") == "bizgo/alimtalk"]),
        (["--reason", "JSON"], [r for r in records if "JSON" in r.header("ce_reason")]),
        (["--since", (now - timedelta(hours=1)).isoformat()], records),
        (["--since", (now + timedelta(hours=1)).isoformat()], []),
        (["--until", (now - timedelta(hours=1)).isoformat()], []),
        ([place(records[0]), records[1].id], records[:2]),
    ]:
        assert sorted(line[0] for line in listed(broken, *arguments)) == sorted(map(place, expected)), arguments
    assert len(listed(broken, "--limit", "2")) == 2


def test_show_gives_the_bytes_and_says_that_nothing_is_masked(broken: World) -> None:
    for record in broken.topics.read("quarantine"):
        for id_ in (place(record), record.id):
            program = [*builds.WRAPPER, builds.program("processor"), "quarantine", "show", id_]
            done = subprocess.run(program, env=broken.env(), capture_output=True, timeout=60, check=True)
            assert done.stdout == record.value and b"nothing masked" in done.stderr


def test_redrive_of_one_leaves_the_others(broken: World) -> None:
    (record,) = (r for r in broken.topics.read("quarantine") if b"in-a-body-1" in r.value)
    done = quarantine(broken, "redrive", "--provider", "blux", place(record))
    assert done.stdout.startswith("1 records read: 2 elements redriven;")
    broken.settle()
    assert "element" not in broken.statuses() and broken.statuses()["in-a-body-1"] == "SENT"


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ([], "expected list, show or redrive"),
        (["burn"], '"burn"'),
        (["show"], "expected one id"),
        (["show", "0:1", "0:2"], "expected one id"),
        (["list", "--limit", "0"], '--limit: "0"'),
        (["list", "--since", "noon"], '--since: "noon"'),
        (["list", "--colour"], '"--colour"'),
    ],
)
def test_an_argument_that_is_not_understood_is_named(arguments: list[str], part: str) -> None:
    done = run_once("processor", builds.base_environment(), "quarantine", *arguments)
    assert done.returncode == 2 and part in done.stderr and "--help" in done.stderr and done.stdout == "", done


def test_help_needs_no_settings() -> None:
    done = run_once("processor", builds.base_environment(), "quarantine", "--help")
    assert done.returncode == 0 and "redrive" in done.stdout and done.stderr == ""


def test_a_record_that_is_not_there_is_an_error(world: World) -> None:
    for verb in ("list", "show", "redrive"):
        done = run_once("processor", world.env(), "quarantine", verb, "3:17")
        assert done.returncode == 1 and "no such record" in done.stderr, done
