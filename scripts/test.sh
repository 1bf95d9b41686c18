#!/usr/bin/env bash
# ./dev test [quick] [ARG…]: unit tests (ctest), then integration and contract tests (pytest, which starts a Kafka and a Postgres of its
# own, so a running `up` is left alone), several at a time. With ARG… only pytest, one test at a time, and it gets them.
# SPDX-License-Identifier: MIT
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
source "$(dirname "${BASH_SOURCE[0]}")/build.sh"
source "$(dirname "${BASH_SOURCE[0]}")/python.sh"

# Most tests wait most of the time, so that a processor serves three of them.
WORKERS=${DOCHAK_TEST_WORKERS:-$(($(nproc) < 4 ? 3 * $(nproc) : 12))}

"$ROOT/scripts/packages.sh" up test
"$ROOT/scripts/kafka.sh" jars
build dev
python=$(venv)/bin/python
cd "$ROOT"
failed=0
case ${1-} in
    '') parts=(-n "$WORKERS") ;;
    quick) takes_nothing "test quick" "${@:2}"; parts=(-n "$WORKERS" -m quick) ;;
    *) parts=("$@") ;;
esac
if (($# == 0)) || [[ $1 == quick ]]; then
    say test "unit tests"
    ctest --preset dev --parallel "$WORKERS" || failed=1
fi
say test "integration and contract tests"
# Each test has its own deadline; this bound is for a run that hangs in spite of it.
timeout --foreground -k 60 3000 "$python" -m pytest "$ROOT/tests" "${parts[@]}" || failed=$?
((failed != 124)) || say test "pytest was ended after 50 minutes" >&2
exit "$failed"
