# SPDX-License-Identifier: MIT
"""The APIs that providers offer to be asked, as their documents describe them (BizGo's mars and omni, Channel Talk's open API v5, Twilio's messages), with all
the ways in which they can fail. tests/integration/test_provider_apis.py lets BizGo's own SDK read the answers."""

import base64
import json
import random
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from support import http

KST = timezone(timedelta(hours=9))


@dataclass
class Answer:
    """What goes over the wire, and how."""

    status: int = 200
    body: bytes | dict = b""
    headers: dict[str, str] = field(default_factory=dict)
    pause: float = 0  # seconds before it
    cut: str = ""  # "before": no answer at all; "within": only half of the body

    @property
    def bytes(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body, ensure_ascii=False).encode()


# The ways to fail. Each is an answer in place of the right one.
FAULTS: dict[str, Callable[[], Answer]] = {
    "429": lambda: Answer(429, {"common": {"authCode": "A020", "authResult": "Too Many Request"}}),
    "429 with Retry-After": lambda: Answer(429, b"", {"Retry-After": "1"}),
    "500": lambda: Answer(500, b"<html>oops</html>"),
    "502 of a proxy": lambda: Answer(502, b"<html>bad gateway</html>"),
    "503 with Retry-After": lambda: Answer(503, b"", {"Retry-After": "1"}),
    "slow": lambda: Answer(200, {}, pause=30),
    "cut before the answer": lambda: Answer(cut="before"),
    "half an answer": lambda: Answer(200, {"common": {"authCode": "A000"}, "data": {"code": "A000", "data": {"report": []}}}, cut="within"),
    "no JSON": lambda: Answer(200, b"<html>maintenance</html>"),
    "JSON that breaks off": lambda: Answer(200, b'{"common":{"authCode":"A000"},"data":{"code":"A000","data":{"report":['),
    "an empty body": lambda: Answer(200, b""),
}
# Seconds that a busy machine may hold up a request. To the millisecond: tests/unit/processor/ask/test_asker.c
BUSY = 1.5


class Api:
    """One provider. Subclasses answer; faults are put in their way."""

    def __init__(self, certificate: Path | None = None):
        self.certificate = certificate
        self.port = 0
        self.arrived: list[float] = []  # of each request
        self.asked: list[str] = []  # the ids, in the order of asking
        self.failed = 0  # answers that were faults
        self.behind = 0.0  # seconds: its clock, by which it dates its answers
        self.fault: Callable[[int, str], Answer | None] = lambda _number, _id: None
        self._lock = threading.Lock()
        self._released = threading.Event()

    @property
    def url(self) -> str:
        return f"{'https' if self.certificate else 'http'}://{'localhost' if self.certificate else '127.0.0.1'}:{self.port}"

    def fail(self, share: float, *kinds: str, seed: int = 1) -> None:
        """So many of the answers are one of these."""
        chance = random.Random(seed)
        self.fault = lambda _number, _id: FAULTS[chance.choice(kinds)]() if chance.random() < share else None

    def fail_always(self, answer: Answer) -> None:
        self.fault = lambda _number, _id: answer

    @property
    def now_ms(self) -> int:
        return int((time.time() - self.behind) * 1000)

    def too_early(self, per_second: float) -> float:
        """By how many seconds some request came before the rate allowed it, at most: a burst of n comes n / per_second too early. What
        leaves in time can arrive a little early behind one that the machine held up."""
        early = due = 0.0
        for at in sorted(self.arrived):
            due = max(due, at)
            early = max(early, due - at)
            due += 1 / per_second
        return early

    def answer(self, method: str, path: str, headers: dict[str, str]) -> Answer:
        raise NotImplementedError

    def id_of(self, path: str) -> str:
        return unquote(path.rpartition("/")[2].removeprefix("@"))

    def handle(self, method: str, path: str, headers: dict[str, str]) -> Answer:
        with self._lock:
            self.arrived.append(time.monotonic())
            id_ = self.id_of(path)
            if method == "GET":
                self.asked.append(id_)
            fault = self.fault(len(self.arrived), id_)
            self.failed += fault is not None
            return fault or self.answer(method, path, headers)

    @contextmanager
    def running(self) -> Iterator["Api"]:
        with http.serving(_server(self)) as self.port:
            try:
                yield self
            finally:
                self._released.set()

    def wait(self, seconds: float) -> None:
        self._released.wait(seconds)


