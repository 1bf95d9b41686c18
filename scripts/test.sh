#!/usr/bin/env bash
# ./dev test [quick] [ARG…]: unit tests (ctest), then integration and contract tests (pytest, which starts a Kafka and a Postgres of its
# own, so a running `up` is left alone), several at a time. With ARG… only pytest, one test at a time, and it gets them: a file, -k, -m.
# SPDX-License-Identifier: MIT
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
source "$(dirname "${BASH_SOURCE[0]}")/build.sh"
source "$(dirname "${BASH_SOURCE[0]}")/python.sh"

"$ROOT/scripts/packages.sh" up test
"$ROOT/scripts/kafka.sh" jars
"$ROOT/scripts/prometheus.sh" get
build dev
python=$(venv)/bin/python
with_progress test 'fetching the npm packages of the tests' "$RUN/log/npm.log" env PYTHONPATH="$ROOT/tests" "$python" -m support.cached ||
    say test "without them the tests of the contracts and of the examples fail" >&2
cd "$ROOT"
# Most tests wait most of the time: a processor serves three.
in_parallel=(-n "${DOCHAK_TEST_WORKERS:-$(($(nproc) < 4 ? 3 * $(nproc) : 12))}")
failed=0

unit() {
    say test "unit tests"
    ctest --preset dev || failed=1
}

# Each test has its own deadline; this bound is for a run that hangs in spite of it. On TERM pytest ends what it has started.
integration() { # ARG…
    say test "integration and contract tests"
    timeout --foreground -k 60 3000 "$python" -m pytest "$@" || failed=$?
    ((failed != 124)) || say test "pytest was ended after 50 minutes" >&2
}

case ${1-} in
    '')
        unit
        integration "${in_parallel[@]}"
        ;;
    quick)
        takes_nothing "test quick" "${@:2}"
        unit
        integration "${in_parallel[@]}" -m quick
        ;;
    *) "$python" -m pytest "$@" || failed=$? ;;
esac
exit "$failed"
