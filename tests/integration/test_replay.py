# SPDX-License-Identifier: MIT
"""A provider file was wrong and is mended: replay makes of what came in what it should have been, and tells each change once."""

import random
import re
import subprocess
import threading
import time
import uuid
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from support import builds, payloads
from support.replays import count, everything, kill, replay, start_replay, with_outcomes
from support.service import Service, run_once
from support.wait import until, until_equal
from support.world import World

DEAD_LETTERED, RECOVERED = "dochak.notification.dead_lettered.v1", "dochak.notification.recovered.v1"
# first_seen_at, updated_at and version tell of the way, all else of the end.
ROWS = """SELECT provider, notification_id, status, outcome, code, reason, contradicted_by, channel, recipient, recipient_hash, reference,
                 accepted_at, resolved_at, unconfirmed_at, due_at, expires_at, next_look_at FROM notification ORDER BY 1, 2"""
VERDICTS = "SELECT notification_id, code, outcome FROM receipt ORDER BY notification_id, code, receipt_id"


def rows(world: World) -> list[dict]:
    """As they are to be the same in another world, where the send API's answers came at another time."""
    found = world.sql(ROWS)
    for row in found:
        if row["notification_id"].startswith("rejected"):
            row.update({column: row[column] is not None for column in ("accepted_at", "due_at", "expires_at", "next_look_at")})
    return found


def told(world: World) -> dict[str, list[str]]:
    """The alerts by notification, in their order."""
    world.settle()
    by_id: dict[str, list[str]] = {}
    for alert in world.notification_alerts():
        by_id.setdefault(alert.header("ce_subject"), []).append(alert.type)
    return by_id


def took(id_: str) -> dict:
    more = {"recipient": payloads.PHONE_E164, "reference": f"order-{id_}"}
    return payloads.accepted("bizgo", id_, channel="ALIMTALK", **more)


def answered(id_: str, code: str) -> dict:
    return payloads.sent("bizgo", {"code": code, "result": "x", "msgKey": id_}, reference=f"order-{id_}")


def report(id_: str, code: str, channel: str = "ALIMTALK", second: int = 3) -> dict:
    return payloads.bizgo(id_, code, channel, reportTime=payloads.reported(second))


# The wrong file knows 64008 as delivered, 10001 and 63005 as failed, 64009 as failed and no account fault, and 63020 not at all;
# and of the send API's answers it does not know A301 for a success.
WRONG = {"c64008": "delivered", "c10001": "failed", "c63005": "failed", "c64009": "failed", "c63020": None}
RIGHT = {"c10001": "delivered"}

# What is sent, and the alerts that are told of it in all, the wrong ones first.
EVENTS = {
    "wrongly-sent": ([took("wrongly-sent"), report("wrongly-sent", "64008")], [DEAD_LETTERED]),
    "unregistered": ([report("unregistered", "64008")], [DEAD_LETTERED]),
    "wrongly-dead": ([took("wrongly-dead"), report("wrongly-dead", "10001")], [DEAD_LETTERED, RECOVERED]),
    "registered-late": ([report("registered-late", "10001"), took("registered-late")], [DEAD_LETTERED, RECOVERED]),
    "sent": ([took("sent"), report("sent", "10000")], []),
    "dead": ([took("dead"), report("dead", "63019")], [DEAD_LETTERED]),
    "pending": ([took("pending")], []),
    "fallback": ([took("fallback"), report("fallback", "64008"), report("fallback", "10000", "SMS", 9)], []),
    "fallback-first": ([report("fallback-first", "10000", "SMS", 9), report("fallback-first", "64008")], []),
    "wrong-twice": ([took("wrong-twice"), report("wrong-twice", "64008"), report("wrong-twice", "10001", "SMS", 9)], []),
    "open-again": ([took("open-again"), report("open-again", "63005", "SMS", 5)], [DEAD_LETTERED]),
    "better-words": ([report("better-words", "63020")], [DEAD_LETTERED]),
    "another-kind": ([report("another-kind", "64009")], [DEAD_LETTERED]),
    "repeated": ([took("repeated"), *[report("repeated", "64008")] * 3], [DEAD_LETTERED]),
    "rejected": ([answered("rejected", "A301")], [DEAD_LETTERED]),
    "rejected-and-sent": ([answered("rejected-and-sent", "A301"), report("rejected-and-sent", "10000")], [DEAD_LETTERED, RECOVERED]),
}
TOLD = {id_: alerts for id_, (_, alerts) in EVENTS.items() if alerts}


