# SPDX-License-Identifier: MIT
"""What the seeds tell, with their own payloads: each message gets its status, and each loss its alert, within a second."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from support import builds, payloads
from support.wait import until
from support.world import World

SECOND = 1.0  # what we promise; the deadline below allows for a machine that does other things, too
NOISE = 4.0


def check_in_time(what: str, began: float) -> None:
    seconds = time.monotonic() - began
    print(f"{what}: {seconds * 1000:.0f} ms")
    assert seconds < (SECOND + NOISE) * builds.patience(), f"{what}: {seconds:.3f} s"


# --- the month without messages


@pytest.mark.quick
@pytest.mark.parametrize("report", [payloads.bizgo_english_seed, payloads.bizgo_korean_seed])
def test_the_seeds_incident_is_told_within_a_second(dochak: World, report) -> None:
    lost, arrived = payloads.new_id(), payloads.new_id()
    for msg_key in (lost, arrived):
        response = {"code": "A000", "result": "Success", "msgKey": msg_key}
        ids = dochak.register(payloads.sent("bizgo", response, recipient=payloads.PHONE_E164))
        assert ids == [{"provider": "bizgo", "notification_id": msg_key, "accepted": True}]
        dochak.wait_row("bizgo", msg_key, status="PENDING")

    dochak.settle()
    began = time.monotonic()
    answer = dochak.post("bizgo/alimtalk", report(lost))
    assert (answer.status, answer.body.decode()) == (200, f'{{"msgKey":"{lost}"}}')
    assert answer.headers["content-type"] == "application/json"
    (alert,) = until("it is told", lambda: dochak.alerts(lost), every=0.002)
    check_in_time("64008 to the alert", began)
    assert dochak.row("bizgo", lost)["status"] == "DEAD_LETTER"

    began = time.monotonic()
    dochak.bizgo(report(arrived, "10000", ""))
    dochak.wait_row("bizgo", arrived, every=0.002, status="SENT", outcome="delivered", code="10000")
    check_in_time("10000 to SENT", began)
    dochak.settle()
    assert [a.id for a in dochak.alerts(lost)] == [alert.id] and dochak.alerts(arrived) == []
    row = dochak.row("bizgo", lost)
    text = report(lost)["resultMsg"]
    assert (row["outcome"], row["code"], row["reason"]) == ("account_fault", "64008", text)
    assert row["recipient"] == "+8210****4321" and len(row["recipient_hash"]) == 32
    assert alert.type == "dochak.notification.dead_lettered.v1" and alert.key.decode() == lost
    assert alert.data["outcome"] == "account_fault" and alert.data["previous_status"] == "PENDING"
    assert (alert.data["code"], alert.data["reason"], alert.data["recipient"]) == ("64008", text, "+8210****4321")
    assert dochak.row("bizgo", arrived)["resolved_at"] is not None


@pytest.mark.parametrize(
    ("code", "status", "outcome"),
    [
        ("10000", "SENT", "delivered"),
        ("64016", "DEAD_LETTER", "failed"),
        ("22000", "DEAD_LETTER", "failed"),
        ("64008", "DEAD_LETTER", "account_fault"),
    ],
)
def test_every_code_of_the_seeds_means_what_they_say(dochak: World, code: str, status: str, outcome: str) -> None:
    msg_key = payloads.new_id()
    dochak.bizgo(payloads.bizgo_english_seed(msg_key, code, "as told"))
    dochak.wait_row("bizgo", msg_key, status=status, outcome=outcome, code=code, reason="as told")


def test_blux_reports_are_taken_as_its_document_shows_them(dochak: World) -> None:
    arrived, lost = "65f1a2b3c4d5e6f7a8b9c0d3", "65f1a2b3c4d5e6f7a8b9c0d4"
    began = time.monotonic()
    answer = dochak.post("blux/sms", payloads.blux(payloads.blux_event(arrived)))
    assert (answer.status, answer.body) == (200, b"")
    dochak.wait_row("blux", arrived, every=0.002, status="SENT")
    check_in_time("received to SENT", began)
    dochak.settle()
    earlier = len(dochak.alerts())
    began = time.monotonic()
    dochak.blux(payloads.blux_event(lost, delivered=False, failed_reason="수신 차단"))
    alert = dochak.topics.reader("alerts").wait_count(earlier + 1)[-1]
    check_in_time("receive_failed to the alert", began)
    row = dochak.row("blux", lost)
    assert (row["reason"], row["channel"], row["recipient"]) == ("수신 차단", "SMS", "010****5678")
    assert row["resolved_at"] == datetime(2026, 5, 11, 10, 23, 45, 123000, tzinfo=UTC)
    assert (alert.header("ce_subject"), alert.data["reason"], alert.data["recipient"]) == (lost, "수신 차단", "010****5678")


# --- what nobody announced


def test_reported_but_never_registered_is_kept_and_merged_later(dochak: World) -> None:
    msg_key = payloads.new_id()
    dochak.bizgo(payloads.bizgo(msg_key, "10000"))
    row = dochak.wait_row("bizgo", msg_key, status="SENT")
    assert row["accepted_at"] is None and row["recipient"] is None and row["reference"] is None
    accepted_at = payloads.ago(60)
    dochak.register(payloads.accepted("bizgo", msg_key, recipient=payloads.PHONE_E164, reference="order-17", accepted_at=accepted_at))
    row = dochak.wait_row("bizgo", msg_key, reference="order-17")
    assert (row["status"], row["outcome"], row["recipient"]) == ("SENT", "delivered", "+8210****4321")
    assert row["accepted_at"] == datetime.fromisoformat(accepted_at)
    assert row["resolved_at"] == datetime.fromisoformat(payloads.REPORTED_AT)
    dochak.settle()
    assert dochak.alerts(msg_key) == []


def test_an_event_of_a_type_that_is_not_listed_is_no_result_and_is_kept(dochak: World) -> None:
    id_ = payloads.new_id()
    dochak.blux({**payloads.blux_event(id_), "event_type": "notification:sms:clicked"})
    dochak.settle()
    assert dochak.row("blux", id_) is None
    (kept,) = [record for record in dochak.topics.read("quarantine") if id_.encode() in record.value]
    assert kept.header("ce_reason").endswith("no kind of the provider file lists the text at /event_type")
    assert [alert.type for alert in dochak.alerts() if alert.data.get("offset") == kept.offset and alert.data.get("partition") == kept.partition] == [
        "dochak.payload.quarantined.v1"
    ]


@pytest.mark.parametrize("code", ["77777", "6ME10"])
def test_a_code_no_table_lists_is_a_failure_that_says_so(dochak: World, code: str) -> None:
    msg_key = payloads.new_id()
    dochak.bizgo(payloads.bizgo(msg_key, code))
    row = dochak.wait_row("bizgo", msg_key, status="DEAD_LETTER", outcome="failed", code=code)
    assert row["reason"].startswith(f"unknown code {code}")
    dochak.settle()
    assert [alert.data["reason"] for alert in dochak.alerts(msg_key)] == [row["reason"]]


def test_a_code_no_table_lists_keeps_the_providers_words_too(dochak: World) -> None:
    msg_key = payloads.new_id()
    dochak.bizgo(payloads.bizgo(msg_key, "77777", reportText="brand-new failure"))
    row = dochak.wait_row("bizgo", msg_key, status="DEAD_LETTER")
    assert "unknown code 77777" in row["reason"] and "brand-new failure" in row["reason"]


@pytest.mark.parametrize("code", ["63005", "6ME09"])
@pytest.mark.parametrize("registered", [True, False])
def test_what_is_uncertain_stays_pending_and_gets_more_time(dochak: World, code: str, registered: bool) -> None:
    msg_key = payloads.new_id()
    due_at = None
    if registered:
        dochak.register(payloads.accepted("bizgo", msg_key))
        due_at = dochak.wait_row("bizgo", msg_key, status="PENDING")["due_at"]
    now = datetime.now(UTC)
    dochak.bizgo(payloads.bizgo(msg_key, code, reportTime=now.isoformat(timespec="milliseconds")))
    row = dochak.wait_row("bizgo", msg_key, outcome="unconfirmed", code=code)
    assert row["status"] == "PENDING" and row["resolved_at"] is None
    assert abs(row["due_at"] - (now + timedelta(days=3))) < timedelta(seconds=1)
    assert row["expires_at"] >= row["due_at"]
    assert due_at is None or row["due_at"] > due_at
    dochak.settle()
    assert dochak.alerts(msg_key) == []
    dochak.bizgo(payloads.bizgo(msg_key, "10000"))
    dochak.wait_row("bizgo", msg_key, status="SENT", outcome="delivered", code="10000")


@pytest.mark.parametrize(
    ("code", "outcome", "scope"),
    [
        ("64009", "account_fault", "account"),
        ("50010", "account_fault", "account"),  # unpaid bills: how the month without messages began
        ("23019", "account_fault", "sender"),
        ("61007", "account_fault", "profile"),
        ("63015", "account_fault", "template"),
        ("63019", "failed", None),
    ],
)
def test_an_account_fault_is_named_in_the_alert_with_whose_it_is(dochak: World, code: str, outcome: str, scope: str | None) -> None:
    msg_key = payloads.new_id()
    dochak.bizgo(payloads.bizgo(msg_key, code))
    dochak.wait_row("bizgo", msg_key, status="DEAD_LETTER", outcome=outcome)
    dochak.settle()
    alerts = [(a.data["outcome"], a.data["scope"], a.data["previous_status"]) for a in dochak.alerts(msg_key)]
    assert alerts == [(outcome, scope, None)]


@pytest.mark.parametrize("code", ["64000", "64001", "64122", "56002"])
def test_a_question_for_the_result_that_failed_decides_nothing(dochak: World, code: str) -> None:
    msg_key = payloads.new_id()
    dochak.bizgo(payloads.bizgo(msg_key, code))
    dochak.wait_row("bizgo", msg_key, status="PENDING", outcome="unconfirmed", code=code)
    dochak.settle()
    assert dochak.alerts(msg_key) == []


def test_the_fallback_that_arrives_is_told_as_recovered(dochak: World) -> None:
    msg_key = payloads.new_id()
    dochak.register(payloads.accepted("bizgo", msg_key, channel="ALIMTALK", reference="order-18"))
    dochak.bizgo(payloads.bizgo(msg_key, "63019", "ALIMTALK"))
    dochak.wait_row("bizgo", msg_key, status="DEAD_LETTER", channel="ALIMTALK")
    dochak.bizgo(payloads.bizgo(msg_key, "10000", "SMS"))
    dochak.wait_row("bizgo", msg_key, status="SENT", channel="SMS", code="10000", contradicted_by="63019", reference="order-18")
    dochak.settle()
    lost, found = dochak.alerts(msg_key)
    assert (lost.type, lost.data["channel"], lost.data["code"]) == ("dochak.notification.dead_lettered.v1", "ALIMTALK", "63019")
    assert (found.type, found.data["channel"], found.data["code"]) == ("dochak.notification.recovered.v1", "SMS", "10000")
    assert found.data["previous_status"] == "DEAD_LETTER" and found.data["reference"] == "order-18"


def test_what_is_no_receipt_is_acknowledged_and_changes_nothing(dochak: World) -> None:
    """BizGo's MO calls come to the same URL."""
    msg_key = payloads.new_id()
    incoming = {
        "msgKey": msg_key,
        "serviceType": "MO",
        "msgType": "SM",
        "to": "15880000",
        "from": payloads.PHONE,
        "content": payloads.BODY_MARK,
    }
    dochak.bizgo(incoming)
    dochak.settle()
    assert [r.type for r in dochak.records("events", msg_key)] == ["dochak.webhook.received.v1"]
    assert dochak.row("bizgo", msg_key) is None
    assert dochak.alerts(msg_key) == [] and dochak.records("quarantine", msg_key) == []


# --- repeats


def test_a_report_that_comes_again_changes_nothing(dochak: World) -> None:
    msg_key = payloads.new_id()
    for _ in range(3):
        dochak.bizgo(payloads.bizgo(msg_key, "63019"))
    dochak.blux(*[payloads.blux_event(msg_key, delivered=False)] * 3)
    dochak.settle()
    assert len(dochak.records("events", msg_key)) == 6
    assert len(dochak.sql("SELECT 1 FROM receipt WHERE notification_id = %s", msg_key)) == 2
    assert dochak.row("bizgo", msg_key)["version"] == 1
    assert sorted(alert.header("ce_provider") for alert in dochak.alerts(msg_key)) == ["bizgo", "blux"]


def test_the_same_id_at_two_providers_is_two_notifications(dochak: World) -> None:
    dochak.bizgo(payloads.bizgo("shared-id", "10000"))
    dochak.blux(payloads.blux_event("shared-id", delivered=False))
    dochak.wait_row("bizgo", "shared-id", status="SENT")
    dochak.wait_row("blux", "shared-id", status="DEAD_LETTER")
