# SPDX-License-Identifier: MIT
"""Who writes a provider file makes mistakes. Each is named when the file is checked, with the file, the place and what to do, or explain()
shows it with the documents of the provider: nobody has to find it in production."""

import json
import re
import subprocess
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import pytest
from support import builds
from support.mistakes import Mistake, mistakes

pytestmark = pytest.mark.long
README = builds.ROOT / "schemas" / "providers" / "README.md"
EXAMPLES = builds.ROOT / "schemas" / "examples"
QUICK = ["acme", "blux", "bizgo-counsel"]
SLOW = [path.stem for path in sorted((builds.ROOT / "schemas" / "providers").glob("*.json")) if path.stem not in QUICK]
# What explain() says where a rule finds nothing, or something else than what is meant.
SAID = re.compile(r"–|quarantine|not read|no rule|nothing at|not listed|refused|rule ")
# Who mends it needs one of these.
MENDS = re.compile(r"expected|did you mean|is it |unknown key|is never reached|taken by|no code means|another kind|sent unchanged|not read|given up|no time is left|digest|no such id|has no outcome|read no|would come|leave its number out")


@cache
def good(name: str) -> tuple[dict, list[tuple[list[str], bytes]]]:
    """A good file, and the documents that explain() is shown."""
    if name == "acme":
        body, document = re.findall(r"^```json\n(.*?)^```", README.read_text("utf-8"), re.MULTILINE | re.DOTALL)[:2]
        answer = b'{"messages": [{"id": "m-17", "to": "01012345678", "status": "queued"}]}'
        return json.loads(document), [([], body.encode()), (["--acceptance"], answer)]
    bodies = [([], path.read_bytes()) for path in sorted(EXAMPLES.glob(f"webhook/{name}/*/body.*"))]
    answers = [(["--acceptance"], path.read_bytes()) for path in sorted(EXAMPLES.glob(f"acceptance/{name}/*/response.json"))]
    return json.loads((builds.ROOT / "schemas" / "providers" / f"{name}.json").read_text("utf-8")), bodies + answers


def explain(path: Path, arguments: list[str], body: bytes) -> tuple[str, str]:
    done = subprocess.run(
        [builds.program("processor"), "explain", "--file", path, *arguments],
        input=body,
        env=builds.base_environment(),
        capture_output=True,
        timeout=60 * builds.patience(),
        check=False,
    )
    assert done.returncode in (0, 1), done
    return done.stdout.decode(), done.stderr.decode()


def shown(path: Path, document: dict, bodies: list) -> list[tuple[str, str]]:
    """Of each document; only of the first where the file is refused."""
    path.write_text(json.dumps(document), "utf-8")
    first = explain(path, *bodies[0])
    return [first] if not first[0] else [first, *(explain(path, *body) for body in bodies[1:])]


def lines_of(error: str, path: Path) -> list[str]:
    return [line for line in error.splitlines() if f"{path}: " in line]


def fault_of(mistake: Mistake, path: Path, now: list[tuple[str, str]], usual: list[tuple[str, str]]) -> str | None:
    """Why the mistake would go unnoticed, or None."""
    said = [line for line in lines_of(now[0][1], path) if line not in lines_of(usual[0][1], path)]
    if said:
        around = mistake.place.rpartition("/")[0]
        named = [line for line in said if mistake.place in line or f" {around}" in line or not around]
        if not named:
            return f"the place is not named: {said}"
        return None if any(MENDS.search(line) for line in named) else f"it is not said what to do: {named}"
    new = [line for before, after in zip(usual, now, strict=True) for line in after[0].splitlines() if line not in before[0].splitlines()]
    return None if any(SAID.search(line) for line in new) else f"nothing is said: {new[:3]}"


def unnoticed(name: str, folder: Path) -> tuple[int, dict[str, str]]:
    document, bodies = good(name)
    usual = shown(folder / f"{name}.json", document, bodies)
    assert not lines_of(usual[0][1], folder / f"{name}.json"), usual

    def look(numbered: tuple[int, Mistake]) -> tuple[str, str | None]:
        number, mistake = numbered
        path = folder / f"{number}.json"
        fault = fault_of(mistake, path, shown(path, mistake.document, bodies), usual)
        path.unlink()
        return mistake.name, fault

    made = mistakes(document)
    with ThreadPoolExecutor(2) as pool:
        found = dict(pool.map(look, enumerate(made)))
    return len(made), {name: fault for name, fault in found.items() if fault}


@pytest.mark.parametrize("name", QUICK)
def test_no_mistake_goes_unnoticed(name: str, tmp_path: Path) -> None:
    n, faults = unnoticed(name, tmp_path)
    assert n >= 200 and faults == {}


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", SLOW)
def test_no_mistake_in_a_shipped_file_goes_unnoticed(name: str, tmp_path: Path) -> None:
    n, faults = unnoticed(name, tmp_path)
    print(f"{name}: {n} mistakes", Counter(fault.partition(":")[0] for fault in faults.values()))
    assert n >= 100 and faults == {}
