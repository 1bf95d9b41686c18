# SPDX-License-Identifier: MIT
"""What ingress answers to whom, apart from what a body says: paths, methods, senders, sizes, framing."""

import json
import socket
import time
from http.client import HTTPException

import pytest

from support import http, payloads
from support.world import World

WEBHOOKS = ["bizgo/alimtalk", "blux/sms"]


def counts(world: World) -> dict[str, int]:
    return {short: len(world.topics.read(short)) for short in ("events", "quarantine")}


def request(world: World, method: str, path: str, body: bytes | None = b"{}", **headers: str) -> http.Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return http.request(world.ingress.ports["public"], method, path, body, named)


# --- paths and methods


NOWHERE = """/ /webhook /webhook/ /webhook/nobody /webhook/bizgo /webhook/bizgo/alimtalkx /v1 /v1/notifications/ /v1/notificationsx
    /V1/notifications /webhook/../v1/notifications /%76%31/notifications /livez /readyz /metrics""".split()


@pytest.mark.parametrize("path", NOWHERE)
def test_where_nothing_is_the_answer_is_404(dochak: World, path: str) -> None:
    before = counts(dochak)
    answer = request(dochak, "POST", path, Authorization=f"Bearer {dochak.keys['INGRESS']}")
    assert answer.status == 404 and answer.json()["error"]["code"] == "not_found"
    assert counts(dochak) == before


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])
@pytest.mark.parametrize("route", ["registration", *WEBHOOKS])
def test_another_method_is_405_with_allow(dochak: World, method: str, route: str) -> None:
    path = "/v1/notifications" if route == "registration" else dochak.path(route)
    answer = request(dochak, method, path, None, Authorization=f"Bearer {dochak.keys['INGRESS']}")
    assert (answer.status, answer.headers.get("allow")) == (405, "POST")


def test_a_method_nobody_knows_does_no_harm(dochak: World) -> None:
    said = http.raw(dochak.ingress.ports["public"], b"BREW /webhook/bizgo/alimtalk HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert http.status_of(said) in (400, 405, 501), said


# --- senders


def test_bizgo_with_a_wrong_secret_learns_nothing_and_leaves_nothing(dochak: World) -> None:
    """BizGo counts every other answer towards blocking the account."""
    before = counts(dochak)
    report = payloads.bizgo(payloads.new_id(), "10000")
    paths = ["/webhook/bizgo/alimtalk", "/webhook/bizgo/alimtalk/", "/webhook/bizgo/alimtalk/wrong-secret-wrong-secret",
             dochak.path("bizgo/alimtalk") + "x", dochak.path("bizgo/alimtalk") + "/", dochak.path("bizgo/alimtalk").upper()]  # fmt: skip
    for path in paths[:5]:
        answer = request(dochak, "POST", path, payloads.to_bytes(report), Content_Type="application/json")
        assert (answer.status, answer.json()) == (200, {"msgKey": report["msgKey"]}), path
    for path in paths[:2]:
        answer = request(dochak, "POST", path, b"not JSON")
        assert (answer.status, answer.json()) == (200, {"msgKey": ""}), path
    dochak.settle()
    assert counts(dochak) == before and dochak.row("bizgo", report["msgKey"]) is None
    assert dochak.ingress.metrics()['dochak_ingress_refused_total{endpoint="bizgo/alimtalk"}'] >= 7


def test_blux_with_a_wrong_secret_gets_404_and_leaves_nothing(dochak: World) -> None:
    before = counts(dochak)
    body = payloads.to_bytes(payloads.blux(payloads.blux_event(payloads.new_id())))
    for path in ("/webhook/blux/sms", "/webhook/blux/sms/", "/webhook/blux/sms/wrong-secret-wrong-secret", dochak.path("blux/sms")[:-1]):
        assert request(dochak, "POST", path, body).status == 404, path
    assert counts(dochak) == before


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Bearer wrong-key-wrong-key", "Basic KEY", "KEY", "Bearer KEYx", "Bearer KEY,KEY"]
)
def test_registration_without_a_valid_key_is_401(dochak: World, header: str | None) -> None:
    before = counts(dochak)
    headers = {} if header is None else {"Authorization": header.replace("KEY", dochak.keys["INGRESS"])}
    answer = request(dochak, "POST", "/v1/notifications", payloads.to_bytes(payloads.accepted("bizgo", "x")), **headers)
    assert answer.status == 401 and answer.headers["www-authenticate"].startswith("Bearer")
    assert counts(dochak) == before


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
        assert request(world, "POST", f"/webhook/bizgo/alimtalk/{secret}", payloads.to_bytes(payloads.bizgo("x", "10000"))).status == 200
        assert len(world.topics.read("events")) == kept


# --- content type and coding


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", "multipart/form-data; boundary=x"]
)
def test_registration_in_another_content_type_is_415(dochak: World, content_type: str) -> None:
    before = counts(dochak)
    answer = dochak.post_registration(payloads.accepted("bizgo", "x"), {"Content-Type": content_type})
    assert answer.status == 415 and counts(dochak) == before


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "Application/JSON ;charset=UTF-8"])
def test_registration_in_json_is_taken_however_it_is_spelt(dochak: World, content_type: str) -> None:
    assert dochak.post_registration(payloads.accepted("bizgo", payloads.new_id()), {"Content-Type": content_type}).status == 202


