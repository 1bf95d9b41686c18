# SPDX-License-Identifier: MIT
"""Channel Talk's outage of November 2024 again: people change while no webhook comes, and its API knows better. The three procedures of its
notice, and nothing lost of the webhooks that come meanwhile."""

import hashlib
import hmac
import random
import re
import time
from collections import Counter

import pytest

from support.provider_apis import BUSY, Answer, ChannelTalk, user
from support.reconciles import end, kill_after, known, made, phone, post_all, webhook
from support.replays import count
from support.wait import until
from support.world import World

SMALL, LARGE = 2000, 100000


def outage(api: ChannelTalk, seed: int = 7) -> Counter:
    """5 % change, 1 % are deleted, 1 % are merged into another one, and no webhook comes."""
    chance, did = random.Random(seed), Counter()
    now = int(time.time() * 1000)
    for member_id, one in list(api.users.items()):
        share = chance.random()
        if share < 0.05:
            changes = chance.choice(
                [
                    {"mobileNumber": phone(chance.randrange(10**8))},
                    {"email": f"new-{member_id}@example.com"},
                    {"unsubscribeEmail": True},
                    {"unsubscribeTexting": not one["unsubscribeTexting"]},
                    {"mobileNumber": None, "email": None},
                ]
            )
            api.users[member_id] = {**one, **changes, "version": one["version"] + 1, "updatedAt": now}
            profile = api.users[member_id]["profile"]
            api.users[member_id]["profile"] = {**profile, **{k: v for k, v in changes.items() if k in profile}}
            did["changed"] += 1
        elif share < 0.06:
            del api.users[member_id]
            did["deleted"] += 1
        elif share < 0.07:
            api.users[member_id] = {**one, "type": "unified", "version": one["version"] + 1, "updatedAt": now}
            did["unified"] += 1
    return did


def check_equal(world: World, api: ChannelTalk, ids: list[str]) -> None:
    """Each contact is as Channel Talk says, to the last digit and letter: by the hashes."""

    def hashed(value: str | None) -> bytes | None:
        return hmac.digest(world.keys["RECIPIENT"].encode(), value.encode(), hashlib.sha256) if value else None

    rows = {row["contact_id"]: row for row in world.sql("SELECT * FROM contact WHERE provider = 'channeltalk'")}
    assert set(rows) == set(ids)
    for id_ in ids:
        row, one = rows[id_], api.users.get(id_)
        if not one or one["type"] == "unified":
            assert (row["deleted"], row["phone"], row["email"], row["consents"]) == (True, None, None, {}), (row, one)
            continue
        assert not row["deleted"], (row, one)
        assert (row["phone_hash"], row["email_hash"]) == (hashed(one["mobileNumber"]), hashed(one["email"])), (row, one)
        assert ((row["phone"] or "")[-4:], (row["email"] or "")[:1]) == ((one["mobileNumber"] or "")[-4:], (one["email"] or "")[:1])
        assert row["consents"] == {"email": not one["unsubscribeEmail"], "texting": not one["unsubscribeTexting"]}, (row, one)


def write_members(world: World, ids: list[str]) -> str:
    file = world.folder / "members.txt"
    file.write_text("".join(f"{id_}\n" for id_ in ids))
    return str(file)


# --- the three procedures


@pytest.mark.parametrize("choice", ["known", "members"])
def test_changed_deleted_and_merged_members_are_put_right(world: World, channeltalk: ChannelTalk, choice: str) -> None:
    asking = known(world, channeltalk, 12)
    ids = list(channeltalk.users)
    arguments = ("--known",) if choice == "known" else ("--members", write_members(world, [*ids, "", ids[0]]))
    channeltalk.users["member-1"] |= {"mobileNumber": phone(99), "version": 2, "updatedAt": int(time.time() * 1000)}
    channeltalk.users["member-2"] |= {"unsubscribeEmail": True, "version": 2, "updatedAt": int(time.time() * 1000)}
    channeltalk.users["member-3"] |= {"type": "unified", "version": 2, "updatedAt": int(time.time() * 1000)}
    del channeltalk.users["member-4"]
    dry = asking.run(*arguments, "--dry-run")
    assert "4 differ;" in dry.stdout, dry
    done = asking.run(*arguments)
    assert re.search(r"channeltalk +known +known, with other details +2 ", done.stdout), done
    assert re.search(r"channeltalk +known +deleted +2 ", done.stdout), done
    assert "12 asked for: 12 with a result, 0 without one yet, 0 without a usable answer; 4 differed" in done.stdout
    world.settle()
    check_equal(world, channeltalk, ids)
    again = asking.sums(*arguments)
    assert again["differences"] == 0 and again["questions"] == (10 if choice == "known" else 12)


def test_a_member_who_is_not_known_is_taken_in(world: World, channeltalk: ChannelTalk) -> None:
    asking = known(world, channeltalk, 2)
    channeltalk.users["a/b c?"] = user("a/b c?", mobileNumber=phone(7))
    channeltalk.users["회원-1"] = user("회원-1")
    ids = list(channeltalk.users)
    assert asking.sums("--members", write_members(world, ids))["differences"] == 2
    world.settle()
    check_equal(world, channeltalk, ids)


