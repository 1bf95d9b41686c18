# SPDX-License-Identifier: MIT
"""What the kernel shows of all processes: command lines, which everybody on the machine can read, and environments, which every program of
the same user can."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def shown() -> Iterator[bytes]:
    for name in ("cmdline", "environ"):
        for file in Path("/proc").glob(f"[0-9]*/{name}"):
            with suppress(OSError):  # it has ended, or is somebody else's
                yield file.read_bytes()


@contextmanager
def watching(*secrets: str) -> Iterator[list[str]]:
    """Which of the secrets a process shows meanwhile, also one that was left behind. Each has to be the test's own."""
    found: list[str] = []
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(0.005):
            for text in shown():
                found.extend(secret for secret in secrets if secret not in found and secret.encode() in text)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield found
    finally:
        ended.set()
        thread.join()
