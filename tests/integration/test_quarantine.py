# SPDX-License-Identifier: MIT
"""Records that make no sense, whoever wrote them: each is put aside whole, told once, and costs its neighbours nothing."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from support import payloads
from support.quarantine import QUARANTINED, alerts_by_place, kind
from support.topics import Topics
from support.wait import until
from support.world import PARTITIONS, World

ACCEPTED = "dochak.notification.accepted.v1"
RECEIPT = "dochak.receipt.received.v1"


def headers(**changes: bytes | str | None) -> list[tuple[str, bytes | str | None]]:
    """Those of a good receipt, but for the changes; a header that is False is left out."""
    good = {
        "ce_specversion": "1.0",
        "ce_id": str(uuid.uuid4()),
        "ce_type": RECEIPT,
        "ce_source": "/ingress/bizgo/alimtalk",
        "ce_subject": "crafted",
        "ce_time": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "ce_provider": "bizgo",
        "ce_endpoint": "bizgo/alimtalk",
        "content-type": "application/json",
        **changes,
    }
    return [(name, value) for name, value in good.items() if value is not False]


def report(id_: str, code: str = "10000") -> bytes:
    return payloads.to_bytes(payloads.bizgo(id_, code))


GOOD = report("crafted")
# name: (value, headers)
FOREIGN = {
    "nothing at all": (None, []),
    "no headers": (GOOD, []),
    "no value": (None, headers()),
    "an empty value": (b"", headers()),
    "no JSON": (b"hello", headers()),
    "JSON and no object": (b"[1]", headers()),
    "another provider": (GOOD, headers(ce_provider="nobody")),
    "no provider": (GOOD, headers(ce_provider=False)),
    "an empty provider": (GOOD, headers(ce_provider="")),
    "a provider without a value": (GOOD, headers(ce_provider=None)),
    "another version": (GOOD, headers(ce_specversion="0.3")),
    "no version": (GOOD, headers(ce_specversion=False)),
    "no id": (GOOD, headers(ce_id=False)),
    "an id that is none": (GOOD, headers(ce_id="7")),
    "no type": (GOOD, headers(ce_type=False)),
    "an unknown type": (GOOD, headers(ce_type="com.example.thing")),
    "a type of another topic": (GOOD, headers(ce_type="dochak.notification.recovered.v1")),
    "a quarantined record": (GOOD, headers(ce_type=QUARANTINED)),
    "no source": (GOOD, headers(ce_source=False)),
    "no time": (GOOD, headers(ce_time=False)),
    "a time that is none": (GOOD, headers(ce_time="today")),
    "a NUL in a header": (GOOD, headers(ce_provider=b"bizgo\0x")),
    "an overlong header": (GOOD, headers(ce_source="/" + "x" * 5000)),
    "an acceptance without an id": (b"{}", headers(ce_type=ACCEPTED)),
    "an acceptance that is no object": (b"7", headers(ce_type=ACCEPTED)),
    "an acceptance with an id that is no text": (b'{"notification_id":7}', headers(ce_type=ACCEPTED)),
    "an acceptance with an overlong id": (b'{"notification_id":"' + b"x" * 300 + b'"}', headers(ce_type=ACCEPTED)),
    "an acceptance with an overlong reference": (
        b'{"notification_id":"x","response":{"code":"R000","msgKey":"x"},"reference":"' + b"x" * 500_000 + b'"}',
        headers(ce_type=ACCEPTED),
    ),
    "an acceptance with an overlong channel": (b'{"notification_id":"x","channel":"' + b"x" * 1021 + b'"}', headers(ce_type=ACCEPTED)),
    "an acceptance with a response of no shape": (b'{"notification_id":"x","response":{}}', headers(ce_type=ACCEPTED)),
    "an acceptance of two": (
        b'{"notification_id":"x","response":{"code":"A000","data":{"destinations":[{"msgKey":"x","code":"A000"},{"msgKey":"y","code":"A000"}]}}}',
        headers(ce_type=ACCEPTED),
    ),
    "a body 10,000 levels deep": (b"[" * 10_000, headers()),
}


def check_quarantine(world: World, values: list[bytes | None], kinds: int | None = None) -> None:
    """These and no others stand in quarantine, with one alert for those of a kind."""
    world.settle()
    records = world.topics.read("quarantine")
    assert sorted(r.value or b"" for r in records) == sorted(value or b"" for value in values)
    told = alerts_by_place(world)
    assert len(world.alerts()) == len(told) == (kinds or len({kind(record) for record in records}))
    for record in records:
        if alert := told.get((record.topic, record.partition, record.offset)):
            assert alert.data["size_bytes"] == len(record.value or b"")


def test_foreign_records_are_put_aside_one_by_one(world: World) -> None:
    world.foreign = True
    world.start()
    neighbours = []
    for number, (value, given) in enumerate(FOREIGN.values()):
        neighbours.append(f"neighbour-{number}")
        world.topics.produce("events", value, key="crafted", headers=given, partition=1)
        world.topics.produce("events", report(neighbours[-1]), key=neighbours[-1], headers=headers(ce_subject=neighbours[-1]), partition=1)
    world.topics.flush()
    check_quarantine(world, [value for value, _ in FOREIGN.values()])
    assert world.statuses() == dict.fromkeys(neighbours, "SENT")
    for record in world.topics.read("quarantine"):
        assert record.header("ce_reason") and record.header("ce_source") == "/processor"
    assert world.services[1].metrics()['dochak_processor_records_total{outcome="unclear"}'] == len(FOREIGN)


def test_what_is_put_aside_keeps_when_it_was_received(world: World) -> None:
    """However late the processor gives it up: redrive takes it in with that time."""
    world.foreign = True
    world.start()
    received = "2026-01-12T02:00:03.000Z"
    world.topics.produce("events", b"no JSON", key="late", headers=headers(ce_time=received))
    world.topics.flush()
    world.settle()
    (record,) = world.topics.read("quarantine")
    assert record.header("ce_time") == received


def test_a_key_that_is_no_text_does_not_matter(world: World) -> None:
    world.foreign = True
    world.start()
    world.topics.produce("events", GOOD, key=b"\xff\x00\xfe", headers=headers())
    world.topics.produce("events", report("second"), key=None, headers=headers(ce_subject=False))
    world.topics.flush()
    world.settle()
    assert world.statuses() == {"crafted": "SENT", "second": "SENT"}


# What makes a record no event of ours makes it of one kind with all that are none.
NO_EVENT = {
    "a provider that is no UTF-8": {"ce_provider": b"\xff\xfe"},
    "an endpoint that is no UTF-8": {"ce_endpoint": b"bizgo/\xc3"},
    "a reason that is no UTF-8": {"ce_reason": b"\xed\xa0\x80"},
    "a subject that is no UTF-8": {"ce_subject": b"\xff"},
    "an overlong reason": {"ce_reason": "x" * 5000},
    "an unknown type": {"ce_type": "com.example.thing"},
}
NASTY = {
    "no provider": {"ce_provider": False},
    "no reason": {"ce_reason": False},
    "an empty reason": {"ce_reason": ""},
    "another type": {"ce_type": RECEIPT},
    "a traceparent that is none": {"traceparent": b"\xff" * 55},
}


@pytest.mark.parametrize("name", NO_EVENT | NASTY)
def test_foreign_records_in_quarantine_are_told_and_never_put_aside_again(world: World, name: str) -> None:
    world.foreign = True
    world.new_processor(DOCHAK_WORKERS="1").start()
    for value in (b"\xff whatever", None):
        world.topics.produce(
            "quarantine", value, headers=headers(**{"ce_type": QUARANTINED, "ce_reason": "why not", **(NO_EVENT | NASTY)[name]}), partition=2
        )
    world.topics.produce("quarantine", b"without headers", partition=2)
    world.topics.flush()
    check_quarantine(world, [b"\xff whatever", None, b"without headers"], kinds=1 if name in NO_EVENT else 2)


@pytest.mark.parametrize("name", ["ce_provider", "ce_endpoint", "ce_source", "ce_subject", "ce_type"])
def test_events_with_headers_that_are_no_utf8_are_put_aside(world: World, name: str) -> None:
    world.foreign = True
    world.new_processor(DOCHAK_WORKERS="1").start()
    # A code that is none: it cannot be a receipt, whatever its header.
    bad = b'{"msgKey":"crafted","reportCode":{}}'
    world.topics.produce("events", bad, headers=headers(**{name: b"bizgo\xff\xfe"}), partition=2)
    world.topics.produce("events", report("second"), headers=headers(ce_subject="second"), partition=2)
    world.topics.flush()
    check_quarantine(world, [bad])
    assert world.statuses() == {"second": "SENT"}


# --- the same bytes again


def put_aside(world: World, value: bytes | None, at: datetime, partition: int = 0, **changes: str) -> None:
    """One record of the quarantine topic, as ingress writes it at that time."""
    given = {"ce_type": QUARANTINED, "ce_reason": "why not", "ce_time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"), **changes}
    world.topics.produce("quarantine", value, headers=headers(**given), partition=partition)


def raised(world: World) -> list[str]:
    """When the alerts occurred, at which endpoint, and how many records they say were folded."""
    world.topics.flush()
    world.settle()
    return sorted(f"{a.data['occurred_at'][:16]} {a.data['endpoint']} {a.data['folded']}" for a in world.alerts())


def folded(world: World) -> list[int]:
    return sorted(row["folded"] for row in world.sql("SELECT folded FROM quarantine_alert"))


def test_a_provider_that_changes_its_format_raises_one_alert(world: World) -> None:
    """Whatever the bodies are, and wherever in them the fault is; one of another kind raises another one."""
    world.start()
    bodies = [b"no JSON", b"no JSON", *(b'{"msgKey": "' + b"x" * number + b'", }' for number in range(20))]
    for body in bodies:
        assert world.post("bizgo/alimtalk", body).status == 200
    assert world.post("blux/sms", b"no JSON").status == 200
    world.settle()
    assert sorted(record.value for record in world.topics.read("quarantine")) == sorted([*bodies, b"no JSON"])
    assert sorted((a.data["endpoint"], a.data["folded"]) for a in world.alerts()) == [
        ("bizgo/alimtalk", 0), ("bizgo/alimtalk", 0), ("blux/sms", 0)]  # fmt: skip
    assert folded(world) == [0, 1, 19]


@pytest.mark.parametrize("batch", ["1", "500"])
def test_after_a_day_the_same_kind_raises_an_alert_again(world: World, batch: str) -> None:
    """By the time at which they came in; whether one batch holds all of them or each is its own. It says how many raised none."""
    world.foreign = True
    start = datetime(2026, 1, 12, 2, 0, tzinfo=UTC)
    for hours in (0, 1, 23.99, 24, 30, 47.9, 48.1):
        put_aside(world, f"{hours} hours".encode(), start + timedelta(hours=hours), ce_reason=f"at byte {hours:.0f}")
    put_aside(world, b"the same", start, ce_endpoint="bizgo/other")
    put_aside(world, b"the same", start, ce_reason="another reason")
    put_aside(world, None, start)
    put_aside(world, b"the same", start)
    world.new_processor(DOCHAK_BATCH_MAX_RECORDS=batch, DOCHAK_WORKERS="1").start()
    first, second, third = "2026-01-12T02:00", "2026-01-13T02:00", "2026-01-14T02:06"
    assert raised(world) == sorted(
        [f"{first} bizgo/alimtalk 0", f"{second} bizgo/alimtalk 2", f"{third} bizgo/alimtalk 2"]
        + [f"{first} bizgo/alimtalk 0"] * 2
        + [f"{first} bizgo/other 0"]
    )
    assert folded(world) == [0, 0, 0, 1]


def test_two_workers_with_the_same_kinds_raise_one_alert_each(world: World) -> None:
    world.foreign = True
    now = datetime.now(UTC)
    for number in range(300):
        for partition in range(PARTITIONS):
            put_aside(world, f"body {number}".encode(), now + timedelta(seconds=number), partition, ce_endpoint=f"bizgo/{number % 50}")
    world.topics.flush()
    for number in range(2):
        world.new_processor(DOCHAK_BATCH_MAX_RECORDS="20", DOCHAK_INSTANCE=f"p{number}").start()
    world.settle()
    assert len(world.topics.read("quarantine")) == 300 * PARTITIONS
    assert len(world.alerts()) == 50
    assert folded(world) == [6 * PARTITIONS - 1] * 50


def test_records_that_are_read_again_raise_nothing_anew(world: World) -> None:
    """The group's offsets are lost: what raised an alert has it still, and what raised none raises none now, nor is it counted again."""
    world.foreign = True
    start = datetime(2026, 1, 12, 2, 0, tzinfo=UTC)
    for hours in (0, 1, 25, 26):
        put_aside(world, b"the same", start + timedelta(hours=hours))
    processor = world.new_processor(DOCHAK_WORKERS="1").start()
    before = raised(world)
    assert len(before) == 2 and folded(world) == [1]
    processor.stop()
    world.topics.forget_offsets()
    processor.start()
    assert raised(world) == before and folded(world) == [1]


