# SPDX-License-Identifier: MIT
"""Provider files with other waiting times; and time that passes without being waited for."""

import json

from support import builds
from support.world import World


def with_times(world: World, **expects: int) -> dict[str, str]:
    """A setting: the shipped provider files, with other waiting times."""
    folder = world.folder / "times"
    folder.mkdir(exist_ok=True)
    for file in (builds.ROOT / "schemas/providers").glob("*.json"):
        document = json.loads(file.read_text("utf-8"))
        document["expects"] = {**document.get("expects", {}), **expects}
        (folder / file.name).write_text(json.dumps(document))
    return {"DOCHAK_PROVIDERS_DIR": str(folder)}


def start(world: World, **expects: int) -> World:
    settings = with_times(world, **expects)
    world.new_ingress(**settings).start().wait_ready()
    world.new_processor(**settings).start().wait_ready()
    return world


def pass_minutes(world: World, minutes: int) -> None:
    """What the watch reads is so much older. Only a leader that begins anew sees all of it: one that leads keeps the minutes that it knows."""
    passed, far = f"interval '{minutes} minutes'", "interval '1000 days'"
    for by in (f"- {far}", f"+ {far} - {passed}"):  # by way of minutes that no row has: the minute is part of the key
        world.sql(f"UPDATE delivery_minute SET minute = minute {by}, last_at = last_at {by}")
    world.sql(f"UPDATE incident SET since = since - {passed}, opened_at = opened_at - {passed}, judged_until = judged_until - {passed}")


def wait_spool(world: World, minutes: int = 1) -> None:
    """As if an ingress had events in its spool that were received so long ago."""
    world.sql(
        """INSERT INTO endpoint_minute SELECT date_trunc('minute', now()) - interval '1 min', 'bizgo/alimtalk', 'spooled', gen_random_uuid(),
           'bizgo', 0, 0, 0, '{}', 0, 0, 1, now() - %s * interval '1 min', false""",
        minutes,
    )
