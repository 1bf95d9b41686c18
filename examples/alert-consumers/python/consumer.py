# SPDX-License-Identifier: MIT
"""Shows each alert once. It may be killed at any moment: an alert that handle() did not finish comes again, one that it finished does not.

pip install confluent-kafka; KAFKA_BOOTSTRAP=localhost:9092 python consumer.py
"""

import json
import os
import sqlite3

from confluent_kafka import Consumer, KafkaException


def handle(kind: str, alert: dict) -> None:
    """What you do with an alert. If it raises, the program ends, and the alert comes again at the next start."""
    print(kind, json.dumps(alert, ensure_ascii=False), flush=True)


def main() -> None:
    group = os.environ.get("GROUP_ID", "on-call")
    consumer = Consumer(
        {
            "bootstrap.servers": os.environ.get("KAFKA_BOOTSTRAP", "localhost:9092"),
            "group.id": group,
            "group.instance.id": group,  # one instance, which the group knows again at once after a crash
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
        }
    )
    seen = sqlite3.connect(os.environ.get("STATE_FILE", "alerts.sqlite"))
    seen.execute("CREATE TABLE IF NOT EXISTS seen (ce_id TEXT PRIMARY KEY, at TEXT DEFAULT CURRENT_TIMESTAMP)")
    consumer.subscribe([os.environ.get("ALERTS_TOPIC", "dochak.alerts")])
    while True:
        record = consumer.poll(1)
        if record is None:
            continue
        if record.error():
            raise KafkaException(record.error())
        attributes = {name: value.decode() for name, value in record.headers()}
        with seen:  # one transaction: an alert is remembered only if handle() returns
            if seen.execute("INSERT OR IGNORE INTO seen (ce_id) VALUES (?)", [attributes["ce_id"]]).rowcount:
                handle(attributes["ce_type"], json.loads(record.value()))
        consumer.commit(record, asynchronous=False)


if __name__ == "__main__":
    main()
