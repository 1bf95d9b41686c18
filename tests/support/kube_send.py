# SPDX-License-Identifier: MIT
"""Runs in a pod: sends the traffic of a seed at a steady rate, as the providers of the chaos harness do. The first line of stdin is a JSON
order, the second one ends the sending. On stdout one JSON line a second, and the outcome as the last one."""

import itertools
import json
import sys
import threading
import time
from collections.abc import Iterator

from chaos import traffic
from chaos.sender import Sender, standard_headers
from chaos.traffic import Post

CHUNK = 5000  # receipts: deriving more at once would keep the sender waiting


def posts_of(seed: int) -> Iterator[Post]:
    """Without end."""
    for chunk in itertools.count():
        yield from traffic.derive(1000 * seed + chunk, CHUNK)


def main() -> None:
    order = json.loads(sys.stdin.readline())
    stopping = threading.Event()
    threading.Thread(target=lambda: sys.stdin.readline() and stopping.set(), daemon=True).start()
    posts = itertools.takewhile(lambda _: not stopping.is_set(), posts_of(order["seed"]))
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
    print(json.dumps({**outcome, "acked": sorted(sender.acked), "seconds": time.monotonic() - began}), flush=True)


if __name__ == "__main__":
    main()
