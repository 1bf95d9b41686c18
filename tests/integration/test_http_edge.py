# SPDX-License-Identifier: MIT
"""The table of bad requests: each gets its answer, harms nobody and leaves nothing behind."""

import itertools
from collections.abc import Iterator

import pytest

from support import http, payloads
from support.bad_requests import BODY_MAX, SECOND, TABLE, Row
from support.world import World


@pytest.fixture(scope="module")
def edge(module_worlds, kafka, postgres) -> World:
    """An ingress for the whole table."""
    world = module_worlds.new(kafka, postgres)
    world.new_ingress(DOCHAK_BODY_MAX_BYTES=str(BODY_MAX)).start().wait_ready()
    return world


def kept(world: World) -> dict[str, int]:
    return {short: len(world.topics.read(short)) for short in ("events", "quarantine")}


class Group:
    """One heading of the table, and what its rows have to leave on the topics."""

    def __init__(self, world: World):
        self.world = world
        self.expected = kept(world)
        self.pid = world.ingress.pid

    def expect(self, row: Row, statuses: list[int]) -> None:
        taken = sum(status in (200, 202) for status in statuses)
        self.expected["quarantine"] += min(row.quarantined, taken)
        self.expected["events"] += 0 if row.empty else taken - min(row.quarantined, taken)

    def end(self) -> None:
        assert kept(self.world) == self.expected
        self.world.bizgo(payloads.bizgo(payloads.new_id(), "10000"))
        assert self.world.ingress.is_alive() and self.world.ingress.pid == self.pid


@pytest.fixture(scope="module")
def groups(edge: World, request: pytest.FixtureRequest) -> tuple[dict[str, Group], dict[str, pytest.Item]]:
    """Those that have begun, and the last row of each that will run."""
    rows = [item for item in request.session.items if item.path == request.path and hasattr(item, "callspec")]
    return {}, {item.callspec.params["row"].group: item for item in rows}


@pytest.fixture
def group(edge: World, groups, row: Row, request: pytest.FixtureRequest) -> Iterator[Group]:
    """Its end is a test of its own: nobody's neighbour is harmed and nothing is on the topics that should not be."""
    begun, last = groups
    if row.group not in begun:
        begun[row.group] = Group(edge)
    yield begun[row.group]
    if request.node is last[row.group]:
        begun[row.group].end()


def in_this_world(data: bytes, world: World) -> bytes:
    for name in ("bizgo/alimtalk", "blux/sms"):
        data = data.replace(f"@{name.split('/')[0]}@".encode(), world.path(name).encode())
    return data.replace(b"@key@", world.keys["INGRESS"].encode())


def check_error(row: Row, answer: http.Answer, secrets: list[str]) -> None:
    """It is one of ours, says something, and repeats nothing that was told in confidence."""
    if row.code == "" or (row.code is None and answer.body == b""):
        assert "content-type" not in answer.headers and answer.body == b"", answer
        return
    assert answer.headers["content-type"] == "application/json", answer
    error = answer.json()["error"]
    assert error.keys() == {"code", "message"} and error["code"] and error["message"], answer
    assert row.code in (None, error["code"]), answer
    text = str(answer)
    assert not any(secret in text for secret in secrets), answer


def exchange(row: Row, wire: http.Wire) -> list[http.Answer]:
    """The server's answers: as many as the row knows of, or until it closes."""
    answers = []
    for number in itertools.count() if row.until_closed else range(len(row.answers)):
        answer = wire.answer(to_head=number == 0 and row.data.startswith(b"HEAD "))
        continued = answer is not None and answer.status == 100
        assert row.continued is None or not continued, "100 Continue came before a refusal, or unasked"
        if continued:
            answer = wire.answer()
        if answer is None:
            break
        answers.append(answer)
    return answers


def fits(row: Row, statuses: list[int]) -> bool:
    allowed = row.answers + row.answers[-1:] * (len(statuses) - len(row.answers) if row.until_closed else 0)
    return len(statuses) == len(allowed) and all(got in right for got, right in zip(statuses, allowed, strict=True))


def check_acks(row: Row, answers: list[http.Answer]) -> None:
    """A BizGo ack names the report that the request held: the first request's first, the second's behind it."""
    named = [answer.json()["msgKey"] for answer in answers if answer.status == 200 and answer.body]
    allowed = ["edge", "edge-second"] if SECOND in row.data else ["edge"] * len(named)
    assert row.quarantined or named == allowed[: len(named)], answers


@pytest.mark.parametrize("row", TABLE, ids=[f"{row.group}: {row.name}" for row in TABLE])
def test_each_request_has_its_answer(edge: World, group: Group, row: Row) -> None:
    with http.Wire(edge.ingress.ports["public"]) as wire:
        wire.send(in_this_world(row.data, edge))
        if row.half_close:
            wire.half_close()
        answers = exchange(row, wire)
        statuses = [answer.status for answer in answers] or [0]
        group.expect(row, statuses)
        assert fits(row, statuses), f"expected {[sorted(right) for right in row.answers]}, got {answers}"
        check_acks(row, answers)
        for answer in answers:
            if answer.status >= 400 and not row.data.startswith(b"HEAD "):
                check_error(row, answer, edge.secrets)
        for answer in answers[:-1]:
            assert answer.headers.get("connection") != "close", answer
        if answers and not row.until_closed:
            assert row.headers.items() <= answers[-1].headers.items(), answers[-1]
            check_connection(row, wire, answers[-1])


def check_connection(row: Row, wire: http.Wire, last: http.Answer) -> None:
    """It does what it says, and says what the row wants."""
    if row.after == "unsaid":
        return
    says_close = last.headers.get("connection") == "close"
    assert row.after == "either" or says_close == (row.after == "closed"), last
    if says_close or row.half_close:
        assert wire.is_closed(), "there is more behind the last answer"
    else:
        wire.send(b"GET /still-there HTTP/1.1\r\nHost: x\r\n\r\n")
        probe = wire.answer()
        assert probe and probe.status == 404, probe


def test_the_table_is_long_and_names_each_row_once() -> None:
    names = [(row.group, row.name) for row in TABLE]
    assert len(names) == len(set(names)) >= 1000
    assert sum(min(min(right) for right in row.answers) >= 400 for row in TABLE) >= 800
