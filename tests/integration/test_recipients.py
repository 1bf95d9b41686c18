# SPDX-License-Identifier: MIT
"""One request to several recipients: each of them has its own notification, also where the provider gives the request one id."""

import json
import secrets

import pytest

from support import builds, payloads
from support.quarantine import QUARANTINED, check_told
from support.service import Service
from support.world import World

EXAMPLES = builds.ROOT / "schemas/examples/provider/valid"
OTHERS = ["+821011112222", "01033334444"]
NUMBERS = [payloads.PHONE, *OTHERS]


def start(world: World, example: str, **kind) -> None:
    """With the example's provider, its receipts read as `kind` says, and an endpoint for it."""
    prepare(world, example, **kind).start().wait_ready()


def prepare(world: World, example: str, **kind) -> Service:
    """The same; the processor is not started."""
    world.keys["ACME"] = f"acme-{secrets.token_hex(16)}"
    folder = world.folder / "providers"
    folder.mkdir()
    document = json.loads((EXAMPLES / f"{example}.json").read_text())
    document["webhook"]["kinds"][0].update(kind)
    (folder / "acme.json").write_text(json.dumps(document))
    endpoint = {"endpoint": "acme/sms", "provider": "acme", "secret_path": ["DOCHAK_SECRET_ACME_PATH"]}
    world.endpoints_file.write_text(json.dumps({"endpoints": [endpoint]}))
    settings = {"DOCHAK_PROVIDERS_DIR": str(folder), "DOCHAK_SECRET_ACME_PATH": world.keys["ACME"]}
    world.new_ingress(**settings).start().wait_ready()
    return world.new_processor(**settings)


def hook(number: int, code: str, **more) -> dict:
    named = {"requestId": "r/1", "recipientSeq": number, "recipientNo": NUMBERS[number - 1]}
    return {"hookId": f"h-{number}-{code}", **named, "resultCode": code, **more}


@pytest.mark.parametrize("first", ["response", "receipts"])
def test_one_delivered_recipient_hides_no_failed_one(world: World, first: str) -> None:
    start(world, "id-of-several-parts")
    entries = [{"recipientSeq": number, "recipientNo": NUMBERS[number - 1], "resultCode": 0} for number in (1, 2, 3)]
    response = {"body": {"data": {"requestId": "r/1", "sendResultList": entries}}}
    hooks = {"hooks": [hook(1, "1000"), hook(2, "3001"), hook(3, "3001")]}
    steps = [lambda: world.register(payloads.sent("acme", response)), lambda: world.post("acme/sms", hooks)]
    for step in steps if first == "response" else reversed(steps):
        step()
        world.settle()
    assert world.statuses() == {"r~11/1": "SENT", "r~11/2": "DEAD_LETTER", "r~11/3": "DEAD_LETTER"}
    assert sorted(alert.header("ce_subject") for alert in world.alerts()) == ["r~11/2", "r~11/3"]
    assert all(record.key == record.header("ce_subject").encode() for record in world.records("events"))
    assert all(world.row("acme", id_)["accepted_at"] for id_ in world.statuses())


def test_an_id_that_holds_the_recipient_shows_no_number(world: World) -> None:
    start(world, "id-with-the-recipient")
    ids = [entry["notification_id"] for entry in world.register(payloads.sent("acme", {"id": "b-1", "to": NUMBERS}))]
    assert len(set(ids)) == 3
    for number, status in zip(NUMBERS, ("Delivered", "Aborted", "Delivered"), strict=True):
        assert world.post("acme/sms", {"batch_id": "b-1", "recipient": number.lstrip("+"), "status": status}).status == 200
    world.settle()
    assert world.statuses() == dict(zip(ids, ("SENT", "DEAD_LETTER", "SENT"), strict=True))


def test_an_id_that_grows_too_long_is_kept_with_its_fault(world: World) -> None:
    start(world, "id-of-several-parts")
    world.post("acme/sms", {"hooks": [hook(1, "1000", requestId="r" * 254), hook(2, "1000", requestId="r" * 253)]})
    world.settle()
    assert world.statuses() == {"r" * 253 + "/2": "SENT"}
    (kept,) = world.records("quarantine")
    assert kept.header("ce_reason").endswith("result with an id of more than 255 bytes")


