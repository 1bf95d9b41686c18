# shellcheck shell=bash
# ingress and processor of `./dev up`: the release build's programs under the settings of settings.sh. Sourced, after both libs.
# SPDX-License-Identifier: MIT

service_binary() { echo "$ROOT/build/release/bin/dochak-$1"; }

# What a service read when it started. If it has changed since, `up` starts the service anew.
service_fingerprint() { # NAME
    {
        cat "$(service_binary "$1")" "$ROOT"/schemas/providers/*.json
        cat "$(value_of DOCHAK_ENDPOINTS_FILE)"
        env | grep -E '^(DOCHAK_|PG)' | sort
    } | sha256sum
}

start_service() { # NAME
    local name=$1 dir=$RUN/$1 fingerprint
    [[ -x $(service_binary "$name") ]] || die "$name" "is not built" "Run ./dev up."
    mkdir -p "$dir"
    fingerprint=$(service_fingerprint "$name")
    if is_running "$dir"; then
        [[ ! -f $dir/fingerprint || $(<"$dir/fingerprint") != "$fingerprint" ]] || return 0
        say "$name" "its program or its settings have changed: starting it anew"
        daemon_stop "$name" "$dir" TERM 30
    fi
    daemon_start "$dir" "$(service_binary "$name")"
    echo "$fingerprint" >"$dir/fingerprint"
}

service_is_ready() { curl -fs -o /dev/null --noproxy '*' -m 2 "$1/readyz"; } # URL

wait_service() { # NAME
    daemon_wait "$1" "$RUN/$1" 30 service_is_ready "$(url_of "DOCHAK_${1^^}_OPS_LISTEN")"
}

# Topics and tables; what it says is only of interest if it fails.
migrate() {
    local log=$RUN/log/migrate.log
    mkdir -p "$RUN/log"
    "$(service_binary processor)" migrate >"$log" 2>&1 || {
        show_tail "$log"
        die migrate "could not bring the tables and topics up to date" "./dev logs postgres and ./dev logs kafka may say why."
    }
}
