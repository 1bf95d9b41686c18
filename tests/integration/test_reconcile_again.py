# SPDX-License-Identifier: MIT
"""What `reconcile` asks a second time, what it leaves out in the end, and what it ends with when its surroundings fail."""

import re
import signal
import subprocess
import time

import pytest

from support import builds
from support.provider_apis import Answer, BizGo, ChannelTalk
from support.reconciles import Asking, check_statuses, decided, end, kill_after, known, lost
from support.replays import count
from support.wait import until, until_equal
from support.world import World


def deleted(world: World) -> set[str]:
    world.settle()
    return {row["contact_id"] for row in world.sql("SELECT contact_id FROM contact WHERE deleted")}


# --- ids that never get an answer


def first_asked(world: World, n: int) -> list[str]:
    return [row["notification_id"] for row in world.sql("SELECT notification_id FROM notification ORDER BY due_at, notification_id LIMIT %s", n)]


def ask_until_it_ends(asking: Asking, most: int) -> int:
    """How often it had to be started."""
    for times in range(1, most + 1):
        process = asking.begin("--overdue")
        end(process)
        if count(asking.world, "ask_run WHERE ended_at IS NULL") == 0:
            return times
    raise AssertionError(f"it does not end: {asking.world.sql('SELECT * FROM ask_question')}")


SICK = {
    "25 of another account": (25, Answer(404, {"common": {"authCode": "A404"}})),
    "one that is refused": (1, Answer(403, {"common": {"authCode": "A403"}})),
    "one too many": (1, Answer(503, b"")),
}


@pytest.mark.long
@pytest.mark.parametrize("name", SICK)
def test_ids_that_never_get_an_answer_hold_up_no_other(world: World, bizgo: BizGo, name: str) -> None:
    asking, statuses = lost(world, bizgo, 60)
    n, answer = SICK[name]
    sick = set(first_asked(world, n))
    bizgo.fault = lambda _number, id_: answer if id_ in sick else None
    assert ask_until_it_ends(asking, 4) <= 4
    check_statuses(world, {id_: "PENDING" if id_ in sick else status for id_, status in statuses.items()})
    assert count(world, "ask_question") == 0
    bizgo.fault = lambda _number, _id: None
    asking.run("--overdue")
    check_statuses(world, statuses)


def test_a_wrong_address_leaves_out_nothing(world: World, bizgo: BizGo) -> None:
    """Nothing shows that it is the ids' fault."""
    asking, statuses = lost(world, bizgo, 45)
    bizgo.fail_always(Answer(404, {"common": {"authCode": "A404"}}))
    for _ in range(5):
        assert "20 answers in a row were unusable" in asking.run("--overdue", code=1).stderr
        assert count(world, "ask_question") == 45
    bizgo.fault = lambda _number, _id: None
    asking.run("--overdue")
    check_statuses(world, statuses)


# --- a pause that was asked for


def test_a_pause_is_not_forgotten_by_another_run(world: World, bizgo: BizGo) -> None:
    asking, _ = lost(world, bizgo, 5)
    asking.run("--overdue")
    for arguments in (("--overdue",), ("--overdue", "--restart"), ("--since", "beginning", "--dry-run"), ("--since", "beginning", "--restart")):
        arrived, began = len(bizgo.arrived), time.monotonic()
        world.sql("UPDATE ask_run SET not_before = now() + interval '4 s' WHERE started_at = (SELECT max(started_at) FROM ask_run)")
        done = asking.run(*arguments)
        assert "bizgo wants no requests until" in done.stderr, done
        assert bizgo.arrived[arrived] - began >= 3.5, arguments
        world.sql("UPDATE ask_run SET not_before = NULL")


# --- said to be gone


def test_a_single_wrong_answer_deletes_nobody(world: World, channeltalk: ChannelTalk) -> None:
    asking = known(world, channeltalk, 30)
    del channeltalk.users["member-7"]
    once = {"member-1", "member-2", "member-29"}

    def fault(_number: int, id_: str) -> Answer | None:
        return Answer(404) if id_ in once and channeltalk.asked.count(id_) == 1 else None

    channeltalk.fault = fault
    sums = asking.sums("--known")
    assert (sums["found"], sums["differences"]) == (30, 1)
    assert 30 + 4 <= sums["requests"] <= 30 + 5  # one that was found, perhaps once more
    assert deleted(world) == {"member-7"}


