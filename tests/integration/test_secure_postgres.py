# SPDX-License-Identifier: MIT
"""A Postgres that lets nobody in without TLS and a password: all works with verify-full, and what is set wrong is said with the
variable's name until it is put right."""

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from support import payloads
from support.replays import command, with_outcomes
from support.secure import HOST, SecurePostgres, arrived_and_lost, reason
from support.servers import Server, running
from support.service import Service, run_once
from support.wait import until
from support.world import RUNTIME_ROLE, World

pytestmark = pytest.mark.long

OWNER_ROLE = "dochak_owner"  # not `dochak`, which is the superuser of the tests' servers
PASSWORD = "postgres-password-of-{}"  # of a role


@pytest.fixture(scope="module")
def secure_postgres(run_folder: Path) -> Iterator[SecurePostgres]:
    with running(SecurePostgres(run_folder / "postgres-secure")) as server:
        server.ask(f"CREATE ROLE {OWNER_ROLE} LOGIN PASSWORD '{PASSWORD.format(OWNER_ROLE)}'")
        server.ask(f"CREATE ROLE {RUNTIME_ROLE} LOGIN PASSWORD '{PASSWORD.format(RUNTIME_ROLE)}'")
        yield server


@pytest.fixture(scope="module")
def world(kafka: Server, secure_postgres: SecurePostgres, module_worlds) -> World:
    """No log of it may hold a password."""
    made = module_worlds.new(kafka, secure_postgres, migrated=False)
    secure_postgres.ask(f'ALTER DATABASE "{made.name}" OWNER TO {OWNER_ROLE}')
    made.keys.update({role: PASSWORD.format(role) for role in (OWNER_ROLE, RUNTIME_ROLE)})
    done = migrate(made)
    assert done.returncode == 0 and " migrations applied" in done.stdout, done
    return made


def settings(world: World, role: str, **more: str) -> dict[str, str]:
    """As docs/deployment.md has them. The test's server listens on an address of IPv4, and a name may have one of either kind."""
    return {
        "PGHOST": HOST,
        "PGHOSTADDR": "127.0.0.1",
        "PGSSLMODE": "verify-full",
        "PGSSLROOTCERT": str(world.postgres.ca.certificate),
        "PGUSER": role,
        "DOCHAK_PG_PASSWORD": PASSWORD.format(role),
        **more,
    }


def migrate(world: World, **more: str) -> subprocess.CompletedProcess:
    done = run_once("processor", world.env(**settings(world, OWNER_ROLE, **more)), "migrate")
    assert not any(key in done.stdout + done.stderr for key in world.secrets), done
    return done


def test_all_of_it_works_with_verify_full(world: World) -> None:
    mine = settings(world, RUNTIME_ROLE)
    ingress = world.new_ingress().start().wait_ready()
    processor = world.new_processor(**mine).start().wait_ready()
    arrived, lost = arrived_and_lost(world)
    world.post("bizgo/alimtalk", b"hello")
    world.settle()
    assert [alert.type for alert in world.alerts(lost)] == ["dochak.notification.dead_lettered.v1"]
    assert "1 records read: 0 elements redriven" in command(world, "quarantine", "redrive", **mine).stdout
    failed = with_outcomes(world, "failed", c10000="failed")
    assert "1 notifications corrected" in command(world, "replay", "--from", "beginning", **mine, **failed).stdout
    world.wait_row("bizgo", arrived, status="DEAD_LETTER")
    encrypted = world.sql(
        "SELECT DISTINCT usename, ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'dochak-processor'"
    )
    assert encrypted == [{"usename": RUNTIME_ROLE, "ssl": True}]
    for service in (ingress, processor):
        service.stop()


# --- what is set wrong


@dataclass(frozen=True)
class Fault:
    named: list[str]  # what has to be said
    settings: dict[str, str] = field(default_factory=dict)
    mend: Callable[[World], object] | None = None  # the server, or a file; None: a variable, which takes a restart


def copy_ca(world: World) -> None:
    (world.folder / "ca.crt").write_text(world.postgres.ca.certificate.read_text())


FAULTS = {
    "another CA": Fault(["PGSSLROOTCERT"], {"PGSSLROOTCERT": "{other}"}),
    "no CA yet": Fault(["PGSSLROOTCERT"], {"PGSSLROOTCERT": "{folder}/ca.crt"}, copy_ca),
    "another name": Fault(["PGHOST"], {"PGHOST": "db.example.com"}),
    "another password": Fault(["PGUSER", "DOCHAK_PG_PASSWORD"], {"DOCHAK_PG_PASSWORD": "not-the-password"}),
    "no password": Fault(["DOCHAK_PG_PASSWORD"], {"DOCHAK_PG_PASSWORD": ""}),
    "no TLS": Fault(["PGSSLMODE"], {"PGSSLMODE": "disable"}),
    "another database": Fault(["PGDATABASE"], {"PGDATABASE": "nowhere"}),
}


