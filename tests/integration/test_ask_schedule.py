# SPDX-License-Identifier: MIT
"""The processors ask a provider by themselves before a message is given up, and when the provider falls silent; within its rate, one at a
time, whoever dies."""

import re
import time
from collections import Counter

import pytest

from support import builds, payloads
from support.provider_apis import BUSY, Answer, BizGo, ChannelTalk, report
from support.reconciles import Asking, check_statuses, decided, end, kill_after, known, lose, register
from support.replays import count
from support.service import Service
from support.wait import until, until_equal
from support.world import World

DEAD, OVERDUE = (f"dochak.notification.{name}.v1" for name in ("dead_lettered", "overdue"))
EXPIRED = "dochak.notification.expired.v1"
FAR = 86400


def asked_by_itself(world: World, api: BizGo, every: int, wait: int = 3600, expires: int = FAR, within: int = 1, silent: int = 600, **rules) -> Asking:
    expects = {"receipt_within_s": within, "expires_after_s": expires, "silent_after_s": silent}
    return Asking(world, api, "v2", expects=expects, account={"every_s": every, "wait_s": wait}, **rules)


def metric(service: Service, name: str, **labels: str) -> float:
    text = ",".join(f'{key}="{value}"' for key, value in labels.items())
    return service.metrics().get(f"dochak_processor_{name}{{{text}}}", 0)


def rounds(world: World, more: str = "") -> int:
    return count(world, f"ask_run WHERE scheduled AND ended_at IS NOT NULL {more}")


def wait_rounds(world: World, n: int) -> None:
    until(f"{n} rounds have ended", lambda: rounds(world) >= n, 60)


def seconds_after(world: World, type_: str, id_: str) -> float:
    """How long after its acceptance such an event about a message was written."""
    (event,) = [event for event in world.records("events", id_) if event.type == type_]
    (row,) = world.sql(
        "SELECT extract(epoch FROM %s::timestamptz - coalesce(accepted_at, first_seen_at))::float AS s FROM notification WHERE notification_id = %s",
        event.header("ce_time"), id_,
    )  # fmt: skip
    return row["s"]


# --- before it is given up


def test_a_message_is_asked_for_before_it_is_given_up(world: World, bizgo: BizGo) -> None:
    asked_by_itself(world, bizgo, every=2, expires=5).start()
    lost, unknown = payloads.new_id(), payloads.new_id()
    bizgo.reports[lost] = [report(lost, "10000")]
    register(world, [lost, unknown])
    expires_at = world.wait_row("bizgo", unknown, status="PENDING")["expires_at"]
    world.wait_row("bizgo", lost, status="SENT")
    world.wait_row("bizgo", unknown, status="DEAD_LETTER", outcome="expired", deadline=60)
    world.settle()
    assert [event.type for event in world.records("events", lost)].count(EXPIRED) == 0
    assert DEAD not in [alert.type for alert in world.alerts(lost)]
    assert count(world, "ask_run WHERE questions > 0 AND started_at < %s", expires_at) > 0 and unknown in bizgo.asked
    processor = world.services[-1]
    assert metric(processor, "asked_total", provider="bizgo", result="found") == 1
    assert metric(processor, "ask_differed_total", provider="bizgo") == 1
    assert metric(processor, "asked_total", provider="bizgo", result="nothing") >= 1
    assert metric(processor, "expired_unasked_total", provider="bizgo") == 0
    lines = processor.log_lines("^asked a provider$")
    assert lines and all(line["questions"] > 0 for line in lines)
    assert len(lines) == rounds(world, "AND questions > 0") < rounds(world)  # none where nothing was to be asked

    # The webhook comes after all.
    before = decided(world)
    world.bizgo(bizgo.reports[lost][0])
    assert decided(world) == before


def test_an_id_is_asked_for_once_when_it_is_due_and_again_before_it_is_given_up(world: World, bizgo: BizGo) -> None:
    asked_by_itself(world, bizgo, every=2, expires=25).start()
    register(world, ids := [payloads.new_id() for _ in range(3)])  # too few for silent, for which they would wait
    until_equal("all have been asked for", lambda: set(bizgo.asked), set(ids), 20)
    wait_rounds(world, rounds(world) + 3)
    assert Counter(bizgo.asked) == Counter(ids)
    for id_ in ids:
        world.wait_row("bizgo", id_, status="DEAD_LETTER", outcome="expired", deadline=60)
    assert all(times >= 2 for times in Counter(bizgo.asked).values()), bizgo.asked


