#!/usr/bin/env bash
# the processor's drain of a backlog beside COPY and a Python consumer, on empty and full tables, of registered messages, in a burst; webhook to alert; on request api, growth, watch, counters (25 minutes; --help)
# SPDX-License-Identifier: MIT
source "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib.sh"
source "$ROOT/scripts/build.sh"

"$ROOT/scripts/packages.sh" up bench
"$ROOT/scripts/kafka.sh" jars
build release
"$ROOT/bench/peers/build.sh" vegeta pyconsumer # what the benchmark itself needs
exec "$CACHE/bench/pyconsumer/bin/python" "$ROOT/bench/processor.py" "$@"
