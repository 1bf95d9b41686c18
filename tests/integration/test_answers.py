# SPDX-License-Identifier: MIT
"""What ingress answers in which situation; each row of that table is tested, here or elsewhere:

durable                             200 and the provider's ack      everywhere: World.bizgo(), World.blux()
the same again, or an unknown id    the same                        here
not understood                      kept whole, the same            test_bad_input.py
sender refused                      as the provider file says       here (path, key), test_senders.py (checks)
over the limit                      413, closed                     here
Kafka away, and no room to spool    503 with Retry-After            test_outages.py, test_spool.py
too many, too slow                  503, never 408 or 429           test_slow_clients.py; http.Answer
no request of ours                  400, 404, 405 …                 test_http_edge.py
"""

import gzip
import json
import subprocess
import time

import pytest

from support import builds, http, payloads
from support.bad_requests import chunks
from support.world import World

WEBHOOKS = ["bizgo/alimtalk", "blux/sms"]


def counts(world: World) -> dict[str, int]:
    return {short: len(world.topics.read(short)) for short in ("events", "quarantine")}


def post(world: World, path: str, body: bytes) -> http.Answer:
    return http.request(world.ingress.ports["public"], "POST", path, body, {"Content-Type": "application/json"})


# --- the same again


def test_a_repeat_and_an_unknown_id_are_answered_like_any_other(dochak: World) -> None:
    known, unknown = payloads.new_id(), payloads.new_id()
    dochak.register(payloads.accepted("bizgo", known))
    for id_ in (known, known, unknown, unknown):
        dochak.bizgo(payloads.bizgo(id_, "10000"))
        dochak.blux(payloads.blux_event(id_))
    for _ in range(2):
        assert dochak.register(payloads.accepted("bizgo", known)) == [{"provider": "bizgo", "notification_id": known, "accepted": True}]


# --- senders


class Refusals:
    """What refused calls of an endpoint leave: a count each, a line in the log now and then, and nothing on the topics."""

    def __init__(self, world: World, endpoint: str):
        self._world, self._endpoint = world, endpoint
        self._stored, self._counted = counts(world), self._count()

    def _count(self) -> list[float]:
        metrics = self._world.ingress.metrics()
        names = (f'refused_total{{endpoint="{self._endpoint}"}}', 'refusals_total{check="secret_path"}')
        return [metrics.get(f"dochak_ingress_{name}", 0) for name in names]

    def check(self, count: int) -> None:
        assert self._count() == [counted + count for counted in self._counted]
        assert counts(self._world) == self._stored
        told = [(line["endpoint"], line["check"]) for line in self._world.ingress.log_lines("^sender refused")]
        assert (self._endpoint, "secret_path") in told


def test_bizgo_with_a_wrong_secret_learns_nothing_and_leaves_nothing(dochak: World) -> None:
    """BizGo counts every other answer towards blocking the account."""
    refusals, path = Refusals(dochak, "bizgo/alimtalk"), dochak.path("bizgo/alimtalk")
    report = payloads.bizgo(payloads.new_id(), "10000")
    wrong = ["/webhook/bizgo/alimtalk", "/webhook/bizgo/alimtalk/", "/webhook/bizgo/alimtalk/wrong-secret-wrong-secret",
             path + "x", path[:-1], path + "//", "/webhook/bizgo/alimtalk/" + path.rpartition("/")[2].upper()]  # fmt: skip
    for place in wrong:
        answer = post(dochak, place, payloads.to_bytes(report))
        assert (answer.status, answer.json()) == (200, {"msgKey": report["msgKey"]}), place
        answer = post(dochak, place, b"not JSON")
        assert (answer.status, answer.json()) == (200, {"msgKey": ""}), place
    refusals.check(2 * len(wrong))
    dochak.settle()
    assert dochak.row("bizgo", report["msgKey"]) is None


def test_blux_with_a_wrong_secret_gets_404_and_leaves_nothing(dochak: World) -> None:
    refusals = Refusals(dochak, "blux/sms")
    body = payloads.to_bytes(payloads.blux(payloads.blux_event(payloads.new_id())))
    wrong = ["/webhook/blux/sms", "/webhook/blux/sms/", "/webhook/blux/sms/wrong-secret-wrong-secret", dochak.path("blux/sms")[:-1]]
    for place in wrong:
        assert post(dochak, place, body).status == 404, place
    refusals.check(len(wrong))


