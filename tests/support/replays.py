# SPDX-License-Identifier: MIT
"""Provider files that are wrong, and the commands that put right what came of them."""

import json
import subprocess

from support import builds
from support.service import run_once
from support.wait import until_equal
from support.world import World


def with_outcomes(
    world: World, name: str, accepted: list[str] | None = None, report: dict | None = None, **outcomes: str | None
) -> dict[str, str]:
    """A setting: the shipped provider files in a folder of that name, but for what BizGo's says. Codes are written c<code>; None: the
    code is missing. `accepted`: the codes of a send response that mean yes. `report`: where a report is read otherwise."""
    folder = world.folder / name
    folder.mkdir(exist_ok=True)
    for file in (builds.ROOT / "schemas/providers").glob("*.json"):
        document = json.loads(file.read_text("utf-8"))
        if document["provider"] == "bizgo":
            document["webhook"]["kinds"][0].update(report or {})
            _change(document, accepted, {code[1:]: outcome for code, outcome in outcomes.items()})
        (folder / file.name).write_text(json.dumps(document))
    return {"DOCHAK_PROVIDERS_DIR": str(folder)}


def _change(document: dict, accepted: list[str] | None, outcomes: dict[str, str | None]) -> None:
    for code, outcome in outcomes.items():
        document["outcomes"].pop(code, None)
        if outcome:
            reason = {} if outcome == "delivered" else {"reason": "by the test"}
            document["outcomes"][code] = {"outcome": outcome, **reason}
    for shape in document["acceptance"]["shapes"] if accepted else []:
        shape["accepted"] = accepted


def command(world: World, *arguments: str, **settings: str) -> subprocess.CompletedProcess:
    """One that ends well, and says no secret."""
    done = run_once("processor", world.env(**settings), *arguments)
    assert done.returncode == 0, done
    for secret in world.secrets:
        assert secret not in done.stdout + done.stderr, done
    return done


def count(world: World, what: str, *values) -> int:
    return world.sql(f"SELECT count(*) AS n FROM {what}", *values)[0]["n"]


def everything(world: World) -> list[list]:
    """All tables and the alert topic, once nobody writes any more: that an alert is told is written down last."""
    world.settle()
    until_equal("what is told is marked so", lambda: count(world, "alert WHERE NOT told"), 0)
    alerts = [alert.id for alert in world.alerts()]
    return [world.sql(f"SELECT * FROM {table} ORDER BY 1, 2") for table in ("notification", "receipt", "acceptance", "alert")] + [alerts]


def replay(world: World, *arguments: str, **settings: str) -> subprocess.CompletedProcess:
    return command(world, "replay", *(arguments or ("--from", "beginning")), **settings)


def start_replay(world: World, **settings: str) -> subprocess.Popen:
    program = [*builds.WRAPPER, builds.program("processor"), "replay", "--from", "beginning"]
    return subprocess.Popen(program, env=world.env(**settings), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def kill(process: subprocess.Popen) -> None:
    process.kill()
    process.communicate()
