# SPDX-License-Identifier: MIT
"""The programs of examples/, run as a reader would run them, and the far sides that they call, built from the documents of those."""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from support import builds, http
from support.wait import until


class Program:
    """One that stays. Output of all its lives is one text."""

    def __init__(self, command: list[str | Path], folder: Path, **environment: str):
        self.command = [str(part) for part in command]
        self.folder = folder
        self.environment = {**builds.base_environment(), **environment}
        self._log = folder / f"{id(self)}.log"
        self._process: subprocess.Popen | None = None

    def start(self, stdout: Path | None = None, **environment: str) -> "Program":
        with self._log.open("ab") as log, (stdout or self._log).open("ab") as out:
            self._process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                env={**self.environment, **environment},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=log,
                start_new_session=True,
            )
        return self

    @property
    def output(self) -> str:
        return self._log.read_text("utf-8", "replace") if self._log.exists() else ""

    def check_alive(self) -> None:
        ended = self._process.poll()
        assert ended is None, f"{self.command} ended with {ended}:\n{self.output[-4000:]}"

    def wait_for(self, what: str, probe: Callable[[], object], deadline: float = 60) -> None:
        def so() -> bool:
            self.check_alive()
            return bool(probe())

        try:
            until(what, so, deadline, every=0.1)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.output[-4000:]}") from None

    def wait_exit(self, deadline: float = 30) -> int:
        """Of one that ends by itself."""
        return self._process.wait(deadline * builds.patience())

    def kill(self) -> None:
        """SIGKILL, also for what it has started."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def __enter__(self) -> "Program":
        return self

    def __exit__(self, *_: object) -> None:
        if self._process:
            self.kill()


class FarSide:
    """A server that takes JSON by POST. `refuse` may answer in place of it, with a status."""

    def __init__(self) -> None:
        self.port = 0
        self.requests: list[dict] = []  # that it has read, whatever the answer was
        self.headers: list[dict[str, str]] = []
        self.refuse: Callable[[dict], int | None] = lambda _body: None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def take(self, body: dict) -> tuple[int, str]:
        raise NotImplementedError

    def answer(self, text: bytes, headers: dict[str, str]) -> tuple[int, str]:
        body = json.loads(text)
        self.requests.append(body)
        self.headers.append(headers)
        status = self.refuse(body)
        return (status, "refused") if status else self.take(body)

    @contextmanager
    def running(self) -> Iterator["FarSide"]:
        far_side = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                length = headers.get("content-length")
                status, text = far_side.answer(self._chunks() if length is None else self.rfile.read(int(length)), headers)
                with suppress(ConnectionError):
                    self.send_response(status)
                    self.send_header("Content-Type", "application/json" if text.startswith("{") else "text/plain")
                    self.send_header("Content-Length", str(len(text.encode())))
                    self.end_headers()
                    self.wfile.write(text.encode())

            def _chunks(self) -> bytes:
                body = b""
                while size := int(self.rfile.readline(), 16):
                    body += self.rfile.read(size + 2)[:size]
                self.rfile.readline()
                return body

            def log_message(self, *_: object) -> None:
                pass

        with http.serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as self.port:
            yield self


class Slack(FarSide):
    """An incoming webhook: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks"""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []

    def take(self, body: dict) -> tuple[int, str]:
        if not isinstance(body.get("text"), str) or not body["text"]:
            return 400, "no_text"
        self.messages.append(body["text"])
        return 200, "ok"


class PagerDuty(FarSide):
    """The Events API v2: https://developer.pagerduty.com/docs/events-api-v2/trigger-events/. An event with the dedup_key of an open incident
    belongs to it; a resolve without one is taken and does nothing."""

    SEVERITIES = ("critical", "error", "warning", "info")

    def __init__(self, routing_key: str) -> None:
        super().__init__()
        self.routing_key = routing_key
        self.opened: list[dict] = []  # payloads, in the order of opening
        self.open: dict[str, dict] = {}

    def _fault(self, body: dict) -> str | None:
        if body.get("routing_key") != self.routing_key:
            return "'routing_key' is invalid"
        if body.get("event_action") not in ("trigger", "acknowledge", "resolve"):
            return "'event_action' is invalid"
        if not 0 < len(body.get("dedup_key", "")) <= 255:
            return "'dedup_key' is invalid"
        payload = body.get("payload", {})
        if body["event_action"] == "trigger":
            if not 0 < len(payload.get("summary", "")) <= 1024:
                return "'payload.summary' is invalid"
            if not payload.get("source"):
                return "'payload.source' is missing or blank"
            if payload.get("severity") not in self.SEVERITIES:
                return "'payload.severity' is invalid"
        return None

    def take(self, body: dict) -> tuple[int, str]:
        if fault := self._fault(body):
            return 400, json.dumps({"status": "invalid event", "message": "Event object is invalid", "errors": [fault]})
        key = body["dedup_key"]
        if body["event_action"] == "trigger" and key not in self.open:
            self.opened.append(body["payload"])
            self.open[key] = body["payload"]
        elif body["event_action"] == "resolve":
            self.open.pop(key, None)
        return 202, json.dumps({"status": "success", "message": "Event processed", "dedup_key": key})


class SendApi(FarSide):
    """BizGo's POST /v1/send/alimtalk, which takes everything."""

    def __init__(self) -> None:
        super().__init__()
        self.msg_key = ""  # of the next message

    def take(self, body: dict) -> tuple[int, str]:
        return 200, json.dumps({"code": "A000", "result": "Success", "msgKey": self.msg_key, "ref": body.get("ref")})
