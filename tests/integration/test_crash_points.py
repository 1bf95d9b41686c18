# SPDX-License-Identifier: MIT
"""Every CRASH_POINT of the code: the process dies exactly there, or stands still for longer than its group waits, and all ends right.

The points are read from the sources, so a new one without a test fails here.
"""

import json
import re
import time
from http.client import HTTPException

import pytest

from support import builds, payloads
from support.deadlines import with_times
from support.judge import watch_says
from support.service import Service
from support.thirds import FORGET, check_all, event, ids_of, post_all, stored
from support.wait import until, until_equal
from support.world import World

pytestmark = pytest.mark.long

EVENTS = 400
OVERDUE = "dochak.notification.overdue.v1"


def points(folder: str) -> list[str]:
    return sorted(
        name for source in (builds.ROOT / folder).rglob("*.c") for name in re.findall(r'CRASH_POINT\("(\w+)"\)', source.read_text("utf-8"))
    )


WATCH = points("processor/watch")
ASK = points("processor/ask")
PROCESSOR = sorted(set(points("processor")) - set(WATCH) - set(ASK))  # of the batch
INGRESS = points("ingress")
TIMES = {"after_spool_commit": 3, "before_ack": 20, "before_spool_commit": 3, "before_spool_remove": 1}  # some are acknowledged before


def test_the_points_are_those_that_the_protocol_has() -> None:
    """Where a process can die with a different part of its work done."""
    assert PROCESSOR == [
        "after_kafka_commit",
        "after_postgres_commit",
        "before_kafka_commit",
        "before_postgres_commit",
        "mid_produce",
        "offsets_put_off",
    ]
    assert WATCH == ["watch_after_flush", "watch_before_flush"]
    assert ASK == ["reconcile_after_events", "reconcile_before_events"]  # tests/integration/test_reconcile.py
    assert INGRESS == sorted(TIMES)


def batch_records(point: str) -> str:
    """Of forty records some have alerts, of one mostly none; only then the offsets are put off."""
    return "1" if point == "offsets_put_off" else "40"


def start_to_crash(service: Service, at: str) -> None:
    service.env["CRASH_AT"] = at
    service.start()


def wait_crash(service: Service) -> None:
    service.wait_killed()
    del service.env["CRASH_AT"]


@pytest.mark.parametrize("point", PROCESSOR)
def test_the_processor_dies_there_and_starts_again(world: World, point: str) -> None:
    world.new_ingress().start().wait_ready()
    ids = post_all(world, ids_of(EVENTS))
    processor = world.new_processor(DOCHAK_BATCH_MAX_RECORDS=batch_records(point))
    for times in (1, 3):
        start_to_crash(processor, f"{point}:{times}")
        wait_crash(processor)
    processor.start()
    check_all(world, ids)


@pytest.mark.parametrize("point", PROCESSOR)
def test_the_processor_freezes_there_for_longer_than_its_session(world: World, point: str) -> None:
    """Another gets its partitions and does the same batch; then it wakes up where it stood."""
    world.sql(FORGET)
    world.new_ingress().start().wait_ready()
    ids = post_all(world, ids_of(EVENTS))
    properties = world.folder / "kafka.properties"
    properties.write_text("session.timeout.ms=2000\n")
    settings = {"DOCHAK_BATCH_MAX_RECORDS": batch_records(point), "DOCHAK_WORKERS": "1", "DOCHAK_KAFKA_PROPERTIES": str(properties)}
    zombie, other = world.new_processor(**settings), world.new_processor(**settings)
    zombie.expected_errors = other.expected_errors = ["TXNERR", "FATAL", "ADDOFFSETS", "fenced"]
    start_to_crash(zombie, f"{point}:2:stop")
    until(f"{point} is reached", zombie.is_frozen, 40)
    other.start()
    until("the other has its partitions", lambda: other.log_lines("^partitions assigned"), 30)
    more = post_all(world, ids_of(EVENTS + 60)[EVENTS:])
    until("the other works", lambda: stored(world) > 100, 30)
    zombie.thaw()
    check_all(world, ids + more)
    print(f"{point}: {zombie.log_lines('^worker starts over')[-1:]}")


# --- the watch: what it has written is out or not, and nobody knows


LIVE = "live"


