# SPDX-License-Identifier: MIT
"""What is a report that comes again, and what is another one, whatever a provider file says that tells them apart."""

import pytest

from support import payloads
from support.replays import count, replay, with_outcomes
from support.world import World

PARTS = [{"n": 1}, {"n": 2}, [1], 1.5, 2.5, True, False, "1"]


def start(world: World, **report: list[str]) -> World:
    """With a file that tells reports apart by these places."""
    settings = with_outcomes(world, "weak", report=report)
    world.new_ingress(**settings).start().wait_ready()
    world.new_processor(**settings).start().wait_ready()
    return world


def test_a_failure_under_the_key_of_an_earlier_report_is_no_repeat(world: World) -> None:
    start(world, dedupe=["/msgKey"])
    for code in ("63005", "63005", "63019", "63019", "63005"):
        world.bizgo(payloads.bizgo("weak", code))
    world.settle()
    row = world.row("bizgo", "weak")
    assert (row["status"], row["code"]) == ("DEAD_LETTER", "63019")
    assert [alert.data["code"] for alert in world.alerts("weak")] == ["63019"]
    assert count(world, "receipt") == 2


@pytest.mark.parametrize("together", [False, True])
def test_values_of_any_type_tell_reports_apart(world: World, together: bool) -> None:
    start(world, dedupe=["/msgKey", "/part", "/reportCode"])
    reports = [payloads.bizgo("parts", "63005", part=part) for part in PARTS for _ in range(2)]
    for report in [*reports, payloads.bizgo("parts", "63019", part={"n": 3})]:
        world.bizgo(report)
        if not together:
            world.settle()
    world.settle()
    assert count(world, "receipt") == len(PARTS) + 1
    assert world.row("bizgo", "parts")["status"] == "DEAD_LETTER"


def test_a_replay_knows_a_receipt_whatever_tells_reports_apart_today(world: World) -> None:
    world.new_ingress().start().wait_ready()
    before = world.new_processor(**with_outcomes(world, "before", report={"dedupe": ["/reportTime"]}, c63019="delivered")).start()
    for _ in range(2):
        world.bizgo(payloads.bizgo("told-apart", "63019"))
    world.settle()
    before.stop()
    world.new_processor().start().wait_ready()
    assert world.row("bizgo", "told-apart")["status"] == "SENT"
    done = replay(world)
    print(done.stdout, done.stderr)
    assert world.row("bizgo", "told-apart")["status"] == "DEAD_LETTER"
    assert count(world, "receipt") == 1 and count(world, "receipt WHERE outcome = 'failed'") == 1
    world.bizgo(payloads.bizgo("told-apart", "63019"))
    world.settle()
    assert [alert.type for alert in world.alerts("told-apart")] == ["dochak.notification.dead_lettered.v1"]
    assert "0 notifications corrected, 0 alerts raised" in replay(world).stdout