def wrong_files(world: World) -> dict[str, str]:
    return with_outcomes(world, "wrong", accepted=["A000"], **WRONG)


def play(world: World, accepted_at: str) -> None:
    """All of EVENTS, one of each notification after the other."""
    for step in range(max(len(events) for events, _ in EVENTS.values())):
        for events, _ in EVENTS.values():
            for event in events[step : step + 1]:
                send(world, event, accepted_at)
    world.settle()


def send(world: World, event: dict, accepted_at: str) -> None:
    if "provider" not in event:
        world.bizgo(event)
    else:
        world.register(event if "response" in event else event | {"accepted_at": accepted_at})


def start_processor(world: World, settings: dict[str, str], **more: str) -> Service:
    return world.new_processor(**settings, **more, DOCHAK_INSTANCE="test-0").start().wait_ready()


@pytest.fixture
def accepted_at() -> str:
    """The same in each world of a test."""
    return payloads.ago(1)


@pytest.fixture
def right(world: World, accepted_at: str) -> dict[str, str]:
    """EVENTS were taken in with the wrong file; now the processor runs with the right one, which is this setting."""
    world.new_ingress().start().wait_ready()
    processor = start_processor(world, wrong_files(world))
    play(world, accepted_at)
    processor.stop()
    settings = with_outcomes(world, "right", **RIGHT)
    start_processor(world, settings)
    return settings


def test_replay_makes_of_everything_what_the_right_file_would_have_made(
    worlds, world: World, right: dict[str, str], accepted_at: str
) -> None:
    other = worlds.new(world.kafka, world.postgres)
    other.keys["RECIPIENT"] = world.keys["RECIPIENT"]
    other.new_ingress().start().wait_ready()
    start_processor(other, with_outcomes(other, "right", **RIGHT))
    play(other, accepted_at)
    assert rows(world) != rows(other)
    done = replay(world, **right)
    print(done.stdout)
    assert rows(world) == rows(other)
    assert world.sql(VERDICTS) == other.sql(VERDICTS)
    assert told(world) == TOLD
    corrected = next(alert for alert in world.alerts("wrongly-sent"))
    assert (corrected.data["previous_status"], corrected.data["outcome"], corrected.data["code"]) == ("SENT", "account_fault", "64008")
    assert corrected.data["scope"] == "account"


@pytest.mark.parametrize("wrong", [{"code": "/reportType"}, {"reason": ["/reportType"]}, {"time": "/sendTime"}, {"channel": "/msgType"}], ids=",".join)
def test_what_was_looked_for_in_the_wrong_place_is_mended(worlds, world: World, accepted_at: str, wrong: dict) -> None:
    other = worlds.new(world.kafka, world.postgres)
    other.keys["RECIPIENT"] = world.keys["RECIPIENT"]
    for each, report_of in (world, wrong), (other, {}):
        each.new_ingress().start().wait_ready()
        processor = start_processor(each, with_outcomes(each, "first", report=report_of))
        play(each, accepted_at)
        processor.stop()
    assert rows(world) != rows(other)
    start_processor(world, {})
    print(replay(world).stdout)
    assert rows(world) == rows(other)
    assert world.sql(VERDICTS) == other.sql(VERDICTS)
    assert "0 notifications corrected, 0 alerts raised" in replay(world).stdout


def test_what_turns_out_to_be_the_earliest_decides(world: World) -> None:
    """A report whose time was looked for in the wrong place, and an answer of the send API that was not read as a refusal."""
    world.new_ingress().start().wait_ready()
    processor = start_processor(world, with_outcomes(world, "wrong", accepted=["A000", "A305"], report={"time": "/doneTime"}))
    world.register(answered("answer", "A305"))
    world.bizgo(report("report", "63019", second=5) | {"doneTime": payloads.reported(5)})
    world.bizgo(report("report", "64008", "SMS", second=3))
    world.settle()
    world.bizgo(report("answer", "63019") | {"reportTime": "2099-01-12T11:00:05+09:00"})  # counts as the time at which it came
    world.settle()
    processor.stop()
    assert {row["notification_id"]: row["code"] for row in rows(world)} == {"report": "63019", "answer": "63019"}
    start_processor(world, {})
    assert "2 notifications corrected, 0 alerts raised" in replay(world).stdout
    assert {row["notification_id"]: row["code"] for row in rows(world)} == {"report": "64008", "answer": "A305"}
    assert "0 notifications corrected" in replay(world).stdout


