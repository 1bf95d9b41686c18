# SPDX-License-Identifier: MIT
"""Whoever is slow, idle or many at once runs out of time or of room, and costs nobody else an answer."""

import json
import socket
import time
from collections.abc import Iterator

import pytest

from support import builds, http, payloads
from support.crowds import Client, Crowd, allow_files
from support.service import Service
from support.wait import until
from support.world import World

CROWD, OTHER = "127.0.0.2", "127.0.0.1"
INGRESS_MB = 64
NOWHERE = b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n"  # answered 404 at once, and the connection stays


@pytest.fixture
def many_files() -> None:
    allow_files(12_000)


def start(world: World, **settings: str) -> Service:
    return world.new_ingress(**settings).start().wait_ready()


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


# --- the clocks

SLACK = 1.5  # seconds that a busy machine may add
IDLE, SILENT, HEAD, REGISTRATION = 75, 10, 5, 10
BIZGO, BLUX = 3.5, 8.5  # their deadlines of 5 and 10 s less 1.5 s for Kafka


def slow_clients(world: World) -> dict[str, tuple[Client, float, list[int], str]]:
    """Each with when it is closed, and what it is told before."""
    port = world.ingress.ports["public"]
    register = head("/v1/notifications", f"Authorization: Bearer {world.keys['INGRESS']}", "Content-Length: 10000")
    length, patient = (head(world.path(endpoint), "Content-Length: 10000") for endpoint in ("bizgo/alimtalk", "blux/sms"))
    chunked = head(world.path("bizgo/alimtalk"), "Transfer-Encoding: chunked")
    endless = b"X: " + b"a" * 60 + b"\r\n"
    return {
        "a slow request line": (Client(port, b"P", b"OST /" + b"a" * 100), HEAD, [503], "too_slow"),
        "slow fields": (Client(port, b"POST /nowhere HTTP/1.1\r\n", endless), HEAD, [503], "too_slow"),
        "a head that stops": (Client(port, b"POST /nowhere HTTP/1.1\r\nHost: x\r\n"), HEAD, [503], "too_slow"),
        "a slow second head": (Client(port, NOWHERE + b"P", b"OST /" + b"a" * 100), HEAD, [404, 503], "too_slow"),
        "a slow body": (Client(port, length, b" "), BIZGO, [503], "incomplete"),
        "a slow body in chunks": (Client(port, chunked, b"1\r\n \r\n"), BIZGO, [503], "incomplete"),
        "a slow trailer": (Client(port, chunked + b"0\r\n", endless), BIZGO, [503], "incomplete"),
        "a body that stops": (Client(port, length + b"{"), BIZGO, [503], "incomplete"),
        "a body that never begins": (Client(port, length), BIZGO, [503], "incomplete"),
        "a slow second body": (Client(port, NOWHERE + length, b" "), BIZGO, [404, 503], "incomplete"),
        "a slow body for a patient provider": (Client(port, patient, b" "), BLUX, [503], "incomplete"),
        "a slow registration": (Client(port, register, b" "), REGISTRATION, [503], "incomplete"),
        "never a byte": (Client(port, b""), SILENT, [], ""),
        "idle after an answer": (Client(port, NOWHERE), IDLE, [404], ""),
    }


def test_every_clock_runs_out_in_time_and_no_sooner(world: World) -> None:
    start(world)
    rows = slow_clients(world)
    with Crowd(lambda number: list(rows.values())[number][0], len(rows)) as crowd:
        crowd.wait_closed(IDLE + 10)
    faults = []
    for name, (client, seconds, statuses, code) in rows.items():
        print(f"{name}: {client.statuses}, closed after {client.closed_after} s")
        if client.statuses != statuses or code.encode() not in client.said:
            faults.append(f"{name}: expected {statuses} {code}, got {client.said!r}")
        if client.closed_after is None or not seconds - 0.3 < client.closed_after < (seconds + SLACK) * builds.patience():
            faults.append(f"{name}: expected its end after {seconds} s, got {client.closed_after} s")
    assert not faults, "\n".join(faults)


def test_whoever_sends_on_after_a_refusal_is_cut_off(world: World) -> None:
    """It has its answer; what it still sends is taken in for a moment only, so that the answer reaches it."""
    start(world)
    with http.Wire(world.ingress.ports["public"]) as wire:
        wire.send(head("/nowhere", "Content-Length: 100000000"))
        answer = wire.answer()
        assert answer.status == 404 and wire.is_closed()
        began = time.monotonic()
        until("it is cut off", lambda: cut_off(wire.sock), 5, every=0.05)
    print(f"cut off {time.monotonic() - began:.1f} s after its answer")
    assert time.monotonic() - began < (1 + SLACK) * builds.patience()


