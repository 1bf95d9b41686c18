# SPDX-License-Identifier: MIT
"""The measurements as tables for a terminal. Medians over the rounds; a ratio is the median of each round's own ratio, which a machine
that was slow for one round does not move."""

import os
import platform
from collections.abc import Callable
from pathlib import Path
from statistics import median


def machine() -> str:
    models = [line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    memory = int(Path("/proc/meminfo").read_text().split()[1]) / 2**20
    return (
        f"{os.cpu_count()} × {models[0] if models else platform.machine()}, {memory:.0f} GiB, Linux {platform.release()}, "
        f"load {os.getloadavg()[0]:.1f} at the start; server, Kafka and load share it"
    )


def table(head: list[str], rows: list[list[str]]) -> str:
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    return "\n".join(
        "  ".join([row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))]) for row in [head, *rows]
    )


class Rounds:
    """The rows of the scenario rate, by server."""

    def __init__(self, rows: list[dict]):
        self.servers = list(dict.fromkeys(row["server"] for row in sorted(rows, key=lambda row: row["round"])))
        self._rows = {name: sorted((r for r in rows if r["server"] == name), key=lambda r: r["round"]) for name in self.servers}

    def values(self, server: str, read: Callable[[dict], float]) -> list[float]:
        return [read(row) for row in self._rows[server]]

    def median(self, server: str, read: Callable[[dict], float]) -> float:
        return median(self.values(server, read))

    def ratio(self, server: str, read: Callable[[dict], float]) -> str:
        """Ours to the server's."""
        if "ours" not in self._rows or server == "ours":
            return "–"
        return f"{median(a / b if b else float('inf') for a, b in zip(self.values('ours', read), self.values(server, read))):.2f}"


def rate_table(rounds: Rounds, connections: str) -> str:
    def of(key: str) -> Callable[[dict], float]:
        return lambda row: row[f"closed_{connections}"][key]

    head = ["server", "acks/s", "from–to", "ours ÷ it", "CPU s/1000", "Kafka's", "not 2xx", "broken", "timeouts", "acks", "records"]
    lines = []
    for server in rounds.servers:
        speeds = rounds.values(server, of("acks_per_second"))
        costs = [rounds.median(server, of(key)) for key in ("cpu_seconds_per_1000_acks", "broker_cpu_seconds_per_1000_acks")]
        totals = [sum(rounds.values(server, of(key))) for key in ("not_2xx", "broken", "timeouts", "acks", "records")]
        line = [server, f"{median(speeds):.0f}", f"{min(speeds):.0f}–{max(speeds):.0f}", rounds.ratio(server, of("acks_per_second"))]
        lines.append(line + [f"{cost:.3f}" for cost in costs] + [str(total) for total in totals])
    return f"Durable acks a second, {connections} connections\n{table(head, lines)}"


def disturbance(rows: list[dict]) -> str:
    shares = [row[name]["others_percent"] for row in rows for name in row if name.startswith("closed_")]
    taken = f"Other programs took {median(shares):.0f} % of the machine (median; {max(shares):.0f} % at most)"
    return f"{taken}; above some 10 % a ratio says little."


def latency_table(rounds: Rounds, rate: int) -> str:
    head = ["server", "p50 ms", "p99 ms", "p99.9 ms", "max ms", "not acked", "peak RSS MB"]
    lines = []
    for server in rounds.servers:
        times = [rounds.median(server, lambda row, key=key: row["fixed"][key]) for key in ("p50_ms", "p99_ms", "p999_ms", "max_ms")]
        failed = sum(rounds.values(server, lambda row: row["fixed"]["sent"] - row["fixed"]["acks"]))
        memory = max(rounds.values(server, lambda row: row["peak_rss_mb"]))
        lines.append([server, *(f"{ms:.1f}" for ms in times), str(failed), f"{memory:.0f}"])
    title = f"Latency at {rate} requests a second, from when each was due; memory is the most of any round, whole"
    return f"{title}\n{table(head, lines)}"


def away_table(rows: list[dict]) -> str:
    head = ["server", "acks/s", "p50 ms", "p99 ms", "max ms", "not 2xx", "broken", "unanswered", "peak RSS MB", "acks", "records later"]
    lines = [
        [row["server"], f"{row['acks_per_second']:.0f}"]
        + ([f"{row[key]:.1f}" for key in ("p50_ms", "p99_ms", "max_ms")] if row["answers"] else ["–"] * 3)
        + [str(row["not_2xx"]), str(row["broken"]), "all" if not row["answers"] else str(row["timeouts"])]
        + [f"{row['peak_rss_mb']:.0f}", str(row["acks_in_all"]), str(row["records"])]
        for row in rows
    ]
    return f"Kafka stopped, 64 connections; the records are those in Kafka soon after it is back\n{table(head, lines)}"


def frozen_table(rows: list[dict]) -> str:
    head = ["server", "sent", "2xx in 1.5 s", "2xx in 5 s", "2xx", "slowest s", "not 2xx", "no answer", "peak RSS MB", "records"]
    lines = [
        [row["server"], str(row["sent"])]
        + [f"{100 * row[key] / row['sent']:.1f} %" for key in ("acks_in_budget", "acks_for_bizgo")]
        + [str(row["acks"]), f"{row['max_ms'] / 1e3:.1f}", str(row["not_2xx"]), str(row["unanswered"])]
        + [f"{row['peak_rss_mb']:.0f}", str(row["records"])]
        for row in rows
    ]
    return f"Kafka frozen for 8 of 20 s, 500 requests a second; BizGo waits 5 s\n{table(head, lines)}"


def text(results: dict, rate: int, seconds: float) -> str:
    parts = [f"Machine: {results['machine']}"]
    parts.append("\n".join(f"{name:<8} {version}" for name, version in results["versions"].items()))
    if rows := results.get("rate"):
        rounds = Rounds(rows)
        parts += [rate_table(rounds, name.removeprefix("closed_")) for name in rows[0] if name.startswith("closed_")]
        parts.append(latency_table(rounds, rate))
        parts.append(disturbance(rows))
    if rows := results.get("away"):
        parts.append(away_table(rows))
    if rows := results.get("frozen"):
        parts.append(frozen_table(rows))
    missing = sum(row["missing"] for row in _measurements(results))
    parts.append(f"Acknowledged but not in Kafka: {missing}. Took {seconds / 60:.1f} minutes.")
    return "\n" + "\n\n".join(parts)


def _measurements(results: dict) -> list[dict]:
    inner = [row[name] for row in results.get("rate", []) for name in row if isinstance(row[name], dict)]
    return inner + results.get("away", []) + results.get("frozen", [])