def test_replay_says_what_it_changes_and_a_dry_run_only_says_it(world: World, right: dict[str, str]) -> None:
    before = everything(world)
    dry = replay(world, "--from", "beginning", "--dry-run", **right)
    assert everything(world) == before
    table = re.findall(r"^bizgo +(\S.*?)  +(\S.*?)  +(\d+)  (\S.*)$", dry.stdout, re.MULTILINE)
    counts = {(origin, to): int(count) for origin, to, count, _ in table}
    assert counts[("SENT delivered 64008", "DEAD_LETTER account_fault 64008")] == 3
    assert counts[("DEAD_LETTER failed 10001", "SENT delivered 10001")] == 2
    assert counts[("DEAD_LETTER failed 63005", "PENDING unconfirmed 63005")] == 1
    assert counts[("DEAD_LETTER rejected A301", "PENDING")] == 1
    examples = {(origin, to): set(ids.split()) for origin, to, _, ids in table}
    assert examples[("DEAD_LETTER failed 10001", "SENT delivered 10001")] == {"wrongly-dead", "registered-late"}
    assert f"{sum(counts.values())} notifications would be corrected, 5 alerts would be raised" in dry.stdout
    done = replay(world, **right)
    assert done.stdout == dry.stdout.replace("would be ", "")


def test_replay_again_changes_nothing(world: World, right: dict[str, str]) -> None:
    replay(world, **right)
    before = everything(world)
    times = ["--from=2026-01-01T00:00:00Z", "--to=9999-01-01T00:00:00Z"]
    for arguments in (["--from", "beginning"], times, ["--from", "beginning", "--provider", "bizgo"]):
        assert "0 notifications corrected, 0 alerts raised" in replay(world, *arguments, **right).stdout
    assert everything(world) == before


def test_a_file_that_turns_about_is_told_each_time(world: World, right: dict[str, str]) -> None:
    wrong = wrong_files(world)
    replay(world, **right)
    replay(world, **wrong)
    replay(world, **right)
    assert rows(world)  # and each alert has an id of its own, which the end of every test checks
    assert told(world)["wrongly-sent"] == [DEAD_LETTERED, RECOVERED, DEAD_LETTERED]
    assert told(world)["wrongly-dead"] == [DEAD_LETTERED, RECOVERED, DEAD_LETTERED, RECOVERED]


def test_what_turns_again_after_a_replay_is_told_again(world: World) -> None:
    world.new_ingress().start().wait_ready()
    processor = start_processor(world, with_outcomes(world, "wrong", c63020="delivered", c63005="failed"))
    for event in (report("dead", "64008"), report("dead", "63020", "SMS", 5), report("open", "63005")):
        world.bizgo(event)
    assert told(world) == {"dead": [DEAD_LETTERED, RECOVERED], "open": [DEAD_LETTERED]}
    processor.stop()
    start_processor(world, {})
    replay(world)
    assert world.statuses() == {"dead": "DEAD_LETTER", "open": "PENDING"}
    world.bizgo(report("dead", "10000", "LMS", 9))
    world.bizgo(report("open", "63019", second=9))
    world.settle()
    assert world.statuses() == {"dead": "SENT", "open": "DEAD_LETTER"}
    assert told(world) == {"dead": [DEAD_LETTERED, RECOVERED, DEAD_LETTERED, RECOVERED], "open": [DEAD_LETTERED] * 2}


def between(world: World) -> str:
    """A time after all that was received."""
    world.settle()
    time.sleep(0.01)  # a millisecond is the unit of what ingress notes
    now = datetime.now(UTC).isoformat()
    time.sleep(0.01)
    return now


