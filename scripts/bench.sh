#!/usr/bin/env bash
# ./dev bench [NAME]: runs bench/NAME.sh; without a name, lists what there is with the line each says about itself.
# SPDX-License-Identifier: MIT
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# The options of a benchmark are known to its Python program, which needs the packages that a first run installs.
help_of() { # NAME
    local python
    say "$1" "$(sed -n '2s/^# *//p' "$ROOT/bench/$1.sh")"
    for python in "$CACHE"/bench/*/bin/python; do
        if "$python" "$ROOT/bench/$1.py" --help 2>/dev/null; then return; fi
    done
    say '' "The options are listed in bench/$1.py, and by --help after a first run."
}

if asks_for_help bench "$@"; then
    for name; do
        if [[ -f $ROOT/bench/$name.sh ]]; then help_of "$name" && exit; fi
    done
    set --
fi
if (($#)); then
    [[ -f $ROOT/bench/$1.sh ]] || die bench "there is no benchmark '$1'" "./dev bench lists them."
    exec bash "$ROOT/bench/$1.sh" "${@:2}"
fi
benches=("$ROOT"/bench/*.sh)
((${#benches[@]})) || say bench "there are no benchmarks yet (bench/ holds none)"
for bench in "${benches[@]}"; do
    say "$(basename "$bench" .sh)" "$(sed -n '2s/^# *//p' "$bench")"
done
