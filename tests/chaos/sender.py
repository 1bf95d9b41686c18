# SPDX-License-Identifier: MIT
"""Providers, and our application, as they send: on one thread, many connections, each request again by its sender's schedule until it is
acknowledged or the sender gives up. See support/storm.py for the same without any manners."""

import base64
import hashlib
import heapq
import hmac
import json
import re
import selectors
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from chaos.traffic import Post
from support import builds

CONNECTIONS = 64
PAUSE = 0.02  # of a connection where nobody listens
CONNECT = 1.0  # seconds for a connection: all others wait meanwhile
UNSETTLED = 1000  # requests that wait for their next try at once; no new ones beyond it


@dataclass(frozen=True)
class Manners:
    """A sender's own rules. Gaps are those of its documents, each times `scale`: longer than a restart, so that three tries do not meet the same."""

    gaps: tuple[tuple[float, float], ...]  # seconds before each re-send, from and to; then it gives up
    scale: float
    deadline: float | None  # seconds it waits for an answer, not scaled; None: nobody counts them
    drops_on_4xx: bool = False


def _deadline(path: str) -> float:
    return json.loads((builds.ROOT / path).read_text("utf-8"))["webhook"]["deadline_ms"] / 1000


MANNERS = {
    "bizgo": Manners(((10, 10), (60, 60), (300, 300)), 1 / 10, _deadline("schemas/providers/bizgo.json")),  # 3 re-sends; gaps unpublished
    "blux": Manners(
        ((2, 4), (4, 8), (8, 16), (16, 32), (32, 64), (64, 128)), 1 / 20, _deadline("schemas/providers/blux.json"), drops_on_4xx=True
    ),
    "standard": Manners(
        ((5, 5), (300, 300), (1800, 1800), (7200, 7200)), 1 / 100, _deadline("tests/chaos/providers/standard.json")
    ),  # the specification's example
    "application": Manners(((1, 2),) * 100, 1 / 5, None, drops_on_4xx=True),  # our caller: as often as it likes
}
PATIENCE = 15.0  # of who has no deadline


@dataclass
class Disturbances:
    """When ingress could not answer: from a kill or a freeze until it listens again. Monotonic seconds."""

    spans: list[list[float]] = field(default_factory=list)

    def __enter__(self) -> "Disturbances":
        self.spans.append([time.monotonic(), float("inf")])
        return self

    def __exit__(self, *_) -> None:
        self.spans[-1][1] = time.monotonic()

    def met(self, began: float) -> bool:
        return any(end >= began for _, end in self.spans)


@dataclass(order=True)
class Attempt:
    due: float
    number: int  # of its post in the plan
    tries: int = 0  # so far
    post: Post = field(compare=False, default=None)


@dataclass
class Line:
    """One connection and what is under way on it."""

    attempt: Attempt | None = None
    sock: socket.socket | None = None
    began: float = 0.0
    rests_until: float = 0.0
    said: bytes = b""


_LENGTH = re.compile(rb"\r\nContent-Length: *(\d+)", re.IGNORECASE)


def _status(said: bytes) -> int | None:
    """Of an answer that is there to its end."""
    head, end, body = said.partition(b"\r\n\r\n")
    if not end:
        return None
    length = _LENGTH.search(head)
    return int(head[9:12]) if len(body) >= (int(length[1]) if length else 0) else None