def register_all(world: World, ids: list[str]) -> None:
    """Then the provider reports on another one: it is not silent, so those that are overdue do not wait."""
    world.register([payloads.accepted("bizgo", id_) for id_ in ids])
    world.bizgo(payloads.bizgo(LIVE, "10000"))


def check_overdue(world: World, ids: list[str]) -> None:
    """One alert for each and no other one, however often the watch has written that it is overdue."""
    until("each has its alert", lambda: {alert.header("ce_subject") for alert in world.alerts()} >= set(ids), 60)
    world.settle(60)
    told = sorted((alert.type, alert.header("ce_subject")) for alert in world.alerts())
    assert told == sorted((OVERDUE, id_) for id_ in ids)
    assert world.statuses() == {LIVE: "SENT", **dict.fromkeys(ids, "PENDING")}


def write_again(world: World) -> None:
    """As a watch does that died before it knew that Kafka had it all."""
    for record in [r for r in world.topics.read("events") if r.type == OVERDUE]:
        world.topics.produce("events", record.value, record.key, record.headers)
    world.topics.flush()


@pytest.mark.parametrize("point", WATCH)
def test_the_watch_dies_there_and_starts_again(world: World, point: str) -> None:
    settings = with_times(world, receipt_within_s=1, expires_after_s=3600)
    world.new_ingress(**settings).start().wait_ready()
    processor = world.new_processor(**settings)
    ids = ids_of(60)
    for first in (0, 20):
        register_all(world, ids[first : first + 20])
        start_to_crash(processor, f"{point}:1")
        wait_crash(processor)
    register_all(world, ids[40:])
    processor.start()
    check_overdue(world, ids)
    write_again(world)
    check_overdue(world, ids)


@pytest.mark.parametrize("point", WATCH)
def test_the_watch_freezes_there_until_another_leads(world: World, point: str) -> None:
    """The other one finds the same; then the first wakes up where it stood."""
    world.sql(FORGET)
    settings = with_times(world, receipt_within_s=1, expires_after_s=3600)
    world.new_ingress(**settings).start().wait_ready()
    properties = world.folder / "kafka.properties"
    properties.write_text("session.timeout.ms=2000\n")
    settings |= {"DOCHAK_WORKERS": "1", "DOCHAK_KAFKA_PROPERTIES": str(properties)}
    zombie, other = world.new_processor(**settings), world.new_processor(**settings)
    zombie.expected_errors = other.expected_errors = ["TXNERR", "FATAL", "ADDOFFSETS", "fenced"]
    ids = ids_of(40)
    register_all(world, ids[:20])
    start_to_crash(zombie, f"{point}:1:stop")
    until(f"{point} is reached", zombie.is_frozen, 40)
    other.start()
    until_equal("the other leads", lambda: other.metrics().get("dochak_processor_watch_leads"), 1, 60)
    register_all(world, ids[20:])
    check_overdue(world, ids)
    zombie.thaw()
    until_equal("the first leads no more", lambda: zombie.metrics().get("dochak_processor_watch_leads"), 0, 40)
    check_overdue(world, ids)


# --- incidents: opened by an account fault and by the watch, closed by the watch

ALERTING = [point for point in PROCESSOR if point != "offsets_put_off"]  # the others are reached by an alert


@pytest.mark.parametrize("point", ALERTING)
def test_an_incident_opens_and_closes_once_wherever_the_processor_dies(world: World, point: str) -> None:
    world.new_ingress().start().wait_ready()
    processor = world.new_processor()
    silent, restored, failing = (f"dochak.provider.{name}.v1" for name in ("silent", "restored", "failing"))
    steps = [
        lambda: world.bizgo(payloads.bizgo("first", "64008")),
        lambda: watch_says(world, silent),
        lambda: watch_says(world, restored, judged_until="2026-01-12T03:00:00.000Z"),
    ]
    for step in steps:
        step()
        start_to_crash(processor, f"{point}:1")
        wait_crash(processor)
        processor.start()
        world.settle(60)
        processor.stop()
    for step in steps[1:]:
        step()  # once more: it was open before
    processor.start()
    world.settle(60)
    told = [alert.type for alert in world.alerts()]
    assert sorted(told) == sorted(["dochak.notification.dead_lettered.v1", failing, silent, restored])
    assert world.sql("SELECT kind, closed_at IS NULL AS open FROM incident ORDER BY kind") == [
        {"kind": "failing", "open": True},
        {"kind": "silent", "open": False},
    ]


