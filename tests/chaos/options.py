# SPDX-License-Identifier: MIT
"""./dev chaos: one run, its plan and what came of it on stdout; exit code 1 when anything was lost, doubled, wrong or late, or did not come
back. The logs are then in .run/chaos/."""

# --help must work before any package is installed: only the standard library is imported here.
import argparse
from pathlib import Path

BROKEN = sorted(patch.stem for patch in (Path(__file__).parent / "broken").glob("*.patch"))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="everything random comes from it (%(default)s)")
    parser.add_argument("--receipts", type=int, default=50_000, help="how many are sent (%(default)s)")
    parser.add_argument("--faults", type=int, default=50, help="how many strike meanwhile (%(default)s)")
    parser.add_argument("--plan", action="store_true", help="only print the plan")
    parser.add_argument(
        "--broken", choices=BROKEN, help="a build broken on purpose, under a plan that aims at it: has to fail"
    )
    return parser.parse_args()


if __name__ == "__main__":
    parse()
