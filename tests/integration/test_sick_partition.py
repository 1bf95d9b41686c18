# SPDX-License-Identifier: MIT
"""One part of Kafka is sick: a partition without leader, a topic that may not be written, a full local queue. It delays what belongs to it.

Everything else goes on, live and from the spool. docs/operations.md says what an operator sees.
"""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka.admin import AclBinding, AclBindingFilter, AclOperation, AclPermissionType, AdminClient, ResourcePatternType, ResourceType

from support import builds, payloads, servers
from support.cluster import KafkaCluster
from support.deadlines import with_times
from support.front_doors import Answer, ours, server
from support.secure import Authority
from support.senders import Post, Senders, Sent, new_reports, paced, percentile
from support.servers import Server
from support.service import Service
from support.topics import QUIET
from support.wait import until, until_equal
from support.world import World

PARTITIONS = 6
BUDGET = 1.5  # DOCHAK_ACK_BUDGET_MS, seconds
SLACK = 1.0  # seconds that a busy machine may add
STORED_WITHIN = 2.0
# Kafka itself needs it: until a dead broker counts as dead (3 s here) it stays among the replicas that a commit waits for.
FAIL_OVER = 8.0
LIBRDKAFKA = '"message":"librdkafka"'  # that a broker is gone is an error to librdkafka


@pytest.fixture(scope="module")
def cluster(run_folder: Path) -> Iterator[KafkaCluster]:
    with KafkaCluster(run_folder / "sick-cluster") as cluster:
        yield cluster


@pytest.fixture
def whole_again(cluster: KafkaCluster) -> Iterator[None]:
    yield
    cluster.start()


def spooling(world: World, folder: Path, **settings: str) -> Service:
    ingress = world.new_ingress(DOCHAK_SPOOL_DIR=str(folder / "spool"), **settings)
    ingress.expected_errors.append(LIBRDKAFKA)
    return ingress.start().wait_ready(30)


def working(world: World, **settings: str) -> Service:
    processor = world.new_processor(**settings)
    processor.expected_errors.append(LIBRDKAFKA)
    return processor.start().wait_ready(30)


def spooled(ingress: Service) -> int:
    return int(ingress.metrics()["dochak_ingress_spool_events"])


def acked_by(ingress: Service, way: str) -> int:
    return sum(int(value) for name, value in ingress.metrics().items() if name.startswith("dochak_ingress_durable_total") and way in name)


def breaker_open(ingress: Service) -> float:
    return max(value for name, value in ingress.metrics().items() if name.startswith("dochak_ingress_breaker_open"))


def wait_empty(ingress: Service, deadline: float = 90) -> None:
    until_equal("the spool is empty", lambda: spooled(ingress), 0, deadline, every=0.1)


def let_pass(seconds: float) -> None:
    end = time.monotonic() + seconds
    until(f"{seconds} s have passed", lambda: time.monotonic() >= end, seconds + 1, every=0.1)


def latency(sent: list[Sent]) -> str:
    seconds = [one.seconds for one in sent]
    if not seconds:
        return "none"
    return f"p50 {percentile(seconds, 0.5) * 1000:.0f}, p99 {percentile(seconds, 0.99) * 1000:.0f}, slowest {max(seconds) * 1000:.0f} ms"


# --- a broker that has the only copy of some partitions

RATE, SENDERS, OUTAGE = 500, 48, 60.0


def stored(world: World) -> dict[str, tuple[int, float]]:
    """Of each receipt in Postgres its partition and the seconds from its arrival at ingress to its row."""
    rows = world.sql(
        "SELECT n.notification_id AS id, r.source_partition AS partition, extract(epoch FROM n.updated_at - r.received_at)::float AS seconds "
        "FROM notification n JOIN receipt r USING (provider, notification_id)"
    )
    return {row["id"]: (row["partition"], row["seconds"]) for row in rows}


