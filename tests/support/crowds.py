# SPDX-License-Identifier: MIT
"""Many connections that do little: they wait, or they send a byte now and then."""

import resource
import select
import threading
import time
from collections import Counter
from collections.abc import Callable

import pytest

from support import builds, http


def allow_files(count: int) -> None:
    """For this process and for what it starts from now on."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < count:
        pytest.skip(f"{count} open files are needed, {most} are allowed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class Client:
    """Sends its opening at once and then of its drip, again and again, one byte at a time."""

    def __init__(self, port: int, opening: bytes, drip: bytes = b"", source: str = "127.0.0.1"):
        self.said = b""
        self.heard_after: float | None = None  # seconds from the opening to the server's last bytes
        self.closed_after: float | None = None  # and to the server's end of it
        self._drip, self._at = drip, 0
        self.sock = http.connect(port, source)
        self._began = time.monotonic()
        self.sock.sendall(opening)
        self.sock.setblocking(False)

    def drip(self) -> None:
        if not self._drip or self.closed_after is not None:
            return
        try:
            self.sock.send(self._drip[self._at : self._at + 1])
        except OSError:  # closed, which is still to be read
            return
        self._at = (self._at + 1) % len(self._drip)

    def hear(self) -> None:
        try:
            chunk = self.sock.recv(65536)
        except BlockingIOError:
            return
        except ConnectionResetError:
            chunk = b""
        self.said += chunk
        if chunk:
            self.heard_after = time.monotonic() - self._began
        else:
            self.closed_after = time.monotonic() - self._began
            self.sock.close()

    @property
    def statuses(self) -> list[int]:
        return [int(part[:3]) for part in self.said.split(b"HTTP/1.1 ")[1:]]


class Crowd:
    """Clients that are looked after by a thread of their own. again: in place of one that was closed comes a new one."""

    def __init__(self, new_client: Callable[[int], Client], count: int, every: float = 0.5, again: bool = False):
        self.clients = [new_client(number) for number in range(count)]
        self.statuses: Counter[int] = Counter()  # that those were told which had to go
        self._new_client = new_client
        self._every, self._again = every, again
        self._stop = threading.Event()
        self._poll = select.epoll()
        self._numbers: dict[int, int] = {}
        for number in range(count):
            self._watch(number)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Crowd":
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._stop.set()
        self._thread.join(60)
        self._poll.close()
        for client in self.clients:
            client.sock.close()

    @property
    def open(self) -> list[int]:
        """The numbers of those that are connected."""
        return [number for number, client in enumerate(self.clients) if client.closed_after is None]

    def wait_closed(self, seconds: float) -> None:
        """Until all of them are closed, or the time is up."""
        end = time.monotonic() + seconds * builds.patience()
        while self.open and time.monotonic() < end:
            time.sleep(0.1)

    def _watch(self, number: int) -> None:
        fd = self.clients[number].sock.fileno()
        self._numbers[fd] = number
        self._poll.register(fd, select.EPOLLIN)

    def _run(self) -> None:
        next_drip = time.monotonic() + self._every
        while not self._stop.is_set():
            for fd, _ in self._poll.poll(0.02):
                self._hear(fd)
            if time.monotonic() >= next_drip:
                next_drip += self._every
                for client in self.clients:
                    client.drip()

    def _hear(self, fd: int) -> None:
        number = self._numbers[fd]
        client = self.clients[number]
        client.hear()
        if client.closed_after is None:
            return
        del self._numbers[fd]
        self.statuses[client.statuses[-1] if client.statuses else 0] += 1
        if self._again:
            self.clients[number] = self._new_client(number)
            self._watch(number)
