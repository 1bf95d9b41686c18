# SPDX-License-Identifier: MIT
"""One call of the public URL, against servers and certificates of every kind that a provider could meet."""

import json
import socket
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from support import builds
from support.front_doors import PING_KEY as KEY
from support.front_doors import Answer, ours, server
from support.proxy import Proxy
from support.secure import Authority
from support.world import World, free_port

HOST = "localhost"
OTHER_KEY = "other-key-0123456789"
DAY = 86400
CALL = 10  # seconds, the whole call


def call(url: str, ca: Path | None = None, key: str = KEY, **environment: str) -> dict:
    env = {
        **builds.base_environment(),
        "DOCHAK_RECIPIENT_KEY": "recipient-key-0123456789",
        "DOCHAK_PUBLIC_URL": url,
        "DOCHAK_PING_KEY": key,
        **({"DOCHAK_PUBLIC_CA": str(ca)} if ca else {}),
        **environment,
    }
    began = time.monotonic()
    done = subprocess.run([builds.program("front-door")], env=env, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, ""), done
    assert time.monotonic() - began < (CALL + 2) * builds.patience()
    assert KEY not in done.stdout
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("front-door") / "ours")


@pytest.fixture(scope="module")
def other_ca(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("front-door") / "other")


# --- what answers

HTML = b"<html><title>Welcome to nginx!</title></html>"
SECOND = "an ingress answers whose DOCHAK_PING_KEY"