def test_a_message_that_came_late_is_asked_for_all_the_same(world: World, bizgo: BizGo) -> None:
    """It became due before the last round, in which it was not known yet; and its time is over at once."""
    asked_by_itself(world, bizgo, every=3, expires=10).start()
    wait_rounds(world, 2)
    id_ = payloads.new_id()
    bizgo.reports[id_] = [report(id_, "10000")]
    world.register(payloads.accepted("bizgo", id_, accepted_at=payloads.ago(9)))
    world.wait_row("bizgo", id_, status="SENT")
    assert EXPIRED not in [event.type for event in world.records("events", id_)]


def test_where_the_schedule_is_off_nothing_waits_and_nothing_is_asked(world: World, bizgo: BizGo) -> None:
    asked_by_itself(world, bizgo, every=0, expires=3).start()
    register(world, [id_ := payloads.new_id()])
    world.wait_row("bizgo", id_, status="DEAD_LETTER", outcome="expired")
    assert seconds_after(world, EXPIRED, id_) < 10 and bizgo.asked == []


# --- the statements, to the second


def insert_open(world: World, provider: str, id_: str, due: int, expires: int | None, seen: int = -5000, looked: bool = True) -> None:
    """Times are seconds from now."""
    deadline = expires if expires is not None and expires <= 0 else due
    world.sql(
        """INSERT INTO notification (provider, notification_id, status, version, accepted_at, first_seen_at, due_at, expires_at, next_look_at)
           VALUES (%s, %s, 'PENDING', 1, now() - interval '5000 s', now() + %s * interval '1 s', now() + %s * interval '1 s',
                   now() + %s * interval '1 s', CASE WHEN %s THEN now() + %s * interval '1 s' END)""",
        provider, id_, seen, due, expires, looked, deadline,
    )  # fmt: skip


def insert_round(world: World, provider: str, began: int, ended: int | None = 0, scheduled: bool = True) -> None:
    world.sql(
        """INSERT INTO ask_run (run_id, provider, about, scope, started_at, ended_at, questions, scheduled)
           VALUES (gen_random_uuid(), %s, 'notification', 'newly overdue', now() + %s * interval '1 s', now() + %s * interval '1 s', 1, %s)""",
        provider, began, ended, scheduled,
    )  # fmt: skip


def run_statement(world: World, name: str, arguments: str) -> list[dict]:
    with world.connect() as connection:
        connection.execute(f"PREPARE statement AS {(builds.ROOT / f'processor/tables/{name}.sql').read_text('utf-8')}")
        return connection.execute(f"EXECUTE statement ({arguments})").fetchall()


def due(world: World, provider: str, every: int, given_up: int | None) -> dict[str, tuple[int, int]]:
    before = "NULL::timestamptz" if given_up is None else f"now() + {given_up} * interval '1 s'"
    rows = run_statement(world, "watch_due", f"ARRAY['{provider}'], ARRAY[0], ARRAY[now()], ARRAY[99], ARRAY[{every}], ARRAY[{before}]")
    return {row["notification_id"]: (row["expired"], row["unasked"]) for row in rows}


def test_an_expired_message_waits_for_a_round_that_began_late_enough(world: World) -> None:
    for provider in ("asked", "never", "begun"):
        insert_open(world, provider, "overdue", -10, 1000)
        insert_open(world, provider, "overdue-for-ever", -10, None)
        insert_open(world, provider, "before-the-watch", -10, 1000, looked=False)
        insert_open(world, provider, "expired", -2000, -100)
        insert_open(world, provider, "expired-long-ago", -2000, -900)
        insert_open(world, provider, "due-since", -290, -100)
        insert_open(world, provider, "seen-since", -2000, -100, seen=-290)
    insert_round(world, "asked", -900)
    insert_round(world, "asked", -300)
    insert_round(world, "begun", -300, None)
    insert_round(world, "begun", -200, scheduled=False)
    insert_round(world, "begun", -705)  # before the time of "expired" less 600 s
    waiting = {"overdue": (0, 0), "overdue-for-ever": (0, 0), "before-the-watch": (0, 0)}
    assert due(world, "asked", 600, None) == {**waiting, "expired": (1, 0), "expired-long-ago": (1, 0)}
    assert due(world, "begun", 600, None) == {**waiting, "expired-long-ago": (1, 0)}
    assert due(world, "never", 600, None) == waiting
    # Those that have waited long enough.
    assert due(world, "never", 600, -800) == {**waiting, "expired-long-ago": (1, 1)}
    assert due(world, "asked", 600, -100) == due(world, "asked", 600, None) | {"due-since": (1, 1), "seen-since": (1, 1)}
    # Where the provider is not asked.
    assert set(due(world, "never", 0, None).values()) == {(0, 0), (1, 0)} and len(due(world, "never", 0, None)) == 7


