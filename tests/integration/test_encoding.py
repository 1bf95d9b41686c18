# SPDX-License-Identifier: MIT
"""A database whose encoding is not UTF8 cannot hold every report, so it is refused before any is read."""

import pytest

from support.service import run_once
from support.wait import until
from support.world import World

ENCODINGS = ["SQL_ASCII", "EUC_KR", "LATIN1"]


def other_database(world: World, encoding: str) -> str:
    return world.another_database(f"ENCODING '{encoding}' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")


def says_what_to_do(text: str, database: str, encoding: str) -> bool:
    return f"the database {database} has the encoding {encoding} and needs UTF8" in text and "CREATE DATABASE" in text


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_migrate_refuses_a_database_of_another_encoding_and_changes_nothing(world: World, encoding: str) -> None:
    name = other_database(world, encoding)
    done = run_once("processor", world.owner_env(PGDATABASE=name), "migrate")
    assert done.returncode == 1 and says_what_to_do(done.stderr, name, encoding), done
    with world.connect(name) as connection:
        assert connection.execute("SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace").fetchall() == []


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_processor_waits_at_a_database_of_another_encoding_and_says_why(world: World, encoding: str) -> None:
    name = other_database(world, encoding)
    processor = world.new_processor(PGDATABASE=name).start()
    until("it says so", lambda: says_what_to_do(processor.log_text(), name, encoding))
    assert processor.get("/readyz").status == 503 and processor.get("/livez").status == 200
