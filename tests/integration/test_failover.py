# SPDX-License-Identifier: MIT
"""Postgres fails over, or may only be read for a while: the processor waits, and nothing that was committed is lost or told twice."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.cluster import PostgresPair, ask, set_everywhere
from support.senders import Senders
from support.servers import Server
from support.service import Service
from support.thirds import check_all, endless_posts, stored
from support.wait import until, until_equal
from support.world import World

pytestmark = pytest.mark.long


@pytest.fixture
def pair(run_folder: Path) -> Iterator[PostgresPair]:
    with PostgresPair(run_folder / "pair") as pair:
        yield pair


@contextmanager
def at_work(world: World, **postgres: str) -> Iterator[Service]:
    """A processor that always has something to do; at the end all of it is done, and rightly."""
    world.new_ingress().start().wait_ready()
    processor = world.new_processor(**postgres).start()
    with Senders(world, endless_posts(), connections=1, again=True) as senders:
        wait_more(world)
        yield processor
        wait_more(world)
    print(f"{len(senders.acked)} receipts")
    check_all(world, sorted(senders.acked))
    processor.wait_ready()


def wait_more(world: World) -> None:
    before = stored(world)
    until("the processor works", lambda: stored(world) > before + 100, 30)


def wait_red(processor: Service) -> None:
    until_equal("the processor is not ready", lambda: processor.get("/readyz").status, 503, 30)


def test_failover_there_and_back_loses_and_doubles_nothing(pair: PostgresPair, worlds, kafka: Server) -> None:
    """The one that was primary comes back as standby, which is asked first and must not be taken for a primary."""
    world = worlds.new(kafka, pair)
    with at_work(world, **pair.settings) as processor:
        for _ in range(2):
            before, refused = stored(world), processor.log_text().count("read-only")
            pair.primary.kill()
            wait_red(processor)
            until("it says why not the standby", lambda: processor.log_text().count("read-only") > refused)
            pair.promote()
            assert stored(world) >= before, "what was committed is gone"
            wait_more(world)
            pair.follow()


@contextmanager
def read_only(server: Server) -> Iterator[None]:
    set_everywhere(server, "default_transaction_read_only", "on")
    try:
        yield
    finally:
        set_everywhere(server, "default_transaction_read_only", "off")


@pytest.mark.parametrize("sessions", ["stay", "end"])
def test_a_server_that_may_only_be_read_is_waited_for(worlds, kafka: Server, own_postgres: Server, sessions: str) -> None:
    world = worlds.new(kafka, own_postgres)
    with at_work(world) as processor:
        with read_only(own_postgres):
            if sessions == "end":
                ask(own_postgres, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'dochak-processor'")
            wait_red(processor)
            until("it says why", lambda: "read-only" in processor.log_text())
