# SPDX-License-Identifier: MIT
"""./dev chaos: one run, its plan and what came of it on stdout. The options are in options.py."""

import argparse
import os
import platform
import signal
import sys
import time

from chaos import broken, options, run
from chaos.stage import Ground
from support import builds, parallel

LOGS = builds.ROOT / ".run" / "chaos"


def report(outcome: run.Outcome, args: argparse.Namespace, seconds: float) -> None:
    print("\n".join([*outcome.facts, *outcome.verdict.examples(), *outcome.failures]))
    for name, log in outcome.logs.items():
        LOGS.mkdir(parents=True, exist_ok=True)
        (LOGS / f"{name}.log").write_text(log)
    size = f"--broken {args.broken}" if args.broken else f"--receipts {args.receipts} --faults {args.faults}"
    print(f"{platform.machine()}, {os.cpu_count()} processors, {time.strftime('%Y-%m-%d %H:%M')}, {seconds:.0f} s in all")
    print(f"again: ./dev chaos --seed {args.seed} {size}")
    print("\n".join(outcome.strikes))
    print(f"{outcome.verdict}; {'good' if outcome.is_good else 'FAILED'}")


def main() -> int:
    args = options.parse()
    plan = broken.derive(args.broken, args.seed) if args.broken else run.derive(args.seed, args.receipts, args.faults)
    print(plan, flush=True)
    if args.plan:
        return 0
    if args.broken:
        builds.BIN_DIR = broken.build(args.broken)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what runs is ended, and disks are unmounted
    began = time.monotonic()
    parallel.begin()
    try:
        with Ground(parallel.folder() / "chaos") as ground:
            outcome = run.play(plan, ground, say=lambda line: print(line, flush=True))
    finally:
        parallel.end()
    report(outcome, args, time.monotonic() - began)
    return 0 if outcome.is_good else 1


sys.exit(main())