@pytest.mark.parametrize("size", [20_000, 600_000])
@pytest.mark.parametrize("chunked", [False, True], ids=["with its length", "in chunks"])
def test_strangers_with_large_bodies_learn_nothing_either(dochak: World, chunked: bool, size: int) -> None:
    body = b" " * size
    framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {size}"
    for endpoint, status, said in (("bizgo/alimtalk", 200, b'{"msgKey":""}'), ("blux/sms", 404, b"")):
        refusals = Refusals(dochak, endpoint)
        with http.Wire(dochak.ingress.ports["public"]) as wire:
            wire.send(f"POST /webhook/{endpoint}/wrong-secret-wrong-secret HTTP/1.1\r\nHost: x\r\n{framing}\r\n\r\n".encode())
            wire.send(chunks(body, 4096) if chunked else body)
            answer = wire.answer()
        assert (answer.status, answer.body) == (status, said), answer
        refusals.check(1)


def test_every_key_of_a_rotation_is_valid(world: World) -> None:
    old, new = "old-key-0123456789ab", "new-key-0123456789ab"
    world.new_ingress(DOCHAK_INGRESS_KEY=f"{old},{new}").start().wait_ready()
    for key in (old, new):
        assert world.post_registration(payloads.accepted("bizgo", "x"), {"Authorization": f"Bearer {key}"}).status == 202
    assert world.post_registration(payloads.accepted("bizgo", "x"), {"Authorization": f"Bearer {old},{new}"}).status == 401


def test_every_secret_of_an_endpoint_is_valid(world: World) -> None:
    world.endpoints_file.write_text(
        json.dumps(
            {
                "endpoints": [
                    {"endpoint": "bizgo/alimtalk", "provider": "bizgo", "secret_path": ["DOCHAK_SECRET_BIZGO_PATH", "DOCHAK_SECRET_NEXT"]}
                ]
            }
        )
    )
    world.new_ingress(DOCHAK_SECRET_NEXT="the-next-secret-0123").start().wait_ready()
    for secret, kept in ((world.keys["BIZGO"], 1), ("the-next-secret-0123", 2), ("the-last-secret-0123", 2)):
        assert post(world, f"/webhook/bizgo/alimtalk/{secret}", payloads.to_bytes(payloads.bizgo("x", "10000"))).status == 200
        assert len(world.topics.read("events")) == kept


# --- content type


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "nonsense"])
def test_webhooks_do_not_mind_the_content_type(dochak: World, content_type: str) -> None:
    report = payloads.bizgo(payloads.new_id(), "10000")
    dochak.bizgo(report, **{"Content-Type": content_type})
    dochak.wait_row("bizgo", report["msgKey"], status="SENT")


# --- sizes


def test_the_largest_body_is_taken_and_one_byte_more_is_413(world: World) -> None:
    limit = 100_000
    world.new_ingress(DOCHAK_BODY_MAX_BYTES=str(limit)).start().wait_ready()
    report = payloads.to_bytes(payloads.bizgo("largest", "10000"))
    fits = report + b" " * (limit - len(report))
    assert world.post("bizgo/alimtalk", fits).status == 200
    answer = world.post("bizgo/alimtalk", fits + b" ")
    assert (answer.status, answer.headers["connection"]) == (413, "close")
    assert f" {limit} bytes (DOCHAK_BODY_MAX_BYTES)" in answer.json()["error"]["message"]
    (line,) = world.ingress.log_lines("answered 413")  # the provider may never send it again
    assert (line["level"], line["endpoint"], line["limit_bytes"]) == ("warn", "bizgo/alimtalk", limit)
    assert counts(world) == {"events": 1, "quarantine": 0}


