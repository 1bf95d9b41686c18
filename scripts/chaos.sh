#!/usr/bin/env bash
# ./dev chaos [--seed N] [--receipts M] [--faults K]: one run of tests/chaos/ on a Kafka and a Postgres of its own; --help says more.
# SPDX-License-Identifier: MIT
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
source "$(dirname "${BASH_SOURCE[0]}")/build.sh"
source "$(dirname "${BASH_SOURCE[0]}")/python.sh"

"$ROOT/scripts/packages.sh" up test
if [[ ! " $* " =~ \ (-h|--help|--plan)\  ]]; then # these run nothing
    "$ROOT/scripts/kafka.sh" jars
    build dev
fi
PYTHONPATH=$ROOT/tests exec "$(venv)/bin/python" -m chaos "$@"
