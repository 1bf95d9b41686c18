# SPDX-License-Identifier: MIT
"""The topics as somebody else sees them: a read_committed reader, a producer that is not ours, and whether the processor is done."""

import json
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions, NewTopic, OffsetSpec, ResourceType

from support import builds
from support.wait import until

QUIET = {"log_level": 0}  # librdkafka's own lines about brokers that we have killed ourselves
TIMEOUT = 10.0
MINUTE = b"dochak.endpoint.minute.v1"
NOT_YET = {
    KafkaError.FENCED_LEADER_EPOCH,
    KafkaError.UNKNOWN_LEADER_EPOCH,  # a topic that is as good as made, a broker that is as good as back
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.NOT_COORDINATOR,
    KafkaError.OFFSET_NOT_AVAILABLE,
    KafkaError._TRANSPORT,
    KafkaError._TIMED_OUT,
    KafkaError.REQUEST_TIMED_OUT,
    KafkaError._NOENT,  # no leader was found
    KafkaError.NON_EMPTY_GROUP,  # its last member has just left
}
T = TypeVar("T")


def results(futures: dict[Any, Future]) -> list:
    """What the broker answered for each; raises if it refused one."""
    return [future.result(TIMEOUT) for future in futures.values()]


@dataclass
class Record:
    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]
    timestamp: int

    def header(self, name: str) -> str | None:
        values = [value for key, value in self.headers if key == name]
        assert len(values) <= 1, f"{name} stands {len(values)} times in {self}"
        return values[0].decode() if values and values[0] is not None else None

    @property
    def id(self) -> str | None:
        return self.header("ce_id")

    @property
    def type(self) -> str | None:
        return self.header("ce_type")

    @property
    def is_minute(self) -> bool:
        return ("ce_type", MINUTE) in self.headers

    @property
    def data(self):
        return json.loads(self.value)


class Reader:
    """All that a topic holds for a read_committed reader, in the order of each partition."""

    def __init__(self, bootstrap: str, topic: str):
        self.topic = topic
        self.records: list[Record] = []
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "not-used",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "isolation.level": "read_committed",
                "fetch.wait.max.ms": 250,  # with less, six tests' readers keep the broker busy all the time
                "reconnect.backoff.max.ms": 500,
                "auto.offset.reset": "earliest",
                **QUIET,
            }
        )
        # A topic that was made a moment ago may not have reached the broker that is asked.
        partitions = until(f"there is the topic {topic}", lambda: self._consumer.list_topics(topic, TIMEOUT).topics[topic].partitions)
        self._reached = dict.fromkeys(partitions, 0)
        self._consumer.assign([TopicPartition(topic, p, 0) for p in partitions])

    def poll(self, timeout: float = 0.0) -> bool:
        """Takes in what is there, for at most so long; whether it was anything."""
        for message in (messages := self._consumer.consume(500, timeout)):
            if message.error() is None:
                self._reached[message.partition()] = message.offset() + 1
                self.records.append(_record(message))
            elif message.error().code() == KafkaError._PARTITION_EOF:
                self._reached[message.partition()] = message.offset()
        return bool(messages)

    def read_to(self, ends: dict[int, int]) -> list[Record]:
        """Everything before the given offset of each partition, however long it takes as long as something comes."""
        while any(self._reached[p] < end for p, end in ends.items()):
            until(f"{self.topic} is read up to {ends}: something comes", lambda: self.poll(0.05), every=0)
        return self.records

    def wait_count(self, count: int, deadline: float = 15.0) -> list[Record]:
        """The records, as soon as there are so many."""

        def there() -> bool:
            if len(self.records) < count:
                self.poll(0.02)
            return len(self.records) >= count

        until(f"{self.topic} holds {count} records", there, deadline, every=0)
        return self.records

    def next_offsets(self) -> dict[int, int]:
        """The offset behind the last record of each partition that has any; a transaction's marks do not count."""
        return {record.partition: record.offset + 1 for record in self.records}

    def close(self) -> None:
        self._consumer.close()


def _record(message) -> Record:
    return Record(
        message.topic(),
        message.partition(),
        message.offset(),
        message.key(),
        message.value(),
        message.headers() or [],
        message.timestamp()[1],
    )


