# shellcheck shell=bash
# What the services of `./dev up` are told: keys, addresses and the environment made of them. Sourced, after lib.sh.
# Of a setting and its *_FILE form, this wins, from first to last:
#   1. the caller's own environment;
#   2. what the last `./dev up`, and each `./dev start` of a service after it, was given, kept in .run/settings: for the commands
#      after it, in this shell or another. `up` itself does not look there, so what it is not given again is given up;
#   3. the defaults below.
# SPDX-License-Identifier: MIT

# Names that .run/env hands to people. Somebody may have exported them all; the services would refuse them as unknown.
# PG* too: the services get the database of this checkout and never one of the caller's.
forget_callers_names() {
    local name
    for name in DOCHAK_INGRESS_URL DOCHAK_INGRESS_OPS_URL DOCHAK_PROCESSOR_URL DOCHAK_PROCESSOR_OPS_URL "${!DOCHAK_WEBHOOK_@}" "${!PG@}"; do
        unset "$name"
    done
}

# Paths mean the caller's folder; we and the services are elsewhere.
anchor_paths() {
    local name
    for name in "${!DOCHAK_@}"; do
        case $name in
            *_FILE | DOCHAK_KAFKA_PROPERTIES | DOCHAK_PROVIDERS_DIR | DOCHAK_SECRETS_DIR | DOCHAK_PUBLIC_CA)
                [[ ! -e ${!name} ]] || export "$name=$(realpath -s -- "${!name}")" ;;
            DOCHAK_SPOOL_DIR) export "$name=$(realpath -sm -- "${!name}")" ;; # it need not be there yet
        esac
    done
}

# in_secrets_dir NAME: whether it is a file of the caller's folder of settings.
in_secrets_dir() { [[ -n ${DOCHAK_SECRETS_DIR-} && -e $DOCHAK_SECRETS_DIR/$1 ]]; }

# by_default NAME VALUE: exports it unless there is one already, in whichever form.
by_default() {
    local file=${1}_FILE plain=${1%_FILE}
    [[ -v $1 || -v $file || -v $plain ]] || in_secrets_dir "$plain" || export "$1=$2"
}

# keep_settings NAME…: writes .run/settings, the script that recall_settings runs.
keep_settings() {
    local name
    (
        umask 077
        for name; do printf 'by_default %s %q\n' "$name" "${!name}"; done >"$RUN/settings.new"
    )
    mv "$RUN/settings.new" "$RUN/settings"
}

recall_settings() {
    [[ -f $RUN/settings ]] || return 0
    # shellcheck source=/dev/null
    source "$RUN/settings"
}

# value_of NAME: what the services will read.
value_of() {
    local file=${1}_FILE
    if [[ -v $1 ]]; then echo "${!1}"; elif [[ -v $file ]]; then cat "${!file}"; elif in_secrets_dir "$1"; then cat "$DOCHAK_SECRETS_DIR/$1"; fi
}

alert_topic() {
    local prefix
    prefix=$(value_of DOCHAK_TOPIC_PREFIX)
    echo "${prefix:-dochak.}alerts"
}

# --- keys: made once, at the first start ----------------------------------------------------------------------------

random_key() { head -c 16 /dev/urandom | od -An -v -tx1 | tr -d ' \n'; }

MADE_KEYS=(DOCHAK_INGRESS_KEY DOCHAK_API_KEY DOCHAK_RECIPIENT_KEY DOCHAK_SECRET_BIZGO_PATH DOCHAK_SECRET_BLUX_PATH DOCHAK_SECRET_CHANNELTALK_TOKEN)

make_secrets() {
    local name
    mkdir -p "$RUN"
    (umask 077 && touch "$RUN/secrets")
    for name in "${MADE_KEYS[@]}"; do
        grep -q "^$name=" "$RUN/secrets" || echo "$name=$(random_key)" >>"$RUN/secrets"
    done
}

# secret NAME
secret() { sed -n "s/^$1=//p" "$RUN/secrets"; }

# --- ports ----------------------------------------------------------------------------------------------------------

# settle_port DIR NAME DOCUMENTED: writes DIR/NAME, the port of a part: that of the running process; else the documented one
# if it is free, else the one of last time, else any.
settle_port() {
    local file=$1/$2 port
    mkdir -p "$1"
    [[ ! -s $file ]] || ! is_running "$1" || return 0
    if port_is_free "$3"; then
        port=$3
    else
        if [[ -s $file ]] && port=$(<"$file") && port_is_free "$port"; then :; else port=$(free_port); fi
        say "$(basename "$1")" "port $3 is taken; using $port"
    fi
    echo "$port" >"$file"
}