def limited(world: World, max_body_bytes: int, **settings: str) -> None:
    """blux/sms has a limit of its own."""
    endpoints = json.loads(world.endpoints_file.read_text())
    endpoints["endpoints"][1]["max_body_bytes"] = max_body_bytes
    world.endpoints_file.write_text(json.dumps(endpoints))
    world.new_ingress(**settings).start().wait_ready()


def test_an_endpoint_takes_a_body_larger_than_a_record(world: World) -> None:
    limit, record = 2 << 20, 100_000
    limited(world, limit, DOCHAK_BODY_MAX_BYTES=str(record))
    events = [payloads.blux_event(f"n{i}", failed_reason="x" * 15_000) for i in range(100)]
    body = payloads.to_bytes(payloads.blux(*events))
    assert 10 * record < len(body) < limit
    assert world.post("blux/sms", body.ljust(limit)).status == 200
    assert world.post("blux/sms", gzip.compress(body), {"Content-Encoding": "gzip"}).status == 200
    chunked = http.raw(
        world.ingress.ports["public"],
        f"POST {world.path('blux/sms')} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n".encode() + chunks(body),
    )
    assert http.status_of(chunked) == 200
    assert counts(world) == {"events": 300, "quarantine": 0}
    assert world.post("bizgo/alimtalk", b" " * (record + 1)).status == 413  # the other endpoint's is as it was


def test_a_refusal_for_size_names_its_limit(world: World) -> None:
    limit, record = 2 << 20, 100_000
    limited(world, limit, DOCHAK_BODY_MAX_BYTES=str(record))
    small = payloads.to_bytes(payloads.blux(payloads.blux_event("n")))
    large = payloads.to_bytes(payloads.blux(payloads.blux_event("n"), payloads.blux_event("m", failed_reason="x" * record)))
    own, of_record = f"{limit} bytes (max_body_bytes of the endpoint)", f"{record} bytes (DOCHAK_BODY_MAX_BYTES)"
    rows = {
        "a byte over": (small.ljust(limit + 1), {}, own),
        "inflated": (gzip.compress(b" " * (limit + 1)), {"Content-Encoding": "gzip"}, own),
        "an element": (large, {}, of_record),
        "an inflated element": (gzip.compress(large), {"Content-Encoding": "gzip"}, of_record),
        "what cannot be cut": (b"{" + b" " * record, {}, of_record),
    }
    for what, (body, headers, said) in rows.items():
        answer = world.post("blux/sms", body, headers)
        assert (answer.status, answer.headers["connection"]) == (413, "close"), what
        assert f" is over the limit of {said}" in answer.json()["error"]["message"], what
    (line,) = world.ingress.log_lines("answered 413")
    assert (line["endpoint"], line["limit"], line["limit_bytes"]) == ("blux/sms", "max_body_bytes of the endpoint", limit)
    assert counts(world) == {"events": 0, "quarantine": 0}
    assert world.post("blux/sms", b"{".ljust(record)).status == 200  # kept whole
    assert counts(world) == {"events": 0, "quarantine": 1}


def test_a_limit_below_the_usual_one_counts_too(world: World) -> None:
    limited(world, 2000)
    body = payloads.to_bytes(payloads.blux(payloads.blux_event("n")))
    assert [world.post("blux/sms", body.ljust(size)).status for size in (2000, 2001)] == [200, 413]


def test_large_bodies_of_one_endpoint_are_bounded_together(world: World) -> None:
    """Each fits, and together they are more than the endpoint's half: the rest gets 503, and the other endpoint is served."""
    limit, threads = 4 << 20, 16
    limited(world, limit, DOCHAK_BODIES_MAX_BYTES=str(32 << 20))
    request = f"POST {world.path('blux/sms')} HTTP/1.1\r\nHost: x\r\nContent-Length: {limit}\r\n\r\n".encode() + b'{"events":[]}'.ljust(limit)
    wires = [http.Wire(world.ingress.ports["public"]) for _ in range(threads)]
    try:
        for wire in wires:
            wire.send(request[:-1])
        world.bizgo(payloads.bizgo("other", "10000"))
        statuses = [answer.status if (answer := wire.send(request[-1:]).answer()) else 0 for wire in wires]
    finally:
        for wire in wires:
            wire.sock.close()
    assert statuses.count(200) == 4 and statuses.count(503) == threads - 4, statuses


