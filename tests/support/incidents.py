# SPDX-License-Identifier: MIT
"""Incidents that are open before a processor starts."""

from support.world import World


def open_incident(world: World, kind: str, provider: str, endpoint: str, scope: str, hours: int = 4) -> None:
    """Since so many hours."""
    world.sql(
        """INSERT INTO incident (incident_id, kind, provider, endpoint, scope, since, opened_at, judged_until, gap_ms, faults, details)
           SELECT gen_random_uuid(), %s, %s, %s, %s, at, at, at, 0, 0, '{"summary": "x", "check_first": [], "counts": {}, "codes": []}'
           FROM (SELECT now() - %s * interval '1 hour' AS at) AS opened""",
        *(kind, provider, endpoint, scope, hours),
    )
