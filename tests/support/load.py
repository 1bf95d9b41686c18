# SPDX-License-Identifier: MIT
"""Many senders at once, each on a connection of its own, and what each receipt was answered, and how late."""

import threading
import time
from dataclasses import dataclass
from http.client import HTTPException

from support import http, payloads
from support.wait import until
from support.world import World


@dataclass
class Sent:
    id: str
    status: int  # 0: no answer
    seconds: float
    retry_after: str | None = None


class Load:
    """Sends receipts until it is told to stop. A connection that is cut is made anew; what was on it counts as not answered."""

    def __init__(self, world: World, connections: int, padding: int = 0):
        self._port = world.ingress.ports["public"]
        self._path = world.path("bizgo/alimtalk")
        self._padding = "x" * padding
        self._stop = threading.Event()
        self.sent: list[Sent] = []
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(connections)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_) -> None:
        self.stop()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def _run(self) -> None:
        connection = None
        while not self._stop.is_set():
            connection = connection or http.Connection(self._port)
            if not self._send(connection):
                connection.close()
                connection = None
                time.sleep(0.01)  # nobody is there: not as fast as the processor goes
        if connection:
            connection.close()

    def _send(self, connection: http.Connection) -> bool:
        report = payloads.bizgo(payloads.new_id(), "10000", padding=self._padding)
        began = time.monotonic()
        try:
            answer = connection.post(self._path, payloads.to_bytes(report), {"Content-Type": "application/json"})
        except (OSError, HTTPException):
            self.sent.append(Sent(report["msgKey"], 0, time.monotonic() - began))
            return False
        self.sent.append(Sent(report["msgKey"], answer.status, time.monotonic() - began, answer.headers.get("retry-after")))
        return answer.headers.get("connection") != "close"

    def with_status(self, status: int) -> list[Sent]:
        return [sent for sent in list(self.sent) if sent.status == status]

    @property
    def acked(self) -> set[str]:
        return {sent.id for sent in self.with_status(200)}

    def wait_acked(self, more: int, deadline: float = 60) -> None:
        """Until so many more are acknowledged than now."""
        goal = len(self.with_status(200)) + more
        until(f"{goal} receipts are acknowledged", lambda: len(self.with_status(200)) >= goal, deadline, every=0.05)
