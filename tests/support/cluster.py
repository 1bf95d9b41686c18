# SPDX-License-Identifier: MIT
"""Several real servers that stand in for each other: three Kafka brokers, two Postgres servers.

Where a test's world wants one server, it is given one of these: its address is what clients are told, its port is where one asks now.
"""

import shutil
from pathlib import Path

import psycopg
from confluent_kafka.admin import AdminClient, NewTopic

from support.servers import Server
from support.topics import QUIET
from support.wait import until
from support.world import free_port

BROKERS = 3
START = 150.0  # seconds: three JVMs on a busy machine
OFFSETS, TRANSACTIONS = "__consumer_offsets", "__transaction_state"  # Kafka's own topics

# On top of the launcher's settings for one node.
EXTRA_PROPERTIES = """
node.id={node}
controller.quorum.voters={voters}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
default.replication.factor=3
min.insync.replicas=2
offsets.topic.replication.factor=3
transaction.state.log.replication.factor=3
transaction.state.log.min.isr=2
"""


def java_hash(text: str) -> int:
    """String.hashCode(), by which a coordinator's partition is chosen."""
    value = 0
    for unit in text.encode("utf-16-be")[1::2]:  # ASCII only, as our names are
        value = (31 * value + unit) & 0xFFFFFFFF
    return value - (1 << 32) if value >> 31 else value


class KafkaCluster:
    """Three nodes, each broker and controller; whatever one has acknowledged, two have."""

    def __init__(self, folder: Path):
        self.brokers: dict[int, Server] = {}  # by node id
        controllers = {node: free_port() for node in range(1, BROKERS + 1)}
        voters = ",".join(f"{node}@127.0.0.1:{port}" for node, port in controllers.items())
        for node, controller in controllers.items():
            broker = Server("kafka", folder / str(node), free_port(), KAFKA_HEAP_OPTS="-Xms64m -Xmx256m")
            broker.folder.mkdir(parents=True)
            properties = EXTRA_PROPERTIES.format(node=node, voters=voters, port=broker.port, controller=controller)
            (broker.folder / "extra.properties").write_text(properties)
            self.brokers[node] = broker
        self.address = ",".join(broker.address for broker in self.brokers.values())
        self._admin = AdminClient({"bootstrap.servers": self.address, "reconnect.backoff.max.ms": 500, **QUIET})

    def __enter__(self) -> "KafkaCluster":
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_) -> None:
        for broker in self.brokers.values():
            broker.wipe()

    def start(self) -> None:
        """Those that do not run, too; returns when every partition is in sync on all brokers that should have it."""
        for broker in self.brokers.values():
            broker.begin()
        for broker in self.brokers.values():
            broker.wait(int(START))
        until("all brokers are there and in sync", self._is_whole, START, every=0.1)

    def _is_whole(self) -> bool:
        known = self._admin.list_topics(timeout=10)
        partitions = [partition for topic in known.topics.values() for partition in topic.partitions.values()]
        return known.brokers.keys() == self.brokers.keys() and all(set(p.isrs) == set(p.replicas) for p in partitions)

    def make_topic(self, name: str, partitions: int, copies: int = BROKERS, on: int | list[int] | None = None) -> None:
        """With so many copies of each partition, one of which may acknowledge alone where there is but one; on: all on this node, or each on
        its own."""
        nodes = on if isinstance(on, list) else [on] * partitions
        placed = {"replica_assignment": [[node] for node in nodes]} if on else {"replication_factor": copies}
        alone = {"min.insync.replicas": "1"} if on or copies == 1 else {}
        self._admin.create_topics([NewTopic(name, partitions, config=alone, **placed)])[name].result(20)
        until(f"{name} is there", lambda: name in self._admin.list_topics(timeout=10).topics)

    # --- who does what

    def led_by(self, topic: str, node: int) -> set[int]:
        """The topic's partitions that this node leads."""
        partitions = self._admin.list_topics(topic, timeout=10).topics[topic].partitions.values()
        return {partition.id for partition in partitions if partition.leader == node}

    def leader(self, topic: str, partition: int) -> Server:
        def ask() -> Server | None:
            return self.brokers.get(self._admin.list_topics(topic, timeout=10).topics[topic].partitions[partition].leader)

        return until(f"{topic}/{partition} has a leader", ask)

    def group_coordinator(self, group: str) -> Server:
        return self._coordinator(OFFSETS, group)

    def transaction_coordinator(self, transactional_id: str) -> Server:
        return self._coordinator(TRANSACTIONS, transactional_id)

    def _coordinator(self, topic: str, name: str) -> Server:
        count = len(self._admin.list_topics(topic, timeout=10).topics[topic].partitions)
        return self.leader(topic, abs(java_hash(name)) % count)

    # --- harm

    @staticmethod
    def lose_disk(broker: Server) -> None:
        """Of one that is not running."""
        shutil.rmtree(broker.folder / "data")


class PostgresPair:
    """A primary, and a standby that has every commit before the primary acknowledges it."""

    def __init__(self, folder: Path):
        self.primary, self.standby = (Server("postgres", folder / name, free_port()) for name in ("one", "two"))
        # What libpq is told: both, and that only one of them will do.
        self.settings = {
            "PGHOST": "127.0.0.1,127.0.0.1",
            "PGPORT": f"{self.primary.port},{self.standby.port}",
        }

    @property
    def port(self) -> int:
        return self.primary.port

    def __enter__(self) -> "PostgresPair":
        try:
            self.primary.start()
            self.follow()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_) -> None:
        for server in (self.primary, self.standby):
            server.wipe()

    def follow(self) -> None:
        """The standby made anew from the primary; returns when no commit is acknowledged without it."""
        self.standby.wipe()
        self.standby.copy(self.primary)
        self.standby.start()
        set_everywhere(self.primary, "synchronous_standby_names", "*")
        until("the standby has each commit", lambda: ask(self.primary, "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'"))

    def promote(self) -> None:
        """After the primary's end: the standby takes over, alone."""
        assert ask(self.standby, "SELECT pg_promote()") == [(True,)]
        set_everywhere(self.standby, "synchronous_standby_names", "")  # it has the primary's settings
        self.primary, self.standby = self.standby, self.primary


def ask(server: Server, statement: str) -> list[tuple]:
    with psycopg.connect(host="127.0.0.1", port=server.port, user="dochak", dbname="postgres", autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def set_everywhere(server: Server, name: str, value: str) -> None:
    """A setting of the whole server; sessions that are open have it from their next transaction on."""
    ask(server, f"ALTER SYSTEM SET {name} = '{value}'")
    ask(server, "SELECT pg_reload_conf()")
