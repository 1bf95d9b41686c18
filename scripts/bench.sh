#!/usr/bin/env bash
# ./dev bench [NAME]: runs bench/NAME.sh; without a name, lists what there is with the line each says about itself.
# SPDX-License-Identifier: MIT
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

if (($#)); then
    [[ -f $ROOT/bench/$1.sh ]] || die bench "there is no benchmark '$1'" "./dev bench lists them."
    exec bash "$ROOT/bench/$1.sh" "${@:2}"
fi
benches=("$ROOT"/bench/*.sh)
((${#benches[@]})) || say bench "there are no benchmarks yet (bench/ holds none)"
for bench in "${benches[@]}"; do
    say "$(basename "$bench" .sh)" "$(sed -n '2s/^# *//p' "$bench")"
done
