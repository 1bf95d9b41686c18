# SPDX-License-Identifier: MIT
"""What `./dev bench processor` measures: how fast a backlog of receipts is drained, and how soon an alert follows a webhook.

Six scenarios. drain: on empty tables ours, a Python consumer, and COPY of the rows that ours left; in rounds, each in turn. existing:
ours again where a hundred thousand and where ten million rows are there already. registered: acceptances, then their receipts. burst: a
processor that has been quiet on fresh tables gets a backlog at once, with ANALYZE before it and without. latency: ingress and processor
together at half of what they hold, from when a webhook was due to when a read_committed reader has its alert.

Four more, only when they are asked for. api: how long the query API takes for each kind of question on a million notifications while ours drains,
and what the drain loses by it; in rounds, without questions and with them in turn. growth: what each kind of write costs on tables of many rows, how large each table and index is, and
how long a VACUUM takes. watch: how long a look of the watch takes where so many messages are open, while ingress and processor work and each
second some become overdue and as many expire. counters: the share of the drain's time that goes into counting (delivery_minute, and up to
where each partition is counted), by Postgres's own clock of its statements (pg_stat_statements). Two drains, with counters and without, would
differ by more than that between any two rounds, and the program has no switch for it. Not in the share: the sorting in the program, and the
counters' part of the commit, of which their share of the WAL is a measure.
"""

import argparse
import contextlib
import json
import math
import os
import signal
import sys
import threading
import time
import zlib
from dataclasses import asdict
from pathlib import Path

import api_readers
import backlog
import load
import process
import processor_report
import report
from broker import TIMEOUT, Broker
from confluent_kafka import Consumer
from database import Postgres
from drains import BUILT, PEER, Processor, PythonConsumer, Ticks, migrate, processor_settings
from program import free_ports
from servers import OURS, ROOT, Server, versions

PREFIX = "bench.backlog."
TOPIC = f"{PREFIX}events"
REGISTERED = "bench.registered."
QUIET_RECORDS = 100
TABLES = ("receipt", "notification", "alert")
GROWTH = "bench.growth-"
GROWING = ("notification", "receipt", "acceptance", "alert")
CONNECTIONS = 64
FAILED_PERCENT = 3
SETTLE_SECONDS = 60

WATCH_RATE = 100  # webhooks a second, beside the watch
COUNTERS = ("INTO delivery_minute", "INTO code_minute", "INTO applied")
API_ROWS = 1_000_000
API_RATE = 20  # questions a second: some ten people, with a dashboard each