def bystander(cluster: KafkaCluster, world: World) -> int:
    """A broker that coordinates neither the group nor the transactions: its death moves no coordinator."""
    busy = [cluster.group_coordinator(world.topics.group), cluster.transaction_coordinator(f"{world.topics.prefix}{world.topics.group}-test-0-0")]
    (node, *_) = [node for node, broker in cluster.brokers.items() if broker not in busy]
    return node


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.timeout(600)
def test_a_partition_without_leader_delays_only_its_own_receipts(
    cluster: KafkaCluster, worlds, postgres: Server, tmp_path: Path, whole_again: None
) -> None:
    """500 receipts/s, one of three brokers dead for a minute, one copy of each partition of events."""
    world = worlds.new(cluster, postgres, migrated=False)
    cluster.make_topic(world.topics.name("events"), PARTITIONS, copies=1)
    world.migrate()
    world.foreign = True  # too many records to look at each
    ingress, _ = spooling(world, tmp_path), working(world, DOCHAK_WORKERS="1")
    with Senders(world, paced(new_reports(), RATE), SENDERS) as senders:
        senders.wait_acked(4 * RATE)
        node = bystander(cluster, world)
        dead = cluster.led_by(world.topics.name("events"), node)
        killed = time.monotonic()
        cluster.brokers[node].kill()
        let_pass(OUTAGE)
        waiting, by_spool = spooled(ingress), acked_by(ingress, "spool")
        opened = [line for line in ingress.log() if "breaker" in line["message"]]
        back = time.monotonic()
        cluster.start()
        senders.wait_acked(4 * RATE)
    wait_empty(ingress)
    emptied = time.monotonic() - back
    until("every receipt that was acknowledged is in Postgres", lambda: stored(world).keys() >= senders.acked, 90, every=1)
    check_outage(world, senders, dead, (killed, back), by_spool)
    print(f"{waiting} waited in the spool after {OUTAGE:.0f} s; empty {emptied:.1f} s after the broker's return began; logged {opened[:3]}")
    until_equal("the breaker is closed", lambda: breaker_open(ingress), 0, 10)


def check_outage(world: World, senders: Senders, dead: set[int], outage: tuple[float, float], by_spool: int) -> None:
    rows = stored(world)
    during = [one for one in senders.sent if outage[0] <= one.began < outage[1]]
    of_dead = [one for one in during if rows[one.id][0] in dead]
    others = [one for one in senders.sent if rows[one.id][0] not in dead]
    settled = [one for one in during if one.began > outage[0] + FAIL_OVER]
    delays = [rows[one.id][1] for one in others if outage[0] + FAIL_OVER < one.began < outage[1]]
    first = [rows[one.id][1] for one in others if outage[0] <= one.began <= outage[0] + FAIL_OVER]
    print(
        f"\npartitions {sorted(dead)} of {PARTITIONS} dead; {len(during)} receipts meanwhile, {len(during) / (outage[1] - outage[0]):.0f}/s, "
        f"answers {senders.statuses}\nacks: {latency(during)}; of the dead: {latency(of_dead)}; after the first {FAIL_OVER:.0f} s: {latency(settled)}\n"
        f"the others' way to Postgres: p99 {percentile(delays, 0.99):.2f}, slowest {max(delays):.2f} s (in the first {FAIL_OVER:.0f} s {max(first):.2f} s); "
        f"{by_spool} acknowledged by the spool, {len(of_dead)} were the dead ones"
    )
    assert set(senders.statuses) == {200}
    assert max(one.seconds for one in senders.sent) < (BUDGET + SLACK) * builds.patience()
    # A request for a partition that is known to be dead does not wait for it.
    assert percentile([one.seconds for one in settled], 0.99) < 0.5 * builds.patience()
    assert max(delays) < STORED_WITHIN * builds.patience()
    assert max(first) < FAIL_OVER * builds.patience()
    assert len(of_dead) > len(during) / PARTITIONS / 2, "the broker that died led too few partitions for this test"
    # What belongs to living partitions went live but for what was under way when the broker died.
    assert by_spool < len(of_dead) * 1.1 + 2 * RATE


@pytest.mark.long
def test_a_processor_that_starts_beside_a_partition_without_leader_reads_the_others(
    cluster: KafkaCluster, worlds, postgres: Server, tmp_path: Path, whole_again: None
) -> None:
    """It cannot ask where that partition begins."""
    world = worlds.new(cluster, postgres, migrated=False)
    cluster.make_topic(world.topics.name("events"), PARTITIONS, copies=1)
    world.migrate()
    world.foreign = True  # the broker that has the only copy may be away in the end
    ingress, processor = spooling(world, tmp_path), working(world)
    world.topics.reader("events")
    node = bystander(cluster, world)
    dead = cluster.led_by(world.topics.name("events"), node)
    processor.stop()
    ids = [payloads.new_id() for _ in range(40)]
    for id_ in ids:
        world.bizgo(payloads.bizgo(id_, "10000"))
    partitions = {record.key.decode(): record.partition for record in world.topics.read("events")}
    living = {id_ for id_ in ids if partitions[id_] not in dead}
    assert dead and living
    cluster.brokers[node].kill()
    processor.start().wait_ready(60)
    until("the others are read", lambda: stored(world).keys() >= living, 60, every=0.1)
    cluster.start()
    until("all are read", lambda: stored(world).keys() >= set(ids), 60, every=0.1)
    assert ingress.is_alive()


