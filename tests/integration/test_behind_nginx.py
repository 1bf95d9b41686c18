# SPDX-License-Identifier: MIT
"""A real nginx in front, configured as docs/webhooks.md says: it holds the idle and slow clients, and both read the same requests."""

import hmac
import json
import re
import secrets
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import builds, http, payloads
from support.bad_requests import BODY_MAX, SECOND, TABLE, Row
from support.crowds import Client, Crowd, allow_files
from support.proxy import Proxy
from support.senders import Senders, new_reports
from support.world import World, free_port

CROWD = "127.0.0.2"
IDLE, SLOW = 10_000, 2_000
SLOWEST_ACK = 0.5  # seconds
END = b"GET /webhook/the-end HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def trust_the_proxy(world: World) -> None:
    endpoints = json.loads(world.endpoints_file.read_text())
    world.endpoints_file.write_text(json.dumps({**endpoints, "trusted_proxies": ["127.0.0.1"]}))


@pytest.fixture(scope="module")
def behind(module_worlds, kafka, postgres, run_folder: Path) -> Iterator[tuple[World, Proxy]]:
    allow_files(14_000)
    world = module_worlds.new(kafka, postgres)
    trust_the_proxy(world)
    ingress = world.new_ingress(DOCHAK_BODY_MAX_BYTES=str(BODY_MAX)).start().wait_ready()
    with Proxy(Path(tempfile.mkdtemp(prefix="nginx-", dir=run_folder)), free_port(), [ingress.ports["public"]]) as proxy:
        yield world, proxy


def receipt(world: World, id_: str, endpoint: str) -> bytes:
    body = payloads.to_bytes(payloads.bizgo(id_, "10000") if endpoint.startswith("bizgo") else payloads.blux(payloads.blux_event(id_)))
    return f"POST {world.path(endpoint)} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def ack(world: World, port: int, endpoint: str = "bizgo/alimtalk") -> float:
    """Sends one receipt on a connection of its own; the seconds until it got its own acknowledgement."""
    id_ = payloads.new_id()
    began = time.monotonic()
    with http.Wire(port) as wire:
        wire.send(receipt(world, id_, endpoint))
        answer = wire.answer()
    assert answer and answer.status == 200, answer
    assert not answer.body or answer.json() == {"msgKey": id_}, f"{id_} was answered {answer}"
    return time.monotonic() - began


# --- many clients


@pytest.mark.alone
def test_ten_thousand_idle_and_two_thousand_slow_clients_delay_nobody(behind: tuple[World, Proxy]) -> None:
    """The slow ones feed bodies to one endpoint, or never end their heads; another endpoint's acks stay quick."""
    world, proxy = behind
    slow_body = f"POST {world.path('bizgo/alimtalk')} HTTP/1.1\r\nHost: x\r\nContent-Length: 10000\r\n\r\n".encode()
    nowhere = b"GET /webhook/nowhere HTTP/1.1\r\nHost: x\r\n\r\n"

    def idle(number: int) -> Client:
        return Client(proxy.port, nowhere if number % 2 else b"", source=CROWD)

    def slow(number: int) -> Client:
        return Client(proxy.port, slow_body if number % 4 else b"POST /webhook/", b"a", source=CROWD)

    before = sorted(ack(world, proxy.port, "blux/sms") for _ in range(100))
    with Crowd(idle, IDLE, every=60, again=True) as silent, Crowd(slow, SLOW, again=True) as feeding:
        acks = sorted(ack(world, proxy.port, "blux/sms") for _ in range(400))
        same = sorted(ack(world, proxy.port) for _ in range(50))
        held, fed = len(silent.open), len(feeding.open)
    print(
        f"{held} idle and {fed} slow connections on nginx: acks of another endpoint p50 {acks[200] * 1000:.0f}, p99 {acks[396] * 1000:.0f}, "
        f"slowest {acks[-1] * 1000:.0f} ms (without them slowest {before[-1] * 1000:.0f} ms); of the same endpoint slowest {same[-1] * 1000:.0f} ms"
    )
    # nginx closes some by its own clocks; each comes again.
    assert held > 0.9 * IDLE and fed > 0.9 * SLOW
    assert acks[-1] < SLOWEST_ACK * builds.patience()
    assert same[-1] < SLOWEST_ACK * builds.patience()


