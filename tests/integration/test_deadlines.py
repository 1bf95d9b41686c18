# SPDX-License-Identifier: MIT
"""What was never reported: the watch finds it, and one alert says so."""

import uuid

import pytest

from support import payloads
from support.deadlines import start, wait_spool, with_times
from support.wait import until, until_equal
from support.world import World, free_port

OVERDUE, DEAD, RECOVERED = (f"dochak.notification.{name}.v1" for name in ("overdue", "dead_lettered", "recovered"))


def wait_alerts(world: World, notification_id: str, *types: str) -> list:
    until_equal(f"{notification_id} has the alerts {types}", lambda: [a.type for a in world.alerts(notification_id)], list(types))
    return world.alerts(notification_id)


def test_a_notification_without_receipt_is_overdue_once_and_then_a_dead_letter(world: World) -> None:
    start(world, receipt_within_s=1, expires_after_s=4)
    world.register(payloads.accepted("bizgo", "never", recipient=payloads.PHONES[0]))
    overdue, dead = wait_alerts(world, "never", OVERDUE, DEAD)
    assert (overdue.data["status"], overdue.data["outcome"]) == ("PENDING", None)
    assert (dead.data["outcome"], dead.data["reason"], dead.data["code"]) == ("expired", "no receipt in time", None)
    row = world.wait_row("bizgo", "never", status="DEAD_LETTER")
    assert row["next_look_at"] is None
    assert [event.type for event in world.records("events", "never")].count(OVERDUE) == 1


def test_late_truth_corrects_a_dead_letter_that_had_expired(world: World) -> None:
    start(world, receipt_within_s=1, expires_after_s=2)
    world.register(payloads.accepted("bizgo", "late"))
    wait_alerts(world, "late", OVERDUE, DEAD)
    world.bizgo(payloads.bizgo("late", "10000"))
    wait_alerts(world, "late", OVERDUE, DEAD, RECOVERED)
    assert world.row("bizgo", "late")["status"] == "SENT"


def test_a_receipt_in_time_leaves_nothing_to_say(world: World) -> None:
    start(world, receipt_within_s=1, expires_after_s=2)
    world.register([payloads.accepted("bizgo", "in-time"), payloads.accepted("bizgo", "never")])
    world.bizgo(payloads.bizgo("in-time", "10000"))
    wait_alerts(world, "never", OVERDUE, DEAD)
    assert world.alerts("in-time") == []
    assert world.row("bizgo", "in-time")["status"] == "SENT"


def test_an_unconfirmed_receipt_moves_the_deadline(world: World) -> None:
    start(world, receipt_within_s=2, expires_after_s=4, unconfirmed_within_s=60)
    world.register([payloads.accepted("bizgo", "unconfirmed"), payloads.accepted("bizgo", "never")])
    world.bizgo(payloads.bizgo("unconfirmed", "63005", reportTime=payloads.ago(0)))
    wait_alerts(world, "never", OVERDUE, DEAD)
    assert world.alerts("unconfirmed") == []
    assert world.row("bizgo", "unconfirmed")["status"] == "PENDING"


def overdue(world: World, provider: str) -> set[str]:
    return {alert.header("ce_subject") for alert in world.alerts() if alert.type == OVERDUE and alert.header("ce_provider") == provider}


def test_overdue_messages_wait_while_their_provider_may_be_silent_and_no_longer(world: World) -> None:
    start(world, receipt_within_s=5, expires_after_s=3600, silent_after_s=600)
    ids = [f"m{i}" for i in range(6)]
    world.register([payloads.accepted("bizgo", id_) for id_ in ids])
    world.register(payloads.accepted("blux", "of-another-provider"))
    until("another provider's is overdue", lambda: overdue(world, "blux"), 60)
    world.settle()
    assert overdue(world, "bizgo") == set()
    world.bizgo(payloads.bizgo("m0", "10000"))
    until_equal("all others are", lambda: overdue(world, "bizgo"), set(ids[1:]), 60)


@pytest.mark.long
def test_the_watch_waits_while_the_events_topic_is_not_read(world: World) -> None:
    """The receipt lies in Kafka, and its processor comes too late for the deadline."""
    settings = with_times(world, receipt_within_s=10, expires_after_s=600)
    world.new_ingress(**settings).start().wait_ready()
    first = world.new_processor(**settings).start()
    first.wait_ready()
    world.register([payloads.accepted("bizgo", f"m{i}") for i in range(20)])
    world.settle()
    first.kill()
    for i in range(20):
        world.bizgo(payloads.bizgo(f"m{i}", "10000"))
    until_equal("all are past their deadline", lambda: world.sql("SELECT count(*) AS n FROM notification WHERE due_at < now()")[0]["n"], 20)
    world.new_processor(**settings).start().wait_ready()
    until_equal("all are sent", lambda: set(world.statuses().values()), {"SENT"})
    world.settle()
    assert world.alerts() == []