EXISTING = (ROOT / "bench" / "existing.sql").read_text()
PENDING = (ROOT / "bench" / "pending.sql").read_text()
ASKED = (ROOT / "bench" / "api.sql").read_text()


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev bench processor", description=__doc__.split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="a look of two minutes: 200000 records, 1 round, no ten million rows")
    parser.add_argument("--scenarios", metavar="NAME,…", help=f"of {','.join(SCENARIOS)}; all but {', '.join(ON_REQUEST)}")
    parser.add_argument("--rounds", type=int, help="of drain, existing, counters and api (3)")
    parser.add_argument("--records", type=int, help="of the backlog (1000000)")
    parser.add_argument("--python-records", type=int, help="of them, for the Python consumer (30000)")
    parser.add_argument("--rows", type=int, nargs="+", help="already there in existing, growth and watch (100000 10000000)")
    parser.add_argument("--seconds", type=int, help="of each load in latency (20)")
    parser.add_argument("--ticks", type=int, help="looks of the watch (180)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="every measurement, not only the medians")
    arguments = parser.parse_args()
    quick = arguments.quick
    chosen = arguments.scenarios.split(",") if arguments.scenarios else ["drain", "latency"] if quick else DEFAULT
    if unknown := [name for name in chosen if name not in SCENARIOS]:
        parser.error(f"there is no {unknown[0]!r} among {', '.join(SCENARIOS)}")
    arguments.scenarios = chosen
    arguments.rounds = arguments.rounds or (1 if quick else 3)
    arguments.records = arguments.records or (200_000 if quick else 1_000_000)
    arguments.python_records = arguments.python_records or (5_000 if quick else 30_000)
    arguments.rows = arguments.rows or [100_000, 10_000_000]
    arguments.seconds = arguments.seconds or (8 if quick else 20)
    arguments.ticks = arguments.ticks or (75 if quick else 180)  # some of what it does is done once a minute
    return arguments


def say(text: str) -> None:
    print(f"{'bench':<10} {text}", flush=True)


class Bench:
    def __init__(self, arguments: argparse.Namespace, folder: Path):
        self.arguments = arguments
        self.folder = folder
        self.broker = Broker(folder / "kafka")
        self.postgres = Postgres(folder / "postgres")
        self._groups = 0

    def prepare(self) -> None:
        """Topics, and the backlog, unless only the watch is measured."""
        self.postgres.create("empty")
        for prefix in (PREFIX, OURS.topic.removesuffix("events")):
            migrate(self.broker, self.postgres, "empty", prefix)
        with Server(OURS, self.folder, self.broker.address) as ingress:
            self._templates = backlog.make_templates(ingress, self.broker)
        if self.arguments.scenarios == ["watch"]:
            return
        self._fill(TOPIC, backlog.receipts(self.arguments.records))
        say(f"backlog of {self.broker.records(TOPIC)} records is in Kafka")

    def _fill(self, topic: str, records) -> None:
        backlog.fill(self.broker.address, topic, self._templates, records)

    def new_group(self) -> str:
        self._groups += 1
        return f"bench-{self._groups}"

    # --- ours

    def _drain(self, database: str, prefix: str = PREFIX, beside: contextlib.AbstractContextManager | None = None, **more: str) -> dict:
        """With more settings, and with something beside it."""
        records = self.arguments.records
        group = self.new_group()
        settings = {**processor_settings(self.broker, self.postgres, database, prefix), "DOCHAK_GROUP_ID": group, **more}
        wal = self.postgres.wal_bytes()
        start = self._clocks()
        with Processor(self.folder, settings) as processor:
            with beside or contextlib.nullcontext():
                seconds = processor.wait_records(records) - processor.began
            own = processor.cpu_seconds
            spent = self._spent(start, own)
            self._check_lag(group, f"{prefix}events")
            return {
                "seconds": seconds,
                "records": records,
                "per_second": records / seconds,
                "cpu_per_1000": {part: cpu * 1000 / records for part, cpu in spent.items()},
                "others_percent": 100 * (spent["machine"] - own - spent["postgres"] - spent["kafka"]) / (seconds * os.cpu_count()),
                "wal_bytes_per_record": (self.postgres.wal_bytes() - wal) / records,
                "peak_rss_mb": processor.peak_rss_mb,
                "sums": processor.sums(),
            }

    def _check_lag(self, group: str, topic: str) -> None:
        """What it says of itself is true: the group's offsets are the ends of the topic."""
        records, end = self.broker.records(topic), time.monotonic() + SETTLE_SECONDS
        while (committed := self.broker.committed(group, topic)) != records:
            if time.monotonic() > end:
                raise SystemExit(f"{committed} of {records} records are committed")
            time.sleep(0.1)

    def _clocks(self) -> tuple[float, ...]:
        """CPU seconds of Kafka, Postgres and the whole machine."""
        return process.cpu_seconds(self.broker.pid), self.postgres.cpu_seconds, process.machine_cpu_seconds()

    def _spent(self, start: tuple[float, ...], own: float) -> dict[str, float]:
        """CPU seconds since the clocks were read: the processor's own, and theirs."""
        broker, postgres, machine = (end - begin for begin, end in zip(start, self._clocks()))
        return {"processor": own, "postgres": postgres, "kafka": broker, "machine": machine}

    # --- drain

    def run_drain(self) -> list[dict]:
        rows = []
        for number in range(self.arguments.rounds):
            row = {"round": number + 1, "ours": self._drain_empty()}
            if number == 0:
                self._keep_rows("drained")
            row["copy"] = self._copy(("receipt",))
            row["copy_all"] = self._copy(TABLES)
            row["python"] = self._python(commit_every=1)
            row["python_500"] = self._python(commit_every=500)
            rows.append(row)
            speeds = ", ".join(f"{name} {row[name]['per_second']:.0f}" for name in processor_report.DRAINS)
            say(f"round {number + 1}: records/s {speeds}")
        return rows

    def _drain_empty(self) -> dict:
        self.postgres.create("drained", "empty")
        return self._drain("drained")

    def _keep_rows(self, database: str) -> None:
        with self.postgres.connect(database) as connection:
            for table in TABLES:
                with (self.folder / table).open("wb") as file, connection.cursor().copy(f"COPY {table} TO STDOUT (FORMAT binary)") as copy:
                    for block in copy:
                        file.write(block)

    def _copy(self, tables: tuple[str, ...]) -> dict:
        """Of all rows that ours made of the backlog, each table in one transaction; so the records are those of the backlog."""
        self.postgres.create("copied", "empty")
        start = self._clocks()
        began = time.monotonic()
        with self.postgres.connect("copied") as connection:
            for table in tables:
                with (self.folder / table).open("rb") as file, connection.cursor().copy(f"COPY {table} FROM STDIN (FORMAT binary)") as copy:
                    while block := file.read(1 << 16):
                        copy.write(block)
            seconds = time.monotonic() - began
            rows = connection.execute(f"SELECT count(*) FROM {tables[0]}").fetchone()[0]
        _, postgres_cpu, _ = (end - begin for begin, end in zip(start, self._clocks()))
        records = self.arguments.records
        cpu = {"postgres": postgres_cpu * 1000 / records}
        return {
            "seconds": seconds,
            "records": records,
            "per_second": records / seconds,
            "rows_per_second": rows / seconds,
            "cpu_per_1000": cpu,
        }

    def _python(self, commit_every: int) -> dict:
        self.postgres.create("python")
        with self.postgres.connect("python") as connection:
            connection.execute((PEER / "schema.sql").read_text())
        settings = {
            **self.postgres.environment("python"),
            "KAFKA_BOOTSTRAP": self.broker.address,
            "TOPIC": TOPIC,
            "ALERTS": f"{PREFIX}alerts",
            "GROUP": self.new_group(),
            "RECORDS": str(self.arguments.python_records),
            "COMMIT_EVERY": str(commit_every),
        }
        with PythonConsumer(self.folder, settings) as consumer:
            seconds = consumer.drain_seconds()
        return {"seconds": seconds, "records": self.arguments.python_records, "per_second": self.arguments.python_records / seconds}

    # --- existing

    def run_existing(self) -> list[dict]:
        for rows in self.arguments.rows:
            self._make_rows(rows)
        measured = []
        for number in range(self.arguments.rounds):
            turn = number % len(self.arguments.rows)
            for rows in self.arguments.rows[turn:] + self.arguments.rows[:turn]:
                self.postgres.create("drained", f"rows_{rows}")
                row = {"rows": rows, "round": number + 1, **self._drain("drained")}
                measured.append(row)
                say(f"round {number + 1}, {rows} rows there: {row['per_second']:.0f} records/s")
        for rows in self.arguments.rows:
            self.postgres.drop(f"rows_{rows}")
        return measured

    def _make_rows(self, rows: int, statements: str = EXISTING) -> None:
        database = f"rows_{rows}"
        began = time.monotonic()
        self.postgres.create(database, "empty")
        with self.postgres.connect(database) as connection:
            connection.execute(f"SET bench.rows = {rows}")
            connection.execute(statements)
            connection.execute("VACUUM ANALYZE")
            connection.execute("CHECKPOINT")
        say(f"{rows} rows made in {time.monotonic() - began:.0f} s")

    # --- api

    def run_api(self) -> list[dict]:
        self._make_rows(API_ROWS, f"{EXISTING};{ASKED}")
        rows = []
        for number in range(self.arguments.rounds):
            row = {}
            for name in ("alone", "asked") if number % 2 == 0 else ("asked", "alone"):
                row[name] = self._drain_asked(name == "asked")
            rows.append(row)
            say(f"round {number + 1}: {row['alone']['per_second']:.0f} records/s, {row['asked']['per_second']:.0f} while the API is asked")
        self.postgres.drop(f"rows_{API_ROWS}")
        return rows

    def _drain_asked(self, asked: bool) -> dict:
        self.postgres.create("drained", f"rows_{API_ROWS}")
        with self.postgres.connect("drained") as connection:
            questions = api_readers.questions(connection)
        (port,) = free_ports(1)
        readers = api_readers.Readers(port, questions, API_RATE)
        settings = {"DOCHAK_API_KEY": api_readers.KEY, "DOCHAK_API_LISTEN": f"127.0.0.1:{port}"}
        row = self._drain("drained", PREFIX, readers if asked else None, **settings)
        if readers.failed:
            raise SystemExit(f"{len(readers.failed)} questions were not answered, such as {readers.failed[0]}")
        return {**row, "ms": readers.ms} if asked else row

    # --- growth

    def run_growth(self) -> list[dict]:
        steps = {"receipts of new notifications": PREFIX}
        names = ("acceptances", "their receipts", "a second receipt of each")
        for number, (name, records) in enumerate(zip(names, backlog.lives(self.arguments.records))):
            steps[name] = f"{GROWTH}{number}."
            migrate(self.broker, self.postgres, "empty", steps[name])
            self._fill(f"{steps[name]}events", records)
        return [self._grow(rows, steps) for rows in self.arguments.rows]

    def _grow(self, rows: int, steps: dict[str, str]) -> dict:
        """Without autovacuum: what it would do is what VACUUM does at the end."""
        database = f"rows_{rows}"
        self._make_rows(rows)
        with self.postgres.connect(database) as connection:
            for table in GROWING:
                connection.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = off)")
        measured = {name: self._grow_step(database, name, prefix) for name, prefix in steps.items()}
        vacuums = [self.postgres.vacuum(database, table) for table in GROWING]
        sizes = [row for row in self.postgres.sizes(database) if row["table"] in GROWING]
        self.postgres.drop(database)
        return {"rows": rows, "steps": measured, "vacuums": vacuums, "sizes": sizes}

    def _grow_step(self, database: str, name: str, prefix: str) -> dict:
        before = self.postgres.updates(database, "notification")
        row = self._drain(database, prefix)
        after = self.postgres.updates(database, "notification")
        row["updates"], row["hot_updates"] = (count - earlier for count, earlier in zip(after, before))
        say(f"{database}, {name}: {row['per_second']:.0f} records/s")
        return row

    # --- watch

    def run_watch(self) -> list[dict]:
        return [self._watch(rows) for rows in self.arguments.rows]

    def _watch(self, rows: int) -> dict:
        database, prefix, group = f"rows_{rows}", OURS.topic.removesuffix("events"), self.new_group()
        self._make_rows(rows, PENDING)
        settings = {**processor_settings(self.broker, self.postgres, database, prefix), "DOCHAK_GROUP_ID": group}
        with Server(OURS, self.folder, self.broker.address) as ingress, Processor(self.folder, settings) as processor, Ticks(processor) as ticks:
            self._check_lag(group, OURS.topic)
            ticks.wait(10)
            self._wait_deadlines(database)
            row = {"rows": rows, "taking_over": list(ticks.seconds)}
            count = self.arguments.ticks
            load.fixed(ingress.url, WATCH_RATE, 1.1 * count, self.folder, meanwhile=lambda: row.update(ticks=ticks.wait(count)))
        self.postgres.drop(database)
        late = sorted(row["ticks"])
        say(f"{rows} open: a look takes {load.percentile(late, 50) * 1e3:.1f} ms p50, {late[-1] * 1e3:.1f} ms at most")
        return row

    def _wait_deadlines(self, database: str) -> None:
        """Until the watch has caught up with what became due while the rows were made."""
        due = "SELECT 1 FROM notification WHERE provider IN ('bizgo', 'blux') AND next_look_at < now() - interval '5 s' LIMIT 1"
        end = time.monotonic() + 2 * SETTLE_SECONDS
        with self.postgres.connect(database) as connection:
            while connection.execute(due).fetchone():
                if time.monotonic() > end:
                    raise SystemExit("the watch does not catch up with the deadlines")
                time.sleep(0.5)

    # --- counters

    def run_counters(self) -> list[dict]:
        self.postgres.preload("pg_stat_statements")
        try:
            return [self._count(number) for number in range(self.arguments.rounds)]
        finally:
            self.postgres.preload("")

    def _count(self, number: int) -> dict:
        self.postgres.create("drained", "empty")
        self.postgres.count_statements("drained")
        row = self._drain("drained")
        statements = self.postgres.statements("drained")
        of_counters = [s for s in statements if any(words in s["query"] for words in COUNTERS)]
        assert len(of_counters) == len(COUNTERS), of_counters
        row["counters"], row["statements"] = (
            {what: sum(s[what] for s in some) for what in ("seconds", "wal_bytes", "calls")} for some in (of_counters, statements)
        )
        say(f"round {number + 1}: counting takes {processor_report.share_of_counters(row):.1f} % of the workers' time")
        return row

    # --- registered

    def run_registered(self) -> list[dict]:
        migrate(self.broker, self.postgres, "empty", REGISTERED)
        self._fill(f"{REGISTERED}events", backlog.registered(self.arguments.records))
        rows = []
        for _ in range(self.arguments.rounds):
            self.postgres.create("drained", "empty")
            row = self._drain("drained", REGISTERED)
            row["updates"], row["hot_updates"] = self.postgres.updates("drained", "notification")
            rows.append(row)
            say(f"registered: {row['per_second']:.0f} records/s")
        return rows

    # --- burst

    def run_burst(self) -> list[dict]:
        rows = []
        for number in range(self.arguments.rounds):
            row = {name: self._burst(f"bench.{name}-{number}.", name == "analysed") for name in ("fresh", "analysed")}
            rows.append(row)
            say(f"burst: {row['fresh']['per_second']:.0f} records/s on fresh tables, {row['analysed']['per_second']:.0f} after ANALYZE")
        return rows

    def _burst(self, prefix: str, analyse: bool) -> dict:
        migrate(self.broker, self.postgres, "empty", prefix)
        self.postgres.create("drained", "empty")
        records = self.arguments.records // 5
        with Processor(self.folder, processor_settings(self.broker, self.postgres, "drained", prefix)) as processor:
            self._fill(f"{prefix}events", backlog.registered(QUIET_RECORDS))
            processor.wait_records(QUIET_RECORDS)
            if analyse:
                with self.postgres.connect("drained") as connection:
                    connection.execute("ANALYZE")
            began = time.monotonic()
            self._fill(f"{prefix}events", backlog.receipts(records))
            return {"per_second": records / (processor.wait_records(QUIET_RECORDS + records) - began)}

    # --- latency

    def run_latency(self) -> list[dict]:
        self.postgres.create("latency", "empty")
        prefix = OURS.topic.removesuffix("events")
        settings = processor_settings(self.broker, self.postgres, "latency", prefix)
        with Server(OURS, self.folder, self.broker.address) as ingress, Processor(self.folder, settings) as processor:
            load.flood(ingress.url, CONNECTIONS, self.arguments.seconds, self.folder)  # a broker just started is slow
            processor.wait_records(self.broker.records(OURS.topic))
            most = self._most(ingress, processor)
            say(f"ingress and processor together: {most:.0f} webhooks/s at most")
            rows = [self._latency(ingress, processor, int(most / 2)) for _ in range(self.arguments.rounds)]
        for row in rows:
            row["most_per_second"] = most
            say(f"at {row['rate']} a second: alert after {row['p50_ms']:.1f} ms p50, {row['p99_ms']:.1f} ms p99")
        return rows

    def _most(self, ingress: Server, processor: Processor) -> float:
        """Until the last record is drained."""
        before = self.broker.records(OURS.topic)
        began = load.flood(ingress.url, CONNECTIONS, self.arguments.seconds, self.folder)
        records = self.broker.records(OURS.topic)
        return (records - before) / (processor.wait_records(records, SETTLE_SECONDS) - began)

    def _latency(self, ingress: Server, processor: Processor, rate: int) -> dict:
        begun, start, own = processor.sums(), self._clocks(), processor.cpu_seconds
        with AlertReader(self.broker.address, f"{OURS.topic.removesuffix('events')}alerts") as reader:
            sent = load.fixed(ingress.url, rate, self.arguments.seconds, self.folder, report=report_that_may_fail, connections=CONNECTIONS)
            expected = [key for key in load.acked_keys(self.folder) if fails(key)]
            reader.wait_for(expected, processor_report.ALERT_SECONDS)
        processor.wait_records(self.broker.records(OURS.topic))
        spent, ended = self._spent(start, processor.cpu_seconds - own), processor.sums()
        due = {key: sent.began + int(key.rpartition("-")[2]) / rate for key in expected}
        late = sorted(reader.arrived.get(key, math.inf) - due[key] for key in due)
        return {
            "rate": rate,
            "alerts": len(late),
            "missing": late.count(math.inf),
            "p50_ms": load.percentile(late, 50) * 1e3,
            "p99_ms": load.percentile(late, 99) * 1e3,
            "max_ms": late[-1] * 1e3,
            "acks": asdict(sent),
            "sums": {key: value - begun.get(key, 0) for key, value in ended.items()},
            "cpu_per_1000": {part: cpu * 1000 / sent.sent for part, cpu in spent.items()},
        }


