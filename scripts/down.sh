#!/usr/bin/env bash
# ./dev down [--wipe]: stops what `up` started, the services before what they lean on. --wipe removes .run/ with all data and keys.
# SPDX-License-Identifier: MIT
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

wipe=
if [[ ${1-} == --wipe ]]; then
    wipe=1
    shift
fi
(($# == 0)) || die dev "down knows no '$1'" "usage: ./dev down [--wipe]"
[[ -d $RUN ]] || { say dev "nothing to stop: there is no $RUN"; exit; }
exec 9>"$RUN/lock"
flock 9
stopped=0
for part in processor ingress postgres kafka; do
    is_running "$RUN/$part" || continue
    case $part in
        postgres | kafka) "$ROOT/scripts/$part.sh" stop "$RUN/$part" ;;
        *) daemon_stop "$part" "$RUN/$part" TERM 30 ;;
    esac
    say "$part" "stopped"
    stopped=1
done
((stopped)) || say dev "nothing was running"
rm -f "$RUN/env"
[[ -n $wipe ]] || exit 0
"$ROOT/scripts/postgres.sh" wipe "$RUN/postgres" # some of it may lie outside
rm -rf "$RUN"
say dev "removed $RUN: data, logs and keys"
