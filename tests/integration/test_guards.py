# SPDX-License-Identifier: MIT
"""The guards around civetweb on the public listener, and the operations listeners: clocks, early refusals, shares, idle peers.

What each single request is answered stands in test_http_edge.py; here stands when, and what it costs the others.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import builds, http, payloads
from support.crowds import Client, Crowd, allow_files
from support.service import Service
from support.wait import until
from support.world import World

CROWD, OTHER = "127.0.0.2", "127.0.0.1"
NOWHERE = b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n"  # answered 404 at once
AT_ONCE = 1.0  # seconds, on a busy machine


def head(path: str, *fields: str, method: str = "POST") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: x", *fields, "", ""]).encode()


def receipt(world: World, id_: str, endpoint: str = "bizgo/alimtalk") -> bytes:
    body = payloads.to_bytes(payloads.bizgo(id_, "10000") if endpoint.startswith("bizgo") else payloads.blux(payloads.blux_event(id_)))
    return head(world.path(endpoint), f"Content-Length: {len(body)}") + body


def ack_seconds(world: World, endpoint: str = "bizgo/alimtalk", port: int = 0, source: str = OTHER) -> float:
    """Sends one receipt on a connection of its own; the seconds until it was acknowledged."""
    began = time.monotonic()
    with http.Wire(port or world.ingress.ports["public"], source) as wire:
        wire.send(receipt(world, payloads.new_id(), endpoint))
        answer = wire.answer()
    assert answer and answer.status == 200, answer
    return time.monotonic() - began


@pytest.fixture(scope="module")
def guarded(module_worlds, kafka, postgres) -> World:
    world = module_worlds.new(kafka, postgres)
    world.new_ingress().start().wait_ready()
    return world


def cpu_seconds(service: Service) -> float:
    fields = Path(f"/proc/{service.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# --- clocks

# The longest that each may take: a head is worth some seconds, a body what the provider's own deadline leaves.
HEAD, BIZGO, BLUX, REGISTRATION, IDLE = 12.0, 5.0, 10.0, 12.0, 12.0
LINGER = 3.0  # what still comes behind a refusal is taken in for a moment, so that the refusal gets through
SHORTEST = 0.8  # seconds: a sender behind a slow line is not cut off sooner


def slow_clients(world: World) -> dict[str, tuple[Client, float, list[list[int]], str]]:
    """Each with the longest time until it is answered, the answers that are allowed, and the code of the last one's error."""
    port = world.ingress.ports["public"]
    register = head("/v1/notifications", f"Authorization: Bearer {world.keys['INGRESS']}", "Content-Length: 10000")
    length, patient = (head(world.path(endpoint), "Content-Length: 10000") for endpoint in ("bizgo/alimtalk", "blux/sms"))
    chunked = head(world.path("bizgo/alimtalk"), "Transfer-Encoding: chunked")
    waiting = head(world.path("bizgo/alimtalk"), "Content-Length: 10000", "Expect: 100-continue")
    body = payloads.to_bytes(payloads.bizgo(payloads.new_id(), "10000"))
    whole = b"%x\r\n%s\r\n0\r\n" % (len(body), body)
    endless = b"X: " + b"a" * 60 + b"\r\n"
    slow, late = [[503]], [[404, 503]]
    return {
        "a slow request line": (Client(port, b"P", b"OST /" + b"a" * 100), HEAD, slow, "too_slow"),
        "slow fields": (Client(port, b"POST /nowhere HTTP/1.1\r\n", endless), HEAD, slow, "too_slow"),
        "a head that stops": (Client(port, b"POST /nowhere HTTP/1.1\r\nHost: x\r\n"), HEAD, slow, "too_slow"),
        "a head of one byte": (Client(port, b"P"), HEAD, slow, "too_slow"),
        "a head without its last byte": (Client(port, NOWHERE[:-1]), HEAD, slow, "too_slow"),
        "a slow second head": (Client(port, NOWHERE + b"P", b"OST /" + b"a" * 100), HEAD, late, "too_slow"),
        "a second head that stops": (Client(port, NOWHERE + NOWHERE[:-1]), HEAD, late, "too_slow"),
        "a slow head behind an ack": (Client(port, receipt(world, payloads.new_id()) + b"P", b"OST /"), HEAD, [[200, 503]], "too_slow"),
        "a slow body": (Client(port, length, b" "), BIZGO, slow, "incomplete"),
        "a slow body in chunks": (Client(port, chunked, b"1\r\n \r\n"), BIZGO, slow, "incomplete"),
        "a chunk size that stops": (Client(port, chunked + b"1"), BIZGO, slow, "incomplete"),
        "a chunk that stops": (Client(port, chunked + b"40\r\n {"), BIZGO, slow, "incomplete"),
        "chunks that stop": (Client(port, chunked + whole[:-3]), BIZGO, slow, "incomplete"),
        # Every byte of the body was there, so it may be acknowledged.
        "a slow trailer": (Client(port, chunked + whole, endless), BIZGO, [[200], [503]], ""),
        "a body that stops": (Client(port, length + b"{"), BIZGO, slow, "incomplete"),
        "a body that never begins": (Client(port, length), BIZGO, slow, "incomplete"),
        "a body that never begins, asked for": (Client(port, waiting), BIZGO, [[100, 503]], "incomplete"),
        "a slow second body": (Client(port, receipt(world, payloads.new_id()) + length, b" "), BIZGO, [[200, 503]], "incomplete"),
        "a slow body for a patient provider": (Client(port, patient, b" "), BLUX, slow, "incomplete"),
        "a slow registration": (Client(port, register, b" "), REGISTRATION, slow, "incomplete"),
        "never a byte": (Client(port, b""), IDLE, [[]], ""),
        "idle after an answer": (Client(port, NOWHERE), IDLE, [[404]], ""),
        "idle after an ack": (Client(port, receipt(world, payloads.new_id())), IDLE, [[200]], ""),
    }


