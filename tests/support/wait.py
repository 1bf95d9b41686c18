# SPDX-License-Identifier: MIT
"""Waiting by condition, never by time."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from support import builds

T = TypeVar("T")


def _wait(what: str, probe: Callable[[], T], is_good: Callable[[T], bool], deadline: float, every: float) -> T:
    end = time.monotonic() + deadline * builds.patience()
    while True:
        value = probe()
        if is_good(value):
            return value
        if time.monotonic() > end:
            raise AssertionError(f"after {deadline * builds.patience():.0f} s still not so: {what} (last seen: {value!r})")
        time.sleep(every)


def until(what: str, probe: Callable[[], T], deadline: float = 15.0, every: float = 0.02) -> T:
    """The probe's first true value. `what` is the sentence that was to become true."""
    return _wait(what, probe, bool, deadline, every)


def until_equal(what: str, probe: Callable[[], T], expected: T, deadline: float = 15.0, every: float = 0.02) -> None:
    """Until the probe's value is the expected one; the error says which it was instead."""
    _wait(f"{what}: {expected!r}", probe, lambda value: value == expected, deadline, every)


def freeze(pid: int) -> None:
    """SIGSTOP. On a busy machine the threads of a process stop one after the other, and go on working until then."""

    def has_stopped() -> bool:
        with suppress(FileNotFoundError, ProcessLookupError):
            return all(stat.read_text().rpartition(")")[2].split()[0] in "TtZX" for stat in Path(f"/proc/{pid}/task").glob("*/stat"))
        return True

    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)
        until(f"process {pid} has stopped", has_stopped, every=0.002)
