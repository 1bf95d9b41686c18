# SPDX-License-Identifier: MIT
"""What tests need of other languages: a folder of ours is copied into .cache and built there, once. If a file of it changes, another copy is
made. A tool that this machine lacks is a reason to skip."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from support import builds, parallel

CACHE = builds.ROOT / ".cache"
MADE = ("node_modules", "target", "__pycache__")  # by somebody who has tried it where it is


def need(*programs: str) -> None:
    for program in programs:
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed")


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and not set(MADE) & set(path.relative_to(folder).parts))


def _checksum(folder: Path, command: tuple[str, ...]) -> str:
    parts = [str(command).encode()]
    for path in _files(folder):
        parts += [str(path.relative_to(folder)).encode(), path.read_bytes()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:12]


def built(folder: str, *command: str) -> Path:
    """The copy of a folder of the repository in which the command was run with success."""
    source = builds.ROOT / folder
    copy = CACHE / f"{folder.replace('/', '-')}-{_checksum(source, command)}"
    CACHE.mkdir(exist_ok=True)
    with parallel.locked(CACHE / f"{copy.name}.lock"):
        if not (copy / "complete").exists():
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(source, copy, ignore=shutil.ignore_patterns(*MADE))
            done = subprocess.run(command, cwd=copy, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=460, env=os.environ)
            assert done.returncode == 0, f"{command} in {copy}:\n{done.stdout}{done.stderr}"
            (copy / "complete").touch()
    return copy


def npm(folder: str) -> Path:
    """With the packages of its lock file."""
    need("node", "npm")
    return built(folder, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")


def maven(folder: str) -> Path:
    """The jar of a Spring Boot application."""
    need("mvn", "javac")
    return built(folder, "mvn", "-B", "-q", "-C", "package") / "target" / "app.jar"


def go(folder: str) -> Path:
    """The program."""
    need("go")
    return built(folder, "go", "build", "-o", "program", ".") / "program"


if __name__ == "__main__":  # before the tests, whose deadlines a slow registry would not keep
    for folder in ("tests/contract/tools", "examples/alert-consumers/node"):
        npm(folder)