def test_the_range_is_when_something_about_a_notification_was_received(world: World) -> None:
    """It is then corrected as a whole: also by what was received at another time."""
    world.new_ingress().start().wait_ready()
    processor = start_processor(world, with_outcomes(world, "wrong", c64008="delivered"))
    before = ["a", "b", "c"]
    for id_ in (*before, "both", "registered-later"):
        world.bizgo(report(id_, "64008"))
    middle = between(world)
    for id_ in ("d", "e"):
        world.bizgo(report(id_, "64008"))
    world.bizgo(report("both", "63019", "SMS", 9))
    world.register(took("registered-later"))
    end = between(world)
    processor.stop()
    start_processor(world, {})
    past = ["--from", "2026-01-01T00:00:00Z", "--to", "2026-01-02T00:00:00Z"]
    for arguments in (["--from", "beginning", "--provider", "blux"], ["--from", end], past):
        assert "0 notifications read (0 receipts, 0 acceptances); 0 notifications corrected" in replay(world, *arguments).stdout
    after = ["d", "e", "both", "registered-later"]
    assert "4 notifications read (5 receipts, 1 acceptances); 4 notifications corrected" in replay(world, "--from", middle, "--to", end).stdout
    assert world.statuses() == dict.fromkeys(before, "SENT") | dict.fromkeys(after, "DEAD_LETTER")
    row = world.row("bizgo", "both")
    assert (row["code"], row["contradicted_by"]) == ("64008", None)
    replay(world, "--from", "beginning", "--to", middle)
    assert set(world.statuses().values()) == {"DEAD_LETTER"}
    assert told(world) == {id_: [DEAD_LETTERED] for id_ in (*before, *after)}


def test_of_two_answers_of_the_send_api_both_count_whatever_the_range(world: World) -> None:
    world.new_ingress().start().wait_ready()
    start_processor(world, {})
    answers = {id_: [answered(id_, code) for code in codes] for id_, codes in {"refused": ["A305", "A000"], "taken": ["A000", "A305"]}.items()}
    for first, _ in answers.values():
        world.register(first)
    middle = between(world)
    for _, second in answers.values():
        world.register(second)
    before = everything(world)
    assert set(world.statuses().values()) == {"DEAD_LETTER"}
    for place in ("--from", middle), ("--from", "beginning", "--to", middle), ("--from", "beginning"):
        assert "0 notifications corrected, 0 alerts raised" in replay(world, *place).stdout
    assert everything(world) == before


def test_a_dry_run_needs_no_kafka(world: World, right: dict[str, str]) -> None:
    arguments = ("--from", "beginning", "--dry-run")
    there = replay(world, *arguments, **right).stdout
    assert "5 alerts would be raised" in there
    assert replay(world, *arguments, **right, DOCHAK_KAFKA_BOOTSTRAP="127.0.0.1:1").stdout == there


# --- what the tables do not hold


def test_what_was_registered_before_acceptances_were_stored_stays(world: World, right: dict[str, str]) -> None:
    world.bizgo(report("never-registered", "10000"))
    for id_, code in (("refused-and-sent", "10000"), ("refused-and-open", "63005")):
        world.register(answered(id_, "A305"))
        world.bizgo(report(id_, code))
    world.settle()
    before = {row["notification_id"]: row for row in rows(world)}
    world.sql("DELETE FROM acceptance")  # as if they had been taken in by a program that knew no such table
    done = replay(world, **right)
    assert "10 notifications were registered before acceptances were stored" in done.stderr, done
    after = {row["notification_id"]: row for row in rows(world)}
    same = ("recipient", "recipient_hash", "reference", "accepted_at")
    assert all(after[id_][column] == row[column] for id_, row in before.items() for column in same)
    assert all(after[id_] == before[id_] for id_ in ("rejected", "refused-and-sent", "refused-and-open", "sent", "pending", "never-registered"))
    assert after["refused-and-sent"]["contradicted_by"] == "A305" and after["refused-and-open"]["outcome"] == "rejected"
    assert {id_: (row["status"], row["code"]) for id_, row in after.items() if before[id_]["status"] != row["status"]} == {
        "wrongly-sent": ("DEAD_LETTER", "64008"),
        "unregistered": ("DEAD_LETTER", "64008"),
        "wrongly-dead": ("SENT", "10001"),
        "registered-late": ("SENT", "10001"),
        "open-again": ("PENDING", "63005"),
        "repeated": ("DEAD_LETTER", "64008"),
    }
    assert "0 notifications corrected, 0 alerts raised" in replay(world, **right).stdout


