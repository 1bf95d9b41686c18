# SPDX-License-Identifier: MIT
"""Which of our programs the tests run.

DOCHAK_BUILD     dev (the default), asan, tsan, release: a preset, built in build/<preset>/bin
DOCHAK_BIN_DIR   or any folder that holds them
DOCHAK_OLD_BIN_DIR  a folder that holds those of an earlier version, for the tests of an update: program("old-ingress")
DOCHAK_VALGRIND  1: under valgrind
"""

import os
import shutil
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = os.environ.get("DOCHAK_BUILD", "dev")
BIN_DIR = Path(os.environ.get("DOCHAK_BIN_DIR") or ROOT / "build" / BUILD / "bin").absolute()
OLD_BIN_DIR = Path(os.environ.get("DOCHAK_OLD_BIN_DIR") or BIN_DIR)
VALGRIND = os.environ.get("DOCHAK_VALGRIND") == "1"

# Still tells what is done at once (asserted as half a second) from what waits for the ack budget (1.5 s).
BESIDE_OTHERS = 2.5
_beside_others = False

# -q: valgrind writes nothing but what it finds, and whatever stands in stderr fails the test.
WRAPPER = (
    ["valgrind", "-q", "--error-exitcode=99", "--leak-check=full", "--show-leak-kinds=definite", "--errors-for-leak-kinds=definite"]
    if VALGRIND
    else []
)


@cache
def sanitized(path: Path) -> bool:
    return any(mark in path.read_bytes() for mark in (b"__asan_init", b"__tsan_init"))


def is_plain() -> bool:
    """Whether times and memory say something about the product."""
    return not VALGRIND and not sanitized(program("ingress"))


def program(name: str) -> Path:
    old = name.removeprefix("old-")
    path = BIN_DIR / f"dochak-{name}" if old == name else OLD_BIN_DIR / f"dochak-{old}"
    assert path.exists(), f"{path} is not there: cmake --preset {BUILD} && cmake --build --preset {BUILD}"
    return path


def patience() -> float:
    """What deadlines are multiplied with. Tests that run beside each other take the processors from each other."""
    return (20.0 if VALGRIND else 1.0 if is_plain() else 4.0) * (BESIDE_OTHERS if _beside_others else 1.0)


def run_beside_others(yes: bool) -> None:
    """Of the test that begins now. A test that is marked `alone`, or a run without workers, has the machine for itself."""
    global _beside_others
    _beside_others = yes


def base_environment() -> dict[str, str]:
    """The caller's environment without any setting of ours or of Postgres."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("DOCHAK_", "PG"))}
    suppressions = ROOT / "tests" / "support" / "tsan.supp"
    env["ASAN_OPTIONS"] = "detect_leaks=1:strict_string_checks=1:abort_on_error=0:exitcode=98"
    env["UBSAN_OPTIONS"] = "print_stacktrace=1"
    env["TSAN_OPTIONS"] = "exitcode=97" + (f":suppressions={suppressions}" if suppressions.exists() else "")
    return env


def tool(name: str) -> str:
    path = shutil.which(name)
    assert path, f"{name} is not installed"
    return path
