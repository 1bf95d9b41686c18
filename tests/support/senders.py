# SPDX-License-Identifier: MIT
"""Many senders at once, each on a connection of its own, and what each receipt was answered, and how late."""

import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from http.client import HTTPException

from support import http, payloads
from support.wait import until
from support.world import World

PAUSE = 0.02  # of a sender that was not served


@dataclass
class Post:
    id: str
    endpoint: str
    body: dict


@dataclass
class Sent:
    id: str
    status: int  # 0: no answer
    seconds: float
    retry_after: str | None = None
    began: float = 0.0  # by time.monotonic()


def new_reports(padding: int = 0) -> Iterator[Post]:
    """Without end."""
    while True:
        id_ = payloads.new_id()
        yield Post(id_, "bizgo/alimtalk", payloads.bizgo(id_, "10000", padding="x" * padding))


def paced(posts: Iterable[Post], rate: float) -> Iterator[Post]:
    """As many a second, and no more to catch up with: what a stall has held back is not sent in a burst."""
    due = time.monotonic()
    for post in posts:
        due = max(due + 1 / rate, time.monotonic() - 0.1)
        time.sleep(max(0.0, due - time.monotonic()))
        yield post


def percentile(seconds: list[float], share: float) -> float:
    return sorted(seconds)[min(int(len(seconds) * share), len(seconds) - 1)]


def blux_posts(events: dict[str, dict]) -> list[Post]:
    """One post for each event, by its id."""
    return [Post(id_, "blux/sms", payloads.blux(event)) for id_, event in events.items()]


class Senders:
    """They share the posts out among themselves. A connection that is cut is made anew; what was on it counts as not answered.

    again: as the real providers do (only more patient), each sends its post until it is acknowledged.
    """

    def __init__(self, world: World, posts: Iterable[Post], connections: int = 4, again: bool = False, port: int | None = None):
        self.sent: list[Sent] = []
        self._world = world
        self._port = port or world.ingress.ports["public"]
        self._posts = iter(posts)
        self._again = again
        self._lock = threading.Lock()  # of the posts
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(connections)]

    def start(self) -> "Senders":
        for thread in self._threads:
            thread.start()
        return self

    def stop(self) -> None:
        """After what is under way."""
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def __enter__(self) -> "Senders":
        return self.start()

    def __exit__(self, *_) -> None:
        self.stop()

    def join(self, deadline: float = 60) -> None:
        """Until the last post has been sent, and acknowledged if it is sent again until then."""
        try:
            until("all is sent", lambda: not any(thread.is_alive() for thread in self._threads), deadline)
        except AssertionError as error:
            raise AssertionError(f"{error}; answers: {self.statuses}") from None
        finally:
            self.stop()

    # --- each sender

    def _run(self) -> None:
        connection = None
        while (post := self._next()) is not None:
            while not self._stop.is_set():
                connection = connection or http.Connection(self._port)
                sent, usable = self._send(connection, post)
                if not usable:
                    connection.close()
                    connection = None
                if sent.status in (0, 503):
                    time.sleep(PAUSE)  # nobody is there: not as fast as the processor goes
                if sent.status == 200 or not self._again:
                    break
        if connection:
            connection.close()

    def _next(self) -> Post | None:
        with self._lock:
            return None if self._stop.is_set() else next(self._posts, None)

    def _send(self, connection: http.Connection, post: Post) -> tuple[Sent, bool]:
        """What came of it, and whether the connection takes another."""
        began = time.monotonic()
        try:
            answer = connection.post(self._world.path(post.endpoint), payloads.to_bytes(post.body), {"Content-Type": "application/json"})
        except (OSError, HTTPException):
            answer = http.Answer(0, {"connection": "close"}, b"")
        sent = Sent(post.id, answer.status, time.monotonic() - began, answer.headers.get("retry-after"), began)
        self.sent.append(sent)
        return sent, answer.headers.get("connection") != "close"

    # --- what came of it

    def with_status(self, status: int) -> list[Sent]:
        return [sent for sent in list(self.sent) if sent.status == status]

    @property
    def acked(self) -> set[str]:
        return {sent.id for sent in self.with_status(200)}

    @property
    def statuses(self) -> dict[int, int]:
        return dict(Counter(sent.status for sent in list(self.sent)))

    @property
    def slowest(self) -> float:
        return max(sent.seconds for sent in list(self.sent))

    def wait_acked(self, more: int, deadline: float = 60) -> None:
        """Until so many more are acknowledged than now."""
        goal = len(self.with_status(200)) + more
        until(f"{goal} receipts are acknowledged", lambda: len(self.with_status(200)) >= goal, deadline, every=0.05)
