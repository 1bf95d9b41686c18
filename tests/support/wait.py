# SPDX-License-Identifier: MIT
"""Waiting by condition, never by time."""

import time
from collections.abc import Callable
from typing import TypeVar

from support import builds

T = TypeVar("T")


def until(what: str, probe: Callable[[], T], deadline: float = 15.0, every: float = 0.02) -> T:
    """The probe's first true value. `what` is the sentence that was to become true."""
    end = time.monotonic() + deadline * builds.patience()
    while True:
        value = probe()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"after {deadline * builds.patience():.0f} s still not so: {what} (last seen: {value!r})")
        time.sleep(every)