def test_an_api_that_loses_all_in_the_second_turn_deletes_nobody(world: World, channeltalk: ChannelTalk) -> None:
    """The last of the first turn are gone as well, too few to be doubted. One that was found shows what it is worth."""
    asking = known(world, channeltalk, 30, in_flight=1)
    channeltalk.fault = lambda number, _id: Answer(404) if number > 25 else None
    last = asking.run("--known", code=1).stderr.splitlines()[-1]
    assert "channeltalk: it said twice that 5 ids are gone, and no longer finds member-" in last, last
    assert deleted(world) == set()
    last = asking.run("--known", code=1).stderr.splitlines()[-1]  # it begins with the second turn
    assert "channeltalk: it said twice that 5 ids are gone, and no longer finds member-" in last, last
    assert deleted(world) == set()
    channeltalk.fault = lambda _number, _id: None
    asking.run("--known")
    assert deleted(world) == set()


@pytest.mark.long
def test_many_who_are_gone_are_found_out_whenever_it_is_killed(world: World, channeltalk: ChannelTalk) -> None:
    asking = known(world, channeltalk, 240, per_second=40)
    gone = {f"member-{i}" for i in range(0, 240, 3)}
    for id_ in gone:
        del channeltalk.users[id_]
    kill_after(asking.begin("--known"), channeltalk, 80)
    process = asking.begin("--known")
    until_equal("it is in the second turn", lambda: count(world, "ask_question WHERE said IS NULL"), 0, 60, every=0.02)
    process.kill()
    process.communicate()
    assert deleted(world) != gone
    asking.run("--known")
    assert deleted(world) == gone
    assert len(channeltalk.arrived) <= 240 + len(gone) + 2 + 2 * 2 * 40


# --- its surroundings


def end_its_session(world: World) -> None:
    """Of the process that asks bizgo. pg_locks has those of the other tests' databases, too."""
    asks = "locktype = 'advisory' AND (classid::bigint << 32) | objid::bigint = hashtextextended('dochak ask bizgo', 0)"
    here = "database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    assert world.sql(f"SELECT pg_terminate_backend(pid) FROM pg_locks WHERE {asks} AND {here}")


def test_a_session_that_has_ended_ends_it(world: World, bizgo: BizGo) -> None:
    """In a pause nothing else would tell; another process may ask by then."""
    asking, statuses = lost(world, bizgo, 3)
    bizgo.fail_always(Answer(429, b"", {"Retry-After": "300"}))
    process = asking.begin("--overdue")
    until_equal("the pause is stored", lambda: count(world, "ask_run WHERE not_before > now()"), 1)
    end_its_session(world)
    _, said = end(process, 60)
    last = said.splitlines()[-1]
    assert process.returncode == 1 and "bizgo: the right to ask is lost, since Postgres has ended the session: " in last, said
    world.sql("UPDATE ask_run SET not_before = NULL")
    bizgo.fault = lambda _number, _id: None
    asking.run("--overdue")
    check_statuses(world, statuses)


def test_one_that_stood_still_while_another_asked_changes_nothing(world: World, bizgo: BizGo) -> None:
    asking, statuses = lost(world, bizgo, 60, per_second=20, in_flight=2)
    process = asking.begin("--overdue")
    until("it has asked for some", lambda: len(bizgo.asked) >= 5, 60, every=0.01)
    process.send_signal(signal.SIGSTOP)
    asked = len(bizgo.asked)
    end_its_session(world)
    asking.run("--overdue")
    check_statuses(world, statuses)
    before = decided(world)
    process.send_signal(signal.SIGCONT)
    _, said = end(process)
    # It notices when it looks for its right, or at whatever it asks the database before that.
    assert process.returncode == 1 and re.search("since Postgres has ended the session: |: terminating connection ", said.splitlines()[-1]), said
    check_statuses(world, statuses)
    assert decided(world) == before
    assert len(bizgo.asked) <= asked + 60 + 2 * 2  # what is on its way when it stops, and when it goes on


def test_a_full_disk_is_no_success(world: World, bizgo: BizGo) -> None:
    asking, statuses = lost(world, bizgo, 5)
    program = [*builds.WRAPPER, builds.program("processor"), "reconcile", "bizgo", "--overdue", "--json"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(program, env=world.env(**asking.settings), stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert done.returncode == 1 and "what was written to stdout is incomplete: No space left on device" in done.stderr, done
    check_statuses(world, statuses)