# --- the watch beside it

HIDDEN = "dochak_processor_watch_partitions_hidden"
DEAD, OF_THE_FRONT_DOOR, OF_M3 = {0, 3}, 0, 4  # partitions: on the broker that dies; by the keys "dochak" and "m3"


STARTS_OVER, CANNOT_SEE = "^watch starts over", "^the watch cannot see partitions"


def counts(processor: Service) -> list[int]:
    """How often it was said until now. Before that, the group may have had its coordinator on that broker."""
    return [len(processor.log_lines(text)) for text in (STARTS_OVER, CANNOT_SEE)]


def looks(processor: Service) -> float:
    return processor.metrics().get("dochak_processor_watch_seconds_count", 0)


@pytest.mark.long
def test_beside_a_partition_without_leader_the_watch_judges_the_front_door_and_nothing_that_could_be_in_there(
    cluster: KafkaCluster, worlds, postgres: Server, tmp_path: Path, whole_again: None
) -> None:
    """The certificate of the front door ends soon, and the event that says so belongs to that partition. A message is overdue whose own
    partition lives: its receipt could be in the spool."""
    world = worlds.new(cluster, postgres, migrated=False)
    cluster.make_topic(world.topics.name("events"), PARTITIONS, on=[3, 1, 2, 3, 1, 2])
    world.migrate()
    settings = with_times(world, receipt_within_s=15, expires_after_s=3600)
    _, before = spooling(world, tmp_path, **settings), working(world, **settings)
    world.register(payloads.accepted("bizgo", "m3"))
    world.wait_row("bizgo", "m3", status="PENDING")
    world.settle()
    assert [record.partition for record in world.records("events", "m3")] == [OF_M3]
    before.stop()
    ca = Authority(tmp_path / "ca")
    cluster.brokers[3].kill()
    with server(Answer(body=ours(world.keys["PING"])), ca.issue("door", "localhost", days=5)) as port:
        door = {"DOCHAK_PUBLIC_URL": f"https://localhost:{port}", "DOCHAK_PUBLIC_CA": str(ca.certificate)}
        processor = world.new_processor(DOCHAK_WORKERS="1", **settings, **door)
        processor.expected_errors.append(LIBRDKAFKA)
        processor.start().wait_ready(60)
        until_equal("the partitions are hidden", lambda: processor.metrics().get(HIDDEN), len(DEAD), 60, every=0.1)
        said = counts(processor)
        until_equal("the certificate is said to end", lambda: [a.data["scope"] for a in world.alerts()], ["certificate, 14 days"], 60)
        until("m3 is overdue", lambda: world.sql("SELECT 1 FROM notification WHERE due_at < now()"), 30)
        seen = looks(processor)
        until("the watch has looked again and again", lambda: looks(processor) >= seen + 5, 60)
        assert len(world.alerts()) == 1
        assert counts(processor) == said
        line = processor.log_lines(CANNOT_SEE)[-1]
        assert (line["topic"], line["partitions"]) == (world.topics.name("events"), "0,3")
        assert line["error"] in ("LEADER_NOT_AVAILABLE", "_TIMED_OUT")  # the cluster may still be electing when it is asked
        cluster.start()
        until_equal("nothing is hidden", lambda: processor.metrics().get(HIDDEN), 0, 60)
        # The spool empties first, and then ingress's record of a whole minute must say so.
        until_equal("it is said that m3 is overdue", lambda: [a.type for a in world.alerts("m3")], ["dochak.notification.overdue.v1"], 150)
    (event,) = [record for record in world.records("events", "dochak") if not record.is_minute]
    assert event.partition not in DEAD
    world.foreign = True
    world.topics.produce("events", b"where it would have gone", b"dochak")
    world.topics.flush()
    assert OF_THE_FRONT_DOOR in {record.partition for record in world.topics.read("events") if record.key == b"dochak"}


