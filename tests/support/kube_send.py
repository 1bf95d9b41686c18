# SPDX-License-Identifier: MIT
"""Runs in a pod: sends the traffic of a seed at a steady rate, as the providers of the chaos harness do. The first line of stdin is a JSON
order, the second one ends the sending. On stdout one JSON line a second, and the outcome as the last one."""

import json
import sys
import threading
import time
from collections.abc import Iterator

from chaos import traffic
from chaos.sender import Sender, standard_headers
from chaos.traffic import Post

CHUNK = 5000  # receipts: deriving more at once would keep the sender waiting


def chunk_of(seed: int, number: int) -> list[Post]:
    """The traffic of a seed is one chunk after the other. Each tells its stories to the end."""
    return traffic.derive(1000 * seed + number, CHUNK)


class Posts:
    """Chunk after chunk, until the end of the one in which `stopping` was set. A story that is cut off would leave messages without a
    receipt behind the last receipt of all, and these look as if the provider fell silent."""

    def __init__(self, seed: int, stopping: threading.Event):
        self.chunks = 0  # begun
        self._seed, self._stopping = seed, stopping

    def __iter__(self) -> Iterator[Post]:
        while not self._stopping.is_set():
            self.chunks += 1
            yield from chunk_of(self._seed, self.chunks - 1)


def main() -> None:
    order = json.loads(sys.stdin.readline())
    stopping = threading.Event()
    threading.Thread(target=lambda: sys.stdin.readline() and stopping.set(), daemon=True).start()
    posts = Posts(order["seed"], stopping)
    sign = {
        "standard": standard_headers(order["standard_secret"]),
        "application": lambda _: {"Authorization": f"Bearer {order['key']}"},
    }
    sender = Sender(posts, order["port"], order["paths"], sign, limit=0, host=order["host"]).start()
    began = said = time.monotonic()
    while not sender.is_done:
        now = time.monotonic()
        sender.allow((now - began) * order["rate"])
        if now - said >= 1:
            said = now
            print(json.dumps({"settled": sender.settled, "answers": sender.answers}), flush=True)
        time.sleep(0.01)
    sender.join(1)
    outcome = {name: getattr(sender, name) for name in ("settled", "lost", "late", "answers", "failed", "slowest")}
    outcome |= {"acked": sorted(sender.acked), "chunks": posts.chunks, "seconds": time.monotonic() - began}
    print(json.dumps(outcome), flush=True)


if __name__ == "__main__":
    main()
