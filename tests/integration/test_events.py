# SPDX-License-Identifier: MIT
"""What stands on dochak.events: the provider's own bytes, under CloudEvents' headers."""

import time
import uuid
from datetime import UTC, datetime

import pytest
from confluent_kafka import Consumer

from support import payloads
from support.world import PARTITIONS, World

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

# Whatever a parser would read as the same, and a second writer would write otherwise.
ODD_REPORT = (
    b'{\t"reportCode" :"10000",\r\n "msgKey":"%s" , "a":1.0, "b":1E+2,"c":12345678901234567890123, "d":"\\u00e9\\/\xc3\xa9\\ud83d\\ude00",'
    b' "z":{ "y":[ ] , "x" : { } },"e":-0.0, "f" :null  , "g":[1,\n2 ,3],"h":"}]\\"{[" }'
)
ODD_EVENT = (
    b'{  "payload":{"notification_id" : "%s","received_at":"2026-05-11T10:23:45.123Z" , "x":1.50},\n'
    b'"event_type":"notification:sms:received"}'
)


def test_a_report_travels_byte_for_byte(dochak: World) -> None:
    id_ = payloads.new_id()
    report = ODD_REPORT % id_.encode()
    for body in (report, b" \r\n\t" + report + b"\n\n "):
        assert dochak.post("bizgo/alimtalk", body).json() == {"msgKey": id_}
    dochak.settle()
    assert [record.value for record in dochak.records("events", id_)] == [report, report]
    assert dochak.row("bizgo", id_)["status"] == "SENT"


def test_each_element_of_a_list_travels_byte_for_byte(dochak: World) -> None:
    ids = [payloads.new_id() for _ in range(3)]
    events = [ODD_EVENT % id_.encode() for id_ in ids]
    body = b'\n{ "more": {"events":[{}]} ,"events" :\t[ ' + events[0] + b"," + events[1] + b" ,\r\n " + events[2] + b' ] , "last":[]}\n'
    assert dochak.post("blux/sms", body).status == 200
    dochak.settle()
    for id_, event in zip(ids, events, strict=True):
        assert [record.value for record in dochak.records("events", id_)] == [event]
        assert dochak.row("blux", id_)["status"] == "SENT"


@pytest.mark.parametrize(
    "id_", ["가나다라", "a b", "é", 'quote"back\\slash', "%s%n", "'; DROP TABLE notification; --", "x" * 255, "null", "0", " "]
)
def test_every_id_is_a_key(dochak: World, id_: str) -> None:
    dochak.bizgo(payloads.bizgo(id_, "10000"))
    dochak.wait_row("bizgo", id_, status="SENT")
    dochak.settle()
    (record,) = dochak.records("events", id_)
    assert record.key == id_.encode()


def test_headers_are_those_of_a_cloud_event(dochak: World) -> None:
    ids = [payloads.new_id() for _ in range(3)]
    began = datetime.now(UTC)
    dochak.bizgo(payloads.bizgo(ids[0], "63019"), traceparent=TRACEPARENT)
    dochak.blux(payloads.blux_event(ids[1]), payloads.blux_event(ids[2]))
    dochak.register(payloads.accepted("bizgo", ids[0]), traceparent=TRACEPARENT)
    ended = datetime.now(UTC)
    dochak.settle()
    receipt, acceptance = dochak.records("events", ids[0])
    first, second = dochak.records("events", ids[1]) + dochak.records("events", ids[2])
    assert dict(receipt.headers) == {
        "ce_specversion": b"1.0",
        "ce_id": receipt.id.encode(),
        "ce_type": b"dochak.receipt.received.v1",
        "ce_source": b"/ingress/bizgo/alimtalk",
        "ce_subject": ids[0].encode(),
        "ce_time": receipt.header("ce_time").encode(),
        "ce_provider": b"bizgo",
        "ce_endpoint": b"bizgo/alimtalk",
        "traceparent": TRACEPARENT.encode(),
        "content-type": b"application/json",
    }
    assert (acceptance.type, acceptance.header("ce_provider")) == ("dochak.notification.accepted.v1", "bizgo")
    assert acceptance.header("traceparent") == TRACEPARENT
    assert receipt.partition == acceptance.partition
    for record in (receipt, acceptance, first, second):
        at = datetime.fromisoformat(record.header("ce_time"))
        assert began.replace(microsecond=0) <= at <= ended
        # A version 7 id begins with the time it was made.
        assert abs(uuid.UUID(record.id).int >> 80) - began.timestamp() * 1000 < 10_000
    assert len({record.id for record in (receipt, acceptance, first, second)}) == 4
    assert first.header("ce_source") == "/ingress/blux/sms" and first.header("traceparent") is None
    # The trace goes on to whoever is told.
    assert [alert.header("traceparent") for alert in dochak.alerts(ids[0])] == [TRACEPARENT]


@pytest.mark.parametrize(
    "traceparent",
    [
        "",
        "00",
        TRACEPARENT.upper(),
        TRACEPARENT + "-00",
        "01" + TRACEPARENT[2:],
        "00-" + "0" * 32 + TRACEPARENT[35:],
        "x" * 55,
        TRACEPARENT.replace("-", "_"),
    ],
)
def test_a_traceparent_that_is_none_is_left_out(dochak: World, traceparent: str) -> None:
    id_ = payloads.new_id()
    dochak.bizgo(payloads.bizgo(id_, "63019"), traceparent=traceparent)
    dochak.settle()
    (record,) = dochak.records("events", id_)
    assert record.header("traceparent") is None
    assert [alert.header("traceparent") for alert in dochak.alerts(id_)] == [None]


def test_a_key_has_the_partition_that_java_clients_give_it(dochak: World) -> None:
    """murmur2, so that others who write or read by key meet ours. Vectors: org.apache.kafka.common.utils.UtilsTest."""
    from_java = {"21": -973932308, "foobar": -790332482, "a-little-bit-long-string": -985981536}
    for key, murmur2 in from_java.items():
        dochak.bizgo(payloads.bizgo(key, "10000"))
        dochak.settle()
        (record,) = dochak.records("events", key)
        assert record.partition == (murmur2 & 0x7FFFFFFF) % PARTITIONS


def test_nothing_is_acknowledged_that_a_reader_cannot_see_already(dochak: World) -> None:
    """A 2xx only after acks=all: whoever reads the topic's end after the answer finds the record before it."""
    for _ in range(50):
        id_ = payloads.new_id()
        dochak.bizgo(payloads.bizgo(id_, "10000"))
        assert len(dochak.records("events", id_)) == 1


def test_alerts_are_read_with_ten_lines_of_python(dochak: World) -> None:
    """What a consumer of ours writes: README.md's example in kind."""
    id_ = payloads.new_id()
    consumer = Consumer(
        {
            "bootstrap.servers": dochak.kafka.address,
            "group.id": f"{dochak.name}-reader",
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
        }
    )
    consumer.subscribe([dochak.topics.name("alerts")])
    dochak.bizgo(payloads.bizgo(id_, "64008"))
    end = time.monotonic() + 60
    while (message := consumer.poll(1.0)) is None or message.error() or message.key() != id_.encode():
        assert time.monotonic() < end, "the alert did not come"
    assert b'"outcome":"account_fault"' in message.value().replace(b": ", b":")
    consumer.close()
