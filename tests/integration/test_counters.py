# SPDX-License-Identifier: MIT
"""delivery_minute and code_minute: what the watch will read instead of counting the large tables. (That each record counts once, whatever dies, every
test with check_all() looks at.)"""

import time
from datetime import UTC, datetime

from support import payloads
from support.wait import until
from support.world import World

COUNTERS = "SELECT provider, endpoint, outcome, sum(records)::int AS n FROM delivery_minute GROUP BY 1, 2, 3"


def counters(world: World) -> set[tuple[str, str, str, int]]:
    return {(row["provider"], row["endpoint"], row["outcome"], row["n"]) for row in world.sql(COUNTERS)}


def test_each_kind_of_record_has_its_counter(world: World) -> None:
    world.start()
    ids = [payloads.new_id() for _ in range(4)]
    for id_, code in zip(ids, ["10000", "64008", "10000", "10000"], strict=True):
        world.bizgo(payloads.bizgo(id_, code))
    world.bizgo(payloads.bizgo(ids[0], "10000"))  # the same once more
    world.register({"provider": "blux", "notification_id": "n"})
    assert world.post("blux/sms", b"no JSON").status == 200
    world.settle()
    outcome = world.row("bizgo", ids[1])["outcome"]
    assert counters(world) == {
        ("bizgo", "bizgo/alimtalk", "delivered", 3),
        ("bizgo", "bizgo/alimtalk", outcome, 1),
        ("bizgo", "bizgo/alimtalk", "repeated", 1),
        ("blux", "", "accepted", 1),
        ("blux", "", "taken", 1),  # for the first time
        ("blux", "blux/sms", "quarantined", 1),
    }
    rows = world.sql("SELECT provider, endpoint, outcome, channel, code, sum(records)::int AS n FROM code_minute GROUP BY 1, 2, 3, 4, 5")
    assert {tuple(row.values()) for row in rows} == {
        ("bizgo", "bizgo/alimtalk", "delivered", "ALIMTALK", "10000", 3),
        ("bizgo", "bizgo/alimtalk", outcome, "ALIMTALK", "64008", 1),
        ("blux", "", "accepted", "", "", 1),
    }  # what is repeated, and what is about no message, has no code


def test_the_minute_is_that_of_receipt_by_ingress(world: World) -> None:
    """A processor that was away for a while counts where the records belong."""
    world.new_ingress().start().wait_ready()
    began = datetime.now(UTC).replace(second=0, microsecond=0)
    world.bizgo(payloads.bizgo("m", "10000"))
    ended = datetime.now(UTC)
    world.new_processor().start()
    world.settle()
    (row,) = world.sql("SELECT minute FROM delivery_minute")
    assert began <= row["minute"] <= ended and row["minute"].second == 0


def test_a_receipt_before_the_registration_is_as_late_as_it_came(world: World) -> None:
    """The application registers when the receipt has come already, and says when it sent the message. A receipt is due in five minutes."""
    world.start()
    world.bizgo(payloads.bizgo("in-time", "10000"))
    world.bizgo(payloads.bizgo("late", "10000"))
    received = time.time()
    until("the registration comes after the five minutes", lambda: time.time() > received + 1.5)
    by_age = {"in-time": 299, "late": 302}
    world.register([payloads.accepted("bizgo", name, accepted_at=payloads.ago(time.time() - received + age)) for name, age in by_age.items()])
    world.settle()
    rows = world.sql("SELECT outcome, sum(records)::int AS n FROM delivery_minute WHERE outcome IN ('taken', 'in_time') GROUP BY 1")
    assert {row["outcome"]: row["n"] for row in rows} == {"taken": 2, "in_time": 1}
