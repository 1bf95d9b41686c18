#!/usr/bin/env bash
# One part of what `./dev up` runs: parts.sh start|stop|kill|logs NAME, psql, alerts.
# SPDX-License-Identifier: MIT
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
source "$(dirname "${BASH_SOURCE[0]}")/settings.sh"
source "$(dirname "${BASH_SOURCE[0]}")/services.sh"

need_part() {
    case ${1-} in
        kafka | postgres | ingress | processor) ;;
        '') die dev "which part?" "kafka, postgres, ingress or processor" ;;
        *) die dev "there is no part '$1'" "There are kafka, postgres, ingress and processor." ;;
    esac
}

start() {
    if is_running "$RUN/$1"; then
        say "$1" "already runs (process $(daemon_pid "$RUN/$1"))"
        return
    fi
    export_settings
    case $1 in
        kafka | postgres)
            "$ROOT/scripts/$1.sh" start "$RUN/$1"
            "$ROOT/scripts/$1.sh" wait "$RUN/$1"
            ;;
        *)
            start_service "$1"
            wait_service "$1"
            ;;
    esac
    say "$1" "ready"
}

end() { # NAME stop|kill
    if ! is_running "$RUN/$1"; then
        say "$1" "does not run"
        return
    fi
    case $1-$2 in
        kafka-* | postgres-*) "$ROOT/scripts/$1.sh" "$2" "$RUN/$1" ;;
        *-stop) daemon_stop "$1" "$RUN/$1" TERM 30 ;;
        *-kill) daemon_stop "$1" "$RUN/$1" KILL 10 ;;
    esac
    say "$1" "$([[ $2 == stop ]] && echo stopped || echo killed); ./dev start $1 brings it back"
}

logs() {
    local files=("$RUN/ingress/log" "$RUN/processor/log") how=(-n +1 -q)
    if (($#)); then
        need_part "$1"
        files=("$RUN/$1/log")
    fi
    [[ -f ${files[0]} ]] || die dev "there is no log ${files[0]} yet" "Run ./dev up first."
    [[ ! -t 1 ]] || how=(-n 40 -F)
    exec tail "${how[@]}" "${files[@]}"
}

case ${1-} in
    start) need_part "${2-}"; start "$2" ;;
    stop | kill) need_part "${2-}"; end "$2" "$1" ;;
    logs) logs "${@:2}" ;;
    psql) export_settings; exec psql "${@:2}" ;;
    alerts) export_settings
        exec kcat -C -q -u -b "$(value_of DOCHAK_KAFKA_BOOTSTRAP)" -X isolation.level=read_committed \
            -t "${DOCHAK_TOPIC_PREFIX:-dochak.}alerts" -o beginning "${@:2}" ;;
    *) die dev "parts.sh: start, stop, kill, logs, psql or alerts" ;;
esac
