#!/usr/bin/env bash
# Shows each alert once, with kcat. It may be killed at any moment: an alert that handle() did not finish comes again.
#
#   KAFKA_BOOTSTRAP=localhost:9092 ./consumer.sh
#
# kcat commits the offset of a record when it has printed it, not when handle() is done. So this reads without a group, at each start
# from the beginning of the topic (30 days of alerts), and leaves out what STATE_FILE has, one ce_id a line.
# SPDX-License-Identifier: MIT
set -euo pipefail

file=${STATE_FILE:-seen.txt}
touch "$file"
declare -A seen
while read -r id; do seen[$id]=1; done <"$file"

# What you do with an alert. If it fails, the script ends, and the alert comes again at the next start.
handle() { printf '%s %s\n' "$1" "$2"; }

kcat -C -q -u -b "${KAFKA_BOOTSTRAP:-localhost:9092}" -t "${ALERTS_TOPIC:-dochak.alerts}" -o beginning \
    -X isolation.level=read_committed -f '%h\t%s\n' |
    while IFS=$'\t' read -r headers alert; do
        [[ ,$headers, =~ ,ce_id=([^,]+), ]] && id=${BASH_REMATCH[1]}
        [[ ,$headers, =~ ,ce_type=([^,]+), ]] && kind=${BASH_REMATCH[1]}
        [[ -z ${seen[$id]-} ]] || continue
        handle "$kind" "$alert"
        echo "$id" >>"$file"
        seen[$id]=1
    done