def fails(key: str) -> bool:
    return zlib.crc32(key.encode()) % 100 < FAILED_PERCENT


def report_that_may_fail(key: str) -> bytes:
    return load.bizgo_report(key, "63020" if fails(key) else "10000")


class AlertReader:
    """A read_committed reader that notes when each notification's alert came."""

    def __init__(self, bootstrap: str, topic: str):
        settings = {"isolation.level": "read_committed", "auto.offset.reset": "latest", "enable.auto.commit": False}
        self._consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": f"bench-alerts-{time.monotonic_ns()}", **settings})
        self._assigned = threading.Event()
        self._consumer.subscribe([topic], on_assign=self._assign)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self.arrived: dict[str, float] = {}

    def _assign(self, consumer: Consumer, partitions: list) -> None:
        for partition in partitions:  # the end of now, not that of the first fetch
            partition.offset = consumer.get_watermark_offsets(partition, TIMEOUT)[1]
        consumer.assign(partitions)
        self._assigned.set()

    def _read(self) -> None:
        while not self._stop.is_set():
            message = self._consumer.poll(0.1)
            if message and not message.error():
                self.arrived[message.key().decode()] = time.time()

    def wait_for(self, keys: list[str], seconds: float) -> None:
        """Until all have come, or for so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not all(key in self.arrived for key in keys):
            time.sleep(0.1)

    def __enter__(self) -> "AlertReader":
        self._thread.start()
        if not self._assigned.wait(SETTLE_SECONDS):
            raise SystemExit("the reader of the alerts got no partitions")
        return self

    def __exit__(self, *_) -> None:
        self._stop.set()
        self._thread.join()
        self._consumer.close()


SCENARIOS = {
    "drain": Bench.run_drain,
    "existing": Bench.run_existing,
    "registered": Bench.run_registered,
    "burst": Bench.run_burst,
    "latency": Bench.run_latency,
    "api": Bench.run_api,
    "growth": Bench.run_growth,
    "watch": Bench.run_watch,
    "counters": Bench.run_counters,
}
ON_REQUEST = ("api", "growth", "watch", "counters")
DEFAULT = [name for name in SCENARIOS if name not in ON_REQUEST]


def main() -> None:
    arguments = parse_arguments()
    folder = ROOT / ".run" / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    bench = Bench(arguments, folder)
    began = time.monotonic()
    bench.broker.wipe()
    bench.postgres.wipe()
    try:
        bench.broker.start()
        bench.postgres.start()
        bench.prepare()
        results = {
            "machine": report.machine(),
            "versions": {
                "ours": versions(OURS),
                "python": (BUILT / "pyconsumer" / "versions").read_text().strip(),
                "kafka": bench.broker.version,
                "postgres": bench.postgres.version,
                "load": load.versions(),
            },
            **{name: SCENARIOS[name](bench) for name in arguments.scenarios},
        }
    finally:
        bench.broker.wipe()
        bench.postgres.wipe()
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n")
    print(processor_report.text(results, time.monotonic() - began))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    main()
