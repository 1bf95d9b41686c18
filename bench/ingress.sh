#!/usr/bin/env bash
# durable acks of ingress beside a bare probe in C, Go, Spring Boot, FastAPI and Express: rate, latency, outages (25 minutes; --help)
# SPDX-License-Identifier: MIT
source "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib.sh"
source "$ROOT/scripts/build.sh"

"$ROOT/scripts/packages.sh" up bench
"$ROOT/scripts/kafka.sh" jars
build release
"$ROOT/bench/peers/build.sh" vegeta fastapi # what the benchmark itself needs
exec "$CACHE/bench/fastapi/bin/python" "$ROOT/bench/ingress.py" "$@"