@pytest.mark.parametrize("every", [0.5, 1.7], ids=["a byte each half second", "a byte each 1.7 s"])
def test_every_clock_runs_out_in_time_and_is_never_the_senders_fault(guarded: World, every: float) -> None:
    rows = slow_clients(guarded)
    with Crowd(lambda number: list(rows.values())[number][0], len(rows), every) as crowd:
        crowd.wait_closed(IDLE + 4)
    faults = []
    for name, (client, longest, allowed, code) in rows.items():
        print(f"{name}: {client.statuses}, closed after {client.closed_after} s")
        if client.statuses not in allowed or code.encode() not in client.said:
            faults.append(f"{name}: expected {allowed} {code}, got {client.said!r}")
        if client.heard_after and client.heard_after > longest * builds.patience():
            faults.append(f"{name}: expected its answer within {longest} s, got {client.heard_after} s")
        if client.closed_after is None or not SHORTEST < client.closed_after < (longest + LINGER) * builds.patience():
            faults.append(f"{name}: expected its end after {SHORTEST} to {longest + LINGER} s, got {client.closed_after} s")
    assert not faults, "\n".join(faults)
    assert ack_seconds(guarded) < AT_ONCE * builds.patience()


def test_a_slow_body_that_is_whole_in_time_is_acknowledged(guarded: World) -> None:
    id_ = payloads.new_id()
    request = receipt(guarded, id_)
    with http.Wire(guarded.ingress.ports["public"]) as wire:
        for at in range(0, len(request), len(request) // 8 + 1):
            wire.send(request[at : at + len(request) // 8 + 1])
            time.sleep(0.1)  # what a slow line does
        assert wire.answer().json() == {"msgKey": id_}


def test_a_peer_that_ends_in_the_middle_of_a_body_costs_no_processor_time(guarded: World) -> None:
    """A read that returns nothing at once, again and again, must not be taken for silence."""
    before = cpu_seconds(guarded.ingress)
    began = time.monotonic()
    wires = [http.Wire(guarded.ingress.ports["public"], CROWD) for _ in range(20)]
    for number, wire in enumerate(wires):
        framing = "Transfer-Encoding: chunked" if number % 2 else "Content-Length: 10000"
        wire.send(head(guarded.path("bizgo/alimtalk"), framing) + (b"40\r\n{" if number % 2 else b"{"))
        wire.half_close()
    statuses = {answer.status if (answer := wire.answer()) else 0 for wire in wires}
    for wire in wires:
        wire.sock.close()
    used = cpu_seconds(guarded.ingress) - before
    print(f"told {statuses} within {time.monotonic() - began:.1f} s; {used:.2f} s of processor time")
    assert statuses <= {0, 503} and used < 1.0 * builds.patience()


# --- early refusals

REFUSALS = {
    "no such path": ("/nowhere", [], 404),
    "no such endpoint": ("/webhook/nobody", [], 404),
    "no key": ("/v1/notifications", [], 401),
    "another media type": ("/v1/notifications", ["Authorization: Bearer @key@", "Content-Type: text/plain"], 415),
    "too large": ("@bizgo@", ["Content-Length: 100000000"], 413),
    "another expectation": ("@bizgo@", ["Expect: x"], 417),
    "two lengths": ("@bizgo@", ["Content-Length: 2"], 400),
    "a length and a coding": ("@bizgo@", ["Transfer-Encoding: chunked"], 400),
    "64 fields": ("@bizgo@", ["X: a"] * 64, 431),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_comes_before_the_body_and_closes(guarded: World, name: str) -> None:
    path, fields, status = REFUSALS[name]
    path = path.replace("@bizgo@", guarded.path("bizgo/alimtalk"))
    fields = [field.replace("@key@", guarded.keys["INGRESS"]) for field in fields]
    sized = [] if name == "too large" else ["Content-Length: 10000"]
    with http.Wire(guarded.ingress.ports["public"]) as wire:
        began = time.monotonic()
        wire.send(head(path, *sized, *fields))
        answer = wire.answer()
        seconds = time.monotonic() - began
        assert answer and answer.status == status and answer.headers["connection"] == "close", answer
        assert seconds < AT_ONCE * builds.patience(), f"{seconds:.1f} s: it waited for the body"
        assert wire.is_closed()
        # It takes in a little of what still comes, so that the answer gets through, and then it is gone.
        until("the connection is gone", lambda: is_gone(wire), 5, every=0.05)


def is_gone(wire: http.Wire) -> bool:
    try:
        wire.sock.send(b"x")
    except (BrokenPipeError, ConnectionResetError):
        return True
    return False


def test_a_refusal_gets_through_although_the_body_is_on_its_way(guarded: World) -> None:
    """The sender has written half a megabyte before it reads: a reset that overtakes the answer looks like an outage to it."""
    lost = 0
    for _ in range(20):
        with http.Wire(guarded.ingress.ports["public"]) as wire:
            wire.send(head("/nowhere", "Content-Length: 500000") + b" " * 500_000)
            answer = wire.answer()
            assert answer is None or answer.status == 404, answer
            lost += answer is None
    print(f"{lost} of 20 refusals were lost with their connection")
    assert lost == 0


@pytest.mark.parametrize("framing", ["Content-Length", "Transfer-Encoding"])
def test_who_expects_100_is_told_to_go_on_at_once(guarded: World, framing: str) -> None:
    """Several times on one connection; without it curl waits a second before each body."""
    with http.Wire(guarded.ingress.ports["public"]) as wire:
        for _ in range(3):
            id_ = payloads.new_id()
            body = payloads.to_bytes(payloads.bizgo(id_, "10000"))
            chunked = framing == "Transfer-Encoding"
            began = time.monotonic()
            wire.send(head(guarded.path("bizgo/alimtalk"), f"{framing}: {'chunked' if chunked else len(body)}", "Expect: 100-continue"))
            assert wire.answer().status == 100
            assert time.monotonic() - began < AT_ONCE * builds.patience()
            wire.send(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) if chunked else body)
            answer = wire.answer()
            assert answer.json() == {"msgKey": id_}
            if answer.headers.get("connection") == "close":
                break


# --- shares


@pytest.fixture
def wires() -> Iterator[list[http.Wire]]:
    made: list[http.Wire] = []
    yield made
    for wire in made:
        wire.sock.close()


def test_one_endpoint_holds_at_most_half_of_the_threads(world: World, wires: list[http.Wire]) -> None:
    """Bodies that never end, on one endpoint, as many as there are threads: the other endpoint is served, the rest is told 503 at once."""
    world.new_ingress(DOCHAK_INGRESS_THREADS="64").start().wait_ready()
    port = world.ingress.ports["public"]
    for _ in range(60):
        wires.append(http.Wire(port, CROWD).send(head(world.path("bizgo/alimtalk"), "Content-Length: 10000") + b"{"))
    seconds = [ack_seconds(world, "blux/sms") for _ in range(20)]
    print(f"the other endpoint's acks: {max(seconds) * 1000:.0f} ms at most")
    assert max(seconds) < AT_ONCE * builds.patience()
    statuses = [answer.status if (answer := wire.answer()) else 0 for wire in wires]
    print(f"they were told {dict((s, statuses.count(s)) for s in set(statuses))}")
    assert set(statuses) == {503}
    until("the endpoint's own senders are acknowledged again", lambda: is_acked(world), 5, every=0.1)


def is_acked(world: World) -> bool:
    with http.Wire(world.ingress.ports["public"]) as wire:
        wire.send(receipt(world, payloads.new_id()))
        answer = wire.answer()
    return answer is not None and answer.status == 200


def test_unauthenticated_senders_hold_a_small_share_of_the_threads(world: World, wires: list[http.Wire]) -> None:
    """A refusal of BizGo's names a field of the body, so such bodies are read. Their own endpoint's authenticated sender is served meanwhile."""
    world.new_ingress(DOCHAK_INGRESS_THREADS="64").start().wait_ready()
    port = world.ingress.ports["public"]
    for _ in range(50):
        wires.append(http.Wire(port, CROWD).send(head("/webhook/bizgo/alimtalk/wrong-secret-wrong-secret", "Content-Length: 10000") + b"{"))
    for endpoint in ("bizgo/alimtalk", "blux/sms"):
        seconds = [ack_seconds(world, endpoint) for _ in range(20)]
        print(f"acks of {endpoint}: {max(seconds) * 1000:.0f} ms at most")
        assert max(seconds) < AT_ONCE * builds.patience()
    world.register(payloads.accepted("blux", payloads.new_id()))


# --- without a proxy


def meanwhile(world: World, crowd: Crowd, seconds: float) -> tuple[list[float], int]:
    """A good sender's acks beside a crowd for so long; how often it got no ack within 15 s."""
    acks, failed, end = [], 0, time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            acks.append(ack_seconds(world, "blux/sms"))
        except (OSError, AssertionError):
            failed += 1
        time.sleep(0.02)
    return acks, failed


DIRECT = {
    "300 idle from the beginning": b"",
    "300 idle after an answer": NOWHERE,
    "300 slow heads": b"POST /webhook/",
    "300 slow bodies of one endpoint": None,
}


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.parametrize("kind", DIRECT)
@pytest.mark.parametrize("again", [False, True], ids=["once", "again and again"])
def test_what_300_clients_do_to_a_listener_without_a_proxy(world: World, kind: str, again: bool) -> None:
    """Measured for docs/webhooks.md, which says that a proxy has to be in front. Promised is only that it recovers."""
    allow_files(2000)
    ingress = world.new_ingress().start().wait_ready()
    port = ingress.ports["public"]
    opening = head(world.path("bizgo/alimtalk"), "Content-Length: 10000") if DIRECT[kind] is None else DIRECT[kind]
    slow = "slow" in kind
    with Crowd(lambda _: Client(port, opening, b"a" if slow else b"", CROWD), 300, again=again) as crowd:
        acks, failed = meanwhile(world, crowd, 20)
    gone = time.monotonic()

    def quick() -> bool:
        return ack_seconds(world, "blux/sms") < 0.1

    until("a good sender is acknowledged within 100 ms", quick, 30)
    acks.sort()
    print(
        f"\n{kind}, {'again and again' if again else 'once'}: {len(acks)} acks, p50 {acks[len(acks) // 2] * 1000:.0f} ms, "
        f"p99 {acks[len(acks) * 99 // 100] * 1000:.0f} ms, slowest {acks[-1]:.2f} s; {failed} not acknowledged; the crowd was told "
        f"{dict(crowd.statuses)}; as before {time.monotonic() - gone:.2f} s after its end; {ingress.peak_rss_mb():.0f} MB at most"
    )
    assert set(crowd.statuses) <= {0, 404, 503}


# --- the operations listeners


@pytest.mark.alone
@pytest.mark.parametrize("service", ["ingress", "processor"])
@pytest.mark.parametrize("opening", [b"", b"GET /livez HTTP/1.1\r\nHost: x\r\n", b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"], ids=["silent", "half a head", "idle"])
def test_a_hundred_idle_peers_starve_no_probe(world: World, service: str, opening: bytes) -> None:
    """Each that is closed comes again. A probe's own deadline is 1 s; three that fail restart a healthy pod."""
    started = (world.new_ingress() if service == "ingress" else world.new_processor()).start().wait_ready()
    seconds = []
    with Crowd(lambda _: Client(started.ports["ops"], opening, source=CROWD), 100, again=True):
        end = time.monotonic() + 6
        while time.monotonic() < end:
            for path in ("/livez", "/readyz", "/metrics"):
                began = time.monotonic()
                assert started.get(path).status == 200
                seconds.append(time.monotonic() - began)
    print(f"{len(seconds)} probes of {service}, the slowest after {max(seconds):.2f} s")
    assert max(seconds) < 1.0 * builds.patience()


def test_a_stop_waits_for_no_idle_or_slow_peer(world: World) -> None:
    ingress = world.new_ingress().start().wait_ready()
    port = ingress.ports["public"]
    openings = [b"", NOWHERE, b"POST /", head(world.path("bizgo/alimtalk"), "Content-Length: 10000")]
    with Crowd(lambda number: Client(port, openings[number % 4], b"a" if number % 4 > 1 else b"", CROWD), 40):
        began = time.monotonic()
        ingress.stop()
    print(f"stopped in {time.monotonic() - began:.1f} s")
