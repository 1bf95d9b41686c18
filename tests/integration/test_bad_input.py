# SPDX-License-Identifier: MIT
"""Whatever comes in: the right answer, the process lives, nothing half-written, and what was not understood is kept whole."""

import gzip
import json

import pytest

from support import contract, http, payloads
from support.quarantine import QUARANTINED, check_told
from support.world import World

MARK = payloads.BODY_MARK
DEEP = 10_000


def report_with(tail: str) -> bytes:
    """A good report but for what stands at its end."""
    return f'{{"msgKey":"bad-input","reportCode":"10000","mark":"{MARK}",{tail}}}'.encode()


# No JSON at all, or none that everybody would read the same way.
UNREADABLE = {
    "empty": b"",
    "a space": b" ",
    "no JSON": f"hello {MARK}".encode(),
    "a form": f"msgKey=bad-input&reportCode=10000&mark={MARK}".encode(),
    "XML": b'<?xml version="1.0"?><report/>',
    "truncated in a string": report_with('"x":"')[:-4],
    "truncated behind a colon": b'{"msgKey":',
    "truncated at the last brace": report_with('"x":1')[:-1],
    "something behind it": report_with('"x":1') + b"}",
    "two of them": report_with('"x":1') * 2,
    "two byte order marks": b"\xef\xbb\xbf" * 2 + report_with('"x":1'),
    "UTF-16": report_with('"x":1').decode().encode("utf-16"),
    "a trailing comma": report_with('"x":1,'),
    "a comment": b"/* " + MARK.encode() + b" */ {}",
    "single quotes": b"{'msgKey':'bad-input'}",
    "NaN": report_with('"x":NaN'),
    "leading zeros": report_with('"x":007'),
    "arrays nested 10,000 deep": b"[" * DEEP + b"]" * DEEP,
    "arrays opened 10,000 times": b"[" * DEEP,
    "objects nested 10,000 deep": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "a good report with 10,000 levels inside": report_with('"x":' + "[" * DEEP + "]" * DEEP),
    "65 levels": report_with('"x":' + "[" * 64 + "]" * 64),
    "a NUL in a string": report_with('"x":"a\\u0000b"'),
    "a NUL in a name": report_with('"a\\u0000b":1'),
    "a NUL byte": report_with('"x":"a\0b"'),
    "NUL bytes only": b"\0" * 100,
    "a lone high surrogate": report_with('"x":"\\ud800"'),
    "a lone low surrogate": report_with('"x":"\\udc00 "'),
    "surrogates the wrong way round": report_with('"x":"\\udc00\\ud800"'),
    "a name twice": report_with('"msgKey":"another"'),
    "a name twice, inside": report_with('"x":{"y":1,"y":2}'),
    "a byte that is no UTF-8": report_with('"x":"').replace(b'"x":"', b'"x":"\xff"'),
    "overlong UTF-8": report_with('"x":"').replace(b'"x":"', b'"x":"\xc0\xaf"'),
    "a surrogate in UTF-8": report_with('"x":"').replace(b'"x":"', b'"x":"\xed\xa0\x80"'),
    "a raw line break in a string": report_with('"x":"a\nb"'),
    "a number beyond all numbers with a zero in front": report_with('"x":01e999'),
}

# JSON, and no report of BizGo's.
NO_REPORT = {
    "null": b"null",
    "true": b"true",
    "a number": b"7",
    "a string": b'"bad-input"',
    "an empty object": b"{}",
    "no msgKey": b'{"reportCode":"10000"}',
    "msgKey null": b'{"msgKey":null,"reportCode":"10000"}',
    "msgKey empty": b'{"msgKey":"","reportCode":"10000"}',
    "msgKey an object": b'{"msgKey":{},"reportCode":"10000"}',
    "msgKey an array": b'{"msgKey":["bad-input"],"reportCode":"10000"}',
    "msgKey a truth": b'{"msgKey":true,"reportCode":"10000"}',
    "msgKey a fraction": b'{"msgKey":1.5,"reportCode":"10000"}',
    "msgKey too long": b'{"msgKey":"' + b"a" * 256 + b'","reportCode":"10000"}',
    "msgKey too long in bytes": b'{"msgKey":"' + "가".encode() * 86 + b'","reportCode":"10000"}',
    "reportCode null": b'{"msgKey":"bad-input","reportCode":null}',
    "no reportCode": b'{"msgKey":"bad-input"}',
}

