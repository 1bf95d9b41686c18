# SPDX-License-Identifier: MIT
"""Publishes the rows of an outbox (outbox.sql) on dochak.events, as CloudEvents in Kafka's binary mode, and deletes them.

pip install confluent-kafka 'psycopg[binary]'; KAFKA_BOOTSTRAP=localhost:9092 PGDATABASE=app python outbox.py

A row goes when Kafka has acknowledged its record. If this is killed before that, the next start sends the row again under the same ce_id,
and the same acceptance twice is one acceptance. The value follows schemas/event.accepted.schema.json. Whoever may write to
dochak.events may write receipts, too: if that is more than your application should be able to do, post to ingress instead.
"""

import json
import os
import time

import psycopg
from confluent_kafka import KafkaError, KafkaException, Message, Producer
from psycopg.rows import dict_row

TOPIC = os.environ.get("EVENTS_TOPIC", "dochak.events")
OPTIONAL = ("channel", "recipient", "reference")
TAKE = "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox ORDER BY accepted_at LIMIT 500 FOR UPDATE SKIP LOCKED) RETURNING *"


def headers_of(row: dict) -> dict[str, str]:
    return {
        "ce_specversion": "1.0",
        "ce_id": str(row["id"]),
        "ce_type": "dochak.notification.accepted.v1",
        "ce_source": "/outbox",
        "ce_subject": row["notification_id"],
        "ce_time": row["accepted_at"].isoformat(),
        "ce_provider": row["provider"],
        "content-type": "application/json",
    }


def value_of(row: dict) -> bytes:
    known = {name: row[name] for name in OPTIONAL if row[name] is not None}
    return json.dumps({"notification_id": row["notification_id"], "accepted_at": row["accepted_at"].isoformat(), **known}).encode()


def publish(producer: Producer, rows: list[dict]) -> None:
    """Returns when Kafka has acknowledged all of them."""
    refused = []

    def report(error: KafkaError | None, _record: Message) -> None:
        if error:
            refused.append(error)

    for row in rows:
        producer.produce(TOPIC, value_of(row), row["notification_id"], headers=headers_of(row), on_delivery=report)
    producer.flush()
    if refused:
        raise KafkaException(refused[0])


def main() -> None:
    producer = Producer(
        {
            "bootstrap.servers": os.environ.get("KAFKA_BOOTSTRAP", "localhost:9092"),
            "enable.idempotence": True,
            "partitioner": "murmur2_random",  # as ingress: all events of one notification are in one partition
        }
    )
    with psycopg.connect(autocommit=True, row_factory=dict_row) as connection:  # by PGHOST, PGUSER, PGDATABASE …
        while True:
            with connection.transaction():  # the rows are gone when it commits
                rows = connection.execute(TAKE).fetchall()
                publish(producer, rows)
            if not rows:
                time.sleep(0.5)


if __name__ == "__main__":
    main()
