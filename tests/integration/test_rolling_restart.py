# SPDX-License-Identifier: MIT
"""Two ingresses behind a proxy are restarted one after the other, again and again: no sender notices, nothing is lost."""

import json
import time
from pathlib import Path

from support import builds, http, payloads
from support.proxy import Proxy
from support.senders import Senders, new_reports
from support.service import Service
from support.world import World, free_port

ROUNDS = 3
SLOWEST = 2.0  # seconds


def two_ingresses(world: World, folder: Path) -> list[Service]:
    made = [world.new_ingress(DOCHAK_SPOOL_DIR=str(folder / f"spool-{number}")) for number in range(2)]
    for ingress in made:
        ingress.start()
    return [ingress.wait_ready() for ingress in made]


def test_a_rolling_restart_loses_and_delays_nothing(world: World, tmp_path: Path) -> None:
    ingresses = two_ingresses(world, tmp_path)
    stops = []
    with Proxy(tmp_path, free_port(), [ingress.ports["public"] for ingress in ingresses]) as proxy:
        with Senders(world, new_reports(), 8, port=proxy.port) as senders:
            for _ in range(ROUNDS):
                for ingress in ingresses:
                    senders.wait_acked(200)
                    began = time.monotonic()
                    ingress.stop()  # exits 0 within the grace, or fails
                    stops.append(time.monotonic() - began)
                    senders.wait_acked(200)
                    ingress.start().wait_ready()
            senders.wait_acked(200)
    print(
        f"{len(senders.sent)} receipts over {len(stops)} restarts: {senders.statuses}, the slowest took {senders.slowest * 1000:.0f} ms; "
        f"stopped in {', '.join(f'{s:.2f}' for s in stops)} s"
    )
    assert set(senders.statuses) == {200}
    assert senders.slowest < SLOWEST * builds.patience()
    stored = [record.key.decode() for record in world.topics.read("events")]
    print(f"{len(stored) - len(set(stored))} of them twice on the topic")
    assert set(stored) == senders.acked


def test_the_proxy_hands_on_what_ingress_needs(world: World, tmp_path: Path) -> None:
    """The path as it came, and who the sender is, whatever he says himself."""
    endpoints = json.loads(world.endpoints_file.read_text())
    endpoints["endpoints"][1]["checks"] = {"ip": {"allow": ["127.0.0.2"]}}
    world.endpoints_file.write_text(json.dumps({**endpoints, "trusted_proxies": ["127.0.0.1"]}))
    ingresses = two_ingresses(world, tmp_path)
    body = payloads.to_bytes(payloads.blux(payloads.blux_event("x")))
    with Proxy(tmp_path, free_port(), [ingress.ports["public"] for ingress in ingresses]) as proxy:
        for source, path, status in [
            ("127.0.0.2", world.path("blux/sms"), 200),
            ("127.0.0.3", world.path("blux/sms"), 404),
            ("127.0.0.2", world.path("blux/sms").replace("blux/sms", "blux%2fsms"), 404),
            ("127.0.0.2", world.path("blux/sms").replace("blux/sms", "blux//sms"), 404),
            ("127.0.0.2", world.path("blux/sms").replace("blux/sms", "x/../blux/sms"), 404),
        ]:
            with http.Wire(proxy.port, source) as wire:
                wire.send(
                    f"POST {path} HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 127.0.0.2\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
                )
                assert wire.answer().status == status, (source, path)