def test_a_member_who_comes_back_is_no_longer_deleted(world: World, channeltalk: ChannelTalk) -> None:
    asking = known(world, channeltalk, 3)
    ids = list(channeltalk.users)
    members = write_members(world, ids)
    left = channeltalk.users.pop("member-1")
    asking.run("--members", members)
    after = channeltalk.now_ms
    world.settle()
    check_equal(world, channeltalk, ids)
    until("it is later", lambda: channeltalk.now_ms > after, every=0.001)
    channeltalk.users["member-1"] = {**left, "id": "another", "version": 1, "updatedAt": int(time.time() * 1000)}
    assert asking.sums("--members", members)["differences"] == 1
    world.settle()
    check_equal(world, channeltalk, ids)


def test_a_member_who_comes_back_is_known_though_our_clock_is_ahead(world: World, channeltalk: ChannelTalk) -> None:
    """Its new webhook is older than the answer 404 by our clock, and newer by the provider's."""
    channeltalk.behind = 30
    asking = known(world, channeltalk, 3, changed_ms=channeltalk.now_ms - 60000)
    ids = list(channeltalk.users)
    left = channeltalk.users.pop("member-1")
    asking.run("--known")
    world.settle()
    check_equal(world, channeltalk, ids)
    channeltalk.users["member-1"] = {**left, "id": "another", "version": 1, "updatedAt": channeltalk.now_ms}
    post_all(world, [webhook("upsert", channeltalk.users["member-1"])])
    world.settle()
    check_equal(world, channeltalk, ids)
    assert asking.sums("--known")["differences"] == 0


@pytest.mark.parametrize("merged", [False, True])
def test_a_member_who_is_another_user_now_is_put_right(world: World, channeltalk: ChannelTalk, merged: bool) -> None:
    """Though that one was changed before the one that is known, and has a lower version."""
    asking = known(world, channeltalk, 3)
    ids = list(channeltalk.users)
    was = channeltalk.users["member-1"]
    more = {"type": "unified"} if merged else {"mobileNumber": phone(99)}
    channeltalk.users["member-1"] = {**was, **more, "id": "another", "version": 0, "updatedAt": was["updatedAt"] - 86400000}
    members = write_members(world, ids)
    assert asking.sums("--members", members)["differences"] == 1
    world.settle()
    check_equal(world, channeltalk, ids)
    assert asking.sums("--members", members)["differences"] == 0


def test_a_lead_is_not_asked_for_by_an_id_that_it_has_not(world: World, channeltalk: ChannelTalk) -> None:
    """GET /users/@<its own id> would find nobody, and delete it."""
    asking = known(world, channeltalk, 2)
    post_all(world, [webhook("upsert", {**user("x", type="lead", mobileNumber=phone(5)), "memberId": None, "id": "lead-1"})])
    world.settle()
    assert asking.sums("--known")["questions"] == 2 and "lead-1" not in channeltalk.asked
    world.settle()
    assert count(world, "contact WHERE contact_id = 'lead-1' AND NOT deleted") == 1


# --- not to be believed


def test_a_wrong_address_deletes_nobody(world: World, channeltalk: ChannelTalk) -> None:
    """Something that answers 404 to everything."""
    asking = known(world, channeltalk, 30)
    channeltalk.fail_always(Answer(404, b"<html>not found</html>"))
    done = asking.run("--known", code=1)
    last = done.stderr.splitlines()[-1]
    assert re.search("channeltalk: 20 answers in a row say that the id is gone, the last one about .*; is the address http://.* right", last), done
    world.settle()
    assert count(world, "contact WHERE deleted") == 0
    # They are gone indeed.
    channeltalk.users.clear()
    channeltalk.fault = lambda _number, _id: None
    asking.run("--known", "--all-gone")
    world.settle()
    assert count(world, "contact WHERE deleted") == 30


def test_a_few_who_are_gone_are_believed(world: World, channeltalk: ChannelTalk) -> None:
    asking = known(world, channeltalk, 5)
    ids = list(channeltalk.users)
    channeltalk.users.clear()
    asking.run("--known")
    world.settle()
    check_equal(world, channeltalk, ids)


def test_a_few_of_many_who_are_gone_are_believed(world: World, channeltalk: ChannelTalk) -> None:
    """Here and there one, and twice nearly as many in a row as are doubted."""
    asking = known(world, channeltalk, 120, in_flight=1)
    ids = sorted(channeltalk.users)  # as they are asked for
    gone = {*ids[20:39], *ids[40:59], ids[3], ids[77], ids[119]}
    for id_ in gone:
        del channeltalk.users[id_]
    done = asking.run("--known")
    assert re.search(rf"channeltalk +known +deleted +{len(gone)} ", done.stdout), done
    world.settle()
    check_equal(world, channeltalk, ids)
    again = asking.sums("--known")
    assert (again["differences"], again["questions"]) == (0, len(ids) - len(gone))


