# SPDX-License-Identifier: MIT
"""What Postgres refuses: whether the records are at fault or the database, at any traffic. Records are quarantined, with the cause in
words; a database is waited for, and costs no record its place."""

from contextlib import contextmanager

import pytest

from support import payloads
from support.service import Service
from support.thirds import check_all, ids_of, post_all
from support.wait import until, until_equal
from support.world import World

NEVER = "CREATE FUNCTION never() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no more rows of +821012345678'; END $$;"
# name: (what somebody does to the database, how it is put right, what the reason says)
RULES = {
    "a check on receipts": (
        "ALTER TABLE receipt ADD CONSTRAINT never CHECK (false) NOT VALID",
        "ALTER TABLE receipt DROP CONSTRAINT never",
        "Postgres refused a row of table receipt: a constraint does not allow its values: never (SQLSTATE 23514)",
    ),
    "a column that must be filled": (
        "ALTER TABLE alert ADD COLUMN more text NOT NULL",
        "ALTER TABLE alert DROP COLUMN more",
        "Postgres refused a row of table alert: a constraint does not allow its values (SQLSTATE 23502)",
    ),
    "a trigger on new notifications": (
        NEVER + "CREATE TRIGGER never BEFORE INSERT ON notification FOR EACH ROW EXECUTE FUNCTION never()",
        "DROP TRIGGER never ON notification",
        "Postgres refused a row of table notification: a trigger or a function failed on its values (SQLSTATE P0001)",
    ),
    "a trigger that waits for the commit": (
        NEVER + "CREATE CONSTRAINT TRIGGER never AFTER INSERT ON receipt DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION never()",
        "DROP TRIGGER never ON receipt",
        "Postgres refused commit: a trigger or a function failed on its values (SQLSTATE P0001)",
    ),
    "a trigger on the counters": (
        NEVER + "CREATE TRIGGER never BEFORE INSERT OR UPDATE ON delivery_minute FOR EACH ROW EXECUTE FUNCTION never()",
        "DROP TRIGGER never ON delivery_minute",
        "Postgres refused a row of table delivery_minute: a trigger or a function failed on its values (SQLSTATE P0001)",
    ),
    "a trigger on notes of quarantined bytes": (
        NEVER + "CREATE TRIGGER never BEFORE INSERT OR UPDATE ON quarantine_alert FOR EACH ROW EXECUTE FUNCTION never()",
        "DROP TRIGGER never ON quarantine_alert",
        "Postgres refused a row of table quarantine_alert: a trigger or a function failed on its values (SQLSTATE P0001)",
    ),
}
POISON = "ALTER TABLE notification ADD CONSTRAINT poison CHECK (notification_id NOT LIKE 'poison%')"
POISONED = "Postgres refused a row of table notification: a constraint does not allow its values: poison (SQLSTATE 23514)"


def is_red(processor: Service, reason: str) -> bool:
    try:
        answer = processor.get("/readyz")
    except OSError:  # it has hardly begun
        return False
    return answer.status == 503 and reason in answer.body.decode()


@contextmanager
def rule(world: World, add: str, drop: str):
    world.sql(add)
    yield
    world.sql(drop)


def failures(ids: list[str]) -> list[dict]:
    return [payloads.blux_event(id_, delivered=False) for id_ in ids]


def names(word: str, n: int) -> list[str]:
    return [f"{word}-{number:03}" for number in range(n)]


def start(world: World, **settings: str) -> Service:
    return world.new_processor(DOCHAK_WORKERS="1", **settings).start()


@pytest.mark.parametrize("name", RULES)
def test_a_database_that_refuses_every_record_is_waited_for_at_one_record_a_batch(world: World, name: str) -> None:
    add, drop, reason = RULES[name]
    world.new_ingress().start().wait_ready()
    assert world.post("blux/sms", b"no JSON").status == 200
    world.blux(*failures(good := names("good", 3)))
    with rule(world, add, drop):
        processor = start(world, DOCHAK_BATCH_MAX_RECORDS="1")
        until("readiness says why", lambda: is_red(processor, reason))
        until("it has tried again", lambda: len(processor.log_lines("worker starts over")) >= 3, 60)
        assert [record.header("ce_source") for record in world.topics.read("quarantine")] == ["/ingress/blux/sms"]
    world.settle()
    until("it is ready again", processor.is_ready)
    assert world.statuses() == dict.fromkeys(good, "DEAD_LETTER")
    assert len(world.topics.read("quarantine")) == 1 and len(world.alerts()) == len(good) + 1


def test_a_database_that_refuses_every_change_of_a_known_row_is_waited_for(world: World) -> None:
    """New rows are still taken."""
    world.new_ingress().start().wait_ready()
    processor = start(world, DOCHAK_BATCH_MAX_RECORDS="1").wait_ready()
    world.blux(*failures(["known"]))
    world.wait_row("blux", "known", status="DEAD_LETTER")
    add = NEVER + "CREATE TRIGGER never BEFORE UPDATE ON notification FOR EACH ROW EXECUTE FUNCTION never()"
    with rule(world, add, "DROP TRIGGER never ON notification"):
        world.blux(payloads.blux_event("known", delivered=True))
        until("readiness says why", lambda: is_red(processor, "a trigger or a function failed"))
    world.wait_row("blux", "known", status="SENT")
    world.settle()
    assert world.topics.read("quarantine") == []


