# SPDX-License-Identifier: MIT
"""Receipts as fast as they are taken in, on one thread: many connections, each with one receipt at a time, sent again until it is acknowledged."""

import heapq
import selectors
import socket
import threading
import time
from dataclasses import dataclass, field

from confluent_kafka import Consumer, TopicPartition

from support.topics import MINUTE
from support.world import World

PAUSE = 0.02  # of a connection that was not served
PATIENCE = 15.0


@dataclass
class Line:
    """One connection and what is under way on it."""

    id: str = ""
    sock: socket.socket | None = None
    began: float = 0.0
    said: bytes = b""


@dataclass
class Storm:
    """Runs between `with` and its end; what came of it is read afterwards, the count of acknowledgements at any time."""

    world: World
    connections: int = 64
    name: str = "storm"
    acked: set[str] = field(default_factory=set)
    seconds: list[float] = field(default_factory=list)  # of each answer, whatever it was
    statuses: dict[int, int] = field(default_factory=dict)  # 0: no answer
    sent: int = 0
    fault: BaseException | None = None

    def __enter__(self) -> "Storm":
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._guard, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._stop.set()
        self._thread.join(2 * PATIENCE)
        if self.fault:
            raise self.fault

    def percentile(self, share: float) -> float:
        return sorted(self.seconds)[min(int(len(self.seconds) * share), len(self.seconds) - 1)]

    # --- the thread

    def _guard(self) -> None:
        try:
            self._run()
        except BaseException as error:  # told in the thread that waits for it
            self.fault = error

    def _run(self) -> None:
        self._selector = selectors.EpollSelector()
        self._address = ("127.0.0.1", self.world.ingress.ports["public"])
        path = self.world.path("bizgo/alimtalk")
        self._head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ".encode()
        self._paused: list[tuple[float, int, Line]] = []
        under_way = [Line() for _ in range(self.connections)]
        for line in under_way:
            self._next(line)
        while any(line.id for line in under_way):
            for key, _ in self._selector.select(0.05):
                self._read(key.data)
            now = time.monotonic()
            while self._paused and self._paused[0][0] <= now:
                self._send(heapq.heappop(self._paused)[2])
            for line in under_way:
                if line.sock and now - line.began > PATIENCE:
                    self._done(line, 0)
        self._selector.close()

    def _next(self, line: Line) -> None:
        line.id = ""
        if self._stop.is_set():
            self._hang_up(line)
            return
        self.sent += 1
        line.id = f"{self.name}-{self.sent:09d}"
        self._send(line)

    def _send(self, line: Line) -> None:
        body = b'{"msgKey":"%s","serviceType":"ALIMTALK","reportCode":"10000"}' % line.id.encode()
        line.said, line.began = b"", time.monotonic()
        try:
            if not line.sock:
                line.sock = socket.create_connection(self._address, 5)
                self._selector.register(line.sock, selectors.EVENT_READ, line)
            line.sock.sendall(self._head + str(len(body)).encode() + b"\r\n\r\n" + body)
        except OSError:
            self._done(line, 0)

    def _read(self, line: Line) -> None:
        try:
            said = line.sock.recv(65536)
        except OSError:
            said = b""
        line.said += said
        if not said:
            self._done(line, 0)
        elif line.said.endswith(b"}"):  # our answers are small objects
            self._done(line, int(line.said[9:12]))

    def _done(self, line: Line, status: int) -> None:
        self.statuses[status] = self.statuses.get(status, 0) + 1
        if status:
            self.seconds.append(time.monotonic() - line.began)
        if status == 0 or b"Connection: close" in line.said:
            self._hang_up(line)
        if status == 200:
            self.acked.add(line.id)
            self._next(line)
        elif self._stop.is_set():
            line.id = ""
            self._hang_up(line)
        else:
            heapq.heappush(self._paused, (time.monotonic() + PAUSE, id(line), line))

    def _hang_up(self, line: Line) -> None:
        if line.sock:
            self._selector.unregister(line.sock)
            line.sock.close()
            line.sock = None


def stored_keys(world: World) -> list[str]:
    """The key of every event that a request made, in a batch at a time: there are many."""
    ends = world.topics.ends("events")
    topic = world.topics.name("events")
    consumer = Consumer({"bootstrap.servers": world.topics.bootstrap, "group.id": "storm", "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, partition, 0) for partition in ends])
    left = {partition: end for partition, end in ends.items() if end > 0}
    keys: list[str] = []
    deadline = time.monotonic() + 120
    while left:
        assert time.monotonic() < deadline, f"{topic} is not read up to {left}"
        for message in consumer.consume(10000, 1.0):
            assert not message.error(), message.error()
            if ("ce_type", MINUTE) not in message.headers():
                keys.append(message.key().decode())
            if message.offset() + 1 >= left.get(message.partition(), 1 << 62):
                del left[message.partition()]
    consumer.close()
    return keys