@pytest.mark.alone
def test_a_thousand_whole_but_slow_bodies_are_all_acknowledged(behind: tuple[World, Proxy]) -> None:
    """nginx takes them in at their pace and passes them on in one piece: none of them holds a thread of ours meanwhile."""
    world, proxy = behind
    requests = [receipt(world, payloads.new_id(), "bizgo/alimtalk") for _ in range(1000)]
    # From many addresses: nginx lets each have a hundred requests at once.
    wires = [http.Wire(proxy.port, f"127.0.1.{1 + i % 20}", timeout=30) for i in range(len(requests))]
    for part in range(4):
        for wire, request in zip(wires, requests, strict=True):
            quarter = len(request) // 4 + 1
            wire.send(request[part * quarter : (part + 1) * quarter])
        assert ack(world, proxy.port, "blux/sms") < SLOWEST_ACK * builds.patience()
    answers = [wire.answer() for wire in wires]
    for wire in wires:
        wire.sock.close()
    assert {answer.status if answer else 0 for answer in answers} == {200}


def test_no_request_is_lost_between_two_that_the_connection_to_us_idles(behind: tuple[World, Proxy]) -> None:
    """nginx keeps connections to ingress, and ingress closes idle ones: whichever side is first, the sender sees no fault."""
    world, proxy = behind
    pauses = [0.0, 0.5, 0.9, 1.0, 1.1, 1.4, 1.5, 1.6, 1.9, 2.0, 2.1, 3.0]
    faults: list[BaseException] = []

    def one(pause: float) -> None:
        try:
            for _ in range(4):
                ack(world, proxy.port)
                time.sleep(pause)  # the idle time is what is tested
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=one, args=[pause]) for pause in pauses]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults, faults


def test_a_sender_at_full_speed_through_nginx_is_always_acknowledged(behind: tuple[World, Proxy]) -> None:
    world, proxy = behind
    with Senders(world, new_reports(), 16, port=proxy.port) as senders:
        senders.wait_acked(3000)
    print(f"{senders.statuses}, the slowest took {senders.slowest * 1000:.0f} ms")
    assert set(senders.statuses) == {200}


def test_a_ping_through_nginx_proves_who_answers_and_shows_the_address_of_the_caller(behind: tuple[World, Proxy]) -> None:
    """Whatever the caller writes into X-Forwarded-For."""
    world, proxy = behind
    nonce = secrets.token_hex(16)
    with http.Wire(proxy.port, source=CROWD) as wire:
        wire.send(f"GET /v1/ping?nonce={nonce} HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 203.0.113.7\r\n\r\n".encode())
        said = wire.answer().json()
    assert said["dochak"] == "ingress" and said["address"] == CROWD
    assert said["proof"] == hmac.new(world.keys["PING"].encode(), nonce.encode(), "sha256").hexdigest()


@pytest.mark.parametrize("size", [BODY_MAX + 1, 100_000, 900_000])
def test_a_body_that_is_too_large_is_413_behind_nginx_too(behind: tuple[World, Proxy], size: int) -> None:
    """ingress refuses it before it has read it, while nginx still writes: the refusal must not become a 502."""
    world, proxy = behind
    for _ in range(10):
        answer = http.request(proxy.port, "POST", world.path("bizgo/alimtalk"), b" " * size)
        assert answer.status == 413, answer


# --- smuggling: nginx and ingress see the same requests


def answered(world: World) -> dict[str, int]:
    """How often ingress gave which status."""
    samples = world.ingress.metrics()
    return {name: int(value) for name, value in samples.items() if name.startswith("dochak_ingress_answers_total")}


