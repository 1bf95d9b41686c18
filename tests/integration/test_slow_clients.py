# SPDX-License-Identifier: MIT
"""Clients that take no answers, and bodies that use up the room for bodies: they cost nobody else an answer.

Clocks, refusals and shares of threads are in test_guards.py; thousands of idle and slow clients, which a proxy holds, in test_behind_nginx.py.
"""

import socket
import time
from collections.abc import Iterator

import pytest

from support import builds, http, payloads
from support.service import Service
from support.wait import until
from support.world import World

CROWD, OTHER = "127.0.0.2", "127.0.0.1"
INGRESS_MB = 64
NOWHERE = b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n"  # answered 404 at once


def head(path: str, *fields: str) -> bytes:
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: x", *fields, "", ""]).encode()


def call(world: World, source: str, endpoint: str = "bizgo/alimtalk") -> float:
    """Sends one receipt on a connection of its own; the seconds until it was acknowledged."""
    id_ = payloads.new_id()
    event = payloads.bizgo(id_, "10000") if endpoint.startswith("bizgo") else payloads.blux(payloads.blux_event(id_))
    body = payloads.to_bytes(event)
    began = time.monotonic()
    with http.Wire(world.ingress.ports["public"], source) as wire:
        wire.send(head(world.path(endpoint), f"Content-Length: {len(body)}") + body)
        answer = wire.answer()
    assert answer and answer.status == 200, answer
    return time.monotonic() - began


def check_served(world: World, *sources: str, endpoint: str = "bizgo/alimtalk", calls: int = 20) -> None:
    slowest = {source: max(call(world, source, endpoint) for _ in range(calls)) for source in sources}
    print(f"slowest of {calls} calls: { {source: f'{s * 1000:.0f} ms' for source, s in slowest.items()} }")
    assert max(slowest.values()) < builds.patience()


def check_small(ingress: Service) -> None:
    print(f"ingress: {ingress.peak_rss_mb():.1f} MB at most")
    assert ingress.peak_rss_mb() < INGRESS_MB or not builds.is_plain()


def test_a_client_that_takes_no_answers_is_closed(world: World) -> None:
    """It asks and asks and reads nothing, so the answers pile up in the kernel, and a thread waits until it can write."""
    ingress = world.new_ingress().start().wait_ready()
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.connect(("127.0.0.1", ingress.ports["public"]))
        sock.setblocking(False)
        until("nothing more is read of what it asks, or it is closed", lambda: stuffed(sock) is not False, 30, every=0.2)
        began = time.monotonic()
        until("it is closed", lambda: stuffed(sock) is None, 20, every=0.2)
    print(f"closed {time.monotonic() - began:.1f} s after the last that was read")
    check_small(ingress)
    check_served(world, OTHER)


def stuffed(sock: socket.socket) -> bool | None:
    """Asks until the kernel takes no more. Whether it took nothing at all; None: closed."""
    taken = 0
    try:
        while n := sock.send(NOWHERE * 1000):
            taken += n
    except BlockingIOError:
        return taken == 0
    except (BrokenPipeError, ConnectionResetError):
        return None
    return False


# --- an endpoint's share of the room for bodies


@pytest.fixture
def sockets() -> Iterator[list[socket.socket]]:
    made: list[socket.socket] = []
    yield made
    for sock in made:
        sock.close()


LARGE = b'{"events":[]}'.ljust(500_000)
SHARE = 32 << 20  # half of DOCHAK_BODIES_MAX_BYTES


@pytest.mark.alone
def test_one_endpoint_holds_at_most_half_of_the_room_for_bodies(world: World, sockets: list[socket.socket]) -> None:
    """Large bodies of which the last byte is missing, more than there is room for: the others are served, and whoever finds no room is told 503."""
    ingress = world.new_ingress().start().wait_ready()
    request = head(world.path("blux/sms"), f"Content-Length: {len(LARGE)}") + LARGE
    wires = [http.Wire(ingress.ports["public"], CROWD) for _ in range(SHARE // len(LARGE) + 10)]
    sockets += [wire.sock for wire in wires]
    for wire in wires:
        wire.send(request[:-1])
    check_served(world, OTHER, CROWD, calls=10)
    world.register(payloads.accepted("blux", payloads.new_id()))
    answers = [wire.send(request[-1:]).answer() for wire in wires]
    statuses = [answer.status if answer else 0 for answer in answers]
    print(f"{len(answers)} bodies of {len(LARGE):,} bytes: { {status: statuses.count(status) for status in set(statuses)} }")
    check_small(ingress)
    assert set(statuses) == {200, 503} and 10 <= statuses.count(503) <= 20
    assert all(answer.headers["connection"] == "close" for answer in answers if answer.status == 503)
    until("there is room again", lambda: served(world, request), 5, every=0.1)
    check_served(world, OTHER, endpoint="blux/sms", calls=5)


def served(world: World, request: bytes) -> bool:
    with http.Wire(world.ingress.ports["public"]) as wire:
        answer = wire.send(request).answer()
    return answer is not None and answer.status == 200
