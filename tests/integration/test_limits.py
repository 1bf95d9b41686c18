# SPDX-License-Identifier: MIT
"""Memory, and how long a start and a stop take. The bounds on time leave room for a busy machine; what was measured is printed."""

import socket
import time

import pytest

from support import payloads
from support.wait import until_equal
from support.world import World

pytestmark = [pytest.mark.usefixtures("plain_build"), pytest.mark.alone]

INGRESS_MB, PROCESSOR_MB = 64, 128
CONNECTIONS = 240  # of 256 threads; one endpoint may have half of them
START_SECONDS, STOP_SECONDS = 3.0, 3.0  # promised: 1 s to start


def request(world: World, endpoint: str, event: dict) -> bytes:
    body = payloads.to_bytes(event)
    head = f"POST {world.path(endpoint)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def on_every_connection(world: World, requests: list[bytes]) -> list[bytes]:
    """So many requests at once: the bodies' last bytes come only when all else is there."""
    sockets = [socket.create_connection(("127.0.0.1", world.ingress.ports["public"]), 20) for _ in requests]
    for sock, data in zip(sockets, requests, strict=True):
        sock.sendall(data[:-1])
    for sock, data in zip(sockets, requests, strict=True):
        sock.sendall(data[-1:])
    said = []
    for sock in sockets:
        said.append(b"".join(iter(lambda sock=sock: sock.recv(65536), b"")))
        sock.close()
    return said


def test_ingress_with_all_threads_busy_stays_small(world: World) -> None:
    ingress = world.new_ingress().start().wait_ready()
    idle = ingress.peak_rss_mb()
    for round_ in range(20):
        both = [
            request(world, "bizgo/alimtalk", payloads.bizgo(f"m-{round_}", "10000")),
            request(world, "blux/sms", payloads.blux(payloads.blux_event(f"m-{round_}"))),
        ]
        answers = on_every_connection(world, both * (CONNECTIONS // 2))
        assert all(answer.startswith(b"HTTP/1.1 200 ") for answer in answers), {answer[:40] for answer in answers}
    print(f"ingress with {CONNECTIONS} connections: {idle:.1f} MB idle, {ingress.peak_rss_mb():.1f} MB at most after {20 * CONNECTIONS} requests")
    assert ingress.peak_rss_mb() <= INGRESS_MB


def test_ingress_with_large_bodies_gives_the_memory_back(world: World) -> None:
    """Little more for the fiftieth than for the tenth, where forty that stayed behind would be 19 MB."""
    ingress = world.new_ingress().start().wait_ready()
    large = payloads.blux(*(payloads.blux_event(f"m-{number}") for number in range(1700)))
    assert 450_000 < len(payloads.to_bytes(large)) < 524_288
    peaks = []
    for round_ in range(50):
        assert world.post("blux/sms", large).status == 200
        if round_ in (9, 49):
            peaks.append(ingress.peak_rss_mb())
    print(f"ingress after 10 and 50 bodies of half a megabyte: {peaks[0]:.1f} and {peaks[1]:.1f} MB at most")
    assert peaks[1] - peaks[0] < 12


def test_processor_stays_small_under_a_backlog(world: World) -> None:
    world.new_ingress().start().wait_ready()
    count = 20_000
    for first in range(0, count, 1000):
        world.blux(*(payloads.blux_event(f"m-{number}", delivered=number % 10 != 0) for number in range(first, first + 1000)))
    began = time.monotonic()
    processor = world.new_processor().start()
    until_equal("all is done", lambda: world.sql("SELECT count(*) AS n FROM notification")[0]["n"], count, 120)
    world.settle(60)
    seconds = time.monotonic() - began
    rate = count / seconds
    print(f"processor after {count} receipts: {processor.peak_rss_mb():.1f} MB at most; {rate:.0f} receipts a second, start included")
    assert processor.peak_rss_mb() <= PROCESSOR_MB
    assert len(world.notification_alerts()) == count // 10


def test_a_start_and_a_stop_take_no_time(world: World) -> None:
    services = [world.new_ingress(), world.new_processor()]
    for service in services:
        ready, stopped = [], []
        for _ in range(4):
            service.start().wait_ready()
            ready.append(service.ready_after)
            began = time.monotonic()
            service.stop()
            stopped.append(time.monotonic() - began)
        print(
            f"{service.name}: ready after {', '.join(f'{s:.2f}' for s in ready)} s; ended after {', '.join(f'{s:.2f}' for s in stopped)} s"
        )
        assert max(ready) <= START_SECONDS and max(stopped) <= STOP_SECONDS
