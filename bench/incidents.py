# SPDX-License-Identifier: MIT
"""The rules of the incidents failing, slow, silent and refusing over simulated years of providers: false alarms, and how soon a real
incident is found, beside the numbers that were worked out before."""

import argparse
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "incidents"))

import cases
import report


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev bench incidents", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="another one makes other streams")
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    return parser.parse_args()


def main() -> int:
    options = arguments()
    part = 10 if options.quick else 1
    seed = options.seed
    tables = [
        (cases.campaigns, 365 // part, seed),
        (cases.failing_found, 60 // part, seed),
        (cases.silent_found, 60 // part, seed),
        (cases.breaks_off, 60 // part, seed),
        (cases.slow_false, 365 // part, seed),
        (cases.slow_found, 40 // part, seed),
        (cases.months, 20 // part, seed),
        (cases.account_faults,),
        (cases.refusing, 200 // part, seed),
    ]
    began, wrong = time.monotonic(), []
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for made in [pool.submit(*table) for table in tables]:
            table = made.result()
            print(f"\n{table.title}\n{report.table(table.head, table.rows)}", flush=True)
            wrong += table.wrong
    for line in wrong:
        print(f"WRONG: {line}")
    print(f"\n{len(wrong)} wrong, in {time.monotonic() - began:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
