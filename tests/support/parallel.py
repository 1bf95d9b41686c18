# SPDX-License-Identifier: MIT
"""How the workers of one run share a machine: one Kafka, one Postgres, the order of the tests, and what may run beside what.

pytest-xdist (`-n N`) starts the workers. The run has a folder; its path is in the environment of the workers, the servers and the
services, so that the controller can end whatever a worker that was killed has left behind. Without `-n` the one process is both.

A group is run by one worker, one test after the other. Tests that share a fixture of their module are a group, because each worker
would set up that fixture for itself. Tests that start no service are quick: those of a module are a group. Every other test is a
group of its own.
"""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import cached_property
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

from support import servers
from support.servers import Server
from support.wait import until

FOLDER = "TEST_RUN_FOLDER"  # not DOCHAK_…: the services get it, too
GROUPS = "groups.json"  # of each test, in the folder of the run
ALONE = "alone"  # a marker, and the group of those that have it
WORLDS = {"world", "worlds"}  # fixtures that start services for each test


# --- the run


def is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def begin() -> None:
    """Makes the folder of the run. Called once, before any worker is started."""
    made = Path(tempfile.mkdtemp(prefix="dochak-it-"))
    made.chmod(0o711)  # Postgres may run as another user
    os.environ[FOLDER] = str(made)


def folder() -> Path:
    return Path(os.environ[FOLDER])


def end() -> None:
    """Ends what the run has started and still runs, by process id, and removes the folder. Called once, when no worker runs."""
    for kind, path in _servers():
        Server(kind, path).wipe()
    for disk in _disks():
        subprocess.run(["umount", "-l", disk], check=True)
    for pid in processes_of(folder()):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    until("what the run has started has ended", lambda: not processes_of(folder()))
    shutil.rmtree(folder(), ignore_errors=True)


def _servers() -> list[tuple[str, Path]]:
    """Kind and folder of those that were not wiped. The launchers keep the process id there."""
    return [("kafka" if (path / "server.properties").exists() else "postgres", path) for path in folders_with("pid", folder())]


def folders_with(name: str, folder: Path) -> list[Path]:
    """The servers may run and remove folders meanwhile, which Path.rglob() fails on."""
    return [Path(path) for path, _, files in os.walk(folder) if name in files]


def _disks() -> list[str]:
    mounted = (line.split()[1] for line in Path("/proc/mounts").read_text().splitlines())
    return [path for path in mounted if path.startswith(f"{folder()}/")]


def processes_of(folder: Path) -> dict[int, str]:
    """Names of those that have the run's folder in their environment, but for this one. A zombie has no environment, nor has Postgres."""
    mark = f"{FOLDER}={folder}".encode()
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if int(process.name) != os.getpid() and mark in (process / "environ").read_bytes().split(b"\0"):
                found[int(process.name)] = (process / "comm").read_text().strip()
    return found


# --- what all workers share


@contextmanager
def locked(path: Path, how: int = fcntl.LOCK_EX) -> Iterator[None]:
    with path.open("a") as file:
        fcntl.flock(file, how)
        yield


def shared_servers() -> tuple[Server, Server]:
    """Kafka and Postgres of the run. The first worker that asks starts them, both at once; end() stops them."""
    kafka, postgres = servers.kafka(folder() / "kafka"), servers.postgres(folder() / "postgres")
    with locked(folder() / "servers.lock"):
        kafka.begin()
        postgres.begin()
        kafka.wait()
        postgres.wait()
    return kafka, postgres


def reserve_port(number: int) -> bool:
    """Whether it is the caller's for the rest of the run. Nobody listens on it yet, so binding to it would not tell two workers apart."""
    ports = folder() / "ports"
    ports.mkdir(exist_ok=True)
    try:
        (ports / str(number)).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def turn(item: pytest.Item) -> AbstractContextManager[None]:
    """A test marked `alone` holds the machine for itself; any number of others run at the same time."""
    return locked(folder() / "alone.lock", fcntl.LOCK_EX if is_alone(item) else fcntl.LOCK_SH)


def is_alone(item: pytest.Item) -> bool:
    return item.get_closest_marker(ALONE) is not None


# --- groups and their order


def arrange(items: list[pytest.Item], config: pytest.Config) -> None:
    """Puts the groups with a long test first: what begins last should be short. Those that run alone come last."""
    groups = {item.nodeid: group_of(item) for item in items}
    long_ = {groups[item.nodeid] for item in items if item.get_closest_marker("long")}
    items.sort(key=lambda item: (groups[item.nodeid] == ALONE, groups[item.nodeid] not in long_))  # stable
    if is_worker(config):
        _say_groups(groups)


def _say_groups(groups: dict[str, str]) -> None:
    """To the controller, which does not collect tests. All workers say the same."""
    with tempfile.NamedTemporaryFile("w", dir=folder(), delete=False) as file:
        json.dump(groups, file)
    Path(file.name).rename(folder() / GROUPS)


def group_of(item: pytest.Item) -> str:
    if is_alone(item):
        return ALONE
    module = item.path.stem
    if shared := _shared_fixtures(item):
        return f"{module}:{'+'.join(shared)}"
    return item.nodeid if WORLDS & set(item.fixturenames) else module


def _shared_fixtures(item: pytest.Item) -> list[str]:
    """Those of a module's scope."""
    definitions = item._fixtureinfo.name2fixturedefs
    return sorted(name for name, found in definitions.items() if any(one.scope == "module" for one in found))


class GroupScheduling(LoadScopeScheduling):
    """Hands out groups in the order of collection. Not xdist's own `loadgroup`, whose names do not reach it under pytest 9."""

    def __init__(self, config: pytest.Config, log: Producer):
        super().__init__(config, log)
        config.option.loadscopereorder = False

    @cached_property
    def _groups(self) -> dict[str, str]:
        return json.loads((folder() / GROUPS).read_text())

    def _split_scope(self, nodeid: str) -> str:
        return self._groups[nodeid]

    def _reschedule(self, node: WorkerController) -> None:
        """A worker has the test it runs and the next one, no more: a third would wait there while others are idle."""
        if node.shutting_down:
            return
        if not self.workqueue:
            node.shutdown()
        elif self._pending_of(self.assigned_work[node]) < 2:
            self._assign_work_unit(node)
