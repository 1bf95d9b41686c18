#!/usr/bin/env bash
# Builds the rules and watch.c as a library for Python: `build.sh FILE`.
# SPDX-License-Identifier: MIT
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"

exec gcc -O2 -std=gnu17 -D_GNU_SOURCE -Wall -Wextra -Werror -fPIC -shared -I"$ROOT" -o "$1" "$ROOT/bench/incidents/watch.c" \
    "$ROOT"/processor/rules/{failing,minutes,refusing,silent,slow}.c "$ROOT/common/base/mem.c" -lm