# --- a topic that cannot be written

GOOD = 40
FEW = 5


def mixed(world: World, count: int = GOOD) -> list[float]:
    """Good receipts, each followed by a body that goes to quarantine; the seconds until each was acknowledged."""
    seconds = []
    for _ in range(count):
        for body in (payloads.to_bytes(payloads.bizgo(payloads.new_id(), "10000")), b"not understood " + payloads.new_id().encode()):
            began = time.monotonic()
            assert world.post("bizgo/alimtalk", body).status == 200
            seconds.append(time.monotonic() - began)
    return seconds


def check_only_quarantine_waits(world: World, ingress: Service, before: int) -> None:
    first = mixed(world, 5)  # they learn it
    later = mixed(world)
    waiting, live = spooled(ingress), len(world.topics.read("events")) - before
    print(f"acks at first {max(first):.2f} s at most, then {max(later):.2f} s; {waiting} in the spool, {live} live")
    assert max(first) < (BUDGET + SLACK) * builds.patience()
    # A few may have met a busy machine. If each waited for the topic, half of them would be late.
    assert sorted(later)[-1 - FEW] < 0.5 * builds.patience()
    # The first bad body may have been on its way when the topic became sick.
    assert GOOD + 4 <= waiting <= GOOD + 5 + FEW and live >= GOOD + 5 - FEW
    assert ingress.log_lines("breaker"), "no line says that the topic is sick"


def check_quarantine_arrives(world: World, ingress: Service) -> None:
    wait_empty(ingress)
    values = [record.value for record in world.topics.read("quarantine")]
    assert len(values) == len(set(values)) == GOOD + 5
    until_equal("the breaker is closed", lambda: breaker_open(ingress), 0, 10)


def test_a_quarantine_topic_without_leader_holds_up_no_receipt(
    cluster: KafkaCluster, worlds, postgres: Server, tmp_path: Path, whole_again: None
) -> None:
    world = worlds.new(cluster, postgres, migrated=False)
    cluster.make_topic(world.topics.name("quarantine"), 2, on=3)
    world.migrate()
    ingress = spooling(world, tmp_path)
    cluster.brokers[3].kill()
    until("a receipt is acknowledged by Kafka again", lambda: is_live(world, ingress), 30)
    check_only_quarantine_waits(world, ingress, len(world.topics.read("events")))
    cluster.start()
    check_quarantine_arrives(world, ingress)


def is_live(world: World, ingress: Service) -> bool:
    """The topics with three copies have leaders again, and nothing waits. Until then a busy machine may take too long even for the spool."""
    before = acked_by(ingress, "kafka")
    status = world.post("bizgo/alimtalk", payloads.bizgo(payloads.new_id(), "10000")).status
    assert status in (200, 503)
    return status == 200 and acked_by(ingress, "kafka") > before and spooled(ingress) == 0


AUTHORIZER = """
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=true
"""


@pytest.fixture(scope="module")
def strict_kafka(run_folder: Path) -> Iterator[Server]:
    """One broker that asks its ACLs."""
    server = servers.kafka(run_folder / "kafka-strict")
    server.folder.mkdir()
    (server.folder / "extra.properties").write_text(AUTHORIZER)
    try:
        server.start()
        yield server
    finally:
        server.wipe()


class Denial:
    """An ACL that denies us one operation on the quarantine topic."""

    def __init__(self, kafka: Server, topic: str, operation: AclOperation) -> None:
        self.admin = AdminClient({"bootstrap.servers": kafka.address, **QUIET})
        place = (ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, "User:ANONYMOUS", "*", operation)
        self.filter = AclBindingFilter(*place, AclPermissionType.DENY)
        for future in self.admin.create_acls([AclBinding(*place, AclPermissionType.DENY)]).values():
            future.result(10)
        until("the broker knows that it is denied", lambda: self.admin.describe_acls(self.filter).result(10))

    def end(self) -> None:
        for future in self.admin.delete_acls([self.filter]).values():
            future.result(10)


DENIED = "TOPIC_AUTHORIZATION_FAILED|Topic authorization failed|quarantine"


def check_log_names(ingress: Service, topic: str, error: str) -> None:
    told = json.dumps(ingress.log_lines("kafka breaker opened"))
    assert topic in told and error in told, f"the log does not name the topic and Kafka's error: {told}"


