# SPDX-License-Identifier: MIT
"""A backlog of receipts as ingress leaves it while no processor runs.

Ingress itself makes one record of each kind, out of a webhook; the backlog is many copies, each with ids and times of its own. Three of
four are BizGo's, the others Blux's; 3 % say failed, so that there is something to alert on; 5 % are a receipt that was sent before.
"""

import json
import random
import string
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from broker import Broker
from confluent_kafka import Consumer, Producer, TopicPartition
from load import bizgo_report
from servers import OURS, Server

FAILED = 0.03
REPEATED = 0.05
BLUX = 0.25
REPEAT_WITHIN = 5000  # records
SETTLE_SECONDS = 30
SEED = 20260112
BEGIN = datetime(2026, 1, 12, 2, 0, tzinfo=UTC)
STEP = timedelta(milliseconds=1)  # between two receipts


def blux_result(notification_id: str, delivered: bool = True) -> bytes:
    status = "received" if delivered else "receive_failed"
    payload = {
        "application_id": "65f1a2b3c4d5e6f7a8b9c0d1",
        "blux_user_id": "65f1a2b3c4d5e6f7a8b9c0d2",
        "user_id": "user_123",
        "notification_id": notification_id,
        "phone_number": "01012345678",
        "status": status,
        "received_at": "2026-05-11T10:23:45.123Z",
    }
    return json.dumps({"events": [{"event_type": f"notification:sms:{status}", "payload": payload}]}).encode()


def bizgo_key(at: datetime, chance: random.Random) -> str:
    """As the provider documents it: 17 digits of time, letters and digits, the number of the recipient."""
    return f"{at:%Y%m%d%H%M%S}{at.microsecond // 1000:03d}{''.join(chance.choices(string.ascii_letters + string.digits, k=12))}001"


def blux_id(at: datetime, chance: random.Random) -> str:
    """Like the other ids of its payload: seconds, then chance."""
    return f"{int(at.timestamp()):08x}{chance.getrandbits(64):016x}"


@dataclass(frozen=True)
class Kind:
    webhook: str  # the path of the endpoint's URL
    body: Callable[[str], bytes]
    new_id: Callable[[datetime, random.Random], str]
    share: float


KINDS = (
    Kind("bizgo", bizgo_report, bizgo_key, (1 - BLUX) * (1 - FAILED)),
    Kind("bizgo", lambda key: bizgo_report(key, "63020"), bizgo_key, (1 - BLUX) * FAILED),
    Kind("blux", blux_result, blux_id, BLUX * (1 - FAILED)),
    Kind("blux", lambda key: blux_result(key, False), blux_id, BLUX * FAILED),
)


def acceptance(notification_id: str) -> bytes:
    """As our application registers it."""
    given = {"provider": "bizgo", "notification_id": notification_id, "channel": "ALIMTALK", "recipient": "+821012345678", "reference": "order-17"}
    return json.dumps(given).encode()


@dataclass(frozen=True)
class Template:
    """A record of ingress, ready to be made into another."""

    id: bytes  # the notification's
    value: bytes
    headers: dict[str, bytes]

    def record(self, notification_id: str, event: uuid.UUID, time: bytes) -> tuple[bytes, bytes, list]:
        key = notification_id.encode()
        own = {"ce_id": str(event).encode(), "ce_time": time, "ce_subject": key}
        return key, self.value.replace(self.id, key), list({**self.headers, **own}.items())


def make_templates(server: Server, broker: Broker) -> list[Template]:
    """Of each kind, then that of the acceptance. `server` is ingress, as new as its topic."""
    before = broker.wait_records(OURS.topic, 1, SETTLE_SECONDS)  # the call that found it ready; it may have come by way of the spool
    ids = [f"template-{number}" for number in range(len(KINDS) + 1)]
    for notification_id, kind in zip(ids, KINDS):
        server.post(server.url.replace("/bizgo/", f"/{kind.webhook}/"), kind.body(notification_id))
    server.register(acceptance(ids[-1]))
    broker.wait_records(OURS.topic, before + len(ids), SETTLE_SECONDS)
    found = {}
    for message in read_all(broker.address, OURS.topic):
        found[message.key().decode()] = Template(message.key(), message.value(), dict(message.headers()))
    return [found[notification_id] for notification_id in ids]


def read_all(bootstrap: str, topic: str) -> Iterator:
    """What the topic holds at this moment."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "bench-reader", "enable.auto.commit": False, "log_level": 0})
    try:
        partitions = [TopicPartition(topic, number) for number in consumer.list_topics(topic, 10).topics[topic].partitions]
        ends = [consumer.get_watermark_offsets(partition, 10)[1] for partition in partitions]
        consumer.assign([TopicPartition(topic, partition.partition, 0) for partition in partitions])
        left = sum(ends)
        while left:
            for message in consumer.consume(min(left, 1000), 10):
                left -= 1
                yield message
    finally:
        consumer.close()


# Its kind's number, notification, time and the source of its chance.
Record = tuple[int, str, datetime, random.Random]


def receipts(count: int) -> Iterator[Record]:
    """The same ones each time."""
    chance = random.Random(SEED)
    shares = [kind.share for kind in KINDS]
    kinds = chance.choices(range(len(KINDS)), shares, k=count)
    recent: list[tuple[int, str]] = []
    for number in range(count):
        at = BEGIN + number * STEP
        if recent and chance.random() < REPEATED:
            kind, notification_id = recent[chance.randrange(len(recent))]
        else:
            kind = kinds[number]
            notification_id = KINDS[kind].new_id(at, chance)
            if len(recent) < REPEAT_WITHIN:
                recent.append((kind, notification_id))
            else:
                recent[number % REPEAT_WITHIN] = (kind, notification_id)
        yield kind, notification_id, at, chance


def of_each(ids: list[str], chance: random.Random, step: int, kind: Callable[[], int]) -> Iterator[Record]:
    """A record on each of BizGo's notifications; the records of one step are later than those of the steps before."""
    for number, notification_id in enumerate(ids):
        yield kind(), notification_id, BEGIN + (step * len(ids) + number) * STEP, chance


def lives(count: int) -> tuple[Iterator[Record], ...]:
    """Of so many notifications, to be taken in this order: the acceptances, a receipt of each, and one of each that says failed."""
    chance = random.Random(SEED)
    ids = [bizgo_key(BEGIN + number * STEP, chance) for number in range(count)]
    accepted = of_each(ids, chance, 0, lambda: len(KINDS))
    reported = of_each(ids, chance, 1, lambda: int(chance.random() < FAILED))
    return accepted, reported, of_each(ids, chance, 2, lambda: 1)


def registered(count: int) -> Iterator[Record]:
    """The same, of BizGo's alone: first all acceptances, then a receipt of each."""
    accepted, reported, _ = lives(count // 2)
    yield from accepted
    yield from reported


def fill(bootstrap: str, topic: str, templates: list[Template], records: Iterable[Record]) -> None:
    # As ingress' own producer, but in larger requests.
    producer = Producer(
        {"bootstrap.servers": bootstrap, "partitioner": "murmur2_random", "linger.ms": 20, "queue.buffering.max.messages": 200_000}
    )
    for kind, notification_id, at, chance in records:
        event = uuid.UUID(int=chance.getrandbits(128), version=4)
        time = at.isoformat(timespec="milliseconds").replace("+00:00", "Z").encode()
        key, value, headers = templates[kind].record(notification_id, event, time)
        while True:
            try:
                producer.produce(topic, value, key, headers=headers)
                break
            except BufferError:
                producer.poll(0.1)
    if producer.flush(60):
        raise SystemExit("the backlog did not get into Kafka")
