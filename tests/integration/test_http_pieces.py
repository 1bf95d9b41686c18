# SPDX-License-Identifier: MIT
"""However a good request is cut, and however many come in one piece: each is read as it was meant and answered in its turn."""

import gzip
import time
from collections.abc import Callable

import pytest

from support import http, payloads
from support.bad_requests import chunks
from support.world import World


HEAD_SECONDS = 1.5  # docs/webhooks.md


def webhook(world: World, id_: str, chunk: int = 0) -> bytes:
    """With its length, or in chunks of that size."""
    body = payloads.to_bytes(payloads.bizgo(id_, "10000"))
    framing = "Transfer-Encoding: chunked" if chunk else f"Content-Length: {len(body)}"
    head = f"POST {world.path('bizgo/alimtalk')} HTTP/1.1\r\nHost: x\r\n{framing}\r\n\r\n"
    return head.encode() + (chunks(body, chunk) if chunk else body)


def check_acked(wire: http.Wire, id_: str) -> None:
    answer = wire.answer()
    assert answer and (answer.status, answer.json()) == (200, {"msgKey": id_}), answer


def check_stored(world: World, ids: list[str]) -> None:
    """Each whole and once."""
    values = [record.value for record in world.topics.read("events") if record.header("ce_subject") in set(ids)]
    assert sorted(values) == sorted(payloads.to_bytes(payloads.bizgo(id_, "10000")) for id_ in ids)


Form = Callable[[World, str], bytes]
FORMS = {"with its length": lambda world, id_: webhook(world, id_), "in chunks": lambda world, id_: webhook(world, id_, chunk=7)}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_request_may_come_byte_by_byte(dochak: World, form: Form) -> None:
    id_ = in_time(lambda: send_bytes(dochak, form))
    check_stored(dochak, [id_])


def send_bytes(world: World, form: Form) -> str:
    id_ = payloads.new_id()
    with http.Wire(world.ingress.ports["public"]) as wire:
        for byte in form(world, id_):
            wire.send(bytes([byte])).wait_taken()
        check_acked(wire, id_)
    return id_


def in_time(send: Callable[[], str]) -> str:
    """Some hundred pieces may take longer than a head may on a busy machine, and ingress is right to close; then once more."""
    for _ in range(5):
        began = time.monotonic()
        try:
            return send()
        except (OSError, AssertionError):
            if time.monotonic() - began < HEAD_SECONDS:
                raise
    raise AssertionError(f"the machine is too busy: five times no {HEAD_SECONDS} s were enough")


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_request_may_be_cut_anywhere(dochak: World, form: Form) -> None:
    ids = []
    with http.Wire(dochak.ingress.ports["public"]) as wire:
        for cut in range(1, len(form(dochak, payloads.new_id()))):
            ids.append(payloads.new_id())
            data = form(dochak, ids[-1])
            wire.send(data[:cut]).wait_taken()
            wire.send(data[cut:])
            check_acked(wire, ids[-1])
    check_stored(dochak, ids)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_two_requests_may_be_cut_anywhere_together(dochak: World, form: Form) -> None:
    """The end of the one and the start of the other come in one piece."""
    ids = []
    with http.Wire(dochak.ingress.ports["public"]) as wire:
        for cut in range(1, len(form(dochak, payloads.new_id())), 5):
            pair = [payloads.new_id(), payloads.new_id()]
            first, second = (form(dochak, id_) for id_ in pair)
            wire.send(first[:-3]).wait_taken()
            wire.send(first[-3:] + second[:cut]).wait_taken()
            wire.send(second[cut:])
            for id_ in pair:
                check_acked(wire, id_)
            ids += pair
    check_stored(dochak, ids)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_fifty_in_one_piece_are_answered_in_their_order(dochak: World, form: Form) -> None:
    ids = [payloads.new_id() for _ in range(50)]
    with http.Wire(dochak.ingress.ports["public"]) as wire:
        wire.send(b"".join(form(dochak, id_) for id_ in ids))
        for id_ in ids:
            check_acked(wire, id_)
    check_stored(dochak, ids)


def test_quick_answers_wait_for_the_slow_ones_before_them(dochak: World) -> None:
    """A receipt waits for Kafka, a wrong path for nobody: the order stays."""
    ids = [payloads.new_id() for _ in range(25)]
    nowhere = b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n"
    with http.Wire(dochak.ingress.ports["public"]) as wire:
        wire.send(b"".join(webhook(dochak, id_) + nowhere for id_ in ids))
        for id_ in ids:
            check_acked(wire, id_)
            assert wire.answer().status == 404
    check_stored(dochak, ids)


@pytest.mark.parametrize("bad", [b"hello\r\n\r\n", b"POST /nowhere HTTP/1.1\r\nHo st: x\r\n\r\n", b"GET / HTTP/2.0\r\n\r\n"])
def test_behind_a_bad_one_nothing_is_read(dochak: World, bad: bytes) -> None:
    before, behind = ([payloads.new_id() for _ in range(5)] for _ in range(2))
    with http.Wire(dochak.ingress.ports["public"]) as wire:
        wire.send(b"".join([*(webhook(dochak, id_) for id_ in before), bad, *(webhook(dochak, id_) for id_ in behind)]))
        for id_ in before:
            check_acked(wire, id_)
        assert wire.answer().status in (400, 505)
        assert wire.is_closed()
    check_stored(dochak, before)
    assert not any(dochak.records("events", id_) for id_ in behind)


def test_chunks_may_be_of_any_size(dochak: World) -> None:
    ids = {size: payloads.new_id() for size in range(1, 65)}
    with http.Wire(dochak.ingress.ports["public"]) as wire:
        for size, id_ in ids.items():
            wire.send(webhook(dochak, id_, chunk=size))
            check_acked(wire, id_)
    check_stored(dochak, list(ids.values()))


def test_more_may_follow_while_the_first_is_still_unanswered(dochak: World) -> None:
    """The next request lies in the kernel, or half of it does, when the first is acknowledged."""
    ids = [payloads.new_id() for _ in range(40)]
    stream = b"".join(webhook(dochak, id_) for id_ in ids)
    with http.Wire(dochak.ingress.ports["public"]) as wire:
        for at in range(0, len(stream), 701):
            wire.send(stream[at : at + 701])
        wire.half_close()
        for id_ in ids:
            check_acked(wire, id_)
        assert wire.is_closed()
    check_stored(dochak, ids)


def test_100_continue_is_answered_for_each_request_of_a_connection(dochak: World) -> None:
    ids = [payloads.new_id() for _ in range(10)]
    with http.Wire(dochak.ingress.ports["public"]) as wire:
        for number, id_ in enumerate(ids):
            head, _, body = webhook(dochak, id_, chunk=9 if number % 2 else 0).partition(b"\r\n\r\n")
            wire.send(head + b"\r\nExpect: 100-continue\r\n\r\n")
            assert wire.answer().status == 100
            wire.send(body)
            check_acked(wire, id_)
    check_stored(dochak, ids)


def test_a_compressed_report_is_kept_as_it_was_before(dochak: World) -> None:
    id_ = payloads.new_id()
    body = gzip.compress(payloads.to_bytes(payloads.bizgo(id_, "10000")))
    answer = dochak.post("bizgo/alimtalk", body, {"Content-Encoding": "gzip"})
    assert (answer.status, answer.json()) == (200, {"msgKey": id_})
    check_stored(dochak, [id_])
