# SPDX-License-Identifier: MIT
"""What `./dev bench ingress` measures: servers that acknowledge a webhook when its record is durable, one at a time, on one Kafka.

Three scenarios. rate: as fast as it goes at 64 and at 256 connections, then latency at a fixed rate; in rounds, the servers in turn, each
round beginning with another one, so that a machine whose mood changes is unfair to nobody. away: Kafka is stopped. frozen: Kafka
stops answering for a while and comes back. After each the acknowledgements are held against the records that the topic really took.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import load
import process
import report
from broker import Broker
from servers import ROOT, SPECS, Server, Spec, versions

CONNECTIONS = (64, 256)
AWAY_SECONDS = 8
AWAY_CONNECTIONS = 64
FROZEN_RATE = 500
FROZEN_RUN_SECONDS = 20
FROZEN_AFTER_SECONDS = 6
FROZEN_SECONDS = 8
SETTLE_SECONDS = 60  # until a spool has been emptied


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev bench ingress", description=__doc__.split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="a look of two minutes: ours, probe, go; 2 rounds of 3 s; rate only")
    parser.add_argument("--only", metavar="NAME,…", help=f"these servers: {','.join(SPECS)}")
    parser.add_argument("--scenarios", metavar="NAME,…", help=f"these scenarios: {','.join(SCENARIOS)}")
    parser.add_argument("--rounds", type=int, help="of the scenario rate (5)")
    parser.add_argument("--seconds", type=int, help="of each measurement of the scenario rate (6)")
    parser.add_argument("--warm-up", type=int, help="seconds of full load before a server is measured (5; a JVM gets four times that)")
    parser.add_argument("--rate", type=int, default=1000, help="requests a second for latency; all of them can hold %(default)s")
    parser.add_argument("--json", type=Path, metavar="FILE", help="every measurement, not only the medians")
    arguments = parser.parse_args()
    quick = arguments.quick
    arguments.only = names(parser, arguments.only, SPECS, ["ours", "probe", "go"] if quick else list(SPECS))
    arguments.scenarios = names(parser, arguments.scenarios, SCENARIOS, ["rate"] if quick else list(SCENARIOS))
    arguments.rounds = arguments.rounds or (2 if quick else 5)
    arguments.seconds = arguments.seconds or (3 if quick else 6)
    arguments.warm_up = arguments.warm_up or (2 if quick else 5)
    return arguments


def names(parser: argparse.ArgumentParser, given: str | None, known, default: list[str]) -> list[str]:
    chosen = given.split(",") if given else default
    if unknown := [name for name in chosen if name not in known]:
        parser.error(f"there is no {unknown[0]!r} among {', '.join(known)}")
    return [name for name in known if name in chosen]


def say(text: str) -> None:
    print(f"{'bench':<10} {text}", flush=True)


class Bench:
    def __init__(self, arguments: argparse.Namespace, folder: Path):
        self.arguments = arguments
        self.folder = folder
        self.broker = Broker(folder / "kafka")
        self.specs = [SPECS[name] for name in arguments.only]

    def serve(self, spec: Spec) -> Server:
        return Server(spec, self.folder, self.broker.address)

    def truth(self, spec: Spec, before: int, acks: int) -> dict:
        """Every acknowledgement has its record. More records are no fault: a load that ends leaves requests without their answer."""
        records = self.broker.wait_records(spec.topic, before + acks, SETTLE_SECONDS) - before
        if records < acks:
            say(f"{spec.name}: {acks - records} of {acks} acknowledged records are NOT in Kafka")
        return {"records": records, "missing": max(0, acks - records)}

    # --- rate

    def run_rate(self) -> list[dict]:
        with self.serve(self.specs[0]) as server:  # Kafka too is a JVM that is slow at first, and nobody is to pay for that
            load.closed(server.url, CONNECTIONS[0], 2 * self.arguments.warm_up)
        rows = []
        for number in range(self.arguments.rounds):
            turn = number % len(self.specs)
            for spec in self.specs[turn:] + self.specs[:turn]:
                row = {"server": spec.name, "round": number + 1, **self._measure_rate(spec)}
                rows.append(row)
                rates = ", ".join(f"{row[f'closed_{n}']['acks_per_second']:.0f} acks/s at {n}" for n in CONNECTIONS)
                others = max(row[f"closed_{n}"]["others_percent"] for n in CONNECTIONS)
                say(f"round {number + 1} {spec.name:<8} {rates} connections; other programs took {others:.0f} % of the machine")
        return rows

    def _measure_rate(self, spec: Spec) -> dict:
        row = {}
        with self.serve(spec) as server:
            load.closed(server.url, CONNECTIONS[0], self.arguments.warm_up * spec.warm_up)
            for connections in CONNECTIONS:
                row[f"closed_{connections}"] = self._measure_closed(server, connections)
            before = self.broker.records(spec.topic)
            fixed = load.fixed(server.url, self.arguments.rate, self.arguments.seconds, self.folder)
            row["fixed"] = {**asdict(fixed), **self.truth(spec, before, fixed.acks)}
            row["peak_rss_mb"] = server.peak_rss_mb
        return row

    def _measure_closed(self, server: Server, connections: int) -> dict:
        before = self.broker.records(server.spec.topic)
        start = self._clocks(server)
        measured = load.closed(server.url, connections, self.arguments.seconds)
        server_cpu, broker_cpu, load_cpu, machine_cpu = (end - begin for begin, end in zip(start, self._clocks(server)))
        others = machine_cpu - server_cpu - broker_cpu - load_cpu
        return {
            **asdict(measured),
            "acks": measured.acks,
            "acks_per_second": measured.acks_per_second,
            "cpu_seconds_per_1000_acks": server_cpu * 1000 / max(1, measured.acks),
            "broker_cpu_seconds_per_1000_acks": broker_cpu * 1000 / max(1, measured.acks),
            "others_percent": 100 * others / (self.arguments.seconds * os.cpu_count()),
            **self.truth(server.spec, before, measured.acks),
        }

    def _clocks(self, server: Server) -> tuple[float, ...]:
        """CPU seconds of the server, Kafka, the load and the whole machine."""
        broker = process.cpu_seconds(self.broker.pid)
        return server.cpu_seconds, broker, process.children_cpu_seconds(), process.machine_cpu_seconds()

    # --- away

    def run_away(self) -> list[dict]:
        rows = []
        for spec in self.specs:
            with self.serve(spec) as server:
                load.closed(server.url, AWAY_CONNECTIONS, self.arguments.warm_up)
                before = self.broker.records(spec.topic)
                self.broker.stop()
                opening = load.closed(server.url, AWAY_CONNECTIONS, 2)  # until it has understood
                measured = load.closed(server.url, AWAY_CONNECTIONS, AWAY_SECONDS)
                rss = server.peak_rss_mb
                self.broker.start()
                acks = opening.acks + measured.acks
                rows.append(
                    {
                        "server": spec.name,
                        **asdict(measured),
                        "acks": measured.acks,
                        "acks_per_second": measured.acks_per_second,
                        "peak_rss_mb": rss,
                        **self.truth(spec, before, acks),
                        "acks_in_all": acks,
                    }
                )
            say(f"Kafka away: {spec.name:<8} {measured.acks_per_second:.0f} acks/s, {measured.not_2xx} other answers")
        return rows

    # --- frozen

    def run_frozen(self) -> list[dict]:
        rows = []
        for spec in self.specs:
            with self.serve(spec) as server:
                load.closed(server.url, AWAY_CONNECTIONS, self.arguments.warm_up)
                before = self.broker.records(spec.topic)
                fixed = load.fixed(server.url, FROZEN_RATE, FROZEN_RUN_SECONDS, self.folder, self._freeze)
                rows.append(
                    {"server": spec.name, **asdict(fixed), "peak_rss_mb": server.peak_rss_mb, **self.truth(spec, before, fixed.acks)}
                )
            say(f"Kafka frozen: {spec.name:<8} {fixed.acks_for_bizgo} of {fixed.sent} acknowledged within {load.BIZGO_SECONDS:.0f} s")
        return rows

    def _freeze(self) -> None:
        time.sleep(FROZEN_AFTER_SECONDS)
        self.broker.freeze()
        try:
            time.sleep(FROZEN_SECONDS)
        finally:
            self.broker.thaw()


SCENARIOS = {"rate": Bench.run_rate, "away": Bench.run_away, "frozen": Bench.run_frozen}


def main() -> None:
    arguments = parse_arguments()
    peers = [name for name in arguments.only if name != "ours"]
    if peers:
        subprocess.run([ROOT / "bench" / "peers" / "build.sh", *peers], check=True)
    folder = ROOT / ".run" / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    bench = Bench(arguments, folder)
    began = time.monotonic()
    bench.broker.wipe()
    try:
        bench.broker.start()
        bench.broker.create_topics([topic for spec in bench.specs for topic in spec.topics])
        results = {
            "machine": report.machine(),
            "versions": {**{spec.name: versions(spec) for spec in bench.specs}, "kafka": bench.broker.version, "load": load.versions()},
            **{name: SCENARIOS[name](bench) for name in arguments.scenarios},
        }
    finally:
        bench.broker.wipe()
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n")
    print(report.text(results, arguments.rate, time.monotonic() - began))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    main()