def test_a_quarantine_topic_that_no_acl_lets_us_write_holds_up_no_receipt(worlds, strict_kafka: Server, postgres: Server, tmp_path: Path) -> None:
    world = worlds.new(strict_kafka, postgres)
    ingress = spooling(world, tmp_path)
    ingress.expected_errors.append(DENIED)
    denial = Denial(strict_kafka, world.topics.name("quarantine"), AclOperation.WRITE)
    check_only_quarantine_waits(world, ingress, 0)
    check_log_names(ingress, world.topics.name("quarantine"), "TOPIC_AUTHORIZATION_FAILED")
    denial.end()
    check_quarantine_arrives(world, ingress)


# --- a topic that cannot be seen when ingress starts


def check_only_quarantine_waits_from_the_start(world: World, ingress: Service, error: str) -> None:
    until("a receipt is acknowledged by Kafka", lambda: is_live(world, ingress), 30)
    check_only_quarantine_waits(world, ingress, len(world.topics.read("events")))
    check_log_names(ingress, world.topics.name("quarantine"), error)


def test_a_start_without_permission_to_see_the_quarantine_topic_holds_up_no_receipt(
    worlds, strict_kafka: Server, postgres: Server, tmp_path: Path
) -> None:
    world = worlds.new(strict_kafka, postgres)
    denial = Denial(strict_kafka, world.topics.name("quarantine"), AclOperation.DESCRIBE)
    ingress = spooling(world, tmp_path)
    ingress.expected_errors.append(DENIED)
    check_only_quarantine_waits_from_the_start(world, ingress, "TOPIC_AUTHORIZATION_FAILED")
    denial.end()
    check_quarantine_arrives(world, ingress)


@pytest.mark.parametrize("survives", ["process", "machine"])
def test_a_start_without_the_quarantine_topic_holds_up_no_receipt(world: World, tmp_path: Path, survives: str) -> None:
    """Where an ack has to survive a machine, too: the settings of the topics that are there are enough."""
    synced = {"flush.messages": "1"} if survives == "machine" else {}
    for name, value in synced.items():
        world.topics.set(name, value)
    world.topics.delete_one("quarantine")
    ingress = spooling(world, tmp_path, DOCHAK_ACK_SURVIVES=survives)
    check_only_quarantine_waits_from_the_start(world, ingress, "UNKNOWN_TOPIC_OR_PART")
    world.migrate()
    for name, value in synced.items():
        world.topics.set(name, value)
    check_quarantine_arrives(world, ingress)


# --- a full local queue


QUEUE, BATCH = 10_000, 4_000  # the smallest queue that is allowed; events of one request


def batches() -> Iterator[Post]:
    while True:
        ids = [payloads.new_id() for _ in range(BATCH)]
        events = [{"event_type": "notification:sms:received", "payload": {"notification_id": id_}} for id_ in ids]
        yield Post(ids[0], "blux/sms", payloads.blux(*events))


@pytest.mark.alone
def test_a_full_local_queue_is_no_outage(world: World, tmp_path: Path) -> None:
    """Requests of 4,000 events, five at once, into a queue of 10,000: what fits is acknowledged by Kafka, and nothing is stored by both."""
    properties = tmp_path / "kafka.properties"
    properties.write_text(f"queue.buffering.max.messages={QUEUE}\n")
    # A long budget: on a busy machine none of it runs out, which would store an event twice for another reason.
    ingress = spooling(world, tmp_path, DOCHAK_KAFKA_PROPERTIES=str(properties), DOCHAK_ACK_BUDGET_MS="7000")
    world.foreign = True
    with Senders(world, batches(), 5) as senders:
        senders.wait_acked(12)
        opened = breaker_open(ingress)
    live, by_spool = acked_by(ingress, "kafka"), acked_by(ingress, "spool")
    wait_empty(ingress)
    subjects = [record.header("ce_subject") for record in world.topics.read("events")]
    print(
        f"{len(senders.sent)} requests: {senders.statuses}, {latency(senders.sent)}; live {live}, by spool {by_spool}; "
        f"{len(subjects)} events, {len(subjects) - len(set(subjects))} twice; breaker {opened}"
    )
    assert set(senders.statuses) == {200} and senders.slowest < 8.0 * builds.patience()
    assert len(set(subjects)) == BATCH * len(senders.acked) and senders.acked <= set(subjects)
    assert len(subjects) == len(set(subjects)), "what was queued went to the spool as well"
    assert live > 0 and opened == 0


