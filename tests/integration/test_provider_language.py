# SPDX-License-Identifier: MIT
"""What the language of the provider files says, with both programs: results that are none yet, codes that are not listed, times."""

import json
import re
import secrets
from datetime import UTC, datetime
from pathlib import Path

import pytest

from support import builds, payloads
from support.replays import replay
from support.world import World

EXAMPLES = builds.ROOT / "schemas/examples"


def write(world: World, document: dict) -> Path:
    folder = world.folder / "providers"
    folder.mkdir(exist_ok=True)
    (folder / "acme.json").write_text(json.dumps(document))
    return folder


def start_with(world: World, provider: str, **settings: str) -> None:
    """With an endpoint for the provider."""
    key = provider.upper()
    world.keys[key] = f"{provider}-{secrets.token_hex(16)}"
    endpoint = {"endpoint": f"{provider}/sms", "provider": provider, "secret_path": [f"DOCHAK_SECRET_{key}_PATH"]}
    world.endpoints_file.write_text(json.dumps({"endpoints": [endpoint]}))
    settings[f"DOCHAK_SECRET_{key}_PATH"] = world.keys[key]
    world.new_ingress(**settings).start().wait_ready()
    world.new_processor(**settings).start().wait_ready()


def start(world: World, example: str) -> dict:
    """With the example's provider. Returns the provider file."""
    document = json.loads((EXAMPLES / "provider/valid" / f"{example}.json").read_text())
    start_with(world, "acme", DOCHAK_PROVIDERS_DIR=str(write(world, document)))
    return document


def report(world: World, id_: str, group: str, status: str, **more) -> None:
    assert world.post("acme/sms", {"results": [{"id": id_, "group": group, "status": status, **more}]}).status == 200


def test_a_kind_is_acked_as_its_own_ack_says(world: World) -> None:
    document = json.loads((EXAMPLES / "provider/valid/least.json").read_text())
    webhook = document["webhook"]
    news = {"kind": "other", "when": {"equals": {"/news": ["reply"]}}, "ack": {"status": 200, "text": "OK"}}
    silent = {"kind": "other", "when": {"equals": {"/news": ["read"]}}, "ack": {"status": 204}}
    webhook["kinds"] = [{"name": "reply", **news}, {"name": "read", **silent}, *webhook["kinds"]]
    webhook["ack"] = {"status": 200, "body": {"code": "A000"}}
    start_with(world, "acme", DOCHAK_PROVIDERS_DIR=str(write(world, document)))

    def acked(*elements: dict) -> tuple[int, str | None, str | None, bytes]:
        answer = world.post("acme/sms", {"results": list(elements)})
        return answer.status, answer.headers.get("content-type"), answer.headers.get("x-content-type-options"), answer.body

    usual = (200, "application/json", None, b'{"code":"A000"}')
    assert acked({"news": "reply"}, {"news": "reply"}) == (200, "text/plain; charset=utf-8", "nosniff", b"OK")
    assert acked({"news": "read"}) == (204, None, None, b"")
    assert acked({"id": "m", "status": "0"}) == usual
    assert acked({"news": "reply"}, {"id": "m", "status": "0"}) == usual
    assert acked({"news": "reply"}, {}) == usual
    world.settle()
    assert len(world.records("quarantine")) == 1


def test_what_is_on_its_way_changes_nothing_and_is_counted_as_other(world: World) -> None:
    start(world, "on-its-way-and-otherwise")
    world.register([payloads.accepted("acme", id_) for id_ in ("waits", "arrives", "early")])
    for id_, group, status in (
        ("waits", "plain", "queued"),
        ("arrives", "plain", "sent"),
        ("arrives", "plain", "done"),
        ("arrives", "pending", "no such code"),
        ("early", "plain", "done"),
        ("early", "plain", "sent"),
        ("nobody", "pending", "no such code"),
        ("doubtful", "doubtful", "no such code"),
        ("unknown", "plain", "no such code"),
    ):
        report(world, id_, group, status)
    world.settle()
    assert world.statuses() == {"waits": "PENDING", "arrives": "SENT", "early": "SENT", "doubtful": "PENDING", "unknown": "DEAD_LETTER"}
    counted = world.sql("SELECT outcome, sum(records)::int AS n FROM delivery_minute WHERE provider = 'acme' GROUP BY 1")
    of_records = {row["outcome"]: row["n"] for row in counted if row["outcome"] not in ("taken", "in_time")}
    assert of_records == {"accepted": 3, "other": 5, "delivered": 2, "unconfirmed": 1, "failed": 1}
    assert [alert.header("ce_subject") for alert in world.alerts()] == ["unknown"]
    assert world.records("quarantine") == []
    assert len(world.sql("SELECT 1 FROM receipt")) == 4


