# SPDX-License-Identifier: MIT
"""The processor's measurements as tables for a terminal. Medians over the rounds; a ratio is the median of each round's own ratio."""

from statistics import median

from load import percentile
from report import table

ALERT_SECONDS = 60  # an alert that has not come so long after the load is missing
DRAINS = {
    "ours": "ours",
    "copy": "COPY of the receipts",
    "copy_all": "COPY of receipts, notifications, alerts",
    "python": "Python, commit each record",
    "python_500": "Python, commit each 500",
}


def speeds(rows: list[dict]) -> list[str]:
    values = [row["per_second"] for row in rows]
    return [f"{median(values):.0f}", f"{min(values):.0f}–{max(values):.0f}"]


def drain_table(rows: list[dict]) -> str:
    lines = []
    for name, title in DRAINS.items():
        ratio = median(row["ours"]["per_second"] / row[name]["per_second"] for row in rows)
        lines.append([title, *speeds([row[name] for row in rows]), f"{ratio:.2f}" if name != "ours" else "–"])
    title = "A backlog on empty tables; a COPY's records are those whose rows it writes, in binary, on one connection"
    return f"{title}\n{table(['', 'records/s', 'from–to', 'ours ÷ it'], lines)}"


def existing_table(rows: list[dict]) -> str:
    counts = list(dict.fromkeys(row["rows"] for row in sorted(rows, key=lambda row: row["rows"])))
    of = {count: sorted((row for row in rows if row["rows"] == count), key=lambda row: row["round"]) for count in counts}
    lines = []
    for count in counts:
        ratio = median(row["per_second"] / least["per_second"] for row, least in zip(of[count], of[counts[0]]))
        lines.append([f"{count} rows", *speeds(of[count]), f"{ratio:.2f}" if count != counts[0] else "–"])
    return f"The same backlog on tables that hold rows\n{table(['', 'records/s', 'from–to', f'÷ {counts[0]} rows'], lines)}"


def registered_table(rows: list[dict]) -> str:
    hot = [f"{100 * median(row['hot_updates'] / row['updates'] for row in rows):.0f} %"]
    return f"Acceptances, then their receipts, on empty tables\n{table(['records/s', 'from–to', 'HOT updates'], [speeds(rows) + hot])}"


def growth_table(rows: list[dict]) -> str:
    lines = []
    for row in rows:
        for name, step in row["steps"].items():
            hot = f"{100 * step['hot_updates'] / step['updates']:.0f} %" if step["updates"] else "–"
            lines.append([f"{row['rows']} rows: {name}", f"{step['per_second']:.0f}", str(step["updates"]), hot])
    title = "Each kind of write on tables that hold rows, and how many of its updates of a notification were HOT"
    return f"{title}\n{table(['', 'records/s', 'updates', 'HOT'], lines)}"


def size_table(rows: list[dict]) -> str:
    """A table's entries are its rows. An index that is empty by now was not, and keeps its pages."""
    lines = []
    for number, size in enumerate(rows[0]["sizes"]):
        line = [size["name"]]
        for of in (row["sizes"][number] for row in rows):
            entry = f"{of['bytes'] / of['entries']:.0f}" if of["entries"] else "–"
            line += [f"{of['bytes'] / 1e6:.0f}", str(of["entries"]), entry]
        lines.append(line)
    head = [cell for row in rows for cell in (f"{row['rows']} rows: MB", "entries", "bytes/entry")]
    return f"What the tables and indexes hold after that\n{table(['', *head], lines)}"


def vacuum_table(rows: list[dict]) -> str:
    lines = []
    for row in rows:
        for v in row["vacuums"]:
            figures = [f"{v['seconds']:.1f}", f"{v['cpu_seconds']:.1f}", f"{v['wal_bytes'] / 1e6:.0f}"]
            lines.append([f"{row['rows']} rows: {v['table']}", str(v["dead"]), *figures])
    return f"VACUUM (ANALYZE) after that\n{table(['', 'dead rows', 'seconds', 'CPU seconds', 'WAL MB'], lines)}"