def in_this_world(data: bytes, world: World) -> bytes:
    for name in ("bizgo/alimtalk", "blux/sms"):
        data = data.replace(f"@{name.split('/')[0]}@".encode(), world.path(name).encode())
    return data.replace(b"@key@", world.keys["INGRESS"].encode())


def exchange(port: int, data: bytes, first: float, then: float) -> bytes:
    """All that is said to these bytes until the connection is closed or silent. The first answer may take `first` seconds, each other `then`."""
    with http.Wire(port, timeout=first) as wire:
        said = b""
        try:
            wire.send(data)
            while chunk := wire.sock.recv(65536):
                said += chunk
                wire.sock.settimeout(then)
        except (TimeoutError, ConnectionResetError):
            pass
        return said


def kept(world: World) -> dict[str, int]:
    return {short: len(world.topics.read(short)) for short in ("events", "quarantine")}


def difference(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    return {name: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name, 0)}


class Listener:
    """nginx as a smuggler meets it. Each row is followed by the end of the connection, and by another sender's receipt."""

    def __init__(self, world: World, port: int):
        self.world, self.port = world, port
        self.before = answered(world)
        self.records = sum(kept(world).values())

    def faults_of(self, row: Row) -> list[str]:
        data = in_this_world(row.data, self.world) + END
        said = exchange(self.port, data, first=3, then=1)
        told = [int(status) for status in re.findall(rb"HTTP/1\.[01] ([2-5]\d\d)", said)]
        faults = self._faults_of_counts(row, told)
        named = {name.decode() for name in re.findall(rb'\{"msgKey":"([^"]*)"\}', said)}
        if not named <= {"", "edge", "edge-second"} or ("edge-second" in named and SECOND not in row.data):
            faults.append(f"acknowledged {named}")
        if "" in named and not row.quarantined and self._newest_quarantined() not in data:
            faults.append(f"quarantined what was never sent: {self._newest_quarantined()!r}")
        return [f"{row.group}: {row.name}: {fault}; told {told}" for fault in faults]

    def _newest_quarantined(self) -> bytes:
        return max(self.world.topics.read("quarantine"), key=lambda record: (record.timestamp, record.offset)).value

    def _faults_of_counts(self, row: Row, told: list[int]) -> list[str]:
        """Each answer of ingress's went to this connection: none was for a request that nginx does not know of."""
        gave = self.take_answers()
        gave_good = sum(count for name, count in gave.items() if '"20' in name)
        good = sum(status in (200, 202) for status in told)
        self.records += 0 if row.empty else gave_good
        faults = []
        if sum(gave.values()) > len(told):
            faults.append(f"ingress answered {gave}")
        if gave_good != good:
            faults.append(f"{good} good answers arrived of the {gave_good} that ingress gave")
        if good > (most := row.data.count(b" HTTP/")):
            faults.append(f"{good} of {most} requests were acknowledged")
        return faults

    def take_answers(self) -> dict[str, int]:
        after = answered(self.world)
        gave, self.before = difference(self.before, after), after
        return gave

    def another_sender(self) -> None:
        """Gets its own acknowledgement, also on a connection to ingress that the row before was on."""
        ack(self.world, self.port)
        assert sum(self.take_answers().values()) == 1
        self.records += 1


GROUPS = sorted({row.group for row in TABLE})


@pytest.mark.parametrize("group", GROUPS)
def test_through_nginx_no_row_of_the_table_is_two_requests_to_one_and_one_to_the_other(behind: tuple[World, Proxy], group: str) -> None:
    world, proxy = behind
    listener = Listener(world, proxy.port)
    faults = []
    for row in (row for row in TABLE if row.group == group):
        faults += listener.faults_of(row)
        listener.another_sender()
    assert not faults, "\n".join(faults)
    assert sum(kept(world).values()) == listener.records