def _server(api: Api) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            if length:
                self.rfile.read(length)
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = api.handle(self.command, urlsplit(self.path).path, headers)
            if answer.pause:
                api.wait(answer.pause)
            if answer.cut == "before":
                self.close_connection = True
                return
            body = answer.bytes
            head = f"HTTP/1.1 {answer.status} X\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            headers = {"Date": formatdate(api.now_ms // 1000, usegmt=True), **answer.headers}
            head += "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n"
            if answer.cut == "within":
                body = body[: len(body) // 2]
                self.close_connection = True
            self.wfile.write(head.encode() + body)

        do_GET = do_POST = _serve

        def log_message(self, *_) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

        def handle_error(self, *_) -> None:  # a client that goes away, or does not take the certificate
            pass

    listening = Quiet(("127.0.0.1", 0), Handler)
    if api.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(api.certificate)
        listening.socket = context.wrap_socket(listening.socket, server_side=True, do_handshake_on_connect=False)
    return listening


# --- BizGo


def report(msg_key: str, code: str, service_type: str = "ALIMTALK", **more) -> dict:
    """As the schema of reports has it, the same for webhook, polling and inquiry."""
    at = datetime.now(KST) - timedelta(minutes=30)
    return {
        "msgKey": msg_key,
        "serviceType": service_type,
        "msgType": {"ALIMTALK": "AT", "SMS": "SM"}.get(service_type, ""),
        "sendTime": at.isoformat(timespec="milliseconds"),
        "reportTime": (at + timedelta(seconds=2)).isoformat(timespec="milliseconds"),
        "reportType": "0",
        "reportCode": code,
        "reportText": "",
        **more,
    }


class BizGo(Api):
    """mars (the API key as it is) and omni (a token)."""

    API_KEY = "bizgo-api-key-1f0c8a52"
    CLIENT_ID, CLIENT_PASSWORD = "bizgo-client-77aa", "bizgo-password-0c31d9"

    def __init__(self, certificate: Path | None = None):
        super().__init__(certificate)
        self.reports: dict[str, list[dict]] = {}
        self.tokens: dict[str, float] = {}  # until when
        self.token_lasts = 86400.0
        self.tokens_given = 0

    def answer(self, method: str, path: str, headers: dict[str, str]) -> Answer:
        if method == "POST" and path == "/v1/auth/token":
            return self._token(headers)
        if path.startswith("/api/comm/v1/report/inquiry/"):
            return self._mars(self.id_of(path), headers)
        if path.startswith("/v1/report/inquiry/"):
            return self._omni(self.id_of(path), headers)
        return Answer(404, {"common": {"authCode": "A404", "authResult": "Not Found", "infobankTrId": "t"}})

    def _mars(self, id_: str, headers: dict[str, str]) -> Answer:
        if headers.get("authorization") != self.API_KEY:
            return Answer(401, {"common": {"authCode": "A401", "authResult": "Unauthorized", "infobankTrId": "t"}})
        data = {"code": "A000", "result": "Success", "data": {"report": self.reports.get(id_, [])}}
        return Answer(200, {"common": {"authCode": "A000", "authResult": "Success", "infobankTrId": "t"}, "data": data})

    def _omni(self, id_: str, headers: dict[str, str]) -> Answer:
        schema, _, token = headers.get("authorization", "").partition(" ")
        if schema != "Bearer" or self.tokens.get(token, 0) < time.time():
            return Answer(401, {"code": "A001", "result": "Token expired"})
        return Answer(200, {"code": "A000", "result": "Success", "data": {"report": self.reports.get(id_, [])}})

    def _token(self, headers: dict[str, str]) -> Answer:
        if (headers.get("x-ib-client-id"), headers.get("x-ib-client-passwd")) != (self.CLIENT_ID, self.CLIENT_PASSWORD):
            return Answer(401, {"code": "A100", "result": "Unauthorized"})
        self.tokens_given += 1
        token, until = f"token-{self.tokens_given}-5d2e90b7", time.time() + self.token_lasts
        self.tokens[token] = until
        expired = datetime.fromtimestamp(until, KST).isoformat(timespec="milliseconds")
        return Answer(200, {"code": "A000", "result": "Success", "data": {"schema": "Bearer", "token": token, "expired": expired}})


# --- Twilio


class Twilio(Api):
    """Messages of api.twilio.com, form v2010."""

    ACCOUNT, TOKEN = "AC00000000000000000000000000000009", "twilio-token-4f1b77d2"
    BASIC = base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()

    def __init__(self, certificate: Path | None = None):
        super().__init__(certificate)
        self.messages: dict[str, tuple[str, int | None]] = {}  # status and error code, by the sid

    @property
    def base(self) -> str:
        return f"{self.url}/2010-04-01/Accounts/{self.ACCOUNT}"

    def id_of(self, path: str) -> str:
        return super().id_of(path).removesuffix(".json")

    def answer(self, method: str, path: str, headers: dict[str, str]) -> Answer:
        sid = self.id_of(path)
        if headers.get("authorization") != f"Basic {self.BASIC}":
            return Answer(401, {"code": 20003, "message": "Authenticate", "more_info": "", "status": 401})
        if method != "GET" or path != f"/2010-04-01/Accounts/{self.ACCOUNT}/Messages/{sid}.json" or sid not in self.messages:
            return Answer(404, {"code": 20404, "message": "The requested resource was not found", "more_info": "", "status": 404})
        status, error = self.messages[sid]
        more = {"from": "+15550000002", "date_updated": formatdate(usegmt=False), "num_segments": "1", "body": "hi"}
        return Answer(200, {"sid": sid, "status": status, "error_code": error, "error_message": None, "to": "+15550000001", **more})


# --- Channel Talk


def user(member_id: str, **more) -> dict:
    """A user as `GET /open/v5/users/@{memberId}` shows it. mobileNumber and email stand in it twice."""
    now = int(time.time() * 1000)
    fields = {"mobileNumber": None, "email": None, "type": "member", "unsubscribeEmail": False, "unsubscribeTexting": False, **more}
    return {
        "id": f"u-{member_id}",
        "channelId": "7",
        "memberId": member_id,
        "name": f"name of {member_id}",
        "profile": {"name": f"name of {member_id}", "mobileNumber": fields["mobileNumber"], "email": fields["email"]},
        "tags": [],
        "blocked": False,
        "createdAt": now - 86400000,
        "updatedAt": now,
        "version": 1,
        **fields,
    }


class ChannelTalk(Api):
    ACCESS_KEY, ACCESS_SECRET = "channeltalk-key-9b1d", "channeltalk-secret-40f7ce"

    def __init__(self, certificate: Path | None = None):
        super().__init__(certificate)
        self.users: dict[str, dict] = {}
        self.limit = 0  # requests in `window` seconds; 0: none
        self.window = 10
        self._used: dict[int, int] = {}

    def answer(self, method: str, path: str, headers: dict[str, str]) -> Answer:
        if (headers.get("x-access-key"), headers.get("x-access-secret")) != (self.ACCESS_KEY, self.ACCESS_SECRET):
            return Answer(401, {"type": "unauthorizedError", "status": 401})
        if not path.startswith("/open/v5/users/@"):
            return Answer(404, {"type": "notFoundError", "status": 404})
        rate = self._rate()
        if rate and int(rate["x-ratelimit-remaining"]) < 0:
            return Answer(429, {"type": "tooManyRequestsError", "status": 429}, {**rate, "x-ratelimit-remaining": "0"})
        found = self.users.get(self.id_of(path))
        if not found:
            return Answer(404, {"type": "notFoundError", "status": 404}, rate)
        return Answer(200, {"user": found, "online": {"personId": found["id"]}}, rate)

    def _rate(self) -> dict[str, str]:
        if not self.limit:
            return {}
        window = int(time.time()) // self.window
        self._used[window] = self._used.get(window, 0) + 1
        return {
            "x-ratelimit-limit": str(self.limit),
            "x-ratelimit-remaining": str(self.limit - self._used[window]),
            "x-ratelimit-reset": str((window + 1) * self.window),
        }
