# SPDX-License-Identifier: MIT
"""How the schema grows: each migration once, by however many at once; beside running processors, of this version and the next."""

import signal
import subprocess
import time
from contextlib import contextmanager

import pytest

from support import builds, payloads
from support.service import Service, run_once
from support.wait import until
from support.world import OWNER, World

LOCK = "pg_advisory_lock(x'646f6368'::integer, 0)"  # processor/postgres/migration_lock.sql
OURS = sorted(path.name for path in (builds.ROOT / "schemas" / "postgres").glob("*.sql"))


@pytest.fixture
def bare(worlds, kafka, postgres) -> World:
    """Nothing was migrated here."""
    return worlds.new(kafka, postgres, migrated=False)


def begin_migrate(world: World, program: str = "processor") -> subprocess.Popen:
    command = [*builds.WRAPPER, builds.program(program), "migrate"]
    return subprocess.Popen(command, env=world.owner_env(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def end(process: subprocess.Popen) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=60 * builds.patience())
    return process.returncode, out, err


def applied(world: World) -> list[str]:
    return [row["name"] for row in world.sql("SELECT name FROM schema_migration ORDER BY version")]


def tables(world: World) -> set[str]:
    return {
        row["relname"] for row in world.sql("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
    }


def columns(world: World, table: str) -> set[str]:
    return {row["column_name"] for row in world.sql("SELECT column_name FROM information_schema.columns WHERE table_name = %s", table)}


@contextmanager
def transaction(world: World, statement: str):
    """Somebody who holds what the statement took, until it is over; his process number."""
    with world.connect() as connection, connection.transaction():
        connection.execute(statement)
        yield connection.info.backend_pid


# --- once each


def test_migrate_again_does_nothing(bare: World) -> None:
    first = bare.migrate()
    for name in OURS:
        assert f"postgres: {name} applied\n" in first
    assert f"postgres: {len(OURS)} migrations applied\n" in first and "kafka: 3 topics created\n" in first
    for _ in range(2):
        again = bare.migrate()
        assert "postgres: 0 migrations applied\n" in again and "kafka: 0 topics created\n" in again


def test_a_first_migrate_leaves_no_error_in_the_log_of_postgres(bare: World) -> None:
    """A statement that fails is rolled back, and counted."""
    bare.migrate()
    seen = "SELECT xact_commit AS good, xact_rollback AS failed FROM pg_stat_database WHERE datname = current_database()"
    counted = until("its statements are counted", lambda: [row for row in bare.sql(seen) if row["good"] > len(OURS)])
    assert counted[0]["failed"] == 0


def check_five_at_once(world: World, program: str, missing: list[str]) -> None:
    ended = [end(process) for process in [begin_migrate(world, program) for _ in range(5)]]
    assert [(code, err) for code, _, err in ended] == [(0, "")] * 5, ended
    for name in missing:
        assert sum(f"postgres: {name} applied\n" in out for _, out, _ in ended) == 1, ended
    said = sorted(line for _, out, _ in ended for line in out.splitlines() if "migration" in line and "waits" not in line)
    assert said == sorted(["postgres: 0 migrations applied"] * 4 + [f"postgres: {len(missing)} migration{'s'[: len(missing) > 1]} applied"])
    assert len(applied(world)) == len(set(applied(world)))


def test_five_at_once_on_an_empty_database_apply_each_migration_once(bare: World) -> None:
    check_five_at_once(bare, "processor", OURS)
    assert applied(bare) == OURS
    bare.start()
    bare.bizgo(payloads.bizgo("x", "10000"))
    bare.wait_row("bizgo", "x", status="SENT")


def test_five_at_once_where_only_the_last_is_missing_apply_it_once(world: World) -> None:
    check_five_at_once(world, "processor-next", ["0900_next.sql"])
    assert applied(world) == [*OURS, "0900_next.sql"]


def test_a_database_of_the_first_program_is_brought_up_to_date(bare: World) -> None:
    """Its table of migrations knew neither checksums nor the oldest program. Somebody who reads that is waited for."""
    world = bare
    first = builds.ROOT / "schemas" / "postgres" / OURS[0]
    world.sql(first.read_text("utf-8"))
    world.sql("CREATE TABLE schema_migration (version integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())")
    world.sql(f"INSERT INTO schema_migration VALUES (1, '{OURS[0]}')")
    processor = world.new_processor().start()
    until("it says what to run", lambda: "dochak-processor migrate" in processor.log_text())
    with transaction(world, "LOCK TABLE schema_migration IN ACCESS SHARE MODE"):
        migrate = begin_migrate(world)
        assert "waits for tables that others use: process" in migrate.stdout.readline()
    assert end(migrate)[0::2] == (0, "")
    processor.wait_ready(30)
    assert applied(world) == OURS
    assert world.sql("SELECT bears FROM schema_migration WHERE version = 1 AND checksum IS NULL") == [{"bears": 1}]


# --- or not at all


def test_a_first_migration_that_fails_midway_leaves_nothing_and_says_which_and_why(bare: World) -> None:
    bare.sql("CREATE TABLE alert (mine integer)")
    done = run_once("processor", bare.owner_env(), "migrate")
    assert done.returncode == 1 and "0001_notifications.sql: " in done.stderr and '"alert" already exists' in done.stderr, done
    assert tables(bare) == {"alert", "schema_migration"} and applied(bare) == []
    bare.sql("DROP TABLE alert")
    bare.migrate()


def test_a_later_migration_that_fails_midway_leaves_what_was_there(world: World) -> None:
    before = tables(world), columns(world, "notification"), applied(world)
    done = run_once("processor-broken", world.owner_env(), "migrate")
    assert done.returncode == 1 and "0902_broken.sql: " in done.stderr and "nobody_has_this" in done.stderr, done
    assert (tables(world), columns(world, "notification"), applied(world)) == before
    world.start()


def test_a_migration_that_was_changed_after_it_was_applied_is_refused(world: World) -> None:
    world.sql("UPDATE schema_migration SET checksum = 'of another file' WHERE version = 1")
    done = run_once("processor-next", world.owner_env(), "migrate")
    assert done.returncode == 1 and "0001_notifications.sql is not what was applied here" in done.stderr, done
    assert applied(world) == OURS


# --- waiting


def test_who_holds_the_lock_is_told_after_two_seconds(world: World) -> None:
    with transaction(world, f"SELECT {LOCK}") as holder:
        began = time.monotonic()
        process = begin_migrate(world)
        line = process.stdout.readline()
        waited = time.monotonic() - began
        assert "waits for another migrate" in line and f"process {holder} " in line and OWNER in line, line
        assert 1.9 < waited < 6 * builds.patience()
    # A lock of the session, which the end of the transaction has not let go; the end of the session has.
    code, out, err = end(process)
    assert (code, err) == (0, "") and "0 migrations applied" in out


def test_migrate_that_waits_can_be_stopped(world: World) -> None:
    with transaction(world, f"SELECT {LOCK}"):
        process = begin_migrate(world)
        process.stdout.readline()
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        code, _, err = end(process)
        assert code == 1 and "stopped" in err and "\n" not in err.rstrip("\n"), err
        assert time.monotonic() - began < 2 * builds.patience()


def test_a_migration_that_waits_for_a_table_does_not_stop_the_processors(world: World) -> None:
    world.start()
    world.sql("SET statement_timeout = '15s'")  # else this test's own look at the row would hang behind such a migration
    slowest = 0.0
    with transaction(world, "SELECT count(*) FROM notification") as reader:
        process = begin_migrate(world, "processor-next")  # ALTER TABLE notification: waits for the reader, and all others behind it
        for number in range(20):
            began = time.monotonic()
            world.bizgo(payloads.bizgo(f"m-{number}", "10000"))
            world.wait_row("bizgo", f"m-{number}", status="SENT")
            slowest = max(slowest, time.monotonic() - began)
        line = process.stdout.readline()
        assert "0900_next.sql: waits for tables that others use" in line and f"process {reader} " in line, line
        assert applied(world) == OURS
    code, out, err = end(process)
    assert (code, err) == (0, "") and "0900_next.sql applied" in out
    print(f"slowest while a migration waited: {slowest:.2f} s")
    assert slowest < 2 * builds.patience()


CHECKS = """
SELECT conrelid::regclass::text AS table, conname AS name, pg_get_constraintdef(oid) AS is
FROM pg_constraint WHERE contype = 'c' AND connamespace = 'public'::regnamespace ORDER BY 1, 2
"""


def test_a_check_grows_without_a_scan(world: World) -> None:
    """Each that there is, by the recipe of CONTRIBUTING.md; only its last step reads the table."""
    checks = world.sql(CHECKS)
    assert checks
    for check in checks:
        table, name = check["table"], check["name"]
        with world.connect() as connection:
            scans = f"SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relname = '{table}'"
            with connection.transaction():
                connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}, ADD CONSTRAINT {name} {check['is']} NOT VALID")
                assert connection.execute(scans).fetchone()["seq_scan"] == 0
            with connection.transaction():
                connection.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")
                assert connection.execute(scans).fetchone()["seq_scan"] == 1
    assert world.sql(CHECKS) == checks


# --- an index, built while others write

INDEX = "notification_channel"  # tests/support/migrations
BUILT = f"0903_{INDEX}.sql"
OPEN = "INSERT INTO notification (provider, notification_id, status, first_seen_at, version) VALUES ('blux', 'open', 'PENDING', now(), 1)"


def index(world: World) -> dict | None:
    """The index, and whether Postgres has built it to its end."""
    rows = world.sql("SELECT indexrelid AS id, indisvalid AS valid FROM pg_index JOIN pg_class ON oid = indexrelid WHERE relname = %s", INDEX)
    return rows[0] if rows else None


def assert_built(world: World, process: subprocess.Popen) -> None:
    code, out, err = end(process)
    assert (code, err) == (0, "") and f"postgres: {BUILT} applied\n" in out, (code, out, err)
    assert index(world)["valid"] and applied(world) == [*OURS, BUILT]
    assert world.sql("SELECT obj_description(%s::regclass) AS text", INDEX) == [{"text": "Of the next version."}]


def begin_build(world: World, waits_for: int) -> subprocess.Popen:
    """A migrate that has begun to build the index and waits for the transaction of that process."""
    process = begin_migrate(world, "processor-index")
    line = process.stdout.readline()
    assert f"{BUILT}: builds its index while others write: waiting for writers before build" in line, line
    assert f"waits for process {waits_for} " in line and index(world)["valid"] is False, line
    return process


def test_all_write_on_while_an_index_is_built(world: World) -> None:
    world.start()
    world.sql("SET statement_timeout = '15s'")
    slowest = 0.0
    with transaction(world, OPEN) as writer:
        process = begin_build(world, writer)
        for number in range(20):
            began = time.monotonic()
            world.bizgo(payloads.bizgo(f"m-{number}", "10000"))
            world.wait_row("bizgo", f"m-{number}", status="SENT")
            slowest = max(slowest, time.monotonic() - began)
        world.sql(OPEN.replace("'open'", "'another'"))
        assert applied(world) == OURS and process.poll() is None
    assert_built(world, process)
    print(f"slowest while an index was built: {slowest:.2f} s")
    assert slowest < 2 * builds.patience()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_an_index_that_was_left_half_built_is_built_anew(world: World, how: signal.Signals) -> None:
    with transaction(world, OPEN) as writer:
        process = begin_build(world, writer)
        process.send_signal(how)
        code, _, err = end(process)
        assert (code, err) == (-how, "") or (code == 1 and f"{BUILT}: stopped" in err), (code, err)
        half = index(world)
        again = begin_migrate(world, "processor-index")
        until("it drops the half", lambda: "dropping what an earlier attempt has left; waits for process" in again.stdout.readline())
        assert index(world) in (half, None) and applied(world) == OURS
    assert_built(world, again)
    assert index(world)["id"] != half["id"]


def test_an_index_that_was_built_but_not_recorded_is_only_recorded(world: World) -> None:
    assert_built(world, begin_migrate(world, "processor-index"))
    built = index(world)
    world.sql("DELETE FROM schema_migration WHERE name = %s", BUILT)
    assert_built(world, begin_migrate(world, "processor-index"))
    assert index(world) == built


def test_two_at_once_do_not_wait_for_each_other_when_an_index_is_built(world: World) -> None:
    with transaction(world, OPEN) as writer:
        first = begin_build(world, writer)
        second = begin_migrate(world, "processor-index")
        assert "waits for another migrate" in second.stdout.readline()
    assert_built(world, first)
    code, out, err = end(second)
    assert (code, err) == (0, "") and "postgres: 0 migrations applied\n" in out


def test_five_at_once_build_an_index_once(world: World) -> None:
    check_five_at_once(world, "processor-index", [BUILT])


# --- two versions side by side


def assigned(processor: Service) -> int:
    """Partitions that its workers have by now."""
    latest = {
        line["worker"]: line["partitions"] if line["message"].endswith("assigned") else 0 for line in processor.log_lines("^partitions ")
    }
    return sum(latest.values())


def test_this_version_and_the_next_work_side_by_side_in_one_group(world: World) -> None:
    old = world.start().services[-1]
    assert "0900_next.sql applied" in world.migrate("processor-next")
    new = world.new_processor("processor-next").start().wait_ready()
    until("both have partitions", lambda: assigned(old) > 0 and assigned(new) > 0, 30)
    ids = [f"m-{number:03}" for number in range(120)]
    for id_ in ids:
        world.blux(payloads.blux_event(id_, delivered=id_ not in ids[::3]))
    world.settle()
    assert world.statuses() == {id_: "DEAD_LETTER" if id_ in ids[::3] else "SENT" for id_ in ids}
    assert sorted(alert.header("ce_subject") for alert in world.notification_alerts()) == ids[::3]
    for processor in (old, new):
        assert sum(n for name, n in processor.metrics().items() if name.startswith("dochak_processor_records_total")) > 0
    old.stop()  # one that starts anew finds a schema newer than itself, and works
    old.start().wait_ready()
    world.migrate()
    world.bizgo(payloads.bizgo("after", "10000"))
    world.wait_row("bizgo", "after", status="SENT")


def test_a_migration_waits_for_the_last_program_that_is_too_old_for_it(world: World) -> None:
    world.migrate("processor-next")
    old = world.start().services[-1]
    process = begin_migrate(world, "processor-contract")
    line = process.stdout.readline()
    assert "0901_contract.sql: waits until programs that are too old for it have ended" in line and "process " in line, line
    world.bizgo(payloads.bizgo("meanwhile", "10000"))
    world.wait_row("bizgo", "meanwhile", status="SENT")
    assert "next_note" in columns(world, "notification")
    old.stop()
    code, out, err = end(process)
    assert (code, err) == (0, "") and "0901_contract.sql applied" in out
    assert "next_note" not in columns(world, "notification")


def test_a_program_that_is_too_old_says_so_and_writes_nothing(world: World) -> None:
    world.migrate("processor-contract")
    ingress = world.new_ingress().start().wait_ready()
    old = world.new_processor().start()
    world.bizgo(payloads.bizgo("x", "64008"))
    until("it says so", lambda: "too old for the database" in old.log_text())
    assert old.get("/readyz").status == 503 and old.get("/livez").status == 200
    assert world.statuses() == {}
    done = run_once("processor", world.owner_env(), "migrate")
    assert done.returncode == 1 and "too old for the database" in done.stderr, done
    done = run_once("processor", world.env(), "replay", "--from", "beginning")
    assert done.returncode == 1 and "too old for the database" in done.stderr, done
    world.new_processor("processor-contract").start().wait_ready()
    world.wait_row("bizgo", "x", status="DEAD_LETTER")
    world.settle()
    assert len(world.alerts("x")) == 1 and ingress.is_alive()


def test_no_program_of_the_old_version_starts_while_it_is_migrated_away(world: World) -> None:
    """What a migration takes before it begins (processor/postgres/migration_outlive.sql)."""
    known = max(int(name[:4]) for name in OURS)
    with transaction(world, f"SELECT pg_advisory_xact_lock(x'646f6368'::integer, {known})"):
        processor = world.new_processor().start()
        until("it says so", lambda: "being migrated" in processor.log_text())
        assert processor.get("/readyz").status == 503
    processor.wait_ready(30)


def test_migrate_needs_nothing_but_reading_where_nothing_is_missing(world: World) -> None:
    """A backup may hold every table for hours."""
    held = "LOCK TABLE notification, receipt, alert, schema_migration IN ACCESS SHARE MODE"
    with transaction(world, held):
        began = time.monotonic()
        world.migrate()
        print(f"migrated in {time.monotonic() - began:.2f} s")
