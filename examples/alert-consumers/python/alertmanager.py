# SPDX-License-Identifier: MIT
"""Shows the open incidents as alerts of Prometheus's Alertmanager, which groups, silences and sends them.

pip install confluent-kafka; KAFKA_BOOTSTRAP=localhost:9092 ALERTMANAGER_URL=http://localhost:9093 python alertmanager.py

Alertmanager forgets an alert that is not repeated. So STATE_FILE keeps the open incidents, and each minute they are all posted again. An alert with
the same labels is the same alert to Alertmanager, however often it comes.
"""

import json
import os
import sqlite3
import sys
import time
import urllib.request
from datetime import UTC, datetime, timedelta

from confluent_kafka import Consumer, KafkaException

REPEAT_S = 60
LASTS = timedelta(minutes=15)  # without a repetition; longer than a restart of this takes
PAGES = {"failing", "silent", "refusing", "unreachable"}  # as in deploy/alertmanager, the others are tickets


def alert_of(incident: dict) -> dict:
    labels = {
        "alertname": f"Dochak{incident['kind'].title().replace('_', '')}",
        "severity": "page" if incident["kind"] in PAGES else "ticket",
        **{name: incident[name] or "" for name in ("incident_id", "provider", "endpoint", "scope")},
    }
    return {
        "labels": labels,
        "annotations": {"summary": incident["summary"], "description": "\n".join(incident["check_first"])},
        "startsAt": incident["since"],
        "endsAt": incident["closed_at"] or (datetime.now(UTC) + LASTS).isoformat(),
    }


def post(incidents: list[dict]) -> None:
    url = f"{os.environ.get('ALERTMANAGER_URL', 'http://localhost:9093')}/api/v2/alerts"
    body = json.dumps([alert_of(incident) for incident in incidents]).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    urllib.request.urlopen(request, timeout=10).close()


def take(state: sqlite3.Connection, ce_id: str, alert: dict) -> None:
    """One transaction: an alert is remembered only if Alertmanager has taken it."""
    with state:
        if not state.execute("INSERT OR IGNORE INTO seen (ce_id) VALUES (?)", [ce_id]).rowcount:
            return
        if "incident_id" not in alert:  # deploy/prometheus/rules.yml has a rule for what else needs a person
            return
        if alert["status"] == "open":
            state.execute("INSERT INTO open VALUES (?, ?)", [alert["incident_id"], json.dumps(alert)])
        else:
            state.execute("DELETE FROM open WHERE incident_id = ?", [alert["incident_id"]])
        post([alert])


def repeat(state: sqlite3.Connection) -> None:
    """A failure is tried again in a minute."""
    if incidents := [json.loads(text) for (text,) in state.execute("SELECT alert FROM open")]:
        try:
            post(incidents)
        except OSError as error:
            print(f"not repeated: {error}", file=sys.stderr, flush=True)


def main() -> None:
    group = os.environ.get("GROUP_ID", "alertmanager")
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
    state = sqlite3.connect(os.environ.get("STATE_FILE", "alertmanager.sqlite"))
    state.execute("CREATE TABLE IF NOT EXISTS seen (ce_id TEXT PRIMARY KEY, at TEXT DEFAULT CURRENT_TIMESTAMP)")
    state.execute("CREATE TABLE IF NOT EXISTS open (incident_id TEXT PRIMARY KEY, alert TEXT)")
    consumer.subscribe([os.environ.get("ALERTS_TOPIC", "dochak.alerts")])
    repeat_at = 0.0
    while True:
        if time.monotonic() >= repeat_at:
            repeat(state)
            repeat_at = time.monotonic() + REPEAT_S
        record = consumer.poll(1)
        if record is None:
            continue
        if record.error():
            raise KafkaException(record.error())
        attributes = {name: value.decode() for name, value in record.headers()}
        take(state, attributes["ce_id"], json.loads(record.value()))
        consumer.commit(record, asynchronous=False)


if __name__ == "__main__":
    main()
