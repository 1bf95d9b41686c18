# SPDX-License-Identifier: MIT
"""A test run that is interrupted ends what it has started, in each of its workers."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support import builds, parallel
from support.wait import until

pytestmark = pytest.mark.long

MANY_SECONDS = "test_processor_stays_small_under_a_backlog"


def hear_interrupts() -> None:
    """A run in the background of a shell inherits that ^C is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[subprocess.Popen]:
    """Another run with two workers, in a process group of its own."""
    ours = (parallel.FOLDER, "PYTEST_", "TMPDIR")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)} | {"TMPDIR": str(tmp_path)}
    with (tmp_path / "output").open("wb") as output:
        command = [sys.executable, "-m", "pytest", builds.ROOT / "tests", "-n", "2", "-k", MANY_SECONDS, "-p", "no:cacheprovider"]
        process = subprocess.Popen(
            command, cwd=builds.ROOT, stdout=output, stderr=output, env=environment, start_new_session=True, preexec_fn=hear_interrupts
        )
    yield process
    if process.poll() is None:
        process.terminate()
        process.wait(60)


@pytest.mark.parametrize("interrupt", [lambda pid: os.killpg(pid, signal.SIGINT), lambda pid: os.kill(pid, signal.SIGTERM)], ids=["^C", "TERM"])
def test_a_run_that_is_interrupted_leaves_nothing(run: subprocess.Popen, tmp_path: Path, interrupt: Callable[[int], None]) -> None:
    folder = until("it has a folder", lambda: next(tmp_path.glob("dochak-it-*"), None), 60)
    until("its services run", lambda: "dochak-ingress" in parallel.processes_of(folder).values(), 200)
    postgres = next(int((path / "pid").read_text().split()[0]) for path in parallel.folders_with("pid", folder) if path.name == "postgres")
    interrupt(run.pid)
    run.wait(60)
    output = (tmp_path / "output").read_text()
    assert run.returncode == pytest.ExitCode.INTERRUPTED, output
    assert parallel.processes_of(folder) == {} and not Path(f"/proc/{postgres}/exe").exists(), output
    assert not folder.exists()
