# SPDX-License-Identifier: MIT
"""Three brokers, of which any one may die, even with its disk: the work goes on, and what was acknowledged is kept."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support import http, payloads
from support.cluster import KafkaCluster
from support.senders import Senders
from support.servers import Server
from support.service import Service
from support.storm import Storm, stored_keys
from support.thirds import check_all, endless_posts, stored
from support.wait import until, until_equal
from support.world import World

pytestmark = pytest.mark.long

DEADLINE = 5.0  # BizGo's
CONNECTIONS = 2
SHARE = 500  # receipts between one event and the next
LIBRDKAFKA = '"message":"librdkafka"'  # that a broker is gone is an error to librdkafka


@pytest.fixture(scope="module")
def cluster(run_folder: Path) -> Iterator[KafkaCluster]:
    with KafkaCluster(run_folder / "cluster") as cluster:
        yield cluster


@pytest.fixture
def world(cluster: KafkaCluster, worlds, postgres: Server) -> Iterator[World]:
    """Topics of three copies each. All brokers run again when the test is over."""
    yield worlds.new(cluster, postgres)
    cluster.start()


def tolerant(service: Service) -> Service:
    service.expected_errors.append(LIBRDKAFKA)
    return service


# --- ingress


def post(world: World, id_: str) -> http.Answer:
    return world.post("bizgo/alimtalk", payloads.bizgo(id_, "10000"))


def wait_more(storm: Storm) -> None:
    goal = len(storm.acked) + SHARE
    until(f"{goal} receipts are acknowledged", lambda: storm.fault or len(storm.acked) >= goal, 60)


@contextmanager
def storming(world: World) -> Iterator[Storm]:
    """At its end no receipt that was acknowledged is missing, and no answer was late."""
    world.foreign = True  # too many records to look at each
    with Storm(world, CONNECTIONS) as storm:
        wait_more(storm)
        yield storm
        wait_more(storm)
    stored = stored_keys(world)
    missing = storm.acked - set(stored)
    print(
        f"\n{len(storm.acked)} of {storm.sent} acknowledged, {len(missing)} of them missing, {len(stored) - len(set(stored))} kept twice; "
        f"answers {storm.statuses}; p99 {storm.percentile(0.99) * 1000:.0f}, slowest {max(storm.seconds) * 1000:.0f} ms"
    )
    assert not missing
    assert max(storm.seconds) < DEADLINE


def test_every_receipt_is_acknowledged_while_a_broker_dies_and_returns(cluster: KafkaCluster, world: World, tmp_path: Path) -> None:
    ingress = tolerant(world.new_ingress(DOCHAK_SPOOL_DIR=str(tmp_path / "spool"))).start().wait_ready()
    with storming(world) as storm:
        cluster.leader(world.topics.name("events"), 0).kill()
        wait_more(storm)
        cluster.start()
        until_equal("the spool is empty", lambda: ingress.metrics()["dochak_ingress_spool_events"], 0, 60)
    assert set(storm.statuses) == {200} and len(storm.acked) == storm.sent


@pytest.mark.slow
def test_what_survives_a_broker_survives_the_loss_of_its_disk(cluster: KafkaCluster, world: World) -> None:
    tolerant(world.new_ingress(DOCHAK_ACK_SURVIVES="broker")).start().wait_ready()
    with storming(world) as storm:
        lost = cluster.leader(world.topics.name("events"), 0)
        lost.kill()
        cluster.lose_disk(lost)
        wait_more(storm)
        cluster.start()
    assert storm.statuses.keys() <= {200, 503}


@pytest.mark.usefixtures("between_minutes")
def test_where_too_few_brokers_are_in_sync_kafka_acknowledges_nothing(cluster: KafkaCluster, world: World, tmp_path: Path) -> None:
    """Who asks for broker is refused; else the spool takes it, and brings it as soon as they are enough again."""
    world.topics.set("min.insync.replicas", "3")
    strict = tolerant(world.new_ingress(DOCHAK_ACK_SURVIVES="broker")).start().wait_ready()
    spooling = tolerant(world.new_ingress(DOCHAK_SPOOL_DIR=str(tmp_path / "spool"))).start().wait_ready()
    assert strict.metrics()['dochak_ingress_ack_survives{level="broker"}'] == 1
    next(iter(cluster.brokers.values())).kill()
    world.ingress = strict
    refused = [post(world, f"refused-{number}") for number in range(4)]
    assert {answer.status for answer in refused} == {503} and all(int(answer.headers["retry-after"]) > 0 for answer in refused)
    world.ingress = spooling
    ids = {f"spooled-{number}" for number in range(20)}
    assert {post(world, id_).status for id_ in ids} == {200}
    assert spooling.metrics()["dochak_ingress_spool_events"] == len(ids)
    cluster.start()
    until_equal("the spool is empty", lambda: spooling.metrics()["dochak_ingress_spool_events"], 0, 60)
    assert ids <= {record.key.decode() for record in world.records("events")}
    world.ingress = strict
    until_equal("the strict one acknowledges again", lambda: post(world, "after").status, 200, 30, every=0.1)


# --- processor


def wait_stored(world: World, more: int = 100) -> None:
    goal = stored(world) + more
    until(f"{goal} notifications are there", lambda: stored(world) >= goal, 60)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_two_processors_work_on_while_one_broker_after_another_dies(cluster: KafkaCluster, world: World) -> None:
    tolerant(world.new_ingress(DOCHAK_ACK_SURVIVES="broker")).start().wait_ready()
    processors = [tolerant(world.new_processor(DOCHAK_BATCH_MAX_RECORDS="20")).start() for _ in range(2)]
    for processor in processors:
        processor.wait_ready(30)
    group = world.topics.group
    transactional_id = f"{world.topics.prefix}{group}-test-0-0"
    who = {
        "the group's coordinator": lambda: cluster.group_coordinator(group),
        "a transaction's coordinator": lambda: cluster.transaction_coordinator(transactional_id),
        "the leader of a partition": lambda: cluster.leader(world.topics.name("events"), 0),
    }
    with Senders(world, endless_posts(), connections=1, again=True) as senders:
        wait_stored(world)
        for role, find in who.items():
            find().kill()
            wait_stored(world)
            print(f"without {role}: {stored(world)} stored")
            cluster.start()
            wait_stored(world)
    check_all(world, sorted(senders.acked))
    for processor in processors:
        processor.wait_ready()