def test_what_todays_file_cannot_read_stays_as_it_is(world: World, right: dict[str, str]) -> None:
    before = everything(world)
    blind = with_outcomes(world, "blind", report={"code": "/nowhere"})
    file = world.folder / "blind" / "bizgo.json"
    file.write_text(file.read_text("utf-8").replace('"/msgKey"', '"/nowhere"'))
    done = replay(world, **blind)
    unread = len(EVENTS) - 1  # "pending" has neither a report nor an answer
    assert f"{unread} notifications have a receipt or an acceptance that today's provider files cannot read" in done.stderr, done
    assert "0 notifications corrected, 0 alerts raised" in done.stdout
    assert everything(world) == before


def test_a_provider_whose_file_is_gone_is_left_alone(world: World) -> None:
    world.start()
    world.blux(payloads.blux_event("x", delivered=False))
    before = everything(world)
    folder = with_outcomes(world, "fewer")
    (world.folder / "fewer" / "blux.json").unlink()
    assert "1 notifications are of a provider without a file" in replay(world, **folder).stderr
    assert everything(world) == before


# --- beside running processors


def test_what_no_processor_has_taken_in_yet_is_left_to_it(world: World) -> None:
    world.new_ingress().start().wait_ready()
    processor = start_processor(world, with_outcomes(world, "wrong", c64008="delivered"))
    world.bizgo(report("early", "64008"))
    world.settle()
    processor.stop()
    world.bizgo(report("late", "64008"))
    assert "1 notifications read" in replay(world).stdout
    assert world.statuses() == {"early": "DEAD_LETTER"}
    start_processor(world, {})
    assert told(world) == {"early": [DEAD_LETTERED], "late": [DEAD_LETTERED]}


WAITING = "FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'"


def is_held(world: World) -> bool:
    return bool(world.sql(f"SELECT pid {WAITING}"))


def kill_held(world: World, process: subprocess.Popen) -> None:
    """Postgres would go on for it once nobody holds it any more."""
    kill(process)
    world.sql(f"SELECT pg_terminate_backend(pid) {WAITING}")


@contextmanager
def held(world: World, event: str):
    """Whoever writes alerts in this way waits."""
    with world.connect() as connection:
        connection.execute("SELECT pg_advisory_lock(17)")
        world.sql(
            """CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS
               $$ BEGIN PERFORM pg_advisory_xact_lock_shared(17); RETURN NEW; END $$"""
        )
        world.sql(f"CREATE TRIGGER hold BEFORE {event} ON alert FOR EACH ROW EXECUTE FUNCTION hold()")
        yield
    until("nobody waits any more", lambda: not is_held(world))
    world.sql("DROP FUNCTION hold CASCADE")


def test_kill_between_telling_and_writing_that_down_tells_nothing_twice(world: World, right: dict[str, str]) -> None:
    with held(world, "UPDATE"):
        process = start_replay(world, **right)
        until_equal("the alerts are told", lambda: sum(alert.data["previous_status"] == "SENT" for alert in world.notification_alerts()), 3)
        busy = run_once("processor", world.env(**right), "replay", "--from", "beginning")
        assert busy.returncode == 1 and "another replay is at work" in busy.stderr
        kill_held(world, process)
    assert count(world, "alert WHERE NOT told") == 5
    done = replay(world, **right)
    assert "0 notifications corrected" in done.stdout and "earlier replay" not in done.stderr
    assert told(world) == TOLD
    assert count(world, "alert WHERE NOT told") == 0


def test_kill_between_the_two_commits_loses_nothing(world: World, right: dict[str, str]) -> None:
    with held(world, "INSERT"):
        process = start_replay(world, **right)
        until("the replay waits in Postgres", lambda: is_held(world))
        world.kafka.freeze()
    try:
        until("Postgres has committed", lambda: world.sql("SELECT 1 FROM alert WHERE NOT told"))
        kill(process)
    finally:
        world.kafka.thaw()
    done = replay(world, **right)
    assert "5 alerts of an earlier replay are published now" in done.stderr and "0 notifications corrected" in done.stdout
    assert told(world) == TOLD


def test_kill_before_the_first_commit_leaves_nothing(world: World, right: dict[str, str]) -> None:
    before = everything(world)
    with held(world, "INSERT"):
        process = start_replay(world, **right)
        until("the replay waits in Postgres", lambda: is_held(world))
        kill_held(world, process)
    assert everything(world) == before
    replay(world, **right)
    assert told(world) == TOLD


# --- many, beside a running processor


