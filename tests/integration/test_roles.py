# SPDX-License-Identifier: MIT
"""An owner that migrates, and a runtime role that reads and writes rows and cannot change what they are. (All other tests run their
services as that role.)"""

import psycopg
import pytest

from support import payloads
from support.replays import replay
from support.service import run_once
from support.world import OWNER, RUNTIME_ROLE, World

TABLES = (
    "notification", "receipt", "acceptance", "alert", "quarantine", "quarantine_alert", "delivery_minute", "code_minute", "applied",
    "endpoint_minute", "incident", "provider_hour", "endpoint_hour", "rhythm", "contact", "ask_run", "ask_question", "watch_look",
)  # fmt: skip
ROWS = {"SELECT", "INSERT", "UPDATE", "DELETE"}


def test_the_services_are_the_runtime_role(dochak: World) -> None:
    id_ = payloads.new_id()
    dochak.bizgo(payloads.bizgo(id_, "10000"))
    dochak.wait_row("bizgo", id_, status="SENT")
    users = dochak.sql(
        "SELECT DISTINCT usename FROM pg_stat_activity WHERE application_name = 'dochak-processor' AND datname = current_database()"
    )
    assert users == [{"usename": RUNTIME_ROLE}]


@pytest.mark.parametrize(
    "statement",
    [
        *(
            statement.format(table)
            for table in (*TABLES, "schema_migration")
            for statement in (
                "ALTER TABLE {} ADD COLUMN more text",
                "ALTER TABLE {} DISABLE TRIGGER ALL",
                "DROP TABLE {}",
                "TRUNCATE {}",
                "COMMENT ON TABLE {} IS 'mine'",
                "CREATE INDEX ON {} ((1))",
                "GRANT SELECT ON {} TO PUBLIC",
            )
        ),
        "CREATE TABLE more (id integer)",
        "CREATE SCHEMA more",
        "CREATE FUNCTION more() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "CREATE ROLE more",
        "INSERT INTO schema_migration (version, name) VALUES (999, 'mine')",
        "UPDATE schema_migration SET bears = 999",
        "DELETE FROM schema_migration",
    ],
)
def test_the_runtime_role_cannot(dochak: World, statement: str) -> None:
    with dochak.connect(user=RUNTIME_ROLE) as connection:
        before = dochak.sql("SELECT * FROM schema_migration")
        if statement.startswith("GRANT"):  # without the right to grant it is no more than a warning
            connection.execute(statement)
            assert (
                dochak.sql("SELECT 1 FROM information_schema.role_table_grants WHERE grantee = 'PUBLIC' AND table_schema = 'public'") == []
            )
        else:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
        assert dochak.sql("SELECT * FROM schema_migration") == before


def test_the_runtime_role_has_what_it_needs_and_no_more(dochak: World) -> None:
    rows = dochak.sql("SELECT table_name, privilege_type FROM information_schema.role_table_grants WHERE grantee = %s", RUNTIME_ROLE)
    granted = {(row["table_name"], row["privilege_type"]) for row in rows}
    assert granted == {(table, right) for table in TABLES for right in ROWS} | {("schema_migration", "SELECT")}


def test_a_replay_needs_no_temporary_tables(world: World) -> None:
    """Which Postgres lets everybody make who may connect, unless somebody forbids it."""
    world.sql(f'REVOKE TEMPORARY ON DATABASE "{world.name}" FROM PUBLIC')
    world.migrate()
    assert world.sql("SELECT has_database_privilege(%s, current_database(), 'TEMPORARY') AS may", RUNTIME_ROLE) == [{"may": False}]
    world.start()
    world.bizgo(payloads.bizgo("x", "64008"))
    world.settle()
    assert "1 notifications read (1 receipts, 0 acceptances); 0 notifications corrected" in replay(world).stdout


def test_a_role_that_is_not_there_is_named(world: World) -> None:
    done = run_once("processor", world.owner_env(DOCHAK_RUNTIME_ROLE="no one"), "migrate")
    assert done.returncode == 1 and "DOCHAK_RUNTIME_ROLE: there is no role no one" in done.stderr, done


def test_a_role_that_could_change_tables_is_no_runtime_role(world: World) -> None:
    done = run_once("processor", world.owner_env(DOCHAK_RUNTIME_ROLE=OWNER), "migrate")
    assert done.returncode == 1 and "may change tables" in done.stderr, done
    world.sql(f"GRANT CREATE ON SCHEMA public TO {RUNTIME_ROLE}")
    done = run_once("processor", world.owner_env(), "migrate")
    assert done.returncode == 1 and "may change tables" in done.stderr, done


def test_the_runtime_role_cannot_migrate(worlds, kafka, postgres) -> None:
    world = worlds.new(kafka, postgres, migrated=False)
    done = run_once("processor", world.env(), "migrate")
    assert done.returncode == 1 and "permission denied" in done.stderr, done
    world.migrate()


def test_without_a_runtime_role_the_owner_does_all(worlds, kafka, postgres) -> None:
    world = worlds.new(kafka, postgres, migrated=False)
    done = run_once("processor", world.owner_env(DOCHAK_RUNTIME_ROLE=""), "migrate")
    assert done.returncode == 0, done
    assert world.sql("SELECT 1 FROM information_schema.role_table_grants WHERE grantee = %s", RUNTIME_ROLE) == []
    world.new_processor(PGUSER=OWNER).start().wait_ready()