def test_a_limit_that_the_room_for_bodies_cannot_hold_is_refused_at_start(world: World) -> None:
    endpoints = json.loads(world.endpoints_file.read_text())
    endpoints["endpoints"][1]["max_body_bytes"] = 8 << 20
    world.endpoints_file.write_text(json.dumps(endpoints))
    for room, good in ((33554432, True), (33554431, False)):
        ingress = world.new_ingress(DOCHAK_BODIES_MAX_BYTES=str(room))
        run = subprocess.run([builds.program("ingress"), "--check"], env=ingress.env, capture_output=True, text=True, timeout=60, check=False)
        assert (run.returncode == 0) == good, run
        if not good:
            assert "/endpoints/1/max_body_bytes: needs a DOCHAK_BODIES_MAX_BYTES of 33554432 or more" in run.stderr


@pytest.mark.parametrize("route", ["registration", *WEBHOOKS])
@pytest.mark.parametrize("chunked", [False, True], ids=["with its length", "in chunks"])
def test_ten_megabytes_are_413_and_the_connection_is_closed(dochak: World, route: str, chunked: bool) -> None:
    before = counts(dochak)
    path = "/v1/notifications" if route == "registration" else dochak.path(route)
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {dochak.keys['INGRESS']}\r\nContent-Type: application/json\r\n"
    piece = b"a" * 65536
    if chunked:
        body = (b"%x\r\n" % len(piece) + piece + b"\r\n") * 160 + b"0\r\n\r\n"
        head += "Transfer-Encoding: chunked\r\n\r\n"
    else:
        body = piece * 160
        head += f"Content-Length: {len(body)}\r\n\r\n"
    began = time.monotonic()
    said = http.raw(dochak.ingress.ports["public"], head.encode() + body)
    assert http.status_of(said) == 413, said
    assert b"connection: close" in said.lower()
    assert time.monotonic() - began < 10 * builds.patience()
    assert counts(dochak) == before
    assert dochak.ingress.get("/livez").status == 200


# --- framing


def test_a_body_that_breaks_off_is_never_half_taken(dochak: World) -> None:
    before = counts(dochak)
    body = payloads.to_bytes(payloads.bizgo(payloads.new_id(), "10000"))
    for cut in (0, 1, len(body) // 2, len(body) - 1):
        head = f"POST {dochak.path('bizgo/alimtalk')} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
        said = http.raw(dochak.ingress.ports["public"], head.encode() + body[:cut], half_close=True)
        assert http.status_of(said) in (0, 503), said
    assert counts(dochak) == before


def test_one_connection_carries_many_requests(dochak: World) -> None:
    connection = http.Connection(dochak.ingress.ports["public"])
    reports = [payloads.bizgo(payloads.new_id(), "10000") for _ in range(50)]
    began = time.monotonic()
    for report in reports:
        answer = connection.post(dochak.path("bizgo/alimtalk"), payloads.to_bytes(report))
        assert (answer.status, answer.json()) == (200, {"msgKey": report["msgKey"]})
    seconds = time.monotonic() - began
    print(f"{seconds / len(reports) * 1000:.1f} ms a request on one connection")
    assert seconds / len(reports) < 0.5  # a delayed ACK alone would be 40 ms; this bound is for a busy machine
    connection.close()
    dochak.settle()
    assert all(dochak.row("bizgo", report["msgKey"])["status"] == "SENT" for report in reports)


# --- the operations listeners


def test_operations_answer_apart_from_traffic(dochak: World) -> None:
    for service in dochak.services:
        assert service.get("/livez").json() == {"live": True}
        assert service.get("/readyz").json() == {"ready": True}
        metrics = service.get("/metrics")
        assert metrics.headers["content-type"].startswith("text/plain; version=0.0.4")
        text = metrics.body.decode()
        assert "# HELP dochak_" in text and "process_resident_memory_bytes" in text
        assert not any(secret in text for secret in dochak.secrets)
        assert service.get("/").status == 404
        assert http.request(service.ports["ops"], "POST", "/livez", b"").status == 405