def cut_off(sock: socket.socket) -> bool:
    try:
        sock.send(b"x")
    except (BrokenPipeError, ConnectionResetError):
        return True
    return False


def test_whoever_does_not_take_his_answers_is_closed(world: World) -> None:
    """It asks and asks and reads nothing, so the answers pile up: first in the kernel, then with us."""
    ingress = start(world)
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.connect(("127.0.0.1", ingress.ports["public"]))
        sock.setblocking(False)
        until("nothing more is read of what it asks", lambda: stuffed(sock), 30, every=0.2)
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


# --- many slow ones


def test_two_thousand_drip_feeders_of_one_endpoint_delay_nobody(world: World, many_files: None) -> None:
    """Half of them never end their heads, half never their bodies; whoever is closed comes again."""
    ingress = start(world, DOCHAK_CONNECTIONS_PER_ADDRESS="4096")
    port, body = ingress.ports["public"], head(world.path("bizgo/alimtalk"), "Content-Length: 10000")

    def new_client(number: int) -> Client:
        return Client(port, body if number % 2 else b"POST /webhook/", b"a", CROWD)

    seconds = []
    with Crowd(new_client, 2000, again=True) as crowd:
        while crowd.statuses.total() < 2000:  # each has been closed once, and is here again
            seconds.append(call(world, OTHER, "blux/sms"))
            assert sum(seconds) < 60 * builds.patience(), f"after a minute still not closed: {crowd.statuses}"
        check_served(world, OTHER, CROWD)
    print(
        f"they were told {dict(crowd.statuses)}; meanwhile {len(seconds)} calls were acknowledged, the slowest after {max(seconds):.2f} s"
    )
    assert max(seconds) < builds.patience()
    assert set(crowd.statuses) == {503}
    check_small(ingress)


# --- many idle ones


@pytest.mark.parametrize("opening", [NOWHERE, b""], ids=["after an answer", "from the beginning"])
def test_ten_thousand_idle_connections_keep_nobody_out(world: World, many_files: None, opening: bytes) -> None:
    ingress = start(world, DOCHAK_CONNECTIONS_PER_ADDRESS="16384")
    with Crowd(lambda _: Client(ingress.ports["public"], opening, source=CROWD), 10_000) as crowd:
        check_served(world, CROWD, OTHER)
        assert len(crowd.open) == 10_000 or not opening
    check_small(ingress)


def test_ten_thousand_connections_of_one_address_make_room_by_default(world: World, many_files: None) -> None:
    ingress = start(world)
    with Crowd(lambda _: Client(ingress.ports["public"], NOWHERE, source=CROWD), 10_000) as crowd:
        check_served(world, CROWD, OTHER)
        until("all but 1,024 are closed", lambda: len(crowd.open) <= 1024, 10)
        assert len(crowd.open) >= 1000
        assert set(crowd.statuses) == {404}, "one was told something when it had to go"


# --- who has to go


@pytest.fixture
def sockets() -> Iterator[list[socket.socket]]:
    made: list[socket.socket] = []
    yield made
    for sock in made:
        sock.close()


def idle(world: World, source: str = CROWD) -> socket.socket:
    """A connection that has had an answer and asks for nothing."""
    sock = http.connect(world.ingress.ports["public"], source)
    sock.sendall(NOWHERE)
    assert sock.recv(4096).startswith(b"HTTP/1.1 404 ")
    return sock


def busy(world: World, source: str = CROWD) -> socket.socket:
    """One in the middle of a request."""
    wire = http.Wire(world.ingress.ports["public"], source)
    wire.send(head(world.path("blux/sms"), "Content-Length: 13") + b'{"events":[]').wait_taken()
    return wire.sock


def end(sock: socket.socket) -> None:
    """The request's last byte, and its answer."""
    sock.sendall(b"}")
    assert sock.recv(4096).startswith(b"HTTP/1.1 200 ")


def is_closed(sock: socket.socket) -> bool:
    sock.setblocking(False)
    try:
        return sock.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True
    finally:
        sock.setblocking(True)


def closed(sockets: list[socket.socket]) -> list[int]:
    return [number for number, sock in enumerate(sockets) if is_closed(sock)]


ONE_LOOP = {"DOCHAK_INGRESS_THREADS": "1"}  # each has its part of a limit and knows its own connections only
LIMITS = {"of one address": "DOCHAK_CONNECTIONS_PER_ADDRESS", "of all": "DOCHAK_CONNECTIONS_MAX"}


