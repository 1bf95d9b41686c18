# shellcheck shell=bash
# ingress and processor of `./dev up`: the release build's programs under the settings of settings.sh. Sourced, after both libs.
# SPDX-License-Identifier: MIT

service_binary() { echo "$ROOT/build/release/bin/dochak-$1"; }

# Whom Postgres sees: PGUSER owns the tables, and is who migrates; all else runs as the runtime role, which cannot change them.
service_user() {
    local role
    role=$(value_of DOCHAK_RUNTIME_ROLE)
    echo "${role:-$PGUSER}"
}

# The content of every file that a setting names. (The provider files of the checkout are in the program.)
files_of_settings() {
    local name files=() providers
    for name in "${!DOCHAK_@}"; do
        [[ $name != *_FILE ]] || files+=("${!name}")
    done
    for name in DOCHAK_ENDPOINTS_FILE DOCHAK_KAFKA_PROPERTIES DOCHAK_PUBLIC_CA; do files+=("$(value_of "$name")"); done
    providers=$(value_of DOCHAK_PROVIDERS_DIR)
    [[ -z $providers ]] || files+=("$providers"/*.json)
    [[ -z ${DOCHAK_SECRETS_DIR-} ]] || files+=("$DOCHAK_SECRETS_DIR"/*)
    cat -- "${files[@]}" 2>/dev/null || true # what is missing is for --check to tell
}

# What a service reads when it starts.
service_fingerprint() { # NAME
    {
        cat "$(service_binary "$1")"
        files_of_settings
        env | grep -E '^(DOCHAK_|PG)' | sort
    } | sha256sum
}

# Whether NAME, which runs, would start with anything else now. Without its program nobody can tell.
service_has_changed() { # NAME
    [[ -x $(service_binary "$1") && -f $RUN/$1/fingerprint && $(<"$RUN/$1/fingerprint") != "$(service_fingerprint "$1")" ]]
}

# check_settings NAME…: dies of what the services would refuse, before anything that runs is touched.
check_settings() {
    local name said faults=()
    for name; do
        [[ -x $(service_binary "$name") ]] || die "$name" "is not built" "Run ./dev up."
        if said=$("$(service_binary "$name")" --check 2>&1 >/dev/null); then continue; fi
        said=${said#"dochak-$name: "}
        [[ $said == "${faults[0]-}" ]] || faults+=("${said:-dochak-$name --check failed without a word}")
    done
    ((${#faults[@]} == 0)) || die settings "${faults[@]}"
}

# Ends NAME if it runs with anything else than it would start with now.
stop_changed() { # NAME
    is_running "$RUN/$1" && service_has_changed "$1" || return 0
    say "$1" "its program, its settings or a file they name have changed: starting it anew"
    daemon_stop "$1" "$RUN/$1" TERM 30
}

# need_ports NAME: dies if another program listens where NAME would. That one might even answer that it is ready: another checkout's.
need_ports() {
    local setting settings=(DOCHAK_INGRESS_LISTEN DOCHAK_INGRESS_OPS_LISTEN)
    [[ $1 == ingress ]] || settings=(DOCHAK_API_LISTEN DOCHAK_PROCESSOR_OPS_LISTEN)
    for setting in "${settings[@]}"; do
        case $(url_of "$setting") in http://127.0.0.1:*) ;; *) continue ;; esac
        port_is_free "$(url_of "$setting" | sed 's/.*://')" ||
            die "$1" "another program listens on $(value_of "$setting") ($setting)" "End that program; or run ./dev up, which takes another port."
    done
}

start_service() { # NAME
    local name=$1 dir=$RUN/$1
    mkdir -p "$dir"
    stop_changed "$name"
    ! is_running "$dir" || return 0
    need_ports "$name"
    service_fingerprint "$name" >"$dir/fingerprint"
    cd "$ROOT" || exit # so that a relative path within a file that a setting names always means the same
    daemon_start "$dir" env PGUSER="$(service_user)" "$(service_binary "$name")"
}

service_says() { curl -fs -o /dev/null --noproxy '*' -m 2 "$1"; } # URL

# wait_service NAME readyz|livez
wait_service() {
    local url
    url=$(url_of "DOCHAK_${1^^}_OPS_LISTEN")/$2
    if (daemon_wait "$1" "$RUN/$1" 30 service_says "$url"); then return; fi
    if is_running "$RUN/$1"; then
        say '' "It goes on trying. $url says: $(curl -s --noproxy '*' -m 2 "$url")" >&2
        say '' "Mend that, or ./dev stop $1." >&2
    fi
    exit 1
}

# missing_servers NAME: which of our servers the service cannot be ready without and do not run.
missing_servers() {
    ! kafka_is_ours || is_running "$RUN/kafka" || echo kafka
    [[ $1 != processor ]] || is_running "$RUN/postgres" || echo postgres
}

# Not if the caller has brought one.
kafka_is_ours() { [[ $(value_of DOCHAK_KAFKA_BOOTSTRAP) == "127.0.0.1:$(<"$RUN/kafka/port")" ]]; }

# In production this is the administrator's to do.
make_runtime_role() {
    psql -Xq -v ON_ERROR_STOP=1 -v role="$(service_user)" <<'SQL'
SELECT format('CREATE ROLE %I LOGIN', :'role') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'role') \gexec
SQL
}

# Topics and tables; what it says is only of interest if it fails.
migrate() {
    local log=$RUN/log/migrate.log
    mkdir -p "$RUN/log"
    { make_runtime_role && "$(service_binary processor)" migrate; } >"$log" 2>&1 || {
        show_tail "$log"
        die migrate "could not bring the tables and topics up to date" "./dev logs postgres and ./dev logs kafka may say why."
    }
}