def test_too_many_in_a_row_who_are_gone_are_doubted(world: World, channeltalk: ChannelTalk) -> None:
    asking = known(world, channeltalk, 60, in_flight=1)
    for id_ in sorted(channeltalk.users)[30:50]:
        del channeltalk.users[id_]
    assert "20 answers in a row say that the id is gone" in asking.run("--known", code=1).stderr.splitlines()[-1]
    world.settle()
    assert count(world, "contact WHERE deleted") == 0


@pytest.mark.parametrize("status", [401, 403])
def test_wrong_credentials_delete_nobody(world: World, channeltalk: ChannelTalk, status: int) -> None:
    asking = known(world, channeltalk, 3)
    channeltalk.fail_always(Answer(status, {"type": "unauthorizedError"}))
    assert f"it refuses to answer: answer {status}" in asking.run("--known", code=1).stderr.splitlines()[-1]
    world.settle()
    assert count(world, "contact WHERE deleted") == 0


# --- its limits


def test_the_rate_that_it_names_is_kept(world: World, channeltalk: ChannelTalk) -> None:
    """Never a request more than remain, so no 429 at all."""
    asking = known(world, channeltalk, 40, per_second=200, in_flight=1)
    channeltalk.limit, channeltalk.window = 15, 2
    sums = asking.sums("--known")
    assert sums["requests"] == 40 == len(channeltalk.arrived)


# --- the outage


def replay_outage(world: World, api: ChannelTalk, n: int, per_second: int) -> None:
    asking = known(world, api, n, per_second=per_second)
    ids = list(api.users)
    did = outage(api)
    assert set(did) == {"changed", "deleted", "unified"} and sum(did.values()) > n * 0.04
    api.fail(0.01, "429", "500", "cut before the answer")
    for requests in (n // 4, n // 2):
        kill_after(asking.begin("--known"), api, requests)
    done = asking.run("--known")
    assert "goes on with what began at" in done.stderr
    world.settle(300)
    check_equal(world, api, ids)
    assert set(api.asked) == set(ids)
    assert len(api.arrived) <= n + api.failed + did["deleted"] + 2 * 2 * per_second  # those of two killed ones, a second each
    assert api.too_early(per_second) < BUSY
    (run,) = world.sql("SELECT * FROM ask_run")
    assert run["ended_at"] and run["found"] == n and run["differed"] >= sum(did.values()), (run, did)
    api.fault = lambda _number, _id: None
    again = asking.sums("--known")
    assert (again["differences"], again["questions"]) == (0, n - did["deleted"] - did["unified"])
    assert count(world, "ask_question") == 0


@pytest.mark.long
def test_an_outage_is_made_good(world: World, channeltalk: ChannelTalk) -> None:
    replay_outage(world, channeltalk, SMALL, 200)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_large_outage_is_made_good(world: World, channeltalk: ChannelTalk) -> None:
    replay_outage(world, channeltalk, LARGE, 400)


@pytest.mark.long
def test_a_change_that_was_taken_back_wins_over_the_webhook_before_it(world: World, channeltalk: ChannelTalk) -> None:
    """The webhook of the change waits in Kafka; that of taking it back was lost."""
    asking = known(world, channeltalk, 1)
    ((id_, before),) = channeltalk.users.items()
    processor = world.services[-1]
    processor.stop()
    now = int(time.time() * 1000)
    changed = {**before, **made(7), "memberId": id_, "id": before["id"], "version": before["version"] + 1, "updatedAt": now}
    post_all(world, [webhook("upsert", changed)])
    channeltalk.users[id_] = {**before, "version": before["version"] + 2, "updatedAt": now + 1}
    asking.run("--known")
    processor.start().wait_ready()
    world.settle()
    check_equal(world, channeltalk, [id_])


def test_webhooks_that_come_meanwhile_are_not_lost(world: World, channeltalk: ChannelTalk) -> None:
    asking = known(world, channeltalk, 200, per_second=50)
    ids = list(channeltalk.users)
    outage(channeltalk)
    process = asking.begin("--known")
    chance = random.Random(3)
    for step in range(60):
        until("it goes on", lambda step=step: len(channeltalk.arrived) >= step * 3 or process.poll() is not None, 60, every=0.002)
        id_ = chance.choice(ids)
        before = channeltalk.users.get(id_)
        now = int(time.time() * 1000)
        if before and chance.random() < 0.2:
            del channeltalk.users[id_]
            post_all(world, [webhook("delete", {**before, "version": before["version"] + 1, "updatedAt": now})])
        else:
            version = before["version"] + 1 if before else 1
            fresh = {**made(chance.randrange(10**6)), "memberId": id_, "id": (before or {"id": f"again-{step}"})["id"], "version": version, "updatedAt": now}
            channeltalk.users[id_] = fresh
            post_all(world, [webhook("upsert", fresh)])
    out, err = end(process)
    assert process.returncode == 0, (out, err)
    world.settle()
    check_equal(world, channeltalk, ids)
