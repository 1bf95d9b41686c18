#!/usr/bin/env bash
# the incident rules over simulated years of providers: false alarms, and how soon an incident is found (5 minutes; --help)
# SPDX-License-Identifier: MIT
source "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib.sh"

"$ROOT/scripts/packages.sh" up # the compiler
mkdir -p "$CACHE/bench/incidents"
export DOCHAK_INCIDENTS_LIBRARY=$CACHE/bench/incidents/incidents.so
"$ROOT/bench/incidents/build.sh" "$DOCHAK_INCIDENTS_LIBRARY"
exec python3 "$ROOT/bench/incidents.py" "$@"
