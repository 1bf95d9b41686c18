# SPDX-License-Identifier: MIT
"""Builds that are broken on purpose, each by a patch to a copy of the tree, and for each the plan that aims at it: the proof that the
checker can fail."""

import filecmp
import random
import shutil
import subprocess
from pathlib import Path

from chaos import faults
from chaos.faults import Fault
from chaos.run import Plan
from support import builds

PATCHES = Path(__file__).parent / "broken"
PARTS = ("CMakeLists.txt", "CMakePresets.json", "cmake", "common", "ingress", "processor", "schemas", "tests/CMakeLists.txt")


# --- the plans


def _offsets(seed: int, chance: random.Random) -> Plan:
    """A processor that dies between the alerts and their offsets tells them again: it dies often, in small batches."""
    kills = [faults.BY_NAME[f"kill processor-{chance.randint(1, 2)}"] for _ in range(12)]
    return Plan(seed, 2400, [Fault(300 + 150 * n, kill, 0, alone=True) for n, kill in enumerate(kills)], ("one", "two"), batch=20)


def _row(seed: int, chance: random.Random) -> Plan:
    """Kafka is away, the spool takes over, and ingress dies with what the drain has in hand."""
    kafka, ingress = faults.BY_NAME["kill kafka"], faults.BY_NAME["kill ingress"]
    return Plan(seed, 4000, [Fault(300, kafka, 3, alone=True), Fault(chance.randint(2300, 3300), ingress, 0, alone=False)], ("one", "two"))


def derive(name: str, seed: int) -> Plan:
    return {"offsets": _offsets, "row": _row}[name](seed, random.Random(f"broken {seed}"))


# --- the builds


def _run(*command: str | Path, cwd: Path) -> None:
    done = subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, f"{' '.join(map(str, command))}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}"


def _copy(tree: Path) -> None:
    """What has changed since the last time, so that only that is built anew."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate", "--", *PARTS],
        cwd=builds.ROOT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        source, copy = builds.ROOT / name, tree / name
        if source.exists() and not (copy.exists() and filecmp.cmp(source, copy, shallow=False)):
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, copy)


def build(name: str) -> Path:
    """The folder of its programs."""
    tree = builds.ROOT / "build" / f"broken-{name}"
    _copy(tree)
    patch = PATCHES / f"{name}.patch"
    done = subprocess.run(["patch", "-p1", "--fuzz=0", "--input", patch], cwd=tree, capture_output=True, text=True)
    assert done.returncode == 0, f"{patch} no longer applies, and has to be made anew:\n{done.stdout}{done.stderr}"
    _run("cmake", "--preset", "dev", "-DDOCHAK_TESTS=OFF", "-DDOCHAK_DASHBOARD=OFF", cwd=tree)
    _run("cmake", "--build", "--preset", "dev", "--target", "dochak-ingress", "dochak-processor", cwd=tree)
    return tree / "build" / "dev" / "bin"