@pytest.mark.parametrize("batch", ["1", "500"])
def test_records_that_alone_are_refused_are_quarantined_however_many(world: World, batch: str) -> None:
    world.sql(POISON)
    world.new_ingress().start().wait_ready()
    world.blux(*failures(poison := names("poison", 12)))
    processor = start(world, DOCHAK_BATCH_MAX_RECORDS=batch)
    world.settle()
    records = world.topics.read("quarantine")
    assert len(records) == len(poison) and world.statuses() == {}
    assert {record.header("ce_reason") for record in records} == {POISONED}
    assert {alert.data["reason"] for alert in world.alerts()} == {POISONED}
    assert processor.metrics()["dochak_processor_refused_total"] == len(poison)


def test_a_unique_index_that_somebody_added_is_a_rule_and_no_rival(world: World) -> None:
    world.sql("CREATE UNIQUE INDEX mine ON notification (reference)")
    world.start()
    for id_ in ("first", "second", "third"):
        world.register(payloads.accepted("blux", id_, reference="third" if id_ == "third" else "the same"))
        world.settle()
    assert world.statuses() == {"first": "PENDING", "third": "PENDING"}
    (record,) = world.topics.read("quarantine")
    reason = "Postgres refused a row of table notification: a constraint does not allow its values: mine (SQLSTATE 23505)"
    assert record.header("ce_reason") == reason


def test_records_at_fault_in_a_database_at_fault_wait_until_it_is_put_right(world: World) -> None:
    world.sql(POISON)
    world.new_ingress().start().wait_ready()
    good, poison = names("good", 20), names("poison", 20)
    world.blux(*failures([id_ for pair in zip(poison, good, strict=True) for id_ in pair]))
    add, drop, reason = RULES["a check on receipts"]
    with rule(world, add, drop):
        processor = start(world)
        until("readiness says why", lambda: is_red(processor, reason))
        assert world.topics.read("quarantine") == [] and world.statuses() == {}
    world.settle()
    assert world.statuses() == dict.fromkeys(good, "DEAD_LETTER")
    assert {record.header("ce_reason") for record in world.topics.read("quarantine")} == {POISONED}
    assert len(world.topics.read("quarantine")) == len(poison)


# --- a rule that lets the harmless record through

REAL = "ALTER TABLE notification ADD CONSTRAINT real CHECK (provider <> 'blux') NOT VALID"
UNREAL = "ALTER TABLE notification DROP CONSTRAINT real"
LIMIT = 100  # processor/batch/refusals.c, REFUSED_IN_A_ROW_MAX


@pytest.mark.parametrize("batch", ["1", "10000"])
def test_a_rule_that_no_real_record_meets_quarantines_a_hundred_at_most(world: World, batch: str) -> None:
    world.new_ingress().start().wait_ready()
    world.blux(*failures(ids := names("real", LIMIT + 20)))
    with rule(world, REAL, UNREAL):
        processor = start(world, DOCHAK_BATCH_MAX_RECORDS=batch)
        until("readiness says why", lambda: is_red(processor, "records, though it takes harmless ones"), 30)
        until("it has tried again", lambda: len(processor.log_lines("worker starts over")) >= 3, 60)
        before = len(world.topics.read("quarantine"))
    world.settle()
    quarantined = len(world.topics.read("quarantine"))
    # In large batches each new try may begin with a few records that still fit under the limit.
    assert before == quarantined == LIMIT if batch == "1" else before <= quarantined <= LIMIT
    assert len(world.statuses()) == len(ids) - quarantined


@pytest.mark.long
def test_a_record_that_is_taken_begins_the_hundred_anew(world: World) -> None:
    world.sql(POISON)
    world.new_ingress().start().wait_ready()
    start(world, DOCHAK_BATCH_MAX_RECORDS="1").wait_ready()
    poison = names("poison", 2 * LIMIT - 10)
    for ids in (poison[LIMIT - 5 :], ["good"], poison[: LIMIT - 5]):
        world.blux(*failures(ids))
        world.settle(60)
    assert world.statuses() == {"good": "DEAD_LETTER"} and len(world.topics.read("quarantine")) == len(poison)


def test_records_that_are_taken_show_that_the_rest_of_their_batch_is_at_fault(world: World) -> None:
    world.sql(POISON)
    world.new_ingress().start().wait_ready()
    good, poison = names("good", 20), names("poison", 3 * LIMIT)
    world.blux(*failures([id_ for number in range(20) for id_ in (*poison[number::20], good[number])]))
    start(world)
    world.settle(60)
    assert world.statuses() == dict.fromkeys(good, "DEAD_LETTER") and len(world.topics.read("quarantine")) == len(poison)


def unmarked(world: World) -> int:
    """Alerts that are not marked as published."""
    return world.sql("SELECT count(*) AS n FROM alert WHERE told = false")[0]["n"]


def test_a_mark_that_is_refused_when_it_is_committed_is_made_later(world: World) -> None:
    """The mark is a statement without BEGIN: it succeeds, and then its commit fails."""
    world.sql(NEVER + "CREATE CONSTRAINT TRIGGER never AFTER UPDATE ON alert DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION never()")
    world.new_ingress().start().wait_ready()
    ids = post_all(world, ids_of(1))
    processor = start(world)
    until("it starts over", lambda: processor.log_lines("^worker starts over"))
    assert processor.log_lines("^worker starts over")[0]["error"].startswith("Postgres refused commit: a trigger")
    assert unmarked(world) == 1
    world.sql("DROP TRIGGER never ON alert")
    until_equal("the alert is marked", lambda: unmarked(world), 0)
    check_all(world, ids)
