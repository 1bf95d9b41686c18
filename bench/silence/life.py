# SPDX-License-Identifier: MIT
"""silence.c for Python: one endpoint under the rule."""

import ctypes
import datetime
import pathlib

import numpy

ZONE_MINUTES = 540
EPOCH = datetime.date(1970, 1, 1)
ROOT = pathlib.Path(__file__).parents[2]
HOLIDAYS = ROOT / "schemas/holidays/kr.txt"

_library = ctypes.CDLL(str(ROOT / ".cache/bench/silence/silence.so"))  # built by bench/silence.sh
_library.life_holidays.restype = _library.life_new.restype = _library.life_copy.restype = ctypes.c_void_p
_library.life_holidays.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
_library.life_new.argtypes = [ctypes.c_int64, ctypes.c_int, ctypes.c_void_p]
_library.life_copy.argtypes = _library.life_free.argtypes = [ctypes.c_void_p]
_library.life_run.restype = ctypes.c_int64
_library.life_run.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p, ctypes.c_int64, ctypes.c_bool]

_text = HOLIDAYS.read_bytes()
_list = _library.life_holidays(_text, len(_text))
assert _list, f"{HOLIDAYS} cannot be read"


def holidays() -> set[datetime.date]:
    """The dates of the list that is shipped."""
    lines = HOLIDAYS.read_text().splitlines()
    return {datetime.date.fromisoformat(line[:10]) for line in lines if line[:1].isdigit()}


def first_minute(day: datetime.date) -> int:
    """Of a local day, as a Unix minute."""
    return (day - EPOCH).days * 1440 - ZONE_MINUTES


class Life:
    def __init__(self, first_day: datetime.date, calls: numpy.ndarray, with_list: bool = False):
        self.begin, self.at = first_minute(first_day), 0
        self.calls = numpy.ascontiguousarray(numpy.minimum(calls, 65535), numpy.uint16)
        self.life = _library.life_new(self.begin, ZONE_MINUTES, _list if with_list else None)

    def __del__(self):
        _library.life_free(self.life)

    def run_to(self, minute: int) -> list[int]:
        """Counts the stream up to this minute of it; returns the minutes at which an alert opened."""
        opened = self._run(self.life, self.calls[self.at : minute], len(self.calls[self.at : minute]), False)
        self.at = minute
        return opened

    def stop(self, limit: int = 14 * 1440) -> int | None:
        """Minutes until the alert if no call comes from now on; None: none within the limit."""
        return self.go_on(None, limit)

    def go_on(self, calls: numpy.ndarray | None, limit: int = 0) -> int | None:
        """The same with other calls; the life itself stays where it is."""
        copy = _library.life_copy(self.life)
        if calls is not None:
            calls = numpy.ascontiguousarray(numpy.minimum(calls, 65535), numpy.uint16)
            limit = len(calls)
        opened = self._run(copy, calls, limit, True)
        _library.life_free(copy)
        return opened[0] - self.at + 1 if opened else None

    def _run(self, life: int, calls: numpy.ndarray | None, n: int, stop_at_open: bool) -> list[int]:
        opened = numpy.zeros(1000, numpy.int64)
        place = calls.ctypes.data if calls is not None else None
        alerts = _library.life_run(life, place, n, opened.ctypes.data, len(opened), stop_at_open)
        return [int(minute) - self.begin for minute in opened[: min(alerts, len(opened))]]
