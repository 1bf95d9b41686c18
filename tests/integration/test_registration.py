# SPDX-License-Identifier: MIT
"""POST /v1/notifications: what our application says it has sent, in each form a send API answers in."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from support import payloads
from support.replays import with_outcomes
from support.world import World


def v1_top(msg_key: str, code: str = "A000", result: str = "Success") -> dict:
    return {"code": code, "result": result, "msgKey": msg_key, "ref": "ref-1"}


def v1_data(msg_key: str, code: str = "A000", result: str = "Success") -> dict:
    return {"code": code, "result": result, "ref": "ref-1", "data": {"msgKey": msg_key}}


def destination(msg_key: str, to: str = payloads.PHONE, code: str = "A000", result: str = "Success") -> dict:
    return {"to": to, "msgKey": msg_key, "code": code, "result": result}


def v1_omni(*destinations: dict, code: str = "A000") -> dict:
    return {"code": code, "result": "Success", "ref": "ref-1", "data": {"destinations": list(destinations)}}


def v2_omni(*destinations: dict, auth: str = "A000", code: str = "A000") -> dict:
    return {
        "common": {"authCode": auth, "authResult": "Success", "infobankTrId": "tr-1"},
        "data": {"code": code, "result": "Success", "ref": "ref-1", "data": {"destinations": list(destinations)}},
    }


def entry(provider: str, notification_id: str | None, accepted: bool = True, **refusal: str) -> dict:
    return {"provider": provider, "notification_id": notification_id, "accepted": accepted, **refusal}


@pytest.mark.parametrize("shape", [v1_top, v1_data])
def test_a_send_response_for_one_recipient_becomes_pending(dochak: World, shape) -> None:
    msg_key = payloads.new_id()
    answered = dochak.register(payloads.sent("bizgo", shape(msg_key), recipient=payloads.PHONE_E164, channel="ALIMTALK"))
    assert answered == [entry("bizgo", msg_key)]
    row = dochak.wait_row("bizgo", msg_key, status="PENDING", reference="ref-1", channel="ALIMTALK", recipient="+8210****4321")
    assert row["outcome"] is None and row["accepted_at"] is not None
    assert (row["due_at"] - row["accepted_at"]).total_seconds() == 300


@pytest.mark.parametrize("shape", [v1_omni, v2_omni])
def test_a_send_response_for_many_recipients_becomes_one_notification_each(dochak: World, shape) -> None:
    ids = [payloads.new_id() for _ in range(200)]
    destinations = [destination(msg_key, f"0101234{number:04}") for number, msg_key in enumerate(ids)]
    assert dochak.register(payloads.sent("bizgo", shape(*destinations))) == [entry("bizgo", msg_key) for msg_key in ids]
    dochak.settle()
    for number, msg_key in enumerate(ids):
        row = dochak.row("bizgo", msg_key)
        assert (row["status"], row["reference"], row["recipient"]) == ("PENDING", "ref-1", f"010****{number:04}")
    # Each event holds its own recipient only.
    (event,) = dochak.records("events", ids[7])
    assert ids[7] in event.value.decode() and ids[8] not in event.value.decode()


@pytest.mark.parametrize("shape", [v1_omni, v2_omni])
def test_a_refused_destination_is_a_dead_letter_and_its_neighbours_are_not(dochak: World, shape) -> None:
    taken, refused, again = (payloads.new_id() for _ in range(3))
    answered = dochak.register(
        payloads.sent(
            "bizgo",
            shape(destination(taken), destination(refused, code="A306", result="수신번호 오류"), destination(again, code="A301")),
        )
    )
    assert answered == [
        entry("bizgo", taken),
        entry("bizgo", refused, accepted=False, code="A306", reason="수신번호 오류"),
        entry("bizgo", again),
    ]
    dochak.wait_row(
        "bizgo", refused, status="DEAD_LETTER", outcome="rejected", code="A306", reason="수신번호 오류", recipient="010****5678"
    )
    for msg_key in (taken, again):
        dochak.wait_row("bizgo", msg_key, status="PENDING", outcome=None, code=None)
    dochak.settle()
    (alert,) = dochak.alerts(refused)
    assert alert.type == "dochak.notification.dead_lettered.v1"
    assert (alert.data["outcome"], alert.data["code"], alert.data["recipient"]) == ("rejected", "A306", "010****5678")
    assert dochak.alerts(taken) == dochak.alerts(again) == []


@pytest.mark.parametrize(
    "response",
    [
        lambda msg_key: v1_top(msg_key, "A325", "channel not permitted"),
        lambda msg_key: v1_data(msg_key, "A325"),
        lambda msg_key: v1_omni(destination(msg_key), code="A300"),
        lambda msg_key: v2_omni(destination(msg_key), code="A300"),
        lambda msg_key: v2_omni(destination(msg_key), auth="A110"),
        lambda msg_key: {"result": "no code at all", "msgKey": msg_key},
    ],
    ids=["v1 top", "v1 data", "v1 omni", "v2 data", "v2 gateway", "no code"],
)
def test_a_refusal_of_the_whole_request_is_a_dead_letter_at_once(dochak: World, response) -> None:
    msg_key = payloads.new_id()
    (answered,) = dochak.register(payloads.sent("bizgo", response(msg_key)))
    assert {**entry("bizgo", msg_key, accepted=False), **answered} == answered
    dochak.wait_row("bizgo", msg_key, status="DEAD_LETTER", outcome="rejected")
    dochak.settle()
    assert [alert.data["outcome"] for alert in dochak.alerts(msg_key)] == ["rejected"]


def test_explicit_fields_are_taken_as_they_are(dochak: World) -> None:
    notification_id = payloads.new_id()
    accepted_at = payloads.ago(60)
    registration = payloads.accepted(
        "blux", notification_id, channel="SMS", recipient="ann@example.kr", reference="주문-17", accepted_at=accepted_at
    )
    assert dochak.register(registration) == [entry("blux", notification_id)]
    row = dochak.wait_row("blux", notification_id, status="PENDING", channel="SMS", recipient="a***@example.kr", reference="주문-17")
    assert row["accepted_at"] == datetime.fromisoformat(accepted_at)


def test_what_the_application_says_itself_wins_over_the_response(dochak: World) -> None:
    msg_key = payloads.new_id()
    response = v1_omni(destination(msg_key, payloads.PHONE))
    dochak.register(payloads.sent("bizgo", response, recipient=payloads.PHONE_E164, reference="mine"))
    dochak.wait_row("bizgo", msg_key, reference="mine", recipient="+8210****4321")


def test_an_array_is_taken_whole_in_its_order(dochak: World) -> None:
    ids = [payloads.new_id() for _ in range(5)]
    registrations = [
        payloads.accepted("blux", ids[0]),
        payloads.sent("bizgo", v1_omni(destination(ids[1]), destination(ids[2]))),
        payloads.sent("blux", {"notification_id": ids[3]}),
        payloads.sent("bizgo", v1_top(ids[4])),
    ]
    providers = ["blux", "bizgo", "bizgo", "blux", "bizgo"]
    assert dochak.register(registrations) == [entry(provider, id_) for provider, id_ in zip(providers, ids, strict=True)]
    for provider, notification_id in zip(providers, ids, strict=True):
        dochak.wait_row(provider, notification_id, status="PENDING")


@pytest.mark.parametrize("bad", [{"provider": "nobody", "notification_id": "x"}, {"provider": "bizgo", "response": {"code": "A000"}}, 7])
def test_one_bad_registration_keeps_the_whole_array_out(dochak: World, bad) -> None:
    good = payloads.new_id()
    answer = dochak.post_registration([payloads.accepted("bizgo", good), bad])
    assert answer.status == 400 and "/1" in answer.json()["error"]["message"], answer
    dochak.settle()
    assert dochak.row("bizgo", good) is None and dochak.records("events", good) == []


def test_the_same_acceptance_twice_is_one(dochak: World) -> None:
    msg_key = payloads.new_id()
    registration = payloads.accepted("bizgo", msg_key, recipient=payloads.PHONE_E164, accepted_at=payloads.ago(60))
    dochak.register([registration, registration])
    dochak.register(registration)
    dochak.settle()
    assert len(dochak.records("events", msg_key)) == 3
    assert dochak.row("bizgo", msg_key)["version"] == 1
    assert len(acceptances(dochak, msg_key)) == 1
    dochak.register(registration | {"accepted_at": payloads.ago(50)})  # says nothing new, but who decided without it starts over
    dochak.settle()
    assert dochak.row("bizgo", msg_key)["version"] == 2 and len(acceptances(dochak, msg_key)) == 2
    assert dochak.alerts(msg_key) == []


def test_a_repeated_acceptance_keeps_the_earliest_time(dochak: World) -> None:
    msg_key = payloads.new_id()
    early, late = payloads.ago(69), payloads.ago(63)
    for accepted_at in (late, early, late):
        dochak.register(payloads.accepted("bizgo", msg_key, accepted_at=accepted_at))
    dochak.settle()
    assert dochak.row("bizgo", msg_key)["accepted_at"] == datetime.fromisoformat(early)
    assert [row["accepted_at"] for row in acceptances(dochak, msg_key)] == [datetime.fromisoformat(at) for at in (late, early)]


def acceptances(world: World, notification_id: str) -> list[dict]:
    return world.sql("SELECT * FROM acceptance WHERE notification_id = %s ORDER BY source_offset", notification_id)


def test_an_acceptance_is_stored_with_its_response_and_no_number(dochak: World) -> None:
    msg_key = payloads.new_id()
    dochak.register(payloads.sent("bizgo", v1_omni(destination(msg_key, payloads.PHONE)), reference="order-17"))
    dochak.settle()
    (row,) = acceptances(dochak, msg_key)
    (event,) = dochak.records("events", msg_key)
    assert (row["recipient"], len(row["recipient_hash"])) == ("010****5678", 32)
    assert row["recipient_hash"] == dochak.row("bizgo", msg_key)["recipient_hash"]
    kept = {"notification_id": msg_key, "reference": "order-17", "response": v1_omni(destination(msg_key, row["recipient"]))}
    assert row["registration"] == kept
    assert (str(row["event_id"]), row["source_partition"], row["source_offset"]) == (event.id, event.partition, event.offset)
    assert row["received_at"] == row["accepted_at"] == datetime.fromisoformat(event.header("ce_time"))
    assert row["endpoint"] is None  # by no webhook


def test_a_registration_and_its_receipt_in_one_batch_are_both_stored(dochak: World) -> None:
    """Whichever comes first, and where the notification is new and where it is not."""
    for order in (1, -1):
        msg_key = payloads.new_id()
        acts = [lambda: dochak.register(payloads.accepted("bizgo", msg_key)), lambda: dochak.bizgo(payloads.bizgo(msg_key, "10000"))]  # noqa: B023
        for act in acts[::order]:
            act()
        dochak.register(payloads.accepted("bizgo", msg_key, reference="once more"))
        dochak.settle()
        assert dochak.row("bizgo", msg_key)["status"] == "SENT"
        assert [row["registration"].get("reference") for row in acceptances(dochak, msg_key)] == [None, "once more"]
        (receipt,) = dochak.sql("SELECT * FROM receipt WHERE notification_id = %s", msg_key)
        assert receipt["endpoint"] == "bizgo/alimtalk"


@pytest.mark.parametrize(
    "accepted_at", ["1970-01-01T00:00:00Z", "1970-01-21T15:00:00.123+09:00", payloads.ago(3 * 86400 + 60)], ids=["zero", "seconds", "late"]
)
def test_an_acceptance_older_than_its_whole_life_counts_from_its_registration(dochak: World, accepted_at: str) -> None:
    """A mistake, or a registration that comes late: it would be a dead letter at once."""
    notification_id = payloads.new_id()
    began = datetime.now(UTC)
    dochak.register(payloads.accepted("blux", notification_id, accepted_at=accepted_at))
    row = dochak.wait_row("blux", notification_id, status="PENDING")
    assert began - timedelta(seconds=1) <= row["accepted_at"] <= datetime.now(UTC)
    assert row["next_look_at"] == row["due_at"] == row["accepted_at"] + timedelta(seconds=300)
    (event,) = dochak.records("events", notification_id)
    assert event.data["accepted_at"] == accepted_at  # as it was said


def test_recipients_are_found_by_their_hash_however_they_were_written(dochak: World) -> None:
    spellings = ["01087654321", "+821087654321", "010-8765-4321", "+82 10 8765 4321", "０１０８７６５４３２１", "tel:+82-10-8765-4321", "whatsapp:+821087654321"]
    ids = [payloads.new_id() for _ in spellings]
    dochak.register([payloads.accepted("bizgo", id_, recipient=text) for id_, text in zip(ids, spellings, strict=True)])
    dochak.settle()
    rows = [dochak.row("bizgo", id_) for id_ in ids]
    assert len({row["recipient_hash"] for row in rows}) == 1
    assert all("8765" not in row["recipient"] and row["recipient"].endswith("4321") for row in rows), [row["recipient"] for row in rows]


def test_numbers_in_the_providers_words_are_masked_everywhere(world: World) -> None:
    dochak = world.start()
    msg_key = payloads.new_id()
    dochak.bizgo(payloads.bizgo(msg_key, "63019", reportText=f"no such user: {payloads.PHONE}, 010-1234-5678, ann@example.kr"))
    reason = dochak.wait_row("bizgo", msg_key, status="DEAD_LETTER")["reason"]
    assert "1234" not in reason and "ann@" not in reason and reason.startswith("no such user: "), reason
    dochak.settle()
    assert [alert.data["reason"] for alert in dochak.alerts(msg_key)] == [reason]


def test_further_places_of_a_report_are_stored_only_masked(world: World) -> None:
    settings = with_outcomes(world, "masked", report={"masked": ["/mark", "/log", "/from"]})
    world.new_ingress(**settings).start().wait_ready()
    world.new_processor(**settings).start().wait_ready()
    world.bizgo(payloads.bizgo("masked", "63019", log=[{"to": payloads.PHONE}], **{"from": payloads.PHONE}))
    world.wait_row("bizgo", "masked", status="DEAD_LETTER")
    (receipt,) = world.sql("SELECT element FROM receipt")
    assert (receipt["element"]["mark"], receipt["element"]["log"], receipt["element"]["from"]) == ("***", "***", "010****5678")


def test_many_callers_at_once_are_all_answered_and_kept(dochak: World) -> None:
    ids = [[payloads.new_id() for _ in range(25)] for _ in range(12)]
    faults = []

    def work(mine: list[str]) -> None:
        try:
            for id_ in mine:
                dochak.register(payloads.accepted("blux", id_))
                dochak.blux(payloads.blux_event(id_))
        except Exception as error:  # shown by the test's own thread
            faults.append(error)

    threads = [threading.Thread(target=work, args=(mine,)) for mine in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    dochak.settle()
    statuses = dochak.statuses()
    assert {statuses.get(id_) for mine in ids for id_ in mine} == {"SENT"}


def test_who_was_refused_without_an_id_is_told_and_costs_nobody_else(dochak: World) -> None:
    taken = payloads.new_id()
    nameless = {"to": "01099998888", "code": "A306", "result": "invalid to"}
    answered = dochak.register(payloads.sent("bizgo", v2_omni(nameless, destination(taken))))
    assert answered == [entry("bizgo", None, accepted=False, code="A306", reason="invalid to"), entry("bizgo", taken)]
    dochak.wait_row("bizgo", taken, status="PENDING")


def test_a_send_refused_as_a_whole_is_told_as_refused(dochak: World) -> None:
    answered = dochak.register(payloads.sent("bizgo", {"code": "A110", "result": "Blocked account"}))
    assert answered == [entry("bizgo", None, accepted=False, code="A110", reason="Blocked account")]