@pytest.mark.long
def test_a_receipt_in_a_partition_that_was_just_added_is_waited_for(world: World) -> None:
    """The processor asks once a minute which partitions there are. Until then it reads nothing of the new one."""
    start(world, receipt_within_s=5, expires_after_s=3600)
    world.bizgo(payloads.bizgo("pattern", "10000"))
    world.settle()
    (pattern,) = world.records("events", "pattern")
    ids = [f"m{i}" for i in range(4)]  # too few to be silence
    world.register([payloads.accepted("bizgo", id_) for id_ in ids])
    until_equal("all are there", lambda: {id_: world.statuses().get(id_) for id_ in ids}, dict.fromkeys(ids, "PENDING"))
    world.foreign = True
    added = world.topics.add_partition("events")
    for id_ in ids:
        changed = {"ce_subject": id_.encode(), "ce_id": str(uuid.uuid4()).encode(), "ce_time": payloads.ago(0).encode()}
        headers = [(name, changed.get(name, value)) for name, value in pattern.headers]
        world.topics.produce("events", payloads.to_bytes(payloads.bizgo(id_, "10000")), key=id_, headers=headers, partition=added)
    world.topics.flush()
    until_equal("all are sent", lambda: {world.statuses()[id_] for id_ in ids}, {"SENT"}, 90)
    world.settle()
    assert [event for event in world.records("events") if event.type == OVERDUE] == []
    assert world.alerts() == []


def test_two_watches_one_leads_and_the_other_takes_over(world: World) -> None:
    settings = with_times(world, receipt_within_s=1, expires_after_s=3600)
    world.new_ingress(**settings).start().wait_ready()
    processors = [world.new_processor(**settings).start() for _ in range(2)]
    for processor in processors:
        processor.wait_ready()

    def leaders() -> list[int]:
        return [i for i, p in enumerate(processors) if p.is_alive() and p.metrics().get("dochak_processor_watch_leads") == 1]

    (leader,) = until("one leads", leaders)
    world.register(payloads.accepted("bizgo", "before"))
    wait_alerts(world, "before", OVERDUE)
    processors[leader].kill()
    until_equal("the other one leads", leaders, [1 - leader], 40)
    world.register(payloads.accepted("bizgo", "after"))
    wait_alerts(world, "after", OVERDUE)
    assert len(world.alerts("before")) == 1


def leave_only_a_minute_of(world: World, ago: str) -> None:
    """The last that ingress has reported."""
    world.sql("DELETE FROM endpoint_minute")
    world.sql(
        """INSERT INTO endpoint_minute SELECT date_trunc('minute', now()) - %s::interval, 'bizgo/alimtalk', 'gone', gen_random_uuid(),
           'bizgo', 0, 0, 0, '{}', 0, 0, 0, NULL, false""",
        ago,
    )


def report_ahead(world: World, spooled_hours: float | None = None) -> None:
    """As an ingress whose clock is an hour ahead."""
    world.sql(
        """INSERT INTO endpoint_minute SELECT date_trunc('minute', now()) + interval '1 hour', 'bizgo/alimtalk', 'ahead', gen_random_uuid(),
           'bizgo', 0, 0, 0, '{}', 0, 0, 1, now() - %s * interval '1 hour', false""",
        spooled_hours,
    )


def behind_s(world: World) -> float:
    return world.services[1].metrics().get("dochak_processor_watch_behind_seconds", 0)


def starts_over(world: World) -> list:
    return [line for processor in world.services[1:] for line in processor.log_lines("^watch starts over")]


def test_a_watch_that_starts_over_writes_no_deadline_before_it_knows_what_waits_in_a_spool(world: World) -> None:
    """Its first judgement fails each time, for another reason."""
    start(world, receipt_within_s=1, expires_after_s=3600)
    world.services[1].stop()
    wait_spool(world)
    world.register(payloads.accepted("bizgo", "never"))
    world.sql("CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'on purpose'; END$$")
    world.sql("CREATE TRIGGER fail BEFORE INSERT ON provider_hour EXECUTE FUNCTION fail()")
    world.services[1].start().wait_ready()
    world.wait_row("bizgo", "never", status="PENDING")
    before = len(starts_over(world))
    until("it has started over three times", lambda: len(starts_over(world)) >= before + 3, 60)
    world.settle()
    assert world.alerts() == []