def test_a_replay_with_a_file_that_knows_what_is_on_its_way_opens_the_dead_letter_again(world: World) -> None:
    document = start(world, "on-its-way-and-otherwise")
    report(world, "m", "plain", "with the operator")
    world.settle()
    assert world.statuses() == {"m": "DEAD_LETTER"}
    document["outcomes"]["with the operator"] = {"outcome": "on_its_way"}
    right = {"DOCHAK_PROVIDERS_DIR": str(write(world, document))}
    assert "1 notifications corrected, 0 alerts raised" in replay(world, **right).stdout
    assert "0 notifications corrected, 0 alerts raised" in replay(world, **right).stdout
    row = world.row("acme", "m")
    assert (row["status"], row["outcome"], row["code"]) == ("PENDING", "unconfirmed", "with the operator")
    report(world, "m", "plain", "done")
    assert world.wait_row("acme", "m", status="SENT")["outcome"] == "delivered"


@pytest.mark.parametrize("form", ["epoch_s", "plain"])
def test_a_time_is_stored_and_one_that_cannot_be_read_is_logged_once_for_a_provider_and_kind(world: World, form: str) -> None:
    start(world, "time-of-digits")
    done = 1768183203 if form == "epoch_s" else "Mon, 12 Jan 2026 11:00:03 +0900"
    results = [{"form": form, "id": "good", "status": "ok", "done": done}]
    results += [{"form": form, "id": f"bad-{i}", "status": "ok", "done": "20260112"} for i in range(3)]
    assert world.post("acme/sms", {"results": results}).status == 200
    world.settle()
    rows = world.sql("SELECT notification_id, status, extract(epoch FROM resolved_at)::bigint AS at FROM notification")
    assert {row["status"] for row in rows} == {"SENT"} and len(rows) == 4
    at = {row["notification_id"]: row["at"] for row in rows}
    assert at.pop("good") == 1768183203 and min(at.values()) > 1768183203
    (line,) = world.services[-1].log_lines("a provider's time cannot be read")
    assert (line["provider"], line["kind"], line["place"]) == ("acme", form.replace("_", "-"), "/done")


def infobip(what: str, case: str, file: str) -> dict:
    """An example as of now: what is unconfirmed by the time of the example would have expired."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    text = (EXAMPLES / what / "infobip" / case / f"{file}.json").read_text()
    return json.loads(re.sub(r'"2026-01-12T[^"]*"', f'"{now}"', text))


def test_infobip_is_read_from_the_send_answer_to_the_handset(world: World) -> None:
    start_with(world, "infobip")
    world.register(payloads.sent("infobip", infobip("acceptance", "sms-v3", "response"), channel="SMS"))
    world.settle()
    assert world.statuses() == {"m-1": "PENDING", "m-2": "DEAD_LETTER"}
    for case in sorted(path.name for path in (EXAMPLES / "webhook" / "infobip").iterdir()):
        assert world.post("infobip/sms", infobip("webhook", case, "body")).status == 200
    world.settle()
    sent, pending = {"m-1", "m-2", "m-3", "m-4", "m-17", "m-21"}, {"m-5", "m-11", "m-12"}
    dead = {"m-7", "m-8", "m-9", "m-10", "m-13", "m-14", "m-15", "m-16"}
    assert world.statuses() == {**dict.fromkeys(sent, "SENT"), **dict.fromkeys(pending, "PENDING"), **dict.fromkeys(dead, "DEAD_LETTER")}
    row = world.row("infobip", "m-1")
    assert (row["channel"], row["code"], row["reference"]) == ("SMS", "DELIVERED_TO_HANDSET", "order-17")
    faults = {alert.data["scope"] for alert in world.notification_alerts() if alert.data.get("outcome") == "account_fault"}
    assert faults == {"account", "sender"}
    assert len(world.records("quarantine")) == 3