def test_a_round_asks_for_what_became_due_since_the_last_one_or_expires_before_the_next(world: World) -> None:
    for id_, due_, expires, seen in (
        ("before", -301, 630, -5000), ("since", -270, 630, -5000), ("seen-since", -2000, 630, -270), ("expires", -2000, 599, -5000),
        ("expired", -2000, -1, -5000), ("not-due", 30, 630, -5000), ("not-due-and-expires", 30, 599, -5000),
    ):  # fmt: skip
        insert_open(world, "bizgo", id_, due_, expires, seen)
    insert_open(world, "bizgo", "since-before-the-watch", -270, 630, looked=False)
    now = "now(), now() - interval '300 s', now() + interval '600 s'"
    asked = [row["notification_id"] for row in run_statement(world, "ask_overdue", f"'bizgo', '-infinity', {now}")]
    assert asked == ["seen-since", "expires", "expired", "since", "since-before-the-watch"]  # the oldest first
    all_of_it = run_statement(world, "ask_overdue", "'bizgo', '-infinity', now(), '-infinity', now()")
    assert [row["notification_id"] for row in all_of_it] == ["seen-since", "expires", "expired", "before", "since", "since-before-the-watch"]


# --- while the provider's API is away


@pytest.mark.long
def test_while_the_api_is_away_a_message_waits_so_long_and_no_longer(world: World, bizgo: BizGo) -> None:
    bizgo.fail_always(Answer(500))
    asked_by_itself(world, bizgo, every=2, wait=20, expires=3).start()
    register(world, [id_ := payloads.new_id()])
    world.wait_row("bizgo", id_, status="DEAD_LETTER", outcome="expired", deadline=60)
    assert 3 + 20 <= seconds_after(world, EXPIRED, id_) < 3 + 20 + 10
    processor = world.services[-1]
    assert len(bizgo.asked) > 0 and metric(processor, "expired_unasked_total", provider="bizgo") == 1
    (line,) = processor.log_lines("^notifications are given up for which the provider could not be asked$")
    assert (line["provider"], line["notifications"], line["waited_s"]) == ("bizgo", 1, 20)
    assert metric(processor, "ask_failures_total", provider="bizgo") >= 2
    lines = processor.log_lines("^asking a provider failed")  # once for each cause
    assert all(line["provider"] == "bizgo" and "answer 500" in line["error"] for line in lines)
    assert len(lines) == len({re.sub("[0-9]", "", line["error"]) for line in lines}) >= 1
    assert rounds(world, "AND questions > 0") == 0

    # It is back, and asks what has become due meanwhile.
    bizgo.fault = lambda _number, _id: None
    later = payloads.new_id()
    bizgo.reports[later] = [report(later, "10000")]
    register(world, [later])
    world.wait_row("bizgo", later, status="SENT", deadline=60)


@pytest.mark.long
def test_a_message_whose_time_ends_while_no_processor_runs_is_asked_for_first(world: World, bizgo: BizGo) -> None:
    asked_by_itself(world, bizgo, every=4, wait=8, expires=6).start()
    processor = world.services[-1]
    wait_rounds(world, 1)
    register(world, [id_ := payloads.new_id()])
    world.settle()
    processor.kill()
    bizgo.asked.clear()
    bizgo.reports[id_] = [report(id_, "10000")]
    time.sleep(6 + 8 + 1)
    processor.start().wait_ready()
    world.wait_row("bizgo", id_, status="SENT", deadline=60)
    assert EXPIRED not in [event.type for event in world.records("events", id_)]