# JSON, and no list of Blux's events.
NO_EVENTS = {
    "null": b"null",
    "an array": b"[]",
    "an empty object": b"{}",
    "events null": b'{"events":null}',
    "events a string": b'{"events":"x"}',
    "events elsewhere": b'{"data":{"events":[]}}',
    "events in other letters": b'{"Events":[]}',
}


def snapshot(world: World) -> dict[str, int]:
    """How many records there are. Without those of incidents, which come from all tests together, and those that check_told() looks at."""
    left_out = {*contract.INCIDENT_TYPES, QUARANTINED}
    counts = {short: len([r for r in world.topics.read(short) if r.type not in left_out]) for short in ("events", "alerts")}
    return {**counts, "quarantine": len(world.topics.read("quarantine"))}


def kept_whole(world: World, endpoint: str, body: bytes) -> http.Answer:
    """Posts it and sees that it stands in quarantine byte for byte, once, told, and nowhere else."""
    # BizGo's reports are cut out of an array of them; what this one holds is kept whole.
    kept = body[1:-1] if endpoint.startswith("bizgo") and body[:1] + body[-1:] == b"[]" else body
    world.settle()
    before, pid = snapshot(world), world.ingress.pid
    answer = world.post(endpoint, body)
    assert answer.status == 200, answer
    world.settle()
    assert snapshot(world) == {**before, "quarantine": before["quarantine"] + 1}
    check_told(world)
    newest = max(world.topics.read("quarantine"), key=lambda r: (r.timestamp, r.id))
    assert newest.value == kept, newest
    assert newest.header("ce_endpoint") == endpoint and newest.header("ce_source") == f"/ingress/{endpoint}"
    reason = newest.header("ce_reason")
    assert reason and MARK not in reason and "bad-input" not in reason, reason
    assert newest.header("ce_provider") == endpoint.split("/")[0]
    assert world.ingress.is_alive() and world.ingress.pid == pid
    return answer


@pytest.mark.parametrize("name", UNREADABLE)
@pytest.mark.parametrize("endpoint", ["bizgo/alimtalk", "blux/sms"])
def test_what_is_no_json_is_kept_whole_and_acknowledged(dochak: World, endpoint: str, name: str) -> None:
    answer = kept_whole(dochak, endpoint, UNREADABLE[name])
    # BizGo takes an answer without the key for a failure, so the key is read out of what is no JSON, too.
    key = b"bad-input" if b'"msgKey":"bad-input"' in UNREADABLE[name] else b""
    assert answer.body == (b'{"msgKey":"' + key + b'"}' if endpoint == "bizgo/alimtalk" else b"")


def test_a_byte_order_mark_does_not_matter(dochak: World) -> None:
    report = payloads.bizgo(payloads.new_id(), "10000")
    answer = dochak.post("bizgo/alimtalk", b"\xef\xbb\xbf" + payloads.to_bytes(report))
    assert answer.json() == {"msgKey": report["msgKey"]}
    dochak.wait_row("bizgo", report["msgKey"], status="SENT")


@pytest.mark.parametrize("fault", ['"\\ud83d"', '"\\u0000"', '1,"text":2', "01e999", "nul", "[" * 70 + "]" * 70, '"\\x"', '"\x01"'])
def test_an_element_that_is_no_json_costs_its_neighbours_nothing(dochak: World, fault: str) -> None:
    ids = [payloads.new_id() for _ in range(2)]
    good = [payloads.to_bytes(payloads.blux_event(id_)) for id_ in ids]
    bad = f'{{"text":{fault}}}'.encode()
    dochak.settle()
    before = snapshot(dochak)
    assert dochak.post("blux/sms", b'{"events":[' + good[0] + b"," + bad + b" , " + good[1] + b"]}").status == 200
    for id_ in ids:
        dochak.wait_row("blux", id_, status="SENT")
    dochak.settle()
    assert snapshot(dochak) == {**before, "events": before["events"] + 2, "quarantine": before["quarantine"] + 1}
    check_told(dochak)
    (record,) = [record for record in dochak.topics.read("quarantine") if record.value == bad]
    assert "JSON" in record.header("ce_reason")


