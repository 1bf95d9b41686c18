# SPDX-License-Identifier: MIT
"""Many deadlines at once: beside an incident that is being opened, and while their events are not read."""

import time

from support import payloads
from support.deadlines import pass_minutes, start, wait_spool
from support.wait import until, until_equal
from support.world import World

OVERDUE = "dochak.notification.overdue.v1"
SILENT = "dochak.provider.silent.v1"
MANY = 600


def register_many(world: World, n: int = MANY) -> None:
    names = [f"m{i}" for i in range(n)]
    for i in range(0, n, 500):
        world.register([payloads.accepted("bizgo", name) for name in names[i : i + 500]])
    until_equal("all are there", lambda: world.sql("SELECT count(*) AS n FROM notification")[0]["n"], n)


def test_a_provider_that_fell_silent_while_no_watch_led_is_one_alert(world: World) -> None:
    """Also if the batch that opens the incident takes longer than those that read the deadlines."""
    start(world, receipt_within_s=300, expires_after_s=86400, silent_after_s=600)
    ingress, processor = world.services
    register_many(world)
    ingress.stop()
    world.settle()
    processor.stop()
    pass_minutes(world, 60)
    world.sql(
        "UPDATE notification SET (accepted_at, first_seen_at, due_at, next_look_at) = (accepted_at - interval '1 hour', first_seen_at - interval '1 hour',"
        " due_at - interval '1 hour', next_look_at - interval '1 hour')"
    )
    world.sql("DELETE FROM endpoint_minute")
    world.sql("CREATE FUNCTION rest() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM pg_sleep(3); RETURN NEW; END$$")
    world.sql("CREATE TRIGGER rest BEFORE INSERT ON incident FOR EACH ROW EXECUTE FUNCTION rest()")
    processor.start().wait_ready()
    until("the incident is there", lambda: [alert.type for alert in world.alerts() if alert.type == SILENT], 60)
    until_equal("none is overdue any more", lambda: world.sql("SELECT count(*) AS n FROM notification WHERE next_look_at < now()")[0]["n"], 0)
    world.settle()
    assert ([alert.type for alert in world.alerts()], world.sql("SELECT sum(folded) AS n FROM incident")[0]["n"]) == ([SILENT], MANY)


def looks(world: World) -> float:
    return world.services[1].metrics()["dochak_processor_watch_seconds_count"]


def test_the_watch_hurries_only_while_its_events_are_read(world: World) -> None:
    start(world, receipt_within_s=8, expires_after_s=86400)
    register_many(world)
    world.bizgo(payloads.bizgo("m0", "10000"))  # so the provider is not silent
    world.wait_row("bizgo", "m0", status="SENT")
    with world.connect() as connection, connection.transaction():
        connection.execute("SELECT FROM notification FOR UPDATE")
        until("the watch has written deadlines", lambda: [event for event in world.records("events") if event.type == OVERDUE], 30)
        time.sleep(3)
        before = looks(world)
        time.sleep(10)
        assert looks(world) - before <= 15
    until_equal("all but one are overdue", lambda: len(world.alerts()), MANY - 1, 60)


COUNTED_MINUTES = 12 * 60


def counters_read(world: World) -> int:
    """Entries of the indexes of delivery_minute, of all sessions; a session says so once a second."""
    return int(world.sql("SELECT sum(idx_tup_read) AS n FROM pg_stat_user_indexes WHERE relname = 'delivery_minute'")[0]["n"])


def test_a_bound_that_is_hours_behind_makes_no_look_read_hours(world: World) -> None:
    start(world)
    world.services[1].stop()
    world.sql(
        """INSERT INTO delivery_minute SELECT date_trunc('minute', now()) - n * interval '1 min', 'bizgo', 'bizgo/alimtalk', 'delivered', part, 1
           FROM generate_series(0, %s) AS n, generate_series(0, 7) AS part""",
        COUNTED_MINUTES,
    )
    wait_spool(world, minutes=COUNTED_MINUTES)
    world.services[1].start().wait_ready()
    until("the watch knows that it is behind", lambda: world.services[1].metrics().get("dochak_processor_watch_behind_seconds", 0) >= 60 * (COUNTED_MINUTES - 1), 30)
    time.sleep(3)
    before = counters_read(world)
    time.sleep(12)
    assert counters_read(world) - before < COUNTED_MINUTES * 8
