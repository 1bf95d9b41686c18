# SPDX-License-Identifier: MIT
"""Nothing that was told in confidence stands in a log. Every log of every test is searched when its world ends (Service.check); here is
shown that the search can fail, and a request carries each kind of secret in each place that could be logged."""

import json
import secrets
from pathlib import Path
from urllib.parse import quote

import pytest

from support import http, payloads
from support.service import Service, run_once
from support.world import World

ENDPOINTS = [
    {"endpoint": "bizgo/alimtalk", "provider": "bizgo", "secret_path": ["DOCHAK_SECRET_BIZGO_PATH"]},
    {"endpoint": "blux/sms", "provider": "blux", "secret_path": ["DOCHAK_SECRET_BLUX_PATH"]},
    {"endpoint": "blux/token", "provider": "blux", "checks": {"query_token": {"secrets": ["DOCHAK_SECRET_TOKEN"]}}},
    {"endpoint": "blux/header", "provider": "blux", "checks": {"header": {"header": "X-Secret", "secrets": ["DOCHAK_SECRET_HEADER"]}}},
    {"endpoint": "bizgo/signed", "provider": "bizgo", "checks": {"hmac_timestamp": {"secrets": ["DOCHAK_SECRET_SIGN"]}}},
]
SETTINGS = {
    "a bearer key": "DOCHAK_INGRESS_KEY",
    "a path secret": "DOCHAK_SECRET_BIZGO_PATH",
    "a query token": "DOCHAK_SECRET_TOKEN",
    "a header secret": "DOCHAK_SECRET_HEADER",
    "a signing key": "DOCHAK_SECRET_SIGN",
}
MARKS = {"a phone number": payloads.PHONE, "a phone number with its country": payloads.PHONE_E164, "a body": payloads.BODY_MARK}


def new_ingress(world: World) -> Service:
    """With an endpoint for each kind of secret; what is wrong, but nearly right, is as confidential."""
    world.endpoints_file.write_text(json.dumps({"endpoints": ENDPOINTS}))
    world.keys["WRONG"] = f"wrong/+ {secrets.token_hex(16)}"
    made = {name: f"{name[14:].lower()}/+ {secrets.token_hex(16)}" for name in SETTINGS.values() if name not in world.env()}
    return world.new_ingress(**made)


# --- the search


@pytest.mark.parametrize("what", [*SETTINGS, *MARKS])
@pytest.mark.parametrize("spelling", [str, quote, lambda text: json.dumps(text)[1:-1]], ids=["as it is", "as in a URL", "as in JSON"])
def test_the_search_finds_each_kind_of_secret(tmp_path: Path, what: str, spelling) -> None:
    secret = MARKS.get(what, 'so "secret" /+ 0123')
    service = Service("ingress", tmp_path, {SETTINGS.get(what, "DOCHAK_LOG_LEVEL"): secret}, {}, list(MARKS.values()))
    line = {"time": "2026-01-12T11:00:03Z", "level": "debug", "service": "ingress", "message": "said"}
    service._stdout.write_text(json.dumps(line) + "\n")
    service.check()
    service._stdout.write_text(json.dumps(line) + "\n" + json.dumps(line).replace("said", f"said {spelling(secret)} and more") + "\n")
    with pytest.raises(AssertionError, match="ingress logged"):
        service.check()


def test_the_search_reads_what_the_services_really_write(world: World) -> None:
    world.start()
    for service, said in zip(world.services, ("listening", "started"), strict=True):
        service.secrets.append(said)
        with pytest.raises(AssertionError, match=f"{service.name} logged '{said}'"):
            service.check()
        service.secrets.remove(said)


def test_it_looks_for_all_there_is_and_everything_is_logged(world: World) -> None:
    ingress = new_ingress(world)
    assert ingress.env["DOCHAK_LOG_LEVEL"] == "debug"
    assert {ingress.env[name] for name in SETTINGS.values()} | set(MARKS.values()) | {world.keys["WRONG"]} <= {
        *ingress.secrets,
        *payloads.PHONES,
        payloads.PHONE_E164,
    }
    assert "DOCHAK_LOG_LEVEL=debug" in run_once("ingress", ingress.env, "--print-config").stdout


# --- the requests


def requests(world: World, secret: str, wrong: str) -> list[bytes]:
    """A secret wherever a request may hold one, in good requests, refused ones and such as cannot be read."""
    body = payloads.to_bytes({**payloads.bizgo(payloads.new_id(), "10000"), "to": payloads.PHONE_E164, "secret": secret})
    made = []
    for value in (secret, wrong):
        encoded = quote(value, safe="")
        for target in (
            f"/webhook/bizgo/alimtalk/{encoded}",
            f"/webhook/blux/sms/{encoded}",
            f"/webhook/blux/token?token={encoded}",
            f"/webhook/blux/header?a={encoded}",
            f"/webhook/bizgo/signed/{encoded}",
            f"/v1/notifications?key={encoded}",
            f"/{encoded}",
        ):
            fields = f"Host: {encoded}\r\nX-Secret: {value}\r\nAuthorization: Bearer {value}\r\nX-IB-Signature: {value}\r\nX-IB-Timestamp: {value}\r\nX-Forwarded-For: {value}\r\n"
            end = f"Content-Length: {len(body)}\r\n\r\n".encode() + body
            head = f"POST {target} HTTP/1.1\r\n{fields}".encode()
            made += [
                head + end,
                head.replace(b"POST", b"PUT") + end,
                head.replace(b"POST ", b"POST  ") + end,
                head.replace(b" HTTP/1.1", b"\x01 HTTP/1.1") + end,
                head.replace(b"HTTP/1.1", b"HTTP/2.0") + end,
                head + f"X {value}: {value}\r\n".encode() + end,
                head + f"Content-Length: {value}\r\n".encode() + end,
                head + f"Transfer-Encoding: {value}\r\n".encode() + end,
                head + f"Expect: {value}\r\n".encode() + end,
                head + f"Content-Encoding: {value}\r\n".encode() + end,
                head + f"Content-Type: {value}\r\n".encode() + end,
                head + f"traceparent: {value}\r\n".encode() + end,
                head + f"Transfer-Encoding: chunked\r\n\r\n{value}\r\n".encode() + body,
                head + f"Content-Length: {len(body) + 9}\r\n\r\n".encode() + body,  # breaks off
                encoded.encode() + b" " + head + end,
            ]
    return made


def test_no_place_of_a_request_reaches_a_log(world: World) -> None:
    ingress = new_ingress(world).start().wait_ready()
    told = 0
    for name in SETTINGS.values():
        for data in requests(world, ingress.env[name], world.keys["WRONG"]):
            said = http.raw(ingress.ports["public"], data, half_close=True)
            told += http.status_of(said) >= 400
            assert payloads.BODY_MARK.encode() not in said and payloads.PHONE_E164.encode() not in said
            assert ingress.env[name].encode() not in said and world.keys["WRONG"].encode() not in said, said
    print(f"{told} of the answers are refusals; {len(ingress.log())} lines are in the log")
    assert told > 300 and ingress.log_lines("^sender refused")