def test_one_id_that_is_refused_for_ever_holds_up_no_other(world: World, bizgo: BizGo) -> None:
    asked_by_itself(world, bizgo, every=1, in_flight=1).start()
    wait_rounds(world, 1)
    statuses = lose(world, bizgo, 20)
    sick = min(statuses)
    bizgo.fault = lambda _number, id_: Answer(403) if id_ == sick else None
    later = {}

    def all_others() -> bool:
        found = world.statuses()
        return all(found[id_] == status for id_, status in {**statuses, **later}.items() if id_ != sick)

    until("all others are as they should be", all_others, 90)
    later = lose(world, bizgo, 5)
    until("and those that became due later", all_others, 90)


# --- silent


def insert_silent(world: World, provider: str) -> None:
    world.sql(
        """INSERT INTO incident (incident_id, kind, provider, endpoint, scope, since, opened_at, judged_until, gap_ms, faults, details)
           VALUES (gen_random_uuid(), 'silent', %s, '', '', now(), now(), now(), 0, 0, '{}')""",
        provider,
    )


@pytest.mark.long
def test_a_provider_that_falls_silent_is_asked_at_once(world: World, bizgo: BizGo) -> None:
    asked_by_itself(world, bizgo, every=3600, within=5, silent=20).start()
    wait_rounds(world, 1)  # before anything is due
    ids = [payloads.new_id() for _ in range(8)]
    bizgo.reports = {id_: [report(id_, "10000")] for id_ in ids}
    register(world, ids)
    until_equal("it is silent", lambda: count(world, "incident WHERE kind = 'silent'"), 1, 120)
    for id_ in ids:
        world.wait_row("bizgo", id_, status="SENT")
    assert Counter(bizgo.asked) == Counter(ids)


def test_all_that_is_overdue_is_asked_for_when_silent_opens_and_when_it_closes(world: World, bizgo: BizGo) -> None:
    asked_by_itself(world, bizgo, every=3600).start()
    wait_rounds(world, 1)
    register(world, ids := [payloads.new_id() for _ in range(3)])
    until_equal("they are overdue", lambda: count(world, "notification WHERE due_at <= now()"), 3)
    insert_silent(world, "blux")
    insert_silent(world, "bizgo")
    wait_rounds(world, 2)
    assert Counter(bizgo.asked) == Counter(ids)
    world.sql("UPDATE incident SET closed_at = now() WHERE provider = 'bizgo'")
    wait_rounds(world, 3)
    assert Counter(bizgo.asked) == Counter(ids * 2)
    time.sleep(5)
    assert Counter(bizgo.asked) == Counter(ids * 2) and rounds(world) == 3
    world.sql("DELETE FROM incident")


def test_contacts_are_asked_for_when_silent_opens_and_at_no_other_time(world: World, channeltalk: ChannelTalk) -> None:
    known(world, channeltalk, 5, account={"every_s": 1})
    channeltalk.users["member-1"] |= {"unsubscribeEmail": True, "version": 2, "updatedAt": int(time.time() * 1000)}
    time.sleep(4)
    assert channeltalk.asked == []
    insert_silent(world, "channeltalk")
    until_equal("it is put right", lambda: count(world, "contact WHERE contact_id = 'member-1' AND consents->>'email' = 'false'"), 1)
    until_equal("the round has ended", lambda: rounds(world), 1)
    assert Counter(channeltalk.asked) == Counter(list(channeltalk.users))
    world.sql("DELETE FROM incident")


@pytest.mark.long
def test_what_an_operator_has_settled_ends_a_round_that_failed(world: World, channeltalk: ChannelTalk) -> None:
    """The schedule does not believe that so many are gone. He does."""
    asking = known(world, channeltalk, 30, account={"every_s": 1})
    channeltalk.users.clear()
    insert_silent(world, "channeltalk")
    processor = world.services[-1]
    (line,) = until("it has failed", lambda: processor.log_lines("^asking a provider failed"), 60)
    assert "20 answers in a row say that the id is gone" in line["error"] and "--all-gone" in line["error"]
    assert count(world, "contact WHERE deleted") == 0 and rounds(world) == 0

    def believed() -> bool:  # once the schedule leaves it its turn
        process = asking.begin("--known", "--all-gone")
        end(process)
        return process.returncode == 0

    until("the operator has had his turn", believed, 60)
    wait_rounds(world, 1)
    assert count(world, "contact WHERE deleted") == 30
    world.sql("DELETE FROM incident")