# --- a provider file that takes the id of the request for that of a message


def quarantined(world: World) -> list[tuple[int, str]]:
    """What is in quarantine: the recipient's number in the request, and the reason."""
    return sorted((json.loads(record.value)["recipientSeq"], record.header("ce_reason")) for record in world.records("quarantine"))


ANOTHER = 'its id belongs to another recipient: "r/1"'


@pytest.mark.parametrize("dedupe", [["/hookId"], ["/requestId"]], ids=",".join)
@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("registered", [True, False])
def test_receipts_of_one_id_for_several_recipients_are_alerted(world: World, dedupe: list[str], together: bool, registered: bool) -> None:
    start(world, "id-of-several-parts", id="/requestId", dedupe=dedupe)
    if registered:
        world.register(payloads.accepted("acme", "r/1", recipient="+821099998888"))
    hooks = [hook(1, "1000"), hook(2, "3001"), hook(3, "1000"), hook(2, "3001")]
    for part in [hooks] if together else [[one] for one in hooks]:
        assert world.post("acme/sms", {"hooks": part}).status == 200
        world.settle()
    (row,) = world.sql("SELECT status, recipient, contradicted_by FROM notification")
    assert (row["status"], row["contradicted_by"]) == ("SENT", None)
    assert row["recipient"] == ("+8210****8888" if registered else "010****5678")
    assert len(world.sql("SELECT 1 FROM receipt")) == 1
    assert quarantined(world) == [(2, ANOTHER), (2, ANOTHER), (3, ANOTHER)]
    check_told(world)
    assert [alert.data["reason"] for alert in world.alerts() if alert.type == QUARANTINED] == [ANOTHER]


def test_one_recipient_in_other_forms_or_not_named_is_no_other(world: World) -> None:
    start(world, "id-of-several-parts", id="/requestId")
    for code, number in (("3001", payloads.PHONE), ("9", "+82 10-1234-5678"), ("8", None), ("1000", "82 (0)10 1234 5678")):
        world.post("acme/sms", {"hooks": [hook(1, code, recipientNo=number)]})
        world.settle()
    assert (world.row("acme", "r/1")["status"], world.records("quarantine")) == ("SENT", [])
    assert len(world.sql("SELECT 1 FROM receipt")) == 4


def test_a_receipt_that_waits_in_front_of_its_own_notification_does_not_make_it_a_repeat(world: World) -> None:
    start(world, "id-of-several-parts", id="/requestId", dedupe=["/requestId"])
    world.post("acme/sms", {"hooks": [hook(1, "3001")]})
    world.settle()
    world.post("acme/sms", {"hooks": [hook(2, "1000"), hook(1, "1000")]})
    world.settle()
    assert world.row("acme", "r/1")["status"] == "SENT"
    assert quarantined(world) == [(2, ANOTHER)]


@pytest.mark.parametrize("point", ["before_postgres_commit", "after_postgres_commit", "before_kafka_commit"])
def test_a_receipt_of_another_recipient_survives_the_processor(world: World, point: str) -> None:
    processor = prepare(world, "id-of-several-parts", id="/requestId", dedupe=["/requestId"])
    world.post("acme/sms", {"hooks": [hook(1, "1000"), hook(2, "1000"), hook(3, "3001")]})
    processor.env["CRASH_AT"] = f"{point}:1"
    processor.start()
    processor.wait_killed()
    del processor.env["CRASH_AT"]
    processor.start().wait_ready()
    world.settle()
    assert (world.row("acme", "r/1")["status"], len(world.sql("SELECT 1 FROM receipt"))) == ("SENT", 1)
    assert quarantined(world) == [(2, ANOTHER), (3, ANOTHER)]
    check_told(world)
    assert [alert.data["reason"] for alert in world.alerts()] == [ANOTHER]
