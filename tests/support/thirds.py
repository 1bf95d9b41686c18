# SPDX-License-Identifier: MIT
"""Receipts of which every third says failed, and what must have become of them, whatever happened meanwhile."""

import itertools
import time
from collections.abc import Iterator

from support import payloads
from support.senders import Post
from support.wait import until_equal
from support.world import World

FAILED_EVERY = 3  # receipt number 0, 3, 6 … says failed
# The mark that an alert was told is not made, so that the offsets alone have to keep it from being told again.
FORGET = """
CREATE FUNCTION forget() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NULL; END$$;
CREATE TRIGGER forget BEFORE UPDATE OF told ON alert FOR EACH ROW EXECUTE FUNCTION forget();
"""


def ids_of(count: int) -> list[str]:
    return [f"m-{number:05}" for number in range(count)]


def is_failed(id_: str) -> bool:
    return int(id_[2:]) % FAILED_EVERY == 0


def event(id_: str) -> dict:
    return payloads.blux_event(id_, delivered=not is_failed(id_))


def post_all(world: World, ids: list[str]) -> list[str]:
    """As a provider does it: what is not taken, on a busy machine, is sent again."""
    for first in range(0, len(ids), 200):
        body = payloads.blux(*map(event, ids[first : first + 200]))
        until_equal("the events are taken", lambda body=body: world.post("blux/sms", body).status, 200, 60)
    return ids


def endless_posts() -> Iterator[Post]:
    """For senders that go on until they are stopped, a hundred a second: there is always work, and the machine has time for the servers."""
    for number in itertools.count():
        time.sleep(0.01)
        id_ = f"m-{number:05}"
        yield Post(id_, "blux/sms", payloads.blux(event(id_)))


def check_all(world: World, ids: list[str]) -> None:
    """Every status, every receipt once, every alert once."""
    world.settle(60)
    expected = {id_: "DEAD_LETTER" if is_failed(id_) else "SENT" for id_ in ids}
    assert world.statuses() == expected, sorted(world.statuses().items() ^ expected.items())
    assert world.sql("SELECT count(*) AS n FROM receipt")[0]["n"] == len(ids)
    told = sorted(alert.header("ce_subject") for alert in world.alerts())
    assert told == [id_ for id_ in ids if is_failed(id_)], "alerts are missing or doubled"
    assert world.topics.read("quarantine") == []
    check_counters(world, len(ids))


def check_counters(world: World, receipts: int) -> None:
    """Each record of the topic counted once, whatever was done again."""
    counted = {row["outcome"]: int(row["n"]) for row in world.sql("SELECT outcome, sum(records) AS n FROM delivery_minute GROUP BY 1")}
    failed = len([id_ for id_ in ids_of(receipts) if is_failed(id_)])
    expected = {"failed": failed, "delivered": receipts - failed, "repeated": len(world.topics.read("events")) - receipts}
    assert counted == {outcome: n for outcome, n in expected.items() if n}
    by_code = {row["outcome"]: int(row["n"]) for row in world.sql("SELECT outcome, sum(records) AS n FROM code_minute GROUP BY 1")}
    assert by_code == {outcome: n for outcome, n in counted.items() if outcome != "repeated"}


def stored(world: World) -> int:
    return world.sql("SELECT count(*) AS n FROM notification")[0]["n"]