class Topics:
    """The topics of one prefix and the consumer group that works on them."""

    NAMES = ("events", "alerts", "quarantine")

    def __init__(self, bootstrap: str, prefix: str, group: str):
        self.bootstrap = bootstrap
        self.prefix = prefix
        self.group = group
        self._admin = self._new_admin()
        self._readers: dict[str, Reader] = {}
        self._producer: Producer | None = None
        self._onlooker: Consumer | None = None  # asks for the group's offsets and is no member of it

    def _new_admin(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": self.bootstrap, "reconnect.backoff.max.ms": 500, **QUIET})

    def delete_one(self, short: str) -> None:
        """What is read under its name from now on is another's."""
        self._admin.delete_topics([self.name(short)], operation_timeout=TIMEOUT)[self.name(short)].result(2 * TIMEOUT)
        if short in self._readers:
            self._readers.pop(short).close()
        until(f"{short} is gone", lambda: self.name(short) not in self._admin.list_topics(timeout=TIMEOUT).topics)

    def name(self, short: str) -> str:
        return self.prefix + short

    def reader(self, short: str) -> Reader:
        if short not in self._readers:
            self._readers[short] = Reader(self.bootstrap, self.name(short))
        return self._readers[short]

    # --- reading

    def ends(self, short: str, isolation: IsolationLevel = IsolationLevel.READ_COMMITTED) -> dict[int, int]:
        latest = {TopicPartition(self.name(short), p): OffsetSpec.latest() for p in self.reader(short)._reached}

        def ask() -> dict[int, int]:
            asked = self._admin.list_offsets(latest, isolation_level=isolation, request_timeout=TIMEOUT)
            ends = {partition.partition: future.result().offset for partition, future in asked.items()}
            if min(ends.values()) < 0:  # librdkafka 2.16 says so, and not that its broker is gone
                raise KafkaException(KafkaError(KafkaError.LEADER_NOT_AVAILABLE))
            return ends

        return self._patiently(f"the broker tells where {self.name(short)} ends", ask)

    def _patiently(self, what: str, ask: Callable[[], T]) -> T:
        """Asks again while the broker is not there yet, or does not know yet what the controller knows."""

        def probe() -> list[T]:
            try:
                return [ask()]
            except KafkaException as error:
                if error.args[0].code() not in NOT_YET:
                    raise
                print(f"{what}: {error}")
                self._admin = self._new_admin()  # librdkafka 2.16 may ask an old leader, or with the old epoch, for ever
                return []

        return until(what, probe, 6 * TIMEOUT, every=0.2)[0]

    def read(self, short: str) -> list[Record]:
        """All records there are now, but for those that ingress writes by itself, each minute and at its end."""
        return [record for record in self._read_all(short) if not record.is_minute]

    def minutes(self) -> list[Record]:
        """What ingress has written by itself."""
        return [record for record in self._read_all("events") if record.is_minute]

    def _read_all(self, short: str) -> list[Record]:
        return self.reader(short).read_to(self.ends(short))

    def committed(self, short: str) -> dict[int, int]:
        """What the group has done, transactions that are not over left out; nothing where the broker cannot tell now."""
        if self._onlooker is None:
            # Not an AdminClient: where a coordinator has just come back, librdkafka 2.16 ends the process in its place.
            settings = {"group.id": self.group, "isolation.level": "read_committed", "reconnect.backoff.max.ms": 500}
            self._onlooker = Consumer({"bootstrap.servers": self.bootstrap, **settings, **QUIET})
        try:
            done = self._onlooker.committed([TopicPartition(self.name(short), p) for p in self.reader(short)._reached], TIMEOUT)
        except KafkaException as error:
            if error.args[0].code() in NOT_YET | {KafkaError.UNSTABLE_OFFSET_COMMIT}:
                return {}
            raise
        return {tp.partition: tp.offset for tp in done if not tp.error}

    def settled(self) -> bool:
        """The processor has nothing left to do: no transaction is open and every record's offset is committed."""
        ends = {short: self.ends(short, IsolationLevel.READ_UNCOMMITTED) for short in self.NAMES}
        if any(self.ends(short) != ends[short] for short in self.NAMES):
            return False
        for short in ("events", "quarantine"):
            committed = self.committed(short)
            self.reader(short).read_to(ends[short])
            if any(committed.get(p, -1) < end for p, end in self.reader(short).next_offsets().items()):
                return False
        return all(self.ends(short, IsolationLevel.READ_UNCOMMITTED) == ends[short] for short in self.NAMES)

    def forget_offsets(self) -> None:
        """The group starts over with the first record. It must have no member."""

        def forget() -> None:
            self._admin.delete_consumer_groups([self.group], request_timeout=TIMEOUT)[self.group].result(2 * TIMEOUT)

        self._patiently("the group's offsets are gone", forget)

    # --- writing, as others would

    def produce(self, short: str, value: bytes | None, key: bytes | str | None = None, headers=None, partition: int | None = None) -> None:
        """Durable when it returns after flush()."""
        if self._producer is None:
            self._producer = Producer({"bootstrap.servers": self.bootstrap, "acks": "all", "partitioner": "murmur2_random", **QUIET})
        extra = {} if partition is None else {"partition": partition}
        self._producer.produce(self.name(short), value=value, key=key, headers=headers or [], **extra)

    def flush(self) -> None:
        assert self._producer.flush(TIMEOUT * builds.patience()) == 0

    # --- being

    def delete_records(self, short: str, before: dict[int, int] | None = None) -> None:
        """As retention does: those before the given offset of each partition, or all."""
        reached = self.ends(short, IsolationLevel.READ_UNCOMMITTED) if before is None else before
        where = [TopicPartition(self.name(short), partition, offset) for partition, offset in reached.items()]
        self._patiently("the records are deleted", lambda: results(self._admin.delete_records(where)))

    def set(self, name: str, value: str) -> None:
        """A setting of those topics that ingress writes to. Returns once the broker says so, too: the controller learns it first."""
        entry = ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
        ours = [ConfigResource(ResourceType.TOPIC, self.name(short), incremental_configs=[entry]) for short in ("events", "quarantine")]
        self._patiently(f"{name} is set", lambda: results(self._admin.incremental_alter_configs(ours)))
        until(f"{name} is {value}", lambda: all(config[name].value == value for config in self._described(ours)))

    def create(self, short: str, partitions: int, **config: str) -> None:
        """As somebody else would, before migrate does. Returns once the broker knows it: the controller does first."""
        topic = NewTopic(self.name(short), partitions, config={name.replace("_", "."): value for name, value in config.items()})
        self._admin.create_topics([topic])[topic.topic].result(TIMEOUT)
        self.config(short)

    def add_partition(self, short: str) -> int:
        """Its number. What is read from now on is read from it, too."""
        number = len(self.reader(short)._reached)
        self._admin.create_partitions([NewPartitions(self.name(short), number + 1)])[self.name(short)].result(TIMEOUT)
        until("the broker knows it", lambda: number in self._admin.list_topics(self.name(short), TIMEOUT).topics[self.name(short)].partitions)
        self._readers.pop(short).close()
        return number

    def config(self, short: str) -> dict[str, str]:
        """The settings of a topic."""
        (described,) = self._described([ConfigResource(ResourceType.TOPIC, self.name(short))])
        return {name: entry.value for name, entry in described.items()}

    def _described(self, resources: list[ConfigResource]) -> list[dict[str, ConfigEntry]]:
        return self._patiently("the broker knows the topics", lambda: results(self._admin.describe_configs(resources)))

    def delete(self) -> None:
        """Does not wait for it."""
        self._admin.delete_topics([self.name(short) for short in self.NAMES], operation_timeout=TIMEOUT, request_timeout=TIMEOUT)

    def exists(self, short: str) -> bool:
        return self.name(short) in self._admin.list_topics(timeout=TIMEOUT).topics

    def are_gone(self) -> bool:
        return not {self.name(short) for short in self.NAMES} & self._admin.list_topics(timeout=TIMEOUT).topics.keys()

    def close(self) -> None:
        for reader in self._readers.values():
            reader.close()
        if self._onlooker:
            self._onlooker.close()
