#!/usr/bin/env bash
# ./dev chaos [--seed N] [--receipts M] [--faults K]: one run of tests/chaos/ on a Kafka and a Postgres of its own; --help says more.
# SPDX-License-Identifier: MIT
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
source "$(dirname "${BASH_SOURCE[0]}")/build.sh"
source "$(dirname "${BASH_SOURCE[0]}")/python.sh"

export PYTHONPATH=$ROOT/tests
if asks_for_help chaos "$@"; then exec python3 -m chaos.options --help; fi # needs no package
"$ROOT/scripts/packages.sh" up test
if [[ " $* " != *' --plan '* ]]; then # that runs nothing
    "$ROOT/scripts/kafka.sh" jars
    build dev
fi
exec "$(venv)/bin/python" -m chaos "$@"