class Sender:
    """Runs between start() and join(). No new receipts once so many are settled as `allow` has last let through, so that a fault strikes
    where it is planned."""

    def __init__(
        self, posts: Iterable[Post], port: int, paths: dict[str, str], sign: dict[str, Callable[[bytes], dict]], limit: float, host: str = "127.0.0.1"
    ):
        self._limit = limit
        self._limit_lock = threading.Lock()
        self.settled = 0  # receipts, acknowledged or given up
        self.acked: set[int] = set()  # numbers of posts
        self.lost: list[str] = []
        self.late: list[str] = []
        self.answers: Counter[int] = Counter()  # 0: the connection was cut, or refused
        self.failed: Counter[str] = Counter()  # requests of each sender that got no 2xx
        self.slowest = 0.0  # answer of an ingress that nobody disturbed
        self.disturbances = Disturbances()
        self.fault: BaseException | None = None
        self._new = enumerate(posts)
        self._next_new: tuple[int, Post] | None = next(self._new, None)
        self._address = (host, port)
        self._paths = paths
        self._sign = sign
        self._again: list[Attempt] = []
        self._lines = [Line() for _ in range(CONNECTIONS)]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._guard, daemon=True)

    def start(self) -> "Sender":
        self._thread.start()
        return self

    def allow(self, receipts: float) -> None:
        """So many in all, or more if that was said before."""
        with self._limit_lock:
            self._limit = max(self._limit, receipts)

    @property
    def is_done(self) -> bool:
        return not self._thread.is_alive()

    def join(self, deadline: float) -> None:
        self._thread.join(deadline)
        if self.fault:
            raise self.fault
        assert self.is_done, f"after {deadline:.0f} s {len(self._again)} requests still wait to be sent again; answers {dict(self.answers)}"

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(10)

    # --- the thread

    def _guard(self) -> None:
        try:
            self._run()
        except BaseException as error:  # told in the thread that waits for it
            self.fault = error

    def _run(self) -> None:
        self._selector = selectors.EpollSelector()
        look_at = 0.0
        while not self._stop.is_set():
            now = time.monotonic()
            busy = 0
            for line in self._lines:
                if line.attempt is None and line.rests_until <= now and (attempt := self._next(now)):
                    self._send(line, attempt)
                busy += line.attempt is not None
            if not busy and not self._again and self._next_new is None:
                break
            for key, _ in self._selector.select(0.005):
                self._read(key.data)
            if now >= look_at:
                look_at = now + 0.1
                self._hang_up_on_the_slow(now)
        for line in self._lines:
            self._hang_up(line)
        self._selector.close()

    def _next(self, now: float) -> Attempt | None:
        if self._again and self._again[0].due <= now:
            return heapq.heappop(self._again)
        if self._next_new is None or self.settled >= self._limit or len(self._again) >= UNSETTLED:
            return None
        number, post = self._next_new
        self._next_new = next(self._new, None)
        return Attempt(now, number, 0, post)

    def _send(self, line: Line, attempt: Attempt) -> None:
        post = attempt.post
        body = post.body
        headers = {"Host": "x", "Content-Type": "application/json", "Content-Length": len(body)}
        if sign := self._sign.get(post.sender):
            headers |= sign(body)
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        line.attempt, line.said, line.began = attempt, b"", time.monotonic()
        attempt.tries += 1
        try:
            if not line.sock:
                line.sock = socket.create_connection(self._address, CONNECT)
                line.sock.settimeout(5)
                line.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._selector.register(line.sock, selectors.EVENT_READ, line)
            line.sock.sendall(f"POST {self._paths[post.sender]} HTTP/1.1\r\n{lines}\r\n".encode() + body)
        except OSError:
            line.rests_until = line.began + PAUSE
            self._done(line, 0)

    def _read(self, line: Line) -> None:
        try:
            said = line.sock.recv(65536)
        except OSError:
            said = b""
        if line.attempt is None:  # the server closes what nobody uses
            self._hang_up(line)
            return
        line.said += said
        if not said:
            self._done(line, 0)
        elif (status := _status(line.said)) is not None:
            self._done(line, status)

    def _hang_up_on_the_slow(self, now: float) -> None:
        for line in self._lines:
            if line.attempt and now - line.began > (MANNERS[line.attempt.post.sender].deadline or PATIENCE):
                self._done(line, 0)

    def _done(self, line: Line, status: int) -> None:
        attempt, line.attempt = line.attempt, None
        self.answers[status] += 1
        self._judge_time(attempt.post, status, line.began)
        if status == 0 or b"\r\nConnection: close" in line.said:
            self._hang_up(line)
        if 200 <= status < 300:
            self.acked.add(attempt.number)
            self.settled += attempt.post.receipts
        else:
            self.failed[attempt.post.sender] += 1
            self._try_again(attempt, status)

    def _judge_time(self, post: Post, status: int, began: float) -> None:
        seconds, deadline = time.monotonic() - began, MANNERS[post.sender].deadline
        if self.disturbances.met(began):
            return
        self.slowest = max(self.slowest, seconds) if status else self.slowest
        if deadline and seconds > deadline:
            self.late.append(f"{post.signals[0].name}: {status or 'no answer'} after {seconds:.1f} s")

    def _try_again(self, attempt: Attempt, status: int) -> None:
        manners, post = MANNERS[attempt.post.sender], attempt.post
        is_final = manners.drops_on_4xx and 400 <= status < 500
        if is_final or attempt.tries > len(manners.gaps):
            self.settled += post.receipts
            if not post.repeat:
                self.lost.append(f"{post.signals[0].name}: given up after {attempt.tries} tries, the last answer was {status or 'none'}")
            return
        low, high = manners.gaps[attempt.tries - 1]
        attempt.due = time.monotonic() + (low + (high - low) * post.luck) * manners.scale
        heapq.heappush(self._again, attempt)

    def _hang_up(self, line: Line) -> None:
        if line.sock:
            self._selector.unregister(line.sock)
            line.sock.close()
            line.sock = None


def standard_headers(secret: str) -> Callable[[bytes], dict]:
    """Standard Webhooks: the signature of each body, made when it is sent."""
    key = base64.b64decode(secret.removeprefix("whsec_"))

    def sign(body: bytes) -> dict:
        now = int(time.time())
        signed = hmac.new(key, b"msg.%d.%s" % (now, body), hashlib.sha256).digest()
        return {"webhook-id": "msg", "webhook-timestamp": now, "webhook-signature": f"v1,{base64.b64encode(signed).decode()}"}

    return sign
