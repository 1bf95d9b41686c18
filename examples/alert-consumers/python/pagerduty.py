# SPDX-License-Identifier: MIT
"""Opens and resolves PagerDuty incidents (Events API v2).

pip install confluent-kafka; KAFKA_BOOTSTRAP=localhost:9092 PAGERDUTY_ROUTING_KEY=… python pagerduty.py

The two alerts of an incident have the same dedup_key, so the second resolves what the first opened, and PagerDuty itself drops an event
that is sent twice. STATE_FILE keeps an alert that is read again later from opening what was resolved meanwhile.
"""

import json
import os
import sqlite3
import sys
import time
import urllib.error
import urllib.request

from confluent_kafka import Consumer, KafkaException

URL = os.environ.get("PAGERDUTY_URL", "https://events.pagerduty.com/v2/enqueue")  # EU: https://events.eu.pagerduty.com/v2/enqueue
# Whom it wakes. Any other alert is left out: of dead letters there may be thousands.
SEVERITIES = {
    "dochak.provider.failing.v1": "critical",
    "dochak.provider.silent.v1": "critical",
    "dochak.provider.slow.v1": "warning",
    "dochak.provider.restored.v1": "info",
    "dochak.endpoint.unreachable.v1": "critical",
    "dochak.endpoint.refusing.v1": "critical",
    "dochak.endpoint.at_risk.v1": "error",
    "dochak.endpoint.restored.v1": "info",
    "dochak.events.lost.v1": "critical",
}


def event_of(ce_id: str, kind: str, alert: dict) -> dict:
    summary = alert.get("summary") or f"{kind}: {json.dumps(alert, ensure_ascii=False)}"
    return {
        "routing_key": os.environ["PAGERDUTY_ROUTING_KEY"],
        "event_action": "resolve" if alert.get("status") == "closed" else "trigger",
        "dedup_key": alert.get("incident_id", ce_id),
        "payload": {
            "summary": summary[:1024],
            "source": alert.get("endpoint") or alert.get("provider") or alert.get("topic") or "dochak",
            "severity": SEVERITIES[kind],
            "timestamp": alert["occurred_at"],
            "class": kind,
            "custom_details": alert,
        },
    }


def post(body: dict) -> None:
    """Returns when it is taken. What is refused for good ends the program; the alert comes again at the next start."""
    request = urllib.request.Request(URL, json.dumps(body).encode(), {"Content-Type": "application/json"})
    for pause in (1, 5, 25, 60, None):
        try:
            urllib.request.urlopen(request, timeout=10).close()
            return
        except OSError as error:
            status = error.code if isinstance(error, urllib.error.HTTPError) else None
            if pause is None or (status and status < 500 and status != 429):
                raise
            print(f"not taken, tried again: {error}", file=sys.stderr, flush=True)
            time.sleep(pause)


def main() -> None:
    group = os.environ.get("GROUP_ID", "pagerduty")
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
    seen = sqlite3.connect(os.environ.get("STATE_FILE", "pagerduty.sqlite"))
    seen.execute("CREATE TABLE IF NOT EXISTS seen (ce_id TEXT PRIMARY KEY, at TEXT DEFAULT CURRENT_TIMESTAMP)")
    consumer.subscribe([os.environ.get("ALERTS_TOPIC", "dochak.alerts")])
    while True:
        record = consumer.poll(1)
        if record is None:
            continue
        if record.error():
            raise KafkaException(record.error())
        attributes = {name: value.decode() for name, value in record.headers()}
        ce_id, kind = attributes["ce_id"], attributes["ce_type"]
        with seen:  # one transaction: an alert is remembered only if PagerDuty has taken it
            new = seen.execute("INSERT OR IGNORE INTO seen (ce_id) VALUES (?)", [ce_id]).rowcount
            if new and kind in SEVERITIES:
                post(event_of(ce_id, kind, json.loads(record.value())))
        consumer.commit(record, asynchronous=False)


if __name__ == "__main__":
    main()