# --- after an outage


def test_after_an_outage_the_breaker_closes_without_a_new_webhook(worlds, own_kafka: Server, postgres: Server, tmp_path: Path) -> None:
    """A broker that stands still for 20 s: what the spool brings is report enough that it is back."""
    world = worlds.new(own_kafka, postgres)
    ingress = spooling(world, tmp_path)
    own_kafka.freeze()
    try:
        ids = {payloads.new_id() for _ in range(30)}
        frozen = time.monotonic()
        for id_ in ids:
            world.bizgo(payloads.bizgo(id_, "10000"))
        until("the breaker is open", lambda: breaker_open(ingress) > 0, 15)
        let_pass(max(0.0, 20 - (time.monotonic() - frozen)))
    finally:
        own_kafka.thaw()
    began = time.monotonic()
    until_equal("the breaker is closed", lambda: breaker_open(ingress), 0, 30, every=0.1)
    print(f"closed {time.monotonic() - began:.1f} s after the broker's return")
    wait_empty(ingress)
    assert ids <= {record.key.decode() for record in world.topics.read("events")}
    began = time.monotonic()
    world.bizgo(payloads.bizgo(payloads.new_id(), "10000"))
    assert time.monotonic() - began < 0.5 * builds.patience()


@pytest.mark.slow
def test_after_75_s_without_kafka_the_breaker_closes_without_a_new_webhook(worlds, own_kafka: Server, postgres: Server, tmp_path: Path) -> None:
    world = worlds.new(own_kafka, postgres)
    ingress = spooling(world, tmp_path)
    own_kafka.kill()
    with Senders(world, paced(new_reports(), 100), 8) as senders:
        let_pass(75)
    waiting = spooled(ingress)
    own_kafka.start()
    began = time.monotonic()
    wait_empty(ingress)
    emptied = time.monotonic() - began
    until_equal("the breaker is closed", lambda: breaker_open(ingress), 0, 15, every=0.1)
    print(f"{waiting} waited; the spool was empty {emptied:.1f} s and the breaker closed {time.monotonic() - began:.1f} s after Kafka was back")
    assert set(senders.statuses) == {200}
    own = waiting - len(senders.acked)  # what ingress counts each minute waits in the spool, too
    assert 0 <= own <= len(world.topics.minutes())
    assert senders.acked <= {record.key.decode() for record in world.topics.read("events")}


# --- a dead partition of alerts


def test_where_alerts_has_no_leader_the_processor_names_topic_partition_and_error(
    cluster: KafkaCluster, worlds, postgres: Server, tmp_path: Path, whole_again: None
) -> None:
    """Exactly once has to wait for it: the operator has to see for what."""
    world = worlds.new(cluster, postgres, migrated=False)
    cluster.make_topic(world.topics.name("alerts"), 1, on=3)
    world.migrate()
    ingress, processor = spooling(world, tmp_path), working(world, DOCHAK_WORKERS="1")
    world.bizgo(payloads.bizgo("before", "64008"))
    world.wait_row("bizgo", "before", status="DEAD_LETTER")
    world.settle()
    cluster.brokers[3].kill()
    until("a receipt is acknowledged by Kafka again", lambda: is_live(world, ingress), 30)
    world.bizgo(payloads.bizgo("meanwhile", "64008"))
    place = f"{world.topics.name('alerts')} [0]"
    until("readiness names the partition", lambda: place in processor.get("/readyz").body.decode(), 60, every=0.1)
    ready = processor.get("/readyz")
    print(ready.body.decode())
    assert ready.status == 503 and "_MSG_TIMED_OUT" in ready.json()["reason"], ready
    named = re.compile(rf"{re.escape(place)}.*_MSG_TIMED_OUT")
    until("the log names it, with the error", lambda: any(named.search(json.dumps(line)) for line in processor.log()))
    assert processor.get("/livez").status == 200
    cluster.start()
    processor.wait_ready(60)
    until_equal("both are told", lambda: len(world.notification_alerts()), 2, 60)
    world.settle(60)
    assert sorted(alert.header("ce_subject") for alert in world.notification_alerts()) == ["before", "meanwhile"]
