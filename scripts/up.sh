#!/usr/bin/env bash
# ./dev up: everything that is missing, then everything that does not run, then waits until all of it is ready. Running it again
# changes nothing, but for services whose program or settings have changed, or a file that these name: those start anew.
# SPDX-License-Identifier: MIT
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
source "$(dirname "${BASH_SOURCE[0]}")/settings.sh"
source "$(dirname "${BASH_SOURCE[0]}")/services.sh"
source "$(dirname "${BASH_SOURCE[0]}")/build.sh"

servers() { # VERB [SECONDS]: of both at once, they are independent
    local part pids=() failed=0
    for part in kafka postgres; do
        "$ROOT/scripts/$part.sh" "$1" "$RUN/$part" ${2:+"$2"} &
        pids+=($!)
    done
    for part in "${pids[@]}"; do wait "$part" || failed=1; done
    ((failed == 0)) || exit 1
}

print_addresses() {
    local endpoints
    endpoints=$(value_of DOCHAK_ENDPOINTS_FILE)
    cat <<TEXT

Everything is ready ($SECONDS s).
  webhooks      $(url_of DOCHAK_INGRESS_LISTEN)/webhook/ENDPOINT/SECRET  (the endpoints of ${endpoints#"$ROOT"/}; those of the demonstration whole in .run/env)
  registration  $(url_of DOCHAK_INGRESS_LISTEN)/v1/notifications
  dashboard     $(url_of DOCHAK_API_LISTEN)/  (asks for a key: DOCHAK_API_KEY in .run/env)
  query API     $(url_of DOCHAK_API_LISTEN)/v1/notifications  (the same key)
  operations    $(url_of DOCHAK_INGRESS_OPS_LISTEN)/metrics  $(url_of DOCHAK_PROCESSOR_OPS_LISTEN)/metrics
  Kafka         $(value_of DOCHAK_KAFKA_BOOTSTRAP)
  Postgres      psql -h $PGHOST -p $PGPORT -U $PGUSER $PGDATABASE

Try:
  ./dev demo      the providers' stories, each status and alert as it happens
  ./dev alerts    follow the alerts
  ./dev psql -c 'SELECT provider, notification_id, status, code, reason FROM notification'
TEXT
}

takes_nothing up "$@"
forget_callers_names
anchor_paths
given=("${!DOCHAK_@}")
need_dir "$RUN" >/dev/null
# Two at a time would start everything twice. (9 is not handed on to what stays: see daemon_start.)
exec 9>"$RUN/lock"
flock -n 9 || { say dev "another ./dev up or down is at work in this checkout; waiting for it" && flock 9; }

"$ROOT/scripts/packages.sh" up
"$ROOT/scripts/kafka.sh" jars
build release
make_secrets
settle_ports
export_settings
check_settings ingress processor
starting=()
is_running "$RUN/kafka" || starting+=("Kafka on 127.0.0.1:$(<"$RUN/kafka/port")")
is_running "$RUN/postgres" || starting+=("Postgres on 127.0.0.1:$(<"$RUN/postgres/port")")
((${#starting[@]} == 0)) || say servers "starting ${starting[0]}${starting[1]:+ and ${starting[1]}}"
servers start
servers wait 90
say servers "ready"
stop_changed processor # migrate waits for one that is too old for what it applies
migrate
say migrate "tables and topics are up to date"
keep_settings "${given[@]}"
start_service ingress
start_service processor
wait_service ingress readyz
say ingress "ready"
wait_service processor readyz
say processor "ready"
write_env
print_addresses
