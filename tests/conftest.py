# SPDX-License-Identifier: MIT
"""Real servers, once per run and only if a test asks for them; per test a dochak of its own. Teardown is a test."""

import os
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import builds, parallel, servers
from support.provider_apis import BizGo, ChannelTalk
from support.servers import Server, running
from support.wait import until
from support.world import World


def pytest_configure(config: pytest.Config) -> None:
    if not parallel.is_worker(config):
        parallel.begin()
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # it ends as on Ctrl-C


def pytest_unconfigure(config: pytest.Config) -> None:
    if not parallel.is_worker(config):
        parallel.end()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item], config: pytest.Config) -> None:
    parallel.arrange(items, config)


def pytest_xdist_make_scheduler(config: pytest.Config, log) -> parallel.GroupScheduling:
    return parallel.GroupScheduling(config, log)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item):
    """Outside of the test's own time limit."""
    builds.run_beside_others(parallel.is_worker(item.config) and not parallel.is_alone(item))
    with parallel.turn(item):
        return (yield)


@pytest.fixture(scope="session")
def run_folder() -> Path:
    """This worker's own."""
    folder = parallel.folder() / os.environ.get("PYTEST_XDIST_WORKER", "main")
    folder.mkdir(0o711)  # Postgres may run as another user
    return folder


@pytest.fixture(scope="session")
def servers_started() -> tuple[Server, Server]:
    return parallel.shared_servers()


@pytest.fixture(scope="session")
def kafka(servers_started: tuple[Server, Server]) -> Server:
    return servers_started[0]


@pytest.fixture(scope="session")
def postgres(servers_started: tuple[Server, Server]) -> Server:
    return servers_started[1]


@pytest.fixture
def between_minutes() -> None:
    """For a test that counts offsets or batches: ingress writes no record of its own while it runs, but at its end."""
    until("a minute has just begun", lambda: 1 < time.time() % 60 < 35, 30)


@pytest.fixture(scope="module")
def own_kafka(run_folder: Path, request: pytest.FixtureRequest) -> Iterator[Server]:
    """A broker that the tests of one module may kill."""
    with running(servers.kafka(run_folder / f"kafka-{request.module.__name__.rsplit('.', 1)[-1]}")) as server:
        yield server


@pytest.fixture(scope="module")
def own_postgres(run_folder: Path, request: pytest.FixtureRequest) -> Iterator[Server]:
    """A database server that the tests of one module may kill."""
    with running(servers.postgres(run_folder / f"postgres-{request.module.__name__.rsplit('.', 1)[-1]}")) as server:
        yield server


class Worlds:
    """Makes worlds for one test, and checks at its end what is true of every test."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.made: list[World] = []

    def new(self, kafka: Server, postgres: Server, migrated: bool = True) -> World:
        world = World(kafka, postgres, Path(tempfile.mkdtemp(dir=self.folder)))
        self.made.append(world)
        world.create_database()
        if migrated:
            world.migrate()
        return world

    def end(self, failed: bool) -> None:
        """A test that failed is not told a second time what its services did: it is shown."""
        faults = []
        for world in self.made:
            faults += world.end()
            if not failed:
                faults += world.faults_of_records()
        for world in self.made:
            if failed or faults:
                world.show()
            world.remove()
        if failed:
            print("\n".join(["also found at the end:", *faults]) if faults else "")
        else:
            assert not faults, "\n".join(faults)


_failed = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo):
    """Tells the teardown of a test's fixtures how the test itself went."""
    report = yield
    if report.when != "teardown":
        item.stash[_failed] = item.stash.get(_failed, False) or report.failed
    return report


@pytest.fixture
def worlds(run_folder: Path, request: pytest.FixtureRequest) -> Iterator[Worlds]:
    made = Worlds(run_folder)
    yield made
    made.end(request.node.stash.get(_failed, True))


@pytest.fixture
def world(worlds: Worlds, kafka: Server, postgres: Server) -> World:
    """Topics and tables of the test's own; nothing runs yet."""
    return worlds.new(kafka, postgres)


@pytest.fixture(scope="module")
def module_worlds(run_folder: Path, request: pytest.FixtureRequest) -> Iterator[Worlds]:
    failed_before = request.session.testsfailed
    made = Worlds(run_folder)
    yield made
    made.end(request.session.testsfailed > failed_before)


@pytest.fixture(scope="module")
def dochak(module_worlds: Worlds, kafka: Server, postgres: Server) -> World:
    """One ingress, one processor, both ready, for the tests of a module that look only at what they have sent themselves."""
    return module_worlds.new(kafka, postgres).start()


@pytest.fixture
def plain_build() -> None:
    if not builds.is_plain():
        pytest.skip("times and memory of a sanitized build say nothing about the product")


# --- what providers' APIs answer


@pytest.fixture
def bizgo() -> Iterator[BizGo]:
    with BizGo().running() as api:
        yield api


@pytest.fixture
def channeltalk() -> Iterator[ChannelTalk]:
    with ChannelTalk().running() as api:
        yield api
