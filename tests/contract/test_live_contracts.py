# SPDX-License-Identifier: MIT
"""What our programs write, read by the tools of those who wrote the standards: the records of each topic by CloudEvents' own SDK, the metrics
by promtool. Each tool finds what was broken on purpose."""

import json
import subprocess

import pytest
from cloudevents.core.base import BaseCloudEvent
from cloudevents.core.bindings import kafka
from cloudevents.core.exceptions import CloudEventValidationError

from support import payloads, prometheus
from support.service import Service
from support.topics import Record
from support.world import World


@pytest.fixture(scope="module")
def used(dochak: World) -> World:
    """With records on each topic, and each family of metrics with a sample."""
    delivered, failed = payloads.new_id(), payloads.new_id()
    for msg_key, code in ((delivered, "10000"), (failed, "64008")):
        response = {"code": "A000", "result": "Success", "msgKey": msg_key}
        dochak.register(payloads.sent("bizgo", response, recipient=payloads.PHONE_E164), traceparent=f"00-{'a1' * 16}-{'b2' * 8}-01")
        dochak.bizgo(payloads.bizgo(msg_key, code))
    dochak.blux({**payloads.blux_event(payloads.new_id()), "event_type": "notification:sms:clicked"})  # to quarantine
    dochak.settle()
    return dochak


# --- CloudEvents


def read(record: Record, headers: dict[str, bytes] | None = None) -> BaseCloudEvent:
    message = kafka.KafkaMessage(headers=dict(record.headers) if headers is None else headers, key=record.key, value=record.value)
    return kafka.from_binary_event(message)


def test_the_sdk_reads_every_record(used: World) -> None:
    records = [*used.topics.read("events"), *used.topics.minutes(), *used.topics.read("alerts"), *used.topics.read("quarantine")]
    types = set()
    for record in records:
        event = read(record)
        assert event.get_specversion() == "1.0"
        assert (event.get_id(), event.get_type(), event.get_source()) == (record.id, record.type, record.header("ce_source"))
        assert event.get_subject() == record.header("ce_subject") and event.get_time().tzinfo is not None
        assert event.get_extension("provider") == record.header("ce_provider")
        data = event.get_data()
        if event.get_datacontenttype() == "application/json":
            assert data == json.loads(record.value)
        else:
            assert (data.encode() if isinstance(data, str) else data) == record.value
        types.add(record.type)
    assert types >= {
        "dochak.notification.accepted.v1",
        "dochak.receipt.received.v1",
        "dochak.notification.dead_lettered.v1",
        "dochak.provider.failing.v1",
        "dochak.payload.quarantined.v1",
    }
    assert {record.topic for record in records} == {used.topics.name(short) for short in used.topics.NAMES}


BROKEN = {  # to one without an id the SDK gives an id
    "an empty id": lambda headers: headers.update(ce_id=b""),
    "no source": lambda headers: headers.pop("ce_source"),
    "no type": lambda headers: headers.pop("ce_type"),
    "another version": lambda headers: headers.update(ce_specversion=b"2.0"),
    "a time in words": lambda headers: headers.update(ce_time=b"yesterday"),
    "an empty subject": lambda headers: headers.update(ce_subject=b""),
    "a name with a _": lambda headers: headers.update(ce_was_type=b"dochak.receipt.received.v1"),
}


@pytest.mark.parametrize("how", BROKEN)
def test_the_sdk_refuses_a_broken_record(used: World, how: str) -> None:
    record = used.topics.read("alerts")[0]
    headers = dict(record.headers)
    BROKEN[how](headers)
    with pytest.raises((CloudEventValidationError, ValueError)):
        read(record, headers)


# --- metrics


def check_metrics(text: bytes) -> subprocess.CompletedProcess:
    """Hints about names are faults, too."""
    return subprocess.run([prometheus.program("promtool"), "check", "metrics"], input=text, capture_output=True, timeout=60)


def metrics_of(service: Service) -> bytes:
    answer = service.get("/metrics")
    assert answer.status == 200
    return answer.body


def test_promtool_has_nothing_to_say_about_the_metrics(used: World) -> None:
    assert len(used.services) == 2
    for service in used.services:
        done = check_metrics(metrics_of(service))
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b""), service.name


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"# TYPE dochak_ingress_ready gauge", b"# TYPE dochak_ingress_ready gage"),
        (b"# HELP dochak_ingress_ready ", b"# HALP dochak_ingress_ready "),
        (b"\ndochak_ingress_ready ", b"\ndochak-ingress-ready "),
        (b"_seconds_bucket{", b"_seconds_bucket{le="),
        (b"dochak_ingress_answers_total", b"dochak_ingress_answers"),
    ],
    ids=["type", "help", "name", "label", "counter"],
)
def test_promtool_finds_broken_metrics(used: World, old: bytes, new: bytes) -> None:
    text = metrics_of(used.ingress)
    assert old in text
    assert check_metrics(text.replace(old, new)).returncode != 0