def burst_table(rows: list[dict]) -> str:
    lines = [[name, *speeds([row[name] for row in rows])] for name in ("fresh", "analysed")]
    lines[0].append(f"{median(row['fresh']['per_second'] / row['analysed']['per_second'] for row in rows):.2f}")
    lines[1].append("–")
    title = "A burst after a quiet start, while it is written; on fresh tables, and after ANALYZE"
    return f"{title}\n{table(['tables', 'records/s', 'from–to', '÷ analysed'], lines)}"


def cost_table(drains: dict[str, list[dict]]) -> str:
    lines = []
    for name, rows in drains.items():
        costs = [median(row["cpu_per_1000"][part] for row in rows) for part in ("processor", "postgres", "kafka")]
        wal = median(row["wal_bytes_per_record"] for row in rows)
        rss = max(row["peak_rss_mb"] for row in rows)
        others = max(row["others_percent"] for row in rows)
        lines.append([name, *(f"{cost:.4f}" for cost in costs), f"{wal:.0f}", f"{rss:.0f}", f"{others:.0f} %"])
    head = ["ours", "processor", "Postgres", "Kafka", "WAL bytes/record", "peak RSS MB", "other programs"]
    return f"CPU seconds per 1000 records; above some 10 % of other programs a ratio says little\n{table(head, lines)}"


def phases_of(row: dict) -> dict[str, float]:
    """The workers' seconds in each phase."""
    prefix = "dochak_processor_phase_seconds_sum:"
    return {key.removeprefix(prefix): value for key, value in row["sums"].items() if key.startswith(prefix)}


def phase_table(rows: list[dict]) -> str:
    """Of the workers' time."""
    spent = {name: median(phases_of(row)[name] for row in rows) for name in phases_of(rows[0])}
    lines = [[name, f"{seconds:.2f}", f"{100 * seconds / sum(spent.values()):.0f} %"] for name, seconds in spent.items()]
    return f"What the workers' time goes into\n{table(['phase', 'seconds', 'share'], lines)}"


def batch_table(rows: list[dict]) -> str:
    """A batch at that load: what it holds, and how long each phase of it takes."""
    batches = [row["sums"]["dochak_processor_batch_records_count"] for row in rows]
    records = median(row["sums"]["dochak_processor_batch_records_sum"] / n for row, n in zip(rows, batches))
    phases = list(phases_of(rows[0]))
    times = [f"{median(phases_of(row)[name] / n for row, n in zip(rows, batches)) * 1e3:.1f}" for name in phases]
    parts = list(rows[0]["cpu_per_1000"])
    cpu = [f"{median(row['cpu_per_1000'][part] for row in rows):.3f}" for part in parts]
    head = ["records", *(f"{name} ms" for name in phases), *(f"CPU {part}" for part in parts)]
    return f"A batch at that load, on the average; CPU seconds per 1000 webhooks\n{table(head, [[f'{records:.1f}', *times, *cpu]])}"


def latency_table(rows: list[dict]) -> str:
    times = [f"{median(row[key] for row in rows):.1f}" for key in ("p50_ms", "p99_ms", "max_ms")]
    counts = [str(sum(row[key] for row in rows)) for key in ("alerts", "missing")]
    acks = [f"{median(row['acks'][key] for row in rows):.1f}" for key in ("p50_ms", "p99_ms")]
    head = ["webhooks/s", "at most", "alerts", "missing", "p50 ms", "p99 ms", "max ms", "ack p50 ms", "ack p99 ms"]
    line = [str(rows[0]["rate"]), f"{rows[0]['most_per_second']:.0f}", *counts, *times, *acks]
    title = "From when a webhook was due to its alert at a read_committed reader, at half of the most that ingress and processor hold"
    title += f".\nThe alerts are those that the acknowledged webhooks have to raise; one missing after {ALERT_SECONDS} s is infinitely late"
    return f"{title}\n{table(head, [line])}"


API_MS_MAX = 50


