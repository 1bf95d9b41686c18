# SPDX-License-Identifier: MIT
"""Bodies that are no plain list of reports: forms, queries, lists inside lists, values of the envelope and of headers, JSON inside of a text.
Each is read by an example's provider file, ends in the tables, and is read again from there and from quarantine."""

import json
import shutil
from pathlib import Path

import pytest

from support import builds, http
from support.replays import command, everything, replay
from support.world import World

EXAMPLES = builds.ROOT / "schemas/examples/provider/valid"
FILES = ("body-as-a-form", "methods-and-a-query", "levels", "what-stands-outside-of-an-element", "headers", "json-in-a-text")
TOKEN = "token-0123456789abcdef"


def folder_of(world: World, name: str, **change: str) -> dict[str, str]:
    """A setting: the shipped files and the examples, of which `change` says what differs in the headers' receipts."""
    folder = world.folder / name
    shutil.copytree(builds.ROOT / "schemas/providers", folder, ignore=shutil.ignore_patterns("*.md"))
    for file in FILES:
        document = json.loads((EXAMPLES / f"{file}.json").read_text("utf-8"))
        if file == "headers":
            document["webhook"]["kinds"][0] |= change
        Path(folder, f"{file}.json").write_text(json.dumps(document), "utf-8")
    return {"DOCHAK_PROVIDERS_DIR": str(folder), "DOCHAK_SECRET_QUERY": TOKEN}


def begin(world: World, **settings: str) -> None:
    world.new_ingress(**settings).start().wait_ready()
    world.new_processor(**settings).start().wait_ready()


@pytest.fixture
def shapes(world: World) -> World:
    names = ("acme", "acme-query", "acme-levels", "acme-batch", "acme-headers", "acme-json")
    endpoints = [{"endpoint": name, "provider": name} for name in names]
    endpoints[1]["checks"] = {"query_token": {"secrets": ["DOCHAK_SECRET_QUERY"]}}
    world.endpoints_file.write_text(json.dumps({"endpoints": endpoints}), "utf-8")
    return world


def post(world: World, endpoint: str, body: object, headers: dict[str, str] | None = None) -> None:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = http.request(world.ingress.ports["public"], "POST", f"/webhook/{endpoint}", data, headers or {})
    assert answer.status == 200, answer


def outcomes(world: World) -> list[tuple[str, str, str]]:
    """Of each notification; an id of a recipient has a digest behind the slash."""
    world.settle()
    rows = world.sql("SELECT provider, notification_id, status FROM notification ORDER BY provider, notification_id")
    return sorted((row["provider"], row["notification_id"].split("/")[0], row["status"]) for row in rows)


def send_all(world: World) -> None:
    post(world, "acme", b"MessageSid=SM1&MessageStatus=undelivered&ErrorCode=30003&To=%2B821012345678")
    query = f"/webhook/acme-query?messageId=q1&status=delivered&msisdn=821012345678&token={TOKEN}"
    assert http.request(world.ingress.ports["public"], "GET", query, b"").status == 200
    statuses = [{"id": "w1", "status": "read", "timestamp": "1767225600"}, {"id": "w2", "status": "failed", "errors": [{"code": 131026}]}]
    changes = [{"value": {"statuses": statuses}}, {"value": {"messages": [{}]}}]
    post(world, "acme-levels", {"entry": [{"changes": changes}]})
    batch = [
        {"code": 402, "status": "Failed", "recipients": ["821012345678", "821087654321"]},
        {"code": 0, "status": "Delivered", "recipients": ["821055555555"]},
    ]
    post(world, "acme-batch", {"type": "delivery_report_sms", "batch_id": "b1", "statuses": batch})
    message = {"eventType": "Delivery", "mail": {"messageId": "m1"}, "delivery": {"recipients": ["hana@example.com"]}}
    post(world, "acme-json", {"Type": "Notification", "MessageId": "s1", "Message": json.dumps(message)})
    head = {"X-Acme-Event-Name": "SINGLE-REPORT"}
    for event in ("e1", "e1", "e2"):
        post(world, "acme-headers", {"id": "h1", "code": "4000"}, {**head, "X-Acme-Event-Id": event})


EXPECTED = [
    ("acme", "SM1", "DEAD_LETTER"),
    ("acme-batch", "b1", "DEAD_LETTER"),
    ("acme-batch", "b1", "DEAD_LETTER"),
    ("acme-batch", "b1", "SENT"),
    ("acme-headers", "h1", "SENT"),
    ("acme-json", "m1", "SENT"),
    ("acme-levels", "w1", "SENT"),
    ("acme-levels", "w2", "DEAD_LETTER"),
    ("acme-query", "q1", "SENT"),
]


def test_each_shape_ends_in_the_tables_once_and_a_replay_reads_the_same(shapes: World) -> None:
    settings = folder_of(shapes, "right")
    begin(shapes, **settings)
    send_all(shapes)
    assert outcomes(shapes) == EXPECTED
    assert [record.header("ce_reason") for record in shapes.topics.read("quarantine")] == []
    receipts = "SELECT count(*) AS n FROM receipt WHERE provider = 'acme-headers'"
    assert shapes.sql(receipts)[0]["n"] == 2  # e1 came twice
    send_all(shapes)
    before = everything(shapes)
    assert len(before[1]) == 10 and not any("1012345678" in json.dumps(row, default=str) for row in before[1]), before[1]
    assert "0 notifications corrected, 0 alerts raised" in replay(shapes, **settings).stdout
    assert everything(shapes) == before


def test_what_a_header_tells_is_still_there_when_quarantine_is_taken_in(shapes: World) -> None:
    begin(shapes, **folder_of(shapes, "wrong", id="/messageId"))
    head = {"X-Acme-Event-Name": "SINGLE-REPORT"}
    for event in ("e1", "e2"):
        post(shapes, "acme-headers", {"id": "h1", "code": "4000"}, {**head, "X-Acme-Event-Id": event})
    shapes.settle()
    assert len(shapes.topics.read("quarantine")) == 2 and outcomes(shapes) == []
    for service in shapes.services:
        service.stop()
    settings = folder_of(shapes, "right")
    begin(shapes, **settings)
    assert "2 elements redriven" in command(shapes, "quarantine", "redrive", **settings).stdout
    assert outcomes(shapes) == [("acme-headers", "h1", "SENT")]
    assert shapes.sql("SELECT count(*) AS n FROM receipt")[0]["n"] == 2
