# SPDX-License-Identifier: MIT
"""Every shipped provider, from its signed call to the status, the alert and the answer: its examples, which are its documents' samples,
through both programs; the same call twice; reports in every order; a call that cannot be read; a call of somebody else."""

import itertools
import json
import math
import secrets
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import pytest

from support import builds, http
from support.provider_senders import PUBLIC, SENDERS, Sender
from support.world import World

EXAMPLES = builds.ROOT / "schemas/examples/webhook"
DEAD_LETTERED = "dochak.notification.dead_lettered.v1"
# Of any provider's form: what was unconfirmed on the day of the examples would have expired.
DAY, EPOCH = "2026-01-12", 1768183203
YESTERDAY = datetime.now(UTC) - timedelta(days=1)
PERSONAL = ["15550000001", "15550000002", "447700900001", "홍길동", "비밀번호 변경 안내"]  # the numbers of payloads.PHONES are looked for in any case
END = """SELECT status, outcome, code, reason, contradicted_by, channel, recipient, recipient_hash, reference FROM notification
          WHERE provider = %s AND notification_id LIKE %s"""

NO_PROOF = ("x-kakao-resource-id", "x-sinch-webhook-signature-algorithm")  # headers that no check needs

for_each_provider = pytest.mark.parametrize("sender", SENDERS, ids=lambda sender: sender.provider)
for_each_order = pytest.mark.parametrize("sender", [sender for sender in SENDERS if sender.set_id], ids=lambda sender: sender.provider)


@pytest.fixture(scope="module")
def called(module_worlds, kafka, postgres) -> World:
    """One ingress with an endpoint for each provider, and one processor."""
    world = module_worlds.new(kafka, postgres)
    settings = {}
    for sender in SENDERS:
        world.keys[sender.provider.upper()] = f"{sender.provider}-{secrets.token_hex(16)}"
        settings |= sender.settings(world.keys[sender.provider.upper()])
    world.keys |= {f"PERSONAL_{i}": text for i, text in enumerate([*PERSONAL, *settings.values()])}  # in no log and no alert
    world.endpoints_file.write_text(json.dumps({"trusted_proxies": ["10.0.0.0/8"], "endpoints": [sender.entry() for sender in SENDERS]}))
    world.new_ingress(**settings).start().wait_ready()
    world.new_processor(**settings).start().wait_ready()
    return world


# --- calls


def call(world: World, sender: Sender, body: bytes, more: dict[str, str] | None = None) -> tuple[int, bytes]:
    """Signed, with more headers."""
    path = world.path(sender.endpoint)
    return send(world, sender, path, body, {**(more or {}), **sender.headers(body, PUBLIC + path)})