def api_table(rows: list[dict]) -> str:
    lines = []
    for kind in rows[0]["asked"]["ms"]:
        ms = sorted(ms for row in rows for ms in row["asked"]["ms"][kind])
        lines.append([kind, str(len(ms)), *(f"{percentile(ms, share):.1f}" for share in (50, 99)), f"{ms[-1]:.1f}"])
    ms = sorted(ms for row in rows for each in row["asked"]["ms"].values() for ms in each)
    soon = f"{100 * sum(one <= API_MS_MAX for one in ms) / len(ms):.1f} % within {API_MS_MAX} ms"
    lines.append([f"all; {soon}", str(len(ms)), *(f"{percentile(ms, share):.1f}" for share in (50, 99)), f"{ms[-1]:.1f}"])
    loss = [100 * (1 - row["asked"]["per_second"] / row["alone"]["per_second"]) for row in rows]
    drains = [[name, *speeds([row[name] for row in rows])] for name in ("alone", "asked")]
    title = "The query API on a million notifications, while the processor drains a backlog"
    lost = f"The same drain alone, and while the API is asked: it loses {median(loss):.1f} % ({min(loss):.1f} to {max(loss):.1f} %)"
    return f"{title}\n{table(['question', 'times', 'p50 ms', 'p99 ms', 'max ms'], lines)}\n\n{lost}\n{table(['', 'records/s', 'from–to'], drains)}"


TICK_SECONDS_MAX = 0.05


def watch_table(rows: list[dict]) -> str:
    lines = []
    for row in rows:
        for title, key in (("taking over", "taking_over"), ("then", "ticks")):
            late = sorted(row[key])
            soon = 100 * sum(seconds <= TICK_SECONDS_MAX for seconds in late) / len(late)
            times = [f"{seconds * 1e3:.1f}" for seconds in (percentile(late, 50), percentile(late, 99), late[-1])]
            lines.append([f"{row['rows']} open: {title}", str(len(late)), f"{soon:.1f} %", *times])
    title = "A look of the watch, once a second, five times a second while it is behind; taking over, it reads a day, and writes what became due while the rows were made"
    return f"{title}\n{table(['', 'looks', f'within {TICK_SECONDS_MAX * 1e3:.0f} ms', 'p50 ms', 'p99 ms', 'longest ms'], lines)}"


def share_of_counters(row: dict) -> float:
    return 100 * row["counters"]["seconds"] / sum(phases_of(row).values())


def counters_table(rows: list[dict]) -> str:
    shares = [
        [share_of_counters(row) for row in rows],
        *([100 * row["counters"][what] / row["statements"][what] for row in rows] for what in ("seconds", "wal_bytes")),
    ]
    names = ("of the workers' time", "of the time of all statements", "of their WAL")
    lines = [[name, f"{median(values):.1f} %", f"{min(values):.1f}–{max(values):.1f} %"] for name, values in zip(names, shares)]
    return f"What the counters' three statements take of a drain on empty tables\n{table(['share', 'median', 'from–to'], lines)}"


def text(results: dict, seconds: float) -> str:
    parts = [f"Machine: {results['machine']}"]
    parts.append("\n".join(f"{name:<8} {version}" for name, version in results["versions"].items()))
    drains = {}
    if rows := results.get("drain"):
        drains["empty tables"] = [row["ours"] for row in rows]
        parts.append(drain_table(rows))
    if rows := results.get("existing"):
        parts.append(existing_table(rows))
        for count in sorted({row["rows"] for row in rows}):
            drains[f"{count} rows"] = [row for row in rows if row["rows"] == count]
    if rows := results.get("registered"):
        parts.append(registered_table(rows))
        drains["registered"] = rows
    if rows := results.get("burst"):
        parts.append(burst_table(rows))
    if rows := results.get("growth"):
        parts += [growth_table(rows), size_table(rows), vacuum_table(rows)]
        drains |= {f"{row['rows']} rows: {name}": [step] for row in rows for name, step in row["steps"].items()}
    if rows := results.get("api"):
        parts.append(api_table(rows))
        drains |= {"alone": [row["alone"] for row in rows], "while the API is asked": [row["asked"] for row in rows]}
    if rows := results.get("counters"):
        parts.append(counters_table(rows))
        drains["counted statements"] = rows
    if drains:
        parts.append(cost_table(drains))
        first = next(iter(drains.values()))
        if phases_of(first[0]):
            parts.append(phase_table(first))
    if rows := results.get("latency"):
        parts.append(latency_table(rows))
        parts.append(batch_table(rows))
    if rows := results.get("watch"):
        parts.append(watch_table(rows))
    parts.append(f"Took {seconds / 60:.1f} minutes.")
    return "\n" + "\n\n".join(parts)