# --- what Postgres will not take


REFUSALS = {
    "a receipt": "ALTER TABLE receipt ADD CHECK (notification_id NOT LIKE 'poison%')",
    "a notification": "ALTER TABLE notification ADD CHECK (notification_id NOT LIKE 'poison%')",
    "an alert": "ALTER TABLE alert ADD CHECK (subject NOT LIKE 'poison%')",
    "a value too large for an index": """
        CREATE FUNCTION too_large() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN IF NEW.notification_id LIKE 'poison%' THEN RAISE 'too large' USING ERRCODE = '54000'; END IF; RETURN NEW; END $$;
        CREATE TRIGGER too_large BEFORE INSERT ON notification FOR EACH ROW EXECUTE FUNCTION too_large()""",
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_postgres_refuses_is_put_aside_alone(world: World, name: str) -> None:
    """We know of no input that passes us and not Postgres; a constraint of the test's own stands for what we do not know."""
    world.sql(REFUSALS[name])
    world.new_ingress().start().wait_ready()
    good = [f"good-{number}" for number in range(300)]
    poison = [f"poison-{number}" for number in range(3)]
    events = {id_: payloads.blux_event(id_, delivered=False) for id_ in good + poison}
    order = good[:100] + poison[:1] + good[100:101] + poison[1:2] + good[101:] + poison[2:]
    world.blux(*(events[id_] for id_ in order))
    world.new_processor(DOCHAK_BATCH_MAX_MS="2000").start()
    world.settle()
    assert world.statuses() == dict.fromkeys(good, "DEAD_LETTER")
    assert sorted(r.value for r in world.topics.read("quarantine")) == sorted(payloads.to_bytes(events[id_]) for id_ in poison)
    told = [(alert.type, alert.header("ce_subject")) for alert in world.alerts()]
    assert sorted(told, key=str) == sorted(
        [("dochak.notification.dead_lettered.v1", id_) for id_ in good] + [(QUARANTINED, None)], key=str
    )
    for record in world.topics.read("quarantine"):
        assert record.header("ce_reason") and "poison" not in record.header("ce_reason")
        assert record.header("ce_provider") == "blux" and record.header("ce_endpoint") == "blux/sms"
    for alert in alerts_by_place(world).values():
        assert alert.data["provider"] == "blux" and alert.data["reason"] != "not an event of ours"


def test_a_quarantined_record_that_postgres_refuses_does_not_go_round(world: World) -> None:
    world.sql("ALTER TABLE alert ADD CHECK (data ->> 'size_bytes' <> '5')")
    world.foreign = True
    world.new_processor(DOCHAK_WORKERS="1").start()
    for value in (b"first", b"second"):
        world.topics.produce("quarantine", value, headers=headers(ce_type=QUARANTINED, ce_reason="why not"), partition=2)
    world.topics.flush()
    world.topics.reader("alerts").wait_count(1)
    world.topics.produce("quarantine", b"the third", headers=headers(ce_type=QUARANTINED, ce_reason="still not"), partition=2)
    world.topics.flush()
    world.topics.reader("alerts").wait_count(2)
    values = [record.value for record in world.topics.read("quarantine")]
    assert values.count(b"first") == 1, f"it has gone round {values.count(b'first')} times"
    world.settle()


# --- the wrong key


def test_one_notification_in_several_partitions_still_ends_right(world: World) -> None:
    """A key is lost, or a topic gets more partitions: two workers then write the same rows, and settle it between them."""
    world.foreign = True
    ids = [f"shared-{number}" for number in range(40)]
    for id_ in ids:
        for partition, (code, service) in enumerate([("63019", "ALIMTALK"), ("10000", "SMS"), ("63019", "ALIMTALK"), ("23003", "RCS")]):
            value = payloads.to_bytes(payloads.bizgo(id_, code, service))
            world.topics.produce(
                "events", value, headers=headers(ce_subject=id_, ce_id=str(uuid.uuid4())), partition=partition % PARTITIONS
            )
    world.topics.flush()
    for number in range(2):
        world.new_processor(DOCHAK_BATCH_MAX_RECORDS="7", DOCHAK_INSTANCE=f"p{number}").start()
    world.settle()
    assert world.statuses() == dict.fromkeys(ids, "SENT")
    rows = world.sql("SELECT notification_id, count(*) AS n FROM receipt GROUP BY 1")
    assert {row["notification_id"]: row["n"] for row in rows} == dict.fromkeys(ids, 3)
    for id_ in ids:
        kinds = [alert.type.split(".")[2] for alert in world.alerts(id_)]
        assert sorted(kinds) in ([], ["dead_lettered", "recovered"]), (id_, kinds)


# --- the same again


def test_a_record_that_kafka_keeps_twice_is_told_once(world: World) -> None:
    """A producer that heard no answer writes again: the same event at another offset."""
    world.foreign = True
    world.start()
    given = headers(ce_subject="twice")
    for _ in range(3):
        world.topics.produce("events", report("twice", "63019"), key="twice", headers=given)
    world.topics.flush()
    world.settle()
    assert len(world.records("events", "twice")) == 3
    assert len(world.alerts("twice")) == 1 and world.row("bizgo", "twice")["version"] == 1


def test_topics_made_anew_repeat_no_alert(world: World) -> None:
    """The new topic has the old one's offsets again, under which the database still has the old one's alerts."""
    world.start()
    old, new = [f"old-{number}" for number in range(20)], [f"new-{number}" for number in range(20)]
    world.blux(*(payloads.blux_event(id_, delivered=False) for id_ in old))
    world.settle()
    assert len(world.notification_alerts()) == len(old)
    for service in world.services:
        service.stop()
    world.topics.delete()
    world.topics.close()
    until("the topics are gone", world.topics.are_gone)
    assert "3 topics created" in world.migrate()
    for service in world.services:
        service.start().wait_ready(30)
    world.topics = Topics(world.kafka.address, world.topics.prefix, world.topics.group)
    world.blux(*(payloads.blux_event(id_, delivered=id_ in old) for id_ in old + new))
    world.settle()
    told = sorted((alert.type.split(".")[2], alert.header("ce_subject")) for alert in world.notification_alerts())
    assert told == sorted([("dead_lettered", id_) for id_ in new] + [("recovered", id_) for id_ in old])
    assert world.statuses() == {**dict.fromkeys(old, "SENT"), **dict.fromkeys(new, "DEAD_LETTER")}
