# SPDX-License-Identifier: MIT
"""What empties a backlog: our processor, or the Python consumer; each from the first record to the last one's commit."""

import re
import subprocess
import threading
import time
from pathlib import Path

from broker import Broker
from database import Postgres
from program import BUILT, NO_PROXY, RELEASE, ROOT, Program, free_ports
from servers import SECRET

STEPS_SECONDS = 0.02  # between two looks
DRAIN_SECONDS = 900
TICK_SECONDS = 1.0  # the watch looks so often, and five times as often while it is behind
PYTHON = BUILT / "pyconsumer" / "bin" / "python"
PEER = ROOT / "bench" / "peers" / "pyconsumer"


def processor_settings(broker: Broker, postgres: Postgres, database: str, prefix: str) -> dict[str, str]:
    return {
        **postgres.environment(database),
        "DOCHAK_KAFKA_BOOTSTRAP": broker.address,
        "DOCHAK_TOPIC_PREFIX": prefix,
        "DOCHAK_RECIPIENT_KEY": SECRET,
    }


def migrate(broker: Broker, postgres: Postgres, database: str, prefix: str) -> None:
    """The tables and the topics."""
    settings = processor_settings(broker, postgres, database, prefix)
    done = subprocess.run([RELEASE / "dochak-processor", "migrate"], env=settings, capture_output=True, text=True, timeout=60)
    if done.returncode:
        raise SystemExit(f"migrate:\n{done.stdout}{done.stderr}")


class Processor(Program):
    """Ready when it has joined its group; from then on it drains."""

    def __init__(self, folder: Path, settings: dict[str, str]):
        super().__init__("processor", (RELEASE / "dochak-processor",), folder)
        self._port = free_ports(1)[0]
        self._settings = {**settings, "DOCHAK_PROCESSOR_OPS_LISTEN": f"127.0.0.1:{self._port}"}
        self.began = 0.0

    def settings(self) -> dict[str, str]:
        return self._settings

    def is_ready(self) -> bool:
        self.began = time.monotonic()
        try:
            return self.sums().get("dochak_processor_workers_ready", 0) > 0
        except OSError:
            return False

    def sums(self) -> dict[str, float]:
        """Each metric, over its labels; a phase's time under its own name."""
        with NO_PROXY.open(f"http://127.0.0.1:{self._port}/metrics", timeout=5) as answer:
            text = answer.read().decode()
        sums: dict[str, float] = {}
        for name, phase, value in re.findall(r'^(\w+)(?:\{(?:.*?phase="(\w+)")?.*\})? (\S+)$', text, re.M):
            key = f"{name}:{phase}" if phase else name
            sums[key] = sums.get(key, 0) + float(value)
        return sums

    def records(self) -> float:
        return self.sums().get("dochak_processor_records_total", 0)

    def wait_records(self, count: int, seconds: float = DRAIN_SECONDS) -> float:
        """The moment at which it had committed so many."""
        end = time.monotonic() + seconds
        while self.records() < count:
            self.check_alive()
            if time.monotonic() > end:
                self.give_up(f"drained {self.records():.0f} of {count} records in {seconds:.0f} s")
            time.sleep(STEPS_SECONDS)
        return time.monotonic()


class Ticks:
    """How long each look of the watch took, in seconds: between two, the sum of all grows by it."""

    def __init__(self, processor: Processor):
        self._processor = processor
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self.seconds: list[float] = []

    def _read(self) -> None:
        count, sum_ = 0.0, 0.0
        while not self._stop.wait(TICK_SECONDS / 10):
            try:
                sums = self._processor.sums()
            except OSError:  # a busy machine; the next look finds what this one missed
                continue
            now_count, now_sum = (sums.get(f"dochak_processor_watch_seconds_{what}", 0) for what in ("count", "sum"))
            if now_count > count and now_sum > sum_:  # the one is there a moment before the other
                self.seconds.append(now_sum - sum_)
                count, sum_ = now_count, now_sum

    def wait(self, count: int) -> list[float]:
        """The next so many."""
        begun, end = len(self.seconds), time.monotonic() + 5 * count * TICK_SECONDS
        while len(self.seconds) < begun + count:
            self._processor.check_alive()
            if time.monotonic() > end:
                self._processor.give_up(f"its watch looked {len(self.seconds) - begun} times, not {count}")
            time.sleep(TICK_SECONDS / 5)
        return self.seconds[begun : begun + count]

    def __enter__(self) -> "Ticks":
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._stop.set()
        self._thread.join()


class PythonConsumer(Program):
    def __init__(self, folder: Path, settings: dict[str, str]):
        super().__init__("pyconsumer", (PYTHON, PEER / "consumer.py"), folder)
        self._settings = settings

    def settings(self) -> dict[str, str]:
        return self._settings

    def drain_seconds(self) -> float:
        self.wait(DRAIN_SECONDS)
        result = next(line for line in self.log.read_text().splitlines() if line.startswith("RESULT "))
        return float(result.removeprefix("RESULT "))
