# SPDX-License-Identifier: MIT
"""Provider files with other waiting times."""

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
