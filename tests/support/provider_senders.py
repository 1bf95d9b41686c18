# SPDX-License-Identifier: MIT
"""The providers that call us, each with its way to prove who it is. Where a provider offers a library for Python, the library signs the
call, or finds our signature and our body right."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qsl

import jwt
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pywa.utils import webhook_updates_validator
from sendgrid.helpers.eventwebhook import EventWebhook, EventWebhookHeader
from sinch.domains.sms.sinch_events.v1.sms_sinch_event import SmsSinchEvent
from solapi.model.webhook.single_report import SingleReportPayload
from standardwebhooks.webhooks import Webhook
from twilio.request_validator import RequestValidator
from vonage_jwt import verify_signature

PUBLIC = "https://hooks.example.com"  # what the proxy in front would be called
Headers = dict[str, str]


@dataclass
class Sender:
    """sign(secret, body, url) makes the headers that prove the sender. documented(secret, body, headers) fails where the provider's
    library finds a fault in the call."""

    provider: str
    root: str  # how the ids of its examples begin
    set_id: Callable[[dict, str], object] | None  # writes the id into an element; None: no element holds it
    checks: dict = field(default_factory=dict)  # of the endpoints file; {key} is the secret's name
    sign: Callable[[str, bytes, str], Headers] = lambda _secret, _body, _url: {}
    signs_body: bool = False
    content_type: str = "application/json"
    documented: Callable[[str, bytes, Headers], None] = lambda _secret, _body, _headers: None
    shared: str = ""  # what the endpoint knows, where it is not the secret itself
    verify_token: str = ""

    @property
    def endpoint(self) -> str:
        return f"{self.provider}/in"

    @property
    def key(self) -> str:
        return f"DOCHAK_SECRET_{self.provider.upper().replace('-', '_')}"

    @property
    def secret(self) -> str:
        return f"{self.provider}-secret-0123456789-0123456789"

    def settings(self, path: str) -> dict[str, str]:
        return {f"{self.key}_PATH": path, self.key: self.shared or self.secret} | ({f"{self.key}_TOKEN": self.verify_token} if self.verify_token else {})

    def entry(self) -> dict:
        """Of the endpoints file."""
        checks = json.loads(json.dumps(self.checks).replace("{key}", self.key))
        entry = {"endpoint": self.endpoint, "provider": self.provider, "secret_path": [f"{self.key}_PATH"], "checks": checks}
        return entry | ({"verify_token": [f"{self.key}_TOKEN"]} if self.verify_token else {})

    def headers(self, body: bytes, url: str) -> Headers:
        headers = self.sign(self.secret, body, url)
        self.documented(self.secret, body, headers)
        return headers


HEADER = {"secrets": ["{key}"]}
LOCAL = {"ip": {"allow": ["127.0.0.1"]}}


def fixed(name: str, prefix: str = "") -> Callable[[str, bytes, str], Headers]:
    return lambda secret, _body, _url: {name: prefix + secret}


def solapi(secret: str, _body: bytes, _url: str) -> Headers:
    return {"X-Solapi-Secret": hashlib.sha1(secret.encode()).hexdigest()}


def solapi_reads(_secret: str, body: bytes, _headers: Headers) -> None:
    """Its library knows the form in an envelope only."""
    for element in valid_json(body) or []:
        if isinstance(element, dict) and "data" in element and "messageId" in element["data"]:
            (read,) = SingleReportPayload.model_validate([element]).root
            assert (read.data.message_id, read.data.status_code) == (element["data"]["messageId"], element["data"]["statusCode"])


def kakao(secret: str, body: bytes, _url: str) -> Headers:
    return {"Authorization": f"KakaoAK {secret}", "x-kakao-resource-id": same_for(body)}


def same_for(body: bytes) -> str:
    """An id that each attempt with this body has."""
    return f"msg_{hashlib.sha256(body).hexdigest()[:24]}"


def valid_json(body: bytes) -> object:
    try:
        return json.loads(body)
    except ValueError:
        return None


def sinch(secret: str, body: bytes, _url: str) -> Headers:
    nonce, timestamp = "01JA3KM5AMT5PQ", str(int(time.time()))
    signature = hmac.new(secret.encode(), body + f".{nonce}.{timestamp}".encode(), hashlib.sha256).digest()
    of = {"": base64.b64encode(signature).decode(), "-nonce": nonce, "-timestamp": timestamp, "-algorithm": "HmacSHA256"}
    return {f"x-sinch-webhook-signature{name}": value for name, value in of.items()}


def sinch_reads(secret: str, body: bytes, headers: Headers) -> None:
    event, report = SmsSinchEvent(secret), valid_json(body)
    assert event.validate_authentication_header(headers, body)
    if isinstance(report, dict) and report.keys() >= {"batch_id", "recipient", "code"}:
        assert event.parse_event(body).batch_id == report["batch_id"]


class Form(dict):
    """As its library knows it of web frameworks: a name can occur several times."""

    def __init__(self, body: bytes):
        self.pairs = parse_qsl(body.decode(), keep_blank_values=True)
        super().__init__(self.pairs)

    def getlist(self, name: str) -> list[str]:
        return [value for key, value in self.pairs if key == name]


def twilio(secret: str, body: bytes, url: str) -> Headers:
    return {"X-Twilio-Signature": RequestValidator(secret).compute_signature(url, Form(body))}


def vonage(secret: str, body: bytes, _url: str) -> Headers:
    claims = {"iss": "Vonage", "iat": int(time.time()), "jti": "j-1", "api_key": "a1b2c3d4", "payload_hash": hashlib.sha256(body).hexdigest()}
    return {"Authorization": f"Bearer {jwt.encode(claims, secret, 'HS256')}"}


def vonage_reads(secret: str, _body: bytes, headers: Headers) -> None:
    assert verify_signature(headers["Authorization"].removeprefix("Bearer "), secret)


def whatsapp(secret: str, body: bytes, _url: str) -> Headers:
    return {"X-Hub-Signature-256": f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"}


def whatsapp_reads(secret: str, body: bytes, headers: Headers) -> None:
    assert webhook_updates_validator(secret, body, headers["X-Hub-Signature-256"])


SENDGRID_KEY = ec.derive_private_key(20260112, ec.SECP256R1())
SENDGRID_PUBLIC = base64.b64encode(
    SENDGRID_KEY.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
).decode()


def sendgrid(_secret: str, body: bytes, _url: str) -> Headers:
    timestamp = str(int(time.time()))
    signature = SENDGRID_KEY.sign(timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))
    return {EventWebhookHeader.SIGNATURE: base64.b64encode(signature).decode(), EventWebhookHeader.TIMESTAMP: timestamp}


def sendgrid_reads(_secret: str, body: bytes, headers: Headers) -> None:
    known = EventWebhook(SENDGRID_PUBLIC)
    assert known.verify_signature(body.decode(), headers[EventWebhookHeader.SIGNATURE], headers[EventWebhookHeader.TIMESTAMP])


def standard(secret: str, body: bytes, _url: str) -> Headers:
    now = datetime.now(UTC)
    signature = Webhook(whsec(secret)).sign(same_for(body), now, body.decode())
    return {"webhook-id": same_for(body), "webhook-timestamp": str(int(now.timestamp())), "webhook-signature": signature}


def whsec(secret: str) -> str:
    return f"whsec_{base64.b64encode(secret.encode()).decode()}"


def put(*path: str, **more: object) -> Callable[[dict, str], object]:
    """Writes the id to this place of an element, and what else makes it one message."""

    def write(element: dict, id_: str) -> None:
        for part in path[:-1]:
            element = element[part]
        element.update({path[-1]: id_, **more})

    return write


def put_solapi(element: dict, id_: str) -> None:
    element.get("data", element)["messageId"] = id_


SIGNED_BY_SINCH = "${body}.${header:x-sinch-webhook-signature-nonce}.${header:x-sinch-webhook-signature-timestamp}"
NHN = {"header": {"header": "X-Toast-Webhook-Signature", **HEADER}}

SENDERS = [
    Sender("solapi", "M4V", put_solapi, {"header_sha1": HEADER}, solapi, documented=solapi_reads),
    Sender("nhn-sms", "20260112110000req", put("requestId", recipientSeq=1), NHN, fixed("X-Toast-Webhook-Signature")),
    Sender("nhn-kakao", "20260112110000abc", put("requestId", recipientSeq=1), NHN, fixed("X-Toast-Webhook-Signature")),
    Sender(
        "kakao",
        "km-",
        put("message_id"),
        {"header": {"header": "Authorization", "prefix": "KakaoAK ", **HEADER}},
        kakao,
    ),
    Sender("bizppurio", "260112110000000#at", put("CMSGID"), LOCAL),
    Sender("apiplex-sms", "pk-", put("msg_key"), LOCAL),
    Sender("apiplex-kakao", "ka-", put("msg_key"), LOCAL),
    Sender(
        "infobip",
        "m-",
        put("messageId"),
        {"header": {"header": "Authorization", "prefix": "Basic ", **HEADER}},
        fixed("Authorization", "Basic "),
    ),
    Sender(
        "sinch",
        "01FC66621XXXXX119Z8PMV1QPQ",
        put("batch_id", recipient="15550000001"),
        {"signed_body": {"header": "x-sinch-webhook-signature", "signs": SIGNED_BY_SINCH, **HEADER}},
        sinch,
        signs_body=True,
        documented=sinch_reads,
    ),
    Sender(
        "vonage",
        "aaaaaaaa-bbbb-cccc-dddd-0123456789ab",
        put("message_uuid"),
        {"jwt": {"issuer": "Vonage", **HEADER}},
        vonage,
        signs_body=True,
        documented=vonage_reads,
    ),
    Sender("vonage-sms", "0A0000000123ABCD", put("messageId"), LOCAL),
    Sender(
        "twilio",
        "SM0000000000000000000000000000000",
        put("MessageSid"),
        {"twilio": {"url": f"{PUBLIC}/webhook/twilio/in", **HEADER}},
        twilio,
        signs_body=True,
        content_type="application/x-www-form-urlencoded",
    ),
    Sender(
        "whatsapp",
        "wamid.HBgLMTU1NTAwMDAwMDE",
        put("id"),
        {"signed_body": {"header": "X-Hub-Signature-256", "prefix": "sha256=", **HEADER}},
        whatsapp,
        signs_body=True,
        documented=whatsapp_reads,
        verify_token="whatsapp-verify-token-0123456789",
    ),
    Sender(
        "sendgrid",
        "sg-",
        put("notification_id"),
        {
            "signed_body": {
                "header": EventWebhookHeader.SIGNATURE,
                "algorithm": "ecdsa_p256_sha256",
                "signs": f"${{header:{EventWebhookHeader.TIMESTAMP}}}${{body}}",
                **HEADER,
            }
        },
        sendgrid,
        signs_body=True,
        documented=sendgrid_reads,
        shared=SENDGRID_PUBLIC,
    ),
    Sender("ses", "0100019b-ses-", None, {"header": {"header": "Authorization", "prefix": "Basic ", **HEADER}}, fixed("Authorization", "Basic ")),
    Sender("standard-webhooks", "msg-", put("data", "id"), {"standard_webhooks": HEADER}, standard, signs_body=True, shared=whsec("standard-webhooks-secret-0123456789-0123456789")),
]
