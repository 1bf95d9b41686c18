# SPDX-License-Identifier: MIT
"""Asking a command of ./dev for help prints its usage at once, in a checkout where nothing is installed and nothing is built."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from support import builds

COMMANDS = sorted(set(re.findall(r"^  \./dev (\w+)", (builds.ROOT / "dev").read_text("utf-8"), re.MULTILINE)))
# Programs that install, download, build or ask a server.
FORBIDDEN = ("apt-get", "sudo", "pip", "mvn", "curl", "cmake", "ninja", "ctest", "psql", "kcat", "clang-format")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what is in git, without build/ and .cache/."""
    root = tmp_path_factory.mktemp("dev") / "checkout"
    listed = subprocess.run(["git", "ls-files", "-z", "dev", "scripts", "bench", "tests"], cwd=builds.ROOT, capture_output=True, check=True)
    for name in filter(None, listed.stdout.decode().split("\0")):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(builds.ROOT / name, root / name)
    stubs = root.parent / "stubs"
    stubs.mkdir()
    for program in FORBIDDEN:
        (stubs / program).write_text(f'#!/bin/sh\necho "$0 $*" >>{root.parent}/called\nexit 1\n')
        (stubs / program).chmod(0o755)
    return root


def files(root: Path) -> set[Path]:
    return set(root.rglob("*"))


def ask(checkout: Path, *arguments: str) -> str:
    """What is printed. Neither a forbidden program was called nor a file written."""
    before = files(checkout.parent)
    env = {**os.environ, "PATH": f"{checkout.parent}/stubs:{os.environ['PATH']}", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([checkout / "dev", *arguments], env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20)
    assert (done.returncode, done.stderr) == (0, ""), done
    assert files(checkout.parent) == before
    return done.stdout


def test_there_are_commands() -> None:
    assert {"up", "test", "chaos", "bench", "processor", "psql"} <= set(COMMANDS)


@pytest.mark.parametrize("flag", ["-h", "--help"])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_prints_its_usage(checkout: Path, command: str, flag: str) -> None:
    assert ask(checkout, command, flag).startswith(f"  ./dev {command} ")


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ("chaos --seed 3 --help", "--receipts"),
        ("bench ingress --help", "durable acks"),
        ("processor replay --help", "is not built yet"),
        ("explain --provider bizgo --help", "is not built yet"),
        ("test -k nothing --help", "./dev test quick"),
        ("down --wipe --help", "removes the data"),
    ],
)
def test_also_behind_other_arguments(checkout: Path, arguments: str, part: str) -> None:
    assert part in ask(checkout, *arguments.split())


def test_a_host_is_not_a_question_for_help() -> None:
    """psql -h HOST."""
    script = 'source scripts/lib.sh; asks_for_help psql -h localhost || echo no'
    assert subprocess.run(["bash", "-c", script], cwd=builds.ROOT, capture_output=True, text=True, check=True).stdout == "no\n"
