#!/usr/bin/env bash
# ./dev test [ARG…]: unit tests (ctest), then integration and contract tests (pytest, which starts a Kafka and a Postgres of its own,
# so a running `up` is left alone). With ARG… only pytest, and it gets them.
# SPDX-License-Identifier: MIT
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
source "$(dirname "${BASH_SOURCE[0]}")/build.sh"

# The virtual environment's name carries the checksum of what is in it: other requirements or another Python, another environment.
venv() {
    local requirements=$ROOT/tests/requirements.txt key dir
    [[ -f $requirements ]] || die test "there is no $requirements"
    key=$({ python3 -V && cat "$requirements"; } | sha256sum | cut -c 1-12)
    dir=$CACHE/venv-$key
    if [[ ! -f $dir/complete ]]; then
        rm -rf "$dir"
        python3 -m venv "$dir" || die test "python3 could not make a virtual environment" "Install the package python3-venv."
        with_progress test 'fetching the Python packages of the tests' "$RUN/log/pip.log" \
            "$dir/bin/python" -m pip install --disable-pip-version-check -r "$requirements" >&2 ||
            die test "pip could not install $requirements" "It needs a Python package index; the full log is $RUN/log/pip.log"
        touch "$dir/complete"
    fi
    echo "$dir"
}

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
timeout --foreground -k 30 1800 "$python" -m pytest "$ROOT/tests" "$@" || failed=$?
((failed != 124)) || say test "pytest was ended after 30 minutes" >&2
exit "$failed"
