# SPDX-License-Identifier: MIT
"""A broker that asks for TLS, for a password or a certificate, and for ACLs: all works with the ACLs that docs/deployment.md lists and
with none less, and what is set wrong is said with the setting's name until it is put right."""

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from confluent_kafka import KafkaException

from support import builds, payloads
from support.replays import command, with_outcomes
from support.secure import (
    PASSWORD,
    WRONG_HOST,
    Acl,
    AlertReader,
    SecureKafka,
    arrived_and_lost,
    documented_acls,
    newer_librdkafka,
    reason,
    system_can_scram,
    write_properties,
)
from support.servers import Server, running
from support.service import Service, run_once
from support.topics import Topics
from support.wait import until, until_equal
from support.world import World

pytestmark = pytest.mark.long

ACLS = documented_acls()
ALERTS = "dochak.alerts"
REFUSED = '"message":"librdkafka"'  # its own lines about a connection are errors
ANY = {"DOCHAK_INSTANCE": ""}  # one with a name keeps its partitions for a while after its end


@pytest.fixture(scope="module")
def secure_kafka(run_folder: Path) -> Iterator[SecureKafka]:
    with running(SecureKafka(run_folder / "kafka-secure", ACLS)) as server:
        yield server


@pytest.fixture(scope="module")
def world(secure_kafka: SecureKafka, postgres: Server, module_worlds) -> World:
    """With the names that the docs have. No log of it may hold a password."""
    made = module_worlds.new(secure_kafka, postgres, migrated=False)
    made.topics = Topics(secure_kafka.address, "dochak.", "dochak-processor")
    made.foreign = True
    made.keys.update({acl.user: PASSWORD.format(acl.user) for acl in ACLS})
    assert "kafka: 3 topics created" in migrate(made, "mtls").stdout
    return made


# --- the programs, each as its own user


def settings(world: World, way: str, user: str, properties: dict[str, str | None] | None = None, name: str = "") -> dict[str, str]:
    """The properties are those of the docs, but for some; None: without it."""
    wanted = {**world.kafka.properties(way, user), **(properties or {})}
    path = world.folder / f"{name or way}-{user}.properties"
    write_properties(path, {line: value for line, value in wanted.items() if value is not None})
    library = newer_librdkafka() if way == "scram" and not system_can_scram() else {}
    return {"DOCHAK_KAFKA_BOOTSTRAP": world.kafka.bootstrap(way), "DOCHAK_KAFKA_PROPERTIES": str(path), **library}


def migrate(world: World, way: str) -> subprocess.CompletedProcess:
    done = run_once("processor", world.owner_env(**settings(world, way, "migrate")), "migrate")
    assert not any(key in done.stdout + done.stderr for key in world.secrets), done
    return done


def start(world: World, way: str, **more: str) -> tuple[Service, Service]:
    """Ingress and processor, both ready."""
    services = (
        world.new_ingress(**settings(world, way, "ingress"), **more),
        world.new_processor(**settings(world, way, "processor"), DOCHAK_WORKERS="1", **ANY),
    )
    for service in services:
        service.expected_errors.append(REFUSED)
        service.start()
    for service in services:
        service.wait_ready(40)
    return services


def take_in_by_a_wrong_file(world: World, way: str) -> str:
    """A receipt that went to quarantine, because the provider file was wrong."""
    folder = world.folder / "wrong"
    folder.mkdir(exist_ok=True)
    for file in (builds.ROOT / "schemas/providers").glob("*.json"):
        document = json.loads(file.read_text("utf-8"))
        if document["provider"] == "blux":
            document["webhook"]["elements"] = "/items"
        (folder / file.name).write_text(json.dumps(document))
    before = world.ingress
    ingress = world.new_ingress(**settings(world, way, "ingress"), DOCHAK_PROVIDERS_DIR=str(folder)).start().wait_ready()
    ingress.expected_errors.append(REFUSED)
    world.blux(payloads.blux_event(id_ := payloads.new_id()))
    ingress.stop()
    world.ingress = before
    return id_


