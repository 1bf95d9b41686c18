#!/usr/bin/env bash
# One part of what `./dev up` runs: parts.sh start|stop|kill|logs NAME, psql, alerts, processor, doctor.
# SPDX-License-Identifier: MIT
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
source "$(dirname "${BASH_SOURCE[0]}")/settings.sh"
source "$(dirname "${BASH_SOURCE[0]}")/services.sh"

need_part() { # COMMAND [NAME…]
    local usage="usage: ./dev $1 kafka|postgres|ingress|processor"
    [[ $1 != logs ]] || usage="usage: ./dev logs [kafka|postgres|ingress|processor]"
    case ${2-} in
        kafka | postgres | ingress | processor) ;;
        '') die dev "$1 which part?" "$usage" ;;
        *) die dev "there is no part '$2'" "$usage" ;;
    esac
    (($# == 2)) || die dev "$1 takes one part at a time" "$usage"
}

need_running() { is_running "$RUN/$1" || die "$1" "does not run" "Run ./dev start $1."; }

# What `up` was given, and what the caller gives on top: `given`.
settings_of_up() {
    forget_callers_names
    anchor_paths
    recall_settings
    given=("${!DOCHAK_@}")
    export_settings
}

start() {
    local missing server given
    settings_of_up
    if is_running "$RUN/$1"; then
        say "$1" "already runs (process $(daemon_pid "$RUN/$1"))"
        if service_has_changed "$1"; then say '' "with an older program or other settings; ./dev up applies new ones"; fi
        return
    fi
    case $1 in
        kafka | postgres)
            "$ROOT/scripts/$1.sh" start "$RUN/$1"
            "$ROOT/scripts/$1.sh" wait "$RUN/$1"
            ;;
        *)
            check_settings "$1"
            keep_settings "${given[@]}"
            start_service "$1"
            mapfile -t missing < <(missing_servers "$1")
            if ((${#missing[@]})); then
                wait_service "$1" livez
                for server in "${missing[@]}"; do
                    say "$1" "started; it waits for $server, which does not run"
                    say '' "Run ./dev start $server."
                done
                return
            fi
            wait_service "$1" readyz
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
        need_part logs "$@"
        files=("$RUN/$1/log")
    fi
    [[ -f ${files[0]} ]] || die dev "there is no log ${files[0]} yet" "Run ./dev up first."
    [[ ! -t 1 ]] || how=(-n 40 -F)
    exec tail "${how[@]}" "${files[@]}"
}

database() {
    settings_of_up
    need_running postgres
    exec psql "$@"
}

processor() { # COMMAND [ARG…]: under the settings of what is up
    (($#)) || die dev "processor takes a command" "For example ./dev processor quarantine list; ./dev processor --help lists them."
    if asks_for_help processor "$@"; then
        [[ -x $(service_binary processor) ]] || { say processor "is not built yet; after ./dev up, --help lists its commands" && exit; }
        exec "$(service_binary processor)" "${@/#-h/--help}"
    fi
    settings_of_up
    [[ $1 == migrate ]] || PGUSER=$(service_user)
    [[ $1 != doctor ]] || by_default DOCHAK_PUBLIC_URL "$(url_of DOCHAK_INGRESS_LISTEN)"
    if [[ $1 != -* && $1 != doctor ]]; then # it looks at what is down
        need_running postgres
        [[ $1 == incidents ]] || ! kafka_is_ours || need_running kafka # they are in Postgres: what is open is asked most while Kafka is away
    fi
    exec "$(service_binary processor)" "$@"
}

# One line an alert: its type without what all have in common, then its value. kcat goes when this script does, also where it is killed.
alerts() {
    settings_of_up
    ! kafka_is_ours || need_running kafka
    setpriv --pdeathsig TERM kcat -C -q -u -b "$(value_of DOCHAK_KAFKA_BOOTSTRAP)" -X isolation.level=read_committed \
        -t "$(alert_topic)" -o beginning -f '%h\t%s\n' "$@" |
        sed -u -E 's/^[^\t]*ce_type=(dochak\.)?([^,\t]*)\.v[0-9]+[^\t]*\t/\2  /'
}

case ${1-} in
    start) need_part "$@"; start "$2" ;;
    stop | kill) need_part "$@"; end "$2" "$1" ;;
    logs) logs "${@:2}" ;;
    psql) database "${@:2}" ;;
    alerts) alerts "${@:2}" ;;
    processor) processor "${@:2}" ;;
    doctor) processor "$@" ;;
    *) die dev "parts.sh: start, stop, kill, logs, psql, alerts, processor or doctor" ;;
esac
