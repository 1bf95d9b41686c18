# SPDX-License-Identifier: MIT
"""One request to several recipients: each of them has its own notification, also where the provider gives the request one id."""

import json
import secrets

import pytest

from support import builds, payloads
from support.world import World

EXAMPLES = builds.ROOT / "schemas/examples/provider/valid"
OTHERS = ["+821011112222", "01033334444"]
NUMBERS = [payloads.PHONE, *OTHERS]


def start(world: World, example: str) -> World:
    """With the example's provider and an endpoint for it."""
    world.keys["ACME"] = f"acme-{secrets.token_hex(16)}"
    folder = world.folder / "providers"
    folder.mkdir()
    (folder / "acme.json").write_text((EXAMPLES / f"{example}.json").read_text())
    endpoint = {"endpoint": "acme/sms", "provider": "acme", "secret_path": ["DOCHAK_SECRET_ACME_PATH"]}
    world.endpoints_file.write_text(json.dumps({"endpoints": [endpoint]}))
    settings = {"DOCHAK_PROVIDERS_DIR": str(folder), "DOCHAK_SECRET_ACME_PATH": world.keys["ACME"]}
    world.new_ingress(**settings).start().wait_ready()
    world.new_processor(**settings).start().wait_ready()
    return world


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