def redrive(world: World, way: str) -> subprocess.CompletedProcess:
    return run_once("processor", world.env(**settings(world, way, "processor")), "quarantine", "redrive")


def replay_as_failed(world: World, way: str) -> list[str]:
    """What is to be run: with a file that takes 10000 for a failure."""
    return ["replay", "--from", "beginning"], {**settings(world, way, "processor"), **with_outcomes(world, "failed", c10000="failed")}


# --- all of it


@pytest.mark.parametrize("way", ["mtls", "plain", "scram"])
def test_all_of_it_works_with_the_acls_of_the_docs(world: World, secure_kafka: SecureKafka, way: str) -> None:
    assert "kafka: 0 topics created" in migrate(world, way).stdout
    later = take_in_by_a_wrong_file(world, way)
    services = start(world, way)
    arrived, lost = arrived_and_lost(world)
    reader = secure_kafka.consumer(way, "alerts", "alerts", ALERTS)
    reader.wait(lost)
    done = redrive(world, way)
    assert done.returncode == 0 and " 1 elements redriven" in done.stdout, done
    world.wait_row("blux", later, status="SENT")
    arguments, other_file = replay_as_failed(world, way)
    print(command(world, *arguments, **other_file).stdout)
    reader.wait(arrived)
    world.wait_row("bizgo", arrived, status="DEAD_LETTER")
    reader.close()
    for service in services:
        service.stop()


def test_the_password_may_be_kept_apart_from_the_properties(world: World) -> None:
    apart = {"sasl.password": None}
    password = {user: world.folder / f"password-of-{user}" for user in ("ingress", "processor")}
    for user, path in password.items():
        path.write_text(PASSWORD.format(user))
    ingress = world.new_ingress(**settings(world, "plain", "ingress", apart, "apart"), DOCHAK_KAFKA_PASSWORD_FILE=str(password["ingress"]))
    processor = world.new_processor(**settings(world, "plain", "processor", apart, "apart"), DOCHAK_KAFKA_PASSWORD=PASSWORD.format("processor"), **ANY)
    for service in (ingress, processor):
        service.start()
    for service in (ingress, processor):
        service.wait_ready()
        service.stop()


# --- what is set wrong


@dataclass(frozen=True)
class Fault:
    way: str
    named: list[str]  # what has to be said
    properties: dict[str, str | None] = field(default_factory=dict)
    host: str = ""  # of the bootstrap


CLIENT = ("ssl.certificate.location", "ssl.key.location")
FAULTS = {
    "another CA": Fault("plain", ["ssl.ca.location"], {"ssl.ca.location": "{other}/ca.crt"}),
    "another name": Fault("plain", ["DOCHAK_KAFKA_BOOTSTRAP"], host=WRONG_HOST),
    "another password": Fault("plain", ["sasl.password"], {"sasl.password": "not-the-password"}),
    "another mechanism": Fault("plain", ["sasl.mechanism"], {"sasl.mechanism": "SCRAM-SHA-256"}),
    "no TLS": Fault("plain", ["security.protocol"], {"security.protocol": "SASL_PLAINTEXT"}),
    "no certificate": Fault("mtls", [*CLIENT], dict.fromkeys(CLIENT)),
    "a certificate of another CA": Fault("mtls", [*CLIENT], {CLIENT[0]: "{other}/{user}.crt", CLIENT[1]: "{other}/{user}.key"}),
    "a certificate that has expired": Fault("mtls", [*CLIENT], {CLIENT[0]: "{ours}/old-{user}.crt", CLIENT[1]: "{ours}/old-{user}.key"}),
}
# What the log says about a certificate besides, and librdkafka does not.
CERTIFICATE = {"another CA": "self-signed certificate|unable to get local issuer", "another name": "mismatch"}


@dataclass
class Refused:
    """The three programs with one fault, all of which have begun."""

    name: str
    world: World
    ingress: Service
    processor: Service
    migrate: subprocess.Popen

    @property
    def fault(self) -> Fault:
        return FAULTS[self.name]


