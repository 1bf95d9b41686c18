# SPDX-License-Identifier: MIT
"""What every record on our topics owes its readers, whatever the test is about: schemas/ and CloudEvents' Kafka binding."""

import json
import re
import uuid
from datetime import datetime
from functools import cache

import jsonschema_rs

from support import builds
from support.topics import Record

INCIDENT_TYPES = {
    "dochak.provider.failing.v1",
    "dochak.provider.silent.v1",
    "dochak.provider.slow.v1",
    "dochak.provider.restored.v1",
    "dochak.endpoint.refusing.v1",
    "dochak.endpoint.unreachable.v1",
    "dochak.endpoint.at_risk.v1",
    "dochak.endpoint.restored.v1",
}
EVENT_SCHEMAS = {
    "dochak.notification.accepted.v1": "event.accepted.schema.json",
    "dochak.receipt.received.v1": "event.receipt.schema.json",
    "dochak.contact.changed.v1": "event.contact.schema.json",
    "dochak.webhook.received.v1": "event.other.schema.json",
    "dochak.endpoint.minute.v1": "event.minute.schema.json",
    "dochak.notification.overdue.v1": "event.deadline.schema.json",
    "dochak.notification.expired.v1": "event.deadline.schema.json",
    **dict.fromkeys(INCIDENT_TYPES, "event.incident.schema.json"),
}
ALERT_TYPES = {
    "dochak.notification.dead_lettered.v1",
    "dochak.notification.recovered.v1",
    "dochak.notification.overdue.v1",
    *INCIDENT_TYPES,
    "dochak.payload.quarantined.v1",
    "dochak.events.lost.v1",
    "dochak.contact.consent_withdrawn.v1",
}
TRACEPARENT = re.compile(r"^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$")


@cache
def validator(name: str) -> jsonschema_rs.Draft202012Validator:
    schema = json.loads((builds.ROOT / "schemas" / name).read_text("utf-8"))
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True)


def check_json(name: str, value) -> None:
    errors = [f"{error.instance_path}: {error.message}" for error in validator(name).iter_errors(value)]
    assert not errors, f"{value} against {name}: {errors}"


def check_cloud_event(record: Record) -> None:
    assert record.header("ce_specversion") == "1.0", record
    assert uuid.UUID(record.id), record
    assert datetime.fromisoformat(record.header("ce_time")).tzinfo is not None, record
    assert record.header("ce_source").startswith("/"), record
    assert record.header("content-type"), record
    traceparent = record.header("traceparent")
    assert traceparent is None or TRACEPARENT.match(traceparent), record


def check_event(record: Record) -> None:
    """A record of dochak.events that ingress or the watch wrote, or that was brought back from quarantine."""
    check_cloud_event(record)
    made_of_its_cause = record.is_minute or record.header("ce_source").startswith("/processor/")
    assert uuid.UUID(record.id).version == (5 if made_of_its_cause else 7), record
    assert record.header("content-type") == "application/json", record
    if record.key is not None:
        assert record.header("ce_subject") == record.key.decode(), record
    check_json(EVENT_SCHEMAS[record.type], record.data)


def check_quarantined(record: Record) -> None:
    """A record of dochak.quarantine that we wrote."""
    check_cloud_event(record)
    assert record.type == "dochak.payload.quarantined.v1", record
    assert record.header("ce_reason"), record
    assert record.header("content-type") == "application/octet-stream", record


def check_alert(record: Record, secrets: list[str]) -> None:
    check_cloud_event(record)
    assert record.type in ALERT_TYPES, record
    assert uuid.UUID(record.id).version == 5, record
    assert record.header("content-type") == "application/json", record
    if record.type.startswith("dochak.notification."):
        assert record.key.decode() == record.header("ce_subject") == record.data["notification_id"], record
        assert record.header("ce_provider") == record.data["provider"], record
    if record.type.startswith("dochak.contact."):
        assert record.key.decode() == record.header("ce_subject") == record.data["contact_id"], record
    check_json("alert.schema.json", record.data)
    text = record.value.decode()
    for secret in secrets:
        assert secret not in text, f"an alert tells {secret!r}: {text}"
