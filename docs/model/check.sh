#!/usr/bin/env bash
# Has spin look at every run of the model beside this file. What we build must pass; each mutant must be caught, by the property it
# breaks. `./dev check` runs it.
#   check.sh             everything
#   check.sh MUTANT_…    one mutant, and the shortest way it goes wrong, step by step
# SPDX-License-Identifier: MIT
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"

MODEL=$ROOT/docs/model/dochak.pml
OUT=$ROOT/build/model

# Mutant | the assertion that has to catch it
MUTANTS='
MUTANT_ROW_DELETED_BEFORE_REPORT   | in_kafka[
MUTANT_OFFSETS_OUTSIDE_TRANSACTION | told[i]<=1
MUTANT_ZOMBIE_NOT_FENCED           | told[i]<=1
MUTANT_OFFSETS_READ_UNCOMMITTED    | told[i]<=1
MUTANT_MARKED_BEYOND_FIRST         | told[i]==1
MUTANT_ALERTS_PUT_OFF              | told[i]==1
'

# explore NAME SPIN_OPTIONS GCC_OPTIONS PAN_OPTIONS: leaves all that was found out in $OUT/NAME. Memory is in MB.
explore() {
    rm -rf "${OUT:?}/$1"
    mkdir -p "$OUT/$1"
    cd "$OUT/$1"
    # shellcheck disable=SC2086 # options are words
    spin -a $2 "$MODEL" >spin.log 2>&1 && gcc -w -O1 -DMEMLIM=2000 $3 -o pan pan.c && timeout 600 ./pan -m100000 $4 >pan.log
}

# The steps of the run that was found, as the model says them.
story() { # NAME SPIN_OPTIONS
    # shellcheck disable=SC2086
    (cd "$OUT/$1" && spin -t -k dochak.pml.trail -T -B $2 "$MODEL" | grep -E '^ *(sender|ingress|spool|Kafka|worker|spin)')
}

figures() { sed -nE 's/^ *([0-9]+) states, stored.*/\1 states/p' "$OUT/$1/pan.log"; }

is_exhausted() { # NAME
    grep -q ', errors: 0$' "$OUT/$1/pan.log" && ! grep -qE 'not completed|too small' "$OUT/$1/pan.log"
}

# A property may hold because the model never gets to where it could break.
reaches_all_of_itself() { # NAME
    ! grep -E 'dochak\.pml:[0-9]+, state' "$OUT/$1/pan.log" || { say model 'these statements are never reached' >&2; return 1; }
}

passes() { # NAME WHAT SPIN_OPTIONS GCC_OPTIONS PAN_OPTIONS
    local began=$SECONDS
    if ! explore "$1" "$3" "$4" "$5" || ! is_exhausted "$1"; then
        say model "$2: FAILED; see $OUT/$1" >&2
        [[ ! -e $OUT/$1/dochak.pml.trail ]] || { grep -E '^pan:' "$OUT/$1/pan.log"; story "$1" "$3"; } >&2
        return 1
    fi
    say model "$2: good, $(figures "$1"), $((SECONDS - began)) s"
}

is_caught() { # MUTANT ASSERTION
    if explore "$1" "-D$1" -DSAFETY -E && grep -qF "assertion violated" "$OUT/$1/pan.log" && grep -qF "$2" "$OUT/$1/pan.log"; then
        say model "$1: caught"
    else
        say model "$1: NOT caught by $2; see $OUT/$1" >&2
        return 1
    fi
}

check_all() {
    local failed=0 mutant assertion
    passes true 'nothing lost, doubled or untold' '' -DSAFETY '' && reaches_all_of_itself true || failed=1
    passes ends 'it always comes to its end' '-DLIVENESS -DINGRESS_FAULTS=1 -DPROCESSOR_FAULTS=2' '' -a || failed=1
    while IFS='|' read -r mutant assertion; do
        [[ -z $mutant ]] || is_caught "${mutant// /}" "${assertion# }" || failed=1
    done <<<"$MUTANTS"
    return "$failed"
}

if (($# == 0)); then
    check_all
elif [[ $# == 1 && $1 == MUTANT_* ]]; then
    grep -q "^$1 " <<<"$MUTANTS" || die model "there is no mutant $1" "There are:$(sed -nE 's/^(MUTANT_[A-Z_]+) .*/ \1/p' <<<"$MUTANTS" | tr -d '\n')"
    explore "$1" "-D$1" '-DSAFETY -DREACH' '-E -i'
    story "$1" "-D$1"
else
    usage
fi