def send(world: World, sender: Sender, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
    lines = "".join(f"{name}: {value}\r\n" for name, value in {"Content-Type": sender.content_type, **headers}.items())
    head = f"POST {path} HTTP/1.1\r\nHost: hooks.example.com\r\nConnection: close\r\n{lines}Content-Length: {len(body)}\r\n\r\n"
    said = http.raw(world.ingress.ports["public"], head.encode() + body)
    return http.status_of(said), said.partition(b"\r\n\r\n")[2]


def is_answer(said: tuple[int, bytes], expected: dict) -> bool:
    return said[0] == expected["status"] and (json.loads(said[1]) == expected["body"] if "body" in expected else said[1] == b"")


def provider_file(sender: Sender) -> dict:
    return json.loads((builds.ROOT / f"schemas/providers/{sender.provider}.json").read_text("utf-8"))


def renewed(sender: Sender, text: str, mark: str) -> str:
    """With ids of its own, and of yesterday."""
    text = text.replace(sender.root, f"{sender.root}{mark}").replace(DAY, f"{YESTERDAY:%Y-%m-%d}")
    return text.replace(str(EPOCH), str(int(YESTERDAY.timestamp())))


def examples(sender: Sender) -> list[Path]:
    return sorted(path.parent for path in EXAMPLES.glob(f"{sender.provider}/*/expected.json"))


def body_of(folder: Path) -> str:
    return next(folder.glob("body.*")).read_text("utf-8")


def headers_of(folder: Path) -> dict[str, str]:
    path = folder / "headers.json"
    return json.loads(path.read_text("utf-8")) if path.exists() else {}


# --- what must come of it


def end_of(outcomes: list[str]) -> str | None:
    """The status after these results; None: there was none."""
    for status, among in (("SENT", {"delivered"}), ("DEAD_LETTER", {"failed", "account_fault"}), ("PENDING", {"unconfirmed"})):
        if among & set(outcomes):
            return status
    return None


@for_each_provider
def test_the_examples_end_in_the_right_status_alert_and_answer_also_if_they_come_twice(called: World, sender: Sender) -> None:
    reports, n_bad = defaultdict(list), 0
    for number, folder in enumerate(examples(sender)):
        expected = json.loads(renewed(sender, (folder / "expected.json").read_text("utf-8"), f"x{number}y"))
        body = renewed(sender, body_of(folder), f"x{number}y").encode()
        elements = expected["elements"]
        for _ in range(2):
            assert is_answer(call(called, sender, body, headers_of(folder)), expected["ack"]), folder.name
        n_bad += 2 * sum("not_understood" in element for element in elements)
        for element in elements:
            if element.get("kind") == "receipt" and element["outcome"] != "on_its_way":
                reports[element["id"]].append(element)
    called.settle()
    check_rows(called, sender, reports)
    check_alerts(called, sender, reports)
    assert len(quarantined(called, sender)) == n_bad


def check_rows(world: World, sender: Sender, reports: dict[str, list[dict]]) -> None:
    rows = {row["notification_id"]: row for row in world.sql("SELECT * FROM notification WHERE provider = %s", sender.provider)}
    assert {id_: row["status"] for id_, row in rows.items()} == {id_: end_of([e["outcome"] for e in of]) for id_, of in reports.items()}
    stored = Counter((row["notification_id"], row["code"]) for row in world.sql("SELECT * FROM receipt WHERE provider = %s", sender.provider))
    assert stored == Counter({(id_, element["code"]): 1 for id_, of in reports.items() for element in of})
    for id_, of in reports.items():
        if len(of) == 1:
            assert (rows[id_]["outcome"], rows[id_]["code"], rows[id_]["reason"]) == (of[0]["outcome"], of[0]["code"], of[0]["reason"]), id_


def check_alerts(world: World, sender: Sender, reports: dict[str, list[dict]]) -> None:
    alerts = [alert for alert in world.notification_alerts() if alert.data["provider"] == sender.provider]
    dead = Counter(alert.header("ce_subject") for alert in alerts if alert.type == DEAD_LETTERED)
    failed = {id_: of for id_, of in reports.items() if of[0]["outcome"] in ("failed", "account_fault")}
    assert dead == Counter(dict.fromkeys(failed, 1))
    of_file = provider_file(sender)["outcomes"]
    for alert in alerts:
        code = alert.data["code"]
        if of_file.get(code, {}).get("outcome") == "account_fault":
            assert (alert.data["outcome"], alert.data["scope"]) == ("account_fault", of_file[code].get("scope", "account"))


def quarantined(world: World, sender: Sender) -> list:
    return [record for record in world.records("quarantine") if record.header("ce_provider") == sender.provider]


# --- orders


def levels_of(sender: Sender) -> list[list[list[str]]]:
    """Level by level, at which places the elements can stand, each as names."""
    elements = provider_file(sender)["webhook"]["elements"]
    levels = elements["levels"] if isinstance(elements, dict) else [elements]
    return [[place.split("/")[1:] for place in ([level] if isinstance(level, str) else level)] for level in levels]


def below(document: object, place: list[str]) -> object:
    for name in place:
        document = document.get(name) if isinstance(document, dict) else None
    return document


def place_in(document: object, levels: list[list[list[str]]]) -> list[str] | None:
    return next((place for place in levels[0] if below(document, place) is not None), None) if levels else None


def elements_of(document: object, levels: list[list[list[str]]]) -> list:
    place = place_in(document, levels)
    if place is None:
        return [document]
    found = below(document, place)
    return [element for entry in (found if isinstance(found, list) else [found]) for element in elements_of(entry, levels[1:])]


def with_only(document: object, levels: list[list[list[str]]], element: dict) -> object:
    """The same document with this element only."""
    place = place_in(document, levels)
    if place is None:
        return element
    found = below(document, place)
    inner = [with_only(found[0], levels[1:], element)] if isinstance(found, list) else with_only(found, levels[1:], element)
    for i in range(len(place) - 1, -1, -1):
        inner = {**below(document, place[:i]), place[i]: inner}
    return inner


def alone(sender: Sender, body: str, element: dict) -> bytes:
    if sender.content_type != "application/json":
        return urlencode(element).encode()
    return json.dumps(with_only(json.loads(body), levels_of(sender), element), ensure_ascii=False).encode()


def one_of_each(sender: Sender) -> dict[str, tuple[str, dict]]:
    """By the outcome, the body and the element of its first example."""
    found: dict[str, tuple[str, dict]] = {}
    for folder in examples(sender):
        is_form = not (folder / "body.json").exists()
        if is_form and sender.content_type == "application/json":
            continue
        body = renewed(sender, body_of(folder), "")
        expected = json.loads((folder / "expected.json").read_text("utf-8"))["elements"]
        elements = [dict(parse_qsl(body, keep_blank_values=True))] if is_form else elements_of(json.loads(body), levels_of(sender))
        for element, result in zip(elements, expected, strict=True):
            if result.get("kind") == "receipt" and isinstance(element, dict):
                found.setdefault(result["outcome"], (body, element))
    return found


def sets_of(sender: Sender) -> list[list[str]]:
    """Outcomes that one message can have. Of two failures the later one counts, so no set has two."""
    known = one_of_each(sender).keys()
    return [[outcome for outcome in outcomes if outcome in known] for outcomes in (["delivered", "failed", "unconfirmed"], ["delivered", "account_fault", "on_its_way"])]


@for_each_order
def test_every_order_of_its_reports_ends_alike(called: World, sender: Sender) -> None:
    reports, number = one_of_each(sender), itertools.count()
    if sender.provider not in ("kakao", "standard-webhooks"):  # no code of theirs is known
        assert {"delivered", "failed", "unconfirmed"} <= reports.keys() or {"delivered", "failed", "account_fault"} <= reports.keys()
    for outcomes in sets_of(sender):
        for order in itertools.permutations(outcomes):
            id_ = f"order-{'+'.join(outcomes)}-{next(number)}"
            for body, element in (reports[outcome] for outcome in order):
                element = json.loads(json.dumps(element))
                sender.set_id(element, id_)
                assert is_answer(call(called, sender, alone(sender, body, element)), provider_file(sender)["webhook"]["ack"])
    called.settle()
    for outcomes in sets_of(sender):
        ends = called.sql(END, sender.provider, f"%order-{'+'.join(outcomes)}-%")
        assert len(ends) == math.factorial(len(outcomes)) * bool(set(outcomes) - {"on_its_way"})
        assert {row["status"] for row in ends} <= {end_of(outcomes)}
        assert [end for end in ends if end != ends[0]] == [], f"not the end of the others: {ends[0]}"


# --- what is no call of the provider's


def a_good_body(sender: Sender) -> bytes:
    """Of the first example in which all is a result or on its way."""
    for folder in examples(sender):
        elements = json.loads((folder / "expected.json").read_text("utf-8"))["elements"]
        if elements and all(element.get("kind") == "receipt" for element in elements):
            return renewed(sender, body_of(folder), "good").encode()
    raise AssertionError(f"{sender.provider} has no such example")


@for_each_provider
def test_a_call_that_breaks_off_goes_to_quarantine_whole(called: World, sender: Sender) -> None:
    before = len(quarantined(called, sender))
    body = a_good_body(sender)[:-7] if sender.content_type == "application/json" else b'{"MessageSid": "SM1", '
    assert is_answer(call(called, sender, body), provider_file(sender)["webhook"]["ack"])
    called.settle()
    records = quarantined(called, sender)
    assert len(records) == before + 1 and records[-1].value == body


@for_each_provider
def test_a_call_of_somebody_else_is_refused_and_leaves_nothing(called: World, sender: Sender) -> None:
    body = a_good_body(sender)
    path = called.path(sender.endpoint)
    right = sender.headers(body, PUBLIC + path)
    events, refused = len(called.records("events")), provider_file(sender)["webhook"]["refused"]
    if sender.signs_body:
        assert is_answer(send(called, sender, path, body + b" ", right), refused)
    for name, value in right.items():
        if name.lower() not in NO_PROOF:
            other = value[:-1] + ("1" if value[-1] != "1" else "2")
            assert is_answer(send(called, sender, path, body, {**right, name: other}), refused), name
            assert is_answer(send(called, sender, path, body, {n: v for n, v in right.items() if n != name}), refused), name
    assert is_answer(send(called, sender, f"{path[:-1]}!", body, right), refused)
    assert len(called.records("events")) == events


@pytest.mark.parametrize(("token", "status"), [("", 200), ("x", 403)])
def test_a_provider_that_tries_the_url_out_gets_its_challenge_back(called: World, token: str, status: int) -> None:
    (sender,) = (sender for sender in SENDERS if sender.verify_token)
    query = urlencode({"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": sender.verify_token + token})
    answer = http.request(called.ingress.ports["public"], "GET", f"{called.path(sender.endpoint)}?{query}")
    assert answer.status == status
    assert status != 200 or (answer.body == b"1158201444" and answer.headers["content-type"].startswith("text/plain"))
