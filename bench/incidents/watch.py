# SPDX-License-Identifier: MIT
"""watch.c and the rules of processor/rules/ for Python."""

import ctypes
import os
from typing import NamedTuple

FAILING, SILENT, SLOW = "failing", "silent", "slow"
KINDS = (FAILING, SILENT, SLOW)
OPEN, CLOSE = 1, 2
NOT_OPEN = -(2**63)
REFUSING_CHECKS, REFUSING_MINUTES = 16, 120


class Minute(ctypes.Structure):
    """struct minute_counts"""

    _fields_ = [
        *((name, ctypes.c_uint32) for name in ("delivered", "failed", "recipient_fault", "account_fault", "unconfirmed", "repeated")),
        ("taken", ctypes.c_uint32),
        ("in_time", ctypes.c_uint32),
        ("blind", ctypes.c_bool),
    ]


class EndpointMinute(ctypes.Structure):
    _fields_ = [("calls", ctypes.c_uint32), ("refused", ctypes.c_uint32), ("by_check", ctypes.c_uint32 * REFUSING_CHECKS)]


class Faults(ctypes.Structure):
    """struct failing_faults"""

    _fields_ = [("last_ms", ctypes.c_int64), ("gap_ms", ctypes.c_int64)]


class RefusingFound(ctypes.Structure):
    _fields_ = [*((name, ctypes.c_int64) for name in ("since", "calls", "refused", "minutes")), ("check", ctypes.c_int)]


class Happened(ctypes.Structure):
    _fields_ = [("minute", ctypes.c_int64), ("kind", ctypes.c_int32), ("verdict", ctypes.c_int32), ("since", ctypes.c_int64)]


class Alert(NamedTuple):
    minute: int  # of the stream; the alert comes at its end
    kind: str
    opens: bool
    since: int


def rules() -> ctypes.CDLL:
    library = ctypes.CDLL(os.environ["DOCHAK_INCIDENTS_LIBRARY"])
    library.watch_new.restype = ctypes.c_void_p
    library.watch_new.argtypes = [ctypes.c_uint, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64]
    library.watch_free.argtypes = [ctypes.c_void_p]
    library.watch_run.restype = ctypes.c_int64
    library.watch_run.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p, ctypes.c_int64]
    library.failing_fault_add.argtypes = [ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64]
    library.failing_fault_is_over.restype = ctypes.c_bool
    library.failing_fault_is_over.argtypes = [ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64]
    library.refusing_judge.argtypes = [ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p]
    return library


def watched(stream: ctypes.Array, kinds: tuple[str, ...] = KINDS, due_minutes: int = 5, silent_after_s: int = 600) -> list[Alert]:
    """What is opened and closed while the stream's minutes pass. They begin at midnight, UTC."""
    library = rules()
    first = 20000 * 1440
    mask = sum(1 << KINDS.index(kind) for kind in kinds)
    watch = library.watch_new(mask, first - 1, due_minutes, silent_after_s * 1000)
    out = (Happened * 10000)()
    n = library.watch_run(watch, ctypes.byref(stream), len(stream), out, len(out))
    library.watch_free(watch)
    return [Alert(h.minute - first, KINDS[h.kind], h.verdict == OPEN, h.since - first) for h in out[:n]]
