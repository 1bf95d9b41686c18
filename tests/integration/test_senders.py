# SPDX-License-Identifier: MIT
"""Who may call: the checks of an endpoint, against the libraries that providers sign with. A refused sender gets what the provider
file says, is counted and logged, and leaves nothing behind."""

import base64
import hashlib
import hmac
import json
import shutil
import subprocess
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import urlencode

import jwt  # PyJWT: twilio requires it
import pytest
from standardwebhooks.webhooks import Webhook
from support import builds, http, payloads
from support.wait import until
from support.world import World
from twilio.request_validator import RequestValidator

PUBLIC = "https://hooks.example.com"  # what the proxy in front would be called
STANDARD, STANDARD_NEXT = (f"whsec_{base64.b64encode(bytes([n]) * 32).decode()}" for n in (1, 2))
SINCH, SENDGRID = "x-sinch-webhook-signature", "X-Twilio-Email-Event-Webhook"
SECRETS = {
    "DOCHAK_SECRET_STANDARD": STANDARD,
    "DOCHAK_SECRET_STANDARD_NEXT": STANDARD_NEXT,
    "DOCHAK_SECRET_TWILIO": "twilio-auth-token-0123456789abcdef",
    "DOCHAK_SECRET_TWILIO_PATH": "twilio-path-0123456789abcdef",
    "DOCHAK_SECRET_BIZGO_SIGN": "bizgo-sign-secret",
    "DOCHAK_SECRET_CHANNEL": "channel token/+0",
    "DOCHAK_SECRET_NHN": "nhn-configured-text",
    "DOCHAK_SECRET_KAKAO": "kakao-primary-admin-key",
    "DOCHAK_SECRET_SOLAPI": "solapi-shared-secret",
    "DOCHAK_SECRET_META": "meta-app-secret-0123456789",
    "DOCHAK_SECRET_PATH": "hooks-path-0123456789",
    "DOCHAK_SECRET_VERIFY": "verify-token-0123456789",
    "DOCHAK_SECRET_VERIFY_NEXT": "verify-token-next-0123456789",
    "DOCHAK_SECRET_SINCH": "sinch-shared-secret-0123456789",
    "DOCHAK_SECRET_VONAGE": "vonage-signature-secret-" + "0123456789abcdef" * 3,
}
ENDPOINTS = {
    "trusted_proxies": ["127.0.0.1", "10.0.0.0/8"],
    "endpoints": [
        {"endpoint": "standard/hooks", "provider": "standard", "checks": {"standard_webhooks": {"secrets": ["DOCHAK_SECRET_STANDARD", "DOCHAK_SECRET_STANDARD_NEXT"]}}},
        {"endpoint": "twilio/sms", "provider": "twilio", "secret_path": ["DOCHAK_SECRET_TWILIO_PATH"],
         "checks": {"twilio": {"url": f"{PUBLIC}/webhook/twilio/sms", "secrets": ["DOCHAK_SECRET_TWILIO"]}}},
        {"endpoint": "bizgo/signed", "provider": "bizgo", "checks": {"hmac_timestamp": {"secrets": ["DOCHAK_SECRET_BIZGO_SIGN"]}}},
        {"endpoint": "bizgo/listed", "provider": "bizgo", "checks": {"ip": {"allow": ["203.0.113.0/24", "2001:db8::/32"]}}},
        {"endpoint": "blux/token", "provider": "blux", "checks": {"query_token": {"secrets": ["DOCHAK_SECRET_CHANNEL"]}}},
        {"endpoint": "blux/nhn", "provider": "blux", "checks": {"header": {"header": "X-Toast-Webhook-Signature", "secrets": ["DOCHAK_SECRET_NHN"]}}},
        {"endpoint": "blux/kakao", "provider": "blux",
         "checks": {"header": {"header": "Authorization", "prefix": "KakaoAK ", "secrets": ["DOCHAK_SECRET_KAKAO"]}}},
        {"endpoint": "hooks/meta", "provider": "hooks",
         "checks": {"signed_body": {"header": "X-Hub-Signature-256", "prefix": "sha256=", "secrets": ["DOCHAK_SECRET_META"]}}},
        {"endpoint": "hooks/tried", "provider": "hooks", "secret_path": ["DOCHAK_SECRET_PATH"],
         "verify_token": ["DOCHAK_SECRET_VERIFY", "DOCHAK_SECRET_VERIFY_NEXT"],
         "checks": {"ip": {"allow": ["127.0.0.1", "203.0.113.0/24"]},
                    "hmac_timestamp": {"secrets": ["DOCHAK_SECRET_BIZGO_SIGN"]}}},
        {"endpoint": "hooks/sinch", "provider": "hooks",
         "checks": {"signed_body": {"header": SINCH, "signs": f"${{body}}.${{header:{SINCH}-nonce}}.${{header:{SINCH}-timestamp}}",
                                    "timestamp_header": f"{SINCH}-timestamp", "secrets": ["DOCHAK_SECRET_SINCH"]}}},
        {"endpoint": "hooks/sendgrid", "provider": "hooks",
         "checks": {"signed_body": {"header": f"{SENDGRID}-Signature", "algorithm": "ecdsa_p256_sha256",
                                    "signs": f"${{header:{SENDGRID}-Timestamp}}${{body}}", "secrets": ["DOCHAK_SECRET_SENDGRID_KEY"]}}},
        {"endpoint": "hooks/telnyx", "provider": "hooks",
         "checks": {"signed_body": {"header": "telnyx-signature-ed25519", "algorithm": "ed25519", "timestamp_header": "telnyx-timestamp",
                                    "signs": "${header:telnyx-timestamp}|${body}", "secrets": ["DOCHAK_SECRET_TELNYX_KEY"]}}},
        {"endpoint": "hooks/vonage", "provider": "hooks", "checks": {"jwt": {"issuer": "Vonage", "secrets": ["DOCHAK_SECRET_VONAGE"]}}},
        {"endpoint": "blux/solapi", "provider": "blux", "checks": {"header_sha1": {"secrets": ["DOCHAK_SECRET_SOLAPI"]}}},
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def senders(module_worlds, kafka, postgres) -> World:
    """An ingress with an endpoint for each kind of check."""
    world = module_worlds.new(kafka, postgres)
    providers = world.folder / "providers"
    providers.mkdir()
    shipped = (builds.ROOT / "schemas" / "providers" / f"{name}.json" for name in ("bizgo", "bizgo-counsel", "blux"))
    for file in [*shipped, *(Path(__file__).parent / "providers").glob("*.json")]:
        shutil.copy(file, providers)
    world.endpoints_file.write_text(json.dumps(ENDPOINTS))
    world.keys |= SECRETS  # none of them may stand in a log
    for name, algorithm in {"sendgrid": P256, "another": P256, "telnyx": ED25519, "another-ed25519": ED25519}.items():
        openssl("genpkey", *algorithm, "-out", str(world.folder / f"{name}.pem"))
    sendgrid, telnyx = (openssl("pkey", "-in", str(world.folder / f"{name}.pem"), "-pubout", "-outform", "DER") for name in ("sendgrid", "telnyx"))
    secrets = SECRETS | {
        "DOCHAK_SECRET_SENDGRID_KEY": base64.b64encode(sendgrid).decode(),
        "DOCHAK_SECRET_TELNYX_KEY": base64.b64encode(telnyx[-32:]).decode(),  # as its console shows it
    }
    world.new_ingress(DOCHAK_PROVIDERS_DIR=str(providers), **secrets).start().wait_ready()
    return world


P256, ED25519 = ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"), ("-algorithm", "ED25519")


def openssl(*arguments: str, text: bytes = b"") -> bytes:
    done = subprocess.run([builds.tool("openssl"), *arguments], input=text, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def post(world: World, path: str, body: bytes, headers: dict[str, str] | list[tuple[str, str]]) -> http.Answer:
    """Over the wire as they stand, so that a header may be there twice."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in (headers.items() if isinstance(headers, dict) else headers))
    head = f"POST /webhook/{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{lines}Content-Length: {len(body)}\r\n\r\n"
    said = http.raw(world.ingress.ports["public"], head.encode() + body)
    return http.Answer(http.status_of(said), {}, said.partition(b"\r\n\r\n")[2])


class Watch:
    """What one test's requests leave behind."""

    def __init__(self, world: World, endpoint: str, check: str):
        self.world, self.endpoint, self.check = world, endpoint, check
        self.stored, self.refused, self.lines = self._stored(), self._refused(), len(self._lines())

    def _stored(self) -> dict[str, int]:
        return {short: len(self.world.topics.read(short)) for short in ("events", "quarantine")}

    def _refused(self) -> tuple[float, float]:
        metrics = self.world.ingress.metrics()
        return tuple(
            metrics.get(f"dochak_ingress_{name}", 0)
            for name in (f'refused_total{{endpoint="{self.endpoint}"}}', f'refusals_total{{check="{self.check}"}}')
        )

    def _lines(self) -> list[dict]:
        lines = self.world.ingress.log_lines("^sender refused")
        return [line for line in lines if line["endpoint"] == self.endpoint and line["check"] == self.check]

    def assert_refused(self, n: int) -> None:
        assert self._stored() == self.stored
        assert self._refused() == tuple(before + n for before in self.refused)
        lines = self._lines()
        assert 1 <= len(lines) <= self.refused[1] + n  # one in ten seconds, the others are counted
        for line in lines:
            assert (
                line.keys() == {"time", "level", "service", "message", "endpoint", "check", "peer", "client", "client_fault", "suppressed"}
                and line["peer"] == "127.0.0.1"
            )

    def assert_stored(self, events: int = 0, quarantine: int = 0) -> None:
        assert self._stored() == {"events": self.stored["events"] + events, "quarantine": self.stored["quarantine"] + quarantine}
        assert self._refused() == self.refused


# --- Standard Webhooks, by its own library


def standard_headers(body: bytes, secret: str = STANDARD, age_s: int = 0, signed: bytes | None = None) -> dict[str, str]:
    when = datetime.now(timezone.utc) - timedelta(seconds=age_s)
    signature = Webhook(secret).sign("msg_1", when, (body if signed is None else signed).decode())
    return {"webhook-id": "msg_1", "webhook-timestamp": str(int(when.timestamp())), "webhook-signature": signature}


def standard_body() -> bytes:
    return payloads.to_bytes(
        {"type": "message.delivered", "data": {"id": payloads.new_id(), "state": "delivered", "mark": payloads.BODY_MARK, "to": "한글"}}
    )


def test_standard_webhooks_signed_by_their_library_are_taken(senders: World) -> None:
    watch = Watch(senders, "standard/hooks", "standard_webhooks")
    body = standard_body()
    other = standard_headers(body, f"whsec_{base64.b64encode(b'x' * 24).decode()}")["webhook-signature"]
    good = standard_headers(body)
    rows = [good, standard_headers(body, STANDARD_NEXT), standard_headers(body, age_s=290), standard_headers(body, age_s=-290),
            {**good, "webhook-signature": f"{other} v1a,AAAA {good['webhook-signature']}"}]  # fmt: skip
    for headers in rows:
        assert post(senders, "standard/hooks", body, headers).status == 204, headers
    watch.assert_stored(events=len(rows))


def test_standard_webhooks_that_are_not_theirs_are_refused(senders: World) -> None:
    watch = Watch(senders, "standard/hooks", "standard_webhooks")
    body = standard_body()
    good = standard_headers(body)
    rows = {
        "tampered": standard_headers(body, signed=body + b" "),
        "stale": standard_headers(body, age_s=310),
        "future": standard_headers(body, age_s=-310),
        "wrong secret": standard_headers(body, f"whsec_{base64.b64encode(b'x' * 24).decode()}"),
        "another id": {**good, "webhook-id": "msg_2"},
        "another time": {**good, "webhook-timestamp": str(int(good["webhook-timestamp"]) - 1)},
        "twice": [*good.items(), ("Webhook-Signature", good["webhook-signature"])],
        "nothing": {},
        **{f"without {name}": {n: v for n, v in good.items() if n != name} for name in good},
    }
    for what, headers in rows.items():
        answer = post(senders, "standard/hooks", body, headers)
        assert (answer.status, json.loads(answer.body)) == (401, {"error": "not signed"}), what
    watch.assert_refused(len(rows))
    log = senders.ingress.log_text()
    assert good["webhook-signature"] not in log and "msg_1" not in log


# --- Twilio, by its own library

TWILIO = f"twilio/sms/{SECRETS['DOCHAK_SECRET_TWILIO_PATH']}"
CALLBACK = {
    "MessageSid": "SM00000000000000000000000000000001",
    "MessageStatus": "delivered",
    "To": "+821087654321",
    "ErrorCode": "",
    "Body": "안녕 & + = %",
}
FORM_TYPE = "application/x-www-form-urlencoded"


def twilio_headers(url: str, params, content_type: str = FORM_TYPE, secret: str = SECRETS["DOCHAK_SECRET_TWILIO"]) -> dict[str, str]:
    return {"Content-Type": content_type, "X-Twilio-Signature": RequestValidator(secret).compute_signature(url, params)}


def test_twilio_signed_by_its_library_is_taken(senders: World) -> None:
    watch = Watch(senders, "twilio/sms", "twilio")
    body = urlencode(CALLBACK).encode()
    for query in ("", "?foo=1&bar=%20"):
        for host in (PUBLIC, f"{PUBLIC}:443"):
            headers = twilio_headers(f"{host}/webhook/{TWILIO}{query}", CALLBACK)
            assert post(senders, TWILIO + query, body, headers).status == 200, (host, query)
    watch.assert_stored(quarantine=4)  # a form is authentic, and not understood yet


def test_twilio_signs_the_url_as_it_was_called_with_its_last_slash(senders: World) -> None:
    watch = Watch(senders, "twilio/sms", "twilio")
    body = urlencode(CALLBACK).encode()
    for query in ("", "?foo=1"):
        url = f"{PUBLIC}/webhook/{TWILIO}"
        assert post(senders, f"{TWILIO}/{query}", body, twilio_headers(f"{url}/{query}", CALLBACK)).status == 200, query
    watch.assert_stored(quarantine=2)
    assert post(senders, f"{TWILIO}/", body, twilio_headers(url, CALLBACK)).status == 403
    assert post(senders, TWILIO, body, twilio_headers(f"{url}/", CALLBACK)).status == 403


def test_twilio_json_signed_through_its_hash_is_taken(senders: World) -> None:
    watch = Watch(senders, "twilio/sms", "twilio")
    body = payloads.to_bytes({"MessageSid": "SM1", "MessageStatus": "delivered"})
    path = f"{TWILIO}?bodySHA256={hashlib.sha256(body).hexdigest()}"
    headers = twilio_headers(f"{PUBLIC}/webhook/{path}", {}, "application/json")
    assert RequestValidator(SECRETS["DOCHAK_SECRET_TWILIO"]).validate(
        f"{PUBLIC}/webhook/{path}", body.decode(), headers["X-Twilio-Signature"]
    )
    assert post(senders, path, body, headers).status == 200
    watch.assert_stored(events=1)
    watch = Watch(senders, "twilio/sms", "twilio")
    assert post(senders, path, body + b" ", headers).status == 403
    assert post(senders, TWILIO, body, twilio_headers(f"{PUBLIC}/webhook/{TWILIO}", {}, "application/json")).status == 403
    watch.assert_refused(2)


def test_what_twilio_did_not_sign_is_refused(senders: World) -> None:
    watch = Watch(senders, "twilio/sms", "twilio")
    body, url = urlencode(CALLBACK).encode(), f"{PUBLIC}/webhook/{TWILIO}"
    good = twilio_headers(url, CALLBACK)
    rows = {
        "tampered": (TWILIO, body.replace(b"delivered", b"failed"), good),
        "a field more": (TWILIO, body + b"&a=b", good),
        "another query": (f"{TWILIO}?a=b", body, good),
        "another URL": (TWILIO, body, twilio_headers(url.replace("https", "http"), CALLBACK)),
        "without the secret part": (TWILIO, body, twilio_headers(f"{PUBLIC}/webhook/twilio/sms", CALLBACK)),
        "wrong secret": (TWILIO, body, twilio_headers(url, CALLBACK, secret="another-auth-token")),
        "missing": (TWILIO, body, {"Content-Type": FORM_TYPE}),
        "twice": (TWILIO, body, [*good.items(), ("X-Twilio-Signature", good["X-Twilio-Signature"])]),
        "ill-formed": (TWILIO, body + b"&%zz", good),
        "no form": (TWILIO, body, {**good, "Content-Type": "text/plain"}),
    }
    for what, (path, sent, headers) in rows.items():
        answer = post(senders, path, sent, headers)
        assert (answer.status, answer.body) == (403, b""), what
    watch.assert_refused(len(rows))
    assert good["X-Twilio-Signature"] not in senders.ingress.log_text()


# --- BizGo


def bizgo_headers(
    age_s: float = 0, secret: str = SECRETS["DOCHAK_SECRET_BIZGO_SIGN"], seconds: bool = False, as_base64: bool = False
) -> dict[str, str]:
    now = time.time() - age_s
    stamp = str(int(now if seconds else now * 1000))
    digest = hmac.digest(secret.encode(), stamp.encode(), "sha256")
    return {"X-IB-Timestamp": stamp, "X-IB-Signature": base64.b64encode(digest).decode() if as_base64 else digest.hex()}


def test_bizgo_signed_in_any_way_it_may_is_taken(senders: World) -> None:
    watch = Watch(senders, "bizgo/signed", "hmac_timestamp")
    upper = bizgo_headers()
    upper["X-IB-Signature"] = upper["X-IB-Signature"].upper()
    rows = [
        upper,
        *(bizgo_headers(age_s, seconds=s, as_base64=b) for age_s in (0, 290, -290) for s in (False, True) for b in (False, True)),
    ]
    for headers in rows:
        report = payloads.bizgo(payloads.new_id(), "10000")
        answer = post(senders, "bizgo/signed", payloads.to_bytes(report), headers)
        assert (answer.status, json.loads(answer.body)) == (200, {"msgKey": report["msgKey"]})
    watch.assert_stored(events=len(rows))


def test_bizgo_unsigned_learns_nothing_and_leaves_nothing(senders: World) -> None:
    watch = Watch(senders, "bizgo/signed", "hmac_timestamp")
    good = bizgo_headers()
    rows = {
        "stale": bizgo_headers(310),
        "future": bizgo_headers(-310),
        "wrong secret": bizgo_headers(secret="another-secret"),
        "another time": {**good, "X-IB-Timestamp": str(int(good["X-IB-Timestamp"]) + 1)},
        "no signature": {"X-IB-Timestamp": good["X-IB-Timestamp"]},
        "no time": {"X-IB-Signature": good["X-IB-Signature"]},
        "twice": [*good.items(), *good.items()],
        "nothing": {},
    }
    report = payloads.bizgo(payloads.new_id(), "10000")
    for what, headers in rows.items():
        answer = post(senders, "bizgo/signed", payloads.to_bytes(report), headers)
        assert (answer.status, json.loads(answer.body)) == (200, {"msgKey": report["msgKey"]}), what
    watch.assert_refused(len(rows))
    assert good["X-IB-Signature"] not in senders.ingress.log_text()


# --- signatures of the body, and tokens that hold its hash


def hook_body() -> bytes:
    return payloads.to_bytes({"id": payloads.new_id(), "state": "delivered", "mark": payloads.BODY_MARK, "text": "한글"})


def meta_headers(world: World, body: bytes, key: str = SECRETS["DOCHAK_SECRET_META"]) -> dict[str, str]:
    return {"X-Hub-Signature-256": f"sha256={hmac.new(key.encode(), body, 'sha256').hexdigest()}"}


def sinch_headers(world: World, body: bytes, key: str = SECRETS["DOCHAK_SECRET_SINCH"], age_s: int = 0) -> dict[str, str]:
    stamp = str(int(time.time()) - age_s)
    signature = base64.b64encode(hmac.digest(key.encode(), body + f".n1.{stamp}".encode(), "sha256")).decode()
    return {SINCH: signature, f"{SINCH}-nonce": "n1", f"{SINCH}-timestamp": stamp, f"{SINCH}-algorithm": "HmacSHA256"}


def sendgrid_headers(world: World, body: bytes, key: str = "sendgrid.pem") -> dict[str, str]:
    stamp = str(int(time.time()) - 86400)  # of the first attempt
    signature = openssl("dgst", "-sha256", "-sign", str(world.folder / key), text=stamp.encode() + body)
    return {f"{SENDGRID}-Signature": base64.b64encode(signature).decode(), f"{SENDGRID}-Timestamp": stamp}


def telnyx_headers(world: World, body: bytes, key: str = "telnyx.pem", age_s: int = 0) -> dict[str, str]:
    stamp, text = str(int(time.time()) - age_s), world.folder / "telnyx.txt"
    text.write_bytes(f"{stamp}|".encode() + body)  # which openssl wants to read twice
    signature = openssl("pkeyutl", "-sign", "-rawin", "-inkey", str(world.folder / key), "-in", str(text))
    return {"telnyx-signature-ed25519": base64.b64encode(signature).decode(), "telnyx-timestamp": stamp}


def vonage_headers(world: World, body: bytes, key: str = SECRETS["DOCHAK_SECRET_VONAGE"], **changes) -> dict[str, str]:
    claims = {"iss": "Vonage", "iat": int(time.time()), "jti": "j-1", "api_key": "a1b2c3d", "payload_hash": hashlib.sha256(body).hexdigest()}
    return {"Authorization": f"Bearer {jwt.encode(claims | changes, key, algorithm='HS256')}"}


SIGNED = {
    "hooks/meta": ("signed_body", meta_headers, {"wrong secret": {"key": "another-secret-0123456789"}}),
    "hooks/sinch": ("signed_body", sinch_headers, {"wrong secret": {"key": "another-secret-0123456789"}, "stale": {"age_s": 310}}),
    "hooks/sendgrid": ("signed_body", sendgrid_headers, {"wrong key": {"key": "another.pem"}}),
    "hooks/telnyx": ("signed_body", telnyx_headers, {"wrong key": {"key": "another-ed25519.pem"}, "stale": {"age_s": 310}}),
    "hooks/vonage": ("jwt", vonage_headers, {"wrong secret": {"key": "another-signature-secret-0123456789"}, "stale": {"iat": 1767225600},
                                             "another issuer": {"iss": "Nobody"}, "no hash": {"payload_hash": None}}),
}  # fmt: skip


@pytest.mark.parametrize("endpoint", SIGNED)
def test_a_signed_body_is_taken(senders: World, endpoint: str) -> None:
    check, headers, _ = SIGNED[endpoint]
    watch = Watch(senders, endpoint, check)
    body = hook_body()
    assert post(senders, endpoint, body, headers(senders, body)).status == 204
    watch.assert_stored(events=1)


@pytest.mark.parametrize("endpoint", SIGNED)
def test_a_body_that_the_provider_did_not_sign_is_refused(senders: World, endpoint: str) -> None:
    check, headers, wrong = SIGNED[endpoint]
    watch = Watch(senders, endpoint, check)
    body = hook_body()
    good = headers(senders, body)
    rows = {
        "tampered": headers(senders, body + b" "),
        "twice": [*good.items(), *good.items()],
        "nothing": {},
        **{what: headers(senders, body, **changes) for what, changes in wrong.items()},
    }
    for what, given in rows.items():
        answer = post(senders, endpoint, body, given)
        assert (answer.status, answer.body) == (401, b""), what
    watch.assert_refused(len(rows))
    log = senders.ingress.log_text()
    assert not any(value in log for value in good.values() if len(value) > 20)


def test_a_token_that_names_no_algorithm_is_refused(senders: World) -> None:
    watch = Watch(senders, "hooks/vonage", "jwt")
    body = hook_body()
    claims = {"iss": "Vonage", "iat": int(time.time()), "payload_hash": hashlib.sha256(body).hexdigest()}
    for token in (jwt.encode(claims, None, algorithm="none"), jwt.encode(claims, SECRETS["DOCHAK_SECRET_VONAGE"], algorithm="HS512")):
        assert post(senders, "hooks/vonage", body, {"Authorization": f"Bearer {token}"}).status == 401
    watch.assert_refused(2)


# --- the provider tries the URL out


def call(world: World, method: str, path: str, headers: str = "") -> tuple[int, dict[str, str], bytes]:
    head = f"{method} /webhook/{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n"
    said = http.raw(world.ingress.ports["public"], head.encode())
    lines, _, body = said.partition(b"\r\n\r\n")
    fields = dict(line.split(": ", 1) for line in lines.decode().lower().split("\r\n")[1:])
    return http.status_of(said), fields, body


TRIED = f"hooks/tried/{SECRETS['DOCHAK_SECRET_PATH']}"


def challenge(answer: str = "1158201444", **changes: str | None) -> str:
    given = {"hub.mode": "subscribe", "hub.challenge": answer, "hub.verify_token": SECRETS["DOCHAK_SECRET_VERIFY"]}
    given |= {f"hub.{name}": value for name, value in changes.items()}
    return urlencode({name: value for name, value in given.items() if value is not None})


@pytest.mark.parametrize(
    "answer", ["1158201444", "x" * 256, " a+b%&=~<script>\"", "0"], ids=["digits", "as long as it may be", "any printable text", "short"]
)
def test_a_challenge_with_the_token_is_answered(senders: World, answer: str) -> None:
    watch = Watch(senders, "hooks/tried", "verify_token")
    for changes in ({}, {"verify_token": SECRETS["DOCHAK_SECRET_VERIFY_NEXT"]}):
        status, fields, body = call(senders, "GET", f"{TRIED}?{challenge(answer, **changes)}")
        assert (status, body.decode()) == (200, answer)
        assert fields["content-type"] == "text/plain; charset=utf-8" and fields["x-content-type-options"] == "nosniff"
    watch.assert_stored()


def test_a_challenge_that_is_not_the_providers_is_refused(senders: World) -> None:
    watch = Watch(senders, "hooks/tried", "verify_token")
    rows = {
        "another token": challenge(verify_token="another-token-0123456789"),
        "no token": challenge(verify_token=None),
        "an empty token": challenge(verify_token=""),
        "the token twice": challenge() + "&hub.verify_token=x",
        "another mode": challenge(mode="unsubscribe"),
        "no mode": challenge(mode=None),
        "no challenge": challenge(challenge=None),
        "an empty challenge": challenge(""),
        "the challenge twice": challenge() + "&hub.challenge=1",
        "a challenge that is too long": challenge("x" * 257),
        "a line break": challenge("a\r\nSet-Cookie: b"),
        "a NUL": challenge("a\0b"),
        "letters that are not ASCII": challenge("한"),
        "an ill-formed query": challenge() + "%",
        "nothing": "",
    }
    for what, query in rows.items():
        status, _, body = call(senders, "GET", f"{TRIED}?{query}")
        assert (status, json.loads(body)["error"]["code"]) == (403, "refused"), what
    watch.assert_refused(len(rows))
    log = senders.ingress.log_text()
    assert "another-token-0123456789" not in log and "hub.challenge" not in log


def test_other_methods_are_answered_where_the_provider_needs_them(senders: World) -> None:
    assert call(senders, "HEAD", TRIED)[::2] == (200, b"")
    assert call(senders, "OPTIONS", TRIED)[0] == 405
    assert call(senders, "PUT", TRIED)[0] == 405
    assert call(senders, "HEAD", "standard/hooks")[0] == 405  # its provider has no handshake
    assert call(senders, "HEAD", "hooks/none")[0] == 404


def test_a_handshake_needs_the_path_and_the_address(senders: World) -> None:
    """Its signature is not asked for: the URL is tried out without one."""
    by_path, by_ip = Watch(senders, "hooks/tried", "secret_path"), Watch(senders, "hooks/tried", "ip")
    for method in ("GET", "HEAD"):
        assert call(senders, method, f"hooks/tried/wrong-path-0123456789?{challenge()}")[0] == 403
        assert call(senders, method, f"{TRIED}?{challenge()}", "X-Forwarded-For: 198.51.100.1\r\n")[0] == 403
        assert call(senders, method, f"{TRIED}?{challenge()}", "X-Forwarded-For: 203.0.113.7\r\n")[0] == 200
    assert by_path._refused()[1] == by_path.refused[1] + 2 and by_ip._refused()[1] == by_ip.refused[1] + 2


# --- addresses, through a proxy


@pytest.mark.parametrize(
    "forwarded", ["203.0.113.7", "198.51.100.1, 203.0.113.7", "203.0.113.7, 10.0.0.2", "2001:db8::7", "203.0.113.7:1234",
                  "unknown, 203.0.113.7", "_hidden, 203.0.113.7, 10.0.0.2", "[2001:db8::7]:443", ", 203.0.113.7"]
)  # fmt: skip
def test_a_listed_address_behind_our_proxies_is_taken(senders: World, forwarded: str) -> None:
    watch = Watch(senders, "bizgo/listed", "ip")
    assert post(senders, "bizgo/listed", payloads.to_bytes(payloads.bizgo("x", "10000")), {"X-Forwarded-For": forwarded}).status == 200
    watch.assert_stored(events=1)


@pytest.mark.parametrize(
    "forwarded", [None, "", "198.51.100.1", "203.0.113.7, 198.51.100.1", "10.0.0.2", "203.0.113.7, nonsense", "nonsense", "203.0.113.7,"]
)
def test_any_other_address_is_refused(senders: World, forwarded: str | None) -> None:
    watch = Watch(senders, "bizgo/listed", "ip")
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    answer = post(senders, "bizgo/listed", payloads.to_bytes(payloads.bizgo("x", "10000")), headers)
    assert (answer.status, json.loads(answer.body)) == (200, {"msgKey": "x"})
    watch.assert_refused(1)


def test_the_log_says_what_was_read_where_no_address_can_be(worlds, kafka, postgres) -> None:
    world = worlds.new(kafka, postgres)
    world.endpoints_file.write_text(
        json.dumps({"trusted_proxies": ["127.0.0.1"], "endpoints": [{"endpoint": "a", "provider": "bizgo", "checks": {"ip": {"allow": ["203.0.113.7"]}}}]})
    )
    world.new_ingress().start().wait_ready()
    post(world, "a", b"{}", {"X-Forwarded-For": "203.0.113.7, unknown"})
    (line,) = until("it is logged", lambda: world.ingress.log_lines("^sender refused"))
    assert (line["peer"], line["client"]) == ("127.0.0.1", "")
    assert line["client_fault"] == 'an entry of X-Forwarded-For is no address: "unknown"'


# --- secrets that are shown

SHA1 = hashlib.sha1(SECRETS["DOCHAK_SECRET_SOLAPI"].encode()).hexdigest()


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("blux/token?token=channel%20token%2F%2B0", {}),
        ("blux/token?a=b&token=channel%20token/+0", {}),
        ("blux/nhn", {"X-Toast-Webhook-Signature": SECRETS["DOCHAK_SECRET_NHN"]}),
        ("blux/kakao", {"Authorization": f"KakaoAK {SECRETS['DOCHAK_SECRET_KAKAO']}"}),
        ("blux/solapi", {"X-Solapi-Secret": SHA1}),
        ("blux/solapi", {"X-Solapi-Secret": SHA1.upper()}),
    ],
)
def test_the_right_secret_is_taken(senders: World, path: str, headers: dict[str, str]) -> None:
    watch = Watch(senders, path.partition("?")[0], "none")
    assert post(senders, path, payloads.to_bytes(payloads.blux(payloads.blux_event("x"))), headers).status == 200
    watch.assert_stored(events=1)


@pytest.mark.parametrize(
    ("path", "check", "headers"),
    [
        ("blux/token", "query_token", {}),
        ("blux/token?token=", "query_token", {}),
        ("blux/token?token=channel%20token%2F%2B1", "query_token", {}),
        ("blux/token?token=channel%20token%2F%2B0&token=channel%20token%2F%2B0", "query_token", {}),
        ("blux/nhn", "header", {}),
        ("blux/nhn", "header", {"X-Toast-Webhook-Signature": SECRETS["DOCHAK_SECRET_NHN"][:-1]}),
        ("blux/nhn", "header", [("X-Toast-Webhook-Signature", SECRETS["DOCHAK_SECRET_NHN"])] * 2),
        ("blux/kakao", "header", {"Authorization": SECRETS["DOCHAK_SECRET_KAKAO"]}),
        ("blux/kakao", "header", {"Authorization": "KakaoAK wrong-primary-admin-key"}),
        ("blux/solapi", "header_sha1", {"X-Solapi-Secret": SECRETS["DOCHAK_SECRET_SOLAPI"]}),
        ("blux/solapi", "header_sha1", {"X-Solapi-Secret": "0" * 40}),
        ("blux/solapi", "header_sha1", {}),
    ],
)
def test_any_other_secret_is_refused(senders: World, path: str, check: str, headers) -> None:
    watch = Watch(senders, path.partition("?")[0], check)
    assert post(senders, path, payloads.to_bytes(payloads.blux(payloads.blux_event("x"))), headers).status == 404
    watch.assert_refused(1)


def test_a_stranger_cannot_fill_the_log(senders: World) -> None:
    watch, began = Watch(senders, "blux/nhn", "header"), time.monotonic()
    for _ in range(100):
        post(senders, "blux/nhn", b"{}", {})
    periods = int((time.monotonic() - began) / 10) + 2
    new = len(watch._lines()) - watch.lines
    assert new <= periods and watch._refused() == tuple(before + 100 for before in watch.refused)