@pytest.mark.parametrize("limit", LIMITS.values(), ids=LIMITS)
def test_the_oldest_idle_connection_makes_room(world: World, sockets: list[socket.socket], limit: str) -> None:
    start(world, **{limit: "100"}, **ONE_LOOP)
    sockets.append(busy(world))  # older than all, but it has begun something
    sockets += [idle(world) for _ in range(99)]
    for newcomers in (1, 2, 3):
        sockets.append(idle(world))
        until(f"{newcomers} of the oldest are closed", lambda n=newcomers: closed(sockets) == list(range(1, n + 1)), 5)
    end(sockets[0])


@pytest.mark.parametrize("limit", LIMITS.values(), ids=LIMITS)
def test_where_all_are_busy_the_newcomer_is_told_so(world: World, sockets: list[socket.socket], limit: str) -> None:
    start(world, **{limit: "100"}, **ONE_LOOP)
    sockets += [busy(world) for _ in range(100)]
    with http.Wire(world.ingress.ports["public"], CROWD) as wire:
        wire.send(NOWHERE)
        answer = wire.answer()
        assert answer and answer.status == 503 and int(answer.headers["retry-after"]) > 0, answer
        assert wire.is_closed()
    assert closed(sockets) == []
    if limit == LIMITS["of one address"]:
        check_served(world, OTHER)
    for sock in sockets:
        end(sock)
    check_served(world, CROWD)


def test_an_address_that_is_full_takes_no_room_from_others(world: World, sockets: list[socket.socket]) -> None:
    start(world, DOCHAK_CONNECTIONS_PER_ADDRESS="100")
    sockets += [idle(world, OTHER) for _ in range(100)]
    crowd = [idle(world) for _ in range(300)]
    sockets += crowd
    until("the crowd has made room for itself", lambda: len(closed(crowd)) == 200, 5)
    assert not closed(sockets[:100])


def test_proxies_we_trust_may_hold_as_many_as_they_like(world: World, sockets: list[socket.socket]) -> None:
    endpoints = json.loads(world.endpoints_file.read_text())
    world.endpoints_file.write_text(json.dumps({**endpoints, "trusted_proxies": [CROWD]}))
    start(world, DOCHAK_CONNECTIONS_PER_ADDRESS="100")
    sockets += [idle(world) for _ in range(300)]
    check_served(world, CROWD, OTHER)
    assert closed(sockets) == []


# --- an endpoint's share


LARGE = b'{"events":[]}'.ljust(500_000)
SHARE = 32 << 20  # half of DOCHAK_BODIES_MAX_BYTES


def test_one_endpoint_may_hold_half_of_the_bodies_and_the_others_are_served(world: World, sockets: list[socket.socket]) -> None:
    """Large ones that are never quite there, until there is no room for more of them; with their last bytes all are taken."""
    ingress = start(world)
    request = head(world.path("blux/sms"), f"Content-Length: {len(LARGE)}") + LARGE
    wires = [http.Wire(ingress.ports["public"], CROWD) for _ in range(SHARE // len(LARGE) + 10)]
    sockets += [wire.sock for wire in wires]
    for wire in wires:
        wire.send(request[:-1]).wait_taken()
    check_served(world, OTHER, CROWD, calls=10)
    world.register(payloads.accepted("blux", payloads.new_id()))
    answers = [wire.send(request[-1:]).answer() for wire in wires]
    refused = [answer for answer in answers if answer.status == 503]
    print(f"{len(answers)} bodies of {len(LARGE):,} bytes, {len(refused)} refused")
    check_small(ingress)
    assert {answer.status for answer in answers} == {200, 503}
    assert 10 <= len(refused) <= 20
    assert all(int(answer.headers["retry-after"]) > 0 and answer.headers["connection"] == "close" for answer in refused)
    check_served(world, OTHER, endpoint="blux/sms", calls=5)
    with http.Wire(ingress.ports["public"]) as wire:
        assert wire.send(request).answer().status == 200


def test_strangers_use_up_no_endpoints_share(world: World, sockets: list[socket.socket]) -> None:
    """Their bodies are read only so that the refusal may name something in them."""
    start(world, DOCHAK_BODIES_MAX_BYTES=str(16 << 20))
    request = head("/webhook/blux/sms/wrong-secret-wrong-secret", "Content-Length: 16000") + b" " * 16_000
    wires = [http.Wire(world.ingress.ports["public"], CROWD) for _ in range(600)]
    sockets += [wire.sock for wire in wires]
    for wire in wires:
        wire.send(request[:-1]).wait_taken()
    check_served(world, OTHER, CROWD, endpoint="blux/sms", calls=10)
    check_served(world, OTHER, CROWD, calls=10)
    statuses = {wire.send(request[-1:]).answer().status for wire in wires}
    assert statuses == {404, 503}
