# SPDX-License-Identifier: MIT
"""A pooler between us and Postgres: one that leaves each session its own server connection is as good as none, any other one is refused."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from support import payloads
from support.pooler import Pooler
from support.service import run_once
from support.wait import until
from support.world import OWNER, World

SHARING = {
    "transaction": ("transaction", ""),
    "transaction, one connection after the other": ("transaction", "server_round_robin = 1\nmin_pool_size = 3"),
    "transaction, with a single connection": ("transaction", "default_pool_size = 1"),
    "statement": ("statement", ""),
}
REFUSAL = "shares server connections between sessions, which would lose their locks and settings: set its pool_mode to session"


@contextmanager
def busy(world: World, pooler: Pooler) -> Iterator[None]:
    """Others use the pool meanwhile."""
    over = threading.Event()

    def use() -> None:
        with suppress(psycopg.Error), psycopg.connect(f"host=127.0.0.1 port={pooler.port} user={OWNER} dbname={world.name}") as connection:
            connection.autocommit = True
            while not over.is_set():
                connection.execute("SELECT pg_sleep(0.001)")

    others = [threading.Thread(target=use) for _ in range(3)]
    for other in others:
        other.start()
    yield
    over.set()
    for other in others:
        other.join()


@pytest.mark.parametrize("name", SHARING)
def test_migrate_refuses_a_pooler_that_shares_connections(world: World, run_folder: Path, name: str) -> None:
    with Pooler(run_folder, world.postgres, *SHARING[name]) as pooler:
        done = run_once("processor", world.owner_env(PGPORT=str(pooler.port)), "migrate")
        assert done.returncode == 1 and f"the pooler at 127.0.0.1:{pooler.port} {REFUSAL}" in done.stderr, done


def test_a_pooler_that_shares_connections_is_found_out_while_others_use_it(world: World, run_folder: Path) -> None:
    with Pooler(run_folder, world.postgres, "transaction") as pooler, busy(world, pooler):
        for _ in range(10):
            done = run_once("processor", world.owner_env(PGPORT=str(pooler.port)), "migrate")
            assert done.returncode == 1 and REFUSAL in done.stderr, done


@pytest.mark.parametrize("name", SHARING)
def test_a_processor_waits_at_a_pooler_that_shares_connections(world: World, run_folder: Path, name: str) -> None:
    with Pooler(run_folder, world.postgres, *SHARING[name]) as pooler:
        processor = world.new_processor(PGPORT=str(pooler.port)).start()
        until("it says so", lambda: REFUSAL in processor.log_text())
        assert processor.get("/readyz").status == 503 and processor.get("/livez").status == 200
        processor.stop()


def test_a_pooler_that_leaves_each_session_its_own_connection_is_as_good_as_none(world: World, run_folder: Path) -> None:
    with Pooler(run_folder, world.postgres, "session") as pooler:
        assert "0 migrations applied" in run_once("processor", world.owner_env(PGPORT=str(pooler.port)), "migrate").stdout
        world.new_ingress().start().wait_ready()
        processor = world.new_processor(PGPORT=str(pooler.port)).start().wait_ready()
        world.bizgo(payloads.bizgo("x", "64008"))
        world.wait_row("bizgo", "x", status="DEAD_LETTER")
        world.settle()
        processor.stop()