ANSWERS = {
    "good": (Answer(body=ours()), KEY, "ok", "answers"),
    "good without a key": (Answer(body=ours(None)), "", "ok", "answers"),
    "good, and we have no key": (Answer(body=ours()), "", "ok", "answers"),
    "wrong proof": (Answer(body=ours(OTHER_KEY)), KEY, "not_ours", f"{SECOND} differs from ours"),
    "no proof": (Answer(body=ours(None)), KEY, "not_ours", f"{SECOND} is not set, while ours is"),
    "proof of another type": (Answer(body=ours(None, proof=7)), KEY, "not_ours", f"{SECOND} is not set, while ours is"),
    "other JSON": (Answer(body=b'{"ok":true}'), "", "not_ours", "other JSON"),
    "an array": (Answer(body=b'["dochak","ingress"]'), "", "not_ours", "other JSON"),
    "another program of ours": (Answer(body=ours(None, dochak="processor")), "", "not_ours", "other JSON"),
    "HTML": (Answer(body=HTML), "", "not_ours", "not JSON"),
    "nothing": (Answer(), "", "not_ours", "not JSON"),
    "too long": (Answer(body=lambda nonce: ours()(nonce) + b" " * 4096), KEY, "not_ours", "more than 4 KiB"),
    "redirect": (
        Answer(301, headers=(("Location", "https://www.example.com/v1/ping?nonce=1&token=secret"),)),
        KEY,
        "http",
        "answer 301, a redirect to https://www.example.com/v1/ping, expected 200: providers follow none",
    ),
    "redirect to itself": (Answer(302, body=ours(), headers=(("Location", "/v1/ping"),)), KEY, "http", "answer 302, a redirect to http://"),
    "no route": (Answer(404, body=HTML), KEY, "http", "answer 404, expected 200"),
    "bad gateway": (Answer(502, body=HTML), KEY, "http", "answer 502, expected 200"),
    "bad gateway, long": (Answer(502, body=HTML * 1000), KEY, "http", "answer 502, expected 200"),
    "ours, but not 200": (Answer(503, body=ours()), KEY, "http", "answer 503, expected 200"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_is_judged(name: str) -> None:
    answer, key, stage, text = ANSWERS[name]
    with server(answer) as port:
        found = call(f"http://127.0.0.1:{port}", key=key)
    assert (found["stage"], text in found["text"]) == (stage, True), found
    assert found["address"] == ("203.0.113.7" if stage == "ok" else "")
    assert found["certificate_ends_at"] == found["cert_days"] == 0


def test_what_a_foreign_server_says_is_plain_text() -> None:
    with server(Answer(301, headers=(("Location", "https://a/\x1b[31m\xe9"),))) as port:
        found = call(f"http://127.0.0.1:{port}")
    assert found["text"].isascii() and found["text"].isprintable(), found


def test_an_address_that_is_none_is_left_out() -> None:
    with server(Answer(body=ours(address="no address; rm -rf"))) as port:
        assert call(f"http://127.0.0.1:{port}")["address"] == ""


def test_a_good_answer_that_comes_late_is_slow() -> None:
    with server(Answer(body=ours(), pause=3.2)) as port:
        found = call(f"http://127.0.0.1:{port}")
    assert found["stage"] == "slow" and found["ms"] >= 3200 and found["address"] == "203.0.113.7", found


@pytest.mark.long
def test_no_answer_is_slow_within_the_time_of_a_call() -> None:
    with server(Answer(body=ours(), pause=60)) as port:
        found = call(f"http://127.0.0.1:{port}")
    assert found["stage"] == "slow" and CALL * 1000 - 50 <= found["ms"] < (CALL + 1) * 1000 * builds.patience(), found


def test_each_call_has_a_nonce_of_its_own() -> None:
    nonces = []

    def body(nonce: str) -> bytes:
        nonces.append(nonce)
        return ours()(nonce)

    with server(Answer(body=body)) as port:
        for _ in range(2):
            assert call(f"http://127.0.0.1:{port}")["stage"] == "ok"
    assert len(set(nonces)) == 2 and {len(nonce) for nonce in nonces} == {32}


def test_a_proxy_of_the_environment_is_not_taken() -> None:
    with server(Answer(body=ours())) as port:
        nowhere = {name: f"http://127.0.0.1:{free_port()}" for name in ("http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy")}
        assert call(f"http://127.0.0.1:{port}", **nowhere)["stage"] == "ok"


# --- name and connection


def test_a_name_without_address() -> None:
    found = call("https://dochak.invalid")
    assert found["stage"] == "name" and "dochak.invalid" in found["text"], found


def test_a_refused_connection() -> None:
    found = call(f"https://127.0.0.1:{free_port()}")
    assert found["stage"] == "connect" and "connect" in found["text"], found


@pytest.mark.long
def test_a_listener_that_takes_no_connection() -> None:
    with ExitStack() as stack:
        full = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):  # the kernel drops the next ones, as a firewall would
            sock = stack.enter_context(socket.socket())
            sock.setblocking(False)
            sock.connect_ex(full.getsockname())
        found = call(f"https://127.0.0.1:{full.getsockname()[1]}")
    assert found["stage"] == "connect", found


# --- TLS


def over_tls(certificate: Path, trusted: Path | None, host: str = HOST) -> dict:
    with server(Answer(body=ours()), certificate) as port:
        return call(f"https://{host}:{port}", trusted)


@pytest.mark.parametrize("days", [2, 20, 90])
def test_the_days_left_of_the_certificate(ca: Authority, days: int) -> None:
    found = over_tls(ca.issue(f"days-{days}", HOST, days), ca.certificate)
    assert found["stage"] == "ok", found
    left = found["certificate_ends_at"] / 1000 - time.time()
    assert abs(left - days * DAY) < 60
    assert found["cert_days"] in (days - 1, days)


def test_an_expired_certificate(ca: Authority) -> None:
    found = over_tls(ca.issue("expired", HOST, -1), ca.certificate)
    assert found["stage"] == "tls" and "expired" in found["text"], found
    assert found["certificate_ends_at"] == 0


def test_a_certificate_of_another_host(ca: Authority) -> None:
    found = over_tls(ca.issue("other-host", "other.example.com"), ca.certificate)
    assert found["stage"] == "tls" and "name" in found["text"] and HOST in found["text"], found


def test_a_certificate_of_a_ca_that_is_not_trusted(ca: Authority, other_ca: Authority) -> None:
    certificate = ca.issue("server", HOST)
    for trusted in (other_ca.certificate, None):  # None: the system's
        found = over_tls(certificate, trusted)
        assert found["stage"] == "tls" and "certificate" in found["text"], found


def test_a_self_signed_certificate(ca: Authority) -> None:
    both = ca.folder / "self.pem"
    both.write_text((ca.folder / "ca.key").read_text() + ca.certificate.read_text())
    found = over_tls(both, None)
    assert found["stage"] == "tls" and "certificate" in found["text"], found


@pytest.mark.long
def test_a_server_that_takes_the_connection_and_says_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        found = call(f"https://127.0.0.1:{silent.getsockname()[1]}")
    assert found["stage"] == "tls" and "timed out" in found["text"], found


def test_a_server_that_speaks_no_tls() -> None:
    with server(Answer(body=ours())) as port:
        found = call(f"https://127.0.0.1:{port}")
    assert found["stage"] == "tls", found


# --- the whole way


def test_the_call_reaches_ingress_through_nginx(world: World, tmp_path: Path) -> None:
    endpoints = json.loads(world.endpoints_file.read_text())
    world.endpoints_file.write_text(json.dumps({**endpoints, "trusted_proxies": ["127.0.0.1"]}))
    ingress = world.new_ingress(DOCHAK_PING_KEY=KEY).start().wait_ready()
    with Proxy(tmp_path, free_port(), [ingress.ports["public"]]) as proxy:
        found = call(f"http://127.0.0.1:{proxy.port}")
        assert (found["stage"], found["address"]) == ("ok", "127.0.0.1"), found
        assert call(f"http://127.0.0.1:{proxy.port}", key=OTHER_KEY)["stage"] == "not_ours"
        ingress.stop()
        found = call(f"http://127.0.0.1:{proxy.port}")
    assert (found["stage"], found["text"]) == ("http", "answer 502, expected 200")
