# SPDX-License-Identifier: MIT
"""Providers that send again until they are answered, as the real ones do (only that ours are more patient)."""

import threading
import time
from http.client import HTTPException

from support import builds
from support.world import World


class Senders:
    """Several at once; each bears in mind what was acknowledged, and how long each answer took."""

    def __init__(self, world: World, posts: list[tuple[str, dict]], threads: int = 4, deadline: float = 60):
        self.acknowledged: set[int] = set()  # places in `posts`
        self.statuses: dict[int, int] = {}  # how often each status was answered; 0: no answer
        self.slowest = 0.0
        self._world = world
        self._posts = posts
        self._lock = threading.Lock()
        self._end = time.monotonic() + deadline * builds.patience()
        self._threads = [threading.Thread(target=self._work, args=(range(i, len(posts), threads),), daemon=True) for i in range(threads)]

    def start(self) -> "Senders":
        for thread in self._threads:
            thread.start()
        return self

    def join(self) -> None:
        for thread in self._threads:
            thread.join()
        missing = len(self._posts) - len(self.acknowledged)
        assert missing == 0, f"{missing} of {len(self._posts)} were never acknowledged; answers: {self.statuses}"

    def _work(self, places: range) -> None:
        for place in places:
            while time.monotonic() < self._end and not self._send(place):
                time.sleep(0.05)

    def _send(self, place: int) -> bool:
        endpoint, body = self._posts[place]
        began = time.monotonic()
        try:
            status = self._world.post(endpoint, body).status
        except (OSError, HTTPException):
            status = 0
        with self._lock:
            self.slowest = max(self.slowest, time.monotonic() - began)
            self.statuses[status] = self.statuses.get(status, 0) + 1
            if status == 200:
                self.acknowledged.add(place)
        return status == 200