def test_registration_in_an_encoding_we_do_not_read_is_415(dochak: World) -> None:
    assert dochak.post_registration(payloads.accepted("bizgo", "x"), {"Content-Encoding": "br"}).status == 415


def test_registration_that_is_no_gzip_as_it_says_is_400(dochak: World) -> None:
    answer = dochak.post_registration(payloads.accepted("bizgo", "x"), {"Content-Encoding": "gzip"})
    assert answer.status == 400 and answer.json()["error"]["code"] == "bad_encoding"


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
    assert time.monotonic() - began < 10
    assert counts(dochak) == before
    assert dochak.ingress.get("/livez").status == 200


# --- framing


def test_chunks_and_lengths_are_the_same_to_us(dochak: World) -> None:
    report = payloads.bizgo(payloads.new_id(), "10000")
    body = payloads.to_bytes(report)
    pieces = b"".join(b"%x\r\n%c\r\n" % (1, byte) for byte in body)
    head = f"POST {dochak.path('bizgo/alimtalk')} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    said = http.raw(dochak.ingress.ports["public"], head.encode() + pieces + b"0\r\n\r\n")
    assert http.status_of(said) == 200 and report["msgKey"].encode() in said
    dochak.settle()
    assert [record.value for record in dochak.records("events", report["msgKey"])] == [body]


@pytest.mark.parametrize(
    "framing",
    [
        "Content-Length: 2\r\nContent-Length: 400\r\n",
        "Content-Length: 400\r\nContent-Length: 2\r\n",
        "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Content-Length: -2\r\n",
        "Content-Length: +2\r\n",
        "Content-Length: 0x2\r\n",
        "Content-Length: 2, 2\r\n",
        "Content-Length: 99999999999999999999999\r\n",
    ],
)
def test_contradictory_lengths_are_refused_and_the_connection_closed(dochak: World, framing: str) -> None:
    """What two readers could cut in two ways could smuggle a request past a proxy."""
    before = counts(dochak)
    smuggled = f"POST {dochak.path('bizgo/alimtalk')} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{{}}"
    head = f"POST {dochak.path('bizgo/alimtalk')} HTTP/1.1\r\nHost: x\r\n{framing}\r\n"
    said = http.raw(dochak.ingress.ports["public"], head.encode() + b"{}" + smuggled.encode(), half_close=True)
    assert said.count(b"HTTP/1.1 ") == 1 and http.status_of(said) in (400, 413), said
    assert counts(dochak) == before


def test_a_body_that_breaks_off_is_never_half_taken(dochak: World) -> None:
    before = counts(dochak)
    body = payloads.to_bytes(payloads.bizgo(payloads.new_id(), "10000"))
    for cut in (0, 1, len(body) // 2, len(body) - 1):
        head = f"POST {dochak.path('bizgo/alimtalk')} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
        said = http.raw(dochak.ingress.ports["public"], head.encode() + body[:cut], half_close=True)
        assert http.status_of(said) in (0, 503), said
    assert counts(dochak) == before


def test_whoever_asks_before_sending_is_told_to_go_on(dochak: World) -> None:
    report = payloads.bizgo(payloads.new_id(), "10000")
    body = payloads.to_bytes(report)
    head = f"POST {dochak.path('bizgo/alimtalk')} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\n"
    head += f"Content-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", dochak.ingress.ports["public"]), 10) as sock:
        sock.sendall(head.encode())
        assert sock.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(body)
        assert sock.recv(1000).startswith(b"HTTP/1.1 200 ")


def test_too_large_is_said_before_the_body_is_sent(dochak: World) -> None:
    head = f"POST {dochak.path('bizgo/alimtalk')} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 10000000\r\n\r\n"
    with socket.create_connection(("127.0.0.1", dochak.ingress.ports["public"]), 10) as sock:
        sock.sendall(head.encode())
        assert sock.recv(1000).startswith(b"HTTP/1.1 413 ")


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


def test_a_head_without_end_is_refused(dochak: World) -> None:
    said = http.raw(dochak.ingress.ports["public"], b"POST /webhook/bizgo/alimtalk HTTP/1.1\r\nX: " + b"a" * 100_000, half_close=True)
    assert http.status_of(said) == 431, said[:200]
    many = b"".join(b"X-%d: a\r\n" % i for i in range(101))
    said = http.raw(
        dochak.ingress.ports["public"], b"POST /v1/notifications HTTP/1.1\r\nHost: x\r\n" + many + b"Content-Length: 2\r\n\r\n{}"
    )
    assert http.status_of(said) == 431, said[:200]
    assert dochak.ingress.get("/livez").status == 200


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


def test_idle_connections_do_not_keep_others_out(world: World) -> None:
    world.new_ingress(DOCHAK_INGRESS_THREADS="1").start().wait_ready()
    idle = [socket.create_connection(("127.0.0.1", world.ingress.ports["public"]), 5) for _ in range(8)]
    try:
        began = time.monotonic()
        answer = world.post("bizgo/alimtalk", payloads.bizgo("x", "10000"))
        print(f"answered {time.monotonic() - began:.1f} s beside 8 idle connections on one thread")
        assert answer.status == 200
    except (OSError, HTTPException) as error:
        raise AssertionError(f"eight idle connections keep everybody out: {error!r}") from error
    finally:
        for sock in idle:
            sock.close()
