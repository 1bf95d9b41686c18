# SPDX-License-Identifier: MIT
"""What the processor does, as one writes it first: confluent-kafka and psycopg, one statement a record.

It commits in Postgres after every $COMMIT_EVERY records, then in Kafka. A receipt and what it says of its notification are one statement,
an alert is produced for each new dead letter. It ends after $RECORDS records and prints how long they took, from the first one.
"""

import json
import os
import time

import psycopg
from confluent_kafka import Consumer, KafkaException, Producer

FAILED = {"63020", "notification:sms:receive_failed"}
STATEMENT = """
WITH fresh AS (
  INSERT INTO receipt (provider, notification_id, code, outcome, element, received_at, event_id)
  VALUES (%(provider)s, %(id)s, %(code)s, %(outcome)s, %(element)s, %(received_at)s, %(event_id)s)
  ON CONFLICT DO NOTHING
  RETURNING 1
)
INSERT INTO notification AS n (provider, notification_id, status, code, channel, resolved_at)
SELECT %(provider)s, %(id)s, %(status)s, %(code)s, %(channel)s, %(resolved_at)s FROM fresh
ON CONFLICT (provider, notification_id) DO UPDATE SET status = excluded.status, code = excluded.code, resolved_at = excluded.resolved_at
WHERE n.status <> 'SENT'
"""


def read_bizgo(element: dict) -> dict:
    return {
        "id": element["msgKey"],
        "code": element["reportCode"],
        "channel": element["serviceType"],
        "resolved_at": element["reportTime"],
    }


def read_blux(element: dict) -> dict:
    payload = element["payload"]
    return {
        "id": payload["notification_id"],
        "code": element["event_type"],
        "channel": "SMS",
        "resolved_at": payload["received_at"],
    }


READERS = {"bizgo": read_bizgo, "blux": read_blux}


def read(message) -> dict:
    headers = {name: value.decode() for name, value in message.headers()}
    element = message.value().decode()
    receipt = READERS[headers["ce_provider"]](json.loads(element))
    failed = receipt["code"] in FAILED
    return {
        **receipt,
        "provider": headers["ce_provider"],
        "event_id": headers["ce_id"],
        "received_at": headers["ce_time"],
        "element": element,
        "outcome": "failed" if failed else "delivered",
        "status": "DEAD_LETTER" if failed else "SENT",
    }


def main() -> None:
    records, commit_every = int(os.environ["RECORDS"]), int(os.environ["COMMIT_EVERY"])
    bootstrap = os.environ["KAFKA_BOOTSTRAP"]
    producer = Producer({"bootstrap.servers": bootstrap})
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": os.environ["GROUP"],
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    consumer.subscribe([os.environ["TOPIC"]])
    done, began = 0, None
    with psycopg.connect() as connection:
        while done < records:
            message = consumer.poll(1.0)
            if message is None:
                continue
            if message.error():
                raise KafkaException(message.error())
            began = began or time.monotonic()
            receipt = read(message)
            changed = connection.execute(STATEMENT, receipt).rowcount
            if changed and receipt["outcome"] == "failed":
                producer.produce(os.environ["ALERTS"], json.dumps(receipt), receipt["id"])
                producer.poll(0)
            done += 1
            if done % commit_every == 0 or done == records:
                connection.commit()
                consumer.commit(asynchronous=True)
    producer.flush()
    print(f"RESULT {time.monotonic() - began}")
    consumer.close()


if __name__ == "__main__":
    main()
