# SPDX-License-Identifier: MIT
"""Posts alerts to Slack, or to any other webhook that takes {"text": …}, such as Mattermost's.

pip install confluent-kafka; KAFKA_BOOTSTRAP=localhost:9092 SLACK_WEBHOOK_URL=https://hooks.slack.com/services/… python slack.py

It remembers in STATE_FILE which alerts Slack has taken. Slack has no idempotency key: if this is killed between Slack's answer and the
write to STATE_FILE, a moment, that one message comes twice.
"""

import json
import os
import sqlite3
import sys
import time
import urllib.error
import urllib.request

from confluent_kafka import Consumer, KafkaException

# By the beginning of ce_type. A send that fails for 10,000 recipients makes 10,000 dead letters and one incident. To hear of the incident
# only, leave out dochak.notification.
WANTED = tuple(os.environ.get("WANTED", "dochak.").split(","))


def text_of(kind: str, alert: dict) -> str:
    title = f"*{kind.removeprefix('dochak.').removesuffix('.v1')}*"
    if "incident_id" in alert:
        lines = [f"{title} {alert['summary']}", *(f"• {step}" for step in alert["check_first"])]
    elif "notification_id" in alert:
        about = [alert["provider"], alert["notification_id"], alert["recipient"], alert["reference"], alert["code"], alert["reason"]]
        lines = [f"{title} {', '.join(filter(None, about))}"]
    else:
        lines = [f"{title} {json.dumps(alert, ensure_ascii=False)}"]
    return "\n".join(lines).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def post(url: str, body: dict) -> None:
    """Returns when it is taken. What is refused for good ends the program; the alert comes again at the next start."""
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    for pause in (1, 5, 25, 60, None):
        try:
            urllib.request.urlopen(request, timeout=10).close()
            return
        except OSError as error:
            status = error.code if isinstance(error, urllib.error.HTTPError) else None
            if pause is None or (status and status < 500 and status != 429):
                raise
            print(f"not taken, tried again: {error}", file=sys.stderr, flush=True)
            time.sleep(float(error.headers.get("Retry-After") or pause) if status == 429 else pause)


def main() -> None:
    url = os.environ["SLACK_WEBHOOK_URL"]
    group = os.environ.get("GROUP_ID", "slack")
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
    seen = sqlite3.connect(os.environ.get("STATE_FILE", "slack.sqlite"))
    seen.execute("CREATE TABLE IF NOT EXISTS seen (ce_id TEXT PRIMARY KEY, at TEXT DEFAULT CURRENT_TIMESTAMP)")
    consumer.subscribe([os.environ.get("ALERTS_TOPIC", "dochak.alerts")])
    while True:
        record = consumer.poll(1)
        if record is None:
            continue
        if record.error():
            raise KafkaException(record.error())
        attributes = {name: value.decode() for name, value in record.headers()}
        with seen:  # one transaction: an alert is remembered only if Slack has taken it
            new = seen.execute("INSERT OR IGNORE INTO seen (ce_id) VALUES (?)", [attributes["ce_id"]]).rowcount
            if new and attributes["ce_type"].startswith(WANTED):
                post(url, {"text": text_of(attributes["ce_type"], json.loads(record.value()))})
        consumer.commit(record, asynchronous=False)


if __name__ == "__main__":
    main()