def faulty(world: World, fault: Fault, role: str) -> dict[str, str]:
    places = {"other": world.postgres.other_ca.certificate, "folder": world.folder}
    return settings(world, role, **{name: value.format(**places) for name, value in fault.settings.items()})


def says(processor: Service, words: list[str]) -> None:
    """By /readyz and by the log."""
    until(f"the processor says {words}", lambda: all(word in reason(processor) for word in words), 30, every=0.05)
    print(f"processor: {reason(processor)}")
    errors = [line["error"] for line in processor.log_lines("^worker starts over$")]
    assert any(all(word in error for word in words) for error in errors), errors
    assert processor.get("/livez").status == 200


@pytest.mark.parametrize("name", FAULTS)
def test_what_is_set_wrong_is_named_until_it_is_right(world: World, name: str) -> None:
    fault = FAULTS[name]
    world.keys["wrong"] = "not-the-password"
    processor = world.new_processor(**faulty(world, fault, RUNTIME_ROLE), DOCHAK_WORKERS="1", DOCHAK_INSTANCE="").start()
    done = run_once("processor", world.env(**faulty(world, fault, OWNER_ROLE)), "migrate")
    print(done.stderr)
    assert done.returncode == 1 and "cannot connect to Postgres: " in done.stderr, done
    assert all(word in done.stderr for word in fault.named) and not any(key in done.stderr for key in world.secrets), done
    says(processor, fault.named)
    if fault.mend:
        fault.mend(world)
    else:
        processor.stop()
        processor.env.update(world.env(**settings(world, RUNTIME_ROLE)))
        processor.start()
    processor.wait_ready(40)
    processor.stop()


# What is put right at the server: how it is set wrong there, what has to be said, and how it is put right.
AT_THE_SERVER = {
    "another password": (
        lambda server: server.ask(f"ALTER ROLE {RUNTIME_ROLE} PASSWORD 'another one'"),
        ["DOCHAK_PG_PASSWORD"],
        lambda server: server.ask(f"ALTER ROLE {RUNTIME_ROLE} PASSWORD '{PASSWORD.format(RUNTIME_ROLE)}'"),
    ),
    "a certificate of another CA": (
        lambda server: server.use_certificate(server.other_ca, HOST),
        ["PGSSLROOTCERT"],
        lambda server: server.use_certificate(server.ca, HOST),
    ),
    "a certificate that has expired": (
        lambda server: server.use_certificate(server.ca, HOST, days=-1),
        ["PGSSLROOTCERT", "valid now"],
        lambda server: server.use_certificate(server.ca, HOST),
    ),
    "a certificate of another name": (
        lambda server: server.use_certificate(server.ca, "db.example.com"),
        ["PGHOST"],
        lambda server: server.use_certificate(server.ca, HOST),
    ),
    "no line in pg_hba.conf": (
        lambda server: server.allow("nobody"),
        ["pg_hba.conf"],
        lambda server: server.allow("all"),
    ),
    "no right to log in": (
        lambda server: server.ask(f"ALTER ROLE {RUNTIME_ROLE} NOLOGIN"),
        ["PGUSER"],
        lambda server: server.ask(f"ALTER ROLE {RUNTIME_ROLE} LOGIN"),
    ),
}


@pytest.mark.parametrize("name", AT_THE_SERVER)
def test_what_is_put_right_at_the_server_is_enough(world: World, secure_postgres: SecurePostgres, name: str) -> None:
    spoil, named, mend = AT_THE_SERVER[name]
    spoil(secure_postgres)
    secure_postgres.reload()
    try:
        processor = world.new_processor(**settings(world, RUNTIME_ROLE), DOCHAK_WORKERS="1", DOCHAK_INSTANCE="").start()
        says(processor, named)
    finally:
        mend(secure_postgres)
        secure_postgres.reload()
    processor.wait_ready(40)
    processor.stop()


def test_a_right_that_is_missing_is_named_until_migrate_grants_it(world: World) -> None:
    world.sql(f"REVOKE ALL ON notification FROM {RUNTIME_ROLE}")
    ingress = world.new_ingress().start().wait_ready()
    processor = world.new_processor(**settings(world, RUNTIME_ROLE), DOCHAK_WORKERS="1", DOCHAK_INSTANCE="").start()
    world.bizgo(payloads.bizgo(id_ := payloads.new_id(), "10000"))
    says(processor, ["permission denied for table notification", "migrate"])
    assert migrate(world).returncode == 0
    world.wait_row("bizgo", id_, 40, status="SENT")
    for service in (ingress, processor):
        service.stop()