def test_what_waits_in_a_spool_keeps_the_watch_behind_and_a_metric_says_so(world: World) -> None:
    start(world, receipt_within_s=1, expires_after_s=3600)
    world.services[1].stop()
    wait_spool(world, minutes=20)
    world.services[1].start().wait_ready()
    until("the metric is there", lambda: behind_s(world) >= 20 * 60 - 5, 30)


def test_a_record_of_a_clock_that_is_ahead_does_not_stop_the_watch(world: World) -> None:
    start(world, receipt_within_s=1, expires_after_s=3600)
    world.services[1].stop()
    report_ahead(world, spooled_hours=5)
    world.services[1].start().wait_ready()
    world.register(payloads.accepted("bizgo", "never"))
    wait_alerts(world, "never", OVERDUE)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_front_door_is_judged_whatever_waits_in_a_spool(world: World) -> None:
    settings = with_times(world, receipt_within_s=1, expires_after_s=3600)
    world.new_ingress(**settings).start().wait_ready()
    world.new_processor(**settings, DOCHAK_PUBLIC_URL=f"http://127.0.0.1:{free_port()}").start().wait_ready()
    until("a minute is judged", lambda: world.sql("SELECT 1 FROM rhythm"), 130)

    def is_opened() -> bool:
        wait_spool(world, minutes=60)
        return any(alert.type == "dochak.endpoint.unreachable.v1" for alert in world.alerts())

    until("it is said to be unreachable", is_opened, 300, every=5)


def test_hours_without_ingress_make_no_message_overdue(world: World) -> None:
    """A processor that begins to lead then, too, knows nothing of the time since."""
    start(world, receipt_within_s=20, expires_after_s=3600)
    ingress, processor = world.services
    world.register(payloads.accepted("bizgo", "never"))
    world.wait_row("bizgo", "never", status="PENDING")
    ingress.kill()
    world.settle()
    processor.stop()
    leave_only_a_minute_of(world, "3 hours")
    report_ahead(world)
    until("it is past its deadline", lambda: world.sql("SELECT 1 FROM notification WHERE due_at < now()"), 40)
    processor.start().wait_ready()
    until("the watch knows that it is behind", lambda: behind_s(world) >= 2.9 * 3600, 30)
    world.settle()
    assert world.alerts() == []


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_an_ingress_that_left_hours_before_the_watch_began_is_said_to_be_gone(world: World) -> None:
    leave_only_a_minute_of(world, "3 hours")
    report_ahead(world)
    world.new_processor().start().wait_ready()
    until_equal("it is said to be gone", lambda: [a.type for a in world.alerts()], ["dochak.endpoint.unreachable.v1"], 300)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_without_any_ingress_one_alert_says_so_and_the_watch_goes_on_when_it_is_back(world: World) -> None:
    start(world, receipt_within_s=1, expires_after_s=3600)
    ingress = world.services[0]
    until("ingress has reported", lambda: world.sql("SELECT 1 FROM endpoint_minute"), 90)
    ingress.kill()
    until_equal("it is said to be gone", lambda: [a.type for a in world.alerts()], ["dochak.endpoint.unreachable.v1"], 300)
    ingress.start().wait_ready()
    world.register(payloads.accepted("bizgo", "after"))
    until("it is back", lambda: "dochak.endpoint.restored.v1" in [a.type for a in world.alerts()], 180)
    wait_alerts(world, "after", OVERDUE)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_watch_goes_on_after_events_have_waited_in_a_spool(world: World) -> None:
    settings = with_times(world, receipt_within_s=1, expires_after_s=3600)
    world.new_ingress(**settings, DOCHAK_SPOOL_DIR=str(world.folder / "spool")).start().wait_ready()
    processor = world.new_processor(**settings).start().wait_ready()
    until("ingress has reported", lambda: world.sql("SELECT 1 FROM endpoint_minute"), 90)
    since = payloads.ago(0)
    world.sql("UPDATE endpoint_minute SET spooled = 1, spooled_since = %s", since)  # as if its spool had not been empty
    processor.stop()
    processor.start().wait_ready()
    world.register(payloads.accepted("bizgo", "after"))
    until_equal("it is overdue", lambda: [a.type for a in world.alerts("after")], [OVERDUE], 300)