@pytest.mark.parametrize("name", NO_REPORT)
def test_what_is_no_report_is_kept_whole_and_acknowledged(dochak: World, name: str) -> None:
    body = NO_REPORT[name]
    answer = kept_whole(dochak, "bizgo/alimtalk", body)
    document = json.loads(body)
    given = document.get("msgKey") if isinstance(document, dict) else None
    # The key goes back as it came wherever there is one: without it BizGo takes the call for failed.
    is_key = isinstance(given, str | float) and not isinstance(given, bool)
    assert answer.json() == {"msgKey": given if is_key else ""}


@pytest.mark.parametrize("name", NO_EVENTS)
def test_what_is_no_list_of_events_is_kept_whole_and_acknowledged(dochak: World, name: str) -> None:
    kept_whole(dochak, "blux/sms", NO_EVENTS[name])


def test_a_gzip_body_is_read_as_it_was_before(dochak: World) -> None:
    report = payloads.bizgo(payloads.new_id(), "10000")
    assert dochak.post("bizgo/alimtalk", gzip.compress(payloads.to_bytes(report)), {"Content-Encoding": "gzip"}).status == 200
    dochak.wait_row("bizgo", report["msgKey"], status="SENT")


def test_a_gzip_body_that_would_be_too_large_is_413(dochak: World) -> None:
    body = gzip.compress(b" " * 100_000_000)
    assert len(body) < 200_000
    assert dochak.post("bizgo/alimtalk", body, {"Content-Encoding": "gzip"}).status == 413


@pytest.mark.parametrize("broken", ["cut", "followed", "none"])
def test_a_body_that_is_not_the_gzip_it_says_is_kept_whole(dochak: World, broken: str) -> None:
    body = gzip.compress(payloads.to_bytes(payloads.bizgo("bad-input", "10000")))
    body = {"cut": body[:-3], "followed": body + b"x", "none": MARK.encode()}[broken]
    dochak.settle()
    before = snapshot(dochak)
    assert dochak.post("bizgo/alimtalk", body, {"Content-Encoding": "gzip"}).status == 200
    dochak.settle()
    after = snapshot(dochak)
    assert (after["events"] - before["events"], after["quarantine"] - before["quarantine"]) == (0, 1)
    assert body in [record.value for record in dochak.topics.read("quarantine")]
    check_told(dochak)


def test_an_empty_list_is_no_fault_and_no_event(dochak: World) -> None:
    dochak.settle()
    before = snapshot(dochak)
    assert dochak.post("blux/sms", b'{"events":[]}').status == 200
    dochak.settle()
    assert snapshot(dochak) == before


@pytest.mark.parametrize(
    "bad",
    [
        None,
        7,
        "event",
        [],
        {},
        {"event_type": "notification:sms:received"},
        {"event_type": "notification:sms:received", "payload": None},
        {"event_type": "notification:sms:received", "payload": {"notification_id": ""}},
        {"event_type": None, "payload": {"notification_id": "bad"}},
        {"event_type": {}, "payload": {"notification_id": "bad"}},
        {"event_type": "", "payload": {"notification_id": "bad"}},
        {"event_type": "notification:sms:clicked", "payload": {"notification_id": "bad"}},
    ],
    ids=str,
)
def test_one_bad_element_costs_only_itself(dochak: World, bad) -> None:
    ids = [payloads.new_id() for _ in range(4)]
    events = [payloads.blux_event(id_, delivered=number % 2 == 0) for number, id_ in enumerate(ids)]
    dochak.settle()
    before = snapshot(dochak)
    dochak.blux(*events[:2], bad, *events[2:])
    dochak.settle()
    after = snapshot(dochak)
    assert [dochak.row("blux", id_)["status"] for id_ in ids] == ["SENT", "DEAD_LETTER"] * 2
    assert after["quarantine"] - before["quarantine"] == 1
    assert after["alerts"] - before["alerts"] == 2
    check_told(dochak)
    newest = max(dochak.topics.read("quarantine"), key=lambda r: (r.timestamp, r.id))
    assert newest.value == payloads.to_bytes(bad)
    assert newest.header("ce_source") == "/ingress/blux/sms" and dochak.row("blux", "bad") is None
    assert newest.header("ce_endpoint") == "blux/sms" and newest.header("ce_provider") == "blux"


