#!/usr/bin/env bash
# ./dev test [ARG…]: unit tests (ctest), then integration and contract tests (pytest, which starts a Kafka and a Postgres of its own,
# so a running `up` is left alone). With ARG… only pytest, and it gets them.
# SPDX-License-Identifier: MIT
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
source "$(dirname "${BASH_SOURCE[0]}")/build.sh"
source "$(dirname "${BASH_SOURCE[0]}")/python.sh"

"$ROOT/scripts/packages.sh" up test
"$ROOT/scripts/kafka.sh" jars
build dev
python=$(venv)/bin/python
cd "$ROOT"
failed=0
if (($# == 0)); then
    say test "unit tests"
    ctest --preset dev || failed=1
fi
say test "integration and contract tests"
# Each test has its own deadline; this bound is for a run that hangs in spite of it.
timeout --foreground -k 30 3000 "$python" -m pytest "$ROOT/tests" "$@" || failed=$?
((failed != 124)) || say test "pytest was ended after 50 minutes" >&2
exit "$failed"