def faulty(world: World, name: str, user: str) -> dict[str, str]:
    fault, kafka = FAULTS[name], world.kafka
    places = {"ours": kafka.ca.folder, "other": kafka.other_ca.folder, "user": user}
    properties = {line: value and value.format(**places) for line, value in fault.properties.items()}
    made = settings(world, fault.way, user, properties, name.replace(" ", "-"))
    if fault.host:
        made["DOCHAK_KAFKA_BOOTSTRAP"] = kafka.bootstrap(fault.way, fault.host)
    return made


@pytest.fixture(scope="module")
def refused(world: World, secure_kafka: SecureKafka) -> dict[str, Refused]:
    """With every fault at once, since they mostly wait."""
    for user in {acl.user for acl in ACLS}:
        secure_kafka.other_ca.issue(user)
        secure_kafka.ca.issue(f"old-{user}", days=-1)
    world.keys["wrong"] = "not-the-password"
    made = {}
    for name in FAULTS:
        ingress = world.new_ingress(**faulty(world, name, "ingress"))
        processor = world.new_processor(**faulty(world, name, "processor"), DOCHAK_WORKERS="1", **ANY)
        program = [*builds.WRAPPER, builds.program("processor"), "migrate"]
        env = world.owner_env(**faulty(world, name, "migrate"))
        process = subprocess.Popen(program, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for service in (ingress, processor):
            service.expected_errors.append(REFUSED)
            service.start()
        made[name] = Refused(name, world, ingress, processor, process)
    return made


def says(service: Service, *words: str) -> None:
    said = ""

    def does() -> bool:
        nonlocal said
        said = reason(service) or said
        return all(word in said for word in words)

    try:
        until(f"{service.name} says {words}", does, 30, every=0.05)
    except AssertionError as error:
        raise AssertionError(f"{error}; it said: {said}") from None


@pytest.mark.parametrize("name", FAULTS)
def test_what_is_set_wrong_is_named(refused: dict[str, Refused], name: str) -> None:
    its = refused[name]
    named = [*its.fault.named, "DOCHAK_KAFKA_PROPERTIES"]
    for service in (its.ingress, its.processor):
        says(service, *named)
        print(f"{service.name}: {reason(service)}")
        hints = json.dumps([line.get("hint", "") + line["text"] for line in service.log_lines("^librdkafka$")])
        assert all(word in hints for word in named) and re.search(CERTIFICATE.get(name, ""), hints), hints
        assert service.get("/livez").status == 200
    stdout, stderr = its.migrate.communicate(timeout=60 * builds.patience())
    said = stderr.splitlines()[-1]
    print(f"migrate: {said}")
    assert its.migrate.returncode == 1 and said.startswith("dochak-processor: creating topics: "), stderr
    assert all(word in said for word in named) and not any(key in stdout + stderr for key in its.world.secrets), stderr
    mend(its)


@pytest.mark.parametrize("name", FAULTS)
def test_what_is_put_right_is_found(refused: dict[str, Refused], name: str) -> None:
    """By ingress at its next start; by the processor without one, but for what is in a variable."""
    its = refused[name]
    mend(its)
    for service in (its.ingress, its.processor):
        if its.fault.host or service is its.ingress:
            service.stop()
            service.env["DOCHAK_KAFKA_BOOTSTRAP"] = its.world.kafka.bootstrap(its.fault.way)
            service.start()
    for service in (its.ingress, its.processor):
        service.wait_ready(40)
        service.stop()


def mend(its: Refused) -> None:
    for service in (its.ingress, its.processor):
        settings(its.world, its.fault.way, service.name, name=its.name.replace(" ", "-"))


def test_a_password_that_is_put_right_at_the_broker_is_enough(world: World, secure_kafka: SecureKafka) -> None:
    services = world.new_ingress(**settings(world, "scram", "ingress")), world.new_processor(**settings(world, "scram", "processor"), **ANY)
    for service in services:
        secure_kafka.set_password(service.name, "another one")
        service.expected_errors.append(REFUSED)
        service.start()
    for service in services:
        says(service, "sasl.password", "DOCHAK_KAFKA_PROPERTIES")
        secure_kafka.set_password(service.name, PASSWORD.format(service.name))
    for service in services:
        service.wait_ready(40)
        service.stop()


@pytest.mark.skipif(system_can_scram(), reason="this librdkafka can use SCRAM with every Kafka")
def test_scram_with_a_librdkafka_that_is_too_old_is_named(world: World) -> None:
    processor = world.new_processor(**{**settings(world, "scram", "processor"), "LD_PRELOAD": ""}, **ANY)
    processor.expected_errors.append(REFUSED)
    processor.start()
    says(processor, "cannot use SCRAM with Kafka 4.0 or newer", "2.6.1")
    processor.stop()


# --- each ACL


@pytest.fixture(scope="module")
def working(world: World) -> World:
    """An ingress with a spool, whose acks have to survive a machine: for that it needs the settings of the topics."""
    world.topics.set("flush.messages", "1")
    start(world, "mtls", DOCHAK_SPOOL_DIR=str(world.folder / "spool"), DOCHAK_ACK_SURVIVES="machine")
    return world


Mended = Callable[[], object]


def processor_of(world: World) -> Service:
    return next(service for service in reversed(world.services) if service.name == "processor")


def events_wait(world: World, acl: Acl) -> Mended:
    world.bizgo(payloads.bizgo(id_ := payloads.new_id(), "10000"))
    check_waits(world, acl)
    return lambda: world.wait_row("bizgo", id_, 30, status="SENT")


def quarantine_waits(world: World, acl: Acl) -> Mended:
    world.post("bizgo/alimtalk", b"hello")
    check_waits(world, acl)
    return lambda: until_equal("the spool is empty", lambda: spooled(world), 0, 30)


def spooled(world: World) -> float:
    return world.ingress.metrics()["dochak_ingress_spool_events"]


def check_waits(world: World, acl: Acl) -> None:
    def is_named() -> bool:
        lines = world.ingress.log_lines("^kafka breaker opened$")
        return any((line["topic"], line["error"]) == (acl.name, "TOPIC_AUTHORIZATION_FAILED") and "ACL" in line["hint"] for line in lines)

    until("ingress says which topic it may not write", is_named, 30)
    assert spooled(world) > 0


def settings_unread(world: World, acl: Acl) -> Mended:
    world.ingress.stop()
    world.ingress.start()
    says(world.ingress, f"{acl.name}: its settings may not be read", "ACL DescribeConfigs")
    return lambda: world.ingress.wait_ready(30)


def cannot_read(world: World, acl: Acl) -> Mended:
    says(processor_of(world), "ACL", acl.name)
    return lambda: works(world)


def cannot_join(world: World, acl: Acl) -> Mended:
    says(processor_of(world), "Read on the group of DOCHAK_GROUP_ID")
    return lambda: works(world)


def cannot_begin(world: World, acl: Acl) -> Mended:
    world.bizgo(payloads.bizgo(id_ := payloads.new_id(), "64008"))
    says(processor_of(world), "Write on the transactional ids", "DOCHAK_KAFKA_PROPERTIES")
    return lambda: check_alert(world, id_)


def cannot_alert(world: World, acl: Acl) -> Mended:
    world.bizgo(payloads.bizgo(id_ := payloads.new_id(), "64008"))
    cannot_write(world, acl)
    return lambda: check_alert(world, id_)


def cannot_write(world: World, acl: Acl) -> None:
    processor = processor_of(world)
    says(processor, "Topic authorization failed", "ACL")
    named = f'Failed to add partition "{acl.name}"'
    until("the log names the topic", lambda: any(named in line["text"] for line in processor.log_lines("^librdkafka$")))


def cannot_quarantine(world: World, acl: Acl) -> Mended:
    before = len(world.topics.read("quarantine"))
    world.topics.produce("events", b"not an event")
    world.topics.flush()
    cannot_write(world, acl)
    return lambda: until("it is in quarantine", lambda: len(world.topics.read("quarantine")) > before, 30)


def cannot_redrive(world: World, acl: Acl) -> Mended:
    id_ = take_in_by_a_wrong_file(world, "mtls")
    done = redrive(world, "mtls")
    assert done.returncode == 1 and "Topic authorization failed" in done.stderr and "lacks an ACL" in done.stderr, done

    def mended() -> None:
        done = redrive(world, "mtls")
        assert done.returncode == 0, done
        world.wait_row("blux", id_, status="SENT")

    return mended


def cannot_replay(world: World, acl: Acl) -> Mended:
    """An alert of an earlier replay is not marked as published, as if that one had been killed."""
    world.bizgo(payloads.bizgo(id_ := payloads.new_id(), "10000"))
    world.wait_row("bizgo", id_, status="SENT")
    arguments, other_file = replay_as_failed(world, "mtls")
    command(world, *arguments, **other_file)
    assert world.sql("UPDATE alert SET told = false WHERE subject = %s RETURNING 1", id_)
    done = run_once("processor", world.env(**other_file), *arguments)
    assert done.returncode == 1 and acl.name in done.stderr and "lacks an ACL" in done.stderr, done
    return lambda: command(world, *arguments, **other_file)


def cannot_migrate(world: World, acl: Acl) -> Mended:
    done = migrate(world, "mtls")
    assert done.returncode == 1 and "lacks an ACL" in done.stderr and acl.name in done.stderr, done
    return lambda: check_migrates(world)


def cannot_compare(world: World, acl: Acl) -> Mended:
    done = migrate(world, "mtls")
    assert done.returncode == 0 and "lacks the ACL DescribeConfigs" in done.stdout, done
    return lambda: check_migrates(world)


def check_migrates(world: World) -> None:
    done = migrate(world, "mtls")
    assert done.returncode == 0 and "may not be read" not in done.stdout, done


def cannot_hear(world: World, acl: Acl) -> Mended:
    reader = new_reader(world)
    with pytest.raises(KafkaException, match="(?i)authorization"):
        reader.wait("nothing")
    reader.close()

    def mended() -> None:
        world.bizgo(payloads.bizgo(id_ := payloads.new_id(), "64008"))
        reader = new_reader(world)
        reader.wait(id_)
        reader.close()

    return mended


def new_reader(world: World) -> AlertReader:
    return world.kafka.consumer("mtls", "alerts", "alerts", ALERTS)


def works(world: World) -> None:
    processor_of(world).wait_ready(40)
    world.bizgo(payloads.bizgo(id_ := payloads.new_id(), "10000"))
    world.wait_row("bizgo", id_, 30, status="SENT")


def check_alert(world: World, id_: str) -> None:
    until(f"the alert about {id_} is out", lambda: world.alerts(id_), 40)
    works(world)


# What fails without it, and what shows that it works again.
NEEDED = {
    "ingress Write topic dochak.events": events_wait,
    "ingress DescribeConfigs topic dochak.events": settings_unread,
    "ingress Write topic dochak.quarantine": quarantine_waits,
    "ingress DescribeConfigs topic dochak.quarantine": settings_unread,
    "processor Read topic dochak.events": cannot_read,
    "processor Write topic dochak.events": cannot_redrive,
    "processor Read topic dochak.quarantine": cannot_read,
    "processor Write topic dochak.quarantine": cannot_quarantine,
    "processor Write topic dochak.alerts": cannot_alert,
    "processor Read topic dochak.alerts": cannot_replay,
    "processor Read group dochak-processor": cannot_join,
    "processor Write transactional id dochak.dochak-processor-": cannot_begin,
    "migrate Create topic dochak.": cannot_migrate,
    "migrate Describe topic dochak.": cannot_migrate,
    "migrate DescribeConfigs topic dochak.": cannot_compare,
    "alerts Read topic dochak.alerts": cannot_hear,
    "alerts Read group alerts": cannot_hear,
}


def test_the_docs_list_these_acls() -> None:
    assert [str(acl) for acl in ACLS] == list(NEEDED)


@pytest.mark.parametrize("acl", ACLS, ids=str)
def test_each_acl_is_needed(working: World, secure_kafka: SecureKafka, acl: Acl) -> None:
    secure_kafka.forbid(acl)
    try:
        mended = NEEDED[str(acl)](working, acl)
    finally:
        secure_kafka.allow(acl)
    mended()