def test_more_elements_than_anybody_sends_are_kept_whole(dochak: World) -> None:
    kept_whole(dochak, "blux/sms", b'{"events":[' + b"{}," * 10_000 + b"{}]}")


def test_a_long_list_becomes_an_event_each(dochak: World) -> None:
    ids = [payloads.new_id() for _ in range(1000)]
    dochak.blux(*(payloads.blux_event(id_) for id_ in ids))
    dochak.settle()
    statuses = dochak.statuses()
    assert {statuses.get(id_) for id_ in ids} == {"SENT"}


# --- what is odd and good all the same


@pytest.mark.parametrize(
    ("tail", "id_"),
    [
        ('"x":9223372036854775808', "odd-1"),
        ('"x":-9223372036854775809,"y":123456789012345678901234567890', "odd-2"),
        ('"x":1.0,"y":1E5,"z":1e-999,"w":-0', "odd-3"),
        ('"x":' + "[" * 60 + "]" * 60, "odd-4"),
        ('"x":"\\ud83d\\ude00 \\uffff \\u0001 \\u007f"', "odd-5"),
        ('"":1," ":2,"a/b":3,"~":4', "odd-6"),
        ('"x":"' + "가" * 10_000 + '"', "odd-7"),
        ('"reportTime":"yesterday"', "odd-8"),
        ('"reportTime":"9999-12-31T23:59:59.999-14:00"', "odd-9"),
        ('"reportTime":"1970-01-01T00:00:00+14:00"', "odd-10"),
        ('"reportTime":"2026-02-30T00:00:00+09:00"', "odd-11"),
        ('"reportTime":17,"serviceType":{},"reportText":[],"ref":null', "odd-12"),
        ('"serviceType":"' + "s" * 5000 + '"', "odd-13"),
        ('"ref":"' + "r" * 5000 + '"', "odd-14"),
        ('"reportText":"' + "t" * 5000 + '"', "odd-15"),
        # What jsonb cannot hold as a number, and what it just holds.
        ('"x":1e-20000,"y":[1e-16384,1e-16383,0e-20000]', "odd-16"),
        ('"x":1e200000,"y":[-1E+131072,1e131071,1e99999999999999999999]', "odd-17"),
        ('"x":' + "9" * 140_000 + ".5", "odd-18"),
        ('"x":0.' + "0" * 20_000 + "1", "odd-19"),
        ('"x":"\\ufffe \\ufdd0 \\udbff\\udfff \x7f","\\uffff":1', "odd-20"),
        ('"' + "k" * 100_000 + '":1,"y":"' + "v" * 300_000 + '"', "odd-21"),
        ('"x":[' + "0," * 45_000 + "0]", "odd-22"),
    ],
)
def test_odd_but_good_reports_are_taken(dochak: World, tail: str, id_: str) -> None:
    body = f'{{"msgKey":"{id_}","reportCode":"10000",{tail}}}'.encode()
    answer = dochak.post("bizgo/alimtalk", body)
    assert (answer.status, answer.json()) == (200, {"msgKey": id_})
    dochak.settle()
    assert dochak.row("bizgo", id_)["status"] == "SENT"
    assert [record.value for record in dochak.records("events", id_)] == [body]


@pytest.mark.parametrize("field", ["serviceType", "reportText", "ref"])
def test_odd_failures_still_make_alerts_that_keep_the_contract(dochak: World, field: str) -> None:
    """check_alert() looks at every alert there is, at the end of the module."""
    id_ = payloads.new_id()
    dochak.bizgo({**payloads.bizgo(id_, "63019"), field: "x" * 3000})
    dochak.settle()
    assert dochak.row("bizgo", id_)["status"] == "DEAD_LETTER" and len(dochak.alerts(id_)) == 1