# --- several processes


@pytest.mark.long
def test_of_two_processors_one_asks_and_no_id_twice(world: World, bizgo: BizGo) -> None:
    asking = asked_by_itself(world, bizgo, every=2, per_second=20).start()
    world.new_processor(**asking.settings).start().wait_ready()
    statuses = lose(world, bizgo, 60)
    until_equal("all have been asked for", lambda: set(bizgo.asked), set(statuses), 60)
    before = rounds(world)
    until("there were more rounds", lambda: rounds(world) >= before + 3, 60)
    check_statuses(world, statuses)
    assert set(Counter(bizgo.asked).values()) == {1}
    assert bizgo.too_early(20) < BUSY
    assert count(world, "ask_run WHERE ended_at IS NULL") <= 1


@pytest.mark.long
def test_the_run_of_a_processor_that_dies_is_gone_on_with(world: World, bizgo: BizGo) -> None:
    asking = asked_by_itself(world, bizgo, every=2, per_second=20, silent=FAR).start()
    first = world.services[-1]
    wait_rounds(world, 1)
    bizgo.fail_always(Answer(503))  # until all are due
    statuses = lose(world, bizgo, 100)
    asked = len(bizgo.asked)
    bizgo.fault = lambda _number, _id: None
    until("it asks", lambda: len(bizgo.asked) >= asked + 30, 60, every=0.002)
    other = world.new_processor(**asking.settings).start()
    first.kill()
    other.wait_ready()
    until_equal("all is as it should be", lambda: {i: s for i, s in world.statuses().items() if i in statuses}, statuses, 90)
    check_statuses(world, statuses)
    alerts = Counter((alert.header("ce_subject"), alert.type) for alert in world.notification_alerts())
    assert set(alerts.values()) == {1}
    assert bizgo.too_early(20) < BUSY


def test_an_operators_unfinished_run_stays_and_blocks_nothing(world: World, bizgo: BizGo) -> None:
    asking = asked_by_itself(world, bizgo, every=3600, per_second=20).start()
    wait_rounds(world, 1)
    statuses = lose(world, bizgo, 40)
    kill_after(asking.begin("--overdue"), bizgo, 10)
    insert_silent(world, "bizgo")
    wait_rounds(world, 2)
    check_statuses(world, statuses)
    done = asking.run("--overdue")
    assert "reconcile: goes on with what began at" in done.stderr, done
    assert count(world, "ask_run WHERE ended_at IS NULL") == 0
    check_statuses(world, statuses)
    world.sql("DELETE FROM incident")


def test_the_schedule_waits_for_an_operator(world: World, bizgo: BizGo) -> None:
    asking = asked_by_itself(world, bizgo, every=3600, per_second=5).start()
    wait_rounds(world, 1)
    statuses = lose(world, bizgo, 20)
    process = asking.begin("--overdue")
    until("it asks", lambda: bizgo.asked)
    insert_silent(world, "bizgo")
    end(process)
    assert process.returncode == 0
    assert set(bizgo.asked[:20]) == set(statuses)
    wait_rounds(world, 2)  # its turn
    assert bizgo.too_early(5) < BUSY and len(bizgo.asked) > 20
    check_statuses(world, statuses)
    world.sql("DELETE FROM incident")


def test_an_operator_is_told_that_a_processor_asks(world: World, bizgo: BizGo) -> None:
    asking = asked_by_itself(world, bizgo, every=3600, per_second=2).start()
    wait_rounds(world, 1)
    lose(world, bizgo, 40)
    insert_silent(world, "bizgo")
    until("it asks", lambda: bizgo.asked)
    done = asking.run("--overdue", code=1)
    last = done.stderr.splitlines()[-1]
    words = r"bizgo is being asked by a processor just now \(all overdue\): \d+ of 40 ids are left; start this again in about \d+ s"
    assert re.fullmatch(f"dochak-processor: {words}", last), last
    world.sql("DELETE FROM incident")