settle_ports() {
    settle_port "$RUN/kafka" port 9092
    settle_port "$RUN/postgres" port 5432
    settle_port "$RUN/ingress" port 8080
    settle_port "$RUN/ingress" ops-port 9080
    settle_port "$RUN/processor" port 8081
    settle_port "$RUN/processor" ops-port 9081
}

# --- the services' environment --------------------------------------------------------------------------------------

export_settings() {
    [[ -s $RUN/secrets && -s $RUN/processor/port && -s $RUN/processor/ops-port ]] || die dev "nothing was ever started here" "Run ./dev up first."
    export PGHOST=127.0.0.1 PGPORT PGUSER=dochak PGDATABASE=dochak
    PGPORT=$(<"$RUN/postgres/port")
    by_default DOCHAK_KAFKA_BOOTSTRAP "127.0.0.1:$(<"$RUN/kafka/port")"
    by_default DOCHAK_ENDPOINTS_FILE "$ROOT/deploy/dev/endpoints.json"
    by_default DOCHAK_INGRESS_LISTEN "127.0.0.1:$(<"$RUN/ingress/port")"
    by_default DOCHAK_INGRESS_OPS_LISTEN "127.0.0.1:$(<"$RUN/ingress/ops-port")"
    by_default DOCHAK_SPOOL_DIR "$RUN/ingress/spool"
    by_default DOCHAK_API_LISTEN "127.0.0.1:$(<"$RUN/processor/port")"
    by_default DOCHAK_PROCESSOR_OPS_LISTEN "127.0.0.1:$(<"$RUN/processor/ops-port")"
    by_default DOCHAK_INSTANCE dev
    by_default DOCHAK_CONSENT_ALERTS on # the demo shows one
    by_default DOCHAK_RUNTIME_ROLE dochak_runtime
    local name
    for name in "${MADE_KEYS[@]}"; do
        by_default "$name" "$(secret "$name")"
    done
}

# url_of LISTEN-SETTING: where to reach what listens there; 0.0.0.0 is no address to call.
url_of() {
    local listen
    listen=$(value_of "$1")
    echo "http://${listen/#0.0.0.0:/127.0.0.1:}"
}

# An assignment any shell can read, whatever is in the value.
assignment() {
    local value=$2
    [[ $value =~ ^[A-Za-z0-9_./:@%+,-]*$ ]] || value="'${value//\'/\'\\\'\'}'"
    echo "$1=$value"
}

# webhook NAME ENDPOINT TAIL: the assignment of its URL, if the endpoints file lists it: one of the caller's may not.
webhook() {
    if grep -qF "\"$2\"" "$(value_of DOCHAK_ENDPOINTS_FILE)"; then
        assignment "$1" "$(url_of DOCHAK_INGRESS_LISTEN)/webhook/$2$3"
    fi
}

write_env() {
    local ingress keys api_keys # several while they are being changed; the first will do
    ingress=$(url_of DOCHAK_INGRESS_LISTEN)
    keys=$(value_of DOCHAK_INGRESS_KEY)
    api_keys=$(value_of DOCHAK_API_KEY)
    (
        umask 077
        {
            assignment DOCHAK_INGRESS_URL "$ingress"
            assignment DOCHAK_INGRESS_OPS_URL "$(url_of DOCHAK_INGRESS_OPS_LISTEN)"
            assignment DOCHAK_PROCESSOR_URL "$(url_of DOCHAK_API_LISTEN)"
            assignment DOCHAK_PROCESSOR_OPS_URL "$(url_of DOCHAK_PROCESSOR_OPS_LISTEN)"
            assignment DOCHAK_INGRESS_KEY "${keys%%,*}"
            assignment DOCHAK_API_KEY "${api_keys%%,*}"
            webhook DOCHAK_WEBHOOK_BIZGO bizgo/alimtalk "/$(value_of DOCHAK_SECRET_BIZGO_PATH)"
            webhook DOCHAK_WEBHOOK_BLUX blux/sms "/$(value_of DOCHAK_SECRET_BLUX_PATH)"
            webhook DOCHAK_WEBHOOK_CHANNELTALK channeltalk/users "?token=$(value_of DOCHAK_SECRET_CHANNELTALK_TOKEN)"
            assignment KAFKA_BOOTSTRAP "$(value_of DOCHAK_KAFKA_BOOTSTRAP)"
            assignment PGHOST "$PGHOST"
            assignment PGPORT "$PGPORT"
            assignment PGUSER "$PGUSER"
            assignment PGDATABASE "$PGDATABASE"
        } >"$RUN/env.new"
    )
    mv "$RUN/env.new" "$RUN/env"
}