@pytest.mark.parametrize("code", ["x" * 3000, "", {}, [], 1.5, True])
def test_a_report_whose_code_is_none_is_kept_by_the_processor(dochak: World, code) -> None:
    id_ = payloads.new_id()
    body = payloads.to_bytes({**payloads.bizgo(id_, "63019"), "reportCode": code})
    dochak.settle()
    before = snapshot(dochak)
    assert dochak.post("bizgo/alimtalk", body).json() == {"msgKey": id_}
    dochak.settle()
    assert dochak.row("bizgo", id_) is None
    newest = max(dochak.topics.read("quarantine"), key=lambda r: (r.timestamp, r.id))
    assert (newest.value, newest.header("ce_source")) == (body, "/processor")
    after = snapshot(dochak)
    assert (after["quarantine"] - before["quarantine"], after["alerts"] - before["alerts"]) == (1, 0)
    check_told(dochak)


def test_numbers_may_stand_where_texts_are_expected(dochak: World) -> None:
    answer = dochak.post("bizgo/alimtalk", b'{"msgKey":20260112,"reportCode":10000}')
    assert answer.status == 200 and str(answer.json()["msgKey"]) == "20260112"
    dochak.wait_row("bizgo", "20260112", status="SENT", code="10000")


def test_a_list_of_reports_is_taken_from_bizgo_too(dochak: World) -> None:
    """Its document says one; nothing is lost if it sends more."""
    ids = [payloads.new_id(), payloads.new_id()]
    assert dochak.post("bizgo/alimtalk", [payloads.bizgo(id_, "10000") for id_ in ids]).status == 200
    for id_ in ids:
        dochak.wait_row("bizgo", id_, status="SENT")


# --- registration: a caller of ours is told what is wrong

BAD_REGISTRATIONS = {
    "null": b"null",
    "an empty array": b"[]",
    "an array of arrays": b"[[]]",
    "an empty object": b"{}",
    "no provider": b'{"notification_id":"x"}',
    "no id": b'{"provider":"bizgo"}',
    "an unknown provider": b'{"provider":"nobody","notification_id":"x"}',
    "id and response": b'{"provider":"bizgo","notification_id":"x","response":{"code":"A000","msgKey":"x"}}',
    "an unknown field": b'{"provider":"bizgo","notification_id":"x","more":1}',
    "id a number": b'{"provider":"bizgo","notification_id":7}',
    "id empty": b'{"provider":"bizgo","notification_id":""}',
    "id too long": b'{"provider":"bizgo","notification_id":"' + b"a" * 256 + b'"}',
    "id too long in bytes": b'{"provider":"bizgo","notification_id":"' + "가".encode() * 86 + b'"}',
    "id with a line break": b'{"provider":"bizgo","notification_id":"a\\nb"}',
    "recipient an object": b'{"provider":"bizgo","notification_id":"x","recipient":{}}',
    "a time that is none": b'{"provider":"bizgo","notification_id":"x","accepted_at":"yesterday"}',
    "a time without zone": b'{"provider":"bizgo","notification_id":"x","accepted_at":"2026-01-12T11:00:03"}',
    "a day that is none": b'{"provider":"bizgo","notification_id":"x","accepted_at":"2026-02-30T11:00:03Z"}',
    "response a string": b'{"provider":"bizgo","response":"A000"}',
    "response without an id": b'{"provider":"bizgo","response":{"code":"A000"}}',
    "response with an entry taken without an id": (
        b'{"provider":"bizgo","response":{"code":"A000","data":{"destinations":[{"to":"x","code":"A000"}]}}}'
    ),
    "response with no entry": b'{"provider":"bizgo","response":{"code":"A000","data":{"destinations":[]}}}',
    "more than may come at once": b"[" + b",".join([b'{"provider":"bizgo","notification_id":"x"}'] * 501) + b"]",
}


@pytest.mark.parametrize("name", [*UNREADABLE, *BAD_REGISTRATIONS])
def test_a_bad_registration_is_400_with_the_reason_and_leaves_nothing(dochak: World, name: str) -> None:
    body = UNREADABLE.get(name, BAD_REGISTRATIONS.get(name))
    dochak.settle()
    before = snapshot(dochak)
    answer = dochak.post_registration(body)
    assert answer.status == 400, answer
    error = answer.json()["error"]
    assert error["code"] and error["message"] and MARK not in answer.body.decode(), error
    dochak.settle()
    assert snapshot(dochak) == before
    assert dochak.ingress.is_alive()
