# SPDX-License-Identifier: MIT
"""Three kinds of load. `closed`: as fast as a number of connections gets its answers (wrk). `fixed`: so many requests a second, whatever
comes back (vegeta); each latency counts from the moment the request was due, so a server that stalls is charged for all it kept waiting.
`flood`: as `closed`, but by vegeta, which costs the machine more than wrk: a share of this is a rate that `fixed` can keep."""

import base64
import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

HERE = Path(__file__).parent
VEGETA = HERE.parent / ".cache" / "bench" / "vegeta" / "vegeta"
PATIENCE_SECONDS = 12  # for one answer
BIZGO_SECONDS = 5.0
BUDGET_SECONDS = 1.5  # ingress's own promise
FLOOD_PER_SECOND_MAX = 20_000  # so many reports are made for a flood; it ends with the last one

_runs = 0


def _new_prefix() -> str:
    """What the msgKeys of one run begin with, here and in webhook.lua."""
    global _runs
    _runs += 1
    return f"{int(time.time()) % 10_000_000:07d}{_runs:04d}"


def versions() -> str:
    # wrk says its version with exit code 1.
    wrk = subprocess.run(["wrk", "-v"], capture_output=True, text=True, timeout=10).stdout.split()[1].rpartition("/")[2]
    return f"wrk {wrk}, {(VEGETA.parent / 'versions').read_text().strip()}"


def bizgo_report(msg_key: str, code: str = "10000") -> bytes:
    """The same as webhook.lua's. Compact, as the probe wants it."""
    report = {
        "msgKey": msg_key,
        "serviceType": "ALIMTALK",
        "msgType": "AT",
        "sendTime": "2026-01-12T11:00:01.000+09:00",
        "reportTime": "2026-01-12T11:00:03.123+09:00",
        "reportType": "0",
        "reportCode": code,
        "reportText": "",
        "carrier": "SKT",
    }
    return json.dumps(report, separators=(",", ":")).encode()


# --- closed


@dataclass
class Closed:
    answers: int
    seconds: float
    not_2xx: int
    broken: int  # connections that could not be made, were cut or sent no HTTP
    timeouts: int
    p50_ms: float
    p99_ms: float
    max_ms: float

    @property
    def acks(self) -> int:
        return self.answers - self.not_2xx

    @property
    def acks_per_second(self) -> float:
        return self.acks / self.seconds


def closed(url: str, connections: int, seconds: float) -> Closed:
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:.0f}s", f"--timeout={PATIENCE_SECONDS}s", "-s", HERE / "webhook.lua", url]
    done = subprocess.run([*command, "--", _new_prefix()], capture_output=True, text=True, timeout=seconds + 60, check=True)
    result = next(line for line in done.stdout.splitlines() if line.startswith("RESULT "))
    return Closed(**json.loads(result.removeprefix("RESULT ")))


# --- fixed


@dataclass
class Fixed:
    began: float  # Unix seconds; request n was due at began + n / rate
    sent: int
    acks: int
    not_2xx: int
    unanswered: int  # cut off, refused, or not within PATIENCE_SECONDS
    acks_in_budget: int
    acks_for_bizgo: int  # that came while BizGo still listens
    p50_ms: float
    p99_ms: float
    p999_ms: float
    max_ms: float  # of all, answered or given up


def fixed(
    url: str, rate: int, seconds: float, folder: Path, meanwhile=lambda: None, report=bizgo_report, connections: int | None = None
) -> Fixed:
    """`meanwhile` is called as soon as the load has begun; `report` makes the body of a msgKey, which ends in the request's number. With
    `connections` a request that finds all of them waiting waits, too; without, it makes a new one."""
    _write_targets(folder, url, int(rate * seconds), report)
    _attack(folder, seconds, [f"-rate={rate}/s", *([f"-max-workers={connections}"] if connections else [])], meanwhile)
    return _summary(_results(folder), rate)


def flood(url: str, connections: int, seconds: float, folder: Path) -> float:
    """The moment at which it began, by the monotonic clock."""
    _write_targets(folder, url, int(FLOOD_PER_SECOND_MAX * seconds), bizgo_report)
    began = time.monotonic()
    _attack(folder, seconds, ["-rate=0", f"-max-workers={connections}", "-lazy"])
    return began


def _attack(folder: Path, seconds: float, how: list[str], meanwhile=lambda: None) -> None:
    attack = subprocess.Popen(
        [VEGETA, "attack", "-format=json", f"-targets={folder / 'targets'}", f"-duration={seconds}s"]
        + [f"-timeout={PATIENCE_SECONDS}s", f"-output={folder / 'results'}", *how]
    )
    try:
        meanwhile()
        if attack.wait(seconds + PATIENCE_SECONDS + 30):
            raise SystemExit("vegeta failed")
    finally:
        attack.kill()
        attack.wait()


def acked_keys(folder: Path) -> list[str]:
    """The msgKeys that the last load got a 2xx for: each such answer repeats it."""
    acks = [result for result in _results(folder) if 200 <= result["code"] < 300]
    return [json.loads(base64.b64decode(result["body"]))["msgKey"] for result in acks]


def _results(folder: Path) -> list[dict]:
    encoded = subprocess.run([VEGETA, "encode", "--to", "json", folder / "results"], capture_output=True, timeout=120, check=True)
    return [json.loads(line) for line in encoded.stdout.splitlines()]


def _write_targets(folder: Path, url: str, count: int, report: Callable[[str], bytes]) -> None:
    prefix = _new_prefix()
    header = {"Content-Type": ["application/json"]}
    with (folder / "targets").open("w") as file:
        for number in range(count):
            body = base64.b64encode(report(f"{prefix}-{number}".rjust(32, "0"))).decode()
            file.write(json.dumps({"method": "POST", "url": url, "header": header, "body": body}) + "\n")


def _summary(results: list[dict], rate: int) -> Fixed:
    begun = {result["seq"]: datetime.fromisoformat(result["timestamp"]).timestamp() for result in results}
    start = min(at - seq / rate for seq, at in begun.items())  # by the most punctual one
    late = [(begun[r["seq"]] - start - r["seq"] / rate + r["latency"] / 1e9, r["code"]) for r in results]
    acks = [seconds for seconds, code in late if 200 <= code < 300]
    every = sorted(seconds for seconds, _ in late)
    return Fixed(
        began=start,
        sent=len(results),
        acks=len(acks),
        not_2xx=sum(not 200 <= code < 300 and code != 0 for _, code in late),
        unanswered=sum(code == 0 for _, code in late),
        acks_in_budget=sum(seconds <= BUDGET_SECONDS for seconds in acks),
        acks_for_bizgo=sum(seconds <= BIZGO_SECONDS for seconds in acks),
        p50_ms=percentile(every, 50) * 1e3,
        p99_ms=percentile(every, 99) * 1e3,
        p999_ms=percentile(every, 99.9) * 1e3,
        max_ms=every[-1] * 1e3,
    )


def percentile(values: list[float], percent: float) -> float:
    """By the nearest rank; `values` are sorted."""
    return values[min(len(values) - 1, int(len(values) * percent / 100))]