def feed(world: World, ids: list[str], code: str, channel: str = "ALIMTALK", spooled_s: int = 0) -> None:
    """Receipts on the topic, as ingress would write them, only faster."""
    world.foreign = True
    now = (datetime.now(UTC) - timedelta(seconds=spooled_s)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    for id_ in ids:
        headers = {
            "ce_specversion": "1.0",
            "ce_id": str(uuid.uuid4()),
            "ce_type": "dochak.receipt.received.v1",
            "ce_source": "/ingress/bizgo/alimtalk",
            "ce_subject": id_,
            "ce_time": now,
            "ce_provider": "bizgo",
            "ce_endpoint": "bizgo/alimtalk",
        }
        while True:
            try:
                world.topics.produce("events", payloads.to_bytes(report(id_, code, channel)), key=id_, headers=list(headers.items()))
                break
            except BufferError:
                world.topics.flush()
    world.topics.flush()


def wait_stored(world: World, receipts: int, deadline: float = 60) -> None:
    until(f"{receipts} receipts are stored", lambda: count(world, "receipt") >= receipts, deadline, every=0.05)
    world.topics.reader("events").wait_count(receipts, deadline)  # settle() reads them, too, but has less patience
    world.settle(deadline)


def test_replay_goes_by_the_order_on_the_topic(world: World) -> None:
    world.new_ingress().start().wait_ready()
    processor = start_processor(world, with_outcomes(world, "wrong", c64009="failed"))
    feed(world, ["spooled"], "63019", "SMS")
    feed(world, ["spooled"], "64009", spooled_s=60)
    feed(world, ["refused-later"], "64009")
    world.register(answered("refused-later", "A305"))
    world.settle()
    processor.stop()
    start_processor(world, {})
    assert "1 notifications corrected, 0 alerts raised" in replay(world).stdout
    assert {row["notification_id"]: (row["outcome"], row["code"]) for row in rows(world)} == {
        "spooled": ("failed", "63019"),
        "refused-later": ("account_fault", "64009"),
    }


@pytest.mark.long
def test_kills_and_late_receipts_in_the_middle_of_a_replay(world: World) -> None:
    seed = random.randrange(1 << 32)
    print(f"random seed {seed}")
    chance = random.Random(seed)
    wrong_ids, fine_ids = [f"w-{n:05}" for n in range(4000)], [f"f-{n:05}" for n in range(2000)]
    rescued = wrong_ids[::3]
    processor = start_processor(world, with_outcomes(world, "wrong", c64008="delivered"))
    feed(world, wrong_ids, "64008")
    feed(world, fine_ids, "10000")
    wait_stored(world, 6000)
    processor.stop()
    start_processor(world, {}, DOCHAK_BATCH_MAX_RECORDS="50")
    # Of every third one a second channel says that it has arrived, meanwhile.
    late = threading.Thread(target=feed, args=(world, rescued, "10000", "SMS"))
    kills = 0
    for part in range(1, 5):
        process = start_replay(world)
        if part == 1:
            late.start()
        goal = part * 900
        changed = "receipt WHERE code = '64008' AND outcome <> 'delivered'"
        until("the replay has changed some", lambda: process.poll() is not None or count(world, changed) >= goal, every=0.001)
        time.sleep(chance.random() * 0.02)
        kills += process.poll() is None
        kill(process)
    late.join()
    wait_stored(world, 6000 + len(rescued))
    print(f"{kills} kills in the middle", replay(world).stdout)
    assert "0 notifications corrected, 0 alerts raised" in replay(world).stdout
    assert world.statuses() == dict.fromkeys(wrong_ids, "DEAD_LETTER") | dict.fromkeys([*fine_ids, *rescued], "SENT")
    alerts = told(world)
    assert {id_: alerts.get(id_) for id_ in set(wrong_ids) - set(rescued)} == dict.fromkeys(set(wrong_ids) - set(rescued), [DEAD_LETTERED])
    # One that was rescued before the replay came by was never a dead letter.
    assert Counter(tuple(sorted(alerts.get(id_, []))) for id_ in rescued).keys() <= {(), (DEAD_LETTERED, RECOVERED)}
    assert not set(fine_ids) & alerts.keys()


@pytest.mark.parametrize("receipts", [2_000, pytest.param(200_000, marks=[pytest.mark.slow, pytest.mark.timeout(600)])])
def test_a_tenth_was_read_wrongly_and_the_topic_has_lost_all(world: World, receipts: int) -> None:
    ids = [f"m-{n:06}" for n in range(receipts)]
    wrong_ids = ids[::10]
    processor = start_processor(world, with_outcomes(world, "wrong", c64008="delivered"))
    feed(world, wrong_ids, "64008")
    feed(world, sorted(set(ids) - set(wrong_ids)), "10000")
    wait_stored(world, len(ids), 300)
    processor.stop()
    world.topics.delete_records("events")
    start_processor(world, {})
    for arguments in (["--dry-run"], [], []):
        began = time.monotonic()
        done = replay(world, "--from", "beginning", *arguments)
        print(f"{time.monotonic() - began:.1f} s {arguments}\n{done.stdout}{done.stderr}")
    assert "0 notifications corrected, 0 alerts raised" in done.stdout
    assert world.statuses() == dict.fromkeys(ids, "SENT") | dict.fromkeys(wrong_ids, "DEAD_LETTER")
    assert told(world) == dict.fromkeys(wrong_ids, [DEAD_LETTERED])


def test_range_and_page_are_found_by_an_index_on_tables_that_were_never_analysed(world: World) -> None:
    receipt = ("receipt", "receipt_id, outcome, code, element", "'delivered', 'x', '{}'")
    acceptance = ("acceptance", "acceptance_id, accepted_at, registration", "now(), '{}'")
    for table, columns, values in (receipt, acceptance):
        world.sql(f"ALTER TABLE {table} SET (autovacuum_enabled = off)")
        world.sql(
            f"""INSERT INTO {table} ({columns}, provider, notification_id, received_at, event_id, source_partition, source_offset)
                SELECT gen_random_uuid(), {values}, 'bizgo', 'n-' || i, now() - i * interval '1 minute', gen_random_uuid(), 0, i
                FROM generate_series(1, 20000) i"""
        )
    folder = builds.ROOT / "processor" / "tables"
    choose = (folder / "replay_choose.sql").read_text("utf-8")
    for number, value in enumerate(("(now() - interval '1 hour')", "'infinity'", "NULL"), 1):
        choose = choose.replace(f"${number}", value)
    history = (folder / "replay_history.sql").read_text("utf-8")
    for number, value in enumerate(("{}", "'bizgo'", "'n-{}'"), 1):  # as many as on a page
        history = history.replace(f"${number}::", f"ARRAY[{', '.join(value.format(i) for i in range(500))}]::")
    ours = ("seqscan", "hashjoin", "mergejoin")  # pg_use_indexes()
    for statement, off, index in ((history, ours, "_pkey"), (choose, ("seqscan",), "_received")):  # 20,000 are too few for a range to be worth it
        for setting in off:
            world.sql(f"SET enable_{setting} = off")
        plan = "\n".join(row["QUERY PLAN"] for row in world.sql(f"EXPLAIN {statement}"))
        assert f"receipt{index}" in plan and f"acceptance{index}" in plan and "Seq Scan" not in plan, plan


# --- what is asked for


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ([], "--from: missing"),
        (["--from", "yesterday"], '--from: "yesterday"'),
        (["--from"], "--from: needs a value"),
        (["--from", "17"], '--from: "17": expected a time such as'),
        (["--from", "beginning", "--from", "beginning"], "--from: given twice"),
        (["--from", "beginning", "--to", "end"], '--to: "end"'),
        (["--from", "2026-01-12T11:00:00+09:00", "--to", "2026-01-12T02:00:00Z"], "--to 2026-01-12T02:00:00Z: does not come after --from"),
        (["--from", "beginning", "--dry-run=yes"], '"--dry-run=yes"'),
        (["--from", "beginning", "--force"], '"--force"'),
        (["everything"], '"everything"'),
    ],
)
def test_an_argument_that_is_not_understood_is_named(arguments: list[str], part: str) -> None:
    done = run_once("processor", builds.base_environment(), "replay", *arguments)
    assert done.returncode == 2 and part in done.stderr and "--help" in done.stderr and done.stdout == "", done


def test_help_needs_no_settings() -> None:
    done = run_once("processor", builds.base_environment(), "replay", "--help")
    assert done.returncode == 0 and "--dry-run" in done.stdout and done.stderr == ""


def test_a_provider_without_a_file_is_refused(world: World) -> None:
    done = run_once("processor", world.env(), "replay", "--from", "beginning", "--provider", "pigeon")
    assert done.returncode == 1 and '"pigeon"' in done.stderr and done.stdout == "", done