def set_floor(world: World) -> None:
    """At least one call in ten minutes, of which none came in the last twelve. The watch has seen the minute before them."""
    document = json.loads(world.endpoints_file.read_text("utf-8"))
    document["endpoints"][1]["floor"] = {"calls": 1, "within_s": 600}
    world.endpoints_file.write_text(json.dumps(document))
    world.sql(
        "INSERT INTO endpoint_minute SELECT date_trunc('minute', now()) - n * interval '1 minute', 'blux/sms', 'one', gen_random_uuid(), 'blux',"
        " 0, 0, 0, '{}', 0, 0, 0, NULL, false FROM generate_series(1, 15) AS n"
    )
    processor = world.new_processor().start()
    until("the watch knows the endpoint", lambda: world.sql("SELECT 1 FROM rhythm WHERE endpoint = 'blux/sms'"), 60)
    processor.stop()
    world.sql("UPDATE rhythm SET state = jsonb_set(state, '{minute}', to_jsonb((state->>'minute')::bigint - 12)) WHERE endpoint = 'blux/sms'")


def is_stored_as(world: World, is_open: bool) -> bool:
    (row,) = world.sql("SELECT (floor->>'open')::boolean AS open FROM rhythm WHERE endpoint = 'blux/sms'")
    return row["open"] == is_open


@pytest.mark.timeout(600)
@pytest.mark.parametrize("point", WATCH)
def test_an_incident_opens_and_closes_once_wherever_the_watch_dies(world: World, point: str) -> None:
    """Its events are in Kafka or not, and what it has counted is not stored: the next one counts the same minutes again."""
    silent, restored = (f"dochak.provider.{name}.v1" for name in ("silent", "restored"))
    world.new_ingress().start().wait_ready()
    set_floor(world)
    processor = world.services[-1]
    start_to_crash(processor, f"{point}:1")
    wait_crash(processor)
    assert is_stored_as(world, False)
    processor.start()
    until("the silence is stored", lambda: is_stored_as(world, True), 60)
    until_equal("the silence is said", lambda: [alert.type for alert in world.alerts()], [silent], 30)
    processor.stop()
    start_to_crash(processor, f"{point}:1")
    world.blux(payloads.blux_event("first-again"))
    processor.wait_killed(120)
    del processor.env["CRASH_AT"]
    assert is_stored_as(world, True)
    processor.start()
    until("its end is stored", lambda: is_stored_as(world, False), 60)
    world.settle(60)
    assert [alert.type for alert in world.alerts()] == [silent, restored]
    assert world.sql("SELECT kind, endpoint, scope, closed_at IS NULL AS open FROM incident") == [
        {"kind": "silent", "endpoint": "blux/sms", "scope": "floor", "open": False}
    ]


# --- ingress


@pytest.mark.parametrize("point", INGRESS)
def test_ingress_dies_there_and_starts_again(worlds, kafka, own_kafka, postgres, point: str) -> None:
    spooling = "spool" in point
    broker = own_kafka if spooling else kafka
    world = worlds.new(broker, postgres)
    ingress = world.new_ingress(DOCHAK_SPOOL_DIR=str(world.folder / "spool"), DOCHAK_ACK_BUDGET_MS="500")
    ingress.expected_errors = ["librdkafka"]
    processor = world.new_processor()
    processor.expected_errors = ["librdkafka"]
    start_to_crash(ingress, f"{point}:{TIMES[point]}")
    ingress.wait_ready()
    if spooling:
        broker.kill()
    try:
        acked = send_until_it_dies(world)
    finally:
        if spooling:
            broker.start()
    wait_crash(ingress)
    ingress.start().wait_ready()
    processor.start()
    # Who was not answered sends again, as a provider does; who was relies on it.
    assert acked
    ids = ids_of(EVENTS)
    post_all(world, [id_ for id_ in ids if id_ not in acked])
    until_equal("the spool is empty", lambda: ingress.metrics()["dochak_ingress_spool_events"], 0, 30)
    check_all(world, ids)


def send_until_it_dies(world: World) -> set[str]:
    acked = set()
    for id_ in ids_of(EVENTS):
        try:
            answer = world.post("blux/sms", payloads.blux(event(id_)))
        except (OSError, HTTPException):
            break
        if answer.status == 200:
            acked.add(id_)
        time.sleep(0.005)
    return acked
