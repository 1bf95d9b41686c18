# SPDX-License-Identifier: MIT
"""Incidents of what is not there any more."""

import time

from support.judge import open_incident
from support.wait import until
from support.world import World


def report(world: World, endpoint: str, provider: str, hours: float, refused: int = 0) -> None:
    """A record of ingress of so many hours ago."""
    world.sql(
        """INSERT INTO endpoint_minute SELECT date_trunc('minute', now() - %s * interval '1 hour'), %s, 'i', gen_random_uuid(), %s,
           %s, 0, %s, '{}', 0, 0, 0, NULL, false""",
        *(hours, endpoint, provider, refused, refused),
    )


# Without an ingress, without DOCHAK_PUBLIC_URL: kind, provider, endpoint, scope, hours since when; the summary of the closing, or None.
GONE = "no ingress has had this endpoint for a day"
NO_FILE = "there is no provider file of this name, and no endpoint of it"
NO_DOOR = "the front door is not called any more: no DOCHAK_PUBLIC_URL is set"
OPEN = {
    ("refusing", "bizgo", "bizgo/gone", "", 30): GONE,
    ("silent", "bizgo", "bizgo/gone", "", 30): GONE,
    ("silent", "bizgo", "bizgo/gone", "floor", 30): GONE,
    ("failing", "bizgo", "bizgo/gone", "account", 30): GONE,
    ("refusing", "bizgo", "bizgo/of-yesterday", "", 20): None,
    ("refusing", "bizgo", "bizgo/idle", "", 14): "no call was refused for 12 hours",
    ("refusing", "bizgo", "bizgo/alimtalk", "", 14): None,
    ("failing", "other", "", "account", 30): NO_FILE,
    ("at_risk", "other", "", "half", 30): NO_FILE,
    ("failing", "newer", "newer/one", "account", 30): None,
    ("unreachable", "", "", "front door", 30): NO_DOOR,
    ("unreachable", "", "", "certificate, 14 days", 30): NO_DOOR,
}


def test_incidents_that_no_rule_looks_at_any_more_are_closed(world: World) -> None:
    """A processor of another version may know a provider that this one does not."""
    now = int(time.time()) // 60
    for kind, provider, endpoint, scope, hours in OPEN:
        open_incident(world, kind, now - hours * 60, provider, endpoint, scope)
    report(world, "bizgo/gone", "bizgo", 25)
    report(world, "bizgo/of-yesterday", "bizgo", 23)
    report(world, "bizgo/of-yesterday", "bizgo", 11, refused=1)
    report(world, "bizgo/idle", "bizgo", 13, refused=5)
    report(world, "bizgo/idle", "bizgo", 0)
    report(world, "bizgo/alimtalk", "bizgo", 11, refused=5)
    report(world, "bizgo/alimtalk", "bizgo", 0)
    report(world, "newer/one", "newer", 0)
    world.new_processor().start().wait_ready()
    expected = {key[:4]: summary for key, summary in OPEN.items() if summary}
    until("they are closed", lambda: len(world.alerts()) >= len(expected), 30)
    world.settle()
    closed = [alert.data for alert in world.alerts()]
    found = {(a["kind"], a["provider"] or "", a["endpoint"] or "", a["scope"] or ""): a["summary"] for a in closed}
    assert found == expected and len(closed) == len(expected)
    assert world.sql("SELECT count(*) AS n FROM incident WHERE closed_at IS NULL")[0]["n"] == len(OPEN) - len(expected)
